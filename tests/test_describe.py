"""The dataset describes itself: what it says is what the store holds."""

from __future__ import annotations

import random
import re
from datetime import UTC, datetime
from pathlib import Path

import pyoxigraph as ox
import pytest
from rdflib import RDF, Graph, URIRef

from sekinin import count, describe, dumps, export, lines, queries
from sekinin.errors import Missing
from sekinin.formats import GRAPHS, ROWS
from sekinin.namespaces import BASE, PREFIXES, graph_iri
from sekinin.store import EmbeddedStore, rows

WHEN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
VOID, SD, DCAT = "http://rdfs.org/ns/void#", "http://www.w3.org/ns/sparql-service-description#", PREFIXES["dcat"]
DESCRIPTION = graph_iri("description/")
HEADS = f"PREFIX void: <{VOID}> PREFIX sd: <{SD}> PREFIX vext: <http://ldf.fi/void-ext#> "
EDITOR_EXAMPLES = (
    "SELECT DISTINCT ?sq ?comment ?query WHERE { ?sq a sh:SPARQLExecutable ; rdfs:comment ?comment ; "
    "sh:select|sh:ask|sh:construct|sh:describe ?query } ORDER BY ?sq"
)
EDITOR_PREFIXES = "SELECT DISTINCT ?prefix ?namespace WHERE { [] sh:namespace ?namespace ; sh:prefix ?prefix } ORDER BY ?prefix"
EDITOR_CLASSES = (
    "SELECT DISTINCT ?subjectClass ?prop ?objectClass ?objectDatatype WHERE { ?cp void:class ?subjectClass ; void:propertyPartition ?pp . "
    "?pp void:property ?prop . OPTIONAL { { ?pp void:classPartition [ void:class ?objectClass ] } "
    "UNION { ?pp vext:datatypePartition [ vext:datatype ?objectDatatype ] } } }"
)
"""What the editor of SIB asks an endpoint when it opens."""


@pytest.fixture(scope="module")
def plain(store: EmbeddedStore) -> EmbeddedStore:
    """The store without its description."""
    return EmbeddedStore.of(quad for quad in store.engine if not quad.graph_name.value.startswith(DESCRIPTION))


@pytest.fixture(scope="module")
def described(plain: EmbeddedStore) -> EmbeddedStore:
    """The store with the description that is made of it."""
    return EmbeddedStore.of([*plain.engine, *describe.describe(plain, lines.canonical_digest(plain.engine), WHEN)])


def number(store: EmbeddedStore, text: str, graphs: list[str] | None = None) -> int:
    return int(next(rows(store.query(HEADS + text, graphs or [])))["n"].value)


def test_it_has_no_blank_nodes_and_four_graphs(plain: EmbeddedStore) -> None:
    quads = list(describe.describe(plain, "v", WHEN))
    assert {quad.graph_name.value for quad in quads} == {DESCRIPTION + part for part in describe.PARTS}
    assert not any(isinstance(term, ox.BlankNode) for quad in quads for term in (quad.subject, quad.object))
    assert len(quads) == len(set(quads))


@pytest.mark.parametrize(
    ("measure", "text"),
    [
        ("triples", "SELECT (COUNT(*) AS ?n) { ?s ?p ?o }"),
        ("distinctSubjects", "SELECT (COUNT(DISTINCT ?s) AS ?n) { ?s ?p ?o }"),
        ("distinctObjects", "SELECT (COUNT(DISTINCT ?o) AS ?n) { ?s ?p ?o }"),
        ("properties", "SELECT (COUNT(DISTINCT ?p) AS ?n) { ?s ?p ?o }"),
        ("classes", "SELECT (COUNT(DISTINCT ?c) AS ?n) { ?s a ?c }"),
        ("entities", f'SELECT (COUNT(DISTINCT ?s) AS ?n) {{ ?s ?p ?o FILTER (isIRI(?s) && STRSTARTS(STR(?s), "{BASE}")) }}'),
    ],
)
def test_the_figures_are_those_of_the_store(measure: str, text: str, plain: EmbeddedStore, described: EmbeddedStore) -> None:
    """What VoID says is what SPARQL counts."""
    said = {row["measure"].value: int(row["number"].value) for row in rows(queries.bind(queries.get("describe/counts"), {}).ask(described))}
    assert said[VOID + measure] == number(plain, text) > 50


