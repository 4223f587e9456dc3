"""Search: what people type finds what they mean, in either language, and nothing that they type can break it."""

from __future__ import annotations

import csv
import io
import re
import statistics
import sys
import time
from pathlib import Path
from urllib.parse import quote
from xml.etree import ElementTree

import pytest
from conftest import HOUSE
from flask.testing import FlaskClient

from sekinin import build as builder
from sekinin import queries, search
from sekinin.errors import BadQuery, Missing, StoreFailure
from sekinin.namespaces import PREFIXES
from sekinin.search import Entry, Index, fold, tokens
from sekinin.store import EmbeddedStore
from webapp import create_app

HTML = {"Accept": "text/html"}
SK, ID = PREFIXES["sk"], PREFIXES["id"]
HOSTILE = [
    "\x00", "a\x00b", "\ud800", "ア\udfffク", "\u202eバックアップ", "\u200b\u200e\u2066", '"', "'", "\\", "((((", "))))", "[a-z]*",
    "a{1,99999}", ".*", "*", "?", "a+", "a|", "^a$", "+-&&||!(){}[]^\"~*?:\\/", "kind:x", "ja:バック AND en:*", "[* TO *]", "IN [a b]",
    "-backup", "/(a+)+$/", "<script>alert(1)</script>", "\\<a\\b", "%00%ff", "\n\r\t\x1b[2J", "ﷺ" * 20, "a" * 300, "ア" * 300, "ー", "・", "-",
    "ー" * 300, "が" * 150, "🙂", "\U000e0001", "e\u0301" * 100, " ".join("abcdefghij" * 10), "1." * 150, "\uffff", "a.", "1-", "ヴ", "A.1",
]  # fmt: skip


@pytest.fixture(scope="module")
def index(store: EmbeddedStore) -> Index:
    return Index.open(search.beside(builder.current()))


def found(index: Index, text: str, most: int = 20, **more: str) -> list[str]:
    return [hit.iri for hit in index.find(text, most, **more)[1]]


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("ｱｸｾｽ", "アクセス"),
        ("あくせす", "アクセス"),
        ("ﾊﾞｯｸｱｯﾌﾟ", "バックアップ"),
        ("ＡＷＳ　Ｓ３", "aws s3"),
        ("サーバー", "サバ"),
        ("サーバ", "サバ"),
        ("さーばー", "サバ"),
        ("サ－バ－", "サバ"),
        ("クラウド・サービス", "クラウドサビス"),
        ("ｸﾗｳﾄﾞ･ｻｰﾋﾞｽ", "クラウドサビス"),
        ("ヴァージョン", "バジョン"),
        ("multi‐factor", "multi-factor"),
        ("multi–factor", "multi-factor"),
        ("STRASSE Straße", "strasse strasse"),
        ("a\u200bb\u202ec", "abc"),
        ("a\x00b", "a b"),
        ("①㈱", "1(株)"),
        ("カ\u3099", "ガ"),
        ("", ""),
    ],
)
def test_fold(text: str, folded: str) -> None:
    """Width, kana, case, long vowels, dots and dashes make no difference; folding twice is folding once."""
    assert fold(text) == folded and fold(folded) == folded


@pytest.mark.parametrize(
    ("text", "cut"),
    [
        ("アクセス", ["アク", "クセ", "セス"]),
        ("鍵", ["鍵"]),
        ("暗号", ["暗号"]),
        ("CLD.13.1.4", ["cld.13.1.4"]),
        ("12.3.1", ["12.3.1"]),
        ("A.12.3.1", ["12.3.1"]),
        ("第12.3.1節", ["第", "12.3.1", "節"]),
        ("3-2-1", ["3-2-1"]),
        ("ISO/IEC 27017:2015", ["iso", "iec", "27017", "2015"]),
        ("AWSのS3", ["aws", "ノ", "s3"]),
        ("TLS1.2. End.", ["tls1.2", "end"]),
        ("multi-factor", ["multi", "factor"]),
        ("2-factor", ["2", "factor"]),
        ("、。「」", []),
    ],
)
def test_tokens(text: str, cut: list[str]) -> None:
    """Japanese runs become pairs, one letter stays alone, words and numbers stay whole."""
    assert tokens(text) == cut


