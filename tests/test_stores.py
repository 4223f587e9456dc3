"""One contract for all stores: filled by ``publish``, every server answers as the embedded store does, by questions, pages, API and command line."""

from __future__ import annotations

import base64
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pyoxigraph as ox
import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient
from servers import SERVERS, Running, free, virtuoso
from serving import serving

from sekinin import describe, queries
from sekinin import publish as publisher
from sekinin.account import Account
from sekinin.cli import main
from sekinin.errors import BadQuery, Busy, Refused, StoreFailure, TooLong
from sekinin.namespaces import BASE, graph_iri
from sekinin.publish import Target, publish
from sekinin.store import EmbeddedStore, RemoteStore, Triples, rows
from sekinin.workers import Gate, Job, Limits
from webapp import create_app

QUESTIONS = sorted(name for name in queries.catalogue() if not name.startswith(("checks/", "search/")))
TOO_MANY_HEADERS = "virtuoso"
"""Repeats every graph that a request names in a header of its own; http.client takes a hundred headers."""


@dataclass(frozen=True)
class Filled:
    """A real server, filled by ``publish``."""

    server: Running
    store: RemoteStore
    target: Target


@pytest.fixture(scope="module", params=[*SERVERS])
def filled(request: pytest.FixtureRequest, store: EmbeddedStore, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Filled]:
    with SERVERS[request.param](tmp_path_factory.mktemp(request.param)) as server:
        target = Target(server.data, Account(server.account))
        done = publish(store, target)
        assert done.kept == 0 and done.triples == len(store.engine)
        yield Filled(server, RemoteStore(server.query), target)


@pytest.fixture(scope="module")
def both(filled: Filled, store: EmbeddedStore) -> tuple[FlaskClient, FlaskClient]:
    """Clients of the explorer over the embedded store and over the server."""
    held = describe.held(store)
    assert held and describe.held(filled.store) == held
    return create_app(store, None, *held).test_client(), create_app(filled.store, None, *held).test_client()


def answered(store: EmbeddedStore | RemoteStore, name: str, given: Mapping[str, str]) -> list[str]:
    """Return an answer, its rows in an order of their own: equals may stand in any order. A graph without what only the server has."""
    result = queries.bind(queries.get(name), given).ask(store)
    if isinstance(result, ox.QueryBoolean):
        return [str(bool(result))]
    if isinstance(result, Triples):
        return sorted(" ".join(map(_plain, (each.subject, each.predicate, each.object))) for each in result if not _foreign(each.subject))
    return sorted(str(sorted((key, _plain(term)) for key, term in row.items())) for row in rows(result) if not _foreign(row.get("graph")))


def given_to(name: str) -> list[dict[str, str]]:
    """Return what parameters a question is asked with: none, then those of each competency question."""
    return [{}, *(given for _, given in queries.asks(queries.get(name)) if given)]


@pytest.fixture(scope="session")
def embedded(store: EmbeddedStore) -> Callable[[str, int], list[str]]:
    """The answer of the embedded store to a saved question as it is asked the n-th time, found once for all servers."""
    return cache(lambda name, number: answered(store, name, given_to(name)[number]))


def _foreign(term: object) -> bool:
    """Whether this is of the server's own graphs, as Virtuoso keeps its settings in some, and they are part of the union."""
    own = r"bif:|xpath:|sql:|http://www\.w[23]\.org/ns/ldp#|http://(www\.openlinksw\.com|localhost:|localuri)"
    return isinstance(term, ox.NamedNode) and bool(re.match(own, term.value))


def _plain(term: object) -> str:
    """Return a term, a number or truth value by its value: servers write 1 and 1.0, or true and 1, each in its own way."""
    if isinstance(term, ox.BlankNode):
        return "_"
    if isinstance(term, ox.Literal):
        kind = term.datatype.value.rpartition("#")[2]
        if kind in ("integer", "decimal", "double"):
            return f"{float(term.value):.6g}"
        if kind == "boolean":
            return "1" if term.value == "true" else "0"
    return str(term)


@pytest.mark.whole
def test_every_question(filled: Filled, embedded: Callable[[str, int], list[str]]) -> None:
    """The server answers every saved question as the embedded store does, with nothing given and as the competency questions ask it."""
    different = []
    for name in QUESTIONS:
        for number, given in enumerate(given_to(name)):
            try:
                if answered(filled.store, name, given) != embedded(name, number):
                    different.append((name, given, "other rows"))
            except (BadQuery, StoreFailure) as why:
                different.append((name, given, str(why)))
    assert different == []