def test_every_partition_counts_right(plain: EmbeddedStore, described: EmbeddedStore) -> None:
    """Classes with their instances, properties with their triples, subjects and objects: all of them, none else."""
    here = [DESCRIPTION + "void"]
    text = f"{HEADS} SELECT ?c ?n {{ <{describe.DATASET}> void:classPartition ?p . ?p void:class ?c ; void:entities ?n }}"
    said = {(row["c"].value, row["n"].value) for row in rows(described.query(text, here))}
    counted = {(row["c"].value, row["n"].value) for row in rows(plain.query("SELECT ?c (COUNT(DISTINCT ?s) AS ?n) { ?s a ?c } GROUP BY ?c"))}
    assert said == counted
    text = (
        f"{HEADS} SELECT ?p ?n ?s ?o {{ <{describe.DATASET}> void:propertyPartition ?x . ?x void:property ?p ; void:triples ?n ; "
        "void:distinctSubjects ?s ; void:distinctObjects ?o }"
    )
    said4 = {tuple(row[name].value for name in "pnso") for row in rows(described.query(text, here))}
    text = "SELECT ?p (COUNT(*) AS ?n) (COUNT(DISTINCT ?x) AS ?s) (COUNT(DISTINCT ?y) AS ?o) { ?x ?p ?y } GROUP BY ?p"
    assert said4 == {tuple(row[name].value for name in "pnso") for row in rows(plain.query(text))}


@pytest.mark.parametrize("name", ["Obligation", "CustomerDuty", "Section"])
def test_properties_are_counted_class_by_class(name: str, plain: EmbeddedStore, described: EmbeddedStore) -> None:
    """Of a class, each property with its triples, and what they lead to."""
    text = f"SELECT ?p ?n {{ ?c void:class sk:{name} ; void:propertyPartition ?x . ?x void:property ?p ; void:triples ?n }}"
    said = {(row["p"].value, row["n"].value) for row in rows(described.query(HEADS + text))}
    text = f"SELECT ?p (COUNT(*) AS ?n) {{ ?s a sk:{name} ; ?p ?o }} GROUP BY ?p"
    assert said == {(row["p"].value, row["n"].value) for row in rows(plain.query(text))}
    text = f"SELECT (SUM(?m) AS ?n) {{ ?c void:class sk:{name} ; void:propertyPartition ?x . ?x vext:datatypePartition ?d . ?d void:triples ?m }}"
    assert number(described, text) == number(plain, f"SELECT (COUNT(*) AS ?n) {{ ?s a sk:{name} ; ?p ?o FILTER isLiteral(?o) }}")


def test_the_service_knows_every_graph(described: EmbeddedStore) -> None:
    """Each named graph of the endpoint, its own description too, with the number of its triples; and the union."""
    text = "SELECT ?g ?n { ?d sd:namedGraph ?x . ?x a sd:NamedGraph ; sd:name ?g ; sd:graph ?y . ?y void:triples ?n }"
    said = {row["g"].value: int(row["n"].value) for row in rows(described.query(HEADS + text))}
    counted = {row["graph"].value: int(row["triples"].value) for row in rows(queries.bind(queries.get("resources/graphs"), {}).ask(described))}
    assert said == counted and len(said) > 40
    text = "SELECT ?n { ?s a sd:Service ; sd:defaultDataset/sd:defaultGraph/void:triples ?n }"
    assert number(described, text) == number(described, "SELECT (COUNT(*) AS ?n) { ?s ?p ?o }")


def test_the_service_says_only_what_holds(described: EmbeddedStore) -> None:
    """One feature, the union; every format of answers; SPARQL 1.1."""
    text = "SELECT ?p ?o { ?s a sd:Service ; ?p ?o }"
    said: dict[str, set[str]] = {}
    for row in rows(described.query(HEADS + text)):
        said.setdefault(row["p"].value.removeprefix(SD), set()).add(row["o"].value)
    assert said["feature"] == {SD + "UnionDefaultGraph"}
    assert said["supportedLanguage"] == {SD + "SPARQL11Query"}
    assert said["endpoint"] == {describe.ENDPOINT}
    assert len(said["resultFormat"]) == len(ROWS) + len(GRAPHS)


