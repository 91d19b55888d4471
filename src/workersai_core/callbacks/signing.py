"""How callbacks are signed and how a receiver checks them: Standard Webhooks.

The specification is at https://www.standardwebhooks.com. What is signed is
``{webhook-id}.{webhook-timestamp}.{body}`` with HMAC-SHA256; a secret is
``whsec_`` and base64. Verification is the `standardwebhooks` package's.
Signing is ours: the package decodes the secret for each message and drops the
time zone of the timestamp instead of converting it.
"""

from __future__ import annotations

import base64
import hmac
import secrets as randomness
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

__all__ = ["InvalidSignature", "new_secret", "sign", "verify"]

_PREFIX = "whsec_"
_SECRET_BYTES = 32
_CACHED_SECRETS = 1024


class InvalidSignature(ValueError):
    """This message was not signed with this secret, or not within the last five minutes."""


def new_secret() -> str:
    """Return a new random secret, ``whsec_`` and 32 bytes in base64."""
    return _PREFIX + base64.b64encode(randomness.token_bytes(_SECRET_BYTES)).decode()


def sign(secrets: Sequence[str], message_id: str, at: datetime, body: bytes) -> dict[str, str]:
    """Return the three Standard Webhooks headers of a message.

    Args:
        secrets: Every secret that is valid now; each adds one signature, so
            that a receiver may roll its secret without losing a message.
        message_id: The same for each attempt at the same event.
        at: When this attempt is made, aware.
        body: The exact bytes that are sent.

    Raises:
        ValueError: there is no secret, one is malformed, or `at` has no zone.
    """
    if not secrets:
        raise ValueError("A message needs at least one secret to be signed with.")
    if at.tzinfo is None:
        raise ValueError("The time of signing needs a time zone.")
    timestamp = str(int(at.timestamp()))
    signed = b"%b.%b.%b" % (message_id.encode(), timestamp.encode(), body)
    signatures = ["v1," + base64.b64encode(hmac.digest(_key(secret), signed, "sha256")).decode() for secret in secrets]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(signatures),
    }


def verify(secret: str, headers: Mapping[str, str], body: bytes) -> Any:
    """Check a received callback and return its parsed JSON.

    Args:
        secret: The receiver's ``whsec_`` secret.
        headers: All headers of the request, in any case.
        body: The request's body, exactly as received.

    Raises:
        InvalidSignature: a header is missing or malformed, the timestamp is
            more than five minutes off, no signature fits, or the body is not JSON.
        ValueError: `secret` is not a secret.
    """
    webhook = Webhook(_key(secret))
    try:
        return webhook.verify(body, dict(headers))
    except WebhookVerificationError as error:
        raise InvalidSignature(f"{error}.") from error
    except ValueError as error:  # what the package does not catch: base64, a missing comma, not UTF-8, not JSON
        raise InvalidSignature("The signature header or the body is malformed.") from error


@lru_cache(maxsize=_CACHED_SECRETS)
def _key(secret: str) -> bytes:
    """Return the bytes of a secret; padding may be missing, as the specification's own tools allow."""
    encoded = secret.removeprefix(_PREFIX)
    try:
        key = base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
    except ValueError as error:
        raise ValueError("A webhook secret is whsec_ followed by base64.") from error
    if not key:
        raise ValueError("A webhook secret must not be empty.")
    return key
