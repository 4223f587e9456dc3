"""Real clients against the running server: every method and format that each of them knows.

Percent-encoded IRIs and Japanese literals go through all of them, and through every method and format in-process.
"""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pyoxigraph as ox
import pytest
from conftest import HOUSE
from flask.testing import FlaskClient
from rdflib import Graph, Literal, URIRef
from rdflib.compare import isomorphic
from serving import SETTINGS, Server, serving

from sekinin.formats import GRAPHS, ROWS
from webapp import create_app

whole = pytest.mark.whole
IRI = "http://x/%E8%B2%AC/100%25?a=1&b=%2B+#責"
TEXT = '責任 100% & <b>+"\\ｶﾅ\n𠮷'
LABEL = "http://www.w3.org/2000/01/rdf-schema#label"
WRITTEN = str(ox.Literal(TEXT, language="ja"))
SELECT = f"SELECT (<{IRI}> AS ?iri) ({WRITTEN} AS ?text) WHERE {{}}"
ASK = f'ASK {{ FILTER(STR(<{IRI}>) = "{IRI}" && STRLEN({WRITTEN}) = {len(TEXT)}) }}'
CONSTRUCT = f"CONSTRUCT {{ <{IRI}> <{LABEL}> {WRITTEN} }} WHERE {{}}"
DESCRIBE = "DESCRIBE <https://w3id.org/sekinin/id/service-talkz>"
ONE = Graph().add((URIRef(IRI), URIRef(LABEL), Literal(TEXT, lang="ja")))


def parsed(media: str, body: bytes) -> Graph:
    """Read triples by rdflib, which did not write them; quads lose their graph."""
    form = next(f for f in GRAPHS.values() if f.media == media)
    triples = [q.triple for q in ox.parse(body, form.engine)] if form.name in ("trig", "nquads") else None
    if triples is not None:
        body = ox.serialize(triples, format=ox.RdfFormat.N_TRIPLES)
    names = {"turtle": "turtle", "rdfxml": "xml", "jsonld": "json-ld"}
    return Graph().parse(data=body, format=names.get(form.name, "nt"))


def holds(form: str, body: bytes) -> bool:
    """Whether a table of one row holds the IRI and the text, whatever the format."""
    from rdflib.query import Result

    if form == "csv":
        import csv

        rows = list(csv.reader(io.StringIO(body.decode("utf-8"), newline="")))
        return rows == [["iri", "text"], [IRI, TEXT]]
    found = list(Result.parse(io.BytesIO(body), format=form))
    return [(str(r.iri), r.text) for r in found] == [(IRI, Literal(TEXT, lang="ja"))]


# ---- every method and format, in-process


@pytest.fixture(scope="module")
def local(store) -> FlaskClient:
    return create_app(store).test_client()


def sent(client: FlaskClient, method: str, query: str, **how: str):
    """Send a query by GET, by a form or as the body; ``how`` is ``accept`` or ``format``."""
    headers = {"Accept": how["accept"]} if "accept" in how else {}
    extra = {"format": how["format"]} if "format" in how else {}
    if method == "GET":
        return client.get("/sparql?" + urlencode({"query": query, **extra}), headers=headers)
    if method == "form":
        return client.post("/sparql", data={"query": query, **extra}, headers=headers)
    return client.post("/sparql", query_string=extra, data=query.encode(), content_type="application/sparql-query; charset=UTF-8", headers=headers)


@pytest.mark.parametrize("asked_by", ["accept", "format"])
@pytest.mark.parametrize("form", ROWS)
@pytest.mark.parametrize("method", ["GET", "form", "direct"])
def test_rows_by_every_method_and_format(method: str, form: str, asked_by: str, local: FlaskClient) -> None:
    """What was asked comes back character for character."""
    how = {asked_by: ROWS[form].media if asked_by == "accept" else form}
    answer = sent(local, method, SELECT, **how)
    assert answer.status_code == 200 and answer.mimetype == ROWS[form].media
    assert holds(form, answer.data)
    yes = sent(local, method, ASK, **how)
    assert yes.status_code == 200 and b"true" in yes.data


