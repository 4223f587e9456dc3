"""Write docs/reference/ from the house itself: questions, terms, command line.

``python docs/reference.py`` writes; with ``--check`` it writes nothing and exits 1 if a page is out of date.
"""

from __future__ import annotations

import sys
from pathlib import Path

from click.testing import CliRunner
from rdflib import OWL, RDF, RDFS, SKOS, Graph, URIRef

from sekinin import queries, texts
from sekinin.cli import main
from sekinin.convert import to_graph
from sekinin.model import Question
from sekinin.namespaces import BASE, shrink

FOLDER = Path(__file__).parent / "reference"


def questions() -> str:
    """Return the catalogue of saved questions, in both languages."""
    lines = ["# Saved questions", "", "Ask one with `sekinin query NAME -p PARAMETER=TERM`; a parameter narrows it.", ""]
    topic = ""
    for name, question in queries.catalogue().items():
        if name.partition("/")[0] != topic:
            topic = name.partition("/")[0]
            lines += [
                "",
                f"## {topic}",
                "",
                "| name | what it asks | 何を尋ねるか | parameters | competency questions |",
                "| --- | --- | --- | --- | --- |",
            ]
        params = ", ".join(f"{p.name} ({p.kind})" for p in question.params)
        asked = ", ".join(dict.fromkeys(ident for ident, _ in queries.asks(question)))
        lines.append(f"| `{name}` | {_summary(question, 'en')} | {_summary(question, 'ja')} | {params} | {asked} |")
    return "\n".join(lines) + "\n"


def _summary(question: Question, lang: str) -> str:
    if not question.successors:
        return question.summary(lang)
    said = ". It will go; ask instead: " if lang == "en" else "。廃止予定。代わりに: "
    return f"{question.summary(lang)}{said}{', '.join(f'`{name}`' for name in question.successors)}"


def terms() -> str:
    """Return every class and property of the ontology with its definition, in both languages."""
    graph = to_graph(text.quads for text in texts.read_all(("ontology",)))
    lines = ["# Terms of the ontology", "", "Values (individuals) stand in `ontology/` and on the page *Words* of the explorer."]
    for title, kinds in (("Classes", (OWL.Class,)), ("Properties", (OWL.ObjectProperty, OWL.DatatypeProperty))):
        lines += ["", f"## {title}", "", "| term | definition | 用語 | 定義 |", "| --- | --- | --- | --- |"]
        for term in sorted({s for kind in kinds for s in graph.subjects(RDF.type, kind) if (s, RDFS.isDefinedBy, URIRef(BASE)) in graph}):
            cells = [_in(graph, term, p, lang) for lang in ("en", "ja") for p in (RDFS.label, SKOS.definition)]
            lines.append(f"| `{shrink(str(term))}` | {cells[1]} | {cells[2]} | {cells[3]} |")
    return "\n".join(lines) + "\n"


def _in(graph: Graph, term: object, predicate: URIRef, language: str) -> str:
    return next((str(o) for o in graph.objects(term, predicate) if getattr(o, "language", None) == language), "")


def command_line() -> str:
    """Return the help of every command, as the program prints it."""
    codes = (
        "Exit codes: 0 well; 1 something must be mended; 2 the command was misused; 3 a text is wrong; 4 something is missing;",
        "5 a query is wrong; 6 the graph contradicts itself; 7 the store failed; 8 refused.",
    )
    lines = ["# Command line", "", *codes]
    for name in ("", *sorted(main.commands)):
        result = CliRunner().invoke(main, [name, "--help"] if name else ["--help"], prog_name="sekinin", terminal_width=100)
        lines += ["", f"## sekinin {name}".rstrip(), "", "```text", result.output.rstrip(), "```"]
    return "\n".join(lines) + "\n"


PAGES = {"questions.md": questions, "terms.md": terms, "command-line.md": command_line}


def stale() -> list[Path]:
    """Return the pages that do not say what the house says."""
    return [p for name, make in PAGES.items() if not (p := FOLDER / name).is_file() or p.read_text(encoding="utf-8") != make()]


if __name__ == "__main__":
    out_of_date = stale()
    for page in out_of_date:
        print(page)
        if "--check" not in sys.argv:
            FOLDER.mkdir(exist_ok=True)
            page.write_text(PAGES[page.name](), encoding="utf-8")
    sys.exit(1 if out_of_date and "--check" in sys.argv else 0)
