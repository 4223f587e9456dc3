"""Service, provider, document: all that is said of one, grouped, with what its paper leaves to others."""

from __future__ import annotations

from collections import Counter

from flask import Blueprint, Response

from sekinin.errors import Missing
from sekinin.namespaces import PREFIXES
from sekinin.store import Row
from webapp.atlas import stack, view_words
from webapp.commitments import Promise, of_service
from webapp.controls import SIGNS, status_word
from webapp.duties import book
from webapp.offered import Service, find, nearest, services
from webapp.places import Section, gather, placed, sections
from webapp.saved import ask, name, sk, text
from webapp.source import paper_here
from webapp.views import Line, Table, View, respond
from webapp.words import word

blueprint = Blueprint("profiles", __name__)
OTHERS = ("CertificationClaim", "DataLocationStatement", "SupplyStatement", "TextDefect")


@blueprint.get("/services/<slug>")
def service(slug: str) -> Response:
    """Show one service: its split, the customer's duties, what is promised, what is said to each control, and the rest."""
    return respond(lambda lang: service_view(find(slug, services(lang)), lang), "service.html", single=True)


def service_view(here: Service, lang: str) -> View:
    """Return all that is said of a service."""
    one = stack(here, lang)
    duties = book(here, "CustomerLayer", lang)
    promises = of_service(here, lang)
    statements = said_to_controls(here, lang)
    rest = others(here, lang)
    left = deferred(here, lang)
    tables = (
        Table(
            "atlas",
            ("area", "layer", "state", "task"),
            tuple(
                Line((name(area, lang), name(layer, lang), word(f"state-{entry.state}", lang), entry.said), entry.about, entry.sections)
                for area, row in one.rows.items()
                for layer, entries in row.cells.items()
                for entry in entries
            ),
        ),
        Table(
            "customer-duties",
            ("phase", "duty", "when", "deadline", "firmness"),
            tuple(Line((name(duty.phase, lang), duty.label, duty.when, duty.deadline, duty.firmness), duty.about, duty.sections) for duty in duties),
        ),
        Table(
            "commitments",
            ("metric", "commitment", "as-printed", "seconds", "compares", "firmness"),
            tuple(Line((name(p.metric, lang), p.label, p.printed, p.seconds, p.why, p.firmness), p.about, p.sections) for p in promises),
        ),
        Table("controls", ("status", "mark", "says"), tuple(line for _, line in statements)),
        Table(
            "other-statements",
            ("kind", "status", "says", "holder"),
            tuple(Line((name(sk(kind), lang), *cells), about, where) for kind, found in rest for about, cells, where in found),
        ),
        deferred_table(left),
    )
    words = {
        **view_words([one], lang),
        "service": here,
        "duties": duties,
        "promises": promises,
        "metrics": _by_metric(promises, lang),
        "statements": statements,
        "rest": [(name(sk(kind), lang), found) for kind, found in rest],
        "deferred": left,
    }
    return View(here.label, f"service-{here.slug}", tables, (here,), words)


def _by_metric(promises: list[Promise], lang: str) -> list[tuple[str, str, list[Promise]]]:
    found: dict[str, list[Promise]] = {}
    for promise in promises:
        found.setdefault(promise.metric, []).append(promise)
    return [(metric.removeprefix(PREFIXES["id"]), name(metric, lang), group) for metric, group in found.items()]


def said_to_controls(here: Service, lang: str) -> list[tuple[str, Line]]:
    """Return what a paper says to each numbered item: the sign of its status, and the row."""
    named = sections(here)
    return [
        (
            SIGNS.get(row["status"].value.removeprefix(PREFIXES["sk"]), ""),
            Line((status_word(row["status"].value, lang), text(row, "mark"), row["label"].value), row["statement"].value, placed(many, named)),
        )
        for row, many in gather(ask("controls/statements", service=here.iri, lang=lang), "statement")
    ]


def others(here: Service, lang: str) -> list[tuple[str, list[tuple[str, tuple[str, str, str], tuple[Section, ...]]]]]:
    """Return certificates as claimed, places of data, suppliers and defects of the text, by their kind."""
    named = sections(here)
    found: dict[str, list[tuple[str, tuple[str, str, str], tuple[Section, ...]]]] = {}
    for row, many in gather(ask("services/statements", service=here.iri, lang=lang), "statement", ("holder", "scope", "planned")):
        said = row["label"].value
        status = " ".join(part for part in (name(text(row, "status"), lang), *many["planned"]) if part)
        holder = " · ".join(name(iri, lang) for iri in many["holder"])
        found.setdefault(row["class"].value.removeprefix(PREFIXES["sk"]), []).append(
            (row["statement"].value, (status, said, holder), placed(many, named))
        )
    return [(kind, found[kind]) for kind in OTHERS if kind in found]


