"""Reading papers: what is found, what must not be, and how well, on the five papers and on those that nobody published."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import fiction
import pytest
from click.testing import CliRunner
from conftest import HOUSE
from rdflib import RDF, Graph, URIRef

from sekinin import turtle
from sekinin.cli import main
from sekinin.namespaces import PREFIXES, SK
from sekinin.reading import draft, files, many, paper, score
from sekinin.reading.letters import folded
from sekinin.reading.quantities import quantities
from sekinin.reading.results import Commitment, Item, Reading

FIVE = {"aicloud-1.0": "ai-inc", "resv-4.0": "ictl", "lensawriter-1.1": "infonet", "talkz-1.0": "spcc", "ai-analyst-undated": "wacul"}
OA = PREFIXES["oa"]


def read(text: str, form: str = "text") -> Reading:
    return paper.understand(files.Source("acme", form, text, files.pages_of(text)))


def item(reading: Reading, number: str) -> Item:
    return next(one for one in reading.items if one.number == number)


def figures(one: Item | Reading) -> list[str]:
    promises: list[Commitment] = one.commitments if isinstance(one, Item) else [c for i in one.items for c in i.commitments]
    return sorted(f"{c.metric} {c.quantity.iso}" for c in promises if c.quantity)


HEAD = "ISO/IEC 27017 への対応\n\n"


def scores(folder: str, place: Path) -> list[score.Tally]:
    return score.total(
        score.compare(score.of_reading(paper.read(fiction.paper_of(gold, place)), titles=True), fiction.facts_of(gold))
        for gold in fiction.golds(folder)
    )


def f1(tallies: list[score.Tally], name: str) -> float:
    return next(tally.f1 for tally in tallies if tally.name == name)


FLOORS = {"controls": 0.98, "status": 0.92, "layers": 0.80, "commitments with figures": 0.85}


def test_the_five_papers(corpus: Path) -> None:
    """The drafts of the five papers agree with the reviewed graphs as far as the floors say."""
    tallies = score.total(
        score.compare(score.of_reading(paper.read(corpus / f"{name}.txt")), score.load(HOUSE / "graphs" / folder / f"{name}.ttl"))
        for name, folder in FIVE.items()
    )
    for name, floor in FLOORS.items():
        assert f1(tallies, name) >= floor, "\n".join(score.as_table(tallies))


@pytest.mark.parametrize("folder", ["kept", "aside"])
def test_papers_that_nobody_published(folder: str, tmp_path: Path) -> None:
    """Both halves of the fictional papers stay within 0.08 of the floors; the half put aside is not easier to reach by tuning."""
    tallies = scores(folder, tmp_path)
    for name, floor in FLOORS.items():
        assert f1(tallies, name) >= floor - (0.08 if folder == "aside" else 0), "\n".join(score.as_table(tallies))


@pytest.mark.parametrize("folder", ["kept", "aside"])
def test_frameworks_are_recognised(folder: str, tmp_path: Path) -> None:
    for gold in fiction.golds(folder):
        found = draft.as_json(paper.read(fiction.paper_of(gold, tmp_path)))["document"]["frameworks"]
        assert set(found[:1]) == fiction.frameworks_of(gold), gold


def test_contents_are_not_counted_twice() -> None:
    """Leaders of every kind, a tab, and an entry without either."""
    contents = (
        "目次\n12.3.1 情報のバックアップ......3\n12.4.1 イベントログ取得…………3\n12.4.4 クロックの同期\t4\n12.6.1 技術的ぜい弱性の管理 ···· 4\n\n"
    )
    body = "12.3.1 情報のバックアップ\n\n毎日取得し、8日間保持します。\n\n12.4.1 イベントログ取得\n\nログを90日間保存します。\n"
    found = read(HEAD + contents + body)
    assert [one.number for one in found.items if one.number] == ["12.3.1", "12.4.1"]
    assert figures(found) == ["backup-frequency P1D", "backup-retention P8D", "log-retention P90D"]


def test_a_sample_value_is_not_the_answer() -> None:
    """The form's sample stands before the answer, in a column or one cell to a line."""
    rows = [("No.", "確認事項", "記入例", "回答", "備考")]
    rows += [(str(n), f"ログを{n}年以上保存しているか。", "5年", "○", f"ログを{n}か月間保存しています。") for n in range(1, 6)]
    for text in ("\n".join("\t".join(row) for row in rows), "\n".join(cell for row in rows for cell in row)):
        found = read("1. 運用\n" + text + "\n" if "\t" in text else text + "\n")
        assert [one.status for one in found.items] == ["Implemented"] * 5
        assert figures(found) == [f"log-retention P{n}M" for n in range(1, 6)]


