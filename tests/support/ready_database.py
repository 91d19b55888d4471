"""A database with an account and workers, made before the server starts."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import attrs

from support.live_server import workersai
from workersai_server.service import Service
from workersai_server.settings import Settings

__all__ = ["Ready", "checked", "prepare"]


@attrs.frozen(kw_only=True)
class Ready:
    """What a database was given."""

    database: Path
    live_key: str
    test_key: str
    webhook_secret: str
    tokens: Sequence[str]

    @property
    def url(self) -> str:
        """The database as commands name it."""
        return f"sqlite:///{self.database}"


def prepare(folder: Path, *, workers: int = 0, unlimited: bool = True) -> Ready:
    """Make a database in a folder, with one account and so many workers."""
    database = folder / "labels.db"
    service = Service.open(Settings(db=f"sqlite:///{database}"), start=False)
    try:
        account = service.accounts.create("requester@example.com", unlimited=unlimited)
        tokens = [service.accounts.create_worker(f"worker {n + 1}").token for n in range(workers)]
    finally:
        service.close()
    return Ready(
        database=database,
        live_key=account.live_key,
        test_key=account.test_key,
        webhook_secret=account.webhook_secret,
        tokens=tokens,
    )


def checked(ready: Ready) -> list[dict[str, Any]]:
    """Return what ``workersai check`` finds wrong."""
    done = workersai("check", "--db", ready.url, "--json", cwd=ready.database.parent)
    assert done.stdout, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)["violations"]
    return found
