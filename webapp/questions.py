"""The questions as sentences: the catalogue, and each with pickers filled from the graph, its answer, and the query behind it.

Where an answer counts something it is drawn as well; what cannot be counted is not.
"""

from __future__ import annotations

import re
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
from webapp.addresses import base_url
from webapp.answers import answer, inference, table
from webapp.api import given_of, number, question_of, shown
from webapp.choices import choices, job_of, members, what_to_write
from webapp.columns import ANSWERS
from webapp.pieces import Piece, parameter_of, piece
from webapp.saved import names
from webapp.views import Line, Table, View, here, respond
from webapp.words import word

blueprint = Blueprint("questions", __name__)
MOST: Final = 1000
"""Rows that a page shows; what is taken away holds all, up to the limit of an answer."""
IN_PIECE: Final = 150
"""Rows of a page where an answer is given piece by piece."""
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


@blueprint.get("/questions")
def index() -> Response:
    """Show every question as a sentence."""
    return respond(index_view, "questions.html", rdf=False)


def index_view(lang: str) -> View:
    """Return the catalogue by topic."""
    topics: dict[str, list[tuple[str, str]]] = {}
    lines = []
    for name, question in shown().items():
        topic = name.partition("/")[0]
        if topic in TECHNICAL:
            continue
        topics.setdefault(topic, []).append((name, question.summary(lang)))
        lines.append(Line((word(f"topic-{topic}", lang), question.summary(lang), name)))
    words = {"topics": [(topic, word(f"topic-{topic}", lang), found) for topic, found in topics.items()]}
    return View(word("questions", lang), "questions", (Table("questions", ("topic", "question", "query-name"), tuple(lines)),), (), words)


TECHNICAL: Final = ("choices", "describe", "resources", "search")
"""Topics that serve the pages themselves and answer nobody's question."""


@blueprint.get("/questions/<topic>/<name>")
def question(topic: str, name: str) -> Response:
    """Show one question with its pickers and its answer."""
    return respond(lambda lang: question_view(question_of(topic, name), lang), "question.html", rdf=False)


def question_view(asked: Question, lang: str) -> View:
    """Return the answer to one question, with what the reader may choose."""
    given = given_of(asked)
    if any(p.name == "lang" for p in asked.params):
        given["lang"] = lang
    one_by_one = parameter_of(asked, given)
    part = piece(asked, given, one_by_one, request.args.get("from", ""), number("offset", 0, 0), IN_PIECE) if one_by_one else None
    found = table(part.answer if part else answer(job_of(asked, given, inference())))
    columns: list[str] = found["names"]  # type: ignore[assignment]
    rows: list[list[Term | None]] = found["table"]  # type: ignore[assignment]
    lines = tuple(Line(tuple(_cell(term, lang) for term in row)) for row in rows)
    bare = queries.bind(asked, {k: v for k, v in given.items() if v})
    place = url_for("api.ask", topic=asked.name.partition("/")[0], name=asked.name.partition("/")[2])
    call = {**{k: v for k, v in given.items() if v}, **({"limit": str(IN_PIECE)} if part else {}), "format": "csv"}
    words = {
        "asked": asked,
        "pickers": [(p, *_picker(asked, p, lang, occurring=not part)) for p in asked.params if p.name != "lang"],
        "columns": columns,
        "cited": CITED,
        "statements_of": PREFIXES["id"],
        "rows": [[(term, _cell(term, lang)) for term in row] for row in rows[:MOST]],
        "number": len(rows),
        "cut": found["cut"],
        "part": part,
        "further": _further(part) if part else "",
        "most": MOST,
        "chart": [] if part else chart(columns, lines, asked.text),
        "query": bare.text(),
        "api": place,
        "call": (base_url() or request.host_url.rstrip("/")) + f"{place}?{urlencode(call)}",
        "graph": list(GRAPHS),
    }
    cut = _cut(part) if part else int(str(found["cut"]))
    return View(asked.summary(lang), "-".join(asked.name.split("/")), (Table("answer", tuple(columns), lines),), (), words, cut)


def _cut(part: Piece) -> int:
    """Return after how many rows a piece was cut off; 0 if it is all there is."""
    return part.number if part.further or part.first > 1 else 0


def _further(part: Piece) -> str:
    """Return the address of the next piece, or the empty string."""
    return here(**{"from": part.further[0], "offset": str(part.further[1])}) if part.further else ""


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


def chart(columns: list[str], lines: tuple[Line, ...], query: str) -> list[tuple[str, float, float]]:
    """Return the bars of an answer that counts: label, number, and length 0 to 1; empty where it counts nothing.

    It counts where its query counts its last column, and the rows are few enough to look at.
    """
    if not 2 <= len(lines) <= DRAWN or not re.search(rf"\(COUNT\([^()]*\) AS \?{columns[-1]}\)", query):
        return []
    numbers = [line.cells[-1] for line in lines]
    if not all(isinstance(number, int | float) and number >= 0 for number in numbers):
        return []
    most = max(float(number) for number in numbers if number is not None) or 1.0
    return [
        (" · ".join(str(cell) for cell in line.cells[:-1] if cell is not None), float(line.cells[-1] or 0), float(line.cells[-1] or 0) / most)
        for line in lines
    ]
