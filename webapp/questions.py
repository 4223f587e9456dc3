"""The questions as sentences: the catalogue, and each with pickers filled from the graph, its answer, and the query behind it.

Where an answer counts something it is drawn as well; what cannot be counted is not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Final
from urllib.parse import urlencode

import pyoxigraph as ox
from flask import Blueprint, Response, request, url_for

from sekinin import queries
from sekinin.formats import GRAPHS
from sekinin.model import Parameter, Question
from sekinin.namespaces import PREFIXES, shrink
from sekinin.store import Term
from webapp.addresses import base_url, path_of
from webapp.api import given_of, number, question_of, shown, some
from webapp.choices import choices, members, what_to_write
from webapp.columns import ANSWERS
from webapp.pieces import Piece, large
from webapp.places import source_of
from webapp.saved import names
from webapp.views import Line, Table, View, here, respond
from webapp.words import word

blueprint = Blueprint("questions", __name__)
SHOWN: Final = 100
"""Rows that a page shows; what is taken away of an answer that was worked out whole holds all."""
SECONDS: Final = 0.1
"""Time after which a page of a piece ends, however few its rows."""
PICKED: Final = 300
"""Choices that a list offers; of more, one writes the name."""
NARROWED: Final = 100
"""Members of a class of which the list names only those that occur in the answer; of more, asking for it all would take too long."""
EXACT: Final = 2**53
"""Whole numbers up to here are exact as floating-point numbers."""
CITED: Final = ("statement", "assignment", "commitment", "duty", "claim", "explicitDuty", "conflict", "one", "other")
"""Columns that hold statements, whose sources a cell opens."""
DRAWN: Final = 40
"""Most bars of a chart."""


@dataclass(frozen=True)
class _Lines:
    """The rows of an answer as one takes them away, made when they are wanted: a page shows few of them."""

    rows: tuple[tuple[Term | None, ...], ...]
    lang: str

    def __iter__(self) -> Iterator[Line]:
        return (_line(row, self.lang) for row in self.rows)


@blueprint.get("/questions")
def index() -> Response:
    """Show every question as a sentence."""
    return respond(index_view, "questions.html", rdf=False)


def index_view(lang: str) -> View:
    """Return the catalogue by topic."""
    topics: dict[str, list[tuple[str, str]]] = {}
    lines = []
    for name, question in asked_by_people():
        topic = name.partition("/")[0]
        topics.setdefault(topic, []).append((name, question.summary(lang)))
        lines.append(Line((word(f"topic-{topic}", lang), question.summary(lang), name)))
    words = {"topics": [(topic, word(f"topic-{topic}", lang), found) for topic, found in topics.items()]}
    return View(word("questions", lang), "questions", (Table("questions", ("topic", "question", "query-name"), tuple(lines)),), (), words)


TECHNICAL: Final = ("choices", "describe", "resources", "search")
"""Topics that serve the pages themselves and answer nobody's question."""


def asked_by_people() -> Iterator[tuple[str, Question]]:
    """Yield the questions that the page lists, by name."""
    return ((name, question) for name, question in shown().items() if name.partition("/")[0] not in TECHNICAL)


@blueprint.get("/questions/<topic>/<name>")
def question(topic: str, name: str) -> Response:
    """Show one question with its pickers and its answer."""
    return respond(lambda lang: question_view(question_of(topic, name), lang), "question.html", rdf=False)


def question_view(asked: Question, lang: str) -> View:
    """Return the answer to one question, with what the reader may choose."""
    given = given_of(asked)
    if any(p.name == "lang" for p in asked.params):
        given["lang"] = lang
    offset = number("offset", 0, 0)
    answered = some(asked, given, offset, SHOWN, SECONDS)
    part = answered if isinstance(answered, Piece) else None
    found = answered.table if isinstance(answered, Piece) else answered
    columns = folded(found.names)
    number_of_rows = len(found.rows)
    start = 0 if part else min(offset, number_of_rows)
    end = min(start + SHOWN, number_of_rows)
    bare = queries.bind(asked, {k: v for k, v in given.items() if v})
    place = url_for("api.ask", topic=asked.name.partition("/")[0], name=asked.name.partition("/")[2])
    call = {**{k: v for k, v in given.items() if v}, **({"limit": str(SHOWN)} if part else {}), "format": "csv"}
    words = {
        "asked": asked,
        "pickers": [(p, *_picker(asked, p, lang, occurring=not large())) for p in asked.params if p.name != "lang"],
        "columns": [found.names[at] for at, _ in columns],
        "rows": [_linked(row, columns, found.names, lang) for row in found.rows[start:end]],
        "number": number_of_rows,
        "cut": found.cut,
        "part": part,
        "start": start,
        "end": end,
        "before": _before(offset if part and not part.members else start),
        "further": _further(part) if part else here(offset=str(end)) if end < number_of_rows else "",
        "chart": [] if part else chart(found.names, [_line(row, lang) for row in found.rows] if number_of_rows <= DRAWN else [], asked.text),
        "query": bare.text(),
        "api": place,
        "call": (base_url() or request.host_url.rstrip("/")) + f"{place}?{urlencode(call)}",
        "graph": list(GRAPHS),
    }
    cut = _cut(part) if part else found.cut
    return View(asked.summary(lang), "-".join(asked.name.split("/")), (Table("answer", found.names, _Lines(found.rows, lang)),), (), words, cut)


