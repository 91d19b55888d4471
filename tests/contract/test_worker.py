"""What workers do, on both databases."""

from __future__ import annotations

from datetime import timedelta

import pytest

from support.engines import ACCOUNT, ANN, BOB, CID, OPTIONS, answer, claim, create, history, policy, stored
from workersai_core import (
    AlreadySubmitted,
    InvalidInput,
    LeaseLost,
    NotFound,
    Rejected,
    TooManyAssignments,
    Worker,
    WrongState,
)
from workersai_core.api import Verdict, hookimpl
from workersai_core.testing import complete

LEASE_S = 900


def ids(claims):
    return [claimed.assignment.id for claimed in claims]


# --- claim -------------------------------------------------------------------------------------


def test_the_most_urgent_task_comes_first(engine, clock):
    late, soon = (clock.now() + timedelta(seconds=s) for s in (900, 300))
    ordered = [
        create(engine, priority=60, deadline_at=soon),
        create(engine, priority=60, deadline_at=late),
        create(engine, priority=60),
        create(engine, task_type="unanimous", priority=55),
        create(engine),
    ]
    workers = [Worker(id=f"w{n}") for n in range(5)]
    assert [task.external_id for task in ordered] == [engine.claim(w).task.external_id for w in workers]
    assert engine.claim(ANN) is None


def test_a_claim_tells_the_task_and_the_schema(engine, clock):
    task = create(engine)
    claimed = engine.claim(ANN, lease_s=60)
    assert (task.external_id, "in_progress") == (claimed.task.external_id, claimed.task.status.value)
    assert stored(engine, task) == claimed.task
    assert ("ann", 1, clock.now() + timedelta(seconds=60)) == (
        claimed.assignment.worker_id,
        claimed.assignment.slot,
        claimed.assignment.lease_expires_at,
    )
    assert "object" == claimed.response_schema["type"]


def test_a_worker_gets_what_it_can_and_asked_for(engine):
    create(engine)
    create(engine, task_type="unanimous")
    assert "unanimous" == engine.claim(Worker(id="s", skills=frozenset(["unanimous"]))).task.task_type
    assert "pick" == engine.claim(ANN, task_types=["choose"]).task.task_type
    assert engine.claim(BOB, task_types=["pick"]) is None
    assert engine.claim(Worker(id="n", skills=frozenset(["knitting"]))) is None


def test_each_slot_goes_to_another_worker(engine):
    create(engine, overlap=3)
    claims = [engine.claim(worker) for worker in (ANN, ANN, BOB, CID, Worker(id="dan"))]
    assert [1, None, 2, 3, None] == [None if c is None else c.assignment.slot for c in claims]


def test_a_slot_that_was_given_back_is_given_out_again(engine):
    create(engine, overlap=2)
    first = claim(engine, ANN)
    claim(engine, BOB)
    engine.release(first, ANN)
    assert 1 == engine.claim(CID).assignment.slot


def test_a_worker_holds_only_so_many(open_engine):
    engine = open_engine(policy=policy(max_live_assignments=2))
    for _ in range(3):
        create(engine)
    held = [claim(engine, ANN) for _ in range(2)]
    with pytest.raises(TooManyAssignments):
        engine.claim(ANN)
    engine.release(held[0], ANN)
    assert engine.claim(ANN) is not None


def test_a_lease_has_limits(engine):
    create(engine)
    for lease_s in (1, 10**9):
        with pytest.raises(InvalidInput):
            engine.claim(ANN, lease_s=lease_s)


def test_what_a_worker_holds_is_listed(engine, clock):
    for _ in range(2):
        create(engine)
    held = []
    for _ in range(2):
        held.append(claim(engine, ANN))
        clock.advance(1)
    assert held == ids(engine.assignments(ANN))
    assert [] == engine.assignments(BOB)


class Chooser:
    """A plugin that keeps tasks of low priority back and picks the last of the rest."""

    @hookimpl
    def before_assign(self, ctx, task, worker):
        if task.priority < 50:
            raise Rejected("not yet")

    @hookimpl
    def pick_assignment(self, ctx, worker, candidates):
        return candidates[-1]


def test_plugins_choose(open_engine):
    engine = open_engine(Chooser())
    _, chosen, kept_back = (create(engine, priority=priority) for priority in (60, 55, 40))
    assert chosen.external_id == engine.claim(ANN).task.external_id
    engine.claim(BOB)
    assert engine.claim(CID) is None
    assert "pending" == stored(engine, kept_back).status.value


# --- leases ------------------------------------------------------------------------------------


def test_a_lease_that_ran_out_opens_the_slot_for_the_next_claim(engine, clock):
    task = create(engine)
    late = claim(engine, ANN)
    clock.advance(LEASE_S)
    assert engine.claim(BOB) is not None
    with pytest.raises(LeaseLost):
        engine.submit(late, ANN, {"choice": "a"})
    assert ["task_created", "task_assigned", "assignment_expired", "task_assigned"] == history(engine, task)


