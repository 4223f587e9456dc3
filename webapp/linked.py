"""Linked data: each IRI of ours answers by 303 with its page or its data, and these lead back to it.

``/id/x`` names a thing; ``/page/id/x`` is its page, ``/data-of/id/x.ttl`` its data, and so for every format. What was
inferred or derived is marked, with the graph that says so, and ``?inference=off`` leaves it out.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import pyoxigraph as ox
from flask import Blueprint, Response, abort, render_template, request
from flask.blueprints import BlueprintSetupState

from sekinin import queries
from sekinin.errors import BadQuery, Missing
from sekinin.formats import GRAPHS
from sekinin.namespaces import BASE, PREFIXES, graph_iri, made, shrink
from sekinin.store import Row, Term
from webapp.addresses import SETTING, address, base_url, iri_of, is_iri, kept, meant, name_of, other_inference, path_of, uri
from webapp.answers import inference, stamp, store
from webapp.graphstore import register, whole
from webapp.negotiation import HTML, wanted
from webapp.problems import HTTP_TITLES, problem
from webapp.saved import ask
from webapp.words import LANGUAGES, language

blueprint = Blueprint("linked", __name__)
MENTIONS: Final = 100
"""Most statements of others that a page shows."""
DESCRIBED: Final = 500
"""Most resources that the page of a graph lists; its data hold all."""
ENDINGS: Final = {form.ending: form for form in GRAPHS.values()}
GROUPS: Final = ("class", "property", "individual", "node-shapes", "property-shapes")
"""The headings of the two vocabularies, in their order."""
_NAMES: Final = (PREFIXES["skos"] + "prefLabel", PREFIXES["rdfs"] + "label", PREFIXES["dcterms"] + "title")
_MEANINGS: Final = (PREFIXES["skos"] + "definition", PREFIXES["skos"] + "scopeNote")


@blueprint.record
def _settle(state: BlueprintSetupState) -> None:
    """Read the setting once, and give the templates what they call."""
    state.app.config[SETTING] = base_url(state.app.config.get(SETTING))
    state.app.jinja_env.globals.update(path_of=path_of, other_inference=other_inference)


# ---- things: the IRIs themselves


@blueprint.get("/<any(id, framework, graph):space>/<path:rest>", merge_slashes=False)
def thing(space: str, rest: str) -> Response:
    """Send on from a thing to what is written about it."""
    return see(*meant(f"{BASE}/{space}/", rest))


@blueprint.get("/<any(ontology, shapes):name>")
def vocabulary(name: str) -> Response:
    """Send on from the document of a hash namespace; the browser keeps what stands behind the hash."""
    return see(iri_of(name))


@blueprint.get("/mapping/<name>")
def mapping(name: str) -> Response:
    """Send on from a mapping set, as SSSOM names it, to its graph."""
    return see(*meant(graph_iri("mappings/"), name))


@blueprint.get("/<int:major>.<int:minor>.<int:patch>")
def edition(major: int, minor: int, patch: int) -> Response:
    """Send on from a version of the ontology to the ontology."""
    present(f"{BASE}/{major}.{minor}.{patch}")
    return see(BASE)


def see(*iris: str) -> Response:
    """Send on by 303 to the page or the data, by what the client accepts, of the first of ``iris`` that there is.

    Raises:
        Missing: if there is none.
    Source: Cool URIs for the Semantic Web, section 4.2.
    """
    iri = present(*iris)
    form = wanted(GRAPHS)
    name = name_of(iri)
    place = address(f"page/{name}", **kept()) if form == HTML else address(f"data-of/{name}.{GRAPHS[form].ending}", **kept())
    response = Response(f"See {place}\n", status=303, mimetype="text/plain")
    response.headers["Location"] = place
    response.headers["Vary"] = "Accept"
    response.headers["Cache-Control"] = "public, max-age=0, must-revalidate"
    _link(response, name)
    return response


def present(*iris: str) -> str:
    """Return the first of ``iris`` that the graph knows; one that was withdrawn is a 410 that names its successor.

    Raises:
        Missing: if there is none.
    """
    for iri in iris:
        if iri in register().withdrawn:
            abort(_withdrawn(iri))
        if is_iri(iri) and (iri in register().graphs or _known(iri)):
            return iri
    raise Missing(iris[0][:200] if iris else request.path[:200], "the graph has nothing of this IRI", "check the spelling")


def _known(iri: str) -> bool:
    if iri == iri_of("shapes"):
        return any(graph.startswith(graph_iri("shapes/")) for graph in register().graphs)
    try:
        return bool(queries.bind(queries.get("resources/known"), {"resource": iri}).ask(store()))
    except BadQuery:  # no IRI at all, or a term that the ontology has not
        return False


def _withdrawn(iri: str) -> Response:
    successors = register().withdrawn[iri]
    parts: dict[str, object] = {"remedy": ", ".join(successors)} if successors else {}
    response = problem(410, "http-410", HTTP_TITLES[410][LANGUAGES.index(language())], iri, {**parts, "successors": list(successors)})
    for successor in successors:
        response.headers.add("Link", f'<{uri(successor)}>; rel="successor-version"')
    return response


# ---- documents: pages


@blueprint.get("/page/<path:name>", merge_slashes=False)
def page(name: str) -> Response:
    """Show what is written about one resource."""
    iri = present(iri_of(name))
    if iri == BASE:
        body = _vocabulary(name, ("words", "words-lead"), rows_of("resources/words"))
    elif name == "shapes":
        body = _vocabulary(name, ("shapes", "shapes-lead"), rows_of("resources/shapes"))
    else:
        body = _resource(name, iri)
    response = stamp(Response(body, mimetype="text/html"), name, HTML, language(), str(sorted(kept().items())))
    response.headers["Content-Language"] = language()
    _link(response, name, "")
    return response


def _vocabulary(name: str, heads: tuple[str, str], terms: Iterable[Row]) -> str:
    groups: dict[str, list[tuple[str, Row]]] = {group: [] for group in GROUPS}
    for row in terms:
        groups[row["group"].value].append((row["term"].value.rpartition("#")[2], row))
    return render_template("vocabulary.html", iri=iri_of(name), heads=heads, groups=groups, downloads=downloads(name))


def _resource(name: str, iri: str) -> str:
    facts = spoken(told(rows_of("resources/terms", resource=iri)), "propertyLabel", "valueLabel")
    facts.sort(key=lambda row: made(row["graph"].value) != "asserted")  # what is said stands before what is inferred
    is_graph = iri in register().graphs
    found = rows_of("resources/in-graph", graph=iri) if is_graph else told(rows_of("resources/mentions", resource=iri))
    mentions = spoken(found, "label")
    shown = mentions[: DESCRIBED if is_graph else MENTIONS]
    is_term = iri.startswith((PREFIXES["sk"], PREFIXES["sks"]))
    return render_template(
        "resource.html",
        iri=iri,
        label=label_of(facts) or shrink(iri),
        meanings=[row for row in facts if row["property"].value in _MEANINGS],
        facts=[row for row in facts if row["property"].value not in _MEANINGS],
        uses=told(rows_of("resources/use", term=iri)) if is_term else [],
        mentions=shown,
        cut=len(shown) < len(mentions),
        sections=rows_of("sources/citations-of-statement", statement=iri),
        downloads=downloads(name),
        is_graph=is_graph,
        profile=path_of(iri) if iri in register().services else "",
    )


def rows_of(name: str, **given: str) -> list[Row]:
    """Return copies of the rows of the saved question ``name``, for whoever changes them."""
    return [dict(row) for row in ask(name, **given)]


def told(found: Iterable[Row]) -> list[Row]:
    """Return the rows that this request wants: without inference, those whose graph is asserted."""
    return [row for row in found if inference() or made(row["graph"].value) == "asserted"]


def spoken(found: Iterable[Row], *labels: str) -> list[Row]:
    """Join the rows that differ only in the language of ``labels``; what has no name in this language keeps another one."""
    joined: dict[tuple[Term, ...], Row] = {}
    for row in found:
        first = joined.setdefault(tuple(term for name, term in sorted(row.items()) if name not in labels), row)
        for name in labels:
            term = row.get(name)
            if isinstance(term, ox.Literal) and term.language == language():
                first[name] = term
    return list(joined.values())


def label_of(facts: Iterable[Row]) -> str:
    """Return the name among ``facts``, in the language of this request if there is one in it."""
    labels = [row["value"] for row in facts if row["property"].value in _NAMES]
    best = [x for x in labels if isinstance(x, ox.Literal) and x.language == language()] or labels
    return best[0].value if best else ""


# ---- documents: data


@blueprint.get("/data-of/<path:name>", merge_slashes=False)
def data(name: str) -> Response:
    """Give what is written about one resource, as the format that the address ends in."""
    name, _, ending = name.rpartition(".")
    form = ENDINGS.get(ending)
    if form is None or not name:
        raise Missing(request.path[:200], "the address does not end in a format", "endings: " + ", ".join(ENDINGS))
    iri = present(iri_of(name))
    if iri in register().graphs:
        response = whole("resources/graph", form.name, graph=iri)
    elif name in ("ontology", "shapes"):
        response = whole("resources/ontology" if iri == BASE else "resources/shapes-graph", form.name)
    else:
        response = Response(described(iri, form.name), mimetype=form.media)
        if form.media.startswith("text/"):
            response.headers["Content-Type"] = f"{form.media}; charset=utf-8"
        stamp(response, iri, form.name, str(inference()))
    _link(response, name, form.ending)
    return response


def described(iri: str, name: str) -> bytes:
    """Return the description of ``iri`` in the format called ``name``; TriG and N-Quads say which graph each statement is from.

    It holds the resource's own statements, the names of what it points at and its citations, with the lists and
    restrictions that have no name of their own. A resource that others only point at has no statements: an empty graph.
    """
    quads = [
        ox.Quad(row["subject"], row["property"], row["value"], row["graph"])  # type: ignore[arg-type]
        for row in told(rows_of("resources/description", resource=iri))
    ]
    reached: set[object] = {ox.NamedNode(iri)}
    while more := {quad.object for quad in quads if quad.subject in reached} - reached:
        reached |= more
    quads = sorted((quad for quad in quads if quad.subject in reached), key=lambda quad: (quad.subject.value != iri, str(quad)))  # type: ignore[union-attr]
    form = GRAPHS[name].engine
    assert isinstance(form, ox.RdfFormat)
    spaces = {prefix: space for prefix, space in PREFIXES.items() if any(f"<{space}" in str(quad) for quad in quads)}
    if form.supports_datasets and name != "jsonld":
        return ox.serialize(sorted(quads, key=lambda quad: str(quad.graph_name)), format=form, prefixes=spaces) or b""
    return ox.serialize(dict.fromkeys(quad.triple for quad in quads), format=form, prefixes=spaces) or b""


# ---- what leads from one to the other


def downloads(name: str) -> list[tuple[str, str, str]]:
    """Return for each format its ending, its media type and the address of the data of ``name`` in it."""
    off = {"inference": kept().get("inference", "")}
    return [(form.ending, form.media, address(f"data-of/{name}.{form.ending}", **off)) for form in GRAPHS.values()]


def _link(response: Response, name: str, ending: str | None = None) -> None:
    """Say in headers what a document describes, its own address, and its other forms.

    Args:
        name: of the resource.
        ending: of this document; empty for the page, None for the thing itself.
    Source: RFC 8288; ``describes`` from RFC 6892, ``canonical`` from RFC 6596.
    """
    links = []
    if ending is not None:
        own = address(f"data-of/{name}.{ending}") if ending else address(f"page/{name}")
        links = [f'<{uri(iri_of(name))}>; rel="describes"', f'<{own}>; rel="canonical"']
    if ending != "":
        links.append(f'<{address(f"page/{name}")}>; rel="alternate"; type="text/html"')
    links += [f'<{address(f"data-of/{name}.{end}")}>; rel="alternate"; type="{form.media}"' for end, form in ENDINGS.items() if end != ending]
    response.headers["Link"] = ", ".join(links)
