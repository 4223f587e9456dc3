"""Which nodes may break a shape: a quick look at each, so that pySHACL needs to judge only the few.

The look is never more lenient than pySHACL: a node that it lets pass has no finding, one that it does not may have none
either. What it cannot judge for certain it does not let pass; shapes that it cannot read at all it refuses, and pySHACL
judges the whole. ``tests/test_conform.py`` holds both against each other.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import lru_cache

from rdflib import Graph, Literal, URIRef
from rdflib.collection import Collection
from rdflib.namespace import RDF, RDFS, SH, XSD
from rdflib.term import Node

from sekinin.errors import BadData

Value = str | tuple[str, str, str]
"""An IRI as text, a blank node as ``_:name``, a literal as its text, datatype and language."""
Description = Mapping[str, list[Value]]
"""What is said of one node: values by property."""
Kinds = Callable[[str], frozenset[str]]
"""Gives all classes of a node, those above them too; none if nothing is known of it."""
Test = Callable[[Value, Kinds], bool]
Whole = Callable[[list[Value], Description], bool]

TYPE = str(RDF.type)
_STRING, _LANG, _HEX, _INTEGER, _DATE = (str(name) for name in (XSD.string, RDF.langString, XSD.hexBinary, XSD.integer, XSD.date))
_EXACT = {str(XSD.integer), str(XSD.decimal)}
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,17})(?:\.[0-9]{1,12})?")
_FORMS = {
    _HEX: re.compile("(?:[0-9a-f]{2})+"),
    _INTEGER: re.compile("0|-?[1-9][0-9]{0,17}"),
    str(XSD.decimal): re.compile(r"0|-?[1-9][0-9]{0,17}|-?(?:0|[1-9][0-9]{0,17})\.[0-9]{0,5}[1-9]"),
    str(XSD.boolean): re.compile("true|false"),
    str(XSD.gYearMonth): re.compile("[1-9][0-9]{3}-(?:0[1-9]|1[0-2])"),
    str(XSD.time): re.compile("(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"),
    str(XSD.anyURI): re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[!#-;=?-\[\]_a-z~]*"),
}
"""How a text of a datatype looks that every reader takes for one; days are looked up in the calendar."""
_SAID = {SH.message, SH.name, SH.description, SH.order, SH.group, SH.severity, RDF.type, RDFS.label, RDFS.comment, RDFS.isDefinedBy}
"""What a shape says to people, and what only pySHACL's report needs."""
_OF_SHAPES = ("path", "targetClass", "targetNode", "targetSubjectsOf", "targetObjectsOf", "property", "node", "and", "or", "not", "xone")
"""Whatever has one of these is a shape, declared or not."""


@dataclass
class Check:
    """What is asked of the values of one property.

    Args:
        path: the property.
        least: number of values at least; ``most`` at most.
        each: what every value must pass; ``all`` what they must pass together.
    """

    path: str
    least: int = 0
    most: float = float("inf")
    each: list[Test] = field(default_factory=list)
    all: list[Whole] = field(default_factory=list)

    def holds(self, node: Description, kinds: Kinds) -> bool:
        """Whether what is said of a node certainly passes."""
        values = node.get(self.path, [])
        if not self.least <= len(values) <= self.most:
            return False
        for test in self.each:
            for value in values:
                if not test(value, kinds):
                    return False
        return all(test(values, node) for test in self.all)


@dataclass
class Looks:
    """Shapes, ready to look at nodes.

    Args:
        checks: for each target class what is asked of its members.
        either: for each target class lists of checks; of each list one must hold.
        itself: for each target class what its members' own IRIs must pass.
    """

    checks: dict[str, list[Check]] = field(default_factory=dict)
    either: dict[str, list[list[Check]]] = field(default_factory=dict)
    itself: dict[str, list[Test]] = field(default_factory=dict)
    _of: dict[frozenset[str], tuple[list[Check], list[list[Check]], list[Test]]] = field(default_factory=dict)

    def passes(self, name: str, node: Description, classes: frozenset[str], kinds: Kinds) -> bool:
        """Whether no shape can have anything against the node ``name`` of these ``classes``, those above them included."""
        if classes not in self._of:
            wanted = sorted(classes & self.checks.keys())
            self._of[classes] = (
                [check for kind in wanted for check in self.checks[kind]],
                [options for kind in wanted for options in self.either[kind]],
                [test for kind in wanted for test in self.itself[kind]],
            )
        checks, either, itself = self._of[classes]
        return (
            all(check.holds(node, kinds) for check in checks)
            and all(any(check.holds(node, kinds) for check in options) for options in either)
            and all(test(name, kinds) for test in itself)
        )


