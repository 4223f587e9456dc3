"""The W3C's tests put to this build: each passes or, where it writes, is refused; and the runner notices what is wrong."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping
from contextlib import contextmanager
from pathlib import Path

import pyoxigraph as ox
import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient

from sekinin import build as builder
from sekinin import earl, manifests
from sekinin.cli import main
from sekinin.conformance import Ask, Reply, judge, run, updates
from sekinin.earl import Outcome
from sekinin.errors import Missing
from sekinin.manifests import Entry, Request
from webapp import create_app
from webapp.conformance import application, program


@pytest.fixture(scope="module")
def tests(built: builder.Built) -> list[Entry]:
    """The tests, where the reader has them."""
    said = os.environ.get("SEKININ_SUITES")
    if not said:
        pytest.skip("SEKININ_SUITES is not set: the W3C's test suites are not part of the project")
    return manifests.read(Path(said))


@pytest.fixture(scope="module")
def outcomes(tests: list[Entry]) -> list[Outcome]:
    return run(tests, application)


@pytest.mark.whole
def test_nothing_fails(outcomes: list[Outcome]) -> None:
    """No test of any suite fails, and none is left out in silence."""
    assert [(o.slug, o.note("en")) for o in outcomes if o.result in ("failed", "untested")] == []


@pytest.mark.whole
def test_as_many_as_the_suites_have(tests: list[Entry], outcomes: list[Outcome]) -> None:
    """The protocol's twenty queries pass and its fourteen updates are refused; description, formats and graph store are whole."""
    counts = {suite: Counter(o.result for o in outcomes if o.suite == suite) for suite in dict.fromkeys(o.suite for o in outcomes)}
    assert counts["SPARQL Protocol"] == {"passed": 20, "refused": 14}
    assert counts["SPARQL Service Description"] == {"passed": 3}
    assert counts["CSV/TSV Result Format"] == {"passed": 6} and counts["JSON Result Format"] == {"passed": 4}
    stores = sum((found for suite, found in counts.items() if "Graph Store" in suite), Counter())
    assert stores == {"refused": 11, "passed": 1, "inapplicable": 1}
    assert len(outcomes) == len(tests)


# ---- the runner notices what is wrong: the same tests, put to an application that is damaged


def damaged(change) -> object:
    """Return an application whose every answer is changed on its way."""

    @contextmanager
    def serve(quads: list[ox.Quad] | None):
        with application(quads) as ask:
            yield lambda method, path, headers, body: change(ask(method, path, headers, body))

    return serve


def _status(reply: Reply) -> Reply:
    return 200 if reply[0] >= 400 else 500, reply[1], reply[2]


def _format(reply: Reply) -> Reply:
    return reply[0], {**reply[1], "Content-Type": "text/html"}, reply[2]


def _empty(reply: Reply) -> Reply:
    return reply[0], reply[1], b""


def _other(reply: Reply) -> Reply:
    body = reply[2]
    for old, new in (
        (b"true", b"false"),
        (b"example.org", b"example.com"),
        (b"localhost", b"elsewhere"),
        (b"foaf/0.1", b"foaf/0.2"),
        (b"xmlns.com", b"x.org"),
    ):
        body = body.replace(old, new)
    return reply[0], reply[1], body


@pytest.mark.whole
@pytest.mark.parametrize("change", [_status, _format, _empty, _other], ids=lambda c: c.__name__)
def test_damage_is_noticed(tests: list[Entry], change) -> None:
    """Another status, another format, no body or another answer: of each suite tests fail that passed."""
    chosen: dict[str, list[Entry]] = {}
    for test in tests:
        if len(chosen.setdefault(test.kind, [])) < 5:
            chosen[test.kind].append(test)
    for kind, some in chosen.items():
        results = Counter(outcome.result for outcome in run(some, damaged(change)))
        assert results["failed"] >= 1, (kind, results)


