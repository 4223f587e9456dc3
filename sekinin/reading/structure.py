"""What a paper is built of: its lines told from noise, its framework, its sections and the rows of its tables.

A number alone proves nothing: a heading counts when its number is known and its title fits, or when its form says
that it points at a control.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

from sekinin.reading.files import Source
from sekinin.reading.letters import Folded, folded, page_of, title_key
from sekinin.reading.lexicon import READ, framework
from sekinin.reading.rules import pattern, table, word

_NUM: Final = r"(?:CLD\s*[.\-]?\s*)?\d{1,2}(?:\s?\.\s?\d{1,2}){1,2}"
_POINT: Final = rf"(?:A\s*\.?\s*)?{_NUM}"
_OPENING: Final = r"[【\[(<「〔《〈『{]"
_CLOSING: Final = r"[】\])>」〕》〉』}]"
_GLUE: Final = r"\s*[/、,・&~]\s*|\s*(?:及び|および|と)\s*|\s+and\s+|\s*-\s*(?=(?:A\s*\.?\s*|CLD\s*[.\-]?\s*)?\d)"
_LEAD: Final = re.compile(
    rf"^(?P<open>{_OPENING}?)\s*(?P<nums>{_POINT}(?:(?:{_GLUE}|\s*{_CLOSING}\s*{_OPENING}\s*){_POINT})*)"
    rf"(?!\s?\.\s?\d)\s*(?P<close>{_CLOSING}?)(?P<rest>(?:[\s:.、)|\-].*)?$|(?<={_CLOSING}).*$|(?<=\d)(?=[^\d.\s]).*$)",
    re.I,
)
_TRAIL: Final = re.compile(
    rf"^(?P<title>[^()\[\]【】]*?(?:(?!\(\s*{_POINT})\([^()]*?\)[^()\[\]【】]*?)?)\s*(?P<nums>(?:{_OPENING}\s*{_POINT}(?:(?:{_GLUE}){_POINT})*\s*{_CLOSING}\s*)+)$",
    re.I,
)
_TAIL: Final = re.compile(rf"^(?P<title>.*?[^\d\s.,、/A-])\s*[\s:/|・\-]\s*(?P<nums>{_POINT}(?:(?:{_GLUE}){_POINT})*)$", re.I)
_OPEN_END: Final = re.compile(r"(は|に|を|が|の|で|と|も|へ|から|より|、|版|バージョン|ver\.?|version)$|^(図|表|figure|table|see)\b", re.I)
_MORE: Final = re.compile(rf"\s*[・/、,;&]\s*({_POINT})(?=[\s:)])", re.I)
_OLD: Final = re.compile(
    rf"{_OPENING}?\s*(?:旧|old|formerly|former|previously|2013:?)\s*(?:版|番号|管理策|iso/iec 27002:2013)?\s*[:：]?\s*"
    rf"{_POINT}(?:\s*[/、,・]\s*{_POINT})*\s*{_CLOSING}?",
    re.I,
)
_ENUMERATOR: Final = re.compile(r"^(?:\d{1,2}(?:\.\d{1,2}){0,2}(?=\s)|\(?\d{1,3}(?:\)|\.(?!\d))|第\s*\d{1,2}\s*[章節項条]|[①-⑳])\s*")
_GROUP: Final = re.compile(r"^(?P<title>.*?\S)\s*[(\[]\s*A\s*\.?\s*\d{1,2}\s*[)\]]$")
_CHAPTER: Final = re.compile(r"^(?:第\s*\d{1,2}\s*章|\d{1,2}(?:\.\d{1,2}){0,2}\s*[.、]?)\s*(?P<title>\S.*)$")
_HASH: Final = re.compile(r"^#{1,6}\s+")
_SIGN: Final = re.compile(
    r"^[■◆●▼▶◇□○]\s*(?P<title>\S.{0,40})$|^【(?P<boxed>[^】]{1,40})】$|^<(?P<angled>[^<>]{1,40})>$|^\*\*(?P<bold>[^*]{1,60})\*\*:?$"
)
_ASKED: Final = re.compile(r"^(?:Q\s*\d{0,3}\s*[.:：)、]|質問\s*\d{0,3}\s*[.:：)、])\s*\S", re.I)
_SENTENCE: Final = re.compile(r"[。!?]|(ます|です|ません|ました|ください|下さい)[.、]?$|\.\s+[A-Z]|[a-z]{3,}\.$|(\S+\s+){3,}\S+\.$")


@dataclass(eq=False)
class Line:
    """One line: its comparable text with the way back, its page, and what it is if not body."""

    text: Folded
    start: int
    end: int
    page: int
    noise: str = ""

    @property
    def words(self) -> str:
        """The comparable text without blanks around it."""
        return self.text.text.strip()


@dataclass
class Row:
    """A row of a table: its cells, and the lines that they stand in."""

    cells: list[Folded]
    lines: list[Line]


@dataclass
class Section:
    """A heading with what stands below it.

    Args:
        ids: the controls that it heads, as prefix and number; none for a chapter or a section of the paper's own.
        printed: the number as printed.
        form: ``control``, ``own``, ``chapter``, ``topic``, ``item`` or ``history``.
        mark: what the paper printed as its mark, or None where it has none.
        question: lines or cells that are not evidence.
    """

    ids: tuple[tuple[str, str], ...]
    printed: str
    title: str
    form: str
    start: int
    end: int
    confidence: float
    lines: list[Line] = field(default_factory=list)
    cells: list[Folded] = field(default_factory=list)
    mark: str | None = None
    mark_span: tuple[int, int] | None = None
    question: str = ""
    chapter: str = ""
    rule: str = ""

    @property
    def stop(self) -> int:
        """Where the section ends in the text as read."""
        ends = [line.end for line in self.lines if line.words and not line.noise] + [cell.places[-1] + 1 for cell in self.cells if cell.places]
        return max([self.end, *ends])


@dataclass
class Paper:
    """A paper cut into sections.

    Args:
        frameworks: prefixes of the frameworks that it follows, best first, each with its evidence.
        sections: in reading order, chapters and history among them.
        front: lines before the first section.
    """

    source: Source
    lines: list[Line]
    frameworks: dict[str, str]
    sections: list[Section]
    front: list[Line]
    sheet: bool = False


def lines_of(source: Source) -> list[Line]:
    """Cut the text into lines, at line feeds and form feeds."""
    lines: list[Line] = []
    at, fenced = 0, False
    for piece in re.split("(\n|\f)", source.text):
        if piece in ("\n", "\f"):
            at += 1
            continue
        bare = piece.rstrip("\r")
        line = Line(folded(bare, at), at, at + len(bare), page_of(source.pages, at))
        if source.form in ("markdown", "html") and line.words.startswith("```"):
            fenced = not fenced
            line.noise = "code"
        elif fenced:
            line.noise = "code"
        lines.append(line)
        at += len(piece)
    return lines


def mark_noise(lines: list[Line], pages: int) -> None:
    """Mark page numbers, running heads and feet, and lines of contents."""
    shapes = Counter(re.sub(r"\d+", "#", line.words) for line in lines if 2 <= len(line.words) <= 80)
    first_last: Counter[str] = Counter()
    for number in range(1, pages + 1):
        own = [line for line in lines if line.page == number and line.words]
        first_last.update({re.sub(r"\d+", "#", line.words) for line in [*own[:3], *own[-3:]]})
    running, numbers, leaders = word("structure", "running"), word("structure", "page_number"), word("structure", "leaders")
    for line in lines:
        words = line.words
        if line.noise or not words:
            continue
        shape = re.sub(r"\d+", "#", words)
        if len(words) <= 80 and not re.search("[。]$", words):
            often = first_last[shape] >= max(3, pages * 0.5) and not re.fullmatch(r"[#.\s]+", shape)
            if (shapes[shape] >= 3 and running.search(words)) or often:
                line.noise = "running"
                continue
        if numbers.match(words) and not re.fullmatch(r"\d{1,2}", words):
            line.noise = "page"
        elif leaders.search(line.text.text.rstrip()) and not re.match(r"^(○|×|-|\d+\t)", words):
            line.noise = "contents"
    _contents(lines)
    _bare_numbers(lines, pages)
    filled = [line for line in lines if line.words]
    for one, other in pairwise(filled):  # a page number beside a running head, in a text that lost its pages
        for bare, beside in ((one, other), (other, one)):
            if beside.noise == "running" and not bare.noise and re.fullmatch(r"\d{1,3}", bare.words):
                bare.noise = "page"


def _contents(lines: list[Line]) -> None:
    """Mark what stands between the heading of the contents and the body, leaders or not."""
    heading, inside = word("structure", "contents"), False
    for line in lines:
        words = _HASH.sub("", line.words)
        if heading.match(words):
            line.noise, inside = "contents", True
        elif inside and words:
            if line.noise == "contents" or (re.search(r"[\s\t.…]\d{1,3}$", words) and len(words) < 90):
                line.noise = line.noise or "contents"
            else:
                inside = False


def _bare_numbers(lines: list[Line], pages: int) -> None:
    """Mark numbers that stand alone and grow with the pages."""
    alone = [line for line in lines if re.fullmatch(r"\d{1,3}", line.words) and not line.noise]
    if pages > 1:
        for number in range(1, pages + 1):
            own = [line for line in lines if line.page == number and line.words]
            for line in [*own[:1], *own[-1:]]:
                if line in alone:
                    line.noise = "page"


def cells_of(line: Line) -> list[Folded]:
    """Return the cells of a line: between tabs, or between the bars of a Markdown table; one cell for a plain line."""
    text = line.text.text
    stripped = text.strip()
    if stripped.startswith("|") and stripped.count("|") >= 2:
        cuts = [found.start() for found in re.finditer(r"(?<!\\)\|", text)]
        spans = [(a + 1, b) for a, b in pairwise(cuts)]
    elif "\t" in text:
        cuts = [found.start() for found in re.finditer("\t", text)]
        spans = list(zip([0, *(cut + 1 for cut in cuts)], [*cuts, len(text)], strict=True))
    else:
        return [line.text]
    return [part(line.text, a, b) for a, b in spans]


def part(whole: Folded, start: int, end: int) -> Folded:
    """Return a stretch of a comparable text, blanks around it left out."""
    while start < end and whole.text[start].isspace():
        start += 1
    while end > start and whole.text[end - 1].isspace():
        end -= 1
    return Folded(whole.text[start:end], whole.places[start:end], whole.places[end - 1] + 1 if end > start else whole.end)


def normal(number: str) -> tuple[str, bool]:
    """Return a number as the frameworks write it, and whether it was printed with the A. of the annex or as CLD."""
    bare = re.sub(r"\s", "", number).upper()
    explicit = bare.startswith(("A", "CLD"))
    bare = re.sub(r"^A\.?", "", bare)
    bare = re.sub(r"^CLD[.\-]?", "CLD.", bare)
    return bare, explicit


@dataclass
class _Heading:
    """One way to read a line as a heading with a number.

    Args:
        trailing: the number stands last and without brackets, so that the title must speak for it.
    """

    at: int
    numbers: tuple[tuple[str, bool], ...]
    printed: str
    title: str
    lines: int = 1
    bracketed: bool = False
    trailing: bool = False

    @property
    def key(self) -> str:
        return title_key(_ENUMERATOR.sub("", self.title))


def _points(text: str) -> tuple[tuple[str, bool], ...]:
    """Return the numbers of a stretch, a range told out."""
    found = [normal(n) for n in re.findall(_POINT, text, re.I)]
    if len(found) == 2 and re.search(r"[~\-]\s*(?:A\s*\.?\s*|CLD\s*[.\-]?\s*)?\d{1,2}(?:\s?\.\s?\d{1,2})+\s*\W?$", text, re.I):
        (first, explicit), (last, _) = found
        head, low = first.rsplit(".", 1)
        same, high = last.rsplit(".", 1)
        if head == same and int(low) < int(high) < int(low) + 10:
            return tuple((f"{head}.{n}", explicit) for n in range(int(low), int(high) + 1))
    return tuple(found)


def without_old(words: str) -> str:
    """Return words without the number of an older edition that stands beside the number."""
    return _OLD.sub(" ", words)


def _bare_heading(words: str) -> str:
    """Return a line without the signs of its form and without the names of the frameworks beside a number."""
    words = re.sub(r"^[■◆●▼▶◇□◎○・*]\s*", "", _HASH.sub("", words)).strip("* ").replace("**", "")
    words = without_old(words).strip()
    words = pattern(rf"{table('structure')['before_number']}(?={_POINT})").sub("", words)
    return pattern(rf"(?<=\d)\s*{table('structure')['after_number']}(?=\s*{_CLOSING})").sub("", words)


def _candidates(lines: list[Line]) -> Iterator[list[_Heading]]:
    """Yield, for each line that could be a heading with a number, the ways to read it, the likeliest first."""
    for at, line in enumerate(lines):
        if line.noise or not line.words:
            continue
        words = _bare_heading(line.words)
        if len(words) > 110 or "。" in words or words.startswith("|"):
            continue
        cells = [cell for cell in words.split("\t") if cell.strip()]
        number = re.compile(rf"{_OPENING}?{_POINT}{_CLOSING}?", re.I)
        if len(cells) > 2 or (len(cells) == 2 and not any(number.fullmatch(cell.strip()) for cell in cells)):
            continue
        found = list(_ways(lines, at, " ".join(cell.strip() for cell in cells)))
        if found:
            yield found


def _ways(lines: list[Line], at: int, words: str) -> Iterator[_Heading]:
    lead, trail = _LEAD.match(words), _TRAIL.match(words)
    if lead:
        title = lead["rest"].strip(" :.、-|").lstrip(")")
        printed, points, boxed = lead["nums"].strip(), _points(lead["nums"]), bool(lead["open"] and lead["close"])
        if not title:
            yield from (_Heading(start, points, printed, text, used, boxed) for start, text, used in _beside(lines, at))
            return
        if not _says(title):
            more = _points(" ".join(_MORE.findall(title)))
            yield _Heading(at, points + more, printed, title, 1, boxed)
    if (inner := _ENUMERATOR.match(words)) and (own := _LEAD.match(words[inner.end() :])) and not _says(own["rest"].strip(" :.、-|")):
        title = own["rest"].strip(" :.、-|")
        if title:
            yield _Heading(at, _points(own["nums"]), own["nums"].strip(), title, 1, bool(own["open"] and own["close"]))
    if trail and trail["title"].strip() and not re.match("[・\\-*]", words) and not _SENTENCE.search(_ENUMERATOR.sub("", trail["title"])):
        yield _Heading(at, _points(trail["nums"]), trail["nums"].strip(), trail["title"].strip(), 1, True)
    elif not lead and (tail := _TAIL.match(words)) and not _SENTENCE.search(tail["title"]) and not _OPEN_END.search(tail["title"]):
        yield _Heading(at, _points(tail["nums"]), tail["nums"].strip(), tail["title"].strip(" :/|・-"), 1, trailing=True)


def _says(title: str) -> bool:
    """Tell whether what follows a number makes it part of a sentence or an amount."""
    return bool(_SENTENCE.search(title) or re.match(r"(に|を|の|は|で|と|が|から|以上|以内|%|年|月|日|時|分|倍|版)", title))


def _beside(lines: list[Line], at: int) -> Iterator[tuple[int, str, int]]:
    """Yield the lines that could be the title of a number that stands alone: the one after it, then the one before."""

    def fits(words: str) -> bool:
        return bool(words) and len(words) <= 60 and not _SENTENCE.search(words) and not _LEAD.match(words) and not _TRAIL.match(words)

    follow = next((n for n in range(at + 1, min(at + 3, len(lines))) if lines[n].words), None)
    if follow is not None and fits(lines[follow].words):
        yield at, lines[follow].words, follow - at + 1
    before = next((n for n in range(at - 1, max(at - 3, -1), -1) if lines[n].words and not lines[n].noise), None)
    if before is not None and fits(_bare_heading(lines[before].words)):
        yield before, _bare_heading(lines[before].words), at - before + 1


def recognise(text: str, headings: Sequence[_Heading]) -> dict[str, str]:
    """Return the frameworks that a paper follows, best first, and what speaks for each."""
    scores: dict[str, tuple[float, str]] = {}
    for prefix in READ:
        known = framework(prefix)
        fitting = {n for heading in headings for n, _ in heading.numbers if known.resembles(n, heading.key) >= 0.5}
        named = len(word("structure", "frameworks", prefix).findall(text))
        cloud = sum(1 for n in fitting if n.startswith("CLD"))
        score = len(fitting) + min(named, 4) + (3 * cloud if prefix == "c17" else 0) + (6 if prefix == "c17" and named else 0)
        if prefix == "meti" and not named:
            score = 0
        if prefix == "meti" and named:
            score += 8
        if prefix == "c22" and len(fitting) < 3 and not named:
            score = 0
        if score > 0:
            scores[prefix] = (score, f"{len(fitting)} titles fit their numbers, named {named} times")
    found = {prefix: why for prefix, (_, why) in sorted(scores.items(), key=lambda pair: -pair[1][0])}
    for prefix in ("meti-2010", "disclosure"):
        if word("structure", "frameworks", prefix).search(text):
            found[prefix] = "named"
    return found


def _resolve(heading: _Heading, order: Sequence[str]) -> tuple[tuple[tuple[str, str], ...], float]:
    """Return the controls that a heading stands for, and how sure that is; none for a section of the paper's own."""
    out: list[tuple[str, str]] = []
    sure = 1.0
    main = order[0] if order else ""
    for number, explicit in heading.numbers:
        best: tuple[float, str, str] = (0.0, "", "")
        for rank, prefix in enumerate(order):
            known = framework(prefix)
            whole = number
            if number.startswith("CLD.") and number not in known.controls:
                inside = [n for n in known.controls if n.startswith(number + ".")]
                if len(inside) == 1:
                    whole = inside[0]
                elif inside:
                    whole = max(inside, key=lambda n: known.resembles(n, heading.key))
            if whole not in known.controls:
                continue
            alike = known.resembles(whole, heading.key)
            two = whole.count(".") == 1
            if alike >= 0.5:
                value = 0.95
            elif heading.trailing and not (explicit and alike >= 0.2):
                continue
            elif (
                ((explicit or heading.bracketed) and (not two or explicit)) or (len(heading.numbers) > 1 and alike > 0) or (alike >= 0.3 and not two)
            ):
                value = 0.8
            elif prefix == main and not two and prefix == "c17" and known.nearest(heading.key)[1] < 0.6:
                value = 0.6
            elif prefix == main and prefix == "c22" and alike >= 0.25:
                value = 0.7
            else:
                continue
            if value - rank * 0.02 > best[0]:
                best = (value - rank * 0.02, prefix, whole)
        if best[1]:
            if (best[1], best[2]) not in out:
                out.append((best[1], best[2]))
            sure = min(sure, best[0])
    return tuple(out), sure if out else 0.0


