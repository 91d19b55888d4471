from __future__ import annotations

from datetime import timedelta
from typing import ClassVar

import pytest

from support.engines import ACCOUNT, ANN, BOB, CID, OPTIONS, Watcher, answer, claim, create, history, policy, stored
from support.task_types import Pick
from workersai_core import (
    AssignmentState,
    Engine,
    InvalidInput,
    LeaseLost,
    NotFound,
    PluginFailed,
    TaskStatus,
    TooManyAssignments,
    UnknownTaskType,
    Worker,
)
from workersai_core.api import Issue, Json, Rejected, hookimpl
from workersai_core.store import assignment_rows, queue_rows

SKILLED = Worker(id="dora", skills=frozenset({"unanimous"}))


def claimed_ids(engine, worker, count):
    """Return the tasks a worker gets one after the other, each released at once."""
    found = []
    for _ in range(count):
        claimed = engine.claim(worker)
        found.append(None if claimed is None else claimed.task.external_id)
        if claimed is not None:
            engine.skip(claimed.assignment.id, worker)
    return found


# --- what a claim gives ----------------------------------------------------------------------------


def test_without_tasks_there_is_nothing_to_claim(engine):
    assert engine.claim(ANN) is None


def test_a_claim_holds_all_that_a_worker_needs(engine, clock):
    task = create(engine, instruction="Pick **one**")
    claimed = engine.claim(ANN)
    assert (task.external_id, "Pick **one**", {"options": OPTIONS}) == (
        claimed.task.external_id,
        claimed.task.instruction,
        claimed.task.params,
    )
    assert Pick.response_schema == claimed.response_schema
    assert (task.external_id, "ann", 1) == (
        claimed.assignment.task_id,
        claimed.assignment.worker_id,
        claimed.assignment.slot,
    )
    assert (AssignmentState.CLAIMED, clock.now()) == (claimed.assignment.state, claimed.assignment.claimed_at)
    assert clock.now() + timedelta(seconds=900) == claimed.assignment.lease_expires_at
    assert (None, None, None) == (
        claimed.assignment.finished_at,
        claimed.assignment.reason,
        claimed.assignment.response,
    )
    assert TaskStatus.IN_PROGRESS is claimed.task.status
    assert claimed.task == stored(engine, task)
    assert [claimed] == engine.assignments(ANN)


def test_a_claim_is_an_event_with_its_assignment(open_engine):
    engine = open_engine(watcher := Watcher())
    task = create(engine, overlap=2)
    assignments = [claim(engine, ANN), claim(engine, BOB)]
    told = [event for event in watcher.seen if event.name == "task_assigned"]
    assert [("worker:ann", assignments[0], 1), ("worker:bob", assignments[1], 2)] == [
        (event.actor, event.data["assignment_id"], event.data["slot"]) for event in told
    ]
    assert ["task_created", "task_assigned", "task_assigned"] == history(engine, task)


# --- which task --------------------------------------------------------------------------------------


def test_the_order_is_priority_then_deadline_then_age(engine, clock):
    soon, later = (clock.now() + timedelta(hours=hours) for hours in (1, 2))
    old = create(engine)
    create_time = clock.advance(1)
    young = create(engine)
    due_later = create(engine, deadline_at=later)
    due_soon = create(engine, deadline_at=soon)
    low = create(engine, priority=49, deadline_at=soon)
    urgent = create(engine, priority=51)
    assert create_time == young.created_at
    expected = [task.external_id for task in (urgent, due_soon, due_later, old, young, low)]
    assert [*expected, None] == claimed_ids(engine, ANN, 7)


def test_the_order_holds_across_types(engine):
    first = create(engine, task_type="unanimous", priority=60)
    second = create(engine, task_type="pick", priority=55)
    third = create(engine, task_type="unanimous", priority=50)
    assert [first.external_id, second.external_id, third.external_id] == claimed_ids(engine, ANN, 3)


def test_skills_limit_what_a_worker_gets_and_none_mean_all(engine):
    picked, other = create(engine), create(engine, task_type="unanimous")
    assert other.external_id == engine.claim(SKILLED).task.external_id
    assert engine.claim(SKILLED) is None
    assert picked.external_id == engine.claim(ANN).task.external_id


