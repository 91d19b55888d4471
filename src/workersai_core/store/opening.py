"""From what a caller names as the database to an open store with current tables."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from pathlib import Path

import sqlalchemy
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from workersai_core.errors import InvalidInput, StoreUnavailable
from workersai_core.store import event_rows, schema
from workersai_core.store.base import Store
from workersai_core.store.schema import Schema
from workersai_core.store.sqlite import SqliteStore

__all__ = ["database_url", "open_store", "upgrade"]

_EXAMPLES = "sqlite:///labels.db or postgresql://user@host/name"


def database_url(database: str | sqlalchemy.Engine) -> URL:
    """Return the address of a database as SQLAlchemy writes it.

    Args:
        database: ``sqlite:///FILE``, ``sqlite://`` (in memory), ``postgresql://…``,
            or an existing SQLAlchemy engine, whose address is taken.

    Raises:
        InvalidInput: it is no such address.
    """
    if isinstance(database, sqlalchemy.Engine):
        return database.url
    try:
        url = make_url(database)
    except ArgumentError:
        raise InvalidInput(f"This is not a database address; write {_EXAMPLES}.") from None
    if url.get_backend_name() == "sqlite":
        return url
    if url.get_backend_name() == "postgresql":
        return url.set(drivername="postgresql+psycopg")
    raise InvalidInput(f"{url.get_backend_name()} is not supported; write {_EXAMPLES}.")


def open_store(database: str | sqlalchemy.Engine, schemas: Sequence[Schema], *, migrate: bool | None) -> Store:
    """Open a database whose tables are, or are brought, at the newest revisions.

    Args:
        database: See `database_url`.
        schemas: The tables that must be there.
        migrate: Whether to change tables that are not current. None means yes
            for SQLite and no for PostgreSQL, where other hosts may still run
            the older version.

    Raises:
        InvalidInput: not a database address.
        MigrationRequired: the tables are not current and may not be changed.
        StoreUnavailable: the database cannot be reached or written.
    """
    url = database_url(database)
    if url.get_backend_name() == "postgresql":
        return _open_postgresql(url, schemas, migrate=migrate is True)
    path = url.database or ":memory:"
    if path == ":memory:":
        store = SqliteStore(path)
        store.write(lambda session: schema.create_directly(session, schemas))
        return store
    _prepare(url, schemas, changing=migrate is not False)
    return SqliteStore(path)


def _open_postgresql(url: URL, schemas: Sequence[Schema], *, migrate: bool) -> Store:
    _require_psycopg()
    # Imported only when it is used: psycopg is installed on request.
    from workersai_core.store.postgresql import PostgresqlStore

    _prepare(url, schemas, changing=migrate)
    store = PostgresqlStore(url)
    if store.read(event_rows.is_foreign):
        store.write(event_rows.adopt)
    return store


def _require_psycopg() -> None:
    if importlib.util.find_spec("psycopg") is None or importlib.util.find_spec("psycopg_pool") is None:
        raise InvalidInput("PostgreSQL needs its driver; run `pip install 'workersai[postgresql]'`.")


def upgrade(database: str | sqlalchemy.Engine, schemas: Sequence[Schema]) -> None:
    """Bring the tables of a database to the newest revisions.

    Raises:
        InvalidInput: not a database address.
        MigrationRequired: the database is newer than this code.
        StoreUnavailable: the database cannot be reached or written.
    """
    url = database_url(database)
    if url.get_backend_name() == "postgresql":
        _require_psycopg()
    _prepare(url, schemas, changing=True)


def _prepare(url: URL, schemas: Sequence[Schema], *, changing: bool) -> None:
    if url.get_backend_name() == "sqlite" and url.database is not None and not Path(url.database).parent.is_dir():
        raise StoreUnavailable(f"The folder {Path(url.database).parent} of the database does not exist; create it.")
    try:
        with schema.schema_connection(url, changing=False) as connection:
            if all(schema.is_current(connection, each) for each in schemas):
                return
            if not changing:
                schema.require_current(connection, schemas)
        with schema.schema_connection(url, changing=True) as connection:
            schema.migrate(connection, schemas)
    except SQLAlchemyError as error:
        raise _unavailable(error) from error


def _unavailable(error: SQLAlchemyError) -> StoreUnavailable:
    cause = getattr(error, "orig", None) or error
    return StoreUnavailable(f"The database cannot be opened: {cause}. Check its address and permissions.")
