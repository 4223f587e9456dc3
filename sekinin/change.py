"""A few changed papers: the store in use is taken over by links and changed where they are, as a build of everything would leave it.

The vocabulary, the papers that changed and those that are tied to them make a small house, which goes through the steps of every build; what it
gives for these papers takes the place of what the store holds for them. Two papers are tied where one names what the other describes. All else
that papers share is named by both and described by neither, or by the vocabulary: no rule, shape, check or count joins two papers there but those
that ``_meets`` and the refusals here look for. What reaches further is told by ``Beyond``, and the whole is built.
``tests/test_change.py`` holds both ways against each other.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pyoxigraph as ox

from sekinin import parts, queries, resources, search, steps, texts
from sekinin.derive import derive
from sekinin.model import Finding
from sekinin.namespaces import graph_iri, ontology_terms, shrink
from sekinin.parts import Part, Source
from sekinin.rules import TYPE, Fact, last_of
from sekinin.steps import INFERRED, Reading
from sekinin.store import holds

MOST: Final = 20
"""Papers that change at once, above which the whole is built."""
TIED: Final = 60
"""Papers that are tied to them, above which the whole is built."""
_DERIVED: Final = graph_iri("derived/")


class Beyond(Exception):
    """A change that reaches further than its papers and those that are tied to them."""


@dataclass
class Change:
    """A small house, and what it is to take the place of.

    Args:
        reading: the vocabulary with the papers that changed and those that are tied to them.
        changed: the names of the papers that changed, came or went.
        before: what each paper gave before; ``after`` what it gives now.
        store: everything as it was.
    """

    reading: Reading
    changed: set[str]
    before: dict[str, Part]
    after: dict[str, Part]
    store: ox.Store
    nodes: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        self.nodes = frozenset().union(*(part.subjects for part in (*self.before.values(), *self.after.values())))

    # ---- what takes its place

    def findings(self, known: Iterable[Finding]) -> list[Finding]:
        """Return what shapes and checks find now, from what they found before.

        Raises:
            Beyond: if something outside these papers is found otherwise than before.
        """
        from sekinin.check import ordered

        found = steps.judge(self.reading)
        rest = [finding for finding in known if finding.where not in self.nodes]
        others = [finding for finding in rest if not parts.is_paper(finding.file.removesuffix(".ttl"))]
        if ordered(finding for finding in found if finding.where not in self.nodes) != ordered(others):
            raise Beyond("a finding about the vocabulary came or went")
        return ordered([*rest, *(finding for finding in found if finding.where in self.nodes)])

    def quads(self) -> tuple[set[ox.Quad], set[ox.Quad]]:
        """Return the quads that go and those that come, outside the description.

        Raises:
            Beyond: if something derived is not about these papers.
        """
        engine = self.reading.engine
        gone, new = set[ox.Quad](), set[ox.Quad]()
        for topic in self.changed:
            graph = ox.NamedNode(graph_iri(topic))
            gone.update(self.store.quads_for_pattern(None, None, None, graph))
            new.update(engine.quads_for_pattern(None, None, None, graph))
        gone.update(self._about(self.store, INFERRED))
        new.update(self._about(engine, INFERRED))
        derived = set(derive(self.reading.held)), {quad for quad in self._about(self.store) if str(quad.graph_name).startswith(f"<{_DERIVED}")}
        for quad in set.union(*derived):
            if quad.subject.value not in self.nodes:  # type: ignore[union-attr]
                raise Beyond(f"{quad.subject} is counted, and no paper of these describes it")
        new |= derived[0]
        gone |= derived[1]
        return gone - new, new - gone

    def entries(self) -> tuple[set[str], list[search.Entry]]:
        """Return the IRIs of what is found otherwise than before, and the entries that take its place: of these papers, and of what names them.

        Raises:
            Beyond: if such an entry speaks of another paper too.
        """
        searched, engines = _searched(), (self.store, self.reading.engine)
        wanted = set(self.nodes)
        for node in map(ox.NamedNode, self.nodes):
            for quad in (quad for engine in engines for quad in engine.quads_for_pattern(None, None, node)):
                if quad.subject.value not in wanted and shrink(quad.predicate.value) in searched:  # type: ignore[union-attr]
                    wanted.add(quad.subject.value)  # type: ignore[union-attr]
        for iri in wanted - self.nodes:
            for quad in self.store.quads_for_pattern(ox.NamedNode(iri), None, None):
                if isinstance(quad.object, ox.NamedNode) and shrink(quad.predicate.value) in searched and not holds(engines[1], quad.object):
                    raise Beyond(f"{iri} is found by what another paper says")
        return wanted, [entry for entry in search.entries(self.reading.held) if entry.iri in wanted]

    def _about(self, engine: ox.Store, graph: ox.NamedNode | None = None) -> Iterator[ox.Quad]:
        for node in map(ox.NamedNode, self.nodes):
            yield from engine.quads_for_pattern(node, None, None, graph)
            yield from engine.quads_for_pattern(None, None, node, graph)


def scope(found: list[Source], known: Mapping[str, str], asserted: ox.Store, store: ox.Store) -> Change:
    """Return the small house of the papers that changed since a build, read and closed.

    Args:
        found: every text as it stands.
        known: the digest of each paper as it was.
        asserted: the store of what was asserted; ``store`` that of everything.
    Raises:
        Beyond: if the change reaches further.
        SekininError: of a paper that cannot be read or contradicts itself.
    """
    now = {source.topic: source for source in found if parts.is_paper(source.topic)}
    changed = {topic for topic in {*known, *now} if topic not in now or known.get(topic) != now[topic].sha256}
    if len(changed) > MOST:
        raise Beyond(f"{len(changed)} papers changed")
    ground, folder = steps.ground_key(found), resources.build_folder() / "steps"
    before: dict[str, Part] = {}
    reading = steps.read([source for source in found if not parts.is_paper(source.topic)])
    reading.some = True
    fixed = set(reading.ground.own.subjects)
    todo, tied = set(changed), set[str]()
    while todo:
        topic = todo.pop()
        tied.add(topic)
        if len(tied) > TIED:
            raise Beyond(f"more than {TIED} papers are tied to what changed")
        quads = list(asserted.quads_for_pattern(None, None, None, ox.NamedNode(graph_iri(topic))))
        if topic in changed and topic in now:
            quads += texts.parse(topic, Path(now[topic].path), now[topic].content, ontology_terms()).quads
        todo |= _ties(quads, asserted, now.keys() | known.keys(), fixed, reading.ground.rules.terms) - tied
        if topic in known:
            content = steps.kept_at(folder / steps.part_name(topic, known[topic], ground))
            if content is None:
                raise Beyond(f"what {topic} gave is not kept")
            before[topic] = Part.found(content)
    reading.sources += [now[topic] for topic in sorted(tied) if topic in now]
    steps.infer(reading)
    change = Change(reading, changed, before, dict(reading.papers), store)
    _refuse(change)
    return change


def _searched() -> str:
    """Return the queries that say what is found by what; they name each property that matters."""
    return "".join(queries.get(name).text for name in search.FOUND)


def _ties(quads: Iterable[ox.Quad], asserted: ox.Store, papers: Iterable[str], fixed: set[str], terms: frozenset[str]) -> set[str]:
    """Return the papers that are tied to one that says ``quads``."""
    described, named = set[ox.NamedNode](), set[ox.NamedNode]()
    for quad in quads:
        if isinstance(quad.subject, ox.BlankNode) or isinstance(quad.object, ox.BlankNode):
            raise Beyond("a paper has a node without a name")
        described.add(quad.subject)  # type: ignore[arg-type]
        if isinstance(quad.object, ox.NamedNode):
            named.add(quad.object)
    if any(node.value in terms for node in described):
        raise Beyond("a paper describes a word of the ontology")
    topics = {f"<{graph_iri(topic)}>": topic for topic in papers}
    found = set[str]()
    for node in described:
        graphs = {str(quad.graph_name) for ends in ((node, None), (None, node)) for quad in asserted.quads_for_pattern(ends[0], None, ends[1])}
        found.update(topics[graph] for graph in graphs if graph in topics)
    for node in named - described:
        if node.value not in fixed:
            found.update(topics[str(quad.graph_name)] for quad in asserted.quads_for_pattern(node, None, None) if str(quad.graph_name) in topics)
    return found


def _refuse(change: Change) -> None:
    """Refuse a change of what stands above classes, or of what these papers make the rules say about nodes that others name too.

    Raises:
        Beyond: for such a change.
    """
    if any(part.hierarchy for part in (*change.before.values(), *change.after.values())):
        raise Beyond("a paper says what stands above a class")
    searched = _searched()
    every = [{line for part in papers.values() for line in part.inferred} for papers in (change.before, change.after)]
    for line in every[0] ^ every[1]:
        s, p, o = line[:-3].split(" ")
        if s[1:-1] not in change.nodes and (o[1:-1] not in change.nodes or shrink(p[1:-1]) in searched):
            raise Beyond("what follows about a node of the vocabulary changes")
    joins = [{fact for part in papers.values() for fact in part.joins} for papers in (change.before, change.after)]
    for fact in joins[0] ^ joins[1]:
        if _meets(change, fact):
            raise Beyond("what follows together with another paper changes")


def _meets(change: Change, fact: Fact) -> bool:
    """Whether a rule may join a fact of these papers with one of another paper, at a node that none of these describes."""
    rules, ground, store = change.reading.ground.rules, change.reading.ground.closed, change.store
    s, p, o = fact

    def others(start: ox.NamedNode | None, on: str, end: ox.NamedNode | None) -> bool:
        for quad in store.quads_for_pattern(start, ox.NamedNode(on), end):
            if isinstance(quad.object, ox.NamedNode):
                a, b = quad.subject.value, quad.object.value  # type: ignore[union-attr]
                if a not in change.nodes and b not in change.nodes and (a, on, b) not in ground:
                    return True
        return False

    if o not in change.nodes and any(others(ox.NamedNode(o), right, None) for right, _ in rules.first.get(p, ())):
        return True
    if s not in change.nodes:
        if (p, o) in rules.part_of or (p == TYPE and o in rules.apart):
            return True
        return any(others(None, last_of(left), ox.NamedNode(s)) for left, _ in rules.second.get(p, ()))
    return False


def linked(before: Path, folder: Path) -> ox.Store:
    """Return the store at ``before``, which nobody writes, taken over into ``folder`` by links and opened for writing; the old one stays as it is."""
    folder.mkdir()
    for path in before.iterdir():
        if path.suffix == ".sst":  # written once
            resources.link(path, folder / path.name)
        elif path.name != "LOCK":
            shutil.copyfile(path, folder / path.name)
    return ox.Store(str(folder))


def apply(engine: ox.Store, gone: Iterable[ox.Quad], new: Iterable[ox.Quad]) -> None:
    """Take quads out of a store and put others in; a graph that has none left goes."""
    graphs = set[ox.NamedNode]()
    for quad in gone:
        engine.remove(quad)
        graphs.add(quad.graph_name)  # type: ignore[arg-type]
    engine.bulk_extend(new)
    for graph in graphs:
        if not holds(engine, graph=graph):
            engine.remove_graph(graph)
