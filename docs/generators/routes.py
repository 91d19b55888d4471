"""Every route: its methods, who may use it and what it does."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence
from typing import Any

from generators.markdown import NOTICE, summary, table

from workersai_server.service import Service
from workersai_server.settings import Settings

__all__ = ["page", "routes"]

_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
_WHO = (
    ("/v1/openapi.json", "anybody"),
    ("/v1/work/", "a worker's token"),
    ("/v1/", "an API key"),
    ("/healthz", "the operator"),
    ("/readyz", "the operator"),
    ("/metrics", "the operator"),
    ("/", "a browser"),
)


def page() -> str:
    """Return the page."""
    found = sorted(routes())
    api = [each for each in found if _who(each[0]) != "a browser"]
    pages = [each for each in found if each not in api]
    return "\n".join(
        [
            NOTICE,
            "# Routes\n",
            "`HEAD` works where `GET` does. A key is given as `Authorization: Bearer KEY`, as `X-API-Key`,",
            "as the user name of basic authentication or as `?api_key=KEY`, in exactly one of these places.",
            "Errors are problem documents; see [Errors](errors.md). The schemas of every body are in the OpenAPI",
            "document at `/v1/openapi.json`, and readable at `/docs`.\n",
            "## The API\n",
            table(("Method", "Route", "With", "What it does"), map(_row, api)),
            *(["## Pages\n", table(("Method", "Route", "With", "What it does"), map(_row, pages))] if pages else []),
        ]
    )


def routes() -> Iterator[tuple[str, str, str]]:
    """Give path, method and summary of every route of the application."""
    service = Service.open(Settings(db="sqlite://"), start=False)
    try:
        app: Any = service.app
        for path, method, responder in _responders(app._router._roots):
            yield path, method, summary(inspect.unwrap(responder))
    finally:
        service.close()


def _responders(nodes: Sequence[Any]) -> Iterator[tuple[str, str, Any]]:
    """Walk over falcon's routes; its `inspect` module names the responders but does not give them."""
    for node in nodes:
        for method, responder in (node.method_map or {}).items():
            if method in _METHODS and responder.__name__.startswith("on_"):
                yield node.uri_template, method, responder
        yield from _responders(node.children)


def _who(path: str) -> str:
    return next(who for prefix, who in _WHO if path.startswith(prefix))


def _row(route: tuple[str, str, str]) -> tuple[str, str, str, str]:
    path, method, text = route
    assert text, f"the responder of {method} {path} has no docstring"
    return method, f"`{path}`", _who(path), text
