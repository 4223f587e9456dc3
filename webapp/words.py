"""The words of the interface, Japanese and English in one table, and the language of a request."""

from __future__ import annotations

from typing import Final

from flask import request

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
    "skip": ("本文へ", "Skip to content"),
    "other-language": ("English", "日本語"),
    "remedy": ("対処", "What to do"),
    "too-many": ("先頭の {} 行を表示しています。全件はCSVで取得できます。", "The first {} rows are shown; take CSV for all."),
    "licence": (
        "グラフ: CC BY 4.0。文書の文章は含みません。w3id.org の接頭辞は未登録です。",
        "Graph: CC BY 4.0. No sentence of the papers is contained. The w3id.org prefix is not registered yet.",
    ),
}
"""For each key, the Japanese and the English word."""


def language() -> str:
    """Return the language of this request: ``?lang=`` first, then Accept-Language, then Japanese."""
    said = request.args.get("lang", "")
    return said if said in LANGUAGES else request.accept_languages.best_match(LANGUAGES) or "ja"


def word(key: str) -> str:
    """Return the word for ``key`` in the language of this request."""
    return WORDS[key][LANGUAGES.index(language())]
