"""Reading one paper from beginning to end: file, sections, statements, and what the paper says of itself."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from sekinin.reading import files
from sekinin.reading.letters import fold
from sekinin.reading.passages import sentences
from sekinin.reading.results import Item, Reading, Span
from sekinin.reading.rules import pattern, table
from sekinin.reading.statements import Parties, certificates, commitments, locations, read_section
from sekinin.reading.structure import Paper, Section, cut

_COMPANY = re.compile(
    r"(?:^|(?<=\s))[^\s、。()「」『』|,]{1,20}(?:株式会社|有限会社|合同会社)(?=\s|$)"
    r"|(?:株式会社|有限会社|合同会社|一般社団法人|一般財団法人)(?:\s?(?=[ぁ-んァ-ヶ一-龥])|(?=[A-Za-z]))[^\s、。()「」『』,|はがのをにで]{1,30}"
    r"|[^\s、。()「」|はがのをにで]{1,24}(?:株式会社|有限会社|合同会社)"
    r"|(?:[A-Z][\w&.-]*\s){1,4}(?:Inc\.?|Ltd\.?|Corporation|Corp\.?|LLC|K\.K\.|Co\.,?\s?Ltd\.?|GmbH|Limited)"
)
_VERSION = re.compile(r"(?:第\s*|ver(?:sion)?\.?\s*|rev\.?\s*|版番号\s*(?:ver\.?)?\s*)(\d+(?:\.\d+){0,2})\s*版?|(\d+\.\d+)\s*版", re.I)
_DATE = re.compile(r"((?:19|20)\d{2})\s*[年/.-]\s*(\d{1,2})(?:\s*[月/.-]\s*(\d{1,2})\s*日?|月)?")
_ENGLISH = re.compile(
    r"(?:(\d{1,2})\s+)?(January|February|March|April|May|June|July|August|September|October|November|December)\s+(?:(\d{1,2}),?\s+)?((?:19|20)\d{2})",
    re.I,
)
_SAYS = re.compile(r"[。.]$|(ます|です|ください)|\t")
_MONTHS = ["january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december"]
_TITLE = re.compile(
    r"ホワイトペーパー|white ?paper|チェックシート|チェックリスト|セキュリティ(?:対策|について|シート)"
    r"|security (?:overview|statement|disclosure)|check ?(?:sheet|list)",
    re.I,
)
_NAMED = re.compile(
    r"([A-Z][\w+.-]*(?: [A-Z][\w+.-]*){0,3}|(?<=[「『\"“])[^」』\"”]{2,40}(?=[」』\"”])|[ァ-ヶー一-龥A-Za-z]{2,20})[」』\"”]?\s*"
    r"\(\s*(?:the |以下[、,]?\s*)[「『\"“]?(?:Service|本サービス)"
)
_SERVICE = re.compile(
    r"(?:サービス|service)?\s*[「『\"“]([^」』\"”]{2,40})[」』\"”]"
    r"|([A-Za-z][\w+.-]*(?: [A-Z][\w+.-]*){0,3})\s*(?:\([^)]{1,20}\))?\s*(?:security )?(?:セキュリティ)?\s*(?:ホワイトペーパー|white ?paper)",
    re.I,
)


def read(path: Path) -> Reading:
    """Read one paper.

    Raises:
        Missing: if there is no such file.
        BadData: if it cannot be read; see ``files.read``.
    """
    return understand(files.read(path))


def understand(source: files.Source) -> Reading:
    """Return what a text says."""
    paper = cut(source)
    whole = "\n".join(line.text.text for line in paper.lines)
    about = _about(paper, whole)
    parties = Parties(whole, about[1])
    items: list[Item] = []
    front = Section((), "", "", "chapter", 0, 0, 0.5, lines=paper.front, rule="front")
    for section in [front, *paper.sections]:
        if section.form == "history":
            continue
        if section.ids and section.form in ("control", "item", "topic"):
            made = [read_section(section, parties, one) for one in section.ids]
            items.extend(made)
        else:
            items.append(_beside(section, parties))
    _resolve(items)
    items = [
        item
        for item in items
        if item.number or item.form in ("topic", "own") or item.commitments or item.locations or item.certificates or item.duties or item.assignments
    ]
    words = _words(paper, parties, source)
    return Reading(
        source.name, *about, paper.frameworks, _platforms(whole), words, items, source.text, source.warnings,
    )  # fmt: skip


def _beside(section: Section, parties: Parties) -> Item:
    """Return what a section that heads no control says: promises, places and certificates, and the cells of its tables."""
    if section.form == "own" or section.form == "topic":
        item = read_section(section, parties, ("", ""))
        return item
    item = Item("", "", section.printed, section.title, section.form, (section.start, section.stop), (section.start, section.end), 0.5, section.rule)
    if re.search(r"とは$|用語|iso/iec|jis q|jip|規格|what is iso", section.title, re.I) and not re.search("認証取得|certif", section.title, re.I):
        return item
    whole = read_section(section, parties, ("", ""))
    item.locations, item.certificates, item.assignments = whole.locations, whole.certificates, whole.assignments
    item.commitments = [
        one
        for one in whole.commitments
        if one.quantity or one.values or re.search("別紙|別添|サービスレベル|sla|annex|appendix", section.title, re.I)
    ]
    item.duties = [duty for duty in whole.duties if duty.rule in ("duty-table", "listed-under-a-party", "named-before-a-colon")]
    return item


def _resolve(items: list[Item]) -> None:
    """Follow references: an item that says "as above" stands as the one above it, unless it adds words of its own."""
    before: Item | None = None
    by_number = {item.number: item for item in items if item.number} | {item.printed: item for item in items if item.printed}
    for item in items:
        target: Item | None = None
        if item.by_reference and "above" in item.refers_to:
            target = before
        elif item.by_reference and item.refers_to:
            target = by_number.get(item.refers_to[0])
        if target is not None and target is not item and item.by_reference:
            item.refers_to = tuple(dict.fromkeys([target.number or target.printed, *(r for r in item.refers_to if r != "above")]))
            alike = not item.mark or target.mark == item.mark
            if alike and len(item.passages) <= 1:
                item.status, item.status_rule, item.layers = target.status, "as-referred-to", target.layers
                item.passages = item.passages + target.passages
                known = {one.metric for one in item.commitments}
                item.commitments += [
                    replace(one, rule="as-referred-to", confidence=one.confidence * 0.9)
                    for one in target.commitments
                    if one.quantity and one.metric not in known
                ]
        if item.number:
            before = item
    lost = {item.printed for item in items if item.form == "own" and item.status == "InFigure"}
    for item in items:
        if item.status == "Deferred" and set(item.refers_to) & lost:
            item.status, item.status_rule, item.layers = "InFigure", "points-at-a-lost-figure", ()


def _platforms(whole: str) -> tuple[str, ...]:
    return tuple(name for name, text in table("parties")["platforms"].items() if pattern(text).search(whole))


def _words(paper: Paper, parties: Parties, source: files.Source) -> dict[str, dict[str, Span]]:
    """Return what the paper calls each layer, with the place where it first does."""
    found: dict[str, dict[str, Span]] = {"customer": {}, "csp": {}, "infrastructure": {}}
    for line in paper.lines:
        if line.noise:
            continue
        for layer, words in parties.words.items():
            for match in words.finditer(line.text.text):
                if len(match[0]) > 1 and match[0] not in found[layer] and len(found[layer]) < 8 and "本サービス" not in match[0]:
                    found[layer][match[0]] = line.text.span(*match.span())
    return found


def _about(paper: Paper, whole: str) -> tuple[str, str, tuple[str, ...], str, str, str]:
    """Return title, provider, services, version, date and language, as far as the paper tells them; a date is never invented."""
    lines = [line.words for line in paper.lines if line.words and line.noise in ("", "running")]
    front = lines[:40]
    japanese = len(re.findall("[ぁ-んァ-ヶ一-龥]", whole)) * 8 > len(whole)
    named = [re.sub(r"^#+\s*|\s*第?\s*[\d.]+\s*版.*$", "", line) for line in front if not _SAYS.search(line) and len(line) <= 80]
    title = next((line for line in named if _TITLE.search(line)), named[0] if named and len(named[0]) > 3 else paper.source.name)
    company = next((found[0] for line in front for found in _COMPANY.finditer(line)), "") or next(
        (found[0] for found in _COMPANY.finditer(whole)), ""
    )
    cover = "\n".join(front)
    version = next((found[1] or found[2] for found in _VERSION.finditer(cover)), "")
    tail = [section for section in paper.sections if section.form == "history"]
    dates = [_iso(found) for found in _DATE.finditer("\n".join(front[:15]))] + [_english(found) for found in _ENGLISH.finditer("\n".join(front[:15]))]
    if tail:
        history = "\n".join(line.words for line in tail[0].lines)
        old = [_iso(found) for found in _DATE.finditer(history)]
        dates = dates or ([max(old)] if old else [])
        version = version or max((found[1] or found[2] for found in _VERSION.finditer(history)), default="")
    whole_front = "\n".join(line.words for line in paper.front) or cover
    service = next((found[1].strip() for found in _NAMED.finditer(whole_front)), "") or next(
        ((found[1] or found[2]).strip() for line in front for found in _SERVICE.finditer(line) if not _COMPANY.search(found[0])), ""
    )
    services = (service,) if service and not re.search("以下|iso|27017|white|^(information |cloud )?security$", service, re.I) else ()
    return title, company.strip(), services, version, dates[0] if dates else "", "ja" if japanese else "en"


def _iso(found: re.Match[str]) -> str:
    year, month, day = found[1], int(found[2]), found[3]
    return f"{year}-{month:02}" + (f"-{int(day):02}" if day else "")


def _english(found: re.Match[str]) -> str:
    day = found[1] or found[3]
    return f"{found[4]}-{_MONTHS.index(found[2].lower()) + 1:02}" + (f"-{int(day):02}" if day else "")


__all__ = ["certificates", "commitments", "fold", "locations", "read", "sentences", "understand"]
