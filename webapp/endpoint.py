"""The SPARQL endpoint: SELECT, ASK, CONSTRUCT and DESCRIBE, by GET and POST.

A browser that asks for HTML gets a page; a program gets the format it accepts, and
``?format=`` wins over Accept.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

import pyoxigraph as ox
from flask import Blueprint, Response, current_app, render_template, request
from werkzeug.exceptions import HTTPException

from sekinin.errors import BadData, BadQuery, Missing, Refused, SekininError, StoreFailure
from sekinin.namespaces import PREFIXES
from sekinin.store import Result, Store, Triples
from webapp.words import language, word

blueprint = Blueprint("endpoint", __name__)

ROWS_ON_A_PAGE: Final = 1000
"""Rows that the page shows; the other formats give all."""

ROW_FORMATS: Final = {
    "application/sparql-results+json": ("json", ox.QueryResultsFormat.JSON),
    "application/sparql-results+xml": ("xml", ox.QueryResultsFormat.XML),
    "text/csv": ("csv", ox.QueryResultsFormat.CSV),
    "text/tab-separated-values": ("tsv", ox.QueryResultsFormat.TSV),
}
GRAPH_FORMATS: Final = {
    "text/turtle": ("turtle", ox.RdfFormat.TURTLE),
    "application/n-triples": ("ntriples", ox.RdfFormat.N_TRIPLES),
    "application/rdf+xml": ("rdfxml", ox.RdfFormat.RDF_XML),
    "application/ld+json": ("jsonld", ox.RdfFormat.JSON_LD),
}
SHORT: Final = {
    "rdf+xml": "rdfxml", "rdf": "rdfxml", "json-ld": "jsonld", "ld+json": "jsonld", "ttl": "turtle", "n3": "turtle", "nt": "ntriples",
    "sparql-results+json": "json", "sparql-results+xml": "xml", 
}  # fmt: skip
"""Other words for the formats that clients send as ``format=``; SPARQLWrapper sends several."""
ALIASES: Final = {"application/json": "application/sparql-results+json", "application/xml": "application/sparql-results+xml"}
STATUS: Final = {BadQuery: 400, Refused: 403, Missing: 404, BadData: 500, StoreFailure: 503}
HTML: Final = "text/html"


@dataclass(frozen=True)
class Asked:
    """What a request to the endpoint asks: the query and the dataset it names."""

    query: str
    default_graphs: tuple[str, ...]
    named_graphs: tuple[str, ...]


def store() -> Store:
    """Return the store of this application."""
    found: Store = current_app.config["STORE"]
    return found


def wanted(offers: Mapping[str, tuple[str, object]], page: bool = True) -> str:
    """Return the media type to answer in: ``?format=`` by its short name, else the best that is accepted.

    Raises:
        BadQuery: for a format that does not exist here.
    """
    said = request.values.get("format", "")
    if said:
        word_ = SHORT.get(said, said)
        graphs = any(short == "rdfxml" for short, _ in offers.values())
        for media, (short, _) in offers.items():
            if word_ in (short, media) or (graphs and (word_, short) in (("xml", "rdfxml"), ("json", "jsonld"))):
                return media
        if said == "html" and page:
            return HTML
        raise BadQuery("format", f"{said!r} is not offered here", "formats: " + ", ".join(s for s, _ in offers.values()))
    known = [*offers, *(a for a, m in ALIASES.items() if m in offers), *([HTML] if page else [])]
    best = request.accept_mimetypes.best_match(known, default=next(iter(offers)))
    return ALIASES.get(best, best)


def _asked() -> Asked:
    """Read the request as the SPARQL 1.1 Protocol has it; a form is decoded once, by werkzeug."""
    media = request.mimetype
    if request.method == "POST" and media == "application/sparql-query":
        try:
            text = request.get_data().decode("utf-8")
        except UnicodeDecodeError as why:
            raise BadQuery("query", f"byte {why.start} is not UTF-8", "send the query as UTF-8") from why
        values = request.args
    elif request.method == "POST" and media == "application/sparql-update":
        raise Refused("query", "the graph is read-only", "correct the Turtle and build again")
    else:
        values = request.form if request.method == "POST" else request.args
        if "update" in values:
            raise Refused("query", "the graph is read-only", "correct the Turtle and build again")
        text = values.get("query", "")
        if len(values.getlist("query")) > 1:
            raise BadQuery("query", "there are several queries", "send one")
    return Asked(text, tuple(values.getlist("default-graph-uri")), tuple(values.getlist("named-graph-uri")))


@blueprint.route("/sparql", methods=["GET", "POST"])
def sparql() -> Response:
    """Answer one query, or show the form."""
    asked = _asked()
    if not asked.query.strip():
        if wanted(ROW_FORMATS) != HTML:
            raise BadQuery("query", "there is no query", "send it as the parameter: query")
        return _page(asked, None)
    result = store().query(asked.query, asked.default_graphs, asked.named_graphs)
    if isinstance(result, Triples):
        media = wanted(GRAPH_FORMATS)
        return _page(asked, result) if media == HTML else graph_response(result, media)
    media = wanted(ROW_FORMATS)
    if media == HTML:
        return _page(asked, result)
    return Response(result.serialize(format=ROW_FORMATS[media][1]), mimetype=media, headers={"Vary": "Accept"})


def graph_response(result: Iterable[ox.Triple], media: str) -> Response:
    """Return triples in the format ``media``."""
    body = ox.serialize(result, format=GRAPH_FORMATS[media][1], prefixes=PREFIXES)
    return Response(body, mimetype=media, headers={"Vary": "Accept"})


def _page(asked: Asked, result: Result | None) -> Response:
    """Show the form, and below it the result as a table."""
    names: list[str] = []
    table: list[list[object]] = []
    cut = False
    if isinstance(result, ox.QuerySolutions):
        names = [v.value for v in result.variables]
        for solution in result:
            cut = len(table) == ROWS_ON_A_PAGE
            if cut:
                break
            table.append([solution[name] for name in names])
    elif isinstance(result, Triples):
        names = ["subject", "predicate", "object"]
        for triple in result:
            cut = len(table) == ROWS_ON_A_PAGE
            if cut:
                break
            table.append([triple.subject, triple.predicate, triple.object])
    elif isinstance(result, ox.QueryBoolean):
        names, table = ["ASK"], [[ox.Literal(bool(result))]]
    text = asked.query or _example()
    html = render_template("sparql.html", query=text, names=names, table=table, answered=result is not None, cut=cut, limit=ROWS_ON_A_PAGE)
    return Response(html, mimetype=HTML, headers={"Vary": "Accept"})


def _example() -> str:
    from sekinin import queries

    lines = queries.get("duties/customer-duties").text.splitlines()
    return "\n".join(line for line in lines if not line.startswith("#+")).replace("?lang", f'"{language()}"')


@blueprint.app_errorhandler(SekininError)
def _ours(why: SekininError) -> tuple[Response, int]:
    status = next((code for kind, code in STATUS.items() if isinstance(why, kind)), 500)
    return _problem(status, why.where, why.found, why.remedy), status


@blueprint.app_errorhandler(HTTPException)
def _theirs(why: HTTPException) -> tuple[Response, int]:
    status = why.code or 500
    if status == HTTPStatus.NOT_FOUND:
        return _problem(status, request.path, word("not-found"), word("not-found-remedy")), status
    return _problem(status, request.path, why.description or why.name, ""), status


def _problem(status: int, where: str, found: str, remedy: str) -> Response:
    """Say what is wrong: a page for a browser, else a problem document (RFC 9457)."""
    if request.accept_mimetypes.best_match(["application/problem+json", HTML]) == HTML:
        return Response(render_template("error.html", status=status, where=where, found=found, remedy=remedy), mimetype=HTML)
    title = HTTPStatus(status).phrase
    body = {"type": "about:blank", "title": title, "status": status, "detail": f"{where}: {found}", "remedy": remedy}
    return Response(current_app.json.dumps(body), mimetype="application/problem+json")
