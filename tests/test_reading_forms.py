"""The forms in which papers are printed: each line of headings, contents and noise that a reader meets, in both languages."""

from __future__ import annotations

import pytest

from sekinin.reading import files, paper
from sekinin.reading.results import Item, Reading

CONTROLS = {
    "9.2.1": ("利用者登録及び登録削除", "User registration and de-registration"),
    "12.3.1": ("情報のバックアップ", "Information backup"),
    "12.4.1": ("イベントログ取得", "Event logging"),
    "CLD.8.1.5": ("クラウドサービスカスタマの資産の除去", "Removal of cloud service customer assets"),
    "16.1.1": ("責任及び手順", "Responsibilities and procedures"),
}
BODIES = {
    "9.2.1": ("登録と削除の機能を提供しています。", "We provide functions to register and delete users."),
    "12.3.1": ("毎日取得し、7日間保持します。", "Backups are taken daily and kept for 7 days."),
    "12.4.1": ("ログを90日間保存します。", "Logs are kept for 90 days."),
    "CLD.8.1.5": ("契約終了後30日以内に削除します。", "Data is deleted within 30 days after the contract ends."),
    "16.1.1": ("インシデントは24時間以内に通知します。", "We notify customers of incidents within 24 hours."),
}
FIGURES = [
    ("12.3.1", "backup-frequency P1D"),
    ("12.3.1", "backup-retention P7D"),
    ("12.4.1", "log-retention P90D"),
    ("CLD.8.1.5", "data-deletion P30D"),
    ("16.1.1", "incident-notice PT24H"),
]
HEAD = ("ISO/IEC 27017 への対応\n\n", "Security white paper after ISO/IEC 27017\n\n")


def read(text: str, form: str = "text") -> Reading:
    return paper.understand(files.Source("acme", form, text, files.pages_of(text)))


def numbers(reading: Reading) -> list[str]:
    return [one.number for one in reading.items if one.number]


def figures(reading: Reading) -> list[tuple[str, str]]:
    return [(one.number, f"{c.metric} {c.quantity.iso}") for one in reading.items for c in one.commitments if c.quantity]


def item(reading: Reading, number: str) -> Item:
    return next(one for one in reading.items if one.number == number)


# n: number, a: number with the A. of the annex, t: title, i: a count
JAPANESE = (
    "{n} {t}", "{n}　{t}", "{a} {t}", "{n}{t}", "{n}．{t}", "{n}：{t}", "{n} {t}：", "{n} － {t}", "{n} | {t}", "{n} [{t}]", "{n} 「{t}」",
    "{t}（{a}）", "{t}【{a}】", "{t} [{n}]", "{t}（{n}関連）", "{t}（管理策{n}）", "{t}（附属書A {n}）", "{t}（ISO27017:{n}）",
    "{t}（JIS Q 27017 {n}）", "{t}（ISO/IEC 27017:2015 {n}に対応）", "{t}　{a}", "{t} - {a}", "{t}：{n}", "{t}／{n}",
    "【{a}】{t}", "[{n}] {t}", "（{n}）{t}", "〔{n}〕{t}", "＜{n}＞{t}", "「{n} {t}」", "ISO/IEC 27017 {n} {t}", "管理策 {n} {t}", "項番{n}　{t}",
    "■{n} {t}", "■ {t}（{n}）", "◎{n}　{t}", "◆ {t}  ＜{a}＞", "・{n} {t}", "## {n} {t}", "### **{n} {t}**", "**{n}** {t}",
    "({i}) {n} {t}", "{i}）{n} {t}", "{i}. {t} ({a})", "第{i}章 {t}（{a}）", "3.{i} {t}（{n}）", "4.{i} {t}（ISO/IEC 27017 {n}）", "{i}.{i} {a} {t}",
    "{n}\t{t}", "{a}\t{t}", "{t}\t{n}", "{n}\n{t}", "{n}\n\n{t}", "【{a}】\n{t}", "{t}\n（{a}）", "{t}\n【{a}】",
)  # fmt: skip
ENGLISH = (
    "{n} {t}", "{a} {t}", "{n}. {t}", "{n} - {t}", "{n} — {t}", "{n}\t{t}", "{n}\n{t}", "[{a}] {t}", "Control {n} – {t}", "Clause {n}: {t}",
    "Section {n} {t}", "ISO/IEC 27017 {n} {t}", "### {n} {t}", "**{n} {t}**", "{t} ({a})", "{t} [{n}]", "{t} - {n}", "{t} — {a}",
    "{t} (control {n})", "{t} (Annex A {n})", "{t} (ISO/IEC 27017: {n})", "{i}. {t} ({n})", "{i}.{i} {t} (ISO 27017 {n})",
)  # fmt: skip


