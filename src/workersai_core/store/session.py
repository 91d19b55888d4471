"""One open transaction, and the statements that run in it.

SQLAlchemy Core builds each statement once and compiles it once per database;
after that a session hands the finished text straight to the driver, because
on a hot path SQLAlchemy's own execution costs several times the driver's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple, Self

import sqlalchemy
from sqlalchemy import Dialect
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql import ClauseElement

from workersai_core.errors import InvalidInput, StoreUnavailable

__all__ = ["Row", "Session", "Statement", "dialect_named"]

Row = tuple[Any, ...]
Parameters = Mapping[str, Any]

_DIALECTS: Mapping[str, Dialect] = {
    "sqlite": sqlite.dialect(paramstyle="named"),
    "postgresql": postgresql.dialect(paramstyle="numeric_dollar"),  # type: ignore[no-untyped-call]
}
_LOCK_NOT_AVAILABLE = "55P03"  # https://www.postgresql.org/docs/current/errcodes-appendix.html
_DRIVERS = {"sqlite": ("pysqlite", "sqlite:///…"), "postgresql": ("psycopg", "postgresql+psycopg://…")}


def dialect_named(name: str) -> Dialect:
    """Return the SQL dialect that statements are compiled for: ``sqlite`` or ``postgresql``."""
    return _DIALECTS[name]


class Compiled(NamedTuple):
    """A statement as one database takes it."""

    sql: str
    fixed: dict[str, Any]
    """The parameters that always have this value."""
    order: tuple[str, ...] | None
    """Which parameters are ``$1``, ``$2`` and so on; None where the text has their names."""


class Statement:
    """A statement that is built once and compiled once per database.

    Args:
        build: The SQLAlchemy construct, or a function from the dialect's name
            to it where the databases differ.
    """

    def __init__(self, build: ClauseElement | Callable[[str], ClauseElement]) -> None:
        self._build = build
        self._compiled: dict[str, Compiled] = {}

    def compiled(self, dialect: str) -> Compiled:
        """Return the statement for a database."""
        known = self._compiled.get(dialect)
        if known is None:
            construct = self._build if isinstance(self._build, ClauseElement) else self._build(dialect)
            compiled: Any = construct.compile(dialect=_DIALECTS[dialect])
            fixed = {name: value for name, value in (compiled.params or {}).items() if value is not None}
            order = None if dialect == "sqlite" else tuple(compiled.positiontup or ())
            known = self._compiled[dialect] = Compiled(str(compiled), fixed, order)
        return known


class Session:
    """An open transaction on a driver's connection.

    Args:
        driver: Executes statements and returns what holds their rows: a
            connection of the standard library's SQLite, or a `libpq.Driver`.
        dialect: ``sqlite`` or ``postgresql``.
    """

    def __init__(self, driver: Any, dialect: str) -> None:
        self._driver = driver
        self.dialect = dialect
        self._savepoints = 0
        self._changes = 0

    @classmethod
    def joining(cls, connection: sqlalchemy.Connection) -> Self:
        """Return a session in the transaction of a SQLAlchemy connection, which is begun if it was not yet.

        Raises:
            InvalidInput: it commits each statement by itself, or its driver is not ours.
        """
        name = connection.dialect.name
        driver_name, address = _DRIVERS.get(name, ("", "sqlite:///… or postgresql+psycopg://…"))
        if connection.dialect.driver != driver_name:
            raise InvalidInput(
                f"A connection of {name}+{connection.dialect.driver} cannot be joined; make its engine with {address}."
            )
        begun = None if connection.in_transaction() else connection.begin()
        driver: Any = connection.connection.driver_connection
        if _commits_by_itself(connection, driver):
            if begun is not None:
                begun.rollback()
            raise InvalidInput("This connection is in AUTOCOMMIT mode; pass one with a transaction to join.")
        if name == "sqlite" and not driver.in_transaction:
            # Python's driver does not begin by itself before a SAVEPOINT, whose release would then commit.
            connection.exec_driver_sql("BEGIN")
        return cls(_libpq_driver(driver) if name == "postgresql" else driver, name)

    def run(self, statement: Statement, parameters: Parameters | None = None) -> int:
        """Execute a statement and return how many rows it touched."""
        return int(self._execute(statement, parameters).rowcount)

    def many(self, statement: Statement, rows: Sequence[Parameters]) -> None:
        """Execute a statement once for each row of parameters."""
        sql, filled = self._filled(statement, rows)
        self._driver.executemany(sql, filled)
        self._changes += len(rows)

    def each(self, statement: Statement, rows: Sequence[Parameters]) -> list[Row]:
        """Execute a statement once for each row of parameters, and return all rows that came back, in that order."""
        sql, filled = self._filled(statement, rows)
        self._changes += len(rows)
        if self.dialect == "sqlite":
            return [found for values in filled for found in self._driver.execute(sql, values).fetchall()]
        found: list[Row] = self._driver.executemany(sql, filled)
        return found

    def _filled(self, statement: Statement, rows: Sequence[Parameters]) -> tuple[str, Sequence[Any]]:
        sql, fixed, order = statement.compiled(self.dialect)
        filled = [{**fixed, **row} for row in rows] if fixed else rows
        return sql, filled if order is None else [[row[name] for name in order] for row in filled]

    def one(self, statement: Statement, parameters: Parameters | None = None) -> Row | None:
        """Return the first row, or None."""
        row: Row | None = self._execute(statement, parameters).fetchone()
        return row

    def all(self, statement: Statement, parameters: Parameters | None = None) -> list[Row]:
        """Return every row."""
        rows: list[Row] = self._execute(statement, parameters).fetchall()
        return rows

    @property
    def changes(self) -> int:
        """A number that is another one whenever a row was changed in this session."""
        return int(self._driver.total_changes) if self.dialect == "sqlite" else self._changes

    def require_open(self) -> None:
        """Raise unless the transaction still runs.

        SQLite ends one by itself when its disk is full or fails. Whoever caught
        that error and went on would then commit each further statement alone.

        Raises:
            StoreUnavailable: it does not.
        """
        if self.dialect == "sqlite" and not self._driver.in_transaction:
            raise StoreUnavailable("The database failed and undid the transaction. Check its disk and its permissions.")

    def script(self, sql: str) -> None:
        """Execute one statement of plain SQL without parameters."""
        self._driver.execute(sql)
        self._changes += 1

    def waited_in_vain(self, error: Exception) -> bool:
        """Return whether an error says that another transaction kept a row locked for too long."""
        return getattr(error, "sqlstate", None) == _LOCK_NOT_AVAILABLE

    def take_time(self) -> None:
        """Let the statements of this transaction run as long as they need, where a store limits that."""
        if self.dialect == "postgresql":
            self.script("SET LOCAL statement_timeout = 0")

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """Undo everything done inside when it raises; keep it otherwise."""
        self._savepoints += 1
        name = f"wai_{self._savepoints}"
        self._driver.execute(f"SAVEPOINT {name}")
        try:
            yield
        except BaseException:
            self._driver.execute(f"ROLLBACK TO SAVEPOINT {name}")
            self._driver.execute(f"RELEASE SAVEPOINT {name}")
            raise
        else:
            self._driver.execute(f"RELEASE SAVEPOINT {name}")
        finally:
            self._savepoints -= 1

    def _execute(self, statement: Statement, parameters: Parameters | None) -> Any:
        sql, fixed, order = statement.compiled(self.dialect)
        if fixed:
            parameters = {**fixed, **parameters} if parameters else fixed
        if order is None:
            return self._driver.execute(sql, parameters or {})
        done = self._driver.execute(sql, [parameters[name] for name in order] if parameters else ())
        if not sql.startswith("SELECT"):
            self._changes += done.rowcount
        return done


def _commits_by_itself(connection: sqlalchemy.Connection, driver: Any) -> bool:
    """Return whether the statements of a connection are transactions of their own."""
    if connection.get_execution_options().get("isolation_level") == "AUTOCOMMIT":
        return True
    if getattr(driver, "autocommit", False) is True:
        return True
    # Without an isolation level Python's SQLite driver begins nothing, and here the host did not begin either.
    return connection.dialect.name == "sqlite" and driver.isolation_level is None and not driver.in_transaction


def _libpq_driver(connection: Any) -> Any:
    # Imported only when it is used: psycopg is installed on request.
    from workersai_core.store.libpq import Driver

    return Driver(connection)
