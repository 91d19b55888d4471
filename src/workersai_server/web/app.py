"""The pages as a WSGI application of their own, beside the API's.

They have other errors (pages instead of problem documents) and other ways to
say who asks (a session instead of a key), so that neither can reach into the
other. `PREFIXES` are the addresses that are theirs.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import falcon

from workersai_core import WorkersAIError
from workersai_server import problems
from workersai_server.credentials import ApiRequest
from workersai_server.errors import MethodNotAllowed, RouteNotFound, Unauthenticated
from workersai_server.metrics import Metrics
from workersai_server.perimeter import Perimeter
from workersai_server.web import api_docs, console, dashboard, operate, sign_in
from workersai_server.web.visits import Site, Visit

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

__all__ = ["PREFIXES", "create_site", "with_pages"]

PREFIXES = frozenset(
    {"", "sign-in", "sign-up", "sign-out", "preferences", "dashboard", "work", "operate", "docs", "static"}
)
"""The first parts of the addresses that are the pages'."""

_log = logging.getLogger("workersai.web")


def create_site(site: Site, metrics: Metrics, around: Sequence[Any] = ()) -> falcon.App[ApiRequest, falcon.Response]:
    """Return the application with all pages.

    Args:
        site: What they share.
        metrics: Where requests are counted.
        around: Further middleware, which sees each request first and each answer last.
    """
    perimeter = Perimeter(metrics, access_log=site.settings.access_log)
    app = falcon.App(request_type=ApiRequest, middleware=[*around, perimeter])
    app.add_route("/static/{version}/{name:path}", site.assets)
    app.add_route("/static/plugins/{digest}/{name}", site.plugin_assets)
    sign_in.add_routes(app, site)
    console.add_routes(app, site)
    dashboard.add_routes(app, site)
    operate.add_routes(app, site)
    api_docs.add_routes(app, site)
    _Errors(site).handle(app)
    return app


def with_pages(api: WSGIApplication, site: WSGIApplication) -> WSGIApplication:
    """Return one application of both: what is not an address of the pages goes to the API."""

    def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        first = environ.get("PATH_INFO", "/")[1:].partition("/")[0]
        return (site if first in PREFIXES else api)(environ, start_response)

    return application


class _Errors:
    """Answers errors: with a page for people, with a problem document for our scripts."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def handle(self, app: falcon.App[ApiRequest, falcon.Response]) -> None:
        """Register the handlers."""
        problems.add_handlers(app)
        app.add_error_handler(Exception, self._unexpected)
        app.add_error_handler(falcon.HTTPRouteNotFound, self._not_found)
        app.add_error_handler(falcon.HTTPMethodNotAllowed, self._wrong_method)
        app.add_error_handler(WorkersAIError, self._expected)

    def _not_found(self, req: ApiRequest, resp: falcon.Response, error: Any, params: dict[str, Any]) -> None:
        self._answer(req, resp, RouteNotFound("There is no such page."))

    def _wrong_method(self, req: ApiRequest, resp: falcon.Response, error: Any, params: dict[str, Any]) -> None:
        self._answer(req, resp, MethodNotAllowed(allowed=str((error.headers or {}).get("Allow", ""))))

    def _unexpected(self, req: ApiRequest, resp: falcon.Response, error: Exception, params: dict[str, Any]) -> None:
        _log.error("%s %s failed", req.method, req.path, exc_info=error, extra={"request_id": req.request_id})
        self._answer(req, resp, problems.ServerFault())

    def _expected(self, req: ApiRequest, resp: falcon.Response, error: WorkersAIError, params: dict[str, Any]) -> None:
        self._answer(req, resp, error)

    def _answer(self, req: ApiRequest, resp: falcon.Response, error: WorkersAIError) -> None:
        visit = self._site.visit(req, resp)
        if visit.wants_json:
            problems.answer(error, req, resp)
        elif isinstance(error, Unauthenticated) and req.method == "GET":
            visit.go(sign_in.door_of(error), next=visit.here)
        else:
            self._page(visit, error)

    def _page(self, visit: Visit, error: WorkersAIError) -> None:
        problem = problems.document(error, visit.req)
        visit.page("error.html", status=error.status_hint, problem=problem)
