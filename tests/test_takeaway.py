"""What readers take away: the same facts in every format, each with where it stands, in both languages."""

from __future__ import annotations

import csv
import hashlib
import html
import io
import re
from functools import cache
from html.parser import HTMLParser
from typing import Any

import openpyxl
import pyoxigraph as ox
import pytest
from conftest import HOUSE
from flask.testing import FlaskClient
from rdflib import Graph
from werkzeug.test import TestResponse

from sekinin import queries
from sekinin.namespaces import PREFIXES
from sekinin.store import EmbeddedStore
from webapp import create_app
from webapp.api import shown
from webapp.columns import COLUMNS
from webapp.questions import TECHNICAL
from webapp.views import OFFERS, TAKEN, heading
from webapp.words import LANGUAGES, WORDS, word

SERVICES = ("ai-analyst", "aicloud-koestation", "lensawriter", "resv", "talkz")
SINGLE = (
    "/atlas",
    "/atlas?service=talkz",
    "/duties",
    "/duties?layer=provider&service=resv,talkz",
    "/commitments/BackupRetentionCommitment",
    "/controls/iso27017-2015/CLD.6.3.1",
    "/services/talkz",
    "/services/ai-analyst",
)
"""Pages that can be taken away as one file."""
STATED = (*SINGLE, "/controls", "/providers/spcc", "/documents/talkz-wp", "/findings")
"""Pages that show statements."""
PLAIN = ("/", "/commitments", "/questions", "/words", "/words?group=property")
"""Pages that show none."""
QUESTIONS = tuple(f"/questions/{name}" for name in shown() if not name.startswith(TECHNICAL))
HTML = {"Accept": "text/html"}
ABOUT = {"ja": ("出典", "この表について"), "en": ("Sources", "About")}


@pytest.fixture(scope="module")
def client(store: EmbeddedStore) -> FlaskClient:
    app = create_app(store, version="7f3a")
    app.testing = True
    return app.test_client()


def take(client: FlaskClient, page: str, form: str, lang: str = "en", **more: str) -> TestResponse:
    path, _, query = page.partition("?")
    said = dict(part.split("=") for part in query.split("&") if part)
    answer = client.get(path, query_string={**said, "lang": lang, "format": form, **more})
    assert answer.status_code == 200, (page, form, answer.text[:500])
    return answer


def as_text(cell: object) -> str:
    return "" if cell is None else str(cell)


def unquoted(cell: str) -> str:
    """Return a cell of a CSV file without the apostrophe that keeps it from being a formula."""
    return cell[1:] if re.match(r"'[=+\-@\t\r\n]", cell) else cell


def tables_of(text: str, mark: str = ",") -> list[list[list[str]]]:
    """Return the tables of a CSV file, which empty lines part."""
    found: list[list[list[str]]] = [[]]
    for row in csv.reader(io.StringIO(text, newline=""), delimiter=mark):
        if row:
            found[-1].append(row)
        else:
            found.append([])
    return found


def test_every_view_is_tested() -> None:
    """A page that answers with a view stands in one of the lists above."""
    asked = re.findall(r"respond\((?:lambda lang: )?(\w+)", "".join(path.read_text(encoding="utf-8") for path in (HOUSE / "webapp").glob("*.py")))
    assert len([name for name in asked if name.endswith("view")]) == 14
    assert len(QUESTIONS) > 80


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("page", [*STATED, *PLAIN])
def test_csv_json_and_page_have_the_same_rows(page: str, lang: str, client: FlaskClient) -> None:
    """CSV without a byte order mark, with one for Excel, TSV and JSON hold the same rows under the same headings."""
    said = take(client, page, "json", lang).json
    assert said["version"] == "7f3a" and said["lang"] == lang and said["title"] == take_title(client, page, lang)
    plain, excel, tabs = take(client, page, "csv", lang), take(client, page, "csv", lang, bom="1"), take(client, page, "tsv", lang)
    assert plain.headers["Content-Type"] == "text/csv; charset=utf-8" and not plain.data.startswith(b"\xef\xbb\xbf")
    assert excel.data == b"\xef\xbb\xbf" + plain.data
    assert len(said["tables"]) == len(tables_of(plain.text)) == len(tables_of(tabs.text, "\t"))
    for table, lines, tabbed in zip(said["tables"], tables_of(plain.text), tables_of(tabs.text, "\t"), strict=True):
        assert lines == tabbed
        columns = list(table["columns"])
        assert lines[0][: len(columns)] == [table["columns"][key][lang] for key in columns]
        rows = [[*(as_text(row[key]) for key in columns), "; ".join(row["sections"]), row["statement"] or ""] for row in table["rows"]]
        assert [[unquoted(cell) for cell in line] for line in lines[1:]] == rows
        assert all(len(line) == len(columns) + 2 for line in lines)


