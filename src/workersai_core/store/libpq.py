"""Statements on a psycopg connection, by the calls of libpq itself.

PERF: psycopg's cursors look for the end of each statement by polling, from
Python. One blocking call of libpq instead costs 10 us of processor time where
they cost 25, and with many threads twice as much is saved, since the
interpreter's lock changes hands once. psycopg still connects, turns values
into what PostgreSQL reads and back, and makes its errors.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, Self

import psycopg
from psycopg import errors
from psycopg.adapt import AdaptersMap, PyFormat, Transformer
from psycopg.pq import ExecStatus
from psycopg.pq.abc import PGresult
from psycopg.types.numeric import Int8Dumper

__all__ = ["ADAPTERS", "Connection", "Driver", "command"]

Row = tuple[Any, ...]
Key = tuple[str, tuple[int, ...]]

_MOST_PREPARED = 500
_AT_ONCE = 200
_TEXT = (PyFormat.TEXT,)


def _adapters() -> AdaptersMap:
    """Return psycopg's types, with one for whole numbers: several would prepare each statement several times."""
    adapters = AdaptersMap(psycopg.adapters)
    adapters.register_dumper(int, Int8Dumper)
    return adapters


ADAPTERS = _adapters()
"""How values become parameters; for connections of our own."""


class Connection(psycopg.Connection[Row]):
    """A connection that remembers what is prepared on it."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.prepared: dict[Key, bytes] = {}


def command(connection: psycopg.Connection[Any], sql: bytes) -> PGresult:
    """Execute SQL without parameters, which may be several statements, and return the last one's result.

    Raises:
        psycopg.Error: a statement failed, or the connection.
    """
    return _checked(connection.pgconn.exec_(sql))


class _Query(NamedTuple):
    """A statement with its values as PostgreSQL reads them."""

    name: bytes | None
    """Under which it is prepared; None when it is not."""
    sql: bytes
    given: Sequence[Any]
    types: tuple[int, ...]
    formats: Any


class Driver:
    """Executes statements and holds the last one's result, in the way of a cursor of PEP 249.

    Statements are prepared where the connection is a `Connection` of this
    module; another one belongs to a host, whose library may forget them.

    Args:
        connection: With an open transaction.
    """

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection
        self._pgconn = connection.pgconn
        self._prepared = connection.prepared if isinstance(connection, Connection) else None
        self._transformer = Transformer(connection)
        self._result: PGresult | None = None

    def execute(self, sql: str, values: Sequence[Any] | None = None) -> Self:
        """Execute one statement; its ``$1`` is the first of the values. Without values it may be any SQL."""
        self._result = command(self._connection, sql.encode()) if values is None else self._run(sql, values)
        return self

    def executemany(self, sql: str, rows: Iterable[Sequence[Any]]) -> list[Row]:
        """Execute one statement with each row of values, and return every row that came back, in that order.

        PERF: nobody waits for an answer before the next ones are on their way.
        """
        prepared = [self._prepare(sql, values) for values in rows]
        found: list[Row] = []
        for start in range(0, len(prepared), _AT_ONCE):
            for result in self._pipelined(prepared[start : start + _AT_ONCE]):
                self._result = result
                found += self.fetchall()
        return found

    @property
    def rowcount(self) -> int:
        """How many rows the last statement touched or found."""
        return 0 if self._result is None else self._result.command_tuples or 0

    def fetchone(self) -> Row | None:
        """Return the first row, or None."""
        rows = self._rows(1)
        return rows[0] if rows else None

    def fetchall(self) -> list[Row]:
        """Return every row."""
        return self._rows(None)

    def _rows(self, most: int | None) -> list[Row]:
        result = self._result
        if result is None or result.ntuples == 0:
            return []
        self._transformer.set_pgresult(result)
        return self._transformer.load_rows(0, most or result.ntuples, tuple)

    def _run(self, sql: str, values: Sequence[Any]) -> PGresult:
        query = self._prepare(sql, values)
        if query.name is None:
            return _checked(self._pgconn.exec_params(query.sql, query.given, query.types, query.formats))
        return _checked(self._pgconn.exec_prepared(query.name, query.given, query.formats))

    def _prepare(self, sql: str, values: Sequence[Any]) -> _Query:
        transformer = self._transformer
        given = transformer.dump_sequence(values, _TEXT * len(values))
        types = transformer.types or ()
        return _Query(self._name(sql, types), sql.encode(), given, types, transformer.formats)

    def _pipelined(self, queries: Sequence[_Query]) -> list[PGresult]:
        """Send queries one after the other, then take their results.

        Raises:
            psycopg.Error: the first that failed; the server has skipped what followed it.
        """
        pgconn = self._pgconn
        pgconn.enter_pipeline_mode()
        for query in queries:
            if query.name is None:
                pgconn.send_query_params(query.sql, query.given, query.types, query.formats)
            else:
                pgconn.send_query_prepared(query.name, query.given, query.formats)
        pgconn.pipeline_sync()
        results = [self._next_result() for _ in queries]
        pgconn.get_result()  # the end of the pipeline
        pgconn.exit_pipeline_mode()
        return [_checked(result) for result in results]

    def _next_result(self) -> PGresult:
        """Return what a pipelined query brought."""
        result = self._pgconn.get_result()
        if result is None:  # pragma: no cover - libpq gives one for each query, also when the connection is gone
            raise psycopg.OperationalError(self._pgconn.get_error_message())
        self._pgconn.get_result()  # the end of this query's results
        return result

    def _name(self, sql: str, types: tuple[int, ...]) -> bytes | None:
        """Return the name under which a statement is prepared; None when it is not."""
        if self._prepared is None:
            return None
        name = self._prepared.get((sql, types))
        if name is None and len(self._prepared) < _MOST_PREPARED:
            name = b"wai_%d" % len(self._prepared)
            _checked(self._pgconn.prepare(name, sql.encode(), types))
            self._prepared[sql, types] = name
        return name


def _checked(result: PGresult) -> PGresult:
    if result.status in (ExecStatus.COMMAND_OK, ExecStatus.TUPLES_OK):
        return result
    error = errors.error_from_result(result)
    if error.sqlstate is None:  # libpq's own complaint
        raise psycopg.OperationalError(str(error))
    raise error
