"""How long the server takes for each page and each saved question, on the five papers and with generated providers.

*Cold* is the first request of a server that has worked nothing out; *first* the first time that a page is asked of one that has worked out
what all pages share, as ``sekinin serve`` does when it starts; *again* the median of the next. All are CPU time of the thread that answers,
which another's load does not change much; bytes are as sent, compressed by gzip beside them. A question is asked through the
API for its first hundred rows, with nothing chosen: *whole* was worked out whole, *by service* service by service (webapp/pieces.py).

``python benchmarks/pages.py --write`` builds houses of the sizes that ``--providers`` gives in a folder that goes away, or takes those that
``--house`` and ``--build`` name, and puts the tables into benchmarks/results-pages.md.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from math import isnan, nan
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlencode

import generate
from flask.testing import FlaskClient

from sekinin import build as builder
from sekinin import queries
from sekinin.errors import BadQuery
from sekinin.model import Question
from sekinin.namespaces import PREFIXES
from sekinin.store import EmbeddedStore, rows
from webapp import create_app
from webapp.api import form_of, shown
from webapp.choices import choices
from webapp.pieces import large, parameter_of
from webapp.questions import asked_by_people
from webapp.warm import warm

HERE = Path(__file__).resolve().parent
PAGES = (
    "/",
    "/atlas?service={a}",
    "/atlas?service={a}&service={b}&service={c}",
    "/duties?service={a}&service={b}",
    "/duties?service={a}&layer=provider",
    "/commitments",
    "/commitments/BackupRetentionCommitment",
    "/commitments/metric-backup-retention",
    "/controls?service={a}&service={b}&service={c}",
    "/controls?framework=iso27002-2022&service={a}",
    "/controls/iso27017-2015/CLD.13.1.4",
    "/controls/iso27002-2022/8.13",
    "/services/{a}",
    "/services/{b}",
    "/providers/{p}",
    "/documents/{d}",
    "/source/id/{s}",
    "/page/id/service-{a}",
    "/questions",
    "/questions/duties/customer-duties?service=id:service-{a}",
    "/questions/counts/urls",
    "/questions/duties/duties",
    "/questions/duties/duties?service=id:service-{a}",
    "/words",
    "/words?group=individual",
    "/findings",
    "/graphs",
    "/data",
    "/sparql",
    "/sparql/words",
    "/search?q=backup",
)
AGAIN = 5
SLOWEST = 25
SLOW = 1000
"""Milliseconds that a question may take."""
COLD = 5_000_000
"""Triples from which no cold page is asked, and not the page of every question: what all pages share takes half a minute, each time."""
CHOSEN = 8
"""Choices of each list that are tried on the page of a question, where there are few services."""
LONGEST = 10
"""Seconds of CPU after which a question is ended, as the server's limit would."""


class Page(NamedTuple):
    """What one page took: milliseconds of CPU, and kB."""

    cold: float
    first: float
    again: float
    size: float
    sent: float


def asked(client: FlaskClient, address: str) -> tuple[float, int, int]:
    """Return the milliseconds of CPU of one request, and the bytes of its answer, plain and compressed."""
    start = time.thread_time()
    answer = client.get(address, headers={"Accept": "text/html"})
    took = (time.thread_time() - start) * 1000
    assert answer.status_code == 200, (address, answer.status_code)
    return took, len(answer.data), len(gzip.compress(answer.data, 6))


def names(store: EmbeddedStore) -> dict[str, str]:
    """Return what the addresses name: the three services of which most is said, and the provider, the paper and a statement of the first."""
    found = sorted(ask(store, "services/services", lang="ja"), key=lambda row: -sum(int(row[key]) for key in ("duties", "controls", "commitments")))
    a, b, c = (row["service"].removeprefix(PREFIXES["id"] + "service-") for row in found[:3])
    first = {"service": found[0]["service"], "lang": "ja"}
    said = ask(store, "responsibility/cells", **first) or ask(store, "duties/book", **first)
    statement = next(said[0][key] for key in ("statement", "assignment", "duty") if key in said[0])
    provider, document = (found[0][key].removeprefix(PREFIXES["id"]) for key in ("provider", "document"))
    place = {"p": provider.removeprefix("party-"), "d": document.removeprefix("doc-"), "s": statement.removeprefix(PREFIXES["id"])}
    return {"a": a, "b": b, "c": c, **place}


