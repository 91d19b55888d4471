"""What the engine asks of a database."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

from workersai_core.store.session import Session

__all__ = ["Operation", "Store"]

Result = TypeVar("Result")
Operation = Callable[[Session], Result]
"""Work inside one transaction. It may run on another thread and must not wait for anything but the database."""


class Store(Protocol):
    """One database.

    Raises, from both methods, besides what the operation itself raises:
        StoreBusy: nothing was changed; retry.
        StoreUnavailable: the database is lost, full or read-only. After a
            write its outcome is unknown: retry with the same idempotency key.
    """

    dialect: str

    def write(self, operation: Operation[Result]) -> Result:
        """Run `operation` in one durable transaction and return its result after the commit."""
        ...

    def read(self, operation: Operation[Result]) -> Result:
        """Run `operation` on one consistent snapshot that it cannot change."""
        ...

    def close(self) -> None:
        """Finish what was accepted and let go of the database."""
        ...
