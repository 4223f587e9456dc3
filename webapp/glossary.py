"""The words: every class, property and value of the ontology in both languages, with an example and the questions that use it."""

from __future__ import annotations

import re
from functools import cache
from typing import Final

from flask import Blueprint, Response, request

from sekinin.errors import Missing
from sekinin.namespaces import PREFIXES
from webapp.addresses import path_of
from webapp.api import shown
from webapp.offered import AT_ONCE, services
from webapp.saved import ask, text
from webapp.views import Line, Table, View, respond
from webapp.words import word

blueprint = Blueprint("glossary", __name__)
GROUPS: Final = ("class", "property", "individual")
QUESTIONS: Final = 3
"""Most questions that are named beside a word."""


@blueprint.get("/words")
def words() -> Response:
    """Show the words of one group: classes, properties or values."""
    return respond(view, "words.html", rdf=False)


def view(lang: str) -> View:
    """Return the words of the group that the request chooses.

    Raises:
        Missing: if there is no such group.
    """
    group = request.args.get("group", GROUPS[0])
    if group not in GROUPS:
        raise Missing(f"group {group[:40]}", "there is no such group", "groups are " + ", ".join(GROUPS))
    examples = {
        row["class"].value: (row["example"].value, text(row, "label")) for row in ask("resources/examples", graph=example_graph(lang), lang=lang)
    }
    other = {row["term"].value: text(row, "label") for row in ask("resources/words", lang="en" if lang == "ja" else "ja")}
    found = []
    for row in ask("resources/words", lang=lang):
        if row["group"].value == group:
            iri = row["term"].value
            local = iri.removeprefix(PREFIXES["sk"])
            uses = using(local)
            found.append((iri, local, text(row, "label"), other.get(iri, ""), text(row, "definition"), text(row, "note"), examples.get(iri), uses))
    lines = tuple(Line((f"sk:{local}", label, other_label, meaning, note), "") for _, local, label, other_label, meaning, note, *_ in found)
    said = {"group": group, "groups": [(each, word(each, lang)) for each in GROUPS], "found": found, "path": path_of, "most": QUESTIONS}
    return View(word("words", lang), f"words-{group}", (Table("words", ("term", "label", "other-label", "meaning", "note"), lines),), (), said)


def example_graph(lang: str) -> str:
    """Return the graph of the paper that examples come from: the one that is longest of the first few."""
    papers = [version for service in list(services(lang).values())[:AT_ONCE] for version in service.versions]
    return max(papers, key=lambda version: version.length).graph if papers else ""


@cache
def _texts() -> tuple[tuple[str, frozenset[str]], ...]:
    return tuple((name, frozenset(re.findall(r"\bsk:([A-Za-z]\w*)", question.text))) for name, question in shown().items())


def using(local: str) -> list[str]:
    """Return the names of the questions that use the word ``sk:<local>``."""
    return [name for name, used in _texts() if local in used]
