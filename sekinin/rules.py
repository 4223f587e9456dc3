"""What follows, by rules: the OWL 2 RL closure of one paper upon a closed vocabulary, each triple looked at once.

The axioms of the ontology are compiled into tables. An axiom that the tables cannot hold is refused, never passed over;
owlrl (``infer.closure``) is the reference, and ``tests/test_rules.py`` holds the one against the other.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from rdflib import BNode, Graph, URIRef
from rdflib.collection import Collection
from rdflib.namespace import OWL, RDF, RDFS, SKOS
from rdflib.term import Node

from sekinin.errors import Unreasonable
from sekinin.infer import axioms, named_by_axioms

Fact = tuple[str, str, str]
"""A triple of IRIs as text; a blank node is written ``_:name``."""
TYPE = str(RDF.type)
_SILENT = {
    str(k) for k in (OWL.Class, OWL.ObjectProperty, OWL.DatatypeProperty, OWL.AnnotationProperty, OWL.Ontology, OWL.Restriction, OWL.NamedIndividual)
}  # fmt: skip
"""Types that entail nothing about data."""
_STEP = "step:"
"""How the properties begin that stand for the first steps of a long chain."""


@dataclass
class Rules:
    """The axioms of an ontology as tables, from what is known to what follows.

    Args:
        above: for each class, all classes above it.
        wider: for each property, the properties directly above it.
        turned: for each property, those that hold the other way round.
        domains: for each property, classes of its subjects; ``ranges`` of its objects.
        first: for each property, the (second, result) of the chains that it begins; a transitive one begins its own.
        second: for each property, the (first, result) of the chains that it ends.
        parts: for each defined class, its parts as (property, value) pairs; a class among them is ``(rdf:type, class)``.
        part_of: for each part, the classes that it helps to define.
        apart: for each class, those that exclude it.
        named: what stands in some axiom; nothing else is looked at.
        terms: subjects of the ontology; what follows about them is not said.
        facts: types that the ontology gives to its own individuals.
    """

    above: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    wider: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    turned: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    domains: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    ranges: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    first: dict[str, set[tuple[str, str]]] = field(default_factory=lambda: defaultdict(set))
    second: dict[str, set[tuple[str, str]]] = field(default_factory=lambda: defaultdict(set))
    parts: dict[str, set[tuple[str, str]]] = field(default_factory=lambda: defaultdict(set))
    part_of: dict[tuple[str, str], set[str]] = field(default_factory=lambda: defaultdict(set))
    apart: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    named: frozenset[str] = frozenset()
    terms: frozenset[str] = frozenset()
    facts: tuple[Fact, ...] = ()

    def joins(self, fact: Fact) -> bool:
        """Whether some rule needs ``fact`` and another one."""
        _, p, o = fact
        return p in self.first or p in self.second or (p, o) in self.part_of or (p == TYPE and o in self.apart)


def compiled(ontology: Graph) -> Rules:
    """Return the axioms of ``ontology`` as tables.

    Raises:
        Unreasonable: naming an axiom that they cannot hold.
    Source: OWL 2 Web Ontology Language Profiles, section 4.3.
    """
    graph, rules, facts = axioms(ontology), Rules(), []
    rules.named = frozenset(str(node) for node in named_by_axioms(ontology))
    rules.terms = frozenset(str(s) for s in ontology.subjects() if isinstance(s, URIRef))
    within = _of_expressions(graph)
    direct: dict[str, set[str]] = defaultdict(set)
    for s, p, o in sorted(graph):
        if isinstance(s, BNode) and s in within:  # read where the class is defined
            continue
        sub, sup = str(s), str(o)
        if isinstance(s, BNode) or (isinstance(o, BNode) and p not in (OWL.equivalentClass, OWL.propertyChainAxiom)):
            raise _unknown(s, p, o)
        if p == RDF.type:
            if o == OWL.TransitiveProperty:
                _chain(rules, [sub, sub], sub)
            elif o == OWL.SymmetricProperty:
                rules.turned[sub].add(sub)
            elif sup.startswith((str(OWL), str(RDF), str(RDFS))):
                if sup not in _SILENT:
                    raise _unknown(s, p, o)
            else:
                facts.append((sub, TYPE, sup))
        elif p == RDFS.subClassOf:
            direct[sub].add(sup)
        elif p == RDFS.subPropertyOf:
            rules.wider[sub].add(sup)
        elif p == OWL.inverseOf:
            rules.turned[sub].add(sup)
            rules.turned[sup].add(sub)
        elif p == RDFS.domain:
            rules.domains[sub].add(sup)
        elif p == RDFS.range:
            rules.ranges[sub].add(sup)
        elif p == OWL.propertyChainAxiom:
            _chain(rules, [str(step) for step in Collection(graph, o)], sub)
        elif p == OWL.equivalentClass and isinstance(o, BNode):
            _define(rules, graph, s, o)
        elif p == OWL.disjointWith:
            rules.apart[sub].add(sup)
            rules.apart[sup].add(sub)
        elif p not in (OWL.versionIRI, RDFS.seeAlso):
            raise _unknown(s, p, o)
    for low in list(direct):
        todo = list(direct[low])
        while todo:
            high = todo.pop()
            if high not in rules.above[low]:
                rules.above[low].add(high)
                todo += direct.get(high, ())
    rules.facts = tuple(facts)
    return rules


def _unknown(s: Node, p: Node, o: Node) -> Unreasonable:
    said = " ".join("[…]" if isinstance(n, BNode) else f"<{n}>" for n in (s, p, o))
    return Unreasonable("ontology/", f"the rules cannot hold this axiom: {said}", "write it another way, or teach sekinin/rules.py")


def _of_expressions(graph: Graph) -> set[Node]:
    """Return the blank nodes within the lists and class expressions that an axiom leads to."""
    found: set[Node] = set()
    todo = [o for p in (OWL.equivalentClass, OWL.propertyChainAxiom) for o in graph.objects(None, p) if isinstance(o, BNode)]
    while todo:
        node = todo.pop()
        if node not in found:
            found.add(node)
            todo += [o for o in graph.objects(node) if isinstance(o, BNode)]
    return found


def _chain(rules: Rules, steps: Sequence[str], result: str) -> None:
    """Take a chain in as pairs; the first steps of a long one have a property of their own."""
    left = steps[0]
    for number, right in enumerate(steps[1:], 2):
        to = result if number == len(steps) else _STEP + " ".join(steps[:number])
        rules.first[left].add((right, to))
        rules.second[right].add((left, to))
        left = to
    if len(steps) == 1:
        rules.wider[left].add(result)


def last_of(left: str) -> str:
    """Return the last property of the first steps of a chain, as ``Rules.second`` names them."""
    return left.removeprefix(_STEP).split(" ")[-1]


def _define(rules: Rules, graph: Graph, name: Node, expression: Node) -> None:
    """Take in that ``name`` is the intersection of classes and of restrictions to a value."""
    known = {RDF.type, OWL.intersectionOf}
    members = graph.value(expression, OWL.intersectionOf)
    if members is None or set(graph.predicates(expression)) - known:
        raise _unknown(name, OWL.equivalentClass, expression)
    for member in Collection(graph, members):
        if isinstance(member, URIRef):
            part = (TYPE, str(member))
        else:
            on, value = graph.value(member, OWL.onProperty), graph.value(member, OWL.hasValue)
            more = set(graph.predicates(member)) - {RDF.type, OWL.onProperty, OWL.hasValue}
            if more or not isinstance(on, URIRef) or not isinstance(value, URIRef):
                raise _unknown(name, OWL.equivalentClass, expression)
            part = (str(on), str(value))
        rules.parts[str(name)].add(part)
        rules.part_of[part].add(str(name))


class Closed:
    """Facts with all that follows from them and from those ``below``, which stand by themselves.

    Args:
        below: facts that are closed already, such as the vocabulary's; they are not changed.
    Raises:
        Unreasonable: if something belongs to classes that exclude each other.
    """

    def __init__(self, rules: Rules, facts: Iterable[Fact], below: Closed | None = None) -> None:
        self.rules = rules
        self.below = below
        self.facts: set[Fact] = set()
        self.objects: dict[tuple[str, str], list[str]] = {}
        self.subjects: dict[tuple[str, str], list[str]] = {}
        self.add(facts)

    def __contains__(self, fact: Fact) -> bool:
        return fact in self.facts or (self.below is not None and fact in self.below)

    def add(self, facts: Iterable[Fact]) -> None:
        """Take in ``facts`` and what follows."""
        todo = list(facts)
        known, below, rules = self.facts, self.below.facts if self.below else frozenset(), self.rules
        while todo:
            fact = todo.pop()
            if fact in known or fact in below:
                continue
            known.add(fact)
            s, p, o = fact
            if p in rules.first:
                self.subjects.setdefault((p, o), []).append(s)
            if p in rules.second:
                self.objects.setdefault((p, s), []).append(o)
            todo += self._follows(s, p, o)

    def keep(self, facts: Iterable[Fact]) -> None:
        """Take in ``facts`` that are closed among themselves: only :meth:`from_joins` asks what follows with others."""
        for fact in facts:
            if fact not in self.facts:
                self.facts.add(fact)
                s, p, o = fact
                if p in self.rules.first:
                    self.subjects.setdefault((p, o), []).append(s)
                if p in self.rules.second:
                    self.objects.setdefault((p, s), []).append(o)

    def from_joins(self, facts: Iterable[Fact]) -> set[Fact]:
        """Return what follows from ``facts``, which are held, with the others, and was not held before; it is held then."""
        before = set(self.facts)
        for fact in list(facts):
            self.add(list(self._follows(*fact)))
        return self.facts - before

    def _about(self, table: str, key: tuple[str, str]) -> Iterator[str]:
        yield from getattr(self, table).get(key, ())
        if self.below:
            yield from self.below._about(table, key)

    def _follows(self, s: str, p: str, o: str) -> Iterator[Fact]:
        rules = self.rules
        if p == TYPE:
            for class_ in rules.above.get(o, ()):
                yield s, TYPE, class_
            for on, value in rules.parts.get(o, ()):
                yield s, on, value
            for other in rules.apart.get(o, ()):
                if (s, TYPE, other) in self:
                    raise Unreasonable(s, f"it contradicts itself: it belongs to {o} and to {other}, which exclude each other", "correct its types")
        else:
            for wide in rules.wider.get(p, ()):
                yield s, wide, o
            for back in rules.turned.get(p, ()):
                yield o, back, s
            for class_ in rules.domains.get(p, ()):
                yield s, TYPE, class_
            for class_ in rules.ranges.get(p, ()):
                yield o, TYPE, class_
            for right, result in rules.first.get(p, ()):
                for end in list(self._about("objects", (right, o))):
                    yield s, result, end
            for left, result in rules.second.get(p, ()):
                for start in list(self._about("subjects", (left, s))):
                    yield start, result, o
        for name in rules.part_of.get((p, o), ()):
            if all((s, on, value) in self for on, value in rules.parts[name]):
                yield s, TYPE, name


def told(rules: Rules, facts: Iterable[Fact]) -> Iterator[Fact]:
    """Yield those of ``facts`` that tell something about an individual, as ``infer.closure`` does."""
    general = (str(OWL), str(RDF), str(RDFS), str(SKOS))
    everything = {str(OWL.Thing), str(RDFS.Resource), str(OWL.NamedIndividual)}
    schema = {str(p) for p in (RDFS.subClassOf, RDFS.subPropertyOf, RDFS.domain, RDFS.range)}
    for s, p, o in facts:
        if s in rules.terms or o in everything or p in schema or p.startswith((_STEP, str(OWL))) or s.startswith(general):
            continue
        if s.startswith("_:") or o.startswith("_:") or (p == TYPE and o.startswith(general[:3])):
            continue
        yield s, p, o
