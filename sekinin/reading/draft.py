"""What was read becomes a draft: house Turtle in a graph of its own, every statement unreviewed, with its rule and its place.

The text itself is not in the draft; it lies beside it as a rendition, whose digest the draft names.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pyoxigraph as ox
from rdflib import RDF, RDFS, SKOS, XSD, Graph, Literal, URIRef
from rdflib.namespace import DCTERMS

from sekinin import resources, turtle
from sekinin.namespaces import BASE, FRAMEWORKS, PREFIXES, SK
from sekinin.reading.letters import fold
from sekinin.reading.quantities import SECONDS
from sekinin.reading.results import LAYERS, Commitment, Item, Reading, Span, kind_of
from sekinin.reading.rules import pattern, table
from sekinin.reading.score import STATUS
from sekinin.reading.sheets import mark_of

_OA, _ID, _DCAT, _SPDX, _PROV = (PREFIXES[p] for p in ("oa", "id", "dcat", "spdx", "prov"))
_MARKS = {"done": "○", "open": "-", "partly": "△", "denied": "×", "outside": "対象外"}
_STATUS_WORDS = {
    "Implemented": ("done", "実施"),
    "Partial": ("done in part", "一部実施"),
    "NotProvided": ("not provided", "提供なし"),
    "Planned": ("planned", "予定"),
    "NotApplicable": ("does not arise", "該当なし"),
    "Inherited": ("done by another provider", "他の提供者による"),
    "OutOfScope": ("out of scope", "対象外"),
    "Deferred": ("left to another document", "他の文書による"),
    "InFigure": ("in a lost figure", "失われた図にある"),
    "NotAddressed": ("silent", "記載なし"),
}
_LAYER_WORDS = {"csp": ("provider", "提供者"), "customer": ("customer", "利用者"), "infrastructure": ("infrastructure provider", "基盤提供者")}
_UNIT_WORDS = {
    "CalendarDay": ("days", "日"),
    "BusinessDay": ("business days", "営業日"),
    "BusinessHour": ("business hours", "営業時間"),
    "Hour": ("hours", "時間"),
    "Minute": ("minutes", "分"),
    "Second": ("seconds", "秒"),
    "Week": ("weeks", "週間"),
    "Month": ("months", "か月"),
    "Year": ("years", "年"),
    "Generation": ("generations", "世代"),
    "Percent": ("percent", "%"),
    "Bit": ("bits", "ビット"),
    "Item": ("times", "回"),
    "AllHours": ("hours, every day", "時間365日"),
}


def slug(text: str) -> str:
    """Return a name for IRIs: ASCII, lower case; what is left of a Japanese name, or the beginning of its digest."""
    bare = re.sub(r"[^a-z0-9.]+", "-", text.lower()).strip("-.")
    return bare if len(bare) >= 3 else f"paper-{hashlib.sha256(text.encode()).hexdigest()[:10]}"


@cache
def labels() -> dict[str, tuple[str, str]]:
    """Return the English and Japanese name of each metric, from the vocabulary."""
    found: dict[str, dict[str, str]] = {}
    content = resources.vocabulary_file("metrics").read_bytes()
    for triple in ox.parse(content, ox.RdfFormat.TURTLE):
        if isinstance(triple.subject, ox.NamedNode) and triple.predicate.value == str(SKOS.prefLabel) and isinstance(triple.object, ox.Literal):
            name = triple.subject.value.removeprefix(_ID + "metric-")
            found.setdefault(name, {})[triple.object.language or ""] = triple.object.value
    return {name: (both.get("en", name), both.get("ja", name)) for name, both in found.items()}


@cache
def vocabulary() -> frozenset[str]:
    """Return the names of the places, standards and parties that the house has already."""
    found: set[str] = set()
    for path in (resources.vocabulary_file("things"), resources.vocabulary_file("parties")):
        for triple in ox.parse(path.read_bytes(), ox.RdfFormat.TURTLE):
            if isinstance(triple.subject, ox.NamedNode):
                found.add(triple.subject.value.removeprefix(_ID))
    return frozenset(found)


class _Draft:
    """A graph under way, with the names that its nodes share."""

    def __init__(self, reading: Reading) -> None:
        self.reading = reading
        self.graph = Graph()
        self.name = slug(reading.name)
        self.version = self.iri(f"doc-{self.name}")
        self.rendition = self.iri(f"rend-{self.name}-txt")
        self.service = self.iri(f"service-{self.name}")
        known = reading.provider if reading.provider.isascii() and reading.provider else f"{self.name}-provider"
        self.provider = self.iri(f"party-{slug(known)}")
        self.party: dict[str, URIRef | None] = {"csp": self.provider, "infrastructure": None}
        if reading.platforms:
            self.party["infrastructure"] = self.iri("party-aws" if reading.platforms[0] == "AWS" else f"party-{slug(reading.platforms[0])}")
        self.used: set[str] = set()
        self.sections: list[tuple[Span, URIRef]] = []

    def iri(self, name: str) -> URIRef:
        return URIRef(_ID + name)

    def add(self, node: URIRef, prop: Any, *objects: Any) -> None:
        for value in objects:
            if value is not None:
                self.graph.add((node, prop, value))

    def named(self, node: URIRef, en: str, ja: str) -> None:
        self.add(node, SKOS.prefLabel, Literal(en, "en"), Literal(ja, "ja"))

    def fresh(self, kind: str, name: str) -> URIRef:
        """Return an IRI that nothing else in the draft has."""
        base = re.sub(r"[^A-Za-z0-9.]+", "-", f"{kind}-{self.name}-{name}").strip("-.")
        name, count = base, 1
        while name in self.used:
            count += 1
            name = f"{base}-{count}"
        self.used.add(name)
        return self.iri(name)

    def cite(self, span: Span, section: URIRef) -> URIRef:
        start, end = span
        name = f"{self.name}-{start}-{end}"
        citation, selector = self.iri(f"cite-{name}"), self.iri(f"span-{name}")
        if f"cite-{name}" not in self.used:
            self.used.add(f"cite-{name}")
            quote = self.reading.text[start:end]
            self.add(citation, RDF.type, URIRef(_OA + "SpecificResource"))
            self.add(citation, URIRef(_OA + "hasSource"), self.rendition)
            self.add(citation, URIRef(_OA + "hasSelector"), selector)
            self.add(citation, SK.quoteSha256, Literal(hashlib.sha256(quote.encode()).hexdigest(), datatype=XSD.hexBinary))
            self.add(citation, SK.inSection, section)
            self.add(selector, RDF.type, URIRef(_OA + "TextPositionSelector"))
            self.add(selector, URIRef(_OA + "start"), Literal(start))
            self.add(selector, URIRef(_OA + "end"), Literal(end))
        return citation

    def statement(self, node: URIRef, cls: str, en: str, ja: str, spans: Iterable[Span], section: URIRef, rule: str, confidence: float) -> None:
        self.add(node, RDF.type, SK[cls])
        self.named(node, en, ja)
        self.add(node, SK.aboutService, self.service)
        self.add(node, SK.statedIn, self.version)
        self.add(node, SK.citedAt, *(self.cite(span, section) for span in spans if span[0] < span[1]))
        self.add(node, SK.madeByRule, Literal(rule))
        self.add(node, SK.confidence, Literal(Decimal(str(round(confidence, 2)))))
        self.add(node, SK.reviewStatus, SK.Unreviewed)


def graph(reading: Reading) -> Graph:
    """Return the draft of a paper as RDF."""
    draft = _Draft(reading)
    _document(draft)
    for order, item in enumerate(reading.items, 2):
        _item(draft, item, order)
    return draft.graph


def turtle_of(reading: Reading) -> str:
    """Return the draft as house Turtle, with a head that says what it is."""
    digest = hashlib.sha256(reading.text.encode()).hexdigest()
    return turtle.write(graph(reading), f"Draft, read by rule from {reading.name} (text {digest[:12]}); nobody has reviewed it.")


def _document(draft: _Draft) -> None:
    reading, version = draft.reading, draft.version
    document, checksum = draft.iri(f"doc-{draft.name}-paper"), draft.iri(f"rend-{draft.name}-txt-checksum")
    title = (reading.title or reading.name)[:120]
    en = title if title.isascii() else f"{draft.name}, title in Japanese"
    ja = title
    draft.add(version, RDF.type, SK.DocumentVersion, URIRef(_PROV + "Entity"))
    draft.named(version, f"{en}, as read", f"{ja}（読んだ版）")
    draft.add(version, URIRef(_DCAT + "isVersionOf"), document)
    draft.add(version, DCTERMS.language, Literal(reading.language))
    if reading.version:
        draft.add(version, URIRef(_DCAT + "version"), Literal(reading.version))
    if len(reading.date) == 10:
        draft.add(version, DCTERMS.issued, Literal(reading.date, datatype=XSD.date))
    draft.add(document, RDF.type, SK.DisclosureDocument)
    draft.named(document, en, ja)
    draft.add(document, URIRef(_DCAT + "hasVersion"), version)
    draft.add(document, DCTERMS.title, Literal(title, reading.language))
    draft.add(document, DCTERMS.publisher, draft.party["csp"])
    draft.add(document, SK.aboutService, draft.service)
    draft.add(draft.service, RDF.type, SK.CloudService)
    service = reading.services[0] if reading.services else title
    draft.named(draft.service, service if service.isascii() else f"service of {draft.name}", service)
    draft.add(draft.service, SK.providedBy, draft.party["csp"])
    provider = reading.provider or reading.name
    draft.add(draft.provider, RDF.type, SK.CloudServiceProvider)
    draft.named(draft.provider, provider if provider.isascii() else f"provider of {draft.name}", provider)
    platform = draft.party["infrastructure"]
    if platform is not None and str(platform).removeprefix(_ID) not in vocabulary():
        draft.add(platform, RDF.type, SK.InfrastructureProvider)
        draft.named(platform, reading.platforms[0], reading.platforms[0])
    draft.add(draft.rendition, RDF.type, SK.TextRendition, URIRef(_PROV + "Entity"))
    draft.named(draft.rendition, f"text rendition of {en}", f"{ja}のテキスト")
    draft.add(draft.rendition, DCTERMS["format"], Literal("text/plain; charset=utf-8"))
    draft.add(draft.rendition, URIRef(_PROV + "wasDerivedFrom"), version)
    draft.add(draft.rendition, SK.lengthInCodePoints, Literal(len(reading.text)))
    draft.add(draft.rendition, URIRef(_SPDX + "checksum"), checksum)
    draft.add(checksum, RDF.type, URIRef(_SPDX + "Checksum"))
    draft.add(checksum, URIRef(_SPDX + "algorithm"), URIRef(_SPDX + "checksumAlgorithm_sha256"))
    draft.add(checksum, URIRef(_SPDX + "checksumValue"), Literal(hashlib.sha256(reading.text.encode()).hexdigest(), datatype=XSD.hexBinary))
    for prefix in reading.frameworks:
        if prefix in FRAMEWORKS:
            draft.add(document, RDFS.seeAlso, URIRef(PREFIXES[prefix]))
    front = draft.iri(f"sec-{draft.name}-whole")
    draft.add(front, RDF.type, SK.Section)
    draft.add(front, SK.order, Literal(1))
    draft.add(front, SK.sectionOf, version)
    for layer, words in reading.words.items():
        for term, span in words.items():
            node = draft.fresh("tm", f"{layer}-{len(draft.used)}")
            en, ja = _LAYER_WORDS[layer]
            draft.statement(node, "TermUse", f"word for the {en}, at {span[0]}", f"{ja}を指す語：{term}", [span], front, "party-words", 0.7)
            draft.add(node, SK.denotesLayer, SK[LAYERS[layer]])
            draft.add(node, SK.asPrinted, Literal(term, "en" if term.isascii() else "ja"))


def _control(draft: _Draft, item: Item) -> URIRef | None:
    """Return the control or row that an item answers; a row of the paper's own sheet gets a scheme of its own."""
    if not item.number:
        return None
    if item.framework:
        return URIRef(PREFIXES[item.framework] + item.number)
    space = f"{BASE}/framework/{draft.name}/"
    node, scheme = URIRef(space + re.sub(r"[^A-Za-z0-9.\-]", "-", item.number)), URIRef(space)
    draft.add(node, RDF.type, SK.CheckItem)
    draft.named(node, f"item {item.number}", f"項目{item.number}")
    draft.add(node, SKOS.notation, Literal(item.number))
    draft.add(node, SK.printedNumber, Literal(item.printed))
    draft.add(node, SKOS.inScheme, scheme)
    group = URIRef(f"{space}items")
    draft.add(node, SKOS.broader, group)
    title = draft.reading.title or draft.name
    for whole, cls, words in ((scheme, SK.ControlFramework, "check sheet of"), (group, SK.ControlGroup, "items of")):
        draft.add(whole, RDF.type, cls, SKOS.ConceptScheme if whole == scheme else SKOS.Concept)
        draft.named(whole, f"{words} {draft.name}", f"{title}{'の項目' if whole == group else ''}")
    draft.add(scheme, SK.edition, Literal(draft.reading.version or "undated"))
    draft.add(scheme, DCTERMS.title, Literal(title, draft.reading.language))
    draft.add(group, SKOS.inScheme, scheme)
    draft.add(group, SKOS.notation, Literal("items"))
    draft.add(group, SKOS.topConceptOf, scheme)
    draft.add(node, RDF.type, SKOS.Concept)
    return node


