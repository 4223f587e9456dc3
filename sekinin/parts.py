"""One paper after the other: what it says, what follows from it, which of its nodes need a second look; in as many processes as there are.

The vocabulary (all of ``ontology/``, and of ``graphs/`` what is no paper) is closed once and is the ground of every paper.
What follows only from two papers together, and what only both together show, is found by ``Whole``.
"""

from __future__ import annotations

import hashlib
import json
import marshal
import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict, dataclass, field
from functools import cached_property
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final, Protocol

import pyoxigraph as ox
from rdflib import Graph

from sekinin import conform, rules, texts
from sekinin.conform import Value
from sekinin.convert import to_graph
from sekinin.errors import BadData, SekininError, StoreFailure
from sekinin.model import Finding
from sekinin.orphans import end_with_parent
from sekinin.rules import TYPE, Closed, Fact, Rules

FIXED: Final = ("vocabulary", "frameworks", "mappings")
"""Folders of ``graphs/`` that hold no papers; files beside the folders hold none either."""
SMALL: Final = 6_000_000
"""Bytes of Turtle up to which further processes cost more than they save."""
_NOTHING: Final[frozenset[str]] = frozenset()
_SUBCLASS: Final = "http://www.w3.org/2000/01/rdf-schema#subClassOf"


def is_paper(topic: str) -> bool:
    """Whether a text of this name is a paper, and not a part of the vocabulary."""
    folders = topic.split("/")
    return folders[0] == "graphs" and len(folders) > 2 and folders[1] not in FIXED


@dataclass(frozen=True)
class Source:
    """A text before it is read: its name within the house, where it lies, and its bytes."""

    topic: str
    path: str
    content: bytes

    @cached_property
    def sha256(self) -> str:
        """The digest of its bytes, in hexadecimal digits."""
        return hashlib.sha256(self.content).hexdigest()


def digest(found: Iterable[Source], more: str = "") -> str:
    """Return a SHA-256 over the names and contents of ``found``, and ``more``."""
    return digest_of({source.topic: source.sha256 for source in found}, more)


def digest_of(known: Mapping[str, str], more: str = "") -> str:
    """Return what ``digest`` gives for texts of which only names and digests are known."""
    total = hashlib.sha256(more.encode())
    for topic, content in sorted(known.items()):
        total.update(topic.encode() + b"\0" + bytes.fromhex(content))
    return total.hexdigest()


@dataclass(frozen=True)
class Part:
    """What one paper gives.

    Args:
        triples: number of triples that it says.
        inferred: what follows from it and the vocabulary, as lines of N-Triples, sorted.
        repeated: lines of what it says although the vocabulary has it or entails it.
        joins: facts that rules need together with others.
        subjects: IRIs of which it says something.
        unsure: its nodes that do not certainly pass every shape.
        hierarchy: whether it says what stands above a class, so that shapes must be held against the whole.
    """

    triples: int
    inferred: list[str]
    repeated: list[str]
    joins: list[Fact]
    subjects: list[str]
    unsure: list[str]
    hierarchy: bool = False

    def kept(self) -> bytes:
        """Return it as bytes for ``found``."""
        return json.dumps(asdict(self), ensure_ascii=False, separators=(",", ":")).encode("utf-8")

    @classmethod
    def found(cls, content: bytes) -> Part:
        """Return what ``kept`` wrote."""
        said = json.loads(content)
        said["joins"] = [tuple(fact) for fact in said["joins"]]
        return cls(**said)


def line(fact: Fact) -> str:
    """Return a fact as a line of N-Triples."""
    return f"<{fact[0]}> <{fact[1]}> <{fact[2]}> .\n"


