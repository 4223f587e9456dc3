"""The W3C's own tests, put to an application: what passed, what was refused, what failed.

Nothing is known of a test but what its manifest says. The library knows no web framework: an application is
whatever answers a request over given quads. What the runner cannot judge it says, and never counts as passed.
"""

from __future__ import annotations

import csv
import email.parser
import email.policy
import io
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs, urlsplit

import pyoxigraph as ox
from rdflib.namespace import RDF

from sekinin.earl import Outcome
from sekinin.errors import Refused
from sekinin.formats import GRAPHS, ROWS, Format, named
from sekinin.manifests import Entry, Request
from sekinin.namespaces import PREFIXES, graph_iri
from sekinin.store import refuse_what_reaches_out, skeleton

Reply = tuple[int, Mapping[str, str], bytes]
Ask = Callable[[str, str, Mapping[str, str], bytes], Reply]
"""Sends method, path with query, headers and body to an application."""
Serve = Callable[[list[ox.Quad] | None], AbstractContextManager[Ask]]
"""Starts an application over these quads, or over the data that were built, and ends it."""

SD: Final = "http://www.w3.org/ns/sparql-service-description#"

HERE: Final = {"/sparql/": "/sparql", "/gsp": "/graphs"}
"""What the paths of the manifests begin with, and where that is in our application."""
FEATURES: Final = frozenset({"IndirectGraphIdentification", "DirectGraphIdentification"})
"""What a test may require (``mf:requires``) to be run here."""
HOST: Final = "http://localhost"
"""Under this name the application is asked."""
KIND_OF_ANSWER: Final = {
    "boolean": {f.media: f for f in ROWS.values() if f.name in ("json", "xml")},
    "tabular": {f.media: f for f in ROWS.values()},
    "RDF": {f.media: f for f in GRAPHS.values()},
}
"""For each ``mf:expectedFormat`` the media types that fit it."""


class _Unlike(Exception):
    """A response is not what the manifest expects; its arguments are the two notes."""

    def __init__(self, en: str, ja: str) -> None:
        super().__init__(en)
        self.notes = {"en": en, "ja": ja}


# ---- the run


def run(tests: Iterable[Entry], serve: Serve) -> list[Outcome]:
    """Put each test to the application that ``serve`` starts over its data, and return how each ended."""
    return [judge(test, serve) for test in tests]


def judge(test: Entry, serve: Serve) -> Outcome:
    """Put one test to the application; whatever goes wrong in between is a failed test."""
    try:
        result, notes = _judge(test, serve)
    except _Unlike as why:
        result, notes = "failed", why.notes
    except Exception as why:
        result, notes = "failed", {"en": f"it broke off: {type(why).__name__}: {why}", "ja": f"途中で失敗: {type(why).__name__}: {why}"}
    return Outcome(test.suite, test.iri, test.slug, test.label, result, notes)


def _judge(test: Entry, serve: Serve) -> tuple[str, dict[str, str]]:
    quads = [quad for name, path in test.data for quad in _parsed(path, name)]
    if test.kind == "ServiceDescriptionTest":
        with serve(None) as ask:
            return _described(test, ask)
    if test.kind in ("QueryEvaluationTest", "CSVResultFormatTest"):
        return _evaluated(test, serve, quads)
    lacking = [feature for feature in test.requires if feature not in FEATURES]
    if test.kind == "GraphStoreProtocolTest":
        return _stored(test, serve, lacking)
    with serve(quads) as ask:
        return _spoken(test, ask)


def _parsed(path: Path, name: str) -> list[ox.Quad]:
    form = ox.RdfFormat.from_extension(path.suffix[1:]) or ox.RdfFormat.TURTLE
    graph = ox.NamedNode(name) if name else ox.DefaultGraph()
    return [ox.Quad(q.subject, q.predicate, q.object, graph) for q in ox.parse(path.read_bytes(), form, base_iri=path.as_uri())]


def _send(ask: Ask, request: Request) -> Reply:
    prefix = max((p for p in HERE if request.path.startswith(p)), key=len, default="")
    path = HERE[prefix] + request.path.removeprefix(prefix) if prefix else request.path
    status, headers, body = ask(request.method, path, request.headers, request.body)
    return status, {name.lower(): value for name, value in headers.items()}, body


