"""`workersai db`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from workersai_server.cli.opening import database_option, existing, require_database, settings_of
from workersai_server.cli.options import json_option
from workersai_server.cli.output import CONFLICT, NOT_FOUND, Failure, Output, pass_output

__all__ = ["db"]


@click.group()
def db() -> None:
    """Migrate, check, back up or move the database."""


@db.command()
@database_option
@json_option
@pass_output
def upgrade(output: Output, *, db: str | None) -> None:
    """Bring the tables to the newest revisions; a new SQLite file is made."""
    from workersai_server.service import migrate

    heads = migrate(settings_of(output, {"db": db}))
    output.document({"ok": True, "revisions": heads}, "The tables are current.")


@db.command()
@database_option
@json_option
@pass_output
def check(output: Output, *, db: str | None) -> None:
    """Tell whether the tables are what this version needs; nothing is changed."""
    with existing(output, db, migrate=False) as service:
        reachable = service.engine.health().database
    if not reachable:
        raise Failure("The database does not answer.", remedy="Run `workersai doctor`.", code="unavailable")
    output.document({"ok": True}, "The tables are current and the database answers.")


@db.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@database_option
@json_option
@pass_output
def backup(output: Output, *, file: Path, db: str | None) -> None:
    """Copy the database to FILE, whole and consistent; the server may run meanwhile.

    A SQLite file is copied as such. Of PostgreSQL a dump is made by pg_dump,
    which must be installed; pg_restore reads it.
    """
    from workersai_server import backups

    settings = settings_of(output, {"db": db})
    source = require_database(settings)
    if file.exists():
        raise Failure(
            f"{file} exists.", remedy="Choose another name, or move it away.", exit_code=CONFLICT, code="conflict"
        )
    try:
        size = backups.dump_postgresql(settings.db, file) if source is None else backups.copy_sqlite(source, file)
    except backups.BackupError as error:
        raise Failure(str(error), remedy=error.remedy) from error
    output.document({"ok": True, "file": str(file), "bytes": size}, f"{file} holds the database, {size} bytes.")


@db.command()
@click.argument("source", metavar="SRC")
@click.argument("destination", metavar="DST")
@json_option
@pass_output
def copy(output: Output, *, source: str, destination: str) -> None:
    """Move to PostgreSQL: copy the SQLite database SRC to DST, and compare every row.

    SRC is sqlite:///FILE and is not changed; no server may run on it. DST is
    postgresql://USER@HOST/NAME and empty. A copy that was interrupted is run
    again with the same command and goes on.
    """
    from workersai_core.store import copying
    from workersai_core.store.schema import CORE
    from workersai_server.accounts import SERVER
    from workersai_server.serve_lock import serving_alone
    from workersai_server.service import sqlite_file

    file = sqlite_file(source)
    if file is not None and not file.exists():
        raise Failure(
            f"There is no database at {file}.", remedy="Name the right one.", exit_code=NOT_FOUND, code="not_found"
        )
    schemas = (CORE, SERVER)
    with serving_alone(file), click.progressbar(length=copying.rows_in(source, schemas), file=sys.stderr) as bar:
        rows = copying.copy(source, destination, schemas, done=bar.update)
    total = sum(rows.values())
    output.document({"ok": True, "rows": total, "tables": rows}, f"Both databases hold the same {total} rows.")
    output.note(
        f"Next: Serve with --db naming the new database, and with WORKERSAI_SECRET_KEY set to what {file}.secret holds."
    )
