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
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pyoxigraph as ox

from sekinin import change, parts, resources, search
from sekinin.errors import Missing, StoreFailure
from sekinin.export import write_whole
from sekinin.model import Finding
from sekinin.namespaces import made
from sekinin.steps import TEXTS, Progress, bulk, check, infer, key_of, questions, read, sources
from sekinin.store import MEMORY, EmbeddedStore, asserted_beside

COUNTS: Final = "counts.json"
"""What a dataset holds, kept beside its store."""
MUCH: Final = 200_000
"""Quads from which the search index is written in a process of its own."""


@dataclass(frozen=True)
class Built:
    """What a build gave.

    Args:
        key: SHA-256 over the texts, the questions and the program that made it.
        version: of the dataset, as ``lines.canonical_digest`` gives it; empty when nothing was loaded.
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
        return {key: said[key] for key in ("key", "version", "issued", "triples", "findings", "files", "basis", "papers")}
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
        found, asked = sources(), questions()
        key = key_of("store", parts.digest([*found, *asked]))
        papers = {source.topic: source.sha256 for source in found if parts.is_paper(source.topic)}
        known = manifest()
        whole = not again and not dry and bool(known) and known["files"] == _whole()
        if whole and known["key"] == key:
            return Built(key, known["version"], current(), _findings(known), steps, known["triples"])
        basis = key_of("basis", parts.digest([*(source for source in found if not parts.is_paper(source.topic)), *asked]))
        if whole and known["basis"] == basis:
            try:
                return _changed(known, found, papers, Built(key, "", None, (), steps, known["triples"]), progress)
            except (change.Beyond, Missing, ValueError) as why:  # and no step of it counts
                progress(f"all is built: {why}")
                steps.clear()
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
            _manifest(fresh, built, issued, basis, papers)
        return built


def _changed(known: dict[str, Any], found: list[parts.Source], papers: dict[str, str], built: Built, progress: Progress) -> Built:
    """Make the store from the one in use, of which only some papers changed.

    Args:
        papers: the digest of each as it is now.
    Raises:
        Beyond: if the change reaches further; and Missing or ValueError for something that was not kept.
    """
    from sekinin.count import Counts, Delta, recount
    from sekinin.describe import describe
    from sekinin.dumps import changed, changed_heads, described_before, dumped
    from sekinin.lines import lines_of

    before, steps, triples = current().parent.resolve(), built.steps, dict(built.triples)
    files = dumped(before / "dumps")
    store = EmbeddedStore.open(before / "store").engine
    try:
        counts = Counts.found((before / COUNTS).read_bytes())
    except OSError as why:
        raise change.Beyond("the figures were not kept") from why
    with _fresh(built.key) as fresh:
        with _step("infer", steps, progress):
            small = change.scope(found, known["papers"], EmbeddedStore.open(asserted_beside(before / "store")).engine, store)
        gone, new = small.quads()
        delta = Delta(store, gone, new)
        with ThreadPoolExecutor(3) as aside:
            lines = aside.submit(changed_heads, files, before / "dumps", fresh / "dumps", delta)
            judged = aside.submit(small.findings, _findings(known))
            searched = aside.submit(search.rewrite, search.beside(before / "store"), search.beside(fresh / "store"), *small.entries())
            with _step("store", steps, progress):
                engine = change.linked(before / "store", fresh / "store")
                change.apply(engine, gone, new)
                asserted = change.linked(asserted_beside(before / "store"), asserted_beside(fresh / "store"))
                change.apply(asserted, *({quad for quad in quads if _kind(quad) == "graphs"} for quads in (gone, new)))
                for quads, sign in ((gone, -1), (new, 1)):
                    for quad in quads:
                        triples[_kind(quad)] += sign
            with _step("check", steps, progress):
                built = replace(built, findings=tuple(judged.result()))
            if built.violations:
                return built
            with _step("describe", steps, progress):
                if not recount(counts, delta, engine):
                    raise change.Beyond("another class counts")
                write_whole(fresh / COUNTS, counts.kept())
                issued, held = datetime.now(UTC).replace(microsecond=0), EmbeddedStore(engine, str(fresh))
                own = lines_of(describe(held, lambda: lines.result()[0].total.hexdigest(), issued, counts))
                heads, was = lines.result(), described_before(files, before / "dumps")
                version = heads[0].total.hexdigest()
                triples["description"] = len(own)
                change.apply(engine, *(ox.parse(b"".join(each), ox.RdfFormat.N_QUADS) for each in (was.difference(own), set(own) - was)))
                changed(held, files, before / "dumps", fresh / "dumps", heads, counts, own, small.changed)
            with _step("search", steps, progress):
                searched.result()
        for each in (engine, asserted):
            each.flush()
        del each, engine, asserted, held, delta
        built = replace(built, version=version, store=current(), triples=triples)
        _manifest(fresh, built, issued, known["basis"], papers)
    return built


def _kind(quad: ox.Quad) -> str:
    """Return under what a quad of papers, or of what follows or is derived from them, is counted."""
    kind = made(quad.graph_name.value) if isinstance(quad.graph_name, ox.NamedNode) else "asserted"
    return "graphs" if kind == "asserted" else kind


def _finished(held: EmbeddedStore, asserted: Future[None], fresh: Path, built: Built, progress: Progress) -> tuple[str, datetime]:
    """Add what is derived and what describes it all, write the index and the files to fetch; return the version and when it was made.

    Args:
        asserted: as of ``_aside``.
    """
    from sekinin.count import count
    from sekinin.derive import derive
    from sekinin.describe import describe
    from sekinin.dumps import dumps
    from sekinin.lines import Lines

    steps, triples = built.steps, built.triples
    with _step("derive", steps, progress):
        derived = list(derive(held))
        held.engine.bulk_extend(derived)
        triples["derived"] = len(derived)
    with _step("store", steps, progress):
        asserted.result()
        (fresh / TEXTS).unlink()
        engine = _on_disk(held, fresh)
    with _beside(held, engine, fresh, sum(triples.values())) as searched:
        with _step("describe", steps, progress):
            said = Lines.of(held.engine, fresh / "sorted.nq")
            version, issued = said.digest(), datetime.now(UTC).replace(microsecond=0)
            counts = count(held, said)
            write_whole(fresh / COUNTS, counts.kept())
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
            engine = bulk(asserted_beside(store), fresh / TEXTS)
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


def _manifest(fresh: Path, built: Built, issued: datetime, basis: str, papers: dict[str, str]) -> None:
    said = {
        "key": built.key,
        "version": built.version,
        "issued": issued.isoformat(),
        "triples": built.triples,
        "findings": [asdict(f) for f in built.findings],
        "files": _files(fresh / "store"),
        "basis": basis,
        "papers": papers,
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
