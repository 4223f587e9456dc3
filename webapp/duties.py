"""The duty book: what a layer must do for the chosen services, in the order of life, to print, tick and take away."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from flask import Blueprint, Response, request

from sekinin.errors import Missing
from webapp.offered import Service, chosen, nearest, services
from webapp.places import Section, gather, placed, sections
from webapp.saved import ask, name, quantity, sk, text
from webapp.views import Line, Table, View, respond
from webapp.words import word

blueprint = Blueprint("duties", __name__)
LAYERS: Final = {"customer": "CustomerLayer", "provider": "ProviderLayer", "infrastructure": "InfrastructureLayer"}
PHASES: Final = ("BeforeUsePhase", "InOperationPhase", "OnIncidentPhase", "AtEndPhase")
COLUMNS: Final = ("phase", "service", "duty", "when", "deadline", "firmness", "area", "alternative")


@dataclass(frozen=True)
class Duty:
    """One duty, in words.

    Args:
        when: its trigger and its condition.
        alternative: how a careful reader could read the passage otherwise; empty where nobody could.
    """

    about: str
    service: Service
    phase: str
    label: str
    when: str
    deadline: str
    firmness: str
    area: str
    alternative: str
    sections: tuple[Section, ...]


@blueprint.get("/duties")
def duties() -> Response:
    """Show the duty book."""
    return respond(view, "duties.html", single=True)


def view(lang: str) -> View:
    """Return the duties of one layer for the chosen services, or for all where there are few.

    Raises:
        Missing: for a layer or a phase that is not there.
    """
    layer, phase = request.args.get("layer", "customer"), request.args.get("phase", "")
    if layer not in LAYERS:
        raise Missing(f"layer {layer[:40]}", "there is no such layer", nearest(layer, LAYERS, "layers are " + ", ".join(LAYERS)))
    if phase and phase not in PHASES:
        raise Missing(f"phase {phase[:40]}", "there is no such phase", nearest(phase, PHASES, "phases are " + ", ".join(PHASES)))
    some = chosen(lang, default=5)
    found = [duty for service in some for duty in book(service, LAYERS[layer], lang) if phase == "" or duty.phase == sk(phase)]
    without = [service for service in some if not any(duty.service == service for duty in found)]
    silent = word("no-duty-in-phase" if phase else "no-duty", lang)
    groups = [(each, name(sk(each), lang), [duty for duty in found if duty.phase == sk(each)]) for each in PHASES if phase in ("", each)]
    lines = tuple(
        Line((label, duty.service.label, duty.label, duty.when, duty.deadline, duty.firmness, duty.area, duty.alternative), duty.about, duty.sections)
        for _, label, group in groups
        for duty in group
    )
    lines += tuple(Line((name(sk(phase), lang) if phase else "", service.label, silent, "", "", "", "", "")) for service in without)
    title = word("duty-book", lang) + "：" * (lang == "ja") + ": " * (lang == "en") + name(sk(LAYERS[layer]), lang)
    words = {
        "groups": groups,
        "layer": layer,
        "phase": phase,
        "layers": [(each, name(sk(local), lang)) for each, local in LAYERS.items()],
        "phases": [(each, name(sk(each), lang)) for each in PHASES],
        "all_services": list(services(lang).values()),
        "picked": [service.slug for service in some],
        "without": without,
        "silent": silent,
        "number": len(found),
    }
    return View(
        title, f"duties-{layer}-" + "-".join(service.slug for service in some)[:80], (Table("duty-book", COLUMNS, lines),), tuple(some), words
    )


def book(service: Service, layer: str, lang: str) -> list[Duty]:
    """Return the duties of one layer for one service, in the order of life."""
    named = sections(service)
    return [
        Duty(
            row["duty"].value,
            service,
            row["phase"].value,
            row["label"].value,
            " · ".join([*(name(iri, lang) for iri in many["trigger"]), *many["condition"]]),
            deadline(text(row, "amount"), text(row, "unit"), [name(iri, lang) for iri in many["vague"]], lang),
            name(row["bindingness"].value, lang),
            " · ".join(name(iri, lang) for iri in many["area"]),
            " ".join(many["alternative"]),
            placed(many, named),
        )
        for row, many in gather(
            ask("duties/book", service=service.iri, layer=sk(layer), lang=lang), "duty", ("trigger", "condition", "vague", "area", "alternative")
        )
    ]


def deadline(amount: str, unit: str, vague: list[str], lang: str) -> str:
    """Return a deadline in words: its amount and unit, or the vague word that the paper prints."""
    if amount:
        return quantity(amount, unit, lang)
    return " · ".join(vague)
