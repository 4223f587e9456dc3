"""The named questions: one ``.rq`` file each, header first, runnable as it stands.

A query answers for everything; a parameter narrows it. Parameters are bound as RDF
terms, so the text of the file is never edited.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

import pyoxigraph as ox

from sekinin import resources
from sekinin.errors import BadQuery, Missing
from sekinin.model import Parameter, Question
from sekinin.namespaces import PREFIXES, ontology_terms, shrink
from sekinin.store import Result, Store, Term

KINDS: Final = ("iri", "string", "integer")
_HEAD = re.compile(r"^#\+ ?([a-z-]+): *(.*)$")
_IRI = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:[^\s<>\"{}|\\^`\x00-\x20]+")


@dataclass(frozen=True)
class Bound:
    """A question with its parameters bound, ready to be asked."""

    question: Question
    terms: Mapping[str, Term]

    def ask(self, store: Store) -> Result:
        """Ask ``store``."""
        return store.query(self.text())

    def text(self) -> str:
        """Return the query with each parameter as its RDF term; the term is written by the RDF library, never pasted."""
        return _with_terms(self.question.text, self.terms)

    def unordered(self) -> Unordered:
        """Return the query without its order; whole where what it is ordered by cannot be told."""
        text = self.text()
        bare, keys = order(text)
        head = _RETURNED.search(bare)
        if not head:
            return Unordered(bare, keys, 0, False) if set(keys) <= set(self.question.returns) else Unordered(text, (), 0, False)
        more = [f"?{key}" for key in keys if f"?{key}" not in head[0].split()]
        if more and _GROUPED.search(bare):
            return Unordered(text, (), 0, False)
        return Unordered(" ".join((bare[: head.end()], *more)) + bare[head.end() :], keys, len(more), "DISTINCT" in head[0].split())


class Unordered(NamedTuple):
    """A query that leaves its order to whoever asks.

    The engine looks both terms up on disk at each comparison, which takes longer than to put the rows in order afterwards.

    Args:
        text: the query.
        keys: variables by which its rows are to be ordered; all of them are returned.
        more: how many of its last columns are there for the order alone.
        distinct: whether equal rows are one, once those columns are gone.
    """

    text: str
    keys: tuple[str, ...]
    more: int
    distinct: bool


_ORDER = re.compile(r"\nORDER BY((?: \?\w+)+)\s*\Z")
_RETURNED = re.compile(r"^SELECT(?: DISTINCT)?(?: \?\w+)+(?=\nWHERE)", re.M)
_GROUPED = re.compile(r"^\s*GROUP BY", re.M)


def order(text: str) -> tuple[str, tuple[str, ...]]:
    """Return a query without its order, and the names of the variables by which it is ordered; itself and none where it orders by anything else."""
    found = _ORDER.search(text)
    return (text[: found.start()], tuple(word[1:] for word in found[1].split())) if found else (text, ())


def read(path: Path) -> Question:
    """Read one question file.

    Raises:
        BadQuery: if its header is not as the house wants it.
    """
    text = path.read_text(encoding="utf-8")
    header: dict[str, str] = {}
    for line in text.splitlines():
        match = _HEAD.match(line)
        if not match:
            break
        header[match[1]] = match[2].strip()
    missing = [key for key in ("summary", "summary-ja") if not header.get(key)]
    if missing:
        raise BadQuery(f"{path}:1", f"the header has no {' and no '.join(missing)}", "add the line: #+ " + missing[0] + ": ...")
    params = tuple(_parameter(path, word.strip()) for word in header.get("params", "").split(",") if word.strip())
    returns = tuple(word.strip() for word in header.get("returns", "").split(",") if word.strip())
    name = resources.topic(path).removeprefix("queries/")
    return Question(name, path, text, header, params, returns)


def _parameter(path: Path, word: str) -> Parameter:
    match = re.fullmatch(r"(\w+)=(\w+)(?:\((.*)\))?", word)
    if not match or match[2] not in KINDS:
        raise BadQuery(f"{path}:1", f"parameter {word!r} is not name=kind", f"kinds are {', '.join(KINDS)}")
    return Parameter(match[1], match[2], match[3])


@cache
def catalogue() -> Mapping[str, Question]:
    """Return every question by its name, ``topic/question``."""
    questions = (read(path) for path in resources.question_files())
    return {question.name: question for question in questions}


def get(name: str) -> Question:
    """Return the question called ``topic/question``.

    Raises:
        Missing: naming the nearest ones.
    """
    questions = catalogue()
    if name in questions:
        return questions[name]
    near = get_close_matches(name, questions, n=3, cutoff=0.3)
    raise Missing(
        f"question {name}",
        "there is no question of this name",
        "did you mean " + " or ".join(near) if near else "see: sekinin query --list",
    )


def bind(question: Question, given: Mapping[str, str]) -> Bound:
    """Bind ``given`` parameters, as text, to the variables of ``question`` as typed RDF terms.

    Args:
        given: for an ``iri`` an absolute or prefixed IRI, for an ``integer`` its digits.
    Raises:
        BadQuery: for a parameter that the question has not, or whose text is not of its kind.
    """
    known = {p.name: p for p in question.params}
    for name in given:
        if name not in known:
            raise BadQuery(question.name, f"there is no parameter {name}", f"parameters are {', '.join(known) or 'none'}")
    texts = {p.name: given.get(p.name) or p.default for p in question.params}
    return Bound(question, {name: term(known[name], text) for name, text in texts.items() if text})


def term(parameter: Parameter, text: str) -> Term:
    """Return the RDF term that ``text`` means for ``parameter``.

    Raises:
        BadQuery: if it is not of the parameter's kind.
    """
    if parameter.name == "lang" and text not in ("ja", "en"):
        raise BadQuery(parameter.name, f"{text!r} is no language of the graph", "write ja or en")
    if parameter.kind == "string":
        return ox.Literal(text)
    if parameter.kind == "integer":
        if not re.fullmatch(r"-?\d{1,18}", text):
            raise BadQuery(parameter.name, f"{text!r} is not an integer", "write digits only, e.g. 72")
        return ox.Literal(int(text))
    bare = text[1:-1] if text.startswith("<") and text.endswith(">") else text
    prefix, _, local = bare.partition(":")
    iri = PREFIXES[prefix] + local if prefix in PREFIXES else bare
    try:
        if not _IRI.fullmatch(iri):
            raise ValueError(iri)
        node = ox.NamedNode(iri)
    except ValueError as why:
        raise BadQuery(parameter.name, f"{text!r} is not an IRI", "write it whole, or with a prefix such as id:service-talkz") from why
    term_ = iri.removeprefix(PREFIXES["sk"])
    if term_ != iri and term_ not in ontology_terms():
        near = get_close_matches(term_, ontology_terms(), n=1)
        raise BadQuery(parameter.name, f"the ontology has no term sk:{term_}", f"did you mean sk:{near[0]}?" if near else "see the page Words")
    return node


_TOKEN = re.compile(
    r"""(?P<escape>\\.)|(?P<iri><[^<>"{}|^`\\\s]*>)|(?P<text>"{3}(?:[^"\\]|\\.|"(?!""))*"{3}|'{3}(?:[^'\\]|\\.|'(?!''))*'{3}|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')|(?P<comment>\#[^\n\r]*)"""
    r"""|(?P<var>[?$]\w+)|(?P<word>[A-Za-z_][\w:.-]*)|(?P<mark>[{}()])""",
    re.S,
)
_FIXED: Final = r"(?i)(\bAS\s+|\bVALUES\s*\(?[^{{]*|\bBOUND\s*\(\s*|\bxsd:\w+\s*\(\s*)[?$]{}\b"
"""Where a variable must stay one: the text gives it a value, asks whether it has one, or casts it (pyoxigraph 0.5.13 fails there)."""
_HEADS: Final = ("SELECT", "GROUP", "ORDER", "HAVING", "VALUES", "CONSTRUCT", "DESCRIBE")
"""Words behind which, until the next brace, a variable stays one."""


@dataclass
class _Group:
    """One pair of braces that is open.

    Args:
        start: behind its opening brace; -1 for data, a template, or the braces around a subquery.
        keep: whether variables in it stay variables: those of MINUS must be shared, those of data are names.
        used: variables in it that stay variables.
        heads: of the subquery in it, the variables that it returns or groups by.
    """

    start: int
    keep: bool
    used: set[str]
    heads: set[str]


def _with_terms(text: str, terms: Mapping[str, Term]) -> str:
    """Return ``text`` with ``terms`` in the place of their variables.

    A variable is written as its term wherever a term may stand. Where it is returned, grouped by, or shared with MINUS, it stays, and a VALUES
    block at the head of its group gives it its value. What ``_FIXED`` finds stays everywhere.
    """
    named = {name: terms[name] for name in terms if re.search(rf"[?$]{name}\b", text)}
    fixed = {name for name in named if re.search(_FIXED.format(name), text)}
    outermost = _Group(-1, True, set(), set())
    opened = [outermost]
    closed: list[tuple[int, set[str]]] = []
    pieces: list[tuple[int, int, str]] = []
    before: list[str] = []  # words and marks since the last brace
    head = ""  # the clause of _HEADS that is being read
    for token in _TOKEN.finditer(text):
        here = opened[-1]
        if token["word"]:
            word = token["word"].upper()
            if word == "SELECT" and len(opened) > 1 and not before:
                here.start = -1  # the braces of a subquery are no group of their own
            head = word if word in _HEADS else "" if word in ("WHERE", "FILTER", "OPTIONAL", "BIND", "UNION", "MINUS", "GRAPH") else head
            before.append(word)
        elif token["var"]:
            name = token["var"][1:]
            if name in named:
                if head in ("SELECT", "GROUP", "DESCRIBE"):
                    here.heads.add(name)
                elif head or name in fixed or here.keep:
                    here.used.add(name)
                else:
                    pieces.append((token.start(), token.end(), str(named[name])))
        elif token["mark"] == "{":
            data = head in ("VALUES", "CONSTRUCT") and "WHERE" not in before
            keep = (here.keep and len(opened) > 1) or head == "VALUES" or before[-1:] == ["MINUS"]
            opened.append(_Group(-1 if data else token.end(), keep, set(), set()))
            if len(opened) == 2 or (not data and here.start < 0):  # the group of a query: what its head returns, it must give
                opened[-1].used |= here.heads
            before, head = [], ""
        elif token["mark"] == "}":
            group = opened.pop()
            closed.append((group.start, group.used))
            before, head = [], ""
    for start, used in closed:
        if start >= 0 and used:
            names = sorted(used)
            block = f" VALUES ({' '.join('?' + name for name in names)}) {{ ({' '.join(str(named[name]) for name in names)}) }} "
            pieces.append((start, start, block))
    for start, end, said in sorted(pieces, reverse=True):
        text = text[:start] + said + text[end:]
    return text


def asks(question: Question) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield the competency questions that ``question`` answers, each with the parameters that it needs.

    The header says ``#+ asks: CM-17 metric=id:metric-a; DV-01``; the expected answer of CM-17
    stands in ``<question>.CM-17.csv`` beside the file.
    """
    for word in filter(None, (part.strip() for part in question.header.get("asks", "").split(";"))):
        name, *pairs = word.split()
        yield name, dict(pair.split("=", 1) for pair in pairs)


def answer(store: Store, question: Question, given: Mapping[str, str]) -> list[list[str]]:
    """Return the answer as a table of text: the names of the columns, then the rows.

    IRIs are shortened by the prefixes of the house; what is unbound is the empty string.
    """
    result = bind(question, given).ask(store)
    if not isinstance(result, ox.QuerySolutions):
        raise BadQuery(question.name, "this question does not return rows", "ask one that is a SELECT")
    names = [v.value for v in result.variables]
    return [names, *([_text(solution[name]) for name in names] for solution in result)]


def _text(term: Term | None) -> str:
    if term is None:
        return ""
    return shrink(term.value) if isinstance(term, ox.NamedNode) else term.value