def test_a_worker_may_ask_for_certain_types_also_by_alias(engine):
    create(engine, task_type="unanimous", priority=99)
    task = create(engine)
    assert task.external_id == engine.claim(ANN, task_types=["choose"]).task.external_id
    assert engine.claim(ANN, task_types=["pick"]) is None
    assert engine.claim(ANN, task_types=[]) is None
    with pytest.raises(UnknownTaskType):
        engine.claim(ANN, task_types=["nothing"])


def test_asking_for_a_type_beyond_the_skills_gives_nothing(engine):
    create(engine)
    assert engine.claim(SKILLED, task_types=["pick"]) is None


def test_test_tasks_are_never_given_to_workers(engine):
    create(engine, mode="test", metadata={"mock": {"outcome": "never"}})
    assert engine.claim(ANN) is None


def test_a_task_whose_deadline_has_come_is_not_given_out_any_more(engine, clock):
    create(engine, deadline_at=clock.now() + timedelta(seconds=10))
    clock.advance(10)
    assert engine.claim(ANN) is None


def test_a_task_whose_type_is_gone_waits_and_is_given_out_when_the_type_is_back(open_engine, tmp_path):
    address = f"sqlite:///{tmp_path / 'labels.db'}"
    with open_engine(database=address) as before:
        task = create(before)
    with Engine.open(address, entry_points="none") as without:
        assert stored(without, task) == task
        assert without.claim(ANN) is None
    with open_engine(database=address) as after:
        assert task.external_id == after.claim(ANN).task.external_id


def test_work_in_hand_whose_type_is_gone_is_kept_but_not_shown(open_engine, tmp_path):
    address = f"sqlite:///{tmp_path / 'labels.db'}"
    with open_engine(database=address) as before:
        create(before)
        held = before.claim(ANN)
    with Engine.open(address, entry_points="none") as without:
        assert [] == without.assignments(ANN)
    with open_engine(database=address) as after:
        assert [held] == after.assignments(ANN)


# --- overlap ---------------------------------------------------------------------------------------


def test_as_many_different_workers_get_a_task_as_it_wants_answers(engine):
    task = create(engine, overlap=2)
    assert (1, 2) == (engine.claim(ANN).assignment.slot, engine.claim(BOB).assignment.slot)
    assert engine.claim(CID) is None
    assert TaskStatus.IN_PROGRESS is stored(engine, task).status


def test_a_worker_never_holds_or_answers_a_task_twice(engine):
    create(engine, overlap=3)
    held = claim(engine, ANN)
    assert engine.claim(ANN) is None
    engine.submit(held, ANN, {"choice": "a"})
    assert engine.claim(ANN) is None


def test_a_slot_that_was_given_back_is_given_to_the_next(engine):
    create(engine, overlap=3)
    claim(engine, ANN)
    held = claim(engine, BOB)
    claim(engine, CID)
    engine.release(held, BOB)
    assert 2 == engine.claim(Worker(id="dora")).assignment.slot


# --- limits ------------------------------------------------------------------------------------------


def test_a_worker_holds_as_many_as_the_policy_allows(open_engine):
    engine = open_engine(policy=policy(max_live_assignments=2))
    for _ in range(4):
        create(engine)
    held = [claim(engine, ANN), claim(engine, ANN)]
    with pytest.raises(TooManyAssignments, match="You hold 2 assignments"):
        engine.claim(ANN)
    assert claim(engine, BOB)
    engine.submit(held[0], ANN, {"choice": "a"})
    assert claim(engine, ANN)


def test_a_lease_that_ran_out_does_not_count_as_held(open_engine, clock):
    engine = open_engine(policy=policy(max_live_assignments=1))
    create(engine)
    create(engine)
    claim(engine, ANN)
    clock.advance(900)
    assert claim(engine, ANN)
    assert 1 == len(engine.assignments(ANN))


@pytest.mark.parametrize("lease_s", [29, 3601, 0, -1, True, "60", float("nan"), 10**30])
def test_a_lease_outside_the_limits_is_refused(engine, lease_s):
    create(engine)
    with pytest.raises(InvalidInput, match="A lease lasts 30 to 3600 seconds") as caught:
        engine.claim(ANN, lease_s=lease_s)
    assert ["/lease_s"] == [issue.pointer for issue in caught.value.issues]
    held = claim(engine, ANN)
    with pytest.raises(InvalidInput, match="A lease lasts 30 to 3600 seconds"):
        engine.renew(held, ANN, lease_s=lease_s)


