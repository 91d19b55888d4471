"""The store for many processes on many hosts: PostgreSQL, with a pool of connections in each.

A write is one READ COMMITTED transaction: each of its statements sees what was
committed before that statement began. The statements are made for that: they
change rows on a condition, and a command that decides on what it has read
locks the task's row first. A read is one REPEATABLE READ snapshot.

A transaction that the server undid to end a deadlock, and one whose connection
was lost before its COMMIT was sent, has changed nothing and is run again. A
connection that is lost while it commits leaves the outcome unknown; only the
caller can find out, by its idempotency key.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable
from typing import NoReturn, TypeVar

import psycopg
from psycopg import errors
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg_pool import ConnectionPool, PoolClosed, PoolTimeout, TooManyRequests
from sqlalchemy import text
from sqlalchemy.engine import URL

from workersai_core.clock import Clock
from workersai_core.errors import InvalidInput, StoreBusy, StoreError, StoreUnavailable
from workersai_core.store.base import Operation
from workersai_core.store.database_clock import DatabaseClock
from workersai_core.store.libpq import ADAPTERS, Connection, Driver, command
from workersai_core.store.listening import Listener
from workersai_core.store.session import Session, Statement

__all__ = ["PostgresqlStore"]

Result = TypeVar("Result")

_PATIENCE_S = 0.7
"""How long a caller waits for a connection; and from the first one that is lost, for one that is not."""
_PATIENCE_WHEN_LOST_S = 0.2
"""How long a caller waits while the server is known to be away: long enough to find it back."""
_TRIES = 8
_BACK_OFF_S = 0.01
_MOST_WAITING = 4096
_CHANNEL = "wai_work"
# Classes of SQLSTATE that blame the database and not a statement: connection, resources, an operator's intervention,
# the system, damage (https://www.postgresql.org/docs/current/errcodes-appendix.html); 25006 is a read-only server.
_FAILURES = frozenset({"08", "53", "57", "58", "XX"})
_READ_ONLY = "25006"

# The server's time comes along with the first round trip of each transaction.
_NOW = b"; SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint"
_BEGIN_WRITE = b"BEGIN ISOLATION LEVEL READ COMMITTED" + _NOW
_BEGIN_READ = b"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY" + _NOW

_DEFAULTS = {
    "application_name": "workersai",
    "client_encoding": "utf8",
    "connect_timeout": "2",
    # A host that vanished is noticed within a second or two, not after the kernel's quarter of an hour.
    "keepalives_idle": "1",
    "keepalives_interval": "1",
    "keepalives_count": "2",
    "tcp_user_timeout": "1000",
}
_LIMITS = {
    "synchronous_commit": "on",
    # Longer than the second after which PostgreSQL looks for deadlocks, whose victim is run again.
    "lock_timeout": "2000",
    "statement_timeout": "10000",
    # A process that stopped in the middle of a transaction must not hold its locks for long.
    "idle_in_transaction_session_timeout": "10000",
}
_ENCODING = Statement(text("SELECT current_setting('server_encoding')"))
_log = logging.getLogger("workersai.store")


class _ConnectionLostError(Exception):
    """The connection was lost before the transaction's COMMIT was sent: nothing was changed."""


