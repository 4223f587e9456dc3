"""What was worked out is kept, up to a bound: the data do not change under a version."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Kept(Generic[K, V]):
    """The values that were wanted last; safe for threads. What is kept must not be changed.

    Args:
        most: of the sum of all sizes.
        size: of a key and its value, in whatever unit the bound has.
    """

    def __init__(self, most: int, size: Callable[[K, V], int]) -> None:
        self.most, self.size, self.hits, self.misses = most, 0, 0, 0
        self._sized = size
        self._kept: OrderedDict[K, V] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: K) -> V | None:
        """Return what is kept for ``key``, if anything is."""
        with self._lock:
            found = self._kept.get(key)
            if found is None:
                self.misses += 1
            else:
                self.hits += 1
                self._kept.move_to_end(key)
            return found

    def put(self, key: K, value: V) -> None:
        """Keep ``value``, and drop the oldest that no longer fit."""
        with self._lock:
            if key not in self._kept:  # two may have worked at once
                self._kept[key] = value
                self.size += self._sized(key, value)
            while self.size > self.most and self._kept:
                self.size -= self._sized(*self._kept.popitem(last=False))
