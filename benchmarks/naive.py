"""What a build gives, the naive way: one rdflib graph, closed by owlrl, judged by pySHACL, every check and every rule asked of rdflib.

``python benchmarks/naive.py`` works on the house of SEKININ_HOME and prints one line of JSON for each step as it ends. It is spared what a build
does besides: the search index, the counts, canonical names for blank nodes, the files to fetch, a store that can be asked afterwards. owlrl and
pySHACL are called as their own documentation calls them; with ``--spared`` owlrl is handed only what an axiom can reach and its answer is cleaned,
as ``sekinin.infer`` has it, which nobody would do who is naive. A query is given so many seconds of processor time, and all of it together so
many; what ran into a limit counts with the limit, so that the sum is the least that the naive way takes.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import resource
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import owlrl
from rdflib import Graph

from sekinin import check, infer, queries, resources, texts
from sekinin.namespaces import PREFIXES


def main() -> None:
    """Do it, and tell each step."""
    reader = argparse.ArgumentParser(description="Build the naive way.")
    reader.add_argument("--limit", type=float, default=120, help="seconds of processor time that a query may take")
    reader.add_argument("--whole", type=float, default=1500, help="seconds of processor time after which no further query is asked")
    reader.add_argument("--spared", action="store_true", help="hand owlrl only what an axiom can reach")
    given = reader.parse_args()
    found: dict[str, Graph] = {}
    with step("parse"):
        for kind in texts.KINDS:
            found[kind] = Graph()
            for path in resources.texts(kind):
                found[kind].parse(path, format="turtle", publicID=PREFIXES["id"])
    graph = found["graphs"] + found["ontology"]
    with step("owlrl"):
        if given.spared:
            graph += infer.closure(found["ontology"], [found["graphs"]])
        else:
            owlrl.DeductiveClosure(owlrl.OWLRL_Semantics).expand(graph)
    del found["graphs"]
    with step("pySHACL") as said:
        said(rows=len(check.shapes(graph, found["shapes"])))
    graph += found["shapes"]
    for name, question in queries.catalogue().items():
        kind = name.partition("/")[0]
        if kind not in ("checks", "derived"):
            continue
        text = queries.bind(question, {}).text().replace("MINUS {", "FILTER NOT EXISTS {")  # rdflib holds each row against each of MINUS
        late = spent() > given.whole
        with step(name) as said:
            said(limited=late)
            with bounded(1e-6 if late else given.limit, said):
                result = list(graph.query(text, initNs=PREFIXES))
                said(rows=len(result))
                if kind == "derived":
                    for triple in result:
                        graph.add(triple)
    with step("digest"):
        hashlib.sha256(b"".join(sorted(graph.serialize(format="nt", encoding="utf-8").splitlines(keepends=True)))).hexdigest()


def spent() -> float:
    """Return the seconds of processor time of this process."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


@contextmanager
def step(name: str) -> Iterator[Callable[..., None]]:
    """Tell how long something took, and what it says of itself."""
    start, cpu = time.perf_counter(), spent()
    more: dict[str, object] = {}
    yield more.update
    figures = {"step": name, "cpu": round(spent() - cpu, 3), "seconds": round(time.perf_counter() - start, 3)}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(json.dumps(figures | more | {"memory": peak}), flush=True)


@contextmanager
def bounded(seconds: float, said: Callable[..., None]) -> Iterator[None]:
    """End what takes longer than so many seconds of processor time, and say so."""

    def late(*_: object) -> None:
        said(limited=True)
        raise TimeoutError

    signal.signal(signal.SIGPROF, late)
    signal.setitimer(signal.ITIMER_PROF, seconds, 1)
    with suppress(TimeoutError):
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)


if __name__ == "__main__":
    main()