@pytest.mark.parametrize("asked_by", ["accept", "format"])
@pytest.mark.parametrize("form", GRAPHS)
@pytest.mark.parametrize("method", ["GET", "form", "direct"])
def test_triples_by_every_method_and_format(method: str, form: str, asked_by: str, local: FlaskClient) -> None:
    how = {asked_by: GRAPHS[form].media if asked_by == "accept" else form}
    answer = sent(local, method, CONSTRUCT, **how)
    assert answer.status_code == 200 and answer.mimetype == GRAPHS[form].media
    assert isomorphic(parsed(answer.mimetype, answer.data), ONE)
    described = sent(local, method, DESCRIBE, **how)
    assert any(getattr(o, "language", "") == "ja" for o in parsed(described.mimetype, described.data).objects())


@pytest.mark.parametrize("method", ["GET", "form", "direct"])
def test_a_graph_name_with_percent_signs(method: str) -> None:
    """default-graph-uri and FROM are decoded once, and compared as they are written."""
    from sekinin.store import EmbeddedStore

    graph = ox.NamedNode("http://x/%E8%B2%AC/100%25")
    other = ox.NamedNode("http://x/責/100")
    here, elsewhere = ox.Literal("ここ", language="ja"), ox.Literal("elsewhere")
    quads = [ox.Quad(graph, ox.NamedNode(LABEL), here, graph), ox.Quad(other, ox.NamedNode(LABEL), elsewhere, other)]
    client = create_app(EmbeddedStore.of(quads)).test_client()
    text = f"SELECT ?o {{ ?s <{LABEL}> ?o }}"
    named = {"default-graph-uri": graph.value}
    if method == "GET":
        answer = client.get("/sparql", query_string={"query": text, **named})
    elif method == "form":
        answer = client.post("/sparql", data={"query": text, **named})
    else:
        answer = client.post("/sparql", query_string=named, data=text, content_type="application/sparql-query")
    by_from = sent(client, method, f"SELECT ?o FROM <{graph.value}> {{ ?s ?p ?o }}")
    for each in (answer, by_from):
        assert [b["o"]["value"] for b in each.get_json(force=True)["results"]["bindings"]] == ["ここ"]


# ---- the running server


@pytest.fixture(scope="module")
def server(built) -> Iterator[Server]:
    with serving(**SETTINGS) as server:
        yield server


@whole
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.filterwarnings("ignore:Sending Accept header:RuntimeWarning")  # it knows no media type for its own "rdf", and accepts anything
@pytest.mark.parametrize("method", ["GET", "POST", "POST direct"])
@pytest.mark.parametrize(
    ("query", "form"),
    [(q, f) for q in (SELECT, ASK) for f in ("json", "xml", "csv", "tsv")]
    + [(q, f) for q in (CONSTRUCT, DESCRIBE) for f in ("turtle", "n3", "rdf", "rdf+xml", "xml", "json-ld")],
)
def test_sparqlwrapper(query: str, form: str, method: str, server: Server) -> None:
    """SPARQLWrapper with each of its methods and return formats, converted by itself."""
    import SPARQLWrapper as client

    assert {client.JSON, client.XML, client.CSV, client.TSV, client.TURTLE, client.N3, client.RDF, client.RDFXML, client.JSONLD} == {
        "json", "xml", "csv", "tsv", "turtle", "n3", "rdf", "rdf+xml", "json-ld",
    }  # fmt: skip
    ask = client.SPARQLWrapper(f"{server.address}sparql")
    ask.setQuery(query)
    ask.setMethod(method.split()[0])
    ask.setRequestMethod(client.POSTDIRECTLY if method == "POST direct" else client.URLENCODED)
    ask.setReturnFormat(form)
    result = ask.query()
    media = result.info()["content-type"].split(";")[0]
    found = result.convert()
    if query in (CONSTRUCT, DESCRIBE):
        graph = found if isinstance(found, Graph) else parsed(media, found)
        assert isomorphic(graph, ONE) if query == CONSTRUCT else len(graph) > 3
        return
    assert media == ROWS[form].media
    if query == ASK:
        yes = found["boolean"] if form == "json" else b"true" in (found.toxml("utf-8") if form == "xml" else found)
        assert yes is True
    elif form == "json":
        (row,) = found["results"]["bindings"]
        assert (row["iri"]["value"], row["text"]["value"], row["text"]["xml:lang"]) == (IRI, TEXT, "ja")
    else:
        assert holds(form, found.toxml("utf-8") if form == "xml" else found)


