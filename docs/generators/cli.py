"""Every command with its arguments, options and environment."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

import click

from generators.markdown import NOTICE, table
from workersai_server.cli import cli

__all__ = ["commands", "flags_of", "page"]


def page() -> str:
    """Return the page."""
    parts = [
        NOTICE,
        "# Command line\n",
        "Every command takes `--help`; most take `--json`, which puts one JSON document on standard output",
        "(JSON Lines for streams) while notes and progress go to standard error.",
        "An option may also stand in the environment, as in `WORKERSAI_SERVE_PORT` for `workersai serve --port`,",
        "or in `workersai.toml` in a table named after the command.",
        "Exit codes: 0 done, 1 failed, 2 wrong usage, 3 not found, 4 conflict.",
        "Each error ends with the one thing to do next.\n",
    ]
    for name, command in commands():
        parts += [f"## {name}\n", _help(command), f"```text\n{_usage(name, command)}\n```\n"]
        rows = list(_options(command))
        if rows:
            parts.append(table(("Option", "Default", "What it does"), rows))
    return "\n".join(parts)


def commands() -> Iterator[tuple[str, click.Command]]:
    """Give every command that runs something, by its full name, sorted."""
    yield from _below("workersai", cli, click.Context(cli, info_name="workersai"))


def flags_of(setting: str) -> list[str]:
    """Return the options by which commands take a setting."""
    found = {
        option.opts[-1] if option.opts[-1].startswith("--") else option.opts[0]
        for _, command in commands()
        for option in command.params
        if isinstance(option, click.Option) and option.name == setting and not option.hidden
    }
    return sorted(found)


def _below(name: str, command: click.Command, context: click.Context) -> Iterator[tuple[str, click.Command]]:
    if not isinstance(command, click.Group):
        yield name, command
        return
    for each in command.list_commands(context):
        found = command.get_command(context, each)
        assert found is not None, each
        if not found.hidden:
            yield from _below(f"{name} {each}", found, click.Context(found, info_name=each, parent=context))


def _help(command: click.Command) -> str:
    assert command.help, command.name
    return inspect.cleandoc(command.help) + "\n"


def _usage(name: str, command: click.Command) -> str:
    context = click.Context(command, info_name=name)
    return " ".join([name, *command.collect_usage_pieces(context)])


def _options(command: click.Command) -> Iterator[tuple[str, str, str]]:
    context = click.Context(command)
    for option in command.params:
        if isinstance(option, click.Option) and not option.hidden:
            record = option.get_help_record(context)
            assert record is not None
            assert option.help, (command.name, option.name)
            flag, default = record[0], option.default
            shown = option.show_default and default not in (None, False, ())
            environment = f" Also `{option.envvar}`." if option.envvar else ""
            yield f"`{flag}`", f"`{default}`" if shown else "—", option.help + environment
