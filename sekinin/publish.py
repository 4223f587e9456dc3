"""Fill another store: one named graph at a time, each read back and compared, so that a second run takes up where the first stopped.

The description of the dataset is taken away first and written last: a store that is half filled never says that it is whole.
"""

from __future__ import annotations

import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from http.client import HTTPException
from urllib.parse import quote

import pyoxigraph as ox

from sekinin.account import Account
from sekinin.errors import Refused, StoreFailure
from sekinin.lines import canonical_digest
from sekinin.namespaces import graph_iri
from sekinin.store import EmbeddedStore

TRIES = 3
"""How often a graph is sent before the server is held to have failed."""
_DESCRIPTION = graph_iri("description/")
_VERSION = graph_iri("description/catalog")
"""Names the version: of all graphs the first to go and the last to come."""


@dataclass(frozen=True)
class Published:
    """What was done.

    Args:
        sent: number of graphs that were written; ``kept`` of those that stood there already.
        triples: number of triples in all graphs, as the server gave them back.
    """

    sent: int
    kept: int
    triples: int


@dataclass(frozen=True)
class Target:
    """A server's graph store.

    Args:
        address: of its Graph Store Protocol, without a query.
        account: told to the server if it asks.
        seconds: longest wait for one graph.
    """

    address: str
    account: Account = field(default_factory=Account)
    seconds: float = 120.0

    def call(self, method: str, graph: str, body: bytes | None = None) -> bytes | None:
        """Send one request about ``graph``; None if the server has no such graph.

        Raises:
            Refused: if the server does not let us; StoreFailure: if it is down, too slow, fails or answers by half.
        Source: SPARQL 1.1 Graph Store HTTP Protocol, section 5.
        """
        try:
            return self._call(method, graph, body)
        except urllib.error.HTTPError as why:
            if why.code == 404 and method != "PUT":
                return None
            if why.code in (401, 403, 405):
                remedy = "check address and SEKININ_ACCOUNT"
                raise Refused(self.address, f"the server does not take graphs here (HTTP {why.code})", remedy) from why
            raise StoreFailure(self.address, f"the server failed on {graph} (HTTP {why.code} {why.reason})", "run the command again") from why
        except TimeoutError as why:
            raise StoreFailure(self.address, f"no answer on {graph} within {self.seconds:g} s", "run the command again; it goes on there") from why
        except (OSError, HTTPException) as why:
            found = f"no whole answer on {graph} ({getattr(why, 'reason', why)})"
            raise StoreFailure(self.address, found, "check that the server runs, and run the command again; it goes on there") from why

    def _call(self, method: str, graph: str, body: bytes | None, asked: bool = False) -> bytes:
        address = f"{self.address}?graph={quote(graph, safe='')}"
        request = urllib.request.Request(address, data=body, method=method)
        if method != "DELETE":  # Virtuoso refuses to delete for whom accepts only triples
            request.add_header("Content-Type" if body is not None else "Accept", "application/n-triples")
        if told := self.account.header(method, address):
            request.add_unredirected_header("Authorization", told)
        try:
            with urllib.request.urlopen(request, timeout=self.seconds) as answer:
                said: bytes = answer.read()
                return said
        except urllib.error.HTTPError as why:
            with why:
                if asked or why.code != 401 or not self.account.asked(why.headers):
                    raise
        return self._call(method, graph, body, asked=True)

    def holds(self, graph: str) -> tuple[int, str]:
        """Return number and digest of the triples of ``graph`` on the server."""
        return _sum(self.call("GET", graph) or b"")


def _sum(lines: bytes) -> tuple[int, str]:
    """Return number and digest of triples, their literals as a store writes them."""
    store = ox.Store()
    try:
        store.bulk_load(lines, ox.RdfFormat.N_TRIPLES)
    except (SyntaxError, ValueError) as why:
        raise StoreFailure("server", f"what it gives back is not N-Triples ({why})", "check the address") from why
    return len(store), canonical_digest(store)


def publish(store: EmbeddedStore, target: Target, progress: Callable[[str], None] = lambda _: None) -> Published:
    """Make the graphs of ``target`` those of ``store``; graphs that it has besides are left alone.

    Raises:
        Refused, StoreFailure: as ``Target.call``; what was written stays, and the next run goes on from there.
    """
    graphs = sorted(graph.value for graph in store.engine.named_graphs() if isinstance(graph, ox.NamedNode))
    graphs.sort(key=lambda graph: (graph.startswith(_DESCRIPTION), graph == _VERSION))
    sent = kept = triples = 0
    withdrawn = False
    for number, graph in enumerate(graphs, 1):
        body = store.engine.dump(format=ox.RdfFormat.N_TRIPLES, from_graph=ox.NamedNode(graph)) or b""
        wanted = _sum(body)
        if target.holds(graph) == wanted:
            kept += 1
        else:
            if not withdrawn:
                for described in (graph for graph in reversed(graphs) if graph.startswith(_DESCRIPTION)):
                    target.call("DELETE", described)
                withdrawn = True
            _send(target, graph, body, wanted)
            sent += 1
        triples += wanted[0]
        if number % 50 == 0 or number == len(graphs):
            progress(f"publish: {number:,} of {len(graphs):,} graphs")
    return Published(sent, kept, triples)


def _send(target: Target, graph: str, body: bytes, wanted: tuple[int, str]) -> None:
    for again in range(TRIES):
        try:
            target.call("PUT", graph, body)
            found = target.holds(graph)
            if found == wanted:
                return
            raise StoreFailure(target.address, f"of {wanted[0]:,} triples of {graph} it gives back {found[0]:,}, or others", "look at the server")
        except StoreFailure:
            if again == TRIES - 1:
                raise
            time.sleep(0.5 * 2**again)
