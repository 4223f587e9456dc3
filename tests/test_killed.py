"""Killed at any point, or with a full disk, neither build nor publish loses what was there; a second run completes."""

from __future__ import annotations

import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.error import HTTPError

import pytest
from fiction import PAPERS
from servers import oxigraph
from test_build import damage, run, small

from sekinin import build as builder
from sekinin import describe, queries
from sekinin.publish import Target, publish
from sekinin.store import RemoteStore, rows

STEPS = ("read", "infer", "check", "derive", "store", "describe", "search")
NAMES = ('"WACUL"@en', '"WACUL Inc."@en')
pytestmark = pytest.mark.whole


@contextmanager
def started(*words: str, **how: object) -> Iterator[subprocess.Popen[str]]:
    """Run `sekinin` as a process of its own group; nothing of it is left at the end."""
    command = [str(Path(sys.executable).with_name("sekinin")), *words]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, start_new_session=True, **how)  # type: ignore[call-overload]
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(20)
        process.stderr.close()


def killed(step: str, wait: float) -> None:
    """Kill a build so many seconds after it said that ``step`` begins."""
    with started("build") as process:
        for line in process.stderr:
            if line.startswith(f"{step} …"):
                break
        time.sleep(wait)
        process.send_signal(signal.SIGKILL)


def answers() -> tuple[str, str]:
    """Return the version of the store that is in use, and the name in it that the tests change."""
    held = describe.held(builder.open_current())
    found = rows(queries.bind(queries.get("resources/labels"), {"lang": "en"}).ask(builder.open_current()))
    names = [row["label"].value for row in found if row["thing"].value.endswith("/party-wacul")]
    assert held and held[0] == builder.manifest()["version"] and len(names) == 1
    return held[0], names[0]


def test_a_build_that_is_killed_at_every_step(house: Path) -> None:
    """Killed as each step begins, and at random moments up to the swap: the store in use is whole and of one version, old or new."""
    small(house)
    builder.build()
    versions = {"WACUL": builder.manifest()["version"]}
    damage(house, *NAMES)
    versions["WACUL Inc."] = builder.build().version
    damage(house, *NAMES[::-1])
    assert builder.build().version == versions["WACUL"]
    assert len(set(versions.values())) == 2 and answers() == (versions["WACUL"], "WACUL")
    damage(house, *NAMES)
    for step in STEPS:
        killed(step, 0)
        assert answers() == (versions["WACUL"], "WACUL"), step
    assert run("build", "--quiet").exit_code == 0 and answers() == (versions["WACUL Inc."], "WACUL Inc.")
    moments, swapped = random.Random(8), set()
    for number in range(8):
        old, new = (NAMES[::-1], NAMES)[number % 2]
        damage(house, old, new)
        killed("store", moments.uniform(0, 1.6))
        version, name = answers()
        assert version == versions[name]
        swapped.add(name == new.split('"')[1])
        assert run("build", "--quiet").exit_code == 0 and answers() == (versions[new.split('"')[1]], new.split('"')[1])
        left = [path.name for path in builder.current().parent.parent.iterdir() if path.name.startswith(("new-", "current-"))]
        assert left == []
    assert False in swapped


BUILDING = "from sekinin import build, parts; build.build(print, again=True, crew=parts.local(2))"
READING = "from pathlib import Path; from sekinin.reading import many; many.read_all({papers}, Path('drafts'), 'turtle', 2)"


@pytest.mark.parametrize("work", [BUILDING, READING], ids=["build", "read"])
def test_no_process_outlives_one_that_was_killed(work: str, house: Path, tmp_path: Path) -> None:
    """Those of a pool notice that nobody gives them work any more; the next run would find their memory taken."""
    papers = [Path(shutil.copy(PAPERS / "kept" / "hoshizora.txt", tmp_path / f"{number}.txt")) for number in range(40)]
    code = work.format(papers=f"[Path(name) for name in {list(map(str, papers))}]")
    process = subprocess.Popen([sys.executable, "-c", code], cwd=tmp_path, stdout=subprocess.DEVNULL)
    try:
        children: list[int] = []
        until = time.monotonic() + 60
        while len(children) < 2 and time.monotonic() < until:
            children = [int(each) for each in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()]
        assert len(children) == 2
        time.sleep(0.3)
    finally:
        process.kill()
        process.wait(20)
    until = time.monotonic() + 20
    while any(Path(f"/proc/{child}").exists() for child in children) and time.monotonic() < until:
        time.sleep(0.05)
    assert not [child for child in children if Path(f"/proc/{child}").exists()]


