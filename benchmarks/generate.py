"""Write a house of any number of fictional providers, drawn from the papers of the real ones.

Each provider takes one real paper as its pattern and a share of its statements, each kind as often as there; what a
statement needs (sections, citations, conditions, lists) comes along. Its IRIs, names and text are its own, and every
citation holds in the text that is made with it. The same seed gives the same bytes.

``python benchmarks/generate.py FOLDER --providers 1000`` makes FOLDER a house: set SEKININ_HOME to it and build.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import re
import shutil
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from pathlib import Path
from typing import NamedTuple

from rdflib import RDF, SKOS, Graph, Literal, URIRef

from sekinin import turtle
from sekinin.export import write_whole
from sekinin.namespaces import PREFIXES

HOUSE = Path(__file__).resolve().parent.parent
ID, SK = PREFIXES["id"], PREFIXES["sk"]
STATED, SERVICE, RUNS_ON = URIRef(SK + "statedIn"), URIRef(SK + "aboutService"), URIRef(SK + "runsOn")
SHARE = 0.09
"""Share of a pattern's statements that a provider takes: about nine hundred triples each."""
DEPENDS = 0.1
"""Share of the providers whose service runs on the service of another."""
SOUNDS = ("ka", "mi", "no", "ra", "se", "to", "yu", "ha", "ri", "ko", "na", "sho", "chi", "mo", "ta", "re")
KANA = ("カ", "ミ", "ノ", "ラ", "セ", "ト", "ユ", "ハ", "リ", "コ", "ナ", "ショ", "チ", "モ", "タ", "レ")
LETTERS = "".join(map(chr, range(0x3042, 0x3094))) + "雲責任分担事業者利用顧客情報管理策記録保管通知期限暗号監査、。"
KEYS = {"ai-inc": "aicloud", "ictl": "resv", "infonet": "lensawriter", "spcc": "talkz", "wacul": "ai-analyst"}
"""For each folder of a real provider, the word by which its paper names its nodes."""


class Pattern(NamedTuple):
    """A real paper: its triples and who speaks in it about what."""

    key: str
    graph: Graph
    party: URIRef
    service: URIRef
    names: dict[str, str]


@cache
def patterns() -> list[Pattern]:
    """Return the real papers, in the order of their folders."""
    parties = turtle.read(HOUSE / "graphs" / "parties.ttl")
    found = []
    for folder, key in KEYS.items():
        (path,) = (HOUSE / "graphs" / folder).glob("*.ttl")
        graph, party = turtle.read(path), URIRef(f"{ID}party-{folder}")
        (service,) = parties.subjects(URIRef(SK + "providedBy"), party)
        names = {str(name): "party" for name in parties.objects(party, SKOS.prefLabel)}
        names |= {str(name): "service" for name in parties.objects(service, SKOS.prefLabel)}
        names |= {word: "service" for word in (key, key.upper(), key.capitalize(), "LENSAwriter", "AICloud", "トークズ", "コエステーション")}
        for triple in parties.triples((party, None, None)):
            graph.add(triple)
        for triple in parties.triples((service, None, None)):
            graph.add(triple)
        found.append(Pattern(key, graph, party, service, names))
    return found


def name_of(number: int) -> str:
    """Return the word in the IRIs of a provider: ``g00042``."""
    return f"g{number:05}"


def called(number: int) -> tuple[str, str]:
    """Return a fictional name in Latin letters and in kana, different for each number."""
    digits, rest = [], number + 4096
    while rest:
        rest, digit = divmod(rest, len(SOUNDS))
        digits.append(digit)
    return "".join(SOUNDS[d] for d in digits).capitalize(), "".join(KANA[d] for d in digits)


def provider(number: int, of: int, seed: int, share: float) -> tuple[Graph, str]:
    """Return the graph of one provider's paper and the paper's text.

    Args:
        number: of the provider, from 0.
        of: number of providers in all; some run on others.
        share: of the pattern's statements, above 0 and at most 1.
    """
    chance = random.Random(f"{seed} {number} {share}")
    pattern = chance.choice(patterns())
    kept = _kept(pattern, chance, share)
    key = name_of(number)
    length = next(int(str(o)) for o in pattern.graph.objects(None, URIRef(SK + "lengthInCodePoints")))
    text = "".join(chance.choices(LETTERS, k=length))
    renamed = {node: _renamed(node, pattern, key) for node in set(pattern.graph.subjects())}
    latin, kana = called(number)
    graph = Graph(bind_namespaces="none")
    for subject in kept:
        for _, p, o in pattern.graph.triples((subject, None, None)):
            if isinstance(o, Literal) and o.datatype is None:
                o = Literal(_renaming(o, pattern, latin if o.language == "en" else kana), lang=o.language)
            graph.add((renamed[subject], p, renamed.get(o, o)))
    _cite(graph, text)
    if of > 1 and chance.random() < DEPENDS:
        other = chance.randrange(of - 1)
        graph.add((renamed[pattern.service], RUNS_ON, URIRef(f"{ID}service-{name_of(other + (other >= number))}")))
    return graph, text