def _words_of(term: str) -> str:
    """Return the name of an action as words: ``BackUpAction`` is "back up"."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", term.removesuffix("Action")).lower()


def _platform(draft: _Draft) -> URIRef:
    """Return the service from which a control is inherited; one without a name where the paper names none."""
    provider = draft.party["infrastructure"]
    if provider is None:
        provider = draft.iri(f"party-{draft.name}-infrastructure")
        draft.add(provider, RDF.type, SK.InfrastructureProvider)
        draft.named(provider, f"infrastructure provider of {draft.name}", f"{draft.name}の基盤提供者")
        draft.party["infrastructure"] = provider
    if provider == draft.iri("party-aws"):
        return draft.iri("aws-platform")
    node = URIRef(f"{provider}-platform".replace(_ID + "party-", _ID))
    name = draft.reading.platforms[0] if draft.reading.platforms else draft.name
    draft.add(node, RDF.type, SK.InfrastructureService)
    draft.named(node, f"platform of {name}", f"{name}の基盤")
    draft.add(node, SK.providedBy, provider)
    return node


def _document_named(draft: _Draft, spans: Iterable[Span]) -> URIRef:
    """Return the document that a pointer names."""
    said = " ".join(fold(draft.reading.text[slice(*span)][:600]) for span in spans)
    rule = next(rule for rule in table("status")["document"] if pattern(rule["words"]).search(said) or rule["words"] == ".")
    node = draft.iri(f"doc-{draft.name}-{slug(rule['en'])}")
    draft.add(node, RDF.type, SK.NamedDocument)
    draft.named(node, f"{rule['en']} of {draft.name}", f"{draft.name}の{rule['ja']}")
    return node


def _item(draft: _Draft, item: Item, order: int) -> None:
    section = draft.fresh("sec", item.number or item.printed or f"part-{order}")
    control = _control(draft, item)
    draft.add(section, RDF.type, SK.Section)
    draft.add(section, SK.order, Literal(order))
    draft.add(section, SK.sectionOf, draft.version)
    if item.printed or item.number:
        draft.add(section, SKOS.notation, Literal(item.printed or item.number))
    if item.title and len(item.title) <= 80 and item.form != "item":
        draft.add(section, DCTERMS.title, Literal(item.title, "en" if item.title.isascii() else "ja"))
    if control is not None and item.framework:
        draft.add(section, SK.headsControl, control)

    def place(node: URIRef) -> None:
        draft.add(node, SK.aboutControl, control if item.framework else None)

    if control is not None and item.status != "NotAddressed":
        node = draft.fresh("cs", item.number)
        en, ja = _STATUS_WORDS[item.status]
        spans = item.passages or (item.heading,)
        sure = min(item.confidence, item.status_confidence)
        draft.statement(
            node, "ControlStatement", f"{item.number}: {en}", f"{item.number}：{ja}", spans, section, f"{item.rule}, {item.status_rule}", sure
        )
        draft.add(node, SK.aboutControl if item.framework else SK.aboutItem, control)
        draft.add(node, SK.aboutSection, section)
        draft.add(node, SK.assessedStatus, SK[item.status])
        draft.add(node, SK.actingLayer, *(SK[LAYERS[layer]] for layer in item.layers))
        if item.mark is not None:
            sign = _MARKS.get(mark_of(item.mark), "")
            draft.add(node, SK.vendorMark, Literal(sign) if len(sign) == 1 else None)
            draft.add(node, SK.asPrinted, None if sign == item.mark or not item.mark else Literal(item.mark, draft.reading.language))
        if item.status == "Inherited":
            draft.add(node, SK.inheritedVia, _platform(draft))
        if item.status == "Deferred":
            draft.add(node, SK.deferredTo, _document_named(draft, spans))
        if item.by_reference:
            draft.add(node, SK.byReference, Literal(True))
        if item.contradiction:
            draft.add(node, SK.readingNote, Literal("the mark and the remark disagree", "en"), Literal("印と備考が食い違う", "ja"))
    for duty in item.duties:
        node = draft.fresh("ob", f"{item.number or order}-{duty.party}")
        en, ja = _LAYER_WORDS[duty.party]
        said = fold(draft.reading.text[slice(*duty.span)][:600])
        action = next(name for name, words in table("duties")["actions"].items() if pattern(words).search(said) or words == ".")
        here = f"{item.number or item.printed or item.title[:20]} {duty.span[0]}"
        draft.statement(
            node,
            "Obligation",
            f"{_words_of(action)}: {en} ({here if here.isascii() else duty.span[0]})",
            f"{ja}の義務（{here}）",
            [duty.span],
            section,
            duty.rule,
            duty.confidence,
        )
        place(node)
        draft.add(node, SK.bearerLayer, SK[LAYERS[duty.party]])
        draft.add(node, SK.bearer, draft.party.get(duty.party))
        draft.add(node, SK.bindingness, SK[duty.bindingness])
        draft.add(node, SK.lifePhase, SK.InOperationPhase)
        draft.add(node, SK.action, SK[action])
    for one in item.commitments:
        if not one.record:
            _commitment(draft, item, one, section, place, order)
    for where in item.locations:
        node = draft.fresh("dl", f"{where.category.lower()}-{where.code.lower()}")
        spot = draft.iri(f"place-{where.code.lower()}")
        if f"place-{where.code.lower()}" not in vocabulary():
            draft.add(spot, RDF.type, SK.Place)
            draft.named(spot, where.en, where.ja)
            country = where.code.split("-")[0]
            draft.add(spot, SK.inCountry, URIRef(PREFIXES["loc"] + country))
            if country not in ("JP", "US"):
                draft.add(URIRef(PREFIXES["loc"] + country), RDF.type, SK.Country)
                draft.named(URIRef(PREFIXES["loc"] + country), where.en, where.ja)
        draft.statement(
            node, "DataLocationStatement", f"data is in {where.en}", f"データは{where.ja}にある", [where.span], section, where.rule, where.confidence
        )
        place(node)
        draft.add(node, SK.dataCategory, SK[where.category])
        draft.add(node, SK.storedAt, spot)
    for claim in item.certificates:
        if claim.claim in ("ExpiredClaim", "NotHeldClaim") or (claim.holder == "infrastructure" and draft.party["infrastructure"] is None):
            continue
        node = draft.fresh("cc", f"{claim.standard}-{claim.state}")
        draft.statement(
            node,
            "CertificationClaim",
            f"{claim.standard}: {claim.state}",
            f"{claim.standard}：{claim.state}",
            [claim.span],
            section,
            claim.rule,
            claim.confidence,
        )
        place(node)
        draft.add(node, SK.claimStatus, SK[claim.claim])
        draft.add(node, SK.holder, draft.party[claim.holder])
        draft.add(node, SK.scopeKind, SK.ScopeNotStated)
        standard = draft.iri(f"standard-{claim.standard}")
        draft.add(node, SK.toStandard, standard)
        if f"standard-{claim.standard}" not in vocabulary():
            draft.add(standard, RDF.type, SK.Standard)
            draft.named(standard, claim.standard, claim.standard)
    for cell in item.assignments:
        node = draft.fresh("ra", f"{cell.area}-{cell.party}")
        en, ja = _LAYER_WORDS[cell.party]
        draft.statement(
            node, "ResponsibilityAssignment", f"{cell.area}: {en}", f"{cell.area}：{ja}", [cell.span], section, cell.rule, cell.confidence
        )
        place(node)
        draft.add(node, SK.onArea, draft.iri(f"area-{cell.area}"))
        draft.add(node, SK.layer, SK[LAYERS[cell.party]])
        draft.add(node, SK.party, draft.party.get(cell.party))
        draft.add(node, SK.responsibilityKind, SK.Performs if cell.printed else SK.NoResponsibility)


def _commitment(draft: _Draft, item: Item, one: Commitment, section: URIRef, place: Any, order: int) -> None:
    node = draft.fresh("cm", f"{one.metric}-{item.number}" if item.number else one.metric)
    en, ja = labels().get(one.metric, (one.metric, one.metric))
    if one.quantity:
        amount = f"{one.quantity.amount.normalize():f}"
        unit_en, unit_ja = _UNIT_WORDS[one.quantity.unit]
        en, ja = f"{en}: {amount} {unit_en}", f"{ja}：{amount}{unit_ja}"
    elif one.provided is False:
        en, ja = f"{en}: not provided", f"{ja}：提供しない"
    en, ja = f"{en} ({item.number or order})", f"{ja}（{item.number or order}）"
    draft.statement(node, one.cls, en, ja, [one.span], section, one.rule, one.confidence)
    place(node)
    draft.add(node, SK.metric, draft.iri(f"metric-{one.metric}"))
    draft.add(node, SK.bindingness, SK[one.bindingness])
    draft.add(node, SK.vagueTerm, *(SK[term] for term in one.vague))
    if one.provided is not None:
        draft.add(node, SK.provided, Literal(one.provided))
    area = next((area for area, words in table("kinds")["areas"].items() if pattern(words).search(one.metric)), None)
    if area:
        draft.add(node, SK.onArea, draft.iri(f"area-{area}"))
    for value in one.values:
        draft.add(node, SK.supportsProtocol, SK[value]) if value.startswith("TLS") else draft.add(node, SK.value, draft.iri(value))
    if one.subject:
        draft.add(node, SK.subject, SK[one.subject])
    if one.party == "infrastructure":
        draft.add(node, SK.bearerLayer, SK.InfrastructureLayer)
        draft.add(node, SK.bearer, draft.party["infrastructure"])
    quantity = one.quantity
    if quantity is None:
        return
    draft.add(node, SK.asPrinted, Literal(one.printed, "en" if one.printed.isascii() and draft.reading.language == "en" else "ja"))
    if quantity.unit == "AllHours":
        draft.add(node, SK.value, draft.iri("value-24x365"))
        return
    draft.add(node, SK.amount, Literal(int(quantity.amount)) if quantity.amount == int(quantity.amount) else Literal(quantity.amount))
    draft.add(node, SK.unit, SK[quantity.unit])
    draft.add(node, SK.comparator, SK[quantity.comparator])
    if quantity.unit in SECONDS and quantity.seconds is not None:
        draft.add(node, SK.seconds, Literal(quantity.seconds))
    if one.clock:
        draft.add(node, SK.clockStarts, SK[one.clock])


_QUALIFIER = {"AtLeast": "min", "AtMost": "max", "Exactly": "exact", "Approximately": "approx"}
_FIRMNESS = {"Target": "target", "BestEffort": "effort", "InPrinciple": "in_principle"}
_VAGUE = {
    "BeforehandTerm": "prior",
    "PromptlyTerm": "promptly",
    "SwiftlyTerm": "promptly",
    "ImmediatelyTerm": "promptly",
    "PeriodicallyTerm": "periodic",
    "OnRequestTerm": "on_request",
    "AsNeededTerm": "as_needed",
}
_AUTHENTICATION = {"multi-factor-authentication": "mfa", "ip-restriction": "ip_restriction"}


def as_json(reading: Reading) -> dict[str, Any]:
    """Return what was read in the form that measuring takes."""
    infrastructure = list(reading.platforms)
    return {
        "document": {
            "title": reading.title,
            "provider": reading.provider,
            "services": list(reading.services),
            "version": reading.version,
            "date": reading.date,
            "language": reading.language,
            "frameworks": [FRAMEWORKS.get(prefix, prefix) for prefix in reading.frameworks],
            "infrastructure_providers": infrastructure,
        },
        "controls": [_control_json(item) for item in reading.items],
    }


def _control_json(item: Item) -> dict[str, Any]:
    topic = item.form == "topic"
    found = [_commitment_json(one) for one in item.commitments]
    for where in item.locations:
        kind = "backup_location" if where.category == "BackupData" else "data_location"
        found.append(
            {
                "kind": kind,
                "value": where.code,
                "qualifier": "exact",
                "quantified": True,
                "start": where.span[0],
                "end": where.span[1],
                "category": where.category,
            }
        )
    for claim in item.certificates:
        found.append(
            {
                "kind": "certification",
                "value": claim.standard,
                "state": claim.state,
                "holder": claim.holder,
                "qualifier": "exact",
                "quantified": True,
                "start": claim.span[0],
                "end": claim.span[1],
            }
        )
    return {
        "id": None if topic or not item.number else item.number,
        "framework": FRAMEWORKS.get(item.framework, "") if not topic else "",
        "as_printed": item.printed,
        "title": item.title,
        "mark": item.mark,
        "status": STATUS[item.status],
        "responsible": list(item.layers),
        "by_reference": item.by_reference or item.status in ("Deferred",),
        "start": item.span[0],
        "end": item.span[1],
        "duties": [{"party": duty.party, "start": duty.span[0], "end": duty.span[1]} for duty in item.duties],
        "commitments": found,
    }


def _commitment_json(one: Commitment) -> dict[str, Any]:
    said: dict[str, Any] = {"kind": kind_of(one.metric)}
    quantity = one.quantity
    if quantity:
        said |= {"value": quantity.iso, "qualifier": _FIRMNESS.get(one.bindingness, _QUALIFIER[quantity.comparator]), "quantified": True}
        if quantity.unit in ("BusinessDay", "BusinessHour"):
            said["basis"] = "business_days"
        if one.record:
            said["qualifier"] = "record"
    elif one.metric == "tls-versions":
        said |= {"value": "/".join(one.values), "qualifier": "exact", "quantified": True}
    else:
        vague = next((word for term, word in _VAGUE.items() if term in one.vague), "")
        value = _AUTHENTICATION.get(one.metric, "id_password" if "value-id-password" in one.values else "")
        if one.provided is not None and not value:
            value = "provided" if one.provided else "not_provided"
        said |= {"value": value or vague, "qualifier": _FIRMNESS.get(one.bindingness, "exact"), "quantified": False}
        if one.provided is False:
            said["provided"] = False
    if one.clock:
        said["start_of_clock"] = one.clock
    return said | {"start": one.span[0], "end": one.span[1]}


def json_of(reading: Reading) -> str:
    """Return ``as_json`` as text."""
    return json.dumps(as_json(reading), ensure_ascii=False, indent=1) + "\n"


def write(reading: Reading, folder: Path, form: str = "turtle") -> tuple[Path, Path]:
    """Write a draft and, beside it, the text that it cites; each is there whole or not at all.

    Returns:
        the draft, and the text rendition.
    """
    from sekinin.export import write_whole

    folder.mkdir(parents=True, exist_ok=True)
    name = slug(reading.name)
    content = turtle_of(reading) if form == "turtle" else json_of(reading)
    text = write_whole(folder / f"{name}.txt", reading.text.encode("utf-8"))
    draft = write_whole(folder / f"{name}.{'ttl' if form == 'turtle' else 'json'}", content.encode("utf-8"))
    return Path(draft), Path(text)
