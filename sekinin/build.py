"""The order of the steps: read, infer, check, derive, store, describe, search; only what changed is done again.

A new store is made in a place of its own and takes the old one's name at the end, so that
a build that fails or is killed leaves the old store answering. What is too much for memory is worked on there from the start.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import pyoxigraph as ox
from rdflib import Graph

from sekinin import parts, resources, rules, search, texts
from sekinin.convert import to_graph
from sekinin.errors import SekininError, StoreFailure
from sekinin.export import write_whole
from sekinin.model import Finding
from sekinin.namespaces import PREFIXES, graph_iri, made, ontology_terms
from sekinin.store import MEMORY, EmbeddedStore, asserted_beside

Progress = Callable[[str], None]
"""Is told each step, and at its end how long it took."""
MUCH: Final = 200_000
"""Quads from which the search index is written in a process of its own."""
HELD: Final = 150_000_000
"""Bytes of texts that are held in memory while they are worked on, which is faster; more lie on disk."""
TOGETHER: Final = 100
"""Texts that are put into one form together."""
_TEXTS: Final = "texts.nq"
_INFERRED = ox.NamedNode(graph_iri("inferred"))


@dataclass(frozen=True)
class Built:
    """What a build gave.

    Args:
        key: SHA-256 over the texts, the questions and the program that made it.
        version: of the dataset, as ``describe.canonical_digest`` gives it; empty when nothing was loaded.
        store: folder of the store, or None when nothing was loaded.
        findings: what the checks found.
        steps: seconds for each step that was done; one that was not needed is absent.
        triples: number of quads by kind of graph.
    """

    key: str
    version: str
    store: Path | None
    findings: tuple[Finding, ...]
    steps: dict[str, float]
    triples: dict[str, int]

    @property
    def violations(self) -> int:
        """Number of findings that forbid loading."""
        return sum(1 for finding in self.findings if finding.severity == "Violation")


def current() -> Path:
    """Return the folder of the store that is in use; it is a link that a build moves."""
    return resources.build_folder() / "current" / "store"


def manifest() -> dict[str, Any]:
    """Return what the last build said of itself; empty if there was none, or if it cannot be read."""
    try:
        said = json.loads((resources.build_folder() / "current" / "manifest.json").read_text(encoding="utf-8"))
        return {key: said[key] for key in ("key", "version", "issued", "triples", "findings", "files")}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def open_current() -> EmbeddedStore:
    """Open the store that is in use, for reading.

    Raises:
        Missing: if nothing was built.
        StoreFailure: if a file of it is not as the build left it.
    """
    known = manifest().get("files")
    if current().is_dir() and known != _files(current()):
        raise StoreFailure(str(current()), "the store is not as it was built", "run: sekinin build --again")
    return EmbeddedStore.open(current())


def _files(store: Path) -> dict[str, str]:
    """Return size and digest of each data file of a store and of what stands beside it; of large ones the sizes alone, to open at once."""
    both = [*store.iterdir(), *(asserted_beside(store).iterdir() if asserted_beside(store).is_dir() else ())]
    paths = sorted(path for path in both if path.suffix == ".sst" or path.name.startswith("MANIFEST"))
    paths += sorted(search.beside(store).iterdir() if search.beside(store).is_dir() else ())
    small = sum(path.stat().st_size for path in paths) < 200_000_000
    return {f"{p.parent.name}/{p.name}": f"{p.stat().st_size} {hashlib.sha256(p.read_bytes()).hexdigest() if small else ''}".strip() for p in paths}


def _kept(path: Path) -> bytes | None:
    """Return what a step left behind, or None if it is not there or not whole: its last line is the digest of the rest."""
    try:
        content, _, digest = path.read_bytes().rpartition(b"\n# sha256 ")
    except OSError:
        return None
    return content if digest.strip().decode("ascii", "replace") == hashlib.sha256(content).hexdigest() else None


def _keep(path: Path, content: bytes) -> None:
    write_whole(path, content + b"\n# sha256 " + hashlib.sha256(content).hexdigest().encode() + b"\n")


def _sweep(folder: Path, pattern: str, wanted: set[str]) -> None:
    """Take away what an older build left of a step."""
    for old in folder.glob(pattern):
        if old.name not in wanted:
            old.unlink(missing_ok=True)


def texts_store() -> EmbeddedStore:
    """Return the texts as they stand now, asserted only, in memory."""
    return EmbeddedStore.of(quad for text in texts.read_all() for quad in text.quads)


@dataclass
class Reading:
    """What the texts say and what follows from them.

    Args:
        ground: the vocabulary, closed.
        papers: what each paper gives, by its name within the house.
        sources: every Turtle file, in the order of ``texts.KINDS`` and of their names.
        inferred: what follows, as sorted lines of N-Triples.
        added: what follows only from several papers together.
        done: whether anything had to be computed.
        room: folder for a store that is too large for memory, and for the texts as lines; without one nothing is written.
        large: whether the store was too large, and lies there.
    """

    ground: parts.Ground
    papers: dict[str, parts.Part]
    sources: list[parts.Source]
    inferred: bytes = b""
    added: list[rules.Fact] = field(default_factory=list)
    done: bool = False
    room: Path | None = None
    large: bool = False

    @cached_property
    def engine(self) -> ox.Store:
        """A store that holds the texts, each in its graph; ``infer`` adds what follows."""
        if self.room is None:
            return _held(self.sources)
        if sum(len(source.content) for source in self.sources) < HELD:
            engine = _held(self.sources)
            engine.dump(str(self.room / _TEXTS), ox.RdfFormat.N_QUADS)
            return engine
        with (self.room / _TEXTS).open("wb") as lines:
            for at in range(0, len(self.sources), TOGETHER):
                _held(self.sources[at : at + TOGETHER]).dump(lines, ox.RdfFormat.N_QUADS)
        self.large = True
        engine = _bulk(self.room / "store", self.room / _TEXTS)
        engine.flush()
        engine.backup(str(asserted_beside(self.room / "store")))  # links to the same files, which stay as they are
        return engine

    @property
    def held(self) -> EmbeddedStore:
        """The store, to be asked."""
        engine = self.engine
        return EmbeddedStore(engine, str(self.room) if self.large else MEMORY)

    @property
    def triples(self) -> dict[str, int]:
        """Number of triples by kind of text, and of those that follow."""
        ground = self.ground
        said = ground.own.triples + sum(part.triples for part in self.papers.values())
        return {"ontology": len(ground.ontology), "shapes": len(ground.shapes), "graphs": said, "inferred": self.inferred.count(b"\n")}


def _held(found: Iterable[parts.Source]) -> ox.Store:
    """Return a store in memory that holds texts, each in its graph."""
    engine = ox.Store()
    for source in found:
        engine.bulk_load(source.content, ox.RdfFormat.TURTLE, base_iri=PREFIXES["id"], to_graph=ox.NamedNode(graph_iri(source.topic)))
    return engine


def sources() -> list[parts.Source]:
    """Return every Turtle file of the house as it stands."""
    return [parts.Source(resources.topic(path), str(path), path.read_bytes()) for kind in texts.KINDS for path in resources.texts(kind)]


def read(found: list[parts.Source], room: Path | None = None) -> Reading:
    """Read the vocabulary and close it; papers are read by ``infer``.

    Args:
        room: as of ``Reading``.
    """
    fixed = [texts.parse(s.topic, Path(s.path), s.content, ontology_terms()) for s in found if not parts.is_paper(s.topic)]
    ontology, graphs, shapes = ([quad for text in fixed if text.kind == kind for quad in text.quads] for kind in ("ontology", "graphs", "shapes"))
    return Reading(parts.Ground(ontology, graphs, shapes, ontology_terms()), {}, found, room=room)


def infer(reading: Reading, again: bool = False, crew: parts.Crew | None = None, progress: Progress = lambda _: None) -> Reading:
    """Read the papers that changed and say what follows from all.

    Args:
        crew: who reads; processes of this machine if None.
    Raises:
        SekininError: of the first paper that cannot be read or contradicts itself; the others are kept all the same.
    """
    papers = [source for source in reading.sources if parts.is_paper(source.topic)]
    ground = _key("part", parts.digest(source for source in reading.sources if not parts.is_paper(source.topic)))
    folder = resources.build_folder() / "steps"
    names = {s.topic: f"part-{parts.digest([s], ground)[:24]}.json" for s in papers}
    todo: list[parts.Source] = []
    for source in papers:
        content = None if again else _kept(folder / names[source.topic])
        if content is None:
            todo.append(source)
        else:
            reading.papers[source.topic] = parts.Part.found(content)
    bad: dict[str, SekininError] = {}

    def done(source: parts.Source, result: parts.Part | SekininError) -> None:
        if isinstance(result, SekininError):
            bad[source.topic] = result
        else:
            reading.papers[source.topic] = result
            _keep(folder / names[source.topic], result.kept())
        finished = len(reading.papers) + len(bad)
        if len(papers) > 50 and finished % 50 == 0:
            progress(f"infer: {finished:,} of {len(papers):,} papers")

    if todo:
        (crew or parts.local())(reading.ground, todo, done)
    for topic in sorted(bad):
        raise bad[topic]
    reading.papers = dict(sorted(reading.papers.items()))
    _sweep(folder, "part-*.json", set(names.values()))
    closed = folder / f"closed-{ground[:24]}.txt"
    reading.done = bool(todo) or again or _kept(closed) is None
    _keep(closed, b"the vocabulary of this digest was closed")
    _sweep(folder, "closed-*.txt", {closed.name})
    _together(reading)
    return reading


def _together(reading: Reading) -> None:
    """Put together what follows from each paper, and what follows only from several; nothing that is asserted stands in it."""
    ground, papers = reading.ground, reading.papers
    lines = set(ground.own.inferred).union(*(part.inferred for part in papers.values()))
    lines.difference_update(*(part.repeated for part in papers.values()))
    added = {parts.line(fact): fact for fact in rules.told(ground.rules, parts.across(ground, papers))}
    asserted = {line for line, fact in added.items() if line not in lines and _holds(reading.engine, fact)}
    reading.added = [fact for line, fact in added.items() if line not in lines and line not in asserted]
    several = parts.shared(ground, papers)
    for line in [line for line in lines if line[1 : line.index(">")] in several]:
        s, p, o = (word[1:-1] for word in line[:-3].split(" "))
        if _holds(reading.engine, (s, p, o)):
            lines.remove(line)
    reading.inferred = "".join(sorted(lines.union(added) - asserted)).encode("utf-8")
    del lines
    reading.engine.bulk_load(reading.inferred, ox.RdfFormat.N_TRIPLES, to_graph=_INFERRED)


def _holds(engine: ox.Store, fact: rules.Fact) -> bool:
    return next(iter(engine.quads_for_pattern(*(ox.NamedNode(word) for word in fact))), None) is not None


def check(reading: Reading, again: bool = False) -> tuple[list[Finding], bool]:
    """Return what shapes and checks find in ``reading``, and whether they had to be run."""
    questions = [parts.Source(resources.topic(path), str(path), path.read_bytes()) for path in resources.question_files()]
    key = _key("check", parts.digest([*reading.sources, *questions]))
    kept = resources.build_folder() / "steps" / f"findings-{key}.json"
    content = None if again else _kept(kept)
    done = content is None
    if content is None:
        from sekinin import check as checker

        found = checker.shapes(*_to_judge(reading))
        found += checker.checks(reading.held)
        order = {graph_iri(s.topic): s.topic + ".ttl" for s in reading.sources if not s.topic.startswith("shapes/")}
        where = parts.files(found, reading.engine, order)
        found = checker.ordered(replace(finding, file=where.get(finding.where, "")) for finding in found)
        content = json.dumps([asdict(finding) for finding in found], ensure_ascii=False, indent=1).encode("utf-8")
        _keep(kept, content)
        _sweep(kept.parent, "findings-*.json", {kept.name})
    return [Finding(**item) for item in json.loads(content)], done


def _to_judge(reading: Reading) -> tuple[Graph, Graph, Iterable[str] | None]:
    """Return what pySHACL must look at: data, shapes, and the nodes that are in doubt, or None for all."""
    whole = parts.Whole(reading.ground, reading.papers, reading.engine, reading.added)
    doubtful, shapes = whole.suspects(), to_graph([reading.ground.shapes])
    if doubtful is not None:
        return whole.excerpt(doubtful), shapes, doubtful
    not_data = {ox.NamedNode(graph_iri(source.topic)) for source in reading.sources if source.topic.startswith("shapes/")}
    return to_graph([[quad for quad in reading.engine if quad.graph_name not in not_data]]), shapes, None


def build(progress: Progress = lambda _: None, again: bool = False, dry: bool = False, crew: parts.Crew | None = None) -> Built:
    """Make the store from the texts, as far as anything changed.

    Args:
        progress: is told what goes on.
        again: do every step, whatever was kept.
        dry: do everything but load; the store that is in use stays.
        crew: who reads the papers; processes of this machine if None.
    Raises:
        BadData: for a text that cannot be read.
        Unreasonable: for a contradiction.
        StoreFailure: if another build is running, or the disk does not take the store.
    """
    steps: dict[str, float] = {}
    with _alone():
        files = [path for kind in texts.KINDS for path in resources.texts(kind)] + list(resources.question_files())
        key = _key("store", texts.digest(files)) if files else ""
        known = manifest()
        if not again and not dry and known.get("key") == key and known.get("files") == _whole():
            return Built(key, known["version"], current(), _findings(known), steps, known["triples"])
        found = sources()
        with _fresh(key) as fresh, ThreadPoolExecutor(1) as aside:  # which ends before the folder goes
            with _step("read", steps, progress):
                reading = read(found, None if dry else fresh)
            del found  # it goes with ``reading.sources``
            with _step("infer", steps, progress) as skip:
                infer(reading, again, crew, progress)
                skip(not reading.done)
            asserted = None if dry else _aside(reading.held, fresh, aside)
            with _step("check", steps, progress) as skip:
                findings, done = check(reading, again)
                skip(not done)
            built = Built(key, "", None, tuple(findings), steps, reading.triples)
            if asserted is None or built.violations:
                return built
            reading.papers.clear()
            reading.sources.clear()
            version, issued = _finished(reading.held, asserted, fresh, built, progress)
            del reading.engine  # closed, so that the engine tidies up no file whose size stands in the manifest
            built = replace(built, version=version, store=current())
            _manifest(fresh, built, issued)
        return built


def _finished(held: EmbeddedStore, asserted: Future[None], fresh: Path, built: Built, progress: Progress) -> tuple[str, datetime]:
    """Add what is derived and what describes it all, write the index and the files to fetch; return the version and when it was made.

    Args:
        asserted: as of ``_aside``.
    """
    from sekinin.derive import derive
    from sekinin.describe import Lines, canonical_digest, count, describe, dumps

    steps, triples = built.steps, built.triples
    with _step("derive", steps, progress):
        derived = list(derive(held))
        held.engine.bulk_extend(derived)
        triples["derived"] = len(derived)
    with _step("store", steps, progress):
        asserted.result()
        (fresh / _TEXTS).unlink()
        engine = _on_disk(held, fresh)
    with _beside(held, engine, fresh, sum(triples.values())) as searched:
        with _step("describe", steps, progress):
            said = Lines.of(held.engine, fresh / "sorted.nq")
            version, issued = canonical_digest(held.engine, said), datetime.now(UTC).replace(microsecond=0)
            counts = count(held, said)
            description = list(describe(held, version, issued, counts))
            triples["description"] = len(description)
            for each in {engine, held.engine}:
                each.bulk_extend(description)
            engine.flush()
            dumps(held, fresh / "dumps", counts, said)
            said.away()
        with _step("search", steps, progress):
            searched()
    return version, issued


def _on_disk(held: EmbeddedStore, fresh: Path) -> ox.Store:
    """Return a store on disk that holds what ``held`` does: itself, if it is there already, else that of what was asserted and the rest."""
    if held.where != MEMORY:
        return held.engine
    engine = ox.Store(str(fresh / "store"))
    for graph in list(held.engine.named_graphs()):
        if isinstance(graph, ox.NamedNode) and made(graph.value) != "asserted":
            engine.bulk_load(held.engine.dump(format=ox.RdfFormat.N_TRIPLES, from_graph=graph), ox.RdfFormat.N_TRIPLES, to_graph=graph)
    return engine


def _whole() -> dict[str, str] | None:
    return _files(current()) if current().is_dir() else None


def _findings(known: dict[str, Any]) -> tuple[Finding, ...]:
    return tuple(Finding(**item) for item in known.get("findings", ()))


def _key(step: str, content: str) -> str:
    """Return the digest of a step's input and of the modules that do it."""
    code = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        code.update(path.read_bytes())
    return hashlib.sha256(f"{step} {content} {code.hexdigest()} {ox.__version__} {search.ENGINE}".encode()).hexdigest()[:24]


