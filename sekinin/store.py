"""The store: where built triples are asked, embedded or on a server.

The embedded store is pyoxigraph, opened for reading; whoever runs a SPARQL server
names its address instead. Both answer the same four kinds of query.
"""

from __future__ import annotations

import json
import math
import re
import time
import warnings
from collections.abc import Iterable, Iterator
from http.client import HTTPException, IncompleteRead
from pathlib import Path
from typing import Any, Final, Protocol
from urllib.error import HTTPError

import pyoxigraph as ox

from sekinin.account import Account
from sekinin.errors import BadQuery, Missing, Refused, StoreFailure, TooLong
from sekinin.namespaces import BASE, PREFIXES

Term = ox.NamedNode | ox.BlankNode | ox.Literal
Row = dict[str, Term]

NOISE = re.compile(
    r"""<(?:[^<>"{}|^`\\\x00-\x20]|\\u[0-9A-Fa-f]{4}|\\U[0-9A-Fa-f]{8})*>|"{3}(?:"{0,2}(?:[^"\\]|\\.))*"{3}|'{3}(?:'{0,2}(?:[^'\\]|\\.))*'{3}"""
    r"""|"(?:[^"\\\n\r]|\\.)*"|'(?:[^'\\\n\r]|\\.)*'|\#[^\n\r]*|\\.""",
    re.S,
)
"""What a query says in IRIs, strings, comments and escaped characters of names, exactly as SPARQL 1.1 delimits them."""
_UPDATE = re.compile(
    r"(?<![?$\w:-])(INSERT|DELETE|LOAD|CLEAR|CREATE|DROP|COPY|MOVE|ADD)\b\s*(DATA|INTO|GRAPH|SILENT|ALL|NAMED|DEFAULT|WHERE|\{|<)", re.I
)
_WORD = re.compile(r"[{}]|[^\s{}]+")
_KEYWORD = re.compile("SERVICE", re.I)
_IN_NAME = re.compile(r"[:?$][\w%:-]*$")
_FROM = re.compile(r"(?<![?$\w:-])FROM\s*(NAMED\b|<|[^\s<>{}()]*:)", re.I)
_PREFIX = re.compile(r"\bPREFIX\s+([A-Za-z][\w-]*):\s*<([^<>]*)>", re.I)
_DOTTED = re.compile(NOISE.pattern + r"|(?<![\w:?$@-])(?P<prefix>[A-Za-z][\w-]*):(?P<local>\w[\w-]*(?:\.[\w-]+){2,})", re.S)
_FORM = re.compile(r"(?<![?$\w:-])(SELECT|ASK|CONSTRUCT|DESCRIBE)\b(?!:)", re.I)
LISTED: Final = "<!>"
"""How the skeleton of a query shows a server that may be called."""
_CODEPOINT = re.compile(r"\\u([0-9A-Fa-f]{4})|\\U([0-9A-Fa-f]{8})")
_BOOLEAN: Final = '{{"head":{{}},"boolean":{}}}'
_PLACE = re.compile(r"error at (\d+):(\d+): (.*)", re.S)


class Triples:
    """The answer to a CONSTRUCT or DESCRIBE: its triples, once."""

    def __init__(self, triples: Iterable[ox.Triple]) -> None:
        self._triples = triples

    def __iter__(self) -> Iterator[ox.Triple]:
        return iter(self._triples)


Result = ox.QuerySolutions | ox.QueryBoolean | Triples


class Store(Protocol):
    """What every store can do; it is open for reading only."""

    def query(
        self,
        text: str,
        default_graph: Iterable[str] = (),
        named_graphs: Iterable[str] = (),
    ) -> Result:
        """Answer one SPARQL 1.1 query over the union of all graphs, or over those it names."""
        ...


def skeleton(text: str) -> str:
    """Return a query without its IRIs, strings and comments, so that keywords can be told from text.

    Escaped characters in names become ``_``: a quote or ``#`` behind a backslash opens nothing.
    Source: SPARQL 1.1 Query Language, sections 19.4 (comments) and 19.8 (grammar).
    """
    return _bared(text, frozenset())