def _kept(pattern: Pattern, chance: random.Random, share: float) -> list[URIRef]:
    """Return a share of the statements and everything that they lead to, in a fixed order."""
    graph = pattern.graph
    statements = sorted(set(graph.subjects(STATED, None)))
    todo = [node for node in statements if chance.random() < share]
    for kind in ("DisclosureDocument", "TextRendition"):
        todo += sorted(set(graph.subjects(RDF.type, URIRef(SK + kind))))
    todo += [pattern.party, pattern.service]
    kept: set[URIRef] = set()
    while todo:
        node = todo.pop()
        if node not in kept and (node, None, None) in graph:
            kept.add(node)
            todo += [o for o in graph.objects(node, None) if isinstance(o, URIRef)]
    return sorted(kept)


def _renamed(node: URIRef, pattern: Pattern, key: str) -> URIRef:
    if node == pattern.party:
        return URIRef(f"{ID}party-{key}")
    if node == pattern.service:
        return URIRef(f"{ID}service-{key}")
    name = str(node).removeprefix(ID)
    new = name.replace(pattern.key, key) if pattern.key in name else f"{name}-{key}"
    return URIRef(f"{ID}{new}-part" if new == f"service-{key}" else ID + new)


def _renaming(text: str, pattern: Pattern, new: str) -> str:
    for old in sorted(pattern.names, key=len, reverse=True):
        text = re.sub(re.escape(old), new, text)
    return text


def _cite(graph: Graph, text: str) -> None:
    """Give each citation the digest of its passage in ``text``, and the rendition that of the whole."""
    oa, spdx, xsd = PREFIXES["oa"], PREFIXES["spdx"], PREFIXES["xsd"]
    for cite, span in list(graph.subject_objects(URIRef(oa + "hasSelector"))):
        start, end = (int(str(graph.value(span, URIRef(oa + word)))) for word in ("start", "end"))
        _digest(graph, cite, URIRef(SK + "quoteSha256"), text[start:end], xsd)
    for node in list(graph.subjects(URIRef(spdx + "checksumValue"), None)):
        _digest(graph, node, URIRef(spdx + "checksumValue"), text, xsd)


def _digest(graph: Graph, node: object, predicate: URIRef, text: str, xsd: str) -> None:
    if (node, predicate, None) in graph:
        graph.set((node, predicate, Literal(hashlib.sha256(text.encode()).hexdigest(), datatype=URIRef(xsd + "hexBinary"), normalize=False)))


def write(house: Path, number: int, of: int, seed: int, share: float, texts: Path | None) -> int:
    """Write one provider into ``house`` and return the number of its triples."""
    graph, text = provider(number, of, seed, share)
    key = name_of(number)
    head = f"What the fictional paper {key} says; drawn from a real one by benchmarks/generate.py. Licence: CC BY 4.0."
    write_whole(house / "graphs" / key / "paper-1.0.ttl", turtle.write(graph, head).encode())
    if texts:
        write_whole(texts / f"{key}.txt", text.encode())
    return len(graph)


def generate(house: Path, providers: int, seed: int = 1, share: float = SHARE, texts: Path | None = None, workers: int = 2) -> int:
    """Make ``house`` a house of ``providers`` and return the number of their triples; the fixed texts are copied from this one."""
    for name in ("ontology", "shapes", "queries", "graphs/vocabulary", "graphs/frameworks", "graphs/mappings"):
        shutil.copytree(HOUSE / name, house / name, dirs_exist_ok=True)
    for name in ("parties.ttl", "assumptions.ttl"):
        shutil.copy(HOUSE / "graphs" / name, house / "graphs" / name)
    rest = [(number, providers, seed, share, texts) for number in range(providers)]
    if workers < 2 or providers < 20:
        return sum(write(house, *each) for each in rest)
    with ProcessPoolExecutor(workers) as pool:
        return sum(pool.map(_write, ((house, *each) for each in rest), chunksize=8))


def _write(given: tuple[Path, int, int, int, float, Path | None]) -> int:
    return write(*given)


def main() -> None:
    """Read the command line and write the house."""
    reader = argparse.ArgumentParser(description="Write a house of fictional providers.")
    reader.add_argument("folder", type=Path)
    reader.add_argument("--providers", type=int, default=100)
    reader.add_argument("--seed", type=int, default=1)
    reader.add_argument("--share", type=float, default=SHARE, help="of each pattern's statements, up to 1; default: %(default)s")
    reader.add_argument("--texts", type=Path, help="write the papers' texts there too")
    given = reader.parse_args()
    if not 0 < given.share <= 1 or given.providers < 1:
        reader.error("--share is above 0 and at most 1, --providers at least 1")
    triples = generate(given.folder, given.providers, given.seed, given.share, given.texts, os.cpu_count() or 1)
    print(f"{given.providers:,} providers, {triples:,} triples in {given.folder}")


if __name__ == "__main__":
    main()
