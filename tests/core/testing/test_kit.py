from __future__ import annotations

import pytest

from support.engines import ACCOUNT, HOOK, create, stored
from support.task_types import TestTypes
from workersai_core import InvalidInput, TaskStatus, WrongState
from workersai_core.callbacks.transport import Outcome
from workersai_core.testing import CapturingTransport, FakeClock, complete, memory_engine


@pytest.fixture
def engine():
    with memory_engine(entry_points="none", plugins=[TestTypes()]) as engine:
        yield engine


# --- memory_engine -----------------------------------------------------------------------------------


def test_an_engine_in_memory_stands_still_and_calls_nobody(engine):
    assert isinstance(engine.clock, FakeClock)
    assert engine.clock.now() == engine.clock.now()
    task = create(engine, callback_url="http://127.0.0.1:1/hook")
    complete(engine, task, {"choice": "a"})
    assert 1 == engine.deliver()
    assert "delivered" == stored(engine, task).callback_state


def test_every_part_of_it_can_be_given():
    clock = FakeClock()
    transport = CapturingTransport()
    with memory_engine(clock=clock, transport=transport, entry_points="none", plugins=[TestTypes()]) as engine:
        assert clock is engine.clock
        complete(engine, create(engine), {"choice": "a"})
        engine.deliver()
    assert [HOOK] == [request.url for request in transport.requests]


def test_the_fixture_adds_no_plugin_until_it_is_overridden(workersai_engine, workersai_plugins):
    assert () == workersai_plugins
    assert "pick" not in workersai_engine.types.names()
    assert "categorization" in workersai_engine.types.names()


# --- complete ----------------------------------------------------------------------------------------


def test_complete_answers_as_a_worker_does(engine):
    task = complete(engine, create(engine), {"choice": "b"})
    assert (TaskStatus.COMPLETED, {"choice": "b"}, 1) == (task.status, task.response, task.answers_accepted)
    assert [] == engine.check()


def test_complete_takes_an_answer_for_each_of_several_workers(engine):
    task = complete(engine, create(engine, overlap=3), {"choice": "b"}, {"choice": "a"}, {"choice": "b"})
    assert (TaskStatus.COMPLETED, {"choice": "b"}) == (task.status, task.response)


def test_complete_may_be_called_again_for_a_task_that_wants_more(engine):
    task = create(engine, overlap=2)
    assert TaskStatus.IN_PROGRESS is complete(engine, task, {"choice": "b"}).status
    assert TaskStatus.COMPLETED is complete(engine, task, {"choice": "b"}).status
    with pytest.raises(WrongState, match="wants no further answer"):
        complete(engine, task, {"choice": "b"})


def test_complete_checks_the_answer_as_usual(engine):
    task = create(engine)
    with pytest.raises(InvalidInput):
        complete(engine, task, {"choice": "z"})
    assert 0 == stored(engine, task).answers_accepted


# --- CapturingTransport --------------------------------------------------------------------------------


def delivered(engine):
    complete(engine, create(engine), {"choice": "a"})
    engine.deliver()
    [task] = engine.list_tasks(account=ACCOUNT).tasks
    [delivery] = engine.callbacks(task.external_id, account=ACCOUNT)
    return delivery


def test_what_was_sent_can_be_looked_at():
    transport = CapturingTransport()
    with memory_engine(transport=transport, entry_points="none", plugins=[TestTypes()]) as engine:
        delivery = delivered(engine)
    [request] = transport.requests
    assert (HOOK, delivery.id, {"choice": "a"}) == (
        request.url,
        request.headers["webhook-id"],
        request.json["response"],
    )


@pytest.mark.parametrize(
    ("said", "status", "error", "state"),
    [
        (204, 204, None, "delivered"),
        (503, 503, None, "pending"),
        (410, 410, None, "exhausted"),
        (Outcome(status=None, latency_ms=7, error="reset"), None, "reset", "pending"),
    ],
)
def test_the_responder_decides_what_is_answered(said, status, error, state):
    transport = CapturingTransport(lambda request: said)
    with memory_engine(transport=transport, entry_points="none", plugins=[TestTypes()]) as engine:
        delivery = delivered(engine)
        assert [] == engine.check()
    [attempt] = delivery.attempts
    assert (status, error, state) == (attempt.status, attempt.error, delivery.state)
