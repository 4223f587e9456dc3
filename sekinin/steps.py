"""The steps of a build up to what is loaded: read, infer, check; of each, only what changed is done again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Final

import pyoxigraph as ox
from rdflib import Graph

from sekinin import parts, resources, rules, search, texts
from sekinin.convert import to_graph
from sekinin.errors import SekininError
from sekinin.export import write_whole
from sekinin.model import Finding
from sekinin.namespaces import PREFIXES, graph_iri, ontology_terms
from sekinin.store import MEMORY, EmbeddedStore, asserted_beside, holds

Progress = Callable[[str], None]
"""Is told each step, and at its end how long it took."""
HELD: Final = 150_000_000
"""Bytes of texts that are held in memory while they are worked on, which is faster; more lie on disk."""
TOGETHER: Final = 100
"""Texts that are put into one form together."""
TEXTS: Final = "texts.nq"
INFERRED = ox.NamedNode(graph_iri("inferred"))


def kept_at(path: Path) -> bytes | None:
    """Return what a step left behind, or None if it is not there or not whole: its last line is the digest of the rest."""
    try:
        content, _, digest = path.read_bytes().rpartition(b"\n# sha256 ")
    except OSError:
        return None
    return content if digest.strip().decode("ascii", "replace") == hashlib.sha256(content).hexdigest() else None


def keep_at(path: Path, content: bytes) -> None:
    """Leave behind what a step gave."""
    write_whole(path, content + b"\n# sha256 " + hashlib.sha256(content).hexdigest().encode() + b"\n")


def _sweep(folder: Path, pattern: str, wanted: set[str]) -> None:
    """Take away what an older build left of a step."""
    for old in folder.glob(pattern):
        if old.name not in wanted:
            old.unlink(missing_ok=True)


def texts_store() -> EmbeddedStore:
    """Return the texts as they stand now, asserted only, in memory."""
    return EmbeddedStore.of(quad for text in texts.read_all() for quad in text.quads)


@dataclass
class Reading:
    """What the texts say and what follows from them.

    Args:
        ground: the vocabulary, closed.
        papers: what each paper gives, by its name within the house.
        sources: every Turtle file, in the order of ``texts.KINDS`` and of their names.
        inferred: what follows, as sorted lines of N-Triples.
        added: what follows only from several papers together.
        done: whether anything had to be computed.
        room: folder for a store that is too large for memory, and for the texts as lines; without one nothing is written.
        large: whether the store was too large, and lies there.
        some: whether it holds only some papers of the house, so that what was kept of the others stays.
    """

    ground: parts.Ground
    papers: dict[str, parts.Part]
    sources: list[parts.Source]
    inferred: bytes = b""
    added: list[rules.Fact] = field(default_factory=list)
    done: bool = False
    room: Path | None = None
    large: bool = False
    some: bool = False

    @cached_property
    def engine(self) -> ox.Store:
        """A store that holds the texts, each in its graph; ``infer`` adds what follows."""
        if self.room is None:
            return _held(self.sources)
        if sum(len(source.content) for source in self.sources) < HELD:
            engine = _held(self.sources)
            engine.dump(str(self.room / TEXTS), ox.RdfFormat.N_QUADS)
            return engine
        with (self.room / TEXTS).open("wb") as lines:
            for at in range(0, len(self.sources), TOGETHER):
                _held(self.sources[at : at + TOGETHER]).dump(lines, ox.RdfFormat.N_QUADS)
        self.large = True
        engine = bulk(self.room / "store", self.room / TEXTS)
        engine.flush()
        engine.backup(str(asserted_beside(self.room / "store")))  # links to the same files, which stay as they are
        return engine

    @property
    def held(self) -> EmbeddedStore:
        """The store, to be asked."""
        engine = self.engine
        return EmbeddedStore(engine, str(self.room) if self.large else MEMORY)

    @property
    def triples(self) -> dict[str, int]:
        """Number of triples by kind of text, and of those that follow."""
        ground = self.ground
        said = ground.own.triples + sum(part.triples for part in self.papers.values())
        return {"ontology": len(ground.ontology), "shapes": len(ground.shapes), "graphs": said, "inferred": self.inferred.count(b"\n")}


def _held(found: Iterable[parts.Source]) -> ox.Store:
    """Return a store in memory that holds texts, each in its graph."""
    engine = ox.Store()
    for source in found:
        engine.bulk_load(source.content, ox.RdfFormat.TURTLE, base_iri=PREFIXES["id"], to_graph=ox.NamedNode(graph_iri(source.topic)))
    return engine


def sources() -> list[parts.Source]:
    """Return every Turtle file of the house as it stands."""
    return _sources(path for kind in texts.KINDS for path in resources.texts(kind))


def questions() -> list[parts.Source]:
    """Return every saved question and check as it stands."""
    return _sources(resources.question_files())


def _sources(paths: Iterable[Path]) -> list[parts.Source]:
    house = resources.home()
    return [parts.Source(resources.topic(path, house), str(path), path.read_bytes()) for path in paths]


def read(found: list[parts.Source], room: Path | None = None) -> Reading:
    """Read the vocabulary and close it; papers are read by ``infer``.

    Args:
        room: as of ``Reading``.
    """
    folder = resources.build_folder() / "steps"
    kept = folder / f"ground-{ground_key(found)[:24]}.bin"
    content = kept_at(kept)
    if content is not None:
        return Reading(parts.Ground.found(content), {}, found, room=room)
    fixed = [texts.parse(s.topic, Path(s.path), s.content, ontology_terms()) for s in found if not parts.is_paper(s.topic)]
    ontology, graphs, shapes = ([quad for text in fixed if text.kind == kind for quad in text.quads] for kind in ("ontology", "graphs", "shapes"))
    reading = Reading(parts.Ground(ontology, graphs, shapes, ontology_terms()), {}, found, room=room)
    keep_at(kept, reading.ground.kept())
    _sweep(folder, "ground-*.bin", {kept.name})
    return reading


def ground_key(found: Iterable[parts.Source]) -> str:
    """Return the digest of what every paper stands on, and of the program."""
    return key_of("part", parts.digest(source for source in found if not parts.is_paper(source.topic)))


def part_name(topic: str, sha256: str, ground: str) -> str:
    """Return the name of the file that keeps what a paper gives upon the ground of a key."""
    return f"part-{parts.digest_of({topic: sha256}, ground)[:24]}.json"


def infer(reading: Reading, again: bool = False, crew: parts.Crew | None = None, progress: Progress = lambda _: None) -> Reading:
    """Read the papers that changed and say what follows from all.

    Args:
        crew: who reads; processes of this machine if None.
    Raises:
        SekininError: of the first paper that cannot be read or contradicts itself; the others are kept all the same.
    """
    papers = [source for source in reading.sources if parts.is_paper(source.topic)]
    ground = ground_key(reading.sources)
    folder = resources.build_folder() / "steps"
    names = {s.topic: part_name(s.topic, s.sha256, ground) for s in papers}
    todo: list[parts.Source] = []
    for source in papers:
        content = None if again else kept_at(folder / names[source.topic])
        if content is None:
            todo.append(source)
        else:
            reading.papers[source.topic] = parts.Part.found(content)
    bad: dict[str, SekininError] = {}

    def done(source: parts.Source, result: parts.Part | SekininError) -> None:
        if isinstance(result, SekininError):
            bad[source.topic] = result
        else:
            reading.papers[source.topic] = result
            keep_at(folder / names[source.topic], result.kept())
        finished = len(reading.papers) + len(bad)
        if len(papers) > 50 and finished % 50 == 0:
            progress(f"infer: {finished:,} of {len(papers):,} papers")

    if todo:
        (crew or parts.local())(reading.ground, todo, done)
    for topic in sorted(bad):
        raise bad[topic]
    reading.papers = dict(sorted(reading.papers.items()))
    if not reading.some:
        _sweep(folder, "part-*.json", set(names.values()))
    closed = folder / f"closed-{ground[:24]}.txt"
    reading.done = bool(todo) or again or kept_at(closed) is None
    keep_at(closed, b"the vocabulary of this digest was closed")
    _sweep(folder, "closed-*.txt", {closed.name})
    _together(reading)
    return reading


def _together(reading: Reading) -> None:
    """Put together what follows from each paper, and what follows only from several; nothing that is asserted stands in it."""
    ground, papers = reading.ground, reading.papers
    lines = set(ground.own.inferred).union(*(part.inferred for part in papers.values()))
    lines.difference_update(*(part.repeated for part in papers.values()))
    added = {parts.line(fact): fact for fact in rules.told(ground.rules, parts.across(ground, papers))}
    asserted = {line for line, fact in added.items() if line not in lines and holds(reading.engine, *map(ox.NamedNode, fact))}
    reading.added = [fact for line, fact in added.items() if line not in lines and line not in asserted]
    several = parts.shared(ground, papers)
    for line in [line for line in lines if line[1 : line.index(">")] in several]:
        s, p, o = (word[1:-1] for word in line[:-3].split(" "))
        if holds(reading.engine, *map(ox.NamedNode, (s, p, o))):
            lines.remove(line)
    reading.inferred = "".join(sorted(lines.union(added) - asserted)).encode("utf-8")
    del lines
    reading.engine.bulk_load(reading.inferred, ox.RdfFormat.N_TRIPLES, to_graph=INFERRED)


def check(reading: Reading, again: bool = False) -> tuple[list[Finding], bool]:
    """Return what shapes and checks find in ``reading``, and whether they had to be run."""
    name = key_of("check", parts.digest([*reading.sources, *questions()]))
    kept = resources.build_folder() / "steps" / f"findings-{name}.json"
    content = None if again else kept_at(kept)
    done = content is None
    if content is None:
        found = judge(reading)
        content = json.dumps([asdict(finding) for finding in found], ensure_ascii=False, indent=1).encode("utf-8")
        keep_at(kept, content)
        _sweep(kept.parent, "findings-*.json", {kept.name})
    return [Finding(**item) for item in json.loads(content)], done


def judge(reading: Reading) -> list[Finding]:
    """Return what shapes and checks find in ``reading``."""
    from sekinin import check as checker

    found = checker.shapes(*_to_judge(reading))
    found += checker.checks(reading.held)
    order = {graph_iri(s.topic): s.topic + ".ttl" for s in reading.sources if not s.topic.startswith("shapes/")}
    where = parts.files(found, reading.engine, order)
    return checker.ordered(replace(finding, file=where.get(finding.where, "")) for finding in found)


def _to_judge(reading: Reading) -> tuple[Graph, Graph, Iterable[str] | None]:
    """Return what pySHACL must look at: data, shapes, and the nodes that are in doubt, or None for all."""
    whole = parts.Whole(reading.ground, reading.papers, reading.engine, reading.added)
    doubtful, shapes = whole.suspects(), to_graph([reading.ground.shapes])
    if doubtful is not None:
        return whole.excerpt(doubtful), shapes, doubtful
    not_data = {ox.NamedNode(graph_iri(source.topic)) for source in reading.sources if source.topic.startswith("shapes/")}
    return to_graph([[quad for quad in reading.engine if quad.graph_name not in not_data]]), shapes, None


def key_of(step: str, content: str) -> str:
    """Return the digest of a step's input and of the modules that do it."""
    code = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        code.update(path.read_bytes())
    return hashlib.sha256(f"{step} {content} {code.hexdigest()} {ox.__version__} {search.ENGINE}".encode()).hexdigest()[:24]


def bulk(folder: Path, lines: Path) -> ox.Store:
    """Return a store on disk that holds the quads of a file of lines."""
    engine = ox.Store(str(folder))
    engine.bulk_load(path=str(lines), format=ox.RdfFormat.N_QUADS)
    return engine
