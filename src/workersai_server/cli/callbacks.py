"""`workersai callbacks`: the deliveries of a requester's tasks, over the API."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from workersai_server.cli.options import json_option, with_client
from workersai_server.cli.output import Output, pass_output

if TYPE_CHECKING:
    from workersai_client import Client

__all__ = ["callbacks"]

_COLUMNS = ("id", "event", "state", "tries", "last_answer", "next_attempt_at", "url")


@click.group()
def callbacks() -> None:
    """See and replay deliveries over the API."""


@callbacks.command("list")
@click.argument("external_id")
@json_option
@pass_output
@with_client
def list_(output: Output, client: Client, external_id: str) -> None:
    """List the deliveries of a task with every attempt."""
    deliveries = client.callbacks.list(external_id)
    if output.json:
        output.document(deliveries, "")
        return
    rows = [
        {
            **delivery,
            "tries": len(attempts),
            "last_answer": attempts[-1]["status"] or attempts[-1]["error"] if attempts else None,
        }
        for delivery in deliveries
        for attempts in [delivery["attempts"]]
    ]
    output.table(rows, _COLUMNS, empty="Nothing is owed for this task yet.")


@callbacks.command()
@click.argument("delivery_id", required=False)
@click.option("--since", help="RFC 3339: all deliveries of a state since then, instead of one.")
@click.option("--state", default="exhausted", show_default=True, help="Which of them, with --since.")
@json_option
@pass_output
@with_client
def replay(output: Output, client: Client, delivery_id: str | None, since: str | None, state: str) -> None:
    """Send one finished delivery again, or all of a state since a time."""
    if (delivery_id is None) == (since is None):
        raise click.UsageError("Give either a DELIVERY_ID or --since.")
    queued = (
        client.callbacks.replay(delivery_id) if delivery_id else client.callbacks.replay_since(since or "", state=state)
    )
    output.document({"queued": queued}, f"{queued} deliveries are queued again.")
