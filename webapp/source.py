"""The source drawer: where a statement stands, the passage itself if the reader has the paper, and what was inferred from it.

The passage is read at this moment from the reader's own copy, whose digest was checked; nothing of it is kept.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final

from flask import Blueprint, Response, make_response, render_template, request

from sekinin import papers
from sekinin.errors import Missing
from sekinin.namespaces import PREFIXES, made
from sekinin.store import Row
from webapp import saved
from webapp.addresses import iri_of, is_iri
from webapp.answers import inference, stamp
from webapp.controls import SPACE, others
from webapp.offered import Service, services
from webapp.places import Section
from webapp.saved import ask, text
from webapp.words import language

blueprint = Blueprint("source", __name__)
AROUND: Final = 120
"""Characters of the paper that are shown before and behind a passage."""


@dataclass(frozen=True)
class Passage:
    """One passage that a statement rests on.

    Args:
        before, said, after: the text around it and the passage, if the reader has the paper; else ``said`` is empty.
        proved: whether the digest of the passage is the one that the graph says.
        line: of the passage in the reader's copy, from 1.
    """

    section: Section
    document: str
    document_label: str
    publisher: str
    number: str
    start: int
    end: int
    sha256: str
    quote_sha256: str
    citation: str
    before: str = ""
    said: str = ""
    after: str = ""
    proved: bool = False
    line: int = 0


@blueprint.get("/source/<path:name>", merge_slashes=False)
def source(name: str) -> Response:
    """Show the source of one statement: as a page, or with ``?part=1`` as what the drawer of another page shows.

    Raises:
        Missing: if there is no statement of this name, or it stands nowhere.
    """
    iri = iri_of(name)
    lang = language()
    reading = ask("sources/reading", statement=iri, lang=lang) if is_iri(iri) else ()
    if not reading:
        raise Missing(name[:200], "the graph has no statement of this name that a paper makes", "check the spelling")
    passages = [passage(row) for row in ask("sources/passages", statement=iri, lang=lang)]
    about = next((text(row, "service") for row in reading if "service" in row), "")
    words = {
        "iri": iri,
        "label": reading[0]["label"].value,
        "kinds": list(dict.fromkeys(saved.name(row["class"].value, lang) for row in reading)),
        "service": next((each for each in services(lang).values() if each.iri == about), None),
        "printed": list(dict.fromkeys(text(row, "printed") for row in reading if "printed" in row)),
        "notes": list(dict.fromkeys(text(row, "note") for row in reading if "note" in row)),
        "alternatives": list(dict.fromkeys(text(row, "alternative") for row in reading if "alternative" in row)),
        "graph": reading[0]["graph"].value,
        "passages": passages,
        "inferred": inferred(iri, lang) if inference() else [],
    }
    part = request.args.get("part") == "1"
    body = render_template("_source.html" if part else "source.html", part=part, **words)
    response = make_response(body)
    response.headers["Content-Language"] = lang
    if any(each.said for each in passages):  # it came from a file that the reader may take away
        response.headers["Cache-Control"] = "no-store"
        return response
    return stamp(response, iri, "source", lang, str(part), str(inference()), *(str(paper_here(each.sha256)) for each in passages))


def passage(row: Row) -> Passage:
    """Return one passage, with its text if the reader has the paper and its digest agrees."""
    start, end = int(text(row, "start")), int(text(row, "end"))
    sha256, quote = text(row, "sha256").lower(), text(row, "quoteSha256").lower()
    said = {key: text(row, key) for key in ("document", "documentLabel", "publisher", "number", "citation", "section", "notation", "title")}
    section = Section(said["section"], said["notation"], said["title"])
    whole = (said["document"], said["documentLabel"], said["publisher"], said["number"], start, end, sha256, quote, said["citation"])
    paper = papers.text_of(sha256)
    if paper is None:
        return Passage(section, *whole)
    exact = paper[start:end]
    proved = hashlib.sha256(exact.encode()).hexdigest() == quote
    before, after = paper[max(0, start - AROUND) : start], paper[end : end + AROUND]
    return Passage(section, *whole, before, exact, after, proved, paper.count("\n", 0, start) + 1)


def paper_here(sha256: str) -> bool:
    """Whether the reader's copy of a paper is in place, as it was when it was added."""
    return papers.text_of(sha256) is not None


def inferred(iri: str, lang: str) -> list[tuple[str, str, str, str, str]]:
    """Return what follows from a statement: property, value, its IRI, what it follows from, and the graph that says so."""
    found = []
    ways = {PREFIXES["c17"].removesuffix("iso27017-2015/") + other[3]: other for control in _named(iri) for other in others(control, lang)}
    starts = ", ".join(control.rpartition("/")[2] for control in _named(iri))
    for row in ask("sources/inferred", statement=iri):
        prop, value = row["property"].value, row["value"].value
        way = ways.get(value)
        basis = f"{starts} → {' → '.join(way[4])}" if way else ""
        label = value.removeprefix(SPACE).replace("/", " ") if value.startswith(SPACE) else saved.name(value, lang)
        found.append((saved.name(prop, lang), label, value, basis, made(row["graph"].value)))
    return found


def whose(service: Service) -> list[tuple[str, bool]]:
    """Return the digests of a service's papers, each with whether the reader's copy is in place."""
    return [(version.sha256, paper_here(version.sha256)) for version in service.versions if version.sha256]


def _named(iri: str) -> list[str]:
    """Return the controls that a statement names itself."""
    return [row["control"].value for row in ask("sources/controls", statement=iri)]
