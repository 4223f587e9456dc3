"""The dataset describes itself: what it holds, how it is asked, under which licence, at which version.

Four named graphs under ``graph/description/``, made from what the store holds and from nothing else, so that
no figure in them is kept by hand. The addresses in them stand under the base of our IRIs; whoever serves them
writes the public ones.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from datetime import datetime
from heapq import merge
from pathlib import Path
from typing import Final

import pyoxigraph as ox

from sekinin import export, queries
from sekinin.errors import Missing
from sekinin.formats import GRAPHS, ROWS
from sekinin.model import Question
from sekinin.namespaces import BASE, PREFIXES, graph_iri, made, shrink
from sekinin.store import EmbeddedStore, Store, rows, skeleton

PARTS: Final = ("service", "void", "catalog", "questions")
"""The four graphs: SPARQL 1.1 Service Description, VoID, DCAT 3, and the saved questions in SHACL's words."""
ENDPOINT: Final = f"{BASE}/sparql"
FILES: Final = f"{BASE}/data"
DATASET: Final = f"{PREFIXES['id']}dataset-sekinin"
LICENCE: Final = "https://creativecommons.org/licenses/by/4.0/"
WHOLE: Final = "sekinin"
"""Name of the files that hold everything."""
INDEX: Final = "index.json"
LARGE: Final = 500_000
"""Triples above which nobody reads one file of Turtle, TriG, JSON-LD or RDF/XML."""
PIECE: Final = 100_000_000
"""Bytes of lines that are sorted in memory at once."""
SSSOM_MEDIA: Final = "text/tab-separated-values"

SHORT: Final = PREFIXES | {f"this-{part}": f"{graph_iri('description/' + part)}#" for part in PARTS}
"""Prefixes for files that hold the description."""
_FORMATS: Final = {
    "json": "SPARQL_Results_JSON", "xml": "SPARQL_Results_XML", "csv": "SPARQL_Results_CSV", "tsv": "SPARQL_Results_TSV", "turtle": "Turtle",
    "ntriples": "N-Triples", "rdfxml": "RDF_XML", "jsonld": "JSON-LD", "trig": "TriG", "nquads": "N-Quads",
}  # fmt: skip
"""For each format of ours, what W3C's list of formats calls it; one that the list has not goes by its media type."""
_VOCABULARY: Final = tuple(graph_iri(topic) for topic in ("ontology/", "shapes/"))
"""Graphs that say what words mean, not what the papers say."""
_DESCRIPTION: Final = graph_iri("description/")
_ABOUT_ITSELF: Final = f" <{_DESCRIPTION}".encode()
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
    """

    name: str
    media: str
    about: str
    form: str
    size: int = 0
    sha256: str = ""


class _Page:
    """One graph that is being written."""

    def __init__(self, part: str) -> None:
        self.graph = ox.NamedNode(_DESCRIPTION + part)
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


@dataclass
class Counts:
    """What the store holds outside its description.

    Args:
        graphs: triples of each named graph.
        triples: distinct triples of all graphs.
        entities: distinct subjects under our base.
        subjects: distinct subjects, and of each property in ``property_subjects``; likewise objects.
        instances: distinct subjects of each class.
        of_class: triples by class of the subject and property.
        to_class: triples by class of the subject, property, and class or datatype of the object.
        shown: the classes whose properties are counted one by one: those of the asserted data, and our own.
    """

    graphs: Counter[str] = field(default_factory=Counter)
    triples: int = 0
    entities: int = 0
    subjects: int = 0
    objects: int = 0
    properties: Counter[str] = field(default_factory=Counter)
    property_subjects: dict[str, int] = field(default_factory=dict)
    property_objects: dict[str, int] = field(default_factory=dict)
    instances: Counter[str] = field(default_factory=Counter)
    of_class: Counter[tuple[str, str]] = field(default_factory=Counter)
    to_class: Counter[tuple[str, str, str, str]] = field(default_factory=Counter)
    shown: set[str] = field(default_factory=set)
    parties: set[str] = field(default_factory=set)


class Lines:
    """The quads of a dataset as lines of N-Quads, each once, in the order of their bytes, those of a subject together; the description is left out.

    Those of a large store lie in a file, which is sorted piece by piece.
    """

    def __init__(self, found: list[bytes] | Path) -> None:
        self._found = found

    @classmethod
    def of(cls, quads: Iterable[ox.Quad] | ox.Store, place: Path | None = None) -> Lines:
        """Return the lines of ``quads``.

        Args:
            place: file in which those of a large store may lie until ``away``.
        """
        if place is None or not isinstance(quads, ox.Store):
            content = quads.dump(format=ox.RdfFormat.N_QUADS) if isinstance(quads, ox.Store) else ox.serialize(quads, format=ox.RdfFormat.N_QUADS)
            return cls(sorted(_kept(set((content or b"").split(b"\n")))))
        raw = place.with_suffix(".raw")
        quads.dump(str(raw), ox.RdfFormat.N_QUADS)
        pieces: list[Path] = []
        with raw.open("rb") as file:
            while lines := file.readlines(PIECE):
                piece = sorted(_kept(line.rstrip(b"\n") for line in lines))
                if not pieces and file.tell() == raw.stat().st_size:
                    raw.unlink()
                    return cls(piece)
                pieces.append(place.with_suffix(f".{len(pieces)}"))
                pieces[-1].write_bytes(b"".join(line + b"\n" for line in piece))
        raw.unlink()
        with place.open("wb") as whole, ExitStack() as opened:
            whole.writelines(merge(*(opened.enter_context(piece.open("rb")) for piece in pieces)))
        for each in pieces:
            each.unlink()
        return cls(place)

    def __iter__(self) -> Iterator[bytes]:
        """Yield the lines, each without its end."""
        if isinstance(self._found, list):
            yield from self._found
        else:
            with self._found.open("rb") as file:
                yield from (line[:-1] for line in file)

    def away(self) -> None:
        """Take the file away, if there is one."""
        if isinstance(self._found, Path):
            self._found.unlink()


def _kept(lines: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the lines that do not describe the dataset itself."""
    return (line for line in lines if line and not line.startswith(_ABOUT_ITSELF, line.rfind(b" <")))


