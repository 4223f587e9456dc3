"""The services that there are, who provides them, and which of them a request chooses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Final, TypeVar

from flask import request

from sekinin.errors import BadQuery, Missing
from sekinin.namespaces import PREFIXES
from webapp.saved import ask, kept, text

_T = TypeVar("_T")
AT_ONCE: Final = 25
"""Services on one page of a list of all."""
LONGEST: Final = 100
"""Characters of an unknown name that are compared with those that are known."""
ABREAST: Final = 12
"""Most services that one page compares."""


@dataclass(frozen=True)
class Version:
    """One version of a paper.

    Args:
        number: as printed; empty where the paper has none.
        date: of the version, or of its cover; empty where the paper is undated.
        sha256: digest of the text rendition that was read.
        length: of that rendition, in code points.
    """

    iri: str
    number: str
    date: str
    sha256: str
    length: int
    graph: str


@dataclass(frozen=True)
class Service:
    """One service with its provider and its paper.

    Args:
        slug: its name in addresses.
    """

    iri: str
    slug: str
    label: str
    provider: str
    provider_label: str
    document: str
    document_label: str
    versions: tuple[Version, ...] = field(default=())


def services(lang: str) -> Mapping[str, Service]:
    """Return all services by their slug, in the order of their IRIs."""
    return kept(f"services {lang}", lambda: _services(lang))


def _services(lang: str) -> dict[str, Service]:
    found: dict[str, Service] = {}
    for row in ask("services/documents", lang=lang):
        iri = row["service"].value
        slug = iri.removeprefix(PREFIXES["id"] + "service-")
        version = Version(
            row["version"].value,
            text(row, "number"),
            text(row, "date") or text(row, "cover"),
            text(row, "sha256"),
            int(text(row, "length") or 0),
            row["graph"].value,
        )
        known = found.get(slug)
        before = known.versions if known else ()
        if version.iri not in {each.iri for each in before}:
            before = (*before, version)
        found[slug] = Service(
            iri,
            slug,
            text(row, "label"),
            text(row, "provider"),
            text(row, "providerLabel"),
            text(row, "document"),
            text(row, "documentLabel"),
            before,
        )
    return found


def chosen(lang: str, default: int = 0) -> list[Service]:
    """Return the services that the request names by ``?service=``, each once, in its order.

    Args:
        default: how many of all to return where it names none; 0 for none.
    Raises:
        Missing: for a service that is not there, naming the nearest.
        BadQuery: for more than fit side by side.
    """
    known = services(lang)
    said = dict.fromkeys(part for text in request.args.getlist("service") for part in text.split(",") if part)
    if len(said) > ABREAST:
        raise BadQuery("service", f"{len(said)} services are chosen; at most {ABREAST} fit side by side", "choose fewer")
    return [find(slug, known) for slug in said] or list(known.values())[:default]


def paged(lang: str) -> tuple[Sequence[Service], int, int]:
    """Return the services that the request chooses, or one page of all, with the number of that page and of pages.

    Raises:
        BadQuery: for a page that is no number from 1.
    """
    some = chosen(lang)
    if some:
        return some, 1, 1
    return page_of(list(services(lang).values()), AT_ONCE)


def page_of(items: Sequence[_T], at_once: int) -> tuple[Sequence[_T], int, int]:
    """Return the items of the page that the request asks for, the number of that page (the last one where there are fewer) and of pages.

    Raises:
        BadQuery: for a page that is no number from 1.
    """
    said, pages = request.args.get("page", "1"), max(1, -(-len(items) // at_once))
    if not (said.isascii() and said.isdigit() and len(said) < 10 and int(said) > 0):
        raise BadQuery("page", f"{said[:40]!r} is no number from 1", "write digits only, e.g. 2")
    page = min(int(said), pages)
    return items[(page - 1) * at_once : page * at_once], page, pages


def find(slug: str, known: Mapping[str, Service]) -> Service:
    """Return the service called ``slug``, or whose IRI it is.

    Raises:
        Missing: naming the nearest.
    """
    bare = slug.removeprefix(PREFIXES["id"]).removeprefix("id:").removeprefix("service-")
    if bare not in known:
        raise Missing(f"service {slug[:60]}", "there is no service of this name", nearest(bare, known, "see the start page"))
    return known[bare]


def nearest(said: str, known: Iterable[str], otherwise: str) -> str:
    """Return what to do about a name that is not known: take the nearest, or where none is near, ``otherwise``."""
    near = get_close_matches(said[:LONGEST], list(known), n=1, cutoff=0.4)
    return f"did you mean {near[0]}" if near else otherwise
