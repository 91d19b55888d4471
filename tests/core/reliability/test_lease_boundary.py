"""A late answer is accepted once or refused with `LeaseLost`; it is never lost without a word."""

from __future__ import annotations

from datetime import timedelta

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.engines import ANN, BOB, claim, create, open_engine, policy, stored
from workersai_core import AssignmentState, LeaseLost, TaskStatus
from workersai_core.commands import work
from workersai_core.store import task_rows
from workersai_core.testing import FakeClock

LEASE_S = 60
A, B = {"choice": "a"}, {"choice": "b"}


def late_answer(engine, clock, offset_us, meanwhile):
    """Answer so many microseconds after the end of a lease, and return whether that was accepted."""
    task = create(engine)
    held = claim(engine, ANN, lease_s=LEASE_S)
    clock.advance(LEASE_S + offset_us / 1_000_000)
    theirs = None
    for step in meanwhile:
        if step == "tick":
            engine.tick()
        elif step == "claim":
            theirs = theirs or claim(engine, BOB)
    try:
        engine.submit(held, ANN, A)
    except LeaseLost:
        accepted = False
    else:
        accepted = True
        assert AssignmentState.SUBMITTED is engine.submit(held, ANN, A).assignment.state, "once, however often told"
    now = stored(engine, task)
    assert (1 if accepted else 0) == now.answers_accepted
    assert (TaskStatus.COMPLETED if accepted else TaskStatus.IN_PROGRESS) is now.status
    if not accepted:
        theirs = theirs or claim(engine, BOB)
        assert B == engine.submit(theirs, BOB, B).task.response, "the slot is free for the next"
    assert [] == engine.check()
    return accepted


@settings(max_examples=40)
@given(offset_us=st.integers(-3, 3), meanwhile=st.lists(st.sampled_from(["tick", "claim"]), max_size=3))
def test_an_answer_counts_exactly_until_the_end_of_its_lease(offset_us, meanwhile):
    clock = FakeClock()
    with open_engine(clock=clock) as engine:
        assert (offset_us < 0) == late_answer(engine, clock, offset_us, meanwhile)


@settings(max_examples=40)
@given(renewed_us=st.integers(-3, 3), offset_us=st.integers(-3, 3))
def test_a_lease_can_be_renewed_exactly_until_its_end_and_then_lasts_from_there(renewed_us, offset_us):
    clock = FakeClock()
    with open_engine(clock=clock) as engine:
        create(engine)
        held = claim(engine, ANN, lease_s=LEASE_S)
        clock.advance(LEASE_S + renewed_us / 1_000_000)
        if renewed_us >= 0:
            with pytest.raises(LeaseLost):
                engine.renew(held, ANN, lease_s=LEASE_S)
            return
        until = engine.renew(held, ANN, lease_s=LEASE_S).lease_expires_at
        assert clock.now() + timedelta(seconds=LEASE_S) == until
        clock.advance(LEASE_S + offset_us / 1_000_000)
        assert (offset_us < 0) == (len(engine.assignments(ANN)) == 1)


@pytest.mark.parametrize("offset_us", [0, 1, 1_000_000])
def test_an_engine_that_takes_answers_without_a_live_lease_is_caught(monkeypatch, offset_us):
    monkeypatch.setattr(work, "_live", lambda tx, assignment: assignment)
    clock = FakeClock()
    with open_engine(clock=clock, policy=policy()) as engine:
        with pytest.raises(AssertionError):
            late_answer(engine, clock, offset_us, [])
        assert {"I5"} == {violation.invariant for violation in engine.check()}


def test_an_engine_that_swallows_a_late_answer_is_caught(monkeypatch):
    real = work.submit

    def swallow(tx, assignment_id, worker, response):
        try:
            return real(tx, assignment_id, worker, response)
        except LeaseLost:
            held = work.of_worker(tx, assignment_id, worker)
            pretended = attrs.evolve(held, state=AssignmentState.SUBMITTED)
            return work.Submission(assignment=pretended, task=task_rows.get(tx.session, held.task_id))

    monkeypatch.setattr(work, "submit", swallow)
    monkeypatch.setattr(work, "check_answer", lambda *_: None)
    clock = FakeClock()
    with open_engine(clock=clock) as engine, pytest.raises(AssertionError):
        late_answer(engine, clock, 0, [])
