"""A real browser: Debian's Chromium through Playwright."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, sync_playwright

_NAMES = ("chromium", "chromium-browser", "google-chrome")
_QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def executable() -> str:
    """Return where the browser is; without one the test is skipped with the remedy."""
    found = next((path for name in _NAMES if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip("there is no Chromium; run `apt-get install -y chromium` for the tests of the pages")
    return found


@contextmanager
def browser() -> Iterator[Browser]:
    """Give a browser for the length of a `with` block."""
    path = executable()
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=list(_QUIET))
        try:
            yield started
        finally:
            started.close()


class Watch:
    """What a page complains of: errors in the console, broken policies, requests to other origins."""

    def __init__(self, page: Page, origin: str, *, allowed: tuple[str, ...] = ()) -> None:
        self.complaints: list[str] = []
        self._allowed = (origin, "data:", "blob:", *allowed)
        page.on("console", self._said)
        page.on("pageerror", lambda error: self.complaints.append(f"page error: {error}"))
        page.on("request", self._asked)

    def _said(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(f"{message.type}: {message.text}")

    def _asked(self, request: Request) -> None:
        if not request.url.startswith(self._allowed):
            self.complaints.append(f"request to another origin: {request.url}")

    def allow(self, address: str) -> None:
        """Let the page ask for this address, and for those that begin with it."""
        self._allowed += (address,)

    def forget(self, text: str) -> None:
        """Take back complaints that a test has provoked."""
        self.complaints = [each for each in self.complaints if text not in each]


def cookie(url: str, name: str, value: str) -> Any:
    """Return a cookie as Playwright wants it."""
    return {"url": url, "name": name, "value": value}