def _bared(text: str, listed: frozenset[str]) -> str:
    """Return the skeleton of ``text``, an IRI of ``listed`` as ``<!>``, which no query can write: there every IRI is ``<>``."""

    def bare(match: re.Match[str]) -> str:
        said = match[0]
        if said[0] == "<":
            return LISTED if said[1:-1] in listed else "<>"
        return {"#": " ", "\\": "_"}.get(said[0], '""')

    return NOISE.sub(bare, text)


def with_whole_names(text: str) -> str:
    """Return a query with each prefixed name that holds several dots written as a whole IRI.

    SPARQL allows ``c17:12.3.1``; the parser of pyoxigraph 0.5.13 takes only one dot.
    """
    known = {**PREFIXES, **dict(_PREFIX.findall(text))}

    def whole(match: re.Match[str]) -> str:
        prefix, local = match["prefix"], match["local"]
        return f"<{known[prefix]}{local}>" if prefix in known else match[0]

    return _DOTTED.sub(lambda m: whole(m) if m["prefix"] else m[0], text)


def calls_out(text: str) -> bool:
    """Whether a query has SERVICE, to whatever server."""
    return any(_calls_out(skeleton(read)) for read in _readings(text))


def _readings(text: str) -> set[str]:
    return {text, _CODEPOINT.sub(lambda m: chr(min(int(m[1] or m[2], 16), 0x10FFFF)), text)}


def refuse_what_reaches_out(text: str, services: frozenset[str] = frozenset()) -> None:
    """Refuse updates and federated calls before any engine sees them.

    Args:
        services: servers that may be called, by their whole addresses as a query writes them behind SERVICE.
    Raises:
        Refused: with the policy. Sekinin answers questions; it neither changes nor fetches.
    Source: SPARQL 1.1 Query Language, section 19.2: code points count as written out before anything else is read.
        pyoxigraph reads them only in strings and IRIs, other servers anywhere, so the text is read in both ways.
    """
    for read in _readings(text):
        bare = _bared(read, services)
        if _calls_out(bare):
            raise Refused("query", "SERVICE would call another server", "ask that server itself; nothing leaves this machine")
        if _UPDATE.search(bare):
            raise Refused("query", "this is an update, and the graph is read-only", "correct the Turtle and build again")


def _calls_out(bare: str) -> bool:
    """Whether a skeleton has SERVICE, SILENT or not, then one term that is not listed, then a brace.

    The engine wants no blank before the keyword or after it (``1SERVICE<…>{`` is a call), so that words do not
    tell; only within a name or a variable it is none. Linear in the length of the text.
    """
    near: list[str] = []
    for word in _WORD.findall(bare):
        if word not in "{}":
            near = [*near[-2:], word]
            continue
        for place, said in enumerate(near if word == "{" else ()):
            rest = near[place + 1 :]
            for match in _KEYWORD.finditer(said):
                terms = len(rest) + (match.end() < len(said))
                silent = rest[:1] if match.end() == len(said) else [said[match.end() :]] if match.end() + 6 == len(said) else []
                terms -= bool(silent) and silent[0].upper() == "SILENT"
                if (rest[-1] if rest else said[match.end() :]) == LISTED:
                    continue
                if terms == 1 and not _IN_NAME.search(said, max(0, match.start() - 100), match.start()):
                    return True
        near = []
    return False


def names_graphs(text: str) -> bool:
    """Whether a query says itself, by FROM, which graphs it is about."""
    return bool(_FROM.search(skeleton(text)))


def asserted_beside(folder: Path) -> Path:
    """Return the folder of the store that holds only what was asserted; a build leaves it beside the whole one."""
    return folder.with_name("asserted")


MEMORY: Final = "memory"
"""Where a store is that is on no disk."""


