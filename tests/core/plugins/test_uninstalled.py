"""A type's plugin is uninstalled, comes back, or comes back newer, while tasks are open."""

from __future__ import annotations

import pytest

from support.engines import ANN, BOB, OPTIONS, claim, create, stored
from support.plugins import Registers, plugin
from support.task_types import Pick
from workersai_core import Engine, TaskStatus, TaskTypeUnavailable, UnknownTaskType
from workersai_core.api import Verdict
from workersai_core.testing import CapturingTransport, FakeClock


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def again(tmp_path, clock):
    """Open the same database again and again, each time with other plugins."""
    opened = []

    def open_with(*plugins):
        if opened:
            opened.pop().close()
        transport = CapturingTransport()
        engine = Engine.open(
            f"sqlite:///{tmp_path / 'labels.db'}",
            plugins=plugins,
            entry_points="none",
            clock=clock,
            transport=transport,
        )
        opened.append(engine)
        return engine

    yield open_with
    engine = opened.pop()
    assert [] == engine.check()
    engine.close()


def test_tasks_of_a_plugin_that_is_gone_are_readable_and_wait_until_it_is_back(again):
    engine = again(Registers(Pick()))
    free, given = create(engine, priority=10), create(engine, priority=90)
    held = claim(engine, ANN)

    engine = again()
    assert (TaskStatus.PENDING, TaskStatus.IN_PROGRESS) == (stored(engine, free).status, stored(engine, given).status)
    assert {"options": OPTIONS} == stored(engine, free).params
    assert 2 == len(engine.list_tasks(account="acme").tasks)
    assert engine.claim(BOB) is None
    assert [] == engine.assignments(ANN)
    with pytest.raises(TaskTypeUnavailable, match="The task type pick cannot be used: its plugin is not loaded"):
        engine.submit(held, ANN, {"choice": "a"})
    with pytest.raises(UnknownTaskType):
        create(engine)

    engine = again(Registers(Pick()))
    assert [held] == [each.assignment.id for each in engine.assignments(ANN)]
    assert TaskStatus.COMPLETED is engine.submit(held, ANN, {"choice": "a"}).task.status
    assert free.external_id == engine.claim(BOB).task.external_id


def test_tasks_of_a_plugin_that_is_gone_can_be_canceled(again):
    task = create(again(Registers(Pick())))
    engine = again()

    assert TaskStatus.CANCELED is engine.cancel_task(task.external_id, account="acme").status


def test_a_test_task_of_a_plugin_that_is_gone_is_answered_when_it_is_back(again, clock):
    engine = again(Registers(Pick()))
    task = create(engine, mode="test")

    engine = again()
    engine.tick()
    assert TaskStatus.PENDING is stored(engine, task).status

    engine = again(Registers(Pick()))
    clock.advance(60)
    engine.tick()
    assert TaskStatus.COMPLETED is stored(engine, task).status
    assert stored(engine, task).response["choice"] in OPTIONS


# --- newer ---------------------------------------------------------------------------------------------


class Chooses(Pick):
    """The second version of `Pick`: the options are called choices, and are narrowed to."""

    version = 2
    params_schema = {
        **Pick.params_schema,
        "required": ["choices"],
        "properties": {"choices": Pick.params_schema["properties"]["options"]},
    }
    examples = (({"choices": ["a", "b"]}, {"choice": "a"}),)

    def response_schema_for(self, params):
        return {**self.response_schema, "properties": {"choice": {"enum": params["choices"], "description": "It."}}}

    def check_response(self, params, response):
        return ()

    def mock_response(self, params, rng):
        return {"choice": params["choices"][-1]}

    def normalize(self, params, response):
        return params["choices"].index(response["choice"])

    def upgrade_params(self, params, from_version):
        assert 1 == from_version
        return {"choices": params["options"]}


def test_open_tasks_of_an_older_version_go_on_with_their_params_upgraded(again, clock):
    engine = again(Registers(Pick()))
    task, mocked = create(engine, overlap=2), create(engine, mode="test")
    first = claim(engine, ANN)

    engine = again(Registers(Chooses()))
    (shown,) = engine.assignments(ANN)
    assert (first, OPTIONS) == (shown.assignment.id, shown.response_schema["properties"]["choice"]["enum"])
    assert {"choices": OPTIONS} == shown.task.params
    engine.submit(first, ANN, {"choice": "b"})
    given = engine.claim(BOB)
    assert ({"choices": OPTIONS}, OPTIONS) == (
        given.task.params,
        given.response_schema["properties"]["choice"]["enum"],
    )
    assert TaskStatus.COMPLETED is engine.submit(given.assignment.id, BOB, {"choice": "b"}).task.status
    engine.tick()

    assert ({"choice": "b"}, {"choice": "c"}) == (stored(engine, task).response, stored(engine, mocked).response)
    assert ({"options": OPTIONS}, 1) == (stored(engine, task).params, stored(engine, task).task_type_version)
    assert 2 == create(engine, params={"choices": ["x"]}).task_type_version


def test_a_plugins_verdict_is_held_to_the_upgraded_params(again):
    engine = again(Registers(Pick()))
    task = create(engine)
    decides = plugin("decides", resolve_task=lambda: Verdict(response={"choice": "c"}))
    engine = again(Registers(Chooses()), decides)
    engine.submit(claim(engine, ANN), ANN, {"choice": "a"})

    assert {"choice": "c"} == stored(engine, task).response
