"""The same request twice, the same answer twice, the work once."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import attrs

from workersai_core.errors import IdempotencyInProgress, IdempotencyKeyReused, InvalidInput, Issue
from workersai_core.store import event_rows
from workersai_core.store.event_rows import Remembered
from workersai_core.transaction import Transaction

__all__ = ["Idempotency", "fingerprint", "once"]

MAX_KEY = 255


@attrs.frozen(kw_only=True)
class Idempotency:
    """What makes two requests the same.

    Attributes:
        scope: Where the key counts: account, mode and route.
        key: The caller's key, 1 to 255 characters.
        fingerprint: Of the content; the same key with another one is a mistake.
    """

    scope: str
    key: str
    fingerprint: str


def fingerprint(content: str) -> str:
    """Return the fingerprint of a request's content: its SHA-256."""
    return hashlib.sha256(content.encode()).hexdigest()


def once(tx: Transaction, key: Idempotency, operation: Callable[[], str]) -> tuple[str, bool]:
    """Run `operation` and remember its answer, or return the answer remembered.

    Returns:
        The answer, and whether it is a repetition.

    Raises:
        InvalidInput: the key is empty or too long.
        IdempotencyKeyReused: the key was used with another content.
        IdempotencyInProgress: the first request still runs in another process.
    """
    if not 1 <= len(key.key) <= MAX_KEY:
        text = f"An idempotency key has 1 to {MAX_KEY} characters; this has {len(key.key)}."
        raise InvalidInput(text, issues=[Issue("/idempotency_key", text)])
    before = _before(tx, key)
    if before is None:
        answer = operation()
        event_rows.remember(tx.session, key.scope, key.key, answer)
        return answer, False
    if before.fingerprint != key.fingerprint:
        raise IdempotencyKeyReused("This idempotency key was used for a different request; use a fresh key.")
    return before.body, True


def _before(tx: Transaction, key: Idempotency) -> Remembered | None:
    """Return what the first request with a key was answered; None when this is the first, which is noted."""
    try:
        while not event_rows.reserve(tx.session, key.scope, key.key, key.fingerprint, tx.now_us):
            before = event_rows.recall(tx.session, key.scope, key.key)
            if before is not None:  # else it was forgotten between these two statements
                return before
    except Exception as error:
        if tx.session.waited_in_vain(error):
            raise IdempotencyInProgress from None
        raise
    return None
