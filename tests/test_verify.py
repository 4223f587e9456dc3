"""The citations can be proved, and what does not hold is said."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from sekinin import resources, steps
from sekinin.cli import main
from sekinin.errors import Missing
from sekinin.verify import verify


def test_every_citation_holds(corpus: Path) -> None:
    """With the five papers at hand, each span has the digest that the graph says."""
    verdicts = list(verify(steps.texts_store(), corpus))
    assert len(verdicts) == 5
    assert [v.broken for v in verdicts if v.broken] == []
    assert all(v.good for v in verdicts)
    assert sum(v.held for v in verdicts) > 1000


def test_a_missing_paper_is_no_success(tmp_path: Path) -> None:
    """Without the papers nothing is proved, and the exit code says so."""
    verdicts = list(verify(steps.texts_store(), tmp_path))
    assert len(verdicts) == 5 and not any(v.good for v in verdicts)
    result = CliRunner().invoke(main, ["verify", "--corpus", str(tmp_path)])
    assert result.exit_code == 1
    assert result.output.count("nothing is proved") == 5
    assert CliRunner().invoke(main, ["verify", "--corpus", str(tmp_path), "--allow-missing"]).exit_code == 0


def test_a_changed_paper_is_not_the_paper(corpus: Path, tmp_path: Path) -> None:
    """One character more, and the file is no longer the rendition that the graph cites."""
    for path in corpus.glob("*.txt"):
        (tmp_path / path.name).write_bytes(path.read_bytes() + b"\n")
    assert not any(v.paper for v in verify(steps.texts_store(), tmp_path))


def test_a_wrong_digest_is_reported(corpus: Path, house: Path) -> None:
    """A span whose digest was altered in the Turtle is named; the others still hold."""
    path = house / "graphs" / "ictl" / "resv-4.0.ttl"
    text = path.read_text(encoding="utf-8")
    digest = text[text.index('sk:quoteSha256 "') + 16 :][:64]
    path.write_text(text.replace(digest, "0" * 64, 1), encoding="utf-8")
    broken = [b for v in verify(steps.texts_store(), corpus) for b in v.broken]
    assert len(broken) == 1
    assert "00000000" in broken[0][1]


def test_positions_count_code_points(corpus: Path) -> None:
    """Offsets are code points of the text, not bytes: the same span by bytes would be another."""
    from sekinin import queries
    from sekinin.store import rows

    store = steps.texts_store()
    row = max(rows(queries.bind(queries.get("sources/citations"), {}).ask(store)), key=lambda r: int(r["end"].value))
    assert int(row["end"].value) <= 17402


def test_no_such_folder() -> None:
    with pytest.raises(Missing):
        list(verify(steps.texts_store(), resources.home() / "nowhere"))


def test_a_citation_can_be_made(corpus: Path) -> None:
    """What `sekinin cite` prints is the citation that the graph has for that span."""
    paper = corpus / "talkz-1.0.txt"
    result = CliRunner().invoke(main, ["cite", str(paper), "Amazon Time Sync Service"])
    assert result.exit_code == 0, result.output
    assert "id:cite-talkz-1.0-" in result.output and "sk:quoteSha256" in result.output
    missing = CliRunner().invoke(main, ["cite", str(paper), "no such words"])
    assert missing.exit_code == 4 and "copy it exactly" in missing.stderr