def deferred(here: Service, lang: str) -> list[tuple[str, list[tuple[str, str, tuple[Section, ...]]]]]:
    """Return what a paper leaves to other documents, by the document."""
    named = sections(here)
    by_document: dict[str, list[Row]] = {}
    for row in ask("documents/deferred", service=here.iri, lang=lang):
        by_document.setdefault(row["document"].value, []).append(row)
    return [
        (
            rows[0]["documentLabel"].value,
            [(row["statement"].value, row["label"].value, placed(many, named)) for row, many in gather(tuple(rows), "statement")],
        )
        for rows in by_document.values()
    ]


def deferred_table(found: list[tuple[str, list[tuple[str, str, tuple[Section, ...]]]]]) -> Table:
    """Return what a paper leaves to other documents as it is taken away."""
    return Table("deferred", ("document", "says"), tuple(Line((label, said), about, where) for label, rows in found for about, said, where in rows))


@blueprint.get("/providers/<slug>")
def provider(slug: str) -> Response:
    """Show one provider: its services, its papers, its certificates as claimed, whom it depends on."""
    return respond(lambda lang: provider_view(slug, lang), "provider.html")


def provider_view(slug: str, lang: str) -> View:
    """Return what is known of a provider.

    Raises:
        Missing: if there is no provider of this name.
    """
    iri = PREFIXES["id"] + "party-" + slug
    mine = [each for each in services(lang).values() if each.provider == iri]
    if not mine:
        providers = {each.provider.rpartition("/party-")[2] for each in services(lang).values()}
        raise Missing(f"provider {slug[:60]}", "there is no provider of this name", nearest(slug, providers, "see the start page"))
    claims = [
        (here, about, cells, where)
        for here in mine
        for kind, found in others(here, lang)
        if kind == "CertificationClaim"
        for about, cells, where in found
    ]
    relies = [
        (row["party"].value, name(row["party"].value, lang), name(row["service"].value, lang))
        for here in mine
        for row in ask("supply/relied-on", service=here.iri)
    ]
    lines = tuple(Line((here.label, *cells), about, where) for here, about, cells, where in claims)
    words = {"provider": iri, "mine": mine, "claims": claims, "relies": relies}
    return View(
        mine[0].provider_label, f"provider-{slug}", (Table("certificates", ("service", "status", "says", "holder"), lines),), tuple(mine), words
    )


@blueprint.get("/documents/<slug>")
def document(slug: str) -> Response:
    """Show one paper: its versions, its sections with how much rests on each, its defects, what it defers, and whether it is here."""
    return respond(lambda lang: document_view(slug, lang), "document.html")


def document_view(slug: str, lang: str) -> View:
    """Return what is known of a paper.

    Raises:
        Missing: if there is no paper of this name.
    """
    iri = PREFIXES["id"] + "doc-" + slug
    here = next((each for each in services(lang).values() if each.document == iri), None)
    if here is None:
        documents = [each.document.rpartition("/doc-")[2] for each in services(lang).values()]
        raise Missing(f"document {slug[:60]}", "there is no paper of this name", nearest(slug, documents, "see the start page"))
    counts = Counter({row["section"].value: int(row["citations"].value) for row in ask("documents/citations-by-section", service=here.iri)})
    found = [(section, counts[section.iri]) for section in sections(here).values()]
    defects = [row for kind, each in others(here, lang) if kind == "TextDefect" for row in each]
    left = deferred(here, lang)
    present = [(version, paper_here(version.sha256)) for version in here.versions]
    tables = (
        Table(
            "sections",
            ("number", "title-column", "citations"),
            tuple(Line((section.notation, section.title, number), "", (section,)) for section, number in found),
        ),
        Table("defects", ("status", "says"), tuple(Line(cells[:2], about, where) for about, cells, where in defects)),
        deferred_table(left),
    )
    words = {
        "service": here,
        "found": found,
        "most": max([1, *counts.values()]),
        "defects": defects,
        "deferred": left,
        "papers": present,
    }
    return View(here.document_label, f"document-{slug}", tables, (here,), words, depends=tuple(str(there) for _, there in present))
