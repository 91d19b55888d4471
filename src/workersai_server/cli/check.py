"""`workersai check`."""

from __future__ import annotations

import click

from workersai_server.cli.opening import database_option, existing
from workersai_server.cli.options import json_option
from workersai_server.cli.output import FAILED, Output, pass_output

__all__ = ["check"]


@click.command()
@database_option
@json_option
@pass_output
@click.pass_context
def check(ctx: click.Context, output: Output, db: str | None) -> None:
    """Check the invariants of the database; the server may run meanwhile."""
    with existing(output, db) as service:
        violations = service.check()
    rows = [{"invariant": each.invariant, "detail": each.detail, "ids": list(each.ids)} for each in violations]
    text = "\n".join(f"{row['invariant']}: {row['detail']} ({', '.join(map(str, row['ids']))})" for row in rows)
    output.document({"ok": not rows, "violations": rows}, text or "Every invariant holds.")
    if rows:
        output.note(f"Error: {len(rows)} invariants are broken.\nNext: Keep a backup of the database and report this.")
        ctx.exit(FAILED)
