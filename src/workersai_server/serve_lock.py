"""One `serve` for each SQLite database, also across containers that share a disk."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from workersai_core import StoreLocked, StoreUnavailable

__all__ = ["served_by", "serving_alone"]

_PATIENCE_S = 1.0
_POLL_S = 0.02


@contextmanager
def serving_alone(database: Path | None) -> Iterator[None]:
    """Hold the right to serve a SQLite file; the kernel gives it back however this process ends.

    Args:
        database: The file; None for a database that is not a SQLite file, which needs no lock.

    Raises:
        StoreLocked: another process serves it; the detail names that process.
        StoreUnavailable: the folder of the database cannot be written.
    """
    if database is None:
        yield
        return
    descriptor = _open(_lock_file(database))
    try:
        _lock(descriptor, database)
        os.ftruncate(descriptor, 0)
        os.write(descriptor, str(os.getpid()).encode())
        yield
    finally:
        os.close(descriptor)


def served_by(database: Path) -> str | None:
    """Return the id of the process that serves a SQLite file; None when none does."""
    try:
        descriptor = os.open(_lock_file(database), os.O_RDWR)
    except FileNotFoundError:
        return None
    try:
        return None if _try_to_lock(descriptor) else _holder(descriptor)
    finally:
        os.close(descriptor)


def _lock_file(database: Path) -> Path:
    return database.with_name(database.name + ".serve.lock")


def _open(path: Path) -> int:
    try:
        # Not truncated before the lock is ours: it names the process that has it.
        return os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise StoreUnavailable(
            f"{path} cannot be written: {error.strerror}. Serving a database needs write access to its folder."
        ) from error


def _holder(descriptor: int) -> str:
    return os.pread(descriptor, 32, 0).decode("ascii", "replace") or "unknown"


def _lock(descriptor: int, database: Path) -> None:
    # A process that was just killed may take a moment to let go.
    patient_until = time.monotonic() + _PATIENCE_S
    while not _try_to_lock(descriptor):
        if time.monotonic() >= patient_until:
            raise StoreLocked(
                f"Another process (pid {_holder(descriptor)}) serves {database}. SQLite is served by one process: "
                "stop that one, choose another --db, or move to PostgreSQL."
            )
        time.sleep(_POLL_S)


def _try_to_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
