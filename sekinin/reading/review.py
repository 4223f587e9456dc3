"""A person decides: each statement of a draft beside its passage is accepted, edited or rejected, and what was accepted goes on record.

A decision names its reviewer and the digest of the statement as it was. A statement that changes later does not have that
digest any more, and needs review again; nothing is published that nobody accepted.
"""

from __future__ import annotations

import fcntl
import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
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
_FIXED: Final = (*_OURS, "statedIn", "citedAt")
_LABELS: Final = {"skos:prefLabel@ja": "ja", "skos:prefLabel@en": "en"}
STATES: Final = ("Unreviewed", "Changed", "Accepted", "Edited", "Rejected")
LONGEST: Final = 1000
"""Characters of a change, or of a reviewer's name."""
_DECISIONS: Final = {"accept": "Accepted", "edit": "Edited", "reject": "Rejected"}


@dataclass(frozen=True)
class Entry:
    """A statement as a reviewer sees it.

    Args:
        state: ``Unreviewed``, ``Accepted``, ``Edited``, ``Rejected``, or ``Changed`` where it is not as it was accepted.
        passage: from the text beside the draft; empty where that is not there or has another digest.
        labels: in Japanese and English.
        facts: what can be edited, as in ``("sk:amount", "14")``: each property with one value that has no language.
        seen: digest of the statement and its last decision, to give back with the next one.
        reviewer: who decided last; empty before anybody did.
        decided: when, as ISO 8601.
    """

    iri: str
    cls: str
    label: str
    state: str
    rule: str
    confidence: float
    section: str
    passage: str
    labels: tuple[str, str] = ("", "")
    facts: tuple[tuple[str, str], ...] = ()
    seen: str = ""
    reviewer: str = ""
    decided: str = ""


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
        event = _event(graph, one)
        person = graph.value(event, URIRef(_PROV + "wasAssociatedWith")) if event else None
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
                (_label(labels, "ja"), _label(labels, "en")),
                tuple(_facts(graph, one)),
                seen(graph, one),
                _label((o for o in graph.objects(person, SKOS.prefLabel) if isinstance(o, Literal)), language) if person else "",
                str(graph.value(event, URIRef(_PROV + "endedAtTime")) or "") if event else "",
            )
        )
    return out


def _label(labels: Iterable[Literal], language: str) -> str:
    return next((str(o) for o in labels if o.language == language), "")


def _facts(graph: Graph, one: Node) -> Iterator[tuple[str, str]]:
    """Yield what can be edited of a statement, in the words of a change."""
    for p in sorted(set(graph.predicates(one)), key=str):
        name = str(p).removeprefix(PREFIXES["sk"])
        values = list(graph.objects(one, p))
        if name == str(p) or name in (*_FIXED, "seconds") or len(values) != 1 or (isinstance(values[0], Literal) and values[0].language):
            continue
        value = shrink(str(values[0])) if isinstance(values[0], URIRef) else str(values[0])
        if not value.startswith("<"):
            yield f"sk:{name}", value


def seen(graph: Graph, one: Node) -> str:
    """Return a digest of a statement and its last decision: whoever decides says with it what was before their eyes."""
    event = _event(graph, one)
    last = sorted(f"{p} {o}" for p, o in graph.predicate_objects(event)) if event else []
    said = [content_hash(graph, one), str(graph.value(one, SK.reviewStatus)), *last]
    return hashlib.sha256("\n".join(said).encode("utf-8")).hexdigest()


