"""Hostile queries and requests: each gets its clear answer, none succeeds, and whoever asks beside them is answered in time."""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import fields
from pathlib import Path
from urllib.parse import quote, urlencode

import pyoxigraph as ox
import pytest
from flask.testing import FlaskClient
from serving import HOUSE, SETTINGS, Server, serving

from sekinin import build as builder
from sekinin import queries
from sekinin.errors import BadQuery, Refused, SekininError, StoreFailure, TooExpensive, TooLong, TooSlow
from sekinin.store import refuse_what_reaches_out
from sekinin.workers import INLINE, Job, Limits, Pool, capped, guard
from webapp import create_app

whole = pytest.mark.whole
ORDINARY = "SELECT ?service WHERE {{ ?service a sk:Service }} LIMIT {}"
SMALL = Limits(seconds=2.0, memory=512, at_once=2)


class Ear:
    """A socket of this machine that counts who calls it."""

    def __init__(self) -> None:
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self.socket.getsockname()[1]}/sparql"
        self.calls = 0
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        while True:
            try:
                caller, _ = self.socket.accept()
            except OSError:
                return
            self.calls += 1
            caller.close()


@pytest.fixture(scope="module")
def ear() -> Iterator[Ear]:
    """At the end, nothing must have called it."""
    found = Ear()
    yield found
    found.socket.close()
    assert not found.calls, f"{found.calls} calls got out"


@contextmanager
def pool_of(limits: Limits) -> Iterator[Pool]:
    pool = Pool(builder.current(), limits)
    try:
        yield pool
    finally:
        pids = pool.pids()
        pool.close()
        assert not [pid for pid in pids if Path(f"/proc/{pid}").exists()], "a worker is left over"


@pytest.fixture(scope="module")
def pool(store) -> Iterator[Pool]:
    with pool_of(SMALL) as pool:
        for number in range(4):  # a worker's first question waits for its start
            pool.ask(Job(ORDINARY.format(number + 1)))
        yield pool


@pytest.fixture(scope="module")
def app_client(store, pool: Pool) -> FlaskClient:
    app = create_app(store, pool, "test")
    app.testing = False  # an error that nobody expected must come out as the 500 that a client would see
    return app.test_client()


def told(answer, *statuses: int) -> dict[str, object]:
    """An error is one of ``statuses``, as a problem document that says its status and what is the matter."""
    assert answer.status_code in statuses, (answer.status_code, answer.data[:300])
    assert answer.mimetype == "application/problem+json"
    said: dict[str, object] = json.loads(answer.data)
    assert said["status"] == answer.status_code and said["title"] and said["detail"] and said["type"]
    return said


# ---- nothing reaches out

CALLS = [
    "SELECT * { SERVICE <URL> { ?a ?b ?c } }",
    "SELECT * { SERVICE SILENT <URL> { ?a ?b ?c } }",
    "SELECT * { service silent<URL>{ ?a ?b ?c } }",
    "SELECT * { SERVICESILENT<URL>{ ?a ?b ?c } }",
    "SELECT * { VALUES ?e { <URL> } SERVICE ?e { ?a ?b ?c } }",
    "SELECT * { BIND(<URL> AS ?e) SERVICE SILENT $e { ?a ?b ?c } }",
    "SELECT * { BIND(<URL> AS ?e\u0301) SERVICE ?e\u0301 { ?a ?b ?c } }",
    "PREFIX e: <URL> SELECT * { SERVICE e: { ?a ?b ?c } }",
    "PREFIX a.b: <URL> SELECT * { SERVICE a.b: { ?a ?b ?c } }",
    "PREFIX 責: <URL> SELECT * { SERVICE 責: { ?a ?b ?c } }",
    "PREFIX e: <URL> SELECT * { ?s ?p ?SERVICE SERVICE e: { ?a ?b ?c } }",
    "SELECT * { SERVICE # a comment\n<URL> { ?a ?b ?c } }",
    "SELECT * { SERVICE#\r<URL> { ?a ?b ?c } }",
    "SELECT * { #\rSERVICE <URL> { ?a ?b ?c } }",
    "SELECT * { ?s ?p 1SERVICE <URL> { ?a ?b ?c } }",
    "SELECT * { OPTIONAL { ?s ?p true.SERVICE<URL>{ ?a ?b ?c } } }",
    "PREFIX e: <e:> SELECT * { OPTIONAL { ?s ?p e:a.b.SERVICE <URL> { ?a ?b ?c } } }",
    "SELECT * { FILTER(?a<?b)SERVICE <URL>{ ?a ?b ?c } FILTER(?a>?b) }",
    r"SELECT * { OPTIONAL { ?s <http://a/\u0041#b> ?o } SERVICE <URL> { ?a ?b ?c } }",
    "SELECT * { OPTIONAL { ?s <http://a/\u3000#b> ?o } SERVICE <URL> { ?a ?b ?c } }",
    r'SELECT * { OPTIONAL { ?s <a:x> """\"""" } SERVICE <URL> { ?a ?b ?c } OPTIONAL { ?s <a:x> "" } }',
    r"PREFIX e: <e:> SELECT * { OPTIONAL { ?s e:a\#b ?o } SERVICE <URL> { ?a ?b ?c } }",
    r"PREFIX e: <e:> SELECT * { OPTIONAL { ?s e:a\'b ?o } SERVICE <URL> { ?a ?b ?c } OPTIONAL { ?s e:a\'b ?o } }",
    r"SELECT * { \u0053ERVICE <URL> { ?a ?b ?c } }",
    r"SELECT * { \U00000053ERVICE \u003CURL\u003E { ?a ?b ?c } }",
    r"SELECT * { OPTIONAL { ?s <a:x> 'a\u0027b' } SERVICE <URL> { ?a ?b 'c' } }",
    "ASK { SELECT * { SERVICE <URL> { ?a ?b ?c } } }",
    "CONSTRUCT { ?a ?b ?c } WHERE { SERVICE <URL> { ?a ?b ?c } }",
    "SELECT * { FILTER NOT EXISTS { SERVICE <URL> { ?a ?b ?c } } }",
    "LOAD <URL>",
    "LOAD SILENT <file:///etc/passwd> INTO GRAPH <a:a>",
    r"\u004cOAD <URL>",
]


