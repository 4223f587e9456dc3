"""From five papers to ten thousand: what a build costs, what one changed paper costs, and how both grow; the naive way beside them.

``python benchmarks/scale.py`` makes houses by ``generate.py``, builds each with the command line, changes one paper, builds again and opens the
store; what ``naive.py`` does (rdflib, owlrl and pySHACL over one graph) is measured at sizes where it ends. Seconds of processor time stand beside
those of the clock, since a shared machine shares the clock too; memory is what no file holds of all processes together, pages that they share
counted for each, since to tell them apart holds the processes up.
``--write`` puts the table into benchmarks/results-scale.md, ``--keep`` leaves houses and stores in a folder, and takes them from there.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import nullcontext
from pathlib import Path

import generate

HOUSE = Path(__file__).resolve().parent.parent
Figures = dict[str, float]


def child(code: str, house: Path, build: Path) -> tuple[float, float, float, str]:
    """Run Python code over a house; return seconds, seconds of processor time, peak memory in MB, and what it printed."""
    env = {**os.environ, "SEKININ_HOME": str(house), "SEKININ_BUILD": str(build), "PYTHONPATH": str(HOUSE)}
    watch = "import resource\n{}\nr=[resource.getrusage(w) for w in (resource.RUSAGE_SELF,resource.RUSAGE_CHILDREN)]\n"
    watch += "print('figures',sum(u.ru_utime+u.ru_stime for u in r))"
    start, peak = time.perf_counter(), 0.0
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as wrong:
        run = subprocess.Popen([sys.executable, "-c", watch.format(code)], env=env, stdout=out, stderr=wrong)
        while run.poll() is None:
            peak = max(peak, sum(map(memory, family(run.pid))))
            time.sleep(0.1)
        seconds = time.perf_counter() - start
        out.seek(0), wrong.seek(0)
        if run.returncode:
            raise SystemExit(wrong.read()[-2000:])
        said, _, cpu = out.read().rpartition("figures")
    return seconds, float(cpu), peak, said.strip()


def family(pid: int) -> list[int]:
    """Return a process and all below it."""
    try:
        below = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    except OSError:
        return []
    return [pid, *(each for one in below for each in family(int(one)))]


def memory(pid: int) -> float:
    """Return the MB that a process holds and no file does; 0 if it has ended."""
    try:
        said = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in said.splitlines() if line.startswith("RssAnon:")), 0.0)


BUILD = "from sekinin import build\nb=build.build()\nassert b.store and not b.violations\nprint(sum(b.triples.values()))"
NAIVE = "import sys\nsys.path.insert(0,{folder!r})\nsys.argv=['naive','--limit','{limit}','--whole','{whole}']\nimport naive\nnaive.main()"
NAMES = ('"text rendition of ', '"Text rendition of ')
"""How the name of a paper begins, which the measured change writes in another way."""
STEPS = ("parse", "owlrl", "pySHACL", "checks", "derived", "digest")
OPEN = "import time\nfrom sekinin import build\nt=time.perf_counter()\ns=build.open_current()\nnext(iter(s.engine))\nprint(time.perf_counter()-t)"


def scaled(room: Path, providers: int) -> Figures:
    """Build a house of ``providers``, change one paper, build again, open."""
    house, build = room / f"house-{providers}", room / f"build-{providers}"
    shutil.rmtree(build, ignore_errors=True)
    found: Figures = {"triples": made(house, providers)}
    found["build"], found["build cpu"], found["memory"], _ = child(BUILD, house, build)
    paper = house / "graphs" / generate.name_of(3) / "paper-1.0.ttl"
    text = paper.read_text(encoding="utf-8")
    for old, new in (NAMES, NAMES[::-1]):
        if old in text:
            paper.write_text(text.replace(old, new), encoding="utf-8")
            break
    else:
        raise SystemExit(f"{paper} has no name to change")
    found["change"], found["change cpu"], _, _ = child(BUILD, house, build)
    found["nothing"], found["nothing cpu"], _, _ = child(BUILD, house, build)
    found["open"] = float(child(OPEN, house, build)[3])
    return found


def made(house: Path, providers: int) -> int:
    """Make a house if it is not there, and return how many triples its texts have."""
    told = house / "triples.txt"
    if not told.is_file():
        triples = generate.generate(house, providers)
        told.write_text(str(triples), encoding="ascii")
    return int(told.read_text(encoding="ascii"))


def naively(room: Path, providers: int, limit: float, whole: float) -> Figures:
    """Do the naive way's work over a house; return seconds of processor time by kind of step, and how many queries ran into a limit."""
    house = room / f"house-{providers}"
    found: Figures = {"triples": made(house, providers), "limited": 0, "ended": 0}
    code = NAIVE.format(folder=str(HOUSE / "benchmarks"), limit=limit, whole=whole)
    found["seconds"], _, found["memory"], said = child(code, house, room / "none")
    for line in said.splitlines():
        step = json.loads(line)
        kind = step["step"].partition("/")[0]
        found[kind] = found.get(kind, 0) + step["cpu"]
        if step.get("limited"):
            found["limited"] += 1
            found["ended"] += step["cpu"]
    found["base"] = sum(found[kind] for kind in STEPS[:3])
    found["all"] = sum(found[kind] for kind in STEPS)
    return found


