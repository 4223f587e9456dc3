"""Ten thousand mixed requests from fifty clients: does it stay up, stay flat, and leave nothing behind?

``python benchmarks/soak.py`` starts the server on a free port, asks it everything that a day brings (pages, questions, formats,
wrong and hostile queries, clients that leave), watches its memory, and prints a table; ``--write`` puts it into
benchmarks/results-soak.md, ``--requests N`` and ``--clients N`` change the size. It ends with 1 if something is not as it must be.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import load

HOUSE = Path(__file__).resolve().parent.parent
GROWTH = 1.10
"""The memory at the end may be at most so many times that after the first third."""
HTML = "text/html"
LIMITS = {
    "SEKININ_LIMIT_SECONDS": "2",
    "SEKININ_LIMIT_MEMORY": "512",
    "SEKININ_LIMIT_RATE": "1000000",
    "SEKININ_LIMIT_WAIT": "30",
    "SEKININ_SERVE_CACHE": "16",
}


@dataclass(frozen=True)
class Kind:
    """A kind of request: its share, the statuses that are right, how it is made from a number."""

    name: str
    share: int
    right: tuple[int, ...]
    make: Callable[[int], bytes]


def sparql(query: str, accept: str = load.JSON, **headers: str) -> bytes:
    return load.get("/sparql?query=" + quote(query), accept, **headers)


PAGES = ("/", "/services/talkz", "/services/resv", "/data", "/page/ontology", "/graphs")
PARTIES = "https%3A%2F%2Fw3id.org%2Fsekinin%2Fgraph%2Fparties"
QUESTION = "/api/questions/duties/customer-duties"


def some_rows(n: int) -> bytes:
    return sparql(f"SELECT ?d ?l {{ ?d a sk:Obligation ; skos:prefLabel ?l }} LIMIT {1 + n % 97}", ("text/csv", load.JSON)[n % 2])


def language(n: int) -> str:
    return f"lang={('ja', 'en')[n % 2]}"


KINDS = (
    Kind("cheap query", 40, (200,), lambda n: sparql(f"ASK {{ ?s a sk:CloudService }} # {n % 500}")),
    Kind("query of some rows", 15, (200,), some_rows),
    Kind("question of the API", 10, (200,), lambda n: load.get(f"{QUESTION}?{language(n)}&limit=20&offset={n % 7 * 5}")),
    Kind("page", 10, (200,), lambda n: load.get(f"{PAGES[n % 6]}?{language(n // 6)}", HTML)),
    Kind("IRI", 6, (303,), lambda n: load.get("/id/service-talkz", ("text/turtle", HTML)[n % 2])),
    Kind("data of a resource", 4, (200,), lambda n: load.get("/data-of/id/service-talkz." + ("ttl", "jsonld", "trig")[n % 3], "*/*")),
    Kind("large answer", 3, (200,), lambda n: sparql(f"SELECT * {{ ?s ?p ?o }} LIMIT {20_000 + n % 3}", "text/csv")),
    Kind("graph", 3, (200,), lambda n: load.get(f"/graphs?graph={PARTIES}", ("text/turtle", "application/n-triples")[n % 2])),
    Kind("wrong query", 4, (400,), lambda n: sparql(f"SELECT * {{ ?s x{n % 9}:p ?o }}")),
    Kind("update", 2, (403,), lambda n: sparql("DROP ALL")),
    Kind("call to outside", 2, (403,), lambda n: sparql("SELECT * { SERVICE <http://127.0.0.1:1/> { ?s ?p ?o } }")),
    Kind("nothing there", 3, (404,), lambda n: load.get(f"/id/nothing-{n}")),
    Kind("too deep", 1, (413,), lambda n: sparql("ASK {" * 60 + "}" * 60)),
    Kind("HEAD", 3, (200,), lambda n: sparql("SELECT * { ?s a sk:Service }").replace(b"GET", b"HEAD", 1)),
    Kind("health", 2, (200,), lambda n: load.get("/health")),
)
CROSS = "SELECT (COUNT(*) AS ?n) {{ ?a ?b ?c . ?d ?e ?f . ?g ?h ?i FILTER(?a = ?i) }} # {}"
COSTLY = Kind("costly query", 0, (422, 503, 504), lambda n: sparql(CROSS.format(n)))
LEAVING = Kind("client that leaves", 0, (0,), lambda n: sparql(f"SELECT * {{ ?s ?p ?o }} LIMIT {30_000 + n}"))


@dataclass
class Report:
    """What was seen."""

    statuses: dict[str, Counter[int]] = field(default_factory=lambda: defaultdict(Counter))
    wrong: list[str] = field(default_factory=list)
    took: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    memory: list[tuple[float, int, int, int]] = field(default_factory=list)
    """Seconds, megabytes of the server, megabytes of its workers, open files of the server."""
    seconds: float = 0.0
    code: int = -1
    left: list[int] = field(default_factory=list)
    spool: list[str] = field(default_factory=list)


@contextmanager
def served(report: Report) -> Iterator[tuple[int, int]]:
    """Run the server; yield its port and its process id; at the end see how it stops and what it leaves."""
    with tempfile.TemporaryDirectory(prefix="soak-") as room:
        command = [str(Path(sys.executable).with_name("sekinin")), "serve", "--port", "0", "--log", "off"]
        run = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=os.environ | LIMITS | {"TMPDIR": room}, cwd=HOUSE
        )
        assert run.stdout
        address = ""
        while not address.startswith("http"):
            address = run.stdout.readline().strip()
            if run.poll() is not None:
                raise SystemExit(f"the server did not start (code {run.returncode})")
        drain = threading.Thread(target=run.stdout.read, daemon=True)
        drain.start()
        try:
            yield int(address.rstrip("/").rsplit(":", 1)[1]), run.pid
        finally:
            workers = children(run.pid)
            run.send_signal(signal.SIGTERM)
            report.code = run.wait(20)
            drain.join(5)
            run.stdout.close()
            until = time.monotonic() + 5
            while (left := [pid for pid in workers if Path(f"/proc/{pid}").exists()]) and time.monotonic() < until:
                time.sleep(0.1)
            report.left = left
            report.spool = sorted(path.name for path in Path(room).rglob("*"))


def children(pid: int) -> list[int]:
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            if int(status.read_text().rsplit(")", 1)[1].split()[1]) == pid:
                found.append(int(status.parent.name))
    return found


def megabytes(pid: int) -> int:
    """Return the memory of a process that it shares with no other."""
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) // 1024
    return 0


def watch(report: Report, pid: int, start: float, stop: threading.Event) -> None:
    while not stop.wait(0.5):
        with suppress(OSError):
            files = len(list(Path(f"/proc/{pid}/fd").iterdir()))
            report.memory.append((time.monotonic() - start, megabytes(pid), sum(map(megabytes, children(pid))), files))


def leave(port: int, request: bytes) -> None:
    """Ask for much and go."""
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(request)
        connection.recv(100)


def soak(requests: int, clients: int) -> Report:
    """Ask, watch, and return what was seen."""
    report, lock, stop = Report(), threading.Lock(), threading.Event()
    numbers = iter(range(requests))
    kinds = [kind for kind in KINDS for _ in range(kind.share)]

    def go(seed: int, port: int) -> None:
        order, connection = random.Random(seed), load.Connection(port, 60)
        while True:
            with lock:
                number = next(numbers, None)
            if number is None:
                break
            kind = COSTLY if number % 250 == 100 else LEAVING if number % 100 == 50 else order.choice(kinds)
            request = kind.make(number)
            begun = time.perf_counter()
            status = 0
            if kind is LEAVING:
                leave(port, request)
            else:
                status, _ = connection.ask(request)
            took = time.perf_counter() - begun
            with lock:
                report.statuses[kind.name][status] += 1
                report.took[kind.name].append(took)
                if status not in kind.right:
                    report.wrong.append(f"{kind.name}: {status}")
        connection.close()

    with served(report) as (port, pid):
        start = time.monotonic()
        watcher = threading.Thread(target=watch, args=(report, pid, start, stop))
        watcher.start()
        askers = [threading.Thread(target=go, args=(seed, port)) for seed in range(clients)]
        for asker in askers:
            asker.start()
        while any(asker.is_alive() for asker in askers):
            time.sleep(1)
            done = sum(sum(found.values()) for found in report.statuses.values())
            print(f"\r{done:,} of {requests:,}", end="", file=sys.stderr, flush=True)
        print(file=sys.stderr)
        report.seconds = time.monotonic() - start
        time.sleep(3)  # what was left behind is worked out, and workers that were ended are replaced
        stop.set()
        watcher.join()
    return report


def flat(report: Report) -> tuple[float, float, bool]:
    """Return the megabytes after the first third and at the end, medians of some samples, and whether that is flat."""
    third, few = len(report.memory) // 3, max(3, len(report.memory) // 10)

    def at(samples: list[tuple[float, int, int, int]]) -> float:
        whole = sorted(server + workers for _, server, workers, _ in samples)
        return float(whole[len(whole) // 2])

    before, after = at(report.memory[third : third + few]), at(report.memory[-few:])
    return before, after, after <= before * GROWTH + 20


def verdicts(report: Report) -> list[tuple[str, str, bool]]:
    """Return what must hold, what was seen, and whether it holds."""
    before, after, is_flat = flat(report)
    files = [files for *_, files in report.memory]
    wrong = ", ".join(f"{number} × {what}" for what, number in Counter(report.wrong).most_common(5))
    return [
        ("every answer has the status that it must have", wrong or "yes", not report.wrong),
        ("memory of server and workers is flat", f"{before:.0f} MB after a third, {after:.0f} MB at the end", is_flat),
        ("open files are flat", f"{max(files)} at most, {files[-1]} at the end", files[-1] <= files[0] + 20),
        ("the server ends with code 0", str(report.code), report.code == 0),
        ("no worker is left over", str(len(report.left)), not report.left),
        ("no file is left over", str(len(report.spool)), not report.spool),
    ]


def table(report: Report, clients: int) -> list[str]:
    """Return the report as Markdown."""
    asked = sum(sum(found.values()) for found in report.statuses.values())
    lines = [
        "# Soak",
        "",
        f"{load.machine()} Command: `python benchmarks/soak.py --write`.",
        f"{asked:,} requests from {clients} clients in {report.seconds:.0f} s, {asked / report.seconds:,.0f} a second. Limits: "
        + ", ".join(f"`{name}={value}`" for name, value in LIMITS.items())
        + ".",
        "",
        "| must hold | seen | |",
        "| --- | --- | --- |",
    ]
    lines += [f"| {what} | {seen} | {'holds' if good else '**does not hold**'} |" for what, seen, good in verdicts(report)]
    lines += ["", "| kind | requests | statuses | median ms | 95 % ms |", "| --- | ---: | --- | ---: | ---: |"]
    for kind in (*KINDS, COSTLY, LEAVING):
        took = sorted(report.took[kind.name])
        if took:
            said = ", ".join(f"{number} × {status or 'left'}" for status, number in sorted(report.statuses[kind.name].items()))
            lines.append(f"| {kind.name} | {len(took):,} | {said} | {1000 * took[len(took) // 2]:,.1f} | {1000 * took[int(0.95 * len(took))]:,.1f} |")
    return lines


def main() -> None:
    said = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    said.add_argument("--write", action="store_true", help="put the table into benchmarks/results-soak.md")
    said.add_argument("--requests", type=int, default=10_000)
    said.add_argument("--clients", type=int, default=50)
    given = said.parse_args()
    report = soak(given.requests, given.clients)
    lines = table(report, given.clients)
    print("\n".join(lines))
    if given.write:
        (HOUSE / "benchmarks" / "results-soak.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    raise SystemExit(0 if all(good for *_, good in verdicts(report)) else 1)


if __name__ == "__main__":
    main()