@pytest.mark.parametrize("text", ["ｱｸｾｽ", "あくせす", "アクセス", "access"])
def test_width_and_kana_make_no_difference(text: str, index: Index) -> None:
    assert f"{PREFIXES['c13']}9" in found(index, text, 500)
    assert index.find("ｱｸｾｽ")[0] == index.find("あくせす")[0] == index.find("アクセス")[0] > 100


@pytest.mark.parametrize("text", ["backup", "BACKUP", "ｂａｃｋｕｐ", "バックアップ", "ばっくあっぷ", "ﾊﾞｯｸｱｯﾌﾟ", "back"])
def test_either_language_finds_both(text: str, index: Index) -> None:
    """Backup finds what is called バックアップ, since both names are of one entry."""
    hits = {hit.iri: hit for hit in index.find(text, 500)[1]}
    assert hits[ID + "area-backup"].label_ja == "バックアップ" and hits[ID + "area-backup"].label_en == "backup"


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("12.3.1", {PREFIXES["c13"] + "12.3.1", PREFIXES["c17"] + "12.3.1", PREFIXES["meti"] + "12.3.1"}),
        ("A.12.3.1", {PREFIXES["c13"] + "12.3.1", PREFIXES["c17"] + "12.3.1", PREFIXES["meti"] + "12.3.1"}),
        ("１２．３．１", {PREFIXES["c13"] + "12.3.1", PREFIXES["c17"] + "12.3.1", PREFIXES["meti"] + "12.3.1"}),
        ("CLD.13.1.4", {PREFIXES["c17"] + "CLD.13.1.4"}),
        ("CLD 13.1.4", {PREFIXES["c17"] + "CLD.13.1.4"}),
        ("5.23", {PREFIXES["c22"] + "5.23"}),
        ("3-2-1", {PREFIXES["sheet"] + "3-2-1"}),
        ("3-雇用期間中-1", {PREFIXES["sheet"] + "3-2-1"}),
    ],
)
def test_a_number_finds_its_controls_first(text: str, first: set[str], index: Index) -> None:
    """The exact number in any framework stands before numbers that begin alike, sections and statements."""
    assert set(found(index, text)[: len(first)]) == first


def test_a_number_that_is_being_typed(index: Index) -> None:
    assert {PREFIXES["c13"] + "12.3", PREFIXES["c13"] + "12.3.1"} <= set(found(index, "12.3", 500))


@pytest.mark.parametrize(
    ("text", "service"),
    [
        ("talkz", "talkz"),
        ("ＴＡＬＫＺ", "talkz"),
        ("スカパー", "talkz"),
        ("sky perfect", "talkz"),
        ("WACUL", "ai-analyst"),
        ("わかる", ""),
        ("resv", "resv"),
    ],
)
def test_a_service_by_its_name_or_its_provider(text: str, service: str, index: Index) -> None:
    hits = found(index, text, kind=SK + "CloudService")
    assert hits == ([f"{ID}service-{service}"] if service else [])


def test_two_characters_and_one_are_words(index: Index) -> None:
    assert index.find("暗号")[0] > 30 and index.find("鍵")[0] > 5


def test_every_word_is_wanted(index: Index) -> None:
    """Two words find what has both, wherever each of them stands: the service and what is said of it."""
    hits = index.find("TALKZ 暗号化", 500)[1]
    assert hits and {hit.about for hit in hits} >= {ID + "service-talkz"}
    assert len(hits) < index.find("暗号化")[0]


def test_letters_must_stand_together(index: Index) -> None:
    """The pairs of a run are a phrase: クセスア is in no name although each of its pairs is in some."""
    assert index.find("スアクセ") == (0, [])


def test_kinds_add_up(index: Index) -> None:
    total, _ = index.find("backup")
    kinds = index.kinds("backup")
    assert sum(kinds.values()) == total
    for kind, count in kinds.items():
        assert index.find("backup", kind=kind)[0] == count
        assert {hit.kind for hit in index.find("backup", 500, kind=kind)[1]} == {kind}


