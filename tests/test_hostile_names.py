"""Names that would break a page, a spreadsheet or a line: on every page and in every file they are nothing but text."""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from html.parser import HTMLParser
from xml.etree import ElementTree

import openpyxl
import pyoxigraph as ox
import pytest
from flask.testing import FlaskClient
from rdflib import Graph

from sekinin.namespaces import PREFIXES
from sekinin.store import EmbeddedStore
from webapp import create_app

pytestmark = pytest.mark.whole

MARKUP = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'><svg/onload=alert(1)>",
    "{{7*7}}{% raw %}",
    "]]></title><!-- <b>",
    "&lt;i&gt;&amp;amp;&#60;u&#62;",
    "</textarea></style></script>",
)
FORMULAS = ("=cmd|'/c calc'!A1", "+1", "-1", "@SUM(A1:A9)", "\t=1+1", "\r=1+1", "\n=2+2", '=HYPERLINK("http://evil.example","x")')
LETTERS = (
    "\u202e\u2067abc",  # an override and an isolate that nothing closes
    "\u200f\u061cשלום עולם",
    "\u200b\u2060\ufeff",
    "\u0301\u0308",
    "a\u0007\u0001\u007f\u0085\u2028b",
    "\ufffe\uffff\ufdd0",
    "two\r\nlines\n\nand\tmore",
    "\"quoted\" 'twice' \\ back\\slash\\",
    "😀👨‍👩‍👧‍👦🏴",
    "長" * 10_000,
    "_x000D_ %0d%0aSet-Cookie: a=b ../../etc/passwd",
)
HOSTILE = MARKUP + FORMULAS + LETTERS
OVERRIDE = LETTERS[0]
WORDS = tuple(PREFIXES["skos"] + each for each in ("prefLabel",)) + tuple(
    PREFIXES["sk"] + each for each in ("readingNote", "alternativeReading", "asPrinted", "scopeDescription")
)
TITLES = (PREFIXES["dcterms"] + "title", PREFIXES["skos"] + "notation", PREFIXES["dcat"] + "version")
VIEWS = {
    "/": "csv tsv xlsx json",
    "/atlas": "csv tsv xlsx json file turtle jsonld",
    "/atlas?service=talkz": "file",
    "/duties": "csv tsv xlsx json file turtle jsonld",
    "/commitments": "csv xlsx json",
    "/commitments/BackupRetentionCommitment": "csv tsv xlsx json file turtle jsonld",
    "/commitments/NotificationCommitment?service=resv,talkz": "csv xlsx file",
    "/controls": "csv xlsx json turtle",
    "/controls/iso27017-2015/CLD.6.3.1": "csv xlsx json file turtle jsonld",
    "/services/talkz": "csv tsv xlsx json file turtle jsonld",
    "/providers/spcc": "csv xlsx json turtle",
    "/documents/talkz-wp": "csv xlsx json turtle",
    "/questions/duties/customer-duties": "csv tsv xlsx json",
    "/questions/supply/infrastructure-providers": "csv xlsx json",
    "/findings": "csv xlsx json turtle",
    "/source/id/ob-resv-manage-user-accounts": "",
    "/page/id/service-talkz": "",
    "/page/id/ob-resv-manage-user-accounts": "",
}
PAIRS = [(page, form) for page, forms in VIEWS.items() for form in forms.split()]
HTML = {"Accept": "text/html"}


def renamed(quads: Iterator[ox.Quad], names: tuple[str, ...]) -> Iterator[ox.Quad]:
    """Yield ``quads`` with what papers are told in renamed: each name in turn, its own for each statement, the same in both runs.

    What the interface itself is made of, as layers and areas, keeps its name in no other way: a name is a name.
    """
    for quad in quads:
        about = quad.predicate.value
        graph = getattr(quad.graph_name, "value", "")
        if isinstance(quad.object, ox.Literal) and "/graph/" in graph and about in (*WORDS, *TITLES) and "/framework" not in graph:
            number = sum(quad.subject.value.encode()) + len(about)
            said = names[number % len(names)]
            if about.endswith("prefLabel") and not quad.subject.value.startswith(PREFIXES["id"]):
                yield quad
                continue
            new = ox.Literal(said, language=quad.object.language) if quad.object.language else ox.Literal(said)
            yield ox.Quad(quad.subject, quad.predicate, new, quad.graph_name)
        else:
            yield quad


