"""The server that runs for real: waitress, one process that holds the workers and the answers that are kept.

It answers what was begun before it stops, and no client can hold a thread by sending or reading slowly.
"""

from __future__ import annotations

import signal
import socket
import time
from dataclasses import dataclass, field
from types import FrameType
from typing import Any, Final

from flask import Flask
from waitress import wasyncore
from waitress.server import create_server

PREFIX: Final = "SEKININ_SERVE_"
BUFFERED: Final = 1 << 40
"""Bytes of one answer that wait for a slow reader without holding a thread; beyond a megabyte they wait in a file."""


@dataclass(frozen=True)
class Settings:
    """How the server runs. Each is a setting ``SEKININ_SERVE_<NAME>``.

    Args:
        threads: requests that are answered at the same time; queries have a limit of their own.
        connections: most open connections.
        header: bytes of the headers of a request, the address among them.
        body: bytes of the body of a request.
        idle: seconds after which a connection on which nothing happens is closed.
        grace: seconds that answers may still take when the server is told to stop.
        cache: megabytes of answers that are kept; 0 keeps none.
        proxies: proxies of yours in front whose X-Forwarded headers count; 0 believes none.
        log: how each request is told on standard error: ``json``, ``plain`` or ``off``.
        log_queries: 1 also tells the text of queries; 0 does not.
        log_clients: how a client is told: ``part`` of its address, ``whole`` or ``none``.
        metrics: who may see /metrics: ``local`` for this machine alone, ``all`` or ``off``.
        review: 1 also serves the pages of review, which write drafts, to this machine alone; 0 does not.
    """

    threads: int = 8
    connections: int = 1000
    header: int = 256 * 1024
    body: int = 4 * 1024 * 1024
    idle: float = 60.0
    grace: float = 10.0
    cache: int = field(default=64, metadata={"off": True})
    proxies: int = field(default=0, metadata={"off": True})
    log: str = field(default="plain", metadata={"choices": ("json", "plain", "off")})
    log_queries: int = field(default=0, metadata={"off": True})
    log_clients: str = field(default="part", metadata={"choices": ("part", "whole", "none")})
    metrics: str = field(default="local", metadata={"choices": ("local", "all", "off")})
    review: int = field(default=0, metadata={"off": True})


def run(app: Flask, listener: socket.socket, settings: Settings) -> None:
    """Serve ``app`` on ``listener`` until SIGTERM or SIGINT.

    Then nothing new is accepted, and what was begun has ``settings.grace`` seconds; a second signal ends it at once.
    """
    channels: dict[int, Any] = {}
    server = create_server(
        app,
        map=channels,
        sockets=[listener],
        threads=settings.threads,
        connection_limit=settings.connections,
        max_request_header_size=settings.header,
        max_request_body_size=4 * settings.body,  # what is not much larger is refused by the application, in words
        channel_timeout=settings.idle,
        outbuf_high_watermark=BUFFERED,
        clear_untrusted_proxy_headers=False,  # without ``proxies`` the application believes none; /metrics sees that there is one
        asyncore_use_poll=True,
        ident=None,
    )
    until: list[float] = []

    def stop(_signal: int, _frame: FrameType | None) -> None:
        if until:
            raise SystemExit(1)
        until.append(time.monotonic() + settings.grace)
        server.pull_trigger()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    try:
        while not until:
            wasyncore.loop(timeout=1, map=channels, use_poll=True, count=1)
        wasyncore.dispatcher.close(server)  # the socket that listens; the channels stay
        while time.monotonic() < until[0] and any(_at_work(each) for each in channels.values()):
            wasyncore.loop(timeout=0.1, map=channels, use_poll=True, count=1)
    finally:
        server.task_dispatcher.shutdown(timeout=1)
        for each in list(channels.values()):
            each.close()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)  # it is ending


def _at_work(channel: Any) -> bool:
    """Whether a connection waits for an answer, or for the rest of one."""
    return bool(getattr(channel, "requests", None)) or getattr(channel, "total_outbufs_len", 0) > 0
