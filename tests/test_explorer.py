"""What the pages of the explorer count, draw, keep and send."""

from __future__ import annotations

import gzip
import re

import pytest
from flask import Flask
from flask.testing import FlaskClient

from sekinin import queries
from sekinin.store import EmbeddedStore, rows
from webapp import create_app
from webapp.commitments import LENGTHS
from webapp.saved import Kept, quantity, sk
from webapp.serving import Settings
from webapp.warm import warm

HTML = {"Accept": "text/html"}
COUNTS = {"controls": "ControlStatement", "duties": "Obligation", "customerDuties": "CustomerDuty", "commitments": "Commitment"}


@pytest.fixture
def app(store: EmbeddedStore) -> Flask:
    return create_app(store)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


def test_derived_counts_are_what_the_graph_holds(store: EmbeddedStore) -> None:
    """For each service the figure on the start page is the number of its statements, counted here once more."""
    for row in rows(queries.bind(queries.get("services/services"), {}).ask(store)):
        for column, name in COUNTS.items():
            count = f"SELECT (COUNT(DISTINCT ?x) AS ?n) {{ ?x a sk:{name} ; sk:aboutService {row['service']} }}"
            assert next(iter(rows(store.query(count))))["n"].value == row[column].value, (row["service"].value, column)


def test_every_unit_says_whether_it_compares(store: EmbeddedStore) -> None:
    """A unit of time without a fixed length has its reason; one with seconds has none."""
    units = {row["u"].value for row in rows(store.query("SELECT DISTINCT ?u { ?c a sk:Commitment ; sk:unit ?u }"))}
    fixed = {row["u"].value for row in rows(store.query("SELECT DISTINCT ?u { ?c a sk:Commitment ; sk:unit ?u ; sk:seconds ?s }"))}
    reasons = {sk(name) for name in LENGTHS}
    assert units - fixed - reasons <= {sk("Percent"), sk("Bit"), sk("Item")}
    assert not fixed & reasons


@pytest.mark.parametrize(
    ("amount", "unit", "ja", "en"),
    [
        ("7", "Generation", "7世代", "7 generations"),
        ("1", "CalendarDay", "1日", "1 calendar day"),
        ("99.99", "Percent", "99.99パーセント", "99.99 percent"),
    ],
)
def test_an_amount_is_written_as_one_writes_it(amount: str, unit: str, ja: str, en: str, app: Flask) -> None:
    with app.test_request_context("/"):
        assert quantity(amount, sk(unit), "ja") == ja
        assert quantity(amount, sk(unit), "en") == en


def test_what_does_not_compare_is_never_ranked(client: FlaskClient) -> None:
    """Sorted by value, what has no seconds stands behind what has them, in the order of the services."""
    found = client.get("/commitments/RetentionCommitment?sort=value&format=json").get_json()["tables"][0]["rows"]
    seconds = [row["seconds"] for row in found]
    known = [each for each in seconds if each is not None]
    assert known == sorted(known) and seconds == known + [None] * (len(seconds) - len(known))
    assert len(known) >= 2 and None in seconds


def test_a_count_is_drawn_and_nothing_else(client: FlaskClient) -> None:
    """An answer that counts has bars and says them in words; one that does not has none."""
    counted = client.get("/questions/counts/urls?lang=en", headers=HTML).get_data(as_text=True)
    assert counted.count('class="fig-bar"') >= 5 and 'role="img"' in counted
    assert "<svg" not in client.get("/questions/certificates/held-and-planned?lang=en", headers=HTML).get_data(as_text=True)


def test_statements_in_an_answer_open_their_source(client: FlaskClient) -> None:
    """Each statement in the answer of a question has the address of its source, and that answers."""
    page = client.get("/questions/commitments/backups?lang=ja", headers=HTML).get_data(as_text=True)
    places = set(re.findall(r'href="(/source/[^"]+)" data-source', page))
    assert places
    for place in places:
        assert client.get(place, headers=HTML).status_code == 200


def test_a_page_is_compressed_and_an_answer_is_not(client: FlaskClient) -> None:
    """The same page in fewer bytes under a weak tag, by which it is not sent again; rows are sent as they are."""
    plain = client.get("/services/talkz?lang=ja", headers=HTML)
    packed = client.get("/services/talkz?lang=ja", headers=HTML | {"Accept-Encoding": "gzip, br"})
    assert "Content-Encoding" not in plain.headers and packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.data) == plain.data and len(packed.data) * 4 < len(plain.data)
    assert packed.headers["ETag"].startswith("W/") and "Accept-Encoding" in packed.headers["Vary"]
    again = client.get("/services/talkz?lang=ja", headers=HTML | {"Accept-Encoding": "gzip", "If-None-Match": packed.headers["ETag"]})
    assert again.status_code == 304 and not again.data
    answer = client.get("/sparql", query_string={"query": "SELECT * { ?s ?p ?o } LIMIT 500", "format": "csv"}, headers={"Accept-Encoding": "gzip"})
    assert answer.status_code == 200 and "Content-Encoding" not in answer.headers


def test_no_page_is_large(client: FlaskClient) -> None:
    """What is transferred for the largest page, with its style and scripts, is under 150 kB."""
    own = sum(_sent(client, f"/static/{name}") for name in ("tokens.css", "style.css", "drawer.js", "suggest.js"))
    pages = ("/", "/atlas", "/services/talkz", "/duties?layer=provider", "/controls?framework=iso27002-2022", "/words?group=individual", "/questions")
    for page in pages:
        assert _sent(client, page) + own < 150_000, page


def _sent(client: FlaskClient, address: str) -> int:
    with client.get(address, headers=HTML | {"Accept-Encoding": "gzip"}) as answer:
        assert answer.status_code == 200
        return len(answer.data)


def test_what_is_asked_first_is_worked_out_ahead(store: EmbeddedStore) -> None:
    """After the start the rows behind a page are there before anybody asks; an operator who keeps nothing gets nothing kept."""
    app = create_app(store)
    warm(app).join(60)
    kept: Kept = app.extensions["sekinin-rows"]
    before = kept.size
    assert before > 1000
    for page in ("/services/talkz?lang=ja", "/atlas?lang=en", "/duties?lang=ja"):
        assert app.test_client().get(page, headers=HTML).status_code == 200
    assert kept.size == before
    bare = create_app(store, settings=Settings(cache=0))
    warm(bare).join(60)
    assert "sekinin-rows" not in bare.extensions


def test_rows_are_kept_within_their_bound() -> None:
    """What was asked longest ago goes first, and what is larger than everything is not kept."""
    kept = Kept(most=10)
    for number in range(5):
        kept.put((str(number), ()), ({}, {}, {}))
    assert kept.size <= 10 and kept.get(("0", ())) is None and kept.get(("4", ())) is not None
    kept.put(("large", ()), tuple({} for _ in range(50)))
    assert kept.size <= 10 and kept.get(("large", ())) is None
