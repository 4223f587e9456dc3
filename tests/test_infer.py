"""What follows and what must not: each entailment fails without its axiom."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from conftest import HOUSE
from rdflib import BNode, Graph, Literal, URIRef
from rdflib.namespace import OWL, RDF, RDFS

from sekinin import infer, namespaces, texts
from sekinin.convert import to_graph
from sekinin.errors import Unreasonable

FOLDER = HOUSE / "tests" / "entailments"
AXIOMS = json.loads((FOLDER / "axioms.json").read_text(encoding="utf-8"))


def triples(path: Path) -> set[tuple]:
    return set(Graph().parse(path, format="nt")) if path.is_file() else set()


def iri(curie: str) -> URIRef:
    prefix, _, local = curie.partition(":")
    return URIRef(namespaces.PREFIXES[prefix] + local)


@pytest.fixture(scope="module")
def closed(ontology: Graph) -> Graph:
    """The closure of every example at once; their individuals are different."""
    examples = [Graph().parse(path) for path in sorted(FOLDER.glob("*.ttl"))]
    return infer.closure(ontology, examples) + sum(examples, Graph())


def test_every_example_names_its_axiom() -> None:
    """No example stands without the axiom that it proves, and none lacks what it expects."""
    assert {path.stem for path in FOLDER.glob("*.ttl")} == set(AXIOMS)
    assert all((FOLDER / f"{name}.expected.nt").is_file() for name in AXIOMS)


@pytest.mark.parametrize("name", AXIOMS)
def test_it_follows(name: str, closed: Graph) -> None:
    """The expected triples follow, and the others do not."""
    expected = triples(FOLDER / f"{name}.expected.nt")
    assert expected
    assert all(triple in closed for triple in expected)
    assert not any(triple in closed for triple in triples(FOLDER / f"{name}.mustnot.nt"))


@pytest.mark.whole
@pytest.mark.parametrize("name", AXIOMS)
def test_it_does_not_follow_without_its_axiom(name: str, ontology: Graph) -> None:
    """With the axiom taken away, none of the expected triples follows."""
    subject, predicate, *rest = (iri(word) for word in AXIOMS[name]["axiom"])
    without = Graph() + ontology
    wanted = (subject, predicate, rest[0] if rest else None)
    assert wanted in without
    without.remove(wanted)
    example = Graph().parse(FOLDER / f"{name}.ttl")
    found = infer.closure(without, [example])
    assert not any(triple in found for triple in triples(FOLDER / f"{name}.expected.nt"))


MODEL = {
    "runs-on-transitive": "runsOn is transitive",
    "relies-on-party": "who depends on whom",
    "cloud-customer-of": "the provider as somebody's cloud customer",
    "addresses-covered": "asking by 8.13 finds papers numbered 12.3.1",
    "addresses-item": "a check-sheet row answers in METI, 2013 and 2022 numbers",
    "addresses-group": "clauses and themes",
    "customer-duty": "CustomerDuty",
    "needs-evidence-from": "needsEvidenceFrom",
    "backup-retention-commitment": "subclasses of commitment",
    "stored-in-country": "storedInCountry",
    "superseded-statement": "superseded statements",
    "certified-to": "certifiedTo",
    "certified-to-planned": "certifiedTo must not fire for a planned claim",
    "certified-to-scope-not-stated": "certifiedTo must not fire for an unstated scope",
    "addresses-covered-inverse": "fullyCoveredBy is directed",
    "inherited-statement": "InheritedStatement",
}


def test_the_model_is_covered() -> None:
    """Every entailment that the model wants has its example, by name."""
    assert set(MODEL) <= set(AXIOMS), set(MODEL) - set(AXIOMS)
    for name in MODEL:
        if "must not" in MODEL[name] or "directed" in MODEL[name]:
            assert triples(FOLDER / f"{name}.mustnot.nt"), name


def test_the_closure_is_clean(store) -> None:
    """Inferred triples are RDF, say nothing that is true of everything, and repeat nothing that is asserted."""
    import pyoxigraph as ox

    graph = ox.NamedNode(namespaces.graph_iri("inferred"))
    inferred = list(store.engine.quads_for_pattern(None, None, None, graph))
    assert len(inferred) > 5000
    empty = {str(OWL.Thing), str(RDFS.Resource), str(OWL.NamedIndividual)}
    for quad in inferred:
        assert isinstance(quad.subject, ox.NamedNode)
        assert not isinstance(quad.object, ox.BlankNode)
        assert quad.predicate.value != str(OWL.sameAs)
        assert not (isinstance(quad.object, ox.NamedNode) and quad.object.value in empty)
        others = [q for q in store.engine.quads_for_pattern(quad.subject, quad.predicate, quad.object) if q.graph_name != graph]
        assert not [q for q in others if not q.graph_name.value.startswith(namespaces.graph_iri("derived/"))]


def test_nothing_lands_in_the_default_graph(store) -> None:
    """Every triple has its named graph."""
    import pyoxigraph as ox

    assert not list(store.engine.quads_for_pattern(None, None, None, ox.DefaultGraph()))


@pytest.mark.whole
def test_what_is_left_out_changes_nothing(ontology: Graph) -> None:
    """The closure of a whole paper with its labels, positions and digests is that of its relevant part."""
    import owlrl

    chosen = ("graphs/infonet/", "graphs/parties", "graphs/vocabulary/things")
    read = [text for text in texts.read_all(("graphs",)) if text.topic.startswith(chosen)]
    # a tenth of the statements and everything that they point at: the whole would take minutes
    whole = to_graph(text.quads for text in read)
    subjects = sorted({s for s in whole.subjects() if isinstance(s, URIRef)})[::10]
    sample = Graph()
    for s in subjects:
        for p, o in whole.predicate_objects(s):
            sample.add((s, p, o))
            for triple in whole.triples((o, None, None)) if isinstance(o, URIRef) else ():
                sample.add(triple)
    full = ontology + sample
    owlrl.DeductiveClosure(owlrl.OWLRL_Semantics).expand(full)
    terms = {s for s in ontology.subjects() if isinstance(s, URIRef)}
    told = {t for t in infer._clean(full, terms) if t not in sample}
    extra = {t for t in told if t[1] == RDF.type and t[2] in (RDF.Property, RDFS.Class, RDFS.Datatype)}
    assert told - extra == set(infer.closure(ontology, [sample]))


def test_a_contradiction_is_told() -> None:
    """Disjoint classes with a common member raise; owlrl itself would leave a node and say nothing."""
    rules = Graph().parse(
        data="@prefix : <http://x/> . @prefix owl: <http://www.w3.org/2002/07/owl#> . :A a owl:Class ; owl:disjointWith :B . :B a owl:Class .",
        format="turtle",
    )
    facts = Graph().parse(data="@prefix : <http://x/> . :i a :A , :B .", format="turtle")
    with pytest.raises(Unreasonable, match="contradicts"):
        infer.closure(rules, [facts])


def test_the_profile_is_kept(ontology: Graph) -> None:
    """owlrl ignores what is outside OWL 2 RL in silence, so nothing of the kind may be written."""
    outside = (OWL.FunctionalProperty, OWL.InverseFunctionalProperty, OWL.ReflexiveProperty)
    for kind in outside:
        assert not list(ontology.subjects(RDF.type, kind)), kind
    assert not list(ontology.triples((None, OWL.hasSelf, None)))
    assert not list(ontology.triples((None, OWL.imports, None)))
    for _, _, node in ontology.triples((None, OWL.equivalentClass, None)):
        for part in ontology.transitive_objects(node, None):
            if isinstance(part, BNode):
                assert (part, OWL.someValuesFrom, None) not in ontology, "an existential in an equivalence is not RL"
    assert not [o for o in ontology.objects(None, RDFS.range) if isinstance(o, Literal)]
