"""The pages and the endpoint, as a browser and a program meet them."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import quote

import pytest
from conftest import HOUSE
from flask.testing import FlaskClient
from rdflib import Graph

from sekinin import resources
from sekinin.store import EmbeddedStore
from sekinin.workers import Answer, Job
from webapp import create_app, pages
from webapp.answers import answer as answered
from webapp.columns import ANSWERS

PAGES = [
    "/",
    "/services/talkz",
    "/services/resv",
    "/services/aicloud-koestation",
    "/services/lensawriter",
    "/services/ai-analyst",
    "/page/ontology",
    "/sparql",
]
DUTIES = (
    "SELECT ?duty ?service ?section WHERE { ?duty a sk:CustomerDuty ; sk:aboutService ?service ; sk:citedAt/sk:inSection ?section } ORDER BY ?duty"
)
HTML = {"Accept": "text/html"}


@pytest.fixture(scope="module")
def client(store) -> FlaskClient:
    app = create_app(store)
    app.testing = True
    return app.test_client()


@pytest.mark.parametrize("lang", ["ja", "en"])
@pytest.mark.parametrize("page", PAGES)
def test_pages_answer_in_both_languages(page: str, lang: str, client: FlaskClient) -> None:
    """Each page says its language, links to the other one, and calls nothing outside."""
    answer = client.get(page, query_string={"lang": lang}, headers=HTML)
    assert answer.status_code == 200 and answer.mimetype == "text/html"
    text = answer.get_data(as_text=True)
    assert f'<html lang="{lang}">' in text
    assert f"lang={'en' if lang == 'ja' else 'ja'}" in text
    assert not re.search(r"<(?:script|link|img)[^>]+(?:src|href)=[\"']https?:", text)


def test_the_start_page_has_the_five_services(client: FlaskClient) -> None:
    text = client.get("/?lang=ja", headers=HTML).get_data(as_text=True)
    for name in ("talkz", "resv", "aicloud-koestation", "lensawriter", "ai-analyst"):
        assert f"/services/{name}?lang=ja" in text


def test_a_service_page_holds_what_the_paper_says(client: FlaskClient) -> None:
    """TALKZ: its cells with the explicit dash, its duties, its seven business days, each with its section."""
    text = client.get("/services/talkz?lang=en", headers=HTML).get_data(as_text=True)
    assert text.count("explicitly none (printed") == 6 + 1  # the legend says it too
    assert "business day" in text and "CLD.6.3.1" in text
    assert "not stated" in text


def test_silence_is_said(client: FlaskClient) -> None:
    """The check sheet puts no duty on the customer, and the page says that the paper says nothing."""
    text = client.get("/services/ai-analyst?lang=en", headers=HTML).get_data(as_text=True)
    assert "The paper states no duty of this layer." in text


@pytest.mark.parametrize(
    "path", ["/id/ob-resv-manage-user-accounts", "/framework/iso27002-2013/12.3.1", "/framework/ai-analyst-checksheet/3-2-1", "/graph/spcc/talkz-1.0"]
)
def test_every_iri_answers_at_its_path(path: str, client: FlaskClient) -> None:
    """As a page for people, as RDF for programs."""
    assert client.get(path, headers=HTML, follow_redirects=True).status_code == 200
    for media, form in (
        ("text/turtle", "turtle"),
        ("application/ld+json", "json-ld"),
        ("application/rdf+xml", "xml"),
        ("application/n-triples", "nt"),
    ):
        answer = client.get(path, headers={"Accept": media}, follow_redirects=True)
        assert answer.mimetype == media
        assert len(Graph().parse(data=answer.data, format=form)) > 3


def test_the_ontology_as_turtle(client: FlaskClient) -> None:
    assert len(Graph().parse(data=client.get("/ontology", headers={"Accept": "text/turtle"}, follow_redirects=True).data, format="turtle")) > 3000


@pytest.mark.parametrize("path", ["/id/nothing-of-this-name", "/services/nothing", "/nothing"])
def test_the_unknown_is_404(path: str, client: FlaskClient) -> None:
    assert client.get(path, headers=HTML).status_code == 404
    problem = client.get(path, headers={"Accept": "application/json"})
    assert problem.mimetype == "application/problem+json" and problem.get_json()["status"] == 404


@pytest.mark.parametrize(
    ("accept", "media"),
    [
        ("application/sparql-results+json", None),
        ("application/json", "application/sparql-results+json"),
        ("text/csv", None),
        ("text/tab-separated-values", None),
        ("application/sparql-results+xml", None),
        ("*/*", "application/sparql-results+json"),
        ("text/csv;q=0.2, application/sparql-results+xml;q=0.9", "application/sparql-results+xml"),
    ],
)
def test_formats_of_rows(accept: str, media: str | None, client: FlaskClient) -> None:
    answer = client.get("/sparql", query_string={"query": DUTIES}, headers={"Accept": accept})
    assert answer.status_code == 200 and answer.mimetype == (media or accept)
    assert "ob-talkz-" in answer.get_data(as_text=True)


def test_the_three_ways_to_ask(client: FlaskClient) -> None:
    """GET, a form, and the query as the body give the same answer."""
    get = client.get("/sparql", query_string={"query": DUTIES})
    form = client.post("/sparql", data={"query": DUTIES})
    direct = client.post("/sparql", data=DUTIES, content_type="application/sparql-query; charset=utf-8")
    assert get.data == form.data == direct.data
    assert client.head("/sparql", query_string={"query": DUTIES}).status_code == 200


@pytest.mark.parametrize(
    "text", ["ASK { ?s a sk:Obligation }", "CONSTRUCT { ?s a sk:Obligation } WHERE { ?s a sk:Obligation }", "DESCRIBE id:service-talkz", DUTIES]
)
def test_the_four_kinds(text: str, client: FlaskClient) -> None:
    assert client.get("/sparql", query_string={"query": text}).status_code == 200
    page = client.get("/sparql", query_string={"query": text}, headers=HTML)
    assert page.mimetype == "text/html" and "<table>" in page.get_data(as_text=True)


def test_format_wins_over_accept(client: FlaskClient) -> None:
    assert client.get("/sparql", query_string={"query": DUTIES, "format": "csv"}, headers=HTML).mimetype == "text/csv"
    assert client.get("/sparql", query_string={"query": DUTIES, "format": "rot13"}).status_code == 400


def test_forms_are_decoded_once(client: FlaskClient) -> None:
    """An IRI with percent signs is found as it is written, by form and by GET."""
    text = 'SELECT ("責任 100%" AS ?a) (<http://x/%E8%B2%AC/100%25> AS ?b) WHERE {}'
    for answer in (client.post("/sparql", data={"query": text}), client.get("/sparql?query=" + quote(text))):
        binding = answer.get_json(force=True)["results"]["bindings"][0]
        assert binding["a"]["value"] == "責任 100%"
        assert binding["b"]["value"] == "http://x/%E8%B2%AC/100%25"


@pytest.mark.parametrize(
    ("text", "status"),
    [("SELECT x", 400), ("", 400), ("INSERT DATA { <a:a> <a:b> 1 }", 403), ("SELECT * { SERVICE <http://127.0.0.1:1/> { ?a ?b ?c } }", 403)],
)
def test_what_is_wrong_is_told(text: str, status: int, client: FlaskClient) -> None:
    answer = client.post("/sparql", data={"query": text})
    assert answer.status_code == status
    assert answer.mimetype == "application/problem+json"
    assert answer.get_json()["remedy"]
    assert client.post("/sparql", data={"query": text}, headers=HTML).mimetype == "text/html" or not text


def test_updates_are_refused(client: FlaskClient) -> None:
    assert client.post("/sparql", data={"update": "DROP ALL"}).status_code == 403
    assert client.post("/sparql", data="DROP ALL", content_type="application/sparql-update").status_code == 403


def test_named_graphs(client: FlaskClient) -> None:
    """default-graph-uri narrows the answer to one paper."""
    text = "SELECT (COUNT(*) AS ?n) WHERE { ?s a sk:Obligation }"
    graph = "https://w3id.org/sekinin/graph/ictl/resv-4.0"
    one, everything = (
        int(client.get("/sparql", query_string=q).get_json(force=True)["results"]["bindings"][0]["n"]["value"])
        for q in ({"query": text, "default-graph-uri": graph}, {"query": text})
    )
    assert 30 < one < everything


@pytest.mark.parametrize("graph", ["a b", "http://[bad", "%zz"])
def test_a_graph_name_that_is_no_iri_is_a_400(graph: str, client: FlaskClient) -> None:
    assert client.get("/sparql", query_string={"query": "ASK {}", "default-graph-uri": graph}).status_code == 400


@pytest.mark.parametrize("scheme", ["javascript:alert(1)", "data:text/html,x", "vbscript:x"])
def test_no_link_but_to_the_web(scheme: str, client: FlaskClient) -> None:
    """An IRI that a query makes up is shown, and never becomes a link that runs something."""
    page = client.get("/sparql", query_string={"query": f'SELECT (IRI("{scheme}") AS ?x) {{}}'}, headers=HTML).get_data(as_text=True)
    assert scheme in page and f'href="{scheme}' not in page


def test_a_body_of_another_kind_is_a_415(client: FlaskClient) -> None:
    assert client.post("/sparql", data="{}", content_type="application/json").status_code == 415


def test_broken_utf8_is_a_400(client: FlaskClient) -> None:
    assert client.post("/sparql", data=b"SELECT \xff", content_type="application/sparql-query").status_code == 400


def test_text_of_the_graph_is_text_on_the_page() -> None:
    """A name with markup in it appears as text."""
    import pyoxigraph as ox

    subject, graph = ox.NamedNode("https://w3id.org/sekinin/id/evil"), ox.NamedNode("https://w3id.org/sekinin/graph/x")
    label = ox.NamedNode("http://www.w3.org/2004/02/skos/core#prefLabel")
    store = EmbeddedStore.of([ox.Quad(subject, label, ox.Literal("<script>alert(1)</script>", language="en"), graph)])
    text = create_app(store).test_client().get("/page/id/evil?lang=en", headers=HTML).get_data(as_text=True)
    assert "<script>" not in text and "&lt;script&gt;" in text


def test_only_what_is_in_memory_is_kept(store: EmbeddedStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer that went through a file is asked again; its file is gone once it is read."""
    app = create_app(store)
    known, job = app.extensions["sekinin"], Job("ASK {}")
    for body, kept in ((Path("somewhere"), False), (b"{}", True)):
        monkeypatch.setattr(known.pool, "ask", lambda _, body=body: Answer("boolean", "json", 0, body))
        with app.test_request_context("/"):
            assert answered(job).body == body
        assert (known.cache.get(job) is not None) == kept


