"""Measure what the README promises: build, rebuild, pages and questions, on this machine.

``python benchmarks/run.py`` prints a table; ``--write`` puts it into benchmarks/results.md too.
Builds run in a folder of their own and leave the store in use alone.
"""

from __future__ import annotations

import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import load

HOUSE = Path(__file__).resolve().parent.parent
PAGES = ("/?lang=ja", "/services/talkz?lang=ja", "/services/resv?lang=en", "/id/ob-talkz-customer-data-quality?lang=ja", "/ontology?lang=en")
REPEATS = 15


def timed(action: Callable[[], object]) -> float:
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def command(env: dict[str, str], *words: str) -> float:
    """Return the seconds that one run of the command line takes, its start included."""
    sekinin = str(Path(sys.executable).with_name("sekinin"))
    return timed(lambda: subprocess.run([sekinin, *words], env=env, check=True, capture_output=True))


def builds(room: Path) -> list[tuple[str, str]]:
    """Build from nothing, again with nothing changed, and after one changed label."""
    house = room / "house"
    for name in ("ontology", "graphs", "shapes", "queries"):
        shutil.copytree(HOUSE / name, house / name)
    env = {**os.environ, "SEKININ_HOME": str(house), "SEKININ_BUILD": str(room / "build")}
    rows = [("build from nothing", f"{command(env, 'build'):.1f} s")]
    rows.append(("peak memory of that build", f"{resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024:.0f} MB"))
    rows.append(("build with nothing changed (median of 5)", f"{statistics.median(command(env, 'build') for _ in range(5)):.2f} s"))
    paper = house / "graphs" / "ictl" / "resv-4.0.ttl"
    paper.write_text(paper.read_text(encoding="utf-8").replace('"manage user accounts"@en', '"manage the user accounts"@en'), encoding="utf-8")
    rows.append(("build after one changed label", f"{command(env, 'build'):.1f} s"))
    return rows


def served() -> list[tuple[str, str]]:
    """Ask pages and questions of the store in use."""
    from sekinin import build, queries
    from webapp import create_app

    steps = build.build().steps
    store = build.open_current()
    client = create_app(store).test_client()
    rows = [(f"step {name}", f"{seconds:.2f} s") for name, seconds in steps.items()]
    rows.append(("opening the store", f"{1000 * timed(build.open_current):.0f} ms"))
    for page in PAGES:
        ask = [timed(lambda page=page: client.get(page, headers={"Accept": "text/html"})) for _ in range(REPEATS)]
        rows.append((f"page {page}", f"{1000 * statistics.median(ask):.0f} ms"))
    took = {}
    for name, question in queries.catalogue().items():
        if not name.startswith(("derived/", "checks/", "resources/")):
            bound = queries.bind(question, {"lang": "en"} if any(p.name == "lang" for p in question.params) else {})
            took[name] = timed(lambda bound=bound: list(bound.ask(store)))
    slow = sorted(took, key=took.__getitem__)[-3:]
    rows.append((f"{len(took)} saved questions, median", f"{1000 * statistics.median(took.values()):.0f} ms"))
    rows += [(f"slow question {name}", f"{1000 * took[name]:.0f} ms") for name in reversed(slow)]
    return rows


def main() -> None:
    with tempfile.TemporaryDirectory() as room:
        rows = builds(Path(room)) + served()
    lines = [
        "# Measured",
        "",
        f"{load.machine()} Command: `python benchmarks/run.py --write`. One run; the machine may be shared.",
        "",
        "| what | measured |",
        "| --- | --- |",
    ]
    lines += [f"| {what} | {value} |" for what, value in rows]
    print("\n".join(lines))
    if "--write" in sys.argv:
        (HOUSE / "benchmarks" / "results.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