@pytest.mark.parametrize("text", CALLS)
def test_a_federated_call_is_refused(text: str, ear: Ear, app_client: FlaskClient) -> None:
    """However it is spelt, SERVICE and LOAD are a 403 that states the policy, and no packet leaves."""
    answer = app_client.post("/sparql", data={"query": text.replace("URL", ear.address)})
    assert told(answer, 403)["remedy"]
    assert ear.calls == 0


@pytest.mark.parametrize(
    "text",
    [
        "SELECT * { ?s ?service <a:x> { ?a ?b ?c } } LIMIT 1",
        "SELECT * { ?x sk:aboutService ?service . { ?a ?b ?c } } LIMIT 1",
        "PREFIX service: <a:> SELECT * { service:a ?service ?o . { ?a ?b ?c } } LIMIT 1",
        "SELECT * { ?s ?p 'SERVICE <a:a> { }' } # SERVICE <a:a> {",
        "SELECT * { ?s ?p '''SERVICE <a:a> { }''', \"it's # SERVICE <a:a> {\" }",
        "SELECT * { <a:x> <a:SERVICE> <a:b> { ?a ?b 'SERVICE' } }",
        "SELECT ('LOAD <a:a>; DROP ALL' AS ?load) {} # INSERT DATA { }",
        "SELECT ?drop { ?drop a sk:Service ; skos:prefLabel ?add } LIMIT 1",
    ],
)
def test_the_word_alone_is_no_call(text: str, app_client: FlaskClient) -> None:
    """A name, a string or a comment may hold the words that are refused elsewhere."""
    assert app_client.post("/sparql", data={"query": text}).status_code == 200


@pytest.mark.parametrize("url", ["file:///etc/passwd", "EAR"])
@pytest.mark.parametrize("clause", ["FROM <URL>", "FROM NAMED <URL>", "PREFIX"])
def test_from_fetches_nothing(clause: str, url: str, ear: Ear, app_client: FlaskClient) -> None:
    """FROM names a graph of ours or an empty one; it is never read from a file or from another server."""
    url = url.replace("EAR", ear.address)
    if clause == "PREFIX":
        text = f"PREFIX a.b: <{url}> SELECT * FROM a.b: {{ ?s ?p ?o }}"
    else:
        text = f"SELECT * {clause.replace('URL', url)} {{ {{ ?s ?p ?o }} UNION {{ GRAPH ?g {{ ?s ?p ?o }} }} }}"
    for answer in (
        app_client.post("/sparql", data={"query": text}),
        app_client.get("/sparql", query_string={"query": "SELECT * { ?s ?p ?o }", "default-graph-uri": url}),
        app_client.get("/sparql", query_string={"query": "SELECT * { GRAPH ?g { ?s ?p ?o } }", "named-graph-uri": url}),
    ):
        assert answer.status_code == 200 and answer.get_json(force=True)["results"]["bindings"] == []
    assert ear.calls == 0


def test_the_check_takes_no_time() -> None:
    """The text that is checked is hostile too: the longest that is allowed takes less than a second, whatever it holds."""
    for text in ("SERVICE" * 14_000 + " a b {", "?" + "SERVICE" * 14_000 + " {", "'''" * 33_000, '"""' + '""a' * 33_000, "<" * 99_999):
        start = time.monotonic()
        for check in (refuse_what_reaches_out, lambda t: capped(t, 5)):
            try:
                check(text)
            except Refused:
                continue
        assert time.monotonic() - start < 1, text[:20]


DENIED = """
import socket, sys
from sekinin.workers import deny_sockets
if not deny_sockets():
    sys.exit(77)
found = []
for family in (socket.AF_INET, socket.AF_INET6, socket.AF_UNIX):
    try:
        socket.socket(family)
        found.append(family)
    except PermissionError:
        pass
import pyoxigraph
try:
    list(pyoxigraph.Store().query(sys.argv[1]))
    found.append("engine")
except OSError:
    pass
open(__import__("os").devnull).close()
sys.exit(len(found))
"""


