"""``/v1/openapi.json``: the description of this API, for anyone."""

from __future__ import annotations

import falcon

from workersai_core import Engine
from workersai_server import documents, problems, queries
from workersai_server.credentials import ApiRequest
from workersai_server.openapi import describe

__all__ = ["OpenApi"]


class OpenApi:
    """The OpenAPI 3.1 document.

    Args:
        engine: Whose task types it describes.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def on_get(self, req: ApiRequest, resp: falcon.Response) -> None:
        """Show it, with summaries in the reader's language."""
        queries.no_parameters(req)
        words = problems.language(req)
        resp.set_header("Content-Language", words)
        resp.append_header("Vary", "Accept-Language")
        resp.data = documents.to_json(describe(self._engine, prefix=req.prefix, language=words))