def test_pages_of_hits_follow_each_other(index: Index) -> None:
    total, hits = index.find("データ", 500)
    parts = [hit.iri for skip in range(0, total, 20) for hit in index.find("データ", 20, skip=skip)[1]]
    assert parts == [hit.iri for hit in hits] and len(set(parts)) == total


def test_the_best_stands_first(index: Index) -> None:
    """The whole name comes before names that contain it."""
    assert found(index, "TALKZ")[0] == ID + "service-talkz"
    assert set(found(index, "バックアップ", 3)) >= {ID + "area-backup"}
    assert found(index, "Obligation")[0] == SK + "Obligation"
    scores = [hit.score for hit in index.find("データ", 50)[1]]
    assert scores == sorted(scores, reverse=True)


def test_a_language_is_preferred_and_none_left_out(index: Index) -> None:
    assert index.find("TLS", lang="ja")[0] == index.find("TLS", lang="en")[0] == index.find("TLS")[0] > 0


@pytest.mark.parametrize(("text", "name"), [("ばっく", "バックアップ"), ("bac", "backup"), ("12.3.", "12.3.1"), ("tal", "TALKZ"), ("ｱｸ", "アクセス")])
def test_suggestions_start_with_what_was_typed(text: str, name: str, index: Index) -> None:
    hits = index.suggest(text)
    assert 0 < len(hits) <= 8
    assert any(fold(name) in fold(f"{hit.notation} {hit.label_ja} {hit.label_en}") for hit in hits)
    first = hits[0]
    assert any(fold(each).startswith(fold(text).rstrip(".")) for each in (first.notation, first.label_ja, first.label_en))


@pytest.mark.parametrize(
    ("text", "meant"),
    [("バックアツプ", "バックアップ"), ("bakcup", "backup"), ("encription", "encryption"), ("talks", "TALKZ"), ("アクセル", "アクセス")],
)
def test_did_you_mean(text: str, meant: str, index: Index) -> None:
    """A slip leads to a word of the graph that does find something."""
    words = index.nearest(text)
    assert fold(meant) in [fold(word) for word in words]
    assert all(index.find(word)[0] for word in words)


def test_nothing_near(index: Index) -> None:
    assert index.find("zzzzzzzz") == (0, []) and index.nearest("zzzzzzzz") == []
    assert index.find("") == (0, []) and index.suggest("") == [] and index.nearest("") == [] and index.kinds("") == {}


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_nothing_typed_can_break_it(text: str, index: Index) -> None:
    """Query syntax of the engine, control characters, lone surrogates, marks of direction: found or not, never an error."""
    total, hits = index.find(text)
    assert total >= len(hits)
    assert isinstance(index.suggest(text), list) and isinstance(index.nearest(text), list) and isinstance(index.kinds(text), dict)
    index.find("backup", kind=text, lang=text)


@pytest.mark.parametrize("ask", ["find", "suggest", "nearest", "kinds"])
def test_too_long_is_told(ask: str, index: Index) -> None:
    with pytest.raises(BadQuery, match="10,000 characters; at most 300"):
        getattr(index, ask)("x" * 10_000)


def test_under_fifty_milliseconds(index: Index) -> None:
    """The best twenty with their number, over the real graph; the median of ten, on a machine that does other things too."""
    for text in ("バックアップ", "backup", "a", "12", "データ", "アクセス 制御", "encryption of data", "の"):
        took = []
        for _ in range(10):
            start = time.perf_counter()
            index.find(text)
            took.append(time.perf_counter() - start)
        assert statistics.median(took) < 0.05, text


def test_everything_with_a_name_is_there(index: Index, store: EmbeddedStore) -> None:
    """Each resource of the saved question is an entry once, with the first of its kinds, and can be got by its IRI."""
    entries = search.entries(store)
    assert len(index) == len(entries) == len({entry.iri for entry in entries}) > 3000
    service = index.get(ID + "service-talkz")
    assert service and service.kind == SK + "CloudService" and index.get("urn:nothing") is None
    assert {SK + "Obligation", SK + "Commitment", SK + "Control", SK + "CheckItem", SK + "Section", SK + "Metric", SK + "Area"} <= {
        e.kind for e in entries
    }


