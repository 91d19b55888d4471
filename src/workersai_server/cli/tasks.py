"""`workersai tasks`: what a requester does, over the API."""

from __future__ import annotations

import itertools
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from workersai_server.cli.lazy import LazyGroup
from workersai_server.cli.options import json_option, with_client
from workersai_server.cli.output import Output, pass_output
from workersai_server.cli.task_filters import filter_options

if TYPE_CHECKING:
    from workersai_client import Client

__all__ = ["tasks"]

_COLUMNS = ("external_id", "task_type", "status", "created_at", "completed_at")


def _json_object(given: str) -> dict[str, Any]:
    """Return the JSON object given as text, as ``@FILE`` or, with ``-``, on standard input."""
    try:
        content = json.loads(_text(given))
    except (OSError, ValueError) as error:
        raise click.BadParameter(f"{error}; give a JSON object, @FILE or - for standard input.") from error
    if not isinstance(content, dict):
        raise click.BadParameter("This is JSON, but not an object: {…}.")
    return content


def _text(given: str) -> str:
    if given == "-":
        return sys.stdin.read()
    return Path(given[1:]).read_text(encoding="utf-8") if given.startswith("@") else given


@click.group(
    cls=LazyGroup,
    late={
        "import": ("workersai_server.cli.task_import:import_", "Create a task for each row of a file."),
        "export": ("workersai_server.cli.task_export:export", "Write all tasks that match."),
    },
)
def tasks() -> None:
    """Create, read, cancel, import and export tasks over the API."""


@tasks.command()
@click.option("--type", "task_type", help="The task type; the service's default otherwise.")
@click.option("--params", type=_json_object, metavar="JSON", help="What to label: JSON, @FILE or - for standard input.")
@click.option("--instruction", help="What the worker is asked to do.")
@click.option("--callback-url", help="Where the result is sent.")
@click.option("--metadata", type=_json_object, metavar="JSON", help="Your own data, returned untouched.")
@click.option("--overlap", type=click.IntRange(1, 20), help="Answers wanted from different workers.")
@click.option("--priority", type=click.IntRange(0, 100), help="Higher is more urgent.")
@click.option("--deadline-at", help="RFC 3339, for example 2030-01-02T03:04:05Z.")
@click.option("--unique-id", help="Your own id; a second task with it is refused.")
@click.option("--tag", "tags", multiple=True, help="May be given several times.")
@click.option("--wait", "wait_s", type=click.FloatRange(min=0), help="Wait this many seconds for the result.")
@json_option
@pass_output
@with_client
def create(output: Output, client: Client, wait_s: float | None, tags: tuple[str, ...], **fields: Any) -> None:
    """Create one task."""
    given: dict[str, Any] = {name: value for name, value in fields.items() if value is not None}
    if tags:
        given["tags"] = list(tags)
    task = client.tasks.create(**given)
    if wait_s is not None:
        output.note(f"Task {task['external_id']} is created; waiting for its result.")
        task = client.tasks.wait(task["external_id"], timeout_s=wait_s)
    output.document(task, _described(task))


@tasks.command()
@click.argument("external_id")
@json_option
@pass_output
@with_client
def get(output: Output, client: Client, external_id: str) -> None:
    """Show one task."""
    task = client.tasks.get(external_id)
    output.document(task, _described(task))


@tasks.command("list")
@filter_options
@click.option("--limit", type=click.IntRange(min=1), default=100, show_default=True, help="At most so many.")
@json_option
@pass_output
@with_client
def list_(
    output: Output, client: Client, limit: int, metadata: tuple[tuple[str, str], ...], **filters: str | None
) -> None:
    """List tasks, newest first."""
    found = client.tasks.list(metadata=dict(metadata), page_size=min(limit, 500), **filters)
    output.table(list(itertools.islice(found, limit)), _COLUMNS, empty="There is no such task.")


@tasks.command()
@click.argument("external_id")
@json_option
@pass_output
@with_client
def cancel(output: Output, client: Client, external_id: str) -> None:
    """Take a task back."""
    task = client.tasks.cancel(external_id)
    output.document(task, _described(task))


def _described(task: Mapping[str, Any]) -> str:
    lines = [f"{task['external_id']}  {task['task_type']}  {task['status']}"]
    if task["response"]:
        lines.append(json.dumps(task["response"], ensure_ascii=False, indent=2))
    return "\n".join(lines)