def test_a_worker_can_open_no_socket(ear: Ear) -> None:
    """The second wall: a call that the check overlooked is stopped by the kernel, in Python and in the engine."""
    text = CALLS[0].replace("URL", ear.address)
    code = subprocess.run([sys.executable, "-c", DENIED, text], cwd=HOUSE, timeout=60).returncode
    if code == 77:
        pytest.skip("this system has no seccomp filter")
    assert code == 0 and ear.calls == 0


# ---- queries that want too much


def _star(many: int) -> str:
    return "SELECT * { " + " ".join(f"?s ?p{i} ?o{i} ." for i in range(many)) + " }"


def _lists(deep: int) -> str:
    return "SELECT * { ?s ?p " + "( " * deep + "1" + " )" * deep + " }"


def _doubled(times: int) -> str:
    binds = " ".join(f"BIND(CONCAT(?a{i}, ?a{i}) AS ?a{i + 1})" for i in range(times))
    return f"SELECT (STRLEN(?a{times}) AS ?n) {{ BIND('0123456789' AS ?a0) {binds} }}"


def _cross(many: int, head: str) -> str:
    return f"SELECT {head} {{ " + " ".join(f"?s{i} ?p{i} ?o{i} ." for i in range(many)) + " }"


COUNTED = "SELECT (COUNT(*) AS ?n) { "
COSTLY: dict[str, tuple[str, tuple[int, ...]]] = {
    "cross join, counted": (_cross(12, "(COUNT(*) AS ?n)"), (504, 422)),
    "cross join, sorted": (_cross(12, "*") + " ORDER BY ?o3 LIMIT 1", (504, 422)),
    "cross join, distinct": (_cross(3, "DISTINCT ?s0 ?s1 ?s2") + " OFFSET 900000000", (504, 422)),
    "nested groups": ("SELECT * " + "{ " * 3200 + "} " * 3200, (413,)),
    "nested brackets": ("SELECT * { FILTER(" + "(" * 3000 + "1" + ")" * 3000 + ") }", (413,)),
    "nested lists of 815 bytes": (_lists(199), (413,)),
    "nested blank nodes": ("SELECT * { ?s ?p " + "[ ?p " * 500 + "1" + " ]" * 500 + " }", (413,)),
    "many nots": ("SELECT * { FILTER(" + "!" * 90_000 + "true) }", (200, 400, 422, 504)),
    "long sum": ("SELECT (" + "1+" * 45_000 + "1 AS ?n) {}", (200, 400, 422, 504)),
    "long path": ("SELECT * { ?s " + "/".join(["skos:broader"] * 7_000) + " ?o }", (200, 422, 504)),
    "star of 320 patterns": (_star(320), (422, 504)),
    "deep path": (COUNTED + "?a (!sk:x|^!sk:x)*/(!sk:y|^!sk:y)*/(!sk:z|^!sk:z)* ?b . ?b (!sk:x)* ?c }", (422, 504)),
    "paths in paths": (COUNTED + "?a " + "(" * 30 + "!sk:x|^!sk:x" + ")*" * 30 + " ?b . ?b (!sk:q)* ?c . ?c (!sk:q)* ?d }", (422, 504)),
    "regular expression, backtracking": ("SELECT * { ?s ?p ?o FILTER(REGEX(STR(?o), '^(((a+)+)+)+b$')) } LIMIT 1", (200,)),
    "regular expression, counted": ("SELECT (REGEX('a', '((((a{100}){100}){100}){100}){100}') AS ?x) {}", (200, 422)),
    "regular expression, by every row": (COUNTED + "?s ?p ?o . ?a ?b ?c FILTER(REGEX(STR(?o), CONCAT(STR(?c), '(a{50}){50}'))) }", (422, 504)),
    "GROUP_CONCAT": ("SELECT (GROUP_CONCAT(?o; separator='責任') AS ?all) { ?s ?p ?o . ?a ?b ?c . ?d ?e ?f }", (422, 504)),
    "doubled text": (_doubled(60), (422, 504)),
    "replaced text": ("SELECT (STRLEN(REPLACE(REPLACE(?x, '.', ?x), '.', ?x)) AS ?n) { BIND('" + "0123456789" * 400 + "' AS ?x) }", (422, 504)),
    "too long": ("SELECT * { ?s ?p ?o } #" + "x" * 1_000_000, (413,)),
    "large table": ("SELECT * { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i } ORDER BY ?a", (422, 504)),
}  # fmt: skip
"""Each query and the statuses that its answer may have; 200 only where the engine itself makes it harmless."""


@whole
@pytest.mark.parametrize("name", COSTLY)
def test_a_costly_query_is_ended(name: str, app_client: FlaskClient, pool: Pool) -> None:
    """It gets its clear answer soon after the limit, an ordinary one beside it is answered in a second, the workers are as many as before."""
    text, statuses = COSTLY[name]
    with ThreadPoolExecutor(1) as beside:
        start = time.monotonic()
        costly = beside.submit(app_client.application.test_client().post, "/sparql", data={"query": text})
        number = 10
        while not costly.done() or number == 10:
            began = time.monotonic()
            answer = app_client.get("/sparql", query_string={"query": ORDINARY.format(number := number + 1) + f" # {name}"})
            assert answer.status_code == 200 and answer.get_json(force=True)["results"]["bindings"]
            assert time.monotonic() - began < 1, "an ordinary query had to wait"
            time.sleep(0.1)
        answer = costly.result()
        assert time.monotonic() - start < SMALL.seconds + 3
    if answer.status_code == 200:
        assert 200 in statuses
    else:
        assert told(answer, *statuses)["remedy"]
    assert len(pool.pids()) == SMALL.at_once and pool.working() == 0
    assert all(Path(f"/proc/{pid}").exists() for pid in pool.pids())


