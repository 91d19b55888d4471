"""A click group that imports a command only when it is used."""

from __future__ import annotations

import importlib
from collections.abc import Mapping

import click

__all__ = ["LazyGroup"]


class LazyGroup(click.Group):
    """A group whose commands are named, not imported.

    Args:
        late: By command name, ``module:attribute`` and the line that ``--help`` shows.
    """

    def __init__(self, *args: object, late: Mapping[str, tuple[str, str]], **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]  # click's own arguments, passed on
        self._late = late

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order they were given."""
        return [*self._late, *super().list_commands(ctx)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command of that name; None when there is none."""
        if cmd_name not in self._late:
            return super().get_command(ctx, cmd_name)
        module, attribute = self._late[cmd_name][0].split(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands without importing one."""
        with formatter.section("Commands"):
            rows = [(name, summary) for name, (_, summary) in self._late.items()]
            rows += [(name, command.get_short_help_str()) for name, command in self.commands.items()]
            formatter.write_dl(rows)