def test_figures_of_the_question_are_not_taken() -> None:
    rows = ["No.\t確認事項\t回答\t備考"] + [f"{n}\tバックアップを{n}世代以上、{n * 10}日間保持しているか。\t○\t保持しています。" for n in range(1, 6)]
    assert figures(read("\n".join(rows))) == []


def test_a_change_history_promises_nothing() -> None:
    text = HEAD + "12.3.1 情報のバックアップ\n\nバックアップは9日間保持します。\n\n5. 変更履歴\n1.0 バックアップの保持期間を5日間から9日間に変更\n"
    assert figures(read(text)) == ["backup-retention P9D"]


def test_can_use_is_no_duty() -> None:
    """Neither is what the standard requires, nor an invitation to read on."""
    text = HEAD + (
        "9.2.1 利用者登録及び登録削除\n\n利用者は管理画面から登録と削除の機能を利用することができます。\n\n"
        "9.2.3 特権的アクセス権の管理\n\n規格では、利用者が特権を管理することが求められています。詳しくは手引をご参照ください。\n\n"
        "9.2.4 利用者の秘密認証情報の管理\n\n初期パスワードは速やかに変更してください。\n"
    )
    found = read(text)
    duties = {one.number: [duty.party for duty in one.duties] for one in found.items if one.number}
    assert "customer" not in duties["9.2.1"] + duties["9.2.3"]
    assert duties["9.2.4"] == ["customer"]


def test_numbers_alone_prove_nothing() -> None:
    """A section that a company numbered itself, within the series or not, heads no control of a framework."""
    text = HEAD + (
        "4.1 組織の状況\n\n範囲を定めています。\n\n9.2.4 利用者の秘密認証情報の管理\n\nパスワードを配付します。\n\n"
        "9.2.7 当社担当者の端末の取扱い\n\n端末を管理しています。\n\n9.4.1 情報へのアクセス制限\n\nアクセスを制限しています。\n"
    )
    assert [one.number for one in read(text).items if one.number] == ["9.2.4", "9.4.1"]


@pytest.mark.parametrize("printed", ["CLD.8.1.5", "CLD 8.1.5", "CLD8.1.5", "CLD.8.1", "ＣＬＤ．８．１．５", "A.CLD.8.1.5"[2:]])
def test_spellings_of_the_extended_numbers(printed: str) -> None:
    found = read(HEAD + f"サービス終了後のデータ({printed})\n\nデータを削除します。\n\nバックアップ(A12.3.1)\n\n毎日取得します。\n")
    assert [one.number for one in found.items if one.number] == ["CLD.8.1.5", "12.3.1"]


def test_several_numbers_over_one_body() -> None:
    found = read(HEAD + "認証情報の管理(A.9.2.3)(A.9.2.4)\n\nパスワードを安全に配付します。\n\n12.1.2、12.1.3 変更管理と容量\n\n監視しています。\n")
    assert [one.number for one in found.items if one.number] == ["9.2.3", "9.2.4", "12.1.2", "12.1.3"]


def test_number_and_title_on_lines_of_their_own() -> None:
    found = read(HEAD + "12.3.1\n情報のバックアップ\n\n毎日取得します。\n\n12.4.1\tイベントログ取得\n\nログを取得します。\n")
    assert [(one.number, one.title) for one in found.items if one.number] == [("12.3.1", "情報のバックアップ"), ("12.4.1", "イベントログ取得")]


def test_talkz(corpus: Path) -> None:
    """9.2.5 and 4.1 are the paper's own."""
    found = paper.read(corpus / "talkz-1.0.txt")
    assert not {"9.2.5", "4.1"} & {one.number for one in found.items}
    assert {"9.2.5", "4.1"} <= {one.printed for one in found.items if one.form == "own"}


