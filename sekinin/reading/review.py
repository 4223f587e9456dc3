"""A person decides: each statement of a draft beside its passage is accepted, edited or rejected, and what was accepted goes on record.

A decision names its reviewer and the digest of the statement as it was. A statement that changes later does not have that
digest any more, and needs review again; nothing is published that nobody accepted.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Final

from rdflib import RDF, SKOS, XSD, Graph, Literal, URIRef
from rdflib.term import Node

from sekinin import turtle
from sekinin.errors import BadData, Missing
from sekinin.export import write_whole
from sekinin.namespaces import PREFIXES, SK, shrink
from sekinin.reading.draft import slug

_OA, _PROV, _ID = (PREFIXES[p] for p in ("oa", "prov", "id"))
_OURS: Final = ("reviewStatus", "madeByRule", "confidence")
_DECISIONS: Final = {"accept": "Accepted", "edit": "Edited", "reject": "Rejected"}


@dataclass(frozen=True)
class Entry:
    """A statement as a reviewer sees it.

    Args:
        state: ``Unreviewed``, ``Accepted``, ``Edited``, ``Rejected``, or ``Changed`` where it is not as it was accepted.
        passage: from the text beside the draft; empty where that is not there or has another digest.
    """

    iri: str
    cls: str
    label: str
    state: str
    rule: str
    confidence: float
    section: str
    passage: str


def load(path: Path) -> Graph:
    """Read a draft.

    Raises:
        Missing: if there is no such file.
        BadData: if it is no Turtle.
    """
    return turtle.read(path)


def content_hash(graph: Graph, statement: Node) -> str:
    """Return the SHA-256 of what a statement says: its triples, sorted, without those of the review."""
    leave = {SK[name] for name in _OURS}
    lines = sorted(f"{statement.n3()} {p.n3()} {o.n3()} ." for p, o in graph.predicate_objects(statement) if p not in leave)
    return hashlib.sha256("\n".join(lines).encode("utf-8")).hexdigest()


def statements(graph: Graph) -> list[URIRef]:
    """Return the statements of a draft, in the order of their passages."""
    found = {s for s in graph.subjects(SK.statedIn, None) if isinstance(s, URIRef)}
    return sorted(found, key=lambda s: (min((span[0] for span in _spans(graph, s)), default=0), str(s)))


def _spans(graph: Graph, statement: Node) -> Iterator[tuple[int, int]]:
    for citation in graph.objects(statement, SK.citedAt):
        selector = graph.value(citation, URIRef(_OA + "hasSelector"))
        start, end = graph.value(selector, URIRef(_OA + "start")), graph.value(selector, URIRef(_OA + "end"))
        if start is not None and end is not None:
            yield int(str(start)), int(str(end))


def _event(graph: Graph, statement: Node) -> URIRef | None:
    events = sorted((e for e in graph.subjects(URIRef(_PROV + "used"), statement) if (e, RDF.type, SK.ReviewEvent) in graph), key=str)
    return URIRef(str(events[-1])) if events else None


def state(graph: Graph, statement: Node) -> str:
    """Return how a statement stands: its status, or ``Changed`` if it is not what was decided upon."""
    said = str(graph.value(statement, SK.reviewStatus) or "").removeprefix(PREFIXES["sk"]) or "Unreviewed"
    event = _event(graph, statement)
    if said != "Unreviewed" and (event is None or str(graph.value(event, SK.reviewedContentHash)) != content_hash(graph, statement)):
        return "Changed"
    return said


def entries(path: Path, language: str = "en") -> list[Entry]:
    """Return the statements of a draft, each beside its passage."""
    graph = load(path)
    text = _text_beside(path, graph)
    out = []
    for one in statements(graph):
        labels = [o for o in graph.objects(one, SKOS.prefLabel) if isinstance(o, Literal)]
        label = next((str(o) for o in labels if o.language == language), str(labels[0]) if labels else "")
        citation = next(iter(sorted(graph.objects(one, SK.citedAt), key=str)), None)
        section = graph.value(citation, SK.inSection)
        spans = sorted(_spans(graph, one))
        out.append(
            Entry(
                str(one),
                next((str(t).removeprefix(PREFIXES["sk"]) for t in graph.objects(one, RDF.type)), ""),
                label,
                state(graph, one),
                str(graph.value(one, SK.madeByRule) or ""),
                float(str(graph.value(one, SK.confidence) or 0)),
                str(graph.value(section, SKOS.notation) or ""),
                " … ".join(re.sub(r"\s+", " ", text[a:b]) for a, b in spans) if text else "",
            )
        )
    return out


def _text_beside(path: Path, graph: Graph) -> str:
    """Return the text that a draft cites, from the file beside it, once its digest agrees."""
    wanted = next((str(o) for o in graph.objects(None, URIRef(PREFIXES["spdx"] + "checksumValue"))), "")
    beside = path.with_suffix(".txt")
    if not beside.is_file():
        return ""
    content = beside.read_bytes()
    return content.decode("utf-8") if hashlib.sha256(content).hexdigest() == wanted else ""


def chosen(graph: Graph, names: Iterable[str], least: float | None = None) -> list[URIRef]:
    """Return the statements named, or every one that nobody has decided upon with at least this confidence.

    Raises:
        Missing: for a name that is no statement of the draft.
    """
    known = {shrink(str(one)): one for one in statements(graph)}
    found = []
    for name in names:
        short = name if name.startswith("id:") else shrink(name) if name.startswith("http") else f"id:{name}"
        if short not in known:
            raise Missing(name, "the draft has no such statement", "see: sekinin review list")
        found.append(known[short])
    if least is not None:
        found += [
            one
            for one in known.values()
            if state(graph, one) in ("Unreviewed", "Changed") and float(str(graph.value(one, SK.confidence) or 0)) >= least and one not in found
        ]
    return found


def decide(path: Path, decision: str, names: Iterable[str], reviewer: str, least: float | None = None, changes: Iterable[str] = ()) -> list[str]:
    """Accept, edit or reject statements of a draft, and write it.

    Args:
        decision: ``accept``, ``edit`` or ``reject``.
        names: statements, as ``id:cm-…``.
        least: with this, also every undecided one of at least this confidence.
        changes: of an edit, as ``sk:amount=14``; an empty value takes the property away.
    Returns:
        the names of what was decided upon.
    Raises:
        Missing: for a statement that is not there.
        BadData: if the reviewer has no name, or a change cannot be made.
    """
    if not reviewer.strip():
        raise BadData("--reviewer", "a decision has somebody who made it", "give your name")
    graph = load(path)
    found = chosen(graph, names, least)
    if not found:
        raise Missing(str(path), "there is nothing to decide upon", "name statements, or give --least")
    for one in found:
        for change in changes:
            _change(graph, one, change)
        _record(graph, one, _DECISIONS[decision], reviewer.strip())
    write_whole(path, _written(path, graph))
    return [shrink(str(one)) for one in found]


def _written(path: Path, graph: Graph) -> bytes:
    head = [line.removeprefix("#").strip() for line in path.read_text(encoding="utf-8").splitlines() if line.startswith("#")]
    return turtle.write(graph, "\n".join(head)).encode("utf-8")


def _record(graph: Graph, one: URIRef, outcome: str, reviewer: str) -> None:
    """Put a decision on record; the one before it goes."""
    event = URIRef(f"{_ID}review-{str(one).removeprefix(_ID)}")
    graph.remove((event, None, None))
    person = URIRef(f"{_ID}person-{slug(reviewer)}")
    graph.set((one, SK.reviewStatus, SK[outcome]))
    graph.add((event, RDF.type, SK.ReviewEvent))
    graph.add((event, URIRef(_PROV + "used"), one))
    graph.add((event, URIRef(_PROV + "wasAssociatedWith"), person))
    graph.add((event, URIRef(_PROV + "endedAtTime"), Literal(datetime.now(UTC).replace(microsecond=0))))
    graph.add((event, SK.outcome, SK[outcome]))
    graph.add((event, SK.reviewedContentHash, Literal(content_hash(graph, one), datatype=XSD.hexBinary)))
    graph.add((person, RDF.type, URIRef(_PROV + "Agent")))
    for language in ("en", "ja"):
        graph.add((person, SKOS.prefLabel, Literal(reviewer, language)))


def _change(graph: Graph, one: URIRef, change: str) -> None:
    """Make one change: ``sk:amount=14``, ``sk:assessedStatus=sk:Partial``, ``sk:vendorMark=``."""
    name, equals, value = change.partition("=")
    if not equals or not name.startswith("sk:"):
        raise BadData(change, "this is no change", "write it as sk:amount=14")
    prop = SK[name.removeprefix("sk:")]
    if name.removeprefix("sk:") in (*_OURS, "statedIn", "citedAt"):
        raise BadData(change, f"{name} is not for editing", "change what the statement says")
    graph.remove((one, prop, None))
    value = value.strip()
    if not value:
        return
    term: Node
    prefix, colon, local = value.partition(":")
    if prefix == "sk" and colon:
        term = SK[local]
    elif prefix in PREFIXES and colon:
        term = URIRef(PREFIXES[prefix] + local)
    elif re.fullmatch(r"-?\d+", value):
        term = Literal(int(value))
    elif re.fullmatch(r"-?\d+\.\d+", value):
        term = Literal(Decimal(value))
    elif value in ("true", "false"):
        term = Literal(value == "true")
    else:
        term = Literal(value)
    graph.add((one, prop, term))
    if name in ("sk:amount", "sk:unit"):
        _seconds(graph, one)


def _seconds(graph: Graph, one: URIRef) -> None:
    """Bring the seconds in line with a changed amount or unit."""
    from sekinin.reading.quantities import Quantity

    amount, unit = graph.value(one, SK.amount), graph.value(one, SK.unit)
    graph.remove((one, SK.seconds, None))
    if amount is not None and unit is not None:
        seconds = Quantity(Decimal(str(amount)), str(unit).removeprefix(PREFIXES["sk"]), 0, 0).seconds
        if seconds is not None:
            graph.add((one, SK.seconds, Literal(seconds)))


def published(path: Path) -> str:
    """Return what was accepted or edited as house Turtle, with the documents, sections and citations that it needs.

    Raises:
        Missing: if nothing is accepted.
        BadData: if a statement has changed since.
    """
    graph = load(path)
    states = {one: state(graph, one) for one in statements(graph)}
    changed = [shrink(str(one)) for one, how in states.items() if how == "Changed"]
    if changed:
        raise BadData(str(path), f"{len(changed)} statements changed after their review, first {changed[0]}", "review them again")
    taken = {one for one, how in states.items() if how in ("Accepted", "Edited")}
    if not taken:
        raise Missing(str(path), "nothing in it is accepted", "see: sekinin review accept --help")
    out = Graph()
    left = {one for one in states if one not in taken}
    for subject in set(graph.subjects()):
        if subject in left or (subject, RDF.type, URIRef(_OA + "SpecificResource")) in graph or (subject, RDF.type, SK.ReviewEvent) in graph:
            continue
        if (subject, RDF.type, URIRef(_OA + "TextPositionSelector")) in graph:
            continue
        for triple in graph.triples((subject, None, None)):
            out.add(triple)
    for one in taken:
        for citation in graph.objects(one, SK.citedAt):
            for node in (citation, graph.value(citation, URIRef(_OA + "hasSelector"))):
                for triple in graph.triples((node, None, None)):
                    out.add(triple)
        event = _event(graph, one)
        for triple in graph.triples((event, None, None)):
            out.add(triple)
    name = next((str(o) for o in graph.objects(None, URIRef(PREFIXES["dcterms"] + "title"))), path.stem)
    return turtle.write(out, f"{name}: read by rule, reviewed statement by statement.\nLicence: CC BY 4.0.")