def _fits(status: int, codes: Iterable[str]) -> bool:
    return any(str(status) == code or (code.endswith("xx") and str(status)[0] == code[0]) for code in codes)


def _refused(request: Request, reply: Reply) -> None:
    if not _fits(reply[0], ("4xx",)):
        raise _Unlike(
            f"{request.method} {request.path[:60]}: a write was answered with {reply[0]} and not refused with 4xx",
            f"{request.method} {request.path[:60]}: 書込みが4xxで拒否されず、{reply[0]} が返った",
        )


def _holds(request: Request, reply: Reply) -> None:
    """Compare a response with what the manifest expects."""
    status, headers, body = reply
    here = f"{request.method} {request.path[:60]}"
    if not _fits(status, request.status):
        wanted = ", ".join(request.status)
        raise _Unlike(f"{here}: status {status}, expected {wanted}", f"{here}: 状態コード {status}（期待 {wanted}）")
    media, _, parameters = (part.strip().lower() for part in headers.get("content-type", "").partition(";"))
    if request.format:
        form = KIND_OF_ANSWER.get(request.format, {}).get(media)
        if form is None:
            raise _Unlike(f"{here}: {media or 'no media type'} is not {request.format}", f"{here}: {media or '形式なし'} は {request.format} でない")
        said = _said(form, body, here)
        if request.boolean is not None and said is not request.boolean:
            raise _Unlike(f"{here}: answered {said}, expected {request.boolean}", f"{here}: 答え {said}（期待 {request.boolean}）")
    expected, _, wish = (part.strip().lower() for part in request.media.partition(";"))
    if expected and (media != expected or (parameters and wish and parameters != wish)):
        raise _Unlike(f"{here}: media type {media}, expected {expected}", f"{here}: 形式 {media}（期待 {expected}）")
    if request.content is not None and _canonical(_triples(body, media, here)) != _canonical(_triples(request.content.encode(), expected, here)):
        raise _Unlike(f"{here}: another graph than expected", f"{here}: 期待と異なるグラフ")


def _said(form: Format, body: bytes, here: str) -> bool | None:
    """Parse a body in its own format; return what it says if it is a boolean."""
    try:
        if isinstance(form.engine, ox.RdfFormat):
            list(ox.parse(body, form.engine, base_iri=HOST))
        elif form.name == "csv":
            list(csv.reader(io.StringIO(body.decode("utf-8")), strict=True))
        else:
            parsed = ox.parse_query_results(body, form.engine)
            if isinstance(parsed, ox.QueryBoolean):
                return bool(parsed)
            list(parsed)
    except (SyntaxError, ValueError, csv.Error) as why:
        raise _Unlike(f"{here}: the body is not {form.name} ({why})", f"{here}: 本文が {form.name} でない（{why}）") from why
    return None


def _triples(body: bytes, media: str, here: str) -> set[ox.Triple]:
    form = named(GRAPHS, media)
    if form is None or not isinstance(form.engine, ox.RdfFormat):
        raise _Unlike(f"{here}: {media or 'no media type'} is no RDF", f"{here}: {media or '形式なし'} はRDFでない")
    try:
        return {q.triple for q in ox.parse(body, form.engine, base_iri=HOST)}
    except (SyntaxError, ValueError) as why:
        raise _Unlike(f"{here}: the body is not {form.name} ({why})", f"{here}: 本文が {form.name} でない（{why}）") from why


def _canonical(triples: Iterable[ox.Triple]) -> ox.Dataset:
    graph = ox.Dataset(ox.Quad(t.subject, t.predicate, t.object) for t in triples)
    graph.canonicalize(ox.CanonicalizationAlgorithm.UNSTABLE)
    return graph


# ---- the protocol


def updates(request: Request) -> bool:
    """Whether a request is an update: by its media type, by a parameter ``update``, or because its text is one."""
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    text = request.body.decode("utf-8", "replace").replace("\0", "")
    given = {**parse_qs(urlsplit(request.path).query), **(parse_qs(text) if re.match(r"\w+=", text) else {})}
    if media == "application/sparql-update" or "update" in given:
        return True
    try:
        refuse_what_reaches_out(text)
    except Refused:
        return True
    return False


