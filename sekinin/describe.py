"""The dataset describes itself: what it holds, how it is asked, under which licence, at which version.

Four named graphs under ``graph/description/``, made from what the store holds and from nothing else, so that
no figure in them is kept by hand. The addresses in them stand under the base of our IRIs; whoever serves them
writes the public ones.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache, lru_cache
from typing import Final

import pyoxigraph as ox

from sekinin import queries
from sekinin.count import Counts, count
from sekinin.formats import GRAPHS, ROWS
from sekinin.lines import DESCRIPTION
from sekinin.model import Question
from sekinin.namespaces import BASE, PREFIXES, graph_iri, shrink
from sekinin.store import EmbeddedStore, Store, rows, skeleton

PARTS: Final = ("service", "void", "catalog", "questions")
"""The four graphs: SPARQL 1.1 Service Description, VoID, DCAT 3, and the saved questions in SHACL's words."""
ENDPOINT: Final = f"{BASE}/sparql"
FILES: Final = f"{BASE}/data"
DATASET: Final = f"{PREFIXES['id']}dataset-sekinin"
LICENCE: Final = "https://creativecommons.org/licenses/by/4.0/"
WHOLE: Final = "sekinin"
"""Name of the files that hold everything."""
LARGE: Final = 100_000
"""Triples above which nobody reads one file of Turtle, TriG, JSON-LD or RDF/XML."""
SSSOM_MEDIA: Final = "text/tab-separated-values"

SHORT: Final = PREFIXES | {f"this-{part}": f"{graph_iri('description/' + part)}#" for part in PARTS}
"""Prefixes for files that hold the description."""
_FORMATS: Final = {
    "json": "SPARQL_Results_JSON", "xml": "SPARQL_Results_XML", "csv": "SPARQL_Results_CSV", "tsv": "SPARQL_Results_TSV", "turtle": "Turtle",
    "ntriples": "N-Triples", "rdfxml": "RDF_XML", "jsonld": "JSON-LD", "trig": "TriG", "nquads": "N-Quads",
}  # fmt: skip
"""For each format of ours, what W3C's list of formats calls it; one that the list has not goes by its media type."""
_WORDS: Final = {
    "title": ("責任 — クラウドの責任分担の知識グラフ", "Sekinin — a knowledge graph of who is responsible for what in the cloud"),
    "description": (
        "クラウド事業者が公表するセキュリティ文書から読み取った責任分担、義務、約束と、その記載箇所。文書の文章は含まない。",
        "Responsibility splits, duties and commitments read from the published security papers of cloud providers, each with the place where it "
        "is said. No sentence of the papers is contained.",
    ),
    "catalog": ("責任のデータカタログ", "Catalogue of the data of Sekinin"),
    "publisher": ("責任プロジェクト", "The Sekinin project"),
    "service": ("責任のSPARQLエンドポイント（読取り専用）", "SPARQL endpoint of Sekinin, read-only"),
    "void": ("責任のデータセットのVoID記述", "VoID description of the dataset of Sekinin"),
    "provider": ("{}の文書についての記述", "What is said in the papers of {}"),
    "mapping": ("対応表 {}（SSSOM）", "Crosswalk {} (SSSOM)"),
    "whole": ("全体（{}）", "All of it, as {}"),
}
_KEYWORDS: Final = (("責任分担", "shared responsibility"), ("クラウドセキュリティ", "cloud security"), ("ISO/IEC 27017", "ISO/IEC 27017"))

Value = str | int | ox.Literal | ox.NamedNode


@dataclass(frozen=True)
class Dump:
    """A file that can be fetched.

    Args:
        name: of the file.
        media: its media type.
        about: IRI of what it holds: the dataset, a provider, or the graph of a crosswalk.
        form: name of its format in ``formats.GRAPHS``, or ``sssom``.
        size: in bytes; 0 before it is made.
        sha256: of its bytes, in hexadecimal digits; empty before it is made.
        data: bytes at its head that hold the data as sorted lines, before those that describe it; 0 for other files.
    """

    name: str
    media: str
    about: str
    form: str
    size: int = 0
    sha256: str = ""
    data: int = 0


class _Page:
    """One graph that is being written."""

    def __init__(self, part: str) -> None:
        self.graph = ox.NamedNode(DESCRIPTION + part)
        self.quads: list[ox.Quad] = []

    def iri(self, fragment: str) -> str:
        return f"{self.graph.value}#{fragment}"

    def say(self, subject: str, facts: Mapping[str, Value | Iterable[Value]]) -> str:
        """Add facts about ``subject``: an IRI is a NamedNode, a prefixed name or a whole IRI; text is a Literal."""
        node = ox.NamedNode(subject)
        for name, said in facts.items():
            property_ = _node(name)
            for value in [said] if isinstance(said, str | int | ox.Literal | ox.NamedNode) else said:
                term = ox.Literal(value) if isinstance(value, int) else _node(value) if isinstance(value, str) else value
                self.quads.append(ox.Quad(node, property_, term, self.graph))
        return subject


