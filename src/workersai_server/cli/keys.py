"""`workersai keys`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from workersai_server.cli.opening import database_option, existing, text_time
from workersai_server.cli.options import json_option
from workersai_server.cli.output import Output, pass_output

if TYPE_CHECKING:
    from workersai_core import Mode
    from workersai_server.accounts import ApiKey, NewKey

__all__ = ["keys"]

_COLUMNS = ("key_id", "mode", "last4", "created_at", "last_used_at", "expires_at", "revoked_at")


@click.group()
def keys() -> None:
    """Create, roll and revoke API keys."""


@keys.command()
@click.argument("email")
@click.option("--mode", type=click.Choice(["live", "test"]), default="test", show_default=True, help="Which kind.")
@database_option
@json_option
@pass_output
def create(output: Output, *, email: str, mode: Mode, db: str | None) -> None:
    """Create another key of an account; it is shown this once."""
    with existing(output, db) as service:
        made = service.accounts.create_key(service.accounts.get(email).id, mode)
    _give_new(output, made)


@keys.command("list")
@click.argument("email")
@database_option
@json_option
@pass_output
def list_(output: Output, *, email: str, db: str | None) -> None:
    """List the keys of an account, without what is secret of them."""
    with existing(output, db) as service:
        found = service.accounts.list_keys(service.accounts.get(email).id)
    output.table([_shown(key) for key in found], _COLUMNS, empty="The account has no key.")


@keys.command()
@click.argument("key_id")
@click.option(
    "--overlap-s",
    type=click.IntRange(0, 604_800),
    default=0,
    show_default=True,
    help="How long the old key still works.",
)
@database_option
@json_option
@pass_output
def roll(output: Output, *, key_id: str, overlap_s: int, db: str | None) -> None:
    """Put a new key in the place of an old one; it is shown this once."""
    with existing(output, db) as service:
        made = service.accounts.roll_key(key_id, overlap_s)
    _give_new(output, made)


@keys.command()
@click.argument("key_id")
@database_option
@json_option
@pass_output
def revoke(output: Output, *, key_id: str, db: str | None) -> None:
    """End a key; a running server knows within a second."""
    with existing(output, db) as service:
        key = service.accounts.revoke_key(key_id)
    output.document(_shown(key), f"The {key.mode} key {key.id} is revoked.")


def _give_new(output: Output, made: NewKey) -> None:
    text = f"Keep this {made.entry.mode} key; it is not shown again:\n  {made.key}"
    output.document({**_shown(made.entry), "key": made.key}, text)


def _shown(key: ApiKey) -> dict[str, Any]:
    return {
        "key_id": key.id,
        "account_id": key.account_id,
        "mode": key.mode,
        "last4": key.last4,
        "scopes": sorted(key.scopes),
        **{name: text_time(getattr(key, name)) for name in ("created_at", "last_used_at", "expires_at", "revoked_at")},
    }