@whole
def test_more_costly_queries_than_workers(store) -> None:
    """The ones too many are told to come back; afterwards all is as before."""
    limits = Limits(seconds=2.0, memory=512, at_once=2, wait=0.3)
    with pool_of(limits) as pool:
        app = create_app(store, pool, "test")
        for _ in range(2):
            pool.ask(Job(ORDINARY.format(1)))
        with ThreadPoolExecutor(8) as many:
            texts = [COSTLY["cross join, counted"][0] + f" # {i}" for i in range(8)]
            answers = list(many.map(lambda text: app.test_client().post("/sparql", data={"query": text}), texts))
        statuses = sorted(a.status_code for a in answers)
        assert set(statuses) <= {422, 503, 504} and 503 in statuses
        assert all(a.headers["Retry-After"] for a in answers if a.status_code == 503)
        assert len(pool.pids()) == 2 and pool.working() == 0 and pool.ended >= 2
        assert pool.ask(Job(ORDINARY.format(1))).kind == "rows"


# ---- requests that are not as they should be

FORM, DIRECT = "application/x-www-form-urlencoded", "application/sparql-query"
EVIL_GRAPH = "http://x> } DROP ALL # <"


def _get(client: FlaskClient, accept: str = "*/*", **values: str):
    return client.get("/sparql", query_string={"query": "ASK {}"} | {k.replace("_", "-"): v for k, v in values.items()}, headers={"Accept": accept})


def _post(client: FlaskClient, body: bytes, media: str = DIRECT, **headers: str):
    return client.post("/sparql", data=body, content_type=media, headers={k.replace("_", "-"): v for k, v in headers.items()})


@pytest.mark.parametrize(
    ("name", "send", "statuses"),
    [
        ("broken UTF-8, GET", lambda c: c.get("/sparql?query=SELECT%20%FF"), (400,)),
        ("broken UTF-8 in a comment, GET", lambda c: c.get("/sparql?query=ASK%20%7B%7D%20%23%E8%B2"), (400,)),
        ("broken UTF-8, form", lambda c: _post(c, b"query=ASK+%7B%7D+%23%E8%B2", FORM), (400,)),
        ("broken UTF-8, raw form", lambda c: _post(c, b"query=ASK{}#\xff", FORM), (400,)),
        ("broken UTF-8, graph", lambda c: _post(c, b"query=ASK{}&default-graph-uri=http://x/%E8%B2", FORM), (400,)),
        ("broken UTF-8, direct", lambda c: _post(c, b"ASK {} # \xff"), (400,)),
        ("surrogates", lambda c: _post(c, b"ASK {} # \xed\xa0\x80"), (400,)),
        ("another charset", lambda c: _post(c, "ASK {} # 責".encode("utf-16"), f"{DIRECT}; charset=utf-16"), (400, 415)),
        ("a charset that there is not", lambda c: _post(c, b"ASK {}\xff", f'{DIRECT}; charset="x\0"'), (400, 415)),
        ("NUL, GET", lambda c: _get(c, query="ASK {\0}"), (400,)),
        ("NUL, form", lambda c: _post(c, b"query=ASK+%7B%00%7D", FORM), (400,)),
        ("NUL, direct", lambda c: _post(c, b"ASK {\0}"), (400,)),
        ("several queries", lambda c: c.get("/sparql?query=ASK%7B%7D&query=ASK%7B%7D"), (400,)),
        ("several queries, form", lambda c: _post(c, b"query=ASK{}&query=ASK{}", FORM), (400,)),
        ("no query", lambda c: _post(c, b"query=+", FORM), (400,)),
        ("a query and an update", lambda c: _post(c, b"query=ASK{}&update=DROP+ALL", FORM), (403, 400)),
        ("an update, GET", lambda c: c.get("/sparql?update=DROP%20ALL"), (403, 400)),
        ("an update, direct", lambda c: _post(c, b"DROP ALL", "application/sparql-update"), (403,)),
        ("two statements", lambda c: _post(c, b"ASK {} ; DROP ALL"), (403, 400)),
        ("multipart", lambda c: c.post("/sparql", data={"query": (io.BytesIO(b"ASK {}"), "q.rq")}, content_type="multipart/form-data"), (415,)),
        ("no media type", lambda c: _post(c, b"ASK {}", ""), (415,)),
        ("gzip", lambda c: _post(c, gzip.compress(b"ASK {}"), Content_Encoding="gzip"), (415,)),
        ("gzip, form", lambda c: _post(c, gzip.compress(b"query=ASK+%7B%7D"), FORM, Content_Encoding="gzip"), (415,)),
        ("1 MB, form", lambda c: _post(c, b"query=ASK{}#" + b"x" * 1_000_000, FORM), (413,)),
        ("1 MB, direct", lambda c: _post(c, b"ASK {} #" + b"x" * 1_000_000), (413,)),
        ("9 MB", lambda c: _post(c, b"x" * 9_000_000), (413,)),
        ("9 MB, form", lambda c: _post(c, b"query=" + b"x" * 9_000_000, FORM), (413,)),
        ("a format that there is not", lambda c: _get(c, format="<script>"), (400,)),
        ("a header in the format", lambda c: _get(c, format="csv\r\nX-Evil: 1"), (400,)),
        ("nothing acceptable", lambda c: _get(c, accept="image/png"), (406,)),
        ("a graph that is no IRI", lambda c: _get(c, default_graph_uri=EVIL_GRAPH), (400,)),
        ("a named graph that is no IRI", lambda c: _get(c, named_graph_uri="\0"), (400,)),
        ("another method", lambda c: c.put("/sparql", data="ASK {}"), (405,)),
        ("a path out of the house", lambda c: c.get("/static/..%2f..%2f..%2fetc/passwd"), (404,)),
    ],
)  # fmt: skip
def test_a_broken_request_is_told(name: str, send: Callable[[FlaskClient], object], statuses: tuple[int, ...], app_client: FlaskClient) -> None:
    """The status is the one that the design names, the body a problem document, and nothing of the request becomes a header."""
    answer = send(app_client)
    told(answer, *statuses)
    assert "X-Evil" not in answer.headers and b"Traceback" not in answer.data