def ask(store: EmbeddedStore, question: str, **given: str) -> list[dict[str, str]]:
    """Return the rows of a saved question as text."""
    return [{key: term.value for key, term in row.items()} for row in rows(queries.bind(queries.get(question), given).ask(store))]


def measured(store: EmbeddedStore) -> dict[str, Page]:
    """Return for each page its times and its size."""
    fill = names(store)
    addresses = {page: page.format(**fill) + ("&" if "?" in page else "?") + "lang=ja" for page in PAGES}
    large = sum(builder.manifest()["triples"].values()) > COLD
    cold = {page: nan if large else asked(create_app(store).test_client(), address)[0] for page, address in addresses.items()}
    app = create_app(store)
    warm(app).join()
    client, found = app.test_client(), {}
    for page, address in addresses.items():
        first, size, sent = asked(client, address)
        again = statistics.median(asked(client, address)[0] for _ in range(AGAIN))
        found[page] = Page(cold[page], first, again, size / 1000, sent / 1000)
    return found


def sentences(store: EmbeddedStore) -> dict[str, list[float]]:
    """Return the milliseconds of CPU of the first visit to the page of every question: with nothing chosen, and of few services with one thing."""
    app = create_app(store)
    warm(app).join()
    client, found = app.test_client(), {"nothing chosen": [], "one thing chosen": []}
    for name, question in asked_by_people():
        addresses = [("nothing chosen", {})]
        for parameter in question.params:
            with app.test_request_context("/?lang=ja"):
                known = choices(question, parameter)[:CHOSEN] if parameter.name != "lang" and not large() else []
            addresses += [("one thing chosen", {parameter.name: choice.value}) for choice in known]
        for how, given in addresses:
            start = time.thread_time()
            answer = client.get(f"/questions/{name}?{urlencode({**given, 'lang': 'ja'})}", headers={"Accept": "text/html"})
            if answer.status_code == 200:  # some must be told more
                found[how].append((time.thread_time() - start) * 1000)
    return found


def questions(store: EmbeddedStore, fill: dict[str, str]) -> dict[str, tuple[float, str]]:
    """Return for each saved question the milliseconds of CPU of its first page of a hundred rows, and how it was given."""
    return {name: apart(question, fill) for name, question in shown().items()}


def apart(question: Question, fill: dict[str, str]) -> tuple[float, str]:
    """Return what ``answered`` does, from a process of its own, which ends after ``LONGEST`` seconds of CPU: nothing else stops a query."""
    read, write = os.pipe()
    child = os.fork()
    if not child:
        os.close(read)
        resource.setrlimit(resource.RLIMIT_CPU, (LONGEST, LONGEST))
        os.write(write, json.dumps(answered(builder.open_current(), question, fill)).encode())
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as told:
        said = told.read()
    os.waitpid(child, 0)
    return tuple(json.loads(said)) if said else (LONGEST * 1000.0, "ended")


def answered(store: EmbeddedStore, question: Question, fill: dict[str, str]) -> tuple[float, str]:
    """Return the milliseconds of CPU of a question's first page; one that must be told something is told of a service."""
    given: dict[str, str] = {}
    try:
        queries.bind(question, {})
    except BadQuery:
        known = {"service": f"id:service-{fill['a']}", "statement": f"id:{fill['s']}", "resource": f"id:service-{fill['a']}"}
        given = {p.name: known.get(p.name, "id:metric-backup-retention") for p in question.params if p.default is None}
    app = create_app(store)
    with app.test_request_context("/"):
        by = parameter_of(question, given)  # reads the members, which all questions share
    page = {"limit": "100"} if form_of(question) == "rows" else {}
    start = time.thread_time()
    answer = app.test_client().get(f"/api/questions/{question.name}?{urlencode({**given, **page})}")
    took = (time.thread_time() - start) * 1000
    how = f"by {by.name}" if by else "whole"
    return took, how if answer.status_code == 200 else str(answer.status_code)


def one() -> None:
    """Measure the house that the environment names, and print it for ``main``."""
    store = builder.open_current()
    print("triples", sum(builder.manifest()["triples"].values()), sep="\t")
    for page, found in measured(store).items():
        print("page", page, *found, sep="\t")
    if sum(builder.manifest()["triples"].values()) < COLD:
        for how, took in sentences(store).items():
            print("sentence", how, *took, sep="\t")
    for name, (took, how) in questions(store, names(store)).items():
        print("question", name, took, how, sep="\t")


