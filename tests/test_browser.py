"""Every page in a browser: for everybody (axe, keyboard, zoom, dark, paper), and for nobody else (no request outside, a strict policy)."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browsing import chromium, eventually, visiting
from conftest import HOUSE
from pypdf import PdfReader
from serving import SETTINGS, Server, serving

from sekinin import resources
from sekinin.reading import draft
from sekinin.reading import paper as reader
from webapp.words import word

pytestmark = pytest.mark.whole
TABLE = "atlas?service=talkz&list=list-talkz-responsibility-table"
SOURCE = "source/id/cm-talkz-backup-kept-three-months"
FRAMEWORKS = ("iso27017-2015", "iso27002-2013", "iso27002-2022", "meti-2013", "ai-analyst-checksheet")
PAGES = (
    "",
    "atlas",
    TABLE,
    "duties",
    "duties?service=talkz&service=resv",
    "duties?layer=provider&phase=AtEndPhase",
    "commitments",
    "commitments/BackupRetentionCommitment",
    "commitments/NotificationCommitment?sort=value",
    "commitments/metric-data-deletion",
    *(f"controls?framework={slug}" for slug in FRAMEWORKS),
    "controls/iso27017-2015/CLD.13.1.4",
    "controls/iso27002-2022/8.13",
    "services/talkz",
    "services/ai-analyst",
    "providers/spcc",
    "documents/talkz-wp",
    SOURCE,
    "questions",
    "questions/locations/how-far-in-country",
    "questions/counts/urls",
    "sparql",
    "sparql?query=SELECT+*+%7B+%3Fs+a+sk%3AService+%7D&format=html",
    "words?group=class",
    "words?group=property",
    "words?group=individual",
    "findings",
    "data",
    "search?q=backup",
    "search?q=zzqqzz",
    "graphs",
    "conformance",
    "page/id/service-talkz",
    "page/ontology",
    "services/nobody",
)
"""One of each kind, and those that hold most; the last is not there."""
DARK = (
    "",
    "atlas",
    "duties?service=talkz&service=resv",
    "commitments/DeletionCommitment",
    "controls?framework=iso27017-2015",
    "sparql",
    SOURCE,
    "findings",
)
POLICY = {"default-src": {"'none'"}, "script-src": {"'self'"}, "style-src": {"'self'"}, "connect-src": {"'self'"}, "img-src": {"'self'", "data:"}}
AXE = """axe.run(document, {resultTypes: ["violations"], rules: {"target-size": {enabled: true}}}).then((found) => [found.passes.length,
  found.violations.map((each) => each.id + ": " + each.nodes.slice(0, 3).map((node) => node.html.slice(0, 200)).join(" | "))])"""
WIDER = """() => { const root = document.documentElement; if (root.scrollWidth <= root.clientWidth) return [];
  const beyond = [...document.querySelectorAll("body *")].filter((e) => e.getBoundingClientRect().right > innerWidth + 1);
  return [root.scrollWidth, ...beyond.slice(0, 5).map((e) => e.outerHTML.slice(0, 120))]; }"""
REACH = """() => {
  const shown = (e) => e.checkVisibility({visibilityProperty: true}) && e.getClientRects().length && !e.closest("[aria-hidden=true]");
  window.wanted = [...document.querySelectorAll("a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex='0']")]
    .filter((e) => shown(e) && e.tabIndex >= 0); return window.wanted.length; }"""
FOCUS = """() => { const e = document.activeElement, at = e.getBoundingClientRect(), style = getComputedStyle(e);
  const editor = e.shadowRoot || e.closest(".cm-editor");
  return [window.wanted.indexOf(e), Boolean(editor) || style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2,
    at.bottom > 0 && at.top < innerHeight && at.right > 0 && at.left < innerWidth, e.outerHTML.slice(0, 120)]; }"""


@pytest.fixture(scope="module")
def papers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the server looks for the reader's papers; empty."""
    return tmp_path_factory.mktemp("papers")


@pytest.fixture(scope="module")
def server(built: object, papers: Path) -> Iterator[Server]:
    with serving(**SETTINGS, SEKININ_PAPERS=str(papers)) as running:
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as running:
        yield running


@pytest.fixture(scope="module")
def axe(clients: Path) -> str:
    """The program that judges a page by the rules of WCAG and good practice."""
    return (clients / "node_modules" / "axe-core" / "axe.min.js").read_text(encoding="utf-8")


