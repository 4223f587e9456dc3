"""The words of the interface, Japanese and English in one table, and the language of a request."""

from __future__ import annotations

from typing import Final

from flask import g, request

LANGUAGES: Final = ("ja", "en")

WORDS: Final[dict[str, tuple[str, str]]] = {
    "title": ("責任 — クラウドの責任分担", "Sekinin — who is responsible for what in the cloud"),
    "lead": (
        "クラウド事業者が公表する5つのセキュリティ文書から、責任分担、義務、約束を読み取り、記載箇所とともに示します。",
        "Responsibility splits, duties and commitments, read from five published security papers, each with the place where it is said.",
    ),
    "services": ("サービス", "Services"),
    "provider": ("提供者", "Provider"),
    "controls": ("管理策への記載", "Controls"),
    "duties": ("義務", "Duties"),
    "customer-duties": ("利用者の義務", "Duties of the customer"),
    "commitments": ("約束", "Commitments"),
    "split": ("責任分担（領域 × 層）", "Responsibility split (areas × layers)"),
    "area": ("領域", "Area"),
    "duty": ("義務", "Duty"),
    "phase": ("段階", "Phase"),
    "deadline": ("期限", "Deadline"),
    "firmness": ("強さ", "Firmness"),
    "source": ("記載箇所", "Source"),
    "metric": ("指標", "Metric"),
    "commitment": ("約束", "Commitment"),
    "value": ("値", "Value"),
    "item": ("項目", "Item"),
    "mark": ("印", "Mark"),
    "status": ("状態", "Status"),
    "says": ("記載の要約", "What is said"),
    "not-stated": ("記載なし", "not stated"),
    "none-stated": ("この文書に該当する記載はありません。", "The paper says nothing of this kind."),
    "no-responsibility": ("責任なし（「-」と記載）", "no responsibility (printed “-”)"),
    "yes": ("あり", "yes"),
    "no": ("なし", "no"),
    "section": ("節", "section"),
    "sparql": ("SPARQL", "SPARQL"),
    "run": ("実行", "Run"),
    "query": ("クエリ", "Query"),
    "rows": ("件", "rows"),
    "no-rows": (
        "該当する行はありません。条件が狭すぎるか、どの文書にも記載がありません。",
        "No row. The filter may be too narrow, or no paper says anything of the kind.",
    ),
    "words": ("用語", "Words"),
    "words-lead": ("このグラフが使うクラスと関係の一覧です。", "Every class and property of this graph."),
    "class": ("クラス", "Classes"),
    "property": ("関係", "Properties"),
    "individual": ("値", "Values"),
    "points-here": ("ここを指す記述", "What points here"),
    "asserted": ("記載", "asserted"),
    "inferred": ("推論", "inferred"),
    "derived": ("集計", "derived"),
    "described": ("データの説明", "about the data"),
    "skip": ("本文へ", "Skip to content"),
    "other-language": ("English", "日本語"),
    "remedy": ("対処", "What to do"),
    "too-many": ("先頭の {} 行を表示しています。全件はCSVで取得できます。", "The first {} rows are shown; take CSV for all."),
    "graph": ("グラフ", "Graph"),
    "graphs": ("名前付きグラフ", "Named graphs"),
    "graphs-lead": (
        "文書の版ごと、オントロジーや制約のファイルごとに一つのグラフがあります。推論と集計は別のグラフにあります。",
        "One graph for each version of a paper and each file of the ontology and the shapes. What was inferred or derived stands in its own.",
    ),
    "default-graph": ("デフォルトグラフ（全ての和）", "The default graph (the union of all)"),
    "triples": ("トリプル数", "Triples"),
    "data": ("データ", "Data"),
    "made": ("由来", "Made by"),
    "inference-on": ("推論と集計による記述も、∴ の印とともに表示しています。", "What was inferred or derived is shown too, marked ∴."),
    "inference-off": ("文書に明記された記述だけを表示しています。", "Only what the papers themselves say is shown."),
    "inference-hide": ("推論を除く", "Leave it out"),
    "inference-show": ("推論も表示", "Show inferences too"),
    "shapes": ("制約", "Shapes"),
    "shapes-lead": ("データが満たすべき条件の一覧です。", "What the data must satisfy."),
    "node-shapes": ("クラスの制約", "Shapes of classes"),
    "property-shapes": ("関係の制約", "Shapes of properties"),
    "use": ("使われ方", "Use"),
    "instances": ("インスタンス", "instances"),
    "statements": ("この関係による記述", "statements with this property"),
    "holds": ("このグラフが記述するもの", "What this graph describes"),
    "first-shown": ("先頭の {} 件のみ表示しています。全てはSPARQLで取得できます。", "Only the first {} are shown; ask by SPARQL for all."),
    "citation": ("引用の詳細", "citation"),
    "profile": ("サービスの頁", "page of the service"),
    "by-inference": (
        "各行は文書の記述です。約束と利用者の義務という分類だけは推論によります（∴）。",
        "Each row is what the paper says; only that it counts as a commitment or as a duty of the customer is inferred (∴).",
    ),
    "data-title": ("データ", "Data"),
    "data-lead": (
        "このグラフの全体を、各種の形式で取得できます。どのファイルも同じ版です。",
        "All of this graph, in every format. All files are of the same version.",
    ),
    "data-version": ("版（内容のSHA-256）", "Version (SHA-256 of the content)"),
    "data-licence": ("利用条件", "Licence"),
    "data-files": ("ファイル", "Files"),
    "data-file": ("ファイル", "File"),
    "data-holds": ("内容", "Holds"),
    "data-media": ("形式", "Media type"),
    "data-size": ("大きさ", "Size"),
    "data-no-files": ("このサーバーには取得できるファイルがありません。", "This server holds no files to fetch."),
    "data-counts": ("規模", "How much it holds"),
    "data-findings": ("検査の結果", "What the checks found"),
    "data-severity": ("重さ", "Severity"),
    "data-finding": ("検査の指摘", "Finding"),
    "data-no-findings": ("指摘はありません。", "The checks found nothing."),
    "count-triples": ("トリプル", "Triples"),
    "count-entities": ("責任のIRIをもつもの", "Things with an IRI of ours"),
    "count-subjects": ("主語", "Subjects"),
    "count-objects": ("目的語", "Objects"),
    "count-classes": ("クラス", "Classes"),
    "count-properties": ("関係", "Properties"),
    "conformance": ("標準への適合", "Conformance"),
    "conformance-lead": (
        "W3Cの試験一式を、動いているこの版に実行した結果です。更新の試験は、拒否されるべきものとして扱います。",
        "How this build does in the W3C's own tests. Tests that update are held to be refused, as the service is read-only.",
    ),
    "conformance-build": ("データの版", "Version of the data"),
    "conformance-none": ("この版の試験結果はありません。次の命令で実行できます。", "The tests were not run for this build. To run them:"),
    "test": ("試験", "Test"),
    "test-suite": ("試験一式", "Suite"),
    "test-outcome": ("結果", "Outcome"),
    "test-note": ("説明", "Note"),
    "test-all": ("計", "All"),
    "test-passed": ("合格", "passed"),
    "test-failed": ("不合格", "failed"),
    "test-refused": ("拒否（期待どおり）", "refused, as it must be"),
    "test-inapplicable": ("対象外", "inapplicable"),
    "test-untested": ("未実施", "untested"),
    "search": ("検索", "Search"),
    "search-what": ("語、番号、サービス名", "words, a number, a service"),
    "search-found": ("{} 件", "{} found"),
    "search-all": ("すべて", "All"),
    "search-kinds": ("種類", "Kinds"),
    "search-none": (
        "この言葉をすべて含むものは、名称にも説明にもありません。",
        "Nothing has all of these words, neither in its name nor in its description.",
    ),
    "search-none-of-kind": ("この種類にはありません。他の種類にはあります。", "None of this kind; there are some of other kinds."),
    "search-near": ("もしかして", "Did you mean"),
    "search-try": (
        "語を減らす、短くする、別の言い方や英語にする、又は番号（例: 12.3.1、CLD.13.1.4）で探してください。",
        "Try fewer or shorter words, another word, Japanese, or a number such as 12.3.1 or CLD.13.1.4.",
    ),
    "search-blank": (
        "言葉、管理策の番号、サービスや提供者の名称を入力してください。日本語でも英語でも、全角でも半角でも探せます。",
        "Write a word, the number of a control, or the name of a service or its provider, in Japanese or English.",
    ),
    "search-no-index": (
        "このサーバーのデータには検索用の索引がありません。SPARQLでは問い合わせできます。",
        "The data of this server have no search index. They can be asked by SPARQL.",
    ),
    "search-before": ("前へ", "Previous"),
    "search-after": ("次へ", "Next"),
    "search-suggestions": ("候補", "Suggestions"),
    "search-suggested": ("候補 {} 件", "{} suggestions"),
    "licence": (
        "グラフ: CC BY 4.0。文書の文章は含みません。w3id.org の接頭辞は未登録です。",
        "Graph: CC BY 4.0. No sentence of the papers is contained. The w3id.org prefix is not registered yet.",
    ),
}
"""For each key, the Japanese and the English word."""


def language() -> str:
    """Return the language of this request: ``?lang=`` first, then Accept-Language, then Japanese; found out once."""
    if "language" not in g:
        said = request.args.get("lang", "")
        g.language = said if said in LANGUAGES else request.accept_languages.best_match(LANGUAGES) or "ja"
    found: str = g.language
    return found


def word(key: str) -> str:
    """Return the word for ``key`` in the language of this request."""
    return WORDS[key][LANGUAGES.index(language())]
