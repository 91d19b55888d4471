"""One attempt at one delivery: from a claimed row to what came of it."""

from __future__ import annotations

import logging
from datetime import datetime
from enum import Enum

import attrs

from workersai_core.callbacks import signing
from workersai_core.callbacks.transport import Outcome, Transport
from workersai_core.clock import Clock
from workersai_core.model import Attempt
from workersai_core.store.outbox_rows import Sending

__all__ = ["Kind", "Parcel", "Sent", "send"]

_SLOW_MS = 2000
_BRISK_MS = 2
_GONE = 410
_log = logging.getLogger("workersai.callbacks")


class Kind(Enum):
    """How an endpoint behaves."""

    BRISK = "brisk"
    """Its last answer came at once."""
    HEALTHY = "healthy"
    NEW = "new"
    """It never answered yet."""
    TROUBLED = "troubled"
    """Its last answer was a failure, or slow."""


@attrs.frozen
class Parcel:
    """A claimed delivery and what signs it."""

    sending: Sending
    secrets: tuple[str, ...] = attrs.field(repr=False)
    """Every secret of its account that is valid now, the newest first."""


@attrs.frozen(kw_only=True)
class Sent:
    """What came of one attempt."""

    sending: Sending
    attempt: Attempt
    delivered: bool = False
    simulated: bool = False
    """A failure that a test task asked for: nothing was sent, and the schedule does not count it."""
    retry_after_s: float | None = None
    """When the receiver wants to be asked again."""

    @property
    def gone(self) -> bool:
        """Whether the receiver said that it never wants to be called again."""
        return self.attempt.status == _GONE

    @property
    def slow(self) -> bool:
        """Whether the endpoint needs care: it failed, or took long."""
        return not self.delivered or self.attempt.latency_ms > _SLOW_MS

    @property
    def kind(self) -> Kind | None:
        """How the endpoint behaved; None when it was not called."""
        if self.simulated:
            return None
        if self.slow:
            return Kind.TROUBLED
        return Kind.BRISK if self.attempt.latency_ms <= _BRISK_MS else Kind.HEALTHY


def send(parcel: Parcel, transport: Transport, deadline_s: float, clock: Clock) -> Sent:
    """Make one attempt; whatever goes wrong is its outcome."""
    sending = parcel.sending
    at = clock.now()
    n = sending.attempts_total + 1
    if n <= sending.simulated_failures:
        told = f"simulated failure {n} of {sending.simulated_failures}"
        attempt = Attempt(n=n, at=at, status=None, latency_ms=0, error=told, answer=None)
        return Sent(sending=sending, attempt=attempt, simulated=True)
    outcome = _outcome(parcel, at, transport, deadline_s)
    return Sent(
        sending=sending,
        attempt=Attempt(
            n=n,
            at=at,
            status=outcome.status,
            latency_ms=outcome.latency_ms,
            error=outcome.error,
            answer=outcome.answer,
        ),
        delivered=outcome.ok,
        retry_after_s=outcome.retry_after_s,
    )


def _outcome(parcel: Parcel, at: datetime, transport: Transport, deadline_s: float) -> Outcome:
    sending = parcel.sending
    try:
        body = sending.body.encode()
        headers = signing.sign(parcel.secrets, sending.id, at, body)
        return transport.send(sending.url, headers, body, deadline_s)
    except Exception as error:
        _log.exception("sending callback %s failed in a way that was not foreseen", sending.id)
        return Outcome(status=None, latency_ms=0, error=f"could not be sent: {type(error).__name__}", answer=None)