class PostgresqlStore:
    """A `Store` on one PostgreSQL database.

    Args:
        url: Its address; what its query says goes before the defaults here.
        most_connections: How many connections this process may have at once.

    Raises:
        InvalidInput: the database does not store text as UTF-8.
        StoreUnavailable: the database cannot be reached.
    """

    dialect = "postgresql"

    def __init__(self, url: URL, *, most_connections: int = 16) -> None:
        self._server_clock = DatabaseClock()
        self.clock: Clock = self._server_clock
        self._conninfo = _conninfo(url)
        self._in_operation = threading.local()
        self._unreachable = False
        self._listener: Listener | None = None
        self._pool: ConnectionPool[Connection] = ConnectionPool(
            self._conninfo,
            connection_class=Connection,
            kwargs={"autocommit": True, "context": ADAPTERS},
            configure=self._configure,
            reconnect_failed=self._note_unreachable,
            # A connection is tried for when somebody needs it, not later and later in the background.
            reconnect_timeout=0.0,
            min_size=1,
            max_size=most_connections,
            max_waiting=_MOST_WAITING,
            num_workers=2,
            name="workersai",
            open=True,
        )
        try:
            self.read(_require_utf8)
        except BaseException:
            self._pool.close()
            raise

    def write(self, operation: Operation[Result]) -> Result:
        """Run `operation` in one durable transaction; see `Store.write`."""
        return self._run(operation, _BEGIN_WRITE)

    def read(self, operation: Operation[Result]) -> Result:
        """Run `operation` on one consistent snapshot; see `Store.read`."""
        return self._run(operation, _BEGIN_READ)

    def announce(self) -> None:
        """Tell the other processes that something is due; see `Store.announce`."""
        # In a transaction of its own: one that notifies commits while no other one that notifies can.
        try:
            self._retried(_notify)
        except (StoreError, psycopg.Error) as error:  # they look by themselves twice a second
            _log.debug("nobody was told that something is due: %s", error)

    def listen(self, heard: Callable[[], None]) -> None:
        """Call `heard` whenever a process announces something; see `Store.listen`."""
        if self._listener is None:
            self._listener = Listener(self._conninfo, _CHANNEL, heard)
            self._listener.start()

    def close(self) -> None:
        """Let running operations finish and close every connection."""
        if self._listener is not None:
            self._listener.stop()
        self._pool.close()

    # --- transactions ------------------------------------------------------------------------

    def _run(self, operation: Operation[Result], begin: bytes) -> Result:
        if getattr(self._in_operation, "running", False):
            raise RuntimeError(
                "An operation of this thread is running; use its own transaction instead of waiting for another one."
            )
        self._in_operation.running = True
        try:
            return self._retried(lambda connection: self._run_once(connection, operation, begin))
        finally:
            self._in_operation.running = False

    def _run_once(self, connection: Connection, operation: Operation[Result], begin: bytes) -> Result:
        try:
            self._server_clock.ask(lambda: int(command(connection, begin).get_value(0, 0) or 0))
            result = operation(Session(Driver(connection), self.dialect))
        except BaseException as error:
            _abandon(connection, error, writing=begin is _BEGIN_WRITE)
        if begin is _BEGIN_WRITE:
            _commit(connection)
        else:
            _end(connection)
        return result

    def _retried(self, use: Callable[[Connection], Result]) -> Result:
        """Use a connection, and another one as long as nothing was changed but may yet succeed."""
        lost: BaseException | None = None
        lost_for_good_at = float("inf")
        for n in range(_TRIES):
            try:
                connection = self._connection()
                try:
                    return use(connection)
                finally:
                    self._pool.putconn(connection)
            except _ConnectionLostError as error:
                lost = error.__cause__
                self._pool.drain()  # the idle ones were most likely lost with it
                lost_for_good_at = min(lost_for_good_at, time.monotonic() + _PATIENCE_S)
                if time.monotonic() >= lost_for_good_at:
                    break
            except Exception as error:
                conflict = _database_error(error)
                if not isinstance(conflict, errors.SerializationFailure | errors.DeadlockDetected):
                    raise
                lost = None
                # Whoever is in the way needs a moment to finish, or would be met again at the same place.
                time.sleep(random.uniform(0.0, _BACK_OFF_S * 2**n))  # noqa: S311 - spreads load, keeps no secret
        if lost is None:
            raise StoreBusy("Others change the same rows all the time; retry in a second.")
        raise StoreUnavailable(f"The connection to the database was lost: {_told(lost)}") from lost

    # --- connections ---------------------------------------------------------------------------

    def _connection(self) -> Connection:
        try:
            return self._pool.getconn(_PATIENCE_WHEN_LOST_S if self._unreachable else _PATIENCE_S)
        except PoolClosed:
            raise StoreUnavailable("The database is closed.") from None
        except (PoolTimeout, TooManyRequests):
            if self._unreachable:
                raise StoreUnavailable("The database cannot be reached; check its address and its server.") from None
            raise StoreBusy("Every connection to the database is in use; retry in a second.") from None

    def _configure(self, connection: Connection) -> None:
        if self._unreachable:
            self._unreachable = False
            _log.warning("the database is back")

    def _note_unreachable(self, _: object) -> None:
        if not self._unreachable:
            self._unreachable = True
            _log.warning("the database cannot be reached")


