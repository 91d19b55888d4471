from __future__ import annotations

import logging
from datetime import timedelta

from support.outbox import Steps, World, answered, refused
from workersai_core.callbacks import dispatcher as dispatcher_module
from workersai_core.callbacks import outbox, rounds
from workersai_core.callbacks.dispatcher import Dispatcher
from workersai_core.callbacks.lanes import Lanes
from workersai_core.lifecycle import CallbackState

DAY_S = 86_400


def endpoint_of(world, account="acme"):
    [endpoint] = world.write(lambda tx: outbox.endpoints(tx, account))
    return endpoint


def claim(world, count=1):
    """Claim deliveries as another process would, and never settle them."""
    return world.write(
        lambda tx: rounds.claim(tx, Lanes(64).room().at_most(count), due_by_us=tx.now_us, look_until_us=tx.now_us)
    ).parcels


# --- in the caller's thread: what follows an attempt ----------------------------------------------


def test_a_2xx_is_a_delivery(world, dispatcher):
    task = world.complete()
    assert (1, 0) == (dispatcher.deliver_due(), dispatcher.deliver_due())
    assert CallbackState.DELIVERED is world.delivery(task).state


def test_what_is_sent_is_signed_and_has_a_deadline(world, dispatcher):
    task = world.complete()
    dispatcher.deliver_due()
    [request] = world.receivers.requests
    assert (world.delivery(task).id, 15.0) == (request.headers["webhook-id"], request.deadline_s)
    assert request.headers["webhook-signature"]


def test_a_failure_is_tried_again_when_the_schedule_says(world, dispatcher):
    task = world.complete()
    world.receivers.behaviour["good.test"] = lambda request: refused()
    attempts = [dispatcher.deliver_due()]
    for wait_s in (4.9, 0.1, 299, 1, 1799, 1, 10 * DAY_S):
        world.clock.advance(wait_s)
        attempts.append(dispatcher.deliver_due())
    assert [1, 0, 1, 0, 1, 0, 1, 0] == attempts
    assert (CallbackState.EXHAUSTED, 4, None) == (
        world.delivery(task).state,
        world.delivery(task).attempts_total,
        world.delivery(task).next_attempt_at,
    )


def test_the_receivers_wish_to_be_asked_later_reaches_the_schedule(world, dispatcher):
    world.complete()
    world.receivers.behaviour["good.test"] = lambda request: answered(503, retry_after_s=8.0)
    dispatcher.deliver_due()
    assert [(1, 8.0)] == world.retry.asked


def test_every_attempt_becomes_events(world, dispatcher):
    task = world.complete()
    world.receivers.behaviour["good.test"] = lambda request: answered(500)
    dispatcher.deliver_due()
    world.receivers.behaviour["good.test"] = lambda request: answered()
    world.clock.advance(5)
    dispatcher.deliver_due()
    events = [event for event in world.task_events(task) if event.name.startswith("callback")]
    delivery = world.delivery(task)
    assert [
        ("callback_attempted", 1, 500, "pending"),
        ("callback_attempted", 2, 200, "delivered"),
        ("callback_delivered", 2, None, None),
    ] == [(e.name, e.data["n"], e.data.get("status"), e.data.get("state")) for e in events]
    assert {(delivery.id, "completed", "acme", "live", "system")} == {
        (e.data["delivery"], e.data["event"], e.account_id, e.mode, e.actor) for e in events
    }


def test_the_end_of_the_schedule_is_an_event(tmp_path):
    world = World(tmp_path, retry=Steps())
    world.receivers.behaviour["good.test"] = lambda request: refused()
    task = world.complete()
    Dispatcher(world.write, world.parts, world.receivers).deliver_due()
    names = [event.name for event in world.task_events(task)]
    world.close()
    assert ["task_completed", "callback_attempted", "callback_exhausted"] == names


