"""How tests ended, kept for the build that they were put to, and told in EARL, the W3C's language for results.

A result holds for the data and the program that were asked, and for no other.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version as installed
from pathlib import Path
from typing import Final

import pyoxigraph as ox

from sekinin import resources
from sekinin.export import write_whole
from sekinin.namespaces import BASE, PREFIXES

EARL: Final = "http://www.w3.org/ns/earl#"
DOAP: Final = "http://usefulinc.com/ns/doap#"
MEANING: Final = {"passed": "passed", "failed": "failed", "refused": "inapplicable", "inapplicable": "inapplicable", "untested": "untested"}
"""For each result of ours its value in EARL: that an update was refused does not make its test passed."""


@dataclass(frozen=True)
class Outcome:
    """How one test ended.

    Args:
        suite, test, slug, label: of the test; ``test`` is its IRI.
        result: ``passed``, ``refused`` (a write, with 4xx, as a read-only service must), ``inapplicable``, ``untested`` or ``failed``.
        notes: why, by language (``en``, ``ja``); empty for what passed.
    """

    suite: str
    test: str
    slug: str
    label: str
    result: str
    notes: dict[str, str]

    def note(self, language: str) -> str:
        """Return why, in ``language``."""
        return self.notes.get(language, "")


def _place(version: str, ending: str) -> Path:
    return resources.build_folder() / f"conformance-{version}.{ending}"


def save(outcomes: list[Outcome], version: str, program: str = "") -> list[Path]:
    """Keep the outcomes for the build ``version``, as JSON and as EARL, and return the files.

    Args:
        program: digest of the program that was asked, if it is not part of the version.
    """
    said = {
        "version": version,
        "program": program,
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "outcomes": [asdict(outcome) for outcome in outcomes],
    }
    table = write_whole(_place(version, "json"), json.dumps(said, ensure_ascii=False, indent=1).encode())
    told = ox.serialize(report(outcomes, version, said["made"]), format=ox.RdfFormat.TURTLE, prefixes=EARL_PREFIXES)  # type: ignore[arg-type]
    return [table, write_whole(_place(version, "ttl"), told or b"")]


def saved(version: str, program: str = "") -> tuple[list[Outcome], str] | None:
    """Return the outcomes that were kept for this build and program, and when they were made; None if there are none."""
    try:
        said = json.loads(_place(version, "json").read_text(encoding="utf-8"))
        if said["version"] != version or said["program"] != program:
            return None
        return [Outcome(**item) for item in said["outcomes"]], str(said["made"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


EARL_PREFIXES: Final = {"earl": EARL, "doap": DOAP} | {p: PREFIXES[p] for p in ("dcat", "dcterms", "rdfs", "xsd")}


def report(outcomes: Iterable[Outcome], version: str, made: str) -> list[ox.Triple]:
    """Return the outcomes in the W3C's language for test results: one assertion a test.

    Source: Evaluation and Report Language (EARL) 1.0 Schema.
    """
    page = f"{BASE}/conformance"
    subject, runner = ox.NamedNode(f"{page}#subject"), ox.NamedNode(f"{page}#runner")
    kind = ox.NamedNode(PREFIXES["rdf"] + "type")
    triples: list[ox.Triple] = []

    def say(node: ox.NamedNode, name: str, value: ox.NamedNode | ox.Literal) -> None:
        prefix, _, local = name.partition(":")
        triples.append(ox.Triple(node, ox.NamedNode(EARL_PREFIXES[prefix] + local), value))

    for node, classes in ((subject, (EARL + "TestSubject", EARL + "Software", DOAP + "Project")), (runner, (EARL + "Assertor", EARL + "Software"))):
        triples += [ox.Triple(node, kind, ox.NamedNode(c)) for c in classes]
    say(subject, "doap:name", ox.Literal("Sekinin"))
    say(subject, "doap:homepage", ox.NamedNode(BASE))
    say(subject, "doap:revision", ox.Literal(installed("sekinin")))
    say(subject, "dcat:version", ox.Literal(version))
    say(runner, "doap:name", ox.Literal("sekinin conformance"))
    for outcome in outcomes:
        node, result = ox.NamedNode(f"{page}#{outcome.slug}"), ox.NamedNode(f"{page}#{outcome.slug}-result")
        triples += [ox.Triple(node, kind, ox.NamedNode(EARL + "Assertion")), ox.Triple(result, kind, ox.NamedNode(EARL + "TestResult"))]
        say(node, "earl:assertedBy", runner)
        say(node, "earl:subject", subject)
        say(node, "earl:test", ox.NamedNode(outcome.test))
        say(node, "earl:mode", ox.NamedNode(EARL + "automatic"))
        say(node, "earl:result", result)
        say(result, "earl:outcome", ox.NamedNode(EARL + MEANING[outcome.result]))
        say(result, "dcterms:date", ox.Literal(made, datatype=ox.NamedNode(PREFIXES["xsd"] + "dateTime")))
        for language in ("en", "ja"):
            if outcome.note(language):
                say(result, "dcterms:description", ox.Literal(outcome.note(language), language=language))
    return triples