PAGES = (
    "/", "/services/talkz", "/services/resv", "/duties", "/duties?layer=customer", "/commitments",
    "/commitments?subject=BackupRetentionCommitment", "/controls", "/controls/iso27017-2015/CLD.13.1.4", "/providers/spcc",
    "/questions", "/questions/duties/customer-duties", "/page/ontology", "/words", "/findings", "/data", "/search?q=talkz", "/sparql",
    "/page/id/service-talkz", "/page/id/cm-talkz-backup-daily", "/source/id/cm-talkz-backup-daily",
)  # fmt: skip


@pytest.mark.whole
def test_every_page(both: tuple[FlaskClient, FlaskClient]) -> None:
    """Every page shows the same from the server, in both languages; what only a build has is said not to be here."""
    here, there = both
    elsewhere = {"/findings": "sekinin check", "/data": "sekinin check", "/search?q=talkz": ""}
    seen = 0
    for path in PAGES:
        for lang in ("ja", "en"):
            mine, theirs = (
                client.get(path, query_string={"lang": lang} if "?" not in path else None, headers={"Accept": "text/html"}) for client in both
            )
            assert theirs.status_code == mine.status_code, path
            if path in elsewhere:
                assert elsewhere[path] in theirs.text and theirs.text != mine.text, path
            else:
                assert theirs.text == mine.text, path
            seen += mine.status_code == 200
    assert seen > 1.8 * len(PAGES)
    assert there.get("/data?format=json").json["findings"] is None and here.get("/data?format=json").json["findings"] is not None


@pytest.mark.whole
def test_the_api(both: tuple[FlaskClient, FlaskClient]) -> None:
    """Saved questions over HTTP: the list, and rows in every format, bound and not."""
    here, there = both
    assert there.get("/api/questions").json == here.get("/api/questions").json
    for form in ("json", "csv", "tsv", "xml"):
        for path in ("duties/customer-duties?lang=en", "commitments/compare?lang=ja", "controls/matrix?lang=en"):
            mine, theirs = (client.get(f"/api/questions/{path}&format={form}&limit=2000") for client in both)
            assert theirs.status_code == mine.status_code == 200
            assert theirs.headers.get("X-Total-Count") == mine.headers.get("X-Total-Count")
            assert theirs.headers["Sekinin-Version"] == mine.headers["Sekinin-Version"]


@pytest.mark.whole
@pytest.mark.parametrize("inference", ["on", "off"])
def test_the_endpoint(both: tuple[FlaskClient, FlaskClient], filled: Filled, inference: str) -> None:
    """The four kinds of query pass through /sparql, with the same answers, with and without what was inferred."""
    for text in (
        "SELECT ?s ?label { ?s a sk:CloudService ; skos:prefLabel ?label } ORDER BY ?s ?label",
        "SELECT ?x ?label { GRAPH ?g { ?x a sk:Obligation ; skos:prefLabel ?label } FILTER CONTAINS(STR(?label), '暗号') } ORDER BY ?x ?label",
        "ASK { id:service-talkz a sk:CloudService }",
        "ASK { id:service-talkz a sk:Obligation }",
        "CONSTRUCT { ?s skos:prefLabel ?l } WHERE { ?s a sk:CloudService ; skos:prefLabel ?l }",
    ):
        mine, theirs = (
            client.post(
                f"/sparql?inference={inference}&format=ntriples" if "CONSTRUCT" in text else f"/sparql?inference={inference}",
                data={"query": text},
                headers={"Accept": "application/sparql-results+json"},
            )
            for client in both
        )
        if filled.server.name == TOO_MANY_HEADERS and inference == "off" and "GRAPH" in text:
            assert theirs.status_code == 503 and "100" in theirs.text
            continue
        assert theirs.status_code == mine.status_code == 200, (text, theirs.text)
        if "CONSTRUCT" in text:
            assert sorted(theirs.text.splitlines()) == sorted(mine.text.splitlines()) != []
        else:
            assert theirs.json.get("boolean") == mine.json.get("boolean") and theirs.json.get("results") == mine.json.get("results")
    told = both[1].post("/sparql", data={"query": "DESCRIBE id:service-talkz"}, headers={"Accept": "text/turtle"})
    assert told.status_code == 200 and "service-talkz" in told.text  # what a description holds is for each server to say
    assert both[1].post("/sparql", data={"query": "INSERT DATA { <a:> <a:> <a:> }"}).status_code == 403
    assert both[1].post("/sparql", data={"query": "SELECT * { SERVICE <http://127.0.0.1:9/> { ?s ?p ?o } }"}).status_code == 403


