"""The quick look and pySHACL over the few come to the report of pySHACL over the whole."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pyoxigraph as ox
import pytest
import rdflib
from conftest import HOUSE
from owlrl.DatatypeHandling import use_RDFLib_lexical_conversions
from rdflib import Graph, Literal, URIRef
from rdflib.namespace import XSD

from sekinin import check, conform, parts, resources, steps
from sekinin.convert import to_graph
from sekinin.errors import BadData
from sekinin.model import Finding
from sekinin.namespaces import PREFIXES

HEAD = "".join(f"@prefix {prefix}: <{PREFIXES[prefix]}> .\n" for prefix in ("sk", "skos", "rdfs", "id"))
EXAMPLES = sorted((HOUSE / "tests" / "examples").glob("*.trig"))


def of_the_whole(reading: steps.Reading) -> list[Finding]:
    """Return what pySHACL finds when it looks at everything."""
    quads = [quad for quad in reading.engine if "/graph/shapes/" not in str(quad.graph_name)]
    return check.shapes(to_graph([quads]), to_graph([reading.ground.shapes]))


def both(reading: steps.Reading) -> tuple[list[Finding], list[Finding]]:
    return check.shapes(*steps._to_judge(reading)), of_the_whole(reading)


def read(house: Path, names: dict[str, str]) -> steps.Reading:
    """Read ``house`` with further papers, by the names of their folders."""
    for name, text in names.items():
        (house / "graphs" / name).mkdir(exist_ok=True)
        (house / "graphs" / name / "paper.ttl").write_text(text, encoding="utf-8")
    return steps.infer(steps.read(steps.sources()))


@pytest.fixture
def vocabulary(house: Path) -> Path:
    """The house without its papers."""
    import shutil

    for path in (house / "graphs").iterdir():
        if path.is_dir() and path.name not in parts.FIXED:
            shutil.rmtree(path)
    return house


@pytest.mark.whole
def test_a_good_graph(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The five papers have no finding, and few nodes need pySHACL."""
    monkeypatch.setenv("SEKININ_BUILD", str(tmp_path))
    reading = steps.infer(steps.read(steps.sources()))
    found, wanted = both(reading)
    assert found == wanted == []
    _, _, doubtful = steps._to_judge(reading)
    assert doubtful is not None and len(list(doubtful)) < 50


@pytest.mark.whole
@pytest.mark.parametrize("group", range(4))
def test_damaged_graphs(group: int, vocabulary: Path) -> None:
    """Every example that a shape must refuse, all in papers of their own: the same findings, none more and none less."""
    papers = {}
    for path in EXAMPLES[group::4]:
        byname: dict[str, list[ox.Quad]] = {}
        for quad in ox.parse(path=str(path)):
            byname.setdefault(quad.graph_name.value, []).append(quad)
        for number, quads in enumerate(byname.values()):
            own = {q.subject for q in quads}
            nodes = {node: ox.NamedNode(f"{node.value}-{path.stem}-{number}") for node in own if isinstance(node, ox.NamedNode)}
            triples = [ox.Triple(nodes.get(q.subject, q.subject), q.predicate, nodes.get(q.object, q.object)) for q in quads]  # type: ignore[call-overload]
            papers[f"{path.stem}-{number}"] = (ox.serialize(triples, format=ox.RdfFormat.N_TRIPLES) or b"").decode()
    sound = {}
    for name, text in papers.items():  # an example with a word that nobody declared is refused when it is read
        try:
            parts.texts.parse(f"graphs/{name}/paper", Path(name), text.encode(), parts.texts.ontology_terms())
            sound[name] = text
        except BadData:
            continue
    assert len(sound) > 0.9 * len(papers)
    found, wanted = both(read(vocabulary, sound))
    assert wanted and found == wanted


@pytest.mark.whole
@pytest.mark.parametrize("seed", range(3))
def test_damage_at_random(seed: int, house: Path) -> None:
    """Lines taken out of real papers, objects put in the place of others: the same findings."""
    chance = random.Random(seed)
    for path in sorted((house / "graphs").rglob("*.ttl")):
        if parts.is_paper(resources.topic(path)):
            triples = [q.triple for q in ox.parse(path=str(path), base_iri="https://w3id.org/sekinin/id/")]
            if path.parent.name in ("spcc", "wacul"):
                path.unlink()
                continue
            for _ in range(30):
                at, other = chance.randrange(len(triples)), chance.choice(triples)
                if chance.random() < 0.5 and not triples[at].predicate.value.endswith("#type"):
                    triples[at] = ox.Triple(triples[at].subject, triples[at].predicate, other.object)
                else:
                    del triples[at]
            path.write_bytes(ox.serialize(triples, format=ox.RdfFormat.N_TRIPLES) or b"")
    found, wanted = both(steps.infer(steps.read(steps.sources())))
    assert wanted and found == wanted


