"""The Graph Store Protocol, its reading half: each named graph, and the default graph, under an address of its own.

``/graphs?graph=<IRI>`` names a graph indirectly, ``/graphs/<name>`` directly, ``/graphs?default`` is the default
graph of the endpoint: the union. Nothing is written: other methods are 405 and say what is allowed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import pyoxigraph as ox
from flask import Blueprint, Response, current_app, render_template, request
from werkzeug.exceptions import NotAcceptable

from sekinin import queries
from sekinin.errors import BadQuery, Missing
from sekinin.formats import GRAPHS, ROWS
from sekinin.namespaces import PREFIXES, graph_iri, made
from sekinin.store import EmbeddedStore, Row, Store, rows
from sekinin.workers import Job
from webapp.addresses import meant
from webapp.answers import answer, inference, respond, stamp, store, version
from webapp.negotiation import HTML, wanted
from webapp.offered import page_of
from webapp.saved import ask
from webapp.words import language

blueprint = Blueprint("graphstore", __name__)
AT_ONCE: Final = 100
"""Graphs on one page of the list."""
_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:[^\s<>\"{}|\\^`\x00-\x20\ufffd]+")


@dataclass(frozen=True)
class Register:
    """What the dataset holds, read once for each version of it.

    Args:
        graphs: the named graphs, in order of their IRIs.
        withdrawn: for each IRI that was withdrawn, its successors.
        services: the services, which have a page of their own kind.
    """

    graphs: dict[str, None]
    withdrawn: dict[str, tuple[str, ...]]
    services: frozenset[str]


def register() -> Register:
    """Return the register of the dataset that is being served."""
    kept: tuple[str, Register] | None = current_app.extensions.get("sekinin-register")
    if kept is None or kept[0] != version():
        named = dict.fromkeys(_named(store()))
        gone: dict[str, tuple[str, ...]] = {}
        for row in _rows("resources/withdrawn"):
            iri = row["resource"].value
            gone[iri] = gone.get(iri, ()) + ((row["successor"].value,) if "successor" in row else ())
        services = frozenset(row["service"].value for row in _rows("services/names"))
        kept = current_app.extensions["sekinin-register"] = (version(), Register(named, gone, services))
    return kept[1]


def _named(held: Store) -> list[str]:
    """Return the named graphs; the embedded store has a list of them, another server must look at all."""
    if isinstance(held, EmbeddedStore):
        return sorted(graph.value for graph in held.engine.named_graphs() if isinstance(graph, ox.NamedNode))
    return [row["graph"].value for row in _rows("resources/graphs")]


def _rows(name: str) -> Iterable[Row]:
    return rows(queries.bind(queries.get(name), {}).ask(store()))


@blueprint.get("/graphs", strict_slashes=False)
def graphs() -> Response:
    """Give the graph that the request names, or the list of all.

    Source: SPARQL 1.1 Graph Store HTTP Protocol, section 4.2: the IRI is decoded once and must be absolute.
    """
    named = request.args.getlist("graph")
    if len(named) + ("default" in request.args) > 1:
        raise BadQuery("graphs", "the request names more than one graph", "say either ?default or one ?graph=<IRI>")
    if "default" in request.args:
        return whole("resources/everything" if inference() else "resources/asserted")
    if named:
        if not _ABSOLUTE.fullmatch(named[0]):
            raise BadQuery("graph", f"{named[0][:100]!r} is not an absolute IRI", "write it whole, percent-encoded once")
        return graph(named[0])
    try:
        form = wanted(ROWS)
    except NotAcceptable as why:
        wanted(GRAPHS)  # who takes no RDF either gets the 406
        raise BadQuery("graphs", "the request names no graph", "say ?default or ?graph=<IRI>") from why
    if form != HTML:
        return respond(queries.get("resources/graphs").text)
    named = [iri for iri in register().graphs if inference() or made(iri) == "asserted"]
    some, number, pages = page_of(named, AT_ONCE)
    listed = [(iri, made(iri), size) for iri, size in zip(some, _sizes(some), strict=True)]
    page = render_template(
        "graphs.html", graphs=listed, number=len(named), page=number, pages=pages, formats=GRAPHS.values(), start=PREFIXES["g"], base=""
    )
    return stamp(Response(page, mimetype="text/html"), "graphs", language(), str(inference()))


def _sizes(graphs: Iterable[str]) -> list[int]:
    """Return how many triples each graph has: as the dataset says of itself, or counted where it does not."""
    said = [next(iter(ask("describe/graph-size", graph=iri)), None) for iri in graphs]
    if None in said:
        counted = {row["graph"].value: row for row in ask("resources/graphs")}
        said = [counted[iri] for iri in graphs]
    return [int(row["triples"].value) for row in said if row]


@blueprint.get("/graphs/<path:name>", merge_slashes=False)
def direct(name: str) -> Response:
    """Give the named graph of ours whose IRI ends in this path."""
    known = register().graphs
    return graph(next((iri for iri in meant(PREFIXES["g"], name) if iri in known), graph_iri(name)))


def graph(iri: str, form: str = "") -> Response:
    """Give one named graph; asked for by name, a graph that was inferred is given too.

    Args:
        form: name of the format; without one, the request decides.
    Raises:
        Missing: if there is no such graph.
    """
    if iri not in register().graphs:
        raise Missing(iri, "there is no named graph of this IRI", "see the list at /graphs")
    return whole("resources/graph", form, graph=iri)


def whole(name: str, form: str = "", **given: str) -> Response:
    """Answer with all that the saved question ``name`` constructs, asked through the workers and streamed.

    Args:
        name: a question with CONSTRUCT.
        form: name of the format; without one, the request decides.
        given: the parameters of the question.
    """
    wish = GRAPHS[form or wanted(GRAPHS, page=False)]
    text = queries.bind(queries.get(name), given).text()
    early = stamp(Response(mimetype=wish.media), text, wish.name)
    if early.status_code != 200:
        return early
    found = answer(Job(text, graph=wish.name))
    if isinstance(found.body, bytes):
        response = Response(found.body, mimetype=wish.media)
    else:
        size = found.body.stat().st_size
        if request.method == "HEAD":
            found.body.unlink(missing_ok=True)
        response = Response(b"" if request.method == "HEAD" else found.stream(), mimetype=wish.media)
        response.content_length = size
    if wish.media.startswith("text/"):
        response.headers["Content-Type"] = f"{wish.media}; charset=utf-8"
    if found.cut:
        response.headers["Sekinin-Truncated"] = f"rows={found.cut}"
    return stamp(response, text, wish.name)
