"""A real office program opens what is taken away: the Japanese reads back as it was, and nothing runs."""

from __future__ import annotations

import csv
import io
import os
import re
import shutil
import signal
import subprocess
from pathlib import Path

import openpyxl
import pytest
from flask.testing import FlaskClient

from sekinin.store import EmbeddedStore
from webapp import create_app
from webapp.takeaway import separated
from webapp.views import Line, Table, View
from webapp.workbook import workbook

pytestmark = pytest.mark.whole
SECONDS = 180
"""Longest that the program may take to start and convert."""
PAGES = {"atlas": "/atlas", "duties": "/duties", "commitments": "/commitments/NotificationCommitment"}
TEXT_ONLY = "CSV:44,34,76,1," + "/".join(f"{column}/2" for column in range(1, 16))
"""Comma, quotation mark, UTF-8, from the first line, each column as text: what a careful reader chooses in the dialogue."""
AS_IT_COMES = "CSV:44,34,76,1"


@pytest.fixture(scope="module")
def client(store: EmbeddedStore) -> FlaskClient:
    return create_app(store, version="7f3a").test_client()


def convert(path: Path, into: str, *more: str) -> list[Path]:
    """Let LibreOffice, with a profile of its own beside ``path``, convert a file; return what it wrote."""
    program = shutil.which("soffice") or shutil.which("libreoffice")
    if program is None:
        pytest.skip("LibreOffice is not installed: neither soffice nor libreoffice is on the PATH")
    out = path.parent / "out"
    words = [program, f"-env:UserInstallation={(path.parent / 'profile').as_uri()}", "--headless", "--norestore", *more]
    started = subprocess.Popen(
        [*words, "--convert-to", into, "--outdir", str(out), str(path)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True
    )
    try:
        said, _ = started.communicate(timeout=SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(started.pid, signal.SIGKILL)  # its own children too, and nobody else's
        started.communicate()
        raise
    written = sorted(out.glob("*")) if out.is_dir() else []
    assert written, said.decode(errors="replace")
    return written


def read(path: Path) -> list[list[str]]:
    return list(csv.reader(io.StringIO(path.read_text(encoding="utf-8"), newline="")))


def cells(rows: list[list[str]]) -> list[list[str]]:
    """Return rows without the empty cells at their ends, and without empty rows at the end."""
    bare = [[cell.replace("\r\n", "\n") for cell in row] for row in rows]
    for row in bare:
        while row and not row[-1]:
            row.pop()
    while bare and not bare[-1]:
        bare.pop()
    return bare


@pytest.mark.parametrize("page", PAGES)
def test_workbooks_read_back(page: str, client: FlaskClient, tmp_path: Path) -> None:
    """Each sheet of an Excel file, written again as CSV by another program, has the very texts and numbers."""
    path = tmp_path / f"{page}.xlsx"
    path.write_bytes(client.get(PAGES[page] + "?format=xlsx&lang=ja").data)
    # token 12 is -1: every sheet into a file of its own
    written = convert(path, "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,false,false,false,false,-1")
    book = openpyxl.load_workbook(path)
    assert len(written) == len(book.sheetnames)
    number = 0
    for sheet in book:
        (file,) = [each for each in written if each.stem.endswith("-" + sheet.title)]
        expected = [["" if cell is None else str(cell) for cell in row] for row in sheet.values]
        assert cells(read(file)) == cells(expected), sheet.title
        number += sum(bool(re.search("[ぁ-んァ-ヶ一-龠]", cell)) for row in expected for cell in row)
    assert number > 100


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("bom", ["", "1"])
def test_csv_reads_back(page: str, bom: str, client: FlaskClient, tmp_path: Path) -> None:
    """A CSV file, opened and saved as a workbook, has the very texts; with or without its byte order mark."""
    path = tmp_path / f"{page}.csv"
    path.write_bytes(client.get(f"{PAGES[page]}?format=csv&lang=ja&bom={bom}").data)
    (written,) = convert(path, "xlsx", f"--infilter={TEXT_ONLY}")
    sheet = openpyxl.load_workbook(written).active
    assert all(cell.data_type != "f" for row in sheet.iter_rows() for cell in row)
    found = [["" if cell is None else str(cell) for cell in row] for row in sheet.values]
    expected = [[cell.removeprefix("'") if re.match(r"'[=+\-@]", cell) else cell for cell in row] for row in read_bare(path)]
    assert cells([[cell.removeprefix("'") if re.match(r"'[=+\-@]", cell) else cell for cell in row] for row in found]) == cells(expected)


def read_bare(path: Path) -> list[list[str]]:
    return list(csv.reader(io.StringIO(path.read_bytes().decode("utf-8-sig"), newline="")))


FORMULAS = (
    "=1+1",
    "+1+1",
    "-1+1",
    "@SUM(1)",
    "\t=1+1",
    "\r=1+1",
    "\n=1+1",
    "=cmd|'/c calc'!A1",
    '=HYPERLINK("http://127.0.0.1:9/")',
    "＝1+1",
    " =1+1",
)


def test_no_cell_becomes_a_formula(client: FlaskClient, tmp_path: Path) -> None:
    """Opened without any care, a cell that begins like a formula stays what the paper says, in CSV and in Excel."""
    lines = tuple(Line((f"行{number}", said)) for number, said in enumerate(FORMULAS))
    view = View("式", "formulas", (Table("atlas", ("service", "task"), lines),))
    with client.application.test_request_context("/?lang=ja"):
        plain, book = separated(view, "ja", ",", bom=True), workbook({"ja": view, "en": view}, "ja", {}, "http://localhost/")
    for name, content, more in (("plain.csv", plain, [f"--infilter={AS_IT_COMES}"]), ("book.xlsx", book, [])):
        path = tmp_path / name.partition(".")[0] / name
        path.parent.mkdir()
        path.write_bytes(content)
        (written,) = convert(path, "xlsx", *more)
        sheet = openpyxl.load_workbook(written).worksheets[0]
        for row, said in zip(sheet.iter_rows(min_row=2), FORMULAS, strict=False):
            assert row[1].data_type in "sn" and row[1].value != 2, (name, said, row[1].value)
            assert "1" in str(row[1].value) or "calc" in str(row[1].value) or "HYPERLINK" in str(row[1].value)
