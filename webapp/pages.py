"""The pages: each view names its questions, binds them, and hands the rows to a template."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode

import pyoxigraph as ox
from flask import Blueprint, Response, abort, render_template, request

from sekinin import queries
from sekinin.formats import GRAPHS
from sekinin.namespaces import BASE, PREFIXES, made, shrink
from sekinin.store import Row, rows
from webapp import linked
from webapp.answers import inference, store
from webapp.negotiation import HTML, wanted
from webapp.words import LANGUAGES, language, word

blueprint = Blueprint("pages", __name__)
LAYERS = ("CustomerLayer", "ProviderLayer", "InfrastructureLayer")


def ask(name: str, **given: str) -> list[Row]:
    """Return the rows of the saved question ``name``, in the language of this request if it has one."""
    question = queries.get(name)
    if any(p.name == "lang" for p in question.params):
        given.setdefault("lang", language())
    return list(rows(queries.bind(question, given).ask(store())))


@blueprint.get("/")
def start() -> Response | str:
    """Show the services at a glance; to a program that asks for RDF, the ontology."""
    if wanted(GRAPHS) != HTML and request.accept_mimetypes.accept_html is False:
        return linked.see(BASE)
    return render_template("start.html", services=ask("services/services"))


@blueprint.get("/services/<name>")
def service(name: str) -> Response | str:
    """Show one service: who is responsible, what the customer must do, what is promised, what is said to each control."""
    iri = PREFIXES["id"] + "service-" + name
    if not inference():  # what the paper alone says of it; the tables below are chosen by inferred classes
        return linked.see(iri)
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


def _made_by(graph: str) -> str:
    """Say whether a graph holds what is asserted, inferred or derived, the last two with their sign."""
    kind = made(graph)
    return ("∴ " if kind in ("inferred", "derived") else "") + word(kind)


GLOBALS: dict[str, Any] = {
    "w": word,
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
