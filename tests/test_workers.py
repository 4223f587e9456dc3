"""The workers: limits hold, what is cut off says so, and whoever dies is replaced."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from sekinin import build as builder
from sekinin.errors import BadQuery, Refused, TooExpensive, TooLong, TooSlow
from sekinin.workers import Job, Limits, Pool, capped, guard

pytestmark = pytest.mark.whole
EVERY_SERVICE = "SELECT ?s WHERE { ?s a sk:Service }"


@pytest.fixture(scope="module")
def pool(built) -> Iterator[Pool]:
    pool = Pool(builder.current(), Limits(seconds=3, memory=1000, rows=5, bytes=50_000, at_once=2))
    yield pool
    pids = pool.pids()
    pool.close()
    assert not [pid for pid in pids if Path(f"/proc/{pid}").exists()], "a worker is left over"


@pytest.mark.parametrize("form", ["json", "xml", "csv", "tsv"])
def test_rows_are_cut_and_it_is_said(form: str, pool: Pool) -> None:
    """More rows than allowed: the answer has so many, and says after how many it was cut off."""
    answer = pool.ask(Job(EVERY_SERVICE, rows=form))
    body = b"".join(answer.stream()).decode()
    assert answer.cut == 5
    assert body.count("sekinin/id/") == 5
    assert "cut" in body or form in ("csv", "tsv")
    whole = pool.ask(Job(EVERY_SERVICE + " LIMIT 5", rows=form))
    assert whole.cut == 0


@pytest.mark.parametrize("form", ["turtle", "ntriples", "rdfxml"])
def test_triples_are_cut_and_it_is_said(form: str, pool: Pool) -> None:
    answer = pool.ask(Job("CONSTRUCT WHERE { ?s ?p ?o }", graph=form))
    assert answer.cut == 5 and b"cut off after 5 triples" in b"".join(answer.stream())


def test_a_slow_query_is_ended_and_others_go_on(pool: Pool) -> None:
    """It is told after its time, and the next one is answered."""
    with pytest.raises((TooSlow, TooExpensive)):
        pool.ask(Job("SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i }"))
    assert b"true" in b"".join(pool.ask(Job("ASK { ?s a sk:Service }")).stream())


def test_a_query_that_wants_all_memory_is_ended(pool: Pool) -> None:
    with pytest.raises((TooSlow, TooExpensive)):
        pool.ask(Job("SELECT * { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i } ORDER BY ?a"))


def test_a_killed_worker_is_replaced(pool: Pool) -> None:
    """Whoever asks next gets an answer, and there are as many workers as before."""
    count = len(pool.pids())
    for pid in pool.pids():
        os.kill(pid, 9)
    for _ in range(3):
        assert pool.ask(Job("ASK {}")).kind == "boolean"
    assert len(pool.pids()) == count


def test_a_large_answer_is_refused(pool: Pool) -> None:
    with pytest.raises(TooLong, match="larger"):
        pool.ask(Job("SELECT (CONCAT(" + ",".join(["'" + "x" * 1000 + "'"] * 60) + ") AS ?a) {}"))


@pytest.mark.parametrize("text", ["SELECT x", "SELECT * WHERE { ?s ?p }"])
def test_the_place_of_an_error_is_in_the_readers_text(text: str, pool: Pool) -> None:
    with pytest.raises(BadQuery, match="line 1"):
        pool.ask(Job(text))


def test_no_worker_reaches_the_network(pool: Pool) -> None:
    """A listening socket hears nothing, whatever is tried; and the process itself may open none."""
    with socket.create_server(("127.0.0.1", 0)) as ear:
        ear.settimeout(0.3)
        address = f"http://127.0.0.1:{ear.getsockname()[1]}/"
        for text in (
            f"SELECT * {{ SERVICE <{address}> {{ ?a ?b ?c }} }}",
            f"SELECT * {{ OPTIONAL {{ ?a id:a\\#b ?c }} SERVICE <{address}> {{ ?x ?y ?z }} }}",
        ):
            with pytest.raises(Refused):
                pool.ask(Job(text))
        pool.ask(Job(f"SELECT * FROM <{address}> {{ ?s ?p ?o }}"))
        with pytest.raises(TimeoutError):
            ear.accept()
    code = "import socket; from sekinin.workers import deny_sockets; assert deny_sockets(); socket.socket()"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "PermissionError" in run.stderr


@pytest.mark.parametrize(
    ("text", "tail"),
    [
        ("SELECT * { ?s ?p ?o }", "LIMIT 7"),
        ("SELECT * { ?s ?p ?o } LIMIT 3", "LIMIT 3"),
        ("SELECT * { ?s ?p ?o } LIMIT 300 OFFSET 2", "LIMIT 7 OFFSET 2"),
        ("SELECT * { { SELECT ?s { ?s ?p ?o } LIMIT 900 } }", "LIMIT 7"),
        ("SELECT ?s { ?s ?p ?o } GROUP BY ?s HAVING (COUNT(*) > 1) ORDER BY ?s # LIMIT 900", "LIMIT 7"),
        ('SELECT * { ?s ?p "LIMIT 900 }" }', "LIMIT 7"),
    ],
)
def test_the_limit_goes_behind_the_last_group(text: str, tail: str) -> None:
    assert capped(text, 7).rstrip().endswith(tail)


def test_values_stay_behind_the_limit() -> None:
    text = capped("SELECT ?s { ?s ?p ?o } ORDER BY ?s VALUES ?s { id:a }", 7)
    assert text.index("LIMIT 7") < text.index("VALUES")


def test_what_is_too_long_or_too_deep() -> None:
    with pytest.raises(TooLong):
        guard("ASK {}" + " " * 200, Limits(length=100))
    with pytest.raises(TooLong):
        guard("ASK " + "{" * 60 + "}" * 60, Limits())


def test_settings_are_read_and_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEKININ_LIMIT_SECONDS", "2.5")
    assert Limits.from_environment().seconds == 2.5
    monkeypatch.setenv("SEKININ_LIMIT_ROWS", "many")
    with pytest.raises(BadQuery, match="not a positive number"):
        Limits.from_environment()


class _Neighbour(BaseHTTPRequestHandler):
    """A SPARQL server that answers one row, and counts who asks."""

    asked = 0

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def _answer(self) -> None:
        type(self).asked += 1
        body = b'{"head":{"vars":["x"]},"results":{"bindings":[{"x":{"type":"literal","value":"from next door"}}]}}'
        self.send_response(200)
        self.send_header("Content-Type", "application/sparql-results+json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def neighbour() -> Iterator[str]:
    _Neighbour.asked = 0
    server = HTTPServer(("127.0.0.1", 0), _Neighbour)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/sparql"
    server.shutdown()
    thread.join(5)
    server.server_close()


@pytest.mark.whole
def test_a_server_of_the_list_may_be_called(built: builder.Built, neighbour: str) -> None:
    """SERVICE goes to the addresses of the list and to no other; with the list empty it goes nowhere."""

    def call(where: str) -> str:
        return f"SELECT ?x {{ SERVICE <{where}> {{ ?s ?p ?x }} }}"

    pool = Pool(builder.current(), Limits(at_once=1, services=f"https://example.org/sparql, {neighbour}"))
    try:
        assert b"from next door" in b"".join(pool.ask(Job(call(neighbour))).stream()) and _Neighbour.asked == 1
        assert pool.ask(Job("ASK { ?s ?p ?o }")).kind == "boolean"
        for text in (
            call(neighbour + "/"),
            call(neighbour.replace("sparql", "%73parql")),
            f"SELECT ?x {{ VALUES ?where {{ <{neighbour}> }} SERVICE ?where {{ ?s ?p ?x }} }}",
            f"PREFIX x: <{neighbour}> SELECT ?x {{ SERVICE x: {{ ?s ?p ?x }} }}",
            f"SELECT ?x {{ SERVICE <{neighbour}> {{ ?s ?p ?x }} SERVICE <http://127.0.0.1:1/> {{ ?s ?p ?x }} }}",
            "SELECT ?x { SERVICE <!> { ?s ?p ?x } }",
            f"BASE <{neighbour}> SELECT ?x {{ SERVICE <> {{ ?s ?p ?x }} }}",
        ):
            with pytest.raises(Refused):
                pool.ask(Job(text))
    finally:
        pool.close()
    closed = Pool(builder.current(), Limits(at_once=1))
    try:
        with pytest.raises(Refused):
            closed.ask(Job(call(neighbour)))
    finally:
        closed.close()
    assert _Neighbour.asked == 1
