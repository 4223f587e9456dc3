"""How well a draft agrees with what a person found: precision, recall and F1, for each kind of statement.

Draft and gold are house Turtle or the reader's JSON. Two commitments are one if kind and figure agree, and their
passages touch where both give one. A duty is found if one of the same party touches its passage.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rdflib import RDF, Graph, URIRef
from rdflib.term import Node

from sekinin.errors import BadData, Missing
from sekinin.namespaces import PREFIXES, SK
from sekinin.reading.quantities import Quantity
from sekinin.reading.results import LAYERS, Reading, kind_of
from sekinin.reading.rules import table

Span = tuple[int, int]
STATUS = {
    "Implemented": "implemented",
    "Partial": "partially",
    "NotProvided": "not_provided",
    "NotApplicable": "not_applicable",
    "OutOfScope": "not_applicable",
    "Inherited": "inherited",
    "NotAddressed": "not_addressed",
    "InFigure": "not_addressed",
    "Deferred": "implemented",
    "Planned": "not_provided",
}
"""The ontology's statuses, as the reader's JSON has them."""


@dataclass(frozen=True)
class DutyFact:
    """A duty as it is compared: who has it, for which item, and where it is said."""

    party: str
    item: str
    spans: tuple[Span, ...] = ()


@dataclass(frozen=True)
class Promise:
    """A commitment as it is compared: kind, figure or nothing, and its passages."""

    kind: str
    value: str
    item: str
    spans: tuple[Span, ...] = ()


@dataclass
class Facts:
    """What is compared of a draft or gold.

    Args:
        places: category of data and ISO 3166 code; None where the gold does not tell them.
        certificates: standard, state as in the JSON, and holder; None where the gold does not tell them.
        fine: whether the statuses are the ontology's ten and not the six of the JSON.
    """

    statuses: dict[str, str] = field(default_factory=dict)
    layers: set[tuple[str, str]] = field(default_factory=set)
    duties: list[DutyFact] = field(default_factory=list)
    promises: list[Promise] = field(default_factory=list)
    places: set[tuple[str, ...]] | None = None
    certificates: set[tuple[str, ...]] | None = None
    fine: bool = True


@dataclass(frozen=True)
class Tally:
    """Counts of one kind of statement: agreed, in the draft only, in the gold only."""

    name: str
    hits: int
    extra: int
    missed: int

    @property
    def precision(self) -> float:
        """Share of the draft that is right; 1 for an empty draft."""
        return self.hits / (self.hits + self.extra) if self.hits + self.extra else 1.0

    @property
    def recall(self) -> float:
        """Share of the gold that was found; 1 for an empty gold."""
        return self.hits / (self.hits + self.missed) if self.hits + self.missed else 1.0

    @property
    def f1(self) -> float:
        """The harmonic mean of precision and recall."""
        both = self.precision + self.recall
        return 2 * self.precision * self.recall / both if both else 0.0


def _figure(quantity: Quantity) -> str:
    """Return a figure so that equal ones are equal: days and weeks in days, business days apart."""
    amount = f"{quantity.amount.normalize():f}"
    if quantity.unit == "Week":
        return f"P{int(quantity.amount) * 7}D"
    if quantity.unit == "Hour" and quantity.amount == 24:
        return "P1D" if quantity.every else "PT24H"
    if quantity.unit == "BusinessDay":
        return f"{quantity.iso} business"
    return {"Generation": f"{amount} generations", "Bit": f"{amount} bit", "Item": f"{amount} items", "AllHours": ""}.get(quantity.unit, quantity.iso)


def of_reading(reading: Reading, titles: bool = False) -> Facts:
    """Return the facts of a paper just read.

    Args:
        titles: a topic without a number is known by its title, with ``~`` before it.
    """
    facts = Facts()
    facts.places = {(where.category, where.code) for item in reading.items for where in item.locations}
    facts.certificates = {(claim.standard, claim.state, claim.holder) for item in reading.items for claim in item.certificates}
    for item in reading.items:
        number = f"~{item.title}" if titles and item.form == "topic" else item.number
        if number:
            facts.statuses[number] = item.status
            facts.layers.update((number, LAYERS[layer]) for layer in item.layers)
        facts.duties.extend(DutyFact(LAYERS[duty.party], number, (duty.span,)) for duty in item.duties)
        for one in item.commitments:
            if one.record:
                continue
            value = _figure(one.quantity) if one.quantity else ""
            if one.metric == "tls-versions":
                value = "/".join(one.values)
            facts.promises.append(Promise(kind_of(one.metric), value, number, (one.span,)))
    facts.promises = list(dict.fromkeys(facts.promises))
    return facts


def of_json(said: dict[str, Any]) -> Facts:
    """Return the facts of the reader's JSON."""
    facts = Facts(fine=False, places=set(), certificates=set())
    for control in said.get("controls", ()):
        number = control.get("id") or ""
        if number:
            facts.statuses[number] = control.get("status", "")
            facts.layers.update((number, LAYERS[layer]) for layer in control.get("responsible", ()))
        facts.duties.extend(
            DutyFact(LAYERS[d["party"]], number, ((d["start"], d["end"]),) if "start" in d else ()) for d in control.get("duties", ())
        )
        for one in control.get("commitments", ()):
            if one["kind"] == "certification" and facts.certificates is not None:
                facts.certificates.add((one["value"], one.get("state", ""), one.get("holder", "csp")))
                continue
            if one["kind"] in ("data_location", "backup_location") and one.get("quantified", True) and facts.places is not None:
                facts.places.add((one.get("category", "BackupData" if one["kind"] == "backup_location" else "CustomerData"), one["value"]))
                continue
            value = str(one.get("value", "")) if one.get("quantified", True) else ""
            if re.fullmatch(r"[\d.]+", value):
                value += {"backup_generations": " generations", "encryption_strength": " bit"}.get(one["kind"], " items")
            value = "" if value == "24x7" else value
            value = re.sub(r"^P(\d+)W$", lambda found: f"P{int(found[1]) * 7}D", value) + (" business" if one.get("basis") == "business_days" else "")
            spans = ((one["start"], one["end"]),) if "start" in one else ()
            facts.promises.append(Promise(one["kind"], value, number, spans))
    facts.promises = list(dict.fromkeys(facts.promises))
    return facts


