"""Check sheets as they are met: METI, service levels, disclosure, tables of Markdown, cells one to a line; and papers that only hold tables."""

from __future__ import annotations

import pytest

from sekinin.reading import files, paper
from sekinin.reading.results import Item, Reading


def read(text: str, form: str = "text") -> Reading:
    return paper.understand(files.Source("acme", form, text, files.pages_of(text)))


def rows(*cells: tuple[str, ...]) -> str:
    return "\n".join("\t".join(row) for row in cells) + "\n"


def item(reading: Reading, number: str) -> Item:
    return next(one for one in reading.items if one.number == number)


def figures(one: Item) -> list[str]:
    return [f"{c.metric} {c.quantity.iso}" for c in one.commitments if c.quantity]


METI = "クラウドサービス利用のための情報セキュリティマネジメントガイドライン 2013年度版\n" + rows(
    ("項番", "管理項目", "確認事項", "実施の有無", "備考"),
    ("6.1.1", "情報セキュリティの役割及び責任", "責任を定めているか", "○", "定めています。"),
    ("9.2.1", "利用者登録及び登録削除", "登録機能を提供しているか。", "〇", "同上"),
    ("12.3.1", "情報のバックアップ", "1日1回以上、7世代以上取得しているか。", "△", "毎日取得し、3世代保持します。"),
    ("12.4.1", "イベントログ取得", "ログを1年以上保存しているか。", "×", "ログは提供していません。"),
    ("11.2.7", "装置のセキュリティを保った処分又は再利用", "処分手順があるか。", "―", "当社は装置を保有していません。"),
    ("11.1.1", "物理的セキュリティ境界", "境界を定めているか。", "対象外", "AWSの管理範囲です。"),
    ("12.4.4", "クロックの同期", "同期しているか。", "◯", ""),
    ("15.1.1", "供給者関係のための情報セキュリティの方針", "方針があるか。", "－", ""),
    ("16.1.1", "責任及び手順", "通知しているか", "○", "No.12.3.1に同じ"),
)


def test_marks_of_a_sheet() -> None:
    """Each mark, and what a dash means by its remark; the question's figures are nobody's."""
    found = {one.number: one for one in read(METI).items if one.number}
    assert {number: one.status for number, one in found.items()} == {
        "6.1.1": "Implemented", "9.2.1": "Implemented", "12.3.1": "Partial", "12.4.1": "NotProvided", "11.2.7": "NotApplicable",
        "11.1.1": "Inherited", "12.4.4": "Implemented", "15.1.1": "NotAddressed", "16.1.1": "Implemented",
    }  # fmt: skip
    assert figures(found["12.3.1"]) == ["backup-frequency P1D", "backup-generations 3"] and not figures(found["12.4.1"])
    assert found["9.2.1"].by_reference and found["9.2.1"].refers_to == ("6.1.1",)
    assert found["16.1.1"].by_reference and found["16.1.1"].refers_to == ("12.3.1",)
    assert found["11.1.1"].layers == ("infrastructure",)


LEVELS = (
    ("可用性", "サービス時間", "時間帯", "時間帯", "24時間365日(計画停止を除く)", "24時間365日", "service-hours 24x7"),
    ("可用性", "計画停止予定通知", "事前連絡", "有無", "有 30日前に通知", "有。7日前にメールで通知", "maintenance-notice P7D"),
    ("可用性", "サービス提供終了時の事前通知", "終了", "有無", "有 15か月前", "6か月前までに通知", "service-end-notice P6M"),
    ("可用性", "サービス稼働率", "確率", "稼働率(％)", "99.9%以上", "99.5%以上", "availability 99.5%"),
    ("信頼性", "平均復旧時間(MTTR)", "平均時間", "時間", "1時間以内", "4時間以内", "recovery-time PT4H"),
    ("信頼性", "障害通知時間", "通知までの時間", "時間", "15分以内", "1時間以内", "fault-notice PT1H"),
    ("データ管理", "バックアップデータを取得するタイミング(RPO)", "時点", "時間", "24時間", "12時間", "recovery-point PT12H"),
    ("データ管理", "バックアップデータの保存期間", "保存期間", "時間", "5年以上", "30日", "backup-retention P30D"),
    ("データ管理", "データ消去の要件", "解約後", "有無", "有 1か月以内", "解約後90日以内に消去", "data-deletion P90D"),
)


def test_a_sheet_of_service_levels() -> None:
    """A bare value takes its kind from the item; the sample of the form and the rule are no answers."""
    head = ("No.", "種別", "サービスレベル項目例", "規定内容", "測定単位", "設定例", "回答")
    found = read("クラウドサービスレベルのチェックリスト\n" + rows(head, *((str(n), *row[:6]) for n, row in enumerate(LEVELS, 1))))
    assert [figures(item(found, str(n))) for n in range(1, len(LEVELS) + 1)] == [[row[6]] for row in LEVELS]


