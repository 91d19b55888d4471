"""So many requests per key and period, and what clients are told about it.

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

__all__ = ["RateLimits"]

_MOST = 100_000
_POLICY = "default"


@attrs.define
class _Window:
    """The period that runs for one caller."""

    ends_at: float
    count: int = 0


class RateLimits:
    """Counts requests and writes the headers of draft-ietf-httpapi-ratelimit-headers-10.

    Args:
        limit: Requests per period; None for no limit.
        clock: Seconds that never go back.
    """

    def __init__(self, limit: RateLimit | None, clock: Callable[[], float] = time.monotonic) -> None:
        self._limit = limit
        self._clock = clock
        self._lock = threading.Lock()
        self._windows: dict[str, _Window] = {}
        self._policy = "" if limit is None else f'"{_POLICY}";q={limit.requests};w={limit.period_s}'

    def __len__(self) -> int:
        """Return how many callers have a window."""
        return len(self._windows)

    def count(self, caller: str, resp: falcon.Response) -> None:
        """Count a request of a caller.

        Raises:
            RateLimited: the caller has made as many as allowed in this period.
        """
        limit = self._limit
        if limit is None:
            return
        now = self._clock()
        with self._lock:
            window = self._windows.get(caller)
            if window is None or now >= window.ends_at:
                window = self._open(caller, now, now + limit.period_s)
            window.count += 1
            left = limit.requests - window.count
        seconds = math.ceil(window.ends_at - now)
        resp.set_header("RateLimit-Policy", self._policy)
        resp.set_header("RateLimit", f'"{_POLICY}";r={max(0, left)};t={seconds}')
        if left < 0:
            raise RateLimited(
                f"More than {limit.requests} requests in {limit.period_s} s with this key; retry in {seconds} s.",
                retry_after_s=seconds,
            )

    def _open(self, caller: str, now: float, ends_at: float) -> _Window:
        if len(self._windows) >= _MOST:
            self._windows = {key: each for key, each in self._windows.items() if now < each.ends_at}
        window = self._windows[caller] = _Window(ends_at)
        return window