def test_many_parameters_are_harmless(app_client: FlaskClient) -> None:
    values = {f"p{i}": "x" for i in range(5_000)} | {"query": "ASK {}"}
    assert app_client.get("/sparql?" + urlencode(values)).status_code in (200, 413, 414)
    assert app_client.post("/sparql", data=values).status_code in (200, 413)


@pytest.mark.parametrize(
    "text",
    [
        "id:x> } } DROP ALL #",
        "id:service-talkz } UNION { ?s ?p ?o",
        'https://w3id.org/sekinin/id/x"',
        "id:x\\u003E",
        "id:x\n?s",
        "<a:a> <b:b>",
        "file:///etc/passwd> <a:a",
        "{",
        "\0",
    ],
)
def test_a_parameter_is_a_term_or_nothing(text: str, store) -> None:
    """Text that would end the term is no IRI; as a string it stays one string, however it is written."""
    for question in queries.catalogue().values():
        for parameter in question.params:
            if parameter.kind != "string" or parameter.name == "lang":
                with pytest.raises(BadQuery):
                    queries.term(parameter, text)
                continue
            evil = text + '") } # \'\'\' """'
            assert queries.term(parameter, evil) == ox.Literal(evil)
            bound = queries.bind(question, {parameter.name: evil}).text()
            refuse_what_reaches_out(bound)
            store.query(bound)  # it still parses, and is still one query


# ---- hostile connections, against the server as it runs


@pytest.fixture(scope="module")
def server(built) -> Iterator[Server]:
    with serving(**SETTINGS, SEKININ_LIMIT_SECONDS="2", SEKININ_LIMIT_MEMORY="512", SEKININ_LIMIT_AT_ONCE="2") as server:
        _ordinary(server, 1)
        yield server


def _ordinary(server: Server, number: int) -> None:
    start = time.monotonic()
    status, _headers, body = server.get("sparql", query=ORDINARY.format(3) + f" # {number} {start}")
    assert status == 200 and len(json.loads(body)["results"]["bindings"]) == 3
    if number > 1:
        assert time.monotonic() - start < 1, f"an ordinary query took {time.monotonic() - start:.1f} s"


def _status(connection: socket.socket) -> int:
    """Read the status of the answer; 0 if the server closed the connection instead."""
    connection.settimeout(10)
    try:
        head = connection.recv(4096)
    except ConnectionResetError:
        return 0
    match = re.match(rb"HTTP/1\.[01] (\d+)", head)
    return int(match[1]) if match else 0


