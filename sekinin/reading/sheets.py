"""Check sheets: rows of question, mark and answer, whatever their columns are called and however they were saved.

Only the answer is evidence. The question holds the guideline's figures, and the sample that a form prints is nobody's answer.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from sekinin.reading.letters import Folded, title_key
from sekinin.reading.lexicon import READ, framework
from sekinin.reading.rules import table, word
from sekinin.reading.structure import Line, Row, Section, cells_of, columns_of, normal, without_old

_NUMBER: Final = re.compile(r"^(?:no\.?\s*)?((?:A\.|CLD\.?)?\d{1,3}(?:[.\-]\d{1,3}){0,3})[.)]?$", re.I)
_TITLED: Final = re.compile(r"^((?:A\.|CLD\.?)?\d{1,2}(?:\.\d{1,2}){1,2})\s+(?P<title>\D.{1,60})$", re.I)
_HEAD: Final = re.compile(r"^(?:第\s*)?(\d{1,2})\s*(?:[.、章]|\s)\s*([^\d\s.].{0,50})$")


def mark_of(text: str) -> str:
    """Return what a cell says as a mark: done, partly, denied, open or outside; nothing if it is no mark."""
    bare = text.strip().strip("()[]「」 ")
    return next((name for name in table("structure")["marks"] if word("structure", "marks", name).match(bare)), "")


def items(lines: list[Line], order: Sequence[str], frameworks: dict[str, str]) -> list[Section]:
    """Return the items of a check sheet in reading order; none if the text is no check sheet."""
    rows, columns = _rows(lines)
    if not columns and sum(1 for row in rows if len(row.cells) >= 3 and any(mark_of(cell.text) for cell in row.cells[1:])) < 4:
        return []
    found: list[Section] = []
    chapter, chapter_title, sub, sub_index, numbers_seen = "", "", "", 0, 0
    for at_row, row in enumerate(rows):
        texts = [cell.text.strip() for cell in row.cells]
        filled = [at for at, text in enumerate(texts) if text]
        if not filled:
            continue
        if again := columns_of(row.cells):
            columns = _settled(again, rows[at_row + 1 : at_row + 6])
            continue
        item = _item(row, texts, columns)
        if item is None:
            if len(filled) == 1 and (head := _HEAD.match(texts[filled[0]].lstrip("# "))) and not _NUMBER.match(texts[filled[0]]):
                chapter, chapter_title, sub, sub_index, numbers_seen = head[1], head[2], "", 0, 0
            elif (
                len(filled) == 1
                and len(row.lines) == 1
                and len(texts[filled[0]]) <= 30
                and not re.search("[。、]|ます|https?:", texts[filled[0]])
                and _heads(lines, row)
            ):
                sub, sub_index = texts[filled[0]].lstrip("# "), sub_index + 1
            elif found:
                found[-1].lines.extend(line for line in row.lines if not line.noise)
            continue
        section, number, title = item
        numbers_seen += 1
        section.chapter = chapter_title or (texts[columns["section"]] if columns.get("section", len(texts)) < len(texts) else "")
        section.printed = number or str(numbers_seen)
        section.title = title
        section.rule = "sheet-row"
        section.ids = (("", f"{chapter}|{sub_index}|{section.printed}"),)
        if sub:
            section.chapter = f"{chapter_title} / {sub}"
        found.append(section)
    _named(found, order, frameworks)
    return found


def _settled(columns: dict[str, int], rows: Sequence[Row]) -> dict[str, int]:
    """Return the columns with the number where the numbers are: a head such as "control" stands over numbers as well as over titles."""
    at = columns["question"]
    cells = [row.cells[at].text.strip() for row in rows if len(row.cells) > at]
    if "number" in columns or not cells or sum(1 for cell in cells if _number(cell)) * 2 <= len(cells):
        return columns
    free = [n for n in range(at + 1, max(len(row.cells) for row in rows)) if n not in columns.values()]
    return {**{role: n for role, n in columns.items() if role != "question"}, "number": at, **({"question": free[0]} if free else {})}


def _number(cell: str) -> re.Match[str] | None:
    """Return the number that a cell is, or that it begins with before a title."""
    bare = without_old(cell).strip().strip("*【】[]() ")
    return _NUMBER.match(bare) or _TITLED.match(bare)


def _heads(lines: list[Line], row: Row) -> bool:
    """Tell whether the next row after a line without tabs is an item: then the line stands over it."""
    at = lines.index(row.lines[-1])
    after = (line for line in lines[at + 1 : at + 5] if line.words and not line.noise and not columns_of(cells_of(line)))
    follow = next(after, None)
    return follow is not None and len(cells_of(follow)) >= 2 and bool(_NUMBER.match(cells_of(follow)[0].text.strip()))


def _rows(lines: list[Line]) -> tuple[list[Row], dict[str, int]]:
    """Return the rows: by tabs or bars, or dealt out from cells that were saved one to a line."""
    body = [line for line in lines if not line.noise and line.words and not re.fullmatch(r"[|\s:\-]*(?:\||---)[|\s:\-]*", line.words)]
    rows = [Row(cells_of(line), [line]) for line in body]
    if any(columns_of(row.cells) for row in rows) or sum(1 for row in rows if len(row.cells) >= 3) >= 4:
        columns = next((found for row in rows if (found := columns_of(row.cells))), {})
        return rows, columns
    for at in range(len(body)):
        if not _is_head(body[at]):
            continue
        width = 0
        while at + width < len(body) and width < 9 and _is_head(body[at + width]):
            width += 1
        heads = [line.text for line in body[at : at + width]]
        columns = columns_of(heads)
        if width >= 3 and columns and "number" in columns:
            return [*rows[:at], Row(heads, body[at : at + width]), *_dealt(body[at + width :], width, columns)], columns
    return rows, {}


def _is_head(line: Line) -> bool:
    heads = table("structure")["columns"]
    return len(line.words) <= 14 and any(re.search(heads[role], line.words, re.I) for role in heads)


def _dealt(lines: list[Line], width: int, columns: dict[str, int]) -> list[Row]:
    """Deal lines out to rows: each begins with a number, and has as many cells as there are columns."""
    starts = [at for at, line in enumerate(lines) if _NUMBER.match(line.words)]
    rows: list[Row] = []
    for index, at in enumerate(starts):
        stop = starts[index + 1] if index + 1 < len(starts) else len(lines)
        own = lines[at:stop]
        if len(own) < 3:
            rows.extend(Row([line.text], [line]) for line in own)
            continue
        cells = [line.text for line in own[:width]]
        rows.append(Row(cells, own[:width]))
        tail = own[width:]
        if tail and _HEAD.match(tail[-1].words):
            rows.extend(Row([line.text], [line]) for line in tail[:-1])
            rows.append(Row([tail[-1].text], [tail[-1]]))
        else:
            rows.extend(Row([line.text], [line]) for line in tail)
    return rows


def _item(row: Row, texts: list[str], columns: dict[str, int]) -> tuple[Section, str, str] | None:
    """Return a row as an item with its number and title, or None if it is none."""
    if len([text for text in texts if text]) < 2 or re.fullmatch(r"[|\s:\-]*", "".join(texts)):
        return None
    marks = [at for at, text in enumerate(texts) if mark_of(text)]
    at_number = columns.get("number", 0)
    number_cell = texts[at_number] if at_number < len(texts) else ""
    number = _number(number_cell)
    if not number and "number" in columns and not ("question" in columns and marks):
        return None
    if not number and not marks and not columns:
        return None
    if not number and not columns and texts[0] == "":
        return None
    at_question = columns.get("question", next((at for at, text in enumerate(texts) if at != at_number and text and at not in marks), at_number))
    at_mark = columns.get("mark")
    if at_mark is None or at_mark >= len(texts) or (not mark_of(texts[at_mark]) and texts[at_mark]):
        after = [at for at in marks if at > at_question and at != columns.get("sample")]
        at_mark = after[0] if after else at_mark
    if columns:
        known = {at for role, at in columns.items() if role not in ("mark", "remark")}
        answers = [at for at in range(len(texts)) if at not in known and at != at_mark and texts[at] and at > at_question]
    else:
        answers = [at for at in range(len(texts)) if at_mark is not None and at > at_mark and texts[at]]
    if at_mark is not None and at_mark < len(texts) and texts[at_mark] and not mark_of(texts[at_mark]):
        answers = sorted({*answers, at_mark})
        at_mark = None
    if not number and not answers and at_mark is None:
        return None
    first = next((cell for cell in row.cells if cell.places), row.cells[0])
    start = first.places[0] if first.places else row.lines[0].start
    section = Section((), "", "", "item", start, max(line.end for line in row.lines), 0.95)
    section.cells = [row.cells[at] for at in answers]
    section.question = texts[at_question] if at_question < len(texts) and ("number" not in columns or at_question != at_number) else ""
    section.question = section.question or (number.groupdict().get("title") or "" if number else "")
    if at_mark is not None and at_mark < len(texts):
        cell = row.cells[at_mark]
        section.mark = texts[at_mark]
        section.mark_span = (cell.places[0], cell.places[-1] + 1) if cell.places else None
    title = section.question if len(section.question) <= (90 if section.question.isascii() else 40) else ""
    return section, number[1] if number else "", title


def _named(found: list[Section], order: Sequence[str], frameworks: dict[str, str]) -> None:
    """Give each item its number: of the framework where it has one, else chapter and item, with the sub-heading where numbers start again."""
    restarts: set[str] = set()
    last: dict[str, tuple[str, int]] = {}
    for section in found:
        chapter, sub, printed = section.ids[0][1].split("|")
        if printed.isdigit():
            before = last.get(chapter)
            if before and before[0] != sub and int(printed) <= before[1]:
                restarts.add(chapter)
            last[chapter] = (sub, int(printed))
    fits = _fits(found)
    order = sorted({*order, *(prefix for prefix, count in fits.items() if count >= 3)}, key=lambda prefix: -fits[prefix])
    for section in found:
        chapter, sub, printed = section.ids[0][1].split("|")
        number, _ = normal(printed)
        ids: list[tuple[str, str]] = []
        if "." in number:
            for prefix in order:
                known = framework(prefix)
                alike = known.resembles(number, title_key(section.question))
                if number in known.controls and (alike >= 0.15 or prefix == "meti" or number.count(".") == 2):
                    ids.append((prefix, number))
                    break
        if not ids:
            parts = [part for part in (chapter, sub if chapter in restarts else "", printed) if part]
            ids.append(
                ("", "-".join(parts) if printed.isdigit() else printed.replace(".", "-") if not chapter or printed.count("-") else "-".join(parts))
            )
        section.ids = tuple(ids)


def _fits(found: list[Section]) -> dict[str, int]:
    """Return for each framework how many rows have one of its numbers with its title."""
    rows = [(normal(section.printed)[0], title_key(section.question)) for section in found]
    return {prefix: sum(1 for number, key in rows if framework(prefix).resembles(number, key) >= 0.3) for prefix in READ}


def text_of(cells: Sequence[Folded]) -> str:
    """Return cells as one text."""
    return " ".join(cell.text for cell in cells)
