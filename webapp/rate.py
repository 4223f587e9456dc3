"""How often one client may ask: a bucket of tokens for each, filled steadily, with room for a burst.

The buckets of those who asked last are kept, so that a thousand addresses cost no more than a thousand entries.
"""

from __future__ import annotations

import ipaddress
import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

BURST: Final = 10
"""Seconds' worth of requests that may come at once."""
CLIENTS: Final = 10_000
"""Buckets that are kept; the ones unused for longest go first."""


class Rate:
    """The buckets of one server; safe for threads.

    Args:
        rate: requests a second that a client may send for long.
        clock: seconds, from any start.
    """

    def __init__(self, rate: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.rate, self.most, self.clock = rate, max(1.0, rate * BURST), clock
        self.refused = 0
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._buckets)

    def wait(self, address: str) -> int:
        """Take a token for the client at ``address``; return 0, or if there is none the seconds until the next one."""
        name, now = client(address), self.clock()
        with self._lock:
            tokens, since = self._buckets.pop(name, (self.most, now))
            tokens = min(self.most, tokens + (now - since) * self.rate)
            missing = max(0.0, 1.0 - tokens)
            self._buckets[name] = (tokens if missing else tokens - 1.0, now)
            if len(self._buckets) > CLIENTS:
                self._buckets.popitem(last=False)
            self.refused += bool(missing)
            return math.ceil(missing / self.rate)


def client(address: str) -> str:
    """Return who ``address`` stands for: of IPv6 the network of 64 bits, which one household or machine has to itself."""
    try:
        known = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return "unknown"
    if known.version == 6:
        mapped = known.ipv4_mapped
        return str(mapped) if mapped else str(ipaddress.ip_network((known, 64), strict=False))
    return str(known)


def part(address: str) -> str:
    """Return an address without what tells one machine from its neighbours: the last of four numbers, all but 48 bits of IPv6."""
    name = client(address)
    if name == "unknown":
        return name
    return str(ipaddress.ip_network((name.partition("/")[0], 48 if ":" in name else 24), strict=False))