def test_a_lease_that_ran_out_is_swept(engine, clock):
    create(engine)
    claim(engine, ANN)
    clock.advance(LEASE_S)
    assert (1, 0) == (engine.tick(), engine.tick())
    assert [] == engine.assignments(ANN)


def test_a_lease_is_renewed_from_now_on(engine, clock):
    create(engine)
    held = claim(engine, ANN)
    clock.advance(LEASE_S - 1)
    assert clock.now() + timedelta(seconds=60) == engine.renew(held, ANN, lease_s=60).lease_expires_at
    clock.advance(59)
    engine.submit(held, ANN, {"choice": "a"})
    with pytest.raises(LeaseLost):
        engine.renew(held, ANN)


def test_what_ended_or_is_anothers_cannot_be_renewed(engine, clock):
    create(engine)
    held = claim(engine, ANN)
    with pytest.raises(NotFound):
        engine.renew(held, BOB)
    clock.advance(LEASE_S)
    with pytest.raises(LeaseLost):
        engine.renew(held, ANN)


def test_what_is_released_may_come_back_and_what_is_skipped_may_not(engine):
    task = create(engine)
    engine.release(claim(engine, ANN), ANN)
    engine.skip(claim(engine, ANN), ANN, reason="100 % unclear")
    assert engine.claim(ANN) is None
    assert engine.claim(BOB) is not None
    assert ["assignment_released", "task_assigned", "assignment_skipped"] == history(engine, task)[2:5]
    assert "100 % unclear" == engine.task_events(task.external_id, account=ACCOUNT)[4].data["reason"]


def test_what_has_ended_cannot_be_given_back(engine):
    create(engine)
    held = claim(engine, ANN)
    engine.submit(held, ANN, {"choice": "a"})
    for give_up in (engine.release, engine.skip):
        with pytest.raises(LeaseLost):
            give_up(held, ANN)


# --- submit ------------------------------------------------------------------------------------


def test_the_last_answer_completes_the_task(engine, clock):
    task = create(engine, overlap=2)
    assert "in_progress" == answer(engine, ANN).task.status.value
    done = answer(engine, BOB).task
    assert ("completed", {"choice": "a"}, 2, clock.now()) == (
        done.status.value,
        done.response,
        done.answers_accepted,
        done.completed_at,
    )
    assert done == stored(engine, task)


def test_the_same_answer_again_is_the_same_success(engine):
    create(engine)
    held = claim(engine, ANN)
    first, again = (engine.submit(held, ANN, {"choice": "a"}) for _ in range(2))
    assert first.assignment == again.assignment
    with pytest.raises(AlreadySubmitted):
        engine.submit(held, ANN, {"choice": "b"})


def test_a_wrong_answer_leaves_the_lease(engine):
    task = create(engine)
    held = claim(engine, ANN)
    for wrong in ({"choice": "z"}, {}, {"choice": "a", "more": 1}):
        with pytest.raises(InvalidInput):
            engine.submit(held, ANN, wrong)
    with pytest.raises(NotFound):
        engine.submit(held, BOB, {"choice": "a"})
    assert [held] == ids(engine.assignments(ANN))
    assert ["task_created", "task_assigned"] == history(engine, task)


class Strict:
    """A plugin that does not accept the option b."""

    @hookimpl
    def before_response_accept(self, ctx, task, response):
        if response["choice"] == "b":
            raise Rejected("not b")


def test_a_veto_is_noted_and_the_lease_goes_on(open_engine):
    engine = open_engine(Strict())
    task = create(engine)
    held = claim(engine, ANN)
    with pytest.raises(Rejected):
        engine.submit(held, ANN, {"choice": "b"})
    assert "response_rejected" == history(engine, task)[-1]
    assert "completed" == engine.submit(held, ANN, {"choice": "a"}).task.status.value


def test_answers_that_disagree_ask_one_more_worker_up_to_a_limit(open_engine):
    engine = open_engine(policy=policy(max_answers=3))
    task = create(engine, task_type="unanimous", overlap=2)
    states = [answer(engine, worker, choice).task.status.value for worker, choice in ((ANN, "a"), (BOB, "b"))]
    assert ["in_progress", "in_progress"] == states
    assert 3 == stored(engine, task).answers_wanted
    assert "error" == answer(engine, CID, "c").task.status.value


class Judge:
    """A plugin that decides by itself."""

    @hookimpl
    def resolve_task(self, ctx, task, responses):
        return Verdict(response={"choice": "c"}, confidence=0.123456789012345)


def test_a_plugin_decides(open_engine):
    engine = open_engine(Judge())
    create(engine)
    done = answer(engine, ANN).task
    assert ({"choice": "c"}, 0.123456789012345) == (done.response, stored(engine, done).confidence)


def test_the_public_helper_answers_a_task(engine):
    task = create(engine, overlap=2)
    assert {"choice": OPTIONS[1]} == complete(engine, task, {"choice": OPTIONS[1]}, {"choice": OPTIONS[1]}).response
    with pytest.raises(WrongState):
        complete(engine, task, {"choice": OPTIONS[1]})
