"""A process of a pool ends with the one that started it: it would wait for work for ever, and hold its memory."""

from __future__ import annotations

import os
import threading
from multiprocessing import parent_process
from multiprocessing.connection import wait


def end_with_parent() -> None:
    """From now on end this process when the one that started it ends, however that ends; for the beginning of each process of a pool."""
    parent = parent_process()
    if parent:
        threading.Thread(target=_end_after, args=(parent.sentinel,), daemon=True).start()


def _end_after(sentinel: int) -> None:
    wait([sentinel])
    os._exit(1)
