"""Triples from one library to another: pyoxigraph reads and stores, rdflib reasons and validates."""

from __future__ import annotations

from collections.abc import Iterable

import pyoxigraph as ox
from rdflib import BNode, Graph, Literal, URIRef
from rdflib.namespace import XSD


def to_graph(groups: Iterable[Iterable[ox.Quad | ox.Triple]]) -> Graph:
    """Return the union of ``groups`` as one rdflib graph; the names of the graphs are dropped."""
    graph = Graph()
    for group in groups:
        for quad in group:
            graph.add((_node(quad.subject), URIRef(quad.predicate.value), _node(quad.object)))
    return graph


def _node(term: object) -> URIRef | BNode | Literal:
    if isinstance(term, ox.NamedNode):
        return URIRef(term.value)
    if isinstance(term, ox.BlankNode):
        return BNode(term.value)
    if isinstance(term, ox.Literal):
        if term.language:
            return Literal(term.value, lang=term.language)
        plain = term.datatype.value == str(XSD.string)
        return Literal(term.value, datatype=None if plain else URIRef(term.datatype.value))
    raise TypeError(f"not an RDF 1.1 term: {term!r}")