@pytest.mark.parametrize("lease_s", [30, 45.5, 3600])
def test_a_lease_within_the_limits_lasts_as_long(engine, clock, lease_s):
    create(engine)
    claimed = engine.claim(ANN, lease_s=lease_s)
    assert clock.now() + timedelta(seconds=lease_s) == claimed.assignment.lease_expires_at


# --- renewing ----------------------------------------------------------------------------------------


def test_renewing_extends_a_lease_from_now_on(engine, clock):
    create(engine)
    held = claim(engine, ANN)
    clock.advance(899)
    assert clock.now() + timedelta(seconds=60) == engine.renew(held, ANN, lease_s=60).lease_expires_at
    clock.advance(59)
    assert clock.now() + timedelta(seconds=900) == engine.renew(held, ANN).lease_expires_at
    [found] = engine.assignments(ANN)
    assert clock.now() + timedelta(seconds=900) == found.assignment.lease_expires_at


def test_a_lease_that_ran_out_cannot_be_renewed(engine, clock):
    create(engine)
    held = claim(engine, ANN)
    clock.advance(900)
    with pytest.raises(LeaseLost, match="run out"):
        engine.renew(held, ANN)


# --- giving up ---------------------------------------------------------------------------------------


def test_a_skipped_task_goes_to_others_and_never_again_to_the_worker(engine):
    task = create(engine)
    skipped = engine.skip(claim(engine, ANN), ANN, reason="too dark")
    assert (AssignmentState.SKIPPED, "too dark") == (skipped.state, skipped.reason)
    assert engine.claim(ANN) is None
    assert task.external_id == engine.claim(BOB).task.external_id
    assert ["task_created", "task_assigned", "assignment_skipped", "task_assigned"] == history(engine, task)
    event = engine.task_events(task.external_id, account=ACCOUNT)[2]
    assert ("too dark", "ann") == (event.data["reason"], event.data["worker_id"])


def test_a_released_task_may_come_back_to_the_worker(engine, clock):
    task = create(engine)
    released = engine.release(claim(engine, ANN), ANN)
    assert (AssignmentState.RELEASED, clock.now(), None) == (released.state, released.finished_at, released.reason)
    assert task.external_id == engine.claim(ANN).task.external_id
    assert ["task_created", "task_assigned", "assignment_released", "task_assigned"] == history(engine, task)


@pytest.mark.parametrize("reason", ["r" * 1001, 5, "\x00", "\ud800"])
def test_a_reason_is_a_short_text(engine, reason):
    create(engine)
    held = claim(engine, ANN)
    with pytest.raises(InvalidInput) as caught:
        engine.skip(held, ANN, reason=reason)
    assert ["/reason"] == [issue.pointer for issue in caught.value.issues]
    assert AssignmentState.SKIPPED is engine.skip(held, ANN, reason="r" * 1000).state


@pytest.mark.parametrize("act", ["skip", "release", "renew"])
def test_what_has_ended_cannot_be_given_up_or_renewed(engine, act):
    create(engine)
    held = claim(engine, ANN)
    engine.skip(held, ANN)
    with pytest.raises(LeaseLost, match="This assignment is skipped; claim again"):
        getattr(engine, act)(held, ANN)


@pytest.mark.parametrize("act", ["skip", "release", "renew"])
def test_another_workers_assignment_is_not_there(engine, act):
    create(engine)
    held = claim(engine, ANN)
    for worker, assignment in ((BOB, held), (ANN, "no-such-id")):
        with pytest.raises(NotFound, match="no assignment with this id"):
            getattr(engine, act)(assignment, worker)
    assert held == engine.renew(held.upper(), ANN).id, "an id is found in any case"


# --- running out -------------------------------------------------------------------------------------


def test_a_lease_that_ran_out_opens_its_slot_at_the_next_claim(open_engine, clock):
    engine = open_engine(watcher := Watcher())
    task = create(engine)
    held = claim(engine, ANN)
    clock.advance(899.999)
    assert engine.claim(BOB) is None
    clock.advance(0.001)
    assert task.external_id == engine.claim(BOB).task.external_id
    told = [event for event in watcher.seen if event.name == "assignment_expired"]
    assert [("system", held, "ann")] == [
        (event.actor, event.data["assignment_id"], event.data["worker_id"]) for event in told
    ]


