"""The order of the steps: read, infer, check, derive, describe, load, search; only what changed is done again.

A new store is made in a place of its own and takes the old one's name at the end, so that
a build that fails or is killed leaves the old store answering.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pyoxigraph as ox

from sekinin import resources, search, texts
from sekinin.errors import StoreFailure
from sekinin.export import write_whole
from sekinin.model import Finding
from sekinin.namespaces import graph_iri, made
from sekinin.store import EmbeddedStore, asserted_beside

Progress = Callable[[str], None]
"""Is told each step, and at its end how long it took."""


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


def _keep(path: Path, content: bytes, pattern: str) -> None:
    write_whole(path, content + b"\n# sha256 " + hashlib.sha256(content).hexdigest().encode() + b"\n")
    for old in path.parent.glob(pattern):
        if old != path:
            old.unlink(missing_ok=True)


def texts_store() -> EmbeddedStore:
    """Return the texts as they stand now, asserted only, in memory."""
    return EmbeddedStore.of(quad for text in texts.read_all() for quad in text.quads)


def infer(read: list[texts.Text], again: bool = False) -> tuple[list[ox.Quad], bool]:
    """Return the closure of ``read`` as quads of the inferred graph, and whether it had to be computed."""
    wanted = [text for text in read if text.kind in ("ontology", "graphs")]
    key = _key("infer", texts.digest(text.path for text in wanted))
    kept = resources.build_folder() / "steps" / f"inferred-{key}.nt"
    graph = ox.NamedNode(graph_iri("inferred"))
    content = None if again else _kept(kept)
    done = content is None
    if content is None:
        from sekinin import infer as reasoner
        from sekinin.convert import to_graph

        ontology = to_graph(text.quads for text in wanted if text.kind == "ontology")
        new = reasoner.closure(ontology, [to_graph(text.quads for text in wanted if text.kind == "graphs")])
        content = "".join(sorted(f"<{s}> <{p}> <{o}> .\n" for s, p, o in new)).encode("utf-8")
        _keep(kept, content, "inferred-*.nt")
    quads = [ox.Quad(q.subject, q.predicate, q.object, graph) for q in ox.parse(content, ox.RdfFormat.N_TRIPLES)]
    return quads, done


def check(read: list[texts.Text], inferred: list[ox.Quad], again: bool = False) -> tuple[list[Finding], bool]:
    """Return what shapes and checks find in ``read`` with ``inferred``, and whether they had to be run."""
    files = [text.path for text in read] + list(resources.question_files())
    key = _key("check", texts.digest(files))
    kept = resources.build_folder() / "steps" / f"findings-{key}.json"
    content = None if again else _kept(kept)
    done = content is None
    if content is None:
        from sekinin import check as checker
        from sekinin.convert import to_graph

        quads = [quad for text in read for quad in text.quads if text.kind != "shapes"]
        where = checker.files_of(quads, {text.graph: text.topic + ".ttl" for text in read})
        shape_graph = to_graph(text.quads for text in read if text.kind == "shapes")
        found = checker.shapes(to_graph([quads, inferred]), shape_graph, where)
        found += checker.checks(EmbeddedStore.of([*quads, *inferred]), where)
        content = json.dumps([asdict(finding) for finding in found], ensure_ascii=False, indent=1).encode("utf-8")
        _keep(kept, content, "findings-*.json")
    return [Finding(**item) for item in json.loads(content)], done


def build(progress: Progress = lambda _: None, again: bool = False, dry: bool = False) -> Built:
    """Make the store from the texts, as far as anything changed.

    Args:
        progress: is told what goes on.
        again: do every step, whatever was kept.
        dry: do everything but load; the store that is in use stays.
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
        with _step("read", steps, progress):
            read = texts.read_all()
        with _step("infer", steps, progress) as skip:
            inferred, done = infer(read, again)
            skip(not done)
        with _step("check", steps, progress) as skip:
            findings, done = check(read, inferred, again)
            skip(not done)
        quads = [quad for text in read for quad in text.quads]
        triples = {kind: sum(len(text.quads) for text in read if text.kind == kind) for kind in texts.KINDS}
        triples["inferred"] = len(inferred)
        built = Built(key, "", None, tuple(findings), steps, triples)
        if dry or built.violations:
            return built
        with _step("derive", steps, progress):
            from sekinin.derive import derive

            held = EmbeddedStore.of([*quads, *inferred])
            derived = list(derive(held))
            held.engine.bulk_extend(derived)
            triples["derived"] = len(derived)
        with _step("describe", steps, progress):
            from sekinin.describe import canonical_digest, describe

            version, issued = canonical_digest(held.engine), datetime.now(UTC).replace(microsecond=0)
            description = list(describe(held, version, issued))
            triples["description"] = len(description)
        with _fresh(key) as fresh:
            with _step("load", steps, progress):
                built = replace(built, version=version, store=current())
                _load([*quads, *inferred, *derived, *description], fresh)
            with _step("search", steps, progress):
                search.write(search.beside(fresh / "store"), search.entries(held))
            _manifest(fresh, built, issued)
        return built


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
    """Give a folder for what a build makes; at the end it takes the place of the one in use, and after an error nothing of it is left."""
    folder = resources.build_folder()
    fresh, link = folder / f"new-{os.getpid()}", folder / f"current-{os.getpid()}"
    final = folder / f"dataset-{key}"
    if final.exists():  # the same texts, built again
        final = folder / f"dataset-{key}-{time.time_ns()}"
    shutil.rmtree(fresh, ignore_errors=True)
    try:
        fresh.mkdir()
        yield fresh
        fresh.rename(final)
        link.unlink(missing_ok=True)
        link.symlink_to(final.name)
        before = os.path.realpath(folder / "current")
        os.replace(link, folder / "current")
    except (OSError, RuntimeError, StoreFailure) as why:
        for left in (fresh, final):
            shutil.rmtree(left, ignore_errors=True)
        link.unlink(missing_ok=True)
        if isinstance(why, StoreFailure):
            raise
        full = isinstance(why, OSError) and why.errno == errno.ENOSPC
        remedy = "make room" if full else f"see to it that {folder / 'current'} can be replaced"
        raise StoreFailure(str(folder), f"the new store could not be written ({why})", remedy) from why
    for old in folder.glob("dataset-*"):  # readers may still hold the one before
        if old != final and str(old) != before:
            shutil.rmtree(old, ignore_errors=True)


def _load(quads: list[ox.Quad], fresh: Path) -> None:
    """Write the store, the dumps, and the store of what was asserted."""
    from sekinin.describe import dumps

    whole = _write(fresh / "store", quads)
    dumps(whole, fresh / "dumps")
    del whole
    _write(asserted_beside(fresh / "store"), (quad for quad in quads if made(cast(ox.NamedNode, quad.graph_name).value) == "asserted"))


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


def _write(folder: Path, quads: Iterable[ox.Quad]) -> EmbeddedStore:
    engine = ox.Store(str(folder))
    engine.bulk_extend(quads)
    engine.flush()
    return EmbeddedStore(engine, str(folder))


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
