"""What whoever runs the server needs: health, figures, a line for each request, headers that protect, a bound on each client.

Nothing here tells a secret: no text of a query unless it is asked for, and no whole address of a client.
"""

from __future__ import annotations

import gzip
import json
import re
import secrets
import sys
import time
from datetime import UTC, datetime
from typing import Any, Final

from flask import Blueprint, Flask, Response, abort, current_app, g, request
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from werkzeug.exceptions import HTTPException
from werkzeug.middleware.proxy_fix import ProxyFix

from sekinin import describe, queries
from sekinin.errors import SekininError, TooMany
from sekinin.store import RemoteStore
from sekinin.workers import Job
from webapp.answers import answer, context, store, version
from webapp.rate import Rate, part
from webapp.serving import Settings

blueprint = Blueprint("operations", __name__)
HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; font-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": (
        "ETag, Link, Location, Retry-After, Sekinin-Part, Sekinin-Truncated, Sekinin-Version, X-Request-ID, X-Total-Count"
    ),
}
"""On every answer. The data are public, so that a page of anybody may read them; no page of ours runs or loads anything of others."""
PRIVATE: Final = "/review"
"""Where pages begin that write; no page of anybody else may read them."""
OWN: Final = {name: text for name, text in HEADERS.items() if not name.startswith("Access-Control-")} | {
    "Cross-Origin-Resource-Policy": "same-origin"
}
"""On every answer from there."""
METHODS: Final = ("GET", "HEAD", "POST", "OPTIONS")
FREE: Final = ("static", "operations.live", "operations.health")
"""Endpoints that no client uses up its rate with."""
_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")


class Operations:
    """What one application counts, and how it is set.

    Args:
        app: the application; its context must be there.
        settings: how it runs.
    """

    def __init__(self, app: Flask, settings: Settings) -> None:
        here = context(app)
        self.settings = settings
        self.rate = Rate(here.pool.limits.rate)
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.requests = Counter("sekinin_requests", "Requests answered", ("rule", "method", "status"), registry=self.registry)
        self.seconds = Histogram(
            "sekinin_request_seconds",
            "Seconds from the request to the start of its answer",
            ("rule",),
            registry=self.registry,
            buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10),
        )
        self.problems = Counter("sekinin_problems", "Problems told, by their kind", ("kind",), registry=self.registry)
        self.cut = Counter("sekinin_answers_cut_off", "Answers cut off at a limit", registry=self.registry)
        figures = {
            "sekinin_requests_over_rate": ("Requests refused because their client asked too often", lambda: self.rate.refused),
            "sekinin_clients": ("Clients whose rate is being kept", lambda: len(self.rate)),
            "sekinin_workers_running": ("Workers that answer a query now", lambda: here.pool.working()),
            "sekinin_workers_ended": ("Workers that were ended at a limit or died", lambda: here.pool.ended),
            "sekinin_cache_hits": ("Answers that were kept and found", lambda: here.cache.hits),
            "sekinin_cache_misses": ("Answers that had to be worked out", lambda: here.cache.misses),
            "sekinin_cache_bytes": ("Bytes of answers that are kept", lambda: here.cache.size),
        }
        for name, (what, value) in figures.items():
            Gauge(name, what, registry=self.registry).set_function(value)
        Gauge("sekinin_dataset_info", "The dataset that is served", ("version",), registry=self.registry).labels(here.version).set(1)


def protect(app: Flask, settings: Settings) -> None:
    """Make ``app`` one that may face others: bounds, headers, figures and a line for each request."""
    app.extensions["sekinin-operations"] = Operations(app, settings)
    app.config["MAX_CONTENT_LENGTH"] = app.config["MAX_FORM_MEMORY_SIZE"] = settings.body
    app.debug = False
    if settings.proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=settings.proxies, x_proto=settings.proxies, x_host=settings.proxies)  # type: ignore[method-assign]
    app.before_request_funcs.setdefault(None, []).insert(0, _begin)  # before anything that may answer
    app.after_request(_end)


def _here() -> Operations:
    found: Operations | None = current_app.extensions.get("sekinin-operations")
    if found is None:  # an application that nobody serves
        abort(404)
    return found


def _begin() -> None:
    here = _here()
    said = request.headers.get("X-Request-ID", "")
    g.began, g.request_id = time.perf_counter(), said if _ID.fullmatch(said) else secrets.token_hex(8)
    wait = 0 if request.endpoint in FREE else here.rate.wait(request.remote_addr or "")
    if wait:
        g.retry_after = wait
        raise TooMany("server", f"more than {here.rate.rate:g} requests a second for {here.rate.most / here.rate.rate:g} seconds", "wait a little")


def _end(response: Response) -> Response:
    here = _here()
    if "retry_after" in g:
        response.headers["Retry-After"] = str(g.retry_after)
    response.headers["X-Request-ID"] = g.request_id
    rule = request.url_rule.rule if request.url_rule else "none"
    method = request.method if request.method in METHODS else "other"
    took = time.perf_counter() - g.began
    here.requests.labels(rule, method, response.status_code).inc()
    here.seconds.labels(rule).observe(took)
    if response.mimetype == "application/problem+json" or response.status_code >= 400:
        here.problems.labels(str(g.get("problem", response.status_code))).inc()
    if "Sekinin-Truncated" in response.headers:
        here.cut.inc()
    if here.settings.log != "off":
        print(line(response, rule, took, here.settings), file=sys.stderr, flush=True)
    return response