def _body(lines: list[Line], start: int, stop: int) -> int:
    """Return how many characters of body stand between two lines."""
    return sum(len(line.words) for line in lines[start:stop] if not line.noise)


def cut(source: Source) -> Paper:
    """Cut a paper into its sections.

    Args:
        source: the text as read.
    Returns:
        the sections in reading order; none overlaps another.
    """
    lines = lines_of(source)
    mark_noise(lines, len(source.pages))
    whole = "\n".join(line.words for line in lines)
    ways = list(_candidates(lines))
    frameworks = recognise(whole, [heading for found in ways for heading in found])
    order = [prefix for prefix in frameworks if prefix in READ]
    if "c17" in order and "c13" not in order:
        order.append("c13")
    from sekinin.reading.sheets import items

    sheet = items(lines, order, frameworks)
    prose = _sections(source, lines, ways, frameworks, order)
    if len(sheet) >= 4 and not _is_prose(prose, sheet):
        first = min(section.start for section in sheet)
        return Paper(source, lines, frameworks, sheet, [line for line in lines if line.end < first and not line.noise], True)
    return prose


def _is_prose(prose: Paper, sheet: Sequence[Section]) -> bool:
    """Tell whether a text with rows is a paper with tables: headings of its own point at controls, and the rows are not many beside them."""
    rows = {section.start for section in sheet}
    spans = sorted((section.start, section.end) for section in sheet)
    heads = [one for one in prose.sections if one.ids and one.start not in rows]
    apart = [one for one in heads if not (at := bisect_right(spans, (one.start, 1 << 60))) or spans[at - 1][1] <= one.start]
    return len(apart) >= 3 and len(apart) * 3 >= len(sheet)


