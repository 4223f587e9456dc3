"""Every kind of figure that papers promise, in the words of both languages, and figures that promise nothing."""

from __future__ import annotations

import pytest

from sekinin.reading import files, paper
from sekinin.reading.results import Commitment, kind_of

SIGNS = {"AtLeast": ">", "AtMost": "<", "Approximately": "~", "Exactly": ""}
"""After a figure: at least, at most, about; ``b`` for business days, ``g`` for generations, ``T`` target, ``P`` in principle."""
UNITS = {"BusinessDay": "b", "BusinessHour": "b", "Generation": "g", "Bit": "bit", "Item": "x"}


JAPANESE = (
    ("12.3.1|情報のバックアップ", "バックアップは１日１回取得し、３世代分を保管します。", "backup_frequency=P1D;backup_generations=3g"),
    ("12.3.1|情報のバックアップ", "バックアップは毎日深夜2時に取得し、30日分保持しています。", "backup_frequency=P1D;backup_retention=P30D"),
    ("12.3.1|情報のバックアップ", "バックアップは日次で取得し、保存期間は2週間です。", "backup_frequency=P1D;backup_retention=P2W"),
    ("12.3.1|情報のバックアップ", "6時間ごとにスナップショットを取得し、14日間保存します。", "backup_frequency=PT6H;backup_retention=P14D"),
    ("12.3.1|情報のバックアップ", "週に1回フルバックアップ、毎日差分バックアップを取得しています。", "backup_frequency=P1W;backup_frequency=P1D"),
    ("12.3.1|情報のバックアップ", "保存世代数：7世代", "backup_generations=7g"),
    ("12.3.1|情報のバックアップ", "保管期間：90日", "backup_retention=P90D"),
    ("12.3.1|情報のバックアップ", "復元テストは年1回実施しています。", "backup_test_frequency=P1Y"),
    ("12.3.1|情報のバックアップ", "リストア訓練を半年に1回行います。", "backup_test_frequency=P6M"),
    ("12.3.1|情報のバックアップ", "RPO：24時間、RTO：4時間", "rpo=PT24H<;rto=PT4H<"),
    ("12.3.1|情報のバックアップ", "目標復旧時点（RPO）は1時間、目標復旧時間（RTO）は8時間です。", "rpo=PT1H<T;rto=PT8H<T"),
    ("12.3.1|情報のバックアップ", "バックアップデータは、契約終了後三十日で消去されます。", "data_deletion=P30D"),
    (
        "12.3.1|情報のバックアップ",
        "バックアップの保持期間は、スタンダードプランで7日間、エンタープライズプランで30日間です。",
        "backup_retention=P7D;backup_retention=P30D",
    ),
    ("12.4.1|イベントログ取得", "アクセスログは1年間保管しています。", "log_retention=P1Y"),
    ("12.4.1|イベントログ取得", "操作ログの保存期間は13か月です。", "log_retention=P13M"),
    ("12.4.1|イベントログ取得", "ログの保存期間はシステムログが90日、監査ログが1年です。", "log_retention=P90D;log_retention=P1Y"),
    ("12.4.1|イベントログ取得", "ログは最低6か月間保存します。", "log_retention=P6M>"),
    ("CLD.8.1.5|クラウドサービスカスタマの資産の除去", "ご解約後30日経過後に、全てのデータを削除いたします。", "data_deletion=P30D"),
    ("CLD.8.1.5|クラウドサービスカスタマの資産の除去", "契約終了から60日以内にお客様データを完全に消去します。", "data_deletion=P60D<"),
    ("CLD.8.1.5|クラウドサービスカスタマの資産の除去", "契約終了後、データは３ヶ月間保持した後、消去します。", "data_deletion=P3M"),
    ("CLD.8.1.5|クラウドサービスカスタマの資産の除去", "契約終了日の翌日から30日間はデータをエクスポートできます。", "data_export=P30D"),
    (
        "CLD.8.1.5|クラウドサービスカスタマの資産の除去",
        "解約日の翌営業日にアクセスを停止し、90日後に全データを消去します。",
        "access_termination=P1Db;data_deletion=P90D",
    ),
    ("12.1.2|変更管理", "メンテナンスは7営業日前までにメールで通知します。", "maintenance_notice=P7Db>"),
    (
        "12.1.2|変更管理",
        "計画メンテナンスは2週間前、1週間前、前日にお知らせします。",
        "maintenance_notice=P2W>;maintenance_notice=P1W>;maintenance_notice=P1D>",
    ),
    ("12.1.2|変更管理", "サービスに影響のある変更は、少なくとも14日前に管理画面でご案内します。", "maintenance_notice=P14D>"),
    ("12.1.2|変更管理", "サービスを終了する場合は、6か月前までに通知します。", "service_termination_notice=P6M>"),
    ("12.1.2|変更管理", "サービスの廃止は、少なくとも1年前に告知いたします。", "service_termination_notice=P1Y>"),
    ("15.1.2|供給者との合意におけるセキュリティの取扱い", "再委託先を追加する場合は30日前までに通知します。", "subprocessor_notice=P30D>"),
    ("16.1.1|責任及び手順", "重大なインシデントを検知した場合、24時間以内に第一報を通知します。", "incident_notification=PT24H<"),
    ("16.1.1|責任及び手順", "情報漏えいを確認した場合は72時間以内にご報告します。", "incident_notification=PT72H<"),
    ("16.1.1|責任及び手順", "インシデント発生時は、原則として1営業日以内に通知します。", "incident_notification=P1Db<P"),
    ("16.1.2|情報セキュリティ事象の報告", "障害発生時は30分以内にステータスページでお知らせします。", "fault_notification=PT30M<"),
    ("9.4.2|セキュリティに配慮したログオン手順", "30分間操作がない場合、自動的にログアウトします。", "session_timeout=PT30M"),
    ("9.4.2|セキュリティに配慮したログオン手順", "セッションの有効期限は12時間です。", "session_timeout=PT12H"),
    ("9.2.4|利用者の秘密認証情報の管理", "パスワードは10文字以上とし、英数字記号を含む必要があります。", "password_policy=10x>"),
    ("9.2.4|利用者の秘密認証情報の管理", "パスワードは5回連続で誤るとロックされます。", ""),
    ("10.1.1|暗号による管理策の利用方針", "通信はTLS1.2以上で暗号化しています。", "tls_versions=TLS1.2/TLS1.3"),
    ("10.1.1|暗号による管理策の利用方針", "TLS 1.2及び1.3に対応しています。", "tls_versions=TLS1.2/TLS1.3"),
    ("10.1.1|暗号による管理策の利用方針", "TLS1.3のみを使用します。", "tls_versions=TLS1.3"),
    ("10.1.1|暗号による管理策の利用方針", "保存データはAES-256で暗号化しています。", "encryption_strength=256bit"),
    ("10.1.1|暗号による管理策の利用方針", "AES（256bit）により暗号化します。", "encryption_strength=256bit"),
    ("10.1.1|暗号による管理策の利用方針", "鍵長は2048ビットです。", "encryption_strength=2048bit"),
    ("10.1.2|鍵管理", "暗号鍵は1年ごとにローテーションします。", "key_rotation=P1Y"),
    ("10.1.2|鍵管理", "鍵は年次で自動更新しています。", "key_rotation=P1Y"),
    ("12.6.1|技術的ぜい弱性の管理", "脆弱性診断を年2回実施しています。", "vulnerability_assessment=P6M"),
    ("12.6.1|技術的ぜい弱性の管理", "第三者によるペネトレーションテストを年に1回実施しています。", "penetration_test_frequency=P1Y"),
    ("12.6.1|技術的ぜい弱性の管理", "緊急度の高いパッチは公開後3営業日以内に適用します。", "patch_sla=P3Db<"),
    ("12.6.1|技術的ぜい弱性の管理", "深刻度が高い脆弱性は14日以内に対応します。", "vulnerability_response=P14D<"),
    ("17.2.1|情報処理施設の可用性", "月間稼働率99.9％以上を保証します。", "availability=99.9%>"),
    ("17.2.1|情報処理施設の可用性", "稼働率の目標値は99.95%です。", "availability=99.95%>T"),
    ("17.2.1|情報処理施設の可用性", "昨年度の稼働率の実績は99.99%です。", "availability=99.99%>!record"),
    ("17.2.1|情報処理施設の可用性", "RTOは4時間、RPOは15分を目標としています。", "rto=PT4H<T;rpo=PT15M<T"),
    ("17.2.1|情報処理施設の可用性", "サービス提供時間は24時間365日です。", "service_hours=24x7"),
    ("CLD.12.4.5|クラウドサービスの監視", "サーバの稼働状況を5分間隔で監視しています。", "monitoring_interval=PT5M"),
    ("CLD.12.4.5|クラウドサービスの監視", "死活監視は1分ごとに実施します。", "monitoring_interval=PT1M"),
    ("7.2.2|情報セキュリティの意識向上、教育及び訓練", "従業員に対して年1回以上セキュリティ教育を実施しています。", "training_frequency=P1Y<"),
    ("18.2.1|情報セキュリティの独立したレビュー", "内部監査を年1回実施しています。", "audit_frequency=P1Y"),
    ("5.1.1|情報セキュリティのための方針群", "方針は年に1回見直します。", "review_frequency=P1Y"),
    ("9.2.5|利用者アクセス権のレビュー", "管理者権限は四半期ごとに棚卸しを行います。", "review_frequency=P3M"),
    ("6.1.1|情報セキュリティの役割及び責任", "お問い合わせには1営業日以内に回答します。", "support_response=P1Db<"),
    ("6.1.1|情報セキュリティの役割及び責任", "サポートは平日9時から18時まで受け付けています。", "support_hours"),
    ("6.1.1|情報セキュリティの役割及び責任", "APIは1分あたり100リクエストまで利用できます。", "rate_limit=100x<"),
    ("6.1.1|情報セキュリティの役割及び責任", "レートリミット：1時間あたり1,000回", "rate_limit=1000x"),
    ("12.3.1|情報のバックアップ", "データセンターの自家発電機は48時間稼働できます。", ""),
    ("7.2.2|情報セキュリティの意識向上、教育及び訓練", "入社後3か月は試用期間とします。", "probation=P3M"),
    ("12.1.2|変更管理", "解約を希望される場合は、30日前までにご連絡ください。", ""),
    ("9.2.4|利用者の秘密認証情報の管理", "お客様は90日ごとにパスワードを変更してください。", ""),
    ("12.3.1|情報のバックアップ", "バックアップは、毎週日曜日に取得し、4週間保存します。", "backup_frequency=P1W;backup_retention=P4W"),
    ("12.3.1|情報のバックアップ", "過去5世代までさかのぼって復元可能です。", "backup_generations=5g<"),
    ("12.3.1|情報のバックアップ", "バックアップは1日1回以上取得し、最大35日間保持します。", "backup_frequency=P1D<;backup_retention=P35D<"),
    ("12.4.1|イベントログ取得", "ログはオンラインで3か月、アーカイブで1年間保存します。", "log_retention=P3M;log_retention=P1Y"),
    ("12.4.4|クロックの同期", "1時間に1回NTPサーバと同期しています。", ""),
    ("12.1.2|変更管理", "緊急メンテナンスの場合は事後の通知となることがあります。", ""),
    (
        "CLD.8.1.5|クラウドサービスカスタマの資産の除去",
        "ご解約の翌日から起算して60日が経過した後、すべてのデータを削除します。",
        "data_deletion=P60D",
    ),
    (
        "12.1.2|変更管理",
        "定期保守は毎月第3木曜日に実施し、2週間前と前日に管理画面でお知らせします。",
        "maintenance_notice=P2W>;maintenance_notice=P1D>",
    ),
    ("12.3.1|情報のバックアップ", "復元手順の確認は年2回行います。", "backup_test_frequency=P6M"),
    ("16.1.1|責任及び手順", "原則3営業日以内に電子メールで通知します。", "incident_notification=P3Db<P"),
    ("16.1.1|責任及び手順", "異常に気付かれた場合は、サポート窓口（平日9時30分～17時30分）までご連絡ください。", "support_hours"),
    ("10.1.1|暗号による管理策の利用方針", "保存データはAES128bitで暗号化。", "encryption_strength=128bit"),
    ("CLD.12.4.5|クラウドサービスの監視", "死活監視は毎分実施します。", "monitoring_interval=PT1M"),
    ("12.4.4|クロックの同期", "基盤事業者が提供するNTPサーバと同期しています。", "time_source"),
    ("8.2.2|情報のラベル付け", "データに「タグ」を付ける機能を提供しています。", "labelling"),
    ("12.6.1|技術的ぜい弱性の管理", "年に2回、外部業者による脆弱性診断を受けています。", "vulnerability_assessment=P6M"),
    ("7.2.2|情報セキュリティの意識向上、教育及び訓練", "従業員の教育は年4回実施しています。", "training_frequency=P3M"),
    ("12.3.1|情報のバックアップ", "個別の復元のご依頼は承っておりません。", "backup_restore"),
    ("12.4.1|イベントログ取得", "取得したログは半年間保管します。", "log_retention=P6M"),
    ("12.3.1|情報のバックアップ", "復元の訓練を半年に一度行います。", "backup_test_frequency=P6M"),
)
ENGLISH = (
    ("12.3.1|Information backup", "Backups are taken daily and retained for 30 days.", "backup_frequency=P1D;backup_retention=P30D"),
    ("12.3.1|Information backup", "We take a full backup once a week and keep four generations.", "backup_frequency=P1W;backup_generations=4g"),
    (
        "12.3.1|Information backup",
        "Snapshots are taken every six hours and kept for fourteen (14) days.",
        "backup_frequency=PT6H;backup_retention=P14D",
    ),
    ("12.3.1|Information backup", "Restore tests are carried out twice a year.", "backup_test_frequency=P6M"),
    ("12.3.1|Information backup", "The recovery point objective is 1 hour and the recovery time objective is 4 hours.", "rpo=PT1H<T;rto=PT4H<T"),
    (
        "12.3.1|Information backup",
        "Backups are retained for 7 days on the Basic plan and 35 days on the Business plan.",
        "backup_retention=P7D;backup_retention=P35D",
    ),
    ("12.3.1|Information backup", "Backups are overwritten after 35 days.", "data_deletion=P35D"),
    ("12.4.1|Event logging", "Audit logs are retained for at least 12 months.", "log_retention=P12M>"),
    ("12.4.1|Event logging", "Access logs are available for 90 days in the console.", "log_retention=P90D"),
    (
        "CLD.8.1.5|Removal of cloud service customer assets",
        "All customer data will be deleted within thirty (30) days of termination.",
        "data_deletion=P30D<",
    ),
    ("CLD.8.1.5|Removal of cloud service customer assets", "After termination customers have 30 days to export their data.", "data_export=P30D"),
    ("CLD.8.1.5|Removal of cloud service customer assets", "Accounts are disabled on the next business day.", "access_termination=P1Db"),
    ("12.1.2|Change management", "Customers are notified of planned maintenance at least 5 business days in advance.", "maintenance_notice=P5Db>"),
    ("12.1.2|Change management", "We give 14 days' notice of changes that affect the service.", "maintenance_notice=P14D>"),
    ("12.1.2|Change management", "We announce the discontinuation of the service six months in advance.", "service_termination_notice=P6M>"),
    ("12.1.2|Change management", "If we end the service we will give customers at least 90 days' notice.", "service_termination_notice=P90D>"),
    (
        "15.1.2|Addressing security within supplier agreements",
        "We will notify you 30 days before engaging a new sub-processor.",
        "subprocessor_notice=P30D>",
    ),
    (
        "16.1.1|Responsibilities and procedures",
        "Customers are informed of security incidents within 72 hours of detection.",
        "incident_notification=PT72H<",
    ),
    (
        "16.1.1|Responsibilities and procedures",
        "We notify affected customers without undue delay and no later than 48 hours after becoming aware of a breach.",
        "incident_notification=PT48H<",
    ),
    ("16.1.2|Reporting information security events", "Outages are announced on the status page within 15 minutes.", "fault_notification=PT15M<"),
    ("9.4.2|Secure log-on procedures", "Sessions expire after 30 minutes of inactivity.", "session_timeout=PT30M"),
    ("9.4.2|Secure log-on procedures", "Users are logged out automatically after 15 minutes.", "session_timeout=PT15M"),
    ("9.4.3|Password management system", "Passwords must have at least 12 characters.", "password_policy=12x>"),
    ("10.1.1|Policy on the use of cryptographic controls", "All traffic is encrypted with TLS 1.2 or higher.", "tls_versions=TLS1.2/TLS1.3"),
    (
        "10.1.1|Policy on the use of cryptographic controls",
        "We support TLS 1.2 and TLS 1.3; TLS 1.0 and 1.1 are disabled.",
        "tls_versions=TLS1.2/TLS1.3",
    ),
    ("10.1.1|Policy on the use of cryptographic controls", "Data at rest is encrypted with AES-256.", "encryption_strength=256bit"),
    ("10.1.1|Policy on the use of cryptographic controls", "Certificates use 2048-bit RSA keys.", "encryption_strength=2048bit"),
    ("10.1.2|Key management", "Keys are rotated every 12 months.", "key_rotation=P12M"),
    ("10.1.2|Key management", "Keys are rotated annually.", "key_rotation=P1Y"),
    ("12.6.1|Management of technical vulnerabilities", "Critical patches are applied within 7 days of release.", "patch_sla=P7D<"),
    ("12.6.1|Management of technical vulnerabilities", "Critical vulnerabilities are remediated within 30 days.", "vulnerability_response=P30D<"),
    (
        "12.6.1|Management of technical vulnerabilities",
        "An independent firm performs a penetration test every year.",
        "penetration_test_frequency=P1Y",
    ),
    ("12.6.1|Management of technical vulnerabilities", "We run vulnerability scans monthly.", "vulnerability_assessment=P1M"),
    ("17.2.1|Availability of information processing facilities", "We guarantee a monthly uptime of 99.9%.", "availability=99.9%>"),
    ("17.2.1|Availability of information processing facilities", "The target availability is 99.95 percent.", "availability=99.95%>T"),
    ("17.2.1|Availability of information processing facilities", "Last year the availability was 99.99%.", "availability=99.99%>!record"),
    ("17.2.1|Availability of information processing facilities", "The service is available 24/7.", "service_hours=24x7"),
    ("CLD.12.4.5|Monitoring of cloud services", "Servers are monitored every five minutes.", "monitoring_interval=PT5M"),
    ("7.2.2|Information security awareness, education and training", "All employees receive security training every year.", "training_frequency=P1Y"),
    ("7.2.2|Information security awareness, education and training", "Staff are trained at least once a year.", "training_frequency=P1Y<"),
    ("18.2.1|Independent review of information security", "Internal audits take place every six months.", "audit_frequency=P6M"),
    ("5.1.1|Policies for information security", "The policies are reviewed annually.", "review_frequency=P1Y"),
    ("9.2.5|Review of user access rights", "Access rights are reviewed quarterly.", "review_frequency=P3M"),
    ("6.1.1|Information security roles and responsibilities", "Support requests are answered within 1 business day.", "support_response=P1Db<"),
    ("6.1.1|Information security roles and responsibilities", "We aim to respond to inquiries within 4 business hours.", "support_response=PT4Hb<T"),
    ("6.1.1|Information security roles and responsibilities", "Support is available Monday to Friday, 9:00 to 17:00.", "support_hours"),
    ("6.1.1|Information security roles and responsibilities", "The API is limited to 100 requests per minute.", "rate_limit=100x"),
    ("6.1.1|Information security roles and responsibilities", "Customers must cancel at least 30 days before renewal.", ""),
    ("9.4.3|Password management system", "You must change your password every 90 days.", ""),
    ("12.3.1|Information backup", "The generators of the data centre run for 48 hours.", ""),
    ("16.1.1|Responsibilities and procedures", "Customers must report incidents to us within 24 hours.", ""),
    ("12.4.4|Clock synchronisation", "All servers synchronise with a public time service.", "time_source"),
    ("CLD.12.4.5|Monitoring of cloud services", "Health checks run every minute.", "monitoring_interval=PT1M"),
    (
        "7.2.2|Information security awareness, education and training",
        "All employees complete security training every twelve months.",
        "training_frequency=P12M",
    ),
    (
        "CLD.8.1.5|Removal of cloud service customer assets",
        "When you close your account, we delete your data within 30 days; backups are purged after a further 21 days.",
        "data_deletion=P30D<;data_deletion=P21D",
    ),
    ("18.2.1|Independent review of information security", "Internal audits are held four times a year.", "audit_frequency=P3M"),
)


