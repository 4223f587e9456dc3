"""A long answer piece by piece: whatever its rows are ordered by first is asked for one after the other, service by service.

To order the rows of ten thousand services the engine works all of them out, and nobody reads them at once. One service takes it milliseconds,
and its rows stand together, so that a page costs what it shows, wherever it begins. A long answer that is ordered by nothing of which there are
many comes as the store has it, page after page.
"""

from __future__ import annotations

import time
from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from sekinin import queries
from sekinin.errors import BadQuery
from sekinin.model import Parameter, Question
from sekinin.store import Term, rows
from webapp.answers import Tabled, answer, store, table
from webapp.choices import CLASSES, GRAPHS
from webapp.graphstore import register
from webapp.saved import job_of, kept, tabled

FEW: Final = 100
"""Services up to which every answer is worked out whole, and members of any other class."""
SECONDS: Final = 0.6
"""Time after which a page of the API ends, however few its rows; one member is always asked to its end."""
LONG: Final = 10_000
"""Rows up to which, of many services, an answer that is worked out whole is put in order."""


@dataclass(frozen=True)
class Piece:
    """Some rows of an answer: in its order, member by member, or as the store has them.

    Args:
        table: the rows.
        first: place of the first member that was asked, or of the first row, from 1.
        last: place of the last.
        members: how many there are; 0 where the rows come as the store has them, and nobody has counted them.
        further: the member with which the next piece begins, or the empty string, and how many rows are told already; None at the end.
    """

    table: Tabled
    first: int
    last: int
    members: int
    further: tuple[str, int] | None


def parameter_of(question: Question, given: Mapping[str, str]) -> Parameter | None:
    """Return the parameter whose members are asked one after the other; None where the answer is worked out whole.

    It is the first variable of the order that the request leaves open, where there are many services and its class has many members.
    A question says ``whole:`` in its header, and why, where its rows are not those of the members together.
    """
    _, order = queries.order(question.text)
    if not order or "whole" in question.header or not large():
        return None
    known = {parameter.name: parameter for parameter in question.params}
    for name in order:
        parameter = known.get(name)
        if parameter is None or (not given.get(name) and (parameter.default or name not in (*CLASSES, *GRAPHS) or name not in question.returns)):
            return None
        if not given.get(name):
            return parameter if len(members(question, parameter)) > FEW else None
    return None


def large() -> bool:
    """Whether there are so many services that not everything is worked out at once."""
    return len(_members(CLASSES["service"])) > FEW


def stretch(question: Question, given: Mapping[str, str], offset: int, limit: int) -> Piece | Tabled:
    """Return the whole of an answer in its order, or, of one of more than ``LONG`` rows, those from a place in it as the store has them.

    Args:
        offset: rows to leave out of a long one.
        limit: most rows of a long one.
    """
    whole = tabled(question, given, LONG)
    if not whole.cut:
        return whole
    bound = queries.bind(question, given)
    if offset + limit < len(whole.rows) and not bound.unordered().more:  # the rows of this query, as far as they were read
        found = replace(whole, rows=whole.rows[offset : offset + limit + 1])
    else:
        bare, _ = queries.order(bound.text())
        found = table(answer(replace(job_of(bound), text=f"{bare}\nLIMIT {limit + 1} OFFSET {offset}")))
    some = found.rows[:limit]
    end = offset + len(some)
    return Piece(Tabled(found.names, some, 0), offset + 1, end, 0, ("", end) if found.cut or len(found.rows) > limit else None)


def members(question: Question, parameter: Parameter) -> list[str]:
    """Return the IRIs that a parameter may be, in order; read once for a version of the data.

    They are the members of its class, or what the question that ``members:`` in the header names returns.
    """
    if parameter.name in GRAPHS:
        return list(register().graphs)
    return _members(CLASSES[parameter.name], question.header.get("members", ""))


def _members(class_: str, listed: str = "") -> list[str]:
    bound = queries.bind(queries.get(listed or "choices/members"), {} if listed else {"class": class_})
    return kept(f"iris {listed or class_}", lambda: sorted({row["value"].value for row in rows(store().query(bound.unordered().text))}))


def piece(
    question: Question, given: Mapping[str, str], parameter: Parameter, start: str, offset: int, limit: int, seconds: float | None = None
) -> Piece:
    """Return the rows of an answer from a place in it.

    Args:
        parameter: as ``parameter_of`` says.
        start: the member to begin with; empty for the first.
        offset: rows to leave out from there.
        limit: most rows.
        seconds: after which it ends; ``SECONDS`` if None.
    Raises:
        BadQuery: if there is no such member.
    """
    known = members(question, parameter)
    iri = queries.term(parameter, start).value if start else known[0]
    first = here = bisect_left(known, iri)
    if known[here : here + 1] != [iri]:
        raise BadQuery(
            "from", f"{start[:100]} is none of those that are asked", f"take it from the link to the next page, or leave it out, of {question.name}"
        )
    until = time.monotonic() + (SECONDS if seconds is None else seconds)
    names: tuple[str, ...] = ()
    found: tuple[tuple[Term | None, ...], ...] = ()
    left = 0  # rows of the last member that did not fit
    while here < len(known) and len(found) < limit and (here == first or time.monotonic() < until):
        said = tabled(question, {**given, parameter.name: known[here]})
        names = said.names
        some = said.rows[offset : offset + limit - len(found)]
        begun, offset = offset, max(0, offset - len(said.rows))
        left = len(said.rows) - begun - len(some)
        found += some
        here += 1
    if left > 0:
        further: tuple[str, int] | None = known[here - 1], begun + len(some)
    else:
        further = (known[here], offset) if here < len(known) else None
    return Piece(Tabled(names, found, 0), first + 1, here, len(known), further)
