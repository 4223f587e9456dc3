"""Many papers at once: in processes of their own, resumable, and one bad file never stops the rest.

A paper whose draft is there already, made from the same bytes by the same rules, is not read again.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sekinin import resources
from sekinin.errors import Missing, SekininError
from sekinin.export import write_whole
from sekinin.orphans import end_with_parent
from sekinin.reading import draft, files, paper
from sekinin.spread import Hands

REPORT = "report.json"
ENDINGS = {"turtle": "ttl", "json": "json"}


@dataclass(frozen=True)
class Outcome:
    """How one paper went.

    Args:
        state: ``read``, ``kept`` or ``failed``.
        why: of a failure, with its remedy.
        warnings: of what was read.
    """

    paper: str
    state: str
    draft: str = ""
    items: int = 0
    statements: int = 0
    seconds: float = 0.0
    why: str = ""
    warnings: tuple[str, ...] = ()
    key: str = ""


def papers_in(places: Iterable[Path]) -> Iterator[Path]:
    """Yield the papers named, and those in the folders named, in the order of their names.

    Raises:
        Missing: for a place that is not there, or a folder without a paper.
    """
    for place in places:
        if place.is_dir():
            found = sorted(
                path for path in place.rglob("*") if path.is_file() and path.suffix.lower() in files.FORMATS and not path.name.startswith((".", "~$"))
            )
            if not found:
                raise Missing(str(place), "there is no paper in it", f"papers end in: {', '.join(files.FORMATS)}")
            yield from found
        else:
            yield place


@cache
def rules_digest() -> str:
    """Return a digest over the rules and the program of the reader: drafts made by others are made again."""
    total = hashlib.sha256()
    for path in [*resources.rule_files(), *sorted(resources.reader_modules())]:
        total.update(path.read_bytes())
    return total.hexdigest()


def names(papers: list[Path]) -> dict[Path, str]:
    """Return a name for the draft of each paper; two papers of one name are told apart."""
    taken: dict[str, int] = {}
    out: dict[Path, str] = {}
    for path in papers:
        name = draft.slug(path.stem)
        count = taken[name] = taken.get(name, 0) + 1
        out[path] = name if count == 1 else f"{name}-{count}"
    return out


def _kept(path: Path, folder: Path, name: str, form: str) -> tuple[str, Outcome | None]:
    """Return the key of a paper, and its outcome if the draft that is there was made from the same bytes by the same rules."""
    content = path.read_bytes() if path.is_file() and path.stat().st_size < files.LARGEST else b""
    key = hashlib.sha256(hashlib.sha256(content).digest() + rules_digest().encode() + form.encode()).hexdigest()
    mark = folder / ".read" / f"{name}.json"
    if mark.is_file() and (folder / f"{name}.{ENDINGS[form]}").is_file():
        known = json.loads(mark.read_text(encoding="utf-8"))
        if known.get("key") == key:
            return key, Outcome(**{**known, "state": "kept", "seconds": 0.0, "warnings": tuple(known["warnings"]), "paper": str(path)})
    return key, None


def read_one(path: Path, folder: Path, name: str, form: str = "turtle", again: bool = False) -> Outcome:
    """Read one paper and write its draft; what goes wrong is told in the outcome."""
    start = time.perf_counter()
    try:
        key, known = _kept(path, folder, name, form)
        if known and not again:
            return known
        reading = replace(paper.read(path), name=name)
        place, _ = draft.write(reading, folder, form)
        count = sum(
            len(item.duties) + len(item.commitments) + len(item.locations) + len(item.certificates) + len(item.assignments) + bool(item.number)
            for item in reading.items
        )
        controls = sum(1 for item in reading.items if item.number)
        done = Outcome(str(path), "read", str(place), controls, count, round(time.perf_counter() - start, 3), "", reading.warnings, key)
        _remember(done, folder, name)
        return done
    except SekininError as why:
        return Outcome(str(path), "failed", seconds=round(time.perf_counter() - start, 3), why=str(why))
    except (OSError, MemoryError, RecursionError, ValueError) as why:
        return Outcome(
            str(path),
            "failed",
            seconds=round(time.perf_counter() - start, 3),
            why=f"{path}: {type(why).__name__}: {why}; get it again, or give its text",
        )


def _remember(done: Outcome, folder: Path, name: str) -> None:
    write_whole(folder / ".read" / f"{name}.json", json.dumps(asdict(done), ensure_ascii=False).encode("utf-8"))


@dataclass(frozen=True)
class Sent:
    """A paper that is read where its file is not: the bytes travel, and the draft travels back."""

    path: str
    content: bytes
    name: str
    form: str


def read_sent(sent: Sent) -> tuple[Outcome, dict[str, bytes]]:
    """Read a paper that was sent, and return its outcome with the files that belong in the folder of drafts, by name."""
    with TemporaryDirectory() as place:
        path, folder = Path(place) / "paper" / Path(sent.path).name, Path(place) / "drafts"
        path.parent.mkdir()
        path.write_bytes(sent.content)
        outcome = read_one(path, folder, sent.name, sent.form)
        made = {found.name: found.read_bytes() for found in folder.glob("*") if found.is_file()}
        return replace(outcome, paper=sent.path, why=outcome.why.replace(str(path), sent.path)), made


def _work(job: tuple[str, str, str, str, bool]) -> Outcome:
    path, folder, name, form, again = job
    return read_one(Path(path), Path(folder), name, form, again)


def read_all(
    papers: list[Path],
    folder: Path,
    form: str = "turtle",
    workers: int = 2,
    again: bool = False,
    progress: Callable[[int, int, Outcome], None] | None = None,
    hands: Hands | None = None,
) -> list[Outcome]:
    """Read many papers and write a report beside their drafts.

    Args:
        workers: processes; one reads here.
        hands: read the papers instead, on machines of their own.
        progress: is told how many are done, of how many, and the last outcome.
    Returns:
        an outcome for each paper, in their order.
    """
    called = names(papers)
    jobs = [(str(path), str(folder), called[path], form, again) for path in papers]
    outcomes: list[Outcome] = []

    def done(outcome: Outcome) -> None:
        outcomes.append(outcome)
        if progress:
            progress(len(outcomes), len(jobs), outcome)

    if hands:
        _spread(hands, jobs, done)
    elif workers <= 1 or len(jobs) < 2:
        for job in jobs:
            done(_work(job))
    else:
        rest = jobs
        while rest:
            before = len(outcomes)
            try:
                with ProcessPoolExecutor(min(workers, len(rest)), initializer=end_with_parent) as pool:
                    for outcome in pool.map(_work, rest, chunksize=1):
                        done(outcome)
                break
            except BrokenProcessPool:  # a worker was ended by the system: its paper is named, the rest goes on
                rest = jobs[len(outcomes) :]
                if len(outcomes) == before:
                    done(Outcome(rest[0][0], "failed", why=f"{rest[0][0]}: the process that read it was ended; give its text"))
                    rest = rest[1:]
    order = {path: at for at, (path, *_) in enumerate(jobs)}
    outcomes.sort(key=lambda outcome: order[outcome.paper])
    write_whole(folder / REPORT, json.dumps(report(outcomes), ensure_ascii=False, indent=1).encode("utf-8"))
    return outcomes


def _spread(hands: Hands, jobs: list[tuple[str, str, str, str, bool]], done: Callable[[Outcome], None]) -> None:
    """Have papers read elsewhere; what is kept, missing or too large is told here, and drafts are written here only."""
    into: dict[str, tuple[Path, str]] = {}

    def papers() -> Iterator[Sent]:
        for path, folder, name, form, again in jobs:
            place = Path(path)
            try:
                _, known = _kept(place, Path(folder), name, form)
                content = place.read_bytes() if place.stat().st_size < files.LARGEST and (again or not known) else None
            except OSError:
                content, known = None, None
            if content is None:
                done(known if known and not again else read_one(place, Path(folder), name, form, again))
                continue
            into[path] = (Path(folder), name)
            yield Sent(path, content, name, form)

    def back(sent: Sent, result: tuple[Outcome, dict[str, bytes]] | Exception) -> None:
        folder, name = into[sent.path]
        if isinstance(result, Exception):
            done(Outcome(sent.path, "failed", why=f"{sent.path}: no machine could read it ({result}); give its text"))
            return
        outcome, made = result
        key, _ = _kept(Path(sent.path), folder, name, sent.form)
        if outcome.state == "read" and outcome.key != key:
            outcome = Outcome(sent.path, "failed", why=f"{sent.path}: the machine that read it has other rules; install the same Sekinin there")
        if outcome.state == "read":
            for called, content in sorted(made.items(), key=lambda one: one[0].endswith(ENDINGS[sent.form])):  # the text before its draft
                write_whole(folder / called, content)
            outcome = replace(outcome, draft=str(folder / f"{name}.{ENDINGS[sent.form]}"))
            _remember(outcome, folder, name)
        done(outcome)

    hands(read_sent, papers(), back)


def report(outcomes: list[Outcome]) -> dict[str, Any]:
    """Return what the report says: counts, and each paper with how it went."""
    states = [outcome.state for outcome in outcomes]
    return {
        "papers": len(outcomes), **{state: states.count(state) for state in ("read", "kept", "failed")},
        "statements": sum(outcome.statements for outcome in outcomes), "outcomes": [asdict(outcome) for outcome in outcomes],
    }  # fmt: skip
