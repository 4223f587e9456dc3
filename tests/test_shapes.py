"""The shapes check what they say: every constraint has an example that it refuses."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyoxigraph as ox
import pytest
from conftest import HOUSE
from pyshacl import validate
from rdflib import OWL, RDF, SH, BNode, Graph, Literal, URIRef

from sekinin import namespaces, texts
from sekinin.convert import to_graph

EXAMPLES = sorted((HOUSE / "tests" / "examples").glob("*.trig"))
SKS = namespaces.PREFIXES["sks"]
CONSTRAINTS = {
    SH.minCount: "MinCount", SH.maxCount: "MaxCount", SH["class"]: "Class", SH["in"]: "In", SH.datatype: "Datatype", SH.nodeKind: "NodeKind",
    SH.pattern: "Pattern", SH.minLength: "MinLength", SH.maxLength: "MaxLength", SH.minInclusive: "MinInclusive", SH.maxInclusive: "MaxInclusive",
    SH.uniqueLang: "UniqueLang", SH.languageIn: "LanguageIn", SH.hasValue: "HasValue", SH["not"]: "Not", SH["or"]: "Or", SH.xone: "Xone",
    SH["and"]: "And", SH.node: "Node", SH.qualifiedMinCount: "QualifiedMinCount", SH.qualifiedMaxCount: "QualifiedMaxCount", SH.lessThan: "LessThan",
    SH.disjoint: "Disjoint", SH.equals: "Equals", SH.minExclusive: "MinExclusive", SH.lessThanOrEquals: "LessThanOrEquals",
}  # fmt: skip


@pytest.fixture(scope="module")
def reference(read: list[texts.Text]) -> Graph:
    """What an example may point at: the ontology and everything that is not a paper."""
    kinds = ("graphs/vocabulary/", "graphs/frameworks/", "graphs/parties")
    return to_graph(text.quads for text in read if text.kind == "ontology" or text.topic.startswith(kinds))


def graphs(path: Path) -> Iterator[tuple[str, Graph]]:
    """Yield the named graphs of an example file by the local names of their IRIs."""
    found: dict[str, list[ox.Quad]] = {}
    for quad in ox.parse(path=str(path)):
        found.setdefault(quad.graph_name.value.removeprefix(SKS), []).append(quad)
    for name, quads in sorted(found.items()):
        yield name, to_graph([quads])


def constraints(shapes: Graph) -> set[str]:
    """Return ``Shape.constraint`` for every constraint of every shape that has a name."""
    found = set()
    for shape in set(shapes.subjects(RDF.type, SH.PropertyShape)) | set(shapes.subjects(RDF.type, SH.NodeShape)):
        if isinstance(shape, URIRef):
            for predicate in CONSTRAINTS:
                if (shape, predicate, None) in shapes:
                    found.add(f"{str(shape).removeprefix(SKS)}.{str(predicate).removeprefix(str(SH))}")
    return found


def results(data: Graph, shapes: Graph) -> set[tuple[str, str, str]]:
    """Return node, shape and constraint component of each result of pySHACL."""
    _, report, _ = validate(data, shacl_graph=shapes, inference="none")
    return {
        (
            str(report.value(r, SH.focusNode)),
            str(report.value(r, SH.sourceShape)).removeprefix(SKS),
            str(report.value(r, SH.sourceConstraintComponent)).removeprefix(str(SH)),
        )
        for r in report.objects(None, SH.result)
    }


def side_by_side(path: Path, reference: Graph) -> tuple[Graph, list[str]]:
    """Return all graphs of an example file in one, each with its own copies of its nodes: ``…-n`` in the nth.

    One validation of the whole then does for hundreds of examples.
    """
    together, names = Graph(), []
    for number, (name, graph) in enumerate(graphs(path)):
        names.append(name)
        own = {s for s in graph.subjects() if isinstance(s, URIRef) and (s, None, None) not in reference}
        for triple in graph:
            together.add(tuple(URIRef(f"{node}-{number}") if node in own else node for node in triple))
    return together, names


def test_targets_are_classes(shapes: Graph, ontology: Graph) -> None:
    """A shape whose target is not declared checks nothing and says all is well."""
    declared = set(ontology.subjects(RDF.type, OWL.Class))
    others = {
        URIRef(namespaces.PREFIXES[p] + n)
        for p, n in (
            ("oa", "SpecificResource"),
            ("oa", "TextPositionSelector"),
            ("spdx", "Checksum"),
            ("owl", "Axiom"),
            ("schema", "OpeningHoursSpecification"),
            ("skos", "ConceptScheme"),
        )
    }
    targets = set(shapes.objects(None, SH.targetClass))
    assert targets
    assert targets <= declared | others, targets - declared - others


def test_paths_are_properties(shapes: Graph, ontology: Graph, data: Graph) -> None:
    """A shape on a misspelt path checks nothing either."""
    declared = set(ontology.subjects(RDF.type, OWL.ObjectProperty)) | set(ontology.subjects(RDF.type, OWL.DatatypeProperty))
    used = set(data.predicates())
    for path in shapes.objects(None, SH.path):
        if isinstance(path, URIRef):
            ours = str(path).startswith(namespaces.PREFIXES["sk"])
            assert path in (declared if ours else used | {URIRef(namespaces.PREFIXES["oa"] + "exact")}), path


def test_every_property_shape_has_a_name_and_speaks_both_languages(shapes: Graph) -> None:
    """A report can point at it, and it tells its reader what to do."""
    for shape in shapes.subjects(SH.path, None):
        if (None, SH.property, shape) in shapes:
            assert isinstance(shape, URIRef), "a property shape without a name"
            languages = sorted(m.language for m in shapes.objects(shape, SH.message) if isinstance(m, Literal))
            assert languages == ["en", "ja"], f"{shape}: messages in {languages}"


def test_no_shape_runs_sparql(shapes: Graph) -> None:
    """Questions over several nodes are checks; pySHACL's SPARQL constraints grow without bound."""
    assert not list(shapes.subject_objects(SH.sparql))


def test_every_constraint_has_an_example(shapes: Graph) -> None:
    """For each constraint there is data that it must refuse, and for each node shape data that it must accept."""
    names = {name for path in EXAMPLES for name, _ in graphs(path)}
    assert constraints(shapes) <= names, sorted(constraints(shapes) - names)[:10]
    nodes = {str(s).removeprefix(SKS).removesuffix("Shape") for s in shapes.subjects(SH.targetClass, None) if not isinstance(s, BNode)}
    assert nodes <= {name.removesuffix("-example") for name in names}


@pytest.mark.whole
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda p: p.stem)
def test_examples(path: Path, shapes: Graph, reference: Graph) -> None:
    """The good example passes; each other is refused by the shape and for the reason in its name."""
    together, names = side_by_side(path, reference)
    found = results(reference + together, shapes)
    for number, name in enumerate(names):
        mine = {(shape, component) for node, shape, component in found if node.endswith(f"-{number}")}
        if name.endswith("-example"):
            assert not mine, f"{name}: {sorted(mine)}"
        else:
            shape, _, constraint = name.rpartition(".")
            assert (shape, CONSTRAINTS[SH[constraint]] + "ConstraintComponent") in mine, f"{name}: {sorted(mine)}"


def test_the_graph_conforms(built) -> None:
    """No finding of severity Violation stands against the real graph."""
    worst = [f for f in built.findings if f.severity == "Violation"]
    assert not worst, [f"{f.where}: {f.text('en')} {f.value}" for f in worst[:5]]
