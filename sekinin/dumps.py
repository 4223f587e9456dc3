"""The files to fetch: everything in each format, each provider in Turtle, each crosswalk as SSSOM, with their sizes and digests."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any, Final

import pyoxigraph as ox

from sekinin import export, resources
from sekinin.count import Counts, Delta, count, has, split
from sekinin.describe import DATASET, LARGE, PARTS, SHORT, WHOLE, Dump, planned
from sekinin.errors import Missing
from sekinin.formats import GRAPHS
from sekinin.lines import ABOUT_ITSELF, DESCRIPTION, Lines, lines_of, spliced
from sekinin.namespaces import PREFIXES
from sekinin.store import EmbeddedStore

INDEX: Final = "index.json"


@dataclass
class Head:
    """The head of a file of lines: the data, in order. What describes the dataset comes behind it.

    Args:
        path: of the file.
        size: bytes written so far; ``total`` SHA-256 over them.
    """

    path: Path
    size: int = 0
    total: Any = field(default_factory=hashlib.sha256)

    def write(self, blocks: Iterable[bytes | memoryview]) -> Head:
        """Write ``blocks`` behind what is there."""
        with self.path.open("ab") as file:
            for block in blocks:
                file.write(block)
                self.total.update(block)
                self.size += len(block)
        return self


def dumps(store: EmbeddedStore, folder: Path, counts: Counts | None = None, known: Lines | None = None) -> list[Dump]:
    """Write the files of ``planned`` into ``folder``, all or none, with an index of their sizes and digests.

    Args:
        counts: what ``count`` gives for the store, if it was asked before; ``known`` its lines.
    """
    known = known or Lines.of(store.engine)
    fresh = folder.with_name(f".{folder.name}-{os.getpid()}")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    try:
        quads, triples = _paths(fresh)
        heads = [Head(quads).write(known.blocks()), Head(triples).write(_blocks(_triples(known)))]
        own = lines_of(q for part in PARTS for q in store.engine.quads_for_pattern(None, None, None, ox.NamedNode(DESCRIPTION + part)))
        written = _finish(store, fresh, heads, counts or count(store, known), {}, own)
        shutil.rmtree(folder, ignore_errors=True)
        fresh.rename(folder)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return written


def changed_heads(files: Iterable[Dump], before: Path, folder: Path, delta: Delta) -> list[Head]:
    """Write the heads of the files of lines into ``folder``, which is made, from those in ``before``; SHA-256 over the first is the version.

    Args:
        files: what ``before`` holds, as ``dumped`` tells.
    Raises:
        ValueError: if they are not what they should be.
    """
    folder.mkdir()
    known = {dump.name: dump for dump in files}
    changes = ((lines_of(delta.gone), lines_of(delta.new)), (lines_of(delta.triples_gone), lines_of(delta.triples_new)))

    def one(path: Path, change: tuple[list[bytes], list[bytes]]) -> Head:
        return Head(path).write(spliced(before / path.name, known[path.name].data, *change))

    with ThreadPoolExecutor(len(changes)) as pool:
        return [*pool.map(one, _paths(folder), changes)]


def described_before(files: Iterable[Dump], before: Path) -> set[bytes]:
    """Return the lines that described the dataset whose files are in ``before``, each with its end."""
    quads = next(dump for dump in files if dump.name == _paths(before)[0].name)
    with (before / quads.name).open("rb") as file:
        file.seek(quads.data)
        return set(file)


def changed(
    store: EmbeddedStore,
    files: Iterable[Dump],
    before: Path,
    folder: Path,
    heads: list[Head],
    counts: Counts,
    own: list[bytes],
    topics: Iterable[str],
) -> list[Dump]:
    """Write the other files beside ``heads``; those of which no graph changed are the same files under another name.

    Args:
        own: the lines that describe the dataset.
        topics: the graphs that changed, by the names of their texts.
    """
    touched = {f"{PREFIXES['id']}party-{topic.split('/')[1]}" for topic in topics}
    kept = {dump.name: dump for dump in files if dump.about not in touched | {DATASET}}
    for name in kept:
        resources.link(before / name, folder / name)
    return _finish(store, folder, heads, counts, kept, own)


def _paths(folder: Path) -> tuple[Path, Path]:
    """Return the files that hold everything as lines: quads, and triples."""
    quads, triples = (folder / f"{WHOLE}.{GRAPHS[form].ending}" for form in ("nquads", "ntriples"))
    return quads, triples


def _triples(known: Lines) -> Iterator[bytes]:
    """Yield the triples of all graphs as lines of N-Triples, each once; leaving the graph out changes nothing in their order."""
    last = b""
    for line in known:
        triple = b" ".join((*split(line)[:3], b".\n"))
        if triple != last:
            yield triple
        last = triple


def _blocks(lines: Iterable[bytes]) -> Iterator[bytes]:
    """Yield many lines at once."""
    lines = iter(lines)
    while block := b"".join(islice(lines, 10_000)):
        yield block


def _finish(store: EmbeddedStore, folder: Path, heads: list[Head], counts: Counts, kept: Mapping[str, Dump], own: list[bytes]) -> list[Dump]:
    """Write what describes the dataset behind ``heads``, then every other file that is not in ``kept``, and the index."""
    engine, union, written = store.engine, ox.Store(), []
    sizes = {head.path.name: head.size for head in heads}
    heads[0].write(_blocks(own))
    heads[1].write(_blocks(sorted(_of_description_alone(engine, own))))
    digests = {head.path.name: (head.size, head.total.hexdigest()) for head in heads}
    graphs: dict[str, list[ox.NamedNode]] = defaultdict(list)
    for graph in counts.graphs:
        graphs[graph.removeprefix(PREFIXES["g"]).partition("/")[0]].append(ox.NamedNode(graph))
    crosswalks: dict[str, bytes] = {}
    for dump in planned(counts):
        path = folder / dump.name
        if dump.name in kept:
            written.append(kept[dump.name])
            continue
        if dump.form == "sssom":
            crosswalks = crosswalks or export.sssom(store)
            path.write_bytes(crosswalks.get(dump.name, b""))
        elif dump.about != DATASET:
            mine = graphs[dump.about.removeprefix(f"{PREFIXES['id']}party-")]
            if len(mine) == 1 and counts.triples > LARGE:  # the engine writes a graph in no time, though not in the order of the alphabet
                engine.dump(str(path), ox.RdfFormat.TURTLE, from_graph=mine[0], prefixes=PREFIXES)
            else:
                path.write_bytes(export.serialise((q for graph in mine for q in engine.quads_for_pattern(None, None, None, graph)), dump.form))
        elif dump.name not in sizes:
            _write(engine, union, path, dump.form, heads[1].path)
        if dump.name not in digests:
            with path.open("rb") as file:
                digests[dump.name] = path.stat().st_size, hashlib.file_digest(file, "sha256").hexdigest()
        size, digest = digests[dump.name]
        written.append(replace(dump, size=size, sha256=digest, data=sizes.get(dump.name, 0)))
    (folder / INDEX).write_text(json.dumps([asdict(dump) for dump in written], indent=1), encoding="utf-8")
    return written


def _of_description_alone(engine: ox.Store, own: list[bytes]) -> set[bytes]:
    """Return the triples of lines that describe the dataset, as lines, but those that the data say too."""
    found = set[bytes]()
    told: dict[bytes, bool] = {}  # whether the data say anything of a subject
    for s, p, o, _ in (split(line[:-1]) for line in own):
        if s not in told:  # what stands under the graphs of the description stands in no other
            told[s] = not s.startswith(ABOUT_ITSELF.encode()) and has(engine, ox.NamedNode(s[1:-1].decode()), None, None)
        line = b" ".join((s, p, o, b".\n"))
        if not told[s] or not has(engine, *next(iter(ox.parse(line, ox.RdfFormat.N_TRIPLES))).triple):
            found.add(line)
    return found


def _write(engine: ox.Store, union: ox.Store, path: Path, form: str, triples: Path) -> None:
    """Write all of ``engine`` to ``path``; a format without named graphs gets each triple once, the triples of a subject together.

    Args:
        union: a store for the triples of all graphs, filled when it is first needed.
        triples: the file of all triples.
    """
    kind = GRAPHS[form].engine
    assert isinstance(kind, ox.RdfFormat)
    if kind.supports_datasets:
        engine.dump(str(path), kind, prefixes=SHORT)
    else:
        if not len(union):
            union.bulk_load(path=str(triples), format=ox.RdfFormat.N_TRIPLES)
        union.dump(str(path), kind, from_graph=ox.DefaultGraph(), prefixes=SHORT)


def dumped(folder: Path) -> list[Dump]:
    """Return the files that ``dumps`` left in ``folder``.

    Raises:
        Missing: if there are none, or their index cannot be read.
    """
    try:
        return [Dump(**item) for item in json.loads((folder / INDEX).read_text(encoding="utf-8"))]
    except (OSError, ValueError, TypeError) as why:
        raise Missing(str(folder), "there are no dumps", "run: sekinin build --again") from why
