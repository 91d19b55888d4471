"""The page itself."""

from __future__ import annotations

from importlib import resources

import falcon
from markupsafe import Markup

from workersai_server.credentials import ApiRequest
from workersai_server.web.api_docs import reference
from workersai_server.web.markdown import rendered
from workersai_server.web.translations import Language
from workersai_server.web.visits import Page, Site

__all__ = ["add_routes"]

_SECTIONS = ("introduction", "authentication", "test-mode", "callbacks", "lists", "limits", "errors")


def add_routes(app: falcon.App[ApiRequest, falcon.Response], site: Site) -> None:
    """Add the page."""
    app.add_route("/docs", Docs(site))


class Docs(Page):
    """``/docs``: for anyone, in the reader's language."""

    def on_get(self, req: ApiRequest, resp: falcon.Response) -> None:
        """Show everything on one page, so that the browser's own search finds it too."""
        visit = self.site.visit(req, resp)
        url = req.prefix
        visit.page(
            "docs.html",
            prose={name: _prose(name, visit.language, url) for name in _SECTIONS},
            tags=reference.entries(url, visit.language),
            types=reference.types(self.site.engine, self.site.settings, visit.language),
            codes=reference.codes(visit.language),
            free_requests=self.site.settings.free_requests,
        )


def _prose(name: str, language: Language, url: str) -> Markup:
    file = resources.files(__package__).joinpath("prose", language, f"{name}.md")
    return rendered(file.read_text(encoding="utf-8").replace("https://labels.example", url))
