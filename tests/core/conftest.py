from __future__ import annotations

import pytest

from support import engines
from workersai_core.testing import FakeClock


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def open_engine(clock):
    """Open engines on the test's clock; they are closed at its end."""
    opened = []

    def open_one(*plugins, **options):
        opened.append(engines.open_engine(*plugins, **{"clock": clock, **options}))
        return opened[-1]

    yield open_one
    for engine in opened:
        engine.close()


@pytest.fixture
def engine(open_engine):
    """An engine in memory with the task types of the tests; the test must leave its database sound."""
    engine = open_engine()
    yield engine
    assert [] == engine.check()


@pytest.fixture
def file_engine(open_engine, tmp_path):
    """The same on a file."""
    engine = open_engine(database=f"sqlite:///{tmp_path / 'labels.db'}")
    yield engine
    assert [] == engine.check()
