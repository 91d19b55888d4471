"""The database server's clock, as well as a process far from it can know it.

Processes on several hosts share leases and due times, so they must agree on
the time. Each transaction brings the server's time along; between two of them
it moves on with this machine's monotonic clock, which nobody sets.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime

from workersai_core.clock import from_us

__all__ = ["DatabaseClock"]


class DatabaseClock:
    """A `Clock` that follows another one.

    Args:
        monotonic_ns: A clock that never goes back, in nanoseconds.
    """

    def __init__(self, monotonic_ns: Callable[[], int] = time.monotonic_ns) -> None:
        self._monotonic_ns = monotonic_ns
        self._offset_us: int | None = None

    def now(self) -> datetime:
        """Return the server's time, aware UTC; it must have been learned once."""
        if self._offset_us is None:
            raise RuntimeError("The database has not told its time yet.")
        return from_us(self._ticks_us() + self._offset_us)

    def ask(self, server_us: Callable[[], int]) -> None:
        """Learn the time from a server that was asked for it.

        Args:
            server_us: Asks, and returns the server's microseconds since 1970.
        """
        asked_us = self._ticks_us()
        told_us = server_us()
        # The server looked at its clock between the question and the answer. What is known already is kept as far
        # as that allows: a slow answer says little and moves nothing, a clock that was set moves everything.
        least, most = told_us - self._ticks_us(), told_us - asked_us
        known = least if self._offset_us is None else self._offset_us
        self._offset_us = min(max(known, least), most)

    def _ticks_us(self) -> int:
        return self._monotonic_ns() // 1000
