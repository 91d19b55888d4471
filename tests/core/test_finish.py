from __future__ import annotations

import json
from datetime import timedelta

import pytest

from support import engines
from support.engines import ACCOUNT, ANN, BOB, Watcher, answer, claim, create, history, stored
from support.task_types import Pick
from workersai_core import Engine, InvalidInput, NotFound, TaskStatus, WrongState
from workersai_core.api import hookimpl
from workersai_core.testing import CapturingTransport


def cancel(engine, task, **whose):
    return engine.cancel_task(task.external_id, **{"account": ACCOUNT, "mode": task.mode, **whose})


class BadMock(Pick):
    """Picks, but its mock does not."""

    name = "bad_mock"
    aliases = ()

    def mock_response(self, params, rng):
        if params["options"] == ["raise"]:
            raise ZeroDivisionError
        return {"choice": "not an option"}


class BadMocks:
    @hookimpl
    def register_task_types(self):
        return [BadMock()]


# --- canceling ---------------------------------------------------------------------------------------


def test_a_canceled_task_has_ended_without_a_response(open_engine, clock):
    engine = open_engine(watcher := Watcher())
    task = create(engine, overlap=2, callback_events=["canceled"])
    answer(engine, ANN)
    claim(engine, BOB)
    clock.advance(5)
    canceled = cancel(engine, task, actor="operator")
    assert (TaskStatus.CANCELED, {}, None, clock.now()) == (
        canceled.status,
        canceled.response,
        canceled.error,
        canceled.completed_at,
    )
    assert "pending" == canceled.callback_state
    assert canceled == stored(engine, task)
    assert ("task_canceled", "operator") == (watcher.seen[-1].name, watcher.seen[-1].actor)
    assert [] == engine.check()


def test_canceling_again_changes_nothing(engine, clock):
    task = create(engine)
    canceled = cancel(engine, task)
    clock.advance(5)
    assert canceled == cancel(engine, task)
    assert ["task_created", "task_canceled"] == history(engine, task)


def test_what_has_ended_otherwise_cannot_be_canceled(engine):
    done = answer(engine, ANN).task if create(engine) else None
    with pytest.raises(WrongState, match="The task is completed; only an open task can be canceled"):
        cancel(engine, done)
    assert done == stored(engine, done)


def test_anothers_task_is_not_there_to_be_canceled(engine):
    task = create(engine)
    for whose in ({"account": "other"}, {"mode": "test"}):
        with pytest.raises(NotFound):
            cancel(engine, task, **whose)
    assert TaskStatus.CANCELED is engine.cancel_task(task.external_id.upper(), account=ACCOUNT).status


# --- deadlines ---------------------------------------------------------------------------------------


def test_a_deadline_ends_a_task_at_its_moment_and_not_before(open_engine, clock):
    engine = open_engine(watcher := Watcher())
    task = create(engine, deadline_at=clock.now() + timedelta(seconds=60), callback_events=["expired"])
    claim(engine, ANN)
    clock.advance(59.999999)
    assert 0 == engine.tick()
    clock.advance(0.000001)
    assert 1 == engine.tick()
    expired = stored(engine, task)
    assert (TaskStatus.EXPIRED, {}, clock.now()) == (expired.status, expired.response, expired.completed_at)
    assert ["task_created", "task_assigned", "task_expired"] == history(engine, task) == watcher.names
    assert [] == engine.assignments(ANN)
    assert [] == engine.check()


def test_answers_before_the_deadline_are_kept_when_they_were_too_few(engine, clock):
    task = create(engine, overlap=2, deadline_at=clock.now() + timedelta(seconds=60))
    answer(engine, ANN)
    clock.advance(60)
    engine.tick()
    assert (TaskStatus.EXPIRED, 1) == (stored(engine, task).status, stored(engine, task).answers_accepted)


def test_a_completed_task_does_not_expire(engine, clock):
    task = create(engine, deadline_at=clock.now() + timedelta(seconds=60))
    answer(engine, ANN)
    clock.advance(60)
    assert 0 == engine.tick()
    assert TaskStatus.COMPLETED is stored(engine, task).status


# --- the mock ----------------------------------------------------------------------------------------


