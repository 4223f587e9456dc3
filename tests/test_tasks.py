"""Ten tasks of somebody who must answer for cloud services: from the start page, by clicking, to the fact on the screen and in the file."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from browsing import chromium, visiting
from openpyxl import load_workbook
from rdflib import RDF, Graph, URIRef
from serving import SETTINGS, Server, serving

from sekinin.namespaces import PREFIXES
from webapp.words import word

pytestmark = pytest.mark.whole
TALKZ, RESV = "TALKZ", "AI+予約・業務管理 ASP サービス（RESV）"
AICLOUD, LENSA, ANALYST = "AICloud・コエステーション", "LENSAwriter", "AIアナリスト"
ALL = {ANALYST, AICLOUD, LENSA, RESV, TALKZ}
SILENT = word("state-silent", "ja")


@pytest.fixture(scope="module")
def server(built: object, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(**SETTINGS, SEKININ_PAPERS=str(tmp_path_factory.mktemp("papers"))) as running:
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as running:
        yield running


@contextmanager
def task(browser: Any, server: Server, sentence: str = "") -> Iterator[Any]:
    """Begin at the start page, and click the sentence that asks, by its key among the words of the interface."""
    with visiting(browser, server, "") as page:
        if sentence:
            page.get_by_role("link", name=word(sentence, "ja"), exact=True).click()
        yield page


def choose(page: Any, *services: str) -> None:
    """Choose services by their names, and show them."""
    for label in page.locator("fieldset label").all():
        label.locator("input").set_checked(label.inner_text().strip() in services)
    page.get_by_role("button", name=word("show", "ja")).click()


def table(page: Any, number: int = 0) -> list[dict[str, str]]:
    """Return the rows of a table on the screen, by the headings of their cells; a cell over several rows stands in each."""
    found = (
        page.locator("main table")
        .nth(number)
        .evaluate("""table => [...table.rows].map((row) => [...row.cells].map((cell) =>
        [cell.innerText.trim(), cell.rowSpan]))""")
    )
    heads = [text for text, _ in found[0]]
    rows, carried = [], {}
    for row in found[1:]:
        cells, given = {}, iter(row)
        for head in heads:
            text, left = carried.pop(head, None) or next(given)
            cells[head] = text
            if left > 1:
                carried[head] = (text, left - 1)
        rows.append(cells)
    return rows


def taken(page: Any, kind: str) -> Path:
    """Take the page away by its button, and return where the file lies."""
    with page.expect_download() as download:
        page.get_by_role("link", name=word(f"take-{kind}", "ja"), exact=True).click()
    assert download.value.suggested_filename.startswith("sekinin-") and "." in download.value.suggested_filename
    return Path(download.value.path())


def sheet(path: Path, number: int = 0) -> list[dict[str, Any]]:
    """Return the rows of one sheet of a workbook by their headings."""
    with path.open("rb") as file:
        book = load_workbook(file)
    head, *rows = book.worksheets[number].iter_rows(values_only=True)
    return [dict(zip(head, ("" if cell is None else cell for cell in row), strict=True)) for row in rows]


def separated(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def same(shown: list[dict[str, str]], file: list[dict[str, Any]], *heads: str) -> None:
    """Assert that the screen and the file say the same in the columns that both have; the file has a column of its own for what is below a line."""
    assert [[row[head].partition("\n")[0] for head in heads] for row in shown] == [[str(row[head]) for head in heads] for row in file]


def id_(name: str) -> URIRef:
    return URIRef(PREFIXES["id"] + name)


def sk(name: str) -> URIRef:
    return URIRef(PREFIXES["sk"] + name)


def test_1_the_responsibility_table_of_talkz(browser: Any, server: Server, data: Graph) -> None:
    """Its 24 cells, 18 with tasks and 6 explicit none, are those of the printed table, and each opens its source."""
    with task(browser, server, "task-atlas") as page:
        choose(page, TALKZ)
        page.get_by_role("link", name=re.compile("8領域×3者")).click()
        assert page.url.endswith("list=list-talkz-responsibility-table") or "list=list-talkz-responsibility-table&" in page.url
        cells = page.locator("table.atlas tbody td")
        said = [cell.inner_text() for cell in cells.all()]
        none = word("state-NoResponsibility", "ja")
        assert len(said) == 24 and sum(none in each for each in said) == 6 and not any(SILENT in each for each in said)
        assert all("CLD.6.3.1" in each for each in said) and "接続元IPの管理" in said[3] and "データセンターの全般" in said[2]
        cells.nth(3).get_by_role("link").click()
        drawer = page.get_by_role("dialog")
        drawer.wait_for()
        assert "TALKZ ホワイトペーパー 1.0" in drawer.inner_text() and "CLD.6.3.1" in drawer.inner_text()
        drawer.get_by_role("button").click()
        path = taken(page, "xlsx")
        rows, places = sheet(path), sheet(path, 2)
    members = set(data.subjects(sk("listedIn"), id_("list-talkz-responsibility-table")))
    assert {URIRef(row["IRI"]) for row in rows} == members and len(members) == 24
    printed = {row["IRI"]: str(data.value(URIRef(row["IRI"]), sk("asPrinted"))) for row in rows}
    assert {row["IRI"] for row in rows if row["状態"] == none} == {iri for iri, text in printed.items() if text == "-"}
    assert sum(text == "-" for text in printed.values()) == 6
    assert all("CLD.6.3.1" in row["記載箇所"] for row in rows)
    assert {row["IRI"] for row in places} == {row["IRI"] for row in rows} and all(row["開始位置"] < row["終了位置"] for row in places)


def test_2_what_we_must_do(browser: Any, server: Server, data: Graph) -> None:
    """The customer's duties for TALKZ and RESV: 39 and 10, from before use to the end, to tick, and in Excel with their sources."""
    with task(browser, server, "task-duties") as page:
        choose(page, TALKZ, RESV)
        assert page.locator("h1").inner_text().endswith("(49)")
        phases = [re.sub(r" \(\d+\)", "", each) for each in page.locator("main h2").all_inner_texts()]
        shown = [row for number in range(len(phases)) for row in table(page, number)]
        assert phases == ["利用前", "利用中", "事故時", "終了時"][: len(phases)]
        assert Counter(row["サービス"] for row in shown) == {TALKZ: 39, RESV: 10}
        page.locator("td.tick input").first.check()
        rows = sheet(taken(page, "xlsx"))
    same(shown, rows, "サービス", "期限", "強さ")
    assert Counter(row["サービス"] for row in rows) == {TALKZ: 39, RESV: 10} and all(row["記載箇所"] for row in rows)
    for service, number in (("talkz", 39), ("resv", 10)):
        said = set(data.subjects(sk("aboutService"), id_(f"service-{service}"))) & set(data.subjects(RDF.type, sk("Obligation")))
        duties = {str(each) for each in said if (each, sk("bearerLayer"), sk("CustomerLayer")) in data}
        assert len(duties) == number and duties <= {row["IRI"] for row in rows}