def test_a_record_and_a_target_in_one_answer() -> None:
    """The record of the past promises nothing; the target beside it does."""
    text = "クラウドサービスの安全・信頼性に係る情報開示認定\n" + rows(
        ("項番", "情報開示項目", "必須/選択", "記述内容"),
        ("21", "サービス稼働設定値", "必須", "サービス稼働率のこれまでの実績値：99.98％、目標値：99.9％"),
        ("22", "サービスの死活監視", "必須", "5分間隔で監視"),
        ("30", "バックアップ", "必須", "毎日1回、7世代"),
        ("40", "利用終了時のデータ", "必須", "解約後30日で消去"),
    )
    found = read(text)
    assert [(c.record, c.quantity.iso) for c in item(found, "21").commitments if c.quantity] == [(True, "99.98%"), (False, "99.9%")]
    assert figures(item(found, "22")) == ["monitoring-interval PT5M"]
    assert figures(item(found, "30")) == ["backup-frequency P1D", "backup-generations 7"]
    assert figures(item(found, "40")) == ["data-deletion P30D"]


def test_cells_one_to_a_line() -> None:
    """A dash that stands alone in its line is a cell, not a rule of the table."""
    head = ["No.", "確認事項", "回答", "備考"]
    body = [
        ("方針を定めているか。", "○", "定めています。"),
        ("バックアップを取得しているか。", "○", "毎日取得し、7日間保持します。"),
        ("ラベル付け機能を提供しているか。", "×", "提供していません。"),
        ("ログを保存しているか。", "△", "一部のログのみ1年間保存します。"),
        ("装置を処分しているか。", "－", "AWSが実施します。"),
    ]
    found = read("\n".join([*head, *(cell for n, row in enumerate(body, 1) for cell in (str(n), *row))]) + "\n")
    assert [one.status for one in found.items] == ["Implemented", "Implemented", "NotProvided", "Partial", "Inherited"]
    assert [figures(one) for one in found.items] == [[], ["backup-frequency P1D", "backup-retention P7D"], [], ["log-retention P1Y"], []]


def test_numbers_that_start_again() -> None:
    """Sub-headings are counted where the numbers of the rows start again below them, and only there."""
    head = ("No.", "確認事項", "回答", "備考")
    text = (
        "3. 人的セキュリティ\n3.1 雇用前\n" + rows(head, ("1", "選考しているか。", "○", "しています。"), ("2", "契約しているか。", "○", "はい。"))
        + "3.2 雇用期間中\n" + rows(("1", "教育しているか。", "○", "年1回しています。"), ("2", "懲戒手続があるか。", "はい", "あります。"))
        + "4. 資産\n" + rows(("1", "台帳があるか。", "いいえ", "作成中です。"), ("2", "ラベル付けを行っているか。", "N/A", "該当なし"))
    )  # fmt: skip
    found = read(text)
    assert [one.number for one in found.items] == ["3-1-1", "3-1-2", "3-2-1", "3-2-2", "4-1", "4-2"]
    assert [one.status for one in found.items[3:]] == ["Implemented", "NotProvided", "NotApplicable"]


def test_a_question_put_the_other_way_round() -> None:
    """ "No" is the good answer to some questions; and a mark can contradict its remark."""
    text = rows(
        ("No.", "確認事項", "回答", "備考"),
        ("1", "データを海外に保存しているか。", "無", "日本国内のみに保存します。"),
        ("2", "データの二次利用はあるか。", "なし", "二次利用しません。"),
        ("3", "バックアップを取得しているか。", "有", "毎日"),
        ("4", "暗号化しているか。", "○", "暗号化には対応しておりません。"),
        ("5", "多要素認証に対応しているか。", "無", "対応しておりません。"),
    )
    found = read(text)
    assert [one.status for one in found.items] == ["Implemented", "Implemented", "Implemented", "NotProvided", "NotProvided"]
    assert found.items[3].contradiction


TABLES = (
    "| 管理策 | タイトル | 実施状況 | 内容 |\n|---|---|---|---|\n| 5.15 | アクセス制御 | ○ | 制御しています。 |\n"
    "| 8.13 | 情報のバックアップ | ○ | 毎日取得します。 |\n| 8.15 | ログ取得 | △ | 一部のログのみ90日間保存します。 |\n"
    "| 7.4 | 物理的セキュリティの監視 | － | AWSが実施しています。 |\n",
    "## 組織的管理策\n\n| 番号 | 管理策 | 当社の対応 |\n|---|---|---|\n| 5.15（旧 9.1.1） | アクセス制御 | 制御しています。 |\n\n"
    "## 技術的管理策\n\n| 番号 | 管理策 | 当社の対応 |\n|---|---|---|\n| 8.13（旧 12.3.1） | 情報のバックアップ | 毎日取得します。 |\n"
    "| 8.15（旧 12.4.1） | ログ取得 | 一部のログのみ90日間保存します。 |\n| 7.4 | 物理的セキュリティの監視 | AWSが実施しています。 |\n",
)