@whole
@pytest.mark.parametrize(
    ("name", "head", "statuses"),
    [
        ("one huge header", b"X-A: " + b"a" * 1_000_000 + b"\r\n", (0, 400, 413, 431)),
        ("many headers", b"".join(b"X-%d: a\r\n" % i for i in range(60_000)), (0, 400, 413, 431)),
        ("a header with a line feed", b"X-A: a\nX-B b\r\n", (400,)),
        ("two lengths", b"Content-Length: 5\r\nContent-Length: 6\r\n", (400,)),
        ("length and chunks", b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", (400,)),
        ("an unknown encoding", b"Transfer-Encoding: gzip\r\n", (400, 501)),
        ("a length that is none", b"Content-Length: -1\r\n", (400,)),
        ("a length of a terabyte", b"Content-Length: 1099511627776\r\n", (413,)),
    ],
)
def test_a_flood_of_headers(name: str, head: bytes, statuses: tuple[int, ...], server: Server) -> None:
    """It is refused or cut off, never answered, and never with 500."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        with suppress(OSError):  # it need not read on to refuse
            connection.sendall(b"POST /sparql HTTP/1.1\r\nHost: x\r\nContent-Type: application/sparql-query\r\n" + head + b"\r\nASK {}")
        assert _status(connection) in statuses
    _ordinary(server, 2)


@whole
def test_a_long_address(server: Server) -> None:
    """An address of 6 kB is answered, one of 1 MB is not."""
    status, _headers, _body = server.get("sparql", query="ASK {} #" + "x" * 6_000)
    assert status == 200
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        with suppress(OSError):
            connection.sendall(b"GET /sparql?query=" + quote("ASK {} #" + "x" * 1_000_000).encode() + b" HTTP/1.1\r\nHost: x\r\n\r\n")
        assert _status(connection) in (0, 413, 414, 431)


@whole
@pytest.mark.parametrize(
    "sent", [b"", b"GET /sparql?query=ASK", f"POST /sparql HTTP/1.1\r\nHost: x\r\nContent-Type: {DIRECT}\r\nContent-Length: 900\r\n\r\nASK".encode()]
)
def test_connections_that_do_not_go_on(sent: bytes, server: Server) -> None:
    """Three hundred that send nothing, or half a request, keep nobody waiting."""
    with ExitStack() as all_of_them:
        for _ in range(300):
            connection = all_of_them.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=10))
            connection.sendall(sent)
        time.sleep(0.5)
        for number in range(2, 7):
            _ordinary(server, number)


@whole
def test_slow_readers(server: Server) -> None:
    """Twenty that read large answers at a byte a second hold neither a worker nor a thread."""
    # each row holds a long text: about 30 MB in all, more than any buffer between the two
    text = "SELECT ?s ?p ?o (CONCAT('" + "0123456789" * 40 + "', STR(?o)) AS ?long) {{ ?s ?p ?o }} LIMIT {}"
    workers = server.workers()
    with ExitStack() as all_of_them:
        readers = []
        for number in range(20):
            connection = socket.socket()
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.settimeout(30)
            connection.connect(("127.0.0.1", server.port))
            all_of_them.enter_context(connection)
            readers.append(connection)
            connection.sendall(f"GET /sparql?query={quote(text.format(60_000 + number))}&format=csv HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            if number % 2:
                for each in readers[-2:]:
                    assert each.recv(1)  # the answer has begun
        for number in range(2, 5):
            for each in readers:
                each.recv(1)
            _ordinary(server, number)
            time.sleep(1)
    assert server.settled(len(workers)) and len(server.workers()) == len(workers) == 2


@whole
def test_the_server_outlives_its_hostile_clients(server: Server) -> None:
    """Costly queries over HTTP end in time, the workers are as many as before; `serving` proves that none is left at the end."""
    for name in ("cross join, counted", "doubled text", "star of 320 patterns"):
        status, headers, body = server.get("sparql", query=COSTLY[name][0])
        assert status in COSTLY[name][1] and headers["content-type"].startswith("application/problem+json") and json.loads(body)["status"] == status
        _ordinary(server, 2)
    assert len(server.settled(2)) == 2


@whole
def test_a_client_that_hangs_up(server: Server) -> None:
    """Clients that leave before their answer cost no more than those that stay."""
    for number in range(6):
        with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
            text = f"SELECT * {{ ?s ?p ?o }} LIMIT {50_000 + number}"
            connection.sendall(f"GET /sparql?query={quote(text)} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    time.sleep(3)
    _ordinary(server, 2)
    assert len(server.settled(2)) == 2


# ---- the workers


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("SELECT ?x { VALUES ?x { 1 2 3 4 5 } }", 3),
        ("SELECT ?x { VALUES ?x { 1 2 3 4 5 } } LIMIT 2", 2),
        ("SELECT ?x { VALUES ?x { 1 2 3 4 5 } } LIMIT 4", 3),
        ("SELECT ?x { VALUES ?x { 1 2 3 4 5 } } limit 4 offset 3", 2),
        ("SELECT ?x { VALUES ?x { 1 2 3 4 5 } } OFFSET 1 LIMIT 9", 3),
        ("SELECT ?x { VALUES ?x { 1 2 3 4 5 } } OFFSET 3", 2),
        ("SELECT ?x { VALUES ?x { 1 2 3 4 5 } } LIMIT5", 3),
        ("SELECT ?x { VALUES ?x { 1 2 3 4 5 } } LIMIT # LIMIT 2\n 4", 3),
        ("SELECT ?x { VALUES ?x { 1 2 3 4 5 } } # LIMIT 2", 3),
        ("SELECT ?x { VALUES ?x { 1 2 3 4 5 } } # LIMIT 2\r", 3),
        ("SELECT ?x { VALUES ?x { 1 2 3 4 5 } } ORDER BY DESC(?x)", 3),
        ("SELECT ?x { VALUES ?x { 1 2 3 4 5 } } ORDER BY STRLEN('} LIMIT 1') LIMIT 4", 3),
        ("SELECT ?x { VALUES ?x { 1 2 3 4 5 } } GROUP BY ?x HAVING (MAX(?x) > 1)", 3),
        ("SELECT ?x { VALUES ?x { 1 2 3 4 5 } } GROUP BY ?x HAVING (EXISTS { SELECT * { ?a ?b ?c } LIMIT 1 })", 3),
        ("SELECT ?x { { SELECT ?x { VALUES ?x { 1 2 3 4 5 } } LIMIT 4 } }", 3),
        ("SELECT ?x { { SELECT ?x { VALUES ?x { 1 2 3 4 5 } } LIMIT 2 } }", 2),
        ("SELECT ?x {} VALUES ?x { 1 2 3 4 5 }", 3),
        ("SELECT ?x {} LIMIT 4 VALUES ?x { 1 2 3 4 5 }", None),
        ("SELECT ?values { VALUES ?values { 1 2 3 4 5 } }", 3),
        ("SELECT ?values { VALUES ?values { 1 2 3 4 5 } } ORDER BY ?values", 3),
        ("PREFIX values: <a:> SELECT ?x { VALUES ?x { values:a values:b 3 4 5 } }", 3),
        ("PREFIX ask: <a:> SELECT ?x { VALUES ?x { ask:a 2 3 4 5 } }", 3),
        ("SELECT ?limit { VALUES ?limit { 1 2 3 4 5 } } ORDER BY ?limit", 3),
        ("SELECT ?x (EXISTS { ?a ?b ?c } AS ?y) { VALUES ?x { 1 2 3 4 5 } }", 3),
        ("SELECT * { VALUES (?x ?y) { (1 '} LIMIT 1 {') (2 \"}\") (3 '''}''') (4 <a:b>) } }", 3),
        ("# SELECT { } LIMIT 1\nSELECT ?x\nWHERE\n{ VALUES ?x { 1 2 3 4 5 } }\n\n# the end", 3),
        ("SELECT DISTINCT ?x FROM <a:a> FROM NAMED <a:b> { VALUES ?x { 1 2 3 4 5 } }", 3),
    ],
)
def test_capped(text: str, rows: int | None) -> None:
    """A SELECT with at most three rows, by its own LIMIT: no more, and no fewer than there were."""
    engine = ox.Store()
    engine.add(ox.Quad(ox.NamedNode("a:a"), ox.NamedNode("a:b"), ox.Literal(1)))
    found = len(list(engine.query(capped(text, 3), use_default_graph_as_union=True)))
    assert found == rows if rows is not None else found <= 3


@pytest.mark.parametrize(
    "text",
    [
        "ASK {}",
        "PREFIX select: <a:> ASK { select:a ?b ?c }",
        "CONSTRUCT { ?s a <a:a> } WHERE { ?s a sk:Service } LIMIT 2",
        "DESCRIBE id:service-talkz",
    ],
)
def test_the_other_forms_are_left_alone(text: str, pool: Pool) -> None:
    answer = pool.ask(Job(text, most=2))
    assert answer.kind in ("boolean", "graph") and answer.cut in (0, 2)


def _count(form: str, body: bytes) -> int:
    if form == "csv":
        return sum(1 for _ in csv.reader(io.StringIO(body.decode(), newline=""))) - 1
    if form == "tsv":
        return body.count(b"\n") - 1
    return len(list(ox.parse_query_results(body, {"json": ox.QueryResultsFormat.JSON, "xml": ox.QueryResultsFormat.XML}[form])))


@pytest.mark.parametrize("form", ["json", "xml", "csv", "tsv"])
@pytest.mark.parametrize("there", [0, 1, 4, 5, 6, 50])
def test_rows_that_are_cut_off_are_announced(form: str, there: int, pool: Pool) -> None:
    """At the limit of five rows: up to five are whole and unmarked; of more there are five, and the answer and its body say so."""
    values = " ".join(f'"line {i}, \\"責任\\"\\n"' for i in range(there))
    answer = pool.ask(Job(f"SELECT ?x ?y {{ VALUES ?x {{ {values} }} }}", rows=form, most=5))
    body = b"".join(answer.stream())
    assert _count(form, body) == min(there, 5)
    assert answer.cut == (5 if there > 5 else 0)
    assert (b"cut" in body) == (there > 5 and form in ("json", "xml"))


@pytest.mark.parametrize("form", ["turtle", "ntriples", "rdfxml", "jsonld", "trig", "nquads"])
@pytest.mark.parametrize("there", [0, 4, 5, 6, 50])
def test_triples_that_are_cut_off_are_announced(form: str, there: int, pool: Pool) -> None:
    from sekinin.formats import GRAPHS

    values = " ".join(f'"責任 {i}"' for i in range(there))
    answer = pool.ask(Job(f"CONSTRUCT {{ <a:a> <a:b> ?x }} WHERE {{ VALUES ?x {{ {values} }} }}", graph=form, most=5))
    body = b"".join(answer.stream())
    assert len(list(ox.parse(body, GRAPHS[form].engine))) == min(there, 5)
    assert answer.cut == (5 if there > 5 else 0)
    assert (b"cut off after 5 triples" in body) == (there > 5 and form != "jsonld")


def test_a_cut_off_answer_says_so_in_a_header(app_client: FlaskClient, store) -> None:
    """Over HTTP too, at one row more than the limit and not at the limit itself."""
    with pool_of(Limits(rows=5, at_once=1)) as pool:
        client = create_app(store, pool, "test").test_client()
        for there, said in ((5, None), (6, "rows=5")):
            answer = client.get("/sparql", query_string={"query": "SELECT ?x { VALUES ?x { " + "1 " * there + "} }"})
            assert answer.headers.get("Sekinin-Truncated") == said


@whole
def test_the_limits_of_one_query(store) -> None:
    """Bytes, memory, time, length and depth, each with its own error; the workers are as many afterwards."""
    with pool_of(Limits(seconds=1.5, memory=256, bytes=300_000, length=1_000, nesting=5, at_once=2)) as pool:
        expected: list[tuple[str, type[SekininError]]] = [
            ("SELECT * { ?s ?p ?o } LIMIT 20000", TooLong),
            ("CONSTRUCT WHERE { ?s ?p ?o } LIMIT 20000", TooLong),
            (_cross(3, "(COUNT(*) AS ?n)"), TooSlow),
            ("SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f } GROUP BY ?a ?b ?c ?d ?e ?f ORDER BY ?n", TooExpensive),
            ("ASK {} #" + "x" * 1_000, TooLong),
            ("ASK " + "{ " * 6 + "} " * 6, TooLong),
            ("SELECT x", BadQuery),
            ("DROP ALL", Refused),
        ]
        for text, error in expected:
            with pytest.raises((error, TooSlow) if error is TooExpensive else error):  # time may be up before memory is
                pool.ask(Job(text))
            assert len(pool.pids()) == 2 and pool.working() == 0
        assert 2 <= pool.ended <= 3
        answer = pool.ask(Job("SELECT ?p { ?s ?p ?o } LIMIT 2000"))
        assert len(b"".join(answer.stream())) > 100_000


@whole
def test_a_large_answer_goes_through_a_file_that_is_gone_afterwards(store) -> None:
    with pool_of(Limits(at_once=1)) as pool:
        answer = pool.ask(Job("SELECT * { ?s ?p ?o } LIMIT 20000"))
        assert isinstance(answer.body, Path) and answer.body.stat().st_size > INLINE
        body = b"".join(answer.stream())
        assert _count("json", body) == 20_000 and not answer.body.exists()
        assert isinstance(pool.ask(Job("ASK {}")).body, bytes)


@whole
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGSEGV])
def test_a_worker_that_is_killed_is_replaced(how: signal.Signals, store) -> None:
    """Idle or at work: there are as many as before, and nobody's ordinary query pays for it."""
    with pool_of(Limits(at_once=2)) as pool, ThreadPoolExecutor(2) as both:
        pool.ask(Job("ASK {}"))
        before = set(pool.pids())
        for pid in before:
            os.kill(pid, how)
        time.sleep(0.3)
        slow = "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?c ?d ?e }"
        assert [answer.kind for answer in both.map(lambda n: pool.ask(Job(f"{slow} # {n}")), range(4))] == ["rows"] * 4
        assert len(pool.pids()) == 2 and not before & set(pool.pids()) and pool.ended == 2


@whole
def test_a_worker_that_cannot_start_is_told(tmp_path: Path) -> None:
    """A store that is not there is a failure of ours, said at once, and not one of the reader's query."""
    with closing(Pool(tmp_path / "nothing", Limits(at_once=1))) as pool, pytest.raises(StoreFailure, match="build --again"):
        pool.ask(Job("ASK {}"))


@whole
def test_a_fresh_worker_has_no_more_time_than_another(store) -> None:
    """Its start is no part of the time of the first query, which is ended at the same limit."""
    with pool_of(Limits(seconds=1.0, at_once=1)) as pool:
        for _ in range(2):
            start = time.monotonic()
            with pytest.raises(TooSlow):
                pool.ask(Job(_cross(3, "(COUNT(*) AS ?n)")))
            assert time.monotonic() - start < 4


def test_limits_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each limit is a setting; what is not a positive number is refused with the name of the setting."""
    for each in fields(Limits):
        monkeypatch.delenv(f"SEKININ_LIMIT_{each.name.upper()}", raising=False)
    assert Limits.from_environment() == Limits()
    for each in fields(Limits):
        monkeypatch.setenv(f"SEKININ_LIMIT_{each.name.upper()}", "7")
    assert all(str(getattr(Limits.from_environment(), each.name)).removesuffix(".0") == "7" for each in fields(Limits))
    for wrong in ("0", "-1", "ten", "nan", "inf", "1e999", "0.5"):
        monkeypatch.setenv("SEKININ_LIMIT_ROWS", wrong)
        with pytest.raises(BadQuery, match="SEKININ_LIMIT_ROWS"):
            Limits.from_environment()


def test_guard_counts_what_is_code() -> None:
    """Brackets in strings, IRIs and comments are not nesting; length is counted in characters."""
    limits = Limits(nesting=3, length=200)
    guard("ASK { ?s ?p '{{{{{{((((', <a:((((> } # {{{{{{", limits)
    guard("ASK { ?s ?p '" + "責" * 180 + "' }", limits)
    with pytest.raises(TooLong):
        guard("ASK { { { { } } } }", limits)
    with pytest.raises(TooLong):
        guard("ASK {} #" + "責" * 200, limits)
