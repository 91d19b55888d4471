"""From a command's options to settings, and to an open service on its database."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from workersai_server.cli.output import NOT_FOUND, Failure, Output

if TYPE_CHECKING:
    from workersai_server.service import Service
    from workersai_server.settings import Settings

__all__ = ["database_option", "existing", "opened", "plugin_option", "require_database", "settings_of", "text_time"]

Command = TypeVar("Command", bound=Callable[..., Any])

database_option = click.option("--db", metavar="URL", help="sqlite:///FILE or postgresql://USER@HOST/NAME.")
"""Adds ``--db``; the settings know where else it may stand, and the default."""

plugin_option = click.option(
    "--plugin",
    "plugin_files",
    type=click.Path(path_type=Path),
    multiple=True,
    metavar="FILE",
    help="A Python file that is a plugin; may be given several times.",
)
"""Adds ``--plugin``."""


def settings_of(output: Output, flags: Mapping[str, Any]) -> Settings:
    """Return the settings, with a command's options before the environment and the file.

    Raises:
        InvalidSetting: a value cannot be used.
    """
    # PERF: settings need the core, which --help and completion do not.
    from workersai_server.settings import Settings

    return Settings.load(flags, file=output.config)


@contextmanager
def opened(settings: Settings, *, migrate: bool | None = None) -> Iterator[Service]:
    """Open the service beside a running server: nothing ticks or is delivered here.

    Args:
        settings: From `settings_of`.
        migrate: Whether tables that are not current may be changed; see `Engine.open`.

    Raises:
        WorkersAIError: the database cannot be used.
    """
    from workersai_server.service import Service

    service = Service.open(settings, start=False, migrate=migrate)
    try:
        yield service
    finally:
        service.close()


@contextmanager
def existing(output: Output, db: str | None, *, migrate: bool | None = None) -> Iterator[Service]:
    """Open the service like `opened`, on the database of ``--db``, which must be there.

    Raises:
        Failure: the database does not exist.
        WorkersAIError: a setting is wrong or the database cannot be used.
    """
    settings = settings_of(output, {"db": db})
    require_database(settings)
    with opened(settings, migrate=migrate) as service:
        yield service


def require_database(settings: Settings) -> Path | None:
    """Return the SQLite file, or None when the database is another one.

    Raises:
        Failure: there is no such file.
    """
    from workersai_server.service import sqlite_file

    path = sqlite_file(settings.db)
    if path is not None and not path.exists():
        raise Failure(
            f"There is no database at {path}.",
            remedy="Name the right one with --db or WORKERSAI_DB; `workersai serve` makes a new one.",
            exit_code=NOT_FOUND,
            code="not_found",
        )
    return path


def text_time(at: datetime | None) -> str | None:
    """Return a time as the API writes it."""
    from workersai_core.clock import rfc3339

    return None if at is None else rfc3339(at)
