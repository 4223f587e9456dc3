"""The benchmarks run, and a short soak leaves the server as it was."""

from __future__ import annotations

import sys
from collections import Counter

import pytest
from conftest import HOUSE

from sekinin import build as builder

sys.path.insert(0, str(HOUSE / "benchmarks"))


@pytest.mark.whole
def test_a_short_soak(built: builder.Built) -> None:
    """Six hundred mixed requests from twenty clients: each has its status, memory and files are flat, nothing is left over."""
    import soak

    report = soak.soak(600, 20)
    assert [(what, seen) for what, seen, good in soak.verdicts(report) if not good] == []
    assert sum(sum(found.values()) for found in report.statuses.values()) == 600
    assert report.statuses[soak.COSTLY.name].keys() <= set(soak.COSTLY.right) and len(report.statuses) > 10


def test_what_is_wrong_is_told() -> None:
    """A wrong status, growing memory, open files or a worker left over: each is said not to hold."""
    import soak

    report = soak.Report(code=1, left=[7], spool=["x"], wrong=["page: 500"])
    report.memory = [(float(n), 100 + 10 * n, 50, 20 + 3 * n) for n in range(30)]
    report.statuses["page"] = Counter({500: 1})
    assert [good for *_, good in soak.verdicts(report)] == [False] * 6
