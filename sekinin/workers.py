"""Queries in worker processes that are ended at their limit: time, memory, rows, bytes, length, nesting.

Nothing in Python stops a running query, so each runs in a process that can be killed. A worker opens the
store for reading, can open no socket (seccomp), has a bound on its memory, and is replaced when it dies.
Small answers come back through its pipe, large ones through a file, so that a slow reader holds no worker.
"""

from __future__ import annotations

import csv
import ctypes
import io
import multiprocessing
import os
import platform
import re
import resource
import shutil
import signal
import struct
import sys
import tempfile
import threading
import time
import weakref
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from pathlib import Path
from queue import Empty, LifoQueue
from typing import IO, Any, Final, cast

import pyoxigraph as ox

from sekinin import errors, queries
from sekinin.errors import BadQuery, Busy, SekininError, StoreFailure, TooExpensive, TooLong, TooSlow
from sekinin.formats import GRAPHS, ROWS
from sekinin.namespaces import PREFIXES, made
from sekinin.settings import from_environment
from sekinin.store import (
    NOISE,
    EmbeddedStore,
    Result,
    Store,
    Triples,
    asserted_beside,
    calls_out,
    names_graphs,
    refuse_what_reaches_out,
    rows,
    skeleton,
)

INLINE: Final = 2 * 1024 * 1024
"""Bytes; a larger answer goes through a file."""
START: Final = 10.0
"""Seconds that a worker may take to open the store; they are no part of the time of a query."""


@dataclass(frozen=True)
class Limits:
    """What one query may use. Each is a setting ``SEKININ_LIMIT_<NAME>``.

    Args:
        seconds: longest time of one query.
        memory: megabytes that a worker may add to what it has at its start.
        rows: most rows, or triples, of an answer; the rest is cut off, and the answer says so.
        bytes: largest answer.
        length: longest query, in characters.
        nesting: deepest brackets of a query.
        at_once: queries that run at the same time.
        wait: seconds that the next one waits for its turn.
        rate: requests a second that one client may send for long; it may send ten times as many at once.
        services: addresses that a query may call by SERVICE, apart by blanks; empty for none. Such a query runs in a worker
            that can open sockets, so list only servers that you trust.
    """

    seconds: float = 10.0
    memory: int = 2048
    rows: int = 100_000
    bytes: int = 100_000_000
    length: int = 100_000
    nesting: int = 40
    at_once: int = max(2, os.cpu_count() or 2)
    wait: float = 2.0
    rate: float = 50.0
    services: str = ""

    @property
    def listed(self) -> frozenset[str]:
        """Return the addresses that a query may call."""
        return frozenset(re.split(r"[\s,]+", self.services)) - {""}

    @classmethod
    def from_environment(cls) -> Limits:
        """Read the settings; an unset one keeps its default.

        Raises:
            BadQuery: for a setting that is not a positive number.
        """
        return from_environment(cls, "SEKININ_LIMIT_")


@dataclass(frozen=True)
class Job:
    """A query to be answered, and in which formats.

    Args:
        text: the query.
        rows: name of the format for SELECT and ASK.
        graph: name of the format for CONSTRUCT and DESCRIBE.
        default_graphs: graphs that make up the default graph; empty for the union of all, or what FROM says.
        named_graphs: graphs that GRAPH may name.
        inference: whether what was inferred and derived is asked too; a query that names graphs itself gets what it names.
        most: rows that this job wants at most, if fewer than the limit.
    """

    text: str
    rows: str = "json"
    graph: str = "turtle"
    default_graphs: tuple[str, ...] = ()
    named_graphs: tuple[str, ...] = ()
    inference: bool = True
    most: int = 0