def _spoken(test: Entry, ask: Ask) -> tuple[str, dict[str, str]]:
    if not any(updates(request) for request in test.requests):
        for request in test.requests:
            _holds(request, _send(ask, request))
        return "passed", {}
    for request in test.requests:
        reply = _send(ask, request)
        if updates(request):
            _refused(request, reply)
            continue
        try:  # what the update would have done must not be there
            _holds(request, reply)
        except _Unlike:
            if _fits(reply[0], ("2xx",)):
                continue
            raise
        raise _Unlike("the update was refused and took effect all the same", "拒否したはずの更新が反映されている")
    return "refused", {"en": "an update, refused with 4xx: the service is read-only", "ja": "更新を4xxで拒否（読取り専用のサービス）"}


# ---- the graph store protocol


def _stored(test: Entry, serve: Serve, lacking: list[str]) -> tuple[str, dict[str, str]]:
    """Send writes, which must be refused; then do them in the place of the service, and send what reads."""
    graphs: dict[str, set[ox.Triple]] = {}
    writes = reads = 0
    for request in test.requests:
        writing = request.method not in ("GET", "HEAD")
        if lacking and not writing:
            continue
        with serve(_quads(graphs)) as ask:
            reply = _send(ask, request)
        if writing:
            _refused(request, reply)
            writes += 1
            if not lacking:
                _write(graphs, request)
        else:
            _holds(request, reply)
            reads += 1
    if lacking:
        names = ", ".join(lacking)
        return "inapplicable", {
            "en": f"it requires {names}, which is not offered; its {writes} writes are refused with 4xx",
            "ja": f"必要な機能 {names} は提供していない。書込み {writes} 件は4xxで拒否",
        }
    if not writes:
        return "passed", {}
    return "refused", {
        "en": f"{writes} writes refused with 4xx; {reads} reads, over the graphs that the writes would have made, as expected",
        "ja": f"書込み {writes} 件を4xxで拒否。書込み後と同じグラフに対する読取り {reads} 件は期待どおり",
    }


def _quads(graphs: Mapping[str, Iterable[ox.Triple]]) -> list[ox.Quad]:
    names = {iri: ox.NamedNode(iri) if iri else ox.DefaultGraph() for iri in graphs}
    return [ox.Quad(t.subject, t.predicate, t.object, names[iri]) for iri, triples in graphs.items() for t in triples]


def _write(graphs: dict[str, set[ox.Triple]], request: Request) -> None:
    """Do what a writable service would.

    Source: SPARQL 1.1 Graph Store HTTP Protocol, sections 5.3 to 5.5.
    """
    place = urlsplit(request.path)
    iri = parse_qs(place.query).get("graph", [""])[0] or (graph_iri(place.path.removeprefix("/gsp/")) if place.path.startswith("/gsp/") else "")
    if request.method == "DELETE":
        graphs.pop(iri, None)
        return
    content = request.headers.get("content-type", "")
    bodies = [(content, request.body)]
    if content.lower().startswith("multipart/"):
        whole = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(b"Content-Type: " + content.encode() + b"\r\n\r\n" + request.body)
        bodies = [(part.get_content_type(), bytes(part.get_payload(decode=True))) for part in whole.walk() if not part.is_multipart()]
    new = {t for media, body in bodies for t in _triples(body, media.partition(";")[0].strip().lower(), request.method)}
    graphs[iri] = new | (graphs.get(iri, set()) if request.method == "POST" else set())


# ---- results


def _evaluated(test: Entry, serve: Serve, quads: list[ox.Quad]) -> tuple[str, dict[str, str]]:
    form = next((f for f in ROWS.values() if test.result and f.ending == test.result.suffix[1:]), None)
    if test.query is None or test.result is None or form is None:
        return "untested", {"en": "its expected result is in a format that is not compared here", "ja": "期待結果の形式をここでは比較しない"}
    text = test.query.read_bytes()
    with serve(quads) as ask:
        headers = {"content-type": "application/sparql-query", "accept": form.media}
        request = Request("POST", next(iter(HERE)), headers, text, ("2xx",), format="tabular", media=form.media)
        reply = _send(ask, request)
    _holds(request, reply)
    ordered = bool(re.search(r"\bORDER\s+BY\b", skeleton(text.decode("utf-8")), re.I))
    ours, theirs = (_table(body, form) for body in (reply[2], test.result.read_bytes()))
    if isinstance(ours, bool) or isinstance(theirs, bool):
        if ours is theirs:
            return "passed", {}
    elif ours[0] == theirs[0]:
        if _as_graph(*ours, ordered) == _as_graph(*theirs, ordered):
            return "passed", {}
        if _as_graph(*_by_values(ours), ordered) == _as_graph(*_by_values(theirs), ordered):
            return "passed", {
                "en": "equal by value: the store keeps the value of a number and writes it in a form of its own",
                "ja": "値として一致。ストアは数を値で保持し、独自の書き方で返す",
            }
    raise _Unlike("the results are not those expected", "結果が期待と異なる")


