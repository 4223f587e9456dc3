"""Where statements stand: the section of each for a page, and the very positions for whoever takes them away."""

from __future__ import annotations

from dataclasses import dataclass

from flask import g

from sekinin.namespaces import shrink
from sekinin.store import Row
from webapp.addresses import address, name_of
from webapp.offered import Service
from webapp.saved import ask, text
from webapp.words import language


@dataclass(frozen=True)
class Section:
    """One section of a paper, as printed."""

    iri: str
    notation: str
    title: str

    @property
    def short(self) -> str:
        """Return its number, or its title where it has none."""
        return self.notation or self.title or shrink(self.iri).rpartition("-")[2]

    @property
    def whole(self) -> str:
        """Return its number and its title."""
        return " ".join(part for part in (self.notation, self.title) if part) or self.short


@dataclass(frozen=True)
class Place:
    """One place where a statement stands.

    Args:
        start, end: positions in the text rendition, in code points.
        quote_sha256: digest of the passage.
    """

    statement: str
    service: Service
    version: str
    number: str
    section: Section
    start: int
    end: int
    quote_sha256: str


def sections(service: Service) -> dict[str, Section]:
    """Return the sections of a service's papers by their IRI."""
    return {
        row["section"].value: Section(row["section"].value, text(row, "notation"), text(row, "title"))
        for row in ask("documents/sections", service=service.iri)
    }


def places(service: Service) -> dict[str, list[Place]]:
    """Return the places of every statement about a service, by the statement's IRI."""
    numbers = {version.iri: version.number for version in service.versions}
    found: dict[str, list[Place]] = {}
    for row in ask("sources/of-service", service=service.iri):
        section = Section(row["section"].value, text(row, "notation"), text(row, "title"))
        version, statement = row["version"].value, row["statement"].value
        place = Place(
            statement,
            service,
            version,
            numbers.get(version, ""),
            section,
            int(row["start"].value),
            int(row["end"].value),
            row["quoteSha256"].value.lower(),
        )
        found.setdefault(statement, []).append(place)
    return found


def gather(found: tuple[Row, ...], key: str, many: tuple[str, ...] = ()) -> list[tuple[Row, dict[str, list[str]]]]:
    """Join the rows of one ``key`` into its first row and, for each column of ``many``, its values in order, each once."""
    joined: dict[str, tuple[Row, dict[str, list[str]]]] = {}
    for row in found:
        _, lists = joined.setdefault(row[key].value, (row, {name: [] for name in ("section", *many)}))
        for name, values in lists.items():
            if name in row and row[name].value not in values:
                values.append(row[name].value)
    return list(joined.values())


def source_of(statement: str) -> str:
    """Return the address at which the source of a statement is shown; in a file that stands alone, the place in its list."""
    if "anchors" in g:
        found: str = g.anchors.get(statement, "")
        return found
    return address(f"source/{name_of(statement)}", lang=language())


def placed(many: dict[str, list[str]], named: dict[str, Section]) -> tuple[Section, ...]:
    """Return the sections of one gathered row, in their order."""
    return tuple(named[iri] for iri in many["section"] if iri in named)
