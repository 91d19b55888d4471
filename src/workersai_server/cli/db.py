"""`workersai db`."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import click

from workersai_server.cli.opening import database_option, existing, require_database, settings_of
from workersai_server.cli.options import json_option
from workersai_server.cli.output import CONFLICT, FAILED, Failure, Output, pass_output

if TYPE_CHECKING:
    pass

__all__ = ["db"]


@click.group()
def db() -> None:
    """Migrate, check or back up the database."""


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
    """Copy a SQLite database to FILE, whole and consistent; the server may run meanwhile."""
    source = require_database(settings_of(output, {"db": db}))
    if source is None:
        raise Failure("Only a SQLite file can be copied here.", remedy="Use pg_dump for PostgreSQL.", exit_code=FAILED)
    if file.exists():
        raise Failure(
            f"{file} exists.", remedy="Choose another name, or move it away.", exit_code=CONFLICT, code="conflict"
        )
    size = _copy(source, file)
    output.document({"ok": True, "file": str(file), "bytes": size}, f"{file} holds the database, {size} bytes.")


def _copy(source: Path, file: Path) -> int:
    """Copy a database; FILE appears only when the copy is whole and on disk."""
    unfinished = file.with_name(file.name + ".unfinished")
    unfinished.unlink(missing_ok=True)
    try:
        with closing(sqlite3.connect(f"{source.as_uri()}?mode=ro", uri=True)) as original:
            # In one statement, from one snapshot: it neither waits for writers nor starts again because of them.
            original.execute("VACUUM INTO ?", (str(unfinished),))
        unfinished.chmod(0o600)  # it holds hashes of keys, and the secrets that sign callbacks
        with unfinished.open("rb") as copy:
            os.fsync(copy.fileno())
            size = os.fstat(copy.fileno()).st_size
        os.link(unfinished, file)  # unlike a rename this never replaces a file that came meanwhile
    except (OSError, sqlite3.Error) as error:
        raise Failure(
            f"The database cannot be copied to {file}: {error}.", remedy="Choose a folder with enough room."
        ) from error
    finally:
        unfinished.unlink(missing_ok=True)
    return size
