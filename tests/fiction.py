"""Papers of companies that do not exist, with what a person would find in them.

``papers/kept`` are the ones that the rules were tried on; ``papers/aside`` were looked at only after the rules were done;
``uguisu``, ``momiji``, ``tsukushi`` and ``heron`` there are of an author who never saw the rules, and nothing was mended for them. A gold
is a line for each item: number (``~`` before a title without one), status, layers, duties, commitments as kind or kind=figure.
A ``.pages`` file becomes a PDF: a page ends at a line of four dashes.
"""

from __future__ import annotations

from pathlib import Path

from sekinin.reading.results import LAYERS
from sekinin.reading.score import DutyFact, Facts, Promise

PAPERS = Path(__file__).resolve().parent / "papers"


def golds(folder: str) -> list[Path]:
    """Return the golds of ``kept`` or ``aside``."""
    return sorted((PAPERS / folder).glob("*.gold"))


def paper_of(gold: Path, place: Path) -> Path:
    """Return the paper of a gold; a PDF is made in ``place``."""
    found = next(path for path in gold.parent.iterdir() if path.stem == gold.stem and path.suffix != ".gold")
    if found.suffix != ".pages":
        return found
    made = place / f"{gold.stem}.pdf"
    made.write_bytes(pdf([page.strip().splitlines() for page in found.read_text(encoding="utf-8").split("\n----\n")]))
    return made


def facts_of(gold: Path) -> Facts:
    """Return what a gold says; items without a number are known by their titles."""
    facts = Facts(fine=False)
    for line in gold.read_text(encoding="utf-8").splitlines()[1:]:
        number, status, layers, duties, promises = (cell.strip() for cell in (line + " ").split("|"))
        facts.statuses[number] = status
        facts.layers.update((number, LAYERS[layer]) for layer in layers.split(",") if layer)
        facts.duties.extend(DutyFact(LAYERS[party], number) for party in duties.split(",") if party)
        for promise in filter(None, promises.split(";")):
            kind, _, value = promise.partition("=")
            facts.promises.append(Promise(kind, value, number))
    return facts


def frameworks_of(gold: Path) -> set[str]:
    """Return the frameworks that the first line names."""
    return {name.strip() for name in gold.read_text(encoding="utf-8").splitlines()[0].split("|")[2].split(",") if name.strip()}


def pdf(pages: list[list[str]]) -> bytes:
    """Return a PDF with a text layer: one page for each list of lines, in Helvetica."""
    objects: list[bytes] = [b"", b"", b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"]
    kids = []
    for lines in pages:
        shown = "".join(f"({line.translate(str.maketrans({'(': '[', ')': ']'}))}) Tj T* " for line in lines)
        content = f"BT /F1 10 Tf 14 TL 50 780 Td {shown}ET".encode("latin-1")
        objects.append(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content))
        box = b"/MediaBox [0 0 595 842] /Resources << /Font << /F1 3 0 R >> >>"
        objects.append(b"<< /Type /Page /Parent 2 0 R /Contents %d 0 R %s >>" % (len(objects), box))
        kids.append(len(objects))
    objects[0] = b"<< /Type /Catalog /Pages 2 0 R >>"
    objects[1] = b"<< /Type /Pages /Count %d /Kids [%s] >>" % (len(kids), b" ".join(b"%d 0 R" % kid for kid in kids))
    out = bytearray(b"%PDF-1.4\n")
    places = []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1) + b"".join(b"%010d 00000 n \n" % place for place in places)
    out += b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start)
    return bytes(out)