_Resolved = tuple[_Heading, tuple[tuple[str, str], ...], float]


def _best(ways: Sequence[_Heading], order: Sequence[str]) -> _Resolved:
    """Return the way to read a heading that points at a control most surely; the first where none does."""
    resolved: list[_Resolved] = [(heading, *_resolve(heading, order)) for heading in ways]
    return max(resolved, key=lambda one: one[2])


def _between(resolved: list[_Resolved], main: str) -> list[_Resolved]:
    """Let a number with a title of the paper's own count where its neighbours are controls and it stands in their order."""

    def rank(number: str) -> tuple[int, ...]:
        return tuple(int(part) for part in number.split("."))

    known = framework(main)
    sure = [next((number for prefix, number in ids if prefix == main), "") for _, ids, _ in resolved]
    out = list(resolved)
    for at, (heading, ids, _) in enumerate(resolved):
        number = heading.numbers[0][0]
        if ids or heading.trailing or number not in known.controls or known.nearest(heading.key)[1] >= 0.6:
            continue
        before = next((one for one in reversed(sure[:at]) if one), "")
        after = next((one for one in sure[at + 1 :] if one), "")
        if not (before and after) and known.resembles(number, heading.key) == 0:  # at the edge the title must speak for it a little
            continue
        if (before or after) and (not before or rank(before) < rank(number)) and (not after or rank(number) < rank(after)):
            out[at] = (heading, ((main, number),), 0.6)
    return out


