"""The saved questions as pages ask them: by name, bound, and kept, since the data do not change under a version."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Final, TypeVar

from flask import current_app

from sekinin import queries
from sekinin.namespaces import PREFIXES, shrink
from sekinin.store import Row, rows
from webapp.answers import context, store
from webapp.words import language

MOST: Final = 200_000
"""Rows that are kept; what was asked longest ago goes first."""
_T = TypeVar("_T")
_Key = tuple[str, tuple[tuple[str, str], ...]]


class Kept:
    """The rows of what was asked last, safe for threads. A row that is kept must not be changed."""

    def __init__(self, most: int = MOST) -> None:
        self.most, self.size = most, 0
        self._rows: OrderedDict[_Key, tuple[Row, ...]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: _Key) -> tuple[Row, ...] | None:
        """Return what is kept for ``key``, if anything is."""
        with self._lock:
            if key in self._rows:
                self._rows.move_to_end(key)
            return self._rows.get(key)

    def put(self, key: _Key, found: tuple[Row, ...]) -> None:
        """Keep ``found``, and drop the oldest that no longer fit."""
        with self._lock:
            if key not in self._rows:
                self._rows[key] = found
                self.size += len(found) + 1
            while self.size > self.most and self._rows:
                self.size -= len(self._rows.popitem(last=False)[1]) + 1


def ask(name: str, **given: str) -> tuple[Row, ...]:
    """Return the rows of the saved question ``name``, in the language of this request unless another is given."""
    question = queries.get(name)
    if any(p.name == "lang" for p in question.params):
        given.setdefault("lang", language())
    if context().cache.most == 0:  # the operator wants nothing kept
        return tuple(rows(queries.bind(question, given).ask(store())))
    known: Kept = current_app.extensions.setdefault("sekinin-rows", Kept())
    key = (name, tuple(sorted(given.items())))
    found = known.get(key)
    if found is None:
        found = tuple(rows(queries.bind(question, given).ask(store())))
        known.put(key, found)
    return found


def kept(what: str, work: Callable[[], _T]) -> _T:
    """Return what ``work`` makes of rows that all pages share, made once for a version of the data; it must not be changed."""
    if context().cache.most == 0:
        return work()
    known: dict[str, _T] = context().known
    if what not in known:
        known[what] = work()
    return known[what]


def names(lang: str) -> Mapping[str, str]:
    """Return the names, by IRI, of what all papers share: words, areas, metrics, values, parties."""
    return kept(f"names {lang}", lambda: {row["thing"].value: row["label"].value for row in ask("resources/shared-names", lang=lang)})


def name(iri: str, lang: str) -> str:
    """Return the name of what all papers share, or its short IRI where it has none in ``lang``."""
    return names(lang).get(iri, shrink(iri)) if iri else ""


def quantity(amount: str, unit: str, lang: str) -> str:
    """Return an amount with the name of its unit as one writes it: ``7世代``, ``7 generations``, ``99 percent``."""
    if lang == "ja":
        return f"{amount}{name(unit, lang)}"
    return f"{amount} {name(unit, lang)}{'' if amount == '1' or unit == sk('Percent') else 's'}"


def text(row: Row, key: str) -> str:
    """Return the value of one column as text; unbound is empty."""
    return row[key].value if key in row else ""


def holds(row: Row, key: str) -> bool:
    """Whether a truth value is true; Virtuoso gives one that it computed as the integer 1 or 0."""
    return text(row, key) in ("true", "1")


def sk(local: str) -> str:
    """Return the IRI of a word of the ontology."""
    return PREFIXES["sk"] + local