@dataclass
class Ground:
    """The vocabulary, closed: what every paper stands on. It can be sent to another process.

    Args:
        ontology: as quads; ``fixed`` the quads of ``graphs/`` that are no papers.
        shapes: as quads.
        terms: local names that the ontology declares.
    """

    ontology: list[ox.Quad]
    fixed: list[ox.Quad]
    shapes: list[ox.Quad]
    terms: frozenset[str]
    rules: Rules = field(init=False)
    closed: Closed = field(init=False)
    own: Part = field(init=False)
    looks: conform.Looks | None = field(init=False)

    def __post_init__(self) -> None:
        self.rules = rules.compiled(to_graph([self.ontology]))
        asserted = set(self._facts(self.fixed))
        self.closed = Closed(self.rules, [*self.rules.facts, *asserted])
        self.looks = self._compiled()
        said = {(q.subject.value, q.predicate.value, q.object.value) for q in self.fixed if not isinstance(q.object, ox.Literal)}  # type: ignore[union-attr]
        inferred = sorted(line(fact) for fact in set(rules.told(self.rules, self.closed.facts)) - said)
        self.own = Part(len(self.fixed), inferred, [], [], [], [])
        self.own = self._looked(self.own, [*self.ontology, *self.fixed])

    def kept(self) -> bytes:
        """Return it as bytes for ``found``: what is quick to read as it is, the rest as it was worked out."""
        lines = [ox.serialize(quads, format=ox.RdfFormat.N_QUADS) for quads in (self.ontology, self.fixed, self.shapes)]
        tables = {name: dict(table) if isinstance(table, dict) else table for name, table in vars(self.rules).items()}
        return marshal.dumps((lines, self.terms, tables, self.closed.facts, self.own.kept()))

    @classmethod
    def found(cls, content: bytes) -> Ground:
        """Return what ``kept`` wrote."""
        made = cls.__new__(cls)
        made.__setstate__({"kept": content})
        return made

    def __getstate__(self) -> dict[str, bytes]:
        return {"kept": self.kept()}

    def __setstate__(self, state: dict[str, bytes]) -> None:
        lines, self.terms, tables, facts, own = marshal.loads(state["kept"])
        self.ontology, self.fixed, self.shapes = (list(ox.parse(content, ox.RdfFormat.N_QUADS)) for content in lines)
        known: dict[str, Any] = {name: defaultdict(set, table) if isinstance(table, dict) else table for name, table in tables.items()}
        self.rules = Rules(**known)
        self.closed = Closed(self.rules, ())
        self.closed.keep(facts)
        self.own = Part.found(own)
        self.looks = self._compiled()

    def _compiled(self) -> conform.Looks | None:
        try:
            return conform.compiled(to_graph([self.shapes]))
        except BadData:
            return None

    def _facts(self, quads: Iterable[ox.Quad]) -> Iterator[Fact]:
        """Yield what an axiom can reach, as ``infer.relevant`` does."""
        named = self.rules.named
        for quad in quads:
            if not isinstance(quad.object, ox.Literal):
                p, o = quad.predicate.value, _text(quad.object)
                if (o if p == TYPE else p) in named:
                    yield _text(quad.subject), p, o

    @cached_property
    def kinds(self) -> dict[str, frozenset[str]]:
        """The classes of each node of the vocabulary, those above them included."""
        told: dict[str, set[str]] = {}
        for s, p, o in self.closed.facts:
            if p == TYPE:
                told.setdefault(s, set()).add(o)
        for quad in (*self.ontology, *self.fixed):
            if quad.predicate.value == TYPE:
                told.setdefault(_text(quad.subject), set()).add(_text(quad.object))
        return {node: self.all_above(classes) for node, classes in told.items()}

    def all_above(self, classes: Iterable[str]) -> frozenset[str]:
        """Return ``classes`` and those above them."""
        return frozenset(classes).union(*(self.rules.above.get(c, ()) for c in classes))

    def work(self, source: Source) -> Part:
        """Read one paper, say what follows from it, and look at its nodes.

        Raises:
            BadData: for a text that cannot be read; Unreasonable for a contradiction.
        """
        text = texts.parse(source.topic, Path(source.path), source.content, self.terms)
        asserted = set(self._facts(text.quads))
        closed = Closed(self.rules, asserted, self.closed)
        said = {(_text(q.subject), q.predicate.value, _text(q.object)) for q in text.quads if not isinstance(q.object, ox.Literal)}
        inferred = sorted(line(fact) for fact in set(rules.told(self.rules, closed.facts)) - said)
        repeated = sorted(line(fact) for fact in asserted if fact in self.closed.facts)
        joins = sorted(fact for fact in closed.facts if self.rules.joins(fact))
        return self._looked(Part(len(text.quads), inferred, repeated, joins, [], []), text.quads, closed)

    def _looked(self, part: Part, quads: Sequence[ox.Quad], closed: Closed | None = None) -> Part:
        nodes: dict[str, dict[str, list[Value]]] = {}
        types: dict[str, set[str]] = {}
        hierarchy = False
        for quad in quads:
            s, p, value = _text(quad.subject), quad.predicate.value, _value(quad.object)
            nodes.setdefault(s, {}).setdefault(p, []).append(value)
            if p == TYPE and isinstance(value, str):
                types.setdefault(s, set()).add(value)
            hierarchy = hierarchy or p == _SUBCLASS
        for s, p, o in (closed or self.closed).facts:
            if p == TYPE:
                types.setdefault(s, set()).add(o)
            elif s in nodes and o not in (values := nodes[s].setdefault(p, [])):
                values.append(o)
        unsure: list[str] = []
        if self.looks:
            below = self.kinds if closed else {}
            known: dict[str, frozenset[str]] = {}

            def kinds(node: str) -> frozenset[str]:
                if node not in known:
                    mine = types.get(node)
                    known[node] = (self.all_above(mine) if mine else _NOTHING) | below.get(node, _NOTHING)
                return known[node]

            unsure = conform.suspects(self.looks, nodes.items(), kinds)
        return Part(part.triples, part.inferred, part.repeated, part.joins, sorted(nodes), unsure, hierarchy and closed is not None)


