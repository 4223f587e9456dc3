"""The saved questions as pages ask them: by name, bound, and kept, since the data do not change under a version."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from math import inf
from typing import Final, TypeVar

import pyoxigraph as ox
from flask import current_app

from sekinin import queries
from sekinin.model import Question
from sekinin.namespaces import PREFIXES, shrink
from sekinin.queries import Bound, Unordered
from sekinin.store import Row, Term
from sekinin.workers import Job
from webapp.answers import Tabled, answer, context, inference, store, table
from webapp.kept import Kept
from webapp.words import language

MOST: Final = 200_000
"""Rows that are kept; what was asked longest ago goes first."""
_T = TypeVar("_T")
_Terms = tuple[Term | None, ...]
_NUMBERS: Final = frozenset(PREFIXES["xsd"] + name for name in ("integer", "decimal", "double", "float"))
Key = tuple[str, tuple[tuple[str, str], ...]]
"""The name of a question and what it was given."""


def ask(name: str, **given: str) -> tuple[Row, ...]:
    """Return the rows of the saved question ``name``, in the language of this request unless another is given."""
    question = queries.get(name)
    if any(p.name == "lang" for p in question.params):
        given.setdefault("lang", language())
    if context().cache.most == 0:  # the operator wants nothing kept
        return _ordered(queries.bind(question, given))
    known: Kept[Key, tuple[Row, ...]] = current_app.extensions.setdefault("sekinin-rows", Kept(MOST, lambda _, found: len(found) + 1))
    key = (name, tuple(sorted(given.items())))
    found = known.get(key)
    if found is None:
        found = _ordered(queries.bind(question, given))
        known.put(key, found)
    return found


def _ordered(bound: Bound) -> tuple[Row, ...]:
    """Return the rows of a question, put in their order here."""
    query = bound.unordered()
    result = store().query(query.text)
    assert isinstance(result, ox.QuerySolutions)
    names = [variable.value for variable in result.variables]
    found = in_order(query, names, (tuple(row) for row in result))
    return tuple({name: term for name, term in zip(names, row, strict=False) if term is not None} for row in found)


def job_of(bound: Bound) -> Job:
    """Return the job that asks a question, its rows as JSON, with or without inference as this request wants it."""
    return Job(bound.text(), rows="json", inference=inference())


def tabled(question: Question, given: Mapping[str, str], most: int = 0) -> Tabled:
    """Return the answer to a question through the workers, its rows put in their order here; kept for the next page of it.

    Args:
        most: rows after which an answer is cut off, and is in no order; 0 for as many as the server gives, in order.
    Raises:
        SekininError: as ``Pool.ask`` does.
    """
    bound, here = queries.bind(question, given), context()
    job = replace(job_of(bound), most=most)
    found = here.tables.get(job)
    if found is None:
        found = _tabled(bound, job)
        if here.cache.most:  # else the operator wants nothing kept
            here.tables.put(job, found)
    return found


def _tabled(bound: Bound, job: Job) -> Tabled:
    query = bound.unordered()
    text = f"{query.text}\nLIMIT {job.most + 1}" if job.most else query.text  # one row more, instead of asking again for as many
    found = table(answer(replace(job, text=text, most=0), keep=False))
    if job.most and (found.cut or len(found.rows) > job.most):
        return replace(found, cut=found.cut or job.most)
    if found.cut and query.keys:  # of a part, which rows come first only the engine can tell
        return table(answer(job))
    return Tabled(found.names[: len(found.names) - query.more], in_order(query, found.names, found.rows), found.cut)


def in_order(query: Unordered, names: Sequence[str], found: Iterable[_Terms]) -> tuple[_Terms, ...]:
    """Return rows in the order that a query wants, without what it gave for that alone."""
    places = [names.index(key) for key in query.keys]
    ordered = sorted(found, key=lambda row: [_rank(row[place]) for place in places])
    if not query.more:
        return tuple(ordered)
    bare = (row[: -query.more] for row in ordered)
    return tuple(dict.fromkeys(bare) if query.distinct else bare)


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
