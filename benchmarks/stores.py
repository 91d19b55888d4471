"""Stores that leave out the disk, to see what the rest of a request costs."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any, TypeVar

from workersai_core.store.session import Session
from workersai_core.store.sqlite import SqliteStore

__all__ = ["DiscardingStore"]

Result = TypeVar("Result")


class DiscardingStore(SqliteStore):
    """Reads like its parent; whatever is written to it once `discarding` is set is dropped.

    Every statement is still chosen, bound and handed over, in the thread that
    asked. What it leaves out is SQLite, its writer thread and the disk.
    """

    discarding = False

    def write(self, operation: Callable[[Session], Result]) -> Result:
        """Run `operation` on a database that takes everything and keeps nothing."""
        if not self.discarding:
            return super().write(operation)
        return operation(Session(_Nowhere(), self.dialect))


class _Nowhere:
    """A driver connection to nowhere: each statement touches one row, each query finds none."""

    rowcount = 1
    in_transaction = True
    total_changes = 0
    _ids = itertools.count(1)

    def execute(self, sql: str, parameters: Any = ()) -> _Nowhere:
        self._returns = "RETURNING" in sql
        return self

    def executemany(self, sql: str, rows: Any) -> None:
        pass

    def cursor(self) -> _Nowhere:
        return self

    def fetchone(self) -> tuple[int] | None:
        return (next(self._ids),) if self._returns else None

    def fetchall(self) -> list[tuple[int]]:
        return [(next(self._ids),)] if self._returns else []
