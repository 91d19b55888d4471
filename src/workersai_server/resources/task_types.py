"""``/v1/task_types``: what can be labeled here, for anyone with a key."""

from __future__ import annotations

from typing import Any

import falcon

from workersai_core import Engine, InvalidInput, NotFound
from workersai_core.api import TaskType
from workersai_server import documents, queries
from workersai_server.access import Access
from workersai_server.amounts import from_micros
from workersai_server.credentials import ApiRequest
from workersai_server.settings import Settings

__all__ = ["TaskTypes", "task_type_document"]


class TaskTypes:
    """The task types that are loaded.

    Args:
        engine: Whose types.
        access: Who asks.
        settings: The prices.
    """

    def __init__(self, engine: Engine, access: Access, settings: Settings) -> None:
        self._engine = engine
        self._access = access
        self._settings = settings

    def on_get(self, req: ApiRequest, resp: falcon.Response) -> None:
        """List them all, as a bare array."""
        queries.no_parameters(req)
        self._access.anyone(req, resp)
        resp.data = documents.to_json([task_type_document(each, self._settings) for each in self._engine.types])

    def on_get_one(self, req: ApiRequest, resp: falcon.Response, name: str) -> None:
        """Show one, by its name or an alias."""
        queries.no_parameters(req)
        self._access.anyone(req, resp)
        try:
            task_type = self._engine.types.require(name)
        except InvalidInput as error:
            raise NotFound(error.detail) from None
        resp.data = documents.to_json(task_type_document(task_type, self._settings))


def task_type_document(task_type: TaskType, settings: Settings) -> dict[str, Any]:
    """Return what is shown of a task type; the price is decimal text."""
    return {
        "name": task_type.name,
        "aliases": list(task_type.aliases),
        "version": task_type.version,
        "summary": task_type.summary,
        "params_schema": task_type.params_schema,
        "response_schema": task_type.response_schema,
        "examples": [{"params": params, "response": response} for params, response in task_type.examples],
        "ui": dict(task_type.ui),
        "price": from_micros(settings.price_of(task_type.name)),
    }
