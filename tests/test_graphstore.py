"""The Graph Store Protocol, its reading half: W3C's conditions for GET and HEAD, and nothing written."""

from __future__ import annotations

from urllib.parse import quote

import pyoxigraph as ox
import pytest
from flask.testing import FlaskClient
from rdflib import Graph
from rdflib.compare import isomorphic
from test_linked import PARSERS, graph_of

from sekinin import build as builder
from sekinin.formats import GRAPHS
from sekinin.namespaces import PREFIXES, graph_iri
from sekinin.store import EmbeddedStore
from sekinin.workers import Limits, Pool
from webapp import create_app

TURTLE = {"Accept": "text/turtle"}
PARTIES = graph_iri("parties")
ODD = (
    "https://example.org/グラフ/1",
    "https://example.org/%E8%B2%AC",
    "https://example.org/100%25",
    "https://example.org/1",
    "https://example.org/%31",
)


@pytest.fixture(scope="module")
def odd() -> FlaskClient:
    """Graphs whose IRIs differ only by how they are encoded; each holds its own IRI as text."""
    thing, says = ox.NamedNode("https://example.org/x"), ox.NamedNode("https://example.org/says")
    named = [*ODD, graph_iri("責/1"), graph_iri("100%25")]
    return create_app(EmbeddedStore.of(ox.Quad(thing, says, ox.Literal(iri), ox.NamedNode(iri)) for iri in named), version="1").test_client()


@pytest.mark.parametrize("form", GRAPHS.values(), ids=lambda f: f.name)
@pytest.mark.parametrize("path", [f"/graphs?graph={quote(PARTIES, safe='')}", f"/graphs?graph={PARTIES}", "/graphs/parties"])
def test_a_graph_in_every_format(path: str, form, client: FlaskClient, store: EmbeddedStore) -> None:
    """Named indirectly or directly, encoded or not, by Accept or by ``?format=``: the same graph."""
    wanted = Graph()
    wanted.parse(
        data=ox.serialize([q.triple for q in store.engine.quads_for_pattern(None, None, None, ox.NamedNode(PARTIES))], format=ox.RdfFormat.TURTLE)
    )
    answer = client.get(path, headers={"Accept": form.media})
    other = client.get(path + ("&" if "?" in path else "?") + f"format={form.name}", headers={"Accept": "image/png"})
    assert answer.status_code == 200 and answer.mimetype == form.media and answer.data == other.data
    assert isomorphic(graph_of(answer.data, form.name), wanted)
    assert set(PARSERS) == set(GRAPHS)


@pytest.mark.parametrize("path", ["/graphs?graph={}", "/graphs/{}"])
def test_head_on_an_existing_graph(path: str, client: FlaskClient) -> None:
    """W3C head_existing: 200 and ``text/turtle; charset=utf-8``, also where Accept has the charset; the headers of GET, no body."""
    place = path.format(PARTIES if "?" in path else "parties")
    accept = {"Accept": "text/turtle; charset=utf-8"}
    head, get = client.head(place, headers=accept), client.get(place, headers=accept)
    assert head.status_code == 200 and not head.data
    assert head.headers["Content-Type"] == "text/turtle; charset=utf-8"
    assert {k: v for k, v in head.headers if k != "Date"} == {k: v for k, v in get.headers if k != "Date"}
    assert int(head.headers["Content-Length"]) == len(get.data)


@pytest.mark.parametrize("path", ["/graphs?graph=http%3A%2F%2Fwww.example%2Fgsp%2Fperson%2F4.ttl", "/graphs/person/4.ttl"])
@pytest.mark.parametrize("method", ["HEAD", "GET"])
def test_a_graph_that_is_not_there(path: str, method: str, client: FlaskClient) -> None:
    """W3C head_non_existing: 404, with a problem document."""
    answer = client.open(path, method=method, headers=TURTLE)
    assert answer.status_code == 404 and answer.mimetype == "application/problem+json"
    assert bool(answer.data) == (method == "GET")


@pytest.mark.parametrize("iri", ODD)
def test_the_graph_is_decoded_once(iri: str, odd: FlaskClient) -> None:
    """W3C put_get_uri_pct_encoded and …_twice: ``%2531`` is ``%31`` and not ``1``."""
    answer = odd.get("/graphs?graph=" + quote(iri, safe=""), headers=TURTLE)
    assert answer.status_code == 200 and [str(o) for _, _, o in graph_of(answer.data, "turtle")] == [iri]


def test_direct_names_may_be_japanese_or_encoded(odd: FlaskClient) -> None:
    """The path of a graph of ours is found as it was sent and decoded."""
    for sent, iri in ((quote("責/1"), graph_iri("責/1")), ("100%25", graph_iri("100%25"))):
        answer = odd.get("/graphs/" + sent, headers=TURTLE)
        assert [str(o) for _, _, o in graph_of(answer.data, "turtle")] == [iri], sent


