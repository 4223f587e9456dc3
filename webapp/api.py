"""Saved questions over HTTP: each under its own address, with typed parameters, in every format, in pages where wanted.

A parameter is bound as an RDF term of its kind and never becomes part of the text. What may be chosen comes from the graph,
and ``/api/openapi.json`` says all of this to programs.
"""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Final
from urllib.parse import urlencode

import pyoxigraph as ox
from flask import Blueprint, Response, current_app, request, url_for
from werkzeug.exceptions import UnsupportedMediaType

from sekinin import queries
from sekinin.errors import BadQuery, Missing, TooSlow
from sekinin.formats import GRAPHS, ROWS
from sekinin.model import Parameter, Question
from sekinin.store import skeleton
from webapp.answers import Tabled, in_json, inference, respond, stamp, store, version
from webapp.choices import choices, members, nearest, prefixes_of, what_to_write
from webapp.negotiation import wanted
from webapp.pieces import Piece, large, parameter_of, piece, stretch
from webapp.saved import tabled
from webapp.words import LANGUAGES, language

blueprint = Blueprint("api", __name__, url_prefix="/api")
HIDDEN: Final = ("checks/", "derived/")
"""Topics of the house: the first must find nothing, the second are rules."""
COMMON: Final = ("format", "from", "inference", "limit", "offset")
"""Parameters that every question has; ``lang`` too, where the question has none of its own."""


def shown() -> dict[str, Question]:
    """Return the questions that can be asked here, by their name."""
    return {name: question for name, question in queries.catalogue().items() if not name.startswith(HIDDEN)}


def form_of(question: Question) -> str:
    """Return what a question gives: ``rows``, ``boolean`` or ``graph``."""
    first = next(word for word in skeleton(question.text).upper().split() if word in ("SELECT", "ASK", "CONSTRUCT"))
    return {"SELECT": "rows", "ASK": "boolean", "CONSTRUCT": "graph"}[first]


@blueprint.get("/questions")
@blueprint.get("/questions/<topic>")
def catalogue(topic: str = "") -> Response:
    """List the questions, all or those of one topic.

    Raises:
        Missing: if there is no such topic.
    """
    found = [question for name, question in shown().items() if not topic or name.startswith(f"{topic}/")]
    if not found:
        topics = sorted({name.partition("/")[0] for name in shown()})
        raise Missing(f"topic {topic[:60]}", "there is no topic of this name", "topics are " + ", ".join(topics))
    said = {"version": version(), "openapi": url_for("api.openapi_document"), "questions": [about(question) for question in found]}
    return _json(said, topic)


def about(question: Question) -> dict[str, object]:
    """Return what a question is, as the list tells it."""
    place = url_for("api.ask", topic=question.name.partition("/")[0], name=question.name.partition("/")[2])
    return {
        "name": question.name,
        "summary": {lang: question.summary(lang) for lang in LANGUAGES},
        "answer": form_of(question),
        "columns": list(question.returns),
        **({"deprecated": list(question.successors)} if question.successors else {}),
        "url": place,
        "parameters": [
            {"name": p.name, "type": p.kind, "default": p.default, "choices": f"{place}/choices/{p.name}" if members(p) or p.name == "lang" else None}
            for p in question.params
        ],
    }


@blueprint.route("/questions/<topic>/<name>", methods=["GET", "POST"])
def ask(topic: str, name: str) -> Response:
    """Answer one question.

    Raises:
        Missing: if there is no such question, naming the nearest.
        BadQuery: for a parameter that it has not, that is given twice, or that does not fit.
        TooSlow: if the whole answer takes too long; its pages do not.
    """
    question = question_of(topic, name)
    given = given_of(question)
    if form_of(question) == "rows" and not {"limit", "offset", "from"}.isdisjoint(request.values):
        return _page(question, given)
    try:
        return respond(queries.bind(question, given).text())
    except TooSlow as why:
        if form_of(question) != "rows":
            raise
        raise TooSlow(question.name, why.found, "take it page by page (?limit=1000), or narrow it with a parameter") from why


