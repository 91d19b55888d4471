"""The embedded store: one SQLite file, durable, with group commit.

All writes of a process go through one thread that owns the one writing
connection. It takes every operation that waits, runs each in its own
savepoint and commits them together, so that many callers share the cost of
one disk sync. Nobody waits on purpose: a lone caller is committed at once.

Readers have connections of their own and never wait for the writer (WAL).
"""

from __future__ import annotations

import contextlib
import logging
import queue
import sqlite3
import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

from workersai_core.clock import Clock, SystemClock
from workersai_core.errors import StoreBusy, StoreError, StoreUnavailable
from workersai_core.store.base import Operation
from workersai_core.store.session import Session
from workersai_core.store.sqlite_readers import CLOSED, NESTED, Readers

__all__ = ["SqliteStore"]

Result = TypeVar("Result")

_BUSY_TIMEOUT_S = 1.0
_CACHED_STATEMENTS = 256
_CACHE_KIB = 8000
_QUEUE_LIMIT = 4096
# A group ends when it has this many operations or has run this long, so that the first in it does not wait forever.
_GROUP_LIMIT = 512
_GROUP_S = 0.02
# Primary result codes that blame a statement (https://www.sqlite.org/rescode.html); all others blame the database.
_STATEMENT_ERRORS = frozenset(
    {
        sqlite3.SQLITE_ERROR,
        sqlite3.SQLITE_CONSTRAINT,
        sqlite3.SQLITE_MISMATCH,
        sqlite3.SQLITE_RANGE,
        sqlite3.SQLITE_TOOBIG,
    }
)
_BUSY_ERRORS = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
_log = logging.getLogger("workersai.store")


class _Job:
    """One operation on its way through the writer."""

    __slots__ = ("_done", "error", "operation", "result")

    def __init__(self, operation: Operation[Any]) -> None:
        self.operation = operation
        self.result: Any = None
        self.error: BaseException | None = None
        self._done = threading.Lock()
        self._done.acquire()

    def finish(self) -> None:
        self._done.release()

    def wait(self) -> Any:
        self._done.acquire()
        if self.error is not None:
            raise self.error
        return self.result


class SqliteStore:
    """A `Store` on one SQLite file, or in memory for tests.

    Args:
        path: The database file; ``":memory:"`` keeps everything in this object.
        connect: How to open a connection; tests put faults here.

    Raises:
        StoreBusy, StoreUnavailable: the file cannot be opened.
    """

    dialect = "sqlite"

    def __init__(self, path: str, *, connect: Callable[[str], Any] | None = None) -> None:
        self.path = path
        self.clock: Clock = SystemClock()
        self._connect = connect or _connect
        self._in_memory = path == ":memory:"
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._enqueueing = threading.Lock()
        self._readers = Readers(lambda: self._open("query_only = ON"))
        self._closed = False
        self._stopping = False
        self._writing: Any = self._open_writer()
        self._writer = threading.Thread(target=self._write_groups, name="workersai-sqlite-writer", daemon=True)
        self._writer.start()

    def write(self, operation: Operation[Result]) -> Result:
        """Run `operation` in one durable transaction; see `Store.write`."""
        self._refuse_the_writer()
        job = _Job(operation)
        with self._enqueueing:
            if self._closed:
                raise StoreUnavailable(CLOSED)
            if self._jobs.qsize() >= _QUEUE_LIMIT:
                raise StoreBusy(f"{_QUEUE_LIMIT} operations already wait for the database; retry in a second.")
            self._jobs.put(job)
        return job.wait()  # type: ignore[no-any-return]

    def read(self, operation: Operation[Result]) -> Result:
        """Run `operation` on one consistent snapshot; see `Store.read`."""
        if self._in_memory:
            return self.write(_without_changes(operation))
        self._refuse_the_writer()
        try:
            return self._readers.run(lambda connection: operation(Session(connection, self.dialect)))
        except sqlite3.Error as error:
            if _is_database_failure(error):
                raise _store_error(error) from error
            raise

    def announce(self) -> None:
        """Do nothing: one process does all the work on a SQLite file; see `Store.announce`."""

    def listen(self, heard: Callable[[], None]) -> None:
        """Do nothing, since nobody announces; see `Store.listen`."""

    def close(self) -> None:
        """Commit what was accepted, let running reads end, and close every connection."""
        with self._enqueueing:
            if self._closed:
                return
            self._closed = True
        # The readers first: of connections that close at the same time none is the last one, which removes the WAL.
        self._readers.close()
        self._jobs.put(None)  # the last thing ever put
        self._writer.join()

    def _refuse_the_writer(self) -> None:
        if threading.current_thread() is self._writer:
            raise RuntimeError(NESTED)

    # --- writing -----------------------------------------------------------------------------

    def _write_groups(self) -> None:
        while not self._stopping and (first := self._jobs.get()) is not None:
            self._commit_group([first])
            del first
        self._writing.close()

    def _commit_group(self, group: list[_Job]) -> None:
        try:
            self._writing.execute("BEGIN IMMEDIATE")
            self._run_group(group)
            self._writing.execute("COMMIT")
        except BaseException as error:
            for job in group:
                job.error = _store_error(error)
            self._recover(was_busy=isinstance(group[0].error, StoreBusy))
        finally:
            for job in group:
                job.finish()

    def _run_group(self, group: list[_Job]) -> None:
        """Run the first job and, as long as the group may grow, every other that waits."""
        ends_at = time.monotonic() + _GROUP_S
        self._run_job(group[0])
        while len(group) < _GROUP_LIMIT and time.monotonic() < ends_at and (job := self._next_job()) is not None:
            group.append(job)
            self._run_job(job)

    def _run_job(self, job: _Job) -> None:
        self._writing.execute("SAVEPOINT job")
        try:
            job.result = job.operation(Session(self._writing, self.dialect))
        except BaseException as error:
            if _is_database_failure(error):
                raise  # no operation of this group can be trusted now
            behind = _behind(error)
            job.error = _store_error(behind) if _is_database_failure(behind) else error
            self._writing.execute("ROLLBACK TO job")
        self._writing.execute("RELEASE job")

    def _next_job(self) -> _Job | None:
        """Return a job that waits, or None."""
        try:
            job = self._jobs.get_nowait()
        except queue.Empty:
            return None
        self._stopping = job is None
        return job

    # --- connections ---------------------------------------------------------------------------

    def _recover(self, *, was_busy: bool) -> None:
        """Give the next group a connection that has no transaction and, unless it was only busy, no past."""
        try:
            if self._writing.in_transaction:
                self._writing.execute("ROLLBACK")
        except sqlite3.Error:
            was_busy = False
        if not was_busy and not self._in_memory:
            self._replace_writer()

    def _replace_writer(self) -> None:
        try:
            replacement = self._open_writer()
        except Exception as error:  # whatever it is, the writer lives on
            _log.error("the database cannot be reopened yet: %s", error)
            return  # the next group meets the old connection, reports what it says and tries again
        with contextlib.suppress(sqlite3.Error):
            self._writing.close()
        self._writing = replacement

    def _open_writer(self) -> Any:
        # PERF: a savepoint copies each page that is changed in it; into a file that costs more than storing a task.
        durable = ("synchronous = FULL", "temp_store = MEMORY")
        try:
            return self._open(*durable) if self._in_memory else self._open("journal_mode = WAL", *durable)
        except sqlite3.Error as error:
            raise _store_error(error) from error

    def _open(self, *settings: str) -> Any:
        """Return a new connection with these settings."""
        connection = self._connect(self.path)
        try:
            for setting in (f"cache_size = -{_CACHE_KIB}", *settings):
                connection.execute(f"PRAGMA {setting}")
        except sqlite3.Error:
            connection.close()
            raise
        return connection