def take_title(client: FlaskClient, page: str, lang: str) -> str:
    """Return the heading that the page itself shows, without the number of its rows; the start page has a name of its own."""
    if page == "/":
        return ""
    path, _, query = page.partition("?")
    text = client.get(f"{path}?{query}&lang={lang}", headers=HTML).text
    found = re.search(r"<h1[^>]*>(?:<bdi>)?(.*?)(?: \(\d+\))?(?:</bdi>)?</h1>", text)
    assert found
    return found[1].replace("&#39;", "'").replace("&amp;", "&")


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("page", STATED)
def test_the_page_shows_what_is_taken_away(page: str, lang: str, client: FlaskClient) -> None:
    """Each statement that a file tells of is linked on the page, and its texts stand there; nothing more is linked."""

    path, _, query = page.partition("?")
    text = client.get(f"{path}?{query}&lang={lang}", headers=HTML).text
    linked = {each.partition("?")[0] for each in re.findall(r'href="/source/([^"]+)" data-source', text)}
    rows = [row for table in take(client, page, "json", lang).json["tables"] for row in table["rows"]]
    said = {row["statement"].removeprefix("https://w3id.org/sekinin/") for row in rows if row["statement"]}
    assert linked <= said and said
    unsaid = [word(f"state-{state}", lang) for state in ("lost", "silent", "NoResponsibility")]  # whose sign says all
    if path != "/controls":  # where a cell of the matrix shows three and counts the rest
        assert said == linked
        bare = " ".join(html.unescape(re.sub(r"<[^>]*>", "", text)).split())
        for row in rows[::7]:
            for key in ("duty", "says", "commitment", *(() if row.get("state") in unsaid else ("task",))):
                assert " ".join(as_text(row.get(key)).split()) in bare, (key, row)


@pytest.mark.whole
@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("page", [*STATED, *PLAIN])
def test_workbooks(page: str, lang: str, client: FlaskClient) -> None:
    """Each table in both languages, the sources, and the version of the dataset; nothing in it is a formula or a link."""
    answer = take(client, page, "xlsx", lang)
    assert answer.mimetype == OFFERS["xlsx"].media and re.fullmatch(
        r'attachment; filename="sekinin-[A-Za-z0-9.-]+\.xlsx"', answer.headers["Content-Disposition"]
    )
    book = openpyxl.load_workbook(io.BytesIO(answer.data))
    names = book.sheetnames
    assert names[-2:] == list(ABOUT[lang])
    tables = {each: take(client, page, "json", each).json["tables"] for each in LANGUAGES}
    order = [lang, *(each for each in LANGUAGES if each != lang)]
    expected = [(each, table) for each in order for table in tables[each]]
    assert len(names) == len(expected) + 2
    for name, (each, table) in zip(names, expected, strict=False):
        assert each in name and len(name) <= 31
        rows = list(book[name].values)
        columns = list(table["columns"])
        assert list(rows[0][: len(columns)]) == [table["columns"][key][each] for key in columns] and len(rows[0]) == len(columns) + 3
        assert [[as_text(cell) for cell in row[: len(columns)]] for row in rows[1:]] == [[as_text(r[key]) for key in columns] for r in table["rows"]]
        assert [as_text(row[-1]) for row in rows[1:]] == [r["statement"] or "" for r in table["rows"]]
    for sheet in book:
        assert not sheet._hyperlinks and all(cell.data_type in "sn" for row in sheet.iter_rows() for cell in row)
    about = dict(row[:2] for row in book[names[-1]].iter_rows(min_row=2, values_only=True))
    assert "7f3a" in about.values()
    assert any(as_text(value).startswith("http://localhost" + page.partition("?")[0]) and "format" not in value for value in about.values())
    stated = {r["statement"] for table in tables[lang] for r in table["rows"] if r["statement"]}
    assert {row[-1] for row in book[names[-2]].iter_rows(min_row=2, values_only=True)} == stated, "a statement without a source, or the reverse"


