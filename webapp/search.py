"""Search: one box on every page, a page of what was found, suggestions while one types, and OpenSearch for browsers.

The page works without a script; ``?format=json`` and ``?format=csv`` give the same at the same address.
"""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode, urljoin

import pyoxigraph as ox
from flask import Blueprint, Response, current_app, render_template, request
from flask.blueprints import BlueprintSetupState

from sekinin import search
from sekinin.errors import BadQuery, Missing
from sekinin.formats import Format
from sekinin.namespaces import PREFIXES, shrink
from sekinin.search import Hit, Index
from sekinin.store import EmbeddedStore, Store
from webapp.addresses import kept, path_of
from webapp.answers import stamp
from webapp.data import public
from webapp.negotiation import HTML, wanted
from webapp.takeaway import harmless
from webapp.words import LANGUAGES, language, word

blueprint = Blueprint("search", __name__)
FORMATS: Final = {
    "json": Format("json", "application/json", "json", ox.QueryResultsFormat.JSON),
    "csv": Format("csv", "text/csv", "csv", ox.QueryResultsFormat.CSV, ("text/plain",)),
}
ON_A_PAGE: Final = 20
"""Hits on a page, unless ``limit`` says otherwise."""
MOST: Final = 1000
"""Most hits on a page."""
DEEPEST: Final = 10_000
"""Hits that can be reached by paging; who wants more asks by SPARQL."""
SUGGESTIONS: Final = 8
FIRST: Final = 1
KINDS: Final = {
    PREFIXES["owl"] + "Class": "class",
    PREFIXES["rdf"] + "Property": "property",
    PREFIXES["owl"] + "NamedIndividual": "individual",
}
"""Kinds that the ontology does not name itself, with the word for them."""
_EXTENSION: Final = "sekinin-search"


@blueprint.record
def _settle(state: BlueprintSetupState) -> None:
    """Open the index of the store that is served, once, and give the header what it keeps."""
    state.app.extensions[_EXTENSION] = _beside(state.app.extensions["sekinin"].store)
    state.app.jinja_env.globals.update(kept=kept)


def _beside(store: Store) -> Index | None:
    """Return the index of ``store``; another server has none, and a store in memory neither."""
    if not isinstance(store, EmbeddedStore) or not Path(store.where).is_dir():
        return None
    try:
        return Index.open(search.beside(Path(store.where)))
    except Missing:
        return None


def index() -> Index | None:
    """Return the index of this application, or None if its store has none."""
    found: Index | None = current_app.extensions[_EXTENSION]
    return found


