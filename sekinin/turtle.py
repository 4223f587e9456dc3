"""House Turtle: one form for every file, so that a diff shows only what changed.

Sorted subjects, ``a`` and the names first, one object a line where there are several,
the dot alone on its line. Writing what was read gives the same bytes again.
"""

from __future__ import annotations

import re
from pathlib import Path

from rdflib import BNode, Graph, Literal, URIRef
from rdflib.collection import Collection
from rdflib.namespace import RDF, XSD
from rdflib.term import Node

from sekinin.errors import BadData, Missing
from sekinin.namespaces import PREFIXES

_FIRST = (
    "rdf:type", "sh:targetClass", "sh:targetObjectsOf", "sh:targetSubjectsOf", "sh:path", "rdfs:label", "skos:prefLabel",
    "skos:altLabel", "skos:notation", "rdfs:subClassOf", "rdfs:subPropertyOf", "owl:inverseOf",
    "rdfs:domain", "rdfs:range", "skos:definition", "skos:scopeNote",
)  # fmt: skip
_LAST = ("sh:severity", "sh:message", "sh:prefixes", "sh:select", "sk:statedIn", "sk:citedAt")
_LOCAL = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.\-]*[A-Za-z0-9_\-])?\Z|\Z")
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def read(path: Path) -> Graph:
    """Parse one Turtle file.

    Raises:
        Missing: if the file is not there.
        BadData: with the line where the syntax breaks.
    """
    if not path.is_file():
        raise Missing(str(path), "there is no such file", "check the name, or restore it with git")
    graph = Graph(bind_namespaces="none")
    try:
        path.read_bytes().decode("utf-8")
        graph.parse(path, format="turtle")
    except UnicodeDecodeError as why:
        raise BadData(str(path), f"byte {why.start} is not UTF-8", "save the file as UTF-8") from why
    except Exception as why:  # rdflib raises its own BadSyntax, and ValueError for a bad IRI
        line = getattr(why, "lines", None)
        place = f"{path}:{line + 1}" if isinstance(line, int) else str(path)
        text = getattr(why, "_why", None) or str(why).splitlines()[-1]
        raise BadData(place, f"not Turtle: {text}", "mend the line and run the command again") from why
    return graph


def write(graph: Graph, head: str = "") -> str:
    """Return ``graph`` in house form; ``head`` becomes comment lines at the top."""
    return _Writer(graph).text(head)


def again(path: Path) -> str:
    """Return the file as house form would have it; its comment lines at the top are kept.

    A file that is in house form gives itself.
    """
    graph = read(path)
    head = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            break
        head.append(line.removeprefix("#").removeprefix(" "))
    return write(graph, "\n".join(head))


class _Writer:
    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.used: set[str] = set()
        self.names: dict[str, str] = {}

    def text(self, head: str) -> str:
        nested = {o for _, _, o in self.graph if isinstance(o, BNode)}
        for node in nested:
            self._refuse_shared(node)
        tops = {s for s in self.graph.subjects() if s not in nested}
        blocks = [self._block(s) for s in sorted(tops, key=self._subject_order)]
        lines = [f"# {line}".rstrip() for line in head.splitlines()]
        if lines:
            lines.append("")
        lines += [f"@prefix {p}: <{PREFIXES[p]}> ." for p in sorted(self.used)]
        return "\n".join(lines) + "\n\n" + "\n".join(blocks)

    def _refuse_shared(self, node: BNode) -> None:
        """A blank node stands inside its one owner; shared or in a circle it would be written as several, or lost."""
        seen: set[Node] = {node}
        at: Node = node
        while isinstance(at, BNode):
            owners = list(self.graph.subjects(None, at))
            if len(owners) > 1 or owners[:1] == [at] or (owners and owners[0] in seen):
                raise BadData("Turtle", "a blank node is shared or stands in a circle", "give the node an IRI")
            if not owners:
                return
            at = owners[0]
            seen.add(at)

    def _subject_order(self, node: Node) -> tuple[list[object], str]:
        parts = re.split(r"(\d+)", str(node))
        return [int(p) if p.isdigit() else p for p in parts if p], str(node)  # 9.2.1 before 10.1.1

    def _block(self, subject: Node) -> str:
        lines = [self.term(subject)]
        lines += self._predicates(subject, "    ")
        lines.append(".")
        return "\n".join(lines) + "\n"

    def _predicates(self, subject: Node, pad: str) -> list[str]:
        lines = []
        for predicate in sorted(set(self.graph.predicates(subject)), key=self._predicate_order):
            name = "a" if predicate == RDF.type else self.term(predicate)
            objects = sorted(self.graph.objects(subject, predicate), key=self._object_order)
            if len(objects) == 1:
                lines.append(f"{pad}{name} {self._object(objects[0], pad)} ;")
            else:
                lines.append(f"{pad}{name}")
                ends = [","] * (len(objects) - 1) + [";"]
                lines += [f"{pad}    {self._object(o, pad + '    ')} {end}" for o, end in zip(objects, ends, strict=True)]
        return lines

    def _predicate_order(self, predicate: Node) -> tuple[int, str]:
        name = "rdf:type" if predicate == RDF.type else self.term(predicate)
        if name in _FIRST:
            return _FIRST.index(name) - len(_FIRST), name
        return (_LAST.index(name) + 1 if name in _LAST else 0), name

    def _object_order(self, node: Node) -> tuple[int, str, str]:
        if isinstance(node, Literal):
            return 1, node.language or "", str(node)
        if isinstance(node, BNode):
            return 2, "", self._object(node, "")
        return 0, "", self.term(node)

    def _object(self, node: Node, pad: str) -> str:
        if not isinstance(node, BNode):
            return self.term(node)
        if (node, RDF.first, None) in self.graph:
            return "( " + " ".join(self._object(item, pad) for item in Collection(self.graph, node)) + " )"
        inner = self._predicates(node, pad + "    ")
        return "[\n" + "\n".join(inner) + f"\n{pad}]" if inner else "[]"

    def term(self, node: Node) -> str:
        if isinstance(node, Literal):
            return self._literal(node)
        iri = str(node)
        if iri in self.names:
            return self.names[iri]
        best = ""
        for prefix, space in PREFIXES.items():
            longer = len(space) > len(PREFIXES.get(best, ""))
            if longer and iri.startswith(space) and _LOCAL.match(iri[len(space) :]):
                best = prefix
        if best:
            self.used.add(best)
        self.names[iri] = f"{best}:{iri[len(PREFIXES[best]) :]}" if best else f"<{iri}>"
        return self.names[iri]

    def _literal(self, node: Literal) -> str:
        text = str(node)
        if node.datatype in (XSD.integer, XSD.boolean) and re.fullmatch(r"-?\d+|true|false", text):
            return text
        if node.datatype == XSD.decimal and re.fullmatch(r"-?\d+\.\d+", text):
            return text
        if "\n" in text and '"""' not in text and not text.endswith(('"', "\\")):
            quoted = '"""' + text.replace("\\", "\\\\") + '"""'
        else:
            quoted = '"' + "".join(_ESCAPES.get(c, c) for c in text) + '"'
        if node.language:
            return f"{quoted}@{node.language}"
        if node.datatype and node.datatype != XSD.string:
            return f"{quoted}^^{self.term(URIRef(node.datatype))}"
        return quoted