Cell = ox.NamedNode | ox.BlankNode | ox.Literal | ox.Triple | None
_Table = tuple[frozenset[str], list[dict[str, Cell]]]


def _table(body: bytes, form: Format) -> _Table | bool:
    """Return names and rows of a result; in CSV a cell is its text, which is all that CSV says of a term.

    Source: SPARQL 1.1 Query Results CSV and TSV Formats, section 3.2.
    """
    if form.name == "csv":
        names, *lines = list(csv.reader(io.StringIO(body.decode("utf-8"), newline="")))
        if any(len(line) != len(names) for line in lines):
            raise _Unlike("a row has not as many cells as the head", "行と見出しの列数が異なる")
        return frozenset(names), [dict(zip(names, map(_cell, line), strict=True)) for line in lines]
    assert isinstance(form.engine, ox.QueryResultsFormat)
    parsed = ox.parse_query_results(body, form.engine)
    if isinstance(parsed, ox.QueryBoolean):
        return bool(parsed)
    words = [v.value for v in parsed.variables]
    return frozenset(words), [{name: row[name] for name in words} for row in parsed]


def _cell(text: str) -> Cell:
    return ox.BlankNode(re.sub(r"\W", "", text)) if text.startswith("_:") else ox.Literal(text)


def _by_values(table: _Table) -> _Table:
    """Return a table with each number in one way of writing it; in CSV, which has no types, whatever looks like one."""
    return table[0], [{name: _by_value(cell) for name, cell in row.items()} for row in table[1]]


def _by_value(term: Cell) -> Cell:
    if not isinstance(term, ox.Literal):
        return term
    kind = term.datatype.value.removeprefix(PREFIXES["xsd"])
    try:
        if kind in ("decimal", "double", "float", "string") or kind.lower().endswith(("integer", "int", "long", "short", "byte")):
            name = {"string": "string", "decimal": "decimal", "double": "double", "float": "float"}.get(kind, "integer")
            return ox.Literal(str(Decimal(term.value).normalize()), datatype=ox.NamedNode(PREFIXES["xsd"] + name))
    except InvalidOperation:
        pass
    return term


def _as_graph(names: Iterable[str], rows: list[dict[str, Cell]], ordered: bool) -> ox.Dataset:
    """Return a table as a graph, one node a row, so that two are the same if they differ in blank nodes and open order only."""
    here = "urn:x-results:"
    triples: list[ox.Triple] = []
    for number, row in enumerate(rows):
        node = ox.BlankNode()
        triples.append(ox.Triple(node, ox.NamedNode(here + "row"), ox.Literal(number if ordered else 0)))
        triples += [ox.Triple(node, ox.NamedNode(here + "cell-" + name), cell) for name in names if (cell := row[name]) is not None]
    return _canonical(triples)


# ---- the service description


_LINKS: Final = {
    "endpoint": ("Service", ""), "feature": ("Service", "Feature"), "defaultEntailmentRegime": ("Service", "EntailmentRegime"),
    "entailmentRegime": ("NamedGraph", "EntailmentRegime"), "defaultSupportedEntailmentProfile": ("Service", "EntailmentProfile"),
    "supportedEntailmentProfile": ("NamedGraph", "EntailmentProfile"), "extensionFunction": ("Service", "Function"),
    "extensionAggregate": ("Service", "Aggregate"), "languageExtension": ("Service", "Feature"), "supportedLanguage": ("Service", "Language"),
    "propertyFeature": ("Service", "Feature"), "defaultDataset": ("Service", "Dataset"), "availableGraphs": ("Service", "GraphCollection"),
    "resultFormat": ("Service", ""), "inputFormat": ("Service", ""), "defaultGraph": ("Dataset", "Graph"),
    "namedGraph": ("GraphCollection", "NamedGraph"), "name": ("NamedGraph", ""), "graph": ("NamedGraph", "Graph"),
}  # fmt: skip
"""For each property of the vocabulary the classes of its subject and of its object."""
_ABOVE: Final = {"Dataset": {"GraphCollection"}, "Service": set(), "Graph": set(), "NamedGraph": set()}
"""For each class of things the classes of things above it; nothing is in two of the rest."""