def clients_of(store: EmbeddedStore, names: tuple[str, ...]) -> FlaskClient:
    app = create_app(EmbeddedStore.of(list(renamed(iter(store.engine), names))), version="1")
    app.testing = True
    return app.test_client()


@pytest.fixture(scope="module")
def hostile(store: EmbeddedStore) -> FlaskClient:
    return clients_of(store, HOSTILE)


@pytest.fixture(scope="module")
def turned(store: EmbeddedStore) -> FlaskClient:
    """The same store with a name everywhere that turns the line around."""
    return clients_of(store, (OVERRIDE,))


@pytest.fixture(scope="module")
def plain(store: EmbeddedStore) -> FlaskClient:
    """The same store with names of the same places that harm nobody: as many, so that what is joined or left out once is so here."""
    return clients_of(store, tuple(f"name {number}" for number in range(len(HOSTILE))))


class Structure(HTMLParser):
    """The elements of a page with the names of their attributes, and each text with the elements that it stands in."""

    VOID = frozenset(["meta", "link", "input", "br", "img", "hr", "rect", "path", "circle", "line"])

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.shape: Counter[tuple[str, ...]] = Counter()
        self.texts: list[tuple[str, tuple[int, ...]]] = []
        self.kind: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[int] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.shape[(tag, *(name for name, _ in attrs))] += 1
        self.kind.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(len(self.kind) - 1)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.shape[(tag, *(name for name, _ in attrs))] += 1
        self.kind.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        while self.open:
            if self.kind[self.open.pop()][0] == tag:
                break

    def handle_data(self, data: str) -> None:
        self.texts.append((data, tuple(self.open)))

    def handle_comment(self, data: str) -> None:
        self.shape[("comment",)] += 1


@cache
def got(client: FlaskClient, page: str, lang: str, form: str = "") -> bytes:
    path, _, query = page.partition("?")
    said = dict(part.split("=") for part in query.split("&") if part)
    answer = client.get(path, query_string={**said, "lang": lang, **({"format": form} if form else {})}, headers=HTML)
    assert answer.status_code == 200, (page, answer.text[:300])
    disposition = answer.headers.get("Content-Disposition", "")
    assert not form or re.fullmatch(r'attachment; filename="sekinin-[A-Za-z0-9.-]{1,110}"', disposition), disposition
    return answer.data


@pytest.mark.parametrize("lang", ["ja", "en"])
@pytest.mark.parametrize(("page", "form"), [*((page, "") for page in VIEWS), *(pair for pair in PAIRS if pair[1] == "file")])
def test_pages_keep_their_structure(page: str, form: str, lang: str, hostile: FlaskClient, plain: FlaskClient) -> None:
    """No element and no attribute is there that the page of harmless names has not; nothing hostile leads anywhere; templates are not run."""
    bad, good = Structure(got(hostile, page, lang, form).decode()), Structure(got(plain, page, lang, form).decode())
    more = {shape: count - good.shape[shape] for shape, count in bad.shape.items() if count > good.shape[shape]}
    assert set(bad.shape) <= set(good.shape) and sum(more.values()) <= 0.05 * sum(good.shape.values()), more
    for tag, attributes in bad.kind:
        assert tag not in ("img", "b", "i", "u") and "onerror" not in attributes and "onload" not in attributes
        assert not (attributes.get("href") or "").lower().startswith(("javascript:", "data:text"))
    text = "".join(data for data, _ in bad.texts)
    assert MARKUP[3] in text or not any(MARKUP[3].replace("7*7", each) in text for each in ("49", ""))
    assert any(name in text or name.strip() in text for name in HOSTILE) or page in ("/commitments", "/questions/supply/infrastructure-providers")


BLOCKS = frozenset(("td", "th", "h1", "h2", "h3", "li", "p", "dd", "dt", "text", "summary", "figcaption", "blockquote", "code", "button"))
ALONE = frozenset(("title", "desc", "option", "pre"))
"""Elements that hold no other element; there a line is one text."""


