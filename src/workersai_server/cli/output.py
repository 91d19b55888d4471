"""What a command says: one JSON document or text for people, and the exit code.

Results go to standard output, progress and errors to standard error. A table
is drawn with Rich only on a terminal; a pipe gets plain columns.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar, cast

import attrs
import click

__all__ = ["CONFLICT", "FAILED", "NOT_FOUND", "OK", "USAGE", "Failure", "Output", "pass_output"]

Command = TypeVar("Command", bound=Callable[..., Any])

OK = 0
FAILED = 1
USAGE = 2
NOT_FOUND = 3
CONFLICT = 4


class Failure(click.ClickException):
    """A command cannot do what was asked.

    Args:
        message: One sentence saying what is wrong.
        remedy: The one thing to do next.
        exit_code: One of this module's codes.
        code: A stable slug for ``--json``.
    """

    def __init__(self, message: str, *, remedy: str = "", exit_code: int = FAILED, code: str = "failed") -> None:
        super().__init__(message)
        self.remedy = remedy
        self.exit_code = exit_code  # type: ignore[misc]  # click asks the instance
        self.code = code

        self.as_json = False

    def show(self, file: Any = None) -> None:
        """Write the error and what to do next to standard error, and under ``--json`` a document to standard output."""
        if self.as_json:
            problem = {"code": self.code, "detail": self.message, "remedy": self.remedy}
            click.echo(_json({"error": problem}, indent=2))
        click.echo(f"Error: {self.message}", err=True, file=file)
        if self.remedy:
            click.echo(f"Next: {self.remedy}", err=True, file=file)


@attrs.define
class Output:
    """Where a command's results go; the object of every click context."""

    json: bool = False
    config: Path = Path("workersai.toml")
    """Where the settings file may be."""

    def document(self, value: Any, text: str) -> None:
        """Give the result: `value` under ``--json``, else `text`."""
        click.echo(_json(value, indent=2) if self.json else text)

    def table(self, rows: Sequence[Mapping[str, Any]], columns: Sequence[str], *, empty: str) -> None:
        """Give a list of results: an array under ``--json``, else a table of `columns`, or `empty`."""
        if self.json:
            click.echo(_json(rows, indent=2))
        elif not rows:
            click.echo(empty)
        elif sys.stdout.isatty():
            _rich_table(rows, columns)
        else:
            click.echo(_columns(rows, columns))

    def step(self, value: Mapping[str, Any], text: str) -> None:
        """Give one result of many: a JSON line under ``--json``, else `text`."""
        click.echo(_json(value) if self.json else text)

    def note(self, text: str) -> None:
        """Tell a person something that is no result."""
        click.echo(text, err=True)


def pass_output(command: Command) -> Command:
    """Pass the `Output` to a command as its first argument."""
    passing = click.make_pass_decorator(Output, ensure=True)
    return cast(Command, passing(command))


def _json(value: Any, *, indent: int | None = None) -> str:
    return json.dumps(value, ensure_ascii=False, indent=indent, default=str)


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Iterable) and not isinstance(value, str | Mapping):
        return ", ".join(map(str, value)) or "-"
    return _json(value) if isinstance(value, Mapping) else str(value)


def _columns(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> str:
    lines = [list(columns), *([_cell(row.get(column)) for column in columns] for row in rows)]
    widths = [max(len(line[n]) for line in lines) for n in range(len(columns))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )


def _rich_table(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> None:
    # PERF: only for people at a terminal.
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(*columns)
    for row in rows:
        table.add_row(*(escape(_cell(row.get(column))) for column in columns))
    Console().print(table)
