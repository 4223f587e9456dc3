"""The explorer: pages for people, and a SPARQL endpoint for programs, over one store."""

from __future__ import annotations

from datetime import datetime

from flask import Flask

from sekinin.store import Store
from sekinin.workers import Gate, Pool
from webapp import (
    api,
    atlas,
    commitments,
    completion,
    conformance,
    controls,
    data,
    duties,
    endpoint,
    findings,
    glossary,
    graphstore,
    linked,
    operations,
    pages,
    problems,
    profiles,
    questions,
    review,
    search,
    source,
)
from webapp.answers import Context
from webapp.serving import Settings

PARTS = (
    operations,
    problems,
    endpoint,
    completion,
    pages,
    atlas,
    duties,
    commitments,
    controls,
    profiles,
    source,
    questions,
    search,
    glossary,
    findings,
    graphstore,
    linked,
    data,
    api,
    conformance,
    review,
)


def create_app(
    store: Store, pool: Pool | Gate | None = None, version: str = "unknown", made: datetime | None = None, settings: Settings | None = None
) -> Flask:
    """Return the application.

    Args:
        store: answers our own saved questions; open for reading only.
        pool: answers everybody's queries, within limits; without one the store does, within those that are set.
        version: of the dataset, as each answer names it.
        made: when the dataset was built.
        settings: of the server that others will ask; without them there is no bound on a client, no figure and no log.
    """
    app = Flask(__name__)
    app.extensions["sekinin"] = Context(store, pool, version, made, None if settings is None else settings.cache * 1024 * 1024)
    app.config["MAX_CONTENT_LENGTH"] = 4 * 1024 * 1024
    app.config["MAX_FORM_MEMORY_SIZE"] = 4 * 1024 * 1024
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    app.jinja_env.globals.update(pages.GLOBALS)
    for part in PARTS:
        app.register_blueprint(part.blueprint)
    if settings is not None:
        operations.protect(app, settings)
    return app
