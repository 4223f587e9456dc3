"""From five papers to ten thousand: what a build costs, what one changed paper costs, and how both grow; the naive way beside them.

``python benchmarks/scale.py`` makes houses by ``generate.py``, builds each with the command line, changes one paper, builds again and opens the
store; the naive way (rdflib, owlrl and pySHACL over one graph) is measured at sizes where it ends. Seconds of processor time stand beside those of
the clock, since a shared machine shares the clock too; memory is that of all processes together, pages that they share counted once.
``--write`` puts the table into benchmarks/results-scale.md.
"""

from __future__ import annotations

import argparse
import math
import os
import subprocess
import sys
import tempfile
import time
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
            time.sleep(0.2 if time.perf_counter() - start > 5 else 0.02)
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
        said = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in said.splitlines() if line.startswith("Pss_Anon:")), 0.0)


BUILD = "from sekinin import build\nb=build.build()\nassert b.store and not b.violations\nprint(sum(b.triples.values()))"
NAIVE = (
    "import time\nfrom sekinin import texts,infer,check\nfrom sekinin.convert import to_graph\nr=texts.read_all()\n"
    "o=to_graph(t.quads for t in r if t.kind=='ontology')\nd=to_graph(t.quads for t in r if t.kind=='graphs')\n"
    "n=infer.closure(o,[d])\nf=check.shapes(o+d+n,to_graph(t.quads for t in r if t.kind=='shapes'))\nprint(len(n),len(f))"
)
OPEN = "import time\nfrom sekinin import build\nt=time.perf_counter()\ns=build.open_current()\nnext(iter(s.engine))\nprint(time.perf_counter()-t)"


def scaled(room: Path, providers: int) -> Figures:
    """Build a house of ``providers``, change one paper, build again, open."""
    house, build = room / f"house-{providers}", room / f"build-{providers}"
    triples = generate.generate(house, providers)
    found: Figures = {"triples": triples}
    found["build"], found["build cpu"], found["memory"], _ = child(BUILD, house, build)
    paper = house / "graphs" / generate.name_of(3) / "paper-1.0.ttl"
    paper.write_text(
        paper.read_text(encoding="utf-8").replace(' white paper"@en', ' White Paper"@en').replace('sheet"@en', 'Sheet"@en'), encoding="utf-8"
    )
    found["change"], found["change cpu"], _, _ = child(BUILD, house, build)
    found["nothing"], found["nothing cpu"], _, _ = child(BUILD, house, build)
    found["open"] = float(child(OPEN, house, build)[3])
    return found


def exponent(small: Figures, large: Figures, name: str) -> float:
    """Return the power of the number of triples with which a figure grows."""
    return math.log(large[name] / small[name]) / math.log(large["triples"] / small["triples"])


def main() -> None:
    """Measure and print."""
    reader = argparse.ArgumentParser(description="Measure how builds grow.")
    reader.add_argument("--providers", type=int, nargs="+", default=[5, 100, 1000], help="two sizes at least")
    reader.add_argument("--naive", type=int, nargs="+", default=[20, 100], help="two sizes at least")
    reader.add_argument("--write", action="store_true")
    given = reader.parse_args()
    lines = [f"# Growth: {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the start", ""]
    lines += ["| providers | triples | build, s (processor s) | memory, MB | one paper changed, s (processor s) | nothing changed, s | open, s |"]
    lines += ["| --- | --- | --- | --- | --- | --- | --- |"]
    with tempfile.TemporaryDirectory() as name:
        room, every = Path(name), {}
        for providers in given.providers:
            f = every[providers] = scaled(room, providers)
            change = f"{f['change']:.1f} ({f['change cpu']:.1f})"
            built = f"{f['build']:.1f} ({f['build cpu']:.1f})"
            row = f"| {providers:,} | {f['triples']:,.0f} | {built} | {f['memory']:,.0f} | {change} | {f['nothing']:.2f} | {f['open']:.3f} |"
            print(row, flush=True)
            lines.append(row)
        naive: dict[int, Figures] = {}
        lines += [
            "",
            "The naive way (rdflib, owlrl, pySHACL over one graph; no store at its end):",
            "",
            "| providers | seconds | processor s | memory, MB |",
        ]
        lines += ["| --- | --- | --- | --- |"]
        for providers in given.naive:
            house = room / f"naive-{providers}"
            triples = generate.generate(house, providers)
            seconds, cpu, memory, _ = child(NAIVE, house, room / "none")
            naive[providers] = {"triples": triples, "seconds": seconds, "cpu": cpu}
            lines.append(f"| {providers} | {seconds:.1f} | {cpu:.1f} | {memory:,.0f} |")
            print(lines[-1], flush=True)
    first, last = every[given.providers[-2]], every[given.providers[-1]]
    small, large = naive[given.naive[0]], naive[given.naive[-1]]
    grown, ours = exponent(small, large, "cpu"), exponent(first, last, "build cpu")
    line = small["cpu"] + (large["cpu"] - small["cpu"]) / (large["triples"] - small["triples"]) * (last["triples"] - small["triples"])
    lines += ["", f"Exponents of processor time over triples between the two largest sizes: build {ours:.2f}, naive {grown:.2f}."]
    lines += [f"On a straight line through its sizes the naive way takes {line:,.0f} s of processor at the largest size of the build:"]
    lines += [
        f"{line / last['build cpu']:.0f} times what the build takes; that is the least, as it grows faster than a line where the exponent is above 1."
    ]
    lines.append("")
    print("\n".join(lines))
    if given.write:
        (HOUSE / "benchmarks" / "results-scale.md").write_text("\n".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