@dataclass(frozen=True)
class Answer:
    """The answer to a job.

    Args:
        kind: ``rows``, ``boolean`` or ``graph``.
        format: name of the format.
        cut: number of rows after which it was cut off, or 0 if it is whole.
        body: its bytes, or the file that holds them (already unlinked from its folder by ``open``).
    """

    kind: str
    format: str
    cut: int
    body: bytes | Path

    def stream(self) -> Iterator[bytes]:
        """Yield the body; a file is removed when it has been read or dropped."""
        if isinstance(self.body, bytes):
            yield self.body
            return
        with self.body.open("rb") as file:
            self.body.unlink(missing_ok=True)
            while block := file.read(64 * 1024):
                yield block


def guard(text: str, limits: Limits) -> None:
    """Refuse what no engine should see: too long, too deeply nested, an update, a federated call.

    Raises:
        TooLong, Refused.
    """
    if len(text) > limits.length:
        raise TooLong("query", f"it has {len(text):,} characters; at most {limits.length:,} are allowed", "shorten it, or ask in parts")
    refuse_what_reaches_out(text, limits.listed)
    depth = deepest = 0
    for mark in re.findall(r"[{}()\[\]]", skeleton(text)):
        depth += 1 if mark in "{([" else -1
        deepest = max(deepest, depth)
    if deepest > limits.nesting:
        raise TooLong("query", f"its brackets are {deepest} deep; at most {limits.nesting} are allowed", "write it flatter")


_GRAPH = re.compile(r"(?<![?$:\w.-])GRAPH(?![\w:.-])", re.I)
_LIMIT = re.compile(r"(?<![?$:\w.-])LIMIT\s*(\d+)", re.I)
_BRACE_OR_VALUES = re.compile(r"[{}]|(?<![?$:\w.-])VALUES(?![\w:.-])", re.I)
_VALUES = re.compile(r"(?<![?$:\w.-])VALUES(?![\w:.-])", re.I)
_FORM = re.compile(r"(?<![?$:\w.-])(SELECT|CONSTRUCT|DESCRIBE|ASK)(?![\w:.-])", re.I)


def capped(text: str, rows: int) -> str:
    """Return a SELECT, CONSTRUCT or DESCRIBE whose answer has at most ``rows`` solutions, by its own LIMIT.

    The modifiers stand behind the last group of the outermost level; a trailing VALUES stays behind them.
    """
    bare = _blank(text)
    depth, end = 0, -1
    for match in _BRACE_OR_VALUES.finditer(bare):
        if match[0] == "{":
            depth += 1
        elif match[0] == "}":
            depth -= 1
            end = match.end() if depth == 0 else end
        elif depth == 0 and end > 0:
            break
    tail = bare[max(end, 0) :]
    values = _VALUES.search(tail)
    stop = max(end, 0) + (values.start() if values else len(tail))
    found = _LIMIT.search(bare, max(end, 0), stop)
    if found:
        start, finish = found.span(1)
        return text[:start] + str(min(rows, int(found[1]))) + text[finish:]
    return f"{text[:stop].rstrip()}\nLIMIT {rows}\n{text[stop:]}"


def _blank(text: str) -> str:
    """Return ``text`` with IRIs, strings and comments overwritten by blanks, each place kept."""
    return NOISE.sub(lambda m: re.sub(r"[^\n]", " ", m[0]), text)


