"""Who must do what, who holds which certificate, and where data lies: lists, blocks, tables, nicknames, in both languages."""

from __future__ import annotations

import re

import pytest

from sekinin.reading import files, paper
from sekinin.reading.results import Item

JAPANESE = (
    "ISO/IEC 27017 ホワイトペーパー\n株式会社ヤマビコ（以下「ヤマビコ」）\n本サービスを契約した法人（以下、ご契約企業）\n\n"
    "12.1.2 変更管理\n事前に通知します。\n\n12.3.1 情報のバックアップ\n毎日取得します。\n\n"
)
ENGLISH = (
    'Security statement after ISO/IEC 27017\nAcme Inc. (hereinafter "Acme")\n\n'
    "12.1.2 Change management\nWe notify changes.\n\n12.3.1 Information backup\nWe take daily backups.\n\n"
)
SHARED = (
    "CLD.6.3.1|クラウドコンピューティング環境における役割及び責任の共有及び分担",
    "CLD.6.3.1|Shared roles and responsibilities within a cloud computing environment",
)


def last(body: str, heading: str, form: str = "text", before: str = "") -> Item:
    text = f"{before}\n\n" + (ENGLISH if heading.isascii() else JAPANESE) + f"{heading.replace('|', ' ')}\n\n{body}\n"
    found = paper.understand(files.Source("acme", form, text, files.pages_of(text)))
    return next(one for one in reversed(found.items) if one.number == re.split("[ |]", heading)[0])


def duties(one: Item) -> str:
    return " ".join(duty.party for duty in one.duties)


@pytest.mark.parametrize(
    "body",
    [
        "利用者：アカウントを適切に管理する。\n当社：アプリケーションを運用する。\nAWS：データセンターを管理する。",
        "お客様 ： アカウントの管理\nヤマビコ ： アプリケーションの運用\nデータセンター事業者 ： 物理的な管理",
        "■お客様の責任\n・アカウントの管理\n\n■当社の責任\n・アプリケーションの運用\n\n■クラウド基盤事業者（AWS）の責任\n・物理的セキュリティ",
        "ご契約企業は、利用者IDを管理する責任を負います。\nヤマビコはアプリケーションを運用します。\nデータセンターの物理的な管理はAWSが行います。",
    ],
)
def test_blocks_and_lists(body: str) -> None:
    """One duty for each party, told by a colon, a signed heading or a declared name."""
    assert duties(last(body, SHARED[0])) == "customer csp infrastructure"


@pytest.mark.parametrize(
    "body",
    [
        "Customer: manages accounts and data.\nAcme: operates the application.\nAWS: operates the data centres.",
        "Customers are responsible for:\n- managing accounts\n\nAcme is responsible for:\n- patching\n\nAWS is responsible for:\n- physical security",
        "The customer is responsible for its accounts. We operate the application. AWS is responsible for the data centres.",
        "You must manage your accounts. Acme operates the application. The data centres are operated by AWS.",
    ],
)
def test_blocks_and_lists_in_english(body: str) -> None:
    assert duties(last(body, SHARED[1])) == "customer csp infrastructure"


@pytest.mark.parametrize(
    ("heads", "none"), [("| 領域 | お客様 | 当社 | AWS |", "－"), ("| Area | Customer | Provider | AWS |", "n/a"), ("領域\t利用者\tCSP\tAWS", "-")]
)
def test_tables(heads: str, none: str) -> None:
    """A cell is a duty, a dash is the absence of one, and both are recorded."""
    rows = [("データ", "data", "管理", none, none), ("アプリケーション", "application", none, "運用", none), ("物理", "physical", none, none, "管理")]
    heading = SHARED[0]
    glue = "\t" if "\t" in heads else " | "
    lines = [glue.join([name, *cells]) for name, _, *cells in rows]
    body = "\n".join([heads, *lines]) if "\t" in heads else "\n".join([heads, "|---|---|---|---|", *(f"| {line} |" for line in lines)])
    found = last(body, heading)
    assert duties(found) == "customer csp infrastructure"
    assert [(one.area, one.party) for one in found.assignments if one.printed] == [
        ("data", "customer"), ("application", "csp"), ("physical", "infrastructure"),
    ]  # fmt: skip
    assert sum(1 for one in found.assignments if not one.printed) == 6


@pytest.mark.parametrize(
    ("sentence", "party"),
    [
        ("パスワードは速やかに変更してください。", "customer"),
        ("ログの保管はお客様にてお願いいたします。", "customer"),
        ("お客様には、共有設定の確認をお願いしております。", "customer"),
        ("お客様の責任において、データの分類を実施していただく必要があります。", "customer"),
        ("利用者は権限を設定することができます。", ""),
        ("詳細は利用規約をご参照ください。", ""),
        ("規格では、利用者が手順を定めることが求められています。", ""),
        ("準拠法は日本法です。", ""),
        ("当社は監視を実施しています。", "csp"),
        ("物理的な監視はAWSが実施しています。", "infrastructure"),
        ("ラベル付けの機能は提供しておりません。", ""),
    ],
)
def test_what_is_a_duty(sentence: str, party: str) -> None:
    """Asked and bound are duties; allowed, pointed at, required by the standard, stated or denied are not."""
    assert duties(last(sentence, "9.4.1 情報へのアクセス制限")) == party