def compiled(shapes: Graph) -> Looks:
    """Return ``shapes``, ready to look.

    Raises:
        BadData: naming what it cannot read; pySHACL must then judge the whole.
    """
    looks = Looks()
    used = set(shapes.objects(None, SH.property)) | {node for options in shapes.objects(None, SH["or"]) for node in Collection(shapes, options)}
    told = {shape for word in _OF_SHAPES for shape in shapes.subjects(SH[word], None)}
    for shape in set(shapes.subjects(RDF.type, SH.NodeShape)) | (told - used):
        checks: list[Check] = []
        either: list[list[Check]] = []
        itself: list[Test] = []
        for predicate, value in shapes.predicate_objects(shape):
            if predicate == SH.property:
                checks.append(_check(shapes, value))
            elif predicate == SH["or"]:
                either.append([_check(shapes, option) for option in Collection(shapes, value)])
            elif predicate == SH.pattern or (predicate == SH.nodeKind and value == SH.IRI):
                itself.append(_MAKERS[str(predicate).removeprefix(str(SH))]([value]))
            elif predicate not in _SAID | {SH.targetClass}:
                raise _unread(shape, predicate)
        targets = list(shapes.objects(shape, SH.targetClass))
        if not targets or (shape, RDF.type, RDFS.Class) in shapes:
            raise _unread(shape, SH.targetClass)
        for target in targets:
            looks.checks.setdefault(str(target), []).extend(checks)
            looks.either.setdefault(str(target), []).extend(either)
            looks.itself.setdefault(str(target), []).extend(itself)
    return looks


def _unread(shape: Node, predicate: Node) -> BadData:
    return BadData("shapes/", f"the quick look cannot read {predicate} of {shape}", "pySHACL judges the whole graph instead")


def _check(shapes: Graph, shape: Node) -> Check:
    path = shapes.value(shape, SH.path)
    if not isinstance(path, URIRef):
        raise _unread(shape, SH.path)
    check = Check(str(path))
    for predicate, value in shapes.predicate_objects(shape):
        if predicate in _SAID or predicate == SH.path:
            continue
        word = str(predicate).removeprefix(str(SH))
        if not str(predicate).startswith(str(SH)):
            raise _unread(shape, predicate)
        if word == "minCount":
            check.least = max(check.least, int(str(value)))
        elif word == "maxCount":
            check.most = min(check.most, int(str(value)))
        elif word == "uniqueLang":
            check.all.append(_unique)
        elif word == "lessThan":
            check.all.append(_less(str(value)))
        elif word in ("in", "languageIn"):
            check.each.append(_MAKERS[word]([*Collection(shapes, value)]))
        elif word in _MAKERS and not (word == "nodeKind" and value != SH.IRI):
            check.each.append(_MAKERS[word]([value]))
        else:
            raise _unread(shape, predicate)
    return check


def _class(wanted: list[Node]) -> Test:
    class_ = str(wanted[0])
    return lambda value, kinds: isinstance(value, str) and class_ in kinds(value)


def _datatype(wanted: list[Node]) -> Test:
    datatype = str(wanted[0])
    return lambda value, _: not isinstance(value, str) and value[1] == datatype and _well(value[0], datatype)


def _iri(_: list[Node]) -> Test:
    return lambda value, _kinds: isinstance(value, str) and not _nameless(value)


def _in(wanted: list[Node]) -> Test:
    allowed = {str(node) for node in wanted if isinstance(node, URIRef)}
    texts = {str(node) for node in wanted if isinstance(node, Literal) and not node.language and node.datatype in (None, XSD.string)}
    return lambda value, _: value in allowed if isinstance(value, str) else value[1] == _STRING and value[0] in texts


