"""The questions: each file is well-formed, runs as it stands, and gives the answer that stands beside it."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import re
from pathlib import Path

import pyoxigraph as ox
import pytest
from conftest import HOUSE

from sekinin import queries
from sekinin.errors import BadQuery, Missing, Refused
from sekinin.model import Parameter
from sekinin.namespaces import graph_iri, made
from sekinin.store import EmbeddedStore, rows, skeleton

FILES = sorted((HOUSE / "queries").rglob("*.rq"))
ASKED = [(path, ident, given) for path in FILES for ident, given in queries.asks(queries.read(path))]
FLOOR = 122
"""Competency questions that must be answered, of 135."""


def expected(path: Path, ident: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(path.with_name(f"{path.stem}.{ident}.csv").read_text(encoding="utf-8"))))


@pytest.mark.parametrize(("path", "ident", "given"), ASKED, ids=[f"{i}-{p.stem}" for p, i, _ in ASKED])
def test_the_answer_is_the_given_one(path: Path, ident: str, given: dict[str, str], store: EmbeddedStore) -> None:
    """Columns and rows are those of the expected answer: none missing, none too many; their order is free."""
    question = queries.read(path)
    if any(p.name == "lang" for p in question.params):
        given = {"lang": "en", **given}
    found = queries.answer(store, question, given)
    wanted = expected(path, ident)
    assert found[0] == wanted[0]
    assert sorted(found[1:]) == sorted(wanted[1:])


def test_enough_competency_questions_are_answered() -> None:
    """At least 122 of the 135 questions have a query and an answer; the rest are listed with their reason."""
    answered = {ident for _, ident, _ in ASKED}
    assert len(answered) >= FLOOR
    listed = (HOUSE / "docs" / "open-questions.md").read_text(encoding="utf-8")
    left = set(re.findall(r"^\| ([A-Z]{2}-\d\d) \|", listed, re.M))
    assert not answered & left
    assert len(answered | left) == 135


def test_no_answer_lies_about_unasked() -> None:
    """Every expected answer belongs to a question that asks it, and an empty answer is never expected unless the answer is that there is none."""
    wanted = {path.with_name(f"{path.stem}.{ident}.csv") for path, ident, _ in ASKED}
    assert set((HOUSE / "queries").rglob("*.csv")) == wanted


def test_a_wrong_answer_is_noticed(store: EmbeddedStore) -> None:
    """The comparison can fail: an answer with one row less is not the answer."""
    path, ident, given = next((p, i, g) for p, i, g in ASKED if len(expected(p, i)) > 2)
    question = queries.read(path)
    found = queries.answer(store, question, {"lang": "en", **given} if any(p.name == "lang" for p in question.params) else given)
    assert sorted(found[1:]) != sorted(expected(path, ident)[1:-1])


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.relative_to(HOUSE / "queries").as_posix())
def test_form(path: Path) -> None:
    """Header in both languages, columns as it says, an order, no variable that is used once."""
    question = queries.read(path)
    bare = skeleton(question.text)
    assert re.search(r"ORDER\s+BY", bare) or re.search(r"\b(CONSTRUCT|ASK)\b", bare), "a query ends in ORDER BY"
    parsed = list(re.findall(r"[?$](\w+)", bare))
    parameters = {p.name for p in question.params} | set(re.findall(r"\bAS\s+[?$](\w+)\s*\)", bare))  # a column that is computed needs no second use
    for name in set(parsed):
        if not name.startswith("_any") and name not in parameters:
            assert parsed.count(name) > 1, f"?{name} is used once: a slip, or name it ?_any…"
    assert {p.name for p in question.params} <= set(parsed), "a parameter that the query does not use"
    for key in ("summary", "summary-ja"):
        assert not re.search(r"[A-Z]{2}-\d\d", question.header[key])


OF_ONE = ("resources/terms", "resources/mentions", "resources/description", "resources/statements-of-service")
"""Questions behind the page of one resource; of everything at once they take long, and nobody asks that."""


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.relative_to(HOUSE / "queries").as_posix())
def test_it_runs_as_it_stands(path: Path, store: EmbeddedStore) -> None:
    """Without any parameter the query parses and answers, with the columns of its header."""
    question = queries.read(path)
    result = (EmbeddedStore.of([]) if question.name in OF_ONE else store).query(question.text)
    if isinstance(result, ox.QuerySolutions):
        assert tuple(v.value for v in result.variables) == (question.returns or tuple(v.value for v in result.variables))


@pytest.mark.parametrize("name", OF_ONE)
def test_it_answers_for_one(name: str, store: EmbeddedStore) -> None:
    """Asked of a service, each finds something."""
    question = queries.get(name)
    given = {each.name: "id:service-talkz" for each in question.params if each.name in ("resource", "service")}
    assert given and any(True for _ in queries.bind(question, given).ask(store))


def test_what_follows_is_looked_for_in_every_graph_of_it(store: EmbeddedStore) -> None:
    """The question that lists what follows names the graph of each rule: to look at all graphs takes long where there are many."""
    named = set(re.findall(r"<([^<>]+)>", queries.get("sources/inferred").text))
    graphs = {graph.value for graph in store.engine.named_graphs()}
    assert named >= {each for each in graphs if made(each) in ("inferred", "derived")}
    assert named == {graph_iri("inferred"), *(graph_iri(name) for name in queries.catalogue() if name.startswith("derived/"))}


def test_parameters_are_terms() -> None:
    """A parameter's text never becomes query text: quotes and braces stay inside the term."""
    question = dataclasses.replace(queries.get("duties/customer-duties"), params=(Parameter("lang", "string"), Parameter("label", "string")))
    evil = 'en" } SELECT * { ?a ?b ?c } #'
    text = queries.bind(question, {"label": evil}).text()
    assert ox.Literal(evil).value == evil and str(ox.Literal(evil)) in text
    store = EmbeddedStore.of([])
    assert list(rows(store.query(text))) == []


