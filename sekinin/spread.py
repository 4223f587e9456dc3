"""Papers read by machines elsewhere: the work of ``parts`` on a Dask cluster, with the same results as at home.

A machine that dies gives its papers back, and another reads them; a paper that cannot be read is told and stops no other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sekinin.errors import BadQuery, Missing, SekininError, StoreFailure
from sekinin.parts import Crew, Ground, Part, Source, attempt

TOGETHER = 8
"""Papers in one task."""
PATIENCE = 10.0
"""Seconds in which a scheduler must answer."""


def _work(ground: Ground, sources: list[Source]) -> list[Part | SekininError]:
    return [attempt(ground, source) for source in sources]


def cluster(address: str) -> Crew:
    """Return a crew of the workers of the scheduler at ``address``, such as ``tcp://10.0.0.5:8786``.

    Raises:
        Missing: if ``dask.distributed`` is not installed; BadQuery for what is no address.
    """
    if not address.startswith(("tcp://", "tls://", "ws://", "wss://")):
        raise BadQuery("--scheduler", f"{address!r} is no address of a scheduler", "write it whole, as tcp://host:8786")
    try:
        from distributed import Client, as_completed
    except ImportError as why:
        raise Missing("dask.distributed", "it is not installed", "pip install 'sekinin[dask]'") from why

    def crew(ground: Ground, sources: Sequence[Source], done: Callable[[Source, Part | SekininError], None]) -> None:
        try:
            client = Client(address, timeout=PATIENCE, set_as_default=False)
        except (OSError, TimeoutError) as why:
            raise StoreFailure(address, f"no scheduler answers there ({why})", "start one: dask scheduler") from why
        with client:
            if not client.scheduler_info()["workers"]:
                raise StoreFailure(address, "the scheduler has no workers", f"start some: dask worker {address}")
            groups = [list(sources[at : at + TOGETHER]) for at in range(0, len(sources), TOGETHER)]
            known = client.scatter(ground, broadcast=True)
            waiting = {client.submit(_work, known, group, retries=3, pure=False): group for group in groups}
            for future in as_completed(waiting, loop=client.loop):
                if future.status != "finished":
                    raise StoreFailure(address, f"the cluster could not do the work ({future.exception()})", "look at its workers")
                for source, result in zip(waiting[future], future.result(), strict=True):
                    done(source, result)

    return crew