def test_3_how_long_backups_are_kept(browser: Any, server: Server) -> None:
    """Seven days compare; three and seven generations and three months do not, and why; one paper is silent."""
    with task(browser, server, "task-backup") as page:
        page.get_by_role("link", name=word("by-value", "ja")).click()
        shown = {row["サービス"]: row for row in table(page)}
        assert set(shown) == ALL and next(iter(shown)) == AICLOUD
        assert shown[AICLOUD]["比較"] == "604,800 秒" and "7日間" in shown[AICLOUD]["値（「」内は印字のまま）"]
        for service, value, why in ((LENSA, "3世代", "why-generation"), (RESV, "7世代", "why-generation"), (TALKZ, "3か月", "why-length")):
            assert value in shown[service]["値（「」内は印字のまま）"] and shown[service]["比較"] == word(why, "ja"), service
        assert shown[ANALYST]["比較"] == word("why-silent", "ja") and shown[ANALYST]["記載箇所"] == ""
        rows = {row["サービス"]: row for row in separated(taken(page, "csv"))}
    assert {service: row["秒"] for service, row in rows.items()} == {AICLOUD: "604800", LENSA: "", RESV: "", TALKZ: "", ANALYST: ""}
    assert all(rows[service]["比較"] == shown[service]["比較"] for service in ALL - {AICLOUD})
    assert all(rows[service]["記載箇所"] for service in ALL - {ANALYST})