@whole
@pytest.mark.parametrize("method", ["GET", "POST", "POST_FORM"])
@pytest.mark.parametrize("returns", ["json", "xml", "csv", "tsv"])
def test_rdflib_sparqlstore(returns: str, method: str, server: Server) -> None:
    """rdflib's SPARQLStore: SELECT, ASK, CONSTRUCT and triples(), by each of its methods."""
    from rdflib.plugins.stores.sparqlstore import SPARQLStore

    graph = Graph(SPARQLStore(f"{server.address}sparql", method=method, returnFormat=returns))
    (row,) = graph.query(SELECT)
    assert str(row.iri) == IRI and str(row.text) == TEXT
    assert returns == "csv" or row.text == Literal(TEXT, lang="ja")
    if returns in ("json", "xml"):  # rdflib reads no boolean from CSV or TSV
        assert graph.query(ASK).askAnswer is True
        assert isomorphic(graph.query(CONSTRUCT).graph, ONE)
        service = URIRef("https://w3id.org/sekinin/id/service-talkz")
        said = list(graph.triples((service, None, None)))
        assert len(said) > 3 and all(s == service for s, _p, _o in said)
        (name,) = {o for _s, p, o in said if p.endswith("prefLabel") and o.language == "ja"}
        assert list(graph.triples((service, None, name)))
        assert not list(graph.triples((URIRef(IRI), None, None)))


@whole
def test_pandas(server: Server) -> None:
    """`pandas.read_csv` of the address of a query: the columns have their names, the text is whole."""
    pandas = pytest.importorskip("pandas", reason="pandas is not installed")
    frame = pandas.read_csv(f"{server.address}sparql?" + urlencode({"query": SELECT, "format": "csv"}))
    assert list(frame.columns) == ["iri", "text"] and frame.iloc[0].tolist() == [IRI, TEXT]
    many = "SELECT ?duty ?label { ?duty a sk:CustomerDuty ; skos:prefLabel ?label FILTER(LANG(?label) = 'ja') } ORDER BY ?duty"
    for separator, form in ((",", "csv"), ("\t", "tsv")):
        frame = pandas.read_csv(f"{server.address}sparql?" + urlencode({"query": many, "format": form}), sep=separator)
        assert len(frame) > 40 and frame.notna().all(axis=None)


def curl(*words: str) -> tuple[int, dict[str, str], str]:
    """Run curl; return the status, the headers of the answer (names in lower case) and its body."""
    run = subprocess.run(["curl", "--silent", "--show-error", "--max-time", "20", "--include", *words], capture_output=True, check=True)
    head, _, body = run.stdout.decode().replace("\r\n", "\n", run.stdout[: run.stdout.find(b"\r\n\r\n") + 4].count(b"\r\n")).partition("\n\n")
    first, *lines = head.split("\n")
    return int(first.split()[1]), {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in lines)}, body


@whole
def test_curl_every_method(server: Server) -> None:
    """GET, a form, the query as the body, HEAD and OPTIONS; and what is not allowed."""
    where = f"{server.address}sparql"
    get = curl("-G", "--data-urlencode", f"query={SELECT}", where)
    form = curl("--data-urlencode", f"query={SELECT}", where)
    direct = curl("-H", "Content-Type: application/sparql-query", "--data-binary", SELECT, where)
    assert get[0] == form[0] == direct[0] == 200 and get[2] == form[2] == direct[2]
    assert holds("json", get[2].encode())
    status, headers, body = curl("--head", "-G", "--data-urlencode", f"query={SELECT}", where)
    assert status == 200 and body == ""
    for name in ("content-type", "etag", "last-modified", "vary", "sekinin-version"):
        assert headers[name] == get[1][name]
    status, headers, _body = curl("-X", "OPTIONS", where)
    assert status in (200, 204) and {"GET", "HEAD", "POST", "OPTIONS"} <= set(re.split(r",\s*", headers["allow"]))
    for method in ("PUT", "DELETE", "PATCH"):
        status, headers, body = curl("-X", method, where)
        assert status == 405 and headers["allow"] and json.loads(body)["status"] == 405


