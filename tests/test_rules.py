"""The rules entail what owlrl entails: of the papers, of generated ones, of every example, and across papers."""

from __future__ import annotations

import json
import random
import sys
from pathlib import Path

import pyoxigraph as ox
import pytest
from conftest import HOUSE
from rdflib import Graph, URIRef

from sekinin import infer, parts, resources, rules, steps, texts
from sekinin.convert import to_graph
from sekinin.errors import Unreasonable
from sekinin.namespaces import PREFIXES

sys.path.insert(0, str(HOUSE / "benchmarks"))
import generate

FOLDER = HOUSE / "tests" / "entailments"
AXIOMS = json.loads((FOLDER / "axioms.json").read_text(encoding="utf-8"))


def facts(held: rules.Rules, graph: Graph) -> set[rules.Fact]:
    """Return what of ``graph`` an axiom can reach."""
    return {(str(s), str(p), str(o)) for s, p, o in graph if isinstance(o, URIRef) and str(o if str(p) == rules.TYPE else p) in held.named}


def by_rules(ontology: Graph, data: Graph) -> set[rules.Fact]:
    held = rules.compiled(ontology)
    closed = rules.Closed(held, [*held.facts, *facts(held, data)])
    return set(rules.told(held, closed.facts)) - {(str(s), str(p), str(o)) for s, p, o in data}


def by_owlrl(ontology: Graph, *data: Graph) -> set[rules.Fact]:
    return {(str(s), str(p), str(o)) for s, p, o in infer.closure(ontology, data)}


def inferred(house: Path | None = None) -> set[str]:
    return set(steps.infer(steps.read(steps.sources())).inferred.decode().splitlines())


def as_lines(found: set[rules.Fact]) -> set[str]:
    return {parts.line(fact).strip() for fact in found}


def test_the_examples(ontology: Graph) -> None:
    """Every entailment that the model wants follows by the rules too, and nothing else."""
    data = sum((Graph().parse(path) for path in sorted(FOLDER.glob("*.ttl"))), Graph())
    assert by_rules(ontology, data) == by_owlrl(ontology, data)