class Pool:
    """Workers over one store.

    Args:
        folder: the store on disk.
        limits: what one query may use.
        outward: whether its workers can open sockets, for queries that call a server of the list.
    """

    def __init__(self, folder: Path, limits: Limits, outward: bool = False) -> None:
        self.folder = folder
        self.limits = limits
        self.outward = outward
        self._outside: Pool | None = None
        self.ended = 0
        """Workers that were killed or died since the start."""
        self._spool = tempfile.TemporaryDirectory(prefix="sekinin-")
        self._idle: LifoQueue[_Worker] = LifoQueue()
        self._all: set[_Worker] = set()
        self._lock = threading.Lock()
        self._closed = False
        for _ in range(limits.at_once):
            self._start()

    def ask(self, job: Job) -> Answer:
        """Answer ``job``.

        Raises:
            Busy: if no worker came free in time; StoreFailure: if none can open the store.
            TooSlow: if it took too long; TooExpensive: if it brought its worker down.
            BadQuery, Refused, TooLong: if it cannot be asked.
        """
        guard(job.text, self.limits)
        if self.limits.listed and not self.outward and calls_out(job.text):
            return self._for_services().ask(job)
        return self._ask(job, again=True)

    def _for_services(self) -> Pool:
        """Return the pool for queries that call a server; it has one worker, and is started when it is needed."""
        with self._lock:
            if self._outside is None:
                self._outside = Pool(self.folder, replace(self.limits, at_once=1), outward=True)
            return self._outside

    def _ask(self, job: Job, again: bool) -> Answer:
        worker = self._free()
        alive = False
        try:
            answer = worker.ask(job, self.limits)
            alive = True
            return answer
        except TooSlow:
            raise
        except TooExpensive:
            if not (again and worker.was_killed()):
                raise
        except SekininError:
            alive = True
            raise
        finally:
            if alive:
                self._idle.put(worker)
            else:
                self._replace(worker)
        return self._ask(job, again=False)  # somebody else ended the worker; the query may be harmless

    def _free(self) -> _Worker:
        """Return a worker that is alive; one that somebody ended while it was idle is replaced first."""
        until = time.monotonic() + self.limits.wait
        for _ in range(self.limits.at_once + 2):
            try:
                worker = self._idle.get(timeout=max(0.0, until - time.monotonic()))
            except Empty:
                raise Busy("server", f"{self.limits.at_once} queries are running", "try again in a moment") from None
            if worker.ready():
                return worker
            self._replace(worker)
        raise StoreFailure(str(self.folder), "no worker can open it", "run: sekinin build --again")

    def working(self) -> int:
        """Return how many queries are running."""
        return self.limits.at_once - self._idle.qsize()

    def close(self) -> None:
        """End every worker."""
        if self._outside is not None:
            self._outside.close()
        with self._lock:
            self._closed = True
            workers = list(self._all)
            self._all.clear()
        for worker in workers:
            worker.end()
        self._spool.cleanup()

    def pids(self) -> list[int]:
        """Return the process ids of the workers, for whoever counts what is left over."""
        with self._lock:
            return [worker.process.pid or 0 for worker in self._all]

    def _start(self) -> None:
        with self._lock:
            if self._closed:
                return
            worker = _Worker(self.folder, self.limits, Path(self._spool.name), self.outward)
            self._all.add(worker)
        self._idle.put(worker)

    def _replace(self, worker: _Worker) -> None:
        self.ended += 1
        with self._lock:
            self._all.discard(worker)
        worker.end()
        self._start()


