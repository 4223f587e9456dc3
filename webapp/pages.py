"""The pages: each view names its questions, binds them, and hands the rows to a template."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode

import pyoxigraph as ox
from flask import Blueprint, Response, abort, g, render_template, request, url_for

from sekinin import queries, turtle
from sekinin.convert import to_graph
from sekinin.formats import GRAPHS
from sekinin.namespaces import BASE, PREFIXES, graph_iri, shrink
from sekinin.store import Row, Triples, rows
from webapp.answers import store
from webapp.negotiation import HTML, wanted
from webapp.words import LANGUAGES, language, word

blueprint = Blueprint("pages", __name__)
LAYERS = ("CustomerLayer", "ProviderLayer", "InfrastructureLayer")
ONTOLOGY_PATH = "/ontology"


def ask(name: str, **given: str) -> list[Row]:
    """Return the rows of the saved question ``name``, in the language of this request if it has one."""
    question = queries.get(name)
    if any(p.name == "lang" for p in question.params):
        given.setdefault("lang", language())
    return list(rows(queries.bind(question, given).ask(store())))


@blueprint.get("/")
def start() -> Response | str:
    """Show the services at a glance; to a program that asks for RDF, the ontology."""
    if (media := wanted(GRAPHS)) != HTML and request.accept_mimetypes.accept_html is False:
        return _graph(BASE, media)
    return render_template("start.html", services=ask("services/services"))


@blueprint.get("/services/<name>")
def service(name: str) -> str:
    """Show one service: who is responsible, what the customer must do, what is promised, what is said to each control."""
    iri = PREFIXES["id"] + "service-" + name
    found = [row for row in ask("services/services") if row["service"].value == iri]
    if not found:
        abort(404)
    duties = ask("duties/duties", service=iri, layer="sk:CustomerLayer")
    return render_template(
        "service.html",
        service=found[0],
        atlas=_atlas(ask("responsibility/assignments", service=iri)),
        layers=ask("responsibility/layers"),
        duties=_gather(duties, "duty"),
        commitments=_gather(ask("commitments/commitments", service=iri), "commitment"),
        statements=_gather(ask("controls/statements", service=iri), "statement"),
    )


def _gather(found: Iterable[Row], key: str) -> list[dict[str, Any]]:
    """Join the rows that differ only in their section into one, with the list of its sections."""
    joined: dict[str, dict[str, Any]] = {}
    for row in found:
        entry = joined.setdefault(row[key].value, {**row, "sections": []})
        section = {name: row[name] for name in ("section", "notation", "title") if name in row}
        if section not in entry["sections"]:
            entry["sections"].append(section)
    return list(joined.values())


def _atlas(found: Iterable[Row]) -> list[dict[str, Any]]:
    """Return one entry an area, in order, with its assignments by layer."""
    areas: dict[str, dict[str, Any]] = {}
    for row in _gather(found, "assignment"):
        area = areas.setdefault(row["area"].value, {"label": row["areaLabel"], "cells": defaultdict(list)})
        area["cells"][row["layer"].value].append(row)
    return list(areas.values())


@blueprint.get(ONTOLOGY_PATH)
def ontology() -> Response | str:
    """Show every word of the ontology, or give it as RDF."""
    if (media := wanted(GRAPHS)) != HTML:
        return _graph(BASE, media)
    groups: dict[str, list[Row]] = defaultdict(list)
    for row in ask("resources/words"):
        groups[row["group"].value].append(row)
    return render_template("words.html", groups=groups)


@blueprint.get("/id/<path:rest>")
@blueprint.get("/framework/<path:rest>")
@blueprint.get("/graph/<path:rest>")
@blueprint.get("/shapes")
def resource(rest: str = "") -> Response | str:
    """Show one resource at the path of its IRI, as a page or as RDF."""
    iri = BASE + request.path
    if (media := wanted(GRAPHS)) != HTML:
        return _graph(iri, media)
    found = sorted(
        ask("resources/terms", resource=iri), key=lambda row: row["graph"].value.startswith((graph_iri("inferred"), graph_iri("derived/")))
    )
    mentions = ask("resources/in-graph", graph=iri) if iri.startswith(PREFIXES["g"]) else ask("resources/mentions", resource=iri)
    if not found and not mentions:
        abort(404)
    cited = ask("sources/citations-of-statement", statement=iri)
    return render_template("resource.html", iri=iri, facts=found, mentions=mentions, sections=cited, label=_label(found) or shrink(iri))


def _graph(iri: str, media: str) -> Response:
    """Give what the graph says of ``iri``; of a graph or of the ontology, all its triples."""
    name = "resources/graph" if iri.startswith(PREFIXES["g"]) else "resources/ontology" if iri == BASE else "resources/describe"
    given = {queries.get(name).params[0].name: iri} if queries.get(name).params else {}
    result = queries.bind(queries.get(name), given).ask(store())
    triples = list(result) if isinstance(result, Triples) else []
    if not triples:
        abort(404)
    if media == "turtle":
        return Response(turtle.write(to_graph([triples])), mimetype="text/turtle", headers={"Vary": "Accept"})
    form = GRAPHS[media]
    return Response(ox.serialize(triples, format=form.engine, prefixes=PREFIXES), mimetype=form.media, headers={"Vary": "Accept"})  # type: ignore[arg-type]


def _label(found: Iterable[Row]) -> str:
    names = (PREFIXES["skos"] + "prefLabel", PREFIXES["rdfs"] + "label", PREFIXES["dcterms"] + "title")
    labels = [row["value"] for row in found if row["property"].value in names]
    best = [x for x in labels if isinstance(x, ox.Literal) and x.language == language()] or labels
    return best[0].value if best else ""


def path_of(iri: str) -> str:
    """Return where a link to ``iri`` leads: on this server for one of ours, the IRI itself if it is of the web, else nowhere.

    An IRI of another scheme, as ``javascript:``, comes from whoever wrote a query; it is shown and never linked.
    """
    here = f"?lang={language()}"
    if iri.startswith(PREFIXES["sk"]):
        return f"{ONTOLOGY_PATH}{here}#{iri.removeprefix(PREFIXES['sk'])}"
    if iri.startswith(PREFIXES["id"] + "service-"):
        name = iri.removeprefix(PREFIXES["id"] + "service-")
        return url_for("pages.service", name=name, lang=language()) if name in _service_names() else iri.removeprefix(BASE) + here
    if iri.startswith(BASE + "/"):
        return iri.removeprefix(BASE) + here
    return iri if iri.startswith(("https://", "http://", "mailto:")) else ""


def _service_names() -> set[str]:
    """Return the names of the services that have a page; asked once a request."""
    if "service_names" not in g:
        g.service_names = {row["service"].value.removeprefix(PREFIXES["id"] + "service-") for row in ask("services/names")}
    names: set[str] = g.service_names
    return names


def _made_by(graph: str) -> str:
    """Say whether a graph holds what is asserted, inferred or derived."""
    if graph == graph_iri("inferred"):
        return word("inferred")
    return word("derived") if graph.startswith(graph_iri("derived/")) else word("asserted")


GLOBALS: dict[str, Any] = {
    "w": word,
    "path_of": path_of,
    "shrink": shrink,
    "made_by": _made_by,
    "is_iri": lambda term: isinstance(term, ox.NamedNode),
    "layer_iris": [PREFIXES["sk"] + layer for layer in LAYERS],
    "none_iri": PREFIXES["sk"] + "NoResponsibility",
}
"""What every template and macro can call."""


@blueprint.app_context_processor
def _for_templates() -> dict[str, object]:
    other = LANGUAGES[1 - LANGUAGES.index(language())]
    arguments = {**{k: v for k, v in request.args.items() if k not in ("lang", "format")}, "lang": other}
    return {"lang": language(), "other_language": f"{request.path}?{urlencode(arguments)}"}