@pytest.mark.parametrize("gap", ["\n\n", "\n"])
@pytest.mark.parametrize(("language", "form"), [*((0, form) for form in JAPANESE), *((1, form) for form in ENGLISH)])
def test_headings(language: int, form: str, gap: str) -> None:
    """A control is found under its heading whatever brackets, signs, names and numbers of the paper's own stand around it."""
    text = HEAD[language]
    for count, (number, titles) in enumerate(CONTROLS.items(), 1):
        annex = number if number.startswith("CLD") else f"A.{number}"
        text += form.format(n=number, a=annex, t=titles[language], i=count) + gap + BODIES[number][language] + gap
    found = read(text, "markdown" if form.startswith("#") else "text")
    assert numbers(found) == list(CONTROLS)
    assert figures(found) == FIGURES
    assert all(one.number for one in found.items)


@pytest.mark.parametrize(
    ("heading", "expected"),
    [
        ("9.2.1/9.2.2 利用者登録及び利用者アクセスの提供", ["9.2.1", "9.2.2"]),
        ("9.2.1、9.2.2 利用者の登録", ["9.2.1", "9.2.2"]),
        ("9.2.1及び9.2.2 利用者の管理", ["9.2.1", "9.2.2"]),
        ("9.2.1 利用者登録及び登録削除・9.2.2 利用者アクセスの提供", ["9.2.1", "9.2.2"]),
        ("A.9.2.1 利用者登録及び登録削除 / A.9.2.2 利用者アクセスの提供", ["9.2.1", "9.2.2"]),
        ("【A.9.2.1】【A.9.2.2】利用者管理", ["9.2.1", "9.2.2"]),
        ("（9.2.1）（9.2.2）利用者管理", ["9.2.1", "9.2.2"]),
        ("利用者管理（9.2.1、9.2.2、9.2.3）", ["9.2.1", "9.2.2", "9.2.3"]),
        ("利用者管理 (A.9.2.1 & A.9.2.2)", ["9.2.1", "9.2.2"]),
        ("9.2.1～9.2.3 利用者アクセスの管理", ["9.2.1", "9.2.2", "9.2.3"]),
        ("9.2.1-9.2.3 利用者アクセスの管理", ["9.2.1", "9.2.2", "9.2.3"]),
        ("9.2.1 利用者登録及び登録削除\n9.2.2 利用者アクセスの提供", ["9.2.1", "9.2.2"]),
    ],
)
def test_several_numbers_in_a_heading(heading: str, expected: list[str]) -> None:
    """Each number gives a control, all with the one body; a range is told out."""
    found = read(
        f"{HEAD[0]}{heading}\n\n利用者を管理しています。\n\n12.3.1 情報のバックアップ\n\n毎日取得します。\n\n"
        "12.4.1 イベントログ取得\n\nログを保存します。\n"
    )
    assert numbers(found) == [*expected, "12.3.1", "12.4.1"]


EDITION = (
    ("5.16", "アイデンティティ管理", "9.2.1", "利用者を管理しています。"),
    ("8.13", "情報のバックアップ", "12.3.1", "毎日取得します。"),
    ("8.15", "ログ取得", "12.4.1", "ログを90日間保存します。"),
    ("5.24", "情報セキュリティインシデント管理の計画策定及び準備", "16.1.1", "24時間以内に通知します。"),
)


@pytest.mark.parametrize(
    "form",
    [
        "{n} {t}（旧 {o}）",
        "{n} {t}　旧{o}",
        "{n} {t} (旧: A.{o})",
        "{n}（旧{o}）{t}",
        "{n} {t}（2013年版：{o}）",
        "{n} {t}\n旧 {o}",
        "■{n} {t}（旧{o}）",
        "【{n}】{t}",
        "{t}（{n}）",
        "{n}\t{t}\t旧 {o}",
        "## {n} {t}\n旧管理策番号：{o}",
        "{n} {t}（{o}から統合）",
        "{n} {t}【旧 {o}】",
        "A.{n} {t}",
        "{n} {t}（新規）",
    ],
)
def test_the_edition_of_2022(form: str) -> None:
    """The number of 2013 that stands beside it is not taken for the control's."""
    text = "ISO/IEC 27002:2022 への対応\n\n" + "".join(form.format(n=n, t=t, o=o) + f"\n\n{b}\n\n" for n, t, o, b in EDITION)
    found = read(text, "markdown" if form.startswith("#") else "text")
    assert numbers(found) == [number for number, *_ in EDITION]
    assert next(iter(found.frameworks)) == "c22"


BODY = (
    "9.2.1 利用者登録及び登録削除\n登録機能を提供しています。\n"
    "12.3.1 情報のバックアップ\nバックアップは毎日取得し、取得したバックアップは別のリージョンに",
    "保管したうえで、7日間保持します。\n12.4.1 イベントログ取得\nログを90日間保存します。\n13.1.3 ネットワークの分離\n分離しています。",
    "16.1.1 責任及び手順\nインシデントは24時間以内に通知します。\n18.1.1 適用法令及び契約上の要求事項の特定\n準拠法は日本法です。",
)
COVER = "株式会社アクメ\nISO/IEC 27017 ホワイトペーパー\n第1.2版\n2025年4月1日\n\n"


