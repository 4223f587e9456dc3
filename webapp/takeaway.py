"""What readers take away of a view: Excel, CSV, JSON, RDF, or one HTML file with its sources that needs nothing else."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path
from typing import Final

import pyoxigraph as ox
from flask import Response, current_app, g, render_template, request

from sekinin.formats import GRAPHS
from sekinin.namespaces import PREFIXES
from webapp.answers import context, version
from webapp.places import Place, places
from webapp.saved import ask
from webapp.views import FILE, OFFERS, Builder, Cell, View, document, heading, seen_at
from webapp.words import LANGUAGES, word
from webapp.workbook import workbook

ACTIVE: Final = ("=", "+", "-", "@", "\t", "\r", "\n")
"""Beginnings by which a spreadsheet takes a text for a formula."""
LONGEST: Final = 100
"""Characters of the name of a file, without what stands before and behind."""


def made(build: Builder, view: View, form: str, lang: str, template: str) -> Response:
    """Return a view in the format called ``form``.

    Args:
        build: makes the view in a language.
        view: it in ``lang``.
        template: of the page, for the format ``file``.
    """
    if form == "json":
        body: bytes = current_app.json.dumps(document(view, lang), sort_keys=False).encode()
    elif form == "xlsx":
        body = workbook({each: view if each == lang else build(each) for each in LANGUAGES}, lang, sources(view), seen_at())
    elif form in ("csv", "tsv"):
        body = separated(view, lang, "\t" if form == "tsv" else ",", bom=request.args.get("bom") == "1")
    elif form == "file":
        body = alone(view, template).encode()
    else:
        body = described(view, form)
    media = "text/html" if form == FILE.name else OFFERS[form].media
    response = Response(body, mimetype=media)
    if media.startswith("text/"):
        response.headers["Content-Type"] = f"{media}; charset=utf-8"
    if form in ("xlsx", "file") or "format" in request.args:
        response.headers["Content-Disposition"] = f'attachment; filename="{file_name(view.slug, OFFERS[form].ending)}"'
    return response


def file_name(slug: str, ending: str) -> str:
    """Return a name that every file system and every header takes: letters, digits, dots and hyphens, none too long."""
    return f"sekinin-{re.sub('[^A-Za-z0-9.]+', '-', slug)[:LONGEST].strip('-.') or 'view'}.{ending}"


def sources(view: View) -> dict[str, list[Place]]:
    """Return the places of every statement of a view, by the statement's IRI."""
    return {statement: found for service in view.services for statement, found in places(service).items()}


def harmless(cell: Cell) -> str:
    """Return a cell as text that no spreadsheet takes for a formula: an apostrophe stands before what begins like one."""
    said = "" if cell is None else str(cell)
    return f"'{said}" if isinstance(cell, str) and said.startswith(ACTIVE) else said


def separated(view: View, lang: str, mark: str, bom: bool) -> bytes:
    """Return the tables of a view as CSV or TSV, one below the other, an empty line between.

    Args:
        mark: between cells.
        bom: whether it begins with a byte order mark, as Excel wants.
    """
    content = io.StringIO()
    writer = csv.writer(content, delimiter=mark)
    for number, table in enumerate(view.tables):
        if number:
            writer.writerow([])
        writer.writerow([*(harmless(heading(key, lang)) for key in table.columns), word("source", lang), word("take-iri", lang)])
        for line in table.lines:
            where = "; ".join(section.whole for section in line.sections)
            writer.writerow([*(harmless(cell) for cell in line.cells), harmless(where), line.about])
    return content.getvalue().encode("utf-8-sig" if bom else "utf-8")


def described(view: View, form: str) -> bytes:
    """Return the statements of a view as RDF, with their parts and citations, as their papers' graphs hold them."""
    wanted = set(view.statements())
    triples = {
        ox.Triple(row["subject"], row["property"], row["value"]): None  # type: ignore[arg-type]
        for service in view.services
        for paper in service.versions
        for row in ask("resources/statements-of-service", service=service.iri, graph=paper.graph)
        if row["statement"].value in wanted
    }
    engine = GRAPHS[form].engine
    assert isinstance(engine, ox.RdfFormat)
    plain = ox.serialize(triples, format=ox.RdfFormat.N_TRIPLES) or b""
    spaces = {prefix: space for prefix, space in PREFIXES.items() if f"<{space}".encode() in plain}
    return ox.serialize(triples, format=engine, prefixes=spaces) or b""


def alone(view: View, template: str) -> str:
    """Return a page as one HTML file: its style inside, no script, its sources as a list that its cells point to."""
    found = sources(view)
    g.anchors = {iri: f"#source-{number}" for number, iri in enumerate(view.statements(), 1)}
    style = "\n".join(Path(current_app.root_path, "static", name).read_text(encoding="utf-8") for name in ("tokens.css", "style.css"))
    listed = [(number, found.get(iri, [])) for number, iri in enumerate(view.statements(), 1)]
    return render_template(
        template,
        base="file.html",
        view=view,
        title=view.title,
        take=[],
        style=style,
        listed=listed,
        version=version(),
        made=context().made,
        address=seen_at(),
        **view.words,
    )
