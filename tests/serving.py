"""`sekinin serve` as a test meets it: on a free port of this machine, stopped by its own process id, with exit code 0."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

HOUSE = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Server:
    """A server that runs.

    Args:
        address: where it listens, with a slash at its end.
        pid: its process id.
    """

    address: str
    pid: int

    @property
    def port(self) -> int:
        return int(self.address.rstrip("/").rsplit(":", 1)[1])

    def workers(self) -> list[int]:
        """Return the process ids of its workers, those that have ended left out."""
        return [pid for pid in children(self.pid) if b"spawn_main" in _command(pid)]

    def settled(self, count: int, seconds: float = 10.0) -> list[int]:
        """Wait until there are ``count`` workers again, as when one was ended and is replaced, and return them."""
        end = time.monotonic() + seconds
        while len(found := self.workers()) != count and time.monotonic() < end:
            time.sleep(0.05)
        return found

    def get(self, path: str, accept: str = "application/sparql-results+json", **values: str) -> tuple[int, dict[str, str], bytes]:
        """GET a path; return status, headers (their names in lower case) and body, also of an error."""
        url = self.address + path + ("?" + urlencode(values) if values else "")
        return fetch(urllib.request.Request(url, headers={"Accept": accept}))


def fetch(request: urllib.request.Request, seconds: float = 60) -> tuple[int, dict[str, str], bytes]:
    """Send a request; return status, headers (their names in lower case) and body, also of an error."""
    try:
        with urllib.request.urlopen(request, timeout=seconds) as answer:
            return answer.status, {k.lower(): v for k, v in answer.headers.items()}, answer.read()
    except urllib.error.HTTPError as why:
        with why:
            return why.code, {k.lower(): v for k, v in why.headers.items()}, why.read()


def children(pid: int) -> list[int]:
    """Return the processes that ``pid`` has started and that run."""
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent = status.read_text().rsplit(")", 1)[1].split()[:2]
        except OSError:
            continue
        if int(parent) == pid and state != "Z":
            found.append(int(status.parent.name))
    return found


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


@contextmanager
def serving(**settings: str) -> Iterator[Server]:
    """Run `sekinin serve` with ``settings`` in its environment, as ``SEKININ_LIMIT_SECONDS="2"``.

    At the end it is stopped by SIGTERM; it must end with code 0 within ten seconds and leave no process behind.
    """
    command = [str(Path(sys.executable).with_name("sekinin")), "serve", "--port", "0", "--no-build"]
    run = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=os.environ | settings, cwd=HOUSE)
    assert run.stdout
    address = run.stdout.readline().strip()
    assert address.startswith("http://127.0.0.1:"), f"the server did not start: {address!r}, code {run.poll()}"
    drain = threading.Thread(target=run.stdout.read, daemon=True)  # what it writes later must not fill the pipe
    drain.start()
    left: list[int] = []
    try:
        yield Server(address, run.pid)
    finally:
        left = children(run.pid)
        run.terminate()
        start = time.monotonic()
        code = run.wait(15)
        took = time.monotonic() - start
        drain.join(5)
        run.stdout.close()
    assert code == 0 and took < 10, f"code {code} after {took:.1f} s"
    assert not still_running(left), "processes are left over"


def still_running(pids: list[int], seconds: float = 5.0) -> list[int]:
    """Return which of ``pids`` still run after a moment of grace."""
    end = time.monotonic() + seconds
    while (found := [pid for pid in pids if _command(pid)]) and time.monotonic() < end:
        time.sleep(0.05)
    return found


SETTINGS: Mapping[str, str] = {"SEKININ_LIMIT_RATE": "100000"}
"""For tests that are not about the rate of one client: all of them come from one address."""