def count(store: EmbeddedStore, known: Lines | None = None) -> Counts:
    """Count what ``store`` holds outside its description, subject by subject.

    Subjects of the same classes are counted together: classes overlap, and a triple is otherwise counted once for each pair of them.

    Args:
        known: the store's lines, if they were asked for before.
    """
    found, known = Counts(), known or Lines.of(store.engine)
    a, publisher = f"<{PREFIXES['rdf']}type>".encode(), f"<{PREFIXES['dcterms']}publisher>".encode()
    classes: dict[bytes, set[str]] = {}
    asserted: set[str] = set()
    metas: dict[bytes, bool] = {}
    sizes: Counter[bytes] = Counter()
    kinds: dict[bytes, frozenset[str]] = {}
    every: dict[frozenset[str], frozenset[str]] = {}
    for s, p, o, g in map(_split, known):
        sizes[g] += 1
        if p == a and o[:1] == b"<":
            if s not in classes:  # the lines of a subject stand together
                kinds.update((node, every.setdefault(held := frozenset(names), held)) for node, names in classes.items())
                classes = {s: set()}
            classes[s].add(_iri(o))
            if g not in metas:
                metas[g] = made(_iri(g)) != "asserted" or _iri(g).startswith(_VOCABULARY)
            if not metas[g]:
                asserted.add(_iri(o))
        elif p == publisher and o[:1] == b"<":
            found.parties.add(_iri(o))
    found.graphs.update({_iri(g): number for g, number in sizes.items() if g})
    kinds.update((node, frozenset(names)) for node, names in classes.items())
    by_kind: Counter[tuple[frozenset[str], bytes, frozenset[str] | str]] = Counter()
    objects: dict[bytes, set[bytes]] = defaultdict(set)
    with_property: Counter[bytes] = Counter()
    properties: Counter[bytes] = Counter()
    none: frozenset[str] = frozenset()
    last = (b"", b"", b"")
    base = f"<{BASE}".encode()
    for s, p, o, _ in map(_split, known):
        if s != last[0]:
            found.subjects += 1
            found.entities += s.startswith(base)
            kind = kinds.get(s, none)
            with_property[p] += 1
        elif p != last[1]:
            with_property[p] += 1
        elif o == last[2]:
            continue
        last = s, p, o
        found.triples += 1
        properties[p] += 1
        objects[p].add(o)
        by_kind[kind, p, _datatype(o) if o[:1] == b'"' else kinds.get(o, none)] += 1
    found.objects = len(set().union(*objects.values()))
    found.properties = Counter({_iri(p): number for p, number in properties.items()})
    found.property_subjects = {_iri(p): number for p, number in with_property.items()}
    found.property_objects = {_iri(p): len(nodes) for p, nodes in objects.items()}
    for held in kinds.values():
        found.instances.update(held)
    found.shown = {iri for iri in found.instances if iri in asserted or iri.startswith(PREFIXES["sk"])}
    for (of, p, to), number in by_kind.items():
        property_ = _iri(p)
        for class_ in of & found.shown:
            found.of_class[class_, property_] += number
            for kind_, other in [("datatype", to)] if isinstance(to, str) else [("class", iri) for iri in to if iri in asserted]:
                found.to_class[class_, property_, kind_, other] += number
    return found


