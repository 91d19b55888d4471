"""The pages over an engine in memory, and a browser without JavaScript."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlencode

import attrs
import falcon.testing

from support.accounts import House, house
from workersai_server.answers import Answers
from workersai_server.metrics import Metrics
from workersai_server.settings import Settings
from workersai_server.web.app import create_site
from workersai_server.web.visits import Site


class _Page(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.text: list[str] = []
        self.hidden: dict[str, str] = {}
        self._silent = 0
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag in ("script", "style"):
            self._silent += 1
        if tag == "input" and given.get("type") == "hidden":
            self.hidden[given["name"] or ""] = given.get("value") or ""

    def handle_endtag(self, tag: str) -> None:
        if tag in ("script", "style"):
            self._silent -= 1

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.text.append(data)


def text_of(html: str) -> str:
    """Return what a person reads on a page, with single spaces."""
    return re.sub(r"\s+", " ", " ".join(_Page(html).text)).strip()


@attrs.define
class Browser:
    """Keeps cookies, follows redirects, sends forms with their hidden fields."""

    client: falcon.testing.TestClient
    cookies: dict[str, str] = attrs.field(factory=dict)
    headers: dict[str, str] = attrs.field(factory=lambda: {"Accept": "text/html"})
    page: str = ""
    path: str = "/"

    def get(self, path: str) -> falcon.testing.Result:
        """Open a page, wherever it leads."""
        return self._go("GET", path)

    def post(self, path: str, fields: Mapping[str, Any] | None = None, *, csrf: str | None = None) -> Any:
        """Send a form of the page that is open."""
        hidden = _Page(self.page).hidden
        sent = {"csrf": hidden.get("csrf", "") if csrf is None else csrf, **(fields or {})}
        return self._go("POST", path, urlencode(sent, doseq=True))

    def _go(self, method: str, path: str, body: str | None = None) -> falcon.testing.Result:
        headers = dict(self.headers)
        if self.cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        where, _, query = path.partition("?")
        result = self.client.simulate_request(method, where, query_string=query, headers=headers, body=body)
        for name, cookie in result.cookies.items():
            if cookie.value and cookie.max_age != 0:
                self.cookies[name] = cookie.value
            else:
                self.cookies.pop(name, None)
        if result.status_code == 303:
            return self._go("GET", result.headers["location"])
        self.page, self.path = result.text, path
        return result


@attrs.define
class Pages:
    """A house with pages."""

    house: House
    client: falcon.testing.TestClient
    site: Site

    def browser(self, **headers: str) -> Browser:
        """Return a new browser."""
        browser = Browser(self.client)
        browser.headers |= {name.replace("_", "-"): value for name, value in headers.items()}
        return browser


def pages(*, plugins: Sequence[object] = (), **settings: Any) -> Pages:
    """Return pages with further plugins, under some settings; sign-up is open unless they say otherwise."""
    chosen = {"sign_up": "open", **settings}
    home = house(plugins=plugins, **chosen)
    settings = Settings(**chosen)
    site = Site(home.engine, home.accounts, Answers(home.engine, settings.undo_s), settings)
    return Pages(home, falcon.testing.TestClient(create_site(site, Metrics(home.engine))), site)
