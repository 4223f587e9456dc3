"""The data as a whole: the files to fetch, what they hold, under which licence, and how the dataset describes itself.

``/data`` lists the files and ``/data/<file>`` gives them, in parts too; ``/.well-known/void`` and the endpoint without a
query give the description in RDF, with the addresses of this server in it.
"""

from __future__ import annotations

import base64
import json
import threading
from collections import Counter, OrderedDict
from collections.abc import Iterable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Final

import pyoxigraph as ox
from flask import Blueprint, Response, abort, current_app, render_template, request, send_file
from flask.blueprints import BlueprintSetupState

from sekinin import describe, dumps, queries
from sekinin.describe import Dump
from sekinin.errors import Missing
from sekinin.formats import GRAPHS, ROWS
from sekinin.namespaces import BASE, PREFIXES, graph_iri
from sekinin.store import EmbeddedStore, Triples
from webapp.addresses import SETTING
from webapp.answers import context, stamp, store, version
from webapp.negotiation import HTML, wanted
from webapp.offered import page_of
from webapp.saved import ask, kept
from webapp.words import language

blueprint = Blueprint("data", __name__)
FOLDER: Final = "SEKININ_DATASET"
"""Setting: folder of the dataset that is served, with its manifest and its dumps."""
DUMPS: Final = "dumps"
AT_ONCE: Final = 60
"""Files on one page of the list."""
OFFERS: Final = GRAPHS | {"json": replace(ROWS["json"], media="application/json", words=())}
KEPT: Final = 24
"""Descriptions that are kept: one for each format and address under which the server is asked."""
MEASURES: Final = {
    "triples": "count-triples",
    "entities": "count-entities",
    "distinctSubjects": "count-subjects",
    "distinctObjects": "count-objects",
    "classes": "count-classes",
    "properties": "count-properties",
}
"""For each figure of VoID, its word on the page."""
_lock = threading.Lock()


@blueprint.record
def _settle(state: BlueprintSetupState) -> None:
    """Find the folder once, as the link to the dataset in use may be moved while this one is served."""
    served = state.app.extensions["sekinin"].store
    if isinstance(served, EmbeddedStore) and Path(served.where).is_dir():
        state.app.config.setdefault(FOLDER, Path(served.where).resolve().parent)


def files() -> list[Dump]:
    """Return the files that can be fetched; none where the store is another server's, or in memory."""
    folder = current_app.config.get(FOLDER)
    return kept("files", lambda: _files(Path(folder) / DUMPS)) if folder else []


def _files(folder: Path) -> list[Dump]:
    try:
        return dumps.dumped(folder)
    except Missing:
        return []


def titles() -> dict[str, str]:
    """Return the title of each file that can be fetched, in the language of the request."""
    return kept(
        f"titles {language()}",
        lambda: {row["file"].value.removeprefix(f"{describe.FILES}/"): row["title"].value for row in ask("describe/titles")},
    )


def findings_of_build() -> list[dict[str, Any]] | None:
    """Return what the checks of the build found, the gravest first; None where no build is at hand, as on another server."""
    folder = current_app.config.get(FOLDER)
    if not folder:
        return None
    try:
        found: list[dict[str, Any]] = json.loads((Path(folder) / "manifest.json").read_text(encoding="utf-8"))["findings"]
    except (OSError, ValueError, KeyError):
        return None
    order = ("Violation", "Warning", "Info")
    return sorted(found, key=lambda one: (order.index(one["severity"]), one["rule"], one["where"]))


def findings() -> list[dict[str, Any]] | None:
    """Return what the checks found, with how often each was found, the gravest first; None where it is not known."""
    found = findings_of_build()
    if found is None:
        return None
    counted = Counter((f["severity"], f["rule"], f["what"].get(language()) or f["what"].get("en", "")) for f in found)
    return [{"severity": s, "rule": rule, "what": what, "number": number} for (s, rule, what), number in counted.items()]


@blueprint.get("/data")
def data() -> Response:
    """Show the files, or tell them in JSON; to a client that asks for RDF, the catalogue and the figures of VoID."""
    form = wanted(OFFERS)
    if form not in (HTML, "json"):
        return described(("catalog", "void"), form)
    measured = {row["measure"].value.rpartition("#")[2]: int(row["number"].value) for row in ask("describe/counts")}
    counts = {name: measured[name] for name in MEASURES if name in measured}
    if form == HTML:
        words = [(MEASURES[name], number) for name, number in counts.items()]
        some, page_number, pages = page_of(files(), AT_ONCE)
        page = render_template(
            "data.html",
            files=some,
            number=len(files()),
            page=page_number,
            pages=pages,
            base="",
            titles=titles(),
            counts=words,
            findings=findings(),
            version=version(),
            made=context().made,
            licence=describe.LICENCE,
        )
        return stamp(Response(page, mimetype="text/html"), "data", "html", language())
    root = public()
    said = {
        "version": version(),
        "issued": context().made.isoformat(),
        "license": describe.LICENCE,
        "counts": counts,
        "findings": findings(),
        "files": [asdict(dump) | {"title": titles().get(dump.name, ""), "url": f"{root}/data/{dump.name}"} for dump in files()],
    }
    return stamp(Response(current_app.json.dumps(said), mimetype="application/json"), "data", "json", language(), root)


