"""The graph as files: the formats that programs read, each the same graph.

Nothing is half-written: a file appears whole or not at all.
"""

from __future__ import annotations

import csv
import io
import os
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import pyoxigraph as ox

from sekinin import queries
from sekinin.errors import Missing
from sekinin.formats import GRAPHS
from sekinin.namespaces import BASE, PREFIXES, made, shrink
from sekinin.store import EmbeddedStore, Store, rows

SSSOM: Final = (
    "subject_id", "subject_label", "predicate_id", "object_id", "object_label", "mapping_justification",
    "confidence", "subject_source_version", "object_source_version", "mapping_date", "comment",
)  # fmt: skip


def write_whole(path: Path, content: bytes) -> Path:
    """Write ``content`` to ``path`` at once: to a file beside it first, which then takes its name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.chmod(name, 0o644)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return path


def serialise(quads: Iterable[ox.Quad], name: str) -> bytes:
    """Return ``quads`` in the format called ``name``; a format without named graphs gets their union."""
    form = GRAPHS[name].engine
    assert isinstance(form, ox.RdfFormat)
    ordered = sorted(set(quads), key=str)
    if form.supports_datasets:
        return ox.serialize(ordered, format=form, prefixes=PREFIXES) or b""
    triples = dict.fromkeys(quad.triple for quad in ordered)
    return ox.serialize(triples, format=form, prefixes=PREFIXES) or b""


def chosen(store: EmbeddedStore, provider: str | None = None, asserted: bool = False) -> Iterator[ox.Quad]:
    """Yield the quads of ``store``, all or those of one provider's papers.

    Args:
        provider: name of its folder in ``graphs/``, such as ``spcc``.
        asserted: leave out what was inferred and derived.
    Raises:
        Missing: if no paper of this provider is in the store.
    """
    if provider is not None and f"{PREFIXES['id']}party-{provider}" not in _parties(store):
        raise Missing(f"provider {provider}", "the store has no paper of this provider", "see the folders in graphs/")
    wanted = f"{PREFIXES['g']}{provider}/" if provider else ""
    found = False
    for graph in store.engine.named_graphs():
        iri = graph.value
        if not iri.startswith(wanted) or (asserted and made(iri) != "asserted"):
            continue
        found = True
        yield from store.engine.quads_for_pattern(None, None, None, graph)
    if not found:
        raise Missing(f"provider {provider}", "the store has no paper of this provider", "see the folders in graphs/")


def _parties(store: EmbeddedStore) -> set[str]:
    publisher = ox.NamedNode(PREFIXES["dcterms"] + "publisher")
    return {quad.object.value for quad in store.engine.quads_for_pattern(None, publisher, None) if isinstance(quad.object, ox.NamedNode)}


def sssom(store: Store) -> dict[str, bytes]:
    """Return each crosswalk as an SSSOM table, by the name of its file.

    Source: SSSOM 1.1, the TSV format with its metadata as comment lines.
    """
    tables: dict[str, list[dict[str, str]]] = {}
    for row in rows(queries.bind(queries.get("frameworks/mappings"), {}).ask(store)):
        cells = {name: row[name].value if name in row else "" for name in ("graph", *SSSOM)}
        for name in ("subject_id", "predicate_id", "object_id", "mapping_justification"):
            cells[name] = shrink(cells[name])
        tables.setdefault(cells.pop("graph").rpartition("/")[2], []).append(cells)
    return {f"{name}.sssom.tsv": _table(name, lines) for name, lines in sorted(tables.items())}


def _table(name: str, lines: list[dict[str, str]]) -> bytes:
    used = {cell.partition(":")[0] for line in lines for cell in (line["subject_id"], line["object_id"])}
    out = io.StringIO()
    out.write("#curie_map:\n")
    for prefix in sorted(used | {"skos", "semapv"}):
        out.write(f"#  {prefix}: {PREFIXES[prefix]}\n")
    out.write("#license: https://creativecommons.org/licenses/by/4.0/\n")
    out.write(f"#mapping_set_id: {BASE}/mapping/{name}\n")
    table = csv.DictWriter(out, SSSOM, delimiter="\t", lineterminator="\n")
    table.writeheader()
    table.writerows(lines)
    return out.getvalue().encode("utf-8")
