"""What the editor of ``/sparql`` knows of the graph: words to complete, names for the IRIs of an answer, and its own interface.

All of it comes from saved questions, in the language of the reader.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final

from flask import Blueprint, Response, current_app, request

from sekinin.errors import BadQuery, TooLong
from sekinin.namespaces import BASE, PREFIXES, shrink
from sekinin.store import Row
from webapp.addresses import address
from webapp.answers import stamp
from webapp.pieces import large
from webapp.saved import ask, kept
from webapp.words import language, word

blueprint = Blueprint("completion", __name__)
BUNDLE: Final = "built/editor.js"
"""Made when the package is built; without it the page is the plain form."""
LABELLED: Final = 2000
"""Most IRIs whose names are given at once."""
WORDS: Final = (
    "editor-completions",
    "editor-copied",
    "editor-copy",
    "editor-failed",
    "editor-go",
    "editor-graph",
    "editor-hint",
    "editor-history",
    "editor-history-clear",
    "editor-history-none",
    "editor-history-where",
    "editor-kind-class",
    "editor-kind-individual",
    "editor-kind-property",
    "editor-link-long",
    "editor-place",
    "editor-programs",
    "editor-running",
    "editor-share",
    "editor-truncated",
    "editor-unreachable",
    "no",
    "no-rows",
    "query",
    "rows",
    "too-many",
    "yes",
)
"""The words of the interface that the script shows."""
_LOCAL: Final = re.compile(r"\w(?:[\w.-]*\w)?")


def interface() -> dict[str, object] | None:
    """Return what the script needs; None where it was not bundled."""
    if not (Path(str(current_app.static_folder)) / BUNDLE).is_file():
        return None
    said = {key: word(key) for key in WORDS}
    return {"words": said, "base": BASE, "root": address(""), "lang": language(), "prefixes": PREFIXES, "labelled": LABELLED}


@blueprint.get("/sparql/words")
def words() -> Response:
    """Give what can be completed: prefixes, classes, properties and individuals, each with its name in the reader's language."""
    early = stamp(Response(mimetype="application/json"), "completion", language())
    if early.status_code != 200:
        return early
    early.set_data(offered())
    return early


def offered() -> str:
    """Return what can be completed, in the reader's language, as JSON; made once for a version of the data."""
    return kept(f"completions {language()}", lambda: current_app.json.dumps(_completions()))


def _completions() -> list[dict[str, str]]:
    found = {name: {"name": f"{name}:", "label": space, "kind": "prefix"} for name, space in PREFIXES.items()}
    terms = [(row["term"].value, row["label"].value, row["group"].value) for row in ask("resources/words")]
    terms += [(row["term"].value, "", row["group"].value) for row in ask("resources/used")]
    individuals = "resources/shared-names" if large() else "resources/named"  # nobody completes a name out of ten thousand services
    terms += [(row["thing"].value, row["label"].value, "individual") for row in ask(individuals)]
    for iri, label, kind in terms:
        if (name := written(iri)) not in found:
            found[name] = {"name": name, "label": label, "kind": kind}
    return list(found.values())


def written(iri: str) -> str:
    """Return ``iri`` as it may stand in a query: with a prefix of the house where the grammar allows it, else in angle brackets."""
    short = shrink(iri)
    return short if _LOCAL.fullmatch(short.partition(":")[2]) else f"<{iri}>"


@blueprint.post("/sparql/labels")
def labels() -> Response:
    """Give the names of the IRIs that the form lists as ``iri``, in the reader's language; those without a name are left out.

    Raises:
        TooLong: if there are more than ``LABELLED``.
    """
    asked = request.form.getlist("iri")
    if len(asked) > LABELLED:
        raise TooLong("iri", f"more than {LABELLED} IRIs", "shorten it, or ask in parts")
    found = named(asked)
    return stamp(Response(current_app.json.dumps(found), mimetype="application/json"), "labels", language(), *asked)


def named(asked: Iterable[str]) -> dict[str, str]:
    """Return the first name, in the reader's language, of each of ``asked`` that has one; where there are many services, one by one."""
    if not large():
        known = kept(f"labels {language()}", lambda: _first(ask("resources/labels")))
        return {iri: known[iri] for iri in asked if iri in known}
    return _first(row for iri in asked for row in _names(iri))


def _names(iri: str) -> tuple[Row, ...]:
    with suppress(BadQuery):  # whatever is no IRI, or no word of the ontology, has no name
        return ask("resources/labels", thing=iri)
    return ()


def _first(found: Iterable[Row]) -> dict[str, str]:
    names: dict[str, str] = {}
    for row in found:
        names.setdefault(row["thing"].value, row["label"].value)
    return names
