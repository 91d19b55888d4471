"""Identifiers: UUIDs that sort by the time they were made.

Time order keeps the indexes of a large table compact: new rows land at the
end. The layout is UUID version 7 (RFC 9562 section 5.7) with a counter in the
first random bits (its section 6.2, method 1), so ids of one process are
strictly increasing.
"""

from __future__ import annotations

import os
import struct
import threading
import weakref
from collections.abc import Iterator
from typing import Protocol

__all__ = ["IdSource", "TimeOrderedIds"]

_COUNTER_BITS = 12
_RANDOM_BITS = 2**62 - 1
_DRAWN_AT_ONCE = 512


class IdSource(Protocol):
    """Where the engine gets new identifiers."""

    def new(self, at_us: int) -> str:
        """Return a fresh identifier made at `at_us`, microseconds since 1970."""
        ...


class TimeOrderedIds:
    """UUID version 7 as lower-case text."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last_ms = 0
        self._counter = 0
        self._drawn: Iterator[tuple[int]] = iter(())
        _sources.add(self)

    def new(self, at_us: int) -> str:
        """Return a new UUID, greater than every one returned before."""
        with self._lock:
            milliseconds = max(at_us // 1000, self._last_ms)
            self._counter = self._counter + 1 if milliseconds == self._last_ms else 0
            if self._counter >> _COUNTER_BITS:
                milliseconds, self._counter = milliseconds + 1, 0
            self._last_ms = milliseconds
            value = (milliseconds << 80) | (7 << 76) | (self._counter << 64) | (2 << 62) | self._random()
        text = f"{value:032x}"
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"

    def _random(self) -> int:
        """Return 62 random bits; the caller holds the lock."""
        found = next(self._drawn, None)
        if found is None:
            # PERF: asking the system lets other threads in, which costs more than the asking.
            self._drawn = struct.iter_unpack("Q", os.urandom(8 * _DRAWN_AT_ONCE))
            found = next(self._drawn)
        return found[0] & _RANDOM_BITS

    def _forget_drawn(self) -> None:
        self._drawn = iter(())


_sources: weakref.WeakSet[TimeOrderedIds] = weakref.WeakSet()


def _after_fork() -> None:
    """Let a forked process draw anew: what its parent has drawn, both would use."""
    for source in _sources:
        source._forget_drawn()


# Where processes do not fork there is nothing to register with.
getattr(os, "register_at_fork", lambda **_: None)(after_in_child=_after_fork)
