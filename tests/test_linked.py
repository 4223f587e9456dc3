"""Linked data: each IRI of ours leads by 303 to its page and its data, and nowhere else."""

from __future__ import annotations

import re
import socket
import threading
from urllib.parse import quote

import pyoxigraph as ox
import pytest
from flask import Flask
from flask.testing import FlaskClient
from rdflib import RDF, SKOS, Dataset, Graph, URIRef
from werkzeug.serving import make_server

from sekinin.errors import BadQuery
from sekinin.formats import GRAPHS
from sekinin.namespaces import BASE, PREFIXES, graph_iri
from sekinin.store import EmbeddedStore
from webapp import create_app
from webapp.addresses import address, base_url, iri_of, name_of, path_of

HTML = {"Accept": "text/html"}
DUTY = "id/ob-resv-manage-user-accounts"
PARSERS = {"turtle": "turtle", "ntriples": "nt", "rdfxml": "xml", "jsonld": "json-ld", "trig": "trig", "nquads": "nquads"}
IRIS = [DUTY, "framework/iso27002-2013/12.3.1", "framework/iso27017-2015/", "id/service-talkz", "graph/parties", "ontology", "shapes"]
ODD = ["責任/百%", "100%25", "%E8%B2%AC", "責", "a/b%2Fc", "a.ttl", "semi;colon,comma", "x'(y)!*", "ｶﾅ"]
"""Names that travel badly; the fourth is over HTTP the same as the third."""
GRAPH = ox.NamedNode(graph_iri("odd"))
LABEL = ox.NamedNode(PREFIXES["skos"] + "prefLabel")


def named(rest: str) -> ox.NamedNode:
    return ox.NamedNode(PREFIXES["id"] + rest)


def app_of(*quads: ox.Quad) -> Flask:
    app = create_app(EmbeddedStore.of(quads), version="1")
    app.testing = True
    return app


@pytest.fixture(scope="module")
def odd() -> FlaskClient:
    """A server whose graph holds nothing but odd names."""
    quads = [ox.Quad(named(name.replace("百%", "百%25")), LABEL, ox.Literal(name, language="ja"), GRAPH) for name in ODD]
    return app_of(*quads).test_client()


def graph_of(data: bytes, form: str) -> Graph:
    if form in ("trig", "nquads"):
        whole = Dataset()
        whole.parse(data=data, format=PARSERS[form])
        flat = Graph()
        for s, p, o, _ in whole.quads():
            flat.add((s, p, o))
        return flat
    return Graph().parse(data=data, format=PARSERS[form])


@pytest.mark.parametrize("form", GRAPHS.values(), ids=lambda f: f.name)
@pytest.mark.parametrize("name", IRIS)
def test_an_iri_leads_to_its_data(name: str, form, client: FlaskClient) -> None:
    """303, then 200 in the format that was asked for, which another library reads."""
    first = client.get(f"/{name}", headers={"Accept": form.media})
    assert first.status_code == 303 and "Accept" in first.vary
    assert first.headers["Location"] == f"/data-of/{name}.{form.ending}"
    second = client.get(first.headers["Location"])
    assert second.status_code == 200 and second.mimetype == form.media
    assert second.headers["ETag"] and second.headers["Sekinin-Version"] == "1"
    assert len(graph_of(second.data, form.name)) > 2


@pytest.mark.parametrize("lang", ["ja", "en"])
@pytest.mark.parametrize("name", IRIS)
def test_an_iri_leads_to_its_page(name: str, lang: str, client: FlaskClient) -> None:
    """303, then a page in the language that was asked for, with a way to every format."""
    first = client.get(f"/{name}?lang={lang}", headers=HTML)
    assert first.status_code == 303 and first.headers["Location"] == f"/page/{name}?lang={lang}"
    page = client.get(first.headers["Location"], headers=HTML)
    text = page.get_data(as_text=True)
    assert page.status_code == 200 and f'<html lang="{lang}">' in text and page.headers["Content-Language"] == lang
    for form in GRAPHS.values():
        assert f'href="/data-of/{name}.{form.ending}"' in text


@pytest.mark.parametrize(
    ("accept", "ending"),
    [
        ("text/html;q=0.4, text/turtle;q=0.9", "ttl"),
        ("application/rdf+xml;q=0.1, application/ld+json;q=0.2", "jsonld"),
        ("application/n-triples, */*;q=0.1", "nt"),
        ("text/turtle;q=0, application/n-triples;q=0.3", "nt"),
        ("text/turtle; charset=utf-8", "ttl"),
        ("*/*", "ttl"),
        ("text/html, application/xhtml+xml, application/xml;q=0.9, */*;q=0.8", ""),
    ],
)
def test_q_values_decide(accept: str, ending: str, client: FlaskClient) -> None:
    """The best that the client accepts; a browser gets the page, a program that takes anything gets Turtle."""
    place = client.get(f"/{DUTY}", headers={"Accept": accept}).headers["Location"]
    assert place == (f"/data-of/{DUTY}.{ending}" if ending else f"/page/{DUTY}")


