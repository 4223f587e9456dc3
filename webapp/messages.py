"""What errors say, in Japanese: one table, by the English that the code says.

The library speaks English; here each of its sentences that can reach a reader has its Japanese. A test collects
the sentences from the code, so that none is forgotten.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Final

JAPANESE: Final = {
    # where
    "query": "クエリ",
    "query, line {}, column {}": "クエリの{}行{}文字目",
    "result": "結果",
    "server": "サーバー",
    "graph": "グラフ",
    "graphs": "グラフ",
    "search": "検索",
    "format": "形式",
    "description": "データセットの説明",
    "question {}": "質問 {}",
    # syntax, as the engine tells it
    "expected {}": "構文が正しくありません（ここに書けるもの: {}）",
    "Unexpected end of the query": "クエリが途中で終わっています",
    "declare the prefix {}:": "接頭辞 {}: を PREFIX で宣言してください",
    "correct the query at this place": "この位置のクエリを直してください",
    "correct the query": "クエリを直してください",
    # what a query may not do
    "SERVICE would call another server": "SERVICEは他のサーバーを呼び出します",
    "ask that server itself; nothing leaves this machine": "そのサーバーに直接問い合わせてください。ここから外部へは接続しません",
    "this is an update, and the graph is read-only": "これは更新です。グラフは読取り専用です",
    "the graph is read-only": "グラフは読取り専用です",
    "correct the Turtle and build again": "Turtleを直してビルドし直してください",
    "it has {} characters; at most {} are allowed": "{}文字あります。上限は{}文字です",
    "shorten it, or ask in parts": "短くするか、分けて問い合わせてください",
    "its brackets are {} deep; at most {} are allowed": "括弧の入れ子が{}段あります。上限は{}段です",
    "write it flatter": "入れ子を浅くしてください",
    "it is larger than {} bytes": "{}バイトを超えました",
    "ask for fewer rows or columns, or take a dump from /data": "行や列を減らすか、/data から全体を取得してください",
    "it took longer than {} seconds": "{}秒以内に終わりませんでした",
    "narrow it: fewer patterns, a FILTER, a LIMIT": "パターンを減らす、FILTERやLIMITを付けるなどして絞ってください",
    "the engine gave up after {} seconds": "{}秒で処理を続けられなくなりました",
    "narrow it: it wants too much memory or is too deep": "メモリを使いすぎるか、深すぎます。絞ってください",
    "{} queries are running": "{}件のクエリを実行中です",
    "try again in a moment": "少し待ってからもう一度送ってください",
    "there are several queries": "クエリが複数あります",
    "send one": "一つだけ送ってください",
    "byte {} is not UTF-8": "{}バイト目がUTF-8ではありません",
    "send the query as UTF-8, percent-encoded once": "クエリをUTF-8とし、パーセント符号化は一度だけにしてください",
    "there is no query": "クエリがありません",
    "send it as the parameter: query": "引数 query として送ってください",
    "this query does not return rows": "このクエリは行を返しません",
    "write it as SELECT": "SELECTで書いてください",
    # parameters
    "there is no question of this name": "この名前の質問はありません",
    # pages
    "there is no service of this name": "この名前のサービスはありません",
    "there is no provider of this name": "この名前の提供者はありません",
    "there is no paper of this name": "この名前の文書はありません",
    "see the start page": "トップページをご覧ください",
    "{} services are chosen; at most {} fit side by side": "{}件のサービスが選ばれています。並べられるのは{}件までです",
    "choose fewer": "減らしてください",
    "none of these papers prints a list of this name": "この名前の一覧を印字した文書はありません",
    "leave list= out": "list= を除いてください",
    "there is no such layer": "そのような層はありません",
    "layers are {}": "層: {}",
    "there is no such phase": "そのような段階はありません",
    "phases are {}": "段階: {}",
    "there is no metric or kind of this name": "この名前の指標又は種類はありません",
    "see: /commitments": "/commitments をご覧ください",
    "there is no framework of this name": "この名前の基準はありません",
    "frameworks are {}": "基準: {}",
    "the framework has no control of this number": "この基準にその番号の管理策はありません",
    "see: /controls?framework={}": "/controls?framework={} をご覧ください",
    "there is no such group": "そのような分類はありません",
    "groups are {}": "分類: {}",
    "the graph has no statement of this name that a paper makes": "文書による記述で、この名前のものはありません",
    "{} is no number from 1": "{}は1以上の数ではありません",
    "write digits only, e.g. 2": "数字だけを書いてください（例: 2）",
    "did you mean {}": "もしかして: {}",
    "did you mean sk:{}?": "もしかして: sk:{}",
    "see: sekinin query --list": "一覧は sekinin query --list で表示できます",
    "see the page Words": "用語の頁を見てください",
    "this question does not return rows": "この質問は行を返しません",
    "ask one that is a SELECT": "SELECTの質問を選んでください",
    "there is no parameter {}": "{} という引数はありません",
    "parameters are {}": "使える引数: {}",
    "{} is not an integer": "{} は整数ではありません",
    "write digits only, e.g. 72": "数字だけで書いてください。例: 72",
    "{} is not an IRI": "{} はIRIではありません",
    "write it whole, or with a prefix such as id:service-talkz": "全体を書くか、id:service-talkz のように接頭辞を使ってください",
    "{} is no language of the graph": "{} はこのグラフの言語ではありません",
    "write ja or en": "ja か en と書いてください",
    "the ontology has no term sk:{}": "オントロジーに sk:{} という語はありません",
    "{} is not offered here": "{} では提供していません",
    "formats: {}": "使える形式: {}",
    "there is no topic of this name": "この名前の分野はありません",
    "topics are {}": "分野: {}",
    "see: /api/questions": "一覧は /api/questions にあります",
    "the question has no parameter of this name": "この質問にその引数はありません",
    "it is given more than once": "二回以上指定されています",
    "give it once": "一度だけ指定してください",
    "{} is no number from {}": "{} は{}以上の数ではありません",
    "write digits only, e.g. 100": "数字だけで書いてください。例: 100",
    "send the parameters as application/x-www-form-urlencoded": "引数は application/x-www-form-urlencoded で送ってください",
    # graphs and resources
    "not an IRI ({})": "IRIではありません（{}）",
    "name each graph by its whole IRI": "グラフはIRI全体で指定してください",
    "the request names more than one graph": "グラフが二つ以上指定されています",
    "say either ?default or one ?graph=<IRI>": "?default か ?graph=<IRI> のどちらか一つを指定してください",
    "the request names no graph": "グラフが指定されていません",
    "say ?default or ?graph=<IRI>": "?default か ?graph=<IRI> を指定してください",
    "{} is not an absolute IRI": "{} は絶対IRIではありません",
    "write it whole, percent-encoded once": "全体を書き、パーセント符号化は一度だけにしてください",
    "there is no named graph of this IRI": "このIRIの名前付きグラフはありません",
    "see the list at /graphs": "一覧は /graphs にあります",
    "the graph has nothing of this IRI": "このIRIについての記述はありません",
    "check the spelling": "綴りを確かめてください",
    "the address does not end in a format": "アドレスの末尾が形式ではありません",
    "endings: {}": "使える末尾: {}",
    "there is no such file in this version": "この版にそのファイルはありません",
    "see the list at /data": "一覧は /data にあります",
    "this store does not describe itself": "このデータは自身の説明を持っていません",
    "there are no dumps": "取得できるファイルがありません",
    "the test suites were not run for this build": "このビルドについて試験はまだ実行されていません",
    "run: {}": "{} を実行してください",
    "more than {} IRIs": "IRIが{}個を超えています",
    "more than {} requests a second for {} seconds": "毎秒{}回を超える要求が{}秒続きました",
    "wait a little": "少し待ってください",
    # HTTP
    "send the query as it is, not compressed": "クエリは圧縮せずに送ってください",
    "offered are: {}": "提供できる形式: {}",
    "send application/x-www-form-urlencoded or application/sparql-query": "フォームか application/sparql-query で送ってください",
    "The method is not allowed for the requested URL.": "このアドレスでは、この方法は使えません",
    "The browser (or proxy) sent a request that this server could not understand.": "要求を読み取れませんでした",
    "The data value transmitted exceeds the capacity limit.": "送られた本文が大きすぎます",
    "The server cannot provide the requested range.": "求められた範囲はファイルにありません",
    "there is no problem of this kind": "この種類の問題はありません",
    "kinds are {}": "種類: {}",
    # kinds of errors
    "An error that a user can mend.": "利用者が直せる問題です。",
    "A file, a folder, a store or a paper that is needed is not there.": "必要なファイル、データ、または文書がありません。",
    "A query does not parse, or a parameter does not fit it.": "クエリの構文か、引数が正しくありません。",
    "A store is damaged, locked, unreachable or answers wrongly.": "データが壊れているか、使用中か、応答しません。",
    "Something that is not allowed here: an update, a federated call, an address in use.": "ここではできない操作です（更新、外部の呼出しなど）。",
    "All workers are at work, and none came free in time.": "処理の枠がすべて使用中で、時間内に空きませんでした。",
    "A query took longer than it may, and its worker was ended.": "クエリが制限時間を超えたため、打ち切りました。",
    "A query wanted more memory than it may have, or brought the engine down.": "クエリが使えるメモリを超えたか、処理系が続けられなくなりました。",
    "A query or a result is longer, or more deeply nested, than is allowed here.": "クエリか結果が、許された長さか深さを超えました。",
    "A client asked more often than it may.": "一つの利用者からの要求が多すぎます。",
    # search
    "there is no search index": "検索用の索引がありません",
    "search for a few words": "いくつかの語で検索してください",
    "the search index cannot be read ({})": "検索用の索引を読めません（{}）",
    "the index could not be written ({})": "検索用の索引を書けません（{}）",
    "make room, and run: sekinin build --again": "空きを作り、sekinin build --again を実行してください",
    # the store
    "there is no built store": "ビルドしたデータがありません",
    "no worker can open it": "データを開けません",
    "it does not tell apart what was asserted": "明記されたものを区別できないデータです",
    "the store cannot be read ({})": "データを読めません（{}）",
    "the store could not answer ({})": "データから答えられませんでした（{}）",
    "run: sekinin build": "sekinin build を実行してください",
    "run: sekinin build --again": "sekinin build --again を実行してください",
    "no answer ({})": "応答がありません（{}）",
    "check the address, and that the server runs": "アドレスと、サーバーが動いていることを確かめてください",
    "the answer is not SPARQL results ({})": "応答がSPARQLの結果ではありません（{}）",
    "check the address": "アドレスを確かめてください",
}
"""For each sentence, ``{}`` where a value stands, the same in Japanese."""


@cache
def _patterns() -> list[tuple[re.Pattern[str], str]]:
    """Return the table as patterns, those with more text of their own first."""
    known = sorted(JAPANESE, key=lambda said: -len(said.replace("{}", "")))
    return [(re.compile("(.*?)".join(re.escape(part) for part in said.split("{}")), re.S), JAPANESE[said]) for said in known]


def in_japanese(said: str) -> str:
    """Return ``said`` in Japanese, with its values in their places; what the table has not, as it is."""
    for pattern, japanese in _patterns():
        found = pattern.fullmatch(said)
        if found:
            return japanese.format(*found.groups())
    return said
