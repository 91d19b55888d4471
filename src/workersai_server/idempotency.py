"""The ``Idempotency-Key`` header: the same request again gets the first one's answer."""

from __future__ import annotations

import re

import falcon

from workersai_core import Idempotency
from workersai_core.idempotency import fingerprint
from workersai_server.credentials import ApiRequest
from workersai_server.errors import InvalidIdempotencyKey

__all__ = ["REPLAYED", "idempotency_of", "mark_replayed"]

REPLAYED = "Idempotency-Replayed"
_VISIBLE = re.compile(r"[\x21-\x7e]{1,255}")


def idempotency_of(req: ApiRequest, scope: str, content: str) -> Idempotency | None:
    """Return what makes a request the same as an earlier one; None without the header.

    Args:
        req: The request.
        scope: Whose key it is, and the route.
        content: What the request asks for, in its canonical form.

    Raises:
        InvalidIdempotencyKey: the header is empty, too long or not visible ASCII.
    """
    key = req.env.get("HTTP_IDEMPOTENCY_KEY")
    if key is None:
        return None
    if not _VISIBLE.fullmatch(key):
        raise InvalidIdempotencyKey
    return Idempotency(scope=scope, key=key, fingerprint=fingerprint(content))


def mark_replayed(resp: falcon.Response) -> None:
    """Say that the answer is the one of an earlier request."""
    resp.set_header(REPLAYED, "true")