def test_the_question_that_will_go_says_what_its_successors_say(store: EmbeddedStore) -> None:
    """Each row of the one is a row of each of the others, joined by the resource, as long as all three are asked; what a build asks is fast."""
    start = time.perf_counter()
    kinds, texts = ([tuple(row) for row in store.query(queries.get(name).text)] for name in search.FOUND)
    assert time.perf_counter() - start < 20  # one second on a machine that does nothing else
    entries = [tuple(row) for row in store.query(queries.get("search/entries").text)]
    said: dict[object, list[tuple[object, ...]]] = {}
    for resource, *text in texts:
        said.setdefault(resource, []).append(tuple(text))
    joined = [(rank, resource, kind, *text) for rank, resource, kind in kinds for text in said.get(resource, ())]
    assert len(joined) == len(set(joined)) > 30_000 and set(entries) == set(joined)
    assert queries.get("search/entries").successors == search.FOUND


def test_an_index_is_written_and_read(tmp_path: Path) -> None:
    """Also where nothing may be written, and of nothing."""
    folder = tmp_path / "search"
    assert search.write(folder, [Entry("urn:a", "urn:k", ("第一の試験",), ("First test",), "9.9"), Entry("urn:b", "urn:k", more=("試験",))]) == 2
    assert not list(folder.glob(".*.lock"))
    folder.chmod(0o555)
    index = Index.open(folder)
    assert [hit.iri for hit in index.find("試験")[1]] == ["urn:a", "urn:b"] and not list(folder.glob(".*.lock"))
    assert index.find("9.9")[1][0].label("en") == "First test" and index.find("試験")[1][1].label("ja") == "urn:b"
    search.write(tmp_path / "empty", [])
    assert Index.open(tmp_path / "empty").find("x") == (0, [])


def test_an_index_that_is_not_there_or_damaged(tmp_path: Path) -> None:
    with pytest.raises(Missing, match="there is no search index"):
        Index.open(tmp_path)
    folder = tmp_path / "search"
    search.write(folder, [Entry("urn:a", "urn:k", ("試験",))])
    for path in folder.glob("*.*"):
        path.write_bytes(b"rubbish")
    with pytest.raises(StoreFailure, match="sekinin build --again"):
        Index.open(folder)
    with pytest.raises(StoreFailure, match="could not be written"):
        search.write(folder, [])


@pytest.mark.whole
def test_a_build_brings_its_own_index(house: Path) -> None:
    """Store and index change together; a damaged index is noticed, and the next build makes it again."""
    from test_build import small

    small(house)
    assert "search" in builder.build().steps
    folder = search.beside(builder.current())
    before = Index.open(folder)
    assert before.find("wacul")[0]
    path = house / "graphs" / "parties.ttl"
    path.write_text(path.read_text(encoding="utf-8").replace('"WACUL"@en', '"Renamedco"@en'), encoding="utf-8")
    assert before.find("renamedco")[0] == 0
    builder.build()
    assert Index.open(folder).find("renamedco")[0] and before.find("renamedco")[0] == 0
    next(iter(folder.glob("*.term"))).write_bytes(b"rubbish")
    with pytest.raises(StoreFailure, match="not as it was built"):
        builder.open_current()
    assert "search" in builder.build().steps and builder.open_current()


# ---- the web


@pytest.mark.parametrize(("lang", "label", "kind"), [("ja", "バックアップ", "領域"), ("en", "backup", "area")])
@pytest.mark.parametrize("text", ["ﾊﾞｯｸｱｯﾌﾟ", "BackUp"])
def test_the_page_in_both_languages(text: str, lang: str, label: str, kind: str, client: FlaskClient) -> None:
    """Each hit is a link to its page with its kind; filters carry what was typed, and the box keeps it."""
    answer = client.get("/search", query_string={"q": text, "lang": lang}, headers=HTML)
    assert answer.status_code == 200 and answer.mimetype == "text/html" and answer.headers["Content-Language"] == lang
    assert f'href="/page/id/area-backup?lang={lang}"' in answer.text and label in answer.text
    assert f'<span class="kind">{kind}</span>' in answer.text and f'value="{text}"' in answer.text
    assert "/services/talkz?lang=" + lang in answer.text  # the service that a statement is about
    assert client.get("/search", query_string={"q": text, "lang": lang}, headers={**HTML, "If-None-Match": answer.headers["ETag"]}).status_code == 304


