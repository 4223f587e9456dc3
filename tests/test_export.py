"""Every export is the same graph to a second parser."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from rdflib import Dataset, Graph
from rdflib.compare import to_isomorphic

from sekinin import export
from sekinin.cli import main
from sekinin.convert import to_graph
from sekinin.errors import Missing
from sekinin.formats import GRAPHS
from sekinin.store import EmbeddedStore

RDFLIB = {"turtle": "turtle", "trig": "trig", "nquads": "nquads", "ntriples": "nt", "jsonld": "json-ld", "rdfxml": "xml"}


@pytest.mark.whole
@pytest.mark.parametrize("name", RDFLIB)
def test_a_second_parser_reads_the_same(name: str, store: EmbeddedStore) -> None:
    """rdflib reads what pyoxigraph wrote: the same triples, and in the formats that have them the same graphs."""
    quads = list(export.chosen(store, "infonet")) + list(export.chosen(store, "ictl"))
    content = export.serialise(quads, name)
    named = GRAPHS[name].engine.supports_datasets
    if named:
        again = Dataset()
        again.parse(data=content, format=RDFLIB[name])
        found = {(str(s), str(p), str(o), str(g)) for s, p, o, g in again.quads()}
        assert found == {(q.subject.value, q.predicate.value, q.object.value, q.graph_name.value) for q in quads}
    else:
        graph = Graph().parse(data=content, format=RDFLIB[name])
        assert set(graph) == set(to_graph([quads]))


@pytest.mark.whole
@pytest.mark.parametrize("name", RDFLIB)
def test_the_whole_graph_is_read_again(name: str, store: EmbeddedStore) -> None:
    """All graphs, blank nodes of the ontology included: what rdflib reads is isomorphic to what was written."""
    quads = list(export.chosen(store))
    dataset = Dataset()
    dataset.parse(data=export.serialise(quads, name), format=RDFLIB[name])
    found = Graph()
    for s, p, o, _ in dataset.quads():
        found.add((s, p, o))
    assert len(found) > 60_000
    assert to_isomorphic(found).internal_hash() == to_isomorphic(to_graph([quads])).internal_hash()


def test_the_command_writes_whole_files(store: EmbeddedStore, tmp_path: Path) -> None:
    out = tmp_path / "talkz.ttl"
    result = CliRunner().invoke(main, ["export", "--provider", "spcc", "--out", str(out)])
    assert result.exit_code == 0, result.output
    assert len(Graph().parse(out)) > 10_000
    assert not [p for p in tmp_path.iterdir() if p != out]


def test_asserted_only(store: EmbeddedStore) -> None:
    """Without what was made, no inferred or derived graph is written."""
    graphs = {q.graph_name.value for q in export.chosen(store, asserted=True)}
    assert graphs and not [g for g in graphs if g.endswith("/inferred") or "/derived/" in g]


def test_an_unknown_provider_is_told(store: EmbeddedStore) -> None:
    with pytest.raises(Missing, match="no paper"):
        list(export.chosen(store, "nobody"))


def test_a_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk: the old file stays as it was and nothing is left beside it."""
    import os

    path = tmp_path / "x.ttl"
    path.write_text("old")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError):
        export.write_whole(path, b"new")
    assert path.read_text() == "old" and list(tmp_path.iterdir()) == [path]


@pytest.mark.whole
def test_sssom_validates(store: EmbeddedStore, tmp_path: Path) -> None:
    """The crosswalks as SSSOM tables pass the sssom package's own validation."""
    tables = export.sssom(store)
    assert len(tables) >= 5
    assert sum(1 for name in tables if name.startswith("ai-analyst")) >= 2
    for name, table in tables.items():
        path = export.write_whole(tmp_path / name, table)
        run = subprocess.run(
            [str(Path(sys.executable).with_name("sssom")), "validate", str(path)], capture_output=True, text=True, timeout=120, check=False
        )
        assert run.returncode == 0, run.stderr[-2000:]
    lines = tables["iso27002-2013--iso27002-2022.sssom.tsv"].decode().splitlines()
    assert sum(1 for line in lines if line.startswith("c13:")) == 115
