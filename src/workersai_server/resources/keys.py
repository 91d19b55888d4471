"""``/v1/keys``: which API keys an account has, rolling one, revoking one."""

from __future__ import annotations

from typing import Any

import falcon

from workersai_server.access import Access
from workersai_server.accounts import Accounts, ApiKey
from workersai_server.bodies import fields
from workersai_server.credentials import ApiRequest
from workersai_server.documents import to_json
from workersai_server.media import read_object
from workersai_server.queries import no_parameters
from workersai_server.times import rfc3339

__all__ = ["Keys"]

_ROLL = {"properties": {"overlap_s": {"type": "integer"}}}
_NO_FIELDS: dict[str, Any] = {"properties": {}}


class Keys:
    """The keys of whoever asks.

    Every key of the account is listed, without its secret part. A live key may
    change all of them, a test key only test keys.

    Args:
        accounts: Where keys are kept.
        access: Who asks.
    """

    def __init__(self, accounts: Accounts, access: Access) -> None:
        self._accounts = accounts
        self._access = access

    def on_get(self, req: ApiRequest, resp: falcon.Response) -> None:
        """List the account's keys, oldest first, as a bare array."""
        no_parameters(req)
        requester = self._access.requester(req, resp)
        resp.data = to_json([_document(key) for key in self._accounts.list_keys(requester.account_id)])

    def on_post_roll(self, req: ApiRequest, resp: falcon.Response, key_id: str) -> None:
        """Make a key in the place of another; the answer holds the new one, this once."""
        no_parameters(req)
        body = read_object(req)
        requester = self._access.requester(req, resp, body)
        given = fields(req, body, _ROLL)
        new = self._accounts.roll_key(key_id.lower(), given.get("overlap_s", 0), by=requester)
        resp.set_header("Cache-Control", "no-store")
        resp.data = to_json({**_document(new.entry), "key": new.key})

    def on_post_revoke(self, req: ApiRequest, resp: falcon.Response, key_id: str) -> None:
        """End a key; also the one that asks."""
        no_parameters(req)
        body = read_object(req)
        requester = self._access.requester(req, resp, body)
        fields(req, body, _NO_FIELDS)
        resp.data = to_json(_document(self._accounts.revoke_key(key_id.lower(), by=requester)))


def _document(key: ApiKey) -> dict[str, Any]:
    times = {name: getattr(key, name) for name in ("created_at", "last_used_at", "expires_at", "revoked_at")}
    return {
        "id": key.id,
        "mode": key.mode,
        "prefix": key.prefix,
        "last4": key.last4,
        "scopes": sorted(key.scopes),
        **{name: None if at is None else rfc3339(at) for name, at in times.items()},
    }