@pytest.mark.parametrize("lang", ["ja", "en"])
@pytest.mark.parametrize(("page", "form"), [*((page, "") for page in VIEWS), ("/atlas", "file"), ("/services/talkz", "file")])
def test_what_is_written_from_the_right_stays_in_its_place(page: str, form: str, lang: str, turned: FlaskClient) -> None:
    """A name with an override that nothing closes is isolated, or has its block for itself, so that it turns nothing else around."""
    here = Structure(got(turned, page, lang, form).decode())
    whole: dict[int, str] = {}
    for data, above in here.texts:
        for each in above:
            whole[each] = whole.get(each, "") + data
    for data, above in here.texts:
        if OVERRIDE not in data:
            continue
        for each in reversed(above):
            tag, attributes = here.kind[each]
            if tag == "bdi" or attributes.get("dir") == "auto":
                break
            if tag in ALONE:
                break
            if tag in BLOCKS:
                rest = whole[each].partition(OVERRIDE)[2].replace(OVERRIDE, "")
                assert not re.search(r"[^\W\d_]", rest), (tag, rest[:200], [here.kind[i][0] for i in above[-4:]])
                break


@pytest.mark.parametrize(("page", "form"), [pair for pair in PAIRS if pair[1] in ("csv", "tsv")])
def test_no_cell_of_a_csv_file_is_a_formula(page: str, form: str, hostile: FlaskClient) -> None:
    """What begins like a formula has an apostrophe before it, and is otherwise what the page says; the rows stay as many as they are."""
    text = got(hostile, page, "en", form).decode()
    rows = list(csv.reader(io.StringIO(text, newline=""), delimiter="\t" if form == "tsv" else ","))
    said = json.loads(got(hostile, page, "en", "json")) if (page, "json") in PAIRS else None
    for cell in (cell for row in rows for cell in row):
        assert not cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n")) or re.fullmatch(r"-?\d+(\.\d+)?", cell), cell[:40]
    if said:
        assert sum(len(table["rows"]) + 1 for table in said["tables"]) == sum(1 for row in rows if row)
        cells = {cell.removeprefix("'") for row in rows for cell in row}
        for table in said["tables"]:
            for row in table["rows"]:
                for key in table["columns"]:
                    assert row[key] is None or str(row[key]).removeprefix("'") in cells, (key, str(row[key])[:60])


@pytest.mark.parametrize(("page", "form"), [pair for pair in PAIRS if pair[1] == "xlsx"])
def test_workbooks_open(page: str, form: str, hostile: FlaskClient) -> None:
    """Every cell is a text or a number, the texts are those of the names, and every part of the file is XML without a forbidden character."""
    from zipfile import ZipFile

    from openpyxl.utils.escape import unescape

    data = got(hostile, page, "ja", form)
    with ZipFile(io.BytesIO(data)) as parts:
        for name in parts.namelist():
            ElementTree.fromstring(parts.read(name))
            if name.endswith(".rels"):
                assert b"External" not in parts.read(name)
    found = set()
    for sheet in openpyxl.load_workbook(io.BytesIO(data)):
        assert re.fullmatch(r"[^\[\]:*?/\\\x00-\x1f]{1,31}", sheet.title)
        for row in sheet.iter_rows():
            for cell in row:
                assert cell.data_type in "sn" and cell.hyperlink is None
                found.add(str(cell.value or ""))
    said = json.loads(got(hostile, page, "ja", "json")) if (page, "json") in PAIRS else {"tables": []}
    texts = {unescape(each).replace("\r\n", "\n").replace("\r", "\n") for each in found} | {each.replace("\r", "\n") for each in found}
    for row in (row for table in said["tables"] for row in table["rows"]):
        for each in (value for key, value in row.items() if isinstance(value, str) and key not in ("statement", "page")):
            assert each.replace("\r\n", "\n").replace("\r", "\n") in texts or "_x" in each or not each.isprintable(), each[:60]


@pytest.mark.parametrize(("page", "form"), [pair for pair in PAIRS if pair[1] in ("turtle", "jsonld")])
def test_rdf_is_not_harmed(page: str, form: str, hostile: FlaskClient) -> None:
    """Two programs read it, and the names are there letter by letter."""
    data = got(hostile, page, "en", form)
    kind = ox.RdfFormat.TURTLE if form == "turtle" else ox.RdfFormat.JSON_LD
    names = {quad.object.value for quad in ox.parse(data, kind) if quad.predicate.value.endswith(("prefLabel", "title", "asPrinted"))}
    assert names <= set(HOSTILE) and len(names) > 2
    assert len(Graph().parse(data=data, format="turtle" if form == "turtle" else "json-ld")) > 20


