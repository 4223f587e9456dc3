"""A new citation: where a passage stands in a paper, as Turtle to paste.

Whoever corrects a statement by hand needs positions and digests that nobody can type.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from rdflib import Graph, Literal, URIRef
from rdflib.namespace import RDF, XSD

from sekinin import queries, turtle
from sekinin.errors import Missing
from sekinin.namespaces import PREFIXES, SK
from sekinin.store import Store, rows

_OA = PREFIXES["oa"]


def citations(store: Store, paper: Path, passage: str) -> Iterator[str]:
    """Yield one citation in Turtle for each place where ``passage`` stands in ``paper``.

    Args:
        store: knows the renditions.
        paper: a file with the digest of one of them.
        passage: exactly as it stands in the file.
    Raises:
        Missing: if no rendition has the digest of the file, or the passage is not in it.
    """
    if not paper.is_file():
        raise Missing(str(paper), "there is no such file", "name the text of a paper")
    content = paper.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    known = rows(queries.bind(queries.get("sources/renditions"), {}).ask(store))
    rendition = next((row["rendition"].value for row in known if row["sha256"].value.lower() == found), None)
    if rendition is None:
        raise Missing(str(paper), f"no paper in the graph has its digest {found[:12]}…", "use the same rendition that the graph cites")
    text = content.decode("utf-8")
    start = text.find(passage)
    if start < 0 or not passage:
        raise Missing(str(paper), "the passage is not in it", "copy it exactly, with its blanks and line breaks")
    while start >= 0:
        yield _turtle(rendition, start, start + len(passage), passage)
        start = text.find(passage, start + 1)


def _turtle(rendition: str, start: int, end: int, passage: str) -> str:
    name = rendition.removeprefix(PREFIXES["id"]).removeprefix("rend-").removesuffix("-txt")
    citation, span = (URIRef(f"{PREFIXES['id']}{kind}-{name}-{start}-{end}") for kind in ("cite", "span"))
    graph = Graph()
    graph.add((citation, RDF.type, URIRef(_OA + "SpecificResource")))
    graph.add((citation, URIRef(_OA + "hasSource"), URIRef(rendition)))
    graph.add((citation, URIRef(_OA + "hasSelector"), span))
    graph.add((citation, SK.quoteSha256, Literal(hashlib.sha256(passage.encode("utf-8")).hexdigest(), datatype=XSD.hexBinary)))
    graph.add((span, RDF.type, URIRef(_OA + "TextPositionSelector")))
    graph.add((span, URIRef(_OA + "start"), Literal(start)))
    graph.add((span, URIRef(_OA + "end"), Literal(end)))
    return turtle.write(graph)
