"""The responsibility atlas: areas by layers, for one service as a stack, for several side by side.

What a paper does not say is shown as silence; what two layers do is counted, never taken from anywhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from flask import Blueprint, Response, request

from sekinin.errors import Missing
from sekinin.namespaces import PREFIXES
from webapp.offered import Service, chosen, nearest, services
from webapp.places import Section, gather, placed, sections
from webapp.saved import ask, holds, name, sk, text
from webapp.views import Line, Table, View, respond
from webapp.words import word

blueprint = Blueprint("atlas", __name__)
LAYERS: Final = ("CustomerLayer", "ProviderLayer", "InfrastructureLayer")
ACTS: Final = ("Performs", "Configures", "ProvidesCapability", "Advises")
"""Kinds by which a layer acts, the one that weighs most first."""
SHAPES: Final = {
    "Performs": "■",
    "Configures": "◆",
    "ProvidesCapability": "●",
    "Advises": "▲",
    "NoResponsibility": "－",
    "silent": "□",
    "lost": "？",
}
"""The sign of each state; its word stands beside it, so that colour is never needed."""


@dataclass(frozen=True)
class Entry:
    """One assignment in a cell.

    Args:
        state: a kind of responsibility, ``silent`` or ``lost``.
        about: IRI of the assignment, or of the statement that tells of the lost figure.
        said: its tasks, or its label where it has none.
        printed: name of the printed table or list that it stands in.
    """

    state: str
    about: str
    said: str
    label: str
    printed: str
    sections: tuple[Section, ...]


@dataclass(frozen=True)
class Row:
    """One area of one service: its entries by layer, and how many layers act on it."""

    area: str
    cells: dict[str, tuple[Entry, ...]]
    acting: int


@dataclass(frozen=True)
class Stack:
    """One service's split: a row for each area."""

    service: Service
    rows: dict[str, Row]
    lists: dict[str, str]
    lost: tuple[Entry, ...]


@blueprint.get("/atlas")
def atlas() -> Response:
    """Show who is responsible for what."""
    return respond(view, "atlas.html", single=True)


def view(lang: str) -> View:
    """Return the atlas of the chosen services, or of all where there are few.

    Raises:
        Missing: for a printed list that none of them has.
    """
    some = chosen(lang, default=5)
    only = request.args.get("list", "")
    stacks = [stack(service, lang, only) for service in some]
    lists = {iri: label for each in stacks for iri, label in each.lists.items()}
    if only and PREFIXES["id"] + only not in lists:
        known = [iri.removeprefix(PREFIXES["id"]) for iri in lists]
        raise Missing(f"list {only[:60]}", "none of these papers prints a list of this name", nearest(only, known, "leave list= out"))
    areas = filled(stacks, lang)
    title = word("atlas", lang) + (f": {some[0].label}" if len(some) == 1 else "")
    lines = tuple(line for area in areas for each in stacks for line in _lines(each, area, lang))
    table = Table("atlas", ("service", "area", "layer", "state", "task", "printed-list"), lines)
    words = {
        **view_words(stacks, lang),
        "all_services": list(services(lang).values()),
        "picked": [service.slug for service in some],
        "lists": lists,
        "only": only,
    }
    return View(title, "atlas-" + "-".join(service.slug for service in some)[:80], (table,), tuple(some), words)


def filled(stacks: list[Stack], lang: str) -> list[str]:
    """Return the areas of which any of the services says something, in their order."""
    return [area for area in order(lang) if any(area in each.rows for each in stacks)]


def view_words(stacks: list[Stack], lang: str) -> dict[str, Any]:
    """Return what the table and the figure of the atlas need."""
    return {
        "stacks": stacks,
        "areas": [(area, name(area, lang)) for area in filled(stacks, lang)],
        "layers": [(sk(layer), name(sk(layer), lang)) for layer in LAYERS],
        "states": [(state, SHAPES[state], word(f"state-{state}", lang)) for state in SHAPES],
        "shapes": SHAPES,
        "silent": _empty((), lang),
    }


def stack(service: Service, lang: str, only: str = "") -> Stack:
    """Return the split of one service.

    Args:
        only: name of a printed table or list, to leave out what stands elsewhere.
    """
    named = sections(service)
    cells: dict[str, dict[str, list[Entry]]] = {}
    found = ask("responsibility/cells", service=service.iri, lang=lang)
    lists = {row["list"].value: text(row, "listLabel") for row in found if "list" in row}
    for row, many in gather(found, "assignment", ("task", "list", "listLabel")):
        if only and PREFIXES["id"] + only not in many["list"]:
            continue
        label = row["label"].value
        where = placed(many, named)
        state = row["kind"].value.removeprefix(PREFIXES["sk"])
        entry = Entry(state, row["assignment"].value, " / ".join(many["task"]) or label, label, " / ".join(many["listLabel"]), where)
        cells.setdefault(row["area"].value, {}).setdefault(row["layer"].value, []).append(entry)
    lost = _lost(service, lang)
    rows = {}
    for area, by_layer in cells.items():
        whole = {sk(layer): tuple(_weighed(by_layer.get(sk(layer), []))) or _empty(lost, lang) for layer in LAYERS}
        rows[area] = Row(area, whole, sum(any(entry.state in ACTS for entry in entries) for entries in whole.values()))
    return Stack(service, rows, lists, lost)


def _weighed(entries: list[Entry]) -> list[Entry]:
    """Return the entries of one cell, those of a printed table first, then by what weighs most."""
    weight = list(SHAPES)
    return sorted(entries, key=lambda entry: (not entry.printed, weight.index(entry.state)))


def _empty(lost: tuple[Entry, ...], lang: str) -> tuple[Entry, ...]:
    """Return what stands in a cell of which the text says nothing: silence, or the figure that may have told it."""
    return lost or (Entry("silent", "", word("state-silent", lang), "", "", ()),)


def _lost(service: Service, lang: str) -> tuple[Entry, ...]:
    """Return the figures that the paper points to and whose content no text gives."""
    named = sections(service)
    return tuple(
        Entry("lost", row["statement"].value, row["label"].value, row["label"].value, "", placed(many, named))
        for row, many in gather(ask("services/statements", service=service.iri, lang=lang), "statement")
        if text(row, "status") == sk("LostFigureDefect") and "substitute" in row and not holds(row, "substitute")
    )


def order(lang: str) -> list[str]:
    """Return the areas in their order."""
    return [row["area"].value for row in ask("responsibility/areas", lang=lang)]


def _lines(each: Stack, area: str, lang: str) -> list[Line]:
    """Return the rows of one area of one service as they are taken away; a silence is a row too."""
    row = each.rows.get(area)
    found = []
    for layer in LAYERS:
        for entry in row.cells[sk(layer)] if row else _empty(each.lost, lang):
            cells = (each.service.label, name(area, lang), name(sk(layer), lang), word(f"state-{entry.state}", lang), entry.said, entry.printed)
            found.append(Line(cells, entry.about, entry.sections))
    return found