def _sections(source: Source, lines: list[Line], ways: list[list[_Heading]], frameworks: dict[str, str], order: list[str]) -> Paper:
    best = [_best(found, order) for found in ways]
    if order[:1] == ["c22"]:
        best = _between(best, "c22")
    resolved = _without_lists(lines, best)
    by_line = {heading.at: (heading, ids, sure) for heading, ids, sure in resolved}
    covered = {n for heading, _, _ in resolved for n in range(heading.at, heading.at + heading.lines)}
    numbered = sum(1 for _, ids, _ in resolved if ids)
    contents = {title_key(re.sub(r"[\s.…·・\t]*\d{1,3}\s*$", "", line.words)) for line in lines if line.noise == "contents"} - {""}
    found: list[tuple[int, int, Section]] = []
    within = "-"  # what the number of a part of the control above begins with
    for at, line in enumerate(lines):
        section: Section | None = None
        used = 1
        if at in by_line:
            heading, ids, sure = by_line[at]
            used = heading.lines
            end = lines[at + used - 1].end
            printed = heading.printed
            section = Section(ids, printed, heading.title, "control" if ids else "own", line.start, end, sure or 0.5, rule="numbered-heading")
            if not ids and (not _own(heading, order) or heading.numbers[0][0].startswith(within)):
                section = None
            within = f"{ids[0][1]}." if ids else within
        if section is None and not line.noise and line.words and at not in covered:
            section = _other(lines, at, numbered >= 3, contents)
        if section:
            found.append((at, used, section))
    return _filled(source, lines, frameworks, found)


