"""``/v1/callbacks``: sending deliveries again."""

from __future__ import annotations

from typing import Any

import falcon

from workersai_core import Engine, InvalidInput
from workersai_core.errors import Issue
from workersai_core.jsontext import shorten
from workersai_server import documents, queries
from workersai_server.access import Access
from workersai_server.bodies import fields, time_field
from workersai_server.credentials import ApiRequest
from workersai_server.media import read_object

__all__ = ["Callbacks"]

_NO_FIELDS: dict[str, Any] = {"properties": {}}
_SINCE = {"properties": {"since": {"type": "string"}, "state": {"type": "string"}}, "required": ["since"]}
_REPLAYABLE = ("delivered", "exhausted")


class Callbacks:
    """The deliveries of whoever asks, in the mode of their key.

    Args:
        engine: Where they are.
        access: Who asks.
    """

    def __init__(self, engine: Engine, access: Access) -> None:
        self._engine = engine
        self._access = access

    def on_post_one(self, req: ApiRequest, resp: falcon.Response, delivery_id: str) -> None:
        """Send one finished delivery again."""
        queries.no_parameters(req)
        body = read_object(req)
        requester = self._access.requester(req, resp, body)
        fields(req, body, _NO_FIELDS)
        self._engine.replay_callback(delivery_id, account=requester.account_id, mode=requester.mode)
        _queued(resp, 1)

    def on_post_many(self, req: ApiRequest, resp: falcon.Response) -> None:
        """Send every delivery that ended in a state since a time again."""
        queries.no_parameters(req)
        body = read_object(req)
        requester = self._access.requester(req, resp, body)
        given = fields(req, body, _SINCE)
        state = given.get("state", "exhausted")
        if state not in _REPLAYABLE:
            text = f"There is no state {shorten(state)} to replay; choose from {', '.join(_REPLAYABLE)}."
            raise InvalidInput(text, issues=[Issue("/state", text, "not_in_list")])
        since = time_field("since", given["since"])
        queued = self._engine.replay_callbacks(
            account=requester.account_id, mode=requester.mode, since=since, state=state
        )
        _queued(resp, queued)


def _queued(resp: falcon.Response, count: int) -> None:
    resp.status = falcon.HTTP_202
    resp.data = documents.to_json({"queued": count})