def judge(page: Any, axe: str) -> None:
    """Assert that axe finds nothing on a page as it stands."""
    page.evaluate(axe)
    passed, violations = page.evaluate(AXE)
    assert passed > 10 and not violations, f"{page.url}: {violations}"


def status_of(path: str) -> int:
    return 404 if path == PAGES[-1] else 200


# ---- every page


@pytest.mark.parametrize("lang", ["ja", "en"])
@pytest.mark.parametrize("path", PAGES)
def test_every_page(path: str, lang: str, browser: Any, server: Server, axe: str) -> None:
    """No violation, no complaint, no request outside, the policy in force; at 200 % and at 320 pixels only regions scroll sideways."""
    with visiting(browser, server, path, lang, status_of(path)) as page:
        assert page.locator("html").get_attribute("lang") == lang and page.locator("h1").count() == 1
        said = {name: set(rest) for name, *rest in (part.split() for part in page.policy.split(";") if part.strip())}
        assert POLICY.items() <= said.items() and "unsafe" not in page.policy and "frame-ancestors" in said
        judge(page, axe)
        for width in (1280, 640, 320):  # 1280 pixels at 200 % and at 400 %
            page.set_viewport_size({"width": width, "height": 640})
            assert page.evaluate(WIDER) == [], f"{path} at {width}"


@pytest.mark.parametrize("path", DARK)
def test_dark(path: str, browser: Any, server: Server, axe: str) -> None:
    """In the dark too, everything can be told from what is behind it."""
    with visiting(browser, server, path, color_scheme="dark") as page:
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(26, 26, 26)"
        judge(page, axe)


def test_axe_is_not_blind(browser: Any, server: Server, axe: str) -> None:
    """The judge of the tests above finds a picture without a text, a small target and a pale word."""
    with visiting(browser, server) as page:
        page.evaluate("""() => { const main = document.querySelector("main"); main.append(document.createElement("img"));
            const pale = document.createElement("p"); pale.textContent = "pale words"; pale.className = "pale"; main.append(pale);
            pale.style.color = "#ddd"; for (const at of [1, 2]) { const link = document.createElement("button"); link.textContent = at;
            link.style.cssText = "padding:0;border:0;font-size:8px;width:9px;height:9px"; main.append(link); } }""")
        page.evaluate(axe)
        _, violations = page.evaluate(AXE)
        assert {each.partition(":")[0] for each in violations} == {"image-alt", "color-contrast", "target-size"}


def test_the_policy_is_in_force(browser: Any, server: Server) -> None:
    """A script that got into a page does not run, and calls nobody."""
    with visiting(browser, server) as page:
        page.evaluate("""() => { window.refused = []; document.addEventListener("securitypolicyviolation", (e) => refused.push(e.effectiveDirective));
            const script = document.createElement("script"); script.textContent = "window.ran = true"; document.body.append(script);
            const image = new Image(); image.src = "http://localhost:9/x.png"; }""")
        eventually(page, "window.refused.length >= 2")
        assert page.evaluate("window.ran") is None
        assert {each.partition("-src")[0] for each in page.evaluate("window.refused")} == {"script", "img"}
        page.complaints.clear()
        page.asked.remove("http://localhost:9/x.png")  # it was refused, not sent


@pytest.mark.parametrize("path", PAGES)
def test_without_javascript(path: str, browser: Any, server: Server) -> None:
    """The page says the same, and each source is a page of its own."""
    with visiting(browser, server, path, "ja", status_of(path), java_script_enabled=False) as page:
        assert page.locator("h1").inner_text().strip() and page.locator("main").inner_text().strip()
        sources = page.locator("a[data-source]")
        if sources.count():
            links = sources.evaluate_all("found => found.map((each) => each.getAttribute('href'))")
            assert all(link.startswith("/source/") for link in links)
            sources.first.click()
            assert re.match(r".*/source/[^?]+\?lang=ja", page.url) and page.locator("article.source h2").count()


def test_forms_work_without_javascript(browser: Any, server: Server) -> None:
    """Services are chosen, a question is narrowed, a query runs, and words are found."""
    with visiting(browser, server, "duties", java_script_enabled=False) as page:
        for box in page.locator("fieldset input").all():
            box.set_checked(box.get_attribute("value") == "resv")
        page.get_by_role("button", name=word("show", "ja")).click()
        assert "(10)" in page.locator("h1").inner_text()
        page.get_by_role("searchbox").fill("バックアップ")
        page.get_by_role("button", name=word("search", "ja")).click()
        assert page.locator(".found li").count() > 5
        page.goto(server.address + "sparql?lang=ja")
        page.get_by_role("button", name=word("run", "ja")).click()
        assert page.locator("#results tbody tr").count() > 40