def _own(heading: _Heading, order: Sequence[str]) -> bool:
    """Tell whether a number that is no control heads a section of the paper's own: within the series, or a chapter of two parts."""
    number = heading.numbers[0][0]
    return (
        not heading.bracketed
        and not heading.trailing
        and len(heading.title) <= 60
        and (number.count(".") == 2 or bool(re.match(r"\d+\.\d+$", number)))
    )


def _without_lists(lines: list[Line], resolved: list[_Resolved]) -> list[_Resolved]:
    """Leave out headings that stand in a list of headings, and of two with one number the one with less below it."""
    sizes: list[int] = []
    for index, (heading, _, _) in enumerate(resolved):
        stop = resolved[index + 1][0].at if index + 1 < len(resolved) else len(lines)
        sizes.append(_body(lines, heading.at + heading.lines, stop))
    empty = [size == 0 for size in sizes]
    runs = [False] * len(resolved)
    start = 0
    while start < len(resolved):
        stop = start
        while stop < len(resolved) and empty[stop]:
            stop += 1
        if stop - start >= 4:
            for index in range(start, stop):
                runs[index] = True
        start = max(stop, start + 1)
    best: dict[tuple[str, str], int] = {}
    for index, (_, ids, _) in enumerate(resolved):
        for one in ids:
            rank = (not runs[index], min(sizes[index], 4000))
            if one not in best or rank > (not runs[best[one]], min(sizes[best[one]], 4000)):
                best[one] = index
    kept = []
    for index, (heading, ids, sure) in enumerate(resolved):
        mine = tuple(one for one in ids if best[one] == index)
        if (ids and not mine) or runs[index]:
            continue
        kept.append((heading, mine if ids else ids, sure))
    return kept


