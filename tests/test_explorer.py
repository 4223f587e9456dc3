"""What the pages of the explorer count, draw, keep and send."""

from __future__ import annotations

import gzip
import re
from collections import Counter
from html import unescape

import pytest
from flask import Flask
from flask.testing import FlaskClient

from sekinin import queries
from sekinin.store import EmbeddedStore, rows
from webapp import create_app, pieces
from webapp.commitments import LENGTHS
from webapp.kept import Kept
from webapp.questions import SHOWN, TECHNICAL, folded
from webapp.saved import in_order, quantity, sk, tabled
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


@pytest.mark.whole
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


def test_what_is_kept_stays_within_its_bound() -> None:
    """What was wanted longest ago goes first, two that come at once count once, and what is larger than everything is not kept."""
    kept = Kept[str, str](10, lambda _, said: len(said))
    for number in range(5):
        kept.put(str(number), "abcd")
    kept.put("4", "abcd")
    assert kept.size == 8 and kept.get("0") is None and kept.get("4") == "abcd" and (kept.hits, kept.misses) == (1, 1)
    kept.get("3"), kept.put("5", "abcd")
    assert kept.get("4") is None and kept.get("3") == "abcd"
    kept.put("large", "a" * 50)
    assert kept.size <= 10 and kept.get("large") is None


@pytest.mark.whole
@pytest.mark.parametrize("name", [name for name in queries.catalogue() if name.partition("/")[0] not in (*TECHNICAL, "derived")])
@pytest.mark.parametrize("given", [{}, {"service": "id:service-talkz"}, {"layer": "sk:ProviderLayer"}], ids=["all", "service", "layer"])
def test_rows_put_in_order_here_are_those_of_the_engine(name: str, given: dict[str, str], app: Flask, store: EmbeddedStore) -> None:
    """The table of a question holds the same rows, and by what they are ordered they stand as the engine puts them."""
    question = queries.get(name)
    if not given.keys() <= {each.name for each in question.params}:
        return
    bound = queries.bind(question, given)
    query = bound.unordered()
    with app.test_request_context("/"):
        ours = tabled(question, given)
    theirs = store.query(bound.text())
    assert list(ours.names) == [each.value for each in theirs.variables]
    assert Counter(ours.rows) == Counter(tuple(row) for row in theirs)
    assert len(set(ours.rows)) == len(ours.rows), "a row stands there twice"
    if query.keys:
        rough, engine = store.query(query.text), store.query(f"{query.text}\nORDER BY {' '.join(f'?{key}' for key in query.keys)}")
        names = [each.value for each in rough.variables]
        places = [names.index(key) for key in query.keys]
        every = in_order(query._replace(more=0), names, (tuple(row) for row in rough))
        assert [[row[place] for place in places] for row in every] == [[row[place] for place in places] for row in engine]


def test_a_column_that_names_another_is_folded_into_it(app: Flask, store: EmbeddedStore) -> None:
    """Whatever stands in for an IRI on the page of a question is really a name, a number or a title of it."""
    names = "|".join(("skos:prefLabel", "rdfs:label", "skos:notation", "dcterms:title"))
    called: dict[str, set[str]] = {}
    for row in store.query(f"SELECT DISTINCT ?s ?name {{ ?s {names} ?name }}"):
        called.setdefault(row["s"].value, set()).add(row["name"].value)
    seen = set()
    for name, question in queries.catalogue().items():
        columns = folded(question.returns)
        assert len(columns) + sum(len(others) for _, others in columns) == len(question.returns)
        if name.partition("/")[0] in TECHNICAL or not any(others for _, others in columns):
            continue
        with app.test_request_context("/"):
            rows_ = tabled(question, {}).rows
        for at, others in columns:
            for row in rows_:
                for other in others:
                    if row[at] is not None and row[other] is not None:
                        seen.add(question.returns[other])
                        assert row[other].value in called[row[at].value], (name, question.returns[other])
    assert {"label", "serviceLabel", "notation", "title"} <= seen


@pytest.mark.parametrize("lang", ["ja", "en"])
def test_a_long_answer_has_pages_and_is_taken_away_whole(lang: str, client: FlaskClient) -> None:
    """One comes from page to page and back, each row is on one of them, and the file holds them all."""
    path, rows_, back = f"/questions/duties/duties?lang={lang}", [], []
    every = client.get(f"{path}&format=csv").text.splitlines()[1:]
    while path:
        text = client.get(path, headers=HTML).text
        found = re.findall(r"<tr><td>.*?</tr>", text)
        assert 0 < len(found) <= SHOWN and f"{len(every)} " in text
        assert f"{len(rows_) + 1} から {len(rows_) + len(found)} 行目" in text or f"rows {len(rows_) + 1} to {len(rows_) + len(found)}" in text
        rows_ += found
        back.append([unescape(link) for link in re.findall(r'href="([^"]*)" rel="prev"', text)])
        path = next(iter(unescape(link) for link in re.findall(r'href="([^"]*)" rel="next"', text)), "")
    assert len(rows_) == len(set(rows_)) == len(every) > 2 * SHOWN
    assert back[0] == [] and all(len(links) == 2 and links[0] == links[1] for links in back[1:])
    assert "offset" not in back[1][0] and f"offset={SHOWN}" in back[2][0]
    assert client.get(f"/questions/duties/duties?lang={lang}&offset=99999", headers=HTML).status_code == 200
    for wrong in ("offset=-1", "offset=ten", "from=id:service-talkz", "offset=1&offset=2"):
        assert client.get(f"/questions/duties/duties?lang={lang}&{wrong}", headers=HTML).status_code == 400, wrong


@pytest.mark.parametrize(("lang", "said"), [("ja", "{0} から {1} 行目を格納順に"), ("en", "rows {0} to {1} as they are stored")])
def test_of_many_services_a_long_list_has_pages_too(lang: str, said: str, client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page says that its rows stand as they are stored and were not counted, and leads on and back."""
    monkeypatch.setattr(pieces, "FEW", 0)
    monkeypatch.setattr(pieces, "LONG", 50)
    text = client.get(f"/questions/sources/cited?lang={lang}", headers=HTML).text
    assert said.format(1, SHOWN) in text and 'rel="prev"' not in text and len(re.findall(r"<tr><td>", text)) == SHOWN
    following = next(unescape(link) for link in re.findall(r'href="([^"]*)" rel="next"', text))
    text = client.get(following, headers=HTML).text
    assert said.format(SHOWN + 1, 2 * SHOWN) in text and f'href="/questions/sources/cited?lang={lang}" rel="prev"' in text


def test_of_many_services_no_list_asks_for_everything(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there are many services, the page of one of them does not work out the answer for all, only to shorten a list of choices."""
    asked: list[dict[str, str]] = []
    monkeypatch.setattr(pieces, "FEW", 0)
    monkeypatch.setattr("webapp.choices.tabled", lambda question, given, **_: asked.append(given))
    page = client.get("/questions/duties/duties?lang=en&service=id:service-talkz", headers=HTML)
    assert page.status_code == 200 and "TALKZ" in page.text and not asked