@pytest.mark.whole
def test_a_description_is_not_described(plain: EmbeddedStore, described: EmbeddedStore) -> None:
    """Made of a store that has one already, it is the same."""
    assert set(describe.describe(described, "v", WHEN)) == set(describe.describe(plain, "v", WHEN))


def test_the_catalogue(described: EmbeddedStore, plain: EmbeddedStore) -> None:
    """Dataset, version, date, licence, publisher, and a file for every format; titles in both languages."""
    graph = Graph()
    page = described.engine.quads_for_pattern(None, None, None, ox.NamedNode(DESCRIPTION + "catalog"))
    graph.parse(data=ox.serialize((quad.triple for quad in page), format=ox.RdfFormat.N_TRIPLES), format="nt")
    dataset = URIRef(describe.DATASET)
    assert str(graph.value(dataset, URIRef(DCAT + "version"))) == lines.canonical_digest(plain.engine)
    assert graph.value(dataset, URIRef(PREFIXES["dcterms"] + "issued")).toPython() == WHEN
    assert (dataset, URIRef(PREFIXES["dcterms"] + "license"), URIRef("https://creativecommons.org/licenses/by/4.0/")) in graph
    files = graph.objects(dataset, URIRef(DCAT + "distribution"))
    media = {str(graph.value(each, URIRef(DCAT + "mediaType"))).partition("types/")[2] for each in files}
    assert media == {form.media for form in GRAPHS.values()}
    titles = URIRef(PREFIXES["dcterms"] + "title")
    for kind in ("Catalog", "Dataset", "Distribution", "DataService"):
        for node in {s for s in graph.subjects(titles) if (s, RDF.type, URIRef(DCAT + kind)) in graph}:
            assert {title.language for title in graph.objects(node, titles)} == {"ja", "en"}, node
    assert len(set(graph.subjects(RDF.type, URIRef(DCAT + "Dataset")))) == 1 + 5 + 5


def test_an_editor_finds_prefixes_classes_and_examples(described: EmbeddedStore) -> None:
    """The three questions that the editor of SIB asks get answers: no configuration is needed."""
    prefixes = {row["prefix"].value: row["namespace"].value for row in rows(described.query(EDITOR_PREFIXES))}
    assert PREFIXES.items() <= prefixes.items() and prefixes["void"] == VOID
    classes = list(rows(described.query(HEADS + EDITOR_CLASSES)))
    duty = {row["prop"].value for row in classes if row["subjectClass"].value == PREFIXES["sk"] + "CustomerDuty"}
    assert {PREFIXES["sk"] + "aboutService", PREFIXES["sk"] + "citedAt"} <= duty
    assert any("objectClass" in row for row in classes) and any("objectDatatype" in row for row in classes)
    examples = list(rows(described.query(EDITOR_EXAMPLES)))
    wanted = [name for name in queries.catalogue() if not name.startswith("checks/")]
    assert len(examples) == 2 * len(wanted)
    assert {row["comment"].language for row in examples} == {"ja", "en"}


@pytest.mark.parametrize("name", [name for name in queries.catalogue() if not name.startswith("checks/")])
def test_an_example_runs_anywhere(name: str) -> None:
    """Its prefixes are declared, so that an engine that knows none of ours parses it."""
    text = describe.runnable(queries.get(name))
    ox.Store().query(text)
    assert "#+" not in text


def test_digest_of_the_same_statements_is_the_same(plain: EmbeddedStore, described: EmbeddedStore) -> None:
    """Whatever their order, the names of their blank nodes, and whether they are described."""
    digest = lines.canonical_digest(plain.engine)
    assert re.fullmatch(r"[0-9a-f]{64}", digest)
    shuffled = list(plain.engine)
    random.Random(1).shuffle(shuffled)
    assert lines.canonical_digest(shuffled) == digest
    renamed = ox.parse(plain.engine.dump(format=ox.RdfFormat.N_QUADS).replace(b"_:", b"_:other"), ox.RdfFormat.N_QUADS, rename_blank_nodes=True)
    assert lines.canonical_digest(renamed) == digest
    assert lines.canonical_digest(described.engine) == digest