def test_4_whose_data_leaves_japan(browser: Any, server: Server) -> None:
    """AICloud alone keeps data abroad, logs and derived data in Virginia; RESV may, after notice; one paper is silent."""
    with task(browser, server, "task-outside") as page:
        shown = {row["サービス"]: row["範囲"] for row in table(page)}
        assert shown == {ANALYST: "記載なし", AICLOUD: "一部のデータ", LENSA: "条件なし", RESV: "例外つき", TALKZ: "条件なし"}
        assert {row["サービス"]: row["範囲"] for row in separated(taken(page, "csv"))} == shown
        page.get_by_role("link", name=word("questions", "ja"), exact=True).first.click()
        page.get_by_role("link", name=re.compile("各文書によるデータの保存場所")).click()
        abroad = [row for row in table(page) if row["国"] not in ("日本", "")]
        assert {row["サービス"] for row in abroad} == {AICLOUD} and len(abroad) == 2
        assert {row["種類"] for row in abroad} == {"ログデータ", "派生データ"} or all("バージニア" in str(row) for row in abroad)
        rows = sheet(taken(page, "xlsx"))
    assert {row["サービス"] for row in rows if row["国"] not in ("日本", "")} == {AICLOUD}
    assert any(row["サービス"] == RESV and row["例外"] for row in rows)


def addressed(page: Any) -> dict[str, str]:
    """Return the status that each service on the page of a control has, and silence for the others."""
    found = {}
    for number, heading in enumerate(page.locator("main h2[id]").all_inner_texts()):
        statements = [row for row in table(page, number) if row["種類"] == "管理策についての記述"]
        found[heading] = statements[0]["状態・層"]
        assert all(row["記載箇所"].startswith("§") for row in statements)
    return found | {
        each.inner_text().split(": ")[0].removeprefix("□").strip(): SILENT for each in page.locator("main > p.silent", has_text="□").all()
    }


@pytest.mark.parametrize(
    "sentence, expected",
    [
        ("task-control", {LENSA: "実施", TALKZ: "実施", ANALYST: SILENT, AICLOUD: SILENT, RESV: SILENT}),
        ("task-control-2022", {ANALYST: "○ 実施", AICLOUD: "実施", LENSA: "実施", RESV: "一部実施", TALKZ: "一部実施"}),
    ],
    ids=["5-CLD.13.1.4", "6-27002-2022-8.13"],
)
def test_5_and_6_who_addresses_a_control(sentence: str, expected: dict[str, str], browser: Any, server: Server) -> None:
    """Two papers address CLD.13.1.4; all five address backup under its number of 2022, two of them in part, all by the crosswalk."""
    with task(browser, server, sentence) as page:
        assert addressed(page) == expected
        if sentence == "task-control-2022":
            marks = page.locator("tr.made")
            assert marks.count() >= 5 and word("by-crosswalk", "ja") in marks.first.inner_text()
        else:
            assert page.locator("tr.made").count() == 0
        rows = sheet(taken(page, "xlsx"))
    given = {row["サービス"]: row["状態・層"] for row in rows if row["種類"] in ("管理策についての記述", "")}
    assert given == expected
    assert all(row["IRI"] and row["記載箇所"] for row in rows if row["状態・層"] != SILENT)


def test_7_the_end_of_a_contract(browser: Any, server: Server) -> None:
    """What each provider does, by when, and who says nothing of it; what is deleted on request, and what by a cycle without a length."""
    with task(browser, server, "task-end") as page:
        duties = table(page)
        assert {(row["サービス"], row["期限"]) for row in duties} >= {(RESV, "30日"), (RESV, "7日"), (TALKZ, "30日")}
        assert f"{AICLOUD}: {word('no-duty-in-phase', 'ja')}" in page.locator("main").inner_text()
        told = separated(taken(page, "csv"))
        rows = [row for row in told if row["IRI"]]
        assert (AICLOUD, word("no-duty-in-phase", "ja")) in {(row["サービス"], row["義務"]) for row in told if not row["IRI"]}
        same(duties, rows, "サービス", "義務", "期限")
        assert all(row["他の読み方"] in shown["義務"] for row, shown in zip(rows, duties, strict=True)) and any(row["他の読み方"] for row in rows)
        page.locator(".brand").click()
        page.get_by_role("link", name=word("task-deletion", "ja"), exact=True).click()
        shown = table(page)
        assert {row["サービス"] for row in shown} == ALL
        data = {row["サービス"]: row for row in shown if row["指標"] == "契約終了後のデータの消去"}
        assert data[RESV]["比較"] == "2,592,000 秒" and "求めに応じて" in data[AICLOUD]["値（「」内は印字のまま）"]
        assert any(row["サービス"] == LENSA and "削除サイクル" in row["値（「」内は印字のまま）"] for row in shown)
        rows = sheet(taken(page, "xlsx"))
    same(shown, rows, "サービス", "指標", "値（「」内は印字のまま）")
    assert len(rows) == len(shown) and sorted(row["秒"] for row in rows if row["秒"]) == [86_400, 604_800, 2_592_000, 2_592_000, 2_592_000, 2_678_400]


