"""Papers read by machines elsewhere, on a Dask cluster, with the same results as at home.

A machine that dies gives its papers back, and another reads them; a paper that cannot be read is told and stops no other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol, TypeVar

from sekinin.errors import BadQuery, Missing, SekininError, StoreFailure
from sekinin.parts import Crew, Ground, Part, Source, attempt

TOGETHER = 8
"""Papers in one task."""
AHEAD = 2
"""Tasks for each thread of the cluster that are on their way at once: papers that wait here need no memory."""
PATIENCE = 10.0
"""Seconds in which a scheduler must answer."""


Task = TypeVar("Task")
Result = TypeVar("Result")


class Hands(Protocol):
    """Whoever does tasks that need nothing but what they are given."""

    def __call__(self, work: Callable[[Task], Result], tasks: Iterable[Task], done: Callable[[Task, Result | Exception], None]) -> None:
        """Do ``work`` on each of ``tasks`` in any order, and tell each result, or what went wrong, as it comes."""
        ...


def _work(ground: Ground, sources: list[Source]) -> list[Part | SekininError]:
    return [attempt(ground, source) for source in sources]


def _checked(address: str) -> None:
    if not address.startswith(("tcp://", "tls://", "ws://", "wss://")):
        raise BadQuery("--scheduler", f"{address!r} is no address of a scheduler", "write it whole, as tcp://host:8786")
    try:
        import distributed
    except ImportError as why:
        raise Missing("dask.distributed", "it is not installed", "pip install 'sekinin[dask]'") from why
    del distributed


@contextmanager
def _connected(address: str) -> Iterator[Any]:
    """Hold a connection to a scheduler that has workers."""
    from distributed import Client

    try:
        client = Client(address, timeout=PATIENCE, set_as_default=False)
    except (OSError, TimeoutError) as why:
        raise StoreFailure(address, f"no scheduler answers there ({why})", "start one: dask scheduler") from why
    with client:
        if not client.scheduler_info()["workers"]:
            raise StoreFailure(address, "the scheduler has no workers", f"start some: dask worker {address}")
        yield client


def cluster(address: str) -> Crew:
    """Return a crew of the workers of the scheduler at ``address``, such as ``tcp://10.0.0.5:8786``.

    Raises:
        Missing: if ``dask.distributed`` is not installed; BadQuery for what is no address.
    """
    _checked(address)

    def crew(ground: Ground, sources: Sequence[Source], done: Callable[[Source, Part | SekininError], None]) -> None:
        from distributed import as_completed

        with _connected(address) as client:
            groups = [list(sources[at : at + TOGETHER]) for at in range(0, len(sources), TOGETHER)]
            known = client.scatter(ground, broadcast=True)
            waiting = {client.submit(_work, known, group, retries=3, pure=False): group for group in groups}
            for future in as_completed(waiting, loop=client.loop):
                if future.status != "finished":
                    raise StoreFailure(address, f"the cluster could not do the work ({future.exception()})", "look at its workers")
                for source, result in zip(waiting[future], future.result(), strict=True):
                    done(source, result)

    return crew


def hands(address: str) -> Hands:
    """Return the workers of the scheduler at ``address`` for tasks that stand alone; one that fails is told, and the rest goes on.

    Raises:
        Missing: if ``dask.distributed`` is not installed; BadQuery for what is no address.
    """
    _checked(address)

    def every(work: Callable[[Task], Result], tasks: Iterable[Task], done: Callable[[Task, Result | Exception], None]) -> None:
        from distributed import as_completed

        with _connected(address) as client:
            left = iter(tasks)
            waiting: dict[Any, Task] = {}
            coming = as_completed(loop=client.loop)

            def send() -> None:
                for task in left:
                    future = client.submit(work, task, retries=3, pure=False)
                    waiting[future] = task
                    coming.add(future)
                    return

            for _ in range(AHEAD * sum(client.nthreads().values())):
                send()
            for future in coming:
                task = waiting.pop(future)
                done(task, future.result() if future.status == "finished" else future.exception())
                send()

    return every