@pytest.mark.parametrize(
    "text",
    [
        COVER + "\f" + "\f".join(f"株式会社アクメ　ISO/IEC 27017 ホワイトペーパー\n{page}\n{n} / 4" for n, page in enumerate(BODY, 2)),
        COVER + "\f" + "\f".join(f"{page}\nCopyright © 2025 Acme Inc.\nページ {n}" for n, page in enumerate(BODY, 2)),
        COVER + "\n".join(f"株式会社アクメ　ISO/IEC 27017 ホワイトペーパー\n{n}\n{page}" for n, page in enumerate(BODY, 2)),
        COVER + "目次\n" + "\n".join(f"{n} {t[0]} ···· {at}" for at, (n, t) in enumerate(CONTROLS.items(), 3)) + "\n\n" + "\n".join(BODY),
        COVER + "目次\n" + "\n".join(f"{n} {t[0]}" for n, t in CONTROLS.items()) + "\n\n" + "\n".join(BODY),
        COVER + "目次\n9.2.1 利用者登録及び登録削除、12.3.1 情報のバックアップ ..... 3\n12.4.1 イベントログ取得 ……… 4\n\n" + "\n".join(BODY),
        COVER + "\n".join(BODY) + "\n改訂履歴\n第1.0版 2023年1月10日 初版\n第1.2版 2025年4月1日 バックアップの保持期間を14日間から9日間に変更\n",
    ],
    ids=["header", "footer", "header-without-pages", "leaders", "no-leaders", "joined", "history"],
)
def test_noise(text: str) -> None:
    """Heads, feet, page numbers, contents and the history of changes are left out, also in the middle of a sentence."""
    found = read(text)
    assert numbers(found) == ["9.2.1", "12.3.1", "12.4.1", "13.1.3", "16.1.1", "18.1.1"]
    assert figures(found) == [
        ("12.3.1", "backup-frequency P1D"), ("12.3.1", "backup-retention P7D"), ("12.4.1", "log-retention P90D"), ("16.1.1", "incident-notice PT24H"),
    ]  # fmt: skip
    assert not any(one.certificates for one in found.items)


@pytest.mark.parametrize("before", ["", "\n"])
def test_signs_over_topics(before: str) -> None:
    """A paper without numbers is read by its signed headings, blank lines or not."""
    topics = {
        "バックアップ": "毎日バックアップし、14日間保持します。",
        "お問い合わせ": "平日9時から17時まで受け付けています。",
        "ログの取得": "操作ログを1年間保存します。",
        "解約時のデータの取扱い": "解約後30日で削除します。",
    }
    found = read("クラウド会計セキュリティについて\n\n" + "".join(f"{before}■{title}\n{body}\n" for title, body in topics.items()))
    assert [(one.number, one.title) for one in found.items] == list(zip(["12.3.1", "", "12.4.1", "CLD.8.1.5"], topics, strict=True))


def test_a_section_of_the_papers_own_at_the_edge() -> None:
    """A number that could be one of 2022 heads a section of the paper's own where neither title nor neighbours speak for it."""
    text = "ISO/IEC 27002:2022 への対応\n5.1 提供時間\n24時間365日\n3. 管理策\n" + "".join(f"{n} {t}（旧 {o}）\n{b}\n" for n, t, o, b in EDITION)
    assert "5.1" not in numbers(read(text))


@pytest.mark.parametrize(
    "line",
    [
        "バックアップについては 12.3.1",
        "図 12.3.1 構成図",
        "表 9.2.3 権限一覧",
        "10.1.1.1",
        "バージョン 5.1.1",
        "12.4.1項の管理策で述べます。",
        "製品 A8.2.2",
        "詳細は 12.1.2 を参照してください。",
        "2025.10.1",
    ],
)
def test_lines_that_hold_a_number_and_head_nothing(line: str) -> None:
    """A reference, a figure, an address, a version or a date in a line of its own begins no section."""
    found = read(f"{HEAD[0]}9.2.1 利用者登録及び登録削除\n\n登録機能を提供しています。\n{line}\n\n12.3.1 情報のバックアップ\n\n毎日取得します。\n")
    assert numbers(found) == ["9.2.1", "12.3.1"]
    assert figures(found) == [("12.3.1", "backup-frequency P1D")]


def test_parts_of_a_control() -> None:
    """Parts that a paper numbers below a control of 2022 belong to it."""
    text = (
        "ISO/IEC 27002:2022 への対応\n1.1 目的\n説明します。\n"
        "5.1 情報セキュリティのための方針群\n方針を定めています。\n5.1.1 方針の見直し\n年1回見直します。\n"
        "8.13 情報のバックアップ\n毎日取得します。\n8.13.1 保持期間\n14日間保持します。\n8.15 ログ取得\n90日間保存します。\n"
    )
    found = read(text)
    assert numbers(found) == ["5.1", "8.13", "8.15"]
    assert figures(found) == [
        ("5.1", "review-frequency P1Y"), ("8.13", "backup-frequency P1D"), ("8.13", "backup-retention P14D"), ("8.15", "log-retention P90D"),
    ]  # fmt: skip
