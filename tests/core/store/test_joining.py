"""Which connections of a host can be joined; what joining does is tested with `Engine.transaction`."""

from __future__ import annotations

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from support.postgres import postgresql_server, postgresql_url
from workersai_core.errors import InvalidInput
from workersai_core.store.session import Session, Statement

__all__ = ["postgresql_server", "postgresql_url"]

ONE = Statement(text("SELECT 1"))


@pytest.fixture(params=["sqlite", "postgresql"])
def address(request, tmp_path):
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'host.db'}"
    return make_url(request.getfixturevalue("postgresql_url")).set(drivername="postgresql+psycopg")


@pytest.fixture
def host(address):
    """Make the host's engines; they are disposed of at the end."""
    made = []

    def make(**options):
        made.append(create_engine(address, **options))
        return made[-1]

    yield make
    for engine in made:
        engine.dispose()


@pytest.mark.parametrize("begun", [False, True])
def test_a_connection_with_a_transaction_is_joined_and_left_in_it(host, begun):
    with host().connect() as connection:
        if begun:
            connection.begin()
        assert [(1,)] == Session.joining(connection).all(ONE)
        assert connection.in_transaction()


@pytest.mark.parametrize("begun", [False, True])
@pytest.mark.parametrize("where", ["connection", "engine"])
def test_a_connection_that_commits_each_statement_is_refused_and_left_as_it_was(host, where, begun):
    options = {"isolation_level": "AUTOCOMMIT"}
    with host(**(options if where == "engine" else {})).connect() as connection:
        if where == "connection":
            connection = connection.execution_options(**options)
        if begun:
            connection.begin()
        with pytest.raises(InvalidInput, match="AUTOCOMMIT"):
            Session.joining(connection)
        assert begun == connection.in_transaction()
