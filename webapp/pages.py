"""The start page, and what every template can call."""

from __future__ import annotations

from typing import Any, Final
from unicodedata import east_asian_width
from urllib.parse import urlencode

import pyoxigraph as ox
from flask import Blueprint, Response, g, request, url_for

from sekinin.formats import GRAPHS
from sekinin.namespaces import BASE, PREFIXES, made, shrink
from webapp import linked, views
from webapp.addresses import path_of
from webapp.atlas import stack, view_words
from webapp.negotiation import HTML, wanted
from webapp.offered import paged, services
from webapp.places import source_of
from webapp.saved import ask, name
from webapp.views import Line, Table, View, respond
from webapp.words import LANGUAGES, language, word

blueprint = Blueprint("pages", __name__)
DRAWN: Final = 6
"""Services up to which the start draws their split."""
TASKS: Final[tuple[tuple[str, str, dict[str, Any]], ...]] = (
    ("task-atlas", "atlas.atlas", {}),
    ("task-duties", "duties.duties", {"layer": "customer"}),
    ("task-backup", "commitments.commitments", {"subject": "BackupRetentionCommitment"}),
    ("task-outside", "questions.question", {"topic": "locations", "name": "how-far-in-country"}),
    ("task-control", "controls.control", {"framework": "iso27017-2015", "number": "CLD.13.1.4"}),
    ("task-control-2022", "controls.control", {"framework": "iso27002-2022", "number": "8.13"}),
    ("task-end", "duties.duties", {"layer": "provider", "phase": "AtEndPhase"}),
    ("task-deletion", "commitments.commitments", {"subject": "DeletionCommitment"}),
    ("task-certificates", "questions.question", {"topic": "certificates", "name": "held-and-planned"}),
    ("task-notice", "commitments.commitments", {"subject": "NotificationCommitment"}),
    ("task-supply", "questions.question", {"topic": "supply", "name": "infrastructure-providers"}),
    ("task-findings", "findings.findings", {}),
)
"""What people ask most: the sentence, and the page that answers it."""


@blueprint.get("/")
def start() -> Response:
    """Show the services at a glance; to a program that asks for RDF, the ontology."""
    if request.accept_mimetypes.accept_html is False and "format" not in request.args and wanted(GRAPHS) != HTML:
        return linked.see(BASE)
    return respond(view, "start.html", rdf=False)


def view(lang: str) -> View:
    """Return the services at a glance and the questions that people ask."""
    known = list(services(lang).values())
    shown, page, pages = paged(lang)
    counts = {row["service"].value: row for row in ask("services/services", lang=lang)}
    keys = ("customerDuties", "duties", "commitments", "controls")
    lines = tuple(
        Line((each.label, each.provider_label, each.document_label, *(int(counts[each.iri][key].value) for key in keys)), "")
        for each in known
        if each.iri in counts
    )
    words = {
        "shown": [(each, counts[each.iri]) for each in shown if each.iri in counts],
        "number": len(known),
        "page": page,
        "pages": pages,
        "tasks": [(url_for(endpoint, lang=lang, **given), word(key, lang)) for key, endpoint, given in TASKS],
        **(view_words([stack(each, lang) for each in known], lang) if len(known) <= DRAWN else {"areas": []}),
    }
    columns = ("service", "provider", "document", "customer-duties", "duties", "commitments", "controls")
    return View("", "services", (Table("services", columns, lines),), (), words)


def made_by(graph: str) -> str:
    """Say whether a graph holds what is asserted, inferred or derived, the last two with their sign."""
    kind = made(graph)
    return ("∴ " if kind in ("inferred", "derived") else "") + word(kind)


def href(iri: str) -> str:
    """Return where a link to ``iri`` leads; nowhere in a file that stands alone."""
    return "" if "anchors" in g else path_of(iri)


def fit(said: str, places: int) -> str:
    """Shorten a label to what a figure has room for.

    Args:
        places: in half-width characters; a full-width one takes two.
    """
    room = places
    for at, character in enumerate(said):
        room -= 2 if east_asian_width(character) in "WFA" else 1
        if room < 0:
            return said[: max(at - 1, 1)].rstrip() + "…"
    return said


GLOBALS: dict[str, Any] = {
    "w": word,
    "shrink": shrink,
    "PREFIXES": PREFIXES,
    "made_by": made_by,
    "is_iri": lambda term: isinstance(term, ox.NamedNode),
    "href": href,
    "fit": fit,
    "here": views.here,
    "heading": views.heading,
    "source_of": source_of,
    "names_of": lambda iri: name(iri, language()),
}
"""What every template and macro can call."""


@blueprint.app_context_processor
def _for_templates() -> dict[str, object]:
    other = LANGUAGES[1 - LANGUAGES.index(language())]
    kept = [(k, v) for k, v in request.args.items(multi=True) if k not in ("lang", "format", "bom")]
    return {"lang": language(), "other_language": f"{request.script_root}{request.path}?{urlencode([*kept, ('lang', other)])}"}
