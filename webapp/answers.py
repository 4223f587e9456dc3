"""Answers over HTTP: asked through the workers, in the format that is wanted, with the version they came from.

The dataset does not change under a version, so that every answer has an ETag and small ones are kept.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import pyoxigraph as ox
from flask import Flask, Response, current_app, render_template, request

from sekinin.formats import GRAPHS, ROWS
from sekinin.namespaces import PREFIXES
from sekinin.store import Store, Term
from sekinin.workers import Answer, Gate, Job, Limits, Pool
from webapp.kept import Kept
from webapp.negotiation import HTML, wanted
from webapp.words import language

ROWS_ON_A_PAGE: Final = 1000
"""Rows that a page shows; the other formats give all, up to the limit."""
KEPT: Final = 64 * 1024 * 1024
"""Bytes of answers that are kept; an answer that went through a file is not."""
ROWS_KEPT: Final = 300_000
"""Rows of tables that are kept."""


_STRING: Final = ox.NamedNode(PREFIXES["xsd"] + "string")


@dataclass(frozen=True)
class Tabled:
    """An answer as what a page shows.

    Args:
        names: of the columns.
        rows: of terms, one for each column.
        cut: rows after which it was cut off at a limit; 0 if it is whole.
    """

    names: tuple[str, ...]
    rows: tuple[tuple[Term | None, ...], ...]
    cut: int


class Context:
    """What the answers of one application need: its store, its workers, its version."""

    def __init__(self, store: Store, pool: Pool | Gate | None, version: str, made: datetime | None, cache: int | None = None) -> None:
        self.store = store
        self.pool = pool or Gate(store, Limits.from_environment())
        self.version = version
        self.made = made or datetime.now(UTC).replace(microsecond=0)
        self.cache = Kept[Job, Answer](KEPT if cache is None else cache, _size)
        self.tables = Kept[Job, Tabled](ROWS_KEPT, lambda _, found: len(found.rows) + 1)
        self.known: dict[str, Any] = {}  # what pages share and make once


def _size(job: Job, found: Answer) -> int:
    return len(job.text) + (len(found.body) if isinstance(found.body, bytes) else 0)


def context(app: Flask | None = None) -> Context:
    """Return the context of this application."""
    found: Context = (app or current_app).extensions["sekinin"]
    return found


def store() -> Store:
    """Return the store, for our own saved questions."""
    return context().store


def version() -> str:
    """Return the version of the dataset."""
    return context().version


def answer(job: Job, keep: bool = True) -> Answer:
    """Answer ``job`` from what is kept, or through the workers.

    Args:
        keep: whether an answer that is kept will do, and this one may be.
    Raises:
        SekininError: as ``Pool.ask`` does.
    """
    here = context()
    found = here.cache.get(job) if keep else None
    if found is None:
        found = here.pool.ask(job)
        if keep and isinstance(found.body, bytes):
            here.cache.put(job, found)
    return found


def inference() -> bool:
    """Whether this request wants what was inferred and derived too: all but ``?inference=off``."""
    return request.values.get("inference", "on") != "off"


def respond(
    text: str, *, default_graphs: tuple[str, ...] = (), named_graphs: tuple[str, ...] = (), page: str | None = None, most: int = 0, **words: object
) -> Response:
    """Answer a query over HTTP, in the format that the request wants.

    Args:
        text: the query, its parameters bound.
        default_graphs: graphs that make up the default graph; none for the union of all.
        named_graphs: graphs that GRAPH may name.
        page: name of the template for a browser; without one there is no page.
        most: rows that are wanted at most, if fewer than the limit.
        words: what the template gets besides.
    """
    rows, graph = _wanted_both(page is not None)
    if HTML in (rows, graph):
        job = Job(text, "json", "ntriples", default_graphs, named_graphs, inference(), most or ROWS_ON_A_PAGE)
        shown = table(answer(job))
        html = render_template(page or "", names=shown.names, table=shown.rows, cut=shown.cut, answered=True, **words)
        return stamp(Response(html, mimetype="text/html"), text, "html", language())
    job = Job(text, rows, graph, default_graphs, named_graphs, inference(), most)
    early = stamp(Response(), repr(job))
    if early.status_code != 200:
        return early
    found = answer(job)
    form = (GRAPHS if found.kind == "graph" else ROWS)[found.format]
    body = found.body if isinstance(found.body, bytes) else found.stream()
    if request.method == "HEAD" and not isinstance(found.body, bytes):
        found.body.unlink(missing_ok=True)
        body = b""
    response = Response(body, mimetype=form.media)
    if form.media.startswith("text/"):
        response.headers["Content-Type"] = f"{form.media}; charset=utf-8"
    if found.cut:
        response.headers["Sekinin-Truncated"] = f"rows={found.cut}"
    return _head(response, _tag(repr(job)))


def _wanted_both(page: bool) -> tuple[str, str]:
    """Return the formats for rows and for a graph; a client that accepts only one family gets the default of the other."""
    from werkzeug.exceptions import NotAcceptable

    from sekinin.errors import BadQuery

    found: list[str] = []
    refused: Exception | None = None
    for offers in (ROWS, GRAPHS):
        try:
            found.append(wanted(offers, page))
        except (NotAcceptable, BadQuery) as why:
            refused = why if refused is None else refused
            found.append("")
    if not any(found) and refused is not None:
        raise refused
    return found[0] or next(iter(ROWS)), found[1] or next(iter(GRAPHS))


def table(found: Answer) -> Tabled:
    """Return an answer as a table."""
    body = b"".join(found.stream())
    if found.kind == "graph":
        triples = ((q.subject, q.predicate, q.object) for q in ox.parse(body, ox.RdfFormat.N_TRIPLES))
        return Tabled(("subject", "predicate", "object"), tuple(triples), found.cut)
    parsed = ox.parse_query_results(body, ox.QueryResultsFormat.JSON)
    if isinstance(parsed, ox.QueryBoolean):
        return Tabled(("ASK",), ((ox.Literal(bool(parsed)),),), 0)
    return Tabled(tuple(v.value for v in parsed.variables), tuple(tuple(row) for row in parsed), found.cut)


def in_json(names: Sequence[str], rows: Iterable[Sequence[Term | None]]) -> bytes:
    """Return rows as results in JSON.

    Source: SPARQL 1.1 Query Results JSON Format, section 3.
    """
    found = [{name: _json_term(term) for name, term in zip(names, row, strict=True) if term is not None} for row in rows]
    return json.dumps({"head": {"vars": names}, "results": {"bindings": found}}, ensure_ascii=False).encode()


def _json_term(term: Term) -> dict[str, str]:
    if isinstance(term, ox.Literal):
        kind = {"xml:lang": term.language} if term.language else {} if term.datatype == _STRING else {"datatype": term.datatype.value}
        return {"type": "literal", "value": term.value, **kind}
    return {"type": "bnode" if isinstance(term, ox.BlankNode) else "uri", "value": term.value}


def _tag(*parts: str) -> str:
    """Return the tag of an answer: the version, and when it was made, as the description of the dataset says that too."""
    return hashlib.sha256("\0".join((version(), context().made.isoformat(), *parts)).encode()).hexdigest()[:32]


def _head(response: Response, tag: str) -> Response:
    response.set_etag(tag)
    response.last_modified = context().made
    response.headers["Sekinin-Version"] = version()
    response.headers["Cache-Control"] = "public, max-age=0, must-revalidate"
    response.headers["Vary"] = "Accept, Accept-Language"
    return response


def stamp(response: Response, *parts: str) -> Response:
    """Give a response the version it came from, and answer 304 if the client has it already.

    Args:
        parts: whatever the body depends on besides the dataset: the query, the format, the language.
    Source: RFC 9110, section 13.
    """
    _head(response, _tag(*parts))
    if request.method in ("GET", "HEAD"):
        response.make_conditional(request)
    return response
