"""`workersai workers`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from workersai_server.cli.opening import database_option, existing, opened, settings_of, text_time
from workersai_server.cli.options import json_option
from workersai_server.cli.output import Output, pass_output

if TYPE_CHECKING:
    from workersai_server.accounts import WorkerEntry

__all__ = ["workers"]

_COLUMNS = ("worker_id", "name", "skills", "last4", "last_used_at", "blocked_at")


@click.group()
def workers() -> None:
    """Create and block workers."""


@workers.command()
@click.argument("name")
@click.option(
    "--skill", "skills", multiple=True, metavar="TYPE", help="A task type they may do; all when none is given."
)
@database_option
@json_option
@pass_output
def create(output: Output, *, name: str, skills: tuple[str, ...], db: str | None) -> None:
    """Create a worker; the token is shown this once."""
    with opened(settings_of(output, {"db": db})) as service:
        made = service.accounts.create_worker(name, skills)
    output.document(
        {"worker_id": made.id, "name": made.name, "token": made.token},
        f"Worker {made.id}, {made.name}. Keep the token; it is not shown again:\n  {made.token}",
    )


@workers.command("list")
@database_option
@json_option
@pass_output
def list_(output: Output, *, db: str | None) -> None:
    """List the workers."""
    with existing(output, db) as service:
        found = service.accounts.list_workers()
    output.table([_shown(worker) for worker in found], _COLUMNS, empty="There is no worker yet.")


@workers.command()
@click.argument("worker_id")
@database_option
@json_option
@pass_output
def block(output: Output, *, worker_id: str, db: str | None) -> None:
    """End a worker's token; what they hold goes back to the queue when its leases run out."""
    with existing(output, db) as service:
        worker = service.accounts.revoke_worker(worker_id)
    output.document(_shown(worker), f"{worker.name} ({worker.id}) is blocked.")


def _shown(worker: WorkerEntry) -> dict[str, Any]:
    return {
        "worker_id": worker.id,
        "name": worker.name,
        "skills": sorted(worker.skills),
        "last4": worker.last4,
        "created_at": text_time(worker.created_at),
        "last_used_at": text_time(worker.last_used_at),
        "blocked_at": text_time(worker.revoked_at),
    }