@pytest.mark.parametrize(("kind", "text"), [("iri", "not an iri"), ("iri", "http://x/> } #"), ("integer", "7; DROP"), ("integer", "1e3")])
def test_a_wrong_parameter_is_refused(kind: str, text: str) -> None:
    with pytest.raises(BadQuery):
        queries.term(Parameter("x", kind), text)


def test_an_unknown_name_leads_to_the_nearest() -> None:
    with pytest.raises(Missing, match="duties/customer-duties"):
        queries.get("duties/customers-duty")
    with pytest.raises(BadQuery, match="parameters are"):
        queries.bind(queries.get("duties/customer-duties"), {"serivce": "id:service-talkz"})


EN = {"lang": ox.Literal("en"), "s": ox.NamedNode("urn:x")}


@pytest.mark.parametrize(
    ("text", "bound"),
    [
        ("SELECT ?a { ?a ?b ?lang }", 'SELECT ?a { ?a ?b "en" }'),
        ("SELECT ?s { ?s ?b ?c }", "SELECT ?s { VALUES (?s) { (<urn:x>) }  <urn:x> ?b ?c }"),
        (
            "SELECT * { ?a ?b ?c OPTIONAL { ?a ?d ?e FILTER(LANG(?e) = $lang) } }",
            'SELECT * { ?a ?b ?c OPTIONAL { ?a ?d ?e FILTER(LANG(?e) = "en") } }',
        ),
        ("CONSTRUCT { ?s ?b ?lang } WHERE { ?s ?b ?lang }", 'CONSTRUCT { <urn:x> ?b "en" } WHERE { <urn:x> ?b "en" }'),
        ("ASK { { ?s ?b 1 } UNION { ?c ?d ?s } }", "ASK { { <urn:x> ?b 1 } UNION { ?c ?d <urn:x> } }"),
        ("SELECT ?a { ?a ?b ?c MINUS { ?a ?b ?s } }", "SELECT ?a { ?a ?b ?c MINUS { VALUES (?s) { (<urn:x>) }  ?a ?b ?s } }"),
        (
            "SELECT ?a { ?a ?b ?c . { SELECT ?s { ?s ?d ?e } } }",
            "SELECT ?a { ?a ?b ?c . { SELECT ?s { VALUES (?s) { (<urn:x>) }  <urn:x> ?d ?e } } }",
        ),
        (
            "SELECT ?s (COUNT(?a) AS ?n) { ?a ?b ?s } GROUP BY ?s ORDER BY ?s",
            "SELECT ?s (COUNT(?a) AS ?n) { VALUES (?s) { (<urn:x>) }  ?a ?b <urn:x> } GROUP BY ?s ORDER BY ?s",
        ),
        ("SELECT ?a { VALUES ?s { 1 2 } ?a ?b ?s }", "SELECT ?a { VALUES (?s) { (<urn:x>) }  VALUES ?s { 1 2 } ?a ?b ?s }"),
        ("SELECT ?a { BIND(1 AS ?s) ?a ?b ?s }", "SELECT ?a { VALUES (?s) { (<urn:x>) }  BIND(1 AS ?s) ?a ?b ?s }"),
        ("SELECT ?a { ?a ?b ?c FILTER(BOUND(?s)) }", "SELECT ?a { VALUES (?s) { (<urn:x>) }  ?a ?b ?c FILTER(BOUND(?s)) }"),
        ('SELECT * { ?a ?b "?lang { " . # ?lang {\n ?a ?c <urn:?s> }', 'SELECT * { ?a ?b "?lang { " . # ?lang {\n ?a ?c <urn:?s> }'),
        ("SELECT ?service ?language { ?service ?language ?a }", "SELECT ?service ?language { ?service ?language ?a }"),
    ],
)
def test_a_parameter_is_its_term_everywhere(text: str, bound: str) -> None:
    """In OPTIONAL, UNION, templates and subqueries; where it is returned, shared or given by the text it is a variable with a value."""
    assert queries._with_terms(text, EN) == bound


