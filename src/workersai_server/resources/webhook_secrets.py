"""``/v1/webhook_secrets``: what signs an account's callbacks."""

from __future__ import annotations

import falcon

from workersai_core import Engine
from workersai_server import documents, queries
from workersai_server.access import Access
from workersai_server.bodies import fields
from workersai_server.credentials import ApiRequest
from workersai_server.errors import Forbidden
from workersai_server.media import read_object

__all__ = ["WebhookSecrets"]

_ROLL = {"properties": {"overlap_s": {"type": "integer"}}}


class WebhookSecrets:
    """The valid secrets of whoever asks; both modes share them.

    Args:
        engine: Where they are.
        access: Who asks.
    """

    def __init__(self, engine: Engine, access: Access) -> None:
        self._engine = engine
        self._access = access

    def on_get(self, req: ApiRequest, resp: falcon.Response) -> None:
        """List them, newest first, without what is secret."""
        queries.no_parameters(req)
        requester = self._access.requester(req, resp)
        found = self._engine.webhook_secrets(requester.account_id)
        resp.data = documents.to_json([documents.webhook_secret(each) for each in found])

    def on_post_roll(self, req: ApiRequest, resp: falcon.Response) -> None:
        """Make a new secret; the answer holds it, this once."""
        queries.no_parameters(req)
        body = read_object(req)
        requester = self._access.requester(req, resp, body)
        given = fields(req, body, _ROLL)
        # SECURITY: test keys lie about in scripts and build logs; one must not learn how live callbacks are signed.
        if requester.mode == "test":
            raise Forbidden(
                "A test key cannot roll the webhook secret, which signs live callbacks too; use a live key."
            )
        new = self._engine.roll_webhook_secret(requester.account_id, **given)
        resp.set_header("Cache-Control", "no-store")
        resp.data = documents.to_json({**documents.webhook_secret(new), "secret": new.secret})