def line(response: Response, rule: str, took: float, settings: Settings) -> str:
    """Return the line that tells a request: JSON, or words apart by blanks; never with a line break from the request in it.

    Args:
        rule: the pattern of its address.
        took: seconds.
    """
    address = request.remote_addr or ""
    said: dict[str, Any] = {
        "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "id": g.request_id,
        "method": request.method[:20],
        "path": request.path[:500],
        "rule": rule,
        "status": response.status_code,
        "ms": round(took * 1000, 1),
        "bytes": response.content_length,
        "format": response.mimetype,
        "client": {"part": part(address), "whole": address, "none": ""}[settings.log_clients],
        "version": version()[:12],
    }
    if settings.log_queries:
        said["query"] = request.values.get("query", "")[:10_000] or (
            request.get_data(as_text=True)[:10_000] if request.mimetype == "application/sparql-query" else ""
        )
    if settings.log == "json":
        return json.dumps(said, ensure_ascii=True)
    told = (said["time"], said["client"], said["method"], said["path"], said["status"], f"{said['ms']}ms", said.get("query", ""))
    return " ".join(json.dumps(str(each), ensure_ascii=False)[1:-1] for each in told if each != "")


PACKED: Final = ("text/html", "text/css", "text/javascript", "application/json", "image/svg+xml")
"""What is sent compressed to a client that takes it: pages and what they need, never a streamed answer."""
LEAST: Final = 1400
"""Bytes; less fits one packet."""


@blueprint.after_app_request
def packed(response: Response) -> Response:
    """Compress a page, where the client takes it; its tag becomes a weak one, as the bytes are others.

    Source: RFC 9110, sections 8.4 and 8.8.3.
    """
    if response.mimetype not in PACKED:
        return response
    response.vary.add("Accept-Encoding")
    plain = response.status_code != 200 or (response.is_streamed and not response.direct_passthrough) or "Content-Encoding" in response.headers
    if plain or "gzip" not in request.headers.get("Accept-Encoding", "") or request.method != "GET" or "Content-Range" in response.headers:
        return response
    response.direct_passthrough = False
    body = response.get_data()
    if len(body) < LEAST:
        return response
    response.set_data(gzip.compress(body, 5, mtime=0))
    response.headers["Content-Encoding"] = "gzip"
    tag, _ = response.get_etag()
    if tag:
        response.set_etag(tag, weak=True)
    return response


def private() -> bool:
    """Whether this request is for a page that only whoever runs the server may see."""
    return request.path == PRIVATE or request.path.startswith(PRIVATE + "/")


def local() -> bool:
    """Whether this request comes from this machine, and through no proxy."""
    passed_on = any(name in request.headers for name in ("X-Forwarded-For", "Forwarded", "X-Real-IP"))
    return request.remote_addr in ("127.0.0.1", "::1", "::ffff:127.0.0.1") and not passed_on


@blueprint.after_app_request
def protected(response: Response) -> Response:
    """Put on every answer the headers that protect its reader."""
    response.headers.extend(OWN if private() else HEADERS)
    return response


@blueprint.before_app_request
def preflight() -> Response | None:
    """Answer what a browser asks before a page of another site may send a query.

    Source: Fetch, section 3.2.2: CORS-preflight request.
    """
    if request.method != "OPTIONS" or "Access-Control-Request-Method" not in request.headers or private():
        return None
    response = current_app.make_default_options_response()
    response.headers["Access-Control-Allow-Methods"] = response.headers.get("Allow", "GET, HEAD, OPTIONS")
    response.headers["Access-Control-Allow-Headers"] = "Accept, Accept-Language, Content-Type, If-None-Match, If-Modified-Since, Range"
    response.headers["Access-Control-Max-Age"] = "86400"
    return response


@blueprint.get("/health/live")
def live() -> Response:
    """Say that the process answers."""
    return _told(200, {"status": "ok"})


@blueprint.get("/health")
def health() -> Response:
    """Say whether queries are answered: one is asked, past what is kept."""
    start = time.perf_counter()
    try:
        answer(Job(queries.bind(queries.get("resources/known"), {}).text()), keep=False)
        there = describe.held(store()) if isinstance(store(), RemoteStore) else (version(),)
    except (SekininError, HTTPException) as why:
        return _told(503, {"status": "failing", "why": type(why).__name__})
    if there is None or there[0] != version():  # somebody fills that server; what is kept here is of the version before
        return _told(503, {"status": "changed", "version": version(), "there": there[0] if there else None})
    return _told(200, {"status": "ok", "version": version(), "ms": round((time.perf_counter() - start) * 1000, 1)})


def _told(status: int, said: dict[str, object]) -> Response:
    response = Response(json.dumps(said), status=status, mimetype="application/json")
    response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.get("/metrics")
def metrics() -> Response:
    """Give the figures in the words of Prometheus, to whom the setting allows."""
    here = _here()
    if here.settings.metrics == "off" or (here.settings.metrics == "local" and not local()):
        abort(404)
    response = Response(generate_latest(here.registry))
    response.headers["Content-Type"] = CONTENT_TYPE_LATEST
    response.headers["Cache-Control"] = "no-store"
    return response