@pytest.mark.parametrize("said", ["} ?x", '" . ?s ?p ?o . "', "\\", "\n}", "責任 ' \" \u0022 { ?s", "# comment"])
def test_no_text_leaves_its_term(said: str, store: EmbeddedStore) -> None:
    """Whatever a parameter says, the query asks for it and nothing else."""
    text = queries._with_terms("SELECT ?s ?is { BIND(?s = ?lang AS ?is) }", {"s": ox.Literal(said), "lang": ox.Literal(said)})
    ((found, same),) = [(row["s"], row["is"]) for row in rows(store.query(text))]
    assert found.value == said and same.value == "true"


@pytest.mark.parametrize(
    "text",
    [
        "SELECT * { SERVICE <http://127.0.0.1/> { ?a ?b ?c } }",
        "select * {service silent ?x {?a ?b ?c}}",
        "INSERT DATA { <a:a> <a:b> <a:c> }",
        "LOAD <file:///etc/passwd>",
        "SELECT * { OPTIONAL { ?a id:a\\#b ?c } SERVICE <http://127.0.0.1:1/s> {?x ?y ?z} }",
        "SELECT * { # x\rSERVICE <http://127.0.0.1:1/s> {?x ?y ?z} }",
        "SELECT * { OPTIONAL { ?a id:a\\'b ?c } SERVICE <http://127.0.0.1:1/s> {?x ?y ?z} FILTER('1'='1') }",
        "SELECT * { \\u0053ERVICE <http://127.0.0.1:1/s> {?x ?y ?z} }",
        'SELECT * { ?a ?b """x\\"""" . SERVICE <http://127.0.0.1:1/s> {?x ?y ?z} }',
        "DROP ALL",
    ],
)
def test_what_reaches_out_is_refused(text: str, store: EmbeddedStore) -> None:
    with pytest.raises(Refused):
        store.query(text)


@pytest.mark.parametrize("text", ['SELECT ?service { ?service ?p "SERVICE <x>" } LIMIT 1', "SELECT ?add { ?add a sk:Obligation } LIMIT 1 # DROP ALL"])
def test_words_in_strings_and_names_are_no_keywords(text: str, store: EmbeddedStore) -> None:
    list(rows(store.query(text)))


def test_conventions_of_the_given_answers(store: EmbeddedStore) -> None:
    """Silence is computed: nothing in the graph says 'not stated' or 'not addressed'."""
    found = json.dumps([q.object.value for q in store.engine if q.predicate.value.endswith(("#assessedStatus", "#value"))])
    assert "NotAddressed" not in found and "not-stated" not in found
