"""Running for real: health, figures, log, headers, bounds on each client, and an end that loses no answer."""

from __future__ import annotations

import ast
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import fields
from pathlib import Path

import pytest
from conftest import HOUSE
from prometheus_client.parser import text_string_to_metric_families
from serving import SETTINGS, Server, serving, still_running

from sekinin import build as builder
from sekinin.errors import BadQuery
from sekinin.settings import from_environment
from sekinin.store import EmbeddedStore
from sekinin.workers import Limits, Pool
from webapp import create_app
from webapp.operations import HEADERS
from webapp.rate import CLIENTS, Rate, client, part
from webapp.serving import PREFIX, Settings

whole = pytest.mark.whole
SLOW = "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f FILTER(?a = ?f) } # "


@pytest.fixture(scope="module")
def pool(store: EmbeddedStore) -> Iterator[Pool]:
    with_two = Pool(builder.current(), Limits(at_once=2, rate=1000))
    yield with_two
    with_two.close()


def app_of(store: EmbeddedStore, pool: Pool | None = None, **settings: object):
    return create_app(store, pool, "version-1", settings=Settings(**{"log": "off", **settings}))


def figures(text: str) -> dict[str, float]:
    """Return each sample of /metrics by its name and labels."""
    return {
        " ".join([sample.name, *(f"{k}={v}" for k, v in sorted(sample.labels.items()))]): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_headers_protect_every_answer(store: EmbeddedStore, pool: Pool) -> None:
    """Pages, data, errors and files carry the same headers; nothing of another host may be loaded, and no script may stand in a page."""
    client_ = app_of(store, pool).test_client()
    for path in ("/", "/sparql?query=ASK{}", "/nothing", "/static/style.css", "/data/sekinin.nq", "/sparql?query=nonsense", "/health"):
        with client_.get(path) as answer:
            assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS, path
    policy = HEADERS["Content-Security-Policy"]
    assert "unsafe" not in policy and "http" not in policy and "default-src 'none'" in policy


def test_pages_of_others_may_ask(store: EmbeddedStore, pool: Pool) -> None:
    """A browser asks first, and is told what it may send."""
    client_ = app_of(store, pool).test_client()
    asked = {"Origin": "https://example.org", "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}
    answer = client_.options("/sparql", headers=asked)
    assert answer.status_code == 200 and answer.headers["Access-Control-Allow-Origin"] == "*"
    assert {"GET", "HEAD", "POST", "OPTIONS"} <= set(answer.headers["Access-Control-Allow-Methods"].split(", "))
    assert "Content-Type" in answer.headers["Access-Control-Allow-Headers"]
    assert client_.options("/sparql").headers["Allow"]


def test_health(store: EmbeddedStore) -> None:
    """200 while queries are answered; 503 when they are not, though the process lives."""
    held = Pool(builder.current(), Limits(at_once=1, wait=0.2))
    client_ = app_of(store, held).test_client()
    assert client_.get("/health").json["status"] == "ok" and client_.get("/health").json["version"] == "version-1"
    held.close()
    assert client_.get("/health").status_code == 503 and client_.get("/health").json["status"] == "failing"
    assert client_.get("/health/live").status_code == 200


def test_metrics(store: EmbeddedStore, pool: Pool) -> None:
    """A reader of Prometheus finds requests by rule, never by path, and what became of queries."""
    client_ = app_of(store, pool).test_client()
    for number in range(3):
        client_.get(f"/id/nothing-{number}")
        client_.open("/sparql", method=f"ODD{number}")
    client_.get("/sparql?query=nonsense")
    client_.get("/sparql", query_string={"query": "ASK { ?s ?p ?o }"})
    client_.get("/sparql", query_string={"query": "ASK { ?s ?p ?o }"})
    found = figures(client_.get("/metrics").text)
    assert not [name for name in found if "nothing-" in name or "ODD" in name]
    assert found["sekinin_requests_total method=other rule=none status=405"] == 3
    assert found["sekinin_problems_total kind=bad-query"] == 1 and found["sekinin_problems_total kind=not-found"] == 3
    assert found["sekinin_cache_hits"] == 1 and found["sekinin_cache_bytes"] > 0
    assert found["sekinin_dataset_info version=version-1"] == 1
    assert found["sekinin_workers_running"] == 0 and "sekinin_workers_ended" in found
    assert app_of(store, pool).test_client().get("/metrics").status_code == 200, "two applications in one process do not collide"


def test_metrics_are_for_this_machine(store: EmbeddedStore, pool: Pool) -> None:
    """From elsewhere, or through a proxy that is not declared, there is no such page, unless the setting says so."""
    app = app_of(store, pool)
    assert app.test_client().get("/metrics", environ_base={"REMOTE_ADDR": "192.0.2.1"}).status_code == 404
    assert app.test_client().get("/metrics", headers={"X-Forwarded-For": "192.0.2.1"}).status_code == 404
    for allowed, status in (("all", 200), ("off", 404)):
        there = app_of(store, pool, metrics=allowed).test_client()
        assert there.get("/metrics", environ_base={"REMOTE_ADDR": "192.0.2.1"}).status_code == status
        assert there.get("/metrics").status_code == status


def test_the_log_is_one_line_without_secrets(store: EmbeddedStore, pool: Pool, capsys: pytest.CaptureFixture[str]) -> None:
    """Each request is one line of JSON; no text of a query, no whole address, and no line break of the client in it."""
    client_ = app_of(store, pool, log="json").test_client()
    query = {"query": "ASK { <urn:secret> ?p ?o }"}
    client_.get("/sparql", query_string=query, headers={"X-Request-ID": "abc-1"}, environ_base={"REMOTE_ADDR": "192.0.2.77"})
    client_.post("/sparql", data=query)
    client_.get("/%0d%0aevil%00", headers={"X-Request-ID": "x" * 65})
    lines = capsys.readouterr().err.splitlines()
    told = [json.loads(each) for each in lines]
    assert len(told) == 3 and "secret" not in "".join(lines) and "192.0.2.77" not in "".join(lines)
    assert told[0]["id"] == "abc-1" and told[0]["rule"] == "/sparql" and told[0]["client"] == "192.0.2.0/24" and told[0]["version"] == "version-1"
    assert told[2]["status"] == 404 and len(told[2]["id"]) == 16


def test_queries_are_told_only_when_asked_for(store: EmbeddedStore, pool: Pool, capsys: pytest.CaptureFixture[str]) -> None:
    """The text of a query stands in the log where the setting says so, in either way of sending it; plain lines stay lines."""
    client_ = app_of(store, pool, log_queries=1, log="plain", log_clients="whole").test_client()
    client_.post("/sparql", data="ASK {\n?s ?p ?o }", content_type="application/sparql-query")
    client_.get("/sparql", query_string={"query": "ASK {\n?s ?p ?o }"})
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2 and all(each.endswith(r"ASK {\n?s ?p ?o }") and " 127.0.0.1 " in each for each in lines)


def test_no_debug_mode(store: EmbeddedStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the environment says, nobody gets a console."""
    monkeypatch.setenv("FLASK_DEBUG", "1")
    app = app_of(store)
    assert not app.debug and not app.testing


# ---- the bound on each client


def test_the_bucket() -> None:
    """So many at once, then so many a second; another client has a bucket of its own."""
    now = [0.0]
    rate = Rate(2, lambda: now[0])
    assert [rate.wait("192.0.2.1") for _ in range(21)] == [0] * 20 + [1]
    assert rate.wait("192.0.2.2") == 0
    now[0] = 1.0
    assert [rate.wait("192.0.2.1") for _ in range(3)] == [0, 0, 1] and rate.refused == 2


def test_one_network_is_one_client() -> None:
    """An IPv6 client cannot change its address; nonsense is one client too."""
    assert client("2001:db8::1") == client("2001:db8::ffff:1") != client("2001:db8:0:1::1")
    assert client("::ffff:192.0.2.1") == client("192.0.2.1") and client("fe80::1%eth0") == client("fe80::2")
    assert client("") == client("x" * 1000) == "unknown"
    assert part("192.0.2.77") == "192.0.2.0/24" and part("2001:db8:1:2::3") == "2001:db8:1::/48" and part("") == "unknown"


def test_many_clients_cost_little() -> None:
    """Whoever invents addresses fills no memory, and who asked last stays known."""
    rate = Rate(1)
    for number in range(CLIENTS + 500):
        rate.wait(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}")
    assert len(rate) == CLIENTS


def test_too_many_requests_are_told(store: EmbeddedStore) -> None:
    """429 with Retry-After as a problem document; health stays free; a made-up address does not help, a declared proxy's does."""
    slow = Pool(builder.current(), Limits(at_once=1, rate=0.5))
    try:
        client_ = app_of(store, slow).test_client()
        answers = [client_.get("/problem/busy", headers={"X-Forwarded-For": f"192.0.2.{n}"}) for n in range(6)]
        assert [a.status_code for a in answers] == [200] * 5 + [429]
        assert answers[-1].json["type"].endswith("/problem/too-many") and 1 <= int(answers[-1].headers["Retry-After"]) <= 2
        with client_.get("/static/style.css") as free:
            assert client_.get("/health").status_code == free.status_code == 200
        behind = app_of(store, slow, proxies=1).test_client()
        assert {behind.get("/problem/busy", headers={"X-Forwarded-For": f"9.9.9.9, 192.0.2.{n}"}).status_code for n in range(8)} == {200}
        assert 429 in {behind.get("/problem/busy", headers={"X-Forwarded-For": f"9.9.9.{n}, 192.0.2.99"}).status_code for n in range(8)}
    finally:
        slow.close()


# ---- settings


@pytest.mark.parametrize("said", ["0", "-1", "nan", "many", "1e99"])
def test_wrong_settings_are_told_at_the_start(said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A setting that is no positive number names itself and its default."""
    monkeypatch.setenv("SEKININ_SERVE_THREADS", said)
    with pytest.raises(BadQuery, match="SEKININ_SERVE_THREADS"):
        from_environment(Settings, PREFIX)


def test_settings_that_are_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """A word must be of the list; 0 switches off what can be off."""
    monkeypatch.setenv("SEKININ_SERVE_CACHE", "0")
    assert from_environment(Settings, PREFIX).cache == 0
    monkeypatch.setenv("SEKININ_SERVE_LOG", "loud")
    with pytest.raises(BadQuery, match="json, plain, off"):
        from_environment(Settings, PREFIX)


def test_the_guide_names_every_setting() -> None:
    """docs/operate.md has a line for each setting, with its default."""
    guide = (HOUSE / "docs" / "operate.md").read_text(encoding="utf-8")
    listed = dict(re.findall(r"(?m)^\| `(SEKININ_\w+)` \| ([^|]*?) \|", guide))
    for kind, prefix in ((Limits, "SEKININ_LIMIT_"), (Settings, PREFIX)):
        for each in fields(kind):
            default = f"{each.default:,}" if isinstance(each.default, int) else str(each.default) or "none"
            assert listed.pop(f"{prefix}{each.name.upper()}").replace("*", "") in (default, default.removesuffix(".0"), "the cores, at least 2"), (
                each.name
            )
    used = set()
    for path in [*(HOUSE / "sekinin").glob("*.py"), *(HOUSE / "webapp").glob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and re.fullmatch(r"SEKININ_[A-Z_]*[A-Z]", node.value):
                used.add(node.value)
    assert set(listed) == used - {"SEKININ_DATASET"}


# ---- the server


@whole
def test_an_answer_that_was_begun_is_given(built: builder.Built) -> None:
    """Told to stop in the middle of a slow query, the server accepts nobody new, gives the answer, and ends with code 0."""
    with serving(**SETTINGS, SEKININ_LIMIT_SECONDS="5") as server:
        answers: list[tuple[int, dict[str, str], bytes]] = []
        asking = threading.Thread(target=lambda: answers.append(server.get("sparql", query=SLOW + "1 FILTER")))
        asking.start()
        time.sleep(1)
        os.kill(server.pid, signal.SIGTERM)
        time.sleep(0.7)
        with pytest.raises(OSError):
            socket.create_connection(("127.0.0.1", server.port), timeout=2).close()
        asking.join(20)
        for _ in range(100):  # a second signal would end it at once
            if Path(f"/proc/{server.pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] == "Z":
                break
            time.sleep(0.1)
    assert answers and answers[0][0] in (200, 504)


@whole
def test_a_second_signal_ends_it_at_once(built: builder.Built) -> None:
    """Who does not want to wait need not; no process is left over."""
    command = [str(Path(sys.executable).with_name("sekinin")), "serve", "--port", "0", "--no-build", "--log", "off"]
    run = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert run.stdout
    address = run.stdout.readline().strip() + "/"
    server = Server(address.replace("//", "/").replace(":/", "://", 1), run.pid)
    left = server.workers()
    asking = threading.Thread(target=lambda: _quietly(server), daemon=True)
    asking.start()
    time.sleep(1)
    start = time.monotonic()
    run.send_signal(signal.SIGTERM)
    time.sleep(0.3)
    run.send_signal(signal.SIGTERM)
    run.wait(5)
    run.stdout.close()
    assert time.monotonic() - start < 4 and not still_running(left)


def _quietly(server: Server) -> None:
    with suppress(OSError):
        server.get("sparql", query=SLOW + "2")


@whole
def test_a_thousand_idle_connections(built: builder.Built) -> None:
    """Half-open and idle connections keep nobody waiting, and are closed after a while."""
    with serving(**SETTINGS, SEKININ_SERVE_IDLE="1") as server, ExitStack() as held:
        idle = [held.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=10)) for _ in range(600)]
        with ThreadPoolExecutor(8) as many:
            assert set(many.map(lambda n: server.get("sparql", query=f"ASK {{}} # {n}")[0], range(40))) == {200}
        assert idle