_WHOLE = {"AllCustomerData": "CustomerData", "StoredData": "CustomerData"}
"""Categories of data that the graphs tell apart and a draft does not."""


def _standard(name: str) -> str:
    """Return a standard without its edition, the Japanese one as the international one that it translates."""
    return re.sub(r"^jisq(?=27)", "iso", re.sub(r"-(19|20)\d\d$", "", name))


def of_turtle(path: Path) -> Facts:
    """Return the facts of a draft or a reviewed graph."""
    graph = Graph().parse(path, format="turtle")
    facts = Facts()
    for statement in graph.subjects(RDF.type, SK.ControlStatement):
        number = _number(graph, statement)
        if not number:
            continue
        facts.statuses[number] = _local(graph.value(statement, SK.assessedStatus))
        facts.layers.update((number, _local(layer)) for layer in graph.objects(statement, SK.actingLayer))
    for section in graph.subjects(RDF.type, SK.Section):  # headed and silent
        for control in graph.objects(section, SK.headsControl):
            facts.statuses.setdefault(_last(control), "NotAddressed")
    for duty in graph.subjects(RDF.type, SK.Obligation):
        facts.duties.append(DutyFact(_local(graph.value(duty, SK.bearerLayer)), _number(graph, duty), tuple(_spans(graph, duty))))
    classes = {s for s in graph.subjects(SK.metric, None)}
    for one in classes:
        kind = kind_of(_last(graph.value(one, SK.metric)).removeprefix("metric-"))
        facts.promises.append(Promise(kind, _value(graph, one), _number(graph, one), tuple(_spans(graph, one))))
    facts.promises.sort(key=lambda one: (one.kind, one.value, one.spans))
    facts.places = {
        (_WHOLE.get(_local(category), _local(category)), _last(place).removeprefix("place-").upper())
        for one in graph.subjects(RDF.type, SK.DataLocationStatement)
        for category in graph.objects(one, SK.dataCategory)
        for place in graph.objects(one, SK.storedAt)
    }
    own = {graph.value(duty, SK.bearer) for duty in graph.subjects(SK.bearerLayer, SK.ProviderLayer)}
    states = {rule["claim"]: rule["json"] for rule in table("certificates")["state"]}
    facts.certificates = {
        (_standard(_last(standard).removeprefix("standard-")), states.get(_local(graph.value(one, SK.claimStatus)), ""), holder)
        for one in graph.subjects(RDF.type, SK.CertificationClaim)
        for holder in ["csp" if graph.value(one, SK.holder) in own else "infrastructure"]
        for standard in graph.objects(one, SK.toStandard)
    }
    return facts


def load(path: Path) -> Facts:
    """Return the facts of a file: JSON or Turtle.

    Raises:
        Missing: if there is no such file.
        BadData: if it is neither.
    """
    if not path.is_file():
        raise Missing(str(path), "there is no such file", "name a draft or a reviewed graph, as Turtle or JSON")
    try:
        if path.suffix == ".json":
            return of_json(json.loads(path.read_text(encoding="utf-8")))
        return of_turtle(path)
    except (ValueError, KeyError, SyntaxError) as why:
        raise BadData(str(path), f"it cannot be compared ({why})", "give house Turtle, or the reader's JSON") from why


def _last(term: Node | None) -> str:
    return str(term).rsplit("/", 1)[-1] if term is not None else ""


def _local(term: Node | None) -> str:
    return str(term).removeprefix(PREFIXES["sk"]) if term is not None else ""


def _number(graph: Graph, statement: Node) -> str:
    item = graph.value(statement, SK.aboutItem)
    if item is None:
        controls = sorted(graph.objects(statement, SK.aboutControl), key=str)
        item = controls[0] if controls else None
        section = graph.value(statement, SK.aboutSection)
        if item is None and section is not None:
            return ""
    return _last(item)


