"""The frameworks as the reader needs them: numbers, and titles in both languages, taken from the graph's own files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

import pyoxigraph as ox

from sekinin import resources
from sekinin.namespaces import FRAMEWORKS, PREFIXES
from sekinin.reading.letters import likeness, title_key

READ: Final = ("c17", "c13", "c22", "meti")
"""The frameworks, by their prefix, that headings are held against."""


@dataclass(frozen=True)
class Framework:
    """One edition of one framework.

    Args:
        controls: title keys in each language, by number; groups are not among them.
        groups: the same for chapters and objectives.
        titles: Japanese and English titles as the graph has them, by number.
    """

    prefix: str
    name: str
    controls: Mapping[str, tuple[str, ...]]
    groups: Mapping[str, tuple[str, ...]]
    titles: Mapping[str, tuple[str, ...]]

    def resembles(self, number: str, key: str) -> float:
        """Return how much a title key is like the title of ``number``, from 0 to 1."""
        return max((likeness(key, known) for known in self.controls.get(number, ())), default=0.0)

    def nearest(self, key: str) -> tuple[str, float]:
        """Return the control whose title is most like ``key``, and how much."""
        return max(((number, self.resembles(number, key)) for number in self.controls), key=lambda pair: pair[1], default=("", 0.0))


@cache
def framework(prefix: str) -> Framework:
    """Return a framework by its prefix, as ``c17``."""
    name = FRAMEWORKS[prefix]
    content = resources.framework_file(name).read_bytes()
    kinds: dict[str, str] = {}
    titles: dict[str, list[str]] = {}
    space, sk, skos = PREFIXES[prefix], PREFIXES["sk"], PREFIXES["skos"]
    for triple in ox.parse(content, ox.RdfFormat.TURTLE):
        if not isinstance(triple.subject, ox.NamedNode) or not triple.subject.value.startswith(space):
            continue
        number = triple.subject.value.removeprefix(space)
        if not number:
            continue
        if triple.predicate.value == PREFIXES["rdf"] + "type" and isinstance(triple.object, ox.NamedNode):
            kind = triple.object.value.removeprefix(sk)
            if kind in ("Control", "CloudControl", "ControlGroup", "CheckItem"):
                kinds[number] = "group" if kind == "ControlGroup" else "control"
        elif triple.predicate.value in (skos + "prefLabel", skos + "altLabel") and isinstance(triple.object, ox.Literal):
            titles.setdefault(number, []).append(triple.object.value)
    keys = {number: tuple(title_key(title) for title in found) for number, found in titles.items()}
    return Framework(
        prefix,
        name,
        {number: keys.get(number, ()) for number, kind in kinds.items() if kind == "control"},
        {number: keys.get(number, ()) for number, kind in kinds.items() if kind == "group"},
        {number: tuple(found) for number, found in titles.items()},
    )
