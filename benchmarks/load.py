"""Requests in numbers: raw sockets that stay open, in processes of their own, so that the asker is no bottleneck.

A request is its bytes, made beforehand; a reply is its status and its length. Every connection asks in an order of its own.
"""

from __future__ import annotations

import multiprocessing
import os
import platform
import random
import socket
import statistics
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from urllib.parse import urlencode

JSON = "application/sparql-results+json"


@dataclass
class Measured:
    """What a run gave: seconds of each reply, replies by status, seconds in all."""

    took: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    seconds: float = 0.0

    @property
    def rate(self) -> float:
        """Good replies a second."""
        return sum(n for status, n in self.statuses.items() if 200 <= status < 400) / self.seconds if self.seconds else 0.0

    def at(self, share: float) -> float:
        """Milliseconds that ``share`` of the replies took at most."""
        return 1000 * sorted(self.took)[min(len(self.took) - 1, int(share * len(self.took)))] if self.took else float("nan")

    @property
    def median(self) -> float:
        return 1000 * statistics.median(self.took) if self.took else float("nan")


def machine() -> str:
    """Return a sentence that says where something was measured."""
    return f"Python {platform.python_version()}, {os.cpu_count()} cores, {platform.system()} {platform.machine()}."


def get(path: str, accept: str = JSON, **headers: str) -> bytes:
    more = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: {accept}\r\n{more}\r\n".encode()


def post(path: str, query: str, accept: str = JSON) -> bytes:
    body = urlencode({"query": query}).encode()
    form = "application/x-www-form-urlencoded"
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: {accept}\r\nContent-Type: {form}\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


class Connection:
    """One connection that stays open while the server lets it."""

    def __init__(self, port: int, patience: float) -> None:
        self.port, self.patience = port, patience
        self.socket: socket.socket | None = None
        self.rest = b""

    def ask(self, request: bytes) -> tuple[int, bytes]:
        """Send a request and read its whole reply; status 0 if there is none in time."""
        for again in (True, False):
            fresh = self.socket is None
            try:
                if self.socket is None:
                    self.socket, self.rest = socket.create_connection(("127.0.0.1", self.port), timeout=self.patience), b""
                    self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self.socket.sendall(request)
                return self._read(request.startswith(b"HEAD"))
            except TimeoutError:
                self.close()
                return 0, b""
            except (OSError, ValueError):
                self.close()
                if fresh or not again:  # one that was open may have been closed meanwhile
                    return 0, b""
        return 0, b""

    def _more(self) -> None:
        assert self.socket
        data = self.socket.recv(1 << 18)
        if not data:
            raise ValueError("the connection was closed")
        self.rest += data

    def _read(self, bare: bool) -> tuple[int, bytes]:
        while (end := self.rest.find(b"\r\n\r\n")) < 0:
            self._more()
        head, self.rest = self.rest[:end].lower(), self.rest[end + 4 :]
        status = int(head[9:12])
        body = b""
        if bare or status in (204, 304):
            pass
        elif b"transfer-encoding: chunked" in head:
            while True:
                while (line := self.rest.find(b"\r\n")) < 0:
                    self._more()
                size = int(self.rest[:line].split(b";")[0], 16)
                while len(self.rest) < line + 4 + size:
                    self._more()
                body += self.rest[line + 2 : line + 2 + size]
                self.rest = self.rest[line + 4 + size :]
                if not size:
                    break
        elif (place := head.find(b"content-length:")) >= 0:
            size = int(head[place + 15 :].split(b"\r\n")[0])
            while len(self.rest) < size:
                self._more()
            body, self.rest = self.rest[:size], self.rest[size:]
        else:  # until it is closed
            try:
                while True:
                    self._more()
            except ValueError:
                body, self.rest = self.rest, b""
            self.close()
        if b"connection: close" in head:
            self.close()
        return status, body

    def close(self) -> None:
        if self.socket is not None:
            self.socket.close()
            self.socket = None


def _asker(port: int, requests: list[bytes], connections: int, seconds: float, most: int, patience: float, seed: int, out: object) -> None:
    measured = Measured()
    lock = threading.Lock()
    until = time.monotonic() + seconds

    def go(number: int) -> None:
        order = random.Random(seed * 1000 + number)
        connection = Connection(port, patience)
        took, statuses = [], Counter()
        for _ in range(most):
            if time.monotonic() >= until:
                break
            request = order.choice(requests)
            start = time.perf_counter()
            status, _body = connection.ask(request)
            took.append(time.perf_counter() - start)
            statuses[status] += 1
        connection.close()
        with lock:
            measured.took += took
            measured.statuses += statuses

    threads = [threading.Thread(target=go, args=(number,)) for number in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    out.put((measured.took, measured.statuses))  # type: ignore[attr-defined]


def ask(port: int, requests: list[bytes], connections: int, seconds: float, patience: float = 60.0, most: int = 10**9) -> Measured:
    """Ask for ``seconds`` over so many connections, and return what was measured.

    Args:
        patience: seconds after which a reply is given up; it counts with status 0.
        most: requests that each connection sends at most.
    """
    context = multiprocessing.get_context("fork")
    out = context.SimpleQueue()
    processes = min(connections, 2)
    shares = [connections // processes + (number < connections % processes) for number in range(processes)]
    start = time.perf_counter()
    askers = [context.Process(target=_asker, args=(port, requests, share, seconds, most, patience, seed, out)) for seed, share in enumerate(shares)]
    for asker in askers:
        asker.start()
    whole = Measured()
    for _ in askers:
        took, statuses = out.get()
        whole.took += took
        whole.statuses += statuses
    for asker in askers:
        asker.join()
    whole.seconds = time.perf_counter() - start
    return whole