def _split(line: bytes) -> tuple[bytes, bytes, bytes, bytes]:
    """Return subject, predicate, object and graph of a line of N-Quads, each as it is written."""
    s, p, rest = line.split(b" ", 2)
    if rest.endswith(b"> ."):
        o, _, g = rest[:-2].rpartition(b" ")
        if o and g[:1] == b"<" and b'"' not in g:
            return s, p, o, g
    return s, p, rest[:-2], b""


def _iri(node: bytes) -> str:
    return node[1:-1].decode("utf-8")


def _datatype(literal: bytes) -> str:
    tail = literal[literal.rfind(b'"') + 1 :]
    return _iri(tail[2:]) if tail.startswith(b"^^") else PREFIXES["rdf"] + "langString" if tail else PREFIXES["xsd"] + "string"


def held(store: Store) -> tuple[str, datetime] | None:
    """Return the version that a store says it holds and when it was made; None where it does not say, as while it is being filled."""
    said = next(iter(rows(queries.bind(queries.get("describe/version"), {}).ask(store))), None)
    return (said["version"].value, datetime.fromisoformat(said["issued"].value)) if said else None


def describe(store: EmbeddedStore, version: str, when: datetime, counts: Counts | None = None) -> Iterator[ox.Quad]:
    """Yield the four graphs that describe ``store``; a description that it holds already is left out of account.

    Args:
        store: what is described.
        version: of the dataset, as ``canonical_digest`` gives it.
        when: when it was made; aware of its time zone.
        counts: what ``count`` gives for the store, if it was asked before.
    Source: SPARQL 1.1 Service Description; VoID (W3C Note, 2011); DCAT 3; SHACL, section 5.2.1 for prefixes.
    """
    counts = counts or count(store)
    files = planned(counts)
    pages = [_void(counts, files, store), _catalog(counts, files, store, version, when), _questions()]
    for page in pages:
        yield from page.quads
    # the graph that counts itself: how many triples it has does not depend on the figures in it
    own = Counter({page.graph.value: len(page.quads) for page in pages})
    size = len(_service(counts, own | {_DESCRIPTION + "service": 1}).quads)
    yield from _service(counts, own | {_DESCRIPTION + "service": size}).quads


def _service(counts: Counts, own: Mapping[str, int]) -> _Page:
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
    sizes = {**counts.graphs, **own}
    names = {graph: page.iri("named/" + graph.removeprefix(PREFIXES["g"])) for graph in sorted(sizes)}
    page.say(page.iri("dataset"), {"rdf:type": "sd:Dataset", "sd:defaultGraph": page.iri("default"), "sd:namedGraph": names.values()})
    page.say(page.iri("default"), {"rdf:type": ["sd:Graph", "void:Dataset"], "void:triples": counts.triples + sum(own.values())})
    for graph, name in names.items():
        page.say(name, {"rdf:type": "sd:NamedGraph", "sd:name": graph, "sd:graph": graph})
        page.say(graph, {"rdf:type": ["sd:Graph", "void:Dataset"], "void:triples": sizes[graph]})
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


def _slug(iri: str) -> str:
    """Return a name for ``iri`` that may stand in a fragment."""
    short = shrink(iri)
    return short if re.fullmatch(r"[\w.-]+:[\w.-]+", short, re.A) else hashlib.sha256(iri.encode()).hexdigest()[:16]


def _vocabulary(iri: str) -> str:
    known = [space for space in PREFIXES.values() if iri.startswith(space)]
    return max(known, key=len) if known else re.sub(r"[^#/]*$", "", iri)


def _catalog(counts: Counts, files: list[Dump], store: EmbeddedStore, version: str, when: datetime) -> _Page:
    page, service = _Page("catalog"), f"{_DESCRIPTION}service#service"
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


def runnable(question: Question) -> str:
    """Return the text of ``question`` as any SPARQL tool runs it: prefixes declared, parameters at what they are when nobody gives them."""
    text = "\n".join(line for line in queries.bind(question, {}).text().splitlines() if not line.startswith("#+"))
    used = set(re.findall(r"(?<![\w<?$:-])([A-Za-z][\w-]*):", skeleton(text)))
    return "".join(f"PREFIX {prefix}: <{PREFIXES[prefix]}>\n" for prefix in sorted(used & set(PREFIXES))) + text


