"""Whether the citations hold: each span of each paper has the digest that the graph says.

Papers are found by their own SHA-256, whatever their files are called. Without the
paper nothing can be said, and that is what is reported.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from sekinin import queries
from sekinin.errors import Missing
from sekinin.model import Verdict
from sekinin.store import Row, Store, rows

_LARGEST = 50_000_000
"""Bytes; a larger file is no text rendition and is passed over."""


def renditions(folder: Path) -> dict[str, Path]:
    """Return the files below ``folder`` by the SHA-256 of their content.

    Raises:
        Missing: if the folder is not there.
    """
    if not folder.is_dir():
        raise Missing(str(folder), "there is no such folder", "name the folder that holds the papers' texts")
    found: dict[str, Path] = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.stat().st_size <= _LARGEST:
            found.setdefault(hashlib.sha256(path.read_bytes()).hexdigest(), path)
    return found


def verify(store: Store, folder: Path) -> Iterator[Verdict]:
    """Yield one verdict for each rendition that the graph knows, in the order of their IRIs.

    Args:
        store: holds the statements and their citations.
        folder: holds the papers, as files with the renditions' digests.
    Source: Web Annotation Data Model, section 4.2.4 (positions in code points).
    """
    papers = renditions(folder)
    known = list(rows(queries.bind(queries.get("sources/renditions"), {}).ask(store)))
    cited = list(rows(queries.bind(queries.get("sources/citations"), {}).ask(store)))
    for rendition in known:
        iri = rendition["rendition"].value
        paper = papers.get(rendition["sha256"].value.lower())
        mine = [row for row in cited if row["rendition"].value == iri]
        broken: list[tuple[str, str]] = []
        if paper is not None:
            text = paper.read_bytes().decode("utf-8")
            length = int(rendition["length"].value)
            if len(text) != length:
                broken.append((iri, f"the text has {len(text)} code points, the graph says {length}"))
            broken += [(row["citation"].value, why) for row in mine if (why := _fault(row, text))]
        held = 0 if paper is None else len(mine) - sum(1 for where, _ in broken if where != iri)
        yield Verdict(iri, rendition["label"].value, paper, held, tuple(broken))


def _fault(row: Row, text: str) -> str:
    """Return why the citation does not hold, or the empty string."""
    start, end = int(row["start"].value), int(row["end"].value)
    if not 0 <= start < end <= len(text):
        return f"span {start}-{end} lies outside the text of {len(text)} code points"
    found = hashlib.sha256(text[start:end].encode("utf-8")).hexdigest()
    said = row["quoteSha256"].value.lower()
    return "" if found == said else f"span {start}-{end} has the digest {found[:12]}…, the graph says {said[:12]}…"
