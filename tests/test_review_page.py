"""The page of review: a draft beside its passages, decisions on record, and nothing for anybody but whoever runs the server."""

from __future__ import annotations

import html
import re
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import fiction
import pytest
from flask.testing import FlaskClient
from rdflib import RDF, Graph, Literal, URIRef
from werkzeug.test import TestResponse

from sekinin import turtle
from sekinin.namespaces import PREFIXES, SK
from sekinin.reading import draft, paper, review
from sekinin.store import EmbeddedStore
from webapp import create_app
from webapp.serving import Settings

LOG = "id:cm-hoshizora-log-retention-12.4.1"
HOME = {"Origin": "http://localhost"}


@pytest.fixture
def folder(tmp_path: Path, store: EmbeddedStore, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A build folder of its own for drafts; the store is open already."""
    monkeypatch.setenv("SEKININ_BUILD", str(tmp_path))
    return tmp_path / "drafts"


@pytest.fixture
def drafted(folder: Path) -> Path:
    place, _ = draft.write(paper.read(fiction.PAPERS / "kept" / "hoshizora.txt"), folder)
    return place


def client_of(store: EmbeddedStore, **settings: object) -> FlaskClient:
    return create_app(store, settings=Settings(**{"log": "off", "review": 1, **settings})).test_client()


@pytest.fixture
def page(store: EmbeddedStore, folder: Path) -> FlaskClient:
    return client_of(store)


def forms(text: str) -> list[dict[str, list[str]]]:
    """Return the fields of each form that decides, as a browser without scripts would send them."""
    found = []
    for inside in re.findall(r'(?s)<form[^>]*method="post"[^>]*>(.*?)</form>', text):
        fields: dict[str, list[str]] = {}
        for tag in re.findall(r"<input[^>]*>", inside):
            said = {k: html.unescape(v) for k, v in re.findall(r'([\w-]+)="([^"]*)"', tag)}
            fields.setdefault(said["name"], []).append(said.get("value", ""))
        if "<textarea" in inside:
            fields["more"] = [""]
        found.append(fields)
    return found


def form_of(
    client: FlaskClient, name: str = LOG, address: str = "/review/hoshizora?lang=en&reviewer=A.+Reader", **having: str
) -> dict[str, list[str]]:
    """Return the form of one statement, from whichever page it is on; with ``more``, the one that edits."""
    for number in range(1, 10):
        for each in forms(client.get(f"{address}&page={number}").text):
            if each.get("statement") == [name] and ("more" in each) == ("more" in having):
                return each | {key: [value] for key, value in having.items()}
    raise AssertionError(f"{name} is on no page")


def send(
    client: FlaskClient, form: dict[str, list[str]], headers: dict[str, str] | None = None, path: str = "/review/hoshizora?lang=en"
) -> TestResponse:
    return client.post(path, data=form, headers=HOME if headers is None else headers)


def state(path: Path, name: str = LOG) -> str:
    return next(one.state for one in review.entries(path) if one.iri == PREFIXES["id"] + name.removeprefix("id:"))


# ---- what it shows


def test_an_empty_folder_says_how_to_make_a_draft(page: FlaskClient) -> None:
    for lang, said in (("ja", "下書きはまだありません"), ("en", "There is no draft yet")):
        text = page.get(f"/review?lang={lang}").text
        assert said in text and "sekinin read FILE" in text


def test_drafts_are_listed_with_their_states(page: FlaskClient, drafted: Path) -> None:
    """Those in folders below too; one that cannot be read says so, and what is hidden or a link is none."""
    below = drafted.parent / "acme" / "hoshizora.ttl"
    below.parent.mkdir()
    shutil.copy(drafted, below)
    (drafted.parent / "broken.ttl").write_text("id:x a", encoding="utf-8")
    (drafted.parent / ".hidden.ttl").write_text("", encoding="utf-8")
    (drafted.parent / "link.ttl").symlink_to(drafted)
    review.decide(drafted, "accept", [LOG], "A. Reader")
    text = page.get("/review?lang=en").text
    number = len(review.entries(drafted))
    rows = re.findall(r"(?s)<tr><th scope=\"row\">.*?<bdi>(.*?)</bdi>(.*?)</tr>", text)
    assert [name for name, _ in rows] == ["acme/hoshizora", "broken", "hoshizora"]
    counted = {name: re.findall(r'class="number">(\d+)<', cells) for name, cells in rows}
    assert counted["hoshizora"] == [str(number - 1), "0", "1", "0", "0"] and counted["acme/hoshizora"][0] == str(number)
    assert "It cannot be read" in dict(rows)["broken"]
    assert page.get("/review/acme/hoshizora").status_code == 200


def test_each_statement_stands_beside_its_passage(page: FlaskClient, drafted: Path) -> None:
    """In pages of 25, in both languages, with class, confidence, rule and section; the filter takes some away."""
    every = review.entries(drafted, "ja")
    seen = []
    for number in range(1, 5):
        answer = page.get(f"/review/hoshizora?lang=ja&page={number}")
        shown = re.findall(r'<article class="beside" id="([^"]*)"', answer.text)
        seen += shown if number <= -(-len(every) // 25) else []
        assert len(shown) <= 25
    assert seen == [one.iri.removeprefix(PREFIXES["id"]) for one in every]
    one = next(one for one in every if one.iri.endswith("log-retention-12.4.1"))
    text = "".join(page.get(f"/review/hoshizora?lang=ja&page={n}").text for n in (1, 2, 3))
    article = re.search(r'(?s)<article class="beside" id="cm-hoshizora-log-retention-12.4.1".*?</article>', text)
    assert article and all(said in article[0] for said in (one.label, one.passage, one.section, one.rule, "0.90", "未確認", "採用", "却下"))
    assert "Unreviewed" in page.get("/review/hoshizora?lang=en").text
    assert f"{sum(e.confidence >= 0.9 for e in every)} rows" in page.get("/review/hoshizora?lang=en&least=0.9").text
    assert "No statement is so." in page.get("/review/hoshizora?lang=en&state=Rejected").text
    drafted.with_suffix(".txt").write_text("changed", encoding="utf-8")
    assert "not as it was read" in page.get("/review/hoshizora?lang=en").text


def test_what_it_sends_is_not_kept_and_not_for_other_sites(page: FlaskClient, drafted: Path) -> None:
    for path in ("/review", "/review/hoshizora", "/review/nothing", "/review/hoshizora?page=x"):
        answer = page.get(path, headers={"Origin": "https://elsewhere.example"})
        assert answer.headers["Cache-Control"] == "no-store"
        assert not [name for name, _ in answer.headers if name.startswith("Access-Control-")]
        assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin" and "script-src 'self'" in answer.headers["Content-Security-Policy"]
    asked = {"Origin": "https://elsewhere.example", "Access-Control-Request-Method": "POST"}
    assert not [name for name, _ in page.options("/review/hoshizora", headers=asked).headers if name.startswith("Access-Control-")]
    assert page.get("/findings").headers["Access-Control-Allow-Origin"] == "*"


# ---- deciding


def test_a_decision_goes_on_record(page: FlaskClient, drafted: Path) -> None:
    """With reviewer and digest; then the same page, by 303; no script is needed."""
    answer = send(page, form_of(page, act="accept"), path="/review/hoshizora?lang=en&least=0.5&page=2")
    assert answer.status_code == 303
    where = urlsplit(answer.location)
    assert where.path == "/review/hoshizora" and parse_qs(where.query) | {"done": ["1"]} == parse_qs(where.query)
    assert parse_qs(where.query)["page"] == ["2"] and parse_qs(where.query)["reviewer"] == ["A. Reader"]
    graph = Graph().parse(drafted)
    statement = URIRef(PREFIXES["id"] + LOG.removeprefix("id:"))
    event = next(iter(graph.subjects(RDF.type, SK.ReviewEvent)))
    assert str(graph.value(event, SK.reviewedContentHash)) == review.content_hash(graph, statement)
    person = graph.value(event, URIRef(PREFIXES["prov"] + "wasAssociatedWith"))
    assert Literal("A. Reader", "en") in set(graph.objects(person))
    assert turtle.again(drafted) == drafted.read_text(encoding="utf-8")
    assert "Decided and put on record: 1." in page.get(answer.location).text
    assert send(page, form_of(page, act="reject")).status_code == 303 and state(drafted) == "Rejected"


def test_what_changes_later_needs_review_again(page: FlaskClient, drafted: Path) -> None:
    send(page, form_of(page, act="accept"))
    assert state(drafted) == "Accepted"
    graph = turtle.read(drafted)
    graph.set((URIRef(PREFIXES["id"] + LOG.removeprefix("id:")), SK.amount, Literal(9)))
    drafted.write_text(turtle.write(graph), encoding="utf-8")
    text = page.get("/review/hoshizora?lang=en&state=Changed").text
    assert 'id="cm-hoshizora-log-retention-12.4.1"' in text and "1 rows" in text
    send(page, form_of(page, act="accept"))
    assert state(drafted) == "Accepted"


def test_an_edit_changes_what_it_says_and_nothing_else(page: FlaskClient, drafted: Path) -> None:
    form = form_of(page, more="sk:onArea=id:area-backup", act="edit")
    before = set(turtle.read(drafted).triples((URIRef(PREFIXES["id"] + LOG[3:]), None, None)))
    form |= {"sk:amount": ["2"], "sk:unit": ["sk:Week"], "skos:prefLabel@ja": ["ログの保存: 2週間"]}
    assert send(page, form).status_code == 303
    after = set(turtle.read(drafted).triples((URIRef(PREFIXES["id"] + LOG[3:]), None, None)))
    changed = {str(p).rpartition("#")[2] for _, p, _ in before ^ after}
    assert changed == {"amount", "unit", "seconds", "onArea", "prefLabel", "reviewStatus"}
    assert state(drafted) == "Edited" and "ログの保存: 2週間" in page.get("/review/hoshizora?lang=ja&state=Edited").text


def test_what_is_shown_and_sure_enough_is_accepted_at_once(page: FlaskClient, drafted: Path) -> None:
    """Those of the page that nobody has decided upon, and no others."""
    bulk = forms(page.get("/review/hoshizora?lang=en&reviewer=A.+Reader").text)[0]
    assert len(bulk["shown"]) == 25
    first = bulk["shown"][0].split()[0]
    send(page, form_of(page, first, act="reject"))
    bulk = forms(page.get("/review/hoshizora?lang=en&reviewer=A.+Reader").text)[0] | {"act": ["accept-all"], "least": ["0.9"]}
    assert send(page, bulk).status_code == 303
    for at, one in enumerate(review.entries(drafted)):
        wanted = "Rejected" if at == 0 else "Accepted" if at < 25 and one.confidence >= 0.9 else "Unreviewed"
        assert one.state == wanted, one
    again = forms(page.get("/review/hoshizora?lang=en&reviewer=A.+Reader").text)[0] | {"act": ["accept-all"], "least": ["1"]}
    assert "there is nothing to decide upon" in send(page, again).text


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"reviewer": [" "]}, "a decision has somebody"),
        ({"reviewer": ["A\x00B"]}, "this is no name"),
        ({"act": ["destroy"]}, "is no decision"),
        ({"statement": ["id:nobody"]}, "no such statement"),
        ({"seen": ["0"]}, "not as you saw it"),
        ({"act": ["edit"]}, "nothing is changed"),
        ({"act": ["edit"], "more": ["sk:Nonsense=1"]}, "no such term"),
        ({"act": ["edit"], "more": ["sk:amount=many"]}, "an amount is a number"),
        ({"act": ["edit"], "more": ["sk:unit=id:a b>"]}, "is no name"),
        ({"act": ["edit"], "more": ["sk:reviewStatus=sk:Accepted"]}, "is not for editing"),
        ({"act": ["edit"], "more": ["rdf:type=sk:Obligation"]}, "this is no change"),
        ({"act": ["edit"], "skos:prefLabel@ja": [""]}, "a label in each language"),
        ({"act": ["accept-all"], "least": ["2"]}, "is no confidence"),
    ],
)
def test_what_cannot_be_decided_is_told_on_the_page(page: FlaskClient, drafted: Path, changed: dict[str, list[str]], said: str) -> None:
    """400, in the language of the reader, and the draft stays as it was."""
    before = drafted.read_bytes()
    form = form_of(page, act="accept") | changed
    answer = send(page, form)
    assert answer.status_code == 400 and said in html.unescape(answer.text) and 'role="alert"' in answer.text
    japanese = send(page, form, path="/review/hoshizora?lang=ja")
    assert japanese.status_code == 400 and said not in html.unescape(japanese.text)
    assert drafted.read_bytes() == before


@pytest.mark.parametrize("query", ["state=Nonsense", "least=many", "least=nan", "page=-1", "page=x", "page=1&page=2"])
def test_an_address_that_is_not_right_is_told(page: FlaskClient, drafted: Path, query: str) -> None:
    assert page.get(f"/review/hoshizora?{query}").status_code == 400


def test_two_at_once_do_not_lose_a_decision(page: FlaskClient, drafted: Path) -> None:
    """Ten decisions at the same time, on ten statements: ten on record. Of two upon one, the second is told."""
    every = [form for form in forms(page.get("/review/hoshizora?lang=en&reviewer=A.+Reader").text) if "statement" in form and "more" not in form][:10]
    with ThreadPoolExecutor(10) as at_once:
        answers = list(at_once.map(lambda form: send(page.application.test_client(), form | {"act": ["accept"]}).status_code, every))
    assert answers == [303] * 10
    assert {one.state for one in review.entries(drafted)[:10]} == {"Accepted"}
    late = send(page, every[0] | {"act": ["reject"]})
    assert late.status_code == 400 and "somebody decided" in late.text and review.entries(drafted)[0].state == "Accepted"


def test_two_reviewers_are_two(page: FlaskClient, drafted: Path) -> None:
    """Names that differ in Japanese only are two persons on record."""
    others = [one.iri.replace(PREFIXES["id"], "id:") for one in review.entries(drafted)[:2]]
    for name, who in zip(others, ("山田 Taro", "田中 Taro"), strict=True):
        send(page, form_of(page, name, act="accept", reviewer=who))
    assert [one.reviewer for one in review.entries(drafted, "ja")[:2]] == ["山田 Taro", "田中 Taro"]


def test_labels_are_text(page: FlaskClient, drafted: Path) -> None:
    """What a paper or a reviewer writes is never a tag."""
    bad = "<script>alert(1)</script>\"'"
    form = form_of(page, more="", act="edit", reviewer=bad)
    form |= {"skos:prefLabel@ja": [bad], "skos:prefLabel@en": [bad + "{{ 7*7 }}"]}
    assert send(page, form).status_code == 303
    for lang in ("ja", "en"):
        text = page.get("/review/hoshizora", query_string={"lang": lang, "state": "Edited", "reviewer": bad, "least": "0", "done": bad}).text
        assert "<script>alert" not in text and "&lt;script&gt;alert" in text and ("{{ 7*7 }}" in text)


# ---- who may


@pytest.mark.parametrize("path", ["/review", "/review/hoshizora"])
def test_it_is_off_by_default(store: EmbeddedStore, drafted: Path, path: str) -> None:
    assert Settings().review == 0
    for client in (client_of(store, review=0), create_app(store).test_client()):
        for method in ("GET", "POST", "PUT", "OPTIONS"):
            answer = client.open(path, method=method, headers=HOME)
            assert answer.status_code == 404 and "Access-Control-Allow-Origin" not in answer.headers


@pytest.mark.parametrize(
    ("address", "headers"),
    [
        ("192.0.2.1", {}),
        ("", {}),
        ("127.0.0.1", {"X-Forwarded-For": "127.0.0.1"}),
        ("127.0.0.1", {"Forwarded": "for=127.0.0.1"}),
        ("127.0.0.1", {"X-Real-IP": "127.0.0.1"}),
        ("127.0.0.1", {"Host": "rebound.example"}),
        ("127.0.0.1", {"Host": "[::"}),
    ],
)
def test_it_is_for_this_machine_alone(page: FlaskClient, store: EmbeddedStore, drafted: Path, address: str, headers: dict[str, str]) -> None:
    """Not for others, not through a proxy, declared or not, and not under a name that somebody gave this machine."""
    for client in (page, client_of(store, proxies=1)):
        for method in ("GET", "POST"):
            said = client.open("/review/hoshizora", method=method, headers=HOME | headers, environ_base={"REMOTE_ADDR": address})
            assert said.status_code == 404 or (headers.get("Host") == "[::" and said.status_code == 400)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "https://elsewhere.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost:81"},
        {"Referer": "http://localhost.elsewhere.example/review"},
        {"Referer": "https://elsewhere.example/?http://localhost/"},
        {"Sec-Fetch-Site": "cross-site", "Origin": "http://localhost"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "same-origin", "Origin": "https://elsewhere.example"},
    ],
)
def test_a_form_of_another_page_is_refused(page: FlaskClient, drafted: Path, headers: dict[str, str]) -> None:
    before = drafted.read_bytes()
    assert send(page, form_of(page, act="accept"), headers).status_code == 403
    assert drafted.read_bytes() == before


def test_a_form_without_our_token_is_refused(page: FlaskClient, drafted: Path) -> None:
    before, form = drafted.read_bytes(), form_of(page, act="accept")
    for token in ([], [""], ["x"], ["ä"]):
        assert send(page, form | {"token": token}).status_code == 403
    assert drafted.read_bytes() == before
    for headers in ({"Referer": "http://localhost/review/hoshizora"}, {"Sec-Fetch-Site": "same-origin"}):
        assert send(page, form_of(page, act="accept"), headers).status_code == 303


@pytest.mark.parametrize(
    "name",
    [
        "../secret",
        "%2e%2e/secret",
        "acme/../../secret",
        "..%2fsecret",
        "/secret",
        "%2fsecret",
        "link",
        "linked/secret",
        ".hidden",
        "a%00b",
        "..%5csecret",
    ],
)
def test_names_do_not_leave_the_folder(page: FlaskClient, drafted: Path, name: str) -> None:
    secret = drafted.parent.parent / "outside"
    secret.mkdir()
    for place in (secret / "secret.ttl", drafted.parent.parent / "secret.ttl", drafted.parent / ".hidden.ttl"):
        shutil.copy(drafted, place)
    (drafted.parent / "link.ttl").symlink_to(secret / "secret.ttl")
    (drafted.parent / "linked").symlink_to(secret)
    before = [path.read_bytes() for path in sorted(drafted.parent.parent.rglob("*.ttl"))]
    form = form_of(page, act="accept")
    for answer in (page.get(f"/review/{name}", follow_redirects=True), send(page, form, path=f"/review/{name}")):
        assert answer.status_code in (404, 308) and "hoshizora-log" not in answer.text
    assert [path.read_bytes() for path in sorted(drafted.parent.parent.rglob("*.ttl"))] == before