def test_what_cannot_be_had_is_406(client: FlaskClient) -> None:
    """And ``?format=`` wins over Accept."""
    assert client.get(f"/{DUTY}", headers={"Accept": "image/png"}).status_code == 406
    assert client.get(f"/{DUTY}?format=jsonld", headers=HTML).headers["Location"].endswith(".jsonld")
    assert client.get(f"/{DUTY}?format=rot13", headers=HTML).status_code == 400


def test_every_iri_of_the_graph_answers(store: EmbeddedStore, client: FlaskClient) -> None:
    """No IRI of ours that the data name is a 404: of each kind one in forty, and every graph."""
    ours = sorted({t.value for q in store.engine for t in (q.subject, q.object) if isinstance(t, ox.NamedNode) and t.value.startswith(BASE)})
    ours = ours[::40] + [g.value for g in store.engine.named_graphs()]
    assert len(ours) > 150
    for iri in ours:
        place = "/" + name_of(iri) if "#" not in iri else f"/page/{name_of(iri)}"
        with client.head(place, headers=HTML) as response:  # of a dump it holds the file
            assert response.status_code in (200, 303), iri


@pytest.mark.parametrize("name", ODD)
def test_odd_names(name: str, odd: FlaskClient) -> None:
    """Percent signs, Japanese, slashes and dots in a name lead to its own data, however the IRI was written."""
    iri = named(name.replace("百%", "百%25")).value
    sent = quote(iri.removeprefix(BASE), safe="/%;,'()!*.")
    first = odd.get(sent, headers={"Accept": "application/n-triples"})
    assert first.status_code == 303, sent
    second = odd.get(first.headers["Location"])
    (triple,) = graph_of(second.data, "ntriples")
    assert str(triple[0]) in (iri, quote(iri, safe="/%:;,'()!*."))  # 責 and %E8%B2%AC are one address
    assert odd.get(first.headers["Location"].replace("/data-of", "/page").removesuffix(".nt"), headers=HTML).status_code == 200


def test_a_server_that_hands_over_only_the_decoded_path(odd: FlaskClient) -> None:
    """Japanese and percent-encoded IRIs are found without the path as it was sent, too."""
    for sent, status in (("/id/%E8%B2%AC", 303), ("/id/%EF%BD%B6%EF%BE%85", 303), ("/id/%E8%B2%AD", 404)):
        answer = odd.get(sent, headers={"Accept": "text/turtle"}, environ_overrides={"REQUEST_URI": "", "RAW_URI": ""})
        assert answer.status_code == status, sent


@pytest.mark.parametrize(
    "path",
    [
        "/id//evil.example",
        "/id/%2f%2fevil.example",
        "/id/..%2f..%2fevil.example",
        "/page//evil.example",
        "/data-of//evil.example.ttl",
        "/page/https://evil.example/",
        "/id/x%0d%0aLocation:%20https://evil.example",
        "/id/%0a",
        "/id/%00",
        "/id/%ff%fe",
        "/id/" + "x" * 9000,
        "/id/" + "%E8%B2%AC" * 900,
        "/id/<script>",
        "/id/x%22%7D",
        "/id/\\evil.example",
        "/graph/%2e%2e/x",
        "/mapping/..",
        "/9.9.9",
        "/data-of/id",
        "/data-of/.ttl",
        "/data-of/" + DUTY,
        "/page/ontology/NoSuchTerm",
        "/id/nothing-of-this-name",
    ],
)
@pytest.mark.parametrize("accept", ["text/html", "text/turtle"])
def test_the_unknown_and_the_hostile_are_404(path: str, accept: str, client: FlaskClient) -> None:
    """No redirect, no header of the client's making, and the problem in the form that was asked for."""
    answer = client.get(path, headers={"Accept": accept})
    assert answer.status_code == 404 and "Location" not in answer.headers
    assert answer.mimetype == ("text/html" if accept == "text/html" else "application/problem+json")
    assert "<script>" not in answer.get_data(as_text=True)


