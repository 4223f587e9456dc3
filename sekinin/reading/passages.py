"""The body of a section as sentences, each with its place and with the words that stand over it.

A sentence may run over line ends and pages; a bullet, a row of a table and a short line that stands over others are each their own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from sekinin.reading.letters import Folded, join
from sekinin.reading.rules import pattern, table
from sekinin.reading.structure import Line, Section, cells_of, part

_BULLET: Final = re.compile(r"^\s*(?:[・•●○◇◆■□▶➤►※*]|[-–]\s|[-–](?=・)|\(?\d{1,2}[).]\s|[①-⑳]|[a-zA-Z][).]\s|\(\d\))\s*[・•]?\s*")
_STOP: Final = re.compile(r"[。！？!?]+|(?<=[a-z0-9)%])\.(?=\s+[A-Z(]|\s*$)|(?<=[a-z])\.(?=\s*$)")
_ENDED: Final = re.compile(r"[。：:！？!?」】）)]\s*$|(ます|です|ません|ください)\s*$|[.]\s*$")
_BOX: Final = re.compile(
    r"^(?:[■◆●▼▶◇□]\s*(?P<sign>.{1,60})|【(?P<box>[^】]{1,40})】(?P<after>.*)|<(?P<angle>[^<>]{1,40})>|#{1,6}\s+(?P<hash>.{1,80})|\*\*(?P<bold>[^*]{1,60})\*\*:?)$"
)
_NUMBERED: Final = re.compile(r"^(?:\d{1,2}[.)]|[①-⑳]|\(\d{1,2}\))\s*(?P<title>.{1,40})$")
_OPEN: Final = re.compile(r"(は|が|を|に|で|の|て|り|し|、|または|及び|および)$")
_VERB: Final = re.compile(r"(ます|です|ません|した|する|します|ください|こと|れる|である|とおり|通り)[。.]?$")


@dataclass(frozen=True)
class Sentence:
    """A sentence, bullet or row.

    Args:
        text: comparable, with the way back.
        over: the words that stand over it, outermost first: marked headings, a line that ends in a colon, the head of a row.
        kind: ``sentence``, ``bullet``, ``row``, ``head``, or ``answer`` for a cell of a check sheet.
        cells: of a row.
        heads: what stands over each cell of the row, if the table has heads.
    """

    text: Folded
    over: tuple[str, ...]
    kind: str
    cells: tuple[Folded, ...] = ()
    heads: tuple[str, ...] = ()

    @property
    def span(self) -> tuple[int, int]:
        """Where it stands in the text as read."""
        return self.text.span(0, len(self.text.text))

    @property
    def words(self) -> str:
        """Its comparable text."""
        return self.text.text


def sentences(section: Section) -> list[Sentence]:
    """Return the sentences of a section, in reading order."""
    if section.form == "item":
        found: list[Sentence] = []
        name = (section.title,) if section.title else ()
        for cell in section.cells:
            found.extend(_split(cell, name, "answer"))
        return found + list(_prose(section.lines))
    return list(_prose(section.lines))


def _prose(lines: Sequence[Line]) -> Iterator[Sentence]:
    box, minor = "", ""
    held: list[Folded] = []
    glue: list[str] = []
    kind = "sentence"

    def flush() -> Iterator[Sentence]:
        nonlocal held, glue
        if held:
            yield from _split(join(held, glue), tuple(w for w in (box, minor) if w), kind)
        held, glue = [], []

    gap = False
    heads: tuple[str, ...] = ()
    before = 0
    for at, line in enumerate(lines):
        if not line.words:
            gap = True
            continue
        cells = cells_of(line)
        filled = [cell for cell in cells if cell.text]
        if len(filled) >= 2:
            yield from flush()
            if not re.fullmatch(r"[\s|:\-]+", line.words):
                whole = part(line.text, 0, len(line.text.text))
                if before != len(cells):
                    heads = tuple(cell.text for cell in cells) if _are_heads(lines, at, cells) else ()
                yield Sentence(whole, tuple(w for w in (box, minor, filled[0].text) if w), "row", tuple(cells), heads if before == len(cells) else ())
                before = len(cells)
            gap = False
            continue
        before = 0
        text = part(line.text, 0, len(line.text.text))
        boxed = _BOX.match(text.text)
        if boxed and not (boxed["sign"] and re.search("[。]|ます$", boxed["sign"])) and not boxed["after"]:
            yield from flush()
            box, minor, gap = next(g for g in (boxed["sign"], boxed["box"], boxed["angle"], boxed["hash"], boxed["bold"]) if g), "", False
            yield Sentence(text, (), "head")
            continue
        if _over(lines, at, text.text, gap):
            yield from flush()
            numbered = _NUMBERED.match(text.text)
            minor, gap = (numbered["title"] if numbered else text.text).rstrip(":： "), False
            yield Sentence(text, tuple(w for w in (box,) if w), "head")
            continue
        bullet = _BULLET.match(text.text)
        last = held[-1].text if held else ""
        runs_on = (
            held
            and not bullet
            and not _ENDED.search(last)
            and (
                (not gap and len(last) >= 28)
                or (gap and len(last) >= 40)
                or (_latin(last, text.text) and not gap)
                or (not gap and len(last) >= 12 and bool(_OPEN.search(last)))
            )
        )
        if not runs_on:
            yield from flush()
            kind = "bullet" if bullet else "sentence"
            held = [part(text, bullet.end() if bullet else 0, len(text.text))]
            glue = []
        else:
            glue.append(" " if _latin(last, text.text) else "")
            held.append(text)
        gap = False
    yield from flush()


@lru_cache(maxsize=2_000)
def _is_place(text: str) -> bool:
    """Tell whether a line names a place and nothing else: then it answers what stands before it."""
    return any(pattern(rule["words"]).fullmatch(text.strip()) for rule in table("places")["place"])


def _are_heads(lines: Sequence[Line], at: int, cells: Sequence[Folded]) -> bool:
    """Tell whether a row holds the heads of a table of three columns or more: short words without figures, and a row of as many cells below."""
    if len(cells) < 3 or any(len(cell.text) > 24 or re.search(r"\d|。", cell.text) for cell in cells):
        return False
    below = [other for other in lines[at + 1 : at + 4] if other.words]
    return any(len(cells_of(other)) == len(cells) for other in below)


def _latin(one: str, other: str) -> bool:
    return (bool(one) and bool(other) and one[-1].isascii() and other[0].isascii() and one[-1].isalnum() and other[0].isalnum()) or (
        one.isascii() and other.isascii()
    )


def _over(lines: Sequence[Line], at: int, text: str, gap: bool) -> bool:
    """Tell whether a line stands over what follows: short, no sentence, and something below it."""
    if len(text) > 34 or _VERB.search(text) or "。" in text or re.match("[・※]|- ", text) or re.search("https?:|@", text):
        return False
    follow = next((line for line in lines[at + 1 : at + 4] if line.words), None)
    if follow is None:
        return False
    if text.endswith((":", "：")):
        return True
    if re.search("[、,]$", text) or _is_place(text):
        return False
    if _NUMBERED.match(text) and (_BULLET.match(follow.words) or len(follow.words) > len(text)):
        return True
    before = lines[at - 1] if at else None
    alone = gap or before is None or not before.words or bool(_ENDED.search(before.words))
    return (
        alone
        and len(follow.words) > len(text)
        and not re.search(r"\d+\s*(日|時間|分|世代|%|か月|年)", text)
        and bool(_ENDED.search(follow.words) or len(follow.words) > 25 or _BULLET.match(follow.words))
    )


def _split(text: Folded, over: tuple[str, ...], kind: str) -> Iterator[Sentence]:
    """Cut at full stops; a bracket that holds one is not cut."""
    start, depth = 0, 0
    words = text.text
    stops = {found.start(): found.end() for found in _STOP.finditer(words)}
    for at, letter in enumerate(words):
        if letter in "(「（『":
            depth += 1
        elif letter in ")」）』":
            depth = max(0, depth - 1)
        if at in stops and depth == 0:
            piece = part(text, start, stops[at])
            if piece.text.strip(" 。"):
                yield Sentence(piece, over, kind)
            start = stops[at]
    rest = part(text, start, len(words))
    if rest.text.strip(" 。"):
        yield Sentence(rest, over, kind)