def _conninfo(url: URL) -> str:
    """Return what libpq connects with: the address, and our defaults where it says nothing."""
    positional, named = url.get_dialect()().create_connect_args(url)
    given = {**conninfo_to_dict(positional[0] if positional else ""), **named}
    limits = " ".join(f"-c {name}={value}" for name, value in _LIMITS.items())
    options = f"{limits} {given.pop('options', None) or ''}".strip()
    return make_conninfo(**{**_DEFAULTS, **given, "options": options})


def _require_utf8(session: Session) -> None:
    [(encoding,)] = session.all(_ENCODING)
    if encoding != "UTF8":
        raise InvalidInput(
            f"This database stores text as {encoding}; make one with "
            "CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0."
        )


def _notify(connection: Connection) -> None:
    try:
        command(connection, f"NOTIFY {_CHANNEL}".encode())
    except psycopg.Error as error:
        _abandon(connection, error, writing=False)


def _commit(connection: Connection) -> None:
    """Commit.

    Raises:
        StoreUnavailable: the outcome is unknown.
        RuntimeError: an operation hid an error of the database, which undid everything.
    """
    try:
        outcome = command(connection, b"COMMIT").command_status
    except psycopg.Error as error:
        connection.close()
        raise StoreUnavailable(
            f"The database was lost while it committed, so the outcome is unknown: {_told(error)}"
        ) from error
    if outcome == b"ROLLBACK":
        raise RuntimeError(
            "An error of the database was caught inside a transaction, which undid all of it; "
            "catch it around a savepoint instead."
        )


def _abandon(connection: Connection, error: BaseException, *, writing: bool) -> NoReturn:
    """Undo the transaction of an operation that failed.

    Raises:
        _ConnectionLostError: the connection was lost.
        StoreError: what a caller should see instead of the database's error.
        BaseException: the error itself, in every other case.
    """
    failure = _database_error(error)
    if isinstance(failure, psycopg.Error) and _is_lost(failure, connection):
        connection.close()
        raise _ConnectionLostError from failure
    _end(connection)
    translated = _store_error(failure, writing=writing)
    if translated is not None:
        raise translated from failure
    raise error


def _end(connection: Connection) -> None:
    """End a transaction that leaves nothing behind."""
    try:
        command(connection, b"ROLLBACK")
    except psycopg.Error:
        connection.close()  # the server does it by itself


def _database_error(error: BaseException) -> BaseException:
    """Return the error of the database that is behind another one, for example a plugin's; else the error itself."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, psycopg.Error):
            return cause
        cause = cause.__cause__
    return error


def _is_lost(error: psycopg.Error, connection: Connection) -> bool:
    if connection.broken or connection.closed:
        return True
    if error.sqlstate is None:
        return isinstance(error, psycopg.OperationalError)
    return error.diag.severity_nonlocalized in ("FATAL", "PANIC")


def _store_error(error: BaseException, *, writing: bool) -> StoreError | None:
    """Return what a caller should see where the database failed; None for an error of a statement or of the caller."""
    if not isinstance(error, psycopg.Error):
        return None
    if isinstance(error, errors.LockNotAvailable):
        return StoreBusy("Somebody else holds what this needs; retry in a second.")
    if isinstance(error, errors.QueryCanceled):
        return StoreBusy("The database took too long; retry later, or ask for less.")
    code = error.sqlstate or ""  # without one psycopg complains of a value, which is the caller's affair
    failed = code[:2] in _FAILURES or (writing and code == _READ_ONLY)
    return StoreUnavailable(f"The database failed: {_told(error)}") if failed else None


def _told(error: BaseException | None) -> str:
    """Return the first sentence of what the server or libpq said."""
    said = error.diag.message_primary if isinstance(error, psycopg.Error) else None
    return (said or str(error).strip().partition("\n")[0]).rstrip(".") + "."
