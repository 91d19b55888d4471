"""Telling observers what was committed, also when somebody else commits."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import datetime, timedelta

import attrs

from workersai_core.model import Event

__all__ = ["Uncommitted"]

_GIVEN_UP_AFTER = timedelta(minutes=5)


@attrs.define
class Uncommitted:
    """Events of joined transactions, whose commit or rollback is the host's affair.

    The engine asks now and then which of them have become visible. What has
    not after five minutes was rolled back and is forgotten; the event log
    stays the durable source.
    """

    _waiting: list[Event] = attrs.field(factory=list, init=False)
    _lock: threading.Lock = attrs.field(factory=threading.Lock, init=False)

    def add(self, events: Sequence[Event]) -> None:
        """Remember events that were recorded, but not committed by us."""
        with self._lock:
            self._waiting.extend(events)

    def waiting(self) -> list[Event]:
        """Return the events whose fate is unknown."""
        with self._lock:
            return list(self._waiting)

    def settle(self, committed: Sequence[Event], now: datetime) -> None:
        """Forget the events that were committed, and those that never will be."""
        done = {event.id for event in committed}
        with self._lock:
            self._waiting = [
                event for event in self._waiting if event.id not in done and now - event.at < _GIVEN_UP_AFTER
            ]
