"""What is not right: the shapes by pySHACL, and the checks that must return no row.

A finding says where, what and how to mend it, in both languages; only a Violation stops
a build. Constraints over one node are shapes; questions over several are
``queries/checks/<defect>.rq``, since pySHACL's own SPARQL constraints grow without bound.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pyoxigraph as ox
from pyshacl import validate
from rdflib import Graph, Literal, URIRef
from rdflib.namespace import RDF, SH
from rdflib.term import Node

from sekinin import queries
from sekinin.errors import BadData
from sekinin.model import Finding
from sekinin.namespaces import shrink
from sekinin.store import EmbeddedStore, rows

SEVERITIES = ("Violation", "Warning", "Info")


def shapes(data: Graph, shape_graph: Graph, files: Mapping[str, str]) -> list[Finding]:
    """Validate ``data`` against ``shape_graph`` with pySHACL.

    Args:
        data: everything that a shape may look at: statements, reference data, ontology, inferences.
        files: for a subject's IRI, the file that describes it.
    Raises:
        BadData: if the shapes themselves are wrong.
    Source: W3C SHACL, 20 July 2017.
    """
    try:
        _, report, _ = validate(data, shacl_graph=shape_graph, inference="none", advanced=False, meta_shacl=False)
    except Exception as why:  # pySHACL raises several classes of its own for malformed shapes
        raise BadData("shapes/", f"pySHACL cannot use them: {why}", "mend the shape that it names") from why
    if not isinstance(report, Graph):
        raise BadData("shapes/", f"pySHACL gave no report: {report}", "mend the shape that it names")
    found = (_finding(report, result, files) for result in report.objects(None, SH.result))
    return sorted(found, key=_order)


def _finding(report: Graph, result: Node, files: Mapping[str, str]) -> Finding:
    def one(predicate: URIRef) -> str:
        value = report.value(result, predicate)
        return "" if value is None else str(value)

    messages = {m.language or "en": str(m) for m in report.objects(result, SH.resultMessage) if isinstance(m, Literal)}
    where = one(SH.focusNode)
    return Finding(
        severity=one(SH.resultSeverity).rpartition("#")[2],
        where=where,
        rule=shrink(one(SH.sourceShape)),
        what=messages,
        value=one(SH.value),
        file=files.get(where, ""),
    )


def checks(store: EmbeddedStore, files: Mapping[str, str]) -> list[Finding]:
    """Ask every ``queries/checks/<defect>.rq``; each row is a finding about ``?this``."""
    found = []
    for name, question in queries.catalogue().items():
        if not name.startswith("checks/"):
            continue
        severity = question.header.get("severity", "Violation")
        what = {"en": question.summary("en"), "ja": question.summary("ja")}
        for row in rows(queries.bind(question, {}).ask(store)):
            where = _text(row["this"])
            value = _text(row["value"]) if "value" in row else ""
            found.append(Finding(severity, where, name, what, value, files.get(where, "")))
    return sorted(found, key=_order)


def _order(finding: Finding) -> tuple[int, str, str, str]:
    return SEVERITIES.index(finding.severity), finding.file, finding.where, finding.rule


def _text(term: ox.NamedNode | ox.BlankNode | ox.Literal) -> str:
    return term.value


def files_of(quads: Iterable[ox.Quad], topics: Mapping[str, str]) -> dict[str, str]:
    """Return for each subject the file that describes it (the first in which it has a type, else that names it).

    Args:
        topics: for the IRI of a graph, the name of its file within the house.
    """
    typed: dict[str, str] = {}
    told: dict[str, str] = {}
    for quad in quads:
        if isinstance(quad.graph_name, ox.NamedNode):
            file = topics.get(quad.graph_name.value, "")
            if isinstance(quad.subject, ox.NamedNode):
                told.setdefault(quad.subject.value, file)
                if quad.predicate.value == str(RDF.type):
                    typed.setdefault(quad.subject.value, file)
            if isinstance(quad.object, ox.NamedNode):
                told.setdefault(quad.object.value, file)
    return told | typed
