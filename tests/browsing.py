"""A browser as a test meets it: headless Chromium of the system, and pages that must ask nobody but the server and complain of nothing."""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from serving import Server

CHROMIUM = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@contextmanager
def chromium() -> Iterator[Any]:
    """Run a headless Chromium; the test is skipped, with the reason, where there is none or nothing that drives it."""
    executable = shutil.which("chromium")
    if not executable:
        pytest.skip("chromium is not installed")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        pytest.skip("playwright is not installed: pip install playwright")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=executable, args=CHROMIUM)
        yield running
        running.close()


@contextmanager
def visiting(browser: Any, server: Server, path: str = "", lang: str = "ja", status: int = 200, **context: Any) -> Iterator[Any]:
    """Open a page in a context of its own.

    At the end every request must have gone to this server, and neither the console nor a script may have told an error or a warning;
    that a page which must answer with an error did so is no complaint. The page carries its policy as ``policy`` and, for a test that
    provokes them, what was told and asked as ``complaints`` and ``asked``.

    Args:
        path: without a slash at its head.
        context: settings of Playwright, as ``color_scheme="dark"``.
    """
    within = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **context})
    page = within.new_page()
    page.set_default_timeout(20_000)
    told: list[str] = []
    asked: list[str] = []
    page.on("console", lambda said: told.append(said.text) if said.type in ("error", "warning") else None)
    page.on("pageerror", lambda why: told.append(str(why)))
    within.on("request", lambda request: asked.append(request.url))
    try:
        answer = page.goto(server.address + path + ("&" if "?" in path else "?") + f"lang={lang}")
        assert answer.status == status, f"{path}: {answer.status}"
        page.complaints, page.asked = told, asked
        page.policy = answer.headers.get("content-security-policy", "")
        yield page
        page.wait_for_load_state("networkidle" if page.locator(".cm-content").count() else "load")
        outside = [url for url in asked if not url.startswith((server.address, "data:", "file:"))]
        assert asked and not outside, f"{path} asks {outside}"
        left = [each for each in told if status == 200 or not re.search(rf"status of {status}\b", each)]
        assert not left, f"{path}: {left}"
    finally:
        within.close()


def eventually(page: Any, condition: str, seconds: float = 10) -> None:
    """Wait until a condition in JavaScript holds.

    Playwright's own ``wait_for_function`` evaluates inside the page whenever the first look is too early, which the strict policy refuses.
    """
    end = time.monotonic() + seconds
    while not page.evaluate(condition):
        assert time.monotonic() < end, f"never came true: {condition}"
        page.wait_for_timeout(50)
