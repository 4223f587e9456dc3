"""How long the server takes for each page, on the five papers and with a thousand generated providers.

``python benchmarks/pages.py --write`` puts the table into benchmarks/results-pages.md. The thousand are copies of the five
under names of their own, so that every page and every join is of the real shape. *First* is the first time that a page is
asked of a server that has answered one other and has worked nothing out before, as ``sekinin serve`` does; *again* is the
median of the next. Both are CPU time of the thread that answers, which another's load does not change much; bytes are
those of the page, and compressed as it is sent.
"""

from __future__ import annotations

import argparse
import gzip
import re
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyoxigraph as ox
from flask.testing import FlaskClient

from sekinin import build
from sekinin.namespaces import PREFIXES
from sekinin.store import EmbeddedStore
from webapp import create_app

HERE = Path(__file__).resolve().parent
PAPERS = ("wacul/ai-analyst-undated", "infonet/lensawriter-1.1", "ai-inc/aicloud-1.0", "spcc/talkz-1.0", "ictl/resv-4.0")
SERVICE, PARTY = PREFIXES["id"] + "service-", PREFIXES["id"] + "party-"
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
    "/source/id/ra-talkz-cell-data-provider{s}",
    "/questions",
    "/questions/duties/customer-duties?service=id:service-{a}",
    "/questions/counts/urls",
    "/words",
    "/words?group=individual",
    "/findings",
    "/data",
    "/sparql",
    "/search?q=backup",
)
AGAIN = 7


def copies(store: ox.Store, number: int) -> Iterator[str]:
    """Yield N-Quads of ``number`` copies of each paper, with the service, the provider and all that its graph holds renamed."""
    for paper in PAPERS:
        graph = ox.NamedNode(f"https://w3id.org/sekinin/graph/{paper}")
        own = {quad.subject.value for quad in store.quads_for_pattern(None, None, None, graph) if isinstance(quad.subject, ox.NamedNode)}
        service = next(quad.object.value for quad in store.quads_for_pattern(None, ox.NamedNode(PREFIXES["sk"] + "aboutService"), None, graph))
        provider = next(store.quads_for_pattern(ox.NamedNode(service), ox.NamedNode(PREFIXES["sk"] + "providedBy"), None, None)).object.value
        own = {iri for iri in own if iri.startswith(PREFIXES["id"])} | {service, provider, graph.value}
        quads = [str(quad) + " .\n" for iri in sorted(own) for quad in store.quads_for_pattern(ox.NamedNode(iri), None, None, None)]
        pieces = re.split(r"<([^<>]*)>", "".join(quads))
        marked = [f"<{piece}{chr(0) if piece in own else ''}>" if at % 2 else piece for at, piece in enumerate(pieces)]
        text = "".join(marked)
        for each in range(1, number + 1):
            yield text.replace("\x00", f"-g{each}")


def grown(number: int, folder: Path) -> EmbeddedStore:
    """Return a store with the five papers and ``number`` copies of each."""
    source = EmbeddedStore.open(build.current()).engine
    store = ox.Store(str(folder / "store"))
    store.bulk_extend(source)
    batch: list[str] = []
    for text in copies(source, number):
        batch.append(text)
        if len(batch) == 20:
            store.bulk_load("".join(batch).encode(), ox.RdfFormat.N_QUADS)
            batch = []
    if batch:
        store.bulk_load("".join(batch).encode(), ox.RdfFormat.N_QUADS)
    store.optimize()
    return EmbeddedStore(store, str(folder / "store"))


def asked(client: FlaskClient, address: str) -> tuple[float, int, int]:
    """Return the milliseconds of CPU of one request, and the bytes of its answer, plain and compressed."""
    start = time.thread_time()
    answer = client.get(address, headers={"Accept": "text/html"})
    took = (time.thread_time() - start) * 1000
    assert answer.status_code == 200, (address, answer.status_code)
    return took, len(answer.data), len(gzip.compress(answer.data, 6))


def measured(store: EmbeddedStore, suffix: str) -> list[tuple[str, float, float, int, int]]:
    """Return for each page its first and its later times, and its size."""
    client = create_app(store).test_client()
    names = {"a": f"talkz{suffix}", "b": f"resv{suffix}", "c": f"lensawriter{suffix}", "p": f"spcc{suffix}", "d": f"talkz-wp{suffix}", "s": suffix}
    for lang in ("ja", "en"):
        asked(client, f"/providers/wacul?lang={lang}")  # what all pages share is known to a server that has answered one
    found = []
    for page in PAGES:
        address = page.format(**names)
        address += ("&" if "?" in address else "?") + "lang=ja"
        first, size, small = asked(client, address)
        found.append((page, first, statistics.median(asked(client, address)[0] for _ in range(AGAIN)), size, small))
    return found


def _cells(row: Sequence[float]) -> str:
    first, again, size, small = row
    return f"{first:.0f} | {again:.0f} | {size / 1000:.0f} | {small / 1000:.0f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true", help="write benchmarks/results-pages.md")
    parser.add_argument("--providers", type=int, default=1000, help="generated providers, in fives")
    said = parser.parse_args()
    build.build()
    five = measured(build.open_current(), "")
    with tempfile.TemporaryDirectory(prefix="sekinin-pages-") as room:
        start = time.perf_counter()
        store = grown(said.providers // 5, Path(room))
        loaded = f"{len(store.engine):,} quads, loaded in {time.perf_counter() - start:.0f} s"
        many = measured(store, "-g1")
        del store
    columns = " first, ms | again, ms | kB | gzip kB |"
    head = f"| page | five:{columns} {said.providers:,}:{columns}\n| --- |" + " ---: |" * 8
    lines = [f"| `{one[0]}` | {_cells(one[1:])} | {_cells(other[1:])} |" for one, other in zip(five, many, strict=True)]
    largest = (_cells([max(column) for column in zip(*(row[1:] for row in part), strict=True)]) for part in (five, many))
    lines.append(f"| **largest** | {' | '.join(largest)} |")
    meaning = (__doc__ or "").split("\n\n", 1)[1].strip()
    text = f"# Pages\n\n`python benchmarks/pages.py --write --providers {said.providers}`; {loaded}.\n{meaning}\n\n{head}\n" + "\n".join(lines) + "\n"
    print(text)
    if said.write:
        (HERE / "results-pages.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
