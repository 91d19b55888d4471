"""One open transaction, and the statements that run in it.

SQLAlchemy Core builds each statement once and compiles it once per database;
after that a session hands the finished text straight to the driver, because
on a hot path SQLAlchemy's own execution costs several times the driver's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Self

import sqlalchemy
from sqlalchemy import Dialect
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql import ClauseElement

from workersai_core.errors import InvalidInput

__all__ = ["Row", "Session", "Statement", "dialect_named"]

Row = tuple[Any, ...]
Parameters = Mapping[str, Any]

_DIALECTS: Mapping[str, Dialect] = {
    "sqlite": sqlite.dialect(paramstyle="named"),
    "postgresql": postgresql.dialect(paramstyle="pyformat"),  # type: ignore[no-untyped-call]
}
_LOCK_NOT_AVAILABLE = "55P03"  # https://www.postgresql.org/docs/current/errcodes-appendix.html
_DRIVERS = {"sqlite": ("pysqlite", "sqlite:///…"), "postgresql": ("psycopg", "postgresql+psycopg://…")}


def dialect_named(name: str) -> Dialect:
    """Return the SQL dialect that statements are compiled for: ``sqlite`` or ``postgresql``."""
    return _DIALECTS[name]


class Statement:
    """A statement that is built once and compiled once per database.

    Args:
        build: The SQLAlchemy construct, or a function from the dialect's name
            to it where the databases differ.
    """

    def __init__(self, build: ClauseElement | Callable[[str], ClauseElement]) -> None:
        self._build = build
        self._texts: dict[str, tuple[str, dict[str, Any]]] = {}

    def compiled(self, dialect: str) -> tuple[str, dict[str, Any]]:
        """Return the SQL text for a database and the parameters that are fixed in it."""
        known = self._texts.get(dialect)
        if known is None:
            construct = self._build if isinstance(self._build, ClauseElement) else self._build(dialect)
            compiled = construct.compile(dialect=_DIALECTS[dialect])
            fixed = {name: value for name, value in (compiled.params or {}).items() if value is not None}
            known = self._texts[dialect] = (str(compiled), fixed)
        return known


class Session:
    """An open transaction on a driver's connection.

    Args:
        driver: Executes statements and returns their cursor: a connection of
            the standard library's SQLite, or a cursor of psycopg.
        dialect: ``sqlite`` or ``postgresql``.
    """

    def __init__(self, driver: Any, dialect: str) -> None:
        self._driver = driver
        self.dialect = dialect
        self._savepoints = 0

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
        return cls(driver.cursor() if name == "postgresql" else driver, name)

    def run(self, statement: Statement, parameters: Parameters | None = None) -> int:
        """Execute a statement and return how many rows it touched."""
        return int(self._execute(statement, parameters).rowcount)

    def many(self, statement: Statement, rows: Sequence[Parameters]) -> None:
        """Execute a statement once for each row of parameters."""
        sql, fixed = statement.compiled(self.dialect)
        self._driver.executemany(sql, [{**fixed, **row} for row in rows] if fixed else rows)

    def one(self, statement: Statement, parameters: Parameters | None = None) -> Row | None:
        """Return the first row, or None."""
        row: Row | None = self._execute(statement, parameters).fetchone()
        return row

    def all(self, statement: Statement, parameters: Parameters | None = None) -> list[Row]:
        """Return every row."""
        rows: list[Row] = self._execute(statement, parameters).fetchall()
        return rows

    def script(self, sql: str) -> None:
        """Execute one statement of plain SQL without parameters."""
        self._driver.execute(sql)

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
        sql, fixed = statement.compiled(self.dialect)
        if fixed:
            parameters = {**fixed, **parameters} if parameters else fixed
        return self._driver.execute(sql, parameters or {})


def _commits_by_itself(connection: sqlalchemy.Connection, driver: Any) -> bool:
    """Return whether the statements of a connection are transactions of their own."""
    if connection.get_execution_options().get("isolation_level") == "AUTOCOMMIT":
        return True
    if getattr(driver, "autocommit", False) is True:
        return True
    # Without an isolation level Python's SQLite driver begins nothing, and here the host did not begin either.
    return connection.dialect.name == "sqlite" and driver.isolation_level is None and not driver.in_transaction