class EmbeddedStore:
    """A pyoxigraph store on disk or in memory.

    Args:
        engine: the opened pyoxigraph store.
        where: its folder or description, for messages.
        services: servers that a query may call.
    """

    def __init__(self, engine: ox.Store, where: str, services: frozenset[str] = frozenset()) -> None:
        self.engine = engine
        self.where = where
        self.services = services

    @classmethod
    def open(cls, folder: Path) -> EmbeddedStore:
        """Open a built store for reading.

        Raises:
            Missing: if nothing was built there.
            StoreFailure: if it is damaged.
        """
        if not folder.is_dir():
            raise Missing(str(folder), "there is no built store", "run: sekinin build")
        try:
            return cls(ox.Store.read_only(str(folder)), str(folder))
        except (OSError, RuntimeError) as why:
            raise StoreFailure(str(folder), f"the store cannot be read ({why})", "run: sekinin build --again") from why

    @classmethod
    def of(cls, quads: Iterable[ox.Quad]) -> EmbeddedStore:
        """Return a store in memory that holds ``quads``."""
        engine = ox.Store()
        engine.bulk_extend(quads)
        return cls(engine, MEMORY)

    def query(
        self,
        text: str,
        default_graph: Iterable[str] = (),
        named_graphs: Iterable[str] = (),
    ) -> Result:
        """Answer one query. A query without FROM, and no graphs given, is over the union of all graphs.

        Raises:
            BadQuery: with line and column, if it does not parse.
            Refused: if it is an update or calls another server.
            StoreFailure: if the engine fails while it reads.
        """
        refuse_what_reaches_out(text, self.services)
        default, named = _nodes(default_graph), _nodes(named_graphs)
        try:
            return self._ask(text, default, named)
        except SyntaxError as why:
            whole = with_whole_names(text)
            if whole == text:
                raise _bad_query(text, str(why)) from why
            try:
                return self._ask(whole, default, named)
            except SyntaxError:
                raise _bad_query(text, str(why)) from why

    def _ask(self, text: str, default: list[ox.NamedNode], named: list[ox.NamedNode]) -> Result:
        own = bool(default or named)
        try:
            result = self.engine.query(
                text,
                base_iri=f"{BASE}/sparql",  # a relative IRI is one of ours, as the SPARQL Protocol has it
                prefixes=PREFIXES,
                default_graph=[*default] if own else None,
                named_graphs=[*named] if own else None,
                # pyoxigraph lets the union override FROM in silence, so it is set only without one
                use_default_graph_as_union=not own and not names_graphs(text),
            )
            return Triples(result) if isinstance(result, ox.QueryTriples) else result
        except (OSError, ValueError, RuntimeError) as why:
            raise StoreFailure(self.where, f"the store could not answer ({why})", "run: sekinin build --again") from why


def _nodes(iris: Iterable[str]) -> list[ox.NamedNode]:
    """Return graph names as terms.

    Raises:
        BadQuery: for one that is no IRI.
    """
    try:
        return [ox.NamedNode(iri) for iri in iris]
    except ValueError as why:
        raise BadQuery("graph", f"not an IRI ({why})", "name each graph by its whole IRI") from why


def _bad_query(text: str, why: str) -> BadQuery:
    place = _PLACE.search(why)
    undeclared = sorted(set(re.findall(r"(?<![\w<])([A-Za-z][\w-]*):", skeleton(text))) - set(PREFIXES))
    declared = set(re.findall(r"\bPREFIX\s+([A-Za-z][\w-]*):", skeleton(text), re.I))
    unknown = [p for p in undeclared if p not in declared]
    found = place[3].strip() if place else why
    remedy = f"declare the prefix {unknown[0]}:" if unknown else "correct the query at this place"
    return BadQuery(f"query, line {place[1]}, column {place[2]}" if place else "query", found, remedy)


