"""The page of the data, its files, and the description over HTTP."""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path

import pyoxigraph as ox
import pytest
import rdflib
from flask import Flask
from flask.testing import FlaskClient

from sekinin import describe, dumps, lines
from sekinin.formats import GRAPHS
from sekinin.namespaces import graph_iri
from sekinin.store import EmbeddedStore
from webapp import create_app
from webapp import data as page

WHEN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
SD = "http://www.w3.org/ns/sparql-service-description#"
VOID = "http://rdfs.org/ns/void#"
PARSERS = {"turtle": "turtle", "ntriples": "nt", "rdfxml": "xml", "jsonld": "json-ld", "trig": "trig", "nquads": "nquads"}
FINDING = {"severity": "Warning", "where": "x:y", "rule": "checks/<b>", "what": {"en": "mend it", "ja": "直すこと"}, "value": "", "file": ""}


@pytest.fixture(scope="module")
def whole(store: EmbeddedStore) -> EmbeddedStore:
    """The store with its description."""
    bare = EmbeddedStore.of(quad for quad in store.engine if not quad.graph_name.value.startswith(graph_iri("description/")))
    return EmbeddedStore.of([*bare.engine, *describe.describe(bare, lines.canonical_digest(bare.engine), WHEN)])


@pytest.fixture(scope="module")
def folder(whole: EmbeddedStore, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a dataset as a build leaves it."""
    place = tmp_path_factory.mktemp("dataset")
    dumps.dumps(whole, place / page.DUMPS)
    (place / "manifest.json").write_text(json.dumps({"findings": [FINDING, FINDING]}), encoding="utf-8")
    return place


@pytest.fixture(scope="module")
def app(whole: EmbeddedStore, folder: Path) -> Flask:
    made = create_app(whole, version=lines.canonical_digest(whole.engine), made=WHEN)
    made.config[page.FOLDER] = folder
    made.testing = True
    return made


@pytest.fixture(scope="module")
def client(app: Flask) -> FlaskClient:
    return app.test_client()


# ---- the list


@pytest.mark.parametrize("lang", ["ja", "en"])
def test_the_page_lists_every_file(lang: str, client: FlaskClient, folder: Path) -> None:
    """With its size, its digest, its media type and its address; besides, version, licence, figures and findings."""
    answer = client.get("/data", query_string={"lang": lang}, headers={"Accept": "text/html"})
    text = answer.get_data(as_text=True)
    assert answer.status_code == 200 and f'<html lang="{lang}">' in text
    for dump in dumps.dumped(folder / page.DUMPS):
        assert dump.sha256 in text and f'href="/data/{dump.name}"' in text and dump.media in text
    assert answer.headers["Sekinin-Version"] in text
    assert "creativecommons.org/licenses/by/4.0/" in text
    assert ("直すこと" if lang == "ja" else "mend it") in text and "checks/&lt;b&gt;" in text
    assert "Warning" in text


def test_the_list_for_programs(client: FlaskClient, folder: Path, whole: EmbeddedStore) -> None:
    """The same in JSON: each file's figures are those of its bytes."""
    said = client.get("/data", headers={"Accept": "application/json"}).get_json()
    assert said == client.get("/data?format=json").get_json()
    assert said["version"] == lines.canonical_digest(whole.engine)
    assert said["counts"]["triples"] > 50_000 and said["findings"][0]["number"] == 2
    assert len(said["files"]) == len(GRAPHS) + 5 + 5
    for entry in said["files"]:
        content = (folder / page.DUMPS / entry["name"]).read_bytes()
        assert (len(content), hashlib.sha256(content).hexdigest()) == (entry["size"], entry["sha256"])
        assert entry["url"] == f"http://localhost/data/{entry['name']}" and entry["title"]


@pytest.mark.parametrize("form", GRAPHS)
@pytest.mark.parametrize("path", ["/data", "/.well-known/void"])
def test_the_description_in_every_format(path: str, form: str, client: FlaskClient) -> None:
    """VoID and DCAT, with the addresses of this server, read by another parser."""
    answer = client.get(path, headers={"Accept": GRAPHS[form].media})
    assert answer.status_code == 200 and answer.mimetype == GRAPHS[form].media
    graph = rdflib.Dataset(default_union=True)
    graph.parse(data=answer.data, format=PARSERS[form])
    dataset = rdflib.URIRef(describe.DATASET)
    assert graph.value(dataset, rdflib.URIRef(VOID + "sparqlEndpoint")) == rdflib.URIRef("http://localhost/sparql")
    files = {str(node) for node in graph.objects(dataset, rdflib.URIRef(VOID + "dataDump"))}
    assert files == {f"http://localhost/data/sekinin.{each.ending}" for each in GRAPHS.values()}
    assert (None, rdflib.RDF.type, rdflib.URIRef("http://www.w3.org/ns/dcat#Catalog")) in graph


def test_a_browser_gets_rdf_from_well_known(client: FlaskClient) -> None:
    """There is no page at /.well-known/void; whoever accepts anything gets Turtle, whoever accepts nothing of ours 406."""
    assert client.get("/.well-known/void", headers={"Accept": "text/html,*/*;q=0.8"}).mimetype == "text/turtle"
    assert client.get("/.well-known/void", headers={"Accept": "image/png"}).status_code == 406


def test_the_public_address_is_a_setting(app: Flask) -> None:
    """Behind another address the description names that one; a Host header that is no address is refused."""
    other = app.test_client().get("/.well-known/void", base_url="https://data.example.org:8443")
    assert b"https://data.example.org:8443/sparql" in other.data
    app.config["SEKININ_BASE_URL"] = "https://public.example/sekinin"
    try:
        text = app.test_client().get("/.well-known/void").data
        assert b"<https://public.example/sekinin/sparql>" in text and b"localhost" not in text
    finally:
        app.config["SEKININ_BASE_URL"] = ""
    assert app.test_client().get("/.well-known/void", headers={"Host": 'x"><y'}).status_code == 400


def test_a_store_without_description_is_told() -> None:
    """404, and the page still answers."""
    bare = create_app(EmbeddedStore.of([])).test_client()
    assert bare.get("/.well-known/void").status_code == 404
    assert bare.get("/data", headers={"Accept": "text/html"}).status_code == 200
    assert bare.get("/data/sekinin.ttl").status_code == 404


# ---- the service description, as W3C's three tests want it


@pytest.mark.parametrize("form", GRAPHS)
def test_service_description(form: str, app: Flask) -> None:
    """It is RDF, it has a triple that names this endpoint, and it keeps to the schema of the vocabulary."""
    with app.test_request_context("/sparql"):
        answer = page.service_description(form)
    assert answer.status_code == 200 and answer.mimetype == GRAPHS[form].media  # returns RDF
    graph = rdflib.Dataset(default_union=True)
    graph.parse(data=answer.get_data(), format=PARSERS[form])
    service = graph.value(None, rdflib.URIRef(SD + "endpoint"), rdflib.URIRef("http://localhost/sparql"))
    assert service is not None  # has a matching endpoint triple
    assert schema_faults(graph) == []  # conforms to the schema


DOMAINS = {
    "endpoint": ("Service", None),
    "feature": ("Service", None),
    "supportedLanguage": ("Service", None),
    "resultFormat": ("Service", None),
    "defaultEntailmentRegime": ("Service", None),
    "defaultDataset": ("Service", "Dataset"),
    "availableGraphs": ("Service", "Dataset"),
    "defaultGraph": ("Dataset", "Graph"),
    "namedGraph": ("Dataset", "NamedGraph"),
    "name": ("NamedGraph", None),
    "graph": ("NamedGraph", "Graph"),
}
"""For each property of the vocabulary that we use, its domain and range. Source: SPARQL 1.1 Service Description, section 3."""


def schema_faults(graph: rdflib.Graph) -> list[str]:
    found = []
    for subject, predicate, value in graph.triples((None, None, None)):
        if not str(predicate).startswith(SD):
            continue
        name = str(predicate).removeprefix(SD)
        if name not in DOMAINS:
            found.append(f"unknown {name}")
            continue
        domain, reach = DOMAINS[name]
        if (subject, rdflib.RDF.type, rdflib.URIRef(SD + domain)) not in graph:
            found.append(f"{subject} has {name} and is no {domain}")
        if isinstance(value, rdflib.Literal) or (reach and (value, rdflib.RDF.type, rdflib.URIRef(SD + reach)) not in graph):
            found.append(f"{value} is no {reach}")
    services = set(graph.subjects(rdflib.RDF.type, rdflib.URIRef(SD + "Service")))
    return found + [f"{s} has no endpoint" for s in services if (s, rdflib.URIRef(SD + "endpoint"), None) not in graph]


def test_a_fault_against_the_schema_is_noticed() -> None:
    graph = rdflib.Graph().parse(data=f'@prefix sd: <{SD}> . <x:s> a sd:Service ; sd:endpoynt <x:e> ; sd:feature "union" .', format="turtle")
    assert len(schema_faults(graph)) == 3


# ---- the files


@pytest.mark.parametrize("name", ["sekinin.ttl", "sekinin.nq", "sekinin.jsonld", "spcc.ttl", "iso27017-2015--iso27002-2013.sssom.tsv"])
def test_a_file_comes_as_it_is(name: str, client: FlaskClient, folder: Path) -> None:
    """Its bytes, its media type, its digest, its version; by HEAD the same without the bytes."""
    dump = next(each for each in dumps.dumped(folder / page.DUMPS) if each.name == name)
    with client.get(f"/data/{name}") as answer:
        assert answer.status_code == 200 and answer.mimetype == dump.media
        assert hashlib.sha256(answer.data).hexdigest() == dump.sha256
        assert answer.headers["ETag"] == f'"{dump.sha256}"'
        assert answer.headers["Repr-Digest"] == f"sha-256=:{base64.b64encode(bytes.fromhex(dump.sha256)).decode()}:"
        assert answer.last_modified == WHEN and answer.headers["Sekinin-Version"]
    with client.head(f"/data/{name}") as answer:
        assert answer.status_code == 200 and answer.content_length == dump.size and answer.data == b""


def test_a_file_that_the_client_has_is_not_sent_again(client: FlaskClient) -> None:
    """304 by tag and by date; the list and the description likewise."""
    for path in ("/data/spcc.ttl", "/data", "/data?format=json", "/data?format=turtle", "/.well-known/void"):
        with client.get(path) as first:
            tag, date = first.headers["ETag"], first.headers["Last-Modified"]
        for headers in ({"If-None-Match": tag}, {"If-Modified-Since": date}):
            with client.get(path, headers=headers) as again:
                assert again.status_code == 304 and again.data == b"", (path, headers)
        with client.get(path, headers={"If-None-Match": '"another"'}) as other:
            assert other.status_code == 200


def test_parts_of_a_file(client: FlaskClient, folder: Path) -> None:
    """An interrupted download goes on where it stopped, unless the file has changed."""
    content = (folder / page.DUMPS / "sekinin.nq").read_bytes()
    with client.get("/data/sekinin.nq", headers={"Range": "bytes=1000-1999"}) as part:
        assert part.status_code == 206 and part.data == content[1000:2000]
        assert part.headers["Content-Range"] == f"bytes 1000-1999/{len(content)}"
        tag = part.headers["ETag"]
    with client.get("/data/sekinin.nq", headers={"Range": "bytes=-10", "If-Range": tag}) as end:
        assert end.status_code == 206 and end.data == content[-10:]
    with client.get("/data/sekinin.nq", headers={"Range": "bytes=0-9", "If-Range": '"old"'}) as changed:
        assert changed.status_code == 200 and changed.content_length == len(content)
    with client.get("/data/sekinin.nq", headers={"Range": f"bytes={len(content)}-"}) as beyond:
        assert beyond.status_code == 416


@pytest.mark.parametrize("name", ["../manifest.json", "..%2fmanifest.json", "index.json", "%2e%2e/manifest.json", "nothing.ttl", "%00", "a" * 5000])
def test_nothing_but_the_files_is_given(name: str, client: FlaskClient) -> None:
    assert client.get(f"/data/{name}").status_code == 404


def test_a_file_that_was_cleared_away_is_told(whole: EmbeddedStore, tmp_path: Path) -> None:
    """After two more builds the folder is gone while this server still runs: 404, not 500."""
    dumps.dumps(EmbeddedStore.of(list(whole.engine)[:20]), tmp_path / page.DUMPS)
    app = create_app(whole)
    app.config[page.FOLDER] = tmp_path
    (tmp_path / page.DUMPS / "sekinin.nt").unlink()
    assert app.test_client().get("/data/sekinin.nt").status_code == 404


@pytest.mark.whole
@pytest.mark.parametrize("form", GRAPHS)
def test_every_dump_is_the_store(form: str, whole: EmbeddedStore, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Read by rdflib and written again, it is the same dataset; without named graphs, the union."""
    monkeypatch.setattr(rdflib, "NORMALIZE_LITERALS", False)
    engine = GRAPHS[form].engine
    assert isinstance(engine, ox.RdfFormat)
    path = folder / page.DUMPS / f"sekinin.{GRAPHS[form].ending}"
    dataset = rdflib.Dataset() if engine.supports_datasets else rdflib.Graph()
    dataset.parse(path, format=PARSERS[form])
    found, held = ox.Dataset(), ox.Dataset()
    for graph in dataset.graphs() if isinstance(dataset, rdflib.Dataset) else [dataset]:
        name = ox.NamedNode(str(graph.identifier)) if engine.supports_datasets else ox.DefaultGraph()
        for quad in ox.parse(graph.serialize(format="nt", encoding="utf-8"), ox.RdfFormat.N_TRIPLES):
            found.add(ox.Quad(*quad.triple, name))
    for quad in whole.engine:
        held.add(quad if engine.supports_datasets else ox.Quad(*quad.triple))
    for each in (held, found):
        each.canonicalize(ox.CanonicalizationAlgorithm.RDFC_1_0)
    assert found == held


@pytest.mark.parametrize("provider", ["spcc", "ictl", "ai-inc", "infonet", "wacul"])
def test_a_provider_s_dump_is_its_papers(provider: str, whole: EmbeddedStore, folder: Path) -> None:
    """Its Turtle holds the graphs of its papers and nothing else."""
    read = {quad.triple for quad in ox.parse(path=str(folder / page.DUMPS / f"{provider}.ttl"), format=ox.RdfFormat.TURTLE)}
    assert read == {quad.triple for quad in whole.engine if quad.graph_name.value.startswith(graph_iri(provider + "/"))}


def test_the_version_can_be_computed_from_a_dump(whole: EmbeddedStore, folder: Path) -> None:
    """Whoever has sekinin.nq can prove which version it is."""
    quads = ox.parse(path=str(folder / page.DUMPS / "sekinin.nq"), format=ox.RdfFormat.N_QUADS)
    assert lines.canonical_digest(quads) == lines.canonical_digest(whole.engine)