def test_8_whose_certificate_is_planned(browser: Any, server: Server) -> None:
    """Both of RESV, for March 2023; three hold one, and nobody else plans one."""
    with task(browser, server, "task-certificates") as page:
        shown = table(page)
        planned = [row for row in shown if row["主張"] == "取得予定" and row["規格"] != "なし"]
        assert [(row["サービス"], row["予定時期"]) for row in planned] == [(RESV, "2023-03")] * 2
        assert {re.sub(r"\D", "", row["規格"])[-5:] for row in planned} == {"27001", "27017"}
        held = {row["サービス"] for row in shown if row["主張"] == "取得済み" and row["規格"] != "なし"}
        assert held == {ANALYST, LENSA, TALKZ}
        rows = separated(taken(page, "csv"))
    same(shown, rows, "サービス", "主張", "規格")


def test_9_how_soon_one_is_told_of_an_incident(browser: Any, server: Server) -> None:
    """72 hours as a target compare; the next business day, promptly, and no figure do not."""
    with task(browser, server, "task-notice") as page:
        incident = [row for row in table(page) if row["指標"] == "情報セキュリティインシデントの通知"]
        assert {row["サービス"] for row in incident} == ALL
        compares = [row for row in incident if row["比較"].endswith("秒")]
        assert [(row["サービス"], row["比較"], row["強さ"]) for row in compares] == [(RESV, "259,200 秒", "目標")]
        why = {row["サービス"]: {each["比較"] for each in incident if each["サービス"] == row["サービス"]} for row in incident}
        assert word("why-business", "ja") in why[AICLOUD] and why[LENSA] == {word("why-vague", "ja")}
        assert why[ANALYST] == {word("why-yes-no", "ja")} and word("why-no-figure", "ja") in why[TALKZ]
        rows = [row for row in sheet(taken(page, "xlsx")) if row["指標"] == "情報セキュリティインシデントの通知"]
    same(incident, rows, "サービス", "指標", "強さ")
    assert [row["秒"] for row in rows if row["秒"]] == [259_200] and all(row["記載箇所"] for row in rows)


def test_10_what_to_ask_the_provider(browser: Any, server: Server) -> None:
    """What conflicts, is lost or is denied by its own remark, for each paper, each with its place."""
    with task(browser, server, "task-findings") as page:
        heading = page.locator("main h2").last.inner_text()
        shown = table(page, 1)
        assert heading == f"{word('findings-ask', 'ja')} ({len(shown)})" and {row["サービス"] for row in shown} == ALL
        reasons = Counter((row["サービス"], row["理由"]) for row in shown)
        assert reasons[ANALYST, word("reason-denied-mark", "ja")] == 4 and reasons[RESV, word("reason-conflict", "ja")] >= 3
        assert any(row["サービス"] == LENSA and "2.2" in row["記載箇所"] and "図" in row["理由"] for row in shown)
        page.locator("main table").nth(1).get_by_role("row", name=re.compile(re.escape(word("reason-conflict", "ja")))).get_by_role(
            "link"
        ).first.click()
        drawer = page.get_by_role("dialog")
        drawer.wait_for()
        assert "RESV" in drawer.inner_text()
        drawer.get_by_role("button").click()
        rows = sheet(taken(page, "xlsx"), 1)
    same(shown, rows, "サービス", "理由")
    assert all(row["記載箇所"] for row in rows)
