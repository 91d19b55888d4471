"""Total deadlines: a socket timeout bounds each wait, nothing but a second thread bounds their sum.

A receiver that sends one byte a second never lets a socket time out. The
watchdog is one thread for any number of exchanges; when the time of one is
up, it shuts down that one's socket, which ends whatever the sender waits for.
"""

from __future__ import annotations

import contextlib
import math
import socket
import threading
import time
from collections.abc import Callable
from typing import cast

__all__ = ["Exchange", "Watchdog"]


class Exchange:
    """One request and its answer, as far as it got.

    Attributes:
        deadline: When it must be over, in seconds of `time.monotonic`.
        status: The answer's status, once its headers were complete.
        answered_at: When they were; before that it lies beyond all time.
        drop_body: Lets go of the answer's body unread.
        reused: Whether the request went out on a connection that was idle.
        stopped: Whether it was ended before its time.
    """

    __slots__ = (
        "_socket",
        "_watchdog",
        "answered_at",
        "deadline",
        "drop_body",
        "reused",
        "status",
        "stopped",
    )

    def __init__(self, watchdog: Watchdog, deadline: float) -> None:
        self.deadline = deadline
        self.status: int | None = None
        self.answered_at = math.inf
        self.drop_body: Callable[[], None] | None = None
        self.reused = False
        self.stopped = False
        self._watchdog = watchdog
        self._socket: socket.socket | None = None

    @property
    def left_s(self) -> float:
        """Seconds until the deadline; negative after it."""
        return self.deadline - time.monotonic()

    def holds(self, sock: socket.socket) -> None:
        """Name the socket to shut down at the deadline."""
        with self._watchdog.lock:
            self._socket = sock
            if self.stopped or self.left_s <= 0:
                self.cut()

    def answered(self, status: int, drop_body: Callable[[], None]) -> None:
        """Note that the answer's headers are complete, and how to let go of its body unread."""
        self.answered_at = time.monotonic()
        self.status = status
        self.drop_body = drop_body

    def limit(self, seconds: float) -> None:
        """Let no single wait on the socket last longer than this; there must be one."""
        cast(socket.socket, self._socket).settimeout(seconds)

    def cut(self) -> None:
        """Shut the socket down; whoever waits for it wakes up."""
        if self._socket is not None:
            # Not SSLSocket.shutdown, which changes the object under the thread that reads from it.
            with contextlib.suppress(OSError):  # the receiver may have closed it before
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)

    def end(self) -> None:
        """Forget the socket; from here on nothing is cut."""
        with self._watchdog.lock:
            self._watchdog.forget(self)
            self._socket = None


class Watchdog:
    """A thread that cuts exchanges at their deadline; it starts with the first one."""

    def __init__(self) -> None:
        self.lock = threading.Condition()
        self._live: set[Exchange] = set()
        self._wakes_at = math.inf
        self._thread: threading.Thread | None = None

    def begin(self, deadline: float) -> Exchange:
        """Return a new exchange that is cut at `deadline`, in seconds of `time.monotonic`."""
        exchange = Exchange(self, deadline)
        with self.lock:
            self._live.add(exchange)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="callback-watchdog", daemon=True)
                self._thread.start()
            elif deadline < self._wakes_at:
                self.lock.notify()
        return exchange

    def forget(self, exchange: Exchange) -> None:
        """Watch an exchange no longer; the caller holds the lock."""
        self._live.discard(exchange)

    def close(self) -> None:
        """Stop the thread; exchanges under way are cut."""
        with self.lock:
            thread, self._thread = self._thread, None
            for exchange in self._live:
                exchange.stopped = True
                exchange.cut()
            self.lock.notify()
        if thread is not None:
            thread.join()

    def _run(self) -> None:
        with self.lock:
            while self._thread is threading.current_thread():
                now = time.monotonic()
                for exchange in [each for each in self._live if each.deadline <= now]:
                    self._live.discard(exchange)
                    exchange.cut()
                # An exchange that ends in time wakes nobody: at most one needless round per deadline.
                self._wakes_at = min((each.deadline for each in self._live), default=math.inf)
                self.lock.wait(None if math.isinf(self._wakes_at) else max(self._wakes_at - now, 0.0))
