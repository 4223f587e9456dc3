"""How this build does in the W3C's tests: the page, the report in EARL, and the application that is put to them."""

from __future__ import annotations

import hashlib
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Final

import pyoxigraph as ox
from flask import Blueprint, Flask, Response, render_template

import sekinin
from sekinin import build, earl
from sekinin.conformance import Ask, Reply
from sekinin.earl import Outcome
from sekinin.errors import Missing
from sekinin.formats import GRAPHS
from sekinin.store import EmbeddedStore
from sekinin.workers import Limits, Pool
from webapp.answers import stamp, version
from webapp.negotiation import HTML, wanted
from webapp.words import language

blueprint = Blueprint("conformance", __name__)
COMMAND: Final = "sekinin conformance --suites FOLDER"


@cache
def program() -> str:
    """Return the digest of the program that answers: a result holds for the code that was asked, and for no other."""
    folders = (Path(sekinin.__file__).parent, Path(__file__).parent)
    whole = hashlib.sha256()
    for path in sorted(path for folder in folders for path in folder.glob("*.py")):
        whole.update(path.read_bytes())
    return whole.hexdigest()


@contextmanager
def application(quads: list[ox.Quad] | None) -> Iterator[Ask]:
    """Start the application over ``quads``, or over the data that were built, as it is served: from a store on disk, through a worker."""
    from webapp import create_app

    with tempfile.TemporaryDirectory(prefix="sekinin-") as place:
        folder = build.current()
        if quads is not None:
            folder = Path(place) / "store"
            engine = ox.Store(str(folder))
            engine.bulk_extend(quads)
            engine.flush()
            del engine
        pool = Pool(folder, replace(Limits.from_environment(), at_once=1))
        try:
            yield asking(create_app(EmbeddedStore.open(folder), pool, "conformance"))
        finally:
            pool.close()


def asking(app: Flask) -> Ask:
    """Return what sends one request to ``app``."""
    client = app.test_client()

    def ask(method: str, path: str, headers: Mapping[str, str], body: bytes) -> Reply:
        with client.open(path, method=method, headers=[*headers.items()], data=body or None) as reply:
            return reply.status_code, dict(reply.headers), reply.get_data()

    return ask


@blueprint.get("/conformance")
def page() -> Response:
    """Show how each test ended, by suite, or say that none was run; to a program that asks for RDF, the report in EARL."""
    form = wanted(GRAPHS)
    found = earl.saved(version(), program())
    if form != HTML:
        if found is None:
            raise Missing("conformance", "the test suites were not run for this build", f"run: {COMMAND}")
        outcomes, made = found
        triples = earl.report(outcomes, version(), made)
        engine = GRAPHS[form].engine
        assert isinstance(engine, ox.RdfFormat)
        body = ox.serialize(triples, format=engine, prefixes=earl.EARL_PREFIXES)
        return stamp(Response(body, mimetype=GRAPHS[form].media), "conformance", form, made)
    outcomes, made = found or ([], "")
    suites: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        suites.setdefault(outcome.suite, []).append(outcome)
    totals = {suite: Counter(o.result for o in ended) for suite, ended in suites.items()}
    shown = [result for result in earl.MEANING if any(total[result] for total in totals.values())]
    text = render_template("conformance.html", suites=suites, totals=totals, results=shown, made=made, command=COMMAND, version=version())
    return stamp(Response(text, mimetype="text/html"), "conformance", language(), made)