@contextmanager
def between(server: str, stop: int, after: bool, victim: list[subprocess.Popen[str]]) -> Iterator[str]:
    """Pass requests on to ``server``; at the change number ``stop`` kill the victim, before it is passed on or after."""
    changes = 0

    class Passing(BaseHTTPRequestHandler):
        def _pass(self) -> None:
            nonlocal changes
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)) or None
            changes += self.command != "GET"
            hit = self.command != "GET" and changes == stop
            if hit and not after:
                victim[0].kill()
                return
            kept = {name: text for name, text in self.headers.items() if name in ("Accept", "Content-Type")}
            request = urllib.request.Request(server + self.path, data=body, method=self.command, headers=kept)
            try:
                with urllib.request.urlopen(request, timeout=60) as answer:
                    status, said = answer.status, answer.read()
            except HTTPError as why:
                with why:
                    status, said = why.code, why.read()
            if hit:
                victim[0].kill()
                return
            self.send_response(status)
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        do_GET = do_PUT = do_DELETE = _pass

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    passing = ThreadingHTTPServer(("127.0.0.1", 0), Passing)
    passing.daemon_threads = True
    threading.Thread(target=passing.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{passing.server_port}"
    finally:
        passing.shutdown()
        passing.server_close()


def test_publishing_that_is_killed_at_every_change(house: Path, tmp_path: Path) -> None:
    """Killed before or after any change of the server: it still answers, it never says that it is the new version, and the next run completes it."""
    small(house)
    builder.build()
    with oxigraph(tmp_path) as server:
        store, target = RemoteStore(server.query), Target(server.data)
        root, path = server.data.rsplit("/", 1)
        publish(builder.open_current(), target)
        before = describe.held(store)
        damage(house, *NAMES)
        builder.build()
        wanted = builder.open_current()
        deaths = 0
        for stop in range(1, 20):
            for after in (False, True):
                victim: list[subprocess.Popen[str]] = []
                with between(root, stop, after, victim) as address, started("publish", f"{address}/{path}", "--quiet") as process:
                    victim.append(process)
                    code = process.wait(60)
                if code == 0:
                    break
                assert code == -signal.SIGKILL
                deaths += 1
                if describe.held(store) not in (None, before):  # killed behind the very last change, all is done
                    assert after and publish(wanted, target).sent == 0
                assert len(list(rows(queries.bind(queries.get("resources/labels"), {"lang": "en"}).ask(store)))) > 100
            else:
                continue
            break
        assert deaths > 6
        publish(wanted, target)
        assert describe.held(store) == describe.held(wanted) != before
        for graph in wanted.engine.named_graphs():
            assert target.holds(graph.value)[0] == len(list(wanted.engine.quads_for_pattern(None, None, None, graph)))


@pytest.fixture
def small_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, house: Path) -> Iterator[Path]:
    """A build folder on a disk of its own, of sixty megabytes."""
    place = tmp_path / "disk"
    place.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=60m", "tmpfs", str(place)], capture_output=True).returncode:
        pytest.skip("this user may mount no file system")
    monkeypatch.setenv("SEKININ_BUILD", str(place))
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_disk_that_is_full(house: Path, small_disk: Path) -> None:
    """On a disk that is really full, with more room or less: one message, code 7, the old store answers, and with room the build completes."""
    small(house)
    assert run("build", "--quiet").exit_code == 0
    before = answers()
    damage(house, *NAMES)
    free, filler = os.statvfs(small_disk).f_bavail * os.statvfs(small_disk).f_frsize, small_disk / "filler"
    failed = 0
    for room in (0, 20_000, 300_000, 1_000_000, 3_000_000):
        filler.write_bytes(b"")
        free = os.statvfs(small_disk).f_bavail * os.statvfs(small_disk).f_frsize
        filler.write_bytes(bytes(max(0, free - room)))
        with started("build", "--quiet") as process:
            said = process.stderr.read()
            code = process.wait(60)
        if code == 0:
            break
        failed += 1
        assert code == 7 and "Traceback" not in said and "make room" in said and len(said.strip().splitlines()) == 1, (room, said)
        assert answers() == before, room
    assert failed >= 3
    filler.unlink()
    assert run("build", "--quiet").exit_code == 0 and answers()[1] == "WACUL Inc."


def test_files_that_may_not_grow(house: Path) -> None:
    """Where a file may have 100 kB only: one message, not a death by SIGXFSZ, and the old store answers."""
    small(house)
    builder.build()
    before = answers()
    damage(house, *NAMES)
    with started("build", "--quiet", preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))) as process:
        said = process.stderr.read()
        code = process.wait(60)
    assert code == 7 and "Traceback" not in said and len(said.strip().splitlines()) == 1, said
    assert answers() == before
    assert run("build", "--quiet").exit_code == 0 and answers()[1] == "WACUL Inc."
