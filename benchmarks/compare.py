"""The endpoint beside others: the same data, the same queries, one run, as a table with ratios.

``python benchmarks/compare.py`` compares with Oxigraph's server on the very same store, Apache Jena Fuseki on TDB2 and
rdflib-endpoint in memory; ``--write`` puts the table into benchmarks/results-compare.md, ``--seconds N`` is the length of one
measurement. With SEKININ_HOME and SEKININ_BUILD naming a generated house, ``--name 1000`` writes results-compare-1000.md.
What is not installed is fetched by name into the build folder: packages of PyPI, an artefact of Maven.
"""

from __future__ import annotations

import argparse
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import load
import pyoxigraph as ox
from fuseki import jar

from sekinin import build, queries, resources
from sekinin.describe import runnable
from sekinin.namespaces import PREFIXES
from sekinin.store import rows
from webapp.questions import asked_by_people

HOUSE = Path(__file__).resolve().parent.parent
READY = "ASK { ?service a sk:CloudService }"
CHEAP = (
    READY,
    "SELECT ?label { <%s> skos:prefLabel ?label }",
    "SELECT ?service { ?service a sk:CloudService } LIMIT 5",
    "SELECT ?layer ?label { ?layer a sk:ResponsibilityLayer ; rdfs:label ?label }",
)
FEW = 200_000
"""Quads up to which questions are asked of everything too, and of rdflib, which holds all in memory."""
LONG = 300
"""Seconds after which no further question is asked for the number of its rows."""
ASKED = 10
"""Services of which questions are asked."""
HEADS = "".join(f"PREFIX {prefix}: <{PREFIXES[prefix]}>\n" for prefix in ("sk", "skos", "rdfs"))


@dataclass
class Server:
    """A server that runs: its name, its port, the path of its endpoint, its process."""

    name: str
    port: int
    path: str
    process: subprocess.Popen[bytes]

    def answers(self, query: str, patience: float = 20.0) -> int | None:
        """Return the number of rows, or None if there is no good answer in time."""
        status, body = load.Connection(self.port, patience).ask(load.post(self.path, query))
        if status != 200:
            return None
        parsed = ox.parse_query_results(body, ox.QueryResultsFormat.JSON)
        return len(list(parsed)) if isinstance(parsed, ox.QuerySolutions) else int(bool(parsed))


def free() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


@contextmanager
def running(name: str, command: list[str], port: int, path: str, **environment: str) -> Iterator[Server]:
    """Start a server, wait until it answers, and end it by its process id."""
    log = (resources.build_folder() / "compare" / f"{name.replace(' ', '-')}.log").open("wb")
    process = subprocess.Popen(command, stdout=log, stderr=log, env=os.environ | environment, cwd=resources.build_folder())
    server = Server(name, port, path, process)
    try:
        for _ in range(480):
            if process.poll() is not None:
                raise SystemExit(f"{name} ended with {process.returncode}; see {log.name}")
            if server.answers(HEADS + READY, 5) == 1:
                break
            time.sleep(0.25)
        else:
            raise SystemExit(f"{name} does not answer; see {log.name}")
        yield server
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        log.close()


def tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def environment() -> Path:
    """Return a folder with the other servers, made if it is not there: rdflib-endpoint and Oxigraph from PyPI, Fuseki from Maven."""
    place = resources.build_folder() / "compare"
    place.mkdir(parents=True, exist_ok=True)
    if not (place / "env" / "bin" / "oxigraph").exists():
        tell("fetching rdflib-endpoint and oxigraph …")
        subprocess.run([sys.executable, "-m", "venv", str(place / "env")], check=True)
        subprocess.run([str(place / "env" / "bin" / "pip"), "install", "-q", "rdflib-endpoint", "oxigraph", "uvicorn"], check=True)
    tell("Fuseki …")
    jar(place)
    return place


def sekinin(cache: str, name: str) -> AbstractContextManager[Server]:
    port = free()
    command = [str(Path(sys.executable).with_name("sekinin")), "serve", "--port", str(port), "--no-build", "--log", "off"]
    return running(name, command, port, "/sparql", SEKININ_SERVE_CACHE=cache, SEKININ_LIMIT_RATE="1000000", SEKININ_LIMIT_WAIT="60")


def oxigraph(place: Path) -> AbstractContextManager[Server]:
    port = free()
    program, store = str(place / "env" / "bin" / "oxigraph"), str(build.current().resolve())
    command = [program, "serve-read-only", "--location", store, "--bind", f"127.0.0.1:{port}", "--union-default-graph"]
    return running("Oxigraph server", command, port, "/query")


