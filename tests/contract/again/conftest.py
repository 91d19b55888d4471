"""The tests of the core and the server once more, with PostgreSQL wherever they open a database in memory.

Each module here takes over the tests of one module. Each opening is of an empty
database: a test that has two of them open at once stays out.
"""

from __future__ import annotations

import pytest

from support import outbox
from support.postgres import empty
from workersai_core import engine
from workersai_core.store.opening import database_url, open_store
from workersai_core.store.postgresql import PostgresqlStore


@pytest.fixture(autouse=True)
def _in_postgresql(monkeypatch, postgresql_url):
    def open_instead(database, schemas, *, migrate):
        if database != "sqlite://":
            return open_store(database, schemas, migrate=migrate)
        empty(postgresql_url)
        return open_store(postgresql_url, schemas, migrate=migrate)

    def store_instead(_):
        empty(postgresql_url)
        return PostgresqlStore(database_url(postgresql_url))

    monkeypatch.setattr(engine, "open_store", open_instead)
    monkeypatch.setattr(outbox, "SqliteStore", store_instead)