@pytest.mark.whole
def test_resources_and_graphs(both: tuple[FlaskClient, FlaskClient]) -> None:
    """The data of a resource and a whole named graph are the same triples."""
    for path in (
        "/data-of/id/service-talkz.nt",
        "/data-of/id/cm-talkz-backup-daily.nt",
        f"/graphs?graph={graph_iri('spcc/talkz-1.0')}&format=ntriples",
    ):
        mine, theirs = (sorted(client.get(path).text.splitlines()) for client in both)
        assert theirs == mine and len(mine) > 5, path
    for path in ("/id/service-talkz", "/id/no-such-thing", "/page/id/no-such-thing"):
        assert both[1].get(path).status_code == both[0].get(path).status_code, path


@pytest.mark.whole
def test_letters_of_all_kinds(filled: Filled) -> None:
    """Japanese, quotes, line breaks, signs beyond the first plane and percent-encoded IRIs go there and come back as they are."""
    graph, thing = graph_iri("x/letters"), f"{BASE}/id/%E8%B2%AC%E4%BB%BB-%2F-100%25"
    said = ["責任の所在", "a 'b' \"c\" \\ d", "two\nlines\tand a tab", "𠮷野家 🗾", "ｶﾅ が か\u3099", "<b>&amp;"]
    body = "".join(
        f"{ox.Triple(ox.NamedNode(thing), ox.NamedNode(f'{BASE}#p{n}'), ox.Literal(each, language='ja'))} .\n" for n, each in enumerate(said)
    )
    filled.target.call("PUT", graph, body.encode())
    try:
        found = list(rows(filled.store.query(f"SELECT ?p ?o {{ GRAPH <{graph}> {{ <{thing}> ?p ?o }} }} ORDER BY ?p")))
        assert [row["o"] for row in found] == [ox.Literal(each, language="ja") for each in said]
        for each in said[:1] + said[3:5]:
            assert bool(filled.store.query(f"ASK {{ ?s ?p {ox.Literal(each, language='ja')} }}")), each
        built = filled.store.query(f"CONSTRUCT {{ ?s ?p ?o }} WHERE {{ GRAPH <{graph}> {{ ?s ?p ?o }} }}")
        assert isinstance(built, Triples) and {triple.object.value for triple in built} == set(said)
        within = [row["s"].value for row in rows(filled.store.query("SELECT DISTINCT ?s { ?s ?p ?o }", default_graph=[graph]))]
        assert within == [thing]
    finally:
        filled.target.call("DELETE", graph)
    assert not filled.target.call("GET", graph)


@pytest.mark.whole
def test_a_second_run_writes_nothing(filled: Filled, store: EmbeddedStore) -> None:
    """What stands there already is read back, compared and kept."""
    done = publish(store, filled.target)
    assert done.sent == 0 and done.triples == len(store.engine)


@pytest.mark.whole
def test_the_command_line(filled: Filled, monkeypatch: pytest.MonkeyPatch) -> None:
    """`publish` and `query --store` by the command line, the account and the address from the environment; a wrong query is told as one."""
    monkeypatch.setenv("SEKININ_ACCOUNT", filled.server.account)
    result = CliRunner().invoke(main, ["publish", filled.target.address, "--quiet"])
    assert result.exit_code == 0 and "0 graphs written" in result.output, result.output
    result = CliRunner().invoke(main, ["query", "services/names", "-p", "lang=en", "--store", filled.store.where])
    assert result.exit_code == 0 and "TALKZ" in result.output and "half" not in result.output
    monkeypatch.setenv("SEKININ_STORE", filled.store.where)
    result = CliRunner().invoke(main, ["query", "--text", "ASK { id:service-talkz a sk:CloudService }"])
    assert result.output == "true\n"
    with pytest.raises(BadQuery):
        filled.store.query("NONSENSE")
    if filled.server.account:
        monkeypatch.setenv("SEKININ_ACCOUNT", filled.server.account + "x")
        result = CliRunner().invoke(main, ["publish", filled.target.address, "--quiet"])
        assert result.exit_code == 8 and "SEKININ_ACCOUNT" in result.output