def test_a_worker_whose_lease_ran_out_may_claim_the_task_again(engine, clock):
    task = create(engine)
    claim(engine, ANN)
    clock.advance(900)
    assert task.external_id == engine.claim(ANN).task.external_id


def test_ticking_ends_leases_that_ran_out_however_many_there_are(open_engine, clock):
    engine = open_engine(policy=policy(max_live_assignments=300))
    for _ in range(250):
        create(engine)
    for _ in range(250):
        claim(engine, ANN)
    assert 0 == engine.tick()
    clock.advance(900)
    assert 250 == engine.tick()
    assert 0 == engine.tick()
    assert [] == engine.assignments(ANN)


# --- plugins -----------------------------------------------------------------------------------------


class Choosy:
    """Keeps tasks with the instruction "no" from everybody, and gives the last of the rest."""

    @hookimpl
    def before_assign(self, ctx, task, worker):
        if task.instruction == "no":
            raise Rejected("no")

    @hookimpl
    def pick_assignment(self, ctx, worker, candidates):
        return candidates[-1]


def test_plugins_may_keep_tasks_back_and_choose_among_the_rest(open_engine):
    engine = open_engine(Choosy())
    create(engine)
    wanted = create(engine)
    create(engine, instruction="no")
    assert wanted.external_id == engine.claim(ANN).task.external_id


def test_when_plugins_keep_everything_back_there_is_nothing(open_engine):
    engine = open_engine(Choosy())
    create(engine, instruction="no")
    assert engine.claim(ANN) is None


def test_a_plugin_that_does_not_choose_leaves_the_order(open_engine):
    class Undecided:
        @hookimpl
        def pick_assignment(self, ctx, worker, candidates):
            assert "worker:ann" == ctx.actor

    engine = open_engine(Undecided())
    first = create(engine)
    create(engine)
    assert first.external_id == engine.claim(ANN).task.external_id


# --- the end of a task -------------------------------------------------------------------------------


def test_when_a_task_ends_the_leases_on_it_end(engine):
    task = create(engine, overlap=2)
    held = claim(engine, ANN)
    engine.cancel_task(task.external_id, account=ACCOUNT)
    with pytest.raises(LeaseLost, match="This assignment is released"):
        engine.submit(held, ANN, {"choice": "a"})
    assert [] == engine.assignments(ANN)


def test_a_completed_task_is_not_claimed_any_more(engine):
    create(engine)
    answer(engine, ANN)
    assert engine.claim(BOB) is None


def test_what_a_worker_holds_is_listed_oldest_first(engine, clock):
    for _ in range(3):
        create(engine)
        clock.advance(1)
    held = []
    for _ in range(3):
        held.append(engine.claim(ANN))
        clock.advance(1)
    assert held == engine.assignments(ANN)
    engine.release(held[1].assignment.id, ANN)
    assert [held[0], held[2]] == engine.assignments(ANN)


# --- types that change or fail -------------------------------------------------------------------------


class Brittle(Pick):
    """Picks, but cannot show tasks that have the option "poison"."""

    name = "brittle"
    aliases = ()

    def response_schema_for(self, params):
        if "poison" in params["options"]:
            raise ZeroDivisionError
        return self.response_schema


class PickTwo(Pick):
    """The next version of `pick`: options have become objects in a new place."""

    name = "pick"
    version = 2
    params_schema: ClassVar[Json] = {
        "type": "object",
        "additionalProperties": False,
        "required": ["choices"],
        "properties": {"choices": Pick.params_schema["properties"]["options"]},
    }
    examples = (({"choices": ["a", "b"]}, {"choice": "a"}),)

    def check_response(self, params, response):
        if response["choice"] not in params["choices"]:
            yield Issue("/choice", "Not one of the choices.", "not_in_list")

    def mock_response(self, params, rng):
        return {"choice": params["choices"][0]}

    def upgrade_params(self, params, from_version):
        assert 1 == from_version
        if "poison" in params["options"]:
            raise ZeroDivisionError
        return {"choices": params["options"]}


def plugin_with(*types):
    class Plugin:
        @hookimpl
        def register_task_types(self):
            return types

    return Plugin()