def _spans(graph: Graph, statement: Node) -> Iterable[Span]:
    oa = PREFIXES["oa"]
    for citation in graph.objects(statement, SK.citedAt):
        selector = graph.value(citation, URIRef(oa + "hasSelector"))
        start, end = graph.value(selector, URIRef(oa + "start")), graph.value(selector, URIRef(oa + "end"))
        if start is not None and end is not None:
            yield int(str(start)), int(str(end))


_AS_FIGURES = {"value-daily": "P1D"}


def _value(graph: Graph, one: Node) -> str:
    from decimal import Decimal

    amount, unit = graph.value(one, SK.amount), _local(graph.value(one, SK.unit))
    if amount is not None:
        return _figure(Quantity(Decimal(str(amount)), unit, 0, 0))
    versions = sorted(_local(version) for version in graph.objects(one, SK.supportsProtocol))
    if versions:
        return "/".join(versions)
    return next((_AS_FIGURES[_last(value)] for value in graph.objects(one, SK.value) if _last(value) in _AS_FIGURES), "")


def _touch(one: Promise, other: Promise) -> bool:
    return not one.spans or not other.spans or any(a < d and c < b for a, b in one.spans for c, d in other.spans)


def _pairs(name: str, draft: set[tuple[str, ...]], gold: set[tuple[str, ...]]) -> Tally:
    return Tally(name, len(draft & gold), len(draft - gold), len(gold - draft))


def _duties(name: str, draft: list[DutyFact], gold: list[DutyFact]) -> Tally:
    """Count duties of the draft that stand where the gold has one of the same party, and duties of the gold that the draft has not."""

    def same(one: DutyFact, other: DutyFact) -> bool:
        if one.party != other.party:
            return False
        if one.spans and other.spans:
            return any(a < d and c < b for a, b in one.spans for c, d in other.spans)
        return one.item == other.item

    hits = sum(1 for one in draft if any(same(one, other) for other in gold))
    missed = sum(1 for other in gold if not any(same(one, other) for one in draft))
    return Tally(name, hits, len(draft) - hits, missed)


def _promises(name: str, draft: list[Promise], gold: list[Promise]) -> Tally:
    """Pair commitments one to one, those that stand at the same passage first."""
    left, hits = list(gold), 0
    for one in draft:
        match = next((other for other in left if (one.kind, one.value) == (other.kind, other.value) and _touch(one, other)), None)
        if match:
            left.remove(match)
            hits += 1
    return Tally(name, hits, len(draft) - hits, len(left))


def compare(draft: Facts, gold: Facts) -> list[Tally]:
    """Return the tallies: controls, status, layers, duties, commitments, places, certificates, and each kind with a figure."""
    mine, theirs = set(draft.statuses), set(gold.statuses)
    both = mine & theirs
    coarse = not (draft.fine and gold.fine)

    def status(facts: Facts, number: str) -> str:
        said = facts.statuses[number]
        return STATUS.get(said, said) if coarse else said

    right = sum(1 for number in both if status(draft, number) == status(gold, number))
    tallies = [
        Tally("controls", len(both), len(mine - theirs), len(theirs - mine)),
        Tally("status", right, len(both) - right, len(theirs) - right),
        _pairs("layers", {p for p in draft.layers if p[0] in theirs}, set(gold.layers)),
        _duties("duties", draft.duties, gold.duties),
        *(
            _duties(f"  of {name}", *([one for one in side if one.party == party] for side in (draft.duties, gold.duties)))
            for name, party in LAYERS.items()
        ),
    ]
    figured = [[one for one in facts.promises if one.value] for facts in (draft, gold)]
    bare = [[one for one in facts.promises if not one.value] for facts in (draft, gold)]
    tallies.append(_promises("commitments with figures", *figured))
    tallies.append(_promises("commitments without figures", *bare))
    for name in ("places", "certificates"):
        mine_told, theirs_told = getattr(draft, name), getattr(gold, name)
        if mine_told is not None and theirs_told is not None:
            tallies.append(_pairs(name, mine_told, theirs_told))
    for kind in sorted({one.kind for side in figured for one in side}):
        tallies.append(_promises(f"  {kind}", *([one for one in side if one.kind == kind] for side in figured)))
    return tallies


def total(many: Iterable[list[Tally]]) -> list[Tally]:
    """Add the tallies of several papers."""
    sums: dict[str, Counter[str]] = {}
    for tallies in many:
        for one in tallies:
            sums.setdefault(one.name, Counter()).update(hits=one.hits, extra=one.extra, missed=one.missed)
    return [Tally(name, count["hits"], count["extra"], count["missed"]) for name, count in sums.items()]


def as_table(tallies: Iterable[Tally]) -> list[str]:
    """Return tallies as lines of a table."""
    lines = [f"{'':32}{'P':>7}{'R':>7}{'F1':>7}{'hits':>7}{'extra':>7}{'missed':>7}"]
    lines += [f"{t.name:32}{t.precision:7.3f}{t.recall:7.3f}{t.f1:7.3f}{t.hits:7}{t.extra:7}{t.missed:7}" for t in tallies]
    return lines
