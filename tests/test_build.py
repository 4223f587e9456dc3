"""The build: only what changed, never half, and one clear message for what is wrong."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pyoxigraph as ox
import pytest
from click.testing import CliRunner, Result

from sekinin import build as builder
from sekinin import lines, search, steps
from sekinin.cli import main
from sekinin.errors import BadQuery, StoreFailure
from sekinin.namespaces import graph_iri
from sekinin.store import EmbeddedStore, asserted_beside

PARTY = "graphs/parties.ttl"


def whole(*values: object) -> list[Any]:
    """Return cases of the whole suite alone."""
    return [pytest.param(*(value if isinstance(value, tuple) else (value,)), marks=pytest.mark.whole) for value in values]


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
    assert "Violation: graphs/parties.ttl: id:service-ai-analyst" in result.stderr
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


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("id:x a sk:Service-x .", "no term sk:Service-x"),
        ("id:x a <https://w3id.org/sekinin#Servce> .", "did you mean sk:Service?"),
        ('id:x skos:preflabel "x"@en .', "did you mean skos:prefLabel?"),
        ("@prefix sk: <https://example.org/> .\nid:x a sk:Service .", "is not that of the house"),
        ("\ufeff", "parties.ttl"),
    ],
)
def test_a_word_that_nobody_declared(house: Path, line: str, says: str) -> None:
    """The triples are looked at, not their spelling: a whole IRI, an odd name, a borrowed word, another prefix."""
    path = small(house) / PARTY
    path.write_text(path.read_text(encoding="utf-8") + line + "\n", encoding="utf-8")
    result = run("build", "--quiet")
    assert result.exit_code == 3 and says in result.stderr, result.stderr


@pytest.mark.parametrize("text", ['"""\nsk:Nonsense\n"""@en', "'sk:Nonsense'@en", '"x"@en . #sk:Nonsense'])
def test_words_in_strings_and_comments_are_no_terms(house: Path, text: str) -> None:
    from sekinin import texts

    path = small(house) / PARTY
    path.write_text(path.read_text(encoding="utf-8") + f"id:party-wacul skos:note {text} .\n".replace("Nonsense .", "Nonsense\n."), encoding="utf-8")
    try:
        texts.read(path)
    except Exception as why:
        assert "Nonsense" not in str(why), why


@pytest.mark.parametrize("damage_", ["manifest", "store", *whole("manifest-type", "steps", "emptied", "gone")])
def test_what_a_build_left_is_not_believed(house: Path, damage_: str) -> None:
    """A damaged manifest, step or store is noticed, and the next build makes it again."""
    small(house)
    builder.build()
    folder = builder.current().parent
    if damage_ == "manifest":
        (folder / "manifest.json").write_text('{"vers')
    elif damage_ == "manifest-type":
        (folder / "manifest.json").write_text("[1]")
    elif damage_ in ("steps", "emptied"):
        for path in (folder.parent / "steps").iterdir():
            path.write_bytes(b"[" if damage_ == "steps" else b"")
        (folder / "manifest.json").unlink()
    else:
        for path in builder.current().glob("*.sst"):
            path.write_bytes(path.read_bytes()[:-40] + b"x" * 40) if damage_ == "store" else path.unlink()
        assert run("query", "services/names").exit_code == 7
    assert run("build", "--quiet").exit_code == 0
    assert run("query", "services/names").exit_code == 0


@pytest.mark.parametrize("what", ["file", "lock", "steps"])
def test_a_build_folder_that_cannot_be_used(house: Path, what: str) -> None:
    """One message, no trace of the program."""
    folder = house.parent / "build"
    if what == "file":
        folder.write_text("")
    else:
        folder.mkdir()
        (folder / what).mkdir() if what == "lock" else (folder / what).write_text("")
    result = run("build", "--quiet")
    assert result.exit_code in (4, 7), result.output
    assert "Traceback" not in result.stderr and len(result.stderr.strip().splitlines()) == 1


def test_a_place_that_cannot_be_replaced_leaves_nothing_behind(house: Path) -> None:
    small(house)
    (house.parent / "build" / "current" / "x").mkdir(parents=True)
    result = run("build", "--quiet")
    assert result.exit_code == 7
    assert not [p for p in (house.parent / "build").iterdir() if p.name.startswith(("dataset", "new", "current-"))]


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
    assert {"infer", "check", "store"} <= set(again.steps)


def test_only_what_changed(house: Path) -> None:
    """A changed question needs no reasoning."""
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


@pytest.mark.parametrize(("where", "call"), [(builder, "write_whole"), *whole((steps, "_held"), (builder, "bulk"), (builder, "_on_disk"))])
def test_a_full_disk_is_told(house: Path, monkeypatch: pytest.MonkeyPatch, where: object, call: str) -> None:
    """Whatever step finds the disk full: one message with its remedy, the old store answers, nothing is left over, the next build completes."""
    small(house)
    builder.build()
    before = builder.manifest()["version"]
    damage(house, '"WACUL"@en', '"WACUL Inc."@en')
    kept = getattr(where, call)

    def full(*given: object) -> object:
        if call == "write_whole" and "manifest" not in str(given[0]):
            return kept(*given)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(where, call, full)
    result = run("build", "--quiet")
    assert result.exit_code == 7 and "No space left" in result.stderr and "make room" in result.stderr, result.stderr
    assert builder.manifest()["version"] == before and list(builder.open_current().engine.named_graphs())
    assert not list((house.parent / "build").glob("new-*"))
    monkeypatch.setattr(where, call, kept)
    assert run("build", "--quiet").exit_code == 0 and builder.manifest()["version"] != before


def test_a_rule_names_what_it_speaks_of(house: Path) -> None:
    """A blank node has another name in the store on disk; a rule that returns one is told, and nothing is loaded."""
    rule = small(house) / "queries" / "derived" / "nameless.rq"
    rule.write_text("#+ summary: x\n#+ summary-ja: x\nCONSTRUCT { ?_any rdfs:seeAlso [] } WHERE { ?_any a sk:Party }\n", encoding="utf-8")
    with pytest.raises(BadQuery, match="must name"):
        builder.build()
    assert not builder.manifest()


def test_readers_go_on_while_a_build_swaps(house: Path) -> None:
    """Who opened the old store goes on reading it; who opens after the swap reads the new one."""
    small(house)
    builder.build()
    old = builder.open_current()
    held = len(old.engine)
    damage(house, '"WACUL"@en', '"WACUL Inc."@en')
    builder.build()
    assert len(old.engine) == held and any("WACUL Inc." in str(q.object) for q in builder.open_current().engine)
    assert not any("WACUL Inc." in str(q.object) for q in old.engine)


def test_the_store_is_closed_before_its_files_are_told(house: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine goes on tidying up the files of a large store for as long as it is open; what it tidied would not be as the build left it."""
    small(house)
    kept, opened = builder._manifest, []

    def looked(fresh: Path, *rest: object) -> None:
        opened.append(ox.Store(str(fresh / "store")))  # only one may be open for writing
        kept(fresh, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(builder, "_manifest", looked)
    builder.build()
    assert len(opened) == 1


def test_what_is_too_large_for_memory_is_built_the_same(house: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On disk from the start, its lines sorted in pieces, the index by another program: the same version, files, statements and hits."""

    def made() -> tuple[object, ...]:
        built = builder.build(again=True)
        place = builder.current().parent
        files = {path.name: path.read_bytes() for path in (place / "dumps").iterdir() if path.suffix in (".nt", ".nq", ".tsv")}
        said = {
            name: sorted(re.sub(rb"_:\w+", b"_:", line) for line in text.split(b"\n") if b"dateTime>" not in line) for name, text in files.items()
        }
        asserted = EmbeddedStore.open(asserted_beside(builder.current()))
        whole = builder.open_current().engine
        assert len(whole) == sum(built.triples.values())
        assert len(asserted.engine) == sum(built.triples[kind] for kind in ("ontology", "shapes", "graphs"))
        assert built.triples["inferred"] and {quad.graph_name.value for quad in whole} >= {graph_iri("inferred"), graph_iri("description/void")}
        hits = search.Index.open(search.beside(builder.current())).find("WACUL")
        assert sorted(each.name for each in place.iterdir()) == ["asserted", "counts.json", "dumps", "manifest.json", "search", "store"]
        return built.version, built.triples, said, sorted(re.sub(r"_:\w+", "_:", str(quad)) for quad in asserted.engine), hits

    small(house)
    wanted = made()
    monkeypatch.setattr(steps, "HELD", 0)
    monkeypatch.setattr(builder, "MUCH", 0)
    monkeypatch.setattr(lines, "PIECE", 20_000)
    assert made() == wanted


def test_check_for_ci_writes_no_store(house: Path) -> None:
    """`build --check` does the steps, demands house form, and loads nothing."""
    small(house)
    assert run("build", "--check", "--quiet").exit_code == 0
    assert not builder.current().exists()
    path = house / PARTY
    path.write_text(path.read_text(encoding="utf-8") + "\n\n", encoding="utf-8")
    result = run("build", "--check", "--quiet")
    assert result.exit_code == 1 and "not in house form" in result.stderr
