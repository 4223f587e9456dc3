"""What went wrong, told to programs and people: RFC 9457 problem documents, in Japanese or English, or a page."""

from __future__ import annotations

import inspect
import re
from dataclasses import dataclass
from difflib import get_close_matches
from http import HTTPStatus
from typing import Final

from flask import Blueprint, Response, current_app, g, render_template, request
from werkzeug.exceptions import HTTPException

from sekinin import errors
from sekinin.errors import SekininError
from sekinin.namespaces import BASE, PREFIXES, ontology_terms
from sekinin.store import skeleton
from webapp.messages import in_japanese
from webapp.words import LANGUAGES, language

blueprint = Blueprint("problems", __name__)
MEDIA: Final = "application/problem+json"


@dataclass(frozen=True)
class Kind:
    """A kind of problem: its status, the end of its type IRI, and its title in both languages."""

    status: int
    slug: str
    title: tuple[str, str]


KINDS: Final = {
    errors.BadQuery: Kind(400, "bad-query", ("クエリまたは引数が正しくありません", "The query or a parameter is not right")),
    errors.Refused: Kind(403, "refused", ("この操作は受け付けていません", "This is not allowed here")),
    errors.TooLong: Kind(413, "too-long", ("長すぎるか、深すぎます", "Too long or too deep")),
    errors.TooMany: Kind(429, "too-many", ("要求が多すぎます", "Too many requests")),
    errors.TooExpensive: Kind(422, "too-expensive", ("このクエリは負荷が大きすぎます", "The query is too expensive")),
    errors.TooSlow: Kind(504, "too-slow", ("時間内に終わりませんでした", "The query took too long")),
    errors.Busy: Kind(503, "busy", ("混み合っています", "The server is busy")),
    errors.Missing: Kind(404, "not-found", ("見つかりません", "Not found")),
    errors.StoreFailure: Kind(503, "store", ("データを読めません", "The store does not answer")),
    SekininError: Kind(500, "failure", ("お答えできません", "This could not be answered")),
}
"""For each class of error, how it is told. The first that fits, from the class upwards."""
HTTP_TITLES: Final = {
    404: ("この名前のものはありません", "There is nothing of this name"),
    405: ("この方法では受け付けていません", "This method is not allowed here"),
    406: ("求められた形式では答えられません", "None of the accepted formats is offered"),
    410: ("取り下げられました", "This was withdrawn"),
    413: ("大きすぎます", "Too large"),
    416: ("求められた範囲はありません", "There is no such part of the file"),
    415: ("この種類の本文は受け付けていません", "This kind of body is not accepted"),
}


def kind_of(why: SekininError) -> Kind:
    """Return how ``why`` is told."""
    return next(KINDS[cls] for cls in type(why).__mro__ if cls in KINDS)


@blueprint.app_errorhandler(SekininError)
def ours(why: SekininError) -> Response:
    """Tell an error of ours."""
    kind = kind_of(why)
    here = LANGUAGES.index(language())
    say = in_japanese if language() == "ja" else str
    detail = f"{say(why.where)}: {say(why.found)}"
    parts: dict[str, object] = {"remedy": say(why.remedy)}
    place = re.search(r"line (\d+), column (\d+)", why.where)
    if place:
        parts |= {"line": int(place[1]), "column": int(place[2])}
    hints = hint(_asked()) if isinstance(why, errors.BadQuery) else []
    if hints:
        parts["hints"] = hints
    response = problem(kind.status, kind.slug, kind.title[here], detail, parts)
    if kind.status in (429, 503):
        response.headers["Retry-After"] = "2"
    return response


def _asked() -> str:
    """Return the query of this request, however it was sent."""
    if request.mimetype == "application/sparql-query":
        return request.get_data().decode("utf-8", "replace")
    return request.values.get("query", "")


@blueprint.app_errorhandler(HTTPException)
def theirs(why: HTTPException) -> Response:
    """Tell an error of HTTP, with the headers that belong to it."""
    status = why.code or 500
    title = HTTP_TITLES.get(status, (HTTPStatus(status).phrase,) * 2)[LANGUAGES.index(language())]
    said = why.description or ""
    detail = request.path if status in (404, 500) else in_japanese(said) if language() == "ja" else said
    response = problem(status, f"http-{status}", title, detail, {})
    for name, value in why.get_headers():
        if name.lower() in ("allow", "retry-after", "accept", "content-range"):
            response.headers[name] = value
    return response


@blueprint.get("/problem/<slug>")
def kind_page(slug: str) -> Response:
    """Tell what a kind of problem is, at the address that its type IRI stands for.

    Source: RFC 9457, section 3.1.1: the type should lead to something that a person can read.
    """
    here = LANGUAGES.index(language())
    kinds = {kind.slug: (kind.status, kind.title[here], meaning(cause)[here]) for cause, kind in KINDS.items()}
    kinds |= {f"http-{status}": (status, title[here], HTTPStatus(status).description) for status, title in HTTP_TITLES.items()}
    if slug not in kinds:
        raise errors.Missing(request.path[:200], "there is no problem of this kind", "kinds are " + ", ".join(kinds))
    status, title, detail = kinds[slug]
    if request.accept_mimetypes.best_match(["text/html", "application/json"]) == "application/json":
        said = {"type": f"{BASE}/problem/{slug}", "title": title, "status": status, "detail": detail}
        return Response(current_app.json.dumps(said), mimetype="application/json")
    return Response(render_template("error.html", status=status, title_=title, detail=detail, parts={}), mimetype="text/html")


def meaning(cause: type[SekininError]) -> tuple[str, str]:
    """Return what a class of error means, in Japanese and English."""
    said = (inspect.getdoc(cause) or "").partition("\n")[0]
    return in_japanese(said), said


def problem(status: int, slug: str, title: str, detail: str, parts: dict[str, object]) -> Response:
    """Return a problem document, or a page for a browser.

    Source: RFC 9457.
    """
    g.problem = slug
    accepted = request.accept_mimetypes
    if accepted.quality("text/html") > accepted.quality(MEDIA) and "format" not in request.values:
        body = render_template("error.html", status=status, title_=title, detail=detail, parts=parts)
        response = Response(body, status=status, mimetype="text/html")
    else:
        said = {"type": f"{BASE}/problem/{slug}", "title": title, "status": status, "detail": detail, **parts}
        response = Response(current_app.json.dumps(said), status=status, mimetype=MEDIA)
    response.headers["Content-Language"] = language()
    response.headers["Cache-Control"] = "no-store"
    response.headers["Vary"] = "Accept, Accept-Language"
    return response


def hint(text: str) -> list[str]:
    """Return what a writer may have meant: for each unknown prefix or term of ours in ``text`` the nearest that there is."""
    bare = skeleton(text[:20_000])
    declared = {name.lower() for name in re.findall(r"\bPREFIX\s+([A-Za-z][\w-]*):", bare, re.I)}
    found = []
    for prefix, local in dict.fromkeys(re.findall(r"(?<![\w<?$:])([A-Za-z][\w-]*):([A-Za-z][\w]*)", bare)):
        if prefix not in PREFIXES and prefix.lower() not in declared:
            near = get_close_matches(prefix, PREFIXES, n=1, cutoff=0.4)
            found.append(f"{prefix}: → {near[0]}: <{PREFIXES[near[0]]}>" if near else f"{prefix}: → PREFIX {prefix}: <…>")
        elif prefix == "sk" and local not in ontology_terms():
            near = get_close_matches(local, ontology_terms(), n=1)
            found += [f"sk:{local} → sk:{near[0]}"] if near else []
    return found[:5]
