"""Real clients against the running server: curl, SPARQLWrapper, rdflib's SPARQLStore, our own command line."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator

import pytest
from conftest import HOUSE
from serving import SETTINGS, serving

pytestmark = pytest.mark.whole
QUERY = (HOUSE / "queries" / "duties" / "customer-duties.rq").read_text(encoding="utf-8").replace("?lang", '"en"')
PREFIXES = "\n".join(
    f"PREFIX {p}: <{iri}>"
    for p, iri in (
        ("sk", "https://w3id.org/sekinin#"),
        ("skos", "http://www.w3.org/2004/02/skos/core#"),
        ("rdfs", "http://www.w3.org/2000/01/rdf-schema#"),
    )
)
EXPECTED = 50
"""Customer duties of the five papers, at least: 4 + 10 + 1 + 35."""


@pytest.fixture(scope="module")
def server(built) -> Iterator[str]:
    """The address of `sekinin serve` on a free port of this machine."""
    with serving(**SETTINGS) as server:
        yield server.address


def curl(*words: str) -> str:
    return subprocess.run(
        ["curl", "--silent", "--show-error", "--fail", "--max-time", "20", *words], capture_output=True, text=True, check=True
    ).stdout


def test_curl(server: str) -> None:
    rows = json.loads(curl("--data-urlencode", f"query={QUERY}", f"{server}sparql"))["results"]["bindings"]
    assert len({r["duty"]["value"] for r in rows}) >= EXPECTED
    assert {"service", "duty", "label", "section"} <= set(rows[0])
    assert any("deadline" in r for r in rows)


def test_a_browser_without_javascript(server: str) -> None:
    page = curl("-H", "Accept: text/html", "-G", "--data-urlencode", f"query={QUERY}", f"{server}sparql")
    assert page.count("<tr>") > EXPECTED


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_sparqlwrapper(server: str, method: str) -> None:
    from SPARQLWrapper import JSON, SPARQLWrapper

    ask = SPARQLWrapper(f"{server}sparql")
    ask.setQuery(f"{PREFIXES}\n{QUERY}")
    ask.setMethod(method)
    ask.setReturnFormat(JSON)
    rows = ask.query().convert()["results"]["bindings"]
    assert len({r["duty"]["value"] for r in rows}) >= EXPECTED


def test_rdflib_sparqlstore(server: str) -> None:
    from rdflib import Graph
    from rdflib.plugins.stores.sparqlstore import SPARQLStore

    graph = Graph(SPARQLStore(f"{server}sparql"))
    rows = list(graph.query(f"{PREFIXES}\n{QUERY}"))
    assert len({str(r.duty) for r in rows}) >= EXPECTED


def test_our_own_command_line(server: str) -> None:
    """`sekinin query --store` asks a server through SPARQLWrapper, and gets the same as from the embedded store."""
    from sekinin import build, queries
    from sekinin.store import RemoteStore

    for name, given in (("duties/customer-duties", {"service": "id:service-resv", "lang": "en"}), ("services/services", {"lang": "ja"})):
        question = queries.get(name)
        assert queries.answer(RemoteStore(f"{server}sparql"), question, given) == queries.answer(build.open_current(), question, given)
    triples = RemoteStore(f"{server}sparql").query("DESCRIBE id:service-talkz")
    assert len(list(triples)) > 3