@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE", "PATCH"])
@pytest.mark.parametrize("path", [f"/graphs?graph={PARTIES}", "/graphs/parties", "/graphs/new", "/graphs?default", "/graphs"])
def test_nothing_is_written(method: str, path: str, client: FlaskClient) -> None:
    """405 says what is allowed, whether the graph is there or not, and whatever the body; the graph stays."""
    for data, kind in (
        ("<a:a> <a:b> <a:c> .", "text/turtle"),
        ({"graph": "x"}, "multipart/form-data"),
        ("INSERT DATA {}", "application/sparql-update"),
    ):
        answer = client.open(path, method=method, data=data, content_type=kind, headers=TURTLE)
        assert answer.status_code == 405 and answer.mimetype == "application/problem+json"
        assert set(answer.headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS"}
    assert client.head("/graphs/new", headers=TURTLE).status_code == 404


def test_options_say_what_is_allowed(client: FlaskClient) -> None:
    assert set(client.options("/graphs/parties").headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS"}


@pytest.mark.parametrize("query", ["?graph=parties", "?graph=", "?graph=%20", "?graph=a:b%0d%0a", "?default&graph=a:b", "?graph=a:b&graph=a:c", ""])
def test_a_request_that_names_no_one_graph_is_a_400(query: str, client: FlaskClient) -> None:
    """The IRI must be absolute, and there must be one."""
    answer = client.get("/graphs" + query, headers=TURTLE)
    assert answer.status_code == 400 and answer.get_json()["remedy"]


@pytest.mark.whole
def test_the_default_graph_is_the_union(store: EmbeddedStore, client: FlaskClient) -> None:
    """As at the endpoint; without inference it is what was asserted."""
    made = (graph_iri("inferred"), graph_iri("derived/"))
    whole, asserted = (
        {q.triple for q in ox.parse(client.get(f"/graphs?default{off}", headers={"Accept": "application/n-triples"}).data, ox.RdfFormat.N_TRIPLES)}
        for off in ("", "&inference=off")
    )

    def plain(triples: set[ox.Triple]) -> set[ox.Triple]:
        return {t for t in triples if isinstance(t.subject, ox.NamedNode) and not isinstance(t.object, ox.BlankNode)}

    assert plain(whole) == plain({q.triple for q in store.engine})
    assert plain(asserted) == plain({q.triple for q in store.engine if not q.graph_name.value.startswith(made)})
    assert len(asserted) < len(whole)


def test_a_graph_asked_for_by_name_is_given_though_it_was_inferred(client: FlaskClient) -> None:
    """Leaving out inference narrows the union, not what is named."""
    place = f"/graphs?graph={graph_iri('inferred')}"
    assert client.get(place, headers=TURTLE).data == client.get(place + "&inference=off", headers=TURTLE).data


@pytest.mark.parametrize("lang", ["ja", "en"])
def test_the_list_for_a_browser(lang: str, store: EmbeddedStore, client: FlaskClient) -> None:
    """Every named graph with its number of triples, what was made marked, and without it when inference is off."""
    page = client.get(f"/graphs?lang={lang}", headers={"Accept": "text/html"}).get_data(as_text=True)
    off = client.get(f"/graphs?lang={lang}&inference=off", headers={"Accept": "text/html"}).get_data(as_text=True)
    names = [g.value for g in store.engine.named_graphs()]
    for iri in names:
        assert f">{iri.removeprefix(PREFIXES['g'])}</a>" in page
    count = sum(1 for _ in store.engine.quads_for_pattern(None, None, None, ox.NamedNode(PARTIES)))
    assert f">{count:,}</td>" in page and ("∴ inferred" if lang == "en" else "∴ 推論") in page
    assert "∴ " not in off.split("<table")[1] and PARTIES.removeprefix(PREFIXES["g"]) in off


def test_the_list_for_a_program(store: EmbeddedStore, client: FlaskClient) -> None:
    """As the rows of a question, in every format of rows."""
    rows = client.get("/graphs", headers={"Accept": "application/sparql-results+json"}).get_json(force=True)["results"]["bindings"]
    assert {row["graph"]["value"] for row in rows} == {g.value for g in store.engine.named_graphs()}
    assert client.get("/graphs?format=csv").mimetype == "text/csv"


def test_known_versions_are_not_sent_again(client: FlaskClient) -> None:
    """A 304 costs no worker: it is decided before anything is asked."""
    first = client.get("/graphs/parties", headers=TURTLE)
    assert first.headers["Sekinin-Version"] == "1" and "Accept" in first.vary
    again = client.get("/graphs/parties", headers={**TURTLE, "If-None-Match": first.headers["ETag"]})
    assert again.status_code == 304 and not again.data
    other = client.get("/graphs/parties", headers={"Accept": "application/n-triples", "If-None-Match": first.headers["ETag"]})
    assert other.status_code == 200


@pytest.mark.whole
def test_through_the_workers(store: EmbeddedStore) -> None:
    """A large graph is streamed from a file with its length, HEAD leaves no file behind, and a cut is announced."""
    pool = Pool(builder.current(), Limits(at_once=1, rows=20_000))
    try:
        client = create_app(store, pool, version="1").test_client()
        name = "/graphs/inferred"
        get = client.get(name, headers={"Accept": "application/n-triples"})
        assert int(get.headers["Content-Length"]) == len(get.data) > 1_000_000 and "Sekinin-Truncated" not in get.headers
        head = client.head(name, headers={"Accept": "application/n-triples"})
        assert head.headers["Content-Length"] == get.headers["Content-Length"] and not head.data
        cut = client.get("/graphs?default", headers=TURTLE)
        assert cut.headers["Sekinin-Truncated"] == "rows=20000" and b"cut off after 20000" in cut.data[-100:]
        spool = builder.Path(pool._spool.name)
        assert not list(spool.iterdir())
    finally:
        pool.close()
