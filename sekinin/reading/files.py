"""A file becomes its text: PDF, Word, Excel, CSV, HTML, Markdown or plain text, with the places of its pages.

What is read is bounded before it is opened: size on disk, size unpacked, number of pages and cells. A file that
cannot be read says why; nothing is guessed from its name alone.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sekinin.errors import BadData, Missing

LARGEST: Final = 200_000_000
"""Bytes of a file that is read; one of this size or more is refused."""
UNPACKED: Final = 400_000_000
"""Bytes that the parts of a DOCX or XLSX may have together, unpacked."""
RATIO: Final = 200
"""How many times smaller a large part may be packed."""
LONGEST: Final = 5_000_000
"""Characters of a text that is read."""
PAGES: Final = 2_000
"""Pages of a PDF that are read."""
FORMATS: Final = {
    ".pdf": "pdf", ".docx": "docx", ".xlsx": "xlsx", ".csv": "csv", ".tsv": "csv",
    ".html": "html", ".htm": "html", ".md": "markdown", ".markdown": "markdown", ".txt": "text",
}  # fmt: skip
"""What each ending promises."""
_MOJIBAKE = re.compile("[縺繧繝]")
_JAPANESE = re.compile("[ぁ-んァ-ヶ一-龥。、]")


@dataclass(frozen=True)
class Source:
    """The text of one file.

    Args:
        name: the file's name, without its ending.
        form: one of the values of ``FORMATS``.
        text: as read; every offset counts its code points.
        pages: where each page begins in ``text``; one page for what has none.
        encoding: of a text file; empty for the others.
        warnings: what was noticed and does not forbid reading.
    """

    name: str
    form: str
    text: str
    pages: tuple[int, ...] = (0,)
    encoding: str = ""
    warnings: tuple[str, ...] = ()


def read(path: Path) -> Source:
    """Read one file.

    Raises:
        Missing: if there is no such file.
        BadData: if it is empty, too large, encrypted, only images, damaged, a bomb, or not what its ending says.
    """
    where = str(path)
    if not path.is_file():
        raise Missing(where, "there is no such file", "name a paper: PDF, DOCX, XLSX, CSV, HTML, Markdown or text")
    size = path.stat().st_size
    if size == 0:
        raise BadData(where, "the file is empty", "get it again")
    if size >= LARGEST:
        raise BadData(where, f"it has {size:,} bytes, and {LARGEST:,} are too many", "give one paper, or its text")
    promised = FORMATS.get(path.suffix.lower())
    if promised is None:
        raise BadData(where, f"files that end in {path.suffix or 'nothing'} are not read", f"give one of: {', '.join(FORMATS)}")
    found = _kind(path)
    if found and found != promised:
        raise BadData(where, f"its ending says {promised}, its content {found}", "give it the ending of what it is")
    if not found and promised in ("pdf", "docx", "xlsx"):
        raise BadData(where, f"its ending says {promised}, and it is none", "give it the ending of what it is, or get it again")
    text, pages, encoding, warnings = _READERS[promised](path)
    if not text.strip():
        raise BadData(where, "there is no text in it", "get it again")
    if len(text) > LONGEST:
        raise BadData(where, f"its text has {len(text):,} characters, and {LONGEST:,} are the most", "give one paper, not a collection")
    return Source(path.stem, promised, text, pages, encoding, warnings)


_Read = tuple[str, tuple[int, ...], str, tuple[str, ...]]


def _kind(path: Path) -> str:
    """Return what the first bytes say, or nothing for a text."""
    with path.open("rb") as file:
        head = file.read(1024)
    if b"%PDF-" in head[:1024]:
        return "pdf"
    if head.startswith(b"\xd0\xcf\x11\xe0"):
        raise BadData(str(path), "it is an encrypted or an old Office file", "save it without a password, as DOCX or XLSX")
    if head.startswith(b"PK"):
        try:
            with zipfile.ZipFile(path) as packed:
                names = set(packed.namelist())
        except (zipfile.BadZipFile, ValueError, OSError) as why:
            raise BadData(str(path), f"the file is damaged ({why})", "get it again") from why
        kinds = {"word/document.xml": "docx", "xl/workbook.xml": "xlsx"}
        return next((kind for part, kind in kinds.items() if part in names), "zip")
    for sign, kind in ((b"\x89PNG", "image"), (b"\xff\xd8\xff", "image"), (b"GIF8", "image"), (b"\x1f\x8b", "gzip"), (b"\x7fELF", "program")):
        if head.startswith(sign):
            return kind
    return ""


def decode(content: bytes, where: str) -> tuple[str, str]:
    """Return a text and the name of its encoding: UTF-8, UTF-16, Shift_JIS or EUC-JP.

    Raises:
        BadData: for bytes that are none of them throughout, with the line.
    """
    for mark, name in ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16")):
        if content.startswith(mark):
            try:
                return content.decode(name), name
            except UnicodeDecodeError as why:
                raise _mixed(content, why.start, where) from why
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as why:
        first = why
    else:
        if "\0" not in text:
            return text, "utf-8"
        first = UnicodeDecodeError("utf-8", content, text.index("\0"), text.index("\0") + 1, "a zero byte")
    best: tuple[float, str, str] | None = None
    for name in ("utf-16-le", "utf-16-be", "cp932", "euc_jp"):
        if name.startswith("utf-16") and content.count(b"\0") < len(content) / 100:
            continue
        try:
            text = content.decode(name)
        except UnicodeDecodeError:
            continue
        if "\0" in text:
            continue
        plain = sum(1 for c in text if c.isascii() or _JAPANESE.match(c)) / len(text)
        if len(_MOJIBAKE.findall(text)) > max(2, len(text) / 200):  # UTF-8 read as Shift_JIS
            continue
        if best is None or plain > best[0]:
            best = (plain, text, name)
    if best is None or best[0] < 0.6:
        raise _mixed(content, first.start, where)
    return best[1], best[2]


def _mixed(content: bytes, place: int, where: str) -> BadData:
    line = content.count(b"\n", 0, place) + 1
    return BadData(f"{where}, line {line}", "these bytes are not in the encoding of the rest", "save the file in one encoding, as UTF-8")


def _text(path: Path) -> _Read:
    text, encoding = decode(path.read_bytes(), str(path))
    return text, pages_of(text), encoding, ()


def pages_of(text: str) -> tuple[int, ...]:
    """Return where each page begins: at the start, and after each form feed."""
    return (0, *(found.end() for found in re.finditer("\f", text)))


def _csv(path: Path) -> _Read:
    text, encoding = decode(path.read_bytes(), str(path))
    sample = text[:20_000]
    delimiter = max(",\t;", key=sample.count)
    try:
        rows = [_row(row) for row in csv.reader(io.StringIO(text), delimiter=delimiter)]
    except csv.Error as why:
        raise BadData(str(path), f"it is no table ({why})", "save it again as CSV") from why
    return "\n".join(rows) + "\n", (0,), encoding, ()


def _row(cells: Iterable[Any]) -> str:
    """Return the cells of a row between tabs; a line break inside a cell becomes a blank."""
    return "\t".join(re.sub(r"\s*[\r\n]+\s*", " ", str(cell if cell is not None else "")).replace("\t", " ").strip() for cell in cells).rstrip("\t")


def _pdf(path: Path) -> _Read:
    from pypdf import PdfReader
    from pypdf.errors import DependencyError, PyPdfError

    where = str(path)
    try:
        reader = PdfReader(path)
        if reader.is_encrypted and not reader.decrypt(""):
            raise BadData(where, "the PDF is encrypted", "save it without a password, or give its text")
        if len(reader.pages) > PAGES:
            raise BadData(where, f"it has {len(reader.pages):,} pages, and {PAGES:,} are the most", "give one paper")
        pages, length = [], 0
        for page in reader.pages:
            pages.append(page.extract_text())
            length += len(pages[-1])
            if length > LONGEST:
                raise BadData(where, f"its text has more than {LONGEST:,} characters", "give one paper, not a collection")
    except DependencyError as why:
        raise BadData(where, "the PDF is encrypted", "save it without a password, or give its text") from why
    except (PyPdfError, ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError, OSError) as why:
        raise BadData(where, f"the PDF cannot be read ({why})", "get it again, or give its text") from why
    bare = [number for number, page in enumerate(pages, 1) if not page.strip()]
    if len(bare) == len(pages):
        raise BadData(where, "the PDF is scanned: no page has a text layer", "run OCR, or give its text")
    text = "\f".join(page.encode("utf-8", "replace").decode("utf-8").replace("\f", "\n") for page in pages)
    return text, pages_of(text), "", tuple(f"page {number} has no text" for number in bare)


def _unpackable(path: Path) -> None:
    """Refuse what would fill the memory when unpacked, before anything is."""
    with zipfile.ZipFile(path) as packed:
        parts = packed.infolist()
    total = sum(part.file_size for part in parts)
    swollen = any(part.file_size > 20_000_000 and part.file_size > RATIO * max(part.compress_size, 1) for part in parts)
    if total > UNPACKED or swollen or len(parts) > 20_000:
        raise BadData(str(path), f"it would unpack to {total:,} bytes: this looks like a zip bomb", "get it again from where it comes")
    if any(part.flag_bits & 1 for part in parts):
        raise BadData(str(path), "it is encrypted", "save it without a password")


def _docx(path: Path) -> _Read:
    _unpackable(path)
    import docx
    from docx.table import Table
    from docx.text.paragraph import Paragraph

    try:
        document = docx.Document(str(path))
        lines: list[str] = []
        for block in document.iter_inner_content():
            if isinstance(block, Paragraph):
                lines.extend(block.text.split("\n"))
            elif isinstance(block, Table):
                lines.extend(_table(block.rows))
    except Exception as why:  # python-docx lets lxml's, zipfile's and its own errors through
        raise BadData(str(path), f"the Word file cannot be read ({type(why).__name__}: {why})", "save it again, or give its text") from why
    return "\n".join(lines) + "\n", (0,), "", ()


def _table(rows: Iterable[Any]) -> Iterator[str]:
    for row in rows:
        cells: list[Any] = []
        for cell in row.cells:  # a merged cell comes once for each column it covers
            if not cells or cell._tc is not cells[-1]._tc:
                cells.append(cell)
        yield _row(cell.text for cell in cells)


def _xlsx(path: Path) -> _Read:
    _unpackable(path)
    import warnings

    import openpyxl

    lines: list[str] = []
    length = 0
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # styles and extensions that do not matter here
            book = openpyxl.load_workbook(path, read_only=True, data_only=True)
            for sheet in book.worksheets:
                lines.append(f"# {sheet.title}")
                for row in sheet.iter_rows(values_only=True, max_col=60):
                    line = _row(row)
                    length += len(line) + 1
                    if length > LONGEST:
                        raise BadData(str(path), f"its text has more than {LONGEST:,} characters", "give one sheet")
                    if line or (lines and lines[-1]):
                        lines.append(line)
            book.close()
    except BadData:
        raise
    except Exception as why:  # openpyxl lets errors of many kinds through
        raise BadData(str(path), f"the Excel file cannot be read ({type(why).__name__}: {why})", "save it again, or give it as CSV") from why
    return "\n".join(lines) + "\n", (0,), "", ()


_BLOCKS: Final = frozenset(
    [
        "p",
        "div",
        "section",
        "article",
        "li",
        "dt",
        "dd",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "tr",
        "br",
        "table",
        "ul",
        "ol",
        "dl",
        "header",
        "footer",
        "main",
        "blockquote",
        "pre",
        "figure",
        "hr",
    ]
)


def _html(path: Path) -> _Read:
    text, encoding = decode(path.read_bytes(), str(path))
    from lxml import etree, html

    text = re.sub(r"^\ufeff?\s*<\?xml[^>]*\?>", "", text)
    try:
        tree = html.document_fromstring(text, parser=html.HTMLParser(no_network=True, remove_comments=True, huge_tree=False))
    except (etree.LxmlError, ValueError) as why:
        raise BadData(str(path), f"the page cannot be read ({why})", "save it again") from why
    out: list[str] = []
    _walk(tree, out)
    lines = (re.sub(r"[ \u3000\r\n]+", " ", line).strip(" \n") for line in "".join(out).split("\n"))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip("\n") + "\n", (0,), encoding, ()


def _walk(root: Any, out: list[str]) -> None:
    """Give the text of a page to ``out``, a line for each block, headings marked as in Markdown, cells between tabs."""
    from lxml import etree

    for event, node in etree.iterwalk(root, events=("start", "end")):
        tag = node.tag if isinstance(node.tag, str) else ""
        dead = tag in ("script", "style", "template", "noscript", "nav", "head", "") or any(
            True for _ in node.iterancestors("script", "style", "nav", "head")
        )
        if event == "start":
            if tag in _BLOCKS:
                out.append("\n")
            if re.fullmatch("h[1-6]", tag):
                out.append("#" * int(tag[1]) + " ")
            if tag in ("pre", "code"):
                out.append("")
            if not dead and node.text:
                out.append(re.sub(r"\s+", " ", node.text) if tag != "pre" else "```\n" + node.text + "\n```")
        else:
            if tag in ("td", "th"):
                out.append("\t")
            elif tag in _BLOCKS:
                out.append("\n")
            inside = any(True for _ in node.iterancestors("script", "style", "nav", "head"))
            if not inside and node.tail and node is not root:
                out.append(re.sub(r"\s+", " ", node.tail))


_READERS: Final[dict[str, Callable[[Path], _Read]]] = {
    "pdf": _pdf, "docx": _docx, "xlsx": _xlsx, "csv": _csv, "html": _html, "markdown": _text, "text": _text,
}  # fmt: skip
