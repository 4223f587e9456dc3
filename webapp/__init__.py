"""The explorer: pages for people, and a SPARQL endpoint for programs, over one store."""

from __future__ import annotations

import signal
import socket
from datetime import datetime
from types import FrameType

from flask import Flask

from sekinin.store import Store
from sekinin.workers import Pool
from webapp import data, endpoint, graphstore, linked, pages, problems
from webapp.answers import Context


def create_app(store: Store, pool: Pool | None = None, version: str = "unknown", made: datetime | None = None) -> Flask:
    """Return the application.

    Args:
        store: answers our own saved questions; open for reading only.
        pool: answers everybody's queries, within limits; without one, as with another server, the store does.
        version: of the dataset, as each answer names it.
        made: when the dataset was built.
    """
    app = Flask(__name__)
    app.extensions["sekinin"] = Context(store, pool, version, made)
    app.config["MAX_CONTENT_LENGTH"] = 4 * 1024 * 1024
    app.config["MAX_FORM_MEMORY_SIZE"] = 4 * 1024 * 1024
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    app.jinja_env.globals.update(pages.GLOBALS)
    for part in (problems, endpoint, pages, graphstore, linked, data):
        app.register_blueprint(part.blueprint)
    return app


def run(app: Flask, listener: socket.socket, threads: int = 8) -> None:
    """Serve ``app`` on ``listener`` until SIGTERM or SIGINT, answering what was begun."""
    from waitress.server import create_server

    server = create_server(app, sockets=[listener], threads=threads, ident=None)

    def stop(_signal: int, _frame: FrameType | None) -> None:
        raise SystemExit(0)

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    try:
        server.run()
    finally:
        server.close()