@lru_cache(2_000)
def _node(name: str) -> ox.NamedNode:
    prefix, _, local = name.partition(":")
    return ox.NamedNode(PREFIXES[prefix] + local if prefix in PREFIXES else name)


def _both(key: str, *words: Mapping[str, str] | str) -> list[ox.Literal]:
    """Return a text of the table in Japanese and English."""
    said = []
    for language, text in zip(("ja", "en"), _WORDS[key], strict=True):
        fill = [word if isinstance(word, str) else word.get(language, "") for word in words]
        said.append(ox.Literal(text.format(*fill), language=language))
    return said


def held(store: Store) -> tuple[str, datetime] | None:
    """Return the version that a store says it holds and when it was made; None where it does not say, as while it is being filled."""
    said = next(iter(rows(queries.bind(queries.get("describe/version"), {}).ask(store))), None)
    return (said["version"].value, datetime.fromisoformat(said["issued"].value)) if said else None


def describe(store: EmbeddedStore, version: str | Callable[[], str], when: datetime, counts: Counts | None = None) -> Iterator[ox.Quad]:
    """Yield the four graphs that describe ``store``; a description that it holds already is left out of account.

    Args:
        store: what is described.
        version: of the dataset, as ``lines.canonical_digest`` gives it, or what gives it when it is needed, which is late.
        when: when it was made; aware of its time zone.
        counts: what ``count`` gives for the store, if it was asked before.
    Source: SPARQL 1.1 Service Description; VoID (W3C Note, 2011); DCAT 3; SHACL, section 5.2.1 for prefixes.
    """
    counts = counts or count(store)
    files = planned(counts)
    pages = [_void(counts, files, store), _questions()]
    pages.append(_catalog(counts, files, store, version if isinstance(version, str) else version(), when))
    for page in pages:
        yield from page.quads
    yield from _service(counts, {page.graph.value: len(page.quads) for page in pages}).quads


def _service(counts: Counts, own: dict[str, int]) -> _Page:
    """Return the graph that tells of all graphs, of itself too.

    Args:
        own: triples of the others that describe the dataset.
    """
    page = _Page("service")
    endpoint = ox.NamedNode(ENDPOINT)
    page.say(
        page.iri("service"),
        {
            "rdf:type": ["sd:Service", "dcat:DataService"],
            "sd:endpoint": endpoint,
            "sd:supportedLanguage": "sd:SPARQL11Query",
            "sd:resultFormat": [_format(name) for name in (*ROWS, *GRAPHS)],
            "sd:feature": "sd:UnionDefaultGraph",
            "sd:defaultEntailmentRegime": "ent:Simple",
            "sd:defaultDataset": page.iri("dataset"),
            "sd:availableGraphs": page.iri("dataset"),
        },
    )
    sizes = {**counts.graphs, **own, page.graph.value: 0}
    names = {graph: page.iri("named/" + graph.removeprefix(PREFIXES["g"])) for graph in sorted(sizes)}
    page.say(page.iri("dataset"), {"rdf:type": "sd:Dataset", "sd:defaultGraph": page.iri("default"), "sd:namedGraph": names.values()})
    page.say(page.iri("default"), {"rdf:type": ["sd:Graph", "void:Dataset"]})
    for graph, name in names.items():
        page.say(name, {"rdf:type": "sd:NamedGraph", "sd:name": graph, "sd:graph": graph})
        page.say(graph, {"rdf:type": ["sd:Graph", "void:Dataset"]} | ({"void:triples": sizes[graph]} if graph != page.graph.value else {}))
    mine = len(page.quads) + 2  # with the two that follow
    page.say(page.graph.value, {"void:triples": mine})
    page.say(page.iri("default"), {"void:triples": counts.triples + sum(own.values()) + mine})
    return page


def _format(name: str) -> str:
    return f"formats:{_FORMATS[name]}" if name in _FORMATS else _media((ROWS | GRAPHS)[name].media)


def _media(name: str) -> str:
    return f"https://www.iana.org/assignments/media-types/{name}"


