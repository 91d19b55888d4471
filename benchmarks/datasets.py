"""Databases of a chosen size, made fast and exactly as the service would have left them."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import attrs

from workersai_core import Violation
from workersai_server.service import Service
from workersai_server.settings import Settings

__all__ = ["PARAMS", "Dataset", "new_database"]

PARAMS = {
    "attachment_type": "text",
    "attachment": "이 물건은 얼마나 큰가요? " + "How big is it? " * 8,
    "categories": ["big", "small", "중간"],
}
_METADATA = {"project": "benchmark"}
_CHECKED_SIZE = 10_000


@attrs.frozen(kw_only=True)
class Dataset:
    """A database with one account that may create without limit."""

    database: Path
    account_id: str
    live_key: str
    test_key: str
    webhook_secret: str
    tokens: tuple[str, ...]
    newest: str
    """The id of its newest task."""
    ids: tuple[str, ...]
    """The ids of some tasks, spread over all of them."""


def new_database(path: Path, *, tasks: int = 1, workers: int = 0) -> Dataset:
    """Make a database of so many open tasks.

    The first is created by the engine; the others are copies of it that differ
    in id, time and priority, made inside SQLite.

    Raises:
        RuntimeError: the copies break an invariant of the service.
    """
    service = Service.open(Settings(db=f"sqlite:///{path}"), start=False)
    try:
        account = service.accounts.create("requester@example.com", unlimited=True)
        tokens = tuple(service.accounts.create_worker(f"worker {n}").token for n in range(workers))
        first = service.engine.create_task(account=account.account_id, params=PARAMS, metadata=_METADATA)
        _copy(path, first.external_id, tasks - 1)
        if tasks <= _CHECKED_SIZE:
            _refuse(service.check())
        with closing(sqlite3.connect(path)) as connection:
            step = max(1, tasks // 500)
            ids = tuple(
                row[0] for row in connection.execute("SELECT id FROM wai_task WHERE rowid % ? = 0 OR rowid = 1", [step])
            )
    finally:
        service.close()
    return Dataset(
        database=path,
        account_id=account.account_id,
        live_key=account.live_key,
        test_key=account.test_key,
        webhook_secret=account.webhook_secret,
        tokens=tokens,
        newest=first.external_id,
        ids=ids,
    )


def _refuse(violations: list[Violation]) -> None:
    if violations:
        raise RuntimeError(f"the data set is not what the service would have made: {violations}")


def _copy(path: Path, task_id: str, count: int) -> None:
    """Make older copies of a task, one a millisecond."""
    if count <= 0:
        return
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("PRAGMA cache_size = -200000")
        changed = {
            "id": "printf('%08x-%04x-7%03x-8%03x-%012x', ms >> 16, ms & 65535, i % 4096, i % 4096, i)",
            "created_at": "ms * 1000",
            "priority": "i % 101",
        }
        columns = _columns(connection, "wai_task")
        values = ", ".join(changed.get(column, column) for column in columns)
        connection.execute("BEGIN IMMEDIATE")
        connection.execute(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :count)"
            f" INSERT INTO wai_task ({', '.join(columns)}) SELECT {values} FROM ("
            " SELECT wai_task.*, i, created_at / 1000 - 1 - :count + i AS ms FROM n, wai_task WHERE id = :id)",
            {"count": count, "id": task_id},
        )
        _copy_rows(connection, "wai_event", {"task_id": "t.id", "at": "t.created_at", "id": "NULL"}, task_id)
        _copy_rows(connection, "wai_task_metadata", {"task_id": "t.id", "created_at": "t.created_at"}, task_id)
        connection.execute("UPDATE wai_account SET creations = (SELECT count(*) FROM wai_task)")
        connection.execute("COMMIT")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _copy_rows(connection: sqlite3.Connection, table: str, changed: dict[str, str], task_id: str) -> None:
    """Give every copy of a task what the task has in another table."""
    columns = _columns(connection, table)
    values = ", ".join(changed.get(column, f"x.{column}") for column in columns)
    connection.execute(
        f"INSERT INTO {table} ({', '.join(columns)}) SELECT {values} FROM wai_task t, {table} x"
        " WHERE x.task_id = :id AND t.id <> :id",
        {"id": task_id},
    )


def _columns(connection: sqlite3.Connection, table: str) -> list[str]:
    return [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
