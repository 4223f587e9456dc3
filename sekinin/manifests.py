"""The W3C's tests as their manifests tell them: what is sent, over which data, and what is expected.

Nothing is known of a test but what its manifest says.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit
from urllib.request import url2pathname

from rdflib import Graph, Literal, Namespace
from rdflib.collection import Collection
from rdflib.namespace import RDF, RDFS
from rdflib.term import Node

from sekinin.errors import BadData, Missing

MF: Final = Namespace("http://www.w3.org/2001/sw/DataAccess/tests/test-manifest#")
QT: Final = Namespace("http://www.w3.org/2001/sw/DataAccess/tests/test-query#")
UT: Final = Namespace("http://www.w3.org/2009/sparql/tests/test-update#")
HT: Final = Namespace("http://www.w3.org/2011/http#")
CNT: Final = Namespace("http://www.w3.org/2011/content#")

KINDS: Final = ("ProtocolTest", "ServiceDescriptionTest", "GraphStoreProtocolTest", "CSVResultFormatTest", "QueryEvaluationTest")
"""The types of test, in the vocabulary of the manifests, that are run."""


@dataclass(frozen=True)
class Request:
    """One request of a test, and what its manifest expects of the response.

    Args:
        method: of HTTP.
        path: as the manifest writes it, with the query.
        headers: by lower-case name.
        body: in the encoding that the manifest names.
        status: accepted codes, ``2xx`` for a class of them.
        boolean: what an ASK answers, if that is told.
        format: ``boolean``, ``tabular``, ``RDF`` or nothing.
        media: media type of the response, if that is told.
        content: RDF that the response must be isomorphic to, if that is told.
    """

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    status: tuple[str, ...]
    boolean: bool | None = None
    format: str = ""
    media: str = ""
    content: str | None = None


@dataclass(frozen=True)
class Entry:
    """One entry of a manifest.

    Args:
        suite: label of its manifest.
        iri: its name.
        label: what it is about, in English.
        kind: local name of its type.
        requires: features without which it does not apply.
        data: files of the dataset with the name of their graph, which is empty for the default graph.
        requests: to be sent in this order.
        query: file of the query, for a test of results.
        result: file of the expected results.
    """

    suite: str
    iri: str
    label: str
    kind: str
    requires: tuple[str, ...] = ()
    data: tuple[tuple[str, Path], ...] = ()
    requests: tuple[Request, ...] = ()
    query: Path | None = None
    result: Path | None = None

    @property
    def slug(self) -> str:
        """Return a short name that no other test has: the folder of its manifest and its own name."""
        base, _, local = self.iri.rpartition("#")
        return f"{base.split('/')[-2]}-{local}" if base.count("/") > 1 else local


def read(folder: Path) -> list[Entry]:
    """Return the tests of every manifest below ``folder``, in the order of the files and of their entries.

    Every ``manifest*.ttl`` is read for itself, so that ``mf:include`` adds nothing.

    Raises:
        Missing: if the folder or every test in it is missing.
        BadData: if a manifest does not parse.
    """
    found: list[Entry] = []
    for path in sorted(folder.rglob("manifest*.ttl")):
        text = path.read_text(encoding="utf-8")
        if not any(kind in text for kind in KINDS):
            continue
        try:
            graph = Graph().parse(data=text, format="turtle", publicID=path.resolve().as_uri())
        except (SyntaxError, ValueError) as why:
            raise BadData(str(path), f"the manifest does not parse ({why})", "fetch the test suite again") from why
        for manifest in graph.subjects(RDF.type, MF.Manifest):
            suite = str(graph.value(manifest, RDFS.label) or path.parent.name)
            for entry in _items(graph, graph.value(manifest, MF.entries)):
                kind = next((k for k in KINDS if (entry, RDF.type, MF[k]) in graph), "")
                if kind:
                    found.append(_test(graph, entry, suite, kind))
    if not found:
        raise Missing(str(folder), "there is no manifest with tests of the SPARQL protocol", "name the folder of the W3C test suites")
    return found


def _items(graph: Graph, head: Node | None) -> list[Node]:
    return list(Collection(graph, head)) if head is not None else []


def _test(graph: Graph, entry: Node, suite: str, kind: str) -> Entry:
    action = graph.value(entry, MF.action)
    data = [(str(graph.value(g, RDFS.label)), _file(graph.value(g, UT.graph))) for g in graph.objects(entry, UT.graphData)]
    files = [("", _file(f)) for f in graph.objects(action, QT.data)] if action else []
    files += [(str(f), _file(f)) for f in graph.objects(action, QT.graphData)] if action else []
    return Entry(
        suite=suite,
        iri=str(entry),
        label=str(graph.value(entry, MF.name)),
        kind=kind,
        requires=tuple(sorted(str(o).removeprefix(str(MF)) for o in graph.objects(entry, MF.requires))),
        data=tuple(sorted((name, path) for name, path in [*data, *files] if path)),
        requests=tuple(_request(graph, node) for node in _items(graph, graph.value(action, HT.requests) if action else None)),
        query=_file(graph.value(action, QT.query)) if action else None,
        result=_file(graph.value(entry, MF.result)),
    )


def _file(node: Node | None) -> Path | None:
    return Path(url2pathname(urlsplit(str(node)).path)) if node is not None and str(node).startswith("file:") else None


def _headers(graph: Graph, node: Node | None) -> dict[str, str]:
    found = _items(graph, graph.value(node, HT.headers)) if node is not None else []
    return {str(graph.value(h, HT.fieldName)).lower(): str(graph.value(h, HT.fieldValue)) for h in found}


def _request(graph: Graph, node: Node) -> Request:
    body, response = graph.value(node, HT.body), graph.value(node, HT.resp)
    encoding = str(graph.value(body, CNT.characterEncoding) or "utf-8") if body else "utf-8"
    boolean = graph.value(response, MF.expectedBoolean)
    content = graph.value(response, HT.body)
    return Request(
        method=str(graph.value(node, HT.methodName)),
        path=str(graph.value(node, HT.absolutePath)),
        headers=_headers(graph, node),
        body=str(graph.value(body, CNT.chars)).encode(encoding) if body else b"",
        status=tuple(sorted(_code(str(o)) for o in graph.objects(response, MF.expectedStatus))),
        boolean=bool(boolean.toPython()) if isinstance(boolean, Literal) else None,
        format=str(graph.value(response, MF.expectedFormat) or ""),
        media=_headers(graph, response).get("content-type", ""),
        content=str(graph.value(content, CNT.chars)) if content else None,
    )


def _code(iri: str) -> str:
    """Return ``404`` for ``hts:NotFound`` and ``4xx`` for ``hts:StatusCode4xx``."""
    name = iri.rpartition("#")[2]
    if name.startswith("StatusCode"):
        return name.removeprefix("StatusCode")
    return next((str(s.value) for s in HTTPStatus if re.sub(r"\W", "", s.phrase).lower() == name.lower()), name)
