"""`workersai plugin`."""

from __future__ import annotations

from pathlib import Path

import attrs
import click

from workersai_server.cli.opening import plugin_option, settings_of
from workersai_server.cli.options import json_option
from workersai_server.cli.output import Output, pass_output

__all__ = ["plugin"]

_COLUMNS = ("name", "state", "version", "distribution", "task_types", "error")


@click.group()
def plugin() -> None:
    """See which plugins are loaded."""


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
