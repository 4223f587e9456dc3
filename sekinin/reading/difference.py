"""What a new version of a paper says otherwise, by meaning: added, gone, stronger, weaker, reworded.

Stronger is better for the customer: kept longer, told sooner, deleted sooner, done more often, promised more firmly.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Final

from rdflib import RDF, Graph, URIRef
from rdflib.term import Node

from sekinin import turtle
from sekinin.namespaces import PREFIXES, SK
from sekinin.reading.results import kind_of

_DAYS: Final = {
    "Second": Decimal(1) / 86400,
    "Minute": Decimal(1) / 1440,
    "Hour": Decimal(1) / 24,
    "BusinessHour": Decimal(1) / 24,
    "CalendarDay": Decimal(1),
    "BusinessDay": Decimal("1.4"),
    "Week": Decimal(7),
    "Month": Decimal("30.4"),
    "Year": Decimal(365),
}
_MORE: Final = (
    "retention",
    "generations",
    "availability",
    "strength",
    "maintenance-notice",
    "change-notice",
    "service-end-notice",
    "subprocessor-notice",
    "data-export",
)
"""Metrics of which more is better for the customer; of other durations less is."""
_RANK: Final = {"Firm": 4, "InPrinciple": 3, "Target": 2, "BestEffort": 1, "Vague": 0}
_STATUS: Final = {
    "Implemented": 4,
    "Inherited": 3,
    "Partial": 2,
    "Planned": 1,
    "Deferred": 1,
    "InFigure": 1,
    "NotApplicable": 1,
    "OutOfScope": 1,
    "NotProvided": 0,
}


@dataclass(frozen=True)
class Change:
    """One thing that is otherwise.

    Args:
        how: ``added``, ``gone``, ``stronger``, ``weaker`` or ``reworded``.
        what: the item and the kind of statement.
    """

    how: str
    what: str
    before: str = ""
    after: str = ""


@dataclass(frozen=True)
class _Said:
    what: str
    value: str
    strength: Decimal | None
    firmness: int
    quotes: frozenset[str]


def _local(term: Node | None) -> str:
    return str(term).rsplit("#", 1)[-1].rsplit("/", 1)[-1] if term is not None else ""


def _said(graph: Graph) -> dict[str, list[_Said]]:
    found: dict[str, list[_Said]] = {}
    for one in sorted(set(graph.subjects(SK.statedIn, None)), key=str):
        cls = next((_local(t) for t in graph.objects(one, RDF.type)), "")
        item = _local(graph.value(one, SK.aboutControl) or graph.value(one, SK.aboutItem))
        quotes = frozenset(str(graph.value(c, SK.quoteSha256)) for c in graph.objects(one, SK.citedAt))
        metric = _local(graph.value(one, SK.metric)).removeprefix("metric-")
        firmness = _RANK.get(_local(graph.value(one, SK.bindingness)), 4)
        strength: Decimal | None = None
        value = ""
        if cls == "ControlStatement":
            what, value = f"{item} status", _local(graph.value(one, SK.assessedStatus))
            strength = Decimal(_STATUS.get(value, 1))
        elif metric:
            what = f"{item} {kind_of(metric)}".strip()
            amount, unit = graph.value(one, SK.amount), _local(graph.value(one, SK.unit))
            protocols = sorted(_local(p) for p in graph.objects(one, SK.supportsProtocol))
            if amount is not None:
                value = f"{amount} {unit}"
                size = Decimal(str(amount)) * _DAYS.get(unit, Decimal(1))
                strength = size if any(word in metric for word in _MORE) else -size
            elif protocols:
                value = "/".join(protocols)
                strength = Decimal(protocols[0].removeprefix("TLS"))  # the oldest that is let in
            elif graph.value(one, SK.provided) is not None:
                value = "provided" if str(graph.value(one, SK.provided)) == "true" else "not provided"
                strength = Decimal(value == "provided")
        elif cls == "Obligation":
            what = f"{item} duty of {_local(graph.value(one, SK.bearerLayer))} {_local(graph.value(one, SK.action))}".strip()
        elif cls == "DataLocationStatement":
            what, value = f"{item} location of {_local(graph.value(one, SK.dataCategory))}".strip(), _local(graph.value(one, SK.storedAt))
        elif cls == "CertificationClaim":
            what, value = f"certificate {_local(graph.value(one, SK.toStandard))}", _local(graph.value(one, SK.claimStatus))
        else:
            continue
        found.setdefault(what, []).append(_Said(what, value, strength, firmness, quotes))
    return found


def difference(before: Path, after: Path) -> list[Change]:
    """Return what two drafts or graphs of one paper say otherwise, in the order of its items."""
    old, new = (_said(turtle.read(path)) for path in (before, after))
    changes: list[Change] = []
    for what in sorted({*old, *new}):
        ours, theirs = list(old.get(what, ())), list(new.get(what, ()))
        for one in list(ours):  # the same first, so that only what is otherwise is paired
            same = next((t for t in theirs if (t.value, t.firmness) == (one.value, one.firmness) and t.quotes & one.quotes), None)
            same = same or next((t for t in theirs if (t.value, t.firmness) == (one.value, one.firmness)), None)
            if same:
                ours.remove(one)
                theirs.remove(same)
                if not same.quotes & one.quotes:
                    changes.append(Change("reworded", what, one.value, same.value))
        for one, other in zip(ours, theirs, strict=False):
            changes.append(Change(_how(one, other), what, one.value, other.value))
        changes += [Change("gone", what, one.value) for one in ours[len(theirs) :]]
        changes += [Change("added", what, "", one.value) for one in theirs[len(ours) :]]
    return changes


def _how(one: _Said, other: _Said) -> str:
    if one.strength is not None and other.strength is not None and one.strength != other.strength:
        return "stronger" if other.strength > one.strength else "weaker"
    if one.value and not other.value:
        return "weaker"
    if other.value and not one.value:
        return "stronger"
    if one.firmness != other.firmness:
        return "stronger" if other.firmness > one.firmness else "weaker"
    return "reworded"


def successor(before: Path, after: Path) -> str:
    """Return Turtle that says that the version of one draft replaces that of the other, to be pasted once a person agrees."""
    old, new = (next(iter(turtle.read(path).subjects(RDF.type, SK.DocumentVersion)), None) for path in (before, after))
    graph = Graph()
    if old is not None and new is not None and old != new:
        graph.add((new, URIRef(PREFIXES["dcat"] + "previousVersion"), old))
        graph.add((old, URIRef(PREFIXES["dcterms"] + "isReplacedBy"), new))
    return turtle.write(graph) if len(graph) else ""
