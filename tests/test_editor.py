"""The editor of ``/sparql``: without JavaScript a form, with it an editor in a browser, and in no case a call to outside."""

from __future__ import annotations

import io
import json
import re
import runpy
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from browsing import chromium
from conftest import HOUSE
from flask.testing import FlaskClient
from serving import SETTINGS, Server, serving

from sekinin.namespaces import PREFIXES
from sekinin.store import EmbeddedStore
from webapp import completion, create_app, pieces

SOURCES = HOUSE / "webapp" / "editor"
BUNDLE = HOUSE / "webapp" / "static" / completion.BUNDLE
HTML = {"Accept": "text/html"}
DUTIES = "SELECT ?duty WHERE { ?duty a sk:CustomerDuty } ORDER BY ?duty LIMIT 3"
WRONG = "SELECT ?duty\nWHERE {\n  ?duty a sk:Obligaton ;; }\n} 責任"
whole = pytest.mark.whole


# ---- the page and what the editor asks


@pytest.fixture
def bundled(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, client: FlaskClient) -> FlaskClient:
    """A client of an application that has a bundle, whether or not one was made."""
    place = tmp_path / completion.BUNDLE
    place.parent.mkdir()
    place.write_text("/* */")
    monkeypatch.setattr(client.application, "static_folder", str(tmp_path))
    return client


def test_the_form_works_without_javascript(client: FlaskClient) -> None:
    """The field stands in the page, is not hidden, and its form answers with a table and the number of rows."""
    empty = client.get("/sparql", headers=HTML).get_data(as_text=True)
    field = re.search(r"<textarea[^>]*>", empty)
    assert field and 'name="query"' in field[0] and "hidden" not in field[0]
    assert re.search(r'<form[^>]+action="/sparql/?"[^>]+method="get"', empty)
    answered = client.get("/sparql", query_string={"query": DUTIES, "format": "html", "lang": "en"}).get_data(as_text=True)
    assert answered.count("<tr>") == 4 and re.search(r'role="status">\s*3 rows', answered)