def test_the_box_is_on_every_page(client: FlaskClient) -> None:
    """A plain form, so that it works without the script; what browsers need to know stands in the head."""
    for path in ("/", "/services/talkz", "/sparql", "/data", "/page/id/area-backup", "/nothing", "/search"):
        text = client.get(path, query_string={"lang": "en"}, headers=HTML).text
        assert '<form role="search" action="/search"' in text and 'type="search" name="q"' in text, path
        assert 'rel="search" type="application/opensearchdescription+xml"' in text and "suggest.js" in text
        assert "<script>" not in text and not re.search(r"\son\w+=", text)
    assert 'name="inference" value="off"' in client.get("/page/id/area-backup?inference=off", headers=HTML).text


def test_kinds_filter_and_pages_page(client: FlaskClient) -> None:
    said = client.get("/search?q=backup&format=json").json
    assert sum(kind["total"] for kind in said["kinds"]) == said["total"] > 40
    some = client.get("/search?q=backup&format=json&kind=sk:Control").json
    assert 0 < some["total"] < said["total"] and {hit["kind"] for hit in some["hits"]} == {SK + "Control"} and some["kinds"] == said["kinds"]
    pages = [client.get(f"/search?q=backup&format=json&page={number}").json for number in (1, 2, 3)]
    iris = [hit["iri"] for each in pages for hit in each["hits"]]
    assert len(iris) == len(set(iris)) == 60 and [each["page"] for each in pages] == [1, 2, 3]
    text = client.get("/search?q=backup&page=2&lang=en", headers=HTML).text
    assert 'rel="prev"' in text and 'rel="next"' in text and '<ol class="found" start="21">' in text
    assert client.get("/search?q=backup&page=99999&format=json").json["hits"]
    assert "None of this kind" in client.get("/search?q=backup&kind=sk:Party&lang=en", headers=HTML).text
    for wrong in ("page=0", "page=x", "limit=-1", "page=٣"):
        assert client.get(f"/search?q=backup&{wrong}").status_code == 400


def test_json_and_csv(client: FlaskClient) -> None:
    """The same hits in the same order, with whole addresses, names in both languages, and what each is about."""
    answer = client.get("/search", query_string={"q": "１２．３．１", "lang": "ja"}, headers={"Accept": "application/json"})
    first = answer.json["hits"][0]
    assert answer.mimetype == "application/json" and answer.headers["X-Total-Count"] == str(answer.json["total"])
    assert (
        first["label"] == {"ja": "情報のバックアップ", "en": "Information backup"}
        and first["notation"] == "12.3.1"
        and first["kindLabel"] == "管理策"
    )
    assert first["url"] == "http://localhost/page/framework/iso27002-2013/12.3.1?lang=ja" and first["about"] == PREFIXES["c13"]
    table = list(csv.DictReader(io.StringIO(client.get("/search?q=12.3.1&format=csv&lang=ja").text)))
    assert [row["iri"] for row in table] == [hit["iri"] for hit in answer.json["hits"]]
    assert table[0]["en"] == "Information backup"


def test_an_empty_answer_says_why(client: FlaskClient) -> None:
    """Nothing typed, nothing found with a near word, nothing near: each says what to do."""
    assert "Write a word" in client.get("/search?lang=en", headers=HTML).text
    assert "Write a word" in client.get("/search?q=%E3%80%82&lang=en", headers=HTML).text
    near = client.get("/search?q=bakcup&lang=en", headers=HTML).text
    assert "Nothing has all of these words" in near and 'href="/search?q=backup&amp;lang=en"' in near and "12.3.1" in near
    none = client.get("/search?q=zzzzzzzz&lang=ja", headers=HTML).text
    assert "名称にも説明にもありません" in none and "もしかして" not in none