@contextmanager
def _held(path: Path) -> Iterator[None]:
    """Hold a draft, so that of two decisions at once the second is made upon what the first wrote."""
    with (path.parent / f".{path.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


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


def decide(
    path: Path,
    decision: str,
    names: Iterable[str],
    reviewer: str,
    least: float | None = None,
    changes: Iterable[str] = (),
    as_seen: Mapping[str, str] | None = None,
) -> list[str]:
    """Accept, edit or reject statements of a draft, and write it; two at once do not lose one.

    Args:
        decision: ``accept``, ``edit`` or ``reject``.
        names: statements, as ``id:cm-…``.
        least: with this, also every undecided one of at least this confidence.
        changes: of an edit, as ``sk:amount=14`` or ``skos:prefLabel@ja=…``; an empty value takes the property away.
        as_seen: for each name, what ``Entry.seen`` was; a statement that is not so any more is not decided upon.
    Returns:
        the names of what was decided upon.
    Raises:
        Missing: for a statement that is not there.
        BadData: if the reviewer has no name, a change cannot be made, or a statement is not as it was seen.
    """
    reviewer, changes = reviewer.strip(), list(changes)
    if not reviewer:
        raise BadData("--reviewer", "a decision has somebody who made it", "give your name")
    if not reviewer.isprintable() or len(reviewer) > LONGEST:
        raise BadData("--reviewer", "this is no name", "give your name")
    if not path.is_file():
        raise Missing(str(path), "there is no such draft", "see the drafts that are there, or read the paper again")
    with _held(path):
        graph = load(path)
        found = chosen(graph, names, least)
        if not found:
            raise Missing(str(path), "there is nothing to decide upon", "name statements, or give --least")
        for one in found:
            if as_seen is not None and as_seen.get(shrink(str(one))) != seen(graph, one):
                raise BadData(shrink(str(one)), "it is not as you saw it: somebody decided or changed it meanwhile", "look at it again")
        for one in found:
            for change in changes:
                _change(graph, one, change)
            _record(graph, one, _DECISIONS[decision], reviewer)
        write_whole(path, _written(path, graph))
    return [shrink(str(one)) for one in found]


def _written(path: Path, graph: Graph) -> bytes:
    head = [line.removeprefix("#").strip() for line in path.read_text(encoding="utf-8").splitlines() if line.startswith("#")]
    return turtle.write(graph, "\n".join(head)).encode("utf-8")


def _record(graph: Graph, one: URIRef, outcome: str, reviewer: str) -> None:
    """Put a decision on record; the one before it goes."""
    event = URIRef(f"{_ID}review-{str(one).removeprefix(_ID)}")
    graph.remove((event, None, None))
    short = slug(reviewer) if reviewer.isascii() else hashlib.sha256(reviewer.encode()).hexdigest()[:10]  # 山田 Taro is not 田中 Taro
    person = URIRef(f"{_ID}person-{short}")
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
    """Make one change: ``sk:amount=14``, ``sk:assessedStatus=sk:Partial``, ``sk:vendorMark=``, ``skos:prefLabel@ja=保存期間``."""
    name, equals, value = change.partition("=")
    value = value.strip()
    if not equals or not (name.startswith("sk:") or name in _LABELS) or len(change) > LONGEST or not change.isprintable():
        raise BadData(change[:100], "this is no change", "write it as sk:amount=14")
    if name in _LABELS:
        if not value:
            raise BadData(name, "a statement has a label in each language", "write one")
        for label in [o for o in graph.objects(one, SKOS.prefLabel) if isinstance(o, Literal) and o.language == _LABELS[name]]:
            graph.remove((one, SKOS.prefLabel, label))
        graph.add((one, SKOS.prefLabel, Literal(value, _LABELS[name])))
        return
    prop = SK[name.removeprefix("sk:")]
    if name.removeprefix("sk:") in _FIXED:
        raise BadData(change, f"{name} is not for editing", "change what the statement says")
    term = _term(change, value)
    if name == "sk:amount" and value and not (isinstance(term, Literal) and type(term.toPython()) in (int, Decimal)):
        raise BadData(change, "an amount is a number", "write it as sk:amount=14")
    graph.remove((one, prop, None))
    if value:
        graph.add((one, prop, term))
    if name in ("sk:amount", "sk:unit"):
        _seconds(graph, one)


def _term(change: str, value: str) -> Node:
    """Return what the value of a change stands for: a name with a prefix of ours, a number, true or false, or text."""
    prefix, colon, local = value.partition(":")
    if prefix in PREFIXES and colon:
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._/-]*", local):
            raise BadData(change, f"{value} is no name", "write it as sk:Week")
        return SK[local] if prefix == "sk" else URIRef(PREFIXES[prefix] + local)
    if re.fullmatch(r"-?[0-9]{1,18}", value):
        return Literal(int(value))
    if re.fullmatch(r"-?[0-9]{1,18}\.[0-9]{1,18}", value):
        return Literal(Decimal(value))
    return Literal(value == "true") if value in ("true", "false") else Literal(value)


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
