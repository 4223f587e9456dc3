"""The quads of a dataset as lines of canonical N-Quads, in order: what its version is taken over, and what a change is put into."""

from __future__ import annotations

import hashlib
import mmap
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from heapq import merge
from pathlib import Path
from typing import Final

import pyoxigraph as ox

from sekinin.namespaces import graph_iri

DESCRIPTION: Final = graph_iri("description/")
"""The graphs in which the dataset speaks of itself; its version is taken without them."""
PIECE: Final = 100_000_000
"""Bytes of lines that are sorted in memory at once."""
ABOUT_ITSELF: Final = f"<{DESCRIPTION}"
"""How the names of those graphs begin in a line."""
_ABOUT_ITSELF: Final = f" {ABOUT_ITSELF}".encode()
_BLOCK: Final = 1 << 22
_PIECES: Final = 1 << 26
"""Bytes of a held file that are handed on at once: whoever writes or digests them waits for the other threads before each."""


class Lines:
    """The quads of a dataset as lines of canonical N-Quads, each once, in the order of their bytes, those of a subject together.

    Blank nodes have their canonical names; the description is left out. The lines of a large store lie in a file, which is sorted piece by piece.
    Source: RDF Dataset Canonicalization (RDFC-1.0), W3C Recommendation, section 4.4; labels depend on the quads with blank nodes alone.

    Args:
        found: the lines, or the file in which they stand.
    """

    def __init__(self, found: list[bytes] | Path) -> None:
        self._found = found

    @classmethod
    def of(cls, quads: Iterable[ox.Quad] | ox.Store, place: Path | None = None) -> Lines:
        """Return the lines of ``quads``.

        Args:
            quads: as a store holds them, for a store writes some literals anew (``1.0`` becomes ``1``).
            place: file in which those of a large store may lie.
        """
        if place is None or not isinstance(quads, ox.Store):
            content = quads.dump(format=ox.RdfFormat.N_QUADS) if isinstance(quads, ox.Store) else ox.serialize(quads, format=ox.RdfFormat.N_QUADS)
            nameless: set[bytes] = set()
            plain = sorted(_named(set((content or b"").split(b"\n")), nameless))
            return cls([*merge(plain, _canonical(nameless))])
        raw = place.with_suffix(".raw")
        quads.dump(str(raw), ox.RdfFormat.N_QUADS)
        pieces: list[Path] = []
        nameless = set()
        with raw.open("rb") as file:
            while lines := file.readlines(PIECE):
                piece = sorted(_named((line.rstrip(b"\n") for line in lines), nameless))
                if not pieces and file.tell() == raw.stat().st_size:
                    raw.unlink()
                    return cls([*merge(piece, _canonical(nameless))])
                pieces.append(place.with_suffix(f".{len(pieces)}"))
                pieces[-1].write_bytes(b"".join(line + b"\n" for line in piece))
        raw.unlink()
        with place.open("wb") as whole, ExitStack() as opened:
            renamed = (line + b"\n" for line in _canonical(nameless))
            whole.writelines(merge(renamed, *(opened.enter_context(piece.open("rb")) for piece in pieces)))
        for each in pieces:
            each.unlink()
        return cls(place)

    def __iter__(self) -> Iterator[bytes]:
        """Yield the lines, each without its end."""
        if isinstance(self._found, list):
            yield from self._found
        else:
            with self._found.open("rb") as file:
                yield from (line[:-1] for line in file)

    def blocks(self) -> Iterator[bytes]:
        """Yield the lines with their ends, many at once."""
        if isinstance(self._found, list):
            yield b"".join(line + b"\n" for line in self._found)
        else:
            with self._found.open("rb") as file:
                while block := file.read(_BLOCK):
                    yield block

    def digest(self) -> str:
        """Return SHA-256 over the lines, each with its end: the version of the dataset."""
        total = hashlib.sha256()
        for block in self.blocks():  # in the order of code points, which is that of the bytes of UTF-8
            total.update(block)
        return total.hexdigest()

    def away(self) -> None:
        """Take the file away, if there is one."""
        if isinstance(self._found, Path):
            self._found.unlink()


def _named(lines: Iterable[bytes], nameless: set[bytes]) -> Iterator[bytes]:
    """Yield the lines that have no blank node and do not describe the dataset itself; those with blank nodes go into ``nameless``."""
    for line in lines:
        if b"_:" in line and _has_blank_node(line):
            nameless.add(line)
        elif line and not line.startswith(_ABOUT_ITSELF, line.rfind(b" <")):
            yield line


def _has_blank_node(line: bytes) -> bool:
    quad = next(iter(ox.parse(line, ox.RdfFormat.N_QUADS)))
    return any(isinstance(term, ox.BlankNode) for term in (quad.subject, quad.object, quad.graph_name))


def _canonical(nameless: set[bytes]) -> list[bytes]:
    """Return lines that have blank nodes with the canonical names of these, in order."""
    dataset = ox.Dataset(ox.parse(b"\n".join(nameless), ox.RdfFormat.N_QUADS))
    dataset.canonicalize(ox.CanonicalizationAlgorithm.RDFC_1_0)
    return sorted(f"{quad} .".encode() for quad in dataset)


def canonical_digest(quads: Iterable[ox.Quad] | ox.Store) -> str:
    """Return the version of a dataset: SHA-256 over its canonical N-Quads, sorted, without the graphs that describe it.

    Returns:
        64 hexadecimal digits, the same for the same statements, whatever their order and the names of their blank nodes.
    """
    return Lines.of(quads).digest()


def lines_of(quads: Iterable[ox.Quad] | Iterable[ox.Triple]) -> list[bytes]:
    """Return quads as lines of N-Quads, or triples as lines of N-Triples, in order, each once and with its end."""
    content = ox.serialize(quads, format=ox.RdfFormat.N_QUADS) or b""
    return sorted({line + b"\n" for line in content.split(b"\n") if line})


def spliced(path: Path, size: int, gone: Iterable[bytes], new: Iterable[bytes]) -> Iterator[bytes | memoryview]:
    """Yield the first ``size`` bytes of a file of sorted lines, some of them left out and others put in.

    Args:
        gone: lines with their ends that stand there, in order; ``new`` lines that do not.
    Raises:
        ValueError: if a line of ``gone`` does not stand there, or one of ``new`` does.
    """
    with path.open("rb") as file:
        held = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)  # which goes with the last piece of it that somebody holds
    seen, at = memoryview(held), 0
    for line, there in merge(((line, True) for line in gone), ((line, False) for line in new)):
        place = _place(held, line, at, size)
        if (held[place : min(place + len(line), size)] == line) is not there:
            raise ValueError(f"{path.name} is not what it should be at {line!r}")
        yield from _cut(seen, at, place)
        if not there:
            yield line
        at = place + len(line) if there else place
    yield from _cut(seen, at, size)


def _cut(seen: memoryview, start: int, end: int) -> Iterator[memoryview]:
    for at in range(start, end, _PIECES):
        yield seen[at : min(at + _PIECES, end)]


def _place(held: mmap.mmap, line: bytes, low: int, high: int) -> int:
    """Return where ``line`` stands or would stand between two starts of lines."""
    while low < high:
        middle = max(held.rfind(b"\n", low, (low + high) // 2) + 1, low)
        end = held.find(b"\n", middle) + 1
        if held[middle:end] < line:
            low = end
        else:
            high = middle
    return low
