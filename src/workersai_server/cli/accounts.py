"""`workersai accounts`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import attrs
import click

from workersai_server.cli.opening import database_option, existing, opened, settings_of, text_time
from workersai_server.cli.options import json_option
from workersai_server.cli.output import Output, pass_output

if TYPE_CHECKING:
    from workersai_server.accounts import Account

__all__ = ["accounts"]

_COLUMNS = ("account_id", "email", "unlimited", "operator", "creations", "credit", "created_at")


@click.group()
def accounts() -> None:
    """Create accounts, give credit."""


@accounts.command()
@click.argument("email")
@click.option("--password-stdin", is_flag=True, help="Read the password for the pages from standard input.")
@click.option("--unlimited", is_flag=True, help="No limit of free requests and no charge.")
@click.option("--operator", is_flag=True, help="May see the operator pages.")
@database_option
@json_option
@pass_output
def create(
    output: Output, *, email: str, password_stdin: bool, unlimited: bool, operator: bool, db: str | None
) -> None:
    """Create an account with a live and a test key; they are shown this once."""
    password = sys.stdin.readline().rstrip("\r\n") if password_stdin else None
    with opened(settings_of(output, {"db": db})) as service:
        made = service.accounts.create(email, password=password, unlimited=unlimited, operator=operator)
    output.document(
        attrs.asdict(made),
        f"Account {made.account_id} for {made.email}. Keep these; they are not shown again:\n"
        f"  live key        {made.live_key}\n"
        f"  test key        {made.test_key}\n"
        f"  webhook secret  {made.webhook_secret}",
    )


@accounts.command("list")
@database_option
@json_option
@pass_output
def list_(output: Output, *, db: str | None) -> None:
    """List the accounts."""
    with existing(output, db) as service:
        found = service.accounts.list()
    output.table([_shown(account) for account in found], _COLUMNS, empty="There is no account yet.")


@accounts.command()
@click.argument("email")
@click.argument("amount")
@database_option
@json_option
@pass_output
def credit(output: Output, *, email: str, amount: str, db: str | None) -> None:
    """Give an account credit, for example 12.50; a negative AMOUNT takes it back (after --)."""
    with existing(output, db) as service:
        account = service.accounts.credit(email, amount)
    shown = _shown(account)
    output.document(shown, f"{account.email} has {shown['credit']} of credit.")


@accounts.command()
@click.argument("email")
@click.option("--off", is_flag=True, help="Count and charge its requests again.")
@database_option
@json_option
@pass_output
def unlimited(output: Output, *, email: str, off: bool, db: str | None) -> None:
    """Lift the limit of free requests from an account."""
    with existing(output, db) as service:
        account = service.accounts.set_unlimited(email, not off)
    output.document(_shown(account), f"{account.email} is {'no longer ' if off else ''}unlimited.")


@accounts.command()
@click.argument("email")
@click.option("--off", is_flag=True, help="Close them again.")
@database_option
@json_option
@pass_output
def operator(output: Output, *, email: str, off: bool, db: str | None) -> None:
    """Open the operator pages to an account."""
    with existing(output, db) as service:
        account = service.accounts.set_operator(email, not off)
    output.document(_shown(account), f"{account.email} is {'no longer ' if off else ''}an operator.")


@accounts.command()
@click.argument("email")
@database_option
@json_option
@pass_output
def password(output: Output, *, email: str, db: str | None) -> None:
    """Set the password of an account, read from standard input, and sign it out everywhere."""
    with existing(output, db) as service:
        service.accounts.set_password(email, sys.stdin.readline().rstrip("\r\n"))
    output.document({"email": email}, f"{email} has a new password.")


def _shown(account: Account) -> dict[str, Any]:
    from workersai_server.amounts import from_micros

    return {
        "account_id": account.id,
        "email": account.email,
        "unlimited": account.unlimited,
        "operator": account.operator,
        "creations": account.creations,
        "credit": from_micros(account.credit_micros),
        "spent": from_micros(account.spent_micros),
        "callback_url": account.callback_url,
        "callback_events": sorted(account.callback_events),
        "created_at": text_time(account.created_at),
    }