def _void(counts: Counts, files: list[Dump], store: EmbeddedStore) -> _Page:
    page = _Page("void")
    services = queries.bind(queries.get("services/names"), {"lang": "en"}).ask(store)
    page.say(
        page.graph.value,
        {"rdf:type": "void:DatasetDescription", "dcterms:title": _both("void"), "dcterms:license": LICENCE, "foaf:primaryTopic": DATASET},
    )
    page.say(
        DATASET,
        {
            "rdf:type": "void:Dataset",
            "void:triples": counts.triples,
            "void:entities": counts.entities,
            "void:distinctSubjects": counts.subjects,
            "void:distinctObjects": counts.objects,
            "void:classes": len(counts.instances),
            "void:properties": len(counts.properties),
            "void:uriSpace": ox.Literal(BASE),
            "void:sparqlEndpoint": ENDPOINT,
            "void:dataDump": [f"{FILES}/{dump.name}" for dump in files if dump.about == DATASET],
            "void:feature": [_format(name) for name in GRAPHS],
            "void:vocabulary": sorted({_vocabulary(iri) for iri in (*counts.properties, *counts.instances)}),
            "void:exampleResource": [row["service"] for row in services],  # type: ignore[union-attr]
            "void:classPartition": [page.iri(f"class:{_slug(iri)}") for iri in sorted(counts.instances)],
            "void:propertyPartition": [page.iri(f"property:{_slug(iri)}") for iri in sorted(counts.properties)],
        },
    )
    for iri, number in sorted(counts.properties.items()):
        page.say(
            page.iri(f"property:{_slug(iri)}"),
            {
                "void:property": iri,
                "void:triples": number,
                "void:distinctSubjects": counts.property_subjects[iri],
                "void:distinctObjects": counts.property_objects[iri],
            },
        )
    for iri, number in sorted(counts.instances.items()):
        page.say(page.iri(f"class:{_slug(iri)}"), {"void:class": iri, "void:entities": number})
    for (class_, property_), number in sorted(counts.of_class.items()):
        part = page.iri(f"class:{_slug(class_)}:{_slug(property_)}")
        page.say(page.iri(f"class:{_slug(class_)}"), {"void:propertyPartition": part})
        page.say(part, {"void:property": property_, "void:triples": number})
    for (class_, property_, kind, other), number in sorted(counts.to_class.items()):
        part = page.iri(f"class:{_slug(class_)}:{_slug(property_)}")
        words = ("void-ext:datatypePartition", "void-ext:datatype") if kind == "datatype" else ("void:classPartition", "void:class")
        page.say(part, {words[0]: f"{part}:{_slug(other)}"})
        page.say(f"{part}:{_slug(other)}", {words[1]: other, "void:triples": number})
    return page


@cache
def _slug(iri: str) -> str:
    """Return a name for ``iri`` that may stand in a fragment."""
    short = shrink(iri)
    return short if re.fullmatch(r"[\w.-]+:[\w.-]+", short, re.A) else hashlib.sha256(iri.encode()).hexdigest()[:16]


def _vocabulary(iri: str) -> str:
    known = [space for space in PREFIXES.values() if iri.startswith(space)]
    return max(known, key=len) if known else re.sub(r"[^#/]*$", "", iri)


def _catalog(counts: Counts, files: list[Dump], store: EmbeddedStore, version: str, when: datetime) -> _Page:
    page, service = _Page("catalog"), f"{DESCRIPTION}service#service"
    stamp = ox.Literal(when.isoformat(), datatype=_node("xsd:dateTime"))
    publisher = page.say(page.iri("publisher"), {"rdf:type": "foaf:Agent", "foaf:name": _both("publisher")})
    common: dict[str, Value | Iterable[Value]] = {
        "dcterms:license": LICENCE,
        "dcterms:publisher": publisher,
        "dcterms:issued": stamp,
        "dcat:version": ox.Literal(version),
    }
    parts = {dump.about: page.iri("part/" + dump.name.partition(".")[0]) for dump in files if dump.about != DATASET}
    page.say(
        page.iri("catalog"),
        {
            "rdf:type": "dcat:Catalog",
            "dcterms:title": _both("catalog"),
            "dcterms:description": _both("description"),
            "dcat:dataset": [DATASET, *parts.values()],
            "dcat:service": service,
            **common,
        },
    )
    page.say(
        service,
        {
            "dcterms:title": _both("service"),
            "dcterms:license": LICENCE,
            "dcterms:publisher": publisher,
            "dcterms:conformsTo": "https://www.w3.org/TR/sparql11-protocol/",
            "dcat:endpointURL": ENDPOINT,
            "dcat:endpointDescription": ENDPOINT,
            "dcat:servesDataset": DATASET,
        },
    )
    page.say(
        DATASET,
        {
            "rdf:type": "dcat:Dataset",
            "dcterms:title": _both("title"),
            "dcterms:description": _both("description"),
            "dcterms:language": [f"http://id.loc.gov/vocabulary/iso639-1/{language}" for language in ("ja", "en")],
            "dcat:keyword": [ox.Literal(word, language=lang) for both in _KEYWORDS for lang, word in zip(("ja", "en"), both, strict=True)],
            "dcat:landingPage": FILES,
            "dcterms:hasPart": parts.values(),
            "dcat:distribution": [page.iri("file/" + dump.name) for dump in files if dump.about == DATASET],
            **common,
        },
    )
    for dump in files:
        title = _title(dump, store)
        if dump.about != DATASET:
            page.say(parts[dump.about], {"rdf:type": "dcat:Dataset", "dcterms:title": title, "dcterms:isPartOf": DATASET, **common})
            page.say(parts[dump.about], {"dcat:distribution": page.iri("file/" + dump.name)})
        page.say(
            page.iri("file/" + dump.name),
            {
                "rdf:type": "dcat:Distribution",
                "dcterms:title": title,
                "dcterms:license": LICENCE,
                "dcterms:issued": stamp,
                "dcat:accessURL": FILES,
                "dcat:downloadURL": f"{FILES}/{dump.name}",
                "dcat:mediaType": _media(dump.media),
                "dcat:accessService": service if dump.about == DATASET else (),
            },
        )
    return page


