"""The endpoint beside others: the same data, the same queries, one run, as a table with ratios.

``python benchmarks/compare.py`` compares with Oxigraph's server on the very same store, Apache Jena Fuseki on TDB2 and
rdflib-endpoint in memory; ``--write`` puts the table into benchmarks/results-compare.md, ``--seconds N`` is the length of one
measurement. What is not installed is fetched by name into the build folder: packages of PyPI, an artefact of Maven.
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

HOUSE = Path(__file__).resolve().parent.parent
CHEAP = (
    "ASK { ?service a sk:CloudService }",
    "SELECT ?label { id:service-talkz skos:prefLabel ?label }",
    "SELECT ?service { ?service a sk:CloudService } LIMIT 5",
    "SELECT ?layer ?label { ?layer a sk:ResponsibilityLayer ; rdfs:label ?label }",
)
HEADS = "".join(f"PREFIX {prefix}: <{PREFIXES[prefix]}>\n" for prefix in ("sk", "id", "skos", "rdfs"))


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
        for _ in range(240):
            if process.poll() is not None:
                raise SystemExit(f"{name} ended with {process.returncode}; see {log.name}")
            if server.answers(HEADS + CHEAP[0], 5) == 1:
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


def jena(place: Path, dump: Path) -> AbstractContextManager[Server]:
    server, data = str(jar(place)), place / "tdb2"
    shutil.rmtree(data, ignore_errors=True)
    subprocess.run(["java", "-cp", server, "tdb2.tdbloader", "--loc", str(data), str(dump)], check=True, capture_output=True)
    port = free()
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


def rdflib_endpoint(place: Path, dump: Path) -> AbstractContextManager[Server]:
    script, port = place / "rdflib_endpoint_app.py", free()
    script.write_text(
        "import rdflib\nfrom rdflib_endpoint import SparqlEndpoint\n"
        f"data = rdflib.Dataset(default_union=True)\ndata.parse({str(dump)!r}, format='nquads')\napp = SparqlEndpoint(graph=data, path='/')\n",
        encoding="utf-8",
    )
    uvicorn = [str(place / "env" / "bin" / "uvicorn"), "--app-dir", str(place), "rdflib_endpoint_app:app"]
    return running("rdflib-endpoint", [*uvicorn, "--host", "127.0.0.1", "--port", str(port), "--log-level", "warning"], port, "/")


def mix() -> dict[str, str]:
    """Return the saved questions as any server runs them, in English where a language can be chosen."""
    found = {}
    for name, question in queries.catalogue().items():
        if not name.startswith(("checks/", "derived/", "resources/", "describe/", "choices/")):
            found[name] = runnable(question)
    return found


RUNS = ("cheap 1", "cheap 8", "mix 1", "mix 8", "mix 50")
Results = dict[str, dict[str, load.Measured]]


def measure(some: list[Server], questions: dict[str, str], seconds: float, results: Results) -> None:
    """Measure one load on each server in turn, then the next load, so that what the machine does meanwhile meets all alike."""
    for name in ("cheap 2", "mix 2", *RUNS):  # the first two warm up
        for server in some:
            slow = server.name.startswith("rdflib")
            if slow and name in ("mix 2", "mix 8", "mix 50"):  # what it could not end in time it goes on with: one connection is enough
                results.setdefault(server.name, {})[name] = load.Measured()
                continue
            texts = [HEADS + text for text in CHEAP] if name.startswith("cheap") else list(questions.values())
            requests = [load.post(server.path, text) for text in texts]
            found = load.ask(server.port, requests, int(name.split()[1]), 60.0 if slow and name == "mix 1" else seconds, patience=60.0)
            results.setdefault(server.name, {})[name] = found
            tell(f"{name}: {server.name}: {found.rate:,.1f}/s")


def table(results: Results, rows: dict[str, dict[str, int | None]]) -> list[str]:
    """Return the report."""
    held = build.manifest()
    lines = [
        "# The endpoint beside others",
        "",
        f"{load.machine()} Command: `python benchmarks/compare.py --write`.",
        "One run, load by load, the servers in turn (rdflib-endpoint last, alone); asker and server share the machine.",
        "",
        f"Data: {held['version'][:12]}, {sum(held['triples'].values()):,} quads. Cheap: {len(CHEAP)} queries of one or two patterns.",
        f"Mix: {len(next(iter(rows.values())))} saved questions in any order, in JSON.",
        "Walls of Sekinin are up: worker processes, limits of time, memory, rows and bytes. *Nothing kept* works out every answer;",
        "*as it is served* keeps answers while the data stay the same. Oxigraph's server reads the very store that Sekinin serves.",
        "",
        "Where it is behind, and why: on cheap queries Oxigraph's server answers many times as many, and with several connections Fuseki",
        "too. One Python process writes every answer of ours, about 0.7 ms each, however many cores there are; theirs are threads of Rust",
        "and Java. Several processes on one socket would multiply it; on questions of the real kind, where the work is in the store, it",
        "does not show.",
        "",
    ]
    ours = results["Sekinin, as it is served"]
    for name in RUNS:
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
    reference = rows["Sekinin, nothing kept"]
    lines += [
        "## Do they answer the same?",
        "",
        "Number of rows of each question, compared with ours.",
        "",
        "| server | same | other | no answer in time | not asked |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    for server, counts in rows.items():
        same = sum(counts[name] == reference[name] for name in reference)
        missing = sum(count is None for count in counts.values())
        unasked = sum(count == -1 for count in counts.values())
        lines.append(f"| {server} | {same} | {len(reference) - same - missing - unasked} | {missing} | {unasked} |")
    for server, counts in rows.items():
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
    given = said.parse_args()
    build.build(tell)
    place = environment()
    questions = mix()
    results: Results = {}
    rows: dict[str, dict[str, int | None]] = {}
    dump = build.current().parent / "dumps" / "sekinin.nq"
    with ExitStack() as held:
        some = [
            held.enter_context(each) for each in (sekinin("0", "Sekinin, nothing kept"), sekinin("64", "Sekinin, as it is served"), oxigraph(place))
        ]
        some.append(held.enter_context(jena(place, dump)))
        measure(some, questions, given.seconds, results)
        for server in some:
            tell(f"every question once: {server.name}")
            rows[server.name] = {name: server.answers(text, 60) for name, text in questions.items()}
    with rdflib_endpoint(place, dump) as server:
        measure([server], questions, given.seconds, results)
    lines = table(results, rows)
    print("\n".join(lines))
    if given.write:
        (HOUSE / "benchmarks" / "results-compare.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