@pytest.mark.parametrize("table", TABLES)
def test_tables_of_markdown(table: str) -> None:
    """The number stands under "control" or "number", with the old one beside it; a chapter may divide the table."""
    found = read(f"# セキュリティ（ISO/IEC 27002:2022）\n\n{table}", "markdown")
    assert [(one.number, one.status) for one in found.items] == [
        ("5.15", "Implemented"), ("8.13", "Implemented"), ("8.15", "Partial"), ("7.4", "Inherited"),
    ]  # fmt: skip
    assert [figures(one) for one in found.items] == [[], ["backup-frequency P1D"], ["log-retention P90D"], []]


def test_two_columns() -> None:
    """A list of questions and answers without numbers is counted through."""
    table = "".join(
        f"| {question} | {answer} |\n"
        for question, answer in [
            ("項目", "回答"), ("---", "---"), ("バックアップ頻度", "毎日"), ("バックアップ保持期間", "14日"),
            ("データの保管場所", "東京リージョン"), ("稼働率", "99.9%以上"),
        ]
    )  # fmt: skip
    found = read(table, "markdown")
    assert [one.number for one in found.items] == ["1", "2", "3", "4"]
    assert [figures(one) for one in found.items] == [["backup-frequency P1D"], ["backup-retention P14D"], [], ["availability 99.9%"]]
    assert [place.code for place in found.items[2].locations] == ["JP-13"]


def test_a_paper_with_tables_is_no_sheet() -> None:
    """Tables below headings belong to their sections."""
    table = (
        "| 項目 | 内容 | 備考 |\n|---|---|---|\n| 取得頻度 | 毎日 | 深夜 |\n| 保持期間 | 14日 | 全プラン |\n| 方式 | フル | |\n| 暗号化 | 有 | |\n"
    )
    text = (
        "# ISO/IEC 27017 への対応\n\n## 9.2.1 利用者登録及び登録削除\n\n登録機能を提供しています。\n\n"
        f"## 12.3.1 情報のバックアップ\n\n{table}\n## 12.4.1 イベントログ取得\n\nログを保存します。\n\n"
    )
    found = read(text, "markdown")
    assert [one.number for one in found.items if one.number] == ["9.2.1", "12.3.1", "12.4.1"]
    assert figures(item(found, "12.3.1")) == ["backup-frequency P1D", "backup-retention P14D"]


ENGLISH = (
    ("A.5.1.1", "Policies for information security", "Implemented", "Reviewed every year.", "Implemented", ["review-frequency P1Y"]),
    ("A.8.2.2", "Labelling of information", "Not implemented", "The service has no labelling function.", "NotProvided", []),
    ("A.9.2.1", "User registration and de-registration", "Fully implemented", "Administrators can create users.", "Implemented", []),
    ("A.9.4.4", "Use of privileged utility programs", "Not applicable", "No utility programs are provided.", "NotApplicable", []),
    ("A.11.1.1", "Physical security perimeter", "Inherited", "Provided by AWS.", "Inherited", []),
    (
        "A.12.3.1",
        "Information backup",
        "Partial",
        "Daily backups, 14 days. No restore.",
        "Partial",
        ["backup-frequency P1D", "backup-retention P14D"],
    ),
    ("A.12.4.1", "Event logging", "Partially implemented", "Logs kept for 6 months; not provided to customers.", "Partial", ["log-retention P6M"]),
    ("A.12.6.1", "Management of technical vulnerabilities", "Planned", "Scanning will be introduced in 2027.", "Planned", []),
    ("A.16.1.1", "Responsibilities and procedures", "Implemented", "Notification within 24 hours.", "Implemented", ["incident-notice PT24H"]),
)


def test_an_english_sheet() -> None:
    """Status in words, numbers of the annex, answers as short as they are given."""
    head = ("Control ID", "Control title", "Implementation status", "Response")
    found = read("Security questionnaire based on ISO/IEC 27017\n\n" + rows(head, *(row[:4] for row in ENGLISH)))
    assert [(f"A.{one.number}", one.status, figures(one)) for one in found.items] == [(row[0], row[4], row[5]) for row in ENGLISH]
    provided = {(one.number, c.metric): c.provided for one in found.items for c in one.commitments if c.provided is not None}
    assert provided[("9.4.4", "privileged-utility")] is provided[("8.2.2", "labelling")] is provided[("12.3.1", "backup-restore")] is False