def test_suggestions(client: FlaskClient) -> None:
    """The form of OpenSearch: what was typed, names, what they are, where they are."""
    answer = client.get("/search/suggest", query_string={"q": "ﾊﾞｯｸ", "lang": "ja"})
    typed, names, kinds, places = answer.json
    assert answer.mimetype == "application/x-suggestions+json" and typed == "ﾊﾞｯｸ"
    assert 0 < len(names) == len(kinds) == len(places) <= 8
    assert any(name.endswith("バックアップ") for name in names) and all(place.startswith("http://localhost/") for place in places)
    assert client.get(places[0].removeprefix("http://localhost"), headers=HTML).status_code == 200
    assert client.get("/search/suggest").json == ["", [], [], []]


def test_browsers_are_told(client: FlaskClient) -> None:
    answer = client.get("/opensearch.xml?lang=ja")
    root = ElementTree.fromstring(answer.text)
    space = "{http://a9.com/-/spec/opensearch/1.1/}"
    assert answer.mimetype == "application/opensearchdescription+xml" and root.tag == f"{space}OpenSearchDescription"
    assert len(root.findtext(f"{space}ShortName") or "") <= 16
    urls = {url.get("type"): url.get("template", "") for url in root.findall(f"{space}Url")}
    assert (
        client.get(urls["application/x-suggestions+json"].replace("{searchTerms}", "tal").removeprefix("http://localhost"))
        .json[1][0]
        .startswith("TALKZ")
    )
    assert "q={searchTerms}" in urls["text/html"]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_no_request_breaks_it(text: str, client: FlaskClient) -> None:
    """The page, its data and the suggestions answer 200 to anything short, and nothing typed becomes markup."""
    typed = quote(text.encode("utf-8", "surrogatepass"))
    for path in ("/search?lang=en&q=", "/search?format=json&q=", "/search?format=csv&q=", "/search/suggest?q=", "/search?q=backup&lang=en&kind="):
        answer = client.get(path + typed, headers=HTML)
        assert answer.status_code == 200, path
        assert "<script>alert" not in answer.text or answer.mimetype != "text/html"


def test_what_is_too_long_is_told(client: FlaskClient) -> None:
    said = client.get("/search", query_string={"q": "x" * 10_000, "lang": "ja", "format": "json"})
    assert said.status_code == 400 and "10,000文字あります。上限は300文字です" in said.json["detail"]
    assert client.get("/search/suggest", query_string={"q": "x" * 10_000}).json[1] == []


def test_a_store_without_an_index_says_so() -> None:
    """As one of another server: the page tells, programs get a 404, suggestions are none."""
    bare = create_app(EmbeddedStore.of([])).test_client()
    assert "have no search index" in bare.get("/search?q=backup&lang=en", headers=HTML).text
    assert bare.get("/search?q=backup&format=json").status_code == 404
    assert bare.get("/search/suggest?q=backup").json == ["backup", [], [], []]


def test_the_script_is_a_combobox() -> None:
    """What ARIA 1.2 wants of an editable combobox with a list; no address and no markup is made from what was typed."""
    text = (HOUSE / "webapp" / "static" / "suggest.js").read_text(encoding="utf-8")
    for word in ("combobox", "listbox", "option", "aria-expanded", "aria-controls", "aria-activedescendant", "aria-selected", "aria-autocomplete"):
        assert f'"{word}"' in text
    for key in ("ArrowDown", "ArrowUp", "Enter", "Escape", "isComposing"):
        assert key in text
    assert "innerHTML" not in text and "eval" not in text and "http" not in text


def test_the_benchmark_runs() -> None:
    """A thousand entries instead of a million: a line for each text, and the ordinary ones are found."""
    sys.path.insert(0, str(HOUSE / "benchmarks"))
    import search as benchmark

    lines = benchmark.measure(1000)
    assert len([line for line in lines if line.startswith("| ")]) == len(benchmark.ASKED) + 2
    assert not any(line.startswith("| バックアップ | 0 ") for line in lines)