# ---- by keyboard


@pytest.mark.parametrize(
    "path",
    ["", TABLE, "duties?service=talkz&service=resv", "commitments/BackupRetentionCommitment", "questions/counts/urls", "sparql", SOURCE, "data"],
)
def test_the_keyboard_reaches_everything(path: str, browser: Any, server: Server) -> None:
    """Tab comes to each thing that can be used, in its order, where it can be seen, and leaves the page at its end."""
    with visiting(browser, server, path) as page:
        if path == "sparql":
            page.locator(".cm-content").wait_for()
        number = page.evaluate(REACH)
        reached: list[int] = []
        for _ in range(number + 3):
            page.keyboard.press("Tab")
            place, outlined, seen, what = page.evaluate(FOCUS)
            if what.startswith("<body"):
                break
            assert outlined and seen, f"the focus cannot be seen: {what}"
            reached += [place] if place >= 0 else []
        missed = sorted(set(range(number)) - set(reached))
        assert not missed, page.evaluate("places => places.map((at) => wanted[at].outerHTML.slice(0, 120))", missed[:5])
        assert reached == sorted(reached)


def until(page: Any, selector: str, key: str = "Tab", most: int = 60) -> None:
    """Press a key until what ``selector`` names has the focus."""
    for _ in range(most):
        page.keyboard.press(key)
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
    raise AssertionError(f"{key} does not lead to {selector}")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_keyboard_opens_a_source(scheme: str, browser: Any, server: Server, axe: str) -> None:
    """Enter opens the source beside the page, named, the focus in it and nowhere else; Escape leads back to the link."""
    with visiting(browser, server, TABLE, color_scheme=scheme) as page:
        until(page, "a[data-source]")
        came_from = page.evaluate("document.activeElement.href")
        page.keyboard.press("Enter")
        drawer = page.get_by_role("dialog")
        drawer.wait_for()
        assert drawer.get_attribute("aria-label") == drawer.locator("h2").first.inner_text()
        assert "CLD.6.3.1" in drawer.inner_text() and page.evaluate("document.activeElement.textContent") == "閉じる"
        judge(page, axe)
        for _ in range(12):
            page.keyboard.press("Tab")
            assert page.evaluate("document.activeElement === document.body || Boolean(document.activeElement.closest('dialog'))")
        page.keyboard.press("Escape")
        drawer.wait_for(state="hidden")
        assert page.evaluate("document.activeElement.href") == came_from
        assert "/atlas?" in page.url


def test_the_keyboard_does_the_rest(browser: Any, server: Server) -> None:
    """The link past the head, suggestions, what unfolds, regions that scroll, boxes to tick, and files."""
    with visiting(browser, server, "questions/counts/urls") as page:
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "content"
        until(page, "summary")
        page.keyboard.press("Enter")
        assert page.locator("details").first.get_attribute("open") is not None
        page.keyboard.press("Home")
        page.get_by_role("combobox").first.focus()
        page.keyboard.insert_text("バックアップ")
        page.locator("[role=option]").first.wait_for()
        page.keyboard.press("ArrowDown")
        assert page.locator("[role=option][aria-selected=true]").count() == 1
        page.keyboard.press("Enter")
        page.wait_for_url(re.compile(r"/(page|services|commitments|controls|documents|source)/"))
    with visiting(browser, server, "duties?service=resv", viewport={"width": 390, "height": 800}) as page:
        until(page, ".take a")
        with page.expect_download() as taken:
            page.keyboard.press("Enter")
        assert taken.value.suggested_filename == "sekinin-duties-customer-resv.xlsx"
        until(page, ".wide")
        page.keyboard.press("ArrowRight")
        eventually(page, "document.activeElement.scrollLeft > 0")
        until(page, "td.tick input")
        page.keyboard.press("Space")
        assert page.evaluate("document.activeElement.checked") is True