@whole
@pytest.mark.parametrize(
    ("accept", "query", "media"),
    [
        ("*/*", SELECT, "application/sparql-results+json"),
        ("text/csv", SELECT, "text/csv"),
        ("text/csv;q=0.2, application/sparql-results+xml;q=0.9", SELECT, "application/sparql-results+xml"),
        ("image/png, text/*;q=0.5", SELECT, "text/"),
        ("text/csv;q=0, */*;q=0.1", SELECT, "application/sparql-results+json"),
        ("text/turtle, text/csv;q=0.5", SELECT, "text/csv"),
        ("text/turtle, text/csv;q=0.5", CONSTRUCT, "text/turtle"),
        ("application/ld+json;q=0.9, application/rdf+xml;q=0.8", CONSTRUCT, "application/ld+json"),
        ("application/rdf+xml, */*;q=0.1", CONSTRUCT, "application/rdf+xml"),
        ("*/*", CONSTRUCT, "text/turtle"),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", SELECT, "text/html"),
        ("image/png", SELECT, "application/problem+json"),
    ],
)
def test_curl_accept(accept: str, query: str, media: str, server: Server) -> None:
    """Lists with q-values are honoured; what cannot be had is a 406."""
    status, headers, _body = curl("-G", "-H", f"Accept: {accept}", "--data-urlencode", f"query={query}", f"{server.address}sparql")
    assert headers["content-type"].startswith(media) and status == (406 if media == "application/problem+json" else 200)
    assert "Accept" in headers["vary"]


@whole
def test_curl_has_it_already(server: Server) -> None:
    """The ETag, or the date, that came with an answer makes the next one a 304 without a body; each format has its own ETag."""
    words = ("-G", "--data-urlencode", f"query={SELECT}", f"{server.address}sparql")
    _status, first, _body = curl(*words)
    status, headers, body = curl("-H", f"If-None-Match: {first['etag']}", *words)
    assert status == 304 and body == "" and headers["etag"] == first["etag"]
    assert curl("-H", f'If-None-Match: W/{first["etag"]}, "other"', *words)[0] == 304
    assert curl("-H", f"If-Modified-Since: {first['last-modified']}", *words)[0] == 304
    assert curl("-H", 'If-None-Match: "other"', *words)[0] == 200
    _status, other, _body = curl("-H", "Accept: text/csv", *words)
    assert other["etag"] != first["etag"] and other["sekinin-version"] == first["sekinin-version"]


def _oxigraph() -> str:
    found = shutil.which("oxigraph", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]))
    if not found:
        pytest.skip("the program `oxigraph` (PyPI) is not installed")
    return found


@whole
def test_oxigraph_asks_by_service(server: Server, tmp_path: Path) -> None:
    """The program of the PyPI package `oxigraph` has no HTTP client but SERVICE: an empty store of its own asks our endpoint through it."""
    text = f"SELECT * {{ SERVICE <{server.address}sparql> {{ {{ {SELECT} }} }} }}"
    store, nothing = str(tmp_path / "empty"), tmp_path / "nothing.nt"
    nothing.touch()
    subprocess.run([_oxigraph(), "load", "--location", store, "--file", str(nothing)], capture_output=True, check=True, timeout=60)
    run = subprocess.run([_oxigraph(), "query", "--location", store, "--query", text, "--results-format", "json"], capture_output=True, timeout=60)
    assert run.returncode == 0, run.stderr.decode()[-500:]
    assert holds("json", run.stdout)


