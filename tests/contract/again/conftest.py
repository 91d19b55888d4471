"""The tests of the core and the server once more, with PostgreSQL wherever they open a database in memory.

Each module here takes over the tests of one module. Each opening is of an empty
database: a test that has two of them open at once stays out.
"""

from __future__ import annotations

import pytest

from support.postgres import empty
from workersai_core import engine
from workersai_core.store.opening import open_store


@pytest.fixture(autouse=True)
def _in_postgresql(monkeypatch, postgresql_url):
    def open_instead(database, schemas, *, migrate):
        if database != "sqlite://":
            return open_store(database, schemas, migrate=migrate)
        empty(postgresql_url)
        return open_store(postgresql_url, schemas, migrate=migrate)

    monkeypatch.setattr(engine, "open_store", open_instead)
