"""One contract for all stores: filled by ``publish``, every server answers every saved question as the embedded store does."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pyoxigraph as ox
import pytest
from click.testing import CliRunner

from sekinin import publish as publisher
from sekinin import queries, resources
from sekinin.cli import main
from sekinin.errors import BadQuery, Refused, StoreFailure
from sekinin.namespaces import graph_iri
from sekinin.publish import Target, publish
from sekinin.store import EmbeddedStore, RemoteStore, Triples, rows
from webapp import create_app

QUESTIONS = sorted(name for name in queries.catalogue() if not name.startswith(("checks/", "search/")))


def free() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextmanager
def running(command: list[str], port: int, seconds: float = 60) -> Iterator[None]:
    """Start a server, wait until it listens, and end it by its process id."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        end = time.monotonic() + seconds
        while True:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            assert process.poll() is None and time.monotonic() < end, command
            time.sleep(0.2)
        yield
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def oxigraph(place: Path) -> Iterator[tuple[str, str]]:
    program = shutil.which("oxigraph", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    if not program:
        pytest.skip("Oxigraph's server is not installed: pip install oxigraph")
    port = free()
    with running([program, "serve", "--location", str(place / "ox"), "--bind", f"127.0.0.1:{port}", "--union-default-graph"], port):
        yield f"http://127.0.0.1:{port}/query", f"http://127.0.0.1:{port}/store"


@contextmanager
def fuseki(place: Path) -> Iterator[tuple[str, str]]:
    said = os.environ.get("SEKININ_FUSEKI")
    jars = [Path(said)] if said else sorted((resources.build_folder() / "compare").glob("jena-fuseki-server-*.jar"))
    if not jars or not shutil.which("java"):
        pytest.skip("SEKININ_FUSEKI names no jar of Fuseki, or there is no Java 17; benchmarks/compare.py fetches it")
    port = free()
    options = ["--localhost", "--port", str(port), "--tdb2", "--update", "--loc", str(place / "tdb2"), "--set", "tdb:unionDefaultGraph=true", "/ds"]
    (place / "tdb2").mkdir()
    os.environ.setdefault("FUSEKI_BASE", str(place / "base"))
    with running(["java", "-Xmx1G", "-jar", str(jars[0]), *options], port, 120):
        yield f"http://127.0.0.1:{port}/ds/sparql", f"http://127.0.0.1:{port}/ds/data"


SERVERS = {"oxigraph": oxigraph, "fuseki": fuseki}


@pytest.fixture(scope="module", params=[*SERVERS])
def filled(request: pytest.FixtureRequest, store: EmbeddedStore, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[RemoteStore, Target]]:
    """A real server, filled by ``publish``."""
    with SERVERS[request.param](tmp_path_factory.mktemp(request.param)) as (query, data):
        target = Target(data)
        done = publish(store, target)
        assert done.kept == 0 and done.triples == len(store.engine)
        yield RemoteStore(query), target


def answered(store: EmbeddedStore | RemoteStore, name: str) -> list[object]:
    """Return an answer, its rows in an order of their own: equals may stand in any order."""
    result = queries.bind(queries.get(name), {}).ask(store)
    if isinstance(result, ox.QueryBoolean):
        return [bool(result)]
    if isinstance(result, Triples):
        return sorted(re.sub(r"_:\w+", "_:", re.sub(r'"(\d+)\.0"', r'"\1"', str(triple))) for triple in result)
    return sorted(str(sorted((key, _plain(term)) for key, term in row.items())) for row in rows(result))


def _plain(term: object) -> str:
    """Return a term, a number by its value: servers write 1 and 1.0 each in its own way."""
    if isinstance(term, ox.BlankNode):
        return "_"
    if isinstance(term, ox.Literal) and term.datatype == ox.NamedNode("http://www.w3.org/2001/XMLSchema#boolean"):
        return str(int(term.value == "true"))
    if isinstance(term, ox.Literal) and term.datatype.value.rpartition("#")[2] in ("integer", "decimal", "double"):
        return f"{float(term.value):.6g}"
    return str(term)


@pytest.mark.whole
def test_every_question(filled: tuple[RemoteStore, Target], store: EmbeddedStore) -> None:
    """The server answers every saved question as the embedded store does."""
    different = [name for name in QUESTIONS if answered(filled[0], name) != answered(store, name)]
    assert not different


@pytest.mark.whole
def test_every_page(filled: tuple[RemoteStore, Target], store: EmbeddedStore) -> None:
    """Every page of the explorer that needs nothing but the graph shows the same from the server."""
    here, there = (create_app(each, version="1").test_client() for each in (store, filled[0]))
    for path in ("/", "/services", "/services/talkz", "/duties", "/commitments", "/controls", "/providers", "/questions", "/ontology", "/findings"):
        for lang in ("ja", "en"):
            mine, theirs = (client.get(f"{path}?lang={lang}") for client in (here, there))
            assert theirs.status_code == mine.status_code, path
            if mine.status_code == 200:
                assert theirs.text == mine.text, path


def test_a_second_run_writes_nothing(filled: tuple[RemoteStore, Target], store: EmbeddedStore) -> None:
    """What stands there already is read back, compared and kept."""
    done = publish(store, filled[1])
    assert done.sent == 0 and done.triples == len(store.engine)


def test_the_command_line(filled: tuple[RemoteStore, Target], store: EmbeddedStore) -> None:
    """`publish` and `query --store` by the command line; a wrong query is told as one."""
    result = CliRunner().invoke(main, ["publish", filled[1].address, "--quiet"])
    assert result.exit_code == 0 and "0 graphs written" in result.output, result.output
    result = CliRunner().invoke(main, ["query", "services/names", "-p", "lang=en", "--store", filled[0].where])
    assert result.exit_code == 0 and "TALKZ" in result.output
    with pytest.raises(BadQuery):
        filled[0].query("NONSENSE")


def test_publishing_that_breaks_off(filled: tuple[RemoteStore, Target], store: EmbeddedStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stopped in the middle, the server does not say that it is whole; the next run goes on there."""
    _, target = filled
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
    assert target.call("GET", graph_iri("description/catalog")) in (None, b"")
    done = publish(store, target)
    assert done.sent == 1 + 4 and done.triples == len(store.engine)


class _Bad(BaseHTTPRequestHandler):
    """A server that fails in the way that its path says."""

    def _answer(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        way = self.path.partition("?")[0].strip("/")
        if way == "slow":
            time.sleep(4)
            return
        self.send_response({"failing": 500, "closed": 403, "nothing": 404, "overloaded": 503}.get(way, 200))
        body = {
            "half": b'{"head":{"vars":["s"]},"results":{"bindings":[{"s":{"type":"uri","value":"http://x/a"}},',
            "cut": b'{"head":{"vars":["s"]},"results":{"bindings":[]}}',
            "html": b"<html>Welcome</html>",
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
    ],
)
def test_a_bad_server_is_told(bad: str, way: str, says: str) -> None:
    """Slow, failing, closed, or answering by half: one clear message, exit code 7, and no row of an answer that is not whole."""
    with pytest.raises(StoreFailure, match=says) as told:
        list(rows(RemoteStore(bad + way, seconds=1).query("SELECT ?s { ?s ?p ?o }")))
    assert told.value.where == bad + way and told.value.remedy
    result = CliRunner().invoke(main, ["query", "--text", "SELECT ?s { ?s ?p ?o }", "--store", bad + way])
    assert result.exit_code == 7 and "Traceback" not in result.output and len(result.output.splitlines()) == 1


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
