"""Errors in Japanese: every sentence that can reach a reader has its Japanese."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import HOUSE
from flask.testing import FlaskClient

from sekinin import errors
from webapp.messages import JAPANESE, in_japanese
from webapp.problems import HTTP_TITLES, KINDS, meaning

ERRORS = {name for name, cls in vars(errors).items() if isinstance(cls, type) and issubclass(cls, errors.SekininError)}
SPOKEN = [HOUSE / "sekinin" / f"{name}.py" for name in ("store", "workers", "queries", "describe", "search", "reading/review")] + sorted(
    (HOUSE / "webapp").glob("*.py")
)
OF_OPERATORS = ("SEKININ_", "the header has", "is not name=kind", "is not a positive number", "address of a server", "is no address")
"""Whoever starts the server or writes a question reads these, at the command line."""


def sentences(node: ast.expr) -> Iterator[str]:
    """Yield what an argument can say, ``{}`` for each value in it."""
    if isinstance(node, ast.IfExp):
        yield from sentences(node.body)
        yield from sentences(node.orelse)
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.JoinedStr):
        yield "".join(part.value if isinstance(part, ast.Constant) else "{}" for part in node.values)
    elif isinstance(node, ast.BinOp):
        left = node
        while isinstance(left, ast.BinOp):
            left = left.left
        if isinstance(left, ast.Constant):
            yield left.value + "{}"


def raised(path: Path) -> Iterator[str]:
    """Yield what the errors that ``path`` raises say."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ERRORS and len(node.args) == 3:
            said = [list(sentences(argument)) for argument in node.args]
            if not any(word in text for texts in said for text in texts for word in OF_OPERATORS):
                yield from (text for texts in said[1:] for text in texts)


@pytest.mark.parametrize("path", SPOKEN, ids=lambda p: f"{p.parent.name}/{p.name}")
def test_every_sentence_has_its_japanese(path: Path) -> None:
    """What the code says to a reader stands in the table."""
    assert [said for said in raised(path) if said not in JAPANESE] == []


def test_values_stay_in_their_places() -> None:
    """As many values in Japanese as in English, and none is lost."""
    for english, japanese in JAPANESE.items():
        assert english.count("{}") == japanese.count("{}"), english
    assert in_japanese("it has 200,000 characters; at most 100,000 are allowed") == "200,000文字あります。上限は100,000文字です"
    assert in_japanese("query, line 3, column 14") == "クエリの3行14文字目"
    assert in_japanese("what nobody wrote down") == "what nobody wrote down"


def test_a_sentence_that_is_missing_is_noticed(tmp_path: Path) -> None:
    """The test above can fail."""
    path = tmp_path / "x.py"
    path.write_text("raise Busy('server', f'{n} things are wrong', 'wait' if n else 'go')", encoding="utf-8")
    assert list(raised(path)) == ["{} things are wrong", "wait", "go"]


def test_every_kind_of_problem_has_a_page(client: FlaskClient) -> None:
    """The type of a problem document leads to what it means, in both languages; another one is a 404."""
    for cause, kind in KINDS.items():
        japanese, english = meaning(cause)
        assert japanese != english, f"{cause.__name__} has no Japanese"
        for lang, said, title in (("ja", japanese, kind.title[0]), ("en", english, kind.title[1])):
            page = client.get(f"/problem/{kind.slug}?lang={lang}", headers={"Accept": "text/html"})
            assert page.status_code == 200 and said in page.text and title in page.text
    assert client.get("/problem/http-406", headers={"Accept": "application/json"}).json["status"] == 406
    assert client.get("/problem/nothing").status_code == 404
    assert set(HTTP_TITLES) >= {404, 405, 406, 410, 415}


def test_errors_come_in_the_language_of_the_request(client: FlaskClient) -> None:
    """Title, detail and remedy of a problem are Japanese for who asks in Japanese."""
    for query, detail, remedy in (
        ("SELECT * WHERE { ?s ?p }", "構文", "この位置のクエリを直してください"),
        ("SELECT * WHERE { SERVICE <http://127.0.0.1/> { ?s ?p ?o } }", "SERVICEは他のサーバーを呼び出します", "ここから外部へは接続しません"),
        ("SELECT * WHERE { ?s x:p ?o }", "構文", "接頭辞 x: を PREFIX で宣言してください"),
    ):
        for send in ({"query_string": {"query": query, "lang": "ja"}}, {"data": {"query": query, "lang": "ja"}, "method": "POST"}):
            said = client.open("/sparql", **send).json
            assert detail in said["detail"] and remedy in said["remedy"], said
    said = client.post("/sparql?lang=ja", data="SELECT * { ?s sk:Obligatoin ?o", content_type="application/sparql-query").json
    assert said["hints"] == ["sk:Obligatoin → sk:Obligation"]