class RemoteStore:
    """A SPARQL 1.1 server, asked through SPARQLWrapper.

    Args:
        endpoint: address of its query service.
        seconds: longest wait for a whole answer.
        most: bytes of the largest answer.
        account: told to the server if it asks.
    """

    def __init__(self, endpoint: str, seconds: float = 60, most: int = 1 << 30, account: Account | None = None) -> None:
        if not re.match(r"https?://[^/\s]+", endpoint):
            raise Refused(endpoint, "this is no address of a server", "write it whole, as http://host:port/path")
        self.where = endpoint
        self.seconds = seconds
        self.most = most
        self.account = account or Account()

    def query(
        self,
        text: str,
        default_graph: Iterable[str] = (),
        named_graphs: Iterable[str] = (),
    ) -> Result:
        """Answer one query by POST; the server decides what its default graph is.

        Raises:
            BadQuery: if the server says that the query is wrong.
            Refused: if it does not let us ask, or the query is an update or calls another server.
            TooLong: if the answer is larger than ``most``.
            StoreFailure: if it is down, too slow, answers something else, or says that it left out some.
        """
        from SPARQLWrapper import JSON, POST, TURTLE, SPARQLWrapper

        refuse_what_reaches_out(text)
        heads = "\n".join(f"PREFIX {p}: <{iri}>" for p, iri in PREFIXES.items() if f"{p}:" in text)
        ask = SPARQLWrapper(self.where)
        for iri in default_graph:
            ask.addDefaultGraph(iri)
        for iri in named_graphs:
            ask.addNamedGraph(iri)
        ask.setMethod(POST)
        ask.setOnlyConneg(True)  # the form's parameters that some servers know mean other things to others
        ask.setTimeout(math.ceil(self.seconds))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # what is no query at all the server shall say
            ask.setQuery(f"{heads}\n{text}")
        form = _FORM.search(skeleton(text))
        ask.queryType = form[1].upper() if form else "SELECT"  # SPARQLWrapper's own guess is misled by names and comments
        rows = ask.queryType in ("SELECT", "ASK")
        ask.setReturnFormat(JSON if rows else TURTLE)
        body, cap = self._told(ask)
        try:
            return _result(body, ask.queryType, self.where, cap)
        except (SyntaxError, ValueError) as why:
            found = f"the answer is not SPARQL results, or not all of them ({why})"
            raise StoreFailure(self.where, found, "check the address, and ask again") from why

    def _told(self, ask: Any) -> tuple[bytes, int]:
        """Return the body of the answer, and the number of rows at which the server cuts off; 0 if it names none.

        Raises:
            BadQuery, Refused, TooLong, StoreFailure: as ``query``.
        """
        from SPARQLWrapper.SPARQLExceptions import QueryBadFormed, SPARQLWrapperException, Unauthorized

        try:
            return self._fetched(ask)
        except QueryBadFormed as why:
            raise BadQuery(self.where, _first_line(why), "correct the query") from why
        except Unauthorized as why:
            raise Refused(self.where, "the server wants another account, or one", "say name and password in SEKININ_ACCOUNT") from why
        except SPARQLWrapperException as why:
            raise StoreFailure(self.where, f"the server failed ({_first_line(why)})", "look at the server; ask again when it is well") from why
        except TimeoutError as why:
            raise StoreFailure(self.where, f"no answer within {self.seconds:g} s", "ask for less, or see whether the server is busy") from why
        except (OSError, HTTPException) as why:
            slow = isinstance(getattr(why, "reason", None), TimeoutError)
            found = f"no answer within {self.seconds:g} s" if slow else f"no whole answer ({why})"
            raise StoreFailure(self.where, found, "check the address, and that the server runs") from why

    def _fetched(self, ask: Any, asked: bool = False) -> tuple[bytes, int]:
        from SPARQLWrapper.SPARQLExceptions import SPARQLWrapperException

        end = time.monotonic() + self.seconds
        if told := self.account.header("POST", self.where):
            ask.addCustomHttpHeader("Authorization", told)
        try:
            answer = ask.query().response
        except (SPARQLWrapperException, HTTPError) as why:
            behind = why if isinstance(why, HTTPError) else why.__context__
            if isinstance(behind, HTTPError):  # it holds the connection
                behind.close()
                if behind.code == 401 and not asked and self.account.asked(behind.headers):
                    return self._fetched(ask, asked=True)
            raise
        with answer:
            if answer.status == 206 or "X-SQL-State" in answer.headers:
                raise StoreFailure(self.where, "the server says that its answer is not whole", "ask for less, or give the server more time")
            blocks = []
            room = self.most
            while block := answer.read1(1 << 16):
                room -= len(block)
                if room < 0:
                    raise TooLong("result", f"it is larger than {self.most:,} bytes", "ask for fewer rows or columns")
                if time.monotonic() > end:
                    raise TimeoutError
                blocks.append(block)
            if answer.length:  # fewer came than were announced
                raise IncompleteRead(b"".join(blocks), answer.length)
            cap: str = answer.headers.get("X-SPARQL-MaxRows", "")
            return b"".join(blocks), int(cap) if cap.isdecimal() else 0