class Gate:
    """The way of a query to a store that has no workers, as another server: the same limits, but for memory, which is that server's own.

    Args:
        store: that is asked.
        limits: what one query may use; the time is kept by the store.
    """

    def __init__(self, store: Store, limits: Limits) -> None:
        self.store = store
        self.limits = limits
        self.ended = 0
        """No worker is ever ended here."""
        self._spool = tempfile.mkdtemp(prefix="sekinin-")
        self._dropped = weakref.finalize(self, shutil.rmtree, self._spool, ignore_errors=True)
        self._places: LifoQueue[None] = LifoQueue()
        for _ in range(limits.at_once):
            self._places.put(None)
        self._asserted: tuple[str, ...] | None = None

    def ask(self, job: Job) -> Answer:
        """Answer ``job``.

        Raises:
            Busy: if too many are asked at once; BadQuery, Refused, TooLong: if it cannot be asked.
            StoreFailure: if the server fails, or takes too long.
        """
        guard(job.text, replace(self.limits, services=""))  # whom that server may call is not for us to say
        try:
            self._places.get(timeout=self.limits.wait)
        except Empty:
            raise Busy("server", f"{self.limits.at_once} queries are running", "try again in a moment") from None
        try:
            if not (job.inference or job.default_graphs or job.named_graphs or names_graphs(job.text)):
                named = self.asserted() if _GRAPH.search(skeleton(job.text)) else ()  # there are many, and each goes over the wire
                job = replace(job, default_graphs=self.asserted(), named_graphs=named)
            return Answer(*_answer(self.store, job, self.limits, Path(self._spool)))
        finally:
            self._places.put(None)

    def asserted(self) -> tuple[str, ...]:
        """Return the graphs that were neither inferred nor derived; asked once."""
        if self._asserted is None:
            found = rows(queries.bind(queries.get("resources/graphs"), {}).ask(self.store))
            self._asserted = tuple(row["graph"].value for row in found if made(row["graph"].value) == "asserted")
        return self._asserted

    def working(self) -> int:
        """Return how many queries are running."""
        return self.limits.at_once - self._places.qsize()

    def close(self) -> None:
        """Drop what waits in files."""
        self._dropped()


class _Worker:
    """One process and the pipe to it."""

    _context = multiprocessing.get_context("spawn")

    def __init__(self, folder: Path, limits: Limits, spool: Path, outward: bool) -> None:
        self.pipe, other = self._context.Pipe()
        self.process = self._context.Process(target=_serve, args=(other, str(folder), limits, str(spool), outward), daemon=True)
        self.process.start()
        other.close()
        self._started = False

    def ready(self) -> bool:
        """Wait for the start of the process, and return whether it lives."""
        try:
            self._started = self._started or (self.pipe.poll(START) and self.pipe.recv() == "ready")
            return self._started and not self.pipe.poll()  # idle, it says nothing: what can be read is the end of its pipe
        except (EOFError, OSError):
            return False

    def ask(self, job: Job, limits: Limits) -> Answer:
        start = time.monotonic()
        try:
            self.pipe.send(job)
            if not self.pipe.poll(limits.seconds):
                raise TooSlow("query", f"it took longer than {limits.seconds:g} seconds", "narrow it: fewer patterns, a FILTER, a LIMIT")
            verdict, *parts = self.pipe.recv()
        except (EOFError, OSError, ValueError) as why:
            took = time.monotonic() - start
            raise TooExpensive("query", f"the engine gave up after {took:.1f} seconds", "narrow it: it wants too much memory or is too deep") from why
        if verdict == "error":
            name, where, found, remedy = parts
            raise getattr(errors, name)(where, found, remedy)
        return Answer(*parts)

    def was_killed(self) -> bool:
        """Whether the process was ended from outside, and did not fall over its query."""
        until = time.monotonic() + 1
        while self.process.exitcode is None and time.monotonic() < until:  # another thread may be about to fetch it
            time.sleep(0.005)
        return self.process.exitcode in (-signal.SIGKILL, -signal.SIGTERM)

    def end(self) -> None:
        self.process.kill()
        self.process.join(5)
        self.pipe.close()


# ---- in the worker process


