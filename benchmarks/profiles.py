"""Where the seconds go: a build from nothing, and pages and questions, function by function.

``python benchmarks/profiles.py`` builds the five papers in a folder that goes away, in one process, so that nothing is out of sight: papers are read
and the index is written where the rest is done, and what runs in threads counts too, though not to the clock. It then asks every page and every
question once. ``--providers 1000`` does so with generated papers, ``--house`` with a house that is there. A profile makes calls of Python dearer than
they are, so figures compare within one table only.
"""

from __future__ import annotations

import argparse
import cProfile
import os
import pstats
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Any

HOUSE = Path(__file__).resolve().parent.parent
SHOWN = 10
Call = tuple[str, int, str]
WAITING = ("<method 'acquire' of '_thread.lock' objects>", "<method 'get' of '_queue.SimpleQueue' objects>")


def main() -> None:
    """Build, ask, and print what took longest."""
    reader = argparse.ArgumentParser(description="Show where the seconds go.")
    reader.add_argument("--providers", type=int, help="number of generated providers, instead of the five papers")
    reader.add_argument("--house", type=Path, help="a house that is there")
    given = reader.parse_args()
    with tempfile.TemporaryDirectory(prefix="sekinin-profiles-") as name:
        house = given.house or (Path(name) / "house" if given.providers else HOUSE)
        if given.providers and not given.house:
            import generate

            generate.generate(house, given.providers)
        os.environ |= {"SEKININ_HOME": str(house), "SEKININ_BUILD": str(Path(name) / "build")}
        told("A build from nothing", profiled(built))
        asked()


def built() -> None:
    """Build in this process alone."""
    from sekinin import build, parts

    build.MUCH = 1 << 62  # type: ignore[misc]
    done = build.build(crew=parts.alone)
    assert done.store, done.findings
    for step, seconds in done.steps.items():
        print(f"{step}: {seconds:.1f} s")


def asked() -> None:
    """Ask every page and every question of what was built, once each."""
    import pages

    from sekinin import build
    from webapp import create_app
    from webapp.warm import warm

    store = build.open_current()
    fill, app = pages.names(store), create_app(store)
    took: dict[str, float] = {}

    def visits() -> None:
        client = app.test_client()
        for page in pages.PAGES:
            took[page] = pages.asked(client, page.format(**fill) + ("&" if "?" in page else "?") + "lang=ja")[0]

    told("What all pages share, as the server starts", profiled(lambda: warm(app).join()))
    found = profiled(visits)
    slowest("pages", took)
    told("All pages", found)
    found = profiled(lambda: took.clear() or took.update(pages.questions(store, fill)))
    slowest("questions", took)
    told("All questions", found)


def slowest(what: str, took: dict[str, float]) -> None:
    """Print the three that took longest."""
    print(f"\nThe slowest {what}: " + "; ".join(f"{name} {took[name]:,.0f} ms" for name in sorted(took, key=lambda name: -took[name])[:3]))


def profiled(work: Callable[[], Any]) -> pstats.Stats:
    """Do ``work`` and return its profile, with that of its threads."""
    whole = cProfile.Profile()
    with _threads() as others:
        whole.runcall(work)
    return pstats.Stats(whole, *others)


@contextmanager
def _threads() -> Iterator[list[cProfile.Profile]]:
    """Profile what other threads do, each by itself; those that have ended count."""
    found: list[cProfile.Profile] = []
    kept = Thread.run

    def run(self: Thread) -> None:
        one = cProfile.Profile()
        one.runcall(kept, self)
        found.append(one)

    Thread.run = run  # type: ignore[method-assign]
    try:
        yield found
    finally:
        Thread.run = kept  # type: ignore[method-assign]


def told(title: str, found: pstats.Stats) -> None:
    """Print the functions that took longest by themselves, each with the function of this house that it was for; what waits is left out."""
    every: dict[Call, Any] = found.stats  # type: ignore[attr-defined]
    spent: dict[tuple[Call, Call], list[float]] = {}
    for call, (_, number, alone, _, callers) in every.items():
        if call[2] in WAITING:
            continue
        shares = callers if call[0] == "~" else {call: (number, number, alone)}  # the engine's functions are told apart by who calls them
        for who, (_, times, seconds, *_) in shares.items():
            sums = spent.setdefault((call, _asker(every, who)), [0, 0])
            sums[0] += seconds
            sums[1] += times
    print(f"\n{title}\n\n| seconds | calls | function | for |\n| ---: | ---: | --- | --- |")
    for (call, who), (seconds, number) in sorted(spent.items(), key=lambda each: -each[1][0])[:SHOWN]:
        print(f"| {seconds:.2f} | {number:,.0f} | `{_name(call)}` | {'' if who == call else f'`{_name(who)}`'} |")


def _asker(every: dict[Call, Any], call: Call) -> Call:
    """Return ``call`` if it is a function of this house, else the nearest above it, by the way on which it was called for longest."""
    seen = {call}
    while not call[0].startswith(str(HOUSE)):
        above = {who: said[3] for who, said in every[call][4].items() if who not in seen}
        if not above:
            break
        call = max(above, key=lambda who: above[who])
        seen.add(call)
    return call


def _name(call: Call) -> str:
    path, line, function = call
    return f"{Path(path).relative_to(HOUSE)}:{line} {function}" if path.startswith(str(HOUSE)) else f"{Path(path).name} {function}".removeprefix("~ ")


if __name__ == "__main__":
    start = time.perf_counter()
    main()
    print(f"\n{time.perf_counter() - start:.0f} s in all")
