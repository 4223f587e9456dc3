"""Files that papers come in, and what is said of those that cannot be read; nothing is left half-written."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import docx
import fiction
import openpyxl
import pytest
from pypdf import PdfReader, PdfWriter

from sekinin.errors import BadData, Missing, SekininError
from sekinin.reading import files, many

LINES = ["12.3.1 情報のバックアップ", "毎日取得し、7日間保持します。"]
TEXT = "\n".join(LINES) + "\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp932", "euc_jp"])
def test_encodings(encoding: str, tmp_path: Path) -> None:
    """UTF-8, Shift_JIS, UTF-16 and EUC-JP give the same text."""
    path = tmp_path / "a.txt"
    path.write_bytes(TEXT.encode(encoding))
    assert files.read(path).text == TEXT


def test_utf_16_without_a_mark(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes("A.12.3.1 backups are kept for 7 days\n".encode("utf-16-le"))
    assert files.read(path).text.startswith("A.12.3.1")


def test_docx(tmp_path: Path) -> None:
    """Paragraphs and tables in their order, a row of a table between tabs."""
    document = docx.Document()
    document.add_paragraph(LINES[0])
    table = document.add_table(1, 2)
    table.cell(0, 0).text, table.cell(0, 1).text = "期間", "7日間"
    document.add_paragraph(LINES[1])
    path = tmp_path / "a.docx"
    document.save(str(path))
    assert files.read(path).text == f"{LINES[0]}\n期間\t7日間\n{LINES[1]}\n"


def test_xlsx_and_csv(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for row in (["No.", "質問", "回答"], [1, "二行の\n質問", "○"]):
        book.active.append(row)
    book.save(tmp_path / "a.xlsx")
    assert "1\t二行の 質問\t○" in files.read(tmp_path / "a.xlsx").text
    (tmp_path / "a.csv").write_bytes('No.,質問,回答\r\n1,"二行の\n質問",○\r\n'.encode("cp932"))
    assert files.read(tmp_path / "a.csv").text.splitlines()[1] == "1\t二行の 質問\t○"


def test_html(tmp_path: Path) -> None:
    """Blocks are lines, headings are marked, cells stand between tabs; scripts, styles and navigation are not text."""
    path = tmp_path / "a.html"
    path.write_text(
        "<style>p{}</style><nav>目次</nav><h2>見出し</h2><p>本文<b>です</b>。</p><table><tr><td>a</td><td>b</td></tr></table><script>x</script>",
        "utf-8",
    )
    text = files.read(path).text
    assert "## 見出し\n" in text and "本文です。" in text and "a\tb" in text
    assert "目次" not in text and "x" not in text and "p{}" not in text


def test_pdf_pages(tmp_path: Path) -> None:
    """Pages are kept; a page without text is reported."""
    path = tmp_path / "a.pdf"
    path.write_bytes(fiction.pdf([["one"], [], ["three"]]))
    source = files.read(path)
    assert len(source.pages) == 3 and source.text[source.pages[2] :].strip() == "three"
    assert source.warnings == ("page 2 has no text",)


def _encrypted() -> bytes:
    writer = PdfWriter()
    writer.append(PdfReader(io.BytesIO(fiction.pdf([["secret"]]))))
    writer.encrypt("password", algorithm="RC4-128")
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def _bomb(part: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed, packed.open(part, "w") as file:
        for _ in range(450):
            file.write(b"\0" * 1_000_000)
    return out.getvalue()


def test_a_zip_bomb_is_not_unpacked(tmp_path: Path) -> None:
    for name, part in (("a.docx", "word/document.xml"), ("a.xlsx", "xl/workbook.xml")):
        (tmp_path / name).write_bytes(_bomb(part))
        with pytest.raises(BadData, match="zip bomb"):
            files.read(tmp_path / name)


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("empty.txt", b"", "empty"),
        ("blank.txt", b" \n\n", "no text"),
        ("locked.pdf", _encrypted(), "encrypted"),
        ("scanned.pdf", fiction.pdf([[], []]), "scanned"),
        ("broken.pdf", b"%PDF-1.7\nnothing", "cannot be read"),
        ("old.docx", b"\xd0\xcf\x11\xe0" + b"\0" * 600, "old Office"),
        ("other.docx", fiction.pdf([["x"]]), "its content pdf"),
        ("other.pdf", b"plain text", "it is none"),
        ("broken.docx", b"PK\x03\x04nothing", "damaged"),
        ("mixed.txt", (TEXT * 20).encode() + (TEXT * 20).encode("cp932"), "encoding"),
        ("mixed.csv", (TEXT * 20).encode("cp932") + (TEXT * 20).encode(), "encoding"),
        ("odd.exe", b"MZ", "not read"),
        ("picture.txt", b"\x89PNG\r\n", "its content image"),
    ],
)
def test_what_cannot_be_read_says_why(name: str, content: bytes, says: str, tmp_path: Path) -> None:
    """Where, what, and what to do; no draft and no text is left behind."""
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(SekininError, match=says) as why:
        files.read(path)
    assert why.value.where.startswith(str(path)) and why.value.remedy
    out = tmp_path / "out"
    assert many.read_one(path, out, "x").state == "failed"
    assert not out.exists() or not [p for p in out.rglob("*") if p.is_file()]


def test_a_file_that_is_too_large_is_not_opened(tmp_path: Path) -> None:
    path = tmp_path / "large.txt"
    with path.open("wb") as file:
        file.truncate(files.LARGEST)
    with pytest.raises(BadData, match="too many"):
        files.read(path)
    with pytest.raises(Missing):
        files.read(tmp_path / "nowhere.txt")
