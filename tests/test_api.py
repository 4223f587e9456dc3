"""Saved questions over HTTP: typed parameters, choices, pages, formats, and a document that a generic client can use."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from urllib.parse import quote, urlencode

import pyoxigraph as ox
import pytest
from flask.testing import FlaskClient
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from sekinin import build as builder
from sekinin import queries
from sekinin.errors import TooSlow
from sekinin.formats import GRAPHS, ROWS
from sekinin.model import Parameter, Question
from sekinin.namespaces import PREFIXES
from sekinin.store import EmbeddedStore
from sekinin.workers import Limits, Pool
from webapp import create_app, pieces
from webapp.api import form_of, shown
from webapp.choices import CLASSES, FREE
from webapp.choices import GRAPHS as GRAPH_NAMES

DUTIES = "/api/questions/duties/duties"
TALKZ = PREFIXES["id"] + "service-talkz"
HOSTILE = ("> } UNION {", '"', "'", "\n?s", "\\u003E", "\0", "x" * 10_000, "<a:a> <b:b>", "{", "id:x> } DROP ALL #", "javascript:alert(1)")


@pytest.fixture(scope="module")
def api(store: EmbeddedStore) -> Iterator[FlaskClient]:
    """A client of the application with its workers."""
    pool = Pool(builder.current(), Limits(at_once=2))
    app = create_app(store, pool, "version-1")
    app.testing = True
    yield app.test_client()
    pool.close()


@pytest.fixture(scope="module")
def patient(store: EmbeddedStore) -> Iterator[FlaskClient]:
    """A client whose questions may take a minute, as some need to be answered whole."""
    pool = Pool(builder.current(), Limits(at_once=2, seconds=60))
    app = create_app(store, pool, "version-1")
    app.testing = True
    yield app.test_client()
    pool.close()


def rows_of(answer) -> list[dict[str, str]]:
    assert answer.status_code == 200, answer.text[:300]
    return [{k: v["value"] for k, v in row.items()} for row in answer.json["results"]["bindings"]]


def test_the_list_holds_every_question(api: FlaskClient) -> None:
    """Each saved question that is no check and no rule, with its sentence in both languages; a topic narrows it."""
    said = api.get("/api/questions").json
    assert {q["name"] for q in said["questions"]} == {name for name in queries.catalogue() if not name.startswith(("checks/", "derived/"))}
    assert all(q["summary"]["ja"] and q["summary"]["en"] and q["url"].startswith("/api/questions/") for q in said["questions"])
    assert {q["name"].partition("/")[0] for q in api.get("/api/questions/duties").json["questions"]} == {"duties"}
    assert api.get("/api/questions/dutys").status_code == 404


def test_every_parameter_has_choices_or_a_reason() -> None:
    """Whoever adds a question with a new parameter says in one place what may be chosen for it."""
    for question in shown().values():
        for parameter in question.params:
            if parameter.name == "lang":
                continue
            known = (CLASSES.keys() | set(GRAPH_NAMES) | FREE.keys()) if parameter.kind == "iri" else FREE.keys()
            assert parameter.name in known, f"{question.name}: {parameter.name}"
    used = {p.name for question in shown().values() for p in question.params}
    assert CLASSES.keys() | FREE.keys() <= used


@pytest.mark.parametrize("said", ["id:service-talkz", TALKZ, f"<{TALKZ}>"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_parameter_narrows(api: FlaskClient, said: str, method: str) -> None:
    """Whole, in brackets or with a prefix, by GET or as a form: the same rows as the library gives."""
    given = {"service": said, "layer": "sk:CustomerLayer", "lang": "en"}
    answer = api.get(DUTIES, query_string=given) if method == "GET" else api.post(DUTIES, data=given)
    found = rows_of(answer)
    assert len({row["duty"] for row in found}) == 39 and {row["service"] for row in found} == {TALKZ}
    assert answer.headers["Sekinin-Version"] == "version-1"


def test_head_and_what_was_seen_before(api: FlaskClient) -> None:
    """HEAD gives the headers, and whoever has the answer gets a 304."""
    first = api.get(DUTIES)
    assert api.head(DUTIES).headers["ETag"] == first.headers["ETag"] and not api.head(DUTIES).data
    assert api.get(DUTIES, headers={"If-None-Match": first.headers["ETag"]}).status_code == 304
    paged = api.get(f"{DUTIES}?limit=3")
    assert api.get(f"{DUTIES}?limit=3", headers={"If-None-Match": paged.headers["ETag"]}).status_code == 304
    assert api.get(f"{DUTIES}?limit=4").headers["ETag"] != paged.headers["ETag"]


@pytest.mark.parametrize("limit", ["", "&limit=7&offset=2"])
def test_every_format(api: FlaskClient, limit: str) -> None:
    """JSON, XML, CSV and TSV by Accept and by ``?format=`` hold the same rows, whole or in part."""
    path = f"{DUTIES}?service=id:service-resv&lang=ja{limit}"
    wanted = [(row["duty"], row["label"]) for row in rows_of(api.get(path))]
    assert len(wanted) == 7 if limit else len(wanted) > 10
    for form in ROWS.values():
        answer = api.get(path, headers={"Accept": form.media})
        assert answer.mimetype == form.media and answer.data == api.get(f"{path}&format={form.name}").data
        if form.name == "csv":
            found = [(row["duty"], row["label"]) for row in csv.DictReader(io.StringIO(answer.text))]
        else:
            parsed = ox.parse_query_results(answer.data, form.engine)
            found = [(row["duty"].value, row["label"].value) for row in parsed]
        assert found == wanted, form.name
    assert api.get(path, headers={"Accept": "image/png"}).status_code == 406


def test_graphs_and_truth(api: FlaskClient) -> None:
    """A question that constructs comes in the formats of RDF, one that asks in those of truth."""
    for form in GRAPHS.values():
        answer = api.get("/api/questions/resources/graph?graph=g:parties", headers={"Accept": form.media})
        assert answer.status_code == 200 and answer.mimetype == form.media
        assert len(list(ox.parse(answer.data, form.engine))) > 10
    assert api.get(f"/api/questions/resources/known?resource={quote(TALKZ)}").json["boolean"] is True


def test_pages_are_whole_and_without_overlap(api: FlaskClient) -> None:
    """Following the links from the first page gives every row once, in the order of the whole."""
    whole_ = rows_of(api.get(f"{DUTIES}?lang=ja"))
    path, found, pages = f"{DUTIES}?lang=ja&limit=100", [], 0
    while path:
        answer = api.get(path)
        assert answer.headers["X-Total-Count"] == str(len(whole_))
        found += rows_of(answer)
        pages += 1
        links = dict(reversed(re.findall(r'<([^>]*)>; rel="(\w+)"', each)[0]) for each in answer.headers["Link"].split(", "))
        assert {"first", "last"} <= links.keys() and ("prev" in links) == (pages > 1)
        path = links.get("next", "")
    assert found == whole_ and pages == -(-len(whole_) // 100)
    last = api.get(links["last"])
    assert rows_of(last) == whole_[(pages - 1) * 100 :]
    assert rows_of(api.get(f"{DUTIES}?lang=ja&limit=10&offset=999999")) == []


@pytest.mark.parametrize("said", ["limit=0", "limit=-1", "limit=x", "offset=-1", "limit=1e9", "limit=9999999999", "offset=١"])
def test_wrong_pages(api: FlaskClient, said: str) -> None:
    assert api.get(f"{DUTIES}?{said}").status_code == 400


def test_inference_off(api: FlaskClient) -> None:
    """What was inferred is left out: a class that only the reasoner gives has no member."""
    asked = "/api/questions/choices/of-class?class=sk:Statement"
    assert len(rows_of(api.get(asked))) > 1000 and rows_of(api.get(f"{asked}&inference=off")) == []


def test_what_does_not_fit_is_told(api: FlaskClient) -> None:
    """Each wrong parameter is a 400 that names it and the nearest that there is."""
    for asked, words in {
        "service=id:service-talks": ("service", "id:service-talkz"),
        "service=TALKZ": ("service", "id:service-talkz"),
        "layer=sk:CustomerLayr": ("layer", "sk:CustomerLayer"),
        "servcie=id:service-talkz": ("servcie", "service"),
        "nothing=1": ("nothing", "service"),
        "service=id:service-talkz&service=id:service-resv": ("service", "once"),
        "lang=fr": ("lang", "ja or en"),
    }.items():
        answer = api.get(f"{DUTIES}?{asked}", headers={"Accept-Language": "en"})
        assert answer.status_code == 400 and answer.mimetype == "application/problem+json", asked
        said = answer.json["detail"] + " " + answer.json["remedy"]
        assert all(word in said for word in words), said
    assert api.get("/api/questions/policies/backup-kept?days=seven").status_code == 400
    missing = api.get("/api/questions/duties/dutys", headers={"Accept-Language": "en"})
    assert missing.status_code == 404 and "duties/duties" in missing.json["remedy"]
    for hidden in ("checks/label-in-other-language", "derived/shared-areas"):
        assert api.get(f"/api/questions/{hidden}").status_code == 404
    assert api.post(DUTIES, data="x", content_type="text/plain").status_code == 415
    assert api.delete(DUTIES).status_code == 405


@pytest.mark.parametrize("said", HOSTILE, ids=lambda s: repr(s[:20]))
def test_nothing_is_pasted(api: FlaskClient, said: str) -> None:
    """No text of a parameter changes what is asked: an IRI that is none is a 400, a string finds what is so written, that is nothing."""
    assert api.get(DUTIES, query_string={"service": said}).status_code == 400
    assert api.post(DUTIES, data={"layer": said}).status_code == 400
    assert api.get("/api/questions/policies/backup-kept", query_string={"days": said}).status_code == 400
    marked = api.get("/api/questions/controls/items-by-mark", query_string={"mark": said})
    assert rows_of(marked) == []
    hosts = api.get("/api/questions/supply/cited-web-pages", query_string={"host": said})
    assert hosts.status_code == 200
    assert api.get(f"/api/questions/{quote(said[:50], safe='')}/x").status_code in (404, 405)


def test_japanese_and_percent_signs() -> None:
    """A Japanese literal and IRIs that hold percent signs are found as they are written, decoded once."""
    odd = [PREFIXES["id"] + rest for rest in ("%E8%B2%AC", "責", "100%25")]
    label = ox.NamedNode(PREFIXES["skos"] + "prefLabel")
    held = EmbeddedStore.of(ox.Quad(ox.NamedNode(iri), label, ox.Literal(iri), ox.NamedNode("https://example.org/g")) for iri in odd)
    client = create_app(held, version="1").test_client()
    for iri in odd:
        for answer in (
            client.get("/api/questions/resources/terms?" + urlencode({"resource": iri})),
            client.post("/api/questions/resources/terms", data={"resource": iri}),
        ):
            assert [row["value"] for row in rows_of(answer)] == [iri]
    assert client.get("/api/questions/resources/terms?resource=" + quote(PREFIXES["id"] + "%2525E8%2525B2%2525AC", safe=":/%")).status_code == 400


def test_choices_come_from_the_graph(api: FlaskClient) -> None:
    """With names in both languages; only what gives an answer, where the question can tell."""
    said = api.get(f"{DUTIES}/choices/service").json
    assert {"value": "id:service-talkz", "iri": TALKZ, "ja": "TALKZ", "en": "TALKZ"} in said["choices"]
    assert said["prefixes"] == {"id": PREFIXES["id"]} and len(said["choices"]) == 5
    layers = api.get(f"{DUTIES}/choices/layer").json["choices"]
    assert {c["value"] for c in layers} == {"sk:CustomerLayer", "sk:ProviderLayer", "sk:InfrastructureLayer"} and all(
        c["ja"] and c["en"] for c in layers
    )
    assert {c["value"] for c in api.get("/api/questions/controls/items-by-mark/choices/mark").json["choices"]} == {"-", "○"}
    assert [c["value"] for c in api.get(f"{DUTIES}/choices/lang").json["choices"]] == ["ja", "en"]
    assert api.get("/api/questions/policies/backup-kept/choices/days").json["choices"] == []
    assert api.get(f"{DUTIES}/choices/nothing").status_code == 404


def test_a_choice_can_be_asked(api: FlaskClient) -> None:
    """Whatever is offered where the question can tell gives rows."""
    for name, parameter in (("commitments/by-metric", "metric"), ("duties/duties", "layer"), ("locations/where-data-is-stored", "category")):
        offered = api.get(f"/api/questions/{name}/choices/{parameter}").json["choices"]
        assert offered
        for choice in offered[::7]:
            assert rows_of(api.get(f"/api/questions/{name}", query_string={parameter: choice["value"]})), (name, choice)


# ---- the document for programs


@pytest.fixture(scope="module")
def document(api: FlaskClient) -> dict:
    return api.get("/api/openapi.json?lang=en").json


def test_the_document_is_valid(api: FlaskClient, document: dict) -> None:
    """OpenAPI 3.1, by another's validator; in both languages the same operations."""
    validate(document)
    japanese = api.get("/api/openapi.json?lang=ja").json
    validate(japanese)
    assert document["paths"].keys() == japanese["paths"].keys() and len(document["paths"]) == len(shown())
    assert japanese["paths"][DUTIES]["get"]["summary"] != document["paths"][DUTIES]["get"]["summary"]
    assert len({path["get"]["operationId"] for path in document["paths"].values()}) == len(document["paths"])


