"""The reader's own copies of the papers: put in place once their digest agrees, read at the moment a passage is shown.

The texts belong to their publishers. Nothing of them enters the graph or the build; a copy stays where its reader put it.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sekinin import queries, resources
from sekinin.errors import BadData, Missing
from sekinin.store import Store, rows

LARGEST: Final = 200_000_000
"""Bytes of a file that is read."""
STALE: Final = 60.0
"""Seconds after which what another process was writing will never be whole."""
_SIGN: Final = b"%PDF-"
_PART: Final = ".part"


@dataclass(frozen=True)
class Rendition:
    """One text rendition that the graph cites.

    Args:
        sha256: of its bytes.
        length: in code points.
    """

    iri: str
    label: str
    version: str
    document: str
    sha256: str
    length: int


def renditions(store: Store) -> dict[str, Rendition]:
    """Return the renditions that the graph cites, by their SHA-256."""
    return {
        row["sha256"].value.lower(): Rendition(
            row["rendition"].value,
            row["label"].value,
            row["version"].value,
            row["document"].value,
            row["sha256"].value.lower(),
            int(row["length"].value),
        )
        for row in rows(queries.bind(queries.get("sources/renditions"), {}).ask(store))
    }


def add(store: Store, path: Path) -> tuple[Rendition, Path]:
    """Put a copy of ``path`` in place, if it is a paper that the graph cites.

    A PDF is read through its text layer; what it gives must have the digest of the rendition too.

    Returns:
        the rendition that it is, and where its copy lies.
    Raises:
        Missing: if there is no such file, or the graph cites no text of its digest.
        BadData: if it is empty or too large, or a PDF without a text layer, encrypted or damaged.
    """
    if not path.is_file():
        raise Missing(str(path), "there is no such file", "name the text or the PDF of a paper")
    if path.stat().st_size > LARGEST:
        raise BadData(str(path), f"it has more than {LARGEST:,} bytes", "name the text or the PDF of one paper")
    content = path.read_bytes()
    if not content:
        raise BadData(str(path), "it is empty", "get it again")
    known = renditions(store)
    if content.startswith(_SIGN):
        content = next((text for text in _texts_of(path, content) if hashlib.sha256(text).hexdigest() in known), b"")
        if not content:
            raise Missing(
                str(path), "the text drawn from this PDF is not the one that the graph cites", "add the text rendition itself; see: sources list"
            )
    found = known.get(hashlib.sha256(content).hexdigest())
    if found is None:
        digest = hashlib.sha256(content).hexdigest()
        raise Missing(str(path), f"no paper in the graph has its digest {digest[:12]}…", "get the version that the graph cites; see: sources list")
    return found, _put(content, found.sha256)


def remove(sha256: str) -> bool:
    """Take the copy of a paper away; return whether there was one."""
    place = _place(sha256)
    there = place.exists()
    place.unlink(missing_ok=True)
    _sweep()
    return there


def text_of(sha256: str) -> str | None:
    """Return the text of the reader's copy, read and checked now; None where there is none or it has been changed."""
    try:
        place = _place(sha256)
        content = place.read_bytes() if place.is_file() and place.stat().st_size <= LARGEST else b""
    except OSError:
        return None
    if hashlib.sha256(content).hexdigest() != sha256:
        return None
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:  # a text, but none whose positions anybody could count
        return None


def _place(sha256: str) -> Path:
    """Return where the copy of a paper lies; a digest that is none leads nowhere, whatever the graph says."""
    return resources.papers_folder() / (f"{sha256}.txt" if re.fullmatch("[0-9a-f]{64}", sha256) else "none")


def _sweep() -> None:
    """Take away what was left half-written by a process that was killed."""
    for left in resources.papers_folder().glob(f"*{_PART}"):
        with suppress(OSError):  # another process may have swept it
            if time.time() - left.stat().st_mtime > STALE:
                left.unlink()


def _put(content: bytes, sha256: str) -> Path:
    """Write a copy so that it is there whole or not at all."""
    folder = resources.papers_folder()
    folder.mkdir(parents=True, exist_ok=True)
    _sweep()
    place = _place(sha256)
    handle, name = tempfile.mkstemp(_PART, dir=folder)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(name).replace(place)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return place


def _texts_of(path: Path, content: bytes) -> list[bytes]:
    """Return the text layer of a PDF, its pages joined as text renditions usually join them."""
    import logging

    from pypdf import PdfReader

    logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # what it thinks of a damaged file is said below, once
    try:
        reader = PdfReader(io.BytesIO(content))
        if reader.is_encrypted:
            raise BadData(str(path), "the PDF is encrypted", "save it without a password, or add its text")
        pages = [page.extract_text() for page in reader.pages]
    except BadData:
        raise
    except Exception as why:  # a damaged file can make the parser stumble over anything
        raise BadData(str(path), f"the PDF cannot be read ({type(why).__name__})", "get it again, or add its text") from why
    if not any(page.strip() for page in pages):
        raise BadData(str(path), "the PDF has no text layer", "run OCR, or add its text")
    return [joint.join(pages).encode() for joint in ("\n", "\f", "\n\n", "")]