def _other(lines: list[Line], at: int, numbered: bool, contents: set[str]) -> Section | None:
    """Return a section that has no number of a framework: chapter, history, or a topic."""
    line = lines[at]
    hashed = bool(_HASH.match(line.words))
    words = _HASH.sub("", line.words).strip("* ")
    asked = re.sub(r"[?？]$", "", words) if (hashed or _ASKED.match(words)) and words.endswith(("?", "？")) else words
    if len(words) > 80 or _SENTENCE.search(re.sub(r"^\d{1,2}\.\s+", "", asked)) or "\t" in line.text.text.strip() or words.startswith("|"):
        return None
    chapter = _CHAPTER.match(words)
    bare = chapter["title"] if chapter else words
    sign = _SIGN.match(words)
    title = next((t for t in sign.groups() if t), bare) if sign else bare
    if word("structure", "history").search(bare) and len(bare) < 30:
        return Section((), "", bare, "history", line.start, line.end, 0.9, rule="history")
    group = _GROUP.match(words)
    known = title_key(words) in contents or title_key(bare) in contents
    opening = word("structure", "chapters").match(bare) and (chapter or _alone(lines, at) or hashed) and not sign
    if (group or opening or (known and (chapter or _alone(lines, at)))) and (numbered or group or not _topic(title)):
        return Section((), "", title, "chapter", line.start, line.end, 0.8, rule="chapter")
    if hashed and numbered:
        return Section((), "", title, "chapter", line.start, line.end, 0.8, rule="marked-heading") if line.words.count("#") <= 2 else None
    if numbered:
        return None
    marked = hashed or bool(sign) or bool(chapter) or bool(_ASKED.match(words))
    if (marked or _alone(lines, at)) and (topic := _topic(title)):
        sure = 0.75 if marked else 0.6
        if not marked and len(title) > 24 and not title.isascii():
            return None
        if sign and not _alone(lines, at) and not hashed and not _tells(lines, at):
            return None
        ids = (_in_framework(topic),) if topic != "-" else ()
        return Section(ids, "", title, "topic", line.start, line.end, sure, rule="topic-heading")
    if (hashed or (chapter and _alone(lines, at))) and len(title) < 40:
        return Section((), "", title, "chapter", line.start, line.end, 0.6, rule="marked-heading")
    return None


