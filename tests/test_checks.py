"""The checks find what they look for: each has data on which it must complain."""

from __future__ import annotations

from pathlib import Path

import pyoxigraph as ox
import pytest
from conftest import HOUSE

from sekinin import queries, texts
from sekinin.store import EmbeddedStore, rows

CHECKS = sorted((HOUSE / "queries" / "checks").glob("*.rq"))


@pytest.fixture(scope="module")
def reference(read: list[texts.Text]) -> list[ox.Quad]:
    kinds = ("graphs/vocabulary/", "graphs/frameworks/", "graphs/parties")
    return [quad for text in read if text.kind == "ontology" or text.topic.startswith(kinds) for quad in text.quads]


def test_each_check_has_its_example() -> None:
    """A check that nothing was ever held against may never complain."""
    assert CHECKS
    assert {path.stem for path in CHECKS} == {path.stem for path in (HOUSE / "tests" / "checks").glob("*.ttl")}


@pytest.mark.parametrize("path", CHECKS, ids=lambda p: p.stem)
def test_it_complains(path: Path, reference: list[ox.Quad]) -> None:
    """It returns a row for its bad example, naming the node."""
    graph = ox.NamedNode("https://w3id.org/sekinin/graph/example")
    bad = [ox.Quad(q.subject, q.predicate, q.object, graph) for q in ox.parse(path=str(HOUSE / "tests" / "checks" / f"{path.stem}.ttl"))]
    found = list(rows(queries.bind(queries.read(path), {}).ask(EmbeddedStore.of([*reference, *bad]))))
    assert found
    mine = {q.subject for q in bad}
    assert any(row["this"] in mine for row in found)


def test_severities_are_those_of_shacl() -> None:
    for path in CHECKS:
        assert queries.read(path).header.get("severity", "Violation") in ("Violation", "Warning", "Info")
