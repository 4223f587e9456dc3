"""A changed paper: the store in use, changed where the paper is, is what a build of everything gives."""

from __future__ import annotations

import json
import random
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pyoxigraph as ox
import pytest
from click.testing import CliRunner
from conftest import HOUSE
from test_killed import killed

from sekinin import build as builder
from sekinin import change, count, dumps, search, steps
from sekinin.cli import main
from sekinin.namespaces import PREFIXES
from sekinin.store import EmbeddedStore, asserted_beside

sys.path.insert(0, str(HOUSE / "benchmarks"))
import generate

PAPER = "graphs/{0}/paper-1.0.ttl"
TIME = re.compile(r'"[^"]*"\^\^<[^>]*dateTime>|_:\w+')


def plain(quads: object) -> list[str]:
    """Return quads as text without times and names of blank nodes."""
    return sorted(TIME.sub("", str(quad)) for quad in quads)  # type: ignore[attr-defined]


def told() -> dict[str, object]:
    """Return everything that the store in use says, but when it was made."""
    place, known = builder.current().parent, builder.manifest()
    index = search.Index.open(search.beside(builder.current()))
    files = {dump.name: dump for dump in dumps.dumped(place / "dumps")}
    assert files.keys() == {path.name for path in (place / "dumps").iterdir()} - {dumps.INDEX}
    return {
        **{name: known[name] for name in ("version", "triples", "findings", "basis", "papers")},
        "counts": json.loads((place / builder.COUNTS).read_bytes()),
        "store": plain(builder.open_current().engine),
        "graphs": sorted(map(str, builder.open_current().engine.named_graphs())),
        "asserted": plain(EmbeddedStore.open(asserted_beside(builder.current())).engine),
        "lines": {name: plain((place / "dumps" / name).read_text(encoding="utf-8").splitlines()) for name in ("sekinin.nq", "sekinin.nt")},
        "data": {name: dump.data for name, dump in files.items()},
        "turtle": {name: plain((place / "dumps" / name).read_text(encoding="utf-8").splitlines()) for name in files if name.startswith("g0")},
        "entries": sorted(index.kinds("g").items()),
        "hits": sorted(hit.iri for word in ("paper", "クラウド", "g00002") for hit in index.find(word, 400)[1]),
        "files": sorted(path.name for path in place.iterdir()),
    }