def shown(one: Commitment) -> str:
    kind = kind_of(one.metric)
    if one.quantity is None:
        return f"{kind}={'/'.join(one.values)}" if kind == "tls_versions" else kind
    firm = {"Target": "T", "InPrinciple": "P"}.get(one.bindingness, "")
    record = "!record" if one.record else ""
    return f"{kind}={one.quantity.iso}{UNITS.get(one.quantity.unit, '')}{SIGNS[one.quantity.comparator]}{record}{firm}"


@pytest.mark.parametrize(("heading", "sentence", "expected"), [*JAPANESE, *ENGLISH])
def test_kinds(heading: str, sentence: str, expected: str) -> None:
    """The sentence gives these kinds with these figures, and no other figure."""
    japanese = not sentence.isascii()
    others = (("12.1.3", "容量・能力の管理", "Capacity management"), ("18.2.3", "技術的順守のレビュー", "Technical compliance review"))
    before, after = (f"{n} {ja if japanese else en}\n\n{'行っています。' if japanese else 'We do so.'}\n\n" for n, ja, en in others)
    text = f"ISO/IEC 27017\n\n{before}{heading.replace('|', ' ')}\n\n{sentence}\n\n{after}"
    reading = paper.understand(files.Source("acme", "text", text, files.pages_of(text)))
    number = heading.split("|")[0]
    found = {shown(one) for item in reading.items if item.number == number for one in item.commitments}
    assert any(item.number == number for item in reading.items)
    assert {one for one in found if "=" in one or one in expected.split(";")} == set(filter(None, expected.split(";")))
