from __future__ import annotations

import pytest

from support.outbox import World
from workersai_core.callbacks.dispatcher import Dispatcher


@pytest.fixture
def world(tmp_path):
    world = World(tmp_path)
    yield world
    world.close()


@pytest.fixture
def dispatcher(world):
    made = Dispatcher(world.write, world.parts, world.receivers)
    yield made
    made.stop()


@pytest.fixture
def deliver(world):
    return Dispatcher(world.write, world.parts, world.receivers).deliver_due
