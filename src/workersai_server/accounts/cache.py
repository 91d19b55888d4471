"""Remembering for a moment whom a key stands for, and noting that it was used.

PERF: every request asks; the database is asked at most twice a second for
each key, and written to once a minute for all of them.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from typing import Generic, TypeVar

import attrs

from workersai_core import StoreError

__all__ = ["TTL_S", "Found", "KeyCache", "Monotonic"]

TTL_S = 0.5
"""How long an answer counts. A key revoked in another process works at most this much longer."""
_MOST = 100_000
_FLUSH_S = 60.0
_log = logging.getLogger("workersai.accounts")

Value = TypeVar("Value")
Monotonic = Callable[[], float]


@attrs.frozen
class Found(Generic[Value]):
    """Whom a key stands for."""

    value: Value
    owner_id: str
    """What `last_used_at` is kept for: the id of the key or worker."""
    expires_us: int | None = None
    """When the key ends; None when it does not."""


@attrs.frozen
class _Entry(Generic[Value]):
    found: Found[Value]
    until: float


class KeyCache(Generic[Value]):
    """Whom each recently used key stands for; the key itself is not kept, only its hash.

    Args:
        look_up: From a key's hash and the key to whom it stands for, or None; asks the database.
        store_used: Stores when owners last used their keys, microseconds by owner id.
        now_us: The engine's time.
        monotonic: A clock that never goes back, in seconds.
    """

    def __init__(
        self,
        look_up: Callable[[str, str], Found[Value] | None],
        store_used: Callable[[Mapping[str, int]], None],
        now_us: Callable[[], int],
        monotonic: Monotonic = time.monotonic,
    ) -> None:
        self._look_up = look_up
        self._store_used = store_used
        self._now_us = now_us
        self._monotonic = monotonic
        self._entries: dict[str, _Entry[Value]] = {}
        self._generation = 0
        self._lock = threading.Lock()
        self._used_us: dict[str, int] = {}
        self._flushed_at = monotonic()

    def get(self, hashed: str, key: str) -> Value | None:
        """Return whom a key stands for; None when for nobody."""
        entry = self._entries.get(hashed)
        if entry is None or self._monotonic() >= entry.until:
            return self._refresh(hashed, key)
        found = entry.found
        if found.expires_us is not None and self._now_us() >= found.expires_us:
            return None
        return found.value

    def clear(self) -> None:
        """Forget every answer; call it after a change of keys or accounts."""
        with self._lock:
            self._generation += 1
            self._entries.clear()

    def flush(self) -> None:
        """Store when keys were last used; while the database cannot be written, keep it for later."""
        with self._lock:
            used, self._used_us = self._used_us, {}
            self._flushed_at = self._monotonic()
        if not used:
            return
        try:
            self._store_used(used)
        except StoreError as error:
            _log.warning("when keys were last used is stored later: %s", error)
            with self._lock:
                self._used_us = {**used, **self._used_us}

    def _refresh(self, hashed: str, key: str) -> Value | None:
        # Taken before the database is asked: an answer must not outlive a change made meanwhile.
        generation, until = self._generation, self._monotonic() + TTL_S
        found = self._look_up(hashed, key)
        with self._lock:
            if found is None:
                self._entries.pop(hashed, None)
                return None
            if generation == self._generation:
                if len(self._entries) >= _MOST:
                    self._entries.clear()
                self._entries[hashed] = _Entry(found, until)
            self._used_us[found.owner_id] = self._now_us()
            flush_due = self._monotonic() - self._flushed_at >= _FLUSH_S
        if flush_due:
            self.flush()
        return found.value
