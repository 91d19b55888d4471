"""Copies of a database that is in use, each whole, consistent and readable by its owner only."""

from __future__ import annotations

import os
import shlex
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from sqlalchemy.engine import URL, make_url

__all__ = ["BackupError", "copy_sqlite", "dump_postgresql"]


class BackupError(Exception):
    """The copy was not made; `remedy` says what to do."""

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(message)
        self.remedy = remedy


def copy_sqlite(source: Path, file: Path) -> int:
    """Copy a SQLite database to a file that is not there yet, and return its size in bytes.

    Raises:
        BackupError: it cannot be read, or the copy not be written.
    """
    with _unfinished(file) as unfinished:
        try:
            with closing(sqlite3.connect(f"{source.as_uri()}?mode=ro", uri=True)) as original:
                # In one statement, from one snapshot: it neither waits for writers nor starts again because of them.
                original.execute("VACUUM INTO ?", (str(unfinished),))
        except sqlite3.Error as error:
            raise BackupError(f"The database cannot be copied to {file}: {error}.", _MORE_ROOM) from error
    return file.stat().st_size


def dump_postgresql(database: str, file: Path) -> int:
    """Dump a PostgreSQL database to a file that is not there yet, and return its size in bytes.

    Raises:
        BackupError: it is no such database, or pg_dump is not installed or failed.
    """
    url = make_url(database)
    if url.get_backend_name() != "postgresql":
        raise BackupError("A database in memory cannot be copied.", "Name a file or PostgreSQL with --db.")
    # A URL's `set` leaves out what is None, so the one without the password is made anew.
    shown = URL.create(
        "postgresql", username=url.username, host=url.host, port=url.port, database=url.database, query=url.query
    ).render_as_string()
    command = ["pg_dump", "--format=custom", "--no-owner", f"--dbname={shown}"]
    if shutil.which("pg_dump") is None:
        by_hand = shlex.join([*command, f"--file={file}"])
        raise BackupError("pg_dump is not installed here.", f"Where it is, run: {by_hand}")
    # SECURITY: the password goes by the environment; everybody on the machine sees a command's arguments.
    environment = os.environ | ({} if url.password is None else {"PGPASSWORD": str(url.password)})
    with _unfinished(file) as unfinished:
        done = subprocess.run(  # noqa: S603 - our own command, found where the operator's shell finds it
            [*command, f"--file={unfinished}"], env=environment, capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            told = done.stderr.strip().rstrip(".") or f"it ended with {done.returncode}"
            raise BackupError(
                f"pg_dump could not make the copy: {told}.",
                "Use a pg_dump of the server's version or newer, and a user that may read every table.",
            )
    return file.stat().st_size


_MORE_ROOM = "Choose a folder with enough room."


@contextmanager
def _unfinished(file: Path) -> Iterator[Path]:
    """Give a place to write to; FILE appears when the block has ended well and the copy is on disk."""
    unfinished = file.with_name(file.name + ".unfinished")
    try:
        unfinished.unlink(missing_ok=True)
        # It holds hashes of keys, and the secrets that sign callbacks.
        os.close(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        yield unfinished
        with unfinished.open("rb") as copy:
            os.fsync(copy.fileno())
        os.link(unfinished, file)  # unlike a rename this never replaces a file that came meanwhile
    except OSError as error:
        raise BackupError(f"The database cannot be copied to {file}: {error}.", _MORE_ROOM) from error
    finally:
        unfinished.unlink(missing_ok=True)
