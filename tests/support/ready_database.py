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

    database: Path | str
    """A SQLite file, or the address of another database."""
    live_key: str
    test_key: str
    webhook_secret: str
    tokens: Sequence[str]

    @property
    def url(self) -> str:
        """The database as commands name it."""
        return _url(self.database)


def _url(database: Path | str) -> str:
    return f"sqlite:///{database}" if isinstance(database, Path) else database


def prepare(place: Path | str, *, workers: int = 0, unlimited: bool = True) -> Ready:
    """Make one account and so many workers in a new SQLite database in a folder, or in the database of an address."""
    database = place / "labels.db" if isinstance(place, Path) else place
    service = Service.open(Settings(db=_url(database)), start=False)
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
    folder = ready.database.parent if isinstance(ready.database, Path) else Path("/")
    done = workersai("check", "--db", ready.url, "--json", cwd=folder)
    assert done.stdout, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)["violations"]
    return found
