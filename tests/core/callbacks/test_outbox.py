from __future__ import annotations

import json
import logging
from datetime import timedelta

import pytest

from support.outbox import NoHooks, World, answered, refused
from workersai_core.callbacks import outbox
from workersai_core.callbacks.dispatcher import Dispatcher
from workersai_core.commands import finish
from workersai_core.errors import WrongState
from workersai_core.lifecycle import CallbackState
from workersai_core.store import endpoint_rows

CONTRACT = ["task_type", "external_id", "params", "response"]


class Payload(NoHooks):
    """Plugins that put something else into the body."""

    def __init__(self, change):
        self.change = change

    def has(self, name):
        return name == "before_callback_enqueue"

    def before_callback_enqueue(self, ctx, task, payload):
        assert ctx.mode == task.mode
        return self.change(payload)


def body_of(world, deliver):
    deliver()
    [request] = world.receivers.requests
    return request.body


# --- owing -------------------------------------------------------------------------------------


def test_the_body_holds_the_contracts_four_keys_first_and_then_the_rest(world, deliver):
    task = world.complete(metadata='{"k":[1.0, 2]}')
    body = json.loads(body_of(world, deliver))
    rest = ["metadata", "status", "is_test", "completed_at"]
    assert [*CONTRACT, *rest] == list(body)
    assert {
        "task_type": "pick",
        "external_id": task.external_id,
        "params": {"options": ["a", "ö"], "z": 1.0},
        "response": {"choice": "a"},
        "metadata": {"k": [1.0, 2]},
        "status": "completed",
        "is_test": False,
        "completed_at": "2026-01-02T03:04:05.000000Z",
    } == body


def test_stored_texts_go_into_the_body_as_they_are(world, deliver):
    world.complete()
    assert '"params":{"options": ["a", "ö"],"z":1.0},"response"'.encode() in body_of(world, deliver)


def test_a_body_does_not_change_with_the_task_type_after_the_commit(world, deliver):
    world.complete()
    world.rows('UPDATE wai_task SET response = \'{"choice":"b"}\' RETURNING id')
    assert {"choice": "a"} == json.loads(body_of(world, deliver))["response"]


def test_a_task_that_ends_knows_its_callback_is_pending(world):
    assert CallbackState.PENDING is world.complete().callback_state


def test_the_delivery_exists_exactly_if_the_change_does(world):
    task = world.task()

    def complete_and_fail(tx):
        finish.expire(tx, task)
        raise WrongState("no")

    with pytest.raises(WrongState):
        world.write(complete_and_fail)
    assert {} == world.states()


@pytest.mark.parametrize(
    ("end", "event"),
    [
        (lambda tx, task: finish.expire(tx, task), "expired"),
        (lambda tx, task: finish.fail(tx, task, "gone"), "error"),
        (lambda tx, task: finish.cancel(tx, task.external_id, task.account, task.mode, "requester"), "canceled"),
    ],
)
def test_other_ends_are_told_to_those_who_asked(world, end, event):
    task = world.task(events=[event])
    ended = world.write(lambda tx: end(tx, task))
    assert (event, CallbackState.PENDING) == (world.delivery(ended).event, ended.callback_state)


def test_an_end_nobody_asked_about_owes_nothing(world):
    task = world.task(events=["completed"])
    ended = world.write(lambda tx: finish.expire(tx, task))
    assert (None, {}) == (ended.callback_state, world.states())


def test_a_reserved_address_is_skipped_and_nothing_is_due(world, deliver):
    task = world.complete(url="http://example.com/callback")
    assert (CallbackState.SKIPPED, 0, []) == (task.callback_state, deliver(), world.receivers.requests)
    assert (CallbackState.SKIPPED, None) == (world.delivery(task).state, world.delivery(task).next_attempt_at)
    assert [] == world.write(lambda tx: outbox.endpoints(tx, "acme"))


@pytest.mark.parametrize(("url", "due"), [("http://good.test/", True), ("http://example.com/callback", False)])
def test_the_dispatcher_is_told_when_there_is_work(world, url, due):
    task = world.task(url=url, events=["expired"])
    assert due == world.write(lambda tx: (finish.expire(tx, task), tx.work_due)[1])


def test_accounts_do_not_share_an_endpoint(world):
    for account in ("acme", "acme", "zoo"):
        world.complete(account=account)
    ids = {e.id for a in ("acme", "zoo") for e in world.write(lambda tx, a=a: outbox.endpoints(tx, a))}
    assert 2 == len(ids)


# --- plugins -------------------------------------------------------------------------------------


def test_plugins_may_add_to_the_body(tmp_path):
    world = World(tmp_path, hooks=Payload(lambda payload: {**payload, "crm": 7}))
    body = json.loads(body_of_plugged(world))
    assert ([*CONTRACT, "metadata", "status", "is_test", "completed_at", "crm"], 7) == (list(body), body["crm"])


