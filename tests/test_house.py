"""The house keeps its own rules: floors, house Turtle, both languages, no SPARQL in Python."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from conftest import HOUSE
from rdflib import OWL, RDF, RDFS, SKOS, Graph, Literal, URIRef

from sekinin import namespaces, resources, texts, turtle

FLOORS = (
    {"errors", "resources", "orphans"},
    {"settings", "account"},
    {"namespaces"},
    {"model", "formats"},
    {"turtle", "store", "convert"},
    {"queries", "texts"},
    {"infer", "check", "verify", "derive", "export", "citation", "papers"},
    {"rules", "conform"},
    {"parts"},
    {"spread"},
    {"lines"},
    {"count"},
    {"describe", "search", "reading"},
    {"dumps"},
    {"steps"},
    {"change"},
    {"publish"},
    {"workers"},
    {"manifests", "earl"},
    {"conformance"},
    {"build"},
    {"cli"},
)
"""The modules of the library, lowest first; one may import from its own floor only what stands before it in the house."""
READING = (
    {"letters", "files", "rules"},
    {"lexicon", "quantities"},
    {"structure", "sheets"},
    {"passages", "results"},
    {"statements"},
    {"paper"},
    {"score"},
    {"draft"},
    {"many", "review", "difference"},
)
"""The modules of the reader, lowest first; from the rest of the library they take what stands below the reader."""
PYTHON = sorted([*(HOUSE / "sekinin").rglob("*.py"), *(HOUSE / "webapp").rglob("*.py")])
TURTLE = sorted(path for kind in ("ontology", "graphs", "shapes") for path in (HOUSE / kind).rglob("*.ttl"))


def imports(path: Path) -> set[str]:
    """Return the modules of ``sekinin`` and ``webapp`` that ``path`` imports, also inside functions."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{a.name}" for a in node.names] if node.module in ("sekinin", "webapp") else [node.module]
            found.update(names)
        elif isinstance(node, ast.Import):
            found.update(a.name for a in node.names)
    return {name for name in found if name.partition(".")[0] in ("sekinin", "webapp")}


def test_every_module_stands_on_a_floor() -> None:
    """A module that nobody placed could import anything."""
    placed = set().union(*FLOORS)
    here = {path.stem for path in (HOUSE / "sekinin").glob("*.py")} | {path.parent.name for path in (HOUSE / "sekinin").glob("*/__init__.py")}
    assert here - {"__init__", "__main__"} == placed
    inside = {path.stem for path in (HOUSE / "sekinin" / "reading").glob("*.py")} | {"rules"}
    assert inside - {"__init__"} <= set().union(*READING)


@pytest.mark.parametrize("path", sorted((HOUSE / "sekinin" / "reading").glob("*.py")), ids=lambda p: p.stem)
def test_imports_of_the_reader_go_down(path: Path) -> None:
    """A module of the reader imports from its own floor or lower ones, and nothing that stands above the reader."""
    floor = next((i for i, names in enumerate(READING) if path.stem in names), 0)
    inside = set().union(*READING[: floor + 1])
    outside = set().union(*FLOORS[: next(i for i, names in enumerate(FLOORS) if "reading" in names) + 1])
    for name in imports(path):
        _, _, module = name.partition(".")
        first, _, rest = module.partition(".")
        assert first in outside, f"{path.name} imports {name} from above the reader"
        if first == "reading" and rest:
            assert rest.partition(".")[0] in inside, f"{path.name} imports {name} from a higher floor"


@pytest.mark.parametrize("path", sorted((HOUSE / "sekinin").glob("*.py")), ids=lambda p: p.stem)
def test_imports_go_down(path: Path) -> None:
    """A module imports only from its own floor or lower ones, and the library imports the web in one place only: serve."""
    floor = next((i for i, names in enumerate(FLOORS) if path.stem in names), len(FLOORS))
    allowed = set().union(*FLOORS[: floor + 1])
    for name in imports(path):
        package, _, module = name.partition(".")
        if package == "webapp":
            assert path.stem == "cli", f"{path.name} imports the web"
        else:
            assert module.partition(".")[0] in allowed, f"{path.name} imports {name} from a higher floor"