@whole
@pytest.mark.parametrize("form", ["turtle", "ntriples", "rdfxml", "jsonld", "trig", "nquads"])
def test_oxigraph_reads_our_graphs(form: str, server: Server) -> None:
    """`oxigraph convert` reads each format that we write, and finds the same triples."""
    status, _headers, body = server.get("sparql", accept=GRAPHS[form].media, query=CONSTRUCT)
    assert status == 200
    words = ["convert", "--from-format", GRAPHS[form].media, "--to-format", "nq"]
    run = subprocess.run([_oxigraph(), *words], input=body, capture_output=True, timeout=60)
    assert run.returncode == 0, run.stderr.decode()[-500:]
    assert isomorphic(Graph().parse(data=run.stdout, format="nt"), ONE)


@whole
def test_pyoxigraph_asks_by_service(server: Server) -> None:
    """The same engine as a library, in the process of its user, joins our answer with data of its own."""
    mine = ox.Store()
    mine.add(ox.Quad(ox.NamedNode("https://w3id.org/sekinin/id/service-talkz"), ox.NamedNode("a:note"), ox.Literal("候補", language="ja")))
    label = "<http://www.w3.org/2004/02/skos/core#prefLabel>"
    text = f"SELECT ?note ?label {{ ?s <a:note> ?note SERVICE <{server.address}sparql> {{ ?s {label} ?label }} }}"
    labels = {row["label"].language for row in mine.query(text)}
    assert labels >= {"ja", "en"}


# ---- Comunica


@pytest.fixture(scope="session")
def comunica(clients: Path) -> Path:
    """Comunica, with the program that asks by it beside it."""
    shutil.copy(HOUSE / "tests" / "clients" / "comunica.mjs", clients)
    return clients


def by_comunica(comunica: Path, server: Server, kind: str, query: str):
    run = subprocess.run(
        ["node", "comunica.mjs", f"{server.address}sparql", kind], cwd=comunica, input=query.encode(), capture_output=True, timeout=120
    )
    assert run.returncode == 0, run.stderr.decode()[-1000:]
    return json.loads(run.stdout)


@whole
def test_comunica(comunica: Path, server: Server) -> None:
    """Comunica with our endpoint as its source: SELECT, ASK and CONSTRUCT."""
    skos = "PREFIX skos: <http://www.w3.org/2004/02/skos/core#> PREFIX sk: <https://w3id.org/sekinin#> "
    duties = "SELECT ?s ?label { ?s a sk:CustomerDuty ; skos:prefLabel ?label FILTER(LANG(?label) = 'ja') }"
    rows = by_comunica(comunica, server, "select", skos + duties)
    assert len({r["s"]["value"] for r in rows}) >= 50 and {r["label"]["language"] for r in rows} == {"ja"}
    bound = f"SELECT * {{ ?s a sk:Service BIND(<{IRI}> AS ?iri) BIND({WRITTEN} AS ?text) }} LIMIT 1"
    (row,) = by_comunica(comunica, server, "select", skos + bound)
    assert (row["iri"]["value"], row["text"]["value"], row["text"]["language"]) == (IRI, TEXT, "ja")
    assert by_comunica(comunica, server, "ask", skos + "ASK { ?s a sk:CustomerDuty }") is True
    assert by_comunica(comunica, server, "ask", "ASK { ?s a <http://x/%E8%B2%AC> }") is False
    triples = by_comunica(comunica, server, "construct", skos + "CONSTRUCT { ?s skos:prefLabel ?l } WHERE { ?s a sk:Service ; skos:prefLabel ?l }")
    assert len(triples) >= 10 and {"ja", "en"} <= {t[2].get("language") for t in triples}


def test_the_lock_file_names_no_registry() -> None:
    """Whoever installs the clients takes them from the registry that they use; the digests say that they are the same."""
    lock = json.loads((HOUSE / "tests" / "clients" / "package-lock.json").read_text(encoding="utf-8"))
    packages = {name: entry for name, entry in lock["packages"].items() if name}
    assert len(packages) > 100
    assert all("resolved" not in entry and entry["integrity"].startswith("sha512-") for entry in packages.values())