@blueprint.get("/search")
def page() -> Response:
    """Show what is found: by words, by kind, some at a time."""
    text, kind, form = request.args.get("q", ""), _kind(request.args.get("kind", "")), wanted(FORMATS)
    limit = _number("limit", ON_A_PAGE, MOST)
    number = min(_number("page", 1, DEEPEST), DEEPEST // limit)
    here = index()
    if here is None and form != HTML:
        raise Missing("search", "there is no search index", "run: sekinin build")
    found = _found(here, text, kind, limit, number) if here else {}
    if form == HTML:
        more = {"index": here is not None, "q": text, "kind": kind, "downloads": [(name, _at(format=name)) for name in FORMATS]}
        body = render_template("search.html", **found, **more)
    elif form == "csv":
        body = _csv(found["hits"])
    else:
        body = current_app.json.dumps(_said(found, text, kind, limit))
    response = Response(body, mimetype="text/html" if form == HTML else FORMATS[form].media)
    response.headers["Content-Type"] = f"{response.mimetype}; charset=utf-8" if form != "json" else "application/json"
    response.headers["Content-Language"] = language()
    if found:
        response.headers["X-Total-Count"] = str(found["total"])
    return stamp(
        response, "search", text.encode("utf-8", "replace").decode(), kind, str(limit), str(number), form, language(), str(sorted(kept().items()))
    )


def _found(here: Index, text: str, kind: str, limit: int, number: int) -> dict[str, Any]:
    total, hits = here.find(text, limit, kind, language(), (number - 1) * limit)
    last = min(-(-total // limit), DEEPEST // limit)
    if number > last > 0:  # behind the end: the last page
        return _found(here, text, kind, limit, last)
    kinds = here.kinds(text)
    empty = bool(search.tokens(text)) and not kinds
    return {
        "number": number,
        "first": (number - 1) * limit + 1,
        "total": total,
        "everything": sum(kinds.values()),
        "asked": bool(search.tokens(text)),
        "hits": [_shown(here, hit) for hit in hits],
        "kinds": [(_name(here, each), count, _at(kind=shrink(each), page=""), each == kind) for each, count in kinds.items()],
        "every_kind": _at(kind="", page=""),
        "before": _at(page=str(number - 1)) if number > 1 else "",
        "after": _at(page=str(number + 1)) if number < last else "",
        "last": last,
        "nearest": [(near, _at(q=near, kind="", page="")) for near in here.nearest(text)] if empty else [],
    }


def _shown(here: Index, hit: Hit) -> dict[str, Any]:
    """Return a hit with its names in the language of this request, and what it is about or belongs to."""
    about = here.get(hit.about) if hit.about else None
    label = hit.label(language())
    spoken = language() if label == (hit.label_ja if language() == "ja" else hit.label_en) else LANGUAGES[1 - LANGUAGES.index(language())]
    return {
        "iri": hit.iri,
        "hit": hit,
        "label": label,
        "spoken": spoken if hit.label_ja or hit.label_en else language(),
        "kind": _name(here, hit.kind),
        "about": hit.about if about else "",
        "about_label": about.label(language()) if about else "",
    }


def _name(here: Index, kind: str) -> str:
    """Return what a kind is called in the language of this request."""
    if kind in KINDS:
        return word(KINDS[kind])
    known = here.get(kind)
    return known.label(language()) if known else shrink(kind)


def _said(found: dict[str, Any], text: str, kind: str, limit: int) -> dict[str, Any]:
    return {
        "query": text.encode("utf-8", "replace").decode(),
        "kind": kind,
        "total": found["total"],
        "page": found["number"],
        "limit": limit,
        "kinds": [{"kind": label, "total": count, "url": _whole(place)} for label, count, place, _ in found["kinds"]],
        "nearest": [near for near, _ in found["nearest"]],
        "hits": [
            {
                "iri": each["iri"],
                "url": _whole(path_of(each["iri"])),
                "kind": each["hit"].kind,
                "kindLabel": each["kind"],
                "label": {lang: name for lang, name in (("ja", each["hit"].label_ja), ("en", each["hit"].label_en)) if name},
                "notation": each["hit"].notation or None,
                "about": each["about"] or None,
                "aboutLabel": each["about_label"] or None,
                "score": each["hit"].score,
            }
            for each in found["hits"]
        ],
    }


def _csv(hits: list[dict[str, Any]]) -> str:
    """Return the hits as a table; a cell that a spreadsheet would take for a formula gets an apostrophe."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["iri", "kind", "ja", "en", "notation", "about"])
    for each in hits:
        hit = each["hit"]
        cells = [hit.iri, shrink(hit.kind), hit.label_ja, hit.label_en, hit.notation, each["about"]]
        writer.writerow([harmless(cell) for cell in cells])
    return out.getvalue()


@blueprint.get("/search/suggest")
def suggest() -> Response:
    """Give names that start with or contain what was typed.

    Source: OpenSearch 1.1, extension Suggestions, draft 1: the query, the names, what they are, where they are.
    """
    text, here = request.args.get("q", ""), index()
    hits = here.suggest(text, SUGGESTIONS, language()) if here and len(text) <= search.LONGEST else []
    names = [" ".join(filter(None, (hit.notation, hit.like(text, language())))) for hit in hits]
    shown = [_shown(here, hit) for hit in hits] if here else []
    told = [" · ".join(filter(None, (each["kind"], each["about_label"]))) for each in shown]
    text = text.encode("utf-8", "replace").decode()
    said = [text, names, told, [_whole(path_of(hit.iri)) for hit in hits]]
    response = Response(current_app.json.dumps(said), mimetype="application/x-suggestions+json")
    return stamp(response, "suggest", text, language(), public(), str(sorted(kept().items())))


@blueprint.get("/opensearch.xml")
def description() -> Response:
    """Tell a browser how to search here.

    Source: OpenSearch 1.1, draft 6, section 4.
    """
    place = public()
    body = render_template("opensearch.xml", place=place)
    return stamp(Response(body, mimetype="application/opensearchdescription+xml"), "opensearch", place, language())


def _whole(path: str) -> str:
    return urljoin(public() + "/", path)


def _at(**changed: str) -> str:
    """Return the address of this search with some of its parameters changed; one that is empty is left out."""
    said = {**{name: request.args.get(name, "") for name in ("q", "kind", "page", "limit")}, **kept(), "lang": language(), **changed}
    said = {name: text.encode("utf-8", "replace").decode() for name, text in said.items() if text}
    return f"{request.script_root}/search?{urlencode(said)}"


def _kind(said: str) -> str:
    """Return the IRI that ``?kind=`` means, whole or with a prefix of the house."""
    prefix, _, local = said.partition(":")
    return PREFIXES[prefix] + local if prefix in PREFIXES else said


def _number(name: str, default: int, most: int) -> int:
    said = request.args.get(name, "")
    if not said:
        return default
    if not said.isascii() or not said.isdigit() or len(said) > 9 or int(said) < FIRST:
        raise BadQuery(name, f"{said[:40]!r} is no number from {FIRST}", "write digits only, e.g. 100")
    return min(int(said), most)
