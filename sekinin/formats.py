"""The formats of answers: short name, media type, ending, and the words that clients use for them. Said once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import pyoxigraph as ox


@dataclass(frozen=True)
class Format:
    """One format.

    Args:
        name: short name, as in ``?format=`` and on the command line.
        media: media type that is sent.
        ending: of its files, without the dot.
        engine: what pyoxigraph calls it; None for what it does not write.
        words: other names by which clients ask for it, media types included.
        comment: how a line of the body becomes a comment (with ``{}`` for its text), or the empty string.
    """

    name: str
    media: str
    ending: str
    engine: ox.QueryResultsFormat | ox.RdfFormat | None
    words: tuple[str, ...] = ()
    comment: str = ""


_Q, _R = ox.QueryResultsFormat, ox.RdfFormat
ROWS: Final = {
    f.name: f
    for f in (
        Format("json", "application/sparql-results+json", "srj", _Q.JSON, ("application/json", "sparql-results+json", "srj")),
        Format("xml", "application/sparql-results+xml", "srx", _Q.XML, ("application/xml", "text/xml", "sparql-results+xml", "srx"), "<!-- {} -->"),
        Format("csv", "text/csv", "csv", _Q.CSV, ("text/plain",)),
        Format("tsv", "text/tab-separated-values", "tsv", _Q.TSV),
    )
}
"""Formats of SELECT and ASK."""
GRAPHS: Final = {
    f.name: f
    for f in (
        Format("turtle", "text/turtle", "ttl", _R.TURTLE, ("application/x-turtle", "ttl", "n3", "text/n3", "text/rdf+n3"), "# {}"),
        Format("ntriples", "application/n-triples", "nt", _R.N_TRIPLES, ("nt", "n-triples", "text/plain"), "# {}"),
        Format("rdfxml", "application/rdf+xml", "rdf", _R.RDF_XML, ("rdf+xml", "rdf", "xml", "application/xml"), "<!-- {} -->"),
        Format("jsonld", "application/ld+json", "jsonld", _R.JSON_LD, ("json-ld", "ld+json", "json", "application/json")),
        Format("trig", "application/trig", "trig", _R.TRIG, ("application/x-trig",), "# {}"),
        Format("nquads", "application/n-quads", "nq", _R.N_QUADS, ("nq", "n-quads"), "# {}"),
    )
}
"""Formats of CONSTRUCT, DESCRIBE, graphs and dumps."""


def named(offers: dict[str, Format], word: str) -> Format | None:
    """Return the format of ``offers`` that ``word`` means, or None."""
    return offers.get(word) or next((f for f in offers.values() if word == f.media or word in f.words), None)