@pytest.mark.parametrize("path", PYTHON, ids=lambda p: f"{p.parent.name}/{p.name}")
def test_no_sparql_in_python(path: Path) -> None:
    """Queries are files; no string constant of the program is one."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            assert not re.search(r"(?s)\b(SELECT|CONSTRUCT|ASK|DESCRIBE)\b.*\{.*[?$]\w", node.value), f"{path}:{node.lineno}"


@pytest.mark.parametrize("path", TURTLE, ids=lambda p: p.relative_to(HOUSE).as_posix())
def test_turtle_is_in_house_form(path: Path) -> None:
    """Writing what was read gives the same bytes."""
    assert turtle.again(path) == path.read_text(encoding="utf-8")


def test_house_form_is_noticed_when_it_is_missing(tmp_path: Path) -> None:
    """The check above can fail: subjects out of order are put into order."""
    path = tmp_path / "x.ttl"
    path.write_text("@prefix id: <https://w3id.org/sekinin/id/> .\nid:b a id:c . id:a a id:c .\n", encoding="utf-8")
    assert turtle.again(path) != path.read_text(encoding="utf-8")
    assert turtle.again(path).index("id:a") < turtle.again(path).index("id:b")


def test_house_form_keeps_the_graph(tmp_path: Path) -> None:
    """Strings with quotes and line breaks, lists, blank nodes, numbers and languages survive."""
    from rdflib.compare import isomorphic

    source = """@prefix id: <https://w3id.org/sekinin/id/> . @prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
    id:a id:p "q\\"uo\\\\te", "two\\nlines", "ends in \\\\", "日本"@ja, 7, 7.5, true, "2024-01"^^xsd:gYearMonth, <http://x/a(b)> ;
      id:list ( id:x [ id:y ( 1 2 ) ] ) ; id:empty [] ."""
    before = Graph().parse(data=source, format="turtle")
    after = Graph().parse(data=turtle.write(before), format="turtle")
    assert isomorphic(before, after)


def test_every_term_is_explained(ontology: Graph) -> None:
    """Each term has a label and a definition in both languages, and says where it belongs."""
    here = URIRef(namespaces.BASE)
    terms = {s for s in ontology.subjects() if str(s).startswith(namespaces.PREFIXES["sk"])}
    assert len(terms) > 400
    for term in terms:
        for predicate in (RDFS.label, SKOS.definition):
            languages = sorted(o.language for o in ontology.objects(term, predicate) if isinstance(o, Literal))
            assert languages == ["en", "ja"], f"{term}: {predicate} in {languages}"
        assert (term, RDFS.isDefinedBy, here) in ontology, term
        assert (term, RDF.type, None) in ontology, term


def test_every_term_is_used(ontology: Graph, read: list[texts.Text]) -> None:
    """A class or property that no data, query, shape or axiom names is not needed yet."""
    everything = "".join(p.read_text(encoding="utf-8") for p in resources.question_files())
    everything += "".join(t.path.read_text(encoding="utf-8") for t in read if t.kind != "ontology")
    everything += (HOUSE / "tests" / "entailments" / "axioms.json").read_text(encoding="utf-8")
    named = set(re.findall(r"sk:([A-Za-z][\w.]*\w)", everything))
    for kind in (OWL.Class, OWL.ObjectProperty, OWL.DatatypeProperty):
        for term in ontology.subjects(RDF.type, kind):
            name = str(term).removeprefix(namespaces.PREFIXES["sk"])
            if str(term).startswith(namespaces.PREFIXES["sk"]):
                inner = any(p != RDFS.isDefinedBy for _, p in ontology.subject_predicates(term))
                assert name in named or inner, f"sk:{name} is declared and nothing uses it"


def test_files_declare_what_their_name_says() -> None:
    """The ontology has one file a topic, and each shapes file has the name of an ontology file."""
    names = {path.stem for path in resources.texts("ontology")}
    assert {"sekinin", "party", "service", "responsibility", "control", "obligation", "commitment", "evidence"} <= names
    assert {path.stem for path in resources.texts("shapes")} <= names


def test_a_misspelt_term_raises() -> None:
    """The namespace is closed."""
    from sekinin.errors import BadData

    assert str(namespaces.SK.Obligation) == "https://w3id.org/sekinin#Obligation"
    with pytest.raises(BadData, match="no such term"):
        _ = namespaces.SK.Obligaton


def test_interface_words_are_whole() -> None:
    """Each word of the interface is there in both languages, and each is used."""
    from sekinin.earl import MEANING
    from webapp.words import WORDS

    used = "".join(p.read_text(encoding="utf-8") for p in (HOUSE / "webapp").rglob("*") if p.suffix in (".html", ".py") and p.name != "words.py")
    chosen = {"class", "property", "individual", "described", *(f"test-{result}" for result in MEANING)}  # by the data
    for key, both in WORDS.items():
        assert all(both) and len(both) == 2, key
        made = re.search(rf"""f?["']{key.partition("-")[0]}-(\{{|["'] [+])""", used)  # as f"state-{...}", or "state-" + ...
        assert f'"{key}"' in used or f"'{key}'" in used or key in chosen or made, f"{key} is not used"


@pytest.mark.parametrize("path", sorted((HOUSE / "webapp" / "templates").glob("*.html")), ids=lambda p: p.name)
def test_templates_are_short(path: Path) -> None:
    """A template holds no logic and stays under sixty lines; no page calls outside."""
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) < 60
    assert not re.search(r"""(src|href)=["']https?://""", text)
