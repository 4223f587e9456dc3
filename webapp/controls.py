"""Controls: who addresses what, in the numbering of each framework, and the same question in another numbering.

Where the paper names another number and the crosswalk leads here, the row is marked as inferred.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import Final

from flask import Blueprint, Response, request

from sekinin.errors import Missing
from sekinin.namespaces import PREFIXES
from webapp.answers import inference
from webapp.offered import Service, chosen, nearest, paged, services
from webapp.places import Section, gather, placed, sections
from webapp.saved import ask, holds, name, sk, text
from webapp.views import Line, Table, View, respond
from webapp.words import word

blueprint = Blueprint("controls", __name__)
SPACE: Final = PREFIXES["c17"].removesuffix("iso27017-2015/")
FIRST: Final = "iso27017-2015"
CLASSES: Final = (
    "ControlStatement",
    "ResponsibilityAssignment",
    "Obligation",
    "Commitment",
    "DataLocationStatement",
    "CertificationClaim",
    "SupplyStatement",
)
SIGNS: Final = {
    "Implemented": "●",
    "Partial": "◐",
    "Planned": "◷",
    "Inherited": "⇩",
    "Deferred": "↗",
    "NotProvided": "✕",
    "OutOfScope": "⊘",
    "NotApplicable": "—",
    "InFigure": "？",
}
"""The sign of each assessed status; its word stands beside it."""


@dataclass(frozen=True)
class Control:
    """One control or item of a framework."""

    iri: str
    notation: str
    label: str
    group: str


@dataclass(frozen=True)
class Answer:
    """What one service says to one control.

    Args:
        named: whether the paper names this number itself; else the crosswalk leads to it.
    """

    statement: str
    status: str
    mark: str
    named: bool
    section: Section | None


@blueprint.get("/controls")
def index() -> Response:
    """Show the controls of a framework by service."""
    return respond(index_view, "controls.html")


def index_view(lang: str) -> View:
    """Return the matrix of a framework: its controls by the chosen services."""
    slug = request.args.get("framework", FIRST)
    known = frameworks(lang)
    if slug not in known:
        raise Missing(f"framework {slug[:60]}", "there is no framework of this name", nearest(slug, known, "frameworks are " + ", ".join(known)))
    some = chosen(lang, default=8)
    answers = matrix(slug, some)
    found = controls(slug, lang)
    rows = [(control, [(service, answers.get((control.iri, service.iri), ())) for service in some]) for control in found]
    lines = tuple(
        Line(
            (
                control.notation,
                control.label,
                service.label,
                status_word(each.status, lang) if each else word("state-silent", lang),
                each.mark if each else "",
            ),
            each.statement if each else "",
            (each.section,) if each and each.section else (),
            bool(each and not each.named),
        )
        for control, cells in rows
        for service, given in cells
        for each in (given or (None,))
    )
    counts = {
        service.iri: Counter(given[0].status if given else "" for _, cells in rows for one, given in cells if one == service) for service in some
    }
    words = {
        "framework": slug,
        "frameworks": known,
        "rows": rows,
        "signs": [(SIGNS[status], status_word(sk(status), lang)) for status in SIGNS],
        "sign": lambda status: SIGNS.get(status.removeprefix(PREFIXES["sk"]), ""),
        "status_word": lambda status: status_word(status, lang),
        "bars": [(service, [(sk(status), counts[service.iri][sk(status)]) for status in SIGNS], counts[service.iri][""]) for service in some],
        "total": len(found),
        "chosen_services": some,
        "all_services": list(services(lang).values()),
        "picked": [service.slug for service in some],
    }
    title = f"{word('controls-by', lang)}: {known[slug]}"
    return View(title, f"controls-{slug}", (Table("controls", ("number", "control", "service", "status", "mark"), lines),), tuple(some), words)


@blueprint.get("/controls/<framework>/<path:number>")
def control(framework: str, number: str) -> Response:
    """Show one control side by side."""
    return respond(lambda lang: control_view(framework, number, lang), "control.html", single=True)


def control_view(framework: str, number: str, lang: str) -> View:
    """Return all that is said under one control, and its numbers in the other frameworks.

    Raises:
        Missing: naming the nearest number.
    """
    known = frameworks(lang)
    if framework not in known:
        near = nearest(framework, known, "frameworks are " + ", ".join(known))
        raise Missing(f"framework {framework[:60]}", "there is no framework of this name", near)
    listed = controls(framework, lang)
    here = next((each for each in listed if number in (each.notation, each.iri.rpartition("/")[2])), None)
    if here is None:
        near = nearest(number, [each.notation for each in listed], f"see: /controls?framework={framework}")
        raise Missing(f"control {number[:60]}", "the framework has no control of this number", near)
    some, page, pages = paged(lang)
    said: dict[str, dict[str, list[tuple[str, str, str, bool, tuple[Section, ...]]]]] = {}
    lines = []
    offered = {service.iri: service for service in some}
    found = (row for service in some for row in ask("controls/about", control=here.iri, service=service.iri, lang=lang))
    for row, many in gather(tuple(found), "statement", ("layer",)):
        service = offered[row["service"].value]
        named = holds(row, "named")
        if not (named or inference()):
            continue
        kind = row["class"].value
        status = " ".join(part for part in (text(row, "mark"), status_word(text(row, "status"), lang)) if part)
        status = status or " · ".join(name(iri, lang) for iri in many["layer"])
        where = placed(many, sections(service))
        said.setdefault(service.iri, {}).setdefault(kind, []).append((row["statement"].value, row["label"].value, status, named, where))
        lines.append(Line((service.label, name(kind, lang), status, row["label"].value), row["statement"].value, where, not named))
    silent = [service for service in some if service.iri not in said]
    some = [service for service in some if service.iri in said]
    lines += [Line((service.label, "", word("state-silent", lang), "")) for service in silent]
    words = {
        "control": here,
        "framework": framework,
        "framework_name": known[framework],
        "said": [
            (service, [(name(sk(kind), lang), said[service.iri][sk(kind)]) for kind in CLASSES if sk(kind) in said[service.iri]]) for service in some
        ],
        "silent": silent,
        "page": page,
        "pages": pages,
        "others": others(here.iri, lang),
    }
    title = f"{here.notation} {here.label}"
    return View(
        title,
        f"control-{framework}-{here.notation}",
        (Table("control", ("service", "kind", "status-or-layer", "says"), tuple(lines)),),
        tuple(some),
        words,
    )


def frameworks(lang: str) -> dict[str, str]:
    """Return the names of the frameworks by their slug, 27017 first."""
    found = {row["framework"].value.removeprefix(SPACE).strip("/"): row["label"].value for row in ask("frameworks/frameworks", lang=lang)}
    return dict(sorted(found.items(), key=lambda one: one[0] != FIRST))


def controls(slug: str, lang: str) -> list[Control]:
    """Return the controls of a framework in the order of their numbers."""
    found: dict[str, Control] = {}
    for row in ask("frameworks/controls", framework=f"{SPACE}{slug}/", lang=lang):
        group = " ".join(part for part in (text(row, "groupNotation"), text(row, "groupLabel")) if part)
        found.setdefault(row["control"].value, Control(row["control"].value, row["notation"].value, text(row, "label"), group))
    return sorted(found.values(), key=lambda one: in_order(one.notation))


def in_order(notation: str) -> tuple[object, ...]:
    """Return what sorts numbers as people count them: 9.2 before 10.1, and CLD behind the clause that it extends."""
    numbers = [int(part) for part in re.findall(r"\d+", notation)]
    return (*(numbers[:1] or [0]), notation.startswith("CLD"), *numbers[1:])


def matrix(slug: str, some: list[Service]) -> dict[tuple[str, str], tuple[Answer, ...]]:
    """Return what the services say to the controls of a framework, by control and service."""
    wanted = {service.iri: sections(service) for service in some}
    found: dict[tuple[str, str], dict[str, Answer]] = {}
    for service, named_sections in wanted.items():
        for row in ask("controls/matrix", framework=f"{SPACE}{slug}/", service=service):
            named = holds(row, "named")
            if named or inference():
                answer = Answer(row["statement"].value, row["status"].value, text(row, "mark"), named, named_sections.get(row["section"].value))
                found.setdefault((row["control"].value, service), {}).setdefault(answer.statement, answer)
    return {key: tuple(sorted(answers.values(), key=lambda one: not one.named)) for key, answers in found.items()}


def others(iri: str, lang: str) -> list[tuple[str, str, str, str, list[str]]]:
    """Return the numbers of other frameworks for the same subject: framework, number, title, address part, and how one gets there.

    Two steps at most, so that 27017 reaches 27002:2022 through 27002:2013.
    """
    known = frameworks(lang)
    start = iri.removeprefix(SPACE).partition("/")[0]
    found: dict[str, tuple[str, str, str, str, list[str]]] = {}
    reached: list[tuple[str, list[str]]] = [(iri, [])]
    for _ in range(2):
        further = []
        for each, path in reached:
            for row in ask("crosswalks/other-numbers", control=each, lang=lang):
                other = row["other"].value
                slug = other.removeprefix(SPACE).partition("/")[0]
                step = ("" if holds(row, "towards") else "⇠ ") + name(row["relation"].value, lang)
                if other in found or slug == start:
                    continue
                way = [*path, step]
                found[other] = (known.get(slug, slug), row["notation"].value, text(row, "label"), f"{slug}/{row['notation'].value}", way)
                further.append((other, way))
        reached = further
    return sorted(found.values(), key=lambda one: (one[0], in_order(one[1])))


def status_word(status: str, lang: str) -> str:
    """Return the word of an assessed status."""
    return name(status, lang) if status else ""
