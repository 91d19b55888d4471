"""Time, as the engine sees it and as the database stores it.

The engine never asks the machine for the time itself; it asks its clock, so
that a test can move hours in an instant. The database holds whole
microseconds since 1970, which both databases compare and index exactly.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Protocol

__all__ = ["FOREVER", "Clock", "SystemClock", "from_us", "rfc3339", "to_us"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

FOREVER = 2**63 - 1
"""The stored time that never comes: a task without a deadline."""


class Clock(Protocol):
    """Where the engine gets the time."""

    def now(self) -> datetime:
        """Return the present time, aware UTC."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Return the machine's time, aware UTC."""
        return datetime.now(UTC)


def to_us(at: datetime) -> int:
    """Return whole microseconds since 1970 of an aware datetime."""
    return (at - _EPOCH) // _MICROSECOND


def from_us(microseconds: int) -> datetime:
    """Return the aware UTC datetime of microseconds since 1970."""
    return _EPOCH + timedelta(microseconds=microseconds)


def rfc3339(at: datetime) -> str:
    """Return an aware datetime as RFC 3339 text in UTC, with microseconds and ``Z``."""
    # PERF: seven times as fast as strftime, which also forgets the zeros before a year of three digits.
    return at.astimezone(UTC).isoformat(timespec="microseconds")[:-6] + "Z"
