"""The saved questions as pages ask them: by name, bound, and kept, since the data do not change under a version."""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from math import inf
from typing import Final, TypeVar

import pyoxigraph as ox
from flask import current_app

from sekinin import queries
from sekinin.namespaces import PREFIXES, shrink
from sekinin.queries import Bound
from sekinin.store import Row, Term, rows
from webapp.answers import context, store
from webapp.words import language

MOST: Final = 200_000
"""Rows that are kept; what was asked longest ago goes first."""
_T = TypeVar("_T")
_ORDER: Final = re.compile(r"\nORDER BY((?: \?\w+)+)\s*\Z")
_NUMBERS: Final = frozenset(PREFIXES["xsd"] + name for name in ("integer", "decimal", "double", "float"))
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
        return _ordered(queries.bind(question, given))
    known: Kept = current_app.extensions.setdefault("sekinin-rows", Kept())
    key = (name, tuple(sorted(given.items())))
    found = known.get(key)
    if found is None:
        found = _ordered(queries.bind(question, given))
        known.put(key, found)
    return found


def _ordered(bound: Bound) -> tuple[Row, ...]:
    """Return the rows of a question, put in their order here.

    The engine looks both terms up on disk at each comparison, which takes longer than all the rest.
    """
    query = bound.text()
    order = _ORDER.search(query)
    keys = [name[1:] for name in order[1].split()] if order else []
    if not order or not set(keys) <= set(bound.question.returns):  # what is not returned cannot be compared here
        return tuple(rows(store().query(query)))
    found = rows(store().query(query[: order.start()]))
    return tuple(sorted(found, key=lambda row: [_rank(row.get(key)) for key in keys]))


def _rank(term: Term | None) -> tuple[int, float, str, str]:
    """Return where a term stands among others: what is unbound, blank nodes, IRIs, numbers, other literals.

    Source: SPARQL 1.1 Query Language, section 15.1.
    """
    if isinstance(term, ox.Literal):
        number = float(term.value) if term.datatype.value in _NUMBERS else inf
        return 3, number, term.value, term.language or ""
    return (0, 0, "", "") if term is None else (1 if isinstance(term, ox.BlankNode) else 2, 0, term.value, "")


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
