"""Letters made comparable: full width, half width, radicals and split words become one form, with the way back.

Whoever finds something in the comparable text gets its place in the text as read.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from dataclasses import dataclass
from functools import lru_cache

_RADICALS = str.maketrans(
    "⺟⺠⻁⻄⻅⻆⻋⻑⻔⻗⻘⻚⻛⻜⻝⻢⻣⻤⻥⻦⻨⻩⻭⻲",
    "母民虎西見角車長門雨青頁風飛食馬骨鬼魚鳥麦黄歯亀",
)
_DASHES = str.maketrans({c: "-" for c in "‐‑‒–—―−─━"} | {"〜": "~", "～": "~", "◯": "○", "✕": "×", "✖": "×", "✗": "×", "⭕": "○"})
_WIDE = "ぁ-んァ-ヶー一-龥々〆"
_SPACED = re.compile(f"(?<=[{_WIDE}、。「」（）()])[ \u3000](?=[{_WIDE}、。「」（）()])")
_KANA_MARKS = "\uff9e\uff9f\u3099\u309a"


@lru_cache(maxsize=20_000)
def fold(text: str) -> str:
    """Return ``text`` in its comparable form, without the way back."""
    folded = unicodedata.normalize("NFKC", text.translate(_DASHES)).translate(_RADICALS).translate(_DASHES)
    return folded


@dataclass(frozen=True)
class Folded:
    """A comparable text and, for each of its characters, the place where it stands in the text as read."""

    text: str
    places: tuple[int, ...]
    end: int

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Return where the characters ``start`` to ``end`` stand in the text as read."""
        if start >= end:
            at = self.places[start] if start < len(self.places) else self.end
            return at, at
        return self.places[start], self.places[end - 1] + 1


def folded(text: str, offset: int = 0) -> Folded:
    """Fold one line of a text.

    Args:
        offset: of the line in the text as read.
    """
    if text.isascii():
        return Folded(text, tuple(range(offset, offset + len(text))), offset + len(text))
    out: list[str] = []
    places: list[int] = []
    at, size = 0, len(text)
    while at < size:
        ahead = at + 1
        while ahead < size and text[ahead] in _KANA_MARKS:
            ahead += 1
        piece = fold(text[at:ahead])
        out.append(piece)
        places.extend([offset + at] * len(piece))
        at = ahead
    return _joined("".join(out), places, offset + size)


def _joined(text: str, places: list[int], end: int) -> Folded:
    """Take out the blanks of a line whose Japanese letters all stand apart."""
    gaps = [found.start() for found in _SPACED.finditer(text)]
    wide = len(re.findall(f"[{_WIDE}]", text))
    if len(gaps) >= 4 and len(gaps) * 2 > wide:
        drop = set(gaps)
        kept = [i for i in range(len(text)) if i not in drop]
        return Folded("".join(text[i] for i in kept), tuple(places[i] for i in kept), end)
    return Folded(text, tuple(places), end)


def join(parts: list[Folded], glue: list[str]) -> Folded:
    """Return ``parts`` as one, with ``glue`` before each but the first."""
    text: list[str] = []
    places: list[int] = []
    for number, part in enumerate(parts):
        if number:
            text.append(glue[number - 1])
            places.extend([parts[number - 1].end] * len(glue[number - 1]))
        text.append(part.text)
        places.extend(part.places)
    return Folded("".join(text), tuple(places), parts[-1].end if parts else 0)


def page_of(pages: tuple[int, ...], place: int) -> int:
    """Return the number of the page, from 1, on which ``place`` stands."""
    return bisect_right(pages, place)


_SAME = (
    (re.compile("ぜい弱"), "脆弱"), (re.compile("又は"), "または"), (re.compile("及び"), "および"), (re.compile("並びに"), "ならびに"),
    (re.compile("カスタマ[ー]?"), "利用者"), (re.compile("クラウドサービス利用者"), "利用者"), (re.compile("意識向上"), "自覚"),
    (re.compile("ー(?=[^ぁ-んァ-ヶ]|$)"), ""), (re.compile("共有および分担"), "分担"), (re.compile("共有または分担"), "分担"),
    (re.compile(r"\(?provisioning\)?", re.I), ""), (re.compile("取扱い|取り扱い|取扱"), "取扱"), (re.compile("取得する"), "取得"),
    (re.compile("プロバイダー"), "プロバイダ"), (re.compile(r"[\s,、，.。・:：;()（）「」『』\-~/]+"), ""),
)  # fmt: skip


def title_key(title: str) -> str:
    """Return a title as titles are compared: editions and houses spell them differently."""
    key = fold(title).lower()
    for pattern, by in _SAME:
        key = pattern.sub(by, key)
    return key


def likeness(one: str, other: str) -> float:
    """Return how alike two title keys are, from 0 to 1, by the pairs of letters that they share (Dice)."""
    if not one or not other:
        return 0.0
    if one == other:
        return 1.0
    a, b = _pairs(one), _pairs(other)
    return 2 * len(a & b) / (len(a) + len(b)) if a and b else 0.0


def _pairs(text: str) -> set[str]:
    return {text[i : i + 2] for i in range(len(text) - 1)}