def jena(place: Path) -> AbstractContextManager[Server]:
    server, data, port = str(jar(place)), place / "tdb2", free()
    command = [
        "java",
        "-Xmx2G",
        "-jar",
        server,
        "--localhost",
        "--port",
        str(port),
        "--tdb2",
        "--loc",
        str(data),
        "--set",
        "tdb:unionDefaultGraph=true",
        "/ds",
    ]
    return running("Apache Jena Fuseki", command, port, "/ds/sparql")


def loaded(place: Path, dump: Path) -> dict[str, float]:
    """Load the dump into the stores of the others, and return the seconds that each took; the store of Oxigraph is not kept."""
    took, jena_, oxigraph_ = {}, place / "tdb2", place / "oxigraph"
    commands = {
        "Apache Jena Fuseki": ["java", "-cp", str(jar(place)), "tdb2.tdbloader", "--loc", str(jena_), str(dump)],
        "Oxigraph server": [str(place / "env" / "bin" / "oxigraph"), "load", "--location", str(oxigraph_), "--file", str(dump)],
    }
    for left in (jena_, oxigraph_):
        shutil.rmtree(left, ignore_errors=True)
    for name, command in commands.items():
        tell(f"loading: {name}")
        start = time.monotonic()
        subprocess.run(command, check=True, capture_output=True)
        took[name] = time.monotonic() - start
    shutil.rmtree(oxigraph_)
    return took


def rdflib_endpoint(place: Path, dump: Path) -> AbstractContextManager[Server]:
    script, port = place / "rdflib_endpoint_app.py", free()
    script.write_text(
        "import rdflib\nfrom rdflib_endpoint import SparqlEndpoint\n"
        f"data = rdflib.Dataset(default_union=True)\ndata.parse({str(dump)!r}, format='nquads')\napp = SparqlEndpoint(graph=data, path='/')\n",
        encoding="utf-8",
    )
    uvicorn = [str(place / "env" / "bin" / "uvicorn"), "--app-dir", str(place), "rdflib_endpoint_app:app"]
    return running("rdflib-endpoint", [*uvicorn, "--host", "127.0.0.1", "--port", str(port), "--log-level", "warning"], port, "/")


def counted(server: Server, questions: dict[str, str]) -> dict[str, int | None]:
    """Return the number of rows of each question: None of one that is not answered in time, -1 of those that are not asked after ``LONG``."""
    until = time.monotonic() + LONG
    return {name: server.answers(text, 60) if time.monotonic() < until else -1 for name, text in questions.items()}


Loads = dict[str, dict[str, str]]
"""For each kind of load its queries, by a name that tells them apart."""
CONNECTIONS = {"cheap": (1, 8), "mix": (1, 8, 50), "service": (1, 8, 50)}
Results = dict[str, dict[str, load.Measured]]