@blueprint.get("/questions/<topic>/<name>/choices/<parameter>")
def choose(topic: str, name: str, parameter: str) -> Response:
    """List what may be chosen for one parameter, with names in both languages."""
    question = question_of(topic, name)
    found = next((p for p in question.params if p.name == parameter), None)
    if found is None:
        raise Missing(f"parameter {parameter[:60]}", "the question has no parameter of this name", _those_of(question))
    values = members(found) if large() and found.name != "lang" else choices(question, found)  # what occurs in the answer for all takes too long
    said = {
        "version": version(),
        "question": question.name,
        "parameter": found.name,
        "type": found.kind,
        "default": found.default,
        "description": dict(zip(LANGUAGES, what_to_write(found), strict=True)),
        "prefixes": prefixes_of(values),
        "choices": [{key: text for key, text in vars(choice).items() if text} for choice in values],
    }
    return _json(said, question.name, found.name, str(inference()))


@blueprint.get("/openapi.json")
def openapi_document() -> Response:
    """Describe the API for programs, in the language of the request."""
    from webapp.openapi import document

    return _json(document(shown().values(), language()), "openapi", language(), request.url_root)


def _json(said: object, *parts: str) -> Response:
    return stamp(Response(current_app.json.dumps(said), mimetype="application/json"), "api", request.path, *parts)


def question_of(topic: str, name: str) -> Question:
    """Return the question of this name.

    Raises:
        Missing: naming the nearest.
    """
    said = f"{topic}/{name}"
    questions = shown()
    if said in questions:
        return questions[said]
    near = get_close_matches(said, questions, n=3, cutoff=0.3)
    remedy = "did you mean " + " or ".join(near) if near else "see: /api/questions"
    raise Missing(f"question {said[:100]}", "there is no question of this name", remedy)


def _those_of(question: Question) -> str:
    return f"parameters are {', '.join([*(p.name for p in question.params), *COMMON])}"


def given_of(question: Question) -> dict[str, str]:
    """Read the parameters of this request, each checked against its kind and what there is."""
    if request.method == "POST" and request.mimetype != "application/x-www-form-urlencoded":
        raise UnsupportedMediaType("send the parameters as application/x-www-form-urlencoded")
    known = {p.name: p for p in question.params}
    given: dict[str, str] = {}
    for name in request.values:
        said = [text for source in (request.args, request.form) for text in source.getlist(name)]
        if len(said) > 1:
            raise BadQuery(name[:60], "it is given more than once", "give it once")
        if name in known:
            given[name] = said[0]
        elif name not in (*COMMON, "lang"):
            near = get_close_matches(name, known, n=1)
            raise BadQuery(question.name, f"there is no parameter {name[:60]}", f"did you mean {near[0]}" if near else _those_of(question))
    for name, text in given.items():
        _check(known[name], text)
    return given


def _check(parameter: Parameter, text: str) -> None:
    """Refuse an IRI that the graph does not know, naming the nearest choice: it would only give an empty answer."""
    if not text or parameter.kind != "iri":
        return
    try:
        iri = queries.term(parameter, text)
    except BadQuery as why:
        near = nearest(parameter, text)
        raise BadQuery(parameter.name, why.found, f"did you mean {near}" if near else why.remedy) from why
    if not queries.bind(queries.get("resources/known"), {"resource": str(iri)}).ask(store()):
        near = nearest(parameter, text)
        raise BadQuery(parameter.name, "the graph has nothing of this IRI", f"did you mean {near}" if near else "check the spelling")


