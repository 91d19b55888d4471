"""The filters of task lists as options."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

__all__ = ["filter_options"]

Command = TypeVar("Command", bound=Callable[..., Any])


def _pair(given: str) -> tuple[str, str]:
    """Return the two sides of ``KEY=VALUE``."""
    key, equals, value = given.partition("=")
    if not (key and equals):
        raise click.BadParameter(f"{given!r} is not KEY=VALUE.")
    return key, value


def filter_options(command: Command) -> Command:
    """Add ``--type``, ``--status``, ``--metadata``, ``--created-after`` and ``--created-before``."""
    options = (
        click.option("--type", "task_type", help="Only of this task type."),
        click.option("--status", help="Only in this status."),
        click.option(
            "--metadata",
            type=_pair,
            metavar="KEY=VALUE",
            multiple=True,
            help="Only with this metadata; may be given several times.",
        ),
        click.option("--created-after", help="RFC 3339, exclusive."),
        click.option("--created-before", help="RFC 3339, exclusive."),
    )
    for option in reversed(options):
        command = option(command)
    return command
