"""How fast papers are read: one of forty pages, and a thousand on two processes, with the rate as it goes.

``python benchmarks/reading.py`` writes nothing; ``--write`` puts the table into benchmarks/results-reading.md. The papers are made here
from the titles of the frameworks and sentences of our own; the processor's time is given beside the clock's, since a machine may be shared.
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import tempfile
import time
from pathlib import Path

from sekinin.reading import draft, files, many, paper
from sekinin.reading.lexicon import framework

HERE = Path(__file__).resolve().parent
PAGE = 1_000
"""Characters of a page of a Japanese white paper."""
SENTENCES = (
    "弊社は手順を文書に定め、担当者が毎月点検しています。",
    "利用者は発行した番号の管理に責任を負います。",
    "取得した控えは{n}日間保持し、その後に消去します。",
    "重大な事象は検知から{n}時間以内に登録先へ通知します。",
    "記録は{n}か月間保存し、改ざんを防ぐため参照できる者を制限しています。",
    "作業の{n}営業日前までに電子メールで知らせます。",
    "詳細はサービス仕様書をご参照ください。",
    "基盤の設備は AWS の責任となります。",
    "通信は TLS1.2 以上で暗号化しています。",
    "この機能は提供しておりません。",
)


def made(pages: int, seed: int = 1) -> str:
    """Return a paper of so many pages: contents, controls with bodies, and heads that return on every page."""
    chance = random.Random(seed)
    titles = [(n, t[-1]) for prefix in ("c17", "c13") for n, t in framework(prefix).titles.items() if n.count(".") >= 2]
    titles = list(dict(titles).items())
    out = [
        f"株式会社試験{seed} ホワイトペーパー",
        "ISO/IEC 27017:2015",
        "目次",
        *(f"{n} {t}......{i // 4 + 1}" for i, (n, t) in enumerate(titles)),
        "",
    ]
    length = sum(map(len, out))
    each = max(60, (pages * PAGE - length) // len(titles))
    for number, title in titles:
        if length > pages * PAGE:
            break
        body = ""
        while len(body) < each:
            body += chance.choice(SENTENCES).format(n=chance.randint(1, 99))
        out += [f"{number} {title}", "", *(body[at : at + 42] for at in range(0, len(body), 42)), ""]
        length += len(title) + len(body)
    return "\n".join(out)


def one(pages: int) -> tuple[float, float, int]:
    """Return the clock's and the processor's seconds for reading and drafting a paper, and its characters."""
    text = made(pages)
    draft.turtle_of(paper.understand(files.Source("first", "text", made(1))))  # rules and frameworks are read once
    clock, own = time.perf_counter(), time.process_time()
    draft.turtle_of(paper.understand(files.Source("acme", "text", text, files.pages_of(text))))
    return time.perf_counter() - clock, time.process_time() - own, len(text)


def thousand(count: int, pages: int, workers: int) -> list[tuple[int, float]]:
    """Return after how many seconds each tenth of so many papers was done."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "papers"
        folder.mkdir()
        for number in range(count):
            (folder / f"paper-{number:04}.txt").write_text(made(pages, number), encoding="utf-8")
        marks: list[tuple[int, float]] = []
        start = time.perf_counter()

        def progress(done: int, of: int, _: many.Outcome) -> None:
            if done % max(1, of // 10) == 0:
                marks.append((done, time.perf_counter() - start))

        outcomes = many.read_all(sorted(folder.iterdir()), Path(place) / "drafts", workers=workers, progress=progress)
        assert all(outcome.state == "read" for outcome in outcomes)
        return marks


def table(count: int, pages: int, workers: int) -> str:
    clock, own, length = one(40)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    marks = thousand(count, pages, workers)
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    rows = [
        "# Reading papers",
        "",
        f"Load of the machine while this ran: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores.",
        "",
        "| what | figure |",
        "| --- | --- |",
        f"| 40 pages ({length:,} characters) into a draft, clock | {clock:.2f} s |",
        f"| the same, processor | {own:.2f} s |",
        f"| memory at most | {memory:.0f} MB |",
        f"| {count:,} papers of {pages} pages, {workers} processes, clock | {marks[-1][1]:.1f} s, {count / marks[-1][1]:.1f} papers a second |",
        f"| the same, processor | {children.ru_utime:.1f} s, memory of a process at most {children.ru_maxrss / 1024:.0f} MB |",
        "",
        "| papers done | seconds | papers a second since the row before |",
        "| --- | --- | --- |",
    ]
    done, at = 0, 0.0
    for number, seconds in marks:
        rows.append(f"| {number:,} | {seconds:.1f} | {(number - done) / (seconds - at):.1f} |")
        done, at = number, seconds
    return "\n".join(rows) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--papers", type=int, default=1_000)
    parser.add_argument("--pages", type=int, default=5)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--write", action="store_true", help="put the table into benchmarks/results-reading.md")
    given = parser.parse_args()
    said = table(given.papers, given.pages, given.workers)
    print(said)
    if given.write:
        (HERE / "results-reading.md").write_text(said, encoding="utf-8")


if __name__ == "__main__":
    main()
