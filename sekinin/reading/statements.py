"""From sections to statements: status, layers, duties, commitments, places, certificates, each by a named rule and with its place.

The words that decide stand in ``rules/``; here is only the order in which they are asked.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cache
from itertools import chain
from typing import Any, Final

from sekinin.reading.letters import Folded
from sekinin.reading.lexicon import framework
from sekinin.reading.passages import Sentence, sentences
from sekinin.reading.quantities import Quantity, clauses, quantities
from sekinin.reading.results import Assignment, Certificate, Commitment, Duty, Item, Location, Span, kind_of
from sekinin.reading.rules import pattern, table, word
from sekinin.reading.sheets import mark_of
from sekinin.reading.structure import Section

_TLS: Final = re.compile(
    r"(?<![A-Za-z])(?:TLS|SSL/TLS|TLS/SSL)\s*v?(?:ersion)?\.?\s*(1\.[0-3](?:\s*(?:/|、|,|・|及び|および|または|又は|と|and|or|~|-)\s*(?:TLS\s*v?)?\s*1\.[0-3])*)",
    re.I,
)
_OLD_TLS: Final = re.compile(
    r"(?:無効|廃止|使用(?:しま|して)(?:せん|い)|対応して(?:い|おり)ません|終了|disabled|not (?:supported|accepted|used)|no longer)", re.I
)
_SAME: Final = re.compile(r"^(?:同上|〃|上記(?:に)?(?:同じ|のとおり|と同様)|same as above|ditto|as above)", re.I)
_LIKE: Final = re.compile(
    r"(?:No\.?\s*)?(?P<no>(?:CLD\.?\s?|A\.)?\d{1,2}(?:[.\-]\d{1,2}){1,2})\s*(?:[^\d。、]{0,20}?)\s*[」』)]?\s*(?:に同じ|と同じ|と同様|[でに](?:明記|記載|定め)|のとおり|を参照|をご参照|参照)|"
    r"(?:same as|see|refer to|as in)\s+(?:No\.?\s*|section\s*|control\s*|item\s*)?(?P<en>(?:CLD\.?\s?|A\.)?\d{1,2}(?:[.\-]\d{1,2}){1,2})",
    re.I,
)


class Parties:
    """Who is meant by which word in one paper: the usual words, and those that the paper declares."""

    def __init__(self, text: str, company: str = "") -> None:
        rules = table("parties")
        more: dict[str, list[str]] = {"customer": [], "csp": [], "infrastructure": []}
        for found in chain(pattern(rules["declared"]).finditer(text), pattern(rules["called"]).finditer(text.replace("\n", " "))):
            nick = found["nick"].strip()
            if len(nick) < 2 or re.search("本書|本サービス|本資料|本ホワイト|サービス$|document|paper|service", nick, re.I):
                continue
            for layer, key in (
                ("customer", "party"),
                ("infrastructure", "infrastructure"),
                ("customer", "customer"),
                ("csp", "provider"),
                ("customer", "described"),
            ):
                if pattern(rules[key]).search(found["what"]) or (
                    key == "provider" and re.search(r"株式会社|有限会社|合同会社|\b(Inc|Ltd|Corp|LLC|K\.K)\b", found["what"])
                ):
                    more[layer].append(re.escape(nick.removesuffix("s")) + "s?" if nick.isascii() else re.escape(nick))
                    break
        bare = re.sub(r"株式会社|有限会社|合同会社|[,\s]*\b(Inc|Ltd|Limited|Corporation|Corp|LLC|K\.K|Co|GmbH)\b\.?", "", company).strip(" ,.")
        more["csp"].extend(re.escape(name) for name in {bare, *bare.split(" ")[:1]} if len(name) >= 3)
        self.words = {
            "customer": pattern("|".join([rules["customer"], *more["customer"]])),
            "csp": pattern("|".join([rules["provider"], *more["csp"]])),
            "infrastructure": pattern("|".join([rules["infrastructure"], *more["infrastructure"]])),
        }
        customer, provider, infra = (self.words[k].pattern for k in ("customer", "csp", "infrastructure"))
        tail = r"(?:様|さま)?\s*(?:\([^()]{0,20}\))?\s*(?:は|が|にて|において|側|自身|の(?:責任|責務|義務|管理|担当)|で(?=行|管理|実施|対応)|:)"
        self.agent = {
            layer: re.compile(
                rf"(?:{words}){tail}|(?:{words})\s+(?:(?:is|are) (?:solely )?(?:responsible"
                rf"|in charge|required|obliged)|must|shall|should|manages?|operates?|provides?|performs?|handles?|keeps?|will)\b",
                re.I,
            )
            for layer, words in (("customer", customer), ("infrastructure", infra), ("csp", provider))
        }

    def of_heading(self, words: str) -> str:
        """Return the layer that a heading or the head of a column names, if it names one."""
        hits = [(m.start(), layer) for layer in ("customer", "infrastructure", "csp") if (m := self.words[layer].search(words))]
        return min(hits)[1] if hits else ""

    def exactly(self, words: str) -> str:
        """Return the layer of a word that names a party and nothing else, as before a colon."""
        whole = words.strip()
        if layer := next((layer for layer, known in self.words.items() if known.fullmatch(whole)), ""):
            return layer
        bare = re.sub(r"\([^()]*\)|様|さま|側|の?(責任|責務|役割|義務|担当|対応)(範囲)?|responsibilit(y|ies)|\s", "", words)
        return next((layer for layer, known in self.words.items() if known.fullmatch(bare)), "")

    def agents(self, words: str) -> list[str]:
        """Return the layers that act in a sentence, in the order in which it names them."""
        hits = [(m.start(), layer) for layer, agent in self.agent.items() if (m := agent.search(words))]
        return [layer for _, layer in sorted(hits)]


def read_section(section: Section, parties: Parties, number: tuple[str, str]) -> Item:
    """Return what one section says of one of the controls that it heads."""
    said = sentences(section)
    prefix, own = number
    title = section.title
    item = Item(
        prefix,
        own,
        section.printed,
        title,
        section.form,
        (section.start, section.stop),
        (section.start, section.end),
        section.confidence,
        section.rule,
        section.mark,
    )
    body = [one for one in said if one.kind != "head"]
    about = " ".join(words for start, words in table("structure")["about"].items() if prefix != "c22" and own.startswith(start))
    topic = " ".join(
        [title, about, section.chapter if section.form == "item" else "", section.question if section.form == "item" else "", _title_of(prefix, own)]
    )
    _status(item, section, body)
    item.duties = _duties(body, section, parties, item)
    item.layers = _layers(item, body, section, parties)
    found: list[Commitment] = []
    for one in body:
        found.extend(commitments(one, topic if section.form != "item" else f"{title} {about} {section.chapter}", parties))
    item.commitments = _once(found)
    item.locations = _places(body, topic)
    item.certificates = [claim for one in body for claim in certificates(one, parties, section.form)]
    item.assignments = assignments(body, parties)
    return item


def _title_of(prefix: str, number: str) -> str:
    if not prefix:
        return ""
    return " ".join(framework(prefix).titles.get(number, ()))


def _is_standard(words: str) -> bool:
    return bool(word("status", "standard").search(words))


def _status(item: Item, section: Section, body: Sequence[Sentence]) -> None:
    """Decide how the item stands, by mark and wording, and say by which rule."""
    said = [one for one in body if not _is_standard(one.words) and not _bare(one)]
    item.passages = tuple(one.span for one in said)
    text = " ".join(one.words for one in said)
    mark = mark_of(section.mark) if section.mark is not None else ""
    first = said[0].words if said else ""
    like = [found["no"] or found["en"] for one in said for found in _LIKE.finditer(one.words)]
    item.refers_to = tuple(dict.fromkeys(re.sub(r"^A\.", "", n) for n in like))
    if _SAME.match(first):
        item.by_reference = True
        item.refers_to = ("above", *item.refers_to)
    elif like and len(said) <= 2 and re.search("同じ|同様|same as|ditto", text, re.I):
        item.by_reference = True
    kinds = [_kind(one.words) for one in said]
    status, rule, sure = _by_wording(said, kinds, text)
    if section.mark is not None:
        status, rule, sure = _by_mark(mark, section.question, said, kinds, text, status, rule, sure)
        item.contradiction = (mark == "done" and status in ("NotProvided", "NotApplicable")) or (
            mark in ("denied", "outside") and status == "Implemented"
        )
    item.status, item.status_rule, item.status_confidence = status, rule, sure
    item.denies = "denied" in kinds


def _bare(one: Sentence) -> bool:
    return len(re.sub(r"[\W_]+", "", one.words)) < 2 or bool(
        re.fullmatch(r"\s*(?:以上|<?https?:\S+>?|\(?(?:記載なし|未記載|特になし|該当箇所なし|tbd|to be determined)\)?)\s*", one.words, re.I)
    )


def _kind(words: str) -> str:
    """Return what a sentence does: lost (a figure), pointer, outside, inherited, denied, half, planned or done."""
    if word("status", "figure").search(words) and len(words) < 60 and re.search("図|以下(になり|の(とお|通)り)|figure|diagram", words, re.I):
        return "lost"
    if word("status", "planned").search(words):
        return "planned"
    if word("status", "not_applicable").search(words) and not re.search("ただし|但し|なお|however", words[:8], re.I):
        return "outside"
    if word("status", "denied").search(words) and not word("status", "protective").search(words):
        denied = word("status", "denied").search(words)
        if denied and re.search(r"(?:ます|です|ており|ている)が、", words[: denied.start()]):
            return "half"
        rest = words[denied.end() :] if denied else ""
        if re.match(r"\s*(?:おり)?(?:ません|ん)?が、.{6,}", rest) and not word("status", "denied").search(rest):
            return "half"
        if denied and re.search(r".{12,}(?:;|,? but\b|, (?:however|while|whereas|although))", words[: denied.start()], re.I):
            return "half"
        return "denied"
    if word("status", "pointer").search(words):
        bare = word("status", "pointer").sub("", words)
        if not word("status", "besides").search(bare) or (
            re.search(r"に(?:て)?(?:定め|よ[りる]|従[いって]|準じ).{0,4}、?(?:サービスを)?(?:提供|取り扱|取扱)", words)
            and not re.search("および|及び.{0,20}実施", bare)
        ):
            return "pointer"
    return "done"


def _by_wording(said: Sequence[Sentence], kinds: Sequence[str], text: str) -> tuple[str, str, float]:
    if not said:
        return "NotAddressed", "silence", 0.8
    have = set(kinds)
    if "half" in have:
        return "Partial", "denied-and-done-in-one-sentence", 0.85
    if word("status", "partial").search(text) and "done" in have and len(said) <= 3:
        return "Partial", "said-to-be-partial", 0.7
    if re.match(r"(?:this (?:control|item) is |fully )?inherited (?:from|via)\b", said[0].words, re.I):
        return "Inherited", "said-to-be-inherited", 0.85
    firm = [k for k in kinds if k not in ("pointer",)]
    if "lost" in have and not any(k in ("outside", "denied") for k in kinds):
        at = kinds.index("lost")
        early = "done" in kinds[:at]
        drawn = re.search("図|figure|diagram", said[at].words, re.I)
        told = any(k == "done" and re.search(r"(ます|です|た)[。.]?$", one.words) for k, one in zip(kinds[at + 1 :], said[at + 1 :], strict=True))
        if not told and not early and (drawn or len(said) == at + 1):
            return "InFigure", "figure-lost", 0.8
    if firm and all(k == "outside" for k in firm):
        return "NotApplicable", "does-not-arise", 0.85
    if firm and all(k == "planned" for k in firm):
        return "Planned", "planned", 0.8
    if "denied" in have:
        first = kinds.index("denied")
        before = [k for k, one in zip(kinds[:first], said[:first], strict=True) if k == "done" and not _asks(one.words)]
        provider = re.search(r"(?:aws|azure|基盤|クラウド事業者|データセンター).{0,30}(?:基づ|責任|実施|管理)", text, re.I)
        if not before and provider and re.search("直接|自ら", text):
            return "Inherited", "another-provider-does-it", 0.8
        if before:
            return "Partial", "done-and-then-denied", 0.7
        return "NotProvided", "denied", 0.85
    if kinds[0] == "outside" and all(word("parties", "infrastructure").search(one.words) for k, one in zip(kinds, said, strict=True) if k == "done"):
        if "done" in have:
            return "Inherited", "another-provider-does-it", 0.75
        return "NotApplicable", "does-not-arise", 0.8
    if not firm:
        return "Deferred", "pointer-only", 0.8
    others = word("parties", "infrastructure").pattern
    theirs = pattern(
        rf"({others})[^。、]{{0,40}}の(責任|責務|管理)(範囲|分担|下)?(と|に)?(なり|です|であり|あり|おいて)"
        rf"|\b(are|is) (the responsibility of|handled by|managed by|performed by|provided by) (the |our )?({others})|\binherited (from|via)"
        rf"|({others}) (is|are) (solely )?responsible for"
    )
    passive = pattern(rf"({others})\s*\)?(の(機能|サービス|基盤))?(に(より|よって|て)|が)[^。]{{0,12}}(実施|管理|運用|担当|提供)(され|し)")
    if theirs.search(said[0].words) or (len(firm) == 1 and passive.search(text)):
        return "Inherited", "another-provider-does-it", 0.8
    return "Implemented", "said-to-be-done", 0.8


def _asks(words: str) -> bool:
    """Tell whether a sentence asks something of the customer: then it tells of nothing that is done."""
    return bool(word("duties", "asked").search(words) and re.search("ください|下さい|お願い|お客様|利用者|please|customer|you ", words, re.I))


def _by_mark(
    mark: str, question: str, said: Sequence[Sentence], kinds: Sequence[str], text: str, status: str, rule: str, sure: float
) -> tuple[str, str, float]:
    """Hold mark and remark together: the remark can deny what the mark says, and a dash has more than one meaning."""
    if mark == "done":
        if status in ("NotAddressed", "InFigure"):
            return "Implemented", "mark-alone", 0.7
        if status in ("NotProvided", "NotApplicable", "Inherited", "Planned", "Partial", "Deferred"):
            return status, f"mark-and-{rule}", sure
        return "Implemented", "mark-and-remark", 0.9
    if mark in ("planned", "inherited"):
        return mark.capitalize(), f"mark-{mark}", 0.85
    if mark == "partly":
        return "Partial", "mark-half", 0.9
    if mark == "outside":
        inherited = word("parties", "infrastructure").search(text)
        return (
            ("Inherited", "outside-and-platform-named", 0.7)
            if inherited and word("status", "inherited").search(text)
            else ("NotApplicable", "mark-outside", 0.9)
        )
    if mark == "open":
        if status == "NotApplicable" or (said and kinds[0] in ("outside", "denied") and not word("parties", "infrastructure").search(text)):
            return "NotApplicable", "dash-and-does-not-arise", 0.85
        if word("parties", "infrastructure").search(text):
            return "Inherited", "dash-and-platform-named", 0.85
        if not said:
            return "NotAddressed", "dash-alone", 0.6
        return ("NotApplicable", "dash", 0.6) if status in ("NotProvided", "NotApplicable") else (status, f"dash-and-{rule}", 0.6)
    if mark == "denied":
        if said and word("parties", "infrastructure").search(text) and word("status", "inherited").search(text):
            return "Inherited", "denied-and-platform-named", 0.7
        if status == "Planned" or any(k == "planned" for k in kinds):
            return "Planned", "denied-and-planned", 0.85
        if status == "NotApplicable":
            return "NotApplicable", "denied-and-does-not-arise", 0.8
        if word("status", "adverse").search(question) or (
            re.search("ことがない|していないこと|禁止|含まれない|no .{0,20}(?:shared|sold)", text) and status == "Implemented"
        ):
            return "Implemented", "question-put-the-other-way", 0.5
        return "NotProvided", "mark-denied", 0.85
    return status, rule, sure


def _firmness(words: str) -> tuple[str, tuple[str, ...]]:
    vague = tuple(name for name, text in table("kinds")["vague"].items() if pattern(text).search(words))
    for name, text in table("kinds")["bindingness"].items():
        if pattern(text).search(words):
            return name, vague
    return "Firm", vague


_LIST: Final = re.compile("責任|義務|責務|役割|担当|管理範囲|duties|responsib|obligation", re.I)


def _duties(body: Sequence[Sentence], section: Section, parties: Parties, item: Item) -> list[Duty]:
    found: list[Duty] = []
    columns: list[str] = []
    for one in body:
        words = one.words
        if _is_standard(words) or (_kind(words) == "pointer" and not word("duties", "asked").search(words)):
            continue
        if one.kind == "row":
            heads = [parties.of_heading(cell.text) if len(cell.text) <= 40 else "" for cell in one.cells]
            if sum(1 for head in heads if head) >= 2 and len(set(filter(None, heads))) >= 2:
                columns = heads
                continue
            if columns and len(one.cells) >= len([h for h in columns if h]):
                for cell, layer in zip(one.cells, columns, strict=False):
                    if layer and cell.text.strip() and not word("duties", "none").match(cell.text.strip()):
                        found.append(Duty(layer, cell.span(0, len(cell.text)), "duty-table", 0.85))
                continue
            if one.heads and quantities(words):
                found.append(Duty("csp", one.span, "promised-in-a-table", 0.5))
                continue
        layer, rule, sure = _bearer(one, parties)
        if layer:
            found.append(Duty(layer, one.span, rule, sure, _firmness(words)[0]))
    return found


def _bearer(one: Sentence, parties: Parties) -> tuple[str, str, float]:
    """Return who has the duty that a sentence states, or nothing where it states none."""
    words = one.words
    inline = re.match(r"^([^:。]{1,20})\s*[:：]\s*(.{2,})", words)
    if inline and (layer := parties.exactly(inline[1])):
        if word("duties", "none").match(inline[2].strip()):
            return "", "", 0
        return layer, "named-before-a-colon", 0.85
    over = [head for head in one.over if _LIST.search(head)]
    if over and (layer := next((found for head in reversed(one.over) if (found := parties.of_heading(head))), "")):
        return layer, "listed-under-a-party", 0.85
    passive = re.search(
        r"(?:によ(?:って|り)|にて|側で)[^。、]{0,10}(?:管理|運用|提供|実施|保守)(?:され|して)"
        r"|(?:is|are) (?:managed|operated|secured|maintained|performed|handled|run|carried out|controlled|ensured) by|\binherited (?:from|via)",
        words,
    )
    if passive and parties.words["infrastructure"].search(
        words[max(0, passive.start() - 16) : passive.start()] + words[passive.end() : passive.end() + 30]
    ):
        return "infrastructure", "done-by-another-party", 0.75
    asked, courtesy = word("duties", "asked").search(words), word("duties", "courtesy").search(words)
    agents = parties.agents(words)
    if asked and not (courtesy and not re.search("必要があ|必要です|責任|義務|must|shall|報告|発見|検出", words, re.I)):
        speaker = (
            agents
            and agents[0] == "csp"
            and re.search("ものとします|いただきます|責任|必要|must|shall|responsib", words, re.I)
            and not re.search("ください|下さい|お願い|please", words, re.I)
        )
        infra = agents and agents[0] == "infrastructure"
        if re.search("必要(があ|です|とな)", words) and not re.search("ください|下さい|お願い|いただ", words) and "customer" not in agents:
            speaker = True
        if infra:
            return "infrastructure", "another-party-acts", 0.75
        if not speaker:
            return "customer", "asked-of-the-customer", 0.85
    if agents[:1] == ["customer"] and word("duties", "bound").search(words):
        return "customer", "asked-of-the-customer", 0.85
    theirs = re.search(r"responsib\w+ of (?:the )?(.{2,40})", words, re.I)
    if theirs and parties.words["infrastructure"].match(theirs[1]):
        return "infrastructure", "another-party-acts", 0.8
    used = re.search(
        r"(?:利用|活用|採用|使用|構築)し(?:て(?:い|おり)?)?ます[。.]?$|提供する[^。]{0,40}(?:利用|活用|採用|使用|同期|参照)し|\b(?:use|uses|using)\b",
        words,
        re.I,
    )
    if agents and agents[0] == "infrastructure" and not used:
        return "infrastructure", "another-party-acts", 0.7
    if word("duties", "fact").search(words):
        return "", "", 0
    if word("duties", "allowed").search(_predicate(words)) and not re.search("提供して|提供し|provid", words, re.I):
        return "", "", 0
    if _kind(words) in ("denied", "outside", "lost", "pointer", "planned") or len(words) < 8:
        return "", "", 0
    if words.isascii() and len(words) > 20 and " " in words:
        return "csp", "the-provider-acts", 0.5
    if re.search(
        r"(ます|います|した|する|実施|適用|整備|構築|管理|確保|通知|消去|取得|保管|保存|監視|暗号化)[。.]?$|\b(is|are|we|has|have|will)\b",
        words,
        re.I,
    ):
        return "csp", "the-provider-acts", 0.6
    return "", "", 0


def _predicate(words: str) -> str:
    """Return where a Japanese sentence says what is done: its end; of another sentence the whole."""
    return words if words.isascii() else words[-24:]


def _layers(item: Item, body: Sequence[Sentence], section: Section, parties: Parties) -> tuple[str, ...]:
    """Return the layers that act, as the paper tells it."""
    found: dict[str, None] = {}
    for duty in item.duties:
        found[duty.party] = None
    for one in body:
        words = one.words
        if _is_standard(words):
            continue
        if word("duties", "acts").search(words):
            found["customer"] = None
        if re.search(r"(?:の|が)(?:責任|管理)(?:範囲)?(?:と|に|は|を)", words) and (layer := next(iter(parties.agents(words)), "")):
            found[layer] = None
        if re.search("提供する[^。]{0,40}(利用|活用|採用|使用|同期|参照)し", words):
            found["csp"] = None
        if re.search("時刻同期サービスを利用|key management service|鍵の管理は.{0,30}利用", words, re.I):
            found["infrastructure"] = None
        if parties.agent["csp"].search(words):
            found["csp"] = None
    if item.status == "Inherited":
        own = any(re.search("当社の責任|弊社の責任|our responsib|we are responsible", one.words, re.I) for one in body)
        found = {layer: None for layer in found if layer != "csp" or own}
        found["infrastructure"] = None
    elif item.status in ("NotApplicable", "NotAddressed", "InFigure") and section.mark is not None:
        found = {}
    elif (not found and item.status in ("Implemented", "Partial", "Planned", "NotProvided", "Deferred")) or (
        item.status in ("Implemented", "Partial") and "csp" not in found and any(_provides(one.words) for one in body)
    ):
        found["csp"] = None
    return tuple(layer for layer in ("csp", "customer", "infrastructure") if layer in found)


def _provides(words: str) -> bool:
    return bool(re.search("機能|可能|提供(して|いた|し)|付与され|確保して|実施して|取得し|制限を実施|we |our |provid", words, re.I))


def _over(one: Sentence, topic: str) -> str:
    return " ".join([*one.over, topic])


def commitments(one: Sentence, topic: str, parties: Parties) -> list[Commitment]:
    """Return the promises of one sentence, those with figures first."""
    words = one.words
    if _is_standard(words) or word("structure", "history").search(" ".join(one.over)):
        return []
    if one.heads:
        return [made for cell in _cells(one) for made in commitments(cell, topic, parties)]
    found = [made for quantity in quantities(words) if (made := _figure(one, quantity, topic, parties))]
    if tls := _protocols(one):
        found.append(tls)
    if one.kind == "row" and len(one.cells) >= 3:
        return found
    asked = _bearer(one, parties)[0] == "customer"
    have = {kind_of(commitment.metric) for commitment in found}
    alone = re.sub(r"https?://\S+", "", words)
    alone = alone if mark_of(alone) or _SAME.match(alone) else _lead(one) + alone
    for rule in table("promises")["promise"]:
        if asked and not rule["metric"].startswith("support-"):  # whom to call stands in what the customer is asked
            continue
        kind = kind_of(rule["metric"])
        if kind in have and kind != "authentication":
            continue
        made = _promise(one, alone, rule, topic)
        if made:
            found.append(made)
            have.add(kind)
    return found


def _cells(row: Sentence) -> list[Sentence]:
    """Return the cells of a row as answers to what stands over them and before them."""
    first = row.cells[0].text
    return [
        Sentence(cell, (*row.over[:-1], f"{first} {head}"), "answer")
        for cell, head in zip(row.cells[1:], row.heads[1:], strict=True)
        if cell.text and not word("duties", "none").match(cell.text)
    ]


@cache
def _figure_rules() -> tuple[dict[str, Any], ...]:
    return tuple(table("figures")["figure"])


def _figure(one: Sentence, quantity: Quantity, topic: str, parties: Parties) -> Commitment | None:
    over = _over(one, topic)
    whole = f"{one.words} {over}"
    lead = _lead(one, topic)
    around = list(clauses(one.words, quantity))
    asked = _bearer(one, parties)[0] == "customer"
    if lead:  # a cell answers what its item names; prose names it only where nothing nearer does
        around = [lead + near for near in around] if one.kind == "answer" else [*around, lead + one.words]
    for stage, clause, rule in _tries(around):
        if "units" in rule and quantity.unit not in rule["units"]:
            continue
        if "every" in rule and rule["every"] != quantity.every:
            continue
        if "under" in rule and not pattern(rule["under"]).search(over):
            continue
        if "here" in rule and not pattern(rule["here"]).search(clause):
            continue
        if "also" in rule and not pattern(rule["also"]).search(whole):
            continue
        if "within" in rule and not pattern(rule["within"]).search(one.words):
            continue
        if "never" in rule and pattern(rule["never"]).search(clause):
            continue
        if not rule["metric"] or (asked and not word("duties", "kept").search(rule["metric"])):
            return None
        return _made(one, quantity, rule, parties, (0.9, 0.8, 0.7)[min(stage, 2)])
    return None


def _tries(around: Sequence[str]) -> Iterator[tuple[int, str, dict[str, Any]]]:
    """Yield each rule with each clause, nearest clause first; rules that hear the heading come after those that hear the sentence."""
    for under in (False, True):
        for stage, clause in enumerate(around):
            for rule in _figure_rules():
                if ("under" in rule) == under:
                    yield stage, clause, rule


def _lead(one: Sentence, topic: str = "") -> str:
    """Return the name of the item before a short answer, which says only how much of it there is."""
    if one.kind == "answer":
        return f"{one.over[-1]}: " if one.over and len(one.words) <= 40 else ""
    return f"{topic[:60]}: " if topic and len(one.words) <= 24 and one.kind == "sentence" else ""


def _made(one: Sentence, quantity: Quantity, rule: dict[str, Any], parties: Parties, sure: float) -> Commitment:
    words = one.words
    bindingness = _firmness(f"{words} {' '.join(one.over)}")[0]
    before = words[: quantity.start]
    if quantity.comparator == "Exactly" and "compare" in rule and not quantity.every:
        late = re.search(r"翌(々)?営業日|翌日|next", words[quantity.start : quantity.end], re.I)
        quantity = replace(quantity, comparator=quantity.comparator if late else rule["compare"])
    clocks = [name for name, text in table("kinds")["clock"].items() if pattern(text).search(words)]
    near = [name for name, text in table("kinds")["clock"].items() if pattern(text).search(before[-30:])]
    agents = parties.agents(words)
    party = "infrastructure" if agents and agents[0] == "infrastructure" else "csp"
    notice = rule["metric"].endswith("notice") and rule["metric"] not in ("incident-notice", "fault-notice")
    place = one.text.span(quantity.start, quantity.end)
    printed = one.words[quantity.start : quantity.end]
    alone = len(quantities(words)) == 1
    record = bool(word("kinds", "record", "words").search(words if alone else next(clauses(words, quantity))))
    span = one.span if place[0] >= one.span[0] else place
    return Commitment(
        rule["metric"],
        rule["class"],
        span,
        rule["name"],
        sure,
        quantity,
        printed,
        bindingness=bindingness,
        clock="" if quantity.every or notice else (near or clocks or [rule.get("clock", "")])[0],
        subject=rule.get("subject", ""),
        party=party,
        record=record,
    )


def _protocols(one: Sentence) -> Commitment | None:
    found: list[str] = []
    for match in _TLS.finditer(one.words):
        after = re.split("[、,;。]", one.words[match.end() : match.end() + 24])[0]
        versions = re.findall(r"1\.[0-3]", match[1])
        if _OLD_TLS.search(after) and not re.match(r"\s*(?:以上|以降|or (?:later|higher|above)|and (?:later|above))", after):
            continue
        if re.match(r"\s*(?:以上|以降|or (?:later|higher|above|newer)|and (?:later|above)|\+)", after):
            versions = [v for v in ("1.2", "1.3") if v >= versions[0]] or versions
        found.extend(f"TLS{v}" for v in versions if f"TLS{v}" not in found)
    if not found:
        return None
    return Commitment("tls-versions", "ProtocolCommitment", one.span, "tls-versions", 0.9, values=tuple(sorted(found)))


def _promise(one: Sentence, words: str, rule: dict[str, Any], topic: str) -> Commitment | None:
    if not pattern(rule["here"]).search(words) or ("never" in rule and pattern(rule["never"]).search(words)):
        return None
    if "under" in rule and not pattern(rule["under"]).search(_over(one, topic)):
        return None
    kind = _kind(one.words)
    if kind == "planned":
        return None
    if kind in ("pointer", "lost") and rule["metric"] not in (
        "support-contact",
        "audit-disclosure",
        "log-disclosure",
        "governing-law",
        "jurisdiction",
        "intellectual-property",
    ):
        return None
    provided: bool | None = None
    if rule.get("provided") == "either":
        if kind == "done" and word("status", "denied").search(words) and word("status", "protective").search(words):
            return None
        provided = kind not in ("denied", "outside", "half")
    elif kind == "denied" and rule["class"] not in ("LegalCommitment", "EncryptionCommitment"):
        provided = False
    bindingness, vague = _firmness(words)
    if bindingness == "Firm" and set(vague) & {"PromptlyTerm", "AppropriatelyTerm", "AsNeededTerm", "SwiftlyTerm", "OnRequestTerm"}:
        bindingness = "Vague"
    values = (rule["value"],) if "value" in rule else ()
    return Commitment(
        rule["metric"], rule["class"], one.span, rule["name"], 0.6, values=values, provided=provided, bindingness=bindingness, vague=vague
    )


def _once(found: Iterable[Commitment]) -> list[Commitment]:
    """Leave out what was said twice: the same metric with the same figure, or without any in the same words or beside one with a figure."""
    out: list[Commitment] = []
    seen: set[tuple[Any, ...]] = set()
    told = list(found)
    figured = {kind_of(one.metric) for one in told if one.quantity}
    for one in told:
        key: tuple[Any, ...]
        if one.quantity:
            key = (one.metric, one.quantity.iso, one.quantity.unit, one.subject, one.span if one.metric == "encryption-strength" else None)
        elif kind_of(one.metric) in figured and one.provided is None:
            continue
        else:
            key = (one.metric, one.values, one.provided, one.vague)
        if key in seen:
            continue
        seen.add(key)
        out.append(one)
    return out


def _places(body: Sequence[Sentence], topic: str) -> list[Location]:
    """Return where a section says that data lies; where it goes on to tell them apart by category, the list counts and not the sentence before it."""
    found: list[tuple[int, Location]] = []
    for at, one in enumerate(body):
        before = body[at - 1] if at else None
        bare = len(one.words) <= 30 and before is not None and before.kind == "bullet" and one.kind != "bullet"
        told = replace(one, over=(*one.over, before.words)) if bare and before is not None else one
        known = bare and bool(found)  # a place alone below a bullet, in a section that has begun to tell where data lies
        found.extend((at, place) for part in (_cells(one) if one.heads else [told]) for place in locations(part, topic, known))
    named = {at for at, place in found if place.category != "CustomerData"}
    many = {at for at, _ in found if sum(1 for other, _ in found if other == at) > 1}
    kept = [(at, place) for at, place in found if not (at in many - named and named and at < max(named))]
    out: dict[tuple[str, str], Location] = {}
    for _, place in kept:
        out.setdefault((place.category, place.code), place)
    return list(out.values())


def locations(one: Sentence, topic: str, known: bool = False) -> list[Location]:
    """Return where a sentence says that data lies, a place for each category of data.

    Args:
        known: whether it is clear from elsewhere that it tells where data lies.
    """
    rules = table("places")
    where = rules["where"]
    context = f"{one.words} {_over(one, topic)}"
    if (pattern(where["never"]).search(one.words) and not pattern("所在|保管|保存").search(one.words)) or _is_standard(one.words):
        return []
    if not known and (not pattern(where["words"]).search(context) or not pattern(where["about"]).search(context)):
        return []
    if re.search("以外の(リージョン|国)|other than|outside", one.words, re.I) and re.search("必要|場合|may|if ", one.words):
        return []
    found: list[Location] = []
    taken: list[tuple[int, int]] = []
    for rule in rules["place"]:
        for match in pattern(rule["words"]).finditer(one.words):
            if any(match.start() < b and match.end() > a for a, b in taken):
                continue
            if any(
                rule["code"] == known.code.split("-")[0] and match.start() - b <= 3 and match.start() >= a - 12
                for known, (a, b) in zip(found, taken, strict=True)
            ):
                continue
            taken.append(match.span())
            near = f"{one.words[max(0, match.start() - 40) : match.start()]} {' '.join(one.over)}"
            category = next(name for name, text in rules["categories"].items() if pattern(text).search(near))
            if category == "CustomerData" and not pattern(rules["where"]["named"]).search(near):  # the heading tells what the sentence leaves out
                category = next(name for name, text in rules["categories"].items() if pattern(text).search(topic))
            found.append(Location(category, rule["code"], rule["en"], rule["ja"], one.text.span(*match.span()), "place", 0.8))
    return [place for place in found if not any(other.code.startswith(place.code + "-") for other in found)]


def certificates(one: Sentence, parties: Parties, form: str) -> list[Certificate]:
    """Return the claims about certificates in one sentence."""
    rules = table("certificates")
    words = one.words
    standards = [name for name, text in rules["standards"].items() if pattern(text).search(words)]
    if len(standards) > 1 and "isms" in standards:
        standards.remove("isms")
    if not standards or _is_standard(words):
        return []
    state = next((state for state in rules["state"] if pattern(state["words"]).search(words)), None)
    if state is None or (pattern(rules["never"]["words"]).search(words) and state["claim"] != "HeldClaim"):
        return []
    around = f"{words} {' '.join(one.over)}"
    holder = "infrastructure" if parties.words["infrastructure"].search(around) and not parties.words["csp"].search(words.split("認証")[0]) else "csp"
    return [Certificate(name, state["claim"], state["json"], holder, one.span, f"certificate-{state['json']}", 0.75) for name in standards]


def assignments(body: Sequence[Sentence], parties: Parties) -> list[Assignment]:
    """Return the cells of duty tables: an area and a layer each, the dashes too."""
    found: list[Assignment] = []
    columns: list[str] = []
    for one in body:
        if one.kind != "row":
            columns = columns if one.kind == "bullet" else []
            continue
        heads = [parties.of_heading(cell.text) if len(cell.text) <= 40 else "" for cell in one.cells]
        if len(set(filter(None, heads))) >= 2 and not columns:
            columns = heads
            continue
        if not columns or len(one.cells) < 2:
            continue
        area = _area(one.cells[0].text) if not columns[0] else ""
        if not area:
            continue
        for cell, layer in zip(one.cells, columns, strict=False):
            if layer and cell.text.strip():
                none = bool(word("duties", "none").match(cell.text.strip()))
                found.append(Assignment(area, layer, "" if none else cell.text.strip()[:60], _place(cell), "duty-table", 0.85))
    return found


def _place(cell: Folded) -> Span:
    return cell.span(0, len(cell.text))


_AREAS: Final = (
    ("physical", "物理|施設|データセンター|ファシリティ|physical|facilit|data cent"), ("network", "ネットワーク|通信|network"),
    ("virtualisation", "仮想|ハイパーバイザ|virtual|hypervisor"), ("middleware", "ミドルウェア|ミドル|middleware"),
    ("os-server", "サーバ|os\\b|ゲスト|オペレーティング|server|operating system"), ("application", "アプリ|ソフトウェア|application|software"),
    ("backup", "バックアップ|backup"), ("identity-access", "認証|認可|アカウント|アクセス|id管理|権限|identity|access|account"),
    ("keys-encryption", "暗号|鍵|encrypt|key"), ("logging-monitoring", "監視|ログ|monitor|log"), ("vulnerability", "脆弱|パッチ|vulnerab|patch"),
    ("incident", "インシデント|障害|incident"), ("client-environment", "端末|クライアント|利用環境|ブラウザ|client|endpoint|terminal"),
    ("law-contract", "法令|契約|law|contract"), ("data", "データ|コンテンツ|data|content"),
)  # fmt: skip


def _area(text: str) -> str:
    return next((area for area, words in _AREAS if re.search(words, text, re.I)), "")