@cache
def corpus_text(place: str, sha256: str) -> str:
    from pathlib import Path

    return next(path.read_bytes().decode() for path in Path(place).glob("*.txt") if hashlib.sha256(path.read_bytes()).hexdigest() == sha256)


@pytest.mark.whole
@pytest.mark.parametrize("page", STATED)
def test_sources_hold_against_the_papers(page: str, client: FlaskClient, corpus: Any) -> None:
    """The positions and digests of the sheet of sources, cut out of the very papers that the last sheet names, agree."""
    book = openpyxl.load_workbook(io.BytesIO(take(client, page, "xlsx").data))
    digests = {row[0]: row[1][-64:] for row in book.worksheets[-1].values if re.search("SHA-256 [0-9a-f]{64}$", as_text(row[1]))}
    number = 0
    for _, _, document, _, _, _, start, end, digest, _ in book.worksheets[-2].iter_rows(min_row=2, values_only=True):
        passage = corpus_text(str(corpus), digests[document])[start:end]
        assert passage and hashlib.sha256(passage.encode()).hexdigest() == digest, (document, start, end)
        number += 1
    assert number > 3


@pytest.mark.whole
@pytest.mark.parametrize("page", STATED)
def test_rdf(page: str, client: FlaskClient, store: EmbeddedStore) -> None:
    """Turtle and JSON-LD, read by two programs, are the same triples: those of the view's statements, no other's, with citations and positions."""
    turtle, json_ld = take(client, page, "turtle").data, take(client, page, "jsonld").data
    assert b"<script" not in turtle
    ours = [{str(q.triple) for q in ox.parse(data, form)} for data, form in ((turtle, ox.RdfFormat.TURTLE), (json_ld, ox.RdfFormat.JSON_LD))]
    assert ours[0] == ours[1]
    theirs = [Graph().parse(data=data, format=form) for data, form in ((turtle, "turtle"), (json_ld, "json-ld"))]
    assert len(theirs[0]) == len(theirs[1]) == len(ours[0])
    assert {(str(s), str(p), str(o)) for s, p, o in theirs[0]} == {(str(s), str(p), str(o)) for s, p, o in theirs[1]}
    rows = [row for table in take(client, page, "json").json["tables"] for row in table["rows"]]
    wanted = {row["statement"] for row in rows if row["statement"]}
    sk, oa = PREFIXES["sk"], PREFIXES["oa"]
    triples = [q.triple for q in ox.parse(turtle, ox.RdfFormat.TURTLE)]
    cited = {t.subject.value for t in triples if t.predicate.value == sk + "citedAt"}
    assert cited == wanted
    by_subject = {(t.subject.value, t.predicate.value) for t in triples}
    for triple in triples:
        assert any(store.engine.quads_for_pattern(triple.subject, triple.predicate, triple.object))
        if triple.predicate.value == sk + "citedAt":
            citation = triple.object.value
            assert {(citation, each) for each in (sk + "quoteSha256", sk + "inSection", oa + "hasSource", oa + "hasSelector")} <= by_subject
        if triple.predicate.value == oa + "hasSelector":
            assert {(triple.object.value, oa + "start"), (triple.object.value, oa + "end")} <= by_subject