@pytest.mark.whole
def test_paths_as_no_client_library_would_send_them(store: EmbeddedStore) -> None:
    """Over a socket, byte for byte: slashes that look like a host, dots, a whole address, a line break."""
    app = create_app(store)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = make_server("127.0.0.1", 0, app, threaded=True, fd=listener.fileno())
        worker = threading.Thread(target=server.serve_forever, daemon=True)
        worker.start()
        try:
            for path in (
                b"//evil.example",
                b"//evil.example/id/x",
                b"/id/../../etc/passwd",
                b"/id//evil.example",
                b"http://evil.example/id/x",
                b"/\\evil.example",
            ):
                with socket.create_connection(listener.getsockname()) as line:
                    line.sendall(b"GET " + path + b" HTTP/1.0\r\nHost: evil.example\r\nAccept: text/html\r\n\r\n")
                    answer = line.makefile("rb").read()
                assert answer.split(b" ")[1] in (b"404", b"400"), path
                assert b"\r\nlocation:" not in answer.lower(), path
        finally:
            server.shutdown()
            worker.join(5)
            server.server_close()


def test_the_host_of_a_request_leads_nowhere(client: FlaskClient) -> None:
    """Whatever a client says its host is, redirects and links hold paths."""
    answer = client.get(
        f"/{DUTY}?lang=//evil.example&inference=%0d%0aX:1", headers={"Host": "evil.example", "X-Forwarded-Host": "evil.example", **HTML}
    )
    assert answer.headers["Location"] == f"/page/{DUTY}" and "evil" not in str(answer.headers)


def test_documents_link_back(client: FlaskClient) -> None:
    """A document names what it describes, its own address and its other forms."""
    page = client.get(f"/page/{DUTY}?lang=en", headers=HTML).headers["Link"]
    data = client.get(f"/data-of/{DUTY}.ttl?lang=en").headers["Link"]
    thing = client.get(f"/{DUTY}", headers=HTML).headers["Link"]
    for links in (page, data):
        assert f'<{BASE}/{DUTY}>; rel="describes"' in links
    assert f'</page/{DUTY}>; rel="canonical"' in page and f'</data-of/{DUTY}.ttl>; rel="canonical"' in data
    assert "describes" not in thing and f'</page/{DUTY}>; rel="alternate"; type="text/html"' in thing
    assert f'</data-of/{DUTY}.jsonld>; rel="alternate"; type="application/ld+json"' in data


@pytest.mark.parametrize("path", [f"/page/{DUTY}", f"/data-of/{DUTY}.ttl", "/data-of/ontology.ttl", "/data-of/graph/parties.nt", "/page/ontology"])
def test_known_versions_are_not_sent_again(path: str, client: FlaskClient) -> None:
    """The ETag gives 304, HEAD is GET without its body, and Vary says what the answer hangs on."""
    whole = client.get(path, headers=HTML)
    assert "Accept" in whole.vary
    again = client.get(path, headers={**HTML, "If-None-Match": whole.headers["ETag"]})
    assert again.status_code == 304 and not again.data
    head = client.head(path, headers=HTML)
    assert head.status_code == 200 and not head.data
    assert {k: v for k, v in head.headers if k != "Date"} == {k: v for k, v in whole.headers if k != "Date"}
    assert client.get(path + "?inference=off&lang=en", headers=HTML).headers["ETag"] != whole.headers["ETag"] or "data-of" in path


def test_a_head_of_an_iri_has_no_body(client: FlaskClient) -> None:
    head = client.head(f"/{DUTY}", headers=HTML)
    assert head.status_code == 303 and head.headers["Location"] == f"/page/{DUTY}" and not head.data


def test_the_description_holds_what_a_reader_needs(client: FlaskClient) -> None:
    """The statement itself, the names of what it points at in both languages, and its citation down to the section."""
    graph = graph_of(client.get(f"/data-of/{DUTY}.ttl").data, "turtle")
    here, sk = URIRef(f"{BASE}/{DUTY}"), PREFIXES["sk"]
    for property_ in ("aboutService", "onArea", "bearerLayer"):
        (value,) = graph.objects(here, URIRef(sk + property_))
        names = [o for p in (SKOS.prefLabel, URIRef(PREFIXES["rdfs"] + "label")) for o in graph.objects(value, p)]
        assert {name.language for name in names} == {"ja", "en"}, property_
    citations = set(graph.objects(here, URIRef(sk + "citedAt")))
    assert citations
    for citation in citations:
        (span,) = graph.objects(citation, URIRef(PREFIXES["oa"] + "hasSelector"))
        assert (span, URIRef(PREFIXES["oa"] + "start"), None) in graph
        (section,) = graph.objects(citation, URIRef(sk + "inSection"))
        assert list(graph.objects(section))
    reached = {here}
    while more := {o for s, _, o in graph if s in reached} - reached:
        reached |= more
    assert set(graph.subjects()) <= reached, "a statement about something that the resource does not lead to"