def _result(body: bytes, form: str, where: str, cap: int) -> Result:
    """Return what a server answered, once it was seen to be whole.

    Args:
        form: of the query: SELECT, ASK, CONSTRUCT or DESCRIBE.
        where: address of the server, for messages.
        cap: rows at which the server cuts off, if it named any.
    Raises:
        SyntaxError, ValueError: if it is no answer, or breaks off; StoreFailure: if rows are missing.
    """
    if form not in ("SELECT", "ASK"):
        return Triples([quad.triple for quad in ox.parse(body, ox.RdfFormat.TURTLE)])
    number = _counted(body)
    if number is None:
        return ox.parse_query_results(body, ox.QueryResultsFormat.JSON)
    if form == "ASK":  # Virtuoso 7.2.5 answers it as rows: one, or none
        return ox.parse_query_results(_BOOLEAN.format(str(number > 0).lower()), ox.QueryResultsFormat.JSON)
    if cap and number >= cap:
        raise StoreFailure(
            where, f"the server gives at most {cap:,} rows and left out the rest", "raise its limit (ResultSetMaxRows), or ask for fewer"
        )
    return ox.parse_query_results(_canonical(body), ox.QueryResultsFormat.JSON)


def _counted(body: bytes) -> int | None:
    """Return the number of rows in a finished answer in JSON; None if it is a truth value. An answer that breaks off shows it only where it ends.

    Raises:
        SyntaxError: if it is no such answer, or breaks off.
    """
    number, failed = 0, ""
    whole: ox.QuerySolutions | ox.QueryBoolean | ox.QueryTriples | None = None
    try:
        whole = ox.parse_query_results(body, ox.QueryResultsFormat.JSON)
        if isinstance(whole, ox.QueryBoolean):
            return None
        for _ in whole:
            number += 1
    except (SyntaxError, ValueError) as why:
        failed = str(why)
    whole = None  # rows may not be dropped by another thread, as whoever collects the frames of an error may be
    if failed:
        raise SyntaxError(failed)
    return number


def _canonical(body: bytes) -> bytes:
    """Return results in JSON whose booleans are written ``true`` and ``false``, as some servers write 1 and 0.

    Source: XML Schema 1.1 part 2, section 3.3.2: both are the same value, and these are its canonical forms.
    """
    if b"#boolean" not in body:
        return body
    said = json.loads(body)
    for row in said.get("results", {}).get("bindings", ()):
        for term in row.values():
            if term.get("datatype", "").endswith("#boolean"):
                term["value"] = {"1": "true", "0": "false"}.get(term["value"], term["value"])
    return json.dumps(said, ensure_ascii=False).encode()


def _first_line(why: Exception) -> str:
    """Return what a server said of an error, shortly."""
    said = str(why.args[0] if why.args else why)
    return " ".join((said.partition("Response:")[2] or said).replace("\\n", " ").split())[:300]


def holds(engine: ox.Store, s: Any = None, p: Any = None, o: Any = None, graph: Any = None) -> bool:
    """Whether a store has a quad of a pattern, in any graph where none is given."""
    return next(iter(engine.quads_for_pattern(s, p, o, graph)), None) is not None


def rows(result: Result) -> Iterator[Row]:
    """Yield the solutions of a SELECT as dictionaries; an unbound variable has no key."""
    if not isinstance(result, ox.QuerySolutions):
        raise BadQuery("query", "this query does not return rows", "write it as SELECT")
    names = [v.value for v in result.variables]
    for solution in result:
        yield {name: term for name in names if (term := solution[name]) is not None}
