"""Databases of a chosen size, on either store, filled through the API as requesters do."""

from __future__ import annotations

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import attrs
import requests
from sqlalchemy import create_engine, text

from benchmarks import servers
from workersai_core.store.opening import database_url
from workersai_server.service import Service, migrate
from workersai_server.settings import Settings

__all__ = ["PARAMS", "Dataset", "new_dataset"]

PARAMS = {
    "attachment_type": "text",
    "attachment": "이 물건은 얼마나 큰가요? " + "How big is it? " * 8,
    "categories": ["big", "small", "중간"],
}
_METADATA = {"project": "benchmark"}
_MOST_IN_BATCH = 1000
_BATCHES = 50
"""At least so many, because the tasks of one have the same time."""
_LOADERS = 4
_SAMPLE = 500
_PRIORITIES = 101


@attrs.frozen(kw_only=True)
class Dataset:
    """A database with one account that may create without limit."""

    database: str
    """Its address."""
    account_id: str
    live_key: str
    test_key: str
    webhook_secret: str
    tokens: Sequence[str]
    ids: Sequence[str]
    """The ids of some tasks, spread over all of them."""

    def rows(self, query: str, **values: Any) -> list[Any]:
        """Return what the database answers to a query of plain SQL."""
        engine = create_engine(database_url(self.database))
        try:
            with engine.connect() as connection:
                return [tuple(row) for row in connection.execute(text(query), values)]
        finally:
            engine.dispose()


def new_dataset(database: str, *, tasks: int, workers: int, overlap: int) -> Dataset:
    """Fill a new database with so many open tasks, each with an answer of so many workers.

    Raises:
        RuntimeError: a task was refused.
    """
    settings = Settings(db=database, secret_key=servers.SECRET)
    migrate(settings)
    service = Service.open(settings, start=False)
    try:
        account = service.accounts.create("requester@example.com", unlimited=True)
        tokens = [service.accounts.create_worker(f"worker {n}").token for n in range(workers)]
    finally:
        service.close()
    return Dataset(
        database=database,
        account_id=account.account_id,
        live_key=account.live_key,
        test_key=account.test_key,
        webhook_secret=account.webhook_secret,
        tokens=tokens,
        ids=_load(database, account.live_key, tasks, overlap) if tasks else (),
    )


def _load(database: str, key: str, tasks: int, overlap: int) -> Sequence[str]:
    """Create the tasks in batches; return the ids of some."""
    every = max(1, tasks // _SAMPLE)
    batch = max(1, min(_MOST_IN_BATCH, tasks // _BATCHES))
    starts = range(0, tasks, batch)
    with servers.serving(database, "--no-dispatch") as service, ThreadPoolExecutor(_LOADERS) as pool:

        def load(start: int) -> list[str]:
            return _create(service.url, key, range(start, min(tasks, start + batch)), overlap)

        ids = [each for made in pool.map(load, starts) for each in made]
    return ids[::every]


def _create(url: str, key: str, numbers: range, overlap: int) -> list[str]:
    lines = [
        {"params": PARAMS, "metadata": _METADATA, "priority": n % _PRIORITIES, "overlap": overlap} for n in numbers
    ]
    answer = requests.post(
        f"{url}/v1/tasks:batch",
        data="\n".join(json.dumps(line, ensure_ascii=False) for line in lines).encode(),
        headers={"Authorization": f"Bearer {key}", "Content-Type": "application/x-ndjson"},
        timeout=120,
    )
    answer.raise_for_status()
    return [line["external_id"] for line in map(json.loads, answer.text.splitlines())]