def _topic(title: str) -> str:
    """Return the control that a title without a number is about; ``-`` for a known topic without one."""
    for topic in table("topics")["topic"]:
        if pattern(topic["words"]).search(title):
            return topic["control"] or "-"
    return ""


def _in_framework(number: str) -> tuple[str, str]:
    return ("c17" if number in framework("c17").controls else "c13", number)


def _alone(lines: list[Line], at: int) -> bool:
    """Tell whether a line stands by itself: blank before it, or noise, and something after it."""
    before = lines[at - 1] if at else None
    return before is None or not before.words or bool(before.noise)


def _tells(lines: list[Line], at: int) -> bool:
    """Tell whether the line after a signed one is a sentence: then the sign stands over it."""
    follow = next((line for line in lines[at + 1 :] if line.words and not line.noise), None)
    return follow is not None and bool(_SENTENCE.search(follow.words))


def _filled(source: Source, lines: list[Line], frameworks: dict[str, str], found: list[tuple[int, int, Section]]) -> Paper:
    """Give each section the lines up to the next one."""
    chapter = ""
    for index, (at, used, section) in enumerate(found):
        stop = found[index + 1][0] if index + 1 < len(found) else len(lines)
        section.lines = [line for line in lines[at + used : stop] if not line.noise]
        if section.form == "chapter":
            chapter = section.title
        section.chapter = chapter
    front = [line for line in lines[: found[0][0] if found else len(lines)] if not line.noise]
    return Paper(source, lines, frameworks, [section for _, _, section in found], front)