def _text(term: object) -> str:
    return f"_:{term.value}" if isinstance(term, ox.BlankNode) else term.value  # type: ignore[attr-defined]


def _value(term: object) -> Value:
    if isinstance(term, ox.Literal):
        return term.value, term.datatype.value, term.language or ""
    return _text(term)


class Crew(Protocol):
    """Who does the work: this process, a pool of processes, or machines elsewhere."""

    def __call__(self, ground: Ground, sources: Sequence[Source], done: Callable[[Source, Part | SekininError], None]) -> None:
        """Work on ``sources`` upon ``ground`` in any order, and tell each result or error as it comes."""
        ...


def alone(ground: Ground, sources: Sequence[Source], done: Callable[[Source, Part | SekininError], None]) -> None:
    """Work in this process."""
    for source in sources:
        done(source, attempt(ground, source))


def attempt(ground: Ground, source: Source) -> Part | SekininError:
    """Return what a paper gives, or why it gives nothing; one bad paper never stops the rest."""
    try:
        return ground.work(source)
    except SekininError as why:
        return why


_GROUND: Ground | None = None


def _begin(ground: Ground) -> None:
    global _GROUND
    end_with_parent()
    _GROUND = ground


def _several(sources: list[Source]) -> list[Part | SekininError]:
    assert _GROUND
    return [attempt(_GROUND, source) for source in sources]


def local(workers: int = 0) -> Crew:
    """Return a crew of processes on this machine; a small work is done in this one.

    Args:
        workers: number of processes; 0 for one for each core.
    """

    def crew(ground: Ground, sources: Sequence[Source], done: Callable[[Source, Part | SekininError], None]) -> None:
        number = workers or len(os.sched_getaffinity(0))
        if number < 2 or (not workers and sum(len(source.content) for source in sources) < SMALL):
            return alone(ground, sources, done)
        rest = list(sources)
        for _ in range(3):  # a process that dies (killed, out of memory) takes its pool with it
            rest = _pooled(ground, rest, done, number)
            if not rest:
                return None
        raise StoreFailure("build", "processes that read papers died three times", "see that there is memory for them, or build with fewer workers")

    return crew


def _pooled(ground: Ground, sources: list[Source], done: Callable[[Source, Part | SekininError], None], workers: int) -> list[Source]:
    """Return what was not done because a process died."""
    groups = [sources[at : at + 8] for at in range(0, len(sources), 8)]
    left: list[Source] = []
    with ProcessPoolExecutor(workers, get_context("fork"), _begin, (ground,)) as pool:
        waiting = {pool.submit(_several, group): group for group in groups}
        for each in as_completed(waiting):
            try:
                results = each.result()
            except BrokenProcessPool:
                left += waiting[each]
                continue
            for source, result in zip(waiting[each], results, strict=True):
                done(source, result)
    return left


