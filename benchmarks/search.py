"""Measure the search over many short texts in Japanese and English that are made up, on this machine.

``python benchmarks/search.py`` writes a million into an index in a folder of its own and prints a table;
``--write`` puts it into benchmarks/results-search.md too. A number as an argument takes that many.
"""

from __future__ import annotations

import random
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from sekinin.search import Entry, Index, write

HOUSE = Path(__file__).resolve().parent.parent
REPEATS = 20
NOUNS = {
    "バックアップ": "backup", "アクセス": "access", "暗号化": "encryption", "鍵": "key", "ログ": "log", "認証": "authentication", "障害": "failure",
    "通知": "notice", "契約": "contract", "データ": "data", "サーバー": "server", "ネットワーク": "network", "脆弱性": "vulnerability",
    "監視": "monitoring", "委託先": "supplier", "責任": "responsibility", "利用者": "customer", "提供者": "provider", "復旧": "recovery",
    "保存期間": "retention", "パスワード": "password", "アカウント": "account", "端末": "terminal", "規程": "regulation", "教育": "training",
    "訓練": "exercise", "監査": "audit", "証明書": "certificate", "削除": "deletion", "廃棄": "disposal",
}  # fmt: skip
VERBS = {"定める": "defines", "確認する": "confirms", "保護する": "protects", "管理する": "manages", "記録する": "records", "見直す": "reviews"}
ASKED = (
    "バックアップ", "backup", "ｱｸｾｽ", "あくせす", "暗号化", "鍵", "責任", "12.3.1", "CLD.13.1.4", "back", "a", "データ", "アクセス 監査",
    "encryption of the log", "サーバーのパスワード", "service 777", "バックアツプ", "nothing of this kind",
)  # fmt: skip


def entries(number: int) -> Iterator[Entry]:
    """Yield made-up entries, the same in each run: about 25 Japanese letters and ten English words each."""
    dice = random.Random(1)
    nouns, verbs = list(NOUNS.items()), list(VERBS.items())
    for place in range(number):
        one, two, three = dice.sample(nouns, 3)
        verb = dice.choice(verbs)
        service = f"{dice.choice('ABCDEFGHIJ')}{place % 1000}"
        notation = f"{dice.randint(1, 18)}.{dice.randint(1, 9)}.{dice.randint(1, 9)}" if place % 10 == 0 else ""
        ja = f"サービス{service}の{one[0]}と{two[0]}の{three[0]}を{verb[0]}"
        en = f"service {place % 1000} {verb[1]} the {three[1]} of {one[1]} and {two[1]}"
        yield Entry(f"urn:entry:{place}", f"urn:kind:{place % 12}", (ja,), (en,), notation, f"urn:service:{place % 1000}")


def measure(number: int) -> list[str]:
    """Return the lines of the table."""
    with tempfile.TemporaryDirectory() as room:
        folder = Path(room) / "search"
        start = time.perf_counter()
        write(folder, entries(number))
        took = time.perf_counter() - start
        size = sum(path.stat().st_size for path in folder.iterdir())
        index = Index.open(folder)
        lines = [f"{number:,} entries: written in {took:.0f} s, {size / 1e6:.0f} MB", ""]
        lines += ["| typed | found | median ms | worst ms | suggest, median ms | by kind, median ms |", "| --- | ---: | ---: | ---: | ---: | ---: |"]
        for text in ASKED:
            found = [timed(lambda text=text: index.find(text, 20)) for _ in range(REPEATS)]
            suggested = [timed(lambda text=text: index.suggest(text)) for _ in range(REPEATS)]
            kinds = [timed(lambda text=text: index.kinds(text)) for _ in range(REPEATS)]
            figures = [statistics.median(found), max(found), statistics.median(suggested), statistics.median(kinds)]
            lines.append(f"| {text} | {index.find(text)[0]:,} | " + " | ".join(f"{each:.1f}" for each in figures) + " |")
        near = {text: timed(lambda text=text: index.nearest(text)) for text in ("バックアツプ", "encription", "bakcup")}
        lines += ["", "Near spellings, each once: " + ", ".join(f"{text} {took:.0f} ms" for text, took in near.items()) + "."]
    return lines


def timed(action: object) -> float:
    """Return the milliseconds that ``action`` takes."""
    start = time.perf_counter()
    action()  # type: ignore[operator]
    return 1000 * (time.perf_counter() - start)


if __name__ == "__main__":
    said = [word for word in sys.argv[1:] if word.isdigit()]
    table = measure(int(said[0]) if said else 1_000_000)
    print("\n".join(table))
    if "--write" in sys.argv:
        head = "# Search over many short texts\n\n`python benchmarks/search.py --write`; count and best twenty together.\n\n"
        (HOUSE / "benchmarks" / "results-search.md").write_text(head + "\n".join(table) + "\n", encoding="utf-8")
