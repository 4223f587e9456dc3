"""Papers read by a Dask cluster give what they give at home, also when one of its workers is killed in the middle."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner
from conftest import HOUSE

from sekinin import build as builder
from sekinin import parts, resources
from sekinin.cli import main
from sekinin.errors import BadData, BadQuery, SekininError, StoreFailure
from sekinin.spread import cluster

sys.path.insert(0, str(HOUSE / "benchmarks"))
import generate

Results = dict[str, parts.Part | SekininError]


@pytest.fixture
def reading(house: Path) -> builder.Reading:
    """A house of forty small papers, one of which cannot be read."""
    for name in generate.KEYS:
        shutil.rmtree(house / "graphs" / name)
    for number in range(40):
        generate.write(house, number, 40, 3, 0.02, None)
    (house / "graphs" / "g00007" / "paper-1.0.ttl").write_text("id:x a sk:Nonsense", encoding="utf-8")
    return builder.read(builder.sources())


def results(reading: builder.Reading, crew: parts.Crew, also: object = None) -> Results:
    found: Results = {}

    def done(source: parts.Source, result: parts.Part | SekininError) -> None:
        assert source.topic not in found
        found[source.topic] = result
        if callable(also):
            also()

    crew(reading.ground, [source for source in reading.sources if parts.is_paper(source.topic)], done)
    return found


def same(left: Results, right: Results) -> bool:
    return left.keys() == right.keys() and all(str(left[name]) == str(right[name]) for name in left)


def test_processes_of_this_machine(reading: builder.Reading) -> None:
    """A pool gives what one process gives; the bad paper is told and stops no other."""
    alone = results(reading, parts.alone)
    assert isinstance(alone["graphs/g00007/paper-1.0"], BadData) and len(alone) == 40
    assert same(results(reading, parts.local(2)), alone)


def test_a_process_that_is_killed(reading: builder.Reading, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What a killed process had in hand is done again."""
    alone, mark = results(reading, parts.alone), tmp_path / "killed"
    kept = parts._several

    def dying(sources: list[parts.Source]) -> object:
        if not mark.exists():
            mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return kept(sources)

    dying.__module__, dying.__qualname__ = "sekinin.parts", "_several"
    monkeypatch.setattr(parts, "_several", dying)
    assert same(results(reading, parts.local(2)), alone) and mark.exists()


def test_a_bad_paper_stops_the_build_but_not_the_others(reading: builder.Reading) -> None:
    """The message names the file; what the others gave is kept for the next run."""
    result = CliRunner().invoke(main, ["build", "--quiet"])
    assert result.exit_code == 3 and "g00007/paper-1.0.ttl" in result.stderr
    assert len(list((resources.build_folder() / "steps").glob("part-*.json"))) == 39


@contextmanager
def dask() -> Iterator[tuple[str, list[subprocess.Popen[bytes]]]]:
    pytest.importorskip("distributed", reason="dask.distributed is not installed: pip install 'sekinin[dask]'")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"tcp://127.0.0.1:{port}"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}

    def start(*words: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", *words, "--no-dashboard"]
        return subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    scheduler = start("distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", str(port))
    workers = [start("distributed.cli.dask_worker", address, "--no-nanny", "--nthreads", "1", "--host", "127.0.0.1") for _ in range(2)]
    try:
        from distributed import Client

        end = time.monotonic() + 90
        while True:
            try:
                with Client(address, timeout=2, set_as_default=False) as client:
                    client.wait_for_workers(2, timeout=60)
                    break
            except OSError:
                assert time.monotonic() < end and scheduler.poll() is None
        yield address, workers
    finally:
        for process in (*workers, scheduler):
            process.kill()
            process.wait()


@pytest.mark.whole
@pytest.mark.filterwarnings("default")
def test_a_cluster(reading: builder.Reading) -> None:
    """Two workers give what one process gives; one is killed at the first result, and nothing is missing or twice."""
    alone = results(reading, parts.alone)
    with dask() as (address, workers):
        assert same(results(reading, cluster(address)), alone)
        assert same(results(reading, cluster(address), also=workers[0].kill), alone)
        workers[1].kill()
        workers[1].wait()
        time.sleep(1)
        with pytest.raises(StoreFailure, match="has no workers"):
            results(reading, cluster(address))


def test_no_cluster(reading: builder.Reading) -> None:
    with pytest.raises(BadQuery, match="no address of a scheduler"):
        cluster("127.0.0.1:8786")
    pytest.importorskip("distributed", reason="dask.distributed is not installed: pip install 'sekinin[dask]'")
