"""`workersai plugin`."""

from __future__ import annotations

from pathlib import Path

import attrs
import click

from workersai_server.cli.lazy import LazyGroup
from workersai_server.cli.opening import plugin_option, settings_of
from workersai_server.cli.options import json_option
from workersai_server.cli.output import Output, pass_output

__all__ = ["plugin"]

_COLUMNS = ("name", "state", "version", "distribution", "task_types", "error")


_HERE = "workersai_server.cli"
_COMMANDS = {
    "check": (f"{_HERE}.plugin_check:check", "Check the laws that every task type keeps."),
    "new": (f"{_HERE}.plugin_new:new", "Write a plugin package to start from."),
    "docs": (f"{_HERE}.plugin_docs:docs", "Print the documentation of a task type."),
}


@click.group(cls=LazyGroup, late=_COMMANDS)
def plugin() -> None:
    """Write plugins, check them, and see which are loaded."""


@plugin.command("list")
@plugin_option
@json_option
@pass_output
def list_(output: Output, plugin_files: tuple[Path, ...]) -> None:
    """List the plugins that a server with these settings loads, and why one fails."""
    # PERF: loading plugins imports the schema libraries.
    from workersai_core.plugins import Plugins

    settings = settings_of(output, {"plugin_files": plugin_files})
    loaded = Plugins.load((), files=settings.plugin_files, entry_points=settings.plugins, strict=False)
    rows = [attrs.asdict(report) for report in loaded.reports()]
    output.table(rows, _COLUMNS, empty="There is no plugin.")