def test_plain_answers_are_in_the_language_of_the_page(client: FlaskClient) -> None:
    """Every English word by which a question answers has its Japanese, each is used, and programs get the English."""
    written = set()
    for path in resources.question_files():
        if path.parent.name in ("checks", "choices", "derived", "describe", "resources", "search"):
            continue
        lines = [line for line in path.read_text(encoding="utf-8").splitlines() if re.search(r"\b(BIND|IF|COALESCE|VALUES|SELECT)\b", line)]
        written |= {said for line in lines if "FILTER" not in line for said in re.findall(r'"([a-z][a-z :-]*[a-z])"', line)}
    assert written == set(ANSWERS)
    path = "/questions/locations/how-far-in-country"
    japanese = client.get(path, query_string={"lang": "ja"}, headers=HTML).get_data(as_text=True)
    english = client.get(path, query_string={"lang": "en"}, headers=HTML).get_data(as_text=True)
    assert ">一部のデータ<" in japanese and ">part of the data<" not in japanese and ">part of the data<" in english
    assert "part of the data" in client.get(f"/api{path}", query_string={"format": "csv"}).get_data(as_text=True)


def test_labels_fit_into_figures() -> None:
    """A full-width character takes two places, and what is cut off is marked."""
    assert pages.fit("AI Analyst", 16) == "AI Analyst" and pages.fit("責任分担の図", 12) == "責任分担の図"
    for said, places in (("AICloud・コエステーション", 16), ("AI+ reservation and business", 16), ("責任分担の図", 11)):
        short = pages.fit(said, places)
        assert short.endswith("…") and said.startswith(short[:-1])
        assert sum(2 if each > "\u2fff" else 1 for each in short) <= places


@pytest.mark.whole
def test_the_look_is_made_of_the_tokens_of_the_digital_agency(clients: Path) -> None:
    """Each token in use has the value that the npm package gives it; a colour that is no token stands in the dark theme alone."""
    given = (clients / "node_modules" / "@digital-go-jp" / "design-tokens" / "dist" / "tokens.css").read_text(encoding="utf-8")
    value = dict(re.findall(r"(--[\w-]+):\s*([^;]+);", given))
    ours = dict(re.findall(r"(--[\w-]+):\s*([^;]+);", (HOUSE / "webapp" / "static" / "tokens.css").read_text(encoding="utf-8")))
    assert ours and {name: value.get(name) for name in ours} == ours
    style = (HOUSE / "webapp" / "static" / "style.css").read_text(encoding="utf-8")
    assert set(re.findall(r"var\((--color-[\w-]+)\)", style)) == set(ours)