def asked_by(document: dict, operation: dict) -> dict[str, str]:
    """What a client that knows nothing but the document sends: the example or the default of each parameter that has one."""
    given = {}
    for each in operation["parameters"]:
        each = document["components"]["parameters"][each["$ref"].rpartition("/")[2]] if "$ref" in each else each
        if "example" in each:
            given[each["name"]] = each["example"]
        elif "default" in each["schema"] and each["name"] != "inference":
            given[each["name"]] = str(each["schema"]["default"])
    return given


@pytest.mark.whole
def test_a_generic_client_can_ask_everything(api: FlaskClient, document: dict) -> None:
    """Every operation of the document, with its examples, answers in each of its media types, JSON as its schema says."""
    components = {"components": document["components"]}
    for path, methods in document["paths"].items():
        operation = methods["get"]
        given = asked_by(document, operation)
        content = operation["responses"]["200"]["content"]
        for media, how in list(content.items())[:: 1 if path.endswith("duties") else 3]:
            answer = api.get(path, query_string=given, headers={"Accept": media})
            assert answer.status_code == 200 and answer.mimetype == media, (path, given, answer.text[:200])
            if "schema" in how:
                Draft202012Validator(how["schema"] | components).validate(answer.json)
    problem = api.get(f"{DUTIES}?limit=x")
    Draft202012Validator({"$ref": "#/components/schemas/Problem"} | components).validate(json.loads(problem.data))