def _title(dump: Dump, store: EmbeddedStore) -> list[ox.Literal]:
    if dump.about == DATASET:
        return _both("whole", dump.media)
    if dump.form == "sssom":
        return _both("mapping", dump.name.partition(".")[0])
    labels = store.engine.quads_for_pattern(ox.NamedNode(dump.about), _node("skos:prefLabel"), None)
    texts = {q.object.language: q.object.value for q in labels if isinstance(q.object, ox.Literal) and q.object.language}
    return _both("provider", texts or {"ja": dump.about, "en": dump.about})


def _questions() -> _Page:
    """Say the prefixes and the saved questions; a check is none, for it must return no row."""
    page = _Page("questions")
    declared = {prefix: page.iri(f"prefix-{prefix}") for prefix in PREFIXES}
    page.say(BASE, {"sh:declare": declared.values()})
    for prefix, iri in declared.items():
        space = ox.Literal(PREFIXES[prefix], datatype=_node("xsd:anyURI"))
        page.say(iri, {"rdf:type": "sh:PrefixDeclaration", "sh:prefix": ox.Literal(prefix), "sh:namespace": space})
    for name, question in queries.catalogue().items():
        if name.startswith("checks/"):
            continue
        text = runnable(question)
        kind = next(word for word in re.findall(r"\b(SELECT|ASK|CONSTRUCT)\b", skeleton(text).upper()))
        page.say(
            page.iri(name),
            {
                "rdf:type": ["sh:SPARQLExecutable", f"sh:SPARQL{kind.title()}Executable"],
                "rdfs:comment": [ox.Literal(question.summary(language), language=language) for language in ("ja", "en")],
                f"sh:{kind.lower()}": ox.Literal(text),
                "sh:prefixes": BASE,
                "schema:target": ENDPOINT,
                "schema:keywords": ox.Literal(name.partition("/")[0]),
                "dcterms:identifier": ox.Literal(name),
            },
        )
    return page


def runnable(question: Question, given: Mapping[str, str] | None = None) -> str:
    """Return the text of ``question`` as any SPARQL tool runs it: prefixes declared, parameters as given, else at what they are when nobody does."""
    text = "\n".join(line for line in queries.bind(question, given or {}).text().splitlines() if not line.startswith("#+"))
    used = set(re.findall(r"(?<![\w<?$:-])([A-Za-z][\w-]*):", skeleton(text)))
    return "".join(f"PREFIX {prefix}: <{PREFIXES[prefix]}>\n" for prefix in sorted(used & set(PREFIXES))) + text


def planned(counts: Counts) -> list[Dump]:
    """Return the files that ``dumps`` makes: everything in every format, each provider in Turtle, each crosswalk as SSSOM.

    A dataset of more than ``LARGE`` triples is written whole only line by line, as N-Quads and N-Triples.
    """
    forms = [form for name, form in GRAPHS.items() if counts.triples <= LARGE or name in ("nquads", "ntriples")]
    files = [Dump(f"{WHOLE}.{form.ending}", form.media, DATASET, form.name) for form in forms]
    topics = [graph.removeprefix(PREFIXES["g"]) for graph in counts.graphs]
    for folder in sorted({topic.partition("/")[0] for topic in topics}):
        if (party := f"{PREFIXES['id']}party-{folder}") in counts.parties:
            files.append(Dump(f"{folder}.{GRAPHS['turtle'].ending}", GRAPHS["turtle"].media, party, "turtle"))
    crosswalks = sorted(topic for topic in topics if topic.startswith("mappings/"))
    return files + [Dump(f"{topic.partition('/')[2]}.sssom.tsv", SSSOM_MEDIA, graph_iri(topic), "sssom") for topic in crosswalks]