def test_a_test_task_answers_itself_at_the_next_tick(engine):
    task = create(engine, mode="test")
    assert (TaskStatus.PENDING, True) == (task.status, task.is_test)
    assert 1 == engine.tick()
    done = stored(engine, task)
    assert (TaskStatus.COMPLETED, 1.0, 0) == (done.status, done.confidence, done.answers_accepted)
    assert done.response["choice"] in engines.OPTIONS
    assert ["task_created", "task_completed"] == history(engine, task)


def test_the_mock_answers_as_the_task_says(engine, clock):
    def plan(**mock):
        return create(engine, mode="test", metadata={"mock": mock}, callback_events=["completed", "error", "canceled"])

    at_once = plan(response={"choice": "c"})
    later = plan(delay_s=2.5, response={"choice": "b"})
    never = plan(outcome="never")
    error = plan(outcome="error")
    canceled = plan(outcome="cancel", delay_s=1)
    engine.tick()
    assert ({"choice": "c"}, TaskStatus.COMPLETED) == (stored(engine, at_once).response, stored(engine, at_once).status)
    assert (TaskStatus.ERROR, "mock: metadata.mock asked for an error") == (
        stored(engine, error).status,
        stored(engine, error).error,
    )
    clock.advance(2.499999)
    engine.tick()
    assert (TaskStatus.PENDING, TaskStatus.CANCELED) == (stored(engine, later).status, stored(engine, canceled).status)
    clock.advance(0.000001)
    engine.tick()
    assert {"choice": "b"} == stored(engine, later).response
    clock.advance(1e6)
    engine.tick()
    assert TaskStatus.PENDING is stored(engine, never).status


@pytest.mark.parametrize(
    ("deadline_s", "mock", "status"),
    [
        (10, {"delay_s": 20}, TaskStatus.EXPIRED),
        (10, {"delay_s": 10}, TaskStatus.COMPLETED),
        (10, {"outcome": "never"}, TaskStatus.EXPIRED),
        (20, {"delay_s": 10}, TaskStatus.COMPLETED),
    ],
)
def test_of_the_mocks_answer_and_the_deadline_the_earlier_ends_a_test_task(engine, clock, deadline_s, mock, status):
    deadline_at = clock.now() + timedelta(seconds=deadline_s)
    task = create(engine, mode="test", metadata={"mock": mock}, deadline_at=deadline_at)
    clock.advance(30)
    assert 1 == engine.tick()
    assert status is stored(engine, task).status


@pytest.mark.parametrize("options", [["raise"], ["a"]])
def test_a_mock_that_fails_ends_its_task_with_an_error(open_engine, options):
    engine = open_engine(BadMocks())
    task = create(engine, mode="test", task_type="bad_mock", params={"options": options}, callback_events=["error"])
    other = create(engine, mode="test")
    assert 2 == engine.tick()
    failed = stored(engine, task)
    assert TaskStatus.ERROR is failed.status
    assert failed.error.startswith("plugin_failed: ")
    assert TaskStatus.COMPLETED is stored(engine, other).status, "one bad mock does not hold up the others"
    assert [] == engine.check()


def test_the_mock_of_a_type_that_is_gone_waits_until_the_type_is_back(open_engine, tmp_path, clock):
    address = f"sqlite:///{tmp_path / 'labels.db'}"
    with open_engine(database=address) as before:
        task = create(before, mode="test", deadline_at=clock.now() + timedelta(hours=1))
        due = create(before, mode="test", deadline_at=clock.now() + timedelta(hours=1))
    with Engine.open(address, entry_points="none", clock=clock) as without:
        assert 2 == without.tick()
        assert 0 == without.tick()
        assert TaskStatus.PENDING is stored(without, task).status
        clock.advance(60)
        assert 2 == without.tick(), "it looks again once a minute"
        assert cancel(without, due).status is TaskStatus.CANCELED
    with open_engine(database=address) as after:
        clock.advance(59)
        assert 0 == after.tick()
        clock.advance(1)
        assert 1 == after.tick()
        assert TaskStatus.COMPLETED is stored(after, task).status


def test_more_than_a_portion_is_done_in_one_tick(engine):
    for _ in range(230):
        create(engine, mode="test")
    assert 230 == engine.tick()
    assert 0 == engine.tick()


def test_simulated_failures_come_before_the_real_delivery(open_engine, clock):
    transport = CapturingTransport()
    engine = open_engine(transport=transport)
    task = create(engine, mode="test", metadata={"mock": {"callback": "fail_first_2"}})
    engine.tick()
    for _ in range(3):
        engine.deliver()
        clock.advance(1)
    [delivery] = engine.callbacks(task.external_id, account=ACCOUNT, mode="test")
    assert ("delivered", 3) == (delivery.state, delivery.attempts_total)
    assert 1 == len(transport.requests)


