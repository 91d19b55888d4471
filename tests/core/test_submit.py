from __future__ import annotations

from datetime import timedelta

import pytest

from support.engines import ACCOUNT, ANN, BOB, CID, OPTIONS, Watcher, answer, claim, create, history, policy, stored
from workersai_core import (
    AlreadySubmitted,
    AssignmentState,
    Engine,
    InvalidInput,
    LeaseLost,
    NotFound,
    PluginFailed,
    Rejected,
    TaskStatus,
    TaskTypeUnavailable,
    Worker,
)
from workersai_core.api import Issue, TaskType, Verdict, hookimpl

A, B = {"choice": "a"}, {"choice": "b"}


class Strict:
    """A plugin that refuses "b" and trips over "c"."""

    @hookimpl
    def before_response_accept(self, ctx, task, response):
        assert ctx.actor.startswith("worker:")
        if response == B:
            raise Rejected("Never b.", issues=[Issue("/choice", "Never b.", "never_b")])
        if response == {"choice": "c"}:
            raise ZeroDivisionError


class Judge:
    """A plugin that decides, leaves the decision, or fails, by the task's instruction."""

    @hookimpl
    def resolve_task(self, ctx, task, responses):
        if task.instruction == "fail":
            raise ZeroDivisionError
        if task.instruction == "judge":
            return Verdict(response={"choice": "c"}, confidence=0.25)
        return None


# --- an answer ---------------------------------------------------------------------------------------


def test_the_last_answer_wanted_completes_the_task(engine, clock):
    task = create(engine)
    held = claim(engine, ANN)
    clock.advance(5)
    found = engine.submit(held, ANN, A)
    assert (AssignmentState.SUBMITTED, clock.now(), A) == (
        found.assignment.state,
        found.assignment.finished_at,
        found.assignment.response,
    )
    assert (TaskStatus.COMPLETED, A, 1.0, 1) == (
        found.task.status,
        found.task.response,
        found.task.confidence,
        found.task.answers_accepted,
    )
    assert (clock.now(), "pending") == (found.task.completed_at, found.task.callback_state)
    assert found.task == stored(engine, task)
    assert ["task_created", "task_assigned", "response_submitted", "task_completed"] == history(engine, task)


def test_before_the_last_answer_a_task_stays_in_progress(engine):
    task = create(engine, overlap=3)
    found = answer(engine, ANN)
    assert (TaskStatus.IN_PROGRESS, {}, None, 1) == (
        found.task.status,
        found.task.response,
        found.task.confidence,
        found.task.answers_accepted,
    )
    assert found.task == stored(engine, task)


def test_several_answers_are_put_together_by_the_type(engine):
    create(engine, overlap=3)
    answer(engine, ANN, "b")
    answer(engine, BOB, "a")
    found = answer(engine, CID, "b")
    assert (B, 2 / 3) == (found.task.response, found.task.confidence)


def test_observers_hear_of_the_answer_and_of_the_result(open_engine):
    engine = open_engine(watcher := Watcher())
    create(engine)
    held = claim(engine, ANN)
    engine.submit(held, ANN, A)
    assert ["task_created", "task_assigned", "response_submitted", "task_completed"] == watcher.names
    submitted, completed = watcher.seen[2:]
    assert ("worker:ann", held, 1) == (submitted.actor, submitted.data["assignment_id"], submitted.data["slot"])
    assert ("worker:ann", 1.0) == (completed.actor, completed.data["confidence"])


def test_an_answer_is_stored_as_it_was_given(engine):
    create(engine)
    held = claim(engine, ANN)
    assert '{"choice":"a"}' == engine.submit(held, ANN, A).assignment.response_json


# --- wrong answers -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("response", "pointer", "code"),
    [
        ({}, "/response", "required"),
        ({"choice": 5}, "/response/choice", "wrong_type"),
        ({"choice": "z"}, "/response/choice", "not_in_list"),
        ({"choice": "a", "more": 1}, "/response/more", "unknown_field"),
        (None, "/response", "wrong_type"),
        ({"choice": {1}}, "/response/choice", "not_json"),
        ({"choice": "\ud800"}, "/response/choice", "invalid_text"),
    ],
)
def test_a_wrong_answer_is_refused_with_its_place_and_the_worker_may_go_on(engine, response, pointer, code):
    create(engine)
    held = claim(engine, ANN)
    for ask in (engine.submit, engine.check_answer):
        with pytest.raises(InvalidInput) as caught:
            ask(held, ANN, response)
        assert [(pointer, code)] == [(issue.pointer, issue.code) for issue in caught.value.issues]
    assert TaskStatus.COMPLETED is engine.submit(held, ANN, A).task.status