def test_the_document_says_what_each_question_gives(document: dict) -> None:
    """Rows, truth and graphs have the formats of the house, and parameters the types of the catalogue."""
    for name, question in shown().items():
        operation = document["paths"][f"/api/questions/{name}"]["get"]
        offers = GRAPHS if form_of(question) == "graph" else ROWS
        assert set(operation["responses"]["200"]["content"]) == {form.media for form in offers.values()}
        names = [each["name"] for each in operation["parameters"] if "name" in each]
        assert names[: len(question.params)] == [p.name for p in question.params]


PIECES = [
    (question, parameter)
    for question in shown().values()
    for order in re.findall(r"\nORDER BY((?: \?\w+)+)\s*\Z", question.text)
    for parameter in question.params
    if "whole" not in question.header and f"?{parameter.name}" == order.split()[0] and parameter.name in CLASSES
    if parameter.default is None and parameter.name in question.returns and parameter.name in ("service", "statement", "metric", "list", "graph")
]


@pytest.mark.whole
@pytest.mark.parametrize(("question", "parameter"), PIECES, ids=lambda each: each.name)
def test_pieces_are_the_whole(question: Question, parameter: Parameter, patient: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """Asked for one member after the other, as where there are many, a question gives the rows of its whole answer, in the same order."""
    whole_ = rows_of(patient.get(f"/api/questions/{question.name}"))
    monkeypatch.setattr(pieces, "FEW", 0)
    path, found, parts = f"/api/questions/{question.name}?limit=1000", [], []
    while path:
        answer = patient.get(path)
        found += rows_of(answer)
        parts.append(answer.headers["Sekinin-Part"])
        path = "".join(re.findall(r'<([^>]*)>; rel="next"', answer.headers["Link"]))
    assert found == whole_
    assert "X-Total-Count" not in answer.headers and parts[0].startswith("1-")


@pytest.mark.parametrize("limit", [1, 7])
def test_a_piece_may_end_within_a_member(limit: int, api: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """The link to the next piece goes on with the row that comes next, whether time or rows ended the one before."""
    whole_ = rows_of(api.get(f"{DUTIES}?lang=ja"))[:30]
    monkeypatch.setattr(pieces, "FEW", 0)
    for seconds in (0, 60):
        monkeypatch.setattr(pieces, "SECONDS", seconds)
        path, found = f"{DUTIES}?lang=ja&limit={limit}", []
        while path and len(found) < len(whole_):
            answer = api.get(path)
            assert len(rows_of(answer)) <= limit
            found += rows_of(answer)
            path = "".join(re.findall(r'<([^>]*)>; rel="next"', answer.headers["Link"]))
        assert found[: len(whole_)] == whole_
    assert api.get(f"{DUTIES}?limit=7&offset=20").status_code == 200
    wrong = api.get(f"{DUTIES}?from=id:service-nobody")
    assert wrong.status_code == 400 and "from" in wrong.json["detail"]


@pytest.fixture
def many(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if these were many services, and fifty rows a long answer."""
    monkeypatch.setattr(pieces, "FEW", 0)
    monkeypatch.setattr(pieces, "LONG", 50)


def key_of(row: dict[str, str]) -> str:
    return json.dumps(row, sort_keys=True)


@pytest.mark.usefixtures("many")
@pytest.mark.parametrize(("name", "limit"), [("sources/cited", 40), ("sources/cited", 2000), ("sources/inferred", 2000), ("resources/labels", 2000)])
def test_a_long_list_comes_as_it_is_stored(name: str, limit: int, api: FlaskClient) -> None:
    """Of many services, the pages of an answer that nothing divides hold each row once, lead on and back, and say that nobody counted."""
    path, found, before = f"/api/questions/{name}?limit={limit}", [], ""
    while path:
        answer = api.get(path)
        links = {rel: link for link, rel in re.findall(r'<([^>]*)>; rel="(\w+)"', answer.headers["Link"])}
        some = rows_of(answer)
        assert answer.headers["Sekinin-Part"] == f"{len(found) + 1}-{len(found) + len(some)}/*" and "X-Total-Count" not in answer.headers
        assert links.get("prev", "") == before and links["first"].endswith("offset=0")
        found += map(key_of, some)
        before, path = path if "offset" in path else f"{path}&offset=0", links.get("next", "")
    whole_ = [key_of(row) for row in rows_of(api.get(f"/api/questions/{name}"))]
    assert len(found) == len(whole_) > 1000 and set(found) == set(whole_)
    beyond = api.get(f"/api/questions/{name}?limit=5&offset=99999")
    assert rows_of(beyond) == [] and beyond.headers["Sekinin-Part"] == "*/*"
    assert api.get(f"/api/questions/{name}?limit=5&from=id:service-talkz").status_code == 400


@pytest.mark.usefixtures("many")
def test_a_list_that_is_not_long_is_told_whole(api: FlaskClient) -> None:
    """Of many services too, a short answer stands in its order and is counted; so is what is left of a long one without inference."""
    short = api.get("/api/questions/documents/order-by-date?limit=3")
    assert short.headers["X-Total-Count"] == "5" and rows_of(short) == rows_of(api.get("/api/questions/documents/order-by-date"))[:3]
    assert api.get("/api/questions/sources/inferred?limit=3&inference=off").headers["X-Total-Count"] == "0"


@pytest.mark.parametrize(("lang", "said"), [("ja", "1頁ずつ"), ("en", "page by page")])
def test_a_question_that_takes_too_long_is_to_be_taken_in_pages(lang: str, said: str, api: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its pages do not take long; a graph has none."""

    def slow(_: str) -> None:
        raise TooSlow("query", "it took longer than 10 seconds", "narrow it: fewer patterns, a FILTER, a LIMIT")

    monkeypatch.setattr("webapp.api.respond", slow)
    answer = api.get(f"{DUTIES}?lang={lang}")
    assert answer.status_code == 504 and said in answer.json["remedy"]
    other = api.get(f"/api/questions/resources/everything?lang={lang}")
    assert other.status_code == 504 and "LIMIT" in other.json["remedy"]


def test_what_is_not_in_pieces_has_no_from(api: FlaskClient) -> None:
    """Where the answer is worked out whole, a place by name is refused, not passed over."""
    assert api.get(f"{DUTIES}?from=id:service-talkz").status_code == 400
    assert api.get(f"{DUTIES}?service=id:service-talkz&limit=5").headers["X-Total-Count"]