@contextmanager
def _fresh(key: str) -> Iterator[Path]:
    """Give a folder for what a build makes; once it has a manifest it takes the place of the one in use, else nothing of it is left."""
    folder = resources.build_folder()
    fresh, link = folder / f"new-{os.getpid()}", folder / f"current-{os.getpid()}"
    final = folder / f"dataset-{key}"
    if final.exists():  # the same texts, built again
        final = folder / f"dataset-{key}-{time.time_ns()}"
    shutil.rmtree(fresh, ignore_errors=True)
    before = ""
    try:
        fresh.mkdir()
        yield fresh
        if (fresh / "manifest.json").is_file():
            fresh.rename(final)
            link.unlink(missing_ok=True)
            link.symlink_to(final.name)
            before = os.path.realpath(folder / "current")
            os.replace(link, folder / "current")
    except (OSError, RuntimeError, StoreFailure) as why:
        shutil.rmtree(final, ignore_errors=True)
        link.unlink(missing_ok=True)
        if isinstance(why, StoreFailure):
            raise
        said = (f"os error {errno.ENOSPC}", os.strerror(errno.ENOSPC))  # by the engine, and by what it stands on
        full = (isinstance(why, OSError) and why.errno == errno.ENOSPC) or any(words in str(why) for words in said)
        remedy = "make room" if full else f"see to it that {folder / 'current'} can be replaced"
        raise StoreFailure(str(folder), f"the new store could not be written ({why})", remedy) from why
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    if before:
        for old in folder.glob("dataset-*"):  # readers may still hold the one before
            if old != final and str(old) != before:
                shutil.rmtree(old, ignore_errors=True)