def across(ground: Ground, papers: dict[str, Part]) -> list[Fact]:
    """Return what follows only from two papers together, such as who depends on whom.

    A rule joins two facts at a node. Facts of one paper were joined when it was read, so a node counts only if one paper
    says something of it and another names it; all facts of the papers that do are then joined there.
    """
    new: set[Fact] = set()
    while True:
        owner: dict[str, str] = {}
        shared: set[str] = set()
        every = [*((name, part.joins) for name, part in papers.items()), ("", [fact for fact in new if ground.rules.joins(fact)])]
        for name, joins in every:
            for s in {fact[0] for fact in joins}:
                if owner.setdefault(s, name) != name:
                    shared.add(s)
        for name, joins in every:
            shared.update(o for o in {fact[2] for fact in joins} if owner.get(o, name) != name)
        shared = {node for node in shared if not node.startswith("_:")}
        mine = [joins for _, joins in every if any(s in shared or o in shared for s, _, o in joins)]
        held = Closed(ground.rules, (), ground.closed)
        for joins in mine:
            held.keep(joins)
        more = held.from_joins(fact for joins in mine for fact in joins if fact[0] in shared or fact[2] in shared) - new
        if not more:
            return sorted(new)
        new |= more


def shared(ground: Ground, papers: dict[str, Part]) -> set[str]:
    """Return the subjects of which two papers, or a paper and the vocabulary, say something."""
    seen, several = set(ground.own.subjects), set[str]()
    for part in papers.values():
        several.update(s for s in part.subjects if s in seen)
        seen.update(part.subjects)
    return several


class Whole:
    """All papers together over a store that holds them and what follows: what no paper shows alone.

    Args:
        engine: holds the texts, each in its graph, and the inferred graph.
        added: facts that only several papers together entail.
    """

    def __init__(self, ground: Ground, papers: dict[str, Part], engine: ox.Store, added: Iterable[Fact]) -> None:
        self.ground = ground
        self.papers = papers
        self.engine = engine
        self.added = {s for s, _, _ in added}

    def suspects(self) -> list[str] | None:
        """Return the nodes that do not certainly pass every shape, or None if pySHACL must look at all."""
        looks = self.ground.looks
        if looks is None or any(part.hierarchy for part in self.papers.values()):
            return None
        again = {*self.ground.own.unsure, *shared(self.ground, self.papers), *self.added}
        for part in self.papers.values():
            again.update(part.unsure)
        found = conform.suspects(looks, ((node, self._description(node)) for node in sorted(again)), self._kinds)
        return None if any(node.startswith("_:") for node in found) else found

    def _description(self, node: str) -> dict[str, list[Value]]:
        said: dict[str, list[Value]] = {}
        for quad in self.engine.quads_for_pattern(_node(node), None, None):
            values, value = said.setdefault(quad.predicate.value, []), _value(quad.object)
            if value not in values:
                values.append(value)
        return said

    def _kinds(self, node: str) -> frozenset[str]:
        return self.ground.all_above([_text(q.object) for q in self.engine.quads_for_pattern(_node(node), ox.NamedNode(TYPE), None)])

    def excerpt(self, suspects: Iterable[str]) -> Graph:
        """Return what shapes can see from ``suspects``: what is said of them, and the classes of what they name."""
        quads: set[ox.Triple] = set()
        a = ox.NamedNode(TYPE)
        for node in suspects:
            for quad in self.engine.quads_for_pattern(_node(node), None, None):
                quads.add(quad.triple)
                if not isinstance(quad.object, ox.Literal | ox.Triple):
                    quads.update(q.triple for q in self.engine.quads_for_pattern(quad.object, a, None))
        quads.update(quad.triple for quad in self.ground.ontology if quad.predicate.value == _SUBCLASS)
        return to_graph([quads])


def _node(name: str) -> ox.NamedNode | ox.BlankNode:
    return ox.BlankNode(name[2:]) if name.startswith("_:") else ox.NamedNode(name)


def files(findings: Iterable[Finding], engine: ox.Store, order: dict[str, str]) -> dict[str, str]:
    """Return for the nodes of ``findings`` the file that describes each: the first in which it has a type, else that names it.

    Args:
        order: for the graph of each text the name of its file, in the order in which they are read.
    """
    rank = {graph: number for number, graph in enumerate(order)}
    found = {}
    for where in {finding.where for finding in findings}:
        try:
            node = ox.NamedNode(where)
        except ValueError:
            continue
        typed = engine.quads_for_pattern(node, ox.NamedNode(TYPE), None)
        either = (*engine.quads_for_pattern(node, None, None), *engine.quads_for_pattern(None, None, node))
        for quads in (typed, either):
            graphs = {quad.graph_name.value for quad in quads if isinstance(quad.graph_name, ox.NamedNode)} & rank.keys()
            if graphs:
                found[where] = order[min(graphs, key=rank.__getitem__)]
                break
    return found
