"""The W3C's tests of SHACL core: what pySHACL makes of them, and that the quick look before it lets no finding pass.

Nearly all tests name their targets by node or take the shape itself for the class, and the look reads ``sh:targetClass`` only. Each is
therefore looked at twice: as it is written, and with every target as a class, which asks the same of the same nodes.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest
from pyshacl import validate
from rdflib import BNode, Graph, Literal, Namespace
from rdflib.collection import Collection
from rdflib.namespace import RDF, RDFS, SH, XSD
from rdflib.term import Node

from sekinin import check, conform
from sekinin.errors import BadData

MF = Namespace("http://www.w3.org/2001/sw/DataAccess/tests/test-manifest#")
SHT = Namespace("http://www.w3.org/ns/shacl-test#")
pytestmark = [pytest.mark.whole, pytest.mark.filterwarnings("ignore:Parsing weird boolean")]  # the suite has such on purpose
FAILING = {
    "property/uniqueLang-002": "takes a sh:uniqueLang written 1 for true; the suite wants the word",
}
"""Tests that pySHACL answers otherwise than the suite, each with what it does."""
TESTS = 98
READ = {"as written": 1, "by class": 21}
"""Of how many tests the look reads the shapes; of the others it says that it cannot, and pySHACL judges the whole."""

Report = tuple[bool, Counter[tuple[str, ...]]]
"""Whether data conform, and of each result focus node, path, value, constraint and severity."""


@dataclass(frozen=True)
class Case:
    """One test of the suite: data, shapes and the report that is expected."""

    name: str
    data: Graph
    shapes: Graph
    report: Report


@cache
def parsed(path: Path) -> Graph:
    return Graph().parse(path, format="turtle", publicID=path.as_uri())


def read(manifest: Path) -> list[Case]:
    """Return the tests of ``manifest`` and of those that it includes."""

    def local(node: Node | None) -> Path:
        return Path(str(node).removeprefix("file://"))

    graph = parsed(manifest)
    found = [case for part in sorted(graph.objects(None, MF["include"])) for case in read(local(part))]
    for entry in [entry for entries in graph.objects(None, MF.entries) for entry in Collection(graph, entries)]:
        assert (entry, RDF.type, SHT.Validate) in graph
        action = graph.value(entry, MF.action)
        data, shapes = (parsed(local(graph.value(action, which))) for which in (SHT.dataGraph, SHT.shapesGraph))
        name = f"{manifest.parent.name}/{str(entry).rpartition('/')[2]}"
        found.append(Case(name, data, shapes, told(graph, graph.value(entry, MF.result))))
    return found


def told(graph: Graph, report: Node | None) -> Report:
    """Return of ``report`` what two validators must agree on."""

    def text(result: Node, predicate: Node) -> str:
        value = graph.value(result, predicate)
        return spelt(graph, value) if predicate == SH.resultPath else plain(value)

    parts = (SH.focusNode, SH.resultPath, SH.value, SH.sourceConstraintComponent, SH.resultSeverity)
    results = Counter(tuple(text(result, part) for part in parts) for result in graph.objects(report, SH.result))
    return graph.value(report, SH.conforms) == Literal(True), results


def plain(node: Node | None) -> str:
    """Return a term as text; a blank node has no name that two reports share."""
    return "" if node is None else "_" if isinstance(node, BNode) else node.n3()


def spelt(graph: Graph, path: Node | None) -> str:
    """Return a path as text, whatever its blank nodes are called."""
    if not isinstance(path, BNode):
        return plain(path)
    if (path, RDF.first, None) in graph:
        return "(" + " ".join(spelt(graph, step) for step in Collection(graph, path)) + ")"
    return "[" + " ".join(f"{predicate.n3()} {spelt(graph, value)}" for predicate, value in graph.predicate_objects(path)) + "]"


def judged(data: Graph, shapes: Graph) -> Report:
    """Return what pySHACL says of the whole."""
    _, report, _ = validate(data, shacl_graph=shapes, inference="none", advanced=False, meta_shacl=False)
    assert isinstance(report, Graph)
    return told(report, report.value(None, RDF.type, SH.ValidationReport))


def by_class(case: Case) -> tuple[Graph, Graph]:
    """Return data and shapes of ``case`` with ``sh:targetClass`` for every target; a literal is of no class and stays."""
    data, shapes = Graph() + case.data, Graph() + case.shapes
    ways: list[tuple[Node, Callable[[Node], list[Node]]]] = [
        (SH.targetNode, lambda named: [named]),
        (SH.targetSubjectsOf, lambda named: [*case.data.subjects(named, None)]),
        (SH.targetObjectsOf, lambda named: [*case.data.objects(None, named)]),
    ]
    for way, members in ways:
        for number, (shape, named) in enumerate(sorted(case.shapes.subject_objects(way))):
            if not any(isinstance(member, Literal) for member in members(named)):
                own = SHT[f"{way.n3()[-6:-1]}{number}"]
                shapes.remove((shape, way, named))
                shapes.add((shape, SH.targetClass, own))
                for member in members(named):
                    data.add((member, RDF.type, own))
    for shape in set(shapes.subjects(RDF.type, SH.NodeShape)) & set(shapes.subjects(RDF.type, RDFS.Class)):
        shapes.remove((shape, RDF.type, RDFS.Class))
        shapes.remove((shape, RDFS.subClassOf, None))
        shapes.add((shape, SH.targetClass, shape))
    return data, shapes


def in_doubt(data: Graph, looks: conform.Looks) -> list[str]:
    """Return the nodes of ``data`` that the look does not let pass."""

    def value(node: Node) -> conform.Value:
        if isinstance(node, Literal):
            return str(node), str(node.datatype or (RDF.langString if node.language else XSD.string)), node.language or ""
        return f"_:{node}" if isinstance(node, BNode) else str(node)

    @cache
    def kinds(name: str) -> frozenset[str]:
        direct = data.objects(nodes[name], RDF.type) if name in nodes else ()
        return frozenset(str(above) for kind in direct for above in data.transitive_objects(kind, RDFS.subClassOf))

    nodes = {str(value(node)): node for node in data.subjects(unique=True)}
    said: dict[str, dict[str, list[conform.Value]]] = {name: {} for name in nodes}
    for name, node in nodes.items():
        for predicate, object_ in data.predicate_objects(node):
            said[name].setdefault(str(predicate), []).append(value(object_))
    return conform.suspects(looks, said.items(), kinds)


@pytest.fixture(scope="module")
def cases() -> list[Case]:
    """The tests, where the reader has them."""
    folder = os.environ.get("SEKININ_SHACL_SUITE")
    if not folder:
        pytest.skip("SEKININ_SHACL_SUITE is not set: the W3C's test suites are not part of the project")
    return read(Path(folder).resolve() / "core" / "manifest.ttl")


def test_pyshacl(cases: list[Case]) -> None:
    """pySHACL gives the report that the suite expects, but for those that are listed with the reason."""
    assert len(cases) == TESTS
    assert {case.name for case in cases if judged(case.data, case.shapes) != case.report} == FAILING.keys()


@pytest.mark.parametrize("targets", READ)
def test_the_look(cases: list[Case], targets: str) -> None:
    """Where it reads the shapes, every node with a result is in doubt, and pySHACL finds in those what it finds in the whole."""
    read_ = 0
    for case in cases:
        data, shapes = (case.data, case.shapes) if targets == "as written" else by_class(case)
        try:
            looks = conform.compiled(shapes)
        except BadData:
            continue
        read_ += 1
        doubtful = in_doubt(data, looks)
        assert judged(data, shapes) == judged(case.data, case.shapes), case.name
        assert {result[0] for result in case.report[1]} <= {f"<{node}>" for node in doubtful}, case.name
        assert check.shapes(data, shapes, doubtful) == check.shapes(data, shapes), case.name
    assert read_ == READ[targets]