def test_resv(corpus: Path) -> None:
    """CLD.8.1 is CLD.8.1.5; the list of functions is no list of headings; planned certificates are not held."""
    found = paper.read(corpus / "resv-4.0.txt")
    numbers = [one.number for one in found.items if one.number]
    assert "CLD.8.1.5" in numbers and "9.4.1" not in numbers and len(numbers) == len(set(numbers))
    assert {claim.claim for one in found.items for claim in one.certificates if one.form == "chapter"} == {"PlannedClaim"}


def test_ai_analyst(corpus: Path) -> None:
    """The last line has no line break; numbers start again under sub-headings; same as above is followed; a dash has two meanings."""
    found = paper.read(corpus / "ai-analyst-undated.txt")
    items = {one.number: one for one in found.items if one.number}
    assert len(items) == 66 and "11-5" in items
    assert {"3-1-1", "3-2-1", "3-3-1"} <= set(items)
    assert items["5-4"].by_reference and items["5-4"].status == "Inherited"
    assert items["5-6"].status == "NotApplicable" and items["6-13"].status == "Partial"
    assert sum(1 for one in items.values() if one.mark == "○") == 59


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("契約終了後30 日経過後に", ["P30D"]),
        ("3カ月、3か月、3ヶ月、3ヵ月", ["P3M"] * 4),
        ("7 営業日前まで", ["P7D"]),
        ("翌営業日に", ["P1D"]),
        ("2週間程度", ["P2W"]),
        ("半年ごとに", ["P6M"]),
        ("九十日", ["P90D"]),
        ("within thirty (30) days", ["P30D"]),
        ("２週間前、１週間前、前日", ["P2W", "P1W", "P1D"]),
        ("平日10時から17時まで", []),
        ("2024年10月21日", []),
        ("十分な対策", []),
        ("第三者", []),
        ("24時間365日", ["24x7"]),
    ],
)
def test_figures(text: str, said: list[str]) -> None:
    """Every way in which papers write amounts, and what only looks like one."""
    assert [one.iso for one in quantities(folded(text).text)] == said


@pytest.mark.parametrize("text", ["ﾊﾞｯｸｱｯﾌﾟは７日間保持", "バ ッ ク ア ッ プ は ７ 日 間 保 持", "⽇本国内のバックアップ"])
def test_letters_keep_the_way_back(text: str) -> None:
    """Whatever is found in the comparable text has its place in the text as read."""
    seen = folded(text, 100)
    at = seen.text.index("バックアップ")
    start, end = seen.span(at, at + len("バックアップ"))
    assert "ック" in folded(text[start - 100 : end - 100]).text.replace(" ", "")
    assert len(seen.places) == len(seen.text)


def test_noise_in_the_middle_of_a_sentence() -> None:
    """Heads, feet and page numbers are left out of a sentence that runs over a page."""
    pages = [f"12.{n}.1 x\n" if not n else "" for n in range(4)]
    pages[0] = HEAD + "12.3.1 情報のバックアップ\nお預かりしたデータのバックアップは毎日取得し、取得した控えは別の拠点に置いたうえで"
    pages[1] = "株式会社アクメ 社外秘\n- 2 -\n四十日間保持します。\n12.4.1 イベントログ取得\nログを取得します。"
    pages[2] = "株式会社アクメ 社外秘\n- 3 -\n12.4.4 クロックの同期\n同期しています。"
    pages[3] = "株式会社アクメ 社外秘\n- 4 -\n12.6.1 技術的ぜい弱性の管理\n管理しています。"
    found = read("\f".join(pages))
    assert figures(item(found, "12.3.1")) == ["backup-frequency P1D", "backup-retention P40D"]


def test_a_draft_is_house_turtle_and_every_citation_holds(tmp_path: Path) -> None:
    """Each statement has its rule, its confidence, its place and its status; the text lies beside it, and no sentence is inside."""
    reading = paper.read(fiction.PAPERS / "kept" / "hoshizora.txt")
    place, text = draft.write(reading, tmp_path)
    assert turtle.again(place) == place.read_text(encoding="utf-8")
    graph = Graph().parse(place)
    content = text.read_text(encoding="utf-8")
    assert content == (fiction.PAPERS / "kept" / "hoshizora.txt").read_text(encoding="utf-8")
    statements = set(graph.subjects(SK.statedIn, None))
    assert len(statements) > 60
    for one in statements:
        assert graph.value(one, SK.reviewStatus) == SK.Unreviewed
        assert graph.value(one, SK.madeByRule) and 0 < float(str(graph.value(one, SK.confidence))) <= 1
        assert (one, SK.citedAt, None) in graph
    for citation in graph.subjects(RDF.type, URIRef(OA + "SpecificResource")):
        selector = graph.value(citation, URIRef(OA + "hasSelector"))
        start, end = (int(str(graph.value(selector, URIRef(OA + name)))) for name in ("start", "end"))
        assert hashlib.sha256(content[start:end].encode()).hexdigest() == str(graph.value(citation, SK.quoteSha256))
    assert "。" not in place.read_text(encoding="utf-8")