def test_a_task_that_its_type_cannot_show_is_passed_over(open_engine):
    engine = open_engine(plugin_with(Brittle()))
    poisoned = create(engine, task_type="brittle", params={"options": ["poison"]}, priority=99)
    good = create(engine, task_type="brittle")
    assert good.external_id == engine.claim(ANN).task.external_id
    assert engine.claim(ANN) is None
    assert ["task_created"] == history(engine, poisoned)
    assert TaskStatus.PENDING is stored(engine, poisoned).status
    assert [] == engine.check()


def test_when_too_many_in_a_row_cannot_be_shown_the_failure_comes_back(open_engine):
    engine = open_engine(plugin_with(Brittle()))
    for _ in range(11):
        create(engine, task_type="brittle", params={"options": ["poison"]})
    with pytest.raises(PluginFailed):
        engine.claim(ANN)


def test_a_task_of_an_older_version_is_shown_and_answered_in_the_present_one(open_engine, tmp_path):
    address = f"sqlite:///{tmp_path / 'labels.db'}"
    with open_engine(database=address) as before:
        task = create(before, overlap=2)
        poisoned = create(before, params={"options": ["poison"]})
        held = [claim(before, ANN), claim(before, ANN)]
        tested = create(before, mode="test")
    with Engine.open(address, plugins=[plugin_with(PickTwo())], entry_points="none", clock=before.clock) as after:
        assert task.params == stored(after, task).params, "what is stored does not change"
        [shown] = after.assignments(ANN)
        assert ({"choices": OPTIONS}, 2) == (shown.task.params, shown.task.task_type_version)
        claimed = after.claim(BOB)
        assert {"choices": OPTIONS} == claimed.task.params
        with pytest.raises(InvalidInput, match="Not one of the choices"):
            after.submit(held[0], ANN, {"choice": "z"})
        after.submit(held[0], ANN, {"choice": "a"})
        assert TaskStatus.COMPLETED is after.submit(claimed.assignment.id, BOB, {"choice": "a"}).task.status
        with pytest.raises(PluginFailed):
            after.submit(held[1], ANN, {"choice": "a"})
        after.tick()
        assert ({"choice": "a"}, 1) == (stored(after, tested).response, stored(after, tested).task_type_version)
        assert TaskStatus.IN_PROGRESS is stored(after, poisoned).status
        assert [] == after.check()


def test_a_worker_sees_its_own_assignments_whatever_became_of_them(engine):
    create(engine)
    held = claim(engine, ANN)
    assert AssignmentState.CLAIMED is engine.assignment(held, ANN).state
    engine.skip(held, ANN)
    assert AssignmentState.SKIPPED is engine.assignment(held.upper(), ANN).state
    with pytest.raises(NotFound):
        engine.assignment(held, BOB)


# --- what other processes do meanwhile, played out in one ------------------------------------------------


def test_when_others_take_the_chosen_task_the_next_is_taken(open_engine, monkeypatch):
    engine = open_engine(Choosy())
    first, last = create(engine), create(engine)
    take, lost = queue_rows.take_slot, []

    def take_slot(session, task_id):
        if task_id == last.external_id:
            lost.append(task_id)
            return False
        return take(session, task_id)

    monkeypatch.setattr(queue_rows, "take_slot", take_slot)
    assert first.external_id == engine.claim(ANN).task.external_id
    assert [last.external_id] == lost


def test_when_others_take_all_that_was_found_it_is_looked_for_again(open_engine, monkeypatch):
    engine = open_engine(Choosy())
    task = create(engine)
    take, tries = queue_rows.take_slot, []

    def take_slot(session, task_id):
        tries.append(task_id)
        return len(tries) > 1 and take(session, task_id)

    monkeypatch.setattr(queue_rows, "take_slot", take_slot)
    assert task.external_id == engine.claim(ANN).task.external_id
    assert 2 == len(tries)


def test_a_lease_that_is_renewed_at_the_last_moment_is_not_ended(engine, clock, monkeypatch):
    create(engine)
    claim(engine, ANN)
    clock.advance(900)
    monkeypatch.setattr(assignment_rows, "expire", lambda *_: False)
    assert engine.claim(BOB) is None
    monkeypatch.undo()
    assert claim(engine, BOB)