def naive_rows(naive: dict[int, Figures], limit: float) -> list[str]:
    """Return the table of the naive way."""
    lines = [
        "",
        "The naive way (`naive.py`: one rdflib graph; no store, no index, no counts and no files at its end), seconds of processor time:",
        "",
    ]
    lines += ["| providers | parse (rdflib) | closure (owlrl) | shapes (pySHACL) | checks (rdflib) | rules (rdflib) | digest | all | memory, MB |"]
    lines += ["|" + " --- |" * 9]
    for providers, f in naive.items():
        least = "at least " if f["limited"] else ""
        lines.append(f"| {providers:,} | " + " | ".join(f"{f[kind]:,.1f}" for kind in STEPS) + f" | {least}{f['all']:,.0f} | {f['memory']:,.0f} |")
    for providers, f in naive.items():
        if f["limited"]:
            told = f"ran into a limit ({limit:g} s each, or that of the whole) and count with it"
            lines += ["", f"At {providers:,}, {f['limited']:.0f} queries {told}: {f['ended']:.0f} s."]
    return lines


def ratios(every: dict[int, Figures], naive: dict[int, Figures]) -> list[str]:
    """Return how many times the naive way takes what a build takes: where both were measured, else on a straight line."""
    lines = ["", "How many times what a whole build takes the naive way takes, which uses one core:", ""]
    kinds = ("the clock", "the clock, leaving out queries that were ended", "processor time", "processor time, parse, closure and shapes alone")
    lines += ["| providers | " + " | ".join(f"of {kind}" for kind in kinds) + " |", "|" + " --- |" * 5]
    for providers in sorted(every.keys() & naive.keys()):
        lines.append(_ratio(f"{providers:,}", every[providers], naive[providers]))
    largest, known = max(every), sorted(naive)
    if largest > known[-1] and len(known) > 1:
        small, large, last = naive[known[0]], naive[known[-1]], every[largest]
        share = (last["triples"] - small["triples"]) / (large["triples"] - small["triples"])
        line = {kind: small[kind] + (large[kind] - small[kind]) * share for kind in large}
        lines.append(_ratio(f"{largest:,}, not measured: on a straight line through {known[0]} and {known[-1]}", last, line))
    return lines


def _ratio(name: str, ours: Figures, f: Figures) -> str:
    least = "at least " if f["limited"] else ""
    clock, bare = f["all"] / ours["build"], (f["all"] - f["ended"]) / ours["build"]  # one process: its processor time is the least its clock says
    return f"| {name} | {least}{clock:.1f} | {bare:.1f} | {least}{f['all'] / ours['build cpu']:.1f} | {f['base'] / ours['build cpu']:.1f} |"


def exponent(small: Figures, large: Figures, name: str) -> float:
    """Return the power of the number of triples with which a figure grows."""
    return math.log(large[name] / small[name]) / math.log(large["triples"] / small["triples"])


def main() -> None:
    """Measure and print."""
    reader = argparse.ArgumentParser(description="Measure how builds grow.")
    reader.add_argument("--providers", type=int, nargs="+", default=[5, 100, 1000])
    reader.add_argument("--naive", type=int, nargs="*", default=[20, 60, 150])
    reader.add_argument("--limit", type=float, default=120, help="seconds of processor time that a query of the naive way may take")
    reader.add_argument("--whole", type=float, default=1500, help="seconds of processor time after which the naive way asks no further query")
    reader.add_argument("--keep", type=Path, help="folder for houses and stores; what is there is used")
    reader.add_argument("--write", action="store_true")
    given = reader.parse_args()
    lines = [f"# Growth: {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the start", ""]
    lines += ["| providers | triples | build, s (processor s) | memory, MB | one paper changed, s (processor s) | nothing changed, s | open, s |"]
    lines += ["| --- | --- | --- | --- | --- | --- | --- |"]
    with nullcontext(str(given.keep)) if given.keep else tempfile.TemporaryDirectory() as name:
        room, every, naive = Path(name), dict[int, Figures](), dict[int, Figures]()
        for providers in given.providers:
            f = every[providers] = scaled(room, providers)
            change = f"{f['change']:.1f} ({f['change cpu']:.1f})"
            built = f"{f['build']:.1f} ({f['build cpu']:.1f})"
            row = f"| {providers:,} | {f['triples']:,.0f} | {built} | {f['memory']:,.0f} | {change} | {f['nothing']:.2f} | {f['open']:.3f} |"
            print(row, flush=True)
            lines.append(row)
        for providers in given.naive:
            naive[providers] = naively(room, providers, given.limit, given.whole)
            print(naive_rows({providers: naive[providers]}, given.limit)[5], flush=True)
    if len(every) > 1:
        first, last = (every[size] for size in sorted(every)[-2:])
        lines += ["", f"Exponent of the build's processor time over triples between the two largest sizes: {exponent(first, last, 'build cpu'):.2f}."]
    if naive:
        lines += naive_rows(naive, given.limit)
    ended = [naive[size] for size in sorted(naive) if not naive[size]["limited"]]
    if len(ended) > 1:
        lines += ["", f"Exponent of the naive way's, between the two largest sizes at which no limit was met: {exponent(*ended[-2:], 'all'):.2f}."]
    if naive:
        lines += ratios(every, naive)
    lines.append("")
    print("\n".join(lines))
    if given.write:
        (HOUSE / "benchmarks" / "results-scale.md").write_text("\n".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