def _connect(path: str) -> sqlite3.Connection:
    return sqlite3.connect(
        path,
        timeout=_BUSY_TIMEOUT_S,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=_CACHED_STATEMENTS,
    )


def _without_changes(operation: Operation[Result]) -> Operation[Result]:
    """Return an operation that fails where it would change something."""

    def run(session: Session) -> Result:
        session.script("PRAGMA query_only = ON")
        try:
            return operation(session)
        finally:
            session.script("PRAGMA query_only = OFF")

    return run


def _primary_code(error: BaseException) -> int | None:
    code = getattr(error, "sqlite_errorcode", None)
    return None if code is None else code & 0xFF


def _first_failure(error: BaseException) -> BaseException:
    """Return what failed first: to undo what a failure left may fail as well, and that says less."""
    while isinstance(error.__context__, sqlite3.Error):
        error = error.__context__
    return error


def _database_error(error: BaseException) -> BaseException:
    """Return the error of the database that is behind another one, for example a plugin's; else the error itself."""
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, sqlite3.Error):
        cause = cause.__cause__
    return error if cause is None else cause


def _behind(error: BaseException) -> BaseException:
    """Return the driver's error that is behind another one, for example a plugin's; else the error itself."""
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, sqlite3.Error):
        cause = cause.__cause__
    return cause or error


def _is_database_failure(error: BaseException) -> bool:
    """Return whether the database failed, and not just one statement of one operation."""
    error = _database_error(error)
    if not isinstance(error, sqlite3.Error):
        return False
    first = _first_failure(error)
    code = _primary_code(first)
    if code is None:  # the driver's own complaint, which is about a value or an argument
        return not isinstance(first, sqlite3.InterfaceError | sqlite3.ProgrammingError)
    return code not in _STATEMENT_ERRORS


def _store_error(error: BaseException) -> StoreError:
    """Return what a caller should see when a transaction failed as a whole."""
    first = _first_failure(_database_error(error))
    if _primary_code(first) in _BUSY_ERRORS:
        found: StoreError = StoreBusy("Another process is writing to the database; retry in a second.")
    else:
        found = StoreUnavailable(f"The database failed: {first}. Check its disk and its permissions.")
    found.__cause__ = first
    return found