def test_a_write_that_is_taken_is_noticed() -> None:
    """A server that answers 200 to an update fails its test."""
    send = Request("POST", "/sparql/", {"content-type": "application/sparql-update"}, b"DROP ALL", ("2xx",))

    @contextmanager
    def open_door(_quads: object):
        def ask(_method: str, _path: str, _headers: Mapping[str, str], _body: bytes) -> Reply:
            return 204, {}, b""

        yield ask

    outcome = judge(Entry("suite", "urn:t#1", "an update", "ProtocolTest", requests=(send,)), open_door)
    assert outcome.result == "failed" and "not refused" in outcome.note("en") and outcome.note("ja")


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (Request("GET", "/sparql?query=ASK%20%7B%7D", {}, b"", ("2xx",)), False),
        (Request("POST", "/sparql", {"content-type": "application/x-www-form-urlencoded"}, b"update=DROP+ALL", ("2xx",)), True),
        (Request("GET", "/sparql?update=DROP%20ALL", {}, b"", ("4xx",)), True),
    ],
)
def test_what_counts_as_an_update(request_: Request, expected: bool) -> None:
    """An update is told by its media type, its parameter or its text."""
    assert updates(request_) is expected


# ---- what is shown

MADE = [
    Outcome("Suite A", "https://example.org/a#one", "a-one", "one", "passed", {}),
    Outcome("Suite A", "https://example.org/a#two", "a-two", "two", "failed", {"en": "it is wrong", "ja": "違っている"}),
    Outcome("Suite B", "https://example.org/b#three", "b-three", "three", "refused", {"en": "refused", "ja": "拒否"}),
]


@pytest.fixture
def shown(store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FlaskClient:
    monkeypatch.setenv("SEKININ_BUILD", str(tmp_path))
    return create_app(store, version="v1").test_client()


def test_the_page_shows_the_running_build(shown: FlaskClient) -> None:
    """Without results of this build and program the page says how to get them; with them, each test with its outcome, in both languages."""
    assert "sekinin conformance" in shown.get("/conformance?lang=en", headers={"Accept": "text/html"}).text
    assert shown.get("/conformance", headers={"Accept": "text/turtle"}).status_code == 404
    earl.save(MADE, "v1", "another program")
    assert "sekinin conformance" in shown.get("/conformance", headers={"Accept": "text/html"}).text
    earl.save(MADE, "v1", program())
    for lang, word in (("en", "it is wrong"), ("ja", "違っている")):
        page = shown.get(f"/conformance?lang={lang}", headers={"Accept": "text/html"})
        assert page.status_code == 200 and word in page.text and "Suite B" in page.text


@pytest.mark.parametrize("media", ["text/turtle", "application/ld+json", "application/n-triples"])
def test_earl(shown: FlaskClient, media: str) -> None:
    """One assertion a test; a refused update is told as inapplicable, never as passed."""
    earl.save(MADE, "v1", program())
    answer = shown.get("/conformance", headers={"Accept": media})
    found = list(ox.parse(answer.data, ox.RdfFormat.from_media_type(media)))
    said = {q.subject.value.rpartition("#")[2]: q.object.value.rpartition("#")[2] for q in found if q.predicate.value == earl.EARL + "outcome"}
    assert said == {"a-one-result": "passed", "a-two-result": "failed", "b-three-result": "inapplicable"}
    assert sum(q.object.value == earl.EARL + "Assertion" for q in found if isinstance(q.object, ox.NamedNode)) == 3


def test_a_folder_without_tests(tmp_path: Path) -> None:
    """The folder is named, and what to do."""
    with pytest.raises(Missing, match="no manifest"):
        manifests.read(tmp_path)
    assert CliRunner().invoke(main, ["conformance", "--suites", str(tmp_path), "--quiet"]).exit_code == 4


def test_asks_are_of_one_shape() -> None:
    """The library knows no web framework: an application is a function."""
    assert "flask" not in Path(manifests.__file__).with_name("conformance.py").read_text(encoding="utf-8").lower() and Ask