@pytest.mark.parametrize("page", ["/", "/atlas", "/controls", "/services/talkz", "/commitments/BackupRetentionCommitment"])
def test_pictures_are_whole(page: str, hostile: FlaskClient) -> None:
    """Each picture of a page is XML as it stands, and holds nothing but shapes and texts."""
    text = got(hostile, page, "ja").decode()
    for picture in re.findall(r"(?s)<svg.*?</svg>", text):
        legal = re.sub("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]", "", picture).replace("&nbsp;", " ")
        for each in ElementTree.fromstring(legal).iter():
            assert each.tag in {"svg", "title", "desc", "text", "g", "rect", "path", "circle", "line"}, each.tag
            assert not any(name.startswith("on") or "href" in name for name in each.attrib)


PLACES = (
    "/atlas?service={}",
    "/atlas?service=talkz&list={}",
    "/duties?layer={}",
    "/duties?phase={}",
    "/duties?service={}",
    "/controls?framework={}",
    "/words?group={}",
    "/?page={}",
    "/commitments?service=talkz&service={}&sort=1&sort=2",
    "/questions/duties/customer-duties?service={}",
    "/questions/duties/customer-duties?{}=1",
    "/atlas?format={}",
    "/services/{}",
    "/providers/{}",
    "/documents/{}",
    "/commitments/{}",
    "/controls/{}/1",
    "/controls/iso27017-2015/{}",
    "/questions/duties/{}",
    "/source/{}",
)
VALUES = (
    *MARKUP,
    "A" * 10_000,
    "../../",
    "-1",
    "0",
    "1e3",
    "\x00",
    "talkz\x00",
    "a\r\nSet-Cookie: x=y",
    OVERRIDE,
    "😀",
    "%",
    "\ud800",
    "ｔalkz",
    " ",
)


@pytest.mark.parametrize("place", PLACES)
def test_hostile_requests(place: str, plain: FlaskClient) -> None:
    """A value that means nothing is a clear 4xx that says what to do; it comes back, if at all, as text, and not for long."""
    from urllib.parse import quote

    for value in VALUES:
        for headers in (HTML, {"Accept": "application/json"}):
            said = quote(value.encode("utf-8", "surrogatepass"), safe="")
            answer = plain.get(place.format(said) + ("&" if "?" in place else "?") + "lang=en", headers=headers)
            assert 300 <= answer.status_code < 500, (value[:40], answer.status_code)
            assert answer.status_code >= 400 or value in ("../../", " ") or place.startswith("/?"), (value[:40], answer.status_code)
            assert len(answer.data) < 40_000 and "Set-Cookie" not in answer.headers
            if answer.mimetype == "text/html":
                shape = Structure(answer.text)
                assert not {"img", "b", "i", "u"} & {tag for tag, _ in shape.kind} and not any("onload" in attributes for _, attributes in shape.kind)
                assert "alert(1)" not in "".join(data for data, above in shape.texts if above and shape.kind[above[-1]][0] == "script")
            elif answer.status_code >= 400:
                assert answer.mimetype == "application/problem+json" and answer.json["status"] == answer.status_code


@pytest.mark.parametrize(
    "query",
    [
        "layer=customer&layer=provider",
        "lang=ja&lang=en",
        "format=csv&format=xlsx",
        "phase=AtEndPhase&phase=",
        "bom=1&bom=1&format=csv",
        "list=&list=",
    ],
)
def test_what_is_given_twice_is_refused(query: str, plain: FlaskClient) -> None:
    """Only services may be named several times; of anything else nobody could say which is meant."""
    answer = plain.get("/duties?" + query, headers={"Accept": "application/json"})
    assert answer.status_code == 400 and answer.json["remedy"] in ("give it once", "一度だけ指定してください")
    assert plain.get("/duties?service=talkz&service=resv,talkz&service=", headers=HTML).status_code == 200
