"""`workersai plugin docs`."""

from __future__ import annotations

import click

from workersai_server.cli.options import json_option
from workersai_server.cli.output import Output, pass_output
from workersai_server.cli.plugin_target import task_types_named

__all__ = ["docs"]


@click.command()
@click.argument("target", metavar="FILE_OR_NAME")
@json_option
@pass_output
def docs(output: Output, target: str) -> None:
    """Print the documentation of a task type as Markdown, made from its schemas and examples."""
    task_types = task_types_named(target)
    # PERF: these import the core, which --help does not need.
    from workersai_core.plugins.type_rules import registered
    from workersai_server.type_markdown import type_markdown

    for task_type in task_types:
        registered(task_type, target)
    pages = {task_type.name: type_markdown(task_type) for task_type in task_types}
    rows = [{"type": name, "markdown": page} for name, page in pages.items()]
    output.document({"types": rows}, "\n".join(pages.values()).rstrip())
