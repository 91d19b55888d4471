"""The judge of the crash tests must itself be able to say guilty."""

from __future__ import annotations

import attrs
import pytest

from support.history import Answer, Arrival, Assignment, Creation, History, Kept, broken_promises

CONTENT = {"params": {"categories": ["a", "b"]}, "metadata": {"key": "k-1"}, "overlap": 1}
BODY = {"external_id": "t-1", "params": {"categories": ["a", "b"]}, "response": {"category": "a"}}


def task(**changed):
    return {**BODY, "metadata": {"key": "k-1"}, "overlap": 1, "status": "completed", "is_test": False, **changed}


def row(**changed):
    values = {"id": "a-1", "task_id": "t-1", "worker_id": "w-1", "slot": 0, "state": "submitted"}
    return Assignment(**{**values, "response": {"category": "a"}, **changed})


def arrival(**changed):
    return Arrival(**{"webhook_id": "d-1", "body": BODY, "verified": True, "answered": 200, **changed})


def honest():
    answer = Answer(assignment_id="a-1", task_id="t-1", response={"category": "a"}, task_status="completed")
    return History(
        asked={"k-1": CONTENT},
        creations=[Creation(key="k-1", content=CONTENT, task=task(status="pending"))],
        answers=[attrs.evolve(answer, task_status=None), answer],
        arrivals=[arrival(answered=500), arrival()],
    )


def judged(history=None, *, tasks=None, rows=None):
    kept = Kept(tasks=[task()] if tasks is None else tasks, assignments=[row()] if rows is None else rows)
    return [told.split(":")[0] for told in broken_promises(history or honest(), kept)]


def test_an_honest_service_breaks_no_promise():
    assert [] == judged()


@pytest.mark.parametrize(
    ("tasks", "told"),
    [
        ([], {"I1", "I8"}),
        ([task(params={"categories": ["a"]})], {"I1", "I8"}),
        ([task(overlap=2)], {"I1", "I7"}),
        ([task(), task(external_id="t-2")], {"I2", "I7", "I9"}),
        ([task(status="in_progress")], {"I6", "I7", "I8"}),
        ([task(response={"category": "b"})], {"I8"}),
        ([task(is_test=True, status="pending")], {"I6", "I7", "I8"}),
    ],
)
def test_it_sees_what_became_of_tasks(tasks, told):
    history = honest()
    if not tasks:
        history.answers.clear()
    assert told == set(judged(history, tasks=tasks, rows=None if tasks else []))


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ([], {"I4", "I7"}),
        ([row(response={"category": "b"})], {"I4"}),
        ([row(task_id="t-9")], {"I4", "I7"}),
        ([row(state="expired")], {"I4", "I7"}),
        ([row(), row(id="a-2", worker_id="w-2")], {"I3", "I4", "I7"}),
        ([row(), row(id="a-2", worker_id="w-2", state="claimed")], {"I3"}),
        ([row(), row(id="a-2", slot=1, state="claimed")], {"I3"}),
    ],
)
def test_it_sees_what_became_of_answers(rows, told):
    assert told == set(judged(rows=rows))


@pytest.mark.parametrize(
    ("arrivals", "told"),
    [
        ([], {"I9"}),
        ([arrival(answered=500)], {"I9"}),
        ([arrival(answered=0)], {"I9"}),
        ([arrival(), arrival(webhook_id="d-2")], {"I8"}),
        ([arrival(verified=False)], {"signature"}),
        ([arrival(body={**BODY, "response": {"category": "b"}})], {"I8"}),
        ([arrival(), arrival(body={**BODY, "external_id": "t-9"})], {"I8"}),
    ],
)
def test_it_sees_what_became_of_callbacks(arrivals, told):
    history = honest()
    history.arrivals = arrivals
    assert told == set(judged(history))


def test_it_sees_a_key_that_was_answered_with_two_tasks():
    history = honest()
    history.creations.append(Creation(key="k-1", content=CONTENT, task=task(external_id="t-2")))
    assert {"I1", "I2"} == set(judged(history))


def test_it_sees_a_task_that_nobody_asked_for():
    history = honest()
    history.asked.clear()
    assert {"I2"} == set(judged(history))


def test_it_sees_a_cancellation_that_did_not_last():
    history = honest()
    history.cancels.append("t-1")
    assert {"I6"} == set(judged(history))


def test_it_passes_on_what_surprised_a_client():
    history = honest()
    history.surprises.append("a 500")
    assert ["surprise"] == judged(history)
