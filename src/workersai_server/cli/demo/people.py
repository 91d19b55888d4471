"""Who takes part in the demo: a requester with both keys, and a worker."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any

import attrs

__all__ = ["People", "invite"]


@attrs.frozen(kw_only=True)
class People:
    """The demo's requester and worker, with all their secrets."""

    email: str
    account_id: str
    live_key: str = attrs.field(repr=False)
    test_key: str = attrs.field(repr=False)
    webhook_secret: str = attrs.field(repr=False)
    worker_token: str = attrs.field(repr=False)
    password: str = attrs.field(repr=False)
    """Opens the dashboard and the operator pages."""

    def as_dict(self) -> dict[str, Any]:
        """Return the fields by name."""
        return attrs.asdict(self)


def invite(database: Path, *, name: str, unlimited: bool) -> People:
    """Make an account and a worker in the demo's database, as an operator would.

    Args:
        database: The SQLite file; made when it is not there.
        name: What they are called after.
        unlimited: Whether the account may create any number of live tasks.
    """
    from workersai_server.service import Service
    from workersai_server.settings import Settings

    service = Service.open(Settings(db=f"sqlite:///{database}"), start=False)
    try:
        password = secrets.token_urlsafe(9)
        account = service.accounts.create(
            f"{name}-{secrets.token_hex(4)}@example.com", password=password, unlimited=unlimited, operator=True
        )
        worker = service.accounts.create_worker(f"{name} worker")
    finally:
        service.close()
    return People(**attrs.asdict(account), worker_token=worker.token, password=password)
