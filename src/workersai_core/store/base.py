"""What the engine asks of a database."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

from workersai_core.clock import Clock
from workersai_core.store.session import Session

__all__ = ["Operation", "Store"]

Result = TypeVar("Result")
Operation = Callable[[Session], Result]
"""Work inside one transaction.

It may run on another thread, must not wait for anything but the database, and
may be run again from its start when the database undid it: outside of the
database it must leave nothing behind until it returns.
"""


class Store(Protocol):
    """One database.

    Attributes:
        dialect: ``sqlite`` or ``postgresql``.
        clock: The time on which everybody who uses this database agrees.

    Raises, from `write` and `read`, besides what the operation itself raises:
        StoreBusy: nothing was changed; retry.
        StoreUnavailable: the database is lost, full or read-only. After a
            write its outcome is unknown: retry with the same idempotency key.
    """

    dialect: str
    clock: Clock

    def write(self, operation: Operation[Result]) -> Result:
        """Run `operation` in one durable transaction and return its result after the commit."""
        ...

    def read(self, operation: Operation[Result]) -> Result:
        """Run `operation` on one consistent snapshot that it cannot change."""
        ...

    def announce(self) -> None:
        """Tell the other processes, as far as they listen, that something is due; it never raises."""
        ...

    def listen(self, heard: Callable[[], None]) -> None:
        """Call `heard`, on another thread, whenever a process announces something; until `close`."""
        ...

    def close(self) -> None:
        """Finish what was accepted and let go of the database."""
        ...