def _serve(pipe: Connection, folder: str, limits: Limits, spool: str, outward: bool) -> None:
    """Answer jobs until the pipe closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # an engine that gives up prints its stack
    store = EmbeddedStore.open(Path(folder))
    beside = asserted_beside(Path(folder))
    asserted = EmbeddedStore.open(beside) if beside.is_dir() else None
    _bound_memory(limits.memory)
    if outward:
        store.services = limits.listed
    else:
        deny_sockets()
    pipe.send("ready")
    while True:
        try:
            job = pipe.recv()
        except (EOFError, OSError):
            return
        try:
            pipe.send(("answer", *_answer(_asked(job, store, asserted), job, limits, Path(spool))))
        except SekininError as why:
            pipe.send(("error", type(why).__name__, why.where, why.found, why.remedy))
        except MemoryError:
            os._exit(1)
        except (OSError, RuntimeError) as why:
            pipe.send(("error", "StoreFailure", folder, f"the store could not answer ({why})", "run: sekinin build --again"))


def _asked(job: Job, whole: EmbeddedStore, asserted: EmbeddedStore | None) -> EmbeddedStore:
    """Return the store that a job is about; a graph that it names is given as it is."""
    if job.inference or job.default_graphs or job.named_graphs or names_graphs(job.text):
        return whole
    if asserted is None:
        raise StoreFailure(whole.where, "it does not tell apart what was asserted", "run: sekinin build --again")
    return asserted


def _answer(store: Store, job: Job, limits: Limits, spool: Path) -> tuple[str, str, int, bytes | Path]:
    most = min(job.most or limits.rows, limits.rows)
    with _Spool(spool, limits.bytes) as whole:
        text = job.text
        for attempt in (most + 1, most):
            result = _ask(store, text, attempt, job.default_graphs, job.named_graphs)
            if isinstance(result, ox.QueryBoolean):
                return "boolean", job.rows, 0, result.serialize(format=_rows(job.rows)) or b""
            whole.clear()
            if isinstance(result, Triples):
                counted = _Counted(result, most)
                form = GRAPHS[job.graph].engine
                assert isinstance(form, ox.RdfFormat)
                ox.serialize(counted, cast(IO[bytes], whole), form, prefixes=PREFIXES)
                cut = most if counted.cut else 0
                if cut and GRAPHS[job.graph].comment:
                    whole.write(("\n" + GRAPHS[job.graph].comment.format(f"cut off after {most} triples") + "\n").encode())
                return "graph", job.graph, cut, whole.body()
            result.serialize(cast(IO[bytes], whole), format=_rows(job.rows))
            # what divides rows is counted first, in one pass over the bytes: only an answer that can have too many is parsed
            if attempt == most or whole.size <= 2 * most or whole.divisions(job.rows) < most or whole.rows(job.rows) <= most:
                break
        cut = most if attempt == most else 0
        if cut:
            whole.mark(job.rows, most)
        return "rows", job.rows, cut, whole.body()


def _ask(store: Store, text: str, most: int, default: tuple[str, ...], named: tuple[str, ...]) -> Result:
    if not _has_rows(text):
        return store.query(text, default, named)
    try:
        return store.query(capped(text, most), default, named)
    except BadQuery:
        return store.query(text, default, named)  # the place of the error is that in the reader's own text


def _rows(name: str) -> ox.QueryResultsFormat:
    form = ROWS[name].engine
    assert isinstance(form, ox.QueryResultsFormat)
    return form


def _has_rows(text: str) -> bool:
    first = _FORM.search(_blank(text))
    return bool(first) and first[1].upper() == "SELECT"  # type: ignore[index]


class _Counted:
    """Triples, at most so many; knows whether there were more."""

    def __init__(self, triples: Iterable[ox.Triple], most: int) -> None:
        self.triples, self.most, self.cut = iter(triples), most, False

    def __iter__(self) -> Iterator[ox.Triple]:
        for number, triple in enumerate(self.triples):
            if number == self.most:
                self.cut = True
                return
            yield triple


class _Spool(io.RawIOBase):
    """Bytes in memory as long as they are few, then in a file; refuses more than it may hold."""

    def __init__(self, folder: Path, most: int) -> None:
        super().__init__()
        self.folder, self.most = folder, most
        self.file: Any = None
        self.clear()

    def clear(self) -> None:
        if self.file is not None:
            self.file.close()
        self.file = tempfile.SpooledTemporaryFile(max_size=INLINE)  # noqa: SIM115
        self.size = 0

    def close(self) -> None:
        self.file.close()
        super().close()

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self.size += len(data)
        if self.size > self.most:
            raise TooLong("result", f"it is larger than {self.most:,} bytes", "ask for fewer rows or columns, or take a dump from /data")
        self.file.write(data)
        return len(data)

    def divisions(self, form: str) -> int:
        """Return how often what divides two rows occurs in an answer, in texts too: the rows are at most one more."""
        mark = {"json": b"},{", "xml": b"<result>"}.get(form, b"\n")
        self.file.seek(0)
        count, end = 0, b""
        while block := self.file.read(1 << 20):
            block = end + block
            count += block.count(mark)
            end = block[-(len(mark) - 1) :] if len(mark) > 1 else b""
        self.file.seek(0, os.SEEK_END)
        return count

    def rows(self, form: str) -> int:
        """Return the number of rows in a finished answer."""
        self.file.seek(0)
        if form == "csv":
            text = io.TextIOWrapper(self.file, encoding="utf-8", newline="")
            count = sum(1 for _ in csv.reader(text)) - 1
            text.detach()
        elif form == "tsv":
            count = -1
            while block := self.file.read(1 << 16):
                count += block.count(b"\n")
        else:
            parsed = ox.parse_query_results(self.file, _rows(form))
            count = sum(1 for _ in parsed) if isinstance(parsed, ox.QuerySolutions) else 1
        self.file.seek(0, os.SEEK_END)
        return count

    def mark(self, form: str, rows: int) -> None:
        """Say in the body that it was cut off, where the format has a place for it."""
        note = f"cut off after {rows} rows"
        if form == "xml":
            self.write(f"\n{ROWS['xml'].comment.format(note)}\n".encode())
        elif form == "json":
            self.file.seek(0)
            content = self.file.read()
            self.clear()
            self.write(content.replace(b'{"head":{', b'{"head":{"link":["#cut-off-after-' + str(rows).encode() + b'-rows"],', 1))

    def body(self) -> bytes | Path:
        self.file.seek(0)
        if self.size <= INLINE:
            return bytes(self.file.read())
        handle, name = tempfile.mkstemp(dir=self.folder)
        with os.fdopen(handle, "wb") as out:
            while block := self.file.read(1 << 20):
                out.write(block)
        return Path(name)


def _bound_memory(megabytes: int) -> None:
    """Bound the address space to what is used now and ``megabytes`` more."""
    if not sys.platform.startswith("linux"):
        return
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    most = pages * resource.getpagesize() + megabytes * 1024 * 1024
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


_SOCKET = {"x86_64": (0xC000003E, 41), "aarch64": (0xC00000B7, 198)}
"""For each machine, its audit architecture and the number of the system call ``socket``."""


def deny_sockets() -> bool:
    """Forbid this process to open a socket, for good; return whether this system could do so.

    Source: Linux, Documentation/userspace-api/seccomp_filter.rst.
    """
    if not sys.platform.startswith("linux") or platform.machine() not in _SOCKET:
        return False
    arch, call = _SOCKET[platform.machine()]
    load, equal, ret = 0x20, 0x15, 0x06
    allow, refuse = 0x7FFF0000, 0x00050000 | 13  # EACCES
    program = [(load, 0, 0, 4), (equal, 0, 3, arch), (load, 0, 0, 0), (equal, 0, 1, call), (ret, 0, 0, refuse), (ret, 0, 0, allow)]
    code = b"".join(struct.pack("HBBI", *step) for step in program)
    room = ctypes.create_string_buffer(code)
    header = struct.pack("HL" if struct.calcsize("P") == 4 else "HxxxxxxP", len(program), ctypes.addressof(room))
    libc = ctypes.CDLL(None, use_errno=True)
    no_new_privileges, set_seccomp, filter_mode = 38, 22, 2
    if libc.prctl(no_new_privileges, 1, 0, 0, 0) != 0:
        return False
    return bool(libc.prctl(set_seccomp, filter_mode, ctypes.create_string_buffer(header), 0, 0) == 0)
