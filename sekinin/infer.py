"""What follows: the OWL 2 RL closure of the graph, new triples only, as clean RDF.

owlrl computes it. Only what an axiom can reach is handed over (see ``relevant``), and
what comes back is stripped of everything that is true of any graph: the raw closure is
not RDF, holds every class as its own subclass, and reports a contradiction only as a
node in the graph.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import owlrl
from owlrl.Namespaces import ERRNS
from rdflib import Graph, Literal, URIRef
from rdflib.namespace import OWL, RDF, RDFS, SKOS

from sekinin.errors import Unreasonable

Triple = tuple[URIRef, URIRef, URIRef]
_SAME = {OWL.sameAs, OWL.differentFrom}
_EVERYTHING = {OWL.Thing, RDFS.Resource, OWL.NamedIndividual}


def relevant(ontology: Graph, data: Iterable[Graph]) -> Graph:
    """Return the part of ``data`` that an axiom of ``ontology`` can reach.

    A rule of OWL 2 RL fires on a triple only if an axiom names its property, or its class
    when it is a type. Labels, positions and digests are named by none; they are most of the
    graph. ``tests/test_infer.py`` proves that the closure is the same without them.
    """
    named = named_by_axioms(ontology)
    kept = Graph()
    for graph in data:
        for s, p, o in graph:
            if (p == RDF.type and o in named) or (p != RDF.type and p in named and not isinstance(o, Literal)):
                kept.add((s, p, o))
    return kept


def named_by_axioms(ontology: Graph) -> set[object]:
    """Return the classes and properties that stand in some axiom of ``ontology``."""
    meta = {RDF.type, RDF.first, RDF.rest} | _SAME
    named: set[object] = set()
    for s, p, o in ontology:
        space = str(p).startswith((str(OWL), str(RDFS)))
        if space and p not in (RDFS.label, RDFS.comment, RDFS.isDefinedBy, RDFS.seeAlso, OWL.versionIRI, OWL.versionInfo):
            named.update(x for x in (s, o) if isinstance(x, URIRef))
        elif p in meta:
            if p == RDF.type and str(o).startswith(str(OWL)) and o not in (
                OWL.Class, OWL.ObjectProperty, OWL.DatatypeProperty, OWL.AnnotationProperty, OWL.Ontology,
            ):  # fmt: skip
                named.add(s)
            elif p == RDF.first and isinstance(o, URIRef):
                named.add(o)
    return named


def axioms(ontology: Graph) -> Graph:
    """Return ``ontology`` without its annotations: labels, definitions and notes entail nothing."""
    kept = Graph()
    for s, p, o in ontology:
        if isinstance(o, Literal) or p == RDFS.isDefinedBy:
            continue
        if str(p).startswith((str(OWL), str(RDFS), str(RDF))):
            kept.add((s, p, o))
    return kept


def closure(ontology: Graph, data: Iterable[Graph]) -> Graph:
    """Return the triples about data that follow from ``ontology`` and ``data`` and stand in neither.

    Args:
        ontology: all axioms.
        data: the graphs that are asserted.
    Returns:
        clean RDF: no literal subject, no blank node, nothing that is true of any graph.
    Raises:
        Unreasonable: if the graph contradicts itself.
    Source: OWL 2 Web Ontology Language Profiles, section 4.3.
    """
    graphs = list(data)
    work = axioms(ontology) + relevant(ontology, graphs)
    owlrl.DeductiveClosure(owlrl.OWLRL_Semantics, axiomatic_triples=False, datatype_axioms=False).expand(work)
    _look_for_contradictions(work)
    known = {triple for graph in graphs for triple in graph}
    terms = {s for s in ontology.subjects() if isinstance(s, URIRef)}
    new = Graph()
    for triple in _clean(work, terms):
        if triple not in known:
            new.add(triple)
    return new


def _look_for_contradictions(graph: Graph) -> None:
    for node in graph.subjects(RDF.type, ERRNS.ErrorMessage):
        why = graph.value(node, ERRNS.error)
        raise Unreasonable("graph", f"it contradicts itself: {why}", "correct the statement or the axiom that is named")
    for node in graph.subjects(RDF.type, OWL.Nothing):
        raise Unreasonable(str(node), "it belongs to classes that exclude each other", "correct its types")


def _clean(graph: Graph, terms: set[URIRef]) -> Iterator[Triple]:
    """Yield the triples that tell something about an individual that is not a term of the ontology."""
    for s, p, o in graph:
        if not (isinstance(s, URIRef) and isinstance(p, URIRef) and isinstance(o, URIRef)):
            continue
        if s in terms or p in _SAME or o in _EVERYTHING:
            continue
        if str(s).startswith((str(OWL), str(RDF), str(RDFS), str(SKOS))):
            continue
        if p.startswith(str(OWL)) or (p == RDF.type and str(o).startswith((str(OWL), str(RDFS), str(RDF)))):
            continue
        if p in (RDFS.subClassOf, RDFS.subPropertyOf, RDFS.domain, RDFS.range):
            continue
        yield s, p, o