def test_without_a_bundle_there_is_no_script(client: FlaskClient, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Where the bundle could not be made the page is the plain form, and asks for nothing that is not there."""
    monkeypatch.setattr(client.application, "static_folder", str(tmp_path))
    page = client.get("/sparql", headers=HTML).get_data(as_text=True)
    assert "<textarea" in page and "editor.js" not in page


@pytest.mark.parametrize("lang", ["ja", "en"])
def test_the_script_gets_its_words(lang: str, bundled: FlaskClient) -> None:
    """The interface of the script is in the language of the page, and nothing of a query can end the block that holds it."""
    page = bundled.get("/sparql", query_string={"query": "ASK {} # </script>", "lang": lang}, headers=HTML).get_data(as_text=True)
    block = re.search(r'<script type="application/json" id="editor-settings">(.*?)</script>', page, re.S)
    assert block
    said = json.loads(block[1])
    assert said["words"]["editor-copy"] == {"ja": "コピー", "en": "Copy"}[lang]
    assert said["lang"] == lang and said["root"] == "/" and said["prefixes"] == PREFIXES
    scripts = re.findall(r"<script\b[^>]*>", page)
    assert sum('src="/static/built/editor.js"' in script for script in scripts) == 1
    assert all("src=" in script or "application/json" in script for script in scripts)


def test_every_word_of_the_script_is_handed_to_it() -> None:
    """A word that the script shows and does not get would be shown as undefined."""
    text = "".join(path.read_text(encoding="utf-8") for path in SOURCES.glob("*.js"))
    shown = set(re.findall(r'ords\["([\w-]+)"\]', text)) | set(re.findall(r"\bwords\.([a-z]+)\b", text))
    shown |= set(re.findall(r'\? "(editor-[\w-]+)" : "(editor-[\w-]+)"', text)[0])
    kinds = {f"editor-kind-{kind}" for kind in ("class", "property", "individual")}
    assert shown | kinds == set(completion.WORDS)


@pytest.mark.parametrize("lang, label", [("ja", "義務"), ("en", "obligation")])
def test_words_to_complete(lang: str, label: str, client: FlaskClient) -> None:
    """Every prefix of the house, every term, and what statements are about, each once and with its name."""
    answer = client.get("/sparql/words", query_string={"lang": lang})
    assert answer.status_code == 200 and answer.mimetype == "application/json"
    words = {word["name"]: word for word in answer.get_json()}
    assert len(words) == len(answer.get_json())
    assert words["sk:Obligation"] == {"name": "sk:Obligation", "label": label, "kind": "class"}
    assert words["sk:aboutService"]["kind"] == "property" and words["id:service-talkz"]["kind"] == "individual"
    assert words["skos:prefLabel"]["kind"] == "property"
    assert {name for name, word in words.items() if word["kind"] == "prefix"} == {f"{prefix}:" for prefix in PREFIXES}
    again = client.get("/sparql/words", query_string={"lang": lang}, headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304 and not again.data
    other = client.get("/sparql/words", query_string={"lang": "en" if lang == "ja" else "ja"})
    assert other.headers["ETag"] != answer.headers["ETag"]


def test_each_word_may_stand_in_a_query(client: FlaskClient) -> None:
    """What is offered parses: a name that the grammar does not take with a prefix is offered as a whole IRI."""
    names = [word["name"] for word in client.get("/sparql/words").get_json() if word["kind"] != "prefix"]
    assert client.post("/sparql", data={"query": f"ASK {{ VALUES ?x {{ {' '.join(names)} }} }}"}).status_code == 200
    assert completion.written("https://w3id.org/sekinin/framework/iso27002-2013/") == "<https://w3id.org/sekinin/framework/iso27002-2013/>"


@pytest.mark.parametrize("few", [pieces.FEW, 0])
def test_names_of_iris(few: int, client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that have a name get it, in either language, however many services there are; the others are left out; too many are refused."""
    monkeypatch.setattr(pieces, "FEW", few)
    duty = PREFIXES["sk"] + "CustomerDuty"
    for lang, label in (("ja", "利用者の義務"), ("en", "customer duty")):
        answer = client.post("/sparql/labels", query_string={"lang": lang}, data={"iri": [duty, "x:unknown", "\0", PREFIXES["sk"] + "Nothing"]})
        assert answer.get_json() == {duty: label}
    assert client.post("/sparql/labels", data={"iri": ["x:y"] * (completion.LABELLED + 1)}).status_code == 413


def test_of_many_services_only_shared_names_are_completed(client: FlaskClient, store: EmbeddedStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """The words of the ontology, areas, metrics and services stay; the papers, and what they describe, are found by the search."""
    every = {word["name"] for word in client.get("/sparql/words?lang=en").get_json()}
    monkeypatch.setattr(pieces, "FEW", 0)
    shared = {word["name"] for word in create_app(store).test_client().get("/sparql/words?lang=en").get_json()}
    assert {"sk:Obligation", "id:area-backup", "id:service-talkz"} <= shared and "id:doc-talkz-wp" in every - shared


# ---- what the bundle is made of


def test_the_lock_names_no_host() -> None:
    """Every package is held by its digest, and from where it comes is the affair of whoever builds."""
    lock = (SOURCES / "package-lock.json").read_text(encoding="utf-8")
    assert "resolved" not in lock and "://" not in lock
    packages = {name: package for name, package in json.loads(lock)["packages"].items() if name}
    assert packages and all(package["integrity"].startswith("sha512-") for package in packages.values())
    used = json.loads((SOURCES / "package.json").read_text(encoding="utf-8"))
    assert json.loads(lock)["packages"][""]["dependencies"] == used["dependencies"]


def test_the_sources_write_no_markup() -> None:
    """What comes from an answer becomes text; a string that became markup could run."""
    for path in SOURCES.glob("*.js"):
        code = re.sub(r"//.*", "", path.read_text(encoding="utf-8"))
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function|setAttribute\(.style", code), path.name


@pytest.fixture
def bundle() -> str:
    if not BUNDLE.is_file():
        pytest.skip("the editor was not bundled: pip install -e . does it, where the packages can be fetched")
    return BUNDLE.read_text(encoding="utf-8")


def test_the_bundle_calls_nobody(bundle: str) -> None:
    """No address of another host stands in it, and the licence of every package in it lies beside it."""
    assert set(re.findall(r"https?://[^\s\"'`)]+", bundle)) <= {"http://www.w3.org/2000/svg"}
    licences = (BUNDLE.parent / "editor.licences.txt").read_text(encoding="utf-8")
    for name in json.loads((SOURCES / "package.json").read_text(encoding="utf-8"))["dependencies"]:
        assert re.search(rf"^{re.escape(name)} [\d.]+ \(MIT\)$", licences, re.M), name
    assert "editor.licences.txt" in bundle.splitlines()[0]


def test_the_bundle_is_made_once(bundle: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is current is left alone; a change of a source is noticed; what cannot be made is told and stops nothing."""
    pytest.importorskip("hatchling", reason="hatchling makes the package, and is not installed beside the tests")
    hook = runpy.run_path(str(HOUSE / "hatch_build.py"))
    shutil.copytree(SOURCES, tmp_path / "webapp" / "editor")
    (tmp_path / "webapp" / "static" / "built").mkdir(parents=True)
    made = tmp_path / "webapp" / "static" / completion.BUNDLE
    made.write_text(f"/* {hook['mark'](tmp_path)} */", encoding="utf-8")
    assert hook["is_current"](tmp_path) and hook["bundle"](tmp_path) == ""
    (tmp_path / "webapp" / "editor" / "dom.js").write_text("// changed", encoding="utf-8")
    assert not hook["is_current"](tmp_path)
    monkeypatch.setenv("npm_config_offline", "true")
    monkeypatch.setenv("npm_config_cache", str(tmp_path / "cache"))
    assert hook["bundle"](tmp_path)
    assert made.read_text(encoding="utf-8").startswith("/* ")


# ---- in a browser


@pytest.fixture(scope="module")
def server(built: object) -> Iterator[Server]:
    with serving(**SETTINGS) as running:
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    if not BUNDLE.is_file():
        pytest.skip("the editor was not bundled: pip install -e . does it, where the packages can be fetched")
    with chromium() as running:
        yield running


@contextmanager
def visiting(browser: Any, server: Server, path: str = "sparql?lang=ja", refused: int = 0) -> Iterator[Any]:
    """Open a page; at the end it must have asked nobody but this server and told no error but as many refused queries as are expected."""
    page = browser.new_page()
    errors: list[str] = []
    hosts: set[str] = set()
    page.on("console", lambda said: errors.append(said.text) if said.type in ("error", "warning") else None)
    page.on("pageerror", lambda why: errors.append(str(why)))
    page.on("request", lambda asked: hosts.add(urlsplit(asked.url).hostname or "") if not asked.url.startswith("data:") else None)
    page.goto(server.address + path)
    page.locator(".cm-content").wait_for()
    try:
        yield page
        page.wait_for_load_state("networkidle")
        assert hosts == {"127.0.0.1"}
        told = [each for each in errors if "status of 400" in each]
        assert len(told) == refused and len(errors) == refused, errors
    finally:
        page.context.close()


def write(page: Any, text: str) -> None:
    page.locator(".cm-content").click()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(text)


def outcome(page: Any, pattern: str) -> None:
    page.locator("#outcome", has_text=re.compile(pattern)).wait_for()


@whole
def test_a_query_is_written_and_answered(browser: Any, server: Server) -> None:
    """The table stands in the page, each IRI of ours with its name and a link on this server; the query stands in the address."""
    with visiting(browser, server) as page:
        write(page, DUTIES)
        page.keyboard.press("Control+Enter")
        outcome(page, "^3 件")
        rows = page.locator("#results tbody tr")
        assert rows.count() == 3
        link = rows.first.locator("a")
        assert re.fullmatch(r"id:ob-[\w-]+", link.inner_text()) and link.get_attribute("href").startswith("/id/ob-")
        name = rows.first.locator(".name")
        name.wait_for()
        assert re.search("[ぁ-ん一-龠]", name.inner_text())
        assert quote("sk:CustomerDuty", safe="") in page.url
        other = page.locator("header nav a[lang=en]").get_attribute("href")
        assert "lang=en" in other and "CustomerDuty" in other and "lang=ja" not in other
        link.click()
        assert page.wait_for_url("**/page/id/ob-**") is None


@whole
def test_text_of_an_answer_stays_text(browser: Any, server: Server) -> None:
    """Markup and dangerous schemes are shown as they are; languages and booleans are told."""
    with visiting(browser, server) as page:
        write(page, 'SELECT ("<img src=x onerror=alert(1)>"@ja AS ?a) (<javascript:alert(1)> AS ?b) (1 = 1 AS ?c) {}')
        page.get_by_role("button", name="実行").click()
        outcome(page, "^1 件")
        cells = page.locator("#results td")
        assert cells.all_inner_texts() == ["<img src=x onerror=alert(1)>", "<javascript:alert(1)>", "true"]
        assert page.locator("#results img").count() == 0 and cells.locator("a").count() == 0
        assert cells.locator("span").first.get_attribute("lang") == "ja"
        write(page, "ASK { id:service-talkz a sk:Service }")
        page.keyboard.press("Control+Enter")
        page.locator("#results td", has_text="あり").wait_for()
        write(page, "DESCRIBE id:service-talkz")
        page.keyboard.press("Control+Enter")
        outcome(page, "Turtle")
        assert "service-talkz" in page.locator("#results pre").inner_text()


@whole
def test_an_error_shows_its_place(browser: Any, server: Server) -> None:
    """The place is marked, the message and its hint are told, and a button goes there."""
    with visiting(browser, server, refused=1) as page:
        write(page, WRONG)
        page.keyboard.press("Control+Enter")
        outcome(page, r"\d+行\d+文字目")
        line = int(re.search(r"(\d+)行", page.locator("#outcome").inner_text())[1])
        told = page.locator("#results .problem")
        assert "sk:Obligation" in told.locator("li").inner_text()
        assert page.locator(".cm-lintRange-error").count() == 1 and page.locator(".cm-lint-marker-error").count() == 1
        told.get_by_role("button", name=f"{line}行目へ").click()
        assert page.evaluate("document.activeElement.shadowRoot.activeElement.className").startswith("cm-content")
        assert page.evaluate("location.search") == "?lang=ja", "a link to a query that fails leads to no form"
        write(page, DUTIES)
        page.keyboard.press("Control+Enter")
        outcome(page, "^3 件")
        assert page.locator(".cm-lintRange-error").count() == 0


@whole
def test_completion(browser: Any, server: Server) -> None:
    """A term is offered with its Japanese label, is found by that label too, and is taken by Enter."""
    with visiting(browser, server) as page:
        write(page, "SELECT ?x { ?x a ")
        page.keyboard.type("sk:Oblig")
        offered = page.locator(".cm-tooltip-autocomplete li", has_text=re.compile("^sk:Obligation義務"))
        offered.wait_for()
        page.wait_for_timeout(150)  # an Enter in the first moment is taken for one that was meant before
        page.keyboard.press("Enter")
        assert "?x a sk:Obligation" in page.locator("#query").input_value()
        write(page, "SELECT ?x { ?x a ")
        page.keyboard.insert_text("利用者の義務")
        page.keyboard.press("Control+Space")
        page.locator(".cm-tooltip-autocomplete li", has_text=re.compile("^sk:CustomerDuty利用者の義務")).wait_for()
        write(page, "")
        page.keyboard.type("PREFIX sk")
        page.locator(".cm-tooltip-autocomplete li", has_text="sk:").first.wait_for()


@whole
def test_the_keyboard_is_not_trapped(browser: Any, server: Server) -> None:
    """Tab leaves the editor forwards and backwards, also after Escape, and the focus can be seen."""
    with visiting(browser, server) as page:
        page.locator(".cm-content").click()
        assert page.locator(".cm-editor").evaluate("e => getComputedStyle(e).outlineStyle") == "solid"
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "実行"
        page.keyboard.press("Shift+Tab")
        assert page.evaluate("document.activeElement.className") == "code"
        page.keyboard.press("Escape")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "実行"
        assert page.locator(".cm-content").get_attribute("aria-label") == "クエリ"


@whole
def test_a_link_asks_again(browser: Any, server: Server) -> None:
    """The link that is copied shows the same query and the same rows to somebody else, also without JavaScript."""
    with visiting(browser, server) as page:
        page.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=server.address.rstrip("/"))
        write(page, DUTIES)
        page.keyboard.press("Control+Enter")
        outcome(page, "^3 件")
        page.get_by_role("button", name="リンクをコピー").click()
        outcome(page, "コピーしました")
        link = page.evaluate("navigator.clipboard.readText()")
        assert link == page.url
    with visiting(browser, server, link.removeprefix(server.address)) as page:
        outcome(page, "^3 件")
        assert page.locator("#query").input_value() == DUTIES
        assert page.locator("#results tbody tr").count() == 3
        page.locator("#results .name").first.wait_for()
    plain = browser.new_context(java_script_enabled=False)
    page = plain.new_page()
    page.goto(link)
    assert page.locator("#results tbody tr").count() == 3 and page.locator("textarea").is_visible()
    plain.close()


@whole
def test_without_inference_it_stays_without(browser: Any, server: Server) -> None:
    """A page that was opened without what is inferred asks without it, and so does its link."""
    with visiting(browser, server, "sparql?lang=en&inference=off") as page:
        write(page, "SELECT ?x { ?x a sk:Commitment }")
        page.keyboard.press("Control+Enter")
        outcome(page, r"^\d+ rows")
        without = page.locator("#outcome").inner_text()
        assert "inference=off" in page.url
    with visiting(browser, server, "sparql?lang=en") as page:
        write(page, "SELECT ?x { ?x a sk:Commitment }")
        page.keyboard.press("Control+Enter")
        outcome(page, r"^\d+ rows")
        assert page.locator("#outcome").inner_text() != without


@whole
def test_a_file_is_still_sent_by_the_form(browser: Any, server: Server) -> None:
    """The buttons for CSV and the like send what stands in the editor, as the plain form does."""
    with visiting(browser, server) as page:
        write(page, DUTIES)
        with page.expect_response(lambda answer: "format=csv" in answer.url) as got:
            page.get_by_role("button", name="CSV").click()
        assert got.value.status == 200 and got.value.headers["content-type"].startswith("text/csv")


@whole
def test_what_was_asked_is_kept_here_only(browser: Any, server: Server) -> None:
    """The last queries are listed, one is chosen, all are deleted; nothing but the browser keeps them."""
    with visiting(browser, server) as page:
        for i in range(1, 23):
            write(page, f"ASK {{ FILTER({i} = 1) }}")
            page.keyboard.press("Control+Enter")
            page.wait_for_url(re.compile(quote(f"FILTER({i} = 1)", safe="").replace("%20", r"\+")))
        page.get_by_text("履歴", exact=True).click()
        queries = page.locator("#history li button")
        assert queries.count() == 20 and queries.first.inner_text() == "ASK { FILTER(22 = 1) }"
        queries.last.click()
        assert page.locator("#query").input_value() == "ASK { FILTER(3 = 1) }"
        assert page.evaluate("document.activeElement.className") == "code"
        page.reload()
        page.get_by_text("履歴", exact=True).click()
        assert queries.count() == 20
        page.get_by_role("button", name="履歴をすべて消す").click()
        assert queries.count() == 0 and page.evaluate("localStorage.length") == 0


@whole
def test_programs_ask_the_same(browser: Any, server: Server) -> None:
    """What is offered for Python and for the shell runs as it stands, whatever is quoted in the query."""
    query = 'SELECT ("it\'s \\"\\"\\" \\\\ 責任" AS ?text) (3 AS ?n) {}'
    with visiting(browser, server) as page:
        page.locator("#programs summary").click()
        write(page, query)
        page.locator("#programs pre", has_text="it's").first.wait_for()
        texts = {pre.get_attribute("data-language"): pre.inner_text() for pre in page.locator("#programs pre").all()}
    assert set(texts) == {"curl", "Python", "R"} and f"({query})" in texts["R"]
    run = subprocess.run([sys.executable, "-c", texts["Python"]], capture_output=True, text=True, timeout=60, check=True)
    assert 'it\'s """ \\ 責任' in run.stdout
    if shutil.which("curl") and shutil.which("sh"):
        run = subprocess.run(["sh", "-c", texts["curl"]], capture_output=True, text=True, timeout=60, check=True)
        assert "it's" in run.stdout and "責任" in run.stdout and run.stdout.count("\n") == 2


@whole
def test_what_was_cut_off_is_told(browser: Any, built: object) -> None:
    """An answer that the server cut off, and a table that the page cuts off, say so."""
    with serving(**SETTINGS, SEKININ_LIMIT_ROWS="1500") as limited, visiting(browser, limited) as page:
        write(page, "SELECT ?s ?p ?o { ?s ?p ?o }")
        page.keyboard.press("Control+Enter")
        outcome(page, r"^1500 件.*1500行で打ち切られました.*先頭の 1000 行")
        assert page.locator("#results tbody tr").count() == 1000


@whole
def test_the_bundle_is_in_the_wheel(bundle: str, tmp_path: Path) -> None:
    """Who installs the package gets the editor, and not its sources."""
    pytest.importorskip("hatchling", reason="hatchling makes the package, and is not installed beside the tests")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, cwd=HOUSE, check=True, capture_output=True, timeout=300)
    names = zipfile.ZipFile(io.BytesIO(next(tmp_path.glob("*.whl")).read_bytes())).namelist()
    assert {"webapp/static/built/editor.js", "webapp/static/built/editor.licences.txt"} <= set(names)
    assert not [name for name in names if name.startswith("webapp/editor/")]