@blueprint.get("/data/<name>")
def file(name: str) -> Response:
    """Give one file, or the part of it that is asked for.

    Raises:
        Missing: if there is no such file in this version.
    Source: RFC 9110, section 14, for parts; RFC 9530 for the digest.
    """
    dump = next((each for each in files() if each.name == name), None)
    path = Path(current_app.config[FOLDER]) / DUMPS / dump.name if dump else None
    if dump is None or path is None or not path.is_file():
        raise Missing(f"/data/{name[:100]}", "there is no such file in this version", "see the list at /data")
    response = send_file(path, dump.media, conditional=True, etag=dump.sha256, last_modified=context().made, download_name=dump.name)
    response.headers["Repr-Digest"] = f"sha-256=:{base64.b64encode(bytes.fromhex(dump.sha256)).decode('ascii')}:"
    response.headers["Sekinin-Version"] = version()
    response.headers["Cache-Control"] = "public, max-age=0, must-revalidate"
    return response


@blueprint.get("/.well-known/void")
def well_known() -> Response:
    """Give what the dataset says of itself: VoID and DCAT.

    Source: VoID (W3C Note, 2011), section 7.2, and RFC 8615.
    """
    return described(("void", "catalog"), wanted(GRAPHS, page=False))


def service_description(form: str) -> Response:
    """Return all that the endpoint says of itself, for a client that asks it for RDF and has no query.

    Args:
        form: name of the format in ``formats.GRAPHS``.
    Raises:
        Missing: if the store holds no description.
    Source: SPARQL 1.1 Service Description, section 2.
    """
    return described(describe.PARTS, form)


def described(parts: Iterable[str], form: str) -> Response:
    """Return graphs of the description, with the addresses of this server in them.

    Args:
        parts: which of ``describe.PARTS``; one graph in a format that has no named graphs.
        form: name of the format in ``formats.GRAPHS``.
    Raises:
        Missing: if the store holds none of them.
    """
    chosen, root = tuple(parts), public()
    key = (version(), chosen, form, root)
    kept: OrderedDict[object, bytes] = current_app.extensions.setdefault("sekinin-descriptions", OrderedDict())
    with _lock:
        body = kept.get(key)
    if body is None:
        body = _write(chosen, form, root)
        with _lock:
            kept[key] = body
            while len(kept) > KEPT:
                kept.popitem(last=False)
    return stamp(Response(body, mimetype=GRAPHS[form].media), "description", *chosen, form, root)


def public() -> str:
    """Return the address under which this server is asked, without a slash at its end: the setting, else that of the request."""
    setting = current_app.config.get(SETTING)
    if not setting and not request.host:  # what the client sent is no host
        abort(400, "the header Host is no address")
    return str(setting or request.url_root).rstrip("/")


def _write(parts: tuple[str, ...], form: str, root: str) -> bytes:
    question = queries.get("resources/graph")
    quads = []
    for part in parts:
        graph = graph_iri(f"description/{part}")
        found = queries.bind(question, {question.params[0].name: graph}).ask(store())
        for triple in found if isinstance(found, Triples) else ():
            here = [_here(term, root) for term in (triple.subject, triple.object)]
            quads.append(ox.Quad(here[0], triple.predicate, here[1], ox.NamedNode(graph)))
    if not quads:
        raise Missing("description", "this store does not describe itself", "run: sekinin build --again")
    engine = GRAPHS[form].engine
    assert isinstance(engine, ox.RdfFormat)
    quads.sort(key=str)
    written: Iterable[ox.Quad] | Iterable[ox.Triple] = quads if engine.supports_datasets else dict.fromkeys(quad.triple for quad in quads)
    return ox.serialize(written, format=engine, prefixes=PREFIXES | describe.SHORT) or b""


def _here(term: Any, root: str) -> Any:
    """Return an address under the base of our IRIs as it is on this server; every other term as it is."""
    if isinstance(term, ox.NamedNode):
        for address in (describe.ENDPOINT, describe.FILES):
            if term.value == address or term.value.startswith(address + "/"):
                return ox.NamedNode(root + term.value.removeprefix(BASE))
    return term
