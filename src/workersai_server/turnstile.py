"""Few requests at once in Python, however many wait.

PERF: each call of SQLite lets go of the interpreter's lock. When dozens of
threads want that lock, every such call passes it on, from one core to another,
and that costs more than the request itself: with 32 clients on two cores, a
GET took 600 us of processor time, and 240 us when only two threads ran at any
moment. So no more do. Who waits for a client's body or for the database's disk
steps aside, and leaves the place to another one.

Nobody waits long for a place: a plugin or a query that is slow must not hold
up the others, and then the lock is passed on as it would have been.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from workersai_core.clock import Clock
from workersai_core.store.base import Operation, Store

if TYPE_CHECKING:
    from wsgiref.types import InputStream, StartResponse, WSGIApplication, WSGIEnvironment

__all__ = ["Turnstile"]

Result = TypeVar("Result")

_PLACES = 2
_PATIENCE_S = 0.1


class Turnstile:
    """Lets a few threads in at once.

    Args:
        places: How many.
        patience_s: How long one waits for a place before it goes on without.
    """

    def __init__(self, places: int = _PLACES, patience_s: float = _PATIENCE_S) -> None:
        self._patience_s = patience_s
        # PERF: this queue is written in C; a semaphore costs ten times as much.
        self._free: queue.SimpleQueue[None] = queue.SimpleQueue()
        for _ in range(places):
            self._free.put(None)
        self._thread = threading.local()

    def around(self, application: WSGIApplication) -> WSGIApplication:
        """Return an application each of whose requests takes a place, except while it waits for its body."""

        def within(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            environ["wsgi.input"] = _Body(environ["wsgi.input"], self)
            self._enter()
            try:
                return application(environ, start_response)
            finally:
                self._leave()

        return within

    def beside(self, store: Store) -> Store:
        """Return a store for whose disk or server nobody waits in a place."""
        return _PatientStore(store, self)

    @contextmanager
    def outside(self) -> Iterator[None]:
        """Give the place to another thread as long as the block runs."""
        if not self._leave():
            yield
            return
        try:
            yield
        finally:
            self._enter()

    def _enter(self) -> None:
        try:
            self._free.get(timeout=self._patience_s)
        except queue.Empty:
            return
        self._thread.inside = True

    def _leave(self) -> bool:
        """Give back this thread's place; return whether it had one."""
        if not getattr(self._thread, "inside", False):
            return False
        self._thread.inside = False
        self._free.put(None)
        return True


class _PatientStore:
    """A store whose callers step aside while they wait for it."""

    def __init__(self, store: Store, turnstile: Turnstile) -> None:
        self._store = store
        self._outside = turnstile.outside
        self.dialect = store.dialect
        self.clock: Clock = store.clock
        # On SQLite a read only computes; PostgreSQL is waited for.
        self._waits_for_reads = store.dialect == "postgresql"

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def write(self, operation: Operation[Result]) -> Result:
        """Run `operation` in one durable transaction; see `Store.write`."""
        with self._outside():
            return self._store.write(operation)

    def read(self, operation: Operation[Result]) -> Result:
        """Run `operation` on one consistent snapshot; see `Store.read`."""
        if not self._waits_for_reads:
            return self._store.read(operation)
        with self._outside():
            return self._store.read(operation)

    def announce(self) -> None:
        """Tell the other processes that something is due; see `Store.announce`."""
        self._store.announce()

    def listen(self, heard: Callable[[], None]) -> None:
        """Call `heard` whenever a process announces something; see `Store.listen`."""
        self._store.listen(heard)

    def close(self) -> None:
        """Finish what was accepted; see `Store.close`."""
        self._store.close()


class _Body:
    """A request's body, for which nobody waits in a place."""

    def __init__(self, body: InputStream, turnstile: Turnstile) -> None:
        self._body = body
        self._outside = turnstile.outside

    def read(self, size: int = -1) -> bytes:
        """Return up to `size` bytes."""
        with self._outside():
            return self._body.read(size)

    def readline(self, size: int = -1) -> bytes:
        """Return one line."""
        with self._outside():
            return self._body.readline(size)

    def readlines(self, hint: int = -1) -> list[bytes]:
        """Return the lines."""
        with self._outside():
            return self._body.readlines(hint)

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.readline, b"")