def test_gone_ends_the_delivery_and_disables_the_endpoint(world, dispatcher):
    task, held = world.complete(), world.complete()
    world.receivers.behaviour["good.test"] = lambda request: answered(410)
    assert (1, 0) == (dispatcher.deliver_due(), dispatcher.deliver_due())
    assert (CallbackState.EXHAUSTED, CallbackState.PENDING) == (world.delivery(task).state, world.delivery(held).state)
    endpoint = endpoint_of(world)
    assert (world.clock.now(), "The receiver answered 410 Gone.") == (endpoint.disabled_at, endpoint.reason)


def test_an_endpoint_that_only_failed_for_five_days_is_disabled(tmp_path):
    world = World(tmp_path, retry=Steps(*[DAY_S] * 9))
    world.receivers.behaviour["good.test"] = lambda request: refused()
    world.complete()
    deliver = Dispatcher(world.write, world.parts, world.receivers).deliver_due
    deliver()
    since = world.clock.now()
    disabled = []
    for _ in range(6):
        world.clock.advance(DAY_S)
        deliver()
        disabled.append(endpoint_of(world).disabled_at is not None)
    endpoint = endpoint_of(world)
    world.close()
    assert ([False, False, False, False, True, True], since) == (disabled, endpoint.failing_since)
    assert "Every attempt since 2026-01-02T03:04:05.000000Z failed; the last one: connection refused." == (
        endpoint.reason
    )


def test_the_reason_names_the_status_when_there_was_an_answer(tmp_path):
    world = World(tmp_path, disable_endpoint_after_s=0.0)
    world.receivers.behaviour["good.test"] = lambda request: answered(500)
    world.complete()
    Dispatcher(world.write, world.parts, world.receivers).deliver_due()
    reason = endpoint_of(world).reason
    world.close()
    assert reason.endswith("the last one: it answered 500.")


def test_one_success_ends_the_failing(world, dispatcher):
    world.receivers.behaviour["good.test"] = lambda request: refused()
    world.complete()
    dispatcher.deliver_due()
    assert world.clock.now() == endpoint_of(world).failing_since
    world.receivers.behaviour["good.test"] = lambda request: answered()
    world.clock.advance(5)
    dispatcher.deliver_due()
    assert endpoint_of(world).failing_since is None


def test_a_slow_answer_puts_the_endpoint_into_the_slow_lane_until_a_fast_one(world, dispatcher):
    slow = []
    for latency_ms in (2001, 2000):
        world.complete()
        world.receivers.behaviour["good.test"] = lambda request, ms=latency_ms: answered(latency_ms=ms)
        dispatcher.deliver_due()
        slow += world.rows("SELECT slow FROM wai_endpoint")[0]
    assert [1, 0] == slow


def test_whatever_the_transport_raises_is_a_failed_attempt(world, dispatcher, caplog):
    def broken(request):
        raise RuntimeError("a bug")

    world.receivers.behaviour["good.test"] = broken
    task = world.complete()
    with caplog.at_level(logging.ERROR, "workersai.callbacks"):
        dispatcher.deliver_due()
    [attempt] = world.delivery(task).attempts
    assert ("could not be sent: RuntimeError", CallbackState.PENDING) == (attempt.error, world.delivery(task).state)
    assert "a bug" in caplog.text


# --- in the caller's thread: which, and how many -----------------------------------------------------


def test_a_limit_holds(world, dispatcher):
    for _ in range(5):
        world.complete()
    assert [2, 2, 1, 0] == [dispatcher.deliver_due(2) for _ in range(4)]


def test_many_endpoints_are_served_in_one_call(world, dispatcher):
    for n in range(30):
        world.complete(url=f"http://host{n}.test/", account=f"account {n % 3}")
    assert (30, {"delivered": 30}) == (dispatcher.deliver_due(), world.states())


def test_a_call_ends_when_what_was_due_is_sent(world, dispatcher):
    """A receiver that causes another callback with each one does not keep the caller for ever."""

    def receive(request):
        world.clock.advance(1)
        world.complete()
        return answered()

    world.receivers.behaviour["good.test"] = receive
    world.complete()
    assert 1 == dispatcher.deliver_due()


