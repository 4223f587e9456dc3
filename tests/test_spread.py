"""Papers read by a Dask cluster give what they give at home, also when one of its workers is killed in the middle."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

import pytest
from click.testing import CliRunner
from conftest import HOUSE

from sekinin import parts, resources, steps
from sekinin.cli import main
from sekinin.errors import BadData, BadQuery, SekininError, StoreFailure
from sekinin.reading import many
from sekinin.spread import Hands, Result, cluster, hands

sys.path.insert(0, str(HOUSE / "benchmarks"))
import generate

Results = dict[str, parts.Part | SekininError]


@pytest.fixture
def reading(house: Path) -> steps.Reading:
    """A house of forty small papers, one of which cannot be read."""
    for name in generate.KEYS:
        shutil.rmtree(house / "graphs" / name)
    for number in range(40):
        generate.write(house, number, 40, 3, 0.02, None)
    (house / "graphs" / "g00007" / "paper-1.0.ttl").write_text("id:x a sk:Nonsense", encoding="utf-8")
    return steps.read(steps.sources())


def results(reading: steps.Reading, crew: parts.Crew, also: object = None) -> Results:
    found: Results = {}

    def done(source: parts.Source, result: parts.Part | SekininError) -> None:
        assert source.topic not in found
        found[source.topic] = result
        if callable(also):
            also()

    crew(reading.ground, [source for source in reading.sources if parts.is_paper(source.topic)], done)
    return found


def apart(left: Results, right: Results) -> dict[str, tuple[str, str]]:
    """Return what two crews gave otherwise, by paper."""
    both = {name: (str(left.get(name)), str(right.get(name))) for name in {*left, *right}}
    return {name: pair for name, pair in both.items() if pair[0] != pair[1]}


def test_processes_of_this_machine(reading: steps.Reading) -> None:
    """A pool gives what one process gives; the bad paper is told and stops no other."""
    alone = results(reading, parts.alone)
    assert isinstance(alone["graphs/g00007/paper-1.0"], BadData) and len(alone) == 40
    assert not apart(results(reading, parts.local(2)), alone)


def test_a_process_that_is_killed(reading: steps.Reading, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
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
    assert not apart(results(reading, parts.local(2)), alone) and mark.exists()


def test_a_bad_paper_stops_the_build_but_not_the_others(reading: steps.Reading) -> None:
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
def test_a_cluster(reading: steps.Reading) -> None:
    """Two workers give what one process gives; one is killed at the first result, and nothing is missing or twice."""
    alone = results(reading, parts.alone)
    with dask() as (address, workers):
        assert not apart(results(reading, cluster(address)), alone)
        assert not apart(results(reading, cluster(address), also=workers[0].kill), alone)
        workers[1].kill()
        workers[1].wait()
        time.sleep(1)
        with pytest.raises(StoreFailure, match="has no workers"):
            results(reading, cluster(address))


HEAD = (
    "ISO/IEC 27017 への対応\n\n12.3.1 情報のバックアップ\n\n毎日取得し、{n}日間保持します。\n\n12.4.1 イベントログ取得\n\nログを{n}日間保存します。\n"
)


@pytest.fixture
def papers(tmp_path: Path) -> Path:
    """A folder of twenty papers, one of which cannot be read; two have one name."""
    folder = tmp_path / "papers"
    (folder / "sub").mkdir(parents=True)
    for number in range(18):
        (folder / f"p{number:02}.txt").write_text(HEAD.format(n=number + 3), encoding="utf-8")
    (folder / "sub" / "p00.txt").write_text(HEAD.format(n=90), encoding="utf-8")
    (folder / "bad.pdf").write_bytes(b"%PDF-1.4 nothing")
    return folder


def drafts(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.suffix in (".ttl", ".txt")}


def told(outcomes: list[many.Outcome], folder: Path) -> list[many.Outcome]:
    return [dataclasses.replace(one, seconds=0.0, draft=one.draft.replace(str(folder), "")) for one in outcomes]


@pytest.mark.whole
@pytest.mark.filterwarnings("default")
def test_papers_read_by_a_cluster(papers: Path, tmp_path: Path) -> None:
    """Drafts and outcomes are those of this machine, also when a worker is killed; the bad paper stops no other; what is there is kept."""
    found, home = list(many.papers_in([papers])), tmp_path / "home"
    here = many.read_all(found, home, workers=1)
    assert [one.state for one in here].count("failed") == 1 and len(drafts(home)) == 38
    with dask() as (address, workers):
        away, again = tmp_path / "away", tmp_path / "again"
        there = many.read_all(found, away, hands=hands(address))
        assert drafts(away) == drafts(home) and told(there, away) == told(here, home)
        killed = many.read_all(found, again, hands=hands(address), progress=lambda done, of, last: workers[0].kill())
        assert drafts(again) == drafts(home) and told(killed, again) == told(here, home)
        (papers / "p01.txt").write_text(HEAD.format(n=99), encoding="utf-8")
        result = CliRunner().invoke(main, ["read", str(papers), "--out", str(away), "--scheduler", address, "--quiet"])
        assert result.exit_code == 1 and "bad.pdf" in result.stderr
        report = json.loads((away / many.REPORT).read_text(encoding="utf-8"))
        assert (report["read"], report["kept"], report["failed"]) == (1, 18, 1)
        assert [one["paper"] for one in report["outcomes"]] == [str(path) for path in found]


def test_hands_that_drop_a_paper(papers: Path, tmp_path: Path) -> None:
    """A paper that no machine could read, or that one with other rules read, is told; the rest is written."""

    def clumsy(work: Callable[[many.Sent], Result], tasks: Iterable[many.Sent], done: Callable[[many.Sent, Result | Exception], None]) -> None:
        for task in tasks:
            if task.path.endswith("p03.txt"):
                done(task, RuntimeError("killed four times"))
            elif task.path.endswith("p04.txt"):
                done(task, work(dataclasses.replace(task, content=task.content + b" ")))
            else:
                done(task, work(task))

    outcomes = many.read_all(list(many.papers_in([papers])), tmp_path / "out", hands=cast(Hands, clumsy))
    why = {Path(one.paper).name: one.why for one in outcomes if one.state == "failed"}
    assert why.keys() == {"bad.pdf", "p03.txt", "p04.txt"}
    assert "killed four times" in why["p03.txt"] and "other rules" in why["p04.txt"]
    assert len(drafts(tmp_path / "out")) == 34


def test_no_cluster(reading: steps.Reading) -> None:
    with pytest.raises(BadQuery, match="no address of a scheduler"):
        cluster("127.0.0.1:8786")
    pytest.importorskip("distributed", reason="dask.distributed is not installed: pip install 'sekinin[dask]'")