@pytest.mark.whole
def test_publishing_that_breaks_off(filled: Filled, store: EmbeddedStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stopped in the middle, the server does not say that it is whole, and who asks is told; the next run goes on there."""
    target = filled.target
    named = [graph.value for graph in store.engine.named_graphs() if "/graph/ictl/" in graph.value or "/graph/spcc/" in graph.value]
    for graph in named:
        target.call("DELETE", graph)
    kept, puts = Target.call, []

    def stopping(self: Target, method: str, graph: str, body: bytes | None = None) -> bytes | None:
        if method == "PUT" and puts:
            raise KeyboardInterrupt
        puts.append(graph) if method == "PUT" else None
        return kept(self, method, graph, body)

    monkeypatch.setattr(Target, "call", stopping)
    with pytest.raises(KeyboardInterrupt):
        publish(store, target)
    monkeypatch.setattr(Target, "call", kept)
    assert target.call("GET", graph_iri("description/catalog")) in (None, b"") and describe.held(filled.store) is None
    result = CliRunner().invoke(main, ["query", "services/names", "-p", "lang=en", "--store", filled.store.where])
    assert "filled by half" in result.stderr
    result = CliRunner().invoke(main, ["serve", "--port", "0", "--store", filled.store.where])
    assert result.exit_code == 7 and "sekinin publish" in result.output
    done = publish(store, target)
    assert done.sent == 1 + 4 and done.triples == len(store.engine)


_ROW = b'{"head":{"vars":["s"]},"results":{"bindings":[{"s":{"type":"uri","value":"http://x/a"}}]}}'
asked: list[str] = []
"""What the server below was told in the header Authorization when it did not let one in."""


class _Bad(BaseHTTPRequestHandler):
    """A server that fails in the way that its path says."""

    def _answer(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        way = self.path.partition("?")[0].strip("/")
        if way == "slow":
            time.sleep(4)
            return
        told = self.headers.get("Authorization", "")
        if way == "basic" and told != "Basic " + base64.b64encode("名:p:w".encode()).decode():
            way, _ = "locked", asked.append(told)
        self.send_response({"failing": 500, "closed": 403, "nothing": 404, "overloaded": 503, "locked": 401, "part": 206}.get(way, 200))
        if way == "locked":
            self.send_header("WWW-Authenticate", 'Basic realm="x", charset="UTF-8"')
        if way in ("limited", "anytime"):
            self.send_header(*{"limited": ("X-SPARQL-MaxRows", "1"), "anytime": ("X-SQL-State", "S1TAT")}[way])
        body = {
            "half": b'{"head":{"vars":["s"]},"results":{"bindings":[{"s":{"type":"uri","value":"http://x/a"}},',
            "cut": b'{"head":{"vars":["s"]},"results":{"bindings":[]}}',
            "html": b"<html>Welcome</html>",
            "large": b'{"head":{"vars":["s"]},"results":{"bindings":[' + b" " * 5000 + b"]}}",
            **dict.fromkeys(("limited", "part", "anytime", "basic"), _ROW),
        }.get(way, b"no")
        self.send_header("Content-Type", "text/html" if way == "html" else "application/sparql-results+json")
        self.send_header("Content-Length", str(len(body) + (100 if way == "cut" else 0)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PUT = do_DELETE = _answer

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def bad() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Bad)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("way", "says"),
    [
        ("slow", "no answer within 1 s"),
        ("failing", "the server failed"),
        ("overloaded", "no whole answer"),
        ("closed", "no whole answer"),
        ("nothing", "the server failed"),
        ("half", "not all of them"),
        ("cut", "no whole answer"),
        ("html", "not SPARQL results"),
        ("limited", "at most 1 rows"),
        ("part", "not whole"),
        ("anytime", "not whole"),
    ],
)
def test_a_bad_server_is_told(bad: str, way: str, says: str) -> None:
    """Slow, failing, closed, or answering by half: one clear message, exit code 7, and no row of an answer that is not whole."""
    with pytest.raises(StoreFailure, match=says) as told:
        list(rows(RemoteStore(bad + way, seconds=1).query("SELECT ?s { ?s ?p ?o }")))
    assert told.value.where == bad + way and told.value.remedy
    result = CliRunner().invoke(main, ["query", "--text", "SELECT ?s { ?s ?p ?o }", "--store", bad + way])
    assert result.exit_code == 7 and "Traceback" not in result.output and len(result.output.splitlines()) == 1


def test_an_account_is_told_only_when_it_is_asked_for(bad: str) -> None:
    """Basic as RFC 7617 has it, in UTF-8, and not before the server asks; a wrong one is refused with what to do."""
    asked.clear()
    store = RemoteStore(bad + "basic", account=Account("名:p:w"))
    for _ in range(2):
        assert len(list(rows(store.query("SELECT ?s { ?s ?p ?o }")))) == 1
    assert asked == [""]
    for wrong in ("", "名:else"):
        with pytest.raises(Refused) as told:
            RemoteStore(bad + "basic", account=Account(wrong)).query("SELECT ?s { ?s ?p ?o }")
        assert "SEKININ_ACCOUNT" in told.value.remedy


def test_limits_before_another_server(bad: str) -> None:
    """Time, bytes, length, nesting and queries at once are bounded here, whatever the server allows; SERVICE is refused."""
    limits = Limits(at_once=1, wait=0.1, length=200, nesting=3, services="http://x/")
    gate = Gate(RemoteStore(bad + "slow", seconds=1), limits)

    def wait() -> None:
        with pytest.raises(StoreFailure, match="within 1 s"):
            gate.ask(Job("SELECT ?s { ?s ?p ?o }"))

    first = threading.Thread(target=wait)
    first.start()
    time.sleep(0.3)
    with pytest.raises(Busy):
        gate.ask(Job("SELECT ?s { ?s ?p ?o }"))
    assert gate.working() == 1
    first.join()
    assert gate.working() == 0
    for text, kind in (
        ("#" * 300, TooLong),
        ("SELECT * { { { { ?s ?p ?o } } } }", TooLong),
        ("SELECT * { SERVICE <http://x/> { ?s ?p ?o } }", Refused),
    ):
        with pytest.raises(kind):
            gate.ask(Job(text))
    with pytest.raises(TooLong, match="larger than 1,000 bytes"):
        RemoteStore(bad + "large", most=1000).query("SELECT ?s { ?s ?p ?o }")
    gate.close()


@pytest.mark.whole
def test_rows_that_virtuoso_leaves_out(tmp_path: Path) -> None:
    """Virtuoso cuts an answer off at its ResultSetMaxRows with status 200; it is told, and no row of it is shown."""
    with virtuoso(tmp_path, rows=50) as server:
        store = RemoteStore(server.query)
        assert len(list(rows(store.query("SELECT * { ?s ?p ?o } LIMIT 20")))) == 20
        with pytest.raises(StoreFailure, match="at most 50 rows"):
            store.query("SELECT * { ?s ?p ?o }")


@pytest.mark.whole
def test_the_explorer_over_a_server(store: EmbeddedStore, tmp_path: Path) -> None:
    """`sekinin serve` on another store: pages, endpoint, limits, health; while that store is filled anew, /health says so."""
    with SERVERS["oxigraph"](tmp_path) as server:
        target = Target(server.data)
        publish(store, target)
        settings = {"SEKININ_STORE": server.query, "SEKININ_LIMIT_ROWS": "10", "SEKININ_LIMIT_LENGTH": "1000"}
        with serving(**settings) as explorer:
            status, headers, body = explorer.get("health", accept="application/json")
            assert status == 200 and headers["cache-control"] == "no-store" and b'"ok"' in body
            status, headers, body = explorer.get("services/talkz", accept="text/html", lang="en")
            assert status == 200 and b"TALKZ" in body
            status, headers, body = explorer.get("sparql", query="SELECT ?s { ?s ?p ?o }")
            assert status == 200 and headers["sekinin-truncated"] == "rows=10"
            held = describe.held(store)
            assert held and headers["sekinin-version"] == held[0]
            assert explorer.get("sparql", query="ASK { ?s ?p ?o }" + " " * 1000)[0] == 413
            status, _, body = explorer.get("findings", accept="text/html", lang="en")
            assert status == 200 and b"is not known here" in body
            target.call("DELETE", graph_iri("description/catalog"))
            status, _, body = explorer.get("health", accept="application/json")
            assert status == 503 and b'"changed"' in body


def test_a_server_that_is_down() -> None:
    with pytest.raises(StoreFailure, match="no whole answer"):
        RemoteStore(f"http://127.0.0.1:{free()}/sparql").query("SELECT ?s { ?s ?p ?o }")


@pytest.mark.parametrize(
    ("way", "kind"), [("slow", StoreFailure), ("failing", StoreFailure), ("closed", Refused), ("half", StoreFailure), ("cut", StoreFailure)]
)
def test_publishing_to_a_bad_server(bad: str, way: str, kind: type[Exception], monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is said to be published that was not read back."""
    monkeypatch.setattr(publisher.time, "sleep", lambda _: None)
    graph = ox.NamedNode(graph_iri("x/paper"))
    store = EmbeddedStore.of([ox.Quad(graph, graph, graph, graph)])
    with pytest.raises(kind):
        publish(store, Target(bad + way, seconds=1))
