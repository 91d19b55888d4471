"""For receivers of callbacks: is this request really from the service?"""

from __future__ import annotations

import base64
import hmac
import json
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from workersai_client.errors import APIConnectionError, CallbackVerificationError

__all__ = ["check_webhook_secret", "forward_callback", "verify_callback"]

_FORWARD_TIMEOUT_S = 15.0


def verify_callback(
    payload: bytes, headers: Mapping[str, str], secret: str, *, tolerance_s: float = 300.0
) -> dict[str, Any]:
    """Check a callback's signature and time, and return its JSON.

    Args:
        payload: The body, byte for byte as it arrived.
        headers: The request's headers, in any case.
        secret: The account's ``whsec_…``.
        tolerance_s: How far the sender's clock may be from ours; it also limits
            how long a recorded request can be played back.

    Raises:
        CallbackVerificationError: a header is missing, the time is too far away,
            or no signature fits; answer 400 or 401 and do nothing.
        ValueError: `secret` is not a webhook secret.
    """
    given = {name.lower(): value for name, value in headers.items()}
    identifier, timestamp, signatures = (_header(given, f"webhook-{part}") for part in ("id", "timestamp", "signature"))
    at = _seconds(timestamp)
    if abs(time.time() - at) > tolerance_s:
        raise CallbackVerificationError(
            f"The callback's time is more than {tolerance_s:g} s from this machine's; compare the clocks."
        )
    expected = _signature(payload, identifier, at, secret)
    if not any(hmac.compare_digest(expected.encode(), each.encode()) for each in signatures.split()):
        raise CallbackVerificationError("No signature fits; check the secret and that the body is passed unchanged.")
    content: dict[str, Any] = json.loads(payload)
    return content


def check_webhook_secret(secret: str) -> None:
    """Raise unless a text can be a webhook secret.

    Raises:
        ValueError: it is none.
    """
    _secret_bytes(secret)


def forward_callback(url: str, payload: bytes, headers: Mapping[str, str]) -> int:
    """Send a callback on, byte for byte, and return the status of the answer.

    Raises:
        APIConnectionError: no answer came.
    """
    # PERF: only for receivers that pass on.
    import requests

    try:
        with requests.Session() as session:
            session.trust_env = False
            answer = session.post(
                url, data=payload, headers=dict(headers), timeout=_FORWARD_TIMEOUT_S, allow_redirects=False
            )
    except requests.RequestException as error:
        raise APIConnectionError(f"{url} did not answer: {error}") from error
    return answer.status_code


def _header(headers: Mapping[str, str], name: str) -> str:
    value = headers.get(name)
    if not value:
        raise CallbackVerificationError(f"The header {name} is missing.")
    return value


def _seconds(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 11):
        raise CallbackVerificationError("The header webhook-timestamp is not a number of seconds.")
    return int(text)


def _signature(payload: bytes, identifier: str, at: int, secret: str) -> str:
    # PERF: only for receivers; callers of the API need not load it.
    from standardwebhooks import Webhook

    # The package's own `verify` has a fixed tolerance and fails on a malformed signature with a bare ValueError.
    signer = Webhook(_secret_bytes(secret))
    try:
        return signer.sign(identifier, datetime.fromtimestamp(at, UTC), payload.decode())
    except UnicodeDecodeError:
        raise CallbackVerificationError("The body is not UTF-8.") from None


def _secret_bytes(secret: str) -> bytes:
    prefix, _, encoded = secret.partition("_")
    try:
        decoded = base64.b64decode(encoded, validate=True)
    except ValueError:
        decoded = b""
    if prefix != "whsec" or not decoded:
        raise ValueError("This is not a webhook secret; it is whsec_ and base64, see the account's webhook secrets.")
    return decoded
