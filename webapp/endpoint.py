"""The SPARQL 1.1 Protocol, its reading half: GET, POST as a form, POST of the query itself, HEAD, OPTIONS.

A browser gets a page, a program what it accepts; without a query, a program that asks for RDF gets the
service description.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from flask import Blueprint, Response, render_template, request
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import UnsupportedMediaType

from sekinin import queries
from sekinin.errors import BadQuery, Refused
from sekinin.formats import GRAPHS
from webapp.answers import ROWS_ON_A_PAGE, respond, stamp
from webapp.completion import interface
from webapp.data import service_description
from webapp.negotiation import HTML, wanted
from webapp.words import language

blueprint = Blueprint("endpoint", __name__)


@dataclass(frozen=True)
class Asked:
    """What a request asks: the query and the dataset that it names."""

    query: str
    default_graphs: tuple[str, ...]
    named_graphs: tuple[str, ...]


def asked() -> Asked:
    """Read the request.

    Raises:
        BadQuery: for several queries, or text that is not UTF-8.
        Refused: for an update.
        UnsupportedMediaType: for a body of another kind.
    Source: SPARQL 1.1 Protocol, section 2.1.
    """
    values: MultiDict[str, str] = request.args
    text = ""
    _strictly(request.query_string)
    if request.method == "POST":
        media = request.mimetype
        if request.headers.get("Content-Encoding", "identity") != "identity":
            raise UnsupportedMediaType("send the query as it is, not compressed")
        if media == "application/sparql-update":
            raise Refused("query", "the graph is read-only", "correct the Turtle and build again")
        if media == "application/sparql-query":
            charset = request.mimetype_params.get("charset", "utf-8")
            text = _decoded(request.get_data(), "utf-8" if charset.lower() in ("utf-8", "utf8") else "ascii")
        elif media == "application/x-www-form-urlencoded":
            _strictly(request.get_data(cache=True, parse_form_data=False))
            values = request.form
        else:
            raise UnsupportedMediaType("send application/x-www-form-urlencoded or application/sparql-query")
    if "update" in values:
        raise Refused("query", "the graph is read-only", "correct the Turtle and build again")
    given = values.getlist("query")
    if len(given) + bool(text) > 1:
        raise BadQuery("query", "there are several queries", "send one")
    text = text or "".join(given)
    return Asked(text, tuple(values.getlist("default-graph-uri")), tuple(values.getlist("named-graph-uri")))


def _strictly(encoded: bytes) -> None:
    """Refuse what is not UTF-8 once it is decoded; the framework would let it pass as it was written."""
    _decoded(unquote_to_bytes(encoded))


def _decoded(content: bytes, encoding: str = "utf-8") -> str:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as why:
        raise BadQuery("query", f"byte {why.start} is not UTF-8", "send the query as UTF-8, percent-encoded once") from why


@blueprint.route("/sparql", methods=["GET", "POST"], strict_slashes=False)
@blueprint.route("/sparql/", methods=["GET", "POST"])
def sparql() -> Response:
    """Answer one query, show the form, or describe the service."""
    given = asked()
    if given.query.strip():
        return respond(
            given.query,
            default_graphs=given.default_graphs,
            named_graphs=given.named_graphs,
            page="sparql.html",
            query=given.query,
            limit=ROWS_ON_A_PAGE,
            editor=interface(),
        )
    if "query" in request.values or request.method == "POST":
        raise BadQuery("query", "there is no query", "send it as the parameter: query")
    if (form := wanted(GRAPHS)) == HTML:
        empty: dict[str, object] = {"names": [], "table": [], "answered": False, "cut": 0}
        page = render_template("sparql.html", query=example(), limit=ROWS_ON_A_PAGE, editor=interface(), **empty)
        return stamp(Response(page, mimetype="text/html"), page)
    return service_description(form)


def example() -> str:
    """Return the query that the empty form shows: the duties of the customer, in the reader's language."""
    text = queries.bind(queries.get("duties/customer-duties"), {"lang": language()}).text()
    return "\n".join(line for line in text.splitlines() if not line.startswith("#+"))