def _languages(wanted: list[Node]) -> Test:
    allowed = {str(node).lower() for node in wanted}
    return lambda value, _: not isinstance(value, str) and value[2].lower() in allowed


def _pattern(wanted: list[Node]) -> Test:
    found = re.compile(str(wanted[0]))
    return lambda value, _: not _nameless(value) and _as_written(value) and bool(found.search(value if isinstance(value, str) else value[0]))


def _long(wanted: list[Node]) -> Test:
    most = int(str(wanted[0]))
    return lambda value, _: not _nameless(value) and _as_written(value) and len(value if isinstance(value, str) else value[0]) <= most


def _bound(fits: Callable[[Decimal, Decimal], bool]) -> Callable[[list[Node]], Test]:
    def make(wanted: list[Node]) -> Test:
        bound = Decimal(str(wanted[0]))
        return lambda value, _: (number := _number(value)) is not None and fits(number, bound)

    return make


_MAKERS: dict[str, Callable[[list[Node]], Test]] = {
    "class": _class, "datatype": _datatype, "nodeKind": _iri, "in": _in, "languageIn": _languages, "pattern": _pattern, "maxLength": _long,
    "minInclusive": _bound(lambda a, b: a >= b), "maxInclusive": _bound(lambda a, b: a <= b), "minExclusive": _bound(lambda a, b: a > b),
}  # fmt: skip


def _unique(values: list[Value], _: Description) -> bool:
    languages = [value[2].lower() for value in values if not isinstance(value, str) and value[2]]
    return len(set(languages)) == len(languages)


def _less(other: str) -> Whole:
    def test(values: list[Value], node: Description) -> bool:
        smaller, larger = [_comparable(v) for v in values], [_comparable(v) for v in node.get(other, [])]
        return all(a is not None and b is not None and a[0] == b[0] and a[1] < b[1] for a in smaller for b in larger)

    return test


def _comparable(value: Value) -> tuple[str, Decimal] | None:
    number = _number(value)
    if number is not None:
        return "number", number
    if not isinstance(value, str) and value[1] == str(XSD.time) and re.fullmatch(r"[0-2]\d:[0-5]\d:[0-5]\d", value[0]):
        return "time", Decimal(value[0].replace(":", ""))
    return None


def _number(value: Value) -> Decimal | None:
    """Return the number that a value certainly is; rdflib reads no other one from it."""
    if isinstance(value, str) or value[1] not in _EXACT or not _NUMBER.fullmatch(value[0]):
        return None
    return Decimal(value[0]) if value[1] != _INTEGER or "." not in value[0] else None


def _nameless(value: Value) -> bool:
    return isinstance(value, str) and value.startswith("_:")


def _as_written(value: Value) -> bool:
    """Whether rdflib keeps the text of an IRI or a literal as it stands."""
    if isinstance(value, str):
        return True
    text, datatype, _ = value
    return datatype in (_STRING, _LANG) or _well(text, datatype)


@lru_cache(100_000)
def _well(text: str, datatype: str) -> bool:
    """Whether a text certainly is one of its datatype, written as rdflib would write it.

    rdflib is not asked: what it takes for well-typed depends on tables that owlrl and pySHACL change in the process they run in.
    """
    if datatype in (_STRING, _LANG):
        return True
    if datatype == _DATE:
        return re.fullmatch(r"\d{4}-\d\d-\d\d", text, re.ASCII) is not None and _a_day(text)
    form = _FORMS.get(datatype)
    return form is not None and form.fullmatch(text) is not None


def _a_day(text: str) -> bool:
    try:
        return bool(date.fromisoformat(text))
    except ValueError:
        return False


def suspects(looks: Looks, nodes: Iterable[tuple[str, Description]], classes: Callable[[str], frozenset[str]]) -> list[str]:
    """Return those of ``nodes`` that do not certainly pass.

    Args:
        classes: gives all classes of a node, those above them too.
    """
    return [name for name, node in nodes if (kinds := classes(name)) and not looks.passes(name, node, kinds, classes)]
