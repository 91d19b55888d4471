"""Tables and their migrations: is this database at the version that the code expects, and if not, bring it there.

Each `Schema` has its own folder of Alembic revisions and its own version
table, so that the engine, the server and a host's plugin can put their tables
into one database and move on independently.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import resources
from pathlib import Path

import attrs
from sqlalchemy import Connection, MetaData, create_engine, event, inspect, text
from sqlalchemy.engine import URL
from sqlalchemy.pool import NullPool
from sqlalchemy.schema import CreateIndex, CreateTable

from workersai_core.errors import MigrationRequired
from workersai_core.store import tables
from workersai_core.store.session import Session, dialect_named

__all__ = ["CORE", "Schema", "create_directly", "is_current", "migrate", "require_current", "schema_connection"]

_ENVIRONMENT = "workersai_core.store.migrations"
_LOCK_NUMBER = 8315927203114  # one constant for all hosts, so that only one of them migrates a database at a time


@attrs.frozen(kw_only=True)
class Schema:
    """Tables that belong together.

    Attributes:
        name: Short and unique within a database; the version table is ``wai_version_NAME``.
        metadata: The tables.
        package: The importable folder that holds the Alembic revisions.
        head: The newest revision there; a database with another one is refused.
    """

    name: str
    metadata: MetaData = attrs.field(repr=False)
    package: str
    head: str

    @property
    def version_table(self) -> str:
        """Where the database says which revision it has."""
        return f"wai_version_{self.name}"

    @property
    def folder(self) -> Path:
        """Where the revisions are."""
        return Path(str(resources.files(self.package)))


CORE = Schema(name="core", metadata=tables.metadata, package="workersai_core.store.migrations.versions", head="0001")


def is_current(connection: Connection, schema: Schema) -> bool:
    """Return whether the database has exactly the newest revision of a schema."""
    return _revision(connection, schema) == schema.head


def _revision(connection: Connection, schema: Schema) -> str | None:
    if not inspect(connection).has_table(schema.version_table):
        return None
    found = connection.execute(text(f"SELECT version_num FROM {schema.version_table}"))  # noqa: S608 - our own name
    revision: str | None = found.scalar()
    return revision


def require_current(connection: Connection, schemas: Sequence[Schema]) -> None:
    """Raise unless every schema is at its newest revision.

    Raises:
        MigrationRequired: one is not; the detail names both revisions and the remedy.
    """
    for schema in schemas:
        found = _revision(connection, schema)
        if found != schema.head:
            raise MigrationRequired(
                f"The {schema.name} tables are at revision {found or 'none'}, this version needs {schema.head}; "
                "run `workersai db upgrade`."
            )


def migrate(connection: Connection, schemas: Sequence[Schema]) -> None:
    """Bring every schema to its newest revision, in the caller's transaction.

    Raises:
        MigrationRequired: the database is newer than this code.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _LOCK_NUMBER})
    for schema in schemas:
        if not is_current(connection, schema):
            _upgrade(connection, schema)


def _upgrade(connection: Connection, schema: Schema) -> None:
    # PERF: Alembic takes 100 ms to import and is needed only when something changes.
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(resources.files(_ENVIRONMENT)))
    config.set_main_option("version_locations", str(schema.folder))
    config.set_main_option("path_separator", "newline")
    config.attributes.update(connection=connection, schema=schema)
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise MigrationRequired(
            f"The {schema.name} tables are at a revision that this version does not know ({error}); "
            "install the newer version of WorkersAI that made them."
        ) from error


def create_directly(session: Session, schemas: Sequence[Schema]) -> None:
    """Create every table at once, for a database in memory that no other version will ever open."""
    dialect = dialect_named(session.dialect)
    for schema in schemas:
        for table in schema.metadata.sorted_tables:
            session.script(str(CreateTable(table).compile(dialect=dialect)))
            for index in sorted(table.indexes, key=lambda index: str(index.name)):
                if index.info.get("only", session.dialect) == session.dialect:
                    session.script(str(CreateIndex(index).compile(dialect=dialect)))


@contextmanager
def schema_connection(url: URL, *, changing: bool) -> Iterator[Connection]:
    """Open one transaction for looking at schemas, or for changing them; it commits at the end."""
    engine = create_engine(url, poolclass=NullPool)
    if engine.dialect.name == "sqlite":
        # The driver would commit before each change of the schema; this hands the transaction to us.
        begin = "BEGIN IMMEDIATE" if changing else "BEGIN"
        event.listen(engine, "connect", lambda connection, _: setattr(connection, "isolation_level", None))
        event.listen(engine, "begin", lambda connection: connection.exec_driver_sql(begin))
    try:
        with engine.begin() as connection:
            yield connection
    finally:
        engine.dispose()