def test_a_draft_scored_as_a_file_is_the_same(tmp_path: Path) -> None:
    """Turtle and JSON of one reading have the same facts."""
    reading = paper.read(fiction.PAPERS / "kept" / "northwind.md")
    facts = score.of_reading(reading)
    for form in ("turtle", "json"):
        place, _ = draft.write(reading, tmp_path, form)
        tallies = score.compare(score.load(place), facts)
        for name in ("controls", "status", "layers", "commitments with figures", "places", "certificates"):
            assert f1(tallies, name) == 1, (form, score.as_table(tallies))


def test_places_and_certificates_are_scored() -> None:
    """By category and code, and by standard, state and holder; a gold that does not tell them is not held against the draft."""
    reading = read(
        HEAD + "6.1.3 関係当局との連絡\n\nデータは東京リージョンに保存します。\n\n"
        "18.2.1 独立したレビュー\n\n当社はISO/IEC 27001認証を取得しています。\n\n12.3.1 情報のバックアップ\n\n毎日取得します。\n"
    )
    facts = score.of_reading(reading)
    assert facts.places == {("CustomerData", "JP-13")} and facts.certificates == {("iso27001", "held", "csp")}
    gold = score.Facts(places={("CustomerData", "JP-13"), ("LogData", "SG")}, certificates={("iso27001", "planned", "csp")})
    tallies = {one.name: (one.hits, one.extra, one.missed) for one in score.compare(facts, gold)}
    assert tallies["places"] == (1, 0, 1) and tallies["certificates"] == (0, 1, 1)
    assert not {"places", "certificates"} & {one.name for one in score.compare(facts, score.Facts())}


def test_many_papers(tmp_path: Path) -> None:
    """One bad file never stops the rest; a second run reads only what changed; two papers of one name are told apart."""
    papers = tmp_path / "papers"
    (papers / "sub").mkdir(parents=True)
    for place in (papers / "a.txt", papers / "sub" / "a.txt"):
        place.write_text(f"{HEAD}12.3.1 情報のバックアップ\n\n毎日取得します。\n{place.parent.name}\n", encoding="utf-8")
    (papers / "bad.pdf").write_bytes(b"%PDF-1.4 nothing")
    out = tmp_path / "out"
    first = many.read_all(list(many.papers_in([papers])), out)
    assert [one.state for one in first] == ["read", "failed", "read"]
    assert len(list(out.glob("*.ttl"))) == len(list(out.glob("*.txt"))) == 2
    (papers / "a.txt").write_text("changed: 12.3.1 情報のバックアップ\n", encoding="utf-8")
    assert [one.state for one in many.read_all(list(many.papers_in([papers])), out)] == ["read", "failed", "kept"]
    report = json.loads((out / many.REPORT).read_text(encoding="utf-8"))
    assert report["failed"] == 1 and "bad.pdf" in report["outcomes"][1]["why"]


def test_the_commands(tmp_path: Path) -> None:
    """Read, then score what was read against itself."""
    result = CliRunner().invoke(main, ["read", str(fiction.PAPERS / "kept" / "northwind.md"), "--out", str(tmp_path), "--quiet"])
    assert result.exit_code == 0, result.output
    made = str(tmp_path / "northwind.ttl")
    assert "15 items" in result.output
    scored = CliRunner().invoke(main, ["score", made, made])
    assert "controls" in scored.output and "1.000" in scored.output
    assert CliRunner().invoke(main, ["read", "nowhere.pdf", "--out", str(tmp_path)]).exit_code == 3
    assert CliRunner().invoke(main, ["score", made, "nowhere.ttl"]).exit_code == 4
