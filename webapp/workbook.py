"""A view as an Excel workbook: each table in both languages, the sources with their positions, and what dataset it came from.

Texts are written as texts, whatever they begin with: no cell is a formula, no address becomes a link.
"""

from __future__ import annotations

import io
from typing import Any, Final

import xlsxwriter

from webapp.answers import context, version
from webapp.places import Place
from webapp.views import Cell, Table, View, heading
from webapp.words import LANGUAGES, word

LONGEST: Final = 32_767
"""Characters that one cell of Excel holds."""
PROPERTY: Final = 255
"""Characters that a property of a workbook holds."""
EXACT: Final = 10**15
"""Numbers from here on lose digits in Excel, so that they are written as texts."""
WIDEST: Final = 60
SOURCES: Final = (
    "take-statement",
    "service",
    "document",
    "take-version",
    "take-section",
    "take-section-title",
    "take-start",
    "take-end",
    "take-digest",
    "take-iri",
)


def workbook(views: dict[str, View], lang: str, sources: dict[str, list[Place]], address: str) -> bytes:
    """Return the workbook of a view.

    Args:
        views: the view in each language.
        lang: whose sheets come first.
        sources: the places of each of its statements.
        address: where the view is seen.
    """
    content = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    book = xlsxwriter.Workbook(content, options)
    here = views[lang]
    book.set_properties({"title": here.title[:PROPERTY], "created": context().made.replace(tzinfo=None), "comments": f"Sekinin {version()}"})
    looks = {
        "head": book.add_format({"bold": True, "bg_color": "#E6E6E6", "border": 1, "text_wrap": True, "valign": "top"}),
        "cell": book.add_format({"border": 1, "text_wrap": True, "valign": "top"}),
    }
    taken: set[str] = set()
    for each in sorted(LANGUAGES, key=lambda one: one != lang):
        for table in views[each].tables:
            _table(book, looks, _sheet_name(heading(table.name, each), taken, f" ({each})"), table, sources, each)
    _fill(book, looks, _sheet_name(word("take-sources", lang), taken), [word(key, lang) for key in SOURCES], _source_rows(here, sources))
    _fill(book, looks, _sheet_name(word("take-about", lang), taken), [word("take-about", lang), ""], _about(here, lang, address))
    book.close()
    return content.getvalue()


def _table(book: Any, looks: dict[str, Any], name: str, table: Table, sources: dict[str, list[Place]], lang: str) -> None:
    heads = [*(heading(key, lang) for key in table.columns), word("source", lang), word("made", lang), word("take-iri", lang)]
    rows: list[list[Cell]] = []
    for line in table.lines:
        places = sources.get(line.about, [])
        where = "; ".join(dict.fromkeys(_where(place, lang) for place in places)) or "; ".join(section.whole for section in line.sections)
        rows.append([*line.cells, where, word("inferred" if line.inferred else "asserted", lang) if line.about else "", line.about])
    _fill(book, looks, name, heads, rows)


def _where(place: Place, lang: str) -> str:
    return " ".join(part for part in (place.service.document_label, place.number, word("section", lang), place.section.whole) if part)


def _source_rows(view: View, sources: dict[str, list[Place]]) -> list[list[Cell]]:
    labels = {line.about: next((str(cell) for cell in line.cells if cell), "") for line in view.lines()}
    return [
        [
            labels[iri],
            place.service.label,
            place.service.document_label,
            place.number,
            place.section.notation,
            place.section.title,
            place.start,
            place.end,
            place.quote_sha256,
            iri,
        ]
        for iri in view.statements()
        for place in sources.get(iri, [])
    ]


def _about(view: View, lang: str, address: str) -> list[list[Cell]]:
    papers: list[list[Cell]] = [
        [service.document_label, " · ".join(part for part in (each.number, each.date, f"SHA-256 {each.sha256}") if part)]
        for service in view.services
        for each in service.versions
    ]
    said: list[list[Cell]] = [
        [word("take-title", lang), view.title],
        [word("data-version", lang), version()],
        [word("take-made", lang), context().made.isoformat()],
        [word("take-address", lang), address],
        [word("data-licence", lang), word("licence", lang)],
        *papers,
        [word("take-note", lang), word("take-positions", lang)],
    ]
    return said


def _sheet_name(said: str, taken: set[str], mark: str = "") -> str:
    """Return a name that Excel takes: at most 31 characters, none of ``[]:*?/\\``, not used yet.

    Args:
        mark: its end, which stays whole.
    """
    bare = "".join("-" if letter in "[]:*?/\\'" or not letter.isprintable() else letter for letter in said)
    name, number = bare[: 31 - len(mark)].strip() + mark, 2
    while name.lower() in taken:
        name, number = f"{bare[: 27 - len(mark)].strip()} {number}{mark}", number + 1
    taken.add(name.lower())
    return name


def _fill(book: Any, looks: dict[str, Any], name: str, heads: list[str], rows: list[list[Cell]]) -> None:
    sheet = book.add_worksheet(name)
    sheet.set_landscape()
    sheet.set_paper(9)  # A4
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(0)
    sheet.freeze_panes(1, 0)
    for column, head in enumerate(heads):
        sheet.write_string(0, column, head, looks["head"])
        longest = max([len(head), *(len(str(row[column] or "")[:WIDEST]) for row in rows[:500])])
        sheet.set_column(column, column, min(WIDEST, max(8, longest * 1.6)))
    for number, row in enumerate(rows, 1):
        for column, cell in enumerate(row):
            if isinstance(cell, int | float) and not isinstance(cell, bool) and abs(cell) < EXACT:  # which NaN is not
                sheet.write_number(number, column, cell, looks["cell"])
            else:
                sheet.write_string(number, column, _fitting("" if cell is None else str(cell)), looks["cell"])
    if rows:
        sheet.autofilter(0, 0, len(rows), len(heads) - 1)


def _fitting(said: str) -> str:
    """Return a text that one cell holds; where it was cut off it ends in ``…``."""
    if len(said) <= LONGEST // 2:  # no character is more than two of Excel's
        return said
    units = said.encode("utf-16-le")
    return said if len(units) <= 2 * LONGEST else units[: 2 * LONGEST - 2].decode("utf-16-le", "ignore") + "…"
