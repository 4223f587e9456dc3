"""The explorer: pages for people, and a SPARQL endpoint for programs, over one store."""

from __future__ import annotations

import signal
import socket
from types import FrameType

from flask import Flask

from sekinin.store import Store
from webapp import endpoint, pages


def create_app(store: Store) -> Flask:
    """Return the application over ``store``, which is open for reading only."""
    app = Flask(__name__)
    app.config["STORE"] = store
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    app.jinja_env.globals.update(pages.GLOBALS)
    app.register_blueprint(endpoint.blueprint)
    app.register_blueprint(pages.blueprint)
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