def test_the_error_says_how_many_values_are_wrong_and_that_the_assignment_is_kept(engine):
    create(engine)
    held = claim(engine, ANN)
    with pytest.raises(InvalidInput, match="One value is wrong; the assignment is still yours"):
        engine.submit(held, ANN, {"choice": "z"})
    with pytest.raises(InvalidInput, match="2 values are wrong; the assignment is still yours"):
        engine.submit(held, ANN, {"choise": "a"})


def test_an_answer_can_be_checked_without_being_submitted(engine):
    task = create(engine)
    held = claim(engine, ANN)
    assert engine.check_answer(held, ANN, A) is None
    assert 0 == stored(engine, task).answers_accepted
    engine.submit(held, ANN, A)
    assert engine.check_answer(held, ANN, A) is None, "it was accepted before"


def test_another_workers_assignment_is_not_there(engine):
    create(engine)
    held = claim(engine, ANN)
    for worker, assignment in ((BOB, held), (ANN, "no-such-id")):
        with pytest.raises(NotFound):
            engine.submit(assignment, worker, A)


def test_an_answer_waits_until_its_type_is_back(open_engine, tmp_path):
    address = f"sqlite:///{tmp_path / 'labels.db'}"
    with open_engine(database=address) as before:
        create(before)
        held = claim(before, ANN)
    with Engine.open(address, entry_points="none", clock=before.clock) as without, pytest.raises(TaskTypeUnavailable):
        without.submit(held, ANN, A)
    with open_engine(database=address) as after:
        assert TaskStatus.COMPLETED is after.submit(held, ANN, A).task.status


# --- again -------------------------------------------------------------------------------------------


def test_the_same_answer_again_is_the_same_success(engine, clock):
    create(engine, overlap=2)
    held = claim(engine, ANN)
    first = engine.submit(held, ANN, A)
    clock.advance(10_000)
    answer(engine, BOB)
    again = engine.submit(held.upper(), ANN, {"choice": "a"})
    assert first.assignment == again.assignment
    assert TaskStatus.COMPLETED is again.task.status, "the task is told as it is by now"
    assert 2 == again.task.answers_accepted


def test_another_answer_after_the_first_is_refused(engine):
    create(engine)
    held = claim(engine, ANN)
    engine.submit(held, ANN, A)
    for ask in (engine.submit, engine.check_answer):
        with pytest.raises(AlreadySubmitted):
            ask(held, ANN, B)


def test_an_answer_may_be_equal_without_being_spelled_the_same(open_engine):
    class Number(TaskType):
        name = "number"
        summary = "Give a number."
        params_schema = {"type": "object", "additionalProperties": False}
        response_schema = {"type": "number", "description": "A number."}
        examples = (({}, 1),)

    class Numbers:
        @hookimpl
        def register_task_types(self):
            return [Number()]

    engine = open_engine(Numbers())
    create(engine, task_type="number", params={})
    held = claim(engine, ANN)
    engine.submit(held, ANN, 2.0)
    assert "2.0" == engine.submit(held, ANN, 2).assignment.response_json


# --- late --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ticks", [False, True])
def test_up_to_its_last_microsecond_a_lease_counts_and_then_no_more(engine, clock, ticks):
    in_time, late = create(engine), create(engine)
    first, second = claim(engine, ANN), claim(engine, BOB)
    clock.advance(899.999999)
    assert TaskStatus.COMPLETED is engine.submit(first, ANN, A).task.status
    clock.advance(0.000001)
    if ticks:
        engine.tick()
    with pytest.raises(LeaseLost, match="The lease of this assignment has run out"):
        engine.submit(second, BOB, A)
    assert (TaskStatus.COMPLETED, TaskStatus.IN_PROGRESS) == (
        stored(engine, in_time).status,
        stored(engine, late).status,
    )
    assert TaskStatus.COMPLETED is answer(engine, BOB).task.status, "after another claim"


def test_a_lease_that_ran_out_is_lost_even_if_nobody_else_took_the_task(engine, clock):
    create(engine)
    held = claim(engine, ANN)
    clock.advance(900)
    with pytest.raises(LeaseLost):
        engine.submit(held, ANN, A)
    assert claim(engine, ANN) != held


