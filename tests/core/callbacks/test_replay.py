from __future__ import annotations

import json

import pytest

from support.outbox import answered, refused
from workersai_core.callbacks import outbox
from workersai_core.errors import InvalidInput, NotFound, WrongState
from workersai_core.lifecycle import CallbackState


def exhaust(world, deliver, **task):
    """Complete a task whose receiver refuses every attempt."""
    ended = world.complete(url="http://bad.test/hook", **task)
    world.receivers.behaviour["bad.test"] = lambda request: refused()
    for wait_s in (0, 5, 300, 1800):
        world.clock.advance(wait_s)
        deliver()
    return ended


# --- sending again -------------------------------------------------------------------------------


def test_a_replay_keeps_its_id_and_counts_on(world, deliver):
    task = exhaust(world, deliver)
    world.receivers.behaviour["bad.test"] = lambda request: answered()
    before = world.delivery(task)
    world.write(lambda tx: outbox.replay(tx, before.id.upper(), "acme", "live"))
    assert CallbackState.PENDING is world.delivery(task).state
    deliver()
    after = world.delivery(task)
    assert (before.id, 4, 5) == (after.id, before.attempts_total, after.attempts_total)
    assert ({before.id}, CallbackState.DELIVERED) == (
        {request.headers["webhook-id"] for request in world.receivers.requests},
        after.state,
    )


def test_a_replay_has_the_whole_schedule_before_it(world, deliver):
    task = exhaust(world, deliver)
    world.retry.asked.clear()
    world.replay(task)
    for wait_s in (0, 5, 300, 1800):
        world.clock.advance(wait_s)
        deliver()
    assert ([1, 2, 3, 4], 8) == ([made for made, _ in world.retry.asked], world.delivery(task).attempts_total)


def test_a_delivered_callback_can_be_replayed_too(world, deliver):
    task = world.complete()
    deliver()
    world.replay(task)
    assert (1, 2) == (deliver(), len(world.receivers.requests))


def test_replays_queue_behind_new_work(world, deliver):
    old = world.complete()
    deliver()
    world.replay(old)
    world.clock.advance(1)
    fresh = world.complete()
    world.receivers.requests.clear()
    deliver()
    sent = [json.loads(request.body)["external_id"] for request in world.receivers.requests]
    assert [fresh.external_id, old.external_id] == sent


def test_a_pending_callback_cannot_be_replayed(world):
    task = world.complete()
    with pytest.raises(WrongState, match=r"pending.*without a replay"):
        world.replay(task)


def test_a_skipped_callback_cannot_be_replayed(world):
    task = world.complete(url="http://example.com/callback")
    with pytest.raises(WrongState, match="reserved example address"):
        world.replay(task)


@pytest.mark.parametrize(("account", "mode"), [("zoo", "live"), ("acme", "test")])
def test_nobody_elses_callback_can_be_replayed(world, deliver, account, mode):
    task = world.complete()
    deliver()
    delivery = world.delivery(task)
    with pytest.raises(NotFound):
        world.write(lambda tx: outbox.replay(tx, delivery.id, account, mode))


def test_all_exhausted_callbacks_since_a_time_can_be_replayed(world, deliver):
    old = exhaust(world, deliver)
    since = world.clock.advance(60)
    exhaust(world, deliver)
    exhaust(world, deliver, account="zoo")
    exhaust(world, deliver, mode="test")
    queued = world.write(lambda tx: outbox.replay_since(tx, "acme", "live", since, CallbackState.EXHAUSTED))
    assert (1, {"pending": 1, "exhausted": 3}) == (queued, world.states())
    assert CallbackState.EXHAUSTED is world.delivery(old).state


@pytest.mark.parametrize("found", [True, False])
def test_a_replay_of_many_wakes_the_dispatcher_when_there_are_any(world, deliver, found):
    if found:
        world.complete()
        deliver()

    def replay(tx):
        outbox.replay_since(tx, "acme", "live", world.clock.now(), CallbackState.DELIVERED)
        return tx.work_due

    assert found == world.write(replay)


@pytest.mark.parametrize("state", [CallbackState.PENDING, CallbackState.SKIPPED])
def test_callbacks_that_are_not_finished_cannot_be_replayed_together(world, state):
    with pytest.raises(InvalidInput) as caught:
        world.write(lambda tx: outbox.replay_since(tx, "acme", "live", world.clock.now(), state))
    assert ["/state"] == [issue.pointer for issue in caught.value.issues]
