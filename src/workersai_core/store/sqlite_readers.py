"""The reading connections of a SQLite file, shared by all threads of a process.

A server may have a thread for each slow client, and a connection for each
thread would cost the memory of its cache and three open files. Reads are
short, so a few connections serve them all; the one used last is used next,
because its cache is warm.
"""

from __future__ import annotations

import queue
import sqlite3
import threading
from collections import deque
from collections.abc import Callable
from typing import Any, TypeVar

from workersai_core.errors import StoreUnavailable

__all__ = ["CLOSED", "NESTED", "Readers"]

Result = TypeVar("Result")

CLOSED = "The database is closed."
NESTED = "An operation of this thread is running; use its own transaction instead of waiting for another one."
_MOST = 16


class Readers:
    """Up to 16 connections, opened as they are needed.

    Args:
        open_one: Returns a new connection that cannot write.
    """

    def __init__(self, open_one: Callable[[], Any]) -> None:
        self._open_one = open_one
        self._idle: deque[Any] = deque()
        # PERF: this queue is written in C; a semaphore costs ten times as much.
        self._permits: queue.SimpleQueue[None] = queue.SimpleQueue()
        for _ in range(_MOST):
            self._permits.put(None)
        self._thread = threading.local()
        self._closed = False

    def run(self, operation: Callable[[Any], Result]) -> Result:
        """Run `operation` on a connection and one snapshot; wait while too many others read.

        Raises:
            StoreUnavailable: `close` was called.
            RuntimeError: this thread reads already.
            sqlite3.Error: the database failed; its connection is not used again.
        """
        if getattr(self._thread, "reads", False):
            raise RuntimeError(NESTED)
        self._permits.get()
        self._thread.reads = True
        try:
            return self._run(operation)
        finally:
            self._thread.reads = False
            self._permits.put(None)

    def close(self) -> None:
        """Let running reads end, refuse further ones and close every connection."""
        self._closed = True
        for _ in range(_MOST):
            self._permits.get()
        while self._idle:
            self._idle.pop().close()
        for _ in range(_MOST):
            self._permits.put(None)

    def _run(self, operation: Callable[[Any], Result]) -> Result:
        if self._closed:
            raise StoreUnavailable(CLOSED)
        try:
            connection = self._idle.pop()
        except IndexError:  # another thread may take the last one at any moment, so there is no use in looking first
            connection = self._open_one()
        try:
            connection.execute("BEGIN")
            try:
                return operation(connection)
            finally:
                connection.execute("ROLLBACK")
        except sqlite3.Error:
            connection.close()
            connection = None
            raise
        finally:
            if connection is not None:
                self._idle.append(connection)
