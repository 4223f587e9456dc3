"""What a dataset holds: triples, subjects and objects by class and property, as VoID asks; counted once, and from then on by what changed."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import pyoxigraph as ox

from sekinin.lines import ABOUT_ITSELF, Lines
from sekinin.namespaces import BASE, PREFIXES, graph_iri, made
from sekinin.store import EmbeddedStore

_VOCABULARY: Final = tuple(graph_iri(topic) for topic in ("ontology/", "shapes/"))
"""Graphs that say what words mean, not what the papers say."""
_TYPE: Final = f"{PREFIXES['rdf']}type"
_PUBLISHER: Final = f"{PREFIXES['dcterms']}publisher"


@dataclass
class Counts:
    """What the store holds outside its description.

    Args:
        graphs: triples of each named graph.
        triples: distinct triples of all graphs.
        entities: distinct subjects under our base.
        subjects: distinct subjects, and of each property in ``property_subjects``; likewise objects.
        instances: distinct subjects of each class.
        of_class: triples by class of the subject and property.
        to_class: triples by class of the subject, property, and class or datatype of the object.
        asserted: how often the papers and the reference data say that something is of a class.
        parties: whoever publishes a document.
    """

    graphs: Counter[str] = field(default_factory=Counter)
    triples: int = 0
    entities: int = 0
    subjects: int = 0
    objects: int = 0
    properties: Counter[str] = field(default_factory=Counter)
    property_subjects: dict[str, int] = field(default_factory=dict)
    property_objects: dict[str, int] = field(default_factory=dict)
    instances: Counter[str] = field(default_factory=Counter)
    of_class: Counter[tuple[str, str]] = field(default_factory=Counter)
    to_class: Counter[tuple[str, str, str, str]] = field(default_factory=Counter)
    asserted: Counter[str] = field(default_factory=Counter)
    parties: set[str] = field(default_factory=set)

    @property
    def shown(self) -> set[str]:
        """The classes whose properties are counted one by one: those of the asserted data, and our own."""
        return {iri for iri in self.instances if iri in self.asserted or iri.startswith(PREFIXES["sk"])}

    def kept(self) -> bytes:
        """Return it as bytes for ``found``."""
        said = vars(self) | {"parties": sorted(self.parties)}
        said |= {name: [[*key, number] for key, number in sorted(said[name].items())] for name in ("of_class", "to_class")}
        return json.dumps(said, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode("utf-8")

    @classmethod
    def found(cls, content: bytes) -> Counts:
        """Return what ``kept`` wrote."""
        said = json.loads(content)
        for name in ("graphs", "properties", "instances", "asserted"):
            said[name] = Counter(said[name])
        for name in ("of_class", "to_class"):
            said[name] = Counter({tuple(key): number for *key, number in said[name]})
        return cls(**said | {"parties": set(said["parties"])})


def count(store: EmbeddedStore, known: Lines | None = None) -> Counts:
    """Count what ``store`` holds outside its description, subject by subject.

    Subjects of the same classes are counted together: classes overlap, and a triple is otherwise counted once for each pair of them.

    Args:
        known: the store's lines, if they were asked for before.
    """
    found, known = Counts(), known or Lines.of(store.engine)
    a, publisher = f"<{_TYPE}>".encode(), f"<{_PUBLISHER}>".encode()
    classes: dict[bytes, set[str]] = {}
    metas: dict[bytes, bool] = {}
    sizes: Counter[bytes] = Counter()
    kinds: dict[bytes, frozenset[str]] = {}
    every: dict[frozenset[str], frozenset[str]] = {}
    for s, p, o, g in map(split, known):
        sizes[g] += 1
        if p == a and o[:1] == b"<":
            if s not in classes:  # the lines of a subject stand together
                kinds.update((node, every.setdefault(held := frozenset(names), held)) for node, names in classes.items())
                classes = {s: set()}
            classes[s].add(_iri(o))
            if g not in metas:
                metas[g] = not _of_data(_iri(g))
            if not metas[g]:
                found.asserted[_iri(o)] += 1
        elif p == publisher and o[:1] == b"<":
            found.parties.add(_iri(o))
    found.graphs.update({_iri(g): number for g, number in sizes.items() if g})
    kinds.update((node, frozenset(names)) for node, names in classes.items())
    by_kind: Counter[tuple[frozenset[str], bytes, frozenset[str] | str]] = Counter()
    objects: dict[bytes, set[bytes]] = defaultdict(set)
    with_property: Counter[bytes] = Counter()
    properties: Counter[bytes] = Counter()
    none: frozenset[str] = frozenset()
    last = (b"", b"", b"")
    base = f"<{BASE}".encode()
    for s, p, o, _ in map(split, known):
        if s != last[0]:
            found.subjects += 1
            found.entities += s.startswith(base)
            kind = kinds.get(s, none)
            with_property[p] += 1
        elif p != last[1]:
            with_property[p] += 1
        elif o == last[2]:
            continue
        last = s, p, o
        found.triples += 1
        properties[p] += 1
        objects[p].add(o)
        by_kind[kind, p, _datatype(o) if o[:1] == b'"' else kinds.get(o, none)] += 1
    found.objects = len(set().union(*objects.values()))
    found.properties = Counter({_iri(p): number for p, number in properties.items()})
    found.property_subjects = {_iri(p): number for p, number in with_property.items()}
    found.property_objects = {_iri(p): len(nodes) for p, nodes in objects.items()}
    for held in kinds.values():
        found.instances.update(held)
    shown = found.shown
    for (of, p, to), number in by_kind.items():
        property_ = _iri(p)
        for class_ in of & shown:
            found.of_class[class_, property_] += number
            for kind_, other in [("datatype", to)] if isinstance(to, str) else [("class", iri) for iri in to if iri in found.asserted]:
                found.to_class[class_, property_, kind_, other] += number
    return found


def _of_data(graph: str) -> bool:
    """Whether a graph says what papers or reference data say."""
    return made(graph) == "asserted" and not graph.startswith(_VOCABULARY)


@dataclass(frozen=True)
class Delta:
    """What a change makes of a dataset; its description is left out.

    Args:
        before: the store as it was.
        gone: quads that go; ``new`` those that come.
        triples_gone: triples that no graph has any more; ``triples_new`` those that none had before.
    """

    before: ox.Store
    gone: set[ox.Quad]
    new: set[ox.Quad]
    triples_gone: set[ox.Triple] = field(init=False)
    triples_new: set[ox.Triple] = field(init=False)

    def __post_init__(self) -> None:
        gone, new = ({quad.triple for quad in quads} for quads in (self.gone, self.new))
        left = {t for t in gone - new if all(quad in self.gone for quad in _said(self.before, t.subject, t.predicate, t.object))}
        object.__setattr__(self, "triples_gone", left)
        object.__setattr__(self, "triples_new", {t for t in new if not has(self.before, t.subject, t.predicate, t.object)})

    @property
    def triples(self) -> set[ox.Triple]:
        """The triples that came or went."""
        return self.triples_gone | self.triples_new


def _said(store: ox.Store, s: Any, p: Any, o: Any) -> Iterator[ox.Quad]:
    """Yield the quads of a pattern that do not describe the dataset."""
    return (quad for quad in store.quads_for_pattern(s, p, o) if not str(quad.graph_name).startswith(ABOUT_ITSELF))


def has(store: ox.Store, s: Any, p: Any, o: Any) -> bool:
    """Whether a store has a triple of a pattern outside its description."""
    return next(_said(store, s, p, o), None) is not None


def recount(counts: Counts, delta: Delta, after: ox.Store) -> bool:
    """Bring ``counts`` from what held before a change to what holds in ``after``; in time that depends on the change.

    Returns:
        False, and ``counts`` is of no more use, if the change makes other classes count: all must then be counted again.
    """
    before = delta.before
    said: Counter[str] = Counter()
    for quad, sign in [*((quad, -1) for quad in delta.gone), *((quad, 1) for quad in delta.new)]:
        graph = quad.graph_name.value if isinstance(quad.graph_name, ox.NamedNode) else ""
        if graph:
            _add(counts.graphs, graph, sign)
        if quad.predicate.value == _TYPE and isinstance(quad.object, ox.NamedNode) and _of_data(graph):
            said[quad.object.value] += sign
    for kind, sign in said.items():
        known = kind in counts.asserted
        _add(counts.asserted, kind, sign)
        if known is not (kind in counts.asserted) and counts.instances[kind]:
            return False
    counts.triples += len(delta.triples_new) - len(delta.triples_gone)
    for triple, sign in _signed(delta):
        _add(counts.properties, triple.predicate.value, sign)

    def came(*pattern: Any) -> int:
        """Return 1 if a pattern has triples only now, -1 if it had some only before."""
        return has(after, *pattern) - has(before, *pattern)

    for s in {triple.subject for triple in delta.triples}:
        sign = came(s, None, None)
        counts.subjects += sign
        counts.entities += sign * str(s).startswith(f"<{BASE}")
    counts.objects += sum(came(None, None, o) for o in {triple.object for triple in delta.triples})
    for s, p in {(triple.subject, triple.predicate) for triple in delta.triples}:
        _add(counts.property_subjects, p.value, came(s, p, None))
    for p, o in {(triple.predicate, triple.object) for triple in delta.triples}:
        _add(counts.property_objects, p.value, came(None, p, o))
        if p.value == _PUBLISHER and isinstance(o, ox.NamedNode):
            (counts.parties.add if has(after, None, p, o) else counts.parties.discard)(o.value)
    _reclass(counts, delta, after)
    return True


def _signed(delta: Delta) -> list[tuple[ox.Triple, int]]:
    return [*((triple, -1) for triple in delta.triples_gone), *((triple, 1) for triple in delta.triples_new)]


def _add(counter: dict[Any, int], key: Any, number: int) -> None:
    """Add to a figure; one that comes to nothing goes."""
    counter[key] = counter.get(key, 0) + number
    if not counter[key]:
        del counter[key]


def _reclass(counts: Counts, delta: Delta, after: ox.Store) -> None:
    """Bring the figures by class up to date: of nodes that changed their classes, and of all triples that came, went, or have such a node."""
    kinds = [_Kinds(store) for store in (delta.before, after)]
    turned = {t.subject for t in delta.triples if t.predicate.value == _TYPE}
    shown = [counts.shown]
    for node in turned:
        for kind in kinds[0][node] - kinds[1][node]:
            _add(counts.instances, kind, -1)
        for kind in kinds[1][node] - kinds[0][node]:
            _add(counts.instances, kind, 1)
    shown.append(counts.shown)
    touched = {quad.triple for node in turned for quad in (*_said(after, node, None, None), *_said(after, None, None, node))}
    still = touched - delta.triples_new
    for at, triples, sign in ((0, delta.triples_gone | still, -1), (1, delta.triples_new | still, 1)):
        held = kinds[at]
        for triple in triples:
            p, o = triple.predicate.value, triple.object
            to = [("datatype", o.datatype.value)] if isinstance(o, ox.Literal) else [("class", kind) for kind in held[o] if kind in counts.asserted]
            for class_ in held[triple.subject] & shown[at]:
                _add(counts.of_class, (class_, p), sign)
                for kind, other in to:
                    _add(counts.to_class, (class_, p, kind, other), sign)


class _Kinds(dict[Any, set[str]]):
    """The classes of nodes in a store, looked up once."""

    def __init__(self, store: ox.Store) -> None:
        super().__init__()
        self._store = store

    def __missing__(self, node: Any) -> set[str]:
        found = _said(self._store, node, ox.NamedNode(_TYPE), None)
        self[node] = {quad.object.value for quad in found if isinstance(quad.object, ox.NamedNode)}
        return self[node]


def split(line: bytes) -> tuple[bytes, bytes, bytes, bytes]:
    """Return subject, predicate, object and graph of a line of N-Quads, each as it is written."""
    s, p, rest = line.split(b" ", 2)
    if rest.endswith(b"> ."):
        o, _, g = rest[:-2].rpartition(b" ")
        if o and g[:1] == b"<" and b'"' not in g:
            return s, p, o, g
    return s, p, rest[:-2], b""


def _iri(node: bytes) -> str:
    return node[1:-1].decode("utf-8")


def _datatype(literal: bytes) -> str:
    tail = literal[literal.rfind(b'"') + 1 :]
    return _iri(tail[2:]) if tail.startswith(b"^^") else PREFIXES["rdf"] + "langString" if tail else PREFIXES["xsd"] + "string"
