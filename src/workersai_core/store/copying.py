"""Moving a database: from the SQLite file it began in to PostgreSQL.

Rows go over in the order of their keys, two hundred in a transaction, and
each is read back and compared. A copy that was interrupted is run again: what
is there already is only compared. At the end both databases have the same
rows, or an error says which differs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import chain
from typing import Any

from sqlalchemy import Connection, Table, create_engine, func, select, text, tuple_
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from workersai_core.errors import Conflict, InvalidInput, StoreUnavailable
from workersai_core.store import schema, tables
from workersai_core.store.opening import database_url, upgrade
from workersai_core.store.schema import Schema

__all__ = ["copy", "rows_in"]

Key = tuple[Any, ...]
_BATCH = 200


def rows_in(source: str, schemas: Sequence[Schema]) -> int:
    """Return how many rows there are to copy.

    Raises:
        InvalidInput: not the address of a SQLite file.
        MigrationRequired: its tables are not current.
        StoreUnavailable: it cannot be read.
    """
    with _failures_named(), _reading(source) as reading:
        schema.require_current(reading, schemas)
        return sum(_count(reading, table) for table in _tables(schemas))


def copy(
    source: str, destination: str, schemas: Sequence[Schema], *, done: Callable[[int], None] = lambda rows: None
) -> Mapping[str, int]:
    """Copy every row from a SQLite file to a PostgreSQL database, whose tables are made or brought up to date.

    Nobody may write to either meanwhile.

    Args:
        source: ``sqlite:///FILE``; it is not changed.
        destination: ``postgresql://…``, empty or partly filled by an earlier copy of the same file.
        schemas: Which tables.
        done: Called with how many more rows are known to be the same in both.

    Returns:
        The number of rows by table.

    Raises:
        InvalidInput: an address is none, or not of that kind.
        MigrationRequired: the tables of the source are not current, or those of the destination are newer.
        Conflict: the destination has other rows than the source.
        StoreUnavailable: a database cannot be reached, read or written.
    """
    _require(destination, "postgresql")
    with _failures_named(), _reading(source) as reading:
        schema.require_current(reading, schemas)
        upgrade(destination, schemas)
        engine = create_engine(database_url(destination), poolclass=NullPool)
        try:
            return {table.name: _copy_table(reading, engine.connect, table, done) for table in _tables(schemas)}
        finally:
            engine.dispose()


def _tables(schemas: Sequence[Schema]) -> list[Table]:
    return list(chain.from_iterable(each.metadata.sorted_tables for each in schemas))


def _require(address: str, kind: str) -> None:
    found = database_url(address).get_backend_name()
    if found != kind:
        raise InvalidInput(f"A copy goes from SQLite to PostgreSQL; {found} stands where {kind} is expected.")


@contextmanager
def _reading(source: str) -> Iterator[Connection]:
    """Open one snapshot of the source."""
    _require(source, "sqlite")
    with schema.schema_connection(database_url(source), changing=False) as connection:
        yield connection


@contextmanager
def _failures_named() -> Iterator[None]:
    try:
        yield
    except SQLAlchemyError as error:
        cause = getattr(error, "orig", None) or error
        raise StoreUnavailable(f"The copy cannot go on: {cause}. Run it again when that is put right.") from error


def _copy_table(
    reading: Connection, connect: Callable[[], Connection], table: Table, done: Callable[[int], None]
) -> int:
    copied = 0
    with connect() as writing:
        for rows in _batches(reading, table):
            with writing.begin():
                _copy_batch(writing, table, rows)
            copied += len(rows)
            done(len(rows))
        with writing.begin():
            there = _count(writing, table)
            if there != copied:
                raise Conflict(
                    f"{table.name} has {there} rows in the destination and {copied} in the source; "
                    "copy into an empty database."
                )
            _go_on_counting(writing, table)
    return copied


def _batches(reading: Connection, table: Table) -> Iterator[Mapping[Key, Mapping[str, Any]]]:
    """Yield the rows of the source by their keys, in the keys' order."""
    keys = list(table.primary_key.columns)
    after: Key | None = None
    while True:
        query = select(table).order_by(*keys).limit(_BATCH)
        if after is not None:
            query = query.where(tuple_(*keys) > tuple_(*after))
        rows = _by_key(table, reading.execute(query).mappings())
        if not rows:
            return
        yield rows
        after = list(rows)[-1]


def _copy_batch(writing: Connection, table: Table, rows: Mapping[Key, Mapping[str, Any]]) -> None:
    there = _there(writing, table, rows)
    missing = [row for key, row in rows.items() if key not in there]
    if missing:
        writing.execute(table.insert(), missing)
        there = _there(writing, table, rows)
    for key, row in rows.items():
        if there.get(key) != row:
            raise Conflict(
                f"The row {', '.join(map(str, key))} of {table.name} is another one in the destination; "
                "copy into an empty database."
            )


def _there(writing: Connection, table: Table, rows: Mapping[Key, Mapping[str, Any]]) -> Mapping[Key, Mapping[str, Any]]:
    wanted = tuple_(*table.primary_key.columns).in_(list(rows))
    return _by_key(table, writing.execute(select(table).where(wanted)).mappings())


def _by_key(table: Table, found: Any) -> dict[Key, Mapping[str, Any]]:
    rows = [{**row} for row in found]
    if table is tables.events:
        # What SQLite wrote is settled, and comes before whatever PostgreSQL will write.
        rows = [{**row, "xact": row["xact"] or 0} for row in rows]
    return {tuple(row[column.name] for column in table.primary_key.columns): row for row in rows}


def _count(connection: Connection, table: Table) -> int:
    return int(connection.execute(select(func.count()).select_from(table)).scalar_one())


def _go_on_counting(writing: Connection, table: Table) -> None:
    """Let the numbers of new rows follow those that were copied."""
    column = table.autoincrement_column
    if column is None:
        return
    # With NULL, the highest of no rows, setval does nothing.
    highest = writing.execute(select(func.max(column))).scalar_one()
    setval = text("SELECT setval(pg_get_serial_sequence(:table, :column), CAST(:highest AS bigint))")
    writing.execute(setval, {"table": table.name, "column": column.name, "highest": highest})