def test_two_papers_spoil_a_node_together(vocabulary: Path) -> None:
    """Each paper alone is right; of the two, a party has four names. The class of a node may stand in another paper."""
    one = HEAD + 'id:party-x a sk:CloudServiceProvider ; skos:prefLabel "X"@en , "X"@ja .\n'
    two = HEAD + 'id:party-x skos:prefLabel "Y"@en .\nid:service-x a sk:CloudService ; skos:prefLabel "S"@en , "S"@ja ; sk:providedBy id:party-x .\n'
    found, wanted = both(read(vocabulary, {"one": one, "two": two}))
    assert found == wanted and {f.where.rpartition("/")[2] for f in found} == {"party-x"}


def test_a_shape_that_the_look_cannot_read(vocabulary: Path) -> None:
    """pySHACL then judges the whole: nothing is passed over."""
    path = vocabulary / "shapes" / "party.ttl"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("sh:minCount 1 ;", "sh:minCount 1 ;\n    sh:minLength 1 ;", 1), encoding="utf-8")
    with pytest.raises(BadData, match="cannot read"):
        conform.compiled(Graph().parse(path))


def test_a_shape_that_nobody_declares() -> None:
    """A target makes a shape, as W3C SHACL, 2.1, has it; the look sees it without its type."""
    turtle = HEAD + "@prefix sh: <http://www.w3.org/ns/shacl#> . [] sh:targetClass sk:Area ; sh:property [ sh:path skos:prefLabel ; sh:minCount 1 ] ."
    looks = conform.compiled(Graph().parse(data=turtle))
    assert conform.suspects(looks, [("x:a", {})], lambda _: frozenset({PREFIXES["sk"] + "Area"})) == ["x:a"]


def test_a_hierarchy_in_a_paper(vocabulary: Path) -> None:
    """A paper that says what stands above a class is judged with the whole."""
    reading = read(vocabulary, {"one": HEAD + "id:Mine rdfs:subClassOf sk:CloudService . id:x a id:Mine ."})
    assert steps._to_judge(reading)[2] is None
    found, wanted = both(reading)
    assert found == wanted and found


DAYS = "2025-05-13 2025-02-29 2025-05-13+09:00 0000-01-01 2025-05 2025-13 0000-05 2025-05Z 09:00:00 24:00:00 9:00 09:00:00Z"
NUMBERS = "0 -0 007 1.5 1.50 1.0 .5 -1.25 -0.5 1e3 0.000001 0.0000001 １ 121212121212121212 1212121212121212121"
OTHERS = "true 1 TRUE false 00ff 00FF https://example.com/a?b=c#d x"
TEXTS = [*f"{DAYS} {NUMBERS} {OTHERS}".split(" "), "a b", ""]


@pytest.mark.parametrize("before", [None, use_RDFLib_lexical_conversions])
@pytest.mark.parametrize("switch", [True, False])
def test_the_look_is_the_same_whatever_ran_before(monkeypatch: pytest.MonkeyPatch, before: Callable[[], None] | None, switch: bool) -> None:
    """owlrl and pySHACL leave rdflib's tables changed; what the look lets pass is well-typed by each, and written so."""
    kept = dict(rdflib.term._toPythonMapping)
    monkeypatch.setattr("rdflib.NORMALIZE_LITERALS", switch)
    if before:
        before()
    try:
        for name in (*conform._FORMS, str(XSD.date)):
            conform._well.cache_clear()
            passed = [text for text in TEXTS if conform._well(text, name)]
            assert passed
            for text in passed:
                read = Literal(text, datatype=URIRef(name))
                assert read.ill_typed is not True and str(read) == text
    finally:
        rdflib.term._toPythonMapping.clear()
        rdflib.term._toPythonMapping.update(kept)
    assert not conform._well("2025", str(XSD.dateTime)) and not conform._well("2025-02-29", str(XSD.date))
