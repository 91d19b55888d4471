"""So many requests or attempts per key and period, and what clients are told about it.

Windows are fixed: one begins with the first request of a key, and in it the
key has its requests. Each process counts for itself.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable

import attrs
import falcon

from workersai_server.errors import RateLimited
from workersai_server.settings import RateLimit

__all__ = ["RateLimits", "Windows"]

_MOST = 100_000
_POLICY = "default"


@attrs.define
class _Window:
    """The period that runs for one key."""

    ends_at: float
    count: int = 0


class Windows:
    """Counts by key. Safe to use from many threads.

    Args:
        limit: How many there may be in a period.
        clock: Seconds that never go back.
    """

    def __init__(self, limit: RateLimit, clock: Callable[[], float] = time.monotonic) -> None:
        self._limit = limit
        self._clock = clock
        self._lock = threading.Lock()
        self._windows: dict[str, _Window] = {}

    def __len__(self) -> int:
        """Return how many keys have a window."""
        return len(self._windows)

    def take(self, key: str) -> tuple[int, int]:
        """Count one more.

        Returns:
            How many are left, negative when it was too many; and the whole
            seconds until there are as many as at first.
        """
        now = self._clock()
        with self._lock:
            window = self._windows.get(key)
            if window is None or now >= window.ends_at:
                window = self._open(key, now)
            window.count += 1
            return self._limit.requests - window.count, math.ceil(window.ends_at - now)

    def _open(self, key: str, now: float) -> _Window:
        if len(self._windows) >= _MOST:
            self._windows = {name: each for name, each in self._windows.items() if now < each.ends_at}
        window = self._windows[key] = _Window(now + self._limit.period_s)
        return window


class RateLimits:
    """Counts requests and writes the headers of draft-ietf-httpapi-ratelimit-headers-10.

    Args:
        limit: Requests per period; None for no limit.
        clock: Seconds that never go back.
    """

    def __init__(self, limit: RateLimit | None, clock: Callable[[], float] = time.monotonic) -> None:
        self._limit = limit
        self._windows = None if limit is None else Windows(limit, clock)
        self._policy = "" if limit is None else f'"{_POLICY}";q={limit.requests};w={limit.period_s}'

    def __len__(self) -> int:
        """Return how many callers have a window."""
        return 0 if self._windows is None else len(self._windows)

    def count(self, caller: str, resp: falcon.Response) -> None:
        """Count a request of a caller.

        Raises:
            RateLimited: the caller has made as many as allowed in this period.
        """
        limit = self._limit
        if limit is None or self._windows is None:
            return
        left, seconds = self._windows.take(caller)
        resp.set_header("RateLimit-Policy", self._policy)
        resp.set_header("RateLimit", f'"{_POLICY}";r={max(0, left)};t={seconds}')
        if left < 0:
            raise RateLimited(
                f"More than {limit.requests} requests in {limit.period_s} s with this key; retry in {seconds} s.",
                retry_after_s=seconds,
            )
