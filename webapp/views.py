"""A view: what one page shows, as tables, so that the same can be taken away as Excel, CSV, JSON, RDF or one HTML file.

The address is the state; ``?format=`` or Accept at the same address gives the data behind the page.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote, urlencode

from flask import Response, current_app, render_template, request

from sekinin.errors import BadQuery
from sekinin.formats import GRAPHS, ROWS, Format
from webapp.addresses import SAFE, SETTING, path_of
from webapp.answers import stamp, version
from webapp.columns import COLUMNS
from webapp.negotiation import HTML, LONGEST, wanted
from webapp.offered import Service
from webapp.places import Section
from webapp.words import LANGUAGES, WORDS, language, word

Cell = str | int | float | None


@dataclass(frozen=True)
class Line:
    """One row of a table.

    Args:
        cells: one for each column.
        about: IRI of the statement that it shows; empty for a silence, which nobody says anywhere.
        sections: where that stands.
        inferred: whether the row came by inference.
    """

    cells: tuple[Cell, ...]
    about: str = ""
    sections: tuple[Section, ...] = ()
    inferred: bool = False


@dataclass(frozen=True)
class Table:
    """One table.

    Args:
        name: key of its title among the words; names its sheet.
        columns: keys of its headings among the words, or the columns of a query.
    """

    name: str
    columns: tuple[str, ...]
    lines: Iterable[Line]


@dataclass(frozen=True)
class View:
    """What one page shows, in one language.

    Args:
        title: heading.
        slug: name of the files that are taken away.
        tables: the same facts as the page, one row each.
        services: those whose papers the facts come from.
        words: what the template gets besides.
        cut: rows after which an answer was cut off at a limit; 0 if it is whole.
        depends: whatever the page depends on besides the dataset and its address.
    """

    title: str
    slug: str
    tables: tuple[Table, ...]
    services: tuple[Service, ...] = ()
    words: dict[str, Any] = field(default_factory=dict)
    cut: int = 0
    depends: tuple[str, ...] = ()

    def statements(self) -> list[str]:
        """Return the IRIs of the statements that it shows, each once."""
        return list(dict.fromkeys(line.about for line in self.lines() if line.about))

    def lines(self) -> Iterator[Line]:
        """Yield the rows of all its tables."""
        for table in self.tables:
            yield from table.lines


Builder = Callable[[str], View]
"""Makes the view in one language, ``ja`` or ``en``, from the address."""
XLSX: Final = Format("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xlsx", None, ("excel",))
FILE: Final = Format("file", "text/html;profile=file", "html", None)
"""One HTML file that needs nothing else."""
OFFERS: Final = {form.name: form for form in (ROWS["csv"], XLSX, FILE, GRAPHS["turtle"], GRAPHS["jsonld"], ROWS["tsv"])} | {
    "json": Format("json", "application/json", "json", None)
}
TAKEN: Final = ("xlsx", "csv-excel", "csv", "file", "turtle", "jsonld", "json")
"""What each page offers to take away, in this order."""


def respond(build: Builder, template: str, *, single: bool = False, rdf: bool = True) -> Response:
    """Answer with a view, as a page or as what is wanted.

    Args:
        build: makes the view in a language.
        template: of the page.
        single: whether the page can be taken away as one HTML file.
        rdf: whether it shows statements, which can be taken away as RDF.
    """
    from webapp import takeaway

    once()
    offers = {name: offer for name, offer in OFFERS.items() if (single or name != "file") and (rdf or name not in GRAPHS)}
    form = HTML if takes_anything(offers) and not request.args.get("format") else wanted(offers)
    lang = language()
    view = build(lang)
    if form == HTML:
        body = render_template(template, view=view, title=view.title, take=links(view, list(offers)), **view.words)
        response = Response(body, mimetype="text/html")
    else:
        response = takeaway.made(build, view, form, lang, template)
    response.headers["Content-Language"] = lang
    if view.cut:
        response.headers["Sekinin-Truncated"] = f"rows={view.cut}"
    return stamp(response, request.url_root, request.full_path, form, lang, *view.depends)


def takes_anything(offers: dict[str, Format]) -> bool:
    """Whether the client takes whatever there is and names nothing that is offered; it gets the page."""
    accepted = {part.partition(";")[0].strip() for part in request.headers.get("Accept", "")[:LONGEST].split(",")} - {""}
    named = any(offer.media in accepted or accepted & set(offer.words) for offer in offers.values())
    return not accepted or ("*/*" in accepted and not named)


def once() -> None:
    """See that the request gives each argument once, and only services several times.

    Raises:
        BadQuery: for one that it gives again, since nobody could say which is meant.
    """
    for name in request.args:
        if name != "service" and len(request.args.getlist(name)) > 1:
            raise BadQuery(name[:60], "it is given more than once", "give it once")


def links(view: View, offers: list[str]) -> list[tuple[str, str]]:
    """Return for each format that the page offers its word and its address."""
    if not any(view.lines()):
        return []
    offered = [name for name in TAKEN if name.removesuffix("-excel") in offers]
    return [(word(f"take-{name}"), here(format=name.removesuffix("-excel"), bom="1" if name == "csv-excel" else None)) for name in offered]


def here(**changed: str | None) -> str:
    """Return the address of this page with some of its arguments changed; None leaves one out."""
    kept = [(name, text) for name, text in request.args.items(multi=True) if name not in changed and name not in ("format", "bom")]
    if not any(name == "lang" for name, _ in kept) and "lang" not in changed:
        kept.append(("lang", language()))
    said = [*kept, *((name, text) for name, text in changed.items() if text)]
    return request.script_root + quote(request.path, safe=SAFE) + (f"?{urlencode(said)}" if said else "")


def seen_at() -> str:
    """Return the whole address of this page, without the format that it is taken away in."""
    base: str = current_app.config.get(SETTING) or request.url_root.rstrip("/")
    return base + here().removeprefix(request.script_root)


def table_json(view: View, table: Table, lang: str) -> dict[str, object]:
    """Return a table as JSON: each row by the headings' keys, with its statement and where it stands."""
    return {
        "name": table.name,
        "title": heading(table.name, lang),
        "columns": {key: {each: heading(key, each) for each in LANGUAGES} for key in table.columns},
        "rows": [
            {
                "statement": line.about or None,
                "page": path_of(line.about) if line.about else None,
                "sections": [section.whole for section in line.sections],
                "inferred": line.inferred,
                **dict(zip(table.columns, line.cells, strict=True)),  # a question may have a column of such a name
            }
            for line in table.lines
        ],
    }


def document(view: View, lang: str) -> dict[str, object]:
    """Return a view as JSON."""
    return {"version": version(), "title": view.title, "lang": lang, "tables": [table_json(view, table, lang) for table in view.tables]}


def heading(key: str, lang: str) -> str:
    """Return the word for a heading: of the interface, or of a column of a saved question."""
    if key in COLUMNS:
        return COLUMNS[key][LANGUAGES.index(lang)]
    return word(key, lang) if key in WORDS else key
