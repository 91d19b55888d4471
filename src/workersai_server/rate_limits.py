"""So many requests per key and period, and what clients are told about it.

The strategy is `limits`' fixed window. Its own storage in memory starts a
thread for nearly every request that is counted, so windows are kept by a
small storage of ours. Each process counts for itself.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable

import falcon
from limits import RateLimitItem, RateLimitItemPerSecond
from limits.storage import Storage
from limits.strategies import FixedWindowRateLimiter

from workersai_server.errors import RateLimited
from workersai_server.settings import RateLimit

__all__ = ["RateLimits", "Windows"]

_MOST = 100_000
_POLICY = "default"


class Windows(Storage):
    """The windows that are open, in memory.

    Args:
        clock: Seconds that never go back.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._lock = threading.Lock()
        self._windows: dict[str, list[float]] = {}

    @property
    def base_exceptions(self) -> type[Exception]:
        """What the storage itself raises; nothing, being memory."""
        return Exception

    def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        """Count in the key's window, and open one of `expiry` seconds where none is."""
        now = self._clock()
        with self._lock:
            window = self._windows.get(key)
            if window is None or now >= window[1]:
                self._make_room(now)
                window = self._windows[key] = [0, now + expiry]
            window[0] += amount
            return int(window[0])

    def get(self, key: str) -> int:
        """Return how much was counted in the key's window."""
        window = self._windows.get(key)
        return 0 if window is None or self._clock() >= window[1] else int(window[0])

    def get_expiry(self, key: str) -> float:
        """Return when the key's window ends."""
        window = self._windows.get(key)
        return self._clock() if window is None else window[1]

    def check(self) -> bool:
        """Return that memory works."""
        return True

    def reset(self) -> int:
        """Forget every window."""
        with self._lock:
            count = len(self._windows)
            self._windows.clear()
            return count

    def clear(self, key: str) -> None:
        """Forget the window of a key."""
        with self._lock:
            self._windows.pop(key, None)

    def _make_room(self, now: float) -> None:
        if len(self._windows) >= _MOST:
            self._windows = {key: window for key, window in self._windows.items() if now < window[1]}


class RateLimits:
    """Counts requests and writes the headers of draft-ietf-httpapi-ratelimit-headers-10.

    Args:
        limit: Requests per period; None for no limit.
        clock: Seconds that never go back.
    """

    def __init__(self, limit: RateLimit | None, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._windows = Windows(clock)
        self._strategy = FixedWindowRateLimiter(self._windows)
        self._item: RateLimitItem | None = None
        if limit is not None:
            self._item = RateLimitItemPerSecond(limit.requests, limit.period_s)
            self._policy = f'"{_POLICY}";q={limit.requests};w={limit.period_s}'

    def count(self, caller: str, resp: falcon.Response) -> None:
        """Count a request of a caller.

        Raises:
            RateLimited: the caller has made as many as allowed in this period.
        """
        if self._item is None:
            return
        allowed = self._strategy.hit(self._item, caller)
        key = self._item.key_for(caller)
        left = max(0, self._item.amount - self._windows.get(key))
        seconds = max(1, math.ceil(self._windows.get_expiry(key) - self._clock()))
        resp.set_headers((("RateLimit-Policy", self._policy), ("RateLimit", f'"{_POLICY}";r={left};t={seconds}')))
        if not allowed:
            raise RateLimited(
                f"More than {self._item.amount} requests in {self._item.get_expiry()} s with this key; "
                f"retry in {seconds} s.",
                retry_after_s=seconds,
            )
