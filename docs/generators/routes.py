"""Every route: its methods, who may use it, what it does, its parameters and its own errors."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any
from unittest import mock

import falcon

from generators.markdown import NOTICE, summary, table
from workersai_server.openapi.operations import OPERATIONS, Operation
from workersai_server.service import Service
from workersai_server.settings import Settings

__all__ = ["page", "routes"]

_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
_WHO = {
    "requester": "an API key",
    "worker": "a worker's token",
    "anyone": "an API key or a worker's token",
    "public": "nothing",
}
_HEAD = ("Method", "Route", "With", "What it does", "Its own errors")
_INTRODUCTION = """\
# Routes

`HEAD` works where `GET` does. A key is given as `Authorization: Bearer KEY`, as `X-API-Key`,
as the user name of basic authentication or as `?api_key=KEY`, in exactly one of these places;
a worker's token as `Authorization: Bearer TOKEN` or `X-API-Key`.

Beside the errors that are named here, every route may answer 400, 401, 403, 406, 413, 414, 415, 429 and 503;
see [Errors](errors.md). The schemas of all bodies are in the OpenAPI document at `/v1/openapi.json`.
"""


def page() -> str:
    """Return the page."""
    parts = [NOTICE, _INTRODUCTION]
    for tag in dict.fromkeys(operation.tag for operation in OPERATIONS):
        of_tag = [operation for operation in OPERATIONS if operation.tag == tag]
        parts += [
            f"## {tag}\n",
            table(("Method", "Route", "With", "What it does", "Its own errors"), map(_row, of_tag)),
        ]
        parameters = [*_parameters(of_tag)]
        if parameters:
            parts += [table(("Parameter", "Of", "Meaning"), parameters)]
    documented = {(operation.path, operation.method.upper()) for operation in OPERATIONS}
    others = [route for route in routes() if route[:2] not in documented]
    parts += ["## Pages and metrics\n", table(("Methods", "Address", "What is there"), _pages(others))]
    return "\n".join(parts)


def routes() -> list[tuple[str, str, str]]:
    """Return path, method and text of every route of the API and the pages, sorted."""
    added: list[tuple[str, object, str]] = []

    def add_route(app: falcon.App, path: str, resource: object, *, suffix: str | None = None, **more: Any) -> None:
        added.append((path, resource, f"_{suffix}" if suffix else ""))
        adding(app, path, resource, suffix=suffix, **more)

    # falcon's `inspect` module names the responders of an application but does not give them.
    adding = falcon.App.add_route
    with mock.patch.object(falcon.App, "add_route", add_route):
        service = Service.open(Settings(db="sqlite://", plugins="none"), start=False)
        try:
            assert callable(service.app)
        finally:
            service.close()
    return sorted(_responders(added))


def _responders(added: Sequence[tuple[str, object, str]]) -> Iterator[tuple[str, str, str]]:
    for path, resource, suffix in added:
        for method in _METHODS:
            responder = getattr(resource, f"on_{method.lower()}{suffix}", None)
            if responder is not None:
                yield path, method, _text(resource, responder)


def _text(resource: Any, responder: Any) -> str:
    """Return what a resource is, as its docstring says after its address; else what the responder does."""
    found = re.match(r"`[^`]+`: (.)(.+)", summary(type(resource)))
    text = f"{found[1].upper()}{found[2]}" if found else summary(inspect.unwrap(responder))
    assert text, f"{type(resource).__name__}.{responder.__name__} has no docstring"
    return text


def _row(operation: Operation) -> tuple[str, ...]:
    texts = [text for text in (operation.summary, operation.description) if text]
    sentences = [text if text.endswith((".", "?")) else f"{text}." for text in texts]
    errors = [f"{status} {' '.join(f'`{code}`' for code in codes)}" for status, codes in operation.errors.items()]
    method = operation.method.upper()
    return method, f"`{operation.path}`", _WHO[operation.who], " ".join(sentences), ", ".join(errors) or "—"


def _parameters(operations: Iterable[Operation]) -> Iterator[tuple[str, str, str]]:
    seen: dict[tuple[str, str], list[str]] = {}
    for operation in operations:
        for parameter in operation.parameters:
            kind = "" if parameter.place == "query" else f" ({parameter.place})"
            meaning = f"{parameter.description}{_limits(parameter.schema)}"
            seen.setdefault((f"`{parameter.name}`{kind}", meaning), []).append(operation.path)
    for (name, meaning), paths in seen.items():
        yield name, ", ".join(f"`{path}`" for path in dict.fromkeys(paths)), meaning


def _limits(schema: Mapping[str, Any]) -> str:
    if "enum" in schema:
        return f" One of {', '.join(f'`{value}`' for value in schema['enum'])}."
    if "minimum" in schema:
        default = f", {schema['default']} by default" if "default" in schema else ""
        return f" {schema['minimum']} to {schema['maximum']}{default}."
    return ""


def _pages(found: Iterable[tuple[str, str, str]]) -> Iterator[tuple[str, str, str]]:
    by_path: dict[str, tuple[list[str], str]] = {}
    for path, method, text in found:
        by_path.setdefault(path, ([], text))[0].append(method)
    for path, (methods, text) in by_path.items():
        yield ", ".join(methods), f"`{path}`", text
