"""Review: on one's own machine, a person decides about each statement of a draft, beside the passage that it was read from.

The pages are there only where a setting asks for them, and only for this machine; nothing is written for a page of anybody else.
"""

from __future__ import annotations

import os
import secrets
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from flask import Blueprint, Response, abort, current_app, redirect, render_template, request
from werkzeug.datastructures import MultiDict

from sekinin import resources
from sekinin.errors import BadData, BadQuery, Missing, Refused, SekininError
from sekinin.namespaces import shrink
from sekinin.reading.review import LONGEST, STATES, Entry, entries
from sekinin.reading.review import decide as decide_upon
from webapp.messages import in_japanese
from webapp.offered import page_of
from webapp.operations import local, private
from webapp.views import here, once
from webapp.words import language

blueprint = Blueprint("review", __name__)
PAGE: Final = 25
"""Statements, or drafts, on one page."""
OURS: Final = ("localhost", "127.0.0.1", "::1")
"""Names under which this machine is asked; under another one, a page of somebody else could pass for ours."""
_TOKEN: Final = secrets.token_urlsafe(32)
"""In each form of this process; a page that cannot read ours cannot know it."""


@dataclass(frozen=True)
class Draft:
    """One draft of the folder.

    Args:
        counts: how many of its statements are in each state.
        wrong: why it cannot be read, or empty.
    """

    name: str
    counts: dict[str, int]
    wrong: str = ""


@blueprint.before_app_request
def guarded() -> None:
    """See that whoever asks for these pages may: as if they were not there, for everybody else."""
    if not private():
        return
    operations = current_app.extensions.get("sekinin-operations")
    if operations is None or not operations.settings.review or not local() or _host(request.host_url) not in OURS:
        abort(404)


def _host(address: str) -> str:
    try:
        return urlsplit(address).hostname or ""
    except ValueError:
        return ""


@blueprint.after_request
def unkept(response: Response) -> Response:
    """See that nobody keeps a page with passages of a paper."""
    response.headers["Cache-Control"] = "no-store"
    response.headers["Content-Language"] = language()
    return response


@blueprint.get("/review")
def index() -> str:
    """List the drafts, each with how far its review is."""
    once()
    names = _names(resources.drafts_folder())
    some, page, pages = page_of(names, PAGE)
    drafts = [_draft(name) for name in some]
    return render_template("reviews.html", drafts=drafts, states=STATES, page=page, pages=pages, number=len(names))


@blueprint.get("/review/<path:draft>")
def statements(draft: str) -> str:
    """Show the statements of a draft, each beside its passage."""
    return _shown(draft)


@blueprint.post("/review/<path:draft>")
def decide(draft: str) -> tuple[str, int] | Response:
    """Put a decision on record, and go back to the page where it was made; one that cannot be made is told there."""
    _genuine()
    path = _path(draft)
    form = request.form
    try:
        done = _decided(path, form)
    except (BadData, BadQuery, Missing) as why:
        return _shown(draft, why, form), 400
    statement = form.get("statement", "").removeprefix("id:") if form.get("act") != "accept-all" else ""
    anchor = f"#{statement}" if statement else ""
    return redirect(here(reviewer=form["reviewer"].strip(), done=str(done)) + anchor, 303)  # type: ignore[return-value]


def _decided(path: Path, form: MultiDict[str, str]) -> int:
    """Do what a form asks for, and return how many statements it was done to."""
    act, reviewer = form.get("act", ""), form.get("reviewer", "")
    if act == "accept-all":
        least, known = _least(form.get("least", "")), {shrink(each.iri): each for each in _entries(path, language())}
        pairs = [pair.rpartition(" ") for pair in form.getlist("shown")]
        as_seen = {name: seen for name, _, seen in pairs if name in known and known[name].state in ("Unreviewed", "Changed")}
        as_seen = {name: seen for name, seen in as_seen.items() if known[name].confidence >= least}
        return len(decide_upon(path, "accept", as_seen, reviewer, as_seen=as_seen))
    if act not in ("accept", "edit", "reject"):
        raise BadQuery("act", f"{act[:40]!r} is no decision", "accept, edit or reject")
    name = form.get("statement", "")
    changes = _changes(path, name, form) if act == "edit" else []
    if act == "edit" and not changes:
        raise BadQuery(name, "nothing is changed", "change something, or accept it as it is")
    return len(decide_upon(path, act, [name], reviewer, changes=changes, as_seen={name: form.get("seen", "")}))


def _changes(path: Path, name: str, form: MultiDict[str, str]) -> list[str]:
    """Return what a form says otherwise than the statement does, and what it adds, one change a line."""
    entry = next((each for each in _entries(path, language()) if shrink(each.iri) == name), None)
    if entry is None:
        return []  # which deciding tells
    said = (*entry.facts, ("skos:prefLabel@ja", entry.labels[0]), ("skos:prefLabel@en", entry.labels[1]))
    changed = [f"{key}={form[key].strip()}" for key, value in said if key in form and form[key].strip() != value]
    return changed + [line.strip() for line in form.get("more", "").splitlines() if line.strip()]


