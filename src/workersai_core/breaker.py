"""The circuit breaker that pauses a plugin whose observers keep failing."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

__all__ = ["Breaker"]

_FAILURES = 5
_PAUSE_S = 60.0


class Breaker:
    """Opens after five failures in a row, and lets one call try again each minute.

    Args:
        monotonic: Seconds that only grow.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._failures = 0
        self._closed_until = 0.0

    @property
    def paused(self) -> bool:
        """Whether it is open: from the fifth failure to the next success."""
        return self._failures >= _FAILURES

    def allows(self) -> bool:
        """Return whether a call may be made now; while it is open, once a minute."""
        with self._lock:
            if self._failures < _FAILURES:
                return True
            now = self._monotonic()
            if now < self._closed_until:
                return False
            self._closed_until = now + _PAUSE_S
            return True

    def note_success(self) -> None:
        """Close it."""
        if self._failures:
            with self._lock:
                self._failures = 0

    def note_failure(self) -> bool:
        """Count a failure, and return whether it has just opened."""
        with self._lock:
            self._failures += 1
            self._closed_until = self._monotonic() + _PAUSE_S
            return self._failures == _FAILURES