def _aside(held: EmbeddedStore, fresh: Path, aside: Executor) -> Future[None]:
    """Begin to write the store of what was asserted from the lines of the texts, and its like, to which ``_on_disk`` adds the rest.

    One that is too large for memory is on disk already, with that of what was asserted beside it.
    """
    store = fresh / "store"

    def work() -> None:
        if held.where == MEMORY:
            engine = _bulk(asserted_beside(store), fresh / _TEXTS)
            engine.flush()
            engine.backup(str(store))  # links to the same files, which stay as they are

    return aside.submit(work)


@contextmanager
def _beside(held: EmbeddedStore, engine: ox.Store, fresh: Path, quads: int) -> Iterator[Callable[[], None]]:
    """Begin to write the search index in a program beside this one if there is much of it, and give what waits for its end; else that does it.

    Args:
        engine: what ``held`` holds, on disk.
    Raises:
        StoreFailure: when it ends, if it failed or was killed.
    """
    target = search.beside(fresh / "store")
    if quads < MUCH:

        def here() -> None:
            search.write(target, search.entries(held))

        yield here
        return
    looked = fresh / "looked"
    engine.flush()
    engine.backup(str(looked))
    code = "import sys;from pathlib import Path;from sekinin import search;from sekinin.store import EmbeddedStore;"
    code += "search.write(Path(sys.argv[2]),search.entries(EmbeddedStore.open(Path(sys.argv[1]))))"
    child = subprocess.Popen([sys.executable, "-c", code, str(looked), str(target)], stderr=subprocess.PIPE, text=True)

    def end() -> None:
        _, said = child.communicate()
        if child.returncode:
            why = said.strip().rpartition("\n")[2] or f"exit code {child.returncode}"
            raise StoreFailure("search", f"the index could not be written ({why})", "make room, and run: sekinin build --again")
        shutil.rmtree(looked)

    try:
        yield end
    finally:
        if child.poll() is None:
            child.kill()
            child.communicate()