def child(house: Path, build: Path, *words: str) -> str:
    """Run a program over a house, and return what it prints."""
    env = {**os.environ, "SEKININ_HOME": str(house), "SEKININ_BUILD": str(build), "PYTHONPATH": str(HERE.parent)}
    done = subprocess.run([sys.executable, *words], env=env, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(done.stderr[-2000:])
    return done.stdout


def main() -> None:
    """Build, measure, and print the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--write", action="store_true", help="write benchmarks/results-pages.md")
    parser.add_argument("--providers", type=int, nargs="*", default=[1000], help="sizes of generated houses")
    parser.add_argument("--house", type=Path, action="append", default=[], help="a house that is there already, with --build for it")
    parser.add_argument("--build", type=Path, action="append", default=[])
    parser.add_argument("--one", action="store_true", help="measure the house of SEKININ_HOME alone, for this program itself")
    said = parser.parse_args()
    if said.one:
        one()
        return
    with tempfile.TemporaryDirectory(prefix="sekinin-pages-") as name:
        places = [(HERE.parent, Path(name) / "five")]
        for number in said.providers:
            places.append((Path(name) / f"house-{number}", Path(name) / f"build-{number}"))
            generate.generate(places[-1][0], number)
        places += zip(said.house, said.build, strict=True)
        found = []
        for house, build in places:
            if not (build / "current").exists():
                child(house, build, "-c", "from sekinin.cli import main; main()", "build", "--quiet")
            found.append([line.split("\t") for line in child(house, build, __file__, "--one").splitlines()])
    text = table(found)
    print(text)
    if said.write:
        (HERE / "results-pages.md").write_text(text, encoding="utf-8")


def told(cell: float) -> str:
    """Return a figure as the table has it; what was not measured is a dash."""
    return "–" if isnan(cell) else f"{cell:.0f}"


def table(found: list[list[list[str]]]) -> str:
    """Return the tables: pages, and the slowest questions, with a column group for each house."""
    sizes = [f"{int(lines[0][1]):,} triples" for lines in found]
    pages = [{line[1]: [float(cell) for cell in line[2:]] for line in lines if line[0] == "page"} for lines in found]
    asked_for = [{line[1]: (float(line[2]), line[3]) for line in lines if line[0] == "question"} for lines in found]
    meaning = (__doc__ or "").split("\n\n", 1)[1].strip()
    out = ["# Pages and questions", "", meaning, ""]
    out += ["| page | " + " | ".join(f"{size}: cold, ms | first | again | kB | sent, kB" for size in sizes) + " |"]
    out += ["| --- |" + " ---: |" * 5 * len(found)]
    for page in PAGES:
        out.append(f"| `{page}` | " + " | ".join(" | ".join(told(cell) for cell in house[page]) for house in pages) + " |")
    worst = (" | ".join(told(max(cells)) for cells in zip(*house.values(), strict=True)) for house in pages)
    out += ["| **largest** | " + " | ".join(worst) + " |", "", "## Pages of the questions, at the first visit", ""]
    for size, lines in zip(sizes, found, strict=True):
        for line in lines:
            if line[0] == "sentence" and line[2:]:
                took = [float(each) for each in line[2:]]
                over = f"{sum(each > 50 for each in took)} over 50 ms, {sum(each > 200 for each in took)} over 200"
                out.append(f"- {size}, {line[1]}: {len(took)} pages; median {statistics.median(took):.0f} ms, most {max(took):.0f}; {over}")
    out += ["", "## Saved questions", ""]
    for size, times in zip(sizes, asked_for, strict=True):
        took = [each for each, _ in times.values()]
        pieces = sum(how.startswith("by") for _, how in times.values())
        slow = sum(each > SLOW for each in took)
        out.append(f"- {size}: {len(took)} questions, {pieces} of them in pieces; median {statistics.median(took):.0f} ms, {slow} over a second")
    last = asked_for[-1]
    out += ["", "The slowest at the last size:", "", "| question | given | " + " | ".join(f"{size}, ms" for size in sizes) + " |"]
    out += ["| --- | --- |" + " ---: |" * len(asked_for)]
    for name in sorted(last, key=lambda name: -last[name][0])[:SLOWEST]:
        out.append(f"| `{name}` | {last[name][1]} | " + " | ".join(f"{times[name][0]:.0f}" for times in asked_for) + " |")
    return "\n".join([*out, ""])


if __name__ == "__main__":
    main()
