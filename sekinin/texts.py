"""The texts of the house as RDF: every Turtle file becomes one named graph, strictly read.

A file that does not parse, or uses a word that the ontology does not have, is refused
here with its line; nothing later has to doubt what it gets.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

import pyoxigraph as ox

from sekinin import resources
from sekinin.errors import BadData, Missing
from sekinin.namespaces import BORROWED, PREFIXES, graph_iri, ontology_terms

KINDS = ("ontology", "shapes", "graphs")
TYPE = PREFIXES["rdf"] + "type"
_SPACES = ("sk", *BORROWED)
_LINE = re.compile(r"on line (\d+)|line (\d+)", re.I)


@dataclass(frozen=True)
class Text:
    """One Turtle file: its name within the house, its graph and its triples."""

    topic: str
    path: Path
    graph: str
    quads: tuple[ox.Quad, ...]

    @property
    def kind(self) -> str:
        """Which folder it stands in: ``ontology``, ``shapes`` or ``graphs``."""
        return self.topic.partition("/")[0]


def read(path: Path) -> Text:
    """Read one Turtle file strictly.

    Raises:
        Missing: if the file is not there.
        BadData: with file and line, for a syntax error, a wrong IRI or an unknown term.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError as why:
        raise Missing(str(path), "there is no such file", "check the name, or restore it with git") from why
    return parse(resources.topic(path), path, content, ontology_terms())


def parse(topic: str, path: Path, content: bytes, terms: frozenset[str]) -> Text:
    """Read the ``content`` of one Turtle file strictly; the file itself is not looked at.

    Args:
        topic: its name within the house; ``path`` where it lies, for messages.
        terms: local names that the ontology declares.
    Raises:
        BadData: with file and line, for a syntax error, a wrong IRI or an unknown term.
    """
    graph = ox.NamedNode(graph_iri(topic))
    try:
        text = content.decode("utf-8")
        if text.startswith("\ufeff"):
            raise BadData(str(path), "it begins with a byte order mark", "save it as UTF-8 without one")
        quads = tuple(ox.Quad(q.subject, q.predicate, q.object, graph) for q in ox.parse(content, ox.RdfFormat.TURTLE, base_iri=PREFIXES["id"]))
    except UnicodeDecodeError as why:
        raise BadData(str(path), f"byte {why.start} is not UTF-8", "save the file as UTF-8") from why
    except (SyntaxError, ValueError) as why:
        line = _LINE.search(str(why))
        number = getattr(why, "lineno", None) or (line and (line[1] or line[2]))
        place = f"{path}:{number}" if number else str(path)
        raise BadData(place, f"not Turtle: {why}", "mend the line and run the command again") from why
    _refuse_unknown_words(path, text, quads, terms)
    return Text(topic, path, graph.value, quads)


def _refuse_unknown_words(path: Path, text: str, quads: Iterable[ox.Quad], terms: frozenset[str]) -> None:
    """Refuse a term that nobody declared: of ours, or a property or class of a vocabulary that we borrow from.

    The triples decide; the text serves to find the line.
    """
    for prefix, iri in re.findall(r"(?m)^\s*@?prefix\s+([\w-]*):\s*<([^>]*)>", text, re.I):
        if PREFIXES.get(prefix, iri) != iri:
            raise BadData(f"{path}:{_line(text, iri)}", f"the prefix {prefix}: is not that of the house", f"write <{PREFIXES[prefix]}>")
    words: dict[str, bool] = {}
    for quad in quads:
        predicate = quad.predicate.value
        words[predicate] = True
        for node in (quad.subject, quad.object):
            if isinstance(node, ox.NamedNode):
                words[node.value] = words.get(node.value, False) or (predicate == TYPE and node == quad.object)
            elif isinstance(node, ox.Literal):
                words.setdefault(node.datatype.value, False)
    for iri, is_word in words.items():
        space = next((p for p in _SPACES if iri.startswith(PREFIXES[p])), "")
        name = iri.removeprefix(PREFIXES[space]) if space else ""
        known = terms if space == "sk" else BORROWED.get(space, ())
        if space and (is_word or space == "sk") and name not in known:
            near = get_close_matches(name, known, n=1)
            remedy = f"did you mean {space}:{near[0]}?" if near else "declare it in ontology/, or correct the name"
            raise BadData(f"{path}:{_line(text, f'{space}:{name}', iri)}", f"there is no term {space}:{name}", remedy)


def _line(text: str, *words: str) -> int:
    """Return the first line that holds one of ``words``."""
    return next((n for n, line in enumerate(text.splitlines(), 1) if any(word in line for word in words)), 1)


def read_all(kinds: Iterable[str] = KINDS) -> list[Text]:
    """Read every Turtle file of ``kinds``, in the order of their names."""
    return [read(path) for kind in kinds for path in resources.texts(kind)]