def canonical_digest(quads: Iterable[ox.Quad] | ox.Store, known: Lines | None = None) -> str:
    """Return the version of a dataset: SHA-256 over its canonical N-Quads, sorted, without the graphs that describe it.

    Args:
        quads: as a store holds them, for a store writes some literals anew (``1.0`` becomes ``1``).
        known: their lines, if they were asked for before.
    Returns:
        64 hexadecimal digits, the same for the same statements, whatever their order and the names of their blank nodes.
    Source: RDF Dataset Canonicalization (RDFC-1.0), W3C Recommendation, section 4.4; labels depend on the quads with blank nodes alone.
    """
    found = known or Lines.of(quads)
    nameless = ox.Dataset()
    renamed = set()
    for line in found:
        quad = next(iter(ox.parse(line, ox.RdfFormat.N_QUADS))) if b"_:" in line else None
        if quad and any(isinstance(term, ox.BlankNode) for term in (quad.subject, quad.object, quad.graph_name)):
            nameless.add(quad)
            renamed.add(line)
    plain = iter(found)
    if renamed:
        nameless.canonicalize(ox.CanonicalizationAlgorithm.RDFC_1_0)
        plain = merge((line for line in found if line not in renamed), sorted(f"{quad} .".encode() for quad in nameless))
    total = hashlib.sha256()
    for line in plain:  # in the order of code points, which is that of the bytes of UTF-8
        total.update(line + b"\n")
    return total.hexdigest()


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
        crosswalks = export.sssom(store)
        written = []
        graphs: dict[str, list[ox.NamedNode]] = defaultdict(list)
        for graph in store.engine.named_graphs():
            if isinstance(graph, ox.NamedNode):
                graphs[graph.value.removeprefix(PREFIXES["g"]).partition("/")[0]].append(graph)
        union = ox.Store()
        counts = counts or count(store, known)
        large = counts.triples > LARGE
        for dump in planned(counts):
            path = fresh / dump.name
            if dump.form == "sssom":
                path.write_bytes(crosswalks.get(dump.name, b""))
            elif dump.about != DATASET:
                mine = graphs[dump.about.removeprefix(f"{PREFIXES['id']}party-")]
                if len(mine) == 1 and large:  # the engine writes a graph in no time, though not in the order of the alphabet
                    store.engine.dump(str(path), ox.RdfFormat.TURTLE, from_graph=mine[0], prefixes=PREFIXES)
                else:
                    path.write_bytes(
                        export.serialise((q for graph in mine for q in store.engine.quads_for_pattern(None, None, None, graph)), dump.form)
                    )
            else:
                _write(store.engine, union, path, dump.form, known)
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            written.append(Dump(dump.name, dump.media, dump.about, dump.form, path.stat().st_size, digest))
        (fresh / INDEX).write_text(json.dumps([asdict(dump) for dump in written], indent=1), encoding="utf-8")
        shutil.rmtree(folder, ignore_errors=True)
        fresh.rename(folder)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return written


def _write(engine: ox.Store, union: ox.Store, path: Path, form: str, known: Lines) -> None:
    """Write all of ``engine`` to ``path``; a format without named graphs gets each triple once, the triples of a subject together.

    Args:
        union: a store for the triples of all graphs, filled when it is first needed.
        known: the lines of ``engine``.
    """
    kind = GRAPHS[form].engine
    assert isinstance(kind, ox.RdfFormat)
    if kind.supports_datasets:
        engine.dump(str(path), kind, prefixes=SHORT)
    elif form == "ntriples":
        with path.open("wb") as file:
            file.writelines(_triples(engine, known))
    else:
        if not len(union):
            union.bulk_load(b"".join(_triples(engine, known)), ox.RdfFormat.N_TRIPLES)
        union.dump(str(path), kind, from_graph=ox.DefaultGraph(), prefixes=SHORT)


def _triples(engine: ox.Store, known: Lines) -> Iterator[bytes]:
    """Yield the triples of all graphs as lines of N-Triples, each once, in the order of their bytes."""
    own = [graph for graph in engine.named_graphs() if str(graph).startswith(f"<{_DESCRIPTION}")]
    described = {line for graph in own for line in (engine.dump(format=ox.RdfFormat.N_TRIPLES, from_graph=graph) or b"").split(b"\n") if line}
    last = b""
    for line in merge((b" ".join((*_split(line)[:3], b".")) for line in known), sorted(described)):
        if line != last:
            yield line + b"\n"
        last = line


def dumped(folder: Path) -> list[Dump]:
    """Return the files that ``dumps`` left in ``folder``.

    Raises:
        Missing: if there are none, or their index cannot be read.
    """
    try:
        return [Dump(**item) for item in json.loads((folder / INDEX).read_text(encoding="utf-8"))]
    except (OSError, ValueError, TypeError) as why:
        raise Missing(str(folder), "there are no dumps", "run: sekinin build --again") from why