def loads(services: list[str], quads: int) -> Loads:
    """Return the queries as any server runs them, in English where a language can be chosen.

    Of much data nobody asks for everything at once, but for one service.
    """
    some = services[:: max(1, len(services) // ASKED)][:ASKED]
    questions = dict(asked_by_people())
    of_one = {name: question for name, question in questions.items() if any(each.name == "service" for each in question.params)}
    found = {"cheap": {text: HEADS + text.replace("%s", some[-1]) for text in CHEAP}}
    if quads <= FEW:
        found["mix"] = {name: runnable(question) for name, question in questions.items()}
    found["service"] = {f"{name} {service}": runnable(question, {"service": service}) for name, question in of_one.items() for service in some}
    return found


def measure(some: list[Server], texts: Loads, seconds: float, results: Results) -> None:
    """Measure one load on each server in turn, then the next load, so that what the machine does meanwhile meets all alike."""
    runs = [(each, number) for each in texts for number in CONNECTIONS[each]]
    for kind, connections in [*((each, 2) for each in texts), *runs]:  # those with two warm up
        name = f"{kind} {connections}"
        for server in some:
            slow = server.name.startswith("rdflib") and kind != "cheap"
            if slow and connections > 1:  # what it could not end in time it goes on with: one connection is enough
                results.setdefault(server.name, {})[name] = load.Measured()
                continue
            requests = [load.post(server.path, text) for text in texts[kind].values()]
            found = load.ask(server.port, requests, connections, 60.0 if slow else seconds, patience=60.0)
            results.setdefault(server.name, {})[name] = found
            tell(f"{name}: {server.name}: {found.rate:,.1f}/s")


def table(results: Results, every: dict[str, dict[str, int | None]], texts: Loads, took: dict[str, float], command: str) -> list[str]:
    """Return the report."""
    held = build.manifest()
    lines = [
        "# The endpoint beside others",
        "",
        f"{load.machine()} Command: `{command}`.",
        "One run, load by load, the servers in turn (rdflib-endpoint last, alone); asker and server share the machine.",
        "",
        f"Data: {held['version'][:12]}, {sum(held['triples'].values()):,} quads. Cheap: {len(CHEAP)} queries of one or two patterns.",
        *([f"Mix: {len(texts['mix'])} saved questions of everything, in any order, in JSON."] if "mix" in texts else []),
        f"Service: saved questions of one service, {len(texts['service'])} queries of at most {ASKED} services, in any order, in JSON.",
        "Walls of Sekinin are up: worker processes, limits of time, memory, rows and bytes. *Nothing kept* works out every answer;",
        "*as it is served* keeps answers while the data stay the same. Oxigraph's server reads the very store that Sekinin serves.",
        "",
        "Where it is behind, and why: on cheap queries Oxigraph's server answers many times as many, and with several connections Fuseki",
        "too. One Python process writes every answer of ours, about 0.7 ms each, however many cores there are; theirs are threads of Rust",
        "and Java. Several processes on one socket would multiply it; on questions of the real kind, where the work is in the store, it",
        "does not show.",
        "",
    ]
    lines += ["Loading the dump took " + ", ".join(f"{name} {seconds:.0f} s" for name, seconds in took.items()) + ".", ""]
    ours = results["Sekinin, as it is served"]
    for name in [f"{kind} {number}" for kind in texts for number in CONNECTIONS[kind]]:
        kind, connections = name.split()
        lines += [f"## {kind.title()}, {connections} connection{'s' if connections != '1' else ''}", ""]
        lines += [
            "| server | good replies/s | Sekinin is … times as fast | median ms | 95 % ms | 99 % ms | not good |",
            "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
        ]
        for server, measured in results.items():
            m = measured[name]
            bad = sum(n for status, n in m.statuses.items() if not 200 <= status < 400)
            ratio = (
                f"{ours[name].rate / m.rate:,.2g}"
                if m.rate and m.rate < ours[name].rate / 10
                else f"{ours[name].rate / m.rate:,.2f}"
                if m.rate
                else "–"
            )
            lines.append(f"| {server} | {m.rate:,.1f} | {ratio} | {m.median:,.2f} | {m.at(0.95):,.2f} | {m.at(0.99):,.2f} | {bad} |")
        lines.append("")
    reference = every["Sekinin, nothing kept"]
    lines += [
        "## Do they answer the same?",
        "",
        "Number of rows of each question, compared with ours.",
        "",
        "| server | same | other | no answer in time | not asked |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    for server, counts in every.items():
        same = sum(counts[name] == reference[name] for name in reference)
        missing = sum(count is None for count in counts.values())
        unasked = sum(count == -1 for count in counts.values())
        lines.append(f"| {server} | {same} | {len(reference) - same - missing - unasked} | {missing} | {unasked} |")
    for server, counts in every.items():
        other = [f"{name} ({counts[name]} for {reference[name]})" for name in reference if counts[name] not in (reference[name], None, -1)]
        none = [name for name in reference if counts[name] is None]
        if other or none:
            lines += [
                "",
                f"{server}: "
                + "; ".join([*(["other: " + ", ".join(other)] if other else []), *(["none in time: " + ", ".join(none)] if none else [])])
                + ".",
            ]
    return lines


def main() -> None:
    said = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    said.add_argument("--write", action="store_true", help="put the table into benchmarks/results-compare.md")
    said.add_argument("--seconds", type=float, default=10, help="length of one measurement")
    said.add_argument("--name", default="", help="of the file, for another house than this: benchmarks/results-compare-NAME.md")
    given = said.parse_args()
    build.build(tell)
    place = environment()
    dump, quads = build.current().parent / "dumps" / "sekinin.nq", sum(build.manifest()["triples"].values())
    found = rows(queries.bind(queries.get("services/names"), {}).ask(build.open_current()))
    texts = loads([row["service"].value for row in found], quads)
    questions = texts.get("mix") or dict(list(texts["service"].items())[::ASKED])
    results: Results = {}
    counts: dict[str, dict[str, int | None]] = {}
    took = loaded(place, dump)
    with ExitStack() as held:
        some = [
            held.enter_context(each) for each in (sekinin("0", "Sekinin, nothing kept"), sekinin("64", "Sekinin, as it is served"), oxigraph(place))
        ]
        some.append(held.enter_context(jena(place)))
        measure(some, texts, given.seconds, results)
        for server in some:
            tell(f"every question once: {server.name}")
            counts[server.name] = counted(server, questions)
    if quads <= FEW:
        with rdflib_endpoint(place, dump) as server:
            measure([server], texts, given.seconds, results)
    command = "python benchmarks/compare.py --write" + (f" --name {given.name}" if given.name else "")
    lines = table(results, counts, texts, took, command)
    print("\n".join(lines))
    if given.write:
        name = f"results-compare-{given.name}.md" if given.name else "results-compare.md"
        (HOUSE / "benchmarks" / name).write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