@pytest.mark.parametrize(
    ("sentence", "party"),
    [
        ("Customers must enable multi-factor authentication.", "customer"),
        ("The customer is responsible for its own backups.", "customer"),
        ("Please report any misuse to us.", "customer"),
        ("Customers can restrict access by IP address.", ""),
        ("ISO/IEC 27017 requires customers to define procedures.", ""),
        ("Please refer to the terms of service.", ""),
        ("We do not offer labelling.", ""),
        ("We restrict access to customer data.", "csp"),
        ("Physical access is controlled by AWS.", "infrastructure"),
        ("AWS is responsible for physical security.", "infrastructure"),
    ],
)
def test_what_is_a_duty_in_english(sentence: str, party: str) -> None:
    assert duties(last(sentence, "9.4.1 Information access restriction")) == party


STATUS = (
    ("バックアップ機能は提供しておりません。", "NotProvided"),
    ("バックアップは取得していません。", "NotProvided"),
    ("未対応です。", "NotProvided"),
    ("復元は承っておりません。", "NotProvided"),
    ("開示はいたしかねます。", "NotProvided"),
    ("お客様にて取得をお願いします。当社ではバックアップを取得していません。", "NotProvided"),
    ("一部のサービスについてのみ、バックアップを提供しています。", "Partial"),
    ("バックアップを取得していますが、復元のご依頼には応じておりません。", "Partial"),
    ("部分的に対応しています。", "Partial"),
    ("対象外", "NotApplicable"),
    ("該当いたしません。", "NotApplicable"),
    ("バックアップはAWSの責任範囲です。", "Inherited"),
    ("クラウド基盤事業者（AWS）が実施します。", "Inherited"),
    ("バックアップは、Microsoft Azureの機能により実施されています。", "Inherited"),
    ("今後対応予定です。", "Planned"),
    ("現在検討中です。", "Planned"),
    ("利用規約をご参照ください。", "Deferred"),
    ("下図のとおりです。", "InFigure"),
    ("記載なし", "NotAddressed"),
    ("他のお客様のバックアップにアクセスすることはできません。", "Implemented"),
    ("Backups are taken daily. Restoration on request is not offered.", "Partial"),
    ("Backups cover the database only; uploaded files are not backed up.", "Partial"),
    ("Backups cover the database, but not uploaded files.", "Partial"),
    ("Partially implemented.", "Partial"),
    ("We do not offer this function.", "NotProvided"),
    ("Backup is not available.", "NotProvided"),
    ("We currently have no backup function.", "NotProvided"),
    ("We have not implemented this control.", "NotProvided"),
    ("Not applicable.", "NotApplicable"),
    ("Out of scope.", "NotApplicable"),
    ("AWS is responsible for the backups.", "Inherited"),
    ("Inherited from AWS.", "Inherited"),
    ("Backups are performed by Amazon Web Services.", "Inherited"),
    ("Planned for 2026.", "Planned"),
    ("We plan to introduce backups in 2026.", "Planned"),
    ("This is under consideration.", "Planned"),
    ("Please refer to the terms of service.", "Deferred"),
    ("See the figure below.", "InFigure"),
    ("Customers of one tenant cannot be given the data of other tenants.", "Implemented"),
    ("Implemented. Backups are taken.", "Implemented"),
)


@pytest.mark.parametrize(("sentence", "status"), STATUS)
def test_status(sentence: str, status: str) -> None:
    """The wordings in which papers say done, denied, in part, not arising, another's, planned, elsewhere, or nothing."""
    assert (
        last(sentence, "17.2.1 Availability of information processing facilities" if sentence.isascii() else "17.2.1 情報処理施設の可用性").status
        == status
    )


def test_certificates() -> None:
    """The platform's stand beside the provider's own; planned, not held and lapsed are told apart."""
    body = (
        "当社はISO/IEC 27001認証を取得しています。ISO/IEC 27017認証は2026年度の取得を予定しています。AWSはSOC 2の監査を受けています。"
        "ISO/IEC 27018は取得していません。PCI DSSの認証は2023年に失効しました。"
    )
    found = last(body, "18.2.1 情報セキュリティの独立したレビュー")
    assert [(one.standard, one.state, one.holder) for one in found.certificates] == [
        ("iso27001", "held", "csp"), ("iso27017", "planned", "csp"), ("soc-2", "audited", "infrastructure"),
        ("iso27018", "not_held", "csp"), ("pci-dss", "not_held", "csp"),
    ]  # fmt: skip


def test_certificates_in_english() -> None:
    body = (
        "We are certified to ISO/IEC 27001. Certification to ISO/IEC 27017 is planned for 2026. We have applied for SOC 2. "
        "AWS holds ISO/IEC 27018. Our ISO 9001 certificate has expired. We do not hold PCI DSS."
    )
    found = last(body, "18.2.1 Independent review of information security")
    assert [(one.standard, one.state, one.holder) for one in found.certificates] == [
        ("iso27001", "held", "csp"), ("iso27017", "planned", "csp"), ("soc-2", "planned", "csp"),
        ("iso27018", "held", "infrastructure"), ("iso9001", "not_held", "csp"), ("pci-dss", "not_held", "csp"),
    ]  # fmt: skip


