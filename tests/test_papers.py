"""The reader's own copies: put in place if they are the right papers, shown at the passage, kept nowhere else."""

from __future__ import annotations

import errno
import hashlib
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pyoxigraph as ox
import pytest
from click.testing import CliRunner, Result
from conftest import HOUSE
from flask.testing import FlaskClient
from pypdf import PdfWriter

from sekinin import papers, resources
from sekinin.cli import main
from sekinin.errors import BadData, Missing
from sekinin.namespaces import PREFIXES
from sekinin.store import EmbeddedStore
from webapp import create_app
from webapp.serving import Settings

PAGES = ("First page of a fictional paper.", "Backups are kept for seven days, says page two.")
TEXT = "\n".join(PAGES)
SECRET = "Backups are kept for seven days"
HTML = {"Accept": "text/html"}


def of(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def graph(text: str = TEXT, sha256: str = "") -> list[ox.Quad]:
    """A paper that nobody wrote, with one statement that cites one passage of it."""
    start = text.index(SECRET)
    body = f"""
    id:service-mori a sk:CloudService ; skos:prefLabel "MORI"@en , "モリ"@ja ; sk:providedBy id:party-mori .
    id:party-mori skos:prefLabel "Mori Works"@en , "モリ製作所"@ja .
    id:doc-mori a sk:DisclosureDocument ; sk:aboutService id:service-mori ; dcterms:publisher id:party-mori ;
      skos:prefLabel "The MORI paper"@en , "モリの文書"@ja .
    id:doc-mori-1 a sk:DocumentVersion ; dcat:isVersionOf id:doc-mori ; dcat:version "1" .
    id:text-mori-1 a sk:TextRendition ; skos:prefLabel "text of the MORI paper"@en ; sk:lengthInCodePoints {len(text)} ;
      prov:wasDerivedFrom id:doc-mori-1 ; spdx:checksum [ spdx:checksumValue "{sha256 or of(text)}" ] .
    id:sec-mori-2 skos:notation "2" ; dcterms:title "Backups" .
    id:cm-mori a sk:Commitment ; skos:prefLabel "backups: seven days"@en , "バックアップ7日"@ja ; sk:aboutService id:service-mori ;
      sk:citedAt id:cite-mori .
    id:cite-mori a oa:SpecificResource ; oa:hasSource id:text-mori-1 ; sk:inSection id:sec-mori-2 ;
      sk:quoteSha256 "{of(SECRET)}" ; oa:hasSelector [ oa:start {start} ; oa:end {start + len(SECRET)} ] .
    """
    heads = "".join(f"@prefix {prefix}: <{space}> .\n" for prefix, space in PREFIXES.items())
    name = ox.NamedNode(PREFIXES["g"] + "mori/mori-1") if "g" in PREFIXES else ox.NamedNode("https://w3id.org/sekinin/graph/mori/mori-1")
    return [ox.Quad(q.subject, q.predicate, q.object, name) for q in ox.parse(heads + body, ox.RdfFormat.TURTLE)]


def pdf(*pages: str) -> bytes:
    """A PDF written by hand; each page shows its text in one line, and an empty one has no text layer."""
    kids = " ".join(f"{4 + 2 * number} 0 R" for number in range(len(pages)))
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    for number, text in enumerate(pages):
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Contents {5 + 2 * number} 0 R /Resources << /Font << /F1 3 0 R >> >> >>"
        )
        drawn = f"BT /F1 12 Tf 50 700 Td ({text}) Tj ET" if text else "0 0 100 100 re f"
        objects.append(f"<< /Length {len(drawn)} >>\nstream\n{drawn}\nendstream")
    out, places = "%PDF-1.4\n", []
    for number, each in enumerate(objects, 1):
        places.append(len(out))
        out += f"{number} 0 obj\n{each}\nendobj\n"
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    out += f"xref\n0 {len(places) + 1}\n0000000000 65535 f \n{table}trailer << /Size {len(places) + 1} /Root 1 0 R >>\nstartxref\n{len(out)}\n%%EOF\n"
    return out.encode("ascii")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the copies go; it is not there yet."""
    place = tmp_path / "papers"
    monkeypatch.setenv("SEKININ_PAPERS", str(place))
    return place


@pytest.fixture(scope="module")
def shelf() -> EmbeddedStore:
    return EmbeddedStore.of(graph())


@pytest.fixture
def run(shelf: EmbeddedStore, folder: Path, monkeypatch: pytest.MonkeyPatch):
    """``sekinin sources …`` over the fictional paper."""
    monkeypatch.setattr("sekinin.steps.texts_store", lambda: shelf)
    return lambda *words: CliRunner().invoke(main, ["sources", *map(str, words)])


@pytest.fixture
def client(shelf: EmbeddedStore, folder: Path) -> FlaskClient:
    return create_app(shelf, version="1").test_client()


@pytest.fixture
def paper(tmp_path: Path) -> Path:
    path = tmp_path / "mori.txt"
    path.write_bytes(TEXT.encode())
    return path


def left(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir()) if folder.exists() else []


def told(result: Result, code: int, *said: str) -> None:
    """It ends with this exit code and one line that says what is the matter and what to do."""
    assert result.exit_code == code, (result.output, result.exception)
    assert result.stderr.startswith("sekinin: ") and result.stderr.count("\n") == 1 and ";" in result.stderr
    assert all(each in result.stderr for each in said), result.stderr
    assert SECRET not in result.output


def test_the_right_text_is_placed_listed_and_removed(run, folder: Path, paper: Path) -> None:
    """Added once or twice it lies there once, unreadable for others; the list says so; removing it takes it away."""
    assert "missing" in run("list").output
    for _ in range(2):
        done = run("add", paper)
        assert done.exit_code == 0 and "text of the MORI paper" in done.output
    assert left(folder) == [f"{of(TEXT)}.txt"]
    placed = folder / f"{of(TEXT)}.txt"
    assert placed.read_bytes() == TEXT.encode() and placed.stat().st_mode & 0o077 == 0
    listed = run("list").output
    assert "here" in listed and of(TEXT) in listed and f"{len(TEXT):,} characters" in listed
    assert run("remove", of(TEXT)[:12] + "…").output == "removed\n" and left(folder) == []
    assert run("remove", of(TEXT)).output == "it was not here\n"


def test_it_is_found_in_its_usual_place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without a setting the copies lie among the user's data."""
    monkeypatch.delenv("SEKININ_PAPERS", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert resources.papers_folder() == tmp_path / "sekinin" / "papers"


@pytest.mark.parametrize("digest", ["", "…", "zz", "0" * 64, "../../etc/passwd", "x" * 10_000])
def test_removing_what_is_no_paper_is_refused(digest: str, run, folder: Path, paper: Path) -> None:
    """A digest of nothing, and one that is empty, takes nothing away."""
    run("add", paper)
    told(run("remove", digest), 4, "this is the digest of no paper")
    assert left(folder) == [f"{of(TEXT)}.txt"]


def test_another_text_is_not_placed(run, folder: Path, paper: Path) -> None:
    """One byte more, and it is another version; the line says which digest it has."""
    paper.write_bytes(TEXT.encode() + b"\n")
    told(run("add", paper), 4, "no paper in the graph has its digest", of(TEXT + "\n")[:12], "sources list")
    assert left(folder) == []


def test_what_is_no_file_is_told(run, folder: Path, tmp_path: Path) -> None:
    """A name of nothing, a folder, an empty file, one that is too large to read."""
    told(run("add", tmp_path / "nothing.txt"), 4, "there is no such file")
    told(run("add", tmp_path), 4, "there is no such file")
    (tmp_path / "empty.txt").touch()
    told(run("add", tmp_path / "empty.txt"), 3, "it is empty")
    with (tmp_path / "sparse.txt").open("wb") as file:
        file.truncate(papers.LARGEST + 1)
    start = time.monotonic()
    told(run("add", tmp_path / "sparse.txt"), 3, "more than 200,000,000 bytes")
    assert time.monotonic() - start < 1 and left(folder) == []


def test_a_pdf_is_read_through_its_text_layer(run, folder: Path, tmp_path: Path) -> None:
    """What is placed is the text, byte for byte the rendition that the graph cites."""
    path = tmp_path / "mori.pdf"
    path.write_bytes(pdf(*PAGES))
    assert run("add", path).exit_code == 0
    assert (folder / f"{of(TEXT)}.txt").read_bytes() == TEXT.encode()


def test_a_pdf_that_gives_another_text_is_not_placed(run, folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "other.pdf"
    path.write_bytes(pdf(*PAGES, "One page more."))
    told(run("add", path), 4, "is not the one that the graph cites", "add the text rendition")
    assert left(folder) == []


def test_a_pdf_of_pictures_is_told(run, folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "scan.pdf"
    path.write_bytes(pdf("", ""))
    told(run("add", path), 3, "no text layer", "OCR")
    assert left(folder) == []


def test_an_encrypted_pdf_is_told(run, folder: Path, tmp_path: Path) -> None:
    plain, path = tmp_path / "plain.pdf", tmp_path / "locked.pdf"
    plain.write_bytes(pdf(*PAGES))
    writer = PdfWriter(clone_from=plain)
    writer.encrypt("secret", algorithm="RC4-128")
    with path.open("wb") as file:
        writer.write(file)
    told(run("add", path), 3, "encrypted", "without a password")
    assert left(folder) == []


def broken() -> dict[str, bytes]:
    whole = pdf(*PAGES)
    return {
        "only its sign": b"%PDF-",
        "cut in half": whole[: len(whole) // 2],
        "no trailer": whole[: whole.index(b"xref")],
        "noise": b"%PDF-1.4\n" + bytes(range(256)) * 50,
        "the root is a font": whole.replace(b"/Root 1 0 R", b"/Root 3 0 R").replace(b"/Catalog", b"/Nothing"),
        "pages in a circle": whole.replace(b"/Kids [4 0 R", b"/Kids [2 0 R"),
        "a page that is a number": whole.replace(b"/Contents 5 0 R", b"/Contents 3.5  "),
        "no catalogue": whole.replace(b"/Type /Catalog /Pages 2 0 R", b"/Type /Catalog /Pages (x) "),
        "lists without end": b"%PDF-1.4\n1 0 obj\n" + b"[" * 20_000,
    }


@pytest.mark.parametrize("how", broken())
def test_a_damaged_pdf_is_told(how: str, run, folder: Path, tmp_path: Path) -> None:
    """However it is damaged, one line says so and nothing is placed; the parser's own complaints are not heard."""
    path = tmp_path / "damaged.pdf"
    path.write_bytes(broken()[how])
    result = run("add", path)
    assert result.exit_code in (3, 4) and left(folder) == []
    told(result, result.exit_code)


def test_two_may_add_at_once(shelf: EmbeddedStore, folder: Path, paper: Path) -> None:
    """Eight at a time place one whole copy, and no half one is ever read."""
    seen: list[object] = []

    def work() -> None:
        for _ in range(20):
            papers.add(shelf, paper)
            seen.append(papers.text_of(of(TEXT)))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert seen == [TEXT] * 160 and left(folder) == [f"{of(TEXT)}.txt"]


def test_a_full_disk_leaves_nothing(shelf: EmbeddedStore, folder: Path, paper: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: Path, target: Path) -> Path:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="No space"):
        papers.add(shelf, paper)
    assert left(folder) == []


def test_who_is_killed_half_way_leaves_nothing(shelf: EmbeddedStore, folder: Path, paper: Path) -> None:
    """Nothing that is taken for a paper; what was half written goes when it is old, and not what another is writing now."""
    program = (
        "import os, signal; from pathlib import Path; from sekinin import papers; "
        "Path.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL); papers._put(b'half', '0' * 64)"
    )
    ended = subprocess.run([sys.executable, "-c", program], env={**os.environ, "PYTHONPATH": str(HOUSE)}, timeout=60)
    assert ended.returncode == -9
    (part,) = left(folder)
    assert part.endswith(".part") and papers.text_of("0" * 64) is None
    papers.add(shelf, paper)
    assert part in left(folder), "it may be another's, at work"
    old = time.time() - papers.STALE - 1
    os.utime(folder / part, (old, old))
    papers.add(shelf, paper)
    assert left(folder) == [f"{of(TEXT)}.txt"]


@pytest.mark.parametrize("lang", ["ja", "en"])
@pytest.mark.parametrize("part", ["", "&part=1"])
def test_the_drawer_shows_the_passage(part: str, lang: str, client: FlaskClient, shelf: EmbeddedStore, folder: Path, paper: Path) -> None:
    """With the paper: the passage marked, its line, and that its digest agrees; without it, or once it was changed: which paper to get."""
    address = f"/source/id/cm-mori?lang={lang}{part}"
    proved = {"ja": "本文のダイジェストが一致", "en": "the digest of the passage agrees"}[lang]
    get = {"ja": "モリの文書", "en": "The MORI paper"}[lang]

    def without() -> str:
        answer = client.get(address, headers=HTML)
        assert answer.status_code == 200 and SECRET not in answer.text and proved not in answer.text
        assert get in answer.text and "sekinin sources add" in answer.text and of(TEXT)[:16] in answer.text
        return answer.headers["ETag"]

    before = without()
    papers.add(shelf, paper)
    answer = client.get(address, headers={**HTML, "If-None-Match": before})
    assert answer.status_code == 200, "what a browser kept of the time without the paper is not fresh any more"
    assert f"<mark>{SECRET}</mark>" in answer.text and proved in answer.text and "sekinin sources add" not in answer.text
    assert "First page of a fictional paper." in answer.text, "the passage stands in its surroundings"
    assert answer.headers["Cache-Control"] == "no-store" and "ETag" not in answer.headers
    (folder / f"{of(TEXT)}.txt").write_text(TEXT.replace("seven", "eight"), encoding="utf-8")
    assert without() == before
    papers.remove(of(TEXT))
    assert without() == before


def test_the_page_of_a_paper_tells_whether_it_is_here(client: FlaskClient, shelf: EmbeddedStore, paper: Path) -> None:
    """It changes at once, also for a browser that kept the page."""
    before = client.get("/documents/mori?lang=en", headers=HTML)
    assert before.status_code == 200 and "sekinin sources add" in before.text
    papers.add(shelf, paper)
    after = client.get("/documents/mori?lang=en", headers={**HTML, "If-None-Match": before.headers["ETag"]})
    assert after.status_code == 200 and "sekinin sources add" not in after.text and SECRET not in after.text


def test_a_passage_that_is_not_as_cited_is_said(folder: Path, tmp_path: Path) -> None:
    """A paper that is right, and a citation that is not: the passage is shown, and that it is not proved."""
    quads = [q if q.object.value != of(SECRET) else ox.Quad(q.subject, q.predicate, ox.Literal("0" * 64), q.graph_name) for q in graph()]
    shelf = EmbeddedStore.of(quads)
    path = tmp_path / "mori.txt"
    path.write_bytes(TEXT.encode())
    papers.add(shelf, path)
    text = create_app(shelf).test_client().get("/source/id/cm-mori?lang=en", headers=HTML).text
    assert SECRET in text and "the digest of the passage does not agree" in text and "✓" not in text


def test_the_text_goes_nowhere_else(shelf: EmbeddedStore, folder: Path, paper: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Not into what is kept, not into the figures, not into the log, not into what is taken away."""
    papers.add(shelf, paper)
    app = create_app(shelf, version="1", settings=Settings(log="json"))
    client = app.test_client()
    for _ in range(2):
        assert SECRET in client.get("/source/id/cm-mori?lang=en", headers=HTML).text
    assert client.head("/source/id/cm-mori?lang=en", headers=HTML).data == b""
    assert SECRET not in client.get("/metrics").text
    for form in ("json", "csv", "file", "turtle", "jsonld"):
        assert SECRET not in client.get(f"/services/mori?format={form}").text
    here = app.extensions["sekinin"]
    assert not any(SECRET in repr(vars(each)) for each in (app.extensions["sekinin-rows"], here.cache, here.tables))
    out, err = capfd.readouterr()
    assert "/source/" in out + err and SECRET not in out + err


def test_a_digest_in_the_graph_leads_to_no_other_file(folder: Path, tmp_path: Path) -> None:
    """Whatever a graph calls a digest, only a copy of ours is read or taken away."""
    other = tmp_path / "other.txt"
    other.write_text("mine", encoding="utf-8")
    folder.mkdir()
    for said in ("../other", str(other.with_suffix("")), "..\\other", "%2e%2e/other", ""):
        assert papers.text_of(said) is None and papers.remove(said) is False
    assert other.exists()


@pytest.mark.parametrize("content", [b"\xff\xfe\x00 not utf-8", b"x" * 1000])
def test_a_copy_that_is_no_text_is_none(content: bytes, folder: Path) -> None:
    """Bytes that are not UTF-8 have no positions; a folder or a pipe of that name is no copy either."""
    digest = hashlib.sha256(content).hexdigest()
    folder.mkdir()
    (folder / f"{digest}.txt").write_bytes(content)
    assert papers.text_of(digest) == (content.decode() if content.isascii() else None)
    (folder / ("1" * 64 + ".txt")).mkdir()
    os.mkfifo(folder / ("2" * 64 + ".txt"))
    assert papers.text_of("1" * 64) is None and papers.text_of("2" * 64) is None


def test_errors_keep_their_parts(shelf: EmbeddedStore, folder: Path, tmp_path: Path) -> None:
    """A program can tell what is missing from what is wrong."""
    with pytest.raises(Missing):
        papers.add(shelf, tmp_path / "nothing")
    (tmp_path / "empty").touch()
    with pytest.raises(BadData):
        papers.add(shelf, tmp_path / "empty")


def test_each_paper_of_the_house_is_shown(corpus: Path, store: EmbeddedStore, folder: Path) -> None:
    """The real papers are placed, and a passage of each is proved on its page."""
    client = create_app(store).test_client()
    for path in sorted(corpus.glob("*.txt")):
        papers.add(store, path)
    assert len(left(folder)) == 5
    rows = client.get("/atlas?format=json&service=talkz,resv,aicloud-koestation,lensawriter").json["tables"][0]["rows"]
    for said in [row["statement"] for row in rows if row["statement"]][::25]:
        text = client.get("/source/" + said.removeprefix("https://w3id.org/sekinin/") + "?lang=en", headers=HTML).text
        assert "<mark>" in text and "the digest of the passage agrees" in text and "does not agree" not in text