def columns_of(cells: Sequence[Folded]) -> dict[str, int]:
    """Return which column is what, if ``cells`` are the heads of a check sheet; else nothing."""
    heads = table("structure")["columns"]
    found: dict[str, int] = {}
    for at, cell in enumerate(cells):
        text = cell.text.strip().strip("*")
        if not text or len(text) > 30:
            continue
        for role in ("sample", "number", "mark", "rule", "unit", "remark", "question", "section"):
            if role not in found and pattern(heads[role]).search(text):
                found[role] = at
                break
        else:
            if any(pattern(heads[role]).search(text) for role in ("question", "rule", "number", "section")):
                found[f"besides-{at}"] = at  # a second title, question or number is no answer either
    if "remark" not in found and "rule" in found:
        found["remark"] = found.pop("rule")
    answers = {"mark", "remark"} & set(found)
    filled = len([cell for cell in cells if cell.text.strip()])
    return found if "question" in found and answers and (filled >= 3 or (filled == 2 == len(found) and len(cells) == 2)) else {}


def runs(lines: Sequence[Line], test: Callable[[Line], bool]) -> Iterator[list[Line]]:
    """Yield stretches of neighbouring lines that pass ``test``."""
    held: list[Line] = []
    for line in lines:
        if test(line):
            held.append(line)
        elif held:
            yield held
            held = []
    if held:
        yield held
