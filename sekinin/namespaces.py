"""The names that Sekinin uses: prefixes once, and its own terms closed.

``SK.Obligation`` is a term of the ontology or an error: a misspelt name never becomes
an IRI that means nothing.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Final

from rdflib import URIRef

from sekinin import resources
from sekinin.errors import BadData

BASE: Final = "https://w3id.org/sekinin"
"""Base of every IRI that this project mints. The w3id prefix is not registered yet."""

FRAMEWORKS: Final = {
    "c17": "iso27017-2015",
    "c13": "iso27002-2013",
    "c22": "iso27002-2022",
    "meti": "meti-2013",
    "sheet": "ai-analyst-checksheet",
}
"""Prefix of each framework, and its name with its edition as it stands in the IRIs."""

PREFIXES: Final = {
    "dcat": "http://www.w3.org/ns/dcat#",
    "dcterms": "http://purl.org/dc/terms/",
    "dpv": "https://w3id.org/dpv#",
    "ent": "http://www.w3.org/ns/entailment/",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "formats": "http://www.w3.org/ns/formats/",
    "g": f"{BASE}/graph/",
    "id": f"{BASE}/id/",
    "loc": "https://w3id.org/dpv/loc#",
    "oa": "http://www.w3.org/ns/oa#",
    "org": "http://www.w3.org/ns/org#",
    "owl": "http://www.w3.org/2002/07/owl#",
    "pav": "http://purl.org/pav/",
    "prov": "http://www.w3.org/ns/prov#",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "schema": "https://schema.org/",
    "sd": "http://www.w3.org/ns/sparql-service-description#",
    "semapv": "https://w3id.org/semapv/vocab/",
    "sh": "http://www.w3.org/ns/shacl#",
    "sk": f"{BASE}#",
    "skos": "http://www.w3.org/2004/02/skos/core#",
    "sks": f"{BASE}/shapes#",
    "spdx": "http://spdx.org/rdf/terms#",
    "sssom": "https://w3id.org/sssom/",
    "tech": "https://w3id.org/dpv/tech#",
    "vann": "http://purl.org/vocab/vann/",
    "void": "http://rdfs.org/ns/void#",
    "void-ext": "http://ldf.fi/void-ext#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
} | {prefix: f"{BASE}/framework/{name}/" for prefix, name in FRAMEWORKS.items()}
"""Every prefix of the house, for files, queries and results alike."""


BORROWED: Final[dict[str, tuple[str, ...]]] = {
    "dcat": ("hasVersion", "isVersionOf", "previousVersion", "version"),
    "dcterms": ("description", "format", "hasPart", "isReplacedBy", "issued", "language", "license", "publisher", "source", "title"),
    "oa": ("SpecificResource", "TextPositionSelector", "end", "hasSelector", "hasSource", "start"),
    "owl": (
        "Axiom", "Class", "DatatypeProperty", "ObjectProperty", "Ontology", "Restriction", "SymmetricProperty", "TransitiveProperty",
        "annotatedProperty", "annotatedSource", "annotatedTarget", "equivalentClass", "hasValue", "intersectionOf", "inverseOf", "onProperty",
        "propertyChainAxiom", "versionIRI", "versionInfo", "disjointWith",
    ),
    "prov": ("Agent", "Entity", "endedAtTime", "used", "wasAssociatedWith", "wasDerivedFrom"),
    "rdf": ("first", "rest", "type"),
    "rdfs": ("domain", "isDefinedBy", "label", "seeAlso", "subClassOf", "subPropertyOf"),
    "schema": ("OpeningHoursSpecification", "closes", "dayOfWeek", "openingHoursSpecification", "opens"),
    "sh": (
        "NodeShape", "PropertyShape", "class", "datatype", "in", "languageIn", "lessThan", "maxCount", "maxInclusive", "maxLength", "message",
        "minCount", "minExclusive", "minInclusive", "nodeKind", "or", "path", "pattern", "property", "targetClass", "uniqueLang",
    ),
    "skos": (
        "Concept", "ConceptScheme", "broader", "closeMatch", "definition", "exactMatch", "inScheme", "notation", "note", "prefLabel", "scopeNote",
        "topConceptOf", "altLabel", "example",
    ),
    "spdx": ("Checksum", "algorithm", "checksum", "checksumValue"),
    "sssom": ("confidence", "mapping_date", "mapping_justification", "object_source_version", "predicate_id", "subject_source_version"),
    "vann": ("preferredNamespacePrefix", "preferredNamespaceUri"),
}  # fmt: skip
"""What the files of the house use of each borrowed vocabulary, properties and classes: a misspelt one is refused. Add what you need."""


def graph_iri(topic: str) -> str:
    """Return the IRI of the named graph that a file becomes.

    Args:
        topic: its name within the house, as ``resources.topic`` gives it.
    """
    return PREFIXES["g"] + topic.removeprefix("graphs/")


def made(graph: str) -> str:
    """Return how a named graph came to be: ``asserted``, ``inferred``, ``derived``, or ``described`` if it tells of the dataset itself."""
    folder = graph.removeprefix(PREFIXES["g"]).partition("/")[0]
    return {"inferred": "inferred", "derived": "derived", "description": "described"}.get(folder, "asserted")


@cache
def ontology_terms() -> frozenset[str]:
    """Return the local names that the files of ``ontology/`` declare in our namespace."""
    found: set[str] = set()
    for path in resources.texts("ontology"):
        found.update(re.findall(r"(?m)^sk:([A-Za-z][A-Za-z0-9.]*[A-Za-z0-9])(?=\s|$)", path.read_text(encoding="utf-8")))
    return frozenset(found)


class _Closed:
    """A namespace that knows its members."""

    def __getattr__(self, name: str) -> URIRef:
        if name.startswith("_"):
            raise AttributeError(name)
        return self[name]

    def __getitem__(self, name: str) -> URIRef:
        if name not in ontology_terms():
            raise BadData(f"sk:{name}", "the ontology has no such term", "correct the name, or declare it in ontology/")
        return URIRef(PREFIXES["sk"] + name)


SK: Final = _Closed()
"""The ontology's own terms."""


def shrink(iri: str) -> str:
    """Return ``iri`` with a prefix of the house where one fits, else in angle brackets."""
    best = max((p for p in PREFIXES if iri.startswith(PREFIXES[p])), key=lambda p: len(PREFIXES[p]), default=None)
    return f"{best}:{iri[len(PREFIXES[best]) :]}" if best else f"<{iri}>"
