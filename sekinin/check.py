"""What is not right: the shapes by pySHACL, and the checks that must return no row.

A finding says where, what and how to mend it, in both languages; only a Violation stops
a build. Constraints over one node are shapes; questions over several are
``queries/checks/<defect>.rq``, since pySHACL's own SPARQL constraints grow without bound.
"""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from rdflib import Graph, Literal, URIRef
from rdflib.namespace import SH
from rdflib.term import Node

from sekinin import queries
from sekinin.errors import BadData
from sekinin.model import Finding, Question
from sekinin.namespaces import shrink
from sekinin.store import EmbeddedStore, rows

SEVERITIES = ("Violation", "Warning", "Info")


def shapes(data: Graph, shape_graph: Graph, doubtful: Iterable[str] | None = None) -> list[Finding]:
    """Validate ``data`` against ``shape_graph`` with pySHACL.

    Args:
        data: everything that a shape may look at: statements, reference data, ontology, inferences.
        doubtful: the only nodes that may have a finding, as ``conform`` gives them; None for all.
    Returns:
        findings without their files.
    Raises:
        BadData: if the shapes themselves are wrong.
    Source: W3C SHACL, 20 July 2017.
    """
    focus: list[str | URIRef] | None = None if doubtful is None else [URIRef(node) for node in doubtful]
    if focus == []:
        return []
    from pyshacl import validate  # slow to load, and most changes leave nothing in doubt

    try:
        _, report, _ = validate(data, shacl_graph=shape_graph, inference="none", advanced=False, meta_shacl=False, focus_nodes=focus)
    except Exception as why:  # pySHACL raises several classes of its own for malformed shapes
        raise BadData("shapes/", f"pySHACL cannot use them: {why}", "mend the shape that it names") from why
    if not isinstance(report, Graph):
        raise BadData("shapes/", f"pySHACL gave no report: {report}", "mend the shape that it names")
    return ordered(_finding(report, result) for result in report.objects(None, SH.result))


def _finding(report: Graph, result: Node) -> Finding:
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
    )


def checks(store: EmbeddedStore, workers: int = 2) -> list[Finding]:
    """Ask every ``queries/checks/<defect>.rq``; each row is a finding about ``?this``, without its file.

    Args:
        workers: number of threads that ask; the engine answers without holding up the program.
    """
    asked = [question for name, question in queries.catalogue().items() if name.startswith("checks/")]
    with ThreadPoolExecutor(workers) as pool:
        return ordered(finding for found in pool.map(lambda question: _asked(store, question), asked) for finding in found)


def _asked(store: EmbeddedStore, question: Question) -> list[Finding]:
    severity = question.header.get("severity", "Violation")
    what = {"en": question.summary("en"), "ja": question.summary("ja")}
    found = []
    for row in rows(queries.bind(question, {}).ask(store)):
        found.append(Finding(severity, row["this"].value, question.name, what, row["value"].value if "value" in row else ""))
    return found


def ordered(findings: Iterable[Finding]) -> list[Finding]:
    """Return ``findings``, the worst first, then by file and node."""
    return sorted(findings, key=lambda f: (SEVERITIES.index(f.severity), f.file, f.where, f.rule, f.value))