def _cut(part: Piece) -> int:
    """Return after how many rows a piece was cut off; 0 if it is all there is."""
    return len(part.table.rows) if part.further or part.first > 1 else 0


def _before(start: int) -> str:
    """Return the address of the page before the one that begins behind ``start`` rows, or the empty string."""
    return here(offset=str(start - SHOWN) if start > SHOWN else None) if start else ""


def _further(part: Piece) -> str:
    """Return the address of the next piece, or the empty string."""
    return here(**{"from": part.further[0] or None, "offset": str(part.further[1])}) if part.further else ""


def _line(row: tuple[Term | None, ...], lang: str) -> Line:
    return Line(tuple(_cell(term, lang) for term in row))


def folded(names: Sequence[str]) -> list[tuple[int, tuple[int, ...]]]:
    """Return the places of the columns that a page shows, each with those of the columns that name what stands in it.

    ``serviceLabel`` names ``service``; a ``label`` directly behind a statement names that; ``notation`` and ``title`` behind a ``section`` name it.
    """
    shown: dict[str, list[int]] = {}
    last = ""
    for at, name in enumerate(names):
        whose = name.removesuffix("Label") if name.endswith("Label") else last
        behind = (name == "label" and whose in CITED) or (name in ("notation", "title") and whose == "section")
        if whose in shown and (behind or name.endswith("Label")):
            shown[whose].append(at)
        else:
            shown[name], last = [], name
    return [(names.index(name), tuple(others)) for name, others in shown.items()]


def _linked(
    row: tuple[Term | None, ...], columns: list[tuple[int, tuple[int, ...]]], names: Sequence[str], lang: str
) -> list[tuple[str | int | float | None, str, str]]:
    """Return the cells of a row as a page shows them, each with where it leads, and where its source is shown.

    Args:
        columns: as ``folded`` gives them.
    """
    found = []
    for at, others in columns:
        term = row[at]
        said = " ".join(str(_cell(row[other], lang)) for other in others if row[other] is not None) or _cell(term, lang)
        iri = term.value if isinstance(term, ox.NamedNode) else ""
        cited = names[at] in CITED and iri.startswith(PREFIXES["id"])
        found.append((said, path_of(iri) if iri else "", source_of(iri) if cited else ""))
    return found


def _cell(term: Term | None, lang: str) -> str | int | float | None:
    """Return a term as a reader wants it: the name of what has one, a number as a number, a plain answer in the reader's language."""
    if term is None:
        return None
    if isinstance(term, ox.NamedNode):
        return names(lang).get(term.value, shrink(term.value))
    if isinstance(term, ox.Literal) and term.datatype.value.rpartition("#")[2] in ("integer", "decimal", "double"):
        return _number(term.value)
    if isinstance(term, ox.Literal):
        return ANSWERS.get(term.value, term.value) if lang == "ja" and not term.language else term.value
    return str(term)


def _number(said: str) -> str | int | float:
    """Return what a literal of a number's type says, as it stands where it is none: ``INF``, ``NaN``, or a slip."""
    if re.fullmatch(r"[+-]?\d{1,1000}", said, re.A):
        return int(said)
    try:
        number = float(said)
    except ValueError:
        return said
    if not isfinite(number):
        return said
    return int(number) if number.is_integer() and abs(number) < EXACT else number


def _picker(asked: Question, parameter: Parameter, lang: str, occurring: bool) -> tuple[str, list[tuple[str, str]], str, str]:
    """Return a parameter's label, its choices as value and name, what is chosen, and what to write where there is no list.

    Args:
        occurring: whether only what occurs in the whole answer is a choice.
    """
    found = members(parameter)
    if occurring and len(found) <= NARROWED:
        found = choices(asked, parameter)
    listed = [
        (
            choice.value,
            " ".join(part for part in (choice.notation, (choice.ja if lang == "ja" else choice.en) or choice.en or choice.ja) if part)
            or choice.value,
        )
        for choice in found[:PICKED]
    ]
    said = request.args.get(parameter.name, parameter.default or "")
    key = f"param-{parameter.name}"
    return word(key, lang), listed if len(found) <= PICKED else [], said, what_to_write(parameter)[lang != "ja"]


def chart(columns: Sequence[str], lines: list[Line], query: str) -> list[tuple[str, float, float]]:
    """Return the bars of an answer that counts: label, number, and length 0 to 1; empty where it counts nothing.

    It counts where its query counts its last column.

    Args:
        lines: all rows; none where they are too many to look at.
    """
    if len(lines) < 2 or not re.search(rf"\(COUNT\([^()]*\) AS \?{columns[-1]}\)", query):
        return []
    numbers = [line.cells[-1] for line in lines]
    if not all(isinstance(number, int | float) and number >= 0 for number in numbers):
        return []
    most = max(float(number) for number in numbers if number is not None) or 1.0
    return [
        (" · ".join(str(cell) for cell in line.cells[:-1] if cell is not None), float(line.cells[-1] or 0), float(line.cells[-1] or 0) / most)
        for line in lines
    ]