class Page(HTMLParser):
    """The elements of a page, its places and where it leads."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.links: list[tuple[str, str]] = []
        self.handlers: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.append(value or "")
            if name in ("href", "src", "srcset", "action", "data", "poster", "xlink:href", "formaction"):
                self.links.append((name, value or ""))
            if name.startswith("on"):
                self.handlers.append(name)


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("page", SINGLE)
def test_one_file_needs_nothing_else(page: str, lang: str, client: FlaskClient) -> None:
    """No script, no form, no link out of itself; each source leads to an entry of its list, and each entry tells place and digest."""
    answer = take(client, page, "file", lang)
    assert answer.mimetype == "text/html" and answer.headers["Content-Disposition"].endswith('.html"')
    text = answer.text
    here = Page(text)
    assert text.startswith("<!doctype html>") and '<meta charset="utf-8">' in text and f'<html lang="{lang}">' in text
    assert not {"script", "link", "iframe", "object", "embed", "form", "base", "img"} & set(here.tags) and not here.handlers
    assert "url(" not in text and "@import" not in text
    assert all(name == "href" and re.fullmatch(r"#[\w-]+", value) for name, value in here.links), [each for each in here.links if each[1][:1] != "#"]
    assert {value[1:] for _, value in here.links} <= set(here.ids) and len(set(here.ids)) == len(here.ids)
    rows = [row for table in take(client, page, "json", lang).json["tables"] for row in table["rows"]]
    stated = list(dict.fromkeys(row["statement"] for row in rows if row["statement"]))
    entries = re.findall(r'<li id="source-(\d+)">(.*?)</li>', text, re.S)
    assert [re.search(r"<code>(https[^<]+)</code>", entry)[1] for _, entry in entries] == stated
    assert all(re.search(r"\d+–\d+, SHA-256 <code>[0-9a-f]{64}</code>", entry) for _, entry in entries)
    assert {value for _, value in here.links if value.startswith("#source-")} == {f"#source-{number}" for number, _ in entries}
    assert "7f3a" in text and "format=file" not in text


@pytest.mark.whole
@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("page", QUESTIONS)
def test_every_question_can_be_taken_away(page: str, lang: str, client: FlaskClient) -> None:
    """The answer to each shown question in each format that its page offers."""
    said = take(client, page, "json", lang).json["tables"][0]
    columns = list(said["columns"])
    assert columns and all(both[each] for both in said["columns"].values() for each in LANGUAGES)
    (lines,) = tables_of(take(client, page, "csv", lang).text)
    assert [[unquoted(cell) for cell in line[:-2]] for line in lines[1:]] == [[as_text(row[key]) for key in columns] for row in said["rows"]], page
    book = openpyxl.load_workbook(io.BytesIO(take(client, page, "xlsx", lang).data))
    rows = list(book.worksheets[0].values)
    assert [[as_text(cell) for cell in row[:-3]] for row in rows[1:]] == [[as_text(row[key]) for key in columns] for row in said["rows"]], page
    text = client.get(f"{page}?lang={lang}", headers=HTML).text
    assert f'<p role="status">{len(said["rows"])} ' in text, page
    assert ("/xlsx" in text or "format=xlsx" in text) == bool(said["rows"])
    assert client.get(f"{page}?lang={lang}&format=turtle").status_code == 400


def test_every_column_has_its_heading() -> None:
    """A column of a shown question is a word of the interface, or stands in the table, in both languages; and nothing stands there in vain."""
    columns = {column for name, question in shown().items() if not name.startswith(TECHNICAL) for column in question.returns}
    for name in columns:
        assert name in WORDS or name in COLUMNS, name
        assert all(heading(name, lang).strip() for lang in LANGUAGES)
    assert not set(COLUMNS) & set(WORDS), "a word that is said twice"
    everything = {name for question in queries.catalogue().values() for name in question.returns}
    assert set(COLUMNS) <= everything


ACCEPTED = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "csv": "text/csv",
    "tsv": "text/tab-separated-values",
    "turtle": "text/turtle",
    "jsonld": "application/ld+json",
    "json": "application/json",
}


@pytest.mark.whole
@pytest.mark.parametrize("page", ["/atlas", "/duties", "/controls", "/documents/resv-wp", "/findings", "/services/talkz"])
def test_accept_gives_what_format_gives(page: str, client: FlaskClient) -> None:
    """By Accept or by its name, the same bytes; what is asked for by name is a download."""
    for form, media in ACCEPTED.items():
        named, accepted = client.get(f"{page}?format={form}&lang=en"), client.get(f"{page}?lang=en", headers={"Accept": media})
        assert accepted.status_code == 200 and accepted.mimetype == named.mimetype == media and accepted.data == named.data, (page, form)
        assert "attachment" in named.headers["Content-Disposition"]
        assert ("attachment" in accepted.headers.get("Content-Disposition", "")) == (form == "xlsx")
    for accept in ("*/*", "text/html", "application/xhtml+xml,text/html;q=0.9,*/*;q=0.8", ""):
        assert client.get(page, headers={"Accept": accept}).mimetype == "text/html", accept


def test_unknown_formats(client: FlaskClient) -> None:
    """A format that a page has not is a 400 that lists those it has; an Accept that nothing fits is a 406 that lists them."""
    for page in (*STATED, *PLAIN, QUESTIONS[0]):
        path, _, query = page.partition("?")
        answer = client.get(f"{path}?{query}&format=docx&lang=en")
        assert answer.status_code == 400 and "xlsx" in answer.json["remedy"] and answer.headers["Cache-Control"] == "no-store"
        assert client.get(page, headers={"Accept": "image/png"}).status_code == 406
    assert client.get("/controls?format=file").status_code == 400 and client.get("/words?format=turtle").status_code == 400
    assert client.get("/words", headers={"Accept": "text/turtle"}).status_code == 406


@pytest.mark.parametrize("form", ["html", *TAKEN])
def test_head_etag_and_vary(form: str, client: FlaskClient) -> None:
    """HEAD is GET without its body; a tag is for one format, language, host and address; who has it already gets a 304."""
    query = {"format": form.removesuffix("-excel"), "lang": "ja"} | ({"bom": "1"} if form == "csv-excel" else {})
    got, head = client.get("/duties", query_string=query), client.head("/duties", query_string=query)
    assert head.status_code == 200 and head.data == b"" and head.headers["ETag"] == got.headers["ETag"]
    assert head.headers["Content-Length"] == str(len(got.data)) and head.headers["Content-Type"] == got.headers["Content-Type"]
    assert got.headers["Vary"].removesuffix(", Accept-Encoding") == "Accept, Accept-Language" and got.headers["Content-Language"] == "ja"
    fresh = client.get("/duties", query_string=query, headers={"If-None-Match": got.headers["ETag"]})
    assert fresh.status_code == 304 and fresh.data == b"" and fresh.headers["ETag"] == got.headers["ETag"]
    others = [
        client.get("/duties", query_string={**query, "lang": "en"}),
        client.get("/duties", query_string={**query, "format": "json" if form != "json" else "csv"}),
        client.get("/duties", query_string={**query, "layer": "provider"}),
        client.get("/duties", query_string=query, headers={"Host": "papers.example"}),
    ]
    assert got.headers["ETag"] not in {each.headers["ETag"] for each in others}
    assert got.data == client.get("/duties", query_string=query).data, "the same question gives the same bytes"


@pytest.mark.parametrize(
    ("path", "near"),
    [
        ("/services/talkzz", "talkz"),
        ("/atlas?service=lensawritr", "lensawriter"),
        ("/duties?layer=costumer", "customer"),
        ("/duties?phase=AtEnd", "AtEndPhase"),
        ("/atlas?service=talkz&list=list-talkz-aws-certification", "list-talkz-"),
        ("/commitments/BackupRetentionComitment", "BackupRetentionCommitment"),
        ("/commitments/metric-backup-retentio", "metric-backup-"),
        ("/controls?framework=iso27017", "iso27017-2015"),
        ("/controls/iso27017/9.2.1", "iso27017-2015"),
        ("/controls/iso27017-2015/CLD.6.3.11", "CLD.6.3.1"),
        ("/providers/spc", "spcc"),
        ("/documents/talkz-wp-1", "talkz-wp"),
        ("/questions/duties/dutys", "duties/duties"),
        ("/words?group=classes", "class"),
    ],
)
def test_the_unknown_is_a_404_with_the_nearest_name(path: str, near: str, client: FlaskClient) -> None:
    """As a page, as a problem document, and in any format that is asked for."""
    join = "&" if "?" in path else "?"
    for more, headers in (("lang=en", HTML), ("lang=en", {"Accept": "application/json"}), ("lang=en&format=csv", {}), ("lang=en&format=xlsx", HTML)):
        answer = client.get(path + join + more, headers=headers)
        assert answer.status_code == 404 and near in answer.text, answer.text
        assert "Content-Disposition" not in answer.headers
    assert "もしかして" in client.get(path + join + "lang=ja", headers=HTML).text or "groups" in path or "group=" in path or "questions" in path


def test_a_word_that_is_no_metric_has_no_page(client: FlaskClient) -> None:
    """Only what commitments are about; not any class or value of the ontology."""
    for subject in ("Performs", "Obligation", "Commitment", "CustomerLayer", "metric-", "id:metric-backup"):
        assert client.get(f"/commitments/{subject}", headers=HTML).status_code == 404, subject


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize(
    "page",
    [
        "/atlas",
        *(f"/atlas?service={service}" for service in SERVICES),
        *(f"/duties?layer={layer}" for layer in ("customer", "provider", "infrastructure")),
        *(f"/duties?layer=customer&phase={phase}Phase" for phase in ("BeforeUse", "InOperation", "OnIncident", "AtEnd")),
        "/commitments/BackupRetentionCommitment",
        "/commitments/DeletionCommitment",
        "/controls",
        "/controls/iso27017-2015/CLD.6.3.1",
        "/controls/iso27002-2022/8.13",
        "/findings",
    ],
)
def test_silence_has_a_name(page: str, lang: str, client: FlaskClient) -> None:
    """A service about which a page has nothing to say is named on it and in what is taken away."""
    path, _, query = page.partition("?")
    asked = re.search(r"service=([\w-]+)", query)
    names = {row["service"] for row in take(client, "/", "json", lang).json["tables"][0]["rows"]}
    text = client.get(f"{path}?{query}&lang={lang}", headers=HTML).text
    content = text.split("</form>")[-1]  # behind the boxes by which services are picked
    said = {row["service"] for table in take(client, page, "json", lang).json["tables"] for row in table["rows"] if "service" in row}
    if asked:
        assert len(said) == 1 and "<td" in content + text, "a single service is named by the heading and each row"
    else:
        assert said == names

        assert all(html.escape(name) in content for name in names), [name for name in names if name not in content]
    assert not re.search(r"<td>\s*</td>", text) or path != "/atlas", "a cell with nothing in it"


def test_addresses_under_a_prefix(client: FlaskClient) -> None:
    """Mounted below another address, every link of a page stays below it, also the one to this page in another format."""
    for page in ("/atlas", "/duties", "/questions/duties/duties", "/services/talkz"):
        text = client.get(page, base_url="http://localhost/cloud", headers=HTML).text
        for value in re.findall(r'(?:href|src|action)="(/[^"]*)"', text):
            assert value.startswith("/cloud/"), (page, value)
    book = openpyxl.load_workbook(io.BytesIO(client.get("/atlas?format=xlsx&lang=en", base_url="http://localhost/cloud").data))
    assert any(row[1] == "http://localhost/cloud/atlas?lang=en" for row in book.worksheets[-1].values)


def test_the_public_address_is_what_files_tell(store: EmbeddedStore) -> None:
    """Where the operator has set an address, no Host header of a client gets into a file."""
    app = create_app(store)
    app.config["SEKININ_BASE_URL"] = "https://papers.example/s"
    for form in ("xlsx", "file"):
        data = app.test_client().get(f"/duties?lang=en&format={form}", headers={"Host": "evil.example"}).data
        text = (
            data.decode() if form == "file" else " ".join(as_text(row[1]) for row in openpyxl.load_workbook(io.BytesIO(data)).worksheets[-1].values)
        )
        assert "https://papers.example/s/duties?lang=en" in text and "evil.example" not in text