def test_places() -> None:
    """Places are split by category of data; the seat of the company is none of them."""
    body = (
        "当社の所在地は東京都です。お客様のデータは日本国内（東京リージョン）に保存し、"
        "バックアップは大阪リージョンに保存します。ログはシンガポールに保存します。"
    )
    found = last(body, "6.1.3 関係当局との連絡")
    assert [(one.category, one.code) for one in found.locations] == [("CustomerData", "JP-13"), ("BackupData", "JP-27"), ("LogData", "SG")]
    body = (
        "The company is located in Osaka. Customer data is stored in Frankfurt, Germany. Backups are stored in Ireland. Logs are kept in us-east-1."
    )
    found = last(body, "6.1.3 Contact with authorities")
    assert [(one.category, one.code) for one in found.locations] == [("CustomerData", "DE"), ("BackupData", "IE"), ("LogData", "US-VA")]


@pytest.mark.parametrize(
    ("declared", "sentence"),
    [
        ("本サービスを契約されたお客様企業を「加盟店」、加盟店の従業員を「利用メンバー」と呼びます。", "加盟店は、権限を見直す責任を負います。"),
        (
            "本サービスを契約されたお客様企業を「加盟店」、加盟店の従業員を「利用メンバー」と呼びます。",
            "利用メンバーは、端末を管理する責任を負います。",
        ),
        ("本サービスの利用を申し込んだ者（以下「申込者」といいます。）", "申込者は、権限を見直す責任を負います。"),
        ('Organisations that subscribe to the service are called "Members".', "Members are responsible for their accounts."),
        ('Businesses who signed a contract (hereinafter "the Shop")', "The Shop must review its accounts."),
    ],
)
def test_names_that_a_paper_declares(declared: str, sentence: str) -> None:
    """The customer is known by the name that the paper gives it."""
    heading = "9.4.1 Information access restriction" if sentence.isascii() else "9.4.1 情報へのアクセス制限"
    assert duties(last(sentence, heading, before=declared)) == "customer"


def test_a_table_with_heads() -> None:
    """Each cell answers what stands over it and before it, and a dash answers nothing."""
    table = (
        "| 対象 | 頻度 | 保持期間 | 保管場所 |\n|---|---|---|---|\n| データベース | 1時間ごと | 35日間 | 西日本リージョン |\n"
        "| 添付ファイル | 1日1回 | 14日間 | － |\n"
    )
    found = last(table, "12.3.1 情報のバックアップ", "markdown")
    assert [f"{c.metric} {c.quantity.iso}" for c in found.commitments if c.quantity] == [
        "backup-frequency PT1H", "backup-retention P35D", "backup-frequency P1D", "backup-retention P14D",
    ]  # fmt: skip
    assert [(place.category, place.code) for place in found.locations] == [("BackupData", "JP-27")]


def test_values_by_plan() -> None:
    table = "| 項目 | Standard | Enterprise |\n|---|---|---|\n| ログの保存 | 90日 | 1年 |\n| 稼働率 | 99.5%以上 | 99.9%以上 |\n"
    found = last(table, "17.2.1 情報処理施設の可用性", "markdown")
    assert [f"{c.metric} {c.quantity.iso}" for c in found.commitments if c.quantity] == [
        "log-retention P90D", "log-retention P1Y", "availability 99.5%", "availability 99.9%",
    ]  # fmt: skip


def test_places_in_a_list() -> None:
    """A line that names a place answers the bullet before it, and the list counts, not the sentence that announces it."""
    body = "データの所在は日本国内、アメリカ合衆国となります。以下のとおりです。\n\n・ 契約データ\n日本国内\n・ アクセスログ\nアメリカ合衆国\n"
    found = last(body, "6.1.3 関係当局との連絡")
    assert [(one.category, one.code) for one in found.locations] == [("CustomerData", "JP"), ("LogData", "US")]


@pytest.mark.parametrize(
    ("sentence", "codes"),
    [
        ("お客様のデータは千葉県のデータセンターに保管しています。", ["JP-12"]),
        ("お客様のデータは国内（東京及び大阪）のデータセンターに保管しています。", ["JP-13", "JP-27"]),
        ("データはオーストラリアと英国に保存されます。", ["AU", "GB"]),
        ("データはGoogle Cloudのasia-northeast1に保存します。", ["JP-13"]),
        ("Customer data is stored in Sydney and Montreal.", ["AU", "CA"]),
        ("Data is hosted in ap-south-1 and eu-north-1.", ["IN", "SE"]),
    ],
)
def test_places_by_name_and_region(sentence: str, codes: list[str]) -> None:
    """Prefectures, countries, cities of data centres and the codes of regions."""
    heading = "6.1.3 Contact with authorities" if sentence.isascii() else "6.1.3 関係当局との連絡"
    assert sorted(place.code for place in last(sentence, heading).locations) == codes
