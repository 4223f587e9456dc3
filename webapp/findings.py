"""Findings as a work list in plain language: what the checks complain of, and what to ask a provider about its paper."""

from __future__ import annotations

from flask import Blueprint, Response

from sekinin.namespaces import PREFIXES, shrink
from webapp.data import findings_of_build
from webapp.offered import paged
from webapp.places import Section, gather, placed, sections
from webapp.saved import ask, name, text
from webapp.views import Line, Table, View, respond
from webapp.words import word

blueprint = Blueprint("findings", __name__)


@blueprint.get("/findings")
def findings() -> Response:
    """Show the work list."""
    return respond(view, "findings.html")


def view(lang: str) -> View:
    """Return what is to be mended in the graph, and what each paper leaves unclear."""
    checks = findings_of_build()
    mend = [
        (each["severity"], each["what"].get(lang) or each["what"].get("en", ""), each["where"], shrink(each["where"]), each["file"], each["rule"])
        for each in checks or ()
    ]
    asked: list[tuple[str, str, str, str, tuple[Section, ...], str]] = []
    some, page, pages = paged(lang)
    for service in some:
        named, before = sections(service), len(asked)
        for row, many in gather(ask("quirks/to-ask", service=service.iri, lang=lang), "statement", ("reason",)):
            why = " · ".join(_reason(reason, lang) for reason in many["reason"])
            asked.append((service.label, why, row["statement"].value, row["label"].value, placed(many, named), text(row, "note")))
        if len(asked) == before:
            asked.append((service.label, "", "", word("nothing-to-ask", lang), (), ""))
    mended = Table(
        "findings-mend",
        ("severity", "says", "where", "file", "rule"),
        tuple(Line((s, what, short, file, rule)) for s, what, _, short, file, rule in mend),
    )
    to_ask = Table(
        "findings-ask",
        ("service", "reason", "says", "note"),
        tuple(Line((s, why, said, note), iri, where) for s, why, iri, said, where, note in asked),
    )
    known = checks is not None  # an empty table would say that nothing was found
    words = {"mend": mend, "known": known, "asked": asked, "page": page, "pages": pages}
    return View(word("findings", lang), "findings", (mended, to_ask) if known else (to_ask,), tuple(some), words)


def _reason(reason: str, lang: str) -> str:
    return name(reason, lang) if reason.startswith(PREFIXES["sk"]) else word(f"reason-{reason}", lang)
