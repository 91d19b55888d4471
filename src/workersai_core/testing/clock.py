"""A clock that stands still until it is told to move."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

__all__ = ["FakeClock"]

_START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


class FakeClock:
    """A `Clock` for tests.

    Args:
        start: Its first time, aware.
    """

    def __init__(self, start: datetime = _START) -> None:
        self._now = start

    def now(self) -> datetime:
        """Return its time, aware UTC."""
        return self._now

    def advance(self, seconds: float) -> datetime:
        """Move it forward and return its new time."""
        self._now += timedelta(seconds=seconds)
        return self._now
