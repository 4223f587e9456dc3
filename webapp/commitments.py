"""Commitments: one metric across services, as printed, with what compares and why the rest does not.

A value that does not compare is never ranked, and a paper's silence is a row like any other.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from flask import Blueprint, Response, request

from sekinin.errors import Missing
from sekinin.namespaces import PREFIXES
from sekinin.store import Row
from webapp.offered import Service, chosen, nearest, paged, services
from webapp.places import Section, gather, placed, sections
from webapp.saved import ask, holds, name, names, quantity, sk, text
from webapp.views import Line, Table, View, respond
from webapp.words import word

blueprint = Blueprint("commitments", __name__)
COLUMNS: Final = ("service", "metric", "commitment", "as-printed", "seconds", "compares", "firmness", "clock", "bearer", "note")
LENGTHS: Final = {
    "BusinessDay": "why-business",
    "BusinessHour": "why-business",
    "Month": "why-length",
    "Year": "why-length",
    "Generation": "why-generation",
}
"""Units of no fixed length, with the reason why they do not compare."""
MANY: Final = ("vague", "printed", "subject", "value", "reference", "note", "clock", "bearer")
"""Columns of which one commitment may have several values."""
KIND: Final = re.compile(re.escape(PREFIXES["sk"]) + r"\w+Commitment")
"""What the ontology calls its kinds of commitment."""


@dataclass(frozen=True)
class Promise:
    """One commitment, in words; without ``about`` the silence of a paper.

    Args:
        printed: amount and unit, or the word, as the paper prints it.
        seconds: what compares; None for what does not.
        why: that it compares, or why not.
    """

    about: str
    service: Service
    metric: str
    label: str
    printed: str
    seconds: int | None
    why: str
    firmness: str = ""
    clock: str = ""
    bearer: str = ""
    note: str = ""
    sections: tuple[Section, ...] = ()


@blueprint.get("/commitments")
def index() -> Response:
    """Show every kind and metric that any paper promises something on."""
    return respond(index_view, "metrics.html", rdf=False)


def index_view(lang: str) -> View:
    """Return the metrics by kind, with how many services promise something on each."""
    kinds: dict[str, list[tuple[str, str, int]]] = {}
    lines = []
    for row in ask("commitments/metrics"):
        metric, kind, number = row["metric"].value, row["kind"].value, int(row["services"].value)
        kinds.setdefault(kind, []).append((_slug(metric), name(metric, lang), number))
        lines.append(Line((name(kind, lang), name(metric, lang), number)))
    words = {"kinds": [(_slug(kind), name(kind, lang), sorted(found, key=lambda one: one[1])) for kind, found in kinds.items()]}
    return View(word("commitments", lang), "metrics", (Table("metrics", ("kind", "metric", "services"), tuple(lines)),), (), words)


@blueprint.get("/commitments/<subject>")
def commitments(subject: str) -> Response:
    """Show one metric, or all metrics of one kind, across services."""
    return respond(lambda lang: view(subject, lang), "commitments.html", single=True)


def view(subject: str, lang: str) -> View:
    """Return what is promised on ``subject``, the name of a metric or of a kind of commitment.

    Raises:
        Missing: if there is no such metric or kind.
    """
    iri = PREFIXES["id"] + subject if subject.startswith("metric-") else sk(subject)
    known = [_slug(each) for each in names(lang) if each.startswith(PREFIXES["id"] + "metric-") or KIND.fullmatch(each)]
    if subject not in known:
        raise Missing(f"metric {subject[:80]}", "there is no metric or kind of this name", nearest(subject, known, "see: /commitments"))
    some, page, pages = paged(lang)
    found = promises(iri, some, lang)
    if request.args.get("sort") == "value":
        found.sort(key=lambda one: (one.seconds is None, one.seconds or 0, one.service.label))
    lines = tuple(
        Line(
            (one.service.label, name(one.metric, lang), one.label, one.printed, one.seconds, one.why, one.firmness, one.clock, one.bearer, one.note),
            one.about,
            one.sections,
        )
        for one in found
    )
    title = f"{word('commitments', lang)}: {name(iri, lang)}"
    words = {
        "subject": subject,
        "page": page,
        "pages": pages,
        "found": found,
        "sort": request.args.get("sort", ""),
        "bars": bars(found),
        "subject_name": name(iri, lang),
        "several": len({one.metric for one in found}) > 1,
        "all_services": list(services(lang).values()),
        "picked": [service.slug for service in chosen(lang)],
    }
    return View(title, f"commitments-{subject}", (Table("commitments", COLUMNS, lines),), tuple(some), words)


def promises(subject: str, some: Sequence[Service], lang: str) -> list[Promise]:
    """Return what the services promise on a metric or a kind, by service; one that says nothing has a row that says so."""
    metric = subject if subject.startswith(PREFIXES["id"]) else ""
    by_service = {service.iri: _of(service, lang, metric) if metric else _of(service, lang, kind=subject) for service in some}
    silent = word("state-silent", lang)
    return [
        promise
        for service in some
        for promise in by_service[service.iri] or [Promise("", service, metric, "", silent, None, word("why-silent", lang))]
    ]


def of_service(service: Service, lang: str) -> list[Promise]:
    """Return all that one service promises, by metric."""
    return _of(service, lang)


def _of(service: Service, lang: str, metric: str = "", **kind: str) -> list[Promise]:
    """Return what one service promises: of one kind, or on one metric, which is looked for in all it promises, as its own page asks it too."""
    rows = ask("commitments/compare", service=service.iri, lang=lang, **kind)
    some = tuple(row for row in rows if metric in ("", row["metric"].value))
    return [_promise(row, many, service, lang) for row, many in gather(some, "commitment", MANY)]


def _promise(row: Row, many: dict[str, list[str]], service: Service, lang: str) -> Promise:
    seconds = int(row["seconds"].value) if "seconds" in row else None
    return Promise(
        row["commitment"].value,
        service,
        row["metric"].value,
        row["label"].value,
        printed(row, many, lang),
        seconds,
        word(why(row, many), lang),
        name(row["bindingness"].value, lang),
        " · ".join([*(name(iri, lang) for iri in many["clock"]), text(row, "calendar")]).strip(" ·"),
        " · ".join(name(iri, lang) for iri in many["bearer"]),
        " ".join(many["note"]),
        placed(many, sections(service)),
    )


def printed(row: Row, many: dict[str, list[str]], lang: str) -> str:
    """Return a value as the paper prints it: amount, unit and comparator; yes or no; a vague word; named values."""
    parts = []
    if "amount" in row and not many["printed"]:
        parts.append(quantity(text(row, "amount"), text(row, "unit"), lang))
        if text(row, "comparator") not in ("", sk("Exactly")):
            parts.append(name(text(row, "comparator"), lang))
    elif "provided" in row:
        parts.append(word("yes" if holds(row, "provided") else "no", lang))
    parts += [f"「{said}」" if lang == "ja" else f"“{said}”" for said in many["printed"]]
    parts += [name(iri, lang) for iri in [*many["vague"], *many["value"]]]
    parts += [word("see-document", lang).format(document) for document in many["reference"]]
    return " · ".join(dict.fromkeys(parts))


def why(row: Row, many: dict[str, list[str]]) -> str:
    """Return the key of the word that says that a commitment compares, or why it does not."""
    if "seconds" in row:
        return "why-compares"
    unit = text(row, "unit").removeprefix(PREFIXES["sk"])
    if unit:
        return LENGTHS.get(unit, "why-unit")
    if "provided" in row:
        return "why-yes-no"
    if many["vague"]:
        return "why-vague"
    return "why-elsewhere" if many["reference"] else "why-no-figure"


def bars(found: list[Promise]) -> list[tuple[Promise, float]]:
    """Return the values that compare with the length of their bars, 0 to 1; empty where fewer than two do."""
    values = [one for one in found if one.seconds]
    if len(values) < 2 or len({one.metric for one in values}) > 1:
        return []
    most = max(one.seconds or 0 for one in values)
    return [(one, (one.seconds or 0) / most) for one in values]


def _slug(iri: str) -> str:
    return iri.removeprefix(PREFIXES["id"]).removeprefix(PREFIXES["sk"])
