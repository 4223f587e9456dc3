"""The frameworks and crosswalks have the numbers that the standards have."""

from __future__ import annotations

from collections import Counter

import pytest
from rdflib import RDF, SKOS, Graph, Literal, URIRef

from sekinin import namespaces
from sekinin.namespaces import SK

SPACES = {name: namespaces.PREFIXES[name] for name in namespaces.FRAMEWORKS}


def members(data: Graph, prefix: str, kind: URIRef) -> set[URIRef]:
    return {s for s in data.subjects(RDF.type, kind) if str(s).startswith(SPACES[prefix]) and (s, SKOS.inScheme, URIRef(SPACES[prefix])) in data}


@pytest.mark.parametrize(("prefix", "count"), [("c17", 44), ("c13", 114), ("c22", 93), ("meti", 133)])
def test_controls(prefix: str, count: int, data: Graph) -> None:
    """Every control has one notation that is its IRI's end, names in both languages, and a group above it."""
    found = members(data, prefix, SK.Control)
    assert len(found) == count
    for control in found:
        assert data.value(control, SKOS.notation) == Literal(str(control).removeprefix(SPACES[prefix]))
        assert sorted(o.language for o in data.objects(control, SKOS.prefLabel)) == ["en", "ja"]
        assert (control, SKOS.broader, None) in data


def test_groups(data: Graph) -> None:
    """14 clauses and 35 objectives in 2013, four themes of 37, 8, 14 and 34 controls in 2022, seven CLD items in 27017."""
    names = [str(s).removeprefix(SPACES["c13"]) for s in members(data, "c13", SK.ControlGroup)]
    assert Counter(name.count(".") for name in names) == {0: 14, 1: 35}
    themes = Counter(str(data.value(c, SKOS.broader)).removeprefix(SPACES["c22"]) for c in members(data, "c22", SK.Control))
    assert themes == {"5": 37, "6": 8, "7": 14, "8": 34}
    assert sum(1 for c in members(data, "c17", SK.Control) if "CLD" in c) == 7


def test_the_check_sheet(data: Graph) -> None:
    """66 items in 11 sections; the printed number alone is no key, since '1' in section 3 occurs three times."""
    items = members(data, "sheet", SK.CheckItem)
    assert len(items) == 66
    notations = [str(data.value(i, SKOS.notation)) for i in items]
    assert len(set(notations)) == 66
    assert sorted(n for n in notations if n.startswith("3-") and n.endswith("-1")) == ["3-雇用の終了又は変更-1", "3-雇用前-1", "3-雇用期間中-1"]
    sections = Counter(n.partition("-")[0] for n in notations)
    assert sections == {"1": 2, "2": 5, "3": 4, "4": 2, "5": 6, "6": 29, "7": 1, "8": 3, "9": 3, "10": 6, "11": 5}


def test_2013_to_2022(data: Graph) -> None:
    """115 pairs, 11 new controls, one split (18.2.3); every 2013 control has a successor."""
    covered = {(s, o) for s, o in data.subject_objects(SK.fullyCoveredBy)}
    overlaps = {(s, o) for s, o in data.subject_objects(SK.overlapsWith) if str(s).startswith(SPACES["c13"])}
    assert len(covered | overlaps) == 115
    assert {str(s).removeprefix(SPACES["c13"]) for s, _ in overlaps} == {"18.2.3"}
    assert len({s for s, _ in covered | overlaps}) == 114
    new = members(data, "c22", SK.Control) - {o for _, o in covered | overlaps}
    assert {str(c).removeprefix(SPACES["c22"]) for c in new} == {"5.7", "5.23", "5.30", "7.4", "8.9", "8.10", "8.11", "8.12", "8.16", "8.23", "8.28"}
    assert {c for c in members(data, "c22", SK.Control) if (c, SK.introducedIn, None) in data} == new


def test_numbers_of_different_editions_never_join(data: Graph) -> None:
    """12.3.1 is cryptography in METI 2013 and backup in 27002:2013; 7.2.2 and 8.2.2 are swapped."""
    name = {p: str(next(o for o in data.objects(URIRef(SPACES[p] + "12.3.1"), SKOS.prefLabel) if o.language == "ja")) for p in ("meti", "c13")}
    assert "暗号" in name["meti"] and "バックアップ" in name["c13"]
    label = {p: str(next(o for o in data.objects(URIRef(SPACES[p] + "7.2.2"), SKOS.prefLabel) if o.language == "ja")) for p in ("meti", "c13")}
    assert "ラベル" in label["meti"] and "意識向上" in label["c13"]
    assert not [1 for s, o in data.subject_objects(SKOS.exactMatch) if "/framework/" in s]


def test_27017_extends_27002(data: Graph) -> None:
    """37 items extend the 2013 control of their number; the seven CLD items extend none."""
    pairs = {(str(s).removeprefix(SPACES["c17"]), str(o).removeprefix(SPACES["c13"])) for s, o in data.subject_objects(SK.extendsControl)}
    assert len(pairs) == 37
    assert all(a == b for a, b in pairs)


def test_every_mapping_has_its_row(data: Graph) -> None:
    """A triple to reason with has a row that says who said so, how sure, and between which versions."""
    owl, sssom = namespaces.PREFIXES["owl"], namespaces.PREFIXES["sssom"]
    rows = set()
    for row in data.subjects(RDF.type, URIRef(owl + "Axiom")):
        rows.add(tuple(data.value(row, URIRef(owl + part)) for part in ("annotatedSource", "annotatedProperty", "annotatedTarget")))
        assert 0 < float(data.value(row, URIRef(sssom + "confidence"))) <= 1
        assert str(data.value(row, URIRef(sssom + "predicate_id"))) != str(SKOS.exactMatch)
    for predicate in (SK.fullyCoveredBy, SK.extendsControl, SK.implementsControl):
        for s, o in data.subject_objects(predicate):
            assert (s, predicate, o) in rows, (s, o)


def test_asking_by_another_number_finds_the_paper(store) -> None:
    """27002:2022 8.13 finds what stands under 12.3.1, and a row of the check sheet answers by METI numbers."""
    import pyoxigraph as ox

    def addressing(prefix: str, number: str) -> set[str]:
        control = ox.NamedNode(SPACES[prefix] + number)
        found = store.engine.quads_for_pattern(None, ox.NamedNode(namespaces.PREFIXES["sk"] + "addressesControl"), control, None)
        return {q.subject.value.removeprefix(namespaces.PREFIXES["id"]) for q in found}

    backup = addressing("c22", "8.13")
    assert {"cs-aicloud-12.3.1", "cs-resv-12.3.1", "cs-lensawriter-12.3.1", "cs-talkz-12.3.1", "cs-ai-analyst-6-8"} <= backup
    assert "cs-ai-analyst-6-8" in addressing("meti", "10.5.1")
