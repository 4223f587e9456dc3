"""Other stores, as a test meets them: each a real server on a free port of this machine, ended by its own process id.

Where one is not installed its tests are skipped with the reason; ``.ci/run`` installs them all.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import pytest

from sekinin import resources


@dataclass(frozen=True)
class Running:
    """A server that runs.

    Args:
        query: address of its query service; ``data`` of its Graph Store Protocol.
        account: that may write, as ``name:password``.
    """

    name: str
    query: str
    data: str
    account: str = ""


def free() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def missing(reason: str) -> NoReturn:
    """Skip the tests of a server that is not there; where all must be, as in ``.ci/run``, let them fail."""
    if os.environ.get("SEKININ_ALL_SERVERS"):
        pytest.fail(reason)
    pytest.skip(reason)


@contextmanager
def listening(command: list[str], port: int, place: Path, seconds: float = 120, **settings: str) -> Iterator[None]:
    """Start a server, wait until it listens, and end it by its process id."""
    with (place / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=place, env=os.environ | settings)
        try:
            end = time.monotonic() + seconds
            while True:
                with socket.socket() as probe:
                    if probe.connect_ex(("127.0.0.1", port)) == 0:
                        break
                assert process.poll() is None and time.monotonic() < end, (command, (place / "log").read_text(errors="replace")[-2000:])
                time.sleep(0.2)
            yield
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@contextmanager
def oxigraph(place: Path) -> Iterator[Running]:
    program = shutil.which("oxigraph", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    if not program:
        missing("Oxigraph's server is not installed: pip install oxigraph")
    port = free()
    with listening([program, "serve", "--location", str(place / "ox"), "--bind", f"127.0.0.1:{port}", "--union-default-graph"], port, place):
        yield Running("oxigraph", f"http://127.0.0.1:{port}/query", f"http://127.0.0.1:{port}/store")


@contextmanager
def fuseki(place: Path) -> Iterator[Running]:
    said = os.environ.get("SEKININ_FUSEKI")
    jars = [Path(said)] if said else sorted((resources.build_folder() / "compare").glob("jena-fuseki-server-*.jar"))
    if not jars or not shutil.which("java"):
        missing("SEKININ_FUSEKI names no jar of Fuseki (python benchmarks/fuseki.py FOLDER fetches it), or there is no Java 17")
    port = free()
    options = ["--localhost", "--port", str(port), "--tdb2", "--update", "--loc", str(place / "tdb2"), "--set", "tdb:unionDefaultGraph=true", "/ds"]
    (place / "tdb2").mkdir()
    with listening(["java", "-Xmx1G", "-jar", str(jars[0]), *options], port, place, FUSEKI_BASE=str(place / "base")):
        yield Running("fuseki", f"http://127.0.0.1:{port}/ds/sparql", f"http://127.0.0.1:{port}/ds/data")


VIRTUOSO = """[Database]
DatabaseFile = virtuoso.db
ErrorLogFile = virtuoso.log
LockFile = virtuoso.lck
TransactionFile = virtuoso.trx
xa_persistent_file = virtuoso.pxa
FileExtend = 200
[TempDatabase]
DatabaseFile = virtuoso-temp.db
TransactionFile = virtuoso-temp.trx
[Parameters]
ServerPort = 127.0.0.1:{sql}
DisableUnixSocket = 1
ServerThreads = 20
CheckpointInterval = 0
NumberOfBuffers = 20000
MaxDirtyBuffers = 15000
DirsAllowed = .
MaxSortedTopRows = 1000000
[HTTPServer]
ServerPort = 127.0.0.1:{http}
ServerRoot = .
ServerThreads = 10
[SPARQL]
ResultSetMaxRows = {rows}
MaxQueryExecutionTime = 60
"""


@contextmanager
def virtuoso(place: Path, rows: int = 1_000_000) -> Iterator[Running]:
    program = shutil.which("virtuoso-t")
    if not program:
        missing("Virtuoso is not installed (Debian: virtuoso-opensource-7-bin)")
    sql, http = free(), free()
    (place / "virtuoso.ini").write_text(VIRTUOSO.format(sql=sql, http=http, rows=rows), encoding="ascii")
    with listening([program, "+foreground", "+configfile", "virtuoso.ini"], http, place):
        address = f"http://127.0.0.1:{http}"
        yield Running("virtuoso", f"{address}/sparql", f"{address}/sparql-graph-crud-auth", "dba:dba")


SERVERS: Mapping[str, Callable[[Path], AbstractContextManager[Running]]] = {"oxigraph": oxigraph, "fuseki": fuseki, "virtuoso": virtuoso}
