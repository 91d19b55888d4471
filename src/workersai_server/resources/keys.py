"""``/v1/keys``: which API keys an account has, rolling one, revoking one."""

from __future__ import annotations

from typing import Any

import falcon

from workersai_core.errors import InvalidInput, Issue
from workersai_server.accounts import Accounts, ApiKey
from workersai_server.coercion import coerce
from workersai_server.credentials import ApiRequest
from workersai_server.media import is_form, read_object
from workersai_server.times import rfc3339

__all__ = ["Keys"]

_ROLL_BODY = {"type": "object", "properties": {"overlap_s": {"type": "integer"}}}
_NO_FIELDS: dict[str, Any] = {"type": "object", "properties": {}}


class Keys:
    """The keys of whoever asks.

    Every key of the account is listed, without its secret part. A live key may
    change all of them, a test key only test keys.

    Args:
        accounts: Where keys are kept.
    """

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts

    def on_get(self, req: ApiRequest, resp: falcon.Response) -> None:
        """List the account's keys, oldest first, as a bare array."""
        requester = self._accounts.authenticate(req.credentials.api_key())
        resp.media = [_document(key) for key in self._accounts.list_keys(requester.account_id)]

    def on_post_roll(self, req: ApiRequest, resp: falcon.Response, key_id: str) -> None:
        """Make a key in the place of another; the answer holds the new one, this once."""
        body = read_object(req)
        requester = self._accounts.authenticate(req.credentials.api_key(body))
        fields = _fields(req, body, _ROLL_BODY)
        new = self._accounts.roll_key(key_id.lower(), fields.get("overlap_s", 0), by=requester)
        resp.set_header("Cache-Control", "no-store")
        resp.media = {**_document(new.entry), "key": new.key}

    def on_post_revoke(self, req: ApiRequest, resp: falcon.Response, key_id: str) -> None:
        """End a key; also the one that asks."""
        body = read_object(req)
        requester = self._accounts.authenticate(req.credentials.api_key(body))
        _fields(req, body, _NO_FIELDS)
        resp.media = _document(self._accounts.revoke_key(key_id.lower(), by=requester))


def _fields(req: ApiRequest, body: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """Return the body's fields, converted when it was a form.

    Raises:
        InvalidInput: a field is there that the route does not take.
    """
    known = ", ".join(schema["properties"]) or "no fields"
    unknown = [
        Issue(f"/{name}", f"There is no field {name} here; this takes {known}.", "unknown_field")
        for name in body
        if name not in schema["properties"]
    ]
    if unknown:
        raise InvalidInput(unknown[0].message, issues=unknown)
    fields: dict[str, Any] = coerce(body, schema) if is_form(req) else body
    return fields


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