@pytest.mark.parametrize("lang", ["ja", "en"])
def test_a_draft_is_reviewed(lang: str, browser: Any, built: object, axe: str, tmp_path: Path) -> None:
    """A statement beside its passage, edited by keyboard, accepted, and shown so; the list of drafts counts it."""
    for each in resources.build_folder().iterdir():
        if each.name != "drafts":
            (tmp_path / each.name).symlink_to(each)
    draft.write(reader.read(HOUSE / "tests" / "papers" / "kept" / "hoshizora.txt"), tmp_path / "drafts")
    settings = {"SEKININ_BUILD": str(tmp_path), "SEKININ_SERVE_REVIEW": "1"}
    with serving(**SETTINGS, **settings) as server, visiting(browser, server, "review", lang) as page:
        judge(page, axe)
        page.get_by_role("link", name="hoshizora").click()
        assert page.get_by_role("button", name=word("review-accept", lang)).first.is_disabled()
        page.locator("input[name=reviewer]").first.fill("山田 Taro")
        with page.expect_navigation():
            page.keyboard.press("Enter")
        article = page.locator("article.beside").first
        assert article.locator("blockquote").inner_text()
        judge(page, axe)
        until(page, "article summary")
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        page.keyboard.insert_text("見直した名称 <b>")
        with page.expect_navigation():
            article.get_by_role("button", name=word("review-edit-do", lang)).click()
        assert word("review-Edited", lang) in article.inner_text() and "山田 Taro" in article.inner_text()
        judge(page, axe)
        page.get_by_role("link", name=word("review-drafts", lang)).click()
        page.wait_for_url("**/review?*")
        assert [cell.inner_text() for cell in page.locator("tbody td").all()][3] == "1"


# ---- the reader's own copy, and paper


def test_a_source_with_and_without_the_paper(browser: Any, server: Server, papers: Path, corpus: Path, axe: str) -> None:
    """Without the paper the page says how to add it; once it is there, it shows the passage, marked and proved."""
    with visiting(browser, server, SOURCE) as page:
        assert page.locator("blockquote").count() == 0 and "sekinin sources add" in page.locator("main").inner_text()
    command = [str(Path(sys.executable).with_name("sekinin")), "sources", "add", str(corpus / "talkz-1.0.txt")]
    subprocess.run(command, env=os.environ | {"SEKININ_PAPERS": str(papers)}, cwd=HOUSE, check=True, capture_output=True)
    try:
        with visiting(browser, server, SOURCE) as page:
            assert "3 カ月間" in page.locator("blockquote mark").inner_text() and word("proved", "ja") in page.locator("main").inner_text()
            judge(page, axe)
        with visiting(browser, server, "commitments/BackupRetentionCommitment", color_scheme="dark") as page:
            page.get_by_role("row", name="TALKZ").get_by_role("link").last.click()
            page.locator("dialog mark").wait_for()
            judge(page, axe)
    finally:
        for each in papers.glob("*.txt"):
            each.unlink()


def plain(text: str) -> str:
    """Leave out what a font or a line may change: spaces, and forms of characters that mean the same."""
    return "".join(unicodedata.normalize("NFKC", text).split()).translate({0x2027: "・", 0x2015: "—"})


@pytest.mark.parametrize("landscape", [False, True], ids=["portrait", "landscape"])
@pytest.mark.parametrize(
    "path", ["", "atlas", TABLE, "duties?service=talkz&service=resv", "commitments/NotificationCommitment", "controls?framework=iso27017-2015"]
)
def test_paper(path: str, landscape: bool, browser: Any, server: Server) -> None:
    """On A4 the page is whole: as it is turned, nothing beyond its edge, no form and no menu, the heading and the last row on it."""
    with visiting(browser, server, path, "ja") as page:
        heading = page.locator("h1").inner_text()
        last = page.locator("tbody tr").last.locator("th, td").last.inner_text().removesuffix(word("source", "ja"))
        content = page.pdf(format="A4", landscape=landscape)
        page.emulate_media(media="print")
        page.set_viewport_size({"width": 1031 if landscape else 702, "height": 900})  # A4 without its margins
        wide = page.evaluate("[...document.querySelectorAll('.wide')].map((e) => [e.scrollWidth, e.clientWidth])")
        assert page.evaluate(WIDER) == [] and all(inner <= outer + 1 for inner, outer in wide), wide
        assert not page.get_by_role("button").count() and not page.locator("nav:visible, form:visible").count()
    found = PdfReader(io.BytesIO(content)).pages
    width, height = float(found[0].mediabox.width), float(found[0].mediabox.height)
    assert (round(width / 72 * 25.4), round(height / 72 * 25.4)) == ((297, 210) if landscape else (210, 297))
    texts = [plain(each.extract_text()) for each in found]
    assert all(texts) and plain(heading) in texts[0]
    assert plain(last)[-5:] in "".join(texts)