class House:
    """A house of generated papers that is built in two ways: again and again where it changed, and afresh."""

    def __init__(self, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.place = place
        self._set = monkeypatch.setenv
        self.messages: list[str] = []

    def build(self, folder: str = "build") -> builder.Built:
        self.messages.clear()
        self._set("SEKININ_BUILD", str(self.place.parent / folder))
        return builder.build(self.messages.append)

    @property
    def beyond(self) -> list[str]:
        """Why all was built, if it was."""
        return [message for message in self.messages if message.startswith("all is built")]

    def same(self) -> None:
        """Hold what is in use against a build of everything."""
        found = told()
        shutil.rmtree(self.place.parent / "afresh", ignore_errors=True)
        self.build("afresh")
        wanted = told()
        self._set("SEKININ_BUILD", str(self.place.parent / "build"))
        assert {name for name in wanted if wanted[name] != found[name]} == set()

    def edit(self, name: str, old: str, new: str) -> None:
        path = self.place / PAPER.format(name)
        text = path.read_text(encoding="utf-8")
        assert re.search(old, text), old
        path.write_text(re.sub(old, new, text, count=1), encoding="utf-8")

    def quads(self, name: str) -> list[ox.Triple]:
        path = self.place / PAPER.format(name)
        return [quad.triple for quad in ox.parse(path=str(path), base_iri=PREFIXES["id"])]

    def write(self, name: str, triples: list[ox.Triple]) -> None:
        (self.place / PAPER.format(name)).write_bytes(ox.serialize(triples, format=ox.RdfFormat.N_TRIPLES) or b"")


@pytest.fixture
def many(house: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    """Sixteen small papers, built once."""
    for name in generate.KEYS:
        shutil.rmtree(house / "graphs" / name)
    for number in range(16):
        generate.write(house, number, 16, 3, 0.02, None)
    made = House(house, monkeypatch)
    assert made.build().store
    yield made


@pytest.mark.whole
def test_a_name_a_figure_and_a_statement(many: House) -> None:
    """Edits of every day, one upon the other; nothing else is read again."""
    many.edit("g00003", '"@en', ' or so"@en')
    many.build()
    assert not many.beyond
    triples = many.quads("g00005")
    gone = next(t.subject for t in triples if "#ControlStatement" in str(t.object))
    many.write("g00005", [t for t in triples if gone not in (t.subject, t.object)])
    assert many.build().store and not many.beyond and "read …" not in many.messages
    many.same()


@pytest.mark.whole
def test_a_paper_comes_and_another_goes(many: House) -> None:
    shutil.rmtree(many.place / "graphs" / "g00004")
    many.build()
    many.same()
    generate.write(many.place, 20, 16, 3, 0.03, None)
    many.build()
    many.same()


@pytest.mark.whole
@pytest.mark.parametrize("seed", range(2))
def test_edits_at_random(many: House, seed: int) -> None:
    """Lines out, lines of others in, names given to others, papers gone: after each the same, or the same findings; most need no whole build."""
    chance, whole = random.Random(seed), 0
    for _ in range(4):
        names = sorted(path.name for path in (many.place / "graphs").glob("g0*"))
        kept = {name: (many.place / PAPER.format(name)).read_bytes() for name in names}
        for name in chance.sample(names, chance.choice((1, 1, 2))):
            triples, others = many.quads(name), many.quads(chance.choice(names))
            for _ in range(chance.choice((1, 3, 8))):
                at, kind = chance.randrange(len(triples)), chance.random()
                one, other = triples[at], chance.choice(others)
                if kind < 0.3:
                    del triples[at]
                elif kind < 0.5 and isinstance(one.object, ox.Literal) and one.object.language:
                    triples[at] = ox.Triple(one.subject, one.predicate, ox.Literal(one.object.value + "〇", language=one.object.language))
                elif kind < 0.7:
                    triples[at] = ox.Triple(one.subject, one.predicate, other.object)
                elif kind < 0.85:
                    triples.append(other)
                else:
                    triples.append(ox.Triple(one.subject, other.predicate, other.object))
            many.write(name, triples)
        built = many.build()
        whole += bool(many.beyond)
        many.build("afresh")
        wanted = builder.build(dry=True).findings
        assert built.findings == wanted
        if built.violations:  # most damage is one: the old store stays, and the next edit begins from there
            for name, content in kept.items():
                (many.place / PAPER.format(name)).write_bytes(content)
            many.build()
        many.same()
    assert whole < 3


def to_the_vocabulary(many: House) -> None:
    path = many.place / "graphs" / "parties.ttl"
    path.write_text(path.read_text(encoding="utf-8").replace('"AWS"@en', '"A W S"@en'), encoding="utf-8")


def to_more_than_a_few(many: House) -> None:
    for number in range(16):
        many.edit(generate.name_of(number), '"@en', ' etc."@en')


def to_a_class(many: House) -> None:
    triples = many.quads("g00001")
    sub = ox.NamedNode("http://www.w3.org/2000/01/rdf-schema#subClassOf")
    many.write("g00001", [*triples, ox.Triple(triples[0].subject, sub, ox.NamedNode(PREFIXES["sk"] + "Statement"))])


def to_a_node_without_a_name(many: House) -> None:
    triples = many.quads("g00001")
    many.write("g00001", [*triples, ox.Triple(triples[0].subject, ox.NamedNode(PREFIXES["dcterms"] + "hasPart"), ox.BlankNode("x"))])


@pytest.mark.whole
@pytest.mark.parametrize("reach", [to_the_vocabulary, to_more_than_a_few, to_a_class, to_a_node_without_a_name])
def test_what_reaches_further_builds_the_whole(many: House, reach: Callable[[House], None], monkeypatch: pytest.MonkeyPatch) -> None:
    """The vocabulary, many papers, a class, a blank node: all is built, with the same result."""
    monkeypatch.setattr(change, "MOST", 10)
    reach(many)
    built = many.build()
    assert many.beyond or reach is to_the_vocabulary
    if built.store:
        many.same()
    assert "read …" in many.messages or built.violations


@pytest.mark.whole
def test_a_violation_and_a_paper_that_cannot_be_read(many: House) -> None:
    """Each is told as a build of everything tells it; the old store stays."""
    before = builder.manifest()["version"]
    many.edit("g00002", "dcat:isVersionOf ", "dcat:isVersionOf id:doc-nobody , ")
    result = CliRunner().invoke(main, ["build", "--quiet"])
    assert result.exit_code == 1 and "Violation: graphs/g00002/paper-1.0.ttl" in result.stderr
    assert builder.manifest()["version"] == before
    many.edit("g00002", "dcat:isVersionOf ", "dcat:isVersionOf [ ")
    result = CliRunner().invoke(main, ["build", "--quiet"])
    assert result.exit_code == 3 and "g00002/paper-1.0.ttl" in result.stderr and "Traceback" not in result.stderr
    assert builder.manifest()["version"] == before and list(builder.open_current().engine.named_graphs())


@pytest.mark.whole
@pytest.mark.parametrize("call", ["linked", "apply"])
def test_a_full_disk_is_told(many: House, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    """The old store answers, nothing is left over, and the next build completes."""
    before, kept = builder.manifest()["version"], getattr(change, call)
    many.edit("g00002", '"@en', ' or so"@en')

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(change, call, full)
    result = CliRunner().invoke(main, ["build", "--quiet"])
    assert result.exit_code == 7 and "make room" in result.stderr, result.stderr
    assert builder.manifest()["version"] == before and list(builder.open_current().engine.named_graphs())
    assert not list((many.place.parent / "build").glob("new-*"))
    monkeypatch.setattr(change, call, kept)
    assert many.build().store and not many.beyond and builder.manifest()["version"] != before


@pytest.mark.whole
def test_a_change_that_is_killed(many: House) -> None:
    """Killed as each step begins: the old store answers, nothing is mixed, and the next build makes the same as one of everything."""
    before = builder.manifest()["version"]
    many.edit("g00002", '"@en', ' or so"@en')
    for step in ("infer", "check", "store", "search", "describe"):
        killed(step, 0)
        assert builder.manifest()["version"] == before and list(builder.open_current().engine.named_graphs()), step
    assert many.build().store and not many.beyond
    many.same()


@pytest.mark.whole
def test_a_store_that_was_read_stays_as_it_was(many: House) -> None:
    """Who opened the store before the change goes on reading it; its files are the same."""
    old, place = builder.open_current(), builder.current().resolve()
    files, quads = builder._files(place), plain(old.engine)
    many.edit("g00002", '"@en', ' or so"@en')
    many.build()
    assert builder.current().resolve() != place
    assert builder._files(place) == files and plain(old.engine) == quads


@pytest.mark.whole
def test_figures_that_were_not_kept(many: House) -> None:
    """What a change needs of the last build and does not find makes it a build of everything."""
    (builder.current().parent / builder.COUNTS).unlink()
    many.edit("g00002", '"@en', ' or so"@en')
    assert many.build().store and many.beyond
    many.same()


def test_counts_are_kept_as_they_are(many: House) -> None:
    """What is written is read again; what is counted again is what was kept."""
    kept = (builder.current().parent / builder.COUNTS).read_bytes()
    again = count.Counts.found(kept)
    assert again.kept() == kept and count.count(builder.open_current()).kept() == kept


def test_other_files_of_lines_are_refused(tmp_path: Path) -> None:
    """A line that should stand there and does not, or stands there and should not, is never passed over."""
    from sekinin.lines import spliced

    path = tmp_path / "lines"
    path.write_bytes(b"a\nb\nd\ntail\n")
    assert b"".join(spliced(path, 6, [b"b\n"], [b"c\n"])) == b"a\nc\nd\n"
    assert b"".join(spliced(path, 6, [b"a\n", b"d\n"], [b"Z\n", b"z\n"])) == b"Z\nb\nz\n"
    for gone, new in (([b"c\n"], []), ([], [b"b\n"]), ([b"tail\n"], [])):
        with pytest.raises(ValueError, match="not what it should be"):
            b"".join(spliced(path, 6, gone, new))


@pytest.mark.whole
def test_a_small_house_needs_no_other(many: House) -> None:
    """Steps of the others are kept: a build of everything after a change reads no paper again."""
    many.edit("g00002", '"@en', ' or so"@en')
    many.build()
    reading = steps.infer(steps.read(steps.sources()))
    assert not reading.done