# --- the callback that is owed -------------------------------------------------------------------------


def test_the_callback_says_what_was_true_when_the_task_ended(open_engine, clock):
    transport = CapturingTransport()
    engine = open_engine(transport=transport)
    task = create(engine, metadata={"mine": 1.0})
    answer(engine, ANN)
    clock.advance(5)
    assert 1 == engine.deliver()
    [request] = transport.requests
    assert {
        "task_type": "pick",
        "external_id": task.external_id,
        "params": {"options": engines.OPTIONS},
        "response": {"choice": "a"},
        "metadata": {"mine": 1.0},
        "status": "completed",
        "is_test": False,
        "completed_at": "2026-01-02T03:04:05.000000Z",
    } == json.loads(request.body)
    assert "delivered" == stored(engine, task).callback_state


@pytest.mark.parametrize(
    ("events", "end", "owed"),
    [
        (("completed",), cancel, []),
        (("canceled",), cancel, ["canceled"]),
        ((), cancel, []),
        (("expired", "canceled"), cancel, ["canceled"]),
    ],
)
def test_only_what_was_asked_for_is_called_back(engine, events, end, owed):
    task = create(engine, callback_events=events)
    end(engine, task)
    assert owed == [delivery.event for delivery in engine.callbacks(task.external_id, account=ACCOUNT)]


def test_a_reserved_example_host_is_on_record_but_never_called(open_engine):
    transport = CapturingTransport()
    engine = open_engine(transport=transport)
    task = create(engine, callback_url=None)
    answer(engine, ANN)
    assert 0 == engine.deliver()
    assert "skipped" == stored(engine, task).callback_state
    assert [] == transport.requests
    assert [] == engine.check()


# --- completing a test task by hand --------------------------------------------------------------------


def complete(engine, task, **fields):
    return engine.complete_test_task(task.external_id, **{"account": ACCOUNT, **fields})


def test_a_test_task_can_be_completed_by_hand(open_engine):
    engine = open_engine(watcher := Watcher())
    task = create(engine, mode="test", metadata={"mock": {"outcome": "never"}}, callback_url="https://r.test/hook")
    done = complete(engine, task, response={"choice": "b"})
    assert (TaskStatus.COMPLETED, {"choice": "b"}, "pending") == (done.status, done.response, done.callback_state)
    assert done == stored(engine, task)
    assert ("task_completed", "requester") == (watcher.seen[-1].name, watcher.seen[-1].actor)
    assert [] == engine.check()


def test_without_a_response_a_test_task_gets_that_of_its_mock(open_engine, clock):
    engine = open_engine()
    first = create(engine, mode="test", metadata={"mock": {"delay_s": 60, "response": {"choice": "b"}}})
    second = create(engine, mode="test", metadata={"mock": {"delay_s": 60}})
    assert {"choice": "b"} == complete(engine, first).response
    assert complete(engine, second).response["choice"] in second.params["options"]
    clock.advance(61)
    assert 0 == engine.tick()


@pytest.mark.parametrize("response", [{}, {"choice": "not an option"}, {"choice": "a", "more": 1}, [], "a"])
def test_a_wrong_response_leaves_a_test_task_as_it_was(open_engine, response):
    engine = open_engine()
    task = create(engine, mode="test", metadata={"mock": {"outcome": "never"}})
    with pytest.raises(InvalidInput, match="nothing was changed") as caught:
        complete(engine, task, response=response)
    assert all(issue.pointer.startswith("/response") for issue in caught.value.issues)
    assert task == stored(engine, task)


def test_only_an_open_test_task_of_the_account_can_be_completed_by_hand(open_engine):
    engine = open_engine()
    live, test = create(engine), create(engine, mode="test", metadata={"mock": {"outcome": "never"}})
    with pytest.raises(NotFound):
        complete(engine, live)
    with pytest.raises(NotFound):
        complete(engine, test, account="another")
    complete(engine, test, response={"choice": "a"})
    with pytest.raises(WrongState, match="completed"):
        complete(engine, test, response={"choice": "b"})
    assert {"choice": "a"} == stored(engine, test).response
