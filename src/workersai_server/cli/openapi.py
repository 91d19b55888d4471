"""`workersai openapi`."""

from __future__ import annotations

from pathlib import Path

import click

from workersai_server.cli.opening import plugin_option, settings_of
from workersai_server.cli.options import json_option
from workersai_server.cli.output import Output, pass_output

__all__ = ["openapi"]


@click.command()
@click.option("--url", default="", help="Where the API is, for example https://labels.example.")
@click.option("--language", type=click.Choice(["en", "ko"]), default="en", show_default=True, help="Of the summaries.")
@plugin_option
@json_option
@pass_output
def openapi(output: Output, *, url: str, language: str, plugin_files: tuple[Path, ...]) -> None:
    """Print the OpenAPI 3.1 document of a server with these settings."""
    # PERF: --help need not wait for the engine.
    from workersai_core import Engine
    from workersai_server.openapi import describe

    settings = settings_of(output, {"plugin_files": plugin_files})
    with Engine.open("sqlite://", plugin_files=settings.plugin_files, entry_points=settings.plugins) as engine:
        output.json = True
        output.document(describe(engine, prefix=url, language=language), "")