def _page(question: Question, given: Mapping[str, str]) -> Response:
    """Answer with some of the rows, and with links to the pages before and after.

    Source: RFC 8288. The order is the question's own, so that pages neither overlap nor leave a gap.
    """
    limit, offset = number("limit", 1, 100), number("offset", 0, 0)
    found = some(question, given, offset, limit)
    if isinstance(found, Piece):
        return _piece(question, given, found, limit)
    response = _written(in_json(found.names, found.rows[offset : offset + limit]))
    response.headers["X-Total-Count"] = str(len(found.rows))
    if found.cut:
        response.headers["Sekinin-Truncated"] = f"rows={found.cut}"
    last = (len(found.rows) - 1) // limit * limit if found.rows else 0
    steps = {"first": 0, "prev": max(0, offset - limit) if offset else None, "next": offset + limit, "last": last}
    if steps["next"] is not None and steps["next"] >= len(found.rows):
        steps["next"] = None
    links = [f'<{_at(start, limit)}>; rel="{rel}"' for rel, start in steps.items() if start is not None]
    response.headers["Link"] = ", ".join(links)
    return stamp(response, question.name, str(response.mimetype), str(sorted(given.items())), str(inference()), str(limit), str(offset))


def _piece(question: Question, given: Mapping[str, str], found: Piece, limit: int) -> Response:
    """Answer with a piece, and with the link to the next; how many rows there are in all nobody has counted."""
    response = _written(in_json(found.table.names, found.table.rows))
    links = [f'<{_at(0, limit)}>; rel="first"']
    if not found.members and found.first > 1:
        links.append(f'<{_at(max(0, found.first - 1 - limit), limit)}>; rel="prev"')
    if found.further:
        links.append(f'<{_at(found.further[1], limit, found.further[0])}>; rel="next"')
    response.headers["Link"] = ", ".join(links)
    which = f"{found.first}-{found.last}" if found.first <= found.last else "*"  # behind the last row there is none
    response.headers["Sekinin-Part"] = f"{which}/{found.members or '*'}"
    place = (response.headers["Link"], response.headers["Sekinin-Part"])
    return stamp(response, question.name, str(response.mimetype), str(sorted(given.items())), str(inference()), *place)


def _written(body: bytes) -> Response:
    """Return rows in JSON in the format that the request wants."""
    form = ROWS[wanted(ROWS, page=False)]
    if form.name != "json":
        parsed = ox.parse_query_results(body, ox.QueryResultsFormat.JSON)
        assert isinstance(form.engine, ox.QueryResultsFormat) and isinstance(parsed, ox.QuerySolutions)
        body = parsed.serialize(format=form.engine) or b""
    response = Response(body, mimetype=form.media)
    if form.media.startswith("text/"):
        response.headers["Content-Type"] = f"{form.media}; charset=utf-8"
    return response


def some(question: Question, given: Mapping[str, str], offset: int, limit: int, seconds: float | None = None) -> Piece | Tabled:
    """Return a piece of a long answer from where this request says, or the whole of one that is worked out whole.

    Args:
        offset, limit, seconds: as of ``pieces.piece`` and ``pieces.stretch``.
    Raises:
        BadQuery: if the request says where to begin in a way that does not fit.
    """
    start, one_by_one = request.values.get("from", ""), parameter_of(question, given)
    if one_by_one:
        return piece(question, given, one_by_one, start, offset, limit, seconds)
    if start:
        raise BadQuery("from", "this answer is not given one by one", "write offset alone")
    return stretch(question, given, offset, limit) if large() else tabled(question, given)


def number(name: str, least: int, default: int) -> int:
    """Return a whole number that the request gives.

    Raises:
        BadQuery: if it is none, or too small.
    """
    said = request.values.get(name, "")
    if not said:
        return default
    if not said.isascii() or not said.isdigit() or len(said) > 9 or int(said) < least:
        raise BadQuery(name, f"{said[:40]!r} is no number from {least}", "write digits only, e.g. 100")
    return int(said)


def _at(offset: int, limit: int, start: str = "") -> str:
    kept = [(name, text) for name, text in request.values.items(multi=True) if name not in ("limit", "offset", "from")]
    return f"{request.path}?{urlencode([*kept, *([('from', start)] if start else []), ('limit', limit), ('offset', offset)])}"


RESULTS: Final = {"rows": ROWS, "boolean": ROWS, "graph": GRAPHS}
"""For what a question gives, the formats that it comes in."""
