"""The build: only what changed, never half, and one clear message for what is wrong."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from sekinin import build as builder
from sekinin.cli import main
from sekinin.errors import StoreFailure

PARTY = "graphs/parties.ttl"


def run(*words: str) -> Result:
    return CliRunner().invoke(main, list(words))


def small(house: Path) -> Path:
    """Leave only the parties and the vocabulary: a house that builds in a second."""
    import shutil

    for name in ("ai-inc", "ictl", "infonet", "spcc", "wacul", "mappings"):
        shutil.rmtree(house / "graphs" / name)
    (house / "queries" / "checks" / "dangling-reference.rq").unlink()
    return house


def damage(house: Path, old: str, new: str, name: str = PARTY) -> None:
    path = house / name
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


@pytest.mark.parametrize(
    ("old", "new", "says", "code"),
    [
        ("a sk:CloudServiceProvider ;", "a sk:CloudServiceProvider", "parties.ttl:", 3),  # syntax
        ("a sk:CloudServiceProvider ;", "a sk:CloudServiceProvidr ;", "did you mean sk:CloudServiceProvider?", 3),  # unknown term
        ("sk:providedBy id:party-wacul ;", "sk:providedBy <https://w3id.org/a b> ;", "parties.ttl:", 3),  # wrong IRI
        ('"WACUL"@en', '"WACUL"@en_', "parties.ttl:", 3),  # wrong language tag
    ],
)
def test_a_wrong_text_is_told_with_its_line(house: Path, old: str, new: str, says: str, code: int) -> None:
    """One message with file, line and remedy; exit code not 0; nothing written."""
    damage(small(house), old, new)
    result = run("build", "--quiet")
    assert result.exit_code == code
    assert says in result.stderr and len(result.stderr.strip().splitlines()) == 1
    assert "Traceback" not in result.stderr
    assert not builder.current().exists()


def test_a_violation_stops_the_build(house: Path) -> None:
    """The finding says where, what and how; the store is not made, and an older one stays."""
    small(house)
    assert run("build", "--quiet").exit_code == 0
    before = builder.manifest()["version"]
    damage(house, "sk:providedBy id:party-wacul ;", "sk:providedBy id:party-wacul , id:party-nobody ;")
    result = run("build", "--quiet")
    assert result.exit_code == 1
    assert "Violation: graphs/parties.ttl: id:service-ai-analyst" in result.stdout
    assert builder.manifest()["version"] == before and builder.open_current()


def test_findings_speak_japanese(house: Path) -> None:
    damage(small(house), "sk:providedBy id:party-wacul ;", "")
    result = run("check", "--quiet", "--lang", "ja")
    assert result.exit_code == 1
    assert any("ぁ" <= c <= "ん" for c in result.stdout)


def test_a_missing_house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEKININ_HOME", str(tmp_path))
    monkeypatch.setenv("SEKININ_BUILD", str(tmp_path / "b"))
    result = run("build", "--quiet")
    assert result.exit_code == 4 and "SEKININ_HOME" in result.stderr


def test_a_text_that_is_not_utf8(house: Path) -> None:
    path = small(house) / PARTY
    path.write_bytes(path.read_text(encoding="utf-8").encode("cp932", errors="ignore"))
    result = run("build", "--quiet")
    assert result.exit_code == 3 and "save the file as UTF-8" in result.stderr


def test_nothing_changed_does_nothing(house: Path) -> None:
    """A second build with the same texts takes no step; a changed text takes them again."""
    small(house)
    assert builder.build().steps
    assert builder.build().steps == {}
    damage(house, '"WACUL"@en', '"WACUL Inc."@en')
    again = builder.build()
    assert {"infer", "check", "load"} <= set(again.steps)


def test_only_what_changed(house: Path) -> None:
    """A changed question needs no reasoning; a changed shape neither."""
    small(house)
    builder.build()
    with (house / "queries" / "services" / "names.rq").open("a") as file:
        file.write("# changed\n")
    from sekinin import queries

    queries.catalogue.cache_clear()
    assert "infer" not in builder.build().steps


def test_a_damaged_store_is_told(house: Path) -> None:
    small(house)
    builder.build()
    for path in builder.current().iterdir():
        path.write_bytes(b"rubbish")
    result = run("query", "services/names")
    assert result.exit_code == 7 and "sekinin build --again" in result.stderr
    assert run("build", "--again", "--quiet").exit_code == 0
    assert run("query", "services/names").exit_code == 0


def test_no_store_yet(house: Path) -> None:
    result = run("query", "services/names")
    assert result.exit_code == 4 and "sekinin build" in result.stderr


def test_two_at_once(house: Path) -> None:
    """The second of two builds says so, and does not mix with the first."""
    small(house)
    with builder._alone(), pytest.raises(StoreFailure, match="another build"):
        builder.build()


@pytest.mark.whole
def test_a_killed_build_leaves_the_old_store(house: Path) -> None:
    """Killed at any moment, the old store answers and the next build completes."""
    small(house)
    builder.build()
    before = builder.manifest()["version"]
    damage(house, '"WACUL"@en', '"WACUL Inc."@en')
    command = [str(Path(sys.executable).with_name("sekinin")), "build"]
    for wait in (0.3, 0.8, 1.3, 1.8):
        run_ = subprocess.Popen(command, env=os.environ.copy(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(wait)
        run_.send_signal(signal.SIGKILL)
        run_.wait(10)
        assert list(builder.open_current().engine.named_graphs())
    after = builder.build()
    assert after.version != before and not list(builder.current().parent.parent.glob("new-*"))


def test_a_disk_that_takes_nothing(house: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the new store cannot be written, the old one still answers."""
    small(house)
    builder.build()
    damage(house, '"WACUL"@en', '"WACUL Inc."@en')

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(builder.os, "replace", full)
    with pytest.raises((StoreFailure, OSError)):
        builder.build()
    monkeypatch.undo()
    monkeypatch.setenv("SEKININ_HOME", str(house))
    monkeypatch.setenv("SEKININ_BUILD", str(house.parent / "build"))
    assert list(builder.open_current().engine.named_graphs())


def test_check_for_ci_writes_no_store(house: Path) -> None:
    """`build --check` does the steps, demands house form, and loads nothing."""
    small(house)
    assert run("build", "--check", "--quiet").exit_code == 0
    assert not builder.current().exists()
    path = house / PARTY
    path.write_text(path.read_text(encoding="utf-8") + "\n\n", encoding="utf-8")
    result = run("build", "--check", "--quiet")
    assert result.exit_code == 1 and "not in house form" in result.stderr