@pytest.mark.parametrize("change", [lambda payload: None, lambda payload: [1], lambda payload: {"x": object()}])
def test_a_payload_that_is_no_json_object_is_not_used(tmp_path, caplog, change):
    world = World(tmp_path, hooks=Payload(change))
    with caplog.at_level(logging.WARNING, "workersai.callbacks"):
        body = json.loads(body_of_plugged(world))
    assert (CONTRACT, 1) == (list(body)[:4], len(caplog.records))


def body_of_plugged(world):
    try:
        world.complete()
        return body_of(world, Dispatcher(world.write, world.parts, world.receivers).deliver_due)
    finally:
        world.close()


# --- test mode -----------------------------------------------------------------------------------

FAIL_FIRST_2 = '{"mock":{"callback":"fail_first_2"}}'


def test_a_test_task_may_ask_for_failures_which_are_recorded_a_second_apart(world, deliver):
    task = world.complete(mode="test", metadata=FAIL_FIRST_2)
    assert (1, 0) == (deliver(), len(world.receivers.requests))
    assert timedelta(seconds=1) == world.delivery(task).next_attempt_at - world.clock.now()
    for _ in range(2):
        world.clock.advance(1)
        deliver()
    delivery = world.delivery(task)
    assert ["simulated failure 1 of 2", "simulated failure 2 of 2", None] == [a.error for a in delivery.attempts]
    assert (CallbackState.DELIVERED, 1) == (delivery.state, len(world.receivers.requests))


def test_simulated_failures_leave_the_schedule_and_the_endpoint_alone(world, deliver):
    task = world.complete(mode="test", metadata=FAIL_FIRST_2)
    world.receivers.behaviour["good.test"] = lambda request: refused()
    for _ in range(3):
        deliver()
        world.clock.advance(1)
    assert [(1, None)] == world.retry.asked
    [endpoint] = world.write(lambda tx: outbox.endpoints(tx, "acme"))
    assert world.delivery(task).attempts[2].at == endpoint.failing_since


def test_a_replay_does_not_simulate_again(world, deliver):
    task = world.complete(mode="test", metadata=FAIL_FIRST_2)
    for _ in range(3):
        deliver()
        world.clock.advance(1)
    world.replay(task)
    deliver()
    assert (4, 2) == (world.delivery(task).attempts_total, len(world.receivers.requests))


def test_under_a_live_key_the_same_metadata_is_plain_data(world, deliver):
    world.complete(metadata=FAIL_FIRST_2)
    assert (1, 1) == (deliver(), len(world.receivers.requests))


# --- looking -------------------------------------------------------------------------------------


def test_callbacks_are_listed_by_state_the_last_one_first(world, deliver):
    first, second, third = (world.complete() for _ in range(3))
    world.complete(account="zoo")
    listed = world.write(lambda tx: outbox.of_state(tx, "acme", "live", CallbackState.PENDING, 2))
    assert [third.external_id, second.external_id] == [delivery.task_id for delivery in listed]
    deliver()
    listed = world.write(lambda tx: outbox.of_state(tx, "acme", "live", CallbackState.DELIVERED, 9))
    assert {first.external_id, second.external_id, third.external_id} == {delivery.task_id for delivery in listed}
    assert [] == world.write(lambda tx: outbox.of_state(tx, "acme", "test", CallbackState.DELIVERED, 9))


def test_a_tasks_callbacks_come_with_every_attempt(world, deliver):
    task = world.complete()
    world.receivers.behaviour["good.test"] = lambda request: answered(503, answer="busy", latency_ms=70)
    deliver()
    [delivery] = world.write(lambda tx: outbox.of_task(tx, task))
    [attempt] = delivery.attempts
    assert (1, 503, 70, None, "busy", world.clock.now()) == (
        attempt.n,
        attempt.status,
        attempt.latency_ms,
        attempt.error,
        attempt.answer,
        attempt.at,
    )
    assert world.clock.now() + timedelta(seconds=5) == delivery.next_attempt_at


def test_endpoints_tell_how_much_waits(world, deliver):
    for url in ("http://a.test/1", "http://a.test/2", "https://a.test/", "http://b.test:81/"):
        world.complete(url=url)
    found = world.write(lambda tx: outbox.endpoints(tx, "acme"))
    assert [2, 1, 1] == [endpoint.pending for endpoint in sorted(found, key=lambda e: -e.pending)]
    deliver()
    assert [0, 0, 0] == [endpoint.pending for endpoint in world.write(lambda tx: outbox.endpoints(tx, "acme"))]


def test_the_oldest_due_delivery_tells_the_lag(world, deliver):
    def oldest():
        return world.write(lambda tx: endpoint_rows.oldest_due(tx.session, tx.now_us))

    assert oldest() is None
    world.complete()
    completed_at = world.clock.now()
    world.clock.advance(9)
    world.complete()
    assert completed_at == oldest()
    deliver()
    assert oldest() is None


def test_what_a_disabled_endpoint_holds_back_is_no_lag(world, deliver):
    world.receivers.behaviour["good.test"] = lambda request: answered(410)
    for _ in range(2):
        world.complete()
    deliver()
    world.clock.advance(60)
    assert ({"exhausted": 1, "pending": 1}, None) == (
        world.states(),
        world.write(lambda tx: endpoint_rows.oldest_due(tx.session, tx.now_us)),
    )