def _described(test: Entry, ask: Ask) -> tuple[str, dict[str, str]]:
    """Ask the endpoint for its description.

    The manifest gives these tests a name and nothing to send, so that their names are known here.

    Source: SPARQL 1.1 Service Description, sections 2 and 3.
    """
    checks = {"returns-rdf": lambda _: None, "has-endpoint-triple": _has_endpoint, "conforms-to-schema": _conforms}
    check = checks.get(test.iri.rpartition("#")[2])
    if check is None:
        return "untested", {"en": "the runner does not know what this test asks", "ja": "何を確かめる試験か、この実行系は知らない"}
    accept = ", ".join(f.media for f in GRAPHS.values())
    request = Request("GET", next(iter(HERE)), {"accept": accept}, b"", ("2xx",), format="RDF")
    reply = _send(ask, request)
    _holds(request, reply)
    media = reply[1]["content-type"].partition(";")[0].strip().lower()
    triples = _triples(reply[2], media, "GET /sparql")
    if not triples:
        raise _Unlike("the description is empty", "記述が空である")
    check(triples)
    return "passed", {}


def _has_endpoint(triples: set[ox.Triple]) -> None:
    address = HOST + HERE["/sparql/"]
    said = [t.object.value for t in triples if t.predicate.value == SD + "endpoint" and isinstance(t.object, ox.NamedNode)]
    if not any(iri.rstrip("/") == address for iri in said):
        wrong = ", ".join(said)
        raise _Unlike(f"sd:endpoint is {wrong or 'missing'}, expected {address}", f"sd:endpoint が {wrong or 'ない'}（期待 {address}）")


def _conforms(triples: set[ox.Triple]) -> None:
    types: dict[object, set[str]] = {}
    for t in triples:
        if t.predicate.value == str(RDF.type) and isinstance(t.object, ox.NamedNode) and t.object.value.startswith(SD):
            types.setdefault(t.subject, set()).add(t.object.value.removeprefix(SD))
    wrong: list[str] = []
    classes = {c for pair in _LINKS.values() for c in pair if c}
    wrong += sorted(f"sd:{name} is no class" for named_ in types.values() for name in named_ - classes)
    services = [node for node, names in types.items() if "Service" in names]
    if not services:
        wrong.append("there is no sd:Service")
    for t in sorted(triples, key=str):
        if not t.predicate.value.startswith(SD):
            continue
        name = t.predicate.value.removeprefix(SD)
        if name not in _LINKS:
            wrong.append(f"sd:{name} is no property")
        elif isinstance(t.object, ox.Literal):
            wrong.append(f"sd:{name} has a literal")
        else:
            ends = zip((t.subject, t.object), _LINKS[name], strict=True)
            wrong += [f"sd:{name}: sd:{c}" for node, c in ends if _foreign(types.get(node, set()), c)]
    graphs: Counter[object] = Counter(t.subject for t in triples if t.predicate.value == SD + "name")
    holders = {t.object for t in triples if t.predicate.value == SD + "namedGraph"}
    wrong += ["an sd:namedGraph has not one sd:name" for node in holders if graphs[node] != 1]
    endpoints: Counter[object] = Counter(t.subject for t in triples if t.predicate.value == SD + "endpoint")
    wrong += ["an sd:Service has no sd:endpoint" for node in services if not endpoints[node]]
    if wrong:
        raise _Unlike("not as the vocabulary says: " + "; ".join(wrong[:5]), "語彙の定めと異なる: " + "; ".join(wrong[:5]))


def _foreign(types: set[str], wanted: str) -> bool:
    """Whether a node that must be in the class ``wanted`` is said to be a thing of another class only."""
    things = types & _ABOVE.keys()
    return bool(wanted in {*_ABOVE, "GraphCollection"} and things and wanted not in things and not any(wanted in _ABOVE[c] for c in things))
