"""Figures in a sentence: amount, unit, and whether it is a span, an interval or a date; clock times, versions and counts are told apart.

Kanji numerals, "thirty (30) days", the next business day and "twice a year" are figures too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Final

_KANJI: Final = {c: n for n, c in enumerate("〇一二三四五六七八九")}
_ONES: Final = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
_TENS: Final = {name: n * 10 for n, name in enumerate(["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"], 2)}
_WORDS: Final = (
    {name: n for n, name in enumerate(_ONES)}
    | _TENS
    | {f"{ten}-{one}": amount + n for ten, amount in _TENS.items() for n, one in enumerate(_ONES[:10]) if n}
)
_UNITS: Final = (
    ("BusinessDay", r"営業日|business days?|working days?"),
    ("BusinessHour", r"営業時間(?=以内|程度|内)|business hours?|working hours?"),
    ("Week", r"週間|週|weeks?"),
    ("Month", r"[かカヵケヶ箇ヵ]\s?月(?:間)?|months?|月間(?=保)"),
    ("Year", r"年間|年(?!\s*\d|\s*[一二三四五六七八九十]|版|度|[^回]{0,2}月)|[かカヶ]年|years?"),
    ("CalendarDay", r"日間|日(?!本|時|次|付|常|曜)|calendar days?|days?"),
    ("Hour", r"時間|hours?|hrs?\b"),
    ("Minute", r"分(?!の|類|離|散|析|割|岐|か|け|担|野|程|配)(?:間)?|minutes?|mins?\b"),
    ("Second", r"秒(?:間)?|seconds?"),
    ("Generation", r"世代|generations?|versions? of (?:the )?backup|restore points"),
    ("Percent", r"%|パーセント|percent|per cent"),
    ("Bit", r"\s?-?bits?\b|ビット"),
    ("Item", r"回(?!線|答|復|避|収)|times\b|requests?|リクエスト|件|文字|桁|characters?"),
)
_UNIT: Final = "|".join(f"(?P<u{n}>{text})" for n, (_, text) in enumerate(_UNITS))
_NUMBER: Final = (
    r"(?P<num>\d{1,3}(?:,\d{3})+|\d+(?:\.\d+)?|[一二三四五六七八九十百〇]{1,4}|"
    rf"(?:{'|'.join(sorted(_WORDS, key=len, reverse=True))})\b)"
)
_FIGURE: Final = re.compile(rf"(?<![\d.A-Za-z第/])(?:約\s*)?{_NUMBER}\s*(?:\(\s*(?P<again>\d+)\s*\)\s*)?[- ]?(?:{_UNIT})", re.I | re.ASCII)
_FIXED: Final = (
    (r"翌々営業日", 2, "BusinessDay"),
    (r"翌営業日(?!から\s*\d|より\s*\d|以降)|next (business|working) day", 1, "BusinessDay"),
    (r"(?:契約|解約|利用)?[^。、]{0,4}翌日(?!から\s*(?:\d|起算)|より\s*\d|以降|を起算)|next day", 1, "CalendarDay"),
    (r"前日(?!比)|the day before", 1, "CalendarDay"),
    (r"当日中|即日(?!開)|same day", 0, "CalendarDay"),
    (r"半年|half[- ]a[- ]year|six-monthly|semi-?annual(ly)?|twice (a|per) year|年\s*2\s*回|年に?二回", 6, "Month"),
    (r"四半期|quarter(ly)?", 3, "Month"),
    (r"隔週", 2, "Week"),
    (
        r"毎年(度)?|年次|年度ごと|1\s*年に\s*[1一]\s*(?:回|度)|年間?に?\s*[1一]\s*(?:回|度)"
        r"|annual(ly)?|yearly|every year|once (a|per|every) year|each year",
        1,
        "Year",
    ),
    (r"毎月|月次|月に?\s*[1一]\s*(?:回|度)|monthly|every month|once (a|per) month", 1, "Month"),
    (r"毎週|週次|週に?\s*[1一]\s*(?:回|度)|weekly|every week|once (a|per) week", 1, "Week"),
    (
        r"毎日|日次|日々|1?\s*日に?\s*[1一]\s*(?:回|度)"
        r"|daily|every (day|night)|nightly|once (a|per) day|each night",
        1,
        "CalendarDay",
    ),
    (r"毎分|every minute", 1, "Minute"),
    (r"毎時|hourly|every hour|1\s*時間に\s*1\s*回|1\s*時間ごと", 1, "Hour"),
)
_KEY: Final = re.compile(r"(?<![A-Za-z])(?:AES|RSA|ECDSA)\s*[-(]?\s*(\d{3,4})(?!\d)(?:\s*-?\s*(?:bits?|ビット))?", re.I | re.ASCII)
_TIMES: Final = re.compile(
    r"年(?:間)?に?\s*(?P<ja>[2346]|12|[二三四六])\s*(?:回|度)|\b(?P<en>[2346]|two|three|four|six|twelve) times (?:a|per|each|every) year",
    re.I | re.ASCII,
)
_FIX: Final = [(re.compile(text, re.I | re.ASCII), amount, unit) for text, amount, unit in _FIXED]
_EVERY: Final = re.compile(r"^\s*(?:間)?(?:に\s*[1一]\s*(?:回|度)|ごと|毎|おき|間?隔|周期|ごとに|に1回)|^\s*(?:intervals?|apart)", re.I | re.ASCII)
_EVERY_BEFORE: Final = re.compile(r"(every|each|once (a|per|every)|per)\s*$", re.I | re.ASCII)
_AFTER: Final = {
    "AtLeast": r"^\s*(?:間)?(?:以上|より長く|を下回らない|前)|^\s*(?:or more|or longer|minimum|at least)|^[^、。]{0,10}(?:を下限)",
    "AtMost": r"^\s*(?:間)?(?:以内|以下|未満|まで(?!に、|に通知|の通知)|を上限|を超えない|を限度)|^\s*(?:or less|at most|or fewer)",
    "Approximately": r"^\s*(?:間)?(?:程度|ほど|前後|くらい|位|目安)",
}
_BEFORE: Final = {
    "AtLeast": r"(?:最低でも|最低|少なくとも|at least|minimum(?: of)?|not less than|no (?:less|fewer) than|more than|over)\s*(?:[のはでも]|a )?\s*$",
    "AtMost": r"(?:最大|最長|遅くとも|within|up to|no (?:more|later) than|at most"
    r"|not exceed(?:ing)?|maximum(?: of)?|less than|under)\s*(?:[のはでも]|a )?\s*$",
    "Approximately": r"(?:約|およそ|おおむね|概ね|approximately|about|around|roughly)\s*$",
}
_CLOCK: Final = re.compile(
    r"\d{1,2}\s*(?:時(?!間)|:\d{2})(?:\s*\d{1,2}\s*分)?(?:\s*(?:~|から|-|to|まで)\s*\d{1,2}\s*(?:時(?!間)|:\d{2})(?:\s*\d{1,2}\s*分)?)?", re.I
)
_DATE: Final = re.compile(
    r"(?:19|20)\d{2}\s*[年/.-]\s*\d{1,2}(?:\s*[月/.-]\s*\d{1,2}\s*日?)?月?|\d{1,2}月\d{1,2}日|(?:19|20)\d{2}\s*年(?:度)?|(?:令和|平成)\s*\d+\s*年(?:\s*\d+\s*月)?",
    re.I,
)
_ROUND: Final = re.compile(
    r"(?:1\s*日\s*)?24\s*時間\s*(?:(?:、|・|/|x|×)?\s*(?P<y>(?:年中無休|365\s*日|366\s*日))"
    r"|[、・/]?\s*(?:週|毎週)\s*7\s*日)|24\s*[x×/]\s*(?:7|365)|24\s+hours (?:a|per) day|around the clock",
    re.I,
)
SECONDS: Final = {"Second": 1, "Minute": 60, "Hour": 3600, "CalendarDay": 86400, "Week": 604800}
"""Seconds of the units whose length is fixed."""


@dataclass(frozen=True)
class Quantity:
    """One figure.

    Args:
        amount: as a number; 0 for "the same day".
        unit: local name of a unit of the ontology; ``AllHours`` for 24 hours and every day.
        start: with ``end``, its place in the comparable text of its sentence.
        comparator: local name of a comparator.
        every: whether it is an interval, as in "every five minutes".
    """

    amount: Decimal
    unit: str
    start: int
    end: int
    comparator: str = "Exactly"
    every: bool = False

    @property
    def iso(self) -> str:
        """The figure as ISO 8601 where it is a duration, else amount and unit."""
        n = f"{self.amount.normalize():f}"
        forms = {
            "Second": f"PT{n}S", "Minute": f"PT{n}M", "Hour": f"PT{n}H", "CalendarDay": f"P{n}D", "BusinessDay": f"P{n}D",
            "BusinessHour": f"PT{n}H", "Week": f"P{n}W", "Month": f"P{n}M", "Year": f"P{n}Y", "Percent": f"{n}%", "AllHours": "24x7",
        }  # fmt: skip
        return forms.get(self.unit, n)

    @property
    def seconds(self) -> int | None:
        """Its length, or None where it has no fixed one."""
        if self.unit not in SECONDS:
            return None
        whole = Fraction(self.amount) * SECONDS[self.unit]
        return int(whole) if whole.denominator == 1 else None


def _number(text: str) -> Decimal | None:
    bare = text.replace(",", "").lower()
    if re.fullmatch(r"\d+(\.\d+)?", bare):
        return Decimal(bare)
    if bare in _WORDS:
        return Decimal(_WORDS[bare])
    total, held = 0, 0
    for letter in bare:
        if letter in _KANJI:
            held = held * 10 + _KANJI[letter]
        elif letter == "十":
            total, held = total + (held or 1) * 10, 0
        elif letter == "百":
            total, held = total + (held or 1) * 100, 0
        else:
            return None
    return Decimal(total + held)


def quantities(text: str) -> list[Quantity]:
    """Return the figures of a sentence, in order, none within another."""
    taken: list[tuple[int, int]] = []
    out: list[Quantity] = []

    def free(a: int, b: int) -> bool:
        return all(b <= x or a >= y for x, y in taken)

    for found in _ROUND.finditer(text):
        taken.append(found.span())
        amount = Decimal(24)
        unit = "AllHours" if found["y"] or re.search("365|x|×|/", found[0]) else "Hour"
        out.append(Quantity(amount, unit, found.start(), found.end()))
    for mask in (_CLOCK, _DATE):
        taken.extend(found.span() for found in mask.finditer(text) if free(*found.span()))
    for found in _KEY.finditer(text):
        taken.append(found.span())
        out.append(Quantity(Decimal(found[1]), "Bit", found.start(1), found.end()))
    for pattern, fixed, unit in _FIX:
        for found in pattern.finditer(text):
            if free(*found.span()):
                taken.append(found.span())
                comparator = _comparator(text, found.start(), found.end(), unit)
                every = unit not in ("BusinessDay",) and not re.search("翌|前日|当日|即日|next|same|before", found[0], re.I | re.ASCII)
                if found[0] == "半年":  # an interval only where it is said to return
                    every = bool(_EVERY.match(text[found.end() :]))
                if (
                    every
                    and comparator == "AtLeast"
                    and re.search("最低|少なくとも|at least|以上", text[max(0, found.start() - 12) : found.end() + 6], re.I | re.ASCII)
                ):
                    comparator = "AtMost"
                out.append(Quantity(Decimal(fixed), unit, found.start(), found.end(), comparator, every))
    for found in _TIMES.finditer(text):
        count = _number((found["ja"] or found["en"] or "2").lower())
        if free(*found.span()) and count and 12 % count == 0:
            taken.append(found.span())
            comparator = "AtMost" if _comparator(text, *found.span(), "Month") == "AtLeast" else "Exactly"
            out.append(Quantity(12 / count, "Month", found.start(), found.end(), comparator, True))
    for found in _FIGURE.finditer(text):
        if not free(*found.span()):
            continue
        read = Decimal(found["again"]) if found["again"] else _number(found["num"])
        if read is None or read == 0 or (re.search("[一二三四五六七八九十]", found["num"]) and text[found.end("num") : found.end("num") + 1] == "部"):
            continue
        unit = next(name for n, (name, _) in enumerate(_UNITS) if found[f"u{n}"])
        if found[0].startswith("十分") and not re.match("間|以内|ごと|おき|毎", text[found.end() :]):  # enough, not ten minutes
            continue
        every = bool(_EVERY.match(text[found.end() :]) or _EVERY_BEFORE.search(text[: found.start()]))
        taken.append(found.span())
        out.append(Quantity(read, unit, found.start(), found.end(), "Exactly" if every else _comparator(text, *found.span(), unit), every))
    return sorted(out, key=lambda one: one.start)


def _comparator(text: str, start: int, end: int, unit: str) -> str:
    before, after = text[max(0, start - 24) : start], text[end : end + 14]
    for name, pattern in _BEFORE.items():
        if re.search(pattern, before, re.I | re.ASCII):
            return name
    for name, pattern in _AFTER.items():
        if re.search(pattern, after, re.I | re.ASCII):
            return name
    if re.search(r"^\s*(?:in advance|before|prior|beforehand|['’]?\s*(?:advance )?notice)", after, re.I | re.ASCII):
        return "AtLeast"
    return "Exactly"


def clauses(text: str, quantity: Quantity) -> Iterator[str]:
    """Yield what stands around a figure, nearest first: its clause, then its half of the sentence, then all of it."""
    left = max(text.rfind(c, 0, quantity.start) for c in "、,;；")
    right = min((at for c in "、,;；" if (at := text.find(c, quantity.end)) >= 0), default=len(text))
    near, far = text.rfind(" and ", left + 1, quantity.start), text.find(" and ", quantity.end, right)
    if near >= 0 or far >= 0:  # each half of an English clause speaks for its own figure
        yield text[max(left, near) + 1 : far if far >= 0 else right]
    yield text[left + 1 : right]
    yield text[left + 1 :]
    yield text
