"""``/v1/endpoints``: who is called back, how that goes, and calling again."""

from __future__ import annotations

from typing import Any

import falcon

from workersai_core import Engine
from workersai_server import documents, queries
from workersai_server.access import Access
from workersai_server.bodies import fields
from workersai_server.credentials import ApiRequest
from workersai_server.media import read_object

__all__ = ["Endpoints"]

_NO_FIELDS: dict[str, Any] = {"properties": {}}


class Endpoints:
    """The callback endpoints of whoever asks; both modes share them.

    Args:
        engine: Where they are.
        access: Who asks.
    """

    def __init__(self, engine: Engine, access: Access) -> None:
        self._engine = engine
        self._access = access

    def on_get(self, req: ApiRequest, resp: falcon.Response) -> None:
        """List them with their health."""
        queries.no_parameters(req)
        requester = self._access.requester(req, resp)
        found = self._engine.endpoints(requester.account_id)
        resp.data = documents.to_json([documents.endpoint(each) for each in found])

    def on_post_enable(self, req: ApiRequest, resp: falcon.Response, endpoint_id: str) -> None:
        """Call a disabled endpoint again."""
        queries.no_parameters(req)
        body = read_object(req)
        requester = self._access.requester(req, resp, body)
        fields(req, body, _NO_FIELDS)
        enabled = self._engine.enable_endpoint(endpoint_id, account=requester.account_id)
        resp.data = documents.to_json(documents.endpoint(enabled))
