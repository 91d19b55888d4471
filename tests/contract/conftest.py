"""The contract of the two databases: each test here runs on SQLite and on PostgreSQL."""

from __future__ import annotations

import pytest

from support import engines
from support.postgres import empty, postgresql_server, postgresql_url
from workersai_core.testing import CapturingTransport, FakeClock
from workersai_server.accounts import SERVER

__all__ = ["postgresql_server", "postgresql_url"]


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request, tmp_path):
    """The address of a database without rows."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'labels.db'}"
    url = request.getfixturevalue("postgresql_url")
    empty(url)
    return url


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def transport():
    return CapturingTransport()


@pytest.fixture
def open_engine(database, clock, transport):
    """Open engines on the test's database; they are closed at its end."""
    opened = []

    def open_one(*plugins, **options):
        defaults = {"clock": clock, "transport": transport, "database": database, "schemas": [SERVER]}
        opened.append(engines.open_engine(*plugins, **{**defaults, **options}))
        return opened[-1]

    yield open_one
    for engine in opened:
        engine.close()


@pytest.fixture
def engine(open_engine):
    """An engine; the test must leave its database sound."""
    engine = open_engine()
    yield engine
    assert [] == engine.check()