def _shown(draft: str, why: SekininError | None = None, given: MultiDict[str, str] | None = None) -> str:
    """Return the page of a draft; with an error, what was given stays in its form."""
    once()
    every = _entries(_path(draft), language())
    state, least = request.args.get("state", ""), _least(request.args.get("least", "") or "0")
    if state and state not in STATES:
        raise BadQuery("state", f"{state[:40]!r} is not one of {', '.join(STATES)}", "choose one of them")
    some = [each for each in every if state in ("", each.state) and each.confidence >= least]
    shown, page, pages = page_of(some, PAGE)
    say = in_japanese if language() == "ja" else str
    return render_template(
        "review.html",
        draft=draft,
        entries=shown,
        counts=Counter(each.state for each in every),
        states=STATES,
        state=state,
        least=request.args.get("least", ""),
        reviewer=(given or request.args).get("reviewer", "")[:LONGEST].strip(),
        done=request.args.get("done", "") if request.args.get("done", "").isdecimal() and not why else "",
        number=len(some),
        page=page,
        pages=pages,
        token=_TOKEN,
        given=given or MultiDict(),
        wrong=f"{say(why.found)} ({say(why.where)}) — {say(why.remedy)}" if why else "",
    )


def _least(said: str) -> float:
    """Return a confidence as it is written, from 0 to 1."""
    try:
        least = float(said)
    except ValueError:
        least = -1.0
    if not 0 <= least <= 1:
        raise BadQuery("least", f"{said[:40]!r} is no confidence", "give a number from 0 to 1")
    return least


def _genuine() -> None:
    """See that a form of ours was sent, by a page of ours.

    Raises:
        Refused: for what another page sent, or nobody knows which.
    Source: Fetch Metadata, section 2.3; RFC 6454, section 7.
    """
    site, origin, referrer = (request.headers.get(name) for name in ("Sec-Fetch-Site", "Origin", "Referer"))
    ours = request.host_url.rstrip("/")
    from_page = [] if referrer is None else [referrer.startswith(ours + "/")]
    said = [*([] if site is None else [site == "same-origin"]), *([] if origin is None else [origin == ours]), *from_page]
    if not said or not all(said):
        raise Refused("server", "this form was not sent by a page of this server", "open the page of the draft, and decide there")
    if not secrets.compare_digest(request.form.get("token", "").encode(), _TOKEN.encode()):
        raise Refused("server", "this form is of a server that has ended", "open the page of the draft again, and decide there")


def _names(folder: Path) -> list[str]:
    """Return the names of the drafts in a folder and in those below it; what is hidden or leads elsewhere is left out."""
    found = []
    for place, below, files in os.walk(folder):
        below[:] = [each for each in below if not each.startswith(".")]
        paths = [Path(place, each) for each in files if each.endswith(".ttl") and not each.startswith(".")]
        found += [path.relative_to(folder).as_posix().removesuffix(".ttl") for path in paths if path.is_file() and not path.is_symlink()]
    return sorted(found)


def _path(draft: str) -> Path:
    """Return the file of a draft.

    Raises:
        Missing: for one that is not in the folder, or a name that leads out of it.
    """
    path = resources.drafts_folder()
    parts = f"{draft}.ttl".split("/")
    plain = draft.isprintable() and "\\" not in draft and len(draft) < LONGEST and not any(part == "" or part.startswith(".") for part in parts)
    for part in parts if plain else ():
        path /= part
        if path.is_symlink():
            plain = False
    if not plain or not path.is_file():
        raise Missing(draft[:200], "there is no such draft", "see the drafts that are there, or read the paper again")
    return path


def _draft(name: str) -> Draft:
    """Return how far the review of a draft is; one that cannot be read says why."""
    try:
        counts = Counter(each.state for each in _entries(_path(name), "en"))
    except (SekininError, OSError, ValueError) as why:
        return Draft(name, {}, why.found if isinstance(why, SekininError) else type(why).__name__)
    return Draft(name, dict(counts))


def _entries(path: Path, lang: str) -> tuple[Entry, ...]:
    return _as_it_is(path, lang, _mark(path), _mark(path.with_suffix(".txt")))


def _mark(path: Path) -> tuple[int, ...]:
    """Return what is another once a file is written again."""
    try:
        found = path.stat()
    except OSError:
        return ()
    return found.st_ino, found.st_mtime_ns, found.st_size


@lru_cache(maxsize=64)
def _as_it_is(path: Path, lang: str, _draft: tuple[int, ...], _text: tuple[int, ...]) -> tuple[Entry, ...]:
    """Read a draft; kept for as long as neither it nor its text is written again."""
    return tuple(entries(path, lang))