def _bulk(folder: Path, lines: Path) -> ox.Store:
    engine = ox.Store(str(folder))
    engine.bulk_load(path=str(lines), format=ox.RdfFormat.N_QUADS)
    return engine


def _manifest(fresh: Path, built: Built, issued: datetime) -> None:
    said = {
        "key": built.key,
        "version": built.version,
        "issued": issued.isoformat(),
        "triples": built.triples,
        "findings": [asdict(f) for f in built.findings],
        "files": _files(fresh / "store"),
    }
    write_whole(fresh / "manifest.json", json.dumps(said, ensure_ascii=False, indent=1).encode("utf-8"))


@contextmanager
def _alone() -> Iterator[None]:
    """Hold the lock of the build folder; a second build says so instead of mixing with the first."""
    path = resources.build_folder() / "lock"
    with path.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as why:
            raise StoreFailure(str(path), "another build is running here", "wait for it to end") from why
        for left in path.parent.glob("new-*"):  # of a build that was killed
            shutil.rmtree(left, ignore_errors=True)
        yield


@contextmanager
def _step(name: str, steps: dict[str, float], progress: Progress) -> Iterator[Callable[[bool], None]]:
    start = time.monotonic()
    skipped = False

    def skip(unneeded: bool) -> None:
        nonlocal skipped
        skipped = unneeded

    progress(f"{name} …")
    yield skip
    took = time.monotonic() - start
    if skipped:
        progress(f"{name}: unchanged")
    else:
        steps[name] = took
        progress(f"{name}: {took:.1f} s")