def test_digest_of_two_builds_is_the_same(read) -> None:
    """The texts read twice give the same version, although the parser names blank nodes anew each time."""
    from sekinin import texts

    once, again = (EmbeddedStore.of(quad for text in found for quad in text.quads) for found in (read, texts.read_all()))
    assert lines.canonical_digest(once.engine) == lines.canonical_digest(again.engine)
    nameless = {str(q.subject) for q in once.engine if isinstance(q.subject, ox.BlankNode)}
    assert nameless and not nameless & {str(q.subject) for q in again.engine}


def test_digest_changes_with_one_statement(plain: EmbeddedStore) -> None:
    """One triple more, one less, or one in another graph is another version."""
    quads = list(plain.engine)[-2000:]
    node = ox.NamedNode(BASE)
    digests = {
        lines.canonical_digest(quads),
        lines.canonical_digest(quads[1:]),
        lines.canonical_digest([*quads, ox.Quad(node, node, node, node)]),
        lines.canonical_digest([*quads[1:], ox.Quad(*quads[0].triple, node)]),
    }
    assert len(digests) == 4


def test_digest_is_that_of_the_standard() -> None:
    """Sorted canonical N-Quads with the labels of RDFC-1.0, made by hand."""
    import hashlib

    a, b = ox.NamedNode("http://a/"), ox.BlankNode("zzz")
    quads = [ox.Quad(b, a, ox.Literal('責"\n'), a), ox.Quad(a, a, b, a), ox.Quad(a, a, ox.Literal("x", language="en"))]
    said = [
        '<http://a/> <http://a/> "x"@en .\n',
        "<http://a/> <http://a/> _:c14n0 <http://a/> .\n",
        '_:c14n0 <http://a/> "責\\"\\n" <http://a/> .\n',
    ]
    assert lines.canonical_digest(quads) == hashlib.sha256("".join(sorted(said)).encode()).hexdigest()


def test_dumps_are_whole_or_not_there(described: EmbeddedStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the disk fails in the middle, what stood there before still stands, and nothing is left behind."""
    small = EmbeddedStore.of(list(described.engine)[:50])
    before = dumps.dumps(small, tmp_path / "dumps")
    assert {dump.name for dump in before} == {path.name for path in (tmp_path / "dumps").iterdir()} - {dumps.INDEX}

    def fail(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(dumps, "_write", fail)
    with pytest.raises(OSError, match="disk full"):
        dumps.dumps(small, tmp_path / "dumps")
    assert dumps.dumped(tmp_path / "dumps") == before
    assert [path.name for path in tmp_path.iterdir()] == ["dumps"]
    with pytest.raises(Missing):
        dumps.dumped(tmp_path)


def test_a_statement_in_two_graphs_is_one(tmp_path: Path) -> None:
    """The union holds it once, in the figures as in the files without named graphs; a graph that says it counts it."""
    nodes = [ox.NamedNode(f"{BASE}/id/{name}") for name in "abcd"]
    store = EmbeddedStore.of([ox.Quad(*nodes[:3], graph) for graph in nodes[2:]])
    counts = count.count(store)
    assert (counts.triples, sum(counts.graphs.values()), counts.properties.total()) == (1, 2, 1)
    dumps.dumps(store, tmp_path / "dumps")
    assert len((tmp_path / "dumps" / "sekinin.nt").read_text().splitlines()) == 1
    assert len((tmp_path / "dumps" / "sekinin.nq").read_text().splitlines()) == 2


def test_the_files_are_those_of_the_export(described: EmbeddedStore) -> None:
    """Each crosswalk and each provider that can be exported has a file."""
    names = {dump.name for dump in describe.planned(count.count(described))}
    assert set(export.sssom(described)) <= names
    assert {"spcc.ttl", "ictl.ttl", "ai-inc.ttl", "infonet.ttl", "wacul.ttl"} <= names
    assert {f"sekinin.{form.ending}" for form in GRAPHS.values()} <= names