def test_restrictions_without_a_name_come_along(store: EmbeddedStore, client: FlaskClient) -> None:
    """A class that is defined by a list or a restriction is described whole."""
    chain = ox.NamedNode("http://www.w3.org/2002/07/owl#propertyChainAxiom")
    terms = {q.subject.value for q in store.engine.quads_for_pattern(None, chain, None) if q.subject.value.startswith(PREFIXES["sk"])}
    for term in terms:
        graph = graph_of(client.get(f"/data-of/{name_of(term)}.ttl").data, "turtle")
        heads = list(graph.objects(URIRef(term), URIRef(chain.value)))
        assert heads and all(len(list(graph.items(head))) > 1 for head in heads)


def test_trig_says_which_graph_each_statement_is_from(client: FlaskClient) -> None:
    """In the formats that have named graphs, what was inferred stands in its graph."""
    for form in ("trig", "nquads"):
        whole = Dataset()
        whole.parse(data=client.get(f"/data-of/{DUTY}.{GRAPHS[form].ending}").data, format=PARSERS[form])
        names = {str(name) for *_, name in whole.quads()}
        assert {graph_iri("inferred"), graph_iri("ictl/resv-4.0")} <= names


def test_inference_can_be_left_out(client: FlaskClient) -> None:
    """Of the duty, ``a sk:CustomerDuty`` is inferred: it is in the data and marked on the page, unless inference is off."""
    here, inferred = URIRef(f"{BASE}/{DUTY}"), URIRef(PREFIXES["sk"] + "CustomerDuty")
    with_, without = (graph_of(client.get(f"/data-of/{DUTY}.ttl{q}").data, "turtle") for q in ("", "?inference=off"))
    assert (here, RDF.type, inferred) in with_ and (here, RDF.type, inferred) not in without
    assert set(without) < set(with_) and (here, RDF.type, URIRef(PREFIXES["sk"] + "Obligation")) in without
    page = client.get(f"/page/{DUTY}?lang=en", headers=HTML).get_data(as_text=True)
    off = client.get(f"/page/{DUTY}?lang=en&inference=off", headers=HTML).get_data(as_text=True)
    rows = [row for row in page.split("<tr") if "CustomerDuty?" in row]
    assert len(rows) == 1 and "∴ inferred" in rows[0] and "/page/graph/inferred?" in rows[0]
    assert "CustomerDuty?" not in off and "∴ inferred" not in off
    assert "inference=off" in page and re.search(r'href="/page/framework/[^"]*inference=off', off)


def test_every_statement_on_a_page_has_a_mark(client: FlaskClient) -> None:
    """In words and with the graph that says so, not by colour alone."""
    page = client.get("/page/id/service-talkz?lang=ja", headers=HTML).get_data(as_text=True)
    facts = [row for row in page.split("<tr")[1:] if "<th" in row]
    assert len(facts) > 5
    for row in facts:
        assert re.search(r"<small>(∴ 推論|∴ 集計|記載) · <a href=\"/page/graph/", row), row
        assert ('class="made"' in row) == ("∴" in row)
    marks = ["∴" in row for row in facts]
    assert marks == sorted(marks), "what is said stands before what is inferred"


def test_what_was_derived_is_marked() -> None:
    """A statement of a rule of ours is marked apart from what the reasoner found."""
    derived = ox.NamedNode(graph_iri("derived/shared-areas"))
    text = app_of(ox.Quad(named("x"), LABEL, ox.Literal("x", language="en"), derived)).test_client().get("/page/id/x?lang=en", headers=HTML)
    assert "∴ derived" in text.get_data(as_text=True)


def test_a_term_is_defined_in_both_languages_with_its_use(client: FlaskClient) -> None:
    """The page of a class or property: definition in Japanese and English, and how often it is used, by graph."""
    for term, role in (("Obligation", "instances"), ("bearerLayer", "statements")):
        page = client.get(f"/page/ontology/{term}?lang=en", headers=HTML).get_data(as_text=True)
        assert '<dd lang="ja">' in page and '<dd lang="en">' in page
        assert re.search(role + r"[^<]*: \d+ <small>asserted", page)