def test_a_delivery_that_another_process_is_sending_is_left_alone(world, dispatcher):
    world.complete()
    assert 1 == len(claim(world))
    assert 0 == dispatcher.deliver_due()


def test_a_dead_process_delivery_is_due_again_when_its_lease_ends(world, dispatcher):
    task = world.complete()
    claim(world)
    made = []
    for wait_s in (29.9, 0.1):
        world.clock.advance(wait_s)
        made.append(dispatcher.deliver_due())
    assert ([0, 1], 1) == (made, world.delivery(task).attempts_total)


def test_an_attempt_whose_lease_was_lost_leaves_no_trace(world, dispatcher):
    task = world.complete()

    def lose_the_lease(request):
        if len(world.receivers.requests) == 1:
            world.clock.advance(30)
            assert 1 == Dispatcher(world.write, world.parts, world.receivers).deliver_due()
        return answered()

    world.receivers.behaviour["good.test"] = lose_the_lease
    dispatcher.deliver_due()
    delivery = world.delivery(task)
    assert (CallbackState.DELIVERED, 1, 1) == (delivery.state, delivery.attempts_total, len(delivery.attempts))
    assert 1 == sum(event.name == "callback_attempted" for event in world.events)


def test_a_queued_delivery_is_not_sent_when_its_lease_ran_short_meanwhile(world, dispatcher):
    """Trap: the first of a batch takes so long that the rest would be sent under leases that have ended."""
    tasks = [world.complete() for _ in range(3)]
    dispatcher.deliver_due(1)  # from now on the endpoint is known, and several are claimed together

    def slowly(request):
        world.clock.advance(16)
        return answered()

    world.receivers.behaviour["good.test"] = slowly
    assert 1 == dispatcher.deliver_due()
    assert [1, 1, 0] == [world.delivery(task).attempts_total for task in tasks]
    given_back = world.delivery(tasks[2])
    assert (CallbackState.PENDING, world.clock.now()) == (given_back.state, given_back.next_attempt_at)


def test_the_check_of_the_lease_is_what_keeps_it_from_being_sent(world, dispatcher, monkeypatch):
    """The trap above must be able to catch: without the check two are sent."""
    for _ in range(3):
        world.complete()
    dispatcher.deliver_due(1)
    monkeypatch.setattr(dispatcher_module, "_is_too_late", lambda parcel, deadline_s, clock: False)
    world.receivers.behaviour["good.test"] = lambda request: world.clock.advance(16) and answered()
    assert 2 == dispatcher.deliver_due()


def test_a_failure_sends_the_rest_of_the_batch_one_by_one(world, dispatcher):
    for _ in range(6):
        world.complete()
    dispatcher.deliver_due(1)
    world.receivers.behaviour["good.test"] = lambda request: refused()
    world.clock.advance(1)
    assert 5 == dispatcher.deliver_due()
    assert [(1,)] == world.rows("SELECT count(*) FROM wai_attempt WHERE status = 200")
    assert {"delivered": 1, "pending": 5} == world.states()


def test_a_due_time_beyond_the_schedule_is_brought_back(world, dispatcher):
    """The clock ran a year ahead while an attempt failed, and was then set back."""
    world.receivers.behaviour["good.test"] = lambda request: refused()
    task = world.complete()
    world.clock.advance(365 * DAY_S)
    dispatcher.deliver_due()
    world.clock.advance(-365 * DAY_S)
    made = [dispatcher.deliver_due()]
    world.clock.advance(30)
    made.append(dispatcher.deliver_due())
    assert ([0, 1], 2) == (made, world.delivery(task).attempts_total)


def test_a_due_time_within_the_schedule_stays(world, dispatcher):
    world.receivers.behaviour["good.test"] = lambda request: refused()
    task = world.complete()
    for wait_s in (0, 5, 300):
        world.clock.advance(wait_s)
        dispatcher.deliver_due()
    due_at = world.delivery(task).next_attempt_at
    dispatcher.deliver_due()
    assert due_at == world.delivery(task).next_attempt_at == world.clock.now() + timedelta(seconds=1800)