def test_after_the_deadline_and_before_the_tick_an_answer_in_hand_still_counts(engine, clock):
    task = create(engine, deadline_at=clock.now() + timedelta(seconds=10))
    held = claim(engine, ANN)
    clock.advance(10)
    assert TaskStatus.COMPLETED is engine.submit(held, ANN, A).task.status
    engine.tick()
    assert TaskStatus.COMPLETED is stored(engine, task).status


# --- plugins -----------------------------------------------------------------------------------------


def test_a_plugins_veto_leaves_the_assignment_and_is_on_record(open_engine):
    engine = open_engine(Strict(), watcher := Watcher())
    task = create(engine)
    held = claim(engine, ANN)
    with pytest.raises(Rejected, match="Never b"):
        engine.submit(held, ANN, B)
    assert [held] == [found.assignment.id for found in engine.assignments(ANN)]
    assert ["task_created", "task_assigned", "response_rejected"] == history(engine, task) == watcher.names
    rejected = watcher.seen[-1]
    assert ("worker:ann", held, ["never_b"]) == (
        rejected.actor,
        rejected.data["assignment_id"],
        list(rejected.data["codes"]),
    )
    assert TaskStatus.COMPLETED is engine.submit(held, ANN, A).task.status
    assert [] == engine.check()


def test_a_plugin_that_fails_leaves_the_assignment_too(open_engine):
    engine = open_engine(Strict())
    create(engine)
    held = claim(engine, ANN)
    with pytest.raises(PluginFailed):
        engine.submit(held, ANN, {"choice": "c"})
    assert TaskStatus.COMPLETED is engine.submit(held, ANN, A).task.status


def test_a_plugin_may_decide_instead_of_the_type(open_engine):
    engine = open_engine(Judge())
    create(engine, instruction="judge")
    found = answer(engine, ANN)
    assert ({"choice": "c"}, 0.25) == (found.task.response, found.task.confidence)
    create(engine)
    assert A == answer(engine, ANN).task.response, "or leave it to the type"


def test_a_decision_that_fails_keeps_the_task_open_and_the_assignment_with_the_worker(open_engine):
    engine = open_engine(Judge())
    task = create(engine, instruction="fail")
    held = claim(engine, ANN)
    with pytest.raises(PluginFailed):
        engine.submit(held, ANN, A)
    assert (TaskStatus.IN_PROGRESS, 0) == (stored(engine, task).status, stored(engine, task).answers_accepted)
    assert [held] == [found.assignment.id for found in engine.assignments(ANN)]
    assert [] == engine.check()


# --- asking for more ---------------------------------------------------------------------------------


def workers(count):
    return [Worker(id=f"w{n}") for n in range(count)]


def test_a_type_may_ask_one_more_worker_until_answers_agree(engine):
    task = create(engine, task_type="unanimous", overlap=2)
    answer(engine, ANN, "a")
    found = answer(engine, BOB, "b")
    assert (TaskStatus.IN_PROGRESS, 2, 3, 2) == (
        found.task.status,
        found.task.overlap,
        found.task.answers_wanted,
        found.task.answers_accepted,
    )
    assert found.task == stored(engine, task)
    found = answer(engine, CID, "b")
    assert (TaskStatus.COMPLETED, B) == (found.task.status, found.task.response)


def test_a_type_that_is_never_content_ends_in_an_error_at_the_most_answers_allowed(open_engine):
    engine = open_engine(watcher := Watcher(), policy=policy(max_answers=3))
    task = create(engine, task_type="unanimous", params={"options": [*OPTIONS, "d"]}, callback_events=["error"])
    for worker, choice in zip(workers(3), "abc", strict=True):
        found = answer(engine, worker, choice)
    assert (TaskStatus.ERROR, {}, "no_agreement: 3 answers did not agree") == (
        found.task.status,
        found.task.response,
        found.task.error,
    )
    assert found.task == stored(engine, task)
    assert "task_failed" == watcher.names[-1]
    assert {"error": found.task.error} == dict(watcher.seen[-1].data)
    assert engine.claim(Worker(id="w4")) is None
    assert ["error"] == [delivery.event for delivery in engine.callbacks(task.external_id, account=ACCOUNT)]
    assert [] == engine.check()


# --- a damaged database --------------------------------------------------------------------------------


def test_an_assignment_whose_task_is_gone_says_so(open_engine):
    engine = open_engine()
    create(engine)
    held = claim(engine, ANN)
    engine.run(lambda tx: tx.session.script("DELETE FROM wai_task"))
    with pytest.raises(NotFound, match=r"The task [-0-9a-f]+ is gone"):
        engine.submit(held, ANN, A)
    with pytest.raises(NotFound):
        engine.release(held, ANN)