def test_hash_terms_have_anchors(client: FlaskClient) -> None:
    """The browser keeps what stands behind the hash, and finds it on the page."""
    words = client.get("/page/ontology?lang=en", headers=HTML).get_data(as_text=True)
    shapes = client.get("/page/shapes?lang=en", headers=HTML).get_data(as_text=True)
    assert words.count('<dt id="Obligation">') == 1 and words.count("<dt id=") > 400
    assert shapes.count('<dt id="ObligationShape">') == 1
    for page in (words, shapes):
        ids = re.findall(r'<dt id="([^"]+)"', page)
        assert len(ids) == len(set(ids))


def test_the_version_of_the_ontology_and_a_mapping_set_answer(client: FlaskClient) -> None:
    """IRIs that only others name lead to what they name."""
    assert client.get("/0.1.0", headers=HTML).headers["Location"] == "/page/ontology"
    assert client.get("/mapping/iso27017-2015--iso27002-2013", headers=HTML).headers["Location"].startswith("/page/graph/mappings/")


def test_the_withdrawn_is_410_and_names_its_successor() -> None:
    """Whoever kept an old IRI learns what stands in its place, at the IRI and at its documents."""
    register, a = ox.NamedNode(graph_iri("withdrawn")), ox.NamedNode(str(RDF.type))
    successor = f"{BASE}/id/new"
    client = app_of(
        ox.Quad(named("old"), a, ox.NamedNode(PREFIXES["prov"] + "Entity"), register),
        ox.Quad(named("old"), ox.NamedNode(PREFIXES["dcterms"] + "isReplacedBy"), ox.NamedNode(successor), register),
        ox.Quad(named("gone"), a, ox.NamedNode(PREFIXES["prov"] + "Entity"), register),
        ox.Quad(named("new"), LABEL, ox.Literal("new", language="en"), GRAPH),
    ).test_client()
    for path in ("/id/old", "/page/id/old", "/data-of/id/old.ttl"):
        answer = client.get(path, headers={"Accept": "text/turtle"})
        assert answer.status_code == 410 and answer.mimetype == "application/problem+json"
        assert answer.get_json()["successors"] == [successor]
        assert f'<{successor}>; rel="successor-version"' in answer.headers["Link"]
        assert successor in client.get(path, headers=HTML).get_data(as_text=True)
    assert client.get("/id/gone").status_code == 410 and client.get("/id/new").status_code == 303


@pytest.mark.parametrize("base", ["https://w3id.org/sekinin", "https://example.org/deep/er/", "http://127.0.0.1:8080"])
def test_the_base_is_a_setting(base: str, store: EmbeddedStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Addresses stand under the public base; the data are the same under every base."""
    monkeypatch.setenv("SEKININ_BASE_URL", base)
    here = create_app(store).test_client()
    monkeypatch.delenv("SEKININ_BASE_URL")
    plain = create_app(store).test_client()
    base = base.rstrip("/")
    assert here.get(f"/{DUTY}", headers=HTML).headers["Location"] == f"{base}/page/{DUTY}"
    assert f'href="{base}/page/ontology/' in here.get(f"/page/{DUTY}", headers=HTML).get_data(as_text=True)
    assert here.get(f"/data-of/{DUTY}.ttl").data == plain.get(f"/data-of/{DUTY}.ttl").data


@pytest.mark.parametrize("said", ["javascript:alert(1)", "//evil.example", "https://x/?a=b", "https://x/#a", "ftp://x", "https://x y"])
def test_a_base_that_is_no_address_is_refused(said: str) -> None:
    with pytest.raises(BadQuery, match="no address"):
        base_url(said)


def test_a_server_below_a_path(client: FlaskClient) -> None:
    """Behind a proxy that hands over a prefix, addresses keep it."""
    answer = client.get(f"/{DUTY}", headers=HTML, environ_overrides={"SCRIPT_NAME": "/prefix"})
    assert answer.headers["Location"] == f"/prefix/page/{DUTY}"


def test_names_go_there_and_back(store: EmbeddedStore) -> None:
    """Each IRI of ours has one name, and the name one IRI."""
    for iri in {q.subject.value for q in store.engine if isinstance(q.subject, ox.NamedNode)}:
        if iri.startswith((BASE + "/", BASE + "#")):
            assert iri_of(name_of(iri)) == iri
    assert name_of("https://evil.example/") == "" and name_of(BASE + "x") == ""


def test_foreign_iris_are_links_only_if_they_are_of_the_web(client: FlaskClient) -> None:
    """A link never runs a script, and a percent sign in a name stays one."""
    with client.application.test_request_context("/?lang=en"):
        assert path_of("javascript:alert(1)") == "" and path_of("https://example.org/") == "https://example.org/"
        assert path_of(PREFIXES["id"] + "service-talkz") == "/services/talkz?lang=en"
        assert address("page/id/100%25") == "/page/id/100%2525"