@pytest.mark.whole
def test_the_real_graph(ontology: Graph, data: Graph, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """One paper after the other and all at once entail the same of the five papers."""
    monkeypatch.setenv("SEKININ_BUILD", str(tmp_path))
    wanted = by_owlrl(ontology, data)
    assert len(wanted) > 5000
    assert by_rules(ontology, data) == wanted
    assert inferred() == as_lines(wanted)


@pytest.mark.whole
def test_generated_papers(ontology: Graph, house: Path) -> None:
    """Of generated papers too, also what follows only from two together: who depends on whom."""
    for path in (house / "graphs").iterdir():
        if path.name in generate.KEYS:
            for file in path.iterdir():
                file.unlink()
    generate.DEPENDS, before = 1.0, generate.DEPENDS
    try:
        for number in range(6):
            generate.write(house, number, 6, 7, 0.03, None)
    finally:
        generate.DEPENDS = before
    reading = steps.infer(steps.read(steps.sources()))
    wanted = by_owlrl(ontology, to_graph(text.quads for text in texts.read_all(("graphs",))))
    assert set(reading.inferred.decode().splitlines()) == as_lines(wanted)
    assert any(p == PREFIXES["sk"] + "reliesOnParty" for _, p, _ in reading.added)


def test_scattered_facts(ontology: Graph) -> None:
    """Cut at random into papers, the facts of all examples entail what they entail together; repeated facts are no news."""
    examples = [Graph().parse(path) for path in sorted(FOLDER.glob("*.ttl"))]
    every = sorted(sum(examples, Graph()))
    wanted = by_owlrl(ontology, sum(examples, Graph()))
    quads = [ox.Quad(q.subject, q.predicate, q.object, ox.DefaultGraph()) for text in texts.read_all(("ontology",)) for q in text.quads]
    for seed in range(3):
        chance = random.Random(seed)
        house: list[parts.Source] = []
        for number in range(6):
            some = Graph()
            for triple in every:
                if chance.random() < 0.3 or hash(triple) % 6 == number:
                    some.add(triple)
            house.append(parts.Source(f"graphs/p{number}/paper", "", some.serialize(format="nt").encode()))
        ground = parts.Ground(quads, [], [], frozenset())
        ground.terms = rules_terms(ontology)
        reading = steps.Reading(ground, {source.topic: ground.work(source) for source in house}, house)
        steps._together(reading)
        assert set(reading.inferred.decode().splitlines()) == as_lines(wanted)


def rules_terms(ontology: Graph) -> frozenset[str]:
    return frozenset(str(s).removeprefix(PREFIXES["sk"]) for s in ontology.subjects())


HEAD = "@prefix : <http://x/> . @prefix owl: <http://www.w3.org/2002/07/owl#> . @prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> . "


@pytest.mark.parametrize(
    "axiom",
    [
        ":p a owl:FunctionalProperty .",
        ":A owl:complementOf :B .",
        ":A rdfs:subClassOf [ a owl:Restriction ; owl:onProperty :p ; owl:allValuesFrom :B ] .",
        ":A owl:equivalentClass [ a owl:Class ; owl:unionOf ( :B :C ) ] .",
        ":A owl:equivalentClass :B .",
        ":p owl:propertyDisjointWith :q .",
        ":A owl:equivalentClass [ a owl:Class ; owl:intersectionOf ( :B [ a owl:Restriction ; owl:onProperty :p ; owl:someValuesFrom :C ] ) ] .",
        "[] a owl:AllDisjointClasses ; owl:members ( :A :B ) .",
    ],
)
def test_an_axiom_that_the_rules_cannot_hold(axiom: str) -> None:
    """It is refused by name: an entailment is never missed in silence."""
    with pytest.raises(Unreasonable, match="cannot hold this axiom") as told:
        rules.compiled(Graph().parse(data=HEAD + axiom, format="turtle"))
    assert told.value.exit_code == 6 and "ontology/" in told.value.where


@pytest.mark.parametrize(
    "axiom",
    [
        ":p rdfs:subPropertyOf :q . :q owl:inverseOf :r . :r rdfs:domain :A ; rdfs:range :B .",
        ":p a owl:TransitiveProperty , owl:SymmetricProperty .",
        ":r owl:propertyChainAxiom ( :p :q :s ) . :s rdfs:subPropertyOf :p .",
        ":A owl:equivalentClass [ a owl:Class ; owl:intersectionOf ( :B [ a owl:Restriction ; owl:onProperty :p ; owl:hasValue :v ] ) ] .",
        ":A rdfs:subClassOf :B . :B rdfs:subClassOf :C . :C rdfs:subClassOf :A .",
        ":p a owl:TransitiveProperty ; rdfs:subPropertyOf :q . :q owl:propertyChainAxiom ( :q :p ) .",
    ],
)
def test_axioms_over_random_facts(axiom: str) -> None:
    """Each kind of axiom that the rules hold gives what owlrl gives, over facts at random."""
    chance = random.Random(axiom)
    ontology = Graph().parse(data=HEAD + axiom, format="turtle")
    for _ in range(5):
        data = Graph()
        for _ in range(25):
            s, o = (URIRef(f"http://y/{chance.randrange(8)}") for _ in range(2))
            if chance.random() < 0.3:
                data.add((s, URIRef(rules.TYPE), URIRef(f"http://x/{chance.choice('ABC')}")))
            else:
                data.add((s, URIRef(f"http://x/{chance.choice('pqrs')}"), chance.choice([o, URIRef("http://x/v")])))
        assert {f for f in by_rules(ontology, data) if f[0].startswith("http://y/")} == {
            f for f in by_owlrl(ontology, data) if f[0].startswith("http://y/")
        }


def test_a_contradiction_is_told() -> None:
    """Classes that exclude each other, in one paper or in two."""
    held = rules.compiled(Graph().parse(data=HEAD + ":A owl:disjointWith :B . :C rdfs:subClassOf :B .", format="turtle"))
    with pytest.raises(Unreasonable, match="contradicts itself"):
        rules.Closed(held, [("http://y/i", rules.TYPE, "http://x/A"), ("http://y/i", rules.TYPE, "http://x/C")])


def test_what_is_no_paper() -> None:
    """The vocabulary is the ground that papers stand on."""
    papers = {topic for topic in map(resources.topic, resources.texts("graphs")) if parts.is_paper(topic)}
    assert {topic.split("/")[1] for topic in papers} == set(generate.KEYS)
