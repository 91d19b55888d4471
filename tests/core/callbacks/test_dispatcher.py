from __future__ import annotations

import threading

import attrs
import pytest

from support.outbox import PATIENCE_S, Gate, Steps, World, answered, refused
from workersai_core.callbacks import dispatcher as dispatcher_module
from workersai_core.callbacks import rounds
from workersai_core.callbacks.crew import Results
from workersai_core.callbacks.dispatcher import Dispatcher
from workersai_core.callbacks.lanes import Lanes
from workersai_core.clock import to_us
from workersai_core.errors import StoreUnavailable
from workersai_core.lifecycle import CallbackState
from workersai_core.store import outbox_rows


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch):
    monkeypatch.setattr(dispatcher_module, "_PAUSE_S", 0.001)
    monkeypatch.setattr(dispatcher_module, "_LONGEST_PAUSE_S", 0.01)


def claim(world, count=1):
    """Claim deliveries as another process would, and never settle them."""
    return world.write(
        lambda tx: rounds.claim(tx, Lanes(64).room().at_most(count), due_by_us=tx.now_us, look_until_us=tx.now_us)
    ).parcels


def waits_for(condition):
    """Poll a condition that no event announces, and return whether it came true."""
    for _ in range(int(PATIENCE_S / 0.002)):
        if condition():
            return True
        threading.Event().wait(0.002)
    return False


# --- by threads --------------------------------------------------------------------------------------


def test_what_waits_at_the_start_is_sent(world, dispatcher):
    for _ in range(50):
        world.complete()
    dispatcher.start()
    dispatcher.start()
    assert world.wait_for_events("callback_delivered", 50)
    assert ({"delivered": 50}, 50) == (world.states(), len(world.receivers.requests))


def test_a_wake_is_enough_to_send_new_work(world):
    dispatcher = Dispatcher(world.write, world.parts, world.receivers, poll_s=3600)
    dispatcher.start()
    assert waits_for(lambda: dispatcher.health().last_round_at is not None)
    for n in range(1, 4):
        world.complete()
        dispatcher.wake()
        assert world.receivers.wait_for(n)
    dispatcher.stop()
    assert {"delivered": 3} == world.states()


def test_work_of_another_process_is_found_without_a_wake(world):
    dispatcher = Dispatcher(world.write, world.parts, world.receivers, poll_s=0.01)
    dispatcher.start()
    assert waits_for(lambda: dispatcher.health().last_round_at is not None)
    world.complete()
    assert world.receivers.wait_for(1)
    dispatcher.stop()


def test_a_retry_is_made_when_it_is_due_without_a_poll(tmp_path):
    world = World(tmp_path, retry=Steps(0.05))
    dispatcher = Dispatcher(world.write, world.parts, world.receivers, poll_s=3600)
    world.receivers.behaviour["good.test"] = lambda request: refused()
    world.complete()
    dispatcher.start()
    assert world.wait_for_events("callback_attempted", 1)
    world.receivers.behaviour["good.test"] = lambda request: answered()
    world.clock.advance(0.05)
    assert world.wait_for_events("callback_delivered", 1)
    dispatcher.stop()
    world.close()


def test_a_healthy_endpoint_has_at_most_four_requests_at_once(world, dispatcher):
    world.complete()
    dispatcher.deliver_due()
    gate = world.receivers.behaviour["good.test"] = Gate()
    for _ in range(20):
        world.complete()
    dispatcher.start()
    assert gate.wait_for(4)
    gate.open.set()
    assert world.wait_for_events("callback_delivered", 21)
    assert 4 == gate.most_at_once


def test_a_new_endpoint_has_one_request_until_it_answered(world, dispatcher):
    gate = world.receivers.behaviour["good.test"] = Gate()
    for _ in range(20):
        world.complete()
    world.complete(url="http://other.test/")
    dispatcher.start()
    assert gate.wait_for(1)
    assert world.wait_for_events("callback_delivered", 1)  # the other endpoint's: rounds went on meanwhile
    assert 1 == gate.most_at_once
    gate.open.set()
    assert world.wait_for_events("callback_delivered", 21)


def test_dead_endpoints_do_not_delay_a_healthy_one(world):
    """Many black holes, each with a backlog, beside one endpoint that works."""
    dispatcher = Dispatcher(world.write, world.parts, world.receivers, senders=8)
    world.complete()
    dispatcher.deliver_due()
    hole = Gate(refused())
    for n in range(20):
        world.receivers.behaviour[f"hole{n}.test"] = hole
        for _ in range(3):
            world.complete(url=f"http://hole{n}.test/")
    dispatcher.start()
    assert hole.wait_for(6)
    for _ in range(40):
        world.complete()
    dispatcher.wake()
    assert world.wait_for_events("callback_delivered", 41)
    assert (6, 0) == (hole.most_at_once, sum(event.name == "callback_exhausted" for event in world.events))
    hole.open.set()
    dispatcher.stop()


def test_a_known_bad_crowd_takes_half_of_the_senders(world):
    hole = Gate(refused())
    hole.open.set()
    for n in range(20):
        world.receivers.behaviour[f"hole{n}.test"] = hole
        world.complete(url=f"http://hole{n}.test/")
    Dispatcher(world.write, world.parts, world.receivers).deliver_due()
    world.clock.advance(5)
    hole.open.clear()
    hole.most_at_once = 0
    dispatcher = Dispatcher(world.write, world.parts, world.receivers, senders=8)
    dispatcher.start()
    assert hole.wait_for(4)
    world.complete()
    dispatcher.wake()
    assert world.wait_for_events("callback_delivered", 1)
    assert 4 == hole.most_at_once
    hole.open.set()
    dispatcher.stop()


# --- when the database fails ---------------------------------------------------------------------------


def test_the_thread_survives_a_database_restart_and_keeps_its_results(world, dispatcher):
    """Trap: what was sent while the database was away is settled when it is back, and not sent again."""
    gate = world.receivers.behaviour["good.test"] = Gate()
    task = world.complete()
    dispatcher.start()
    assert gate.wait_for(1)
    world.broken = StoreUnavailable("the database restarts")
    gate.open.set()
    assert waits_for(lambda: not dispatcher.healthy())
    health = dispatcher.health()
    assert (True, "StoreUnavailable: the database restarts") == (health.alive, health.last_error)
    assert waits_for(lambda: len(dispatcher._unsettled) == 1)
    world.broken = None
    assert world.wait_for_events("callback_delivered", 1)
    assert waits_for(dispatcher.healthy)
    assert (1, 1) == (len(world.receivers.requests), world.delivery(task).attempts_total)


class Forgetful(Dispatcher):
    """A dispatcher with a bug: it drops its results when a round fails."""

    dropped = 0

    def _pause_after(self, error):
        self.dropped += len(self._unsettled)
        self._unsettled = Results()
        return super()._pause_after(error)


def test_results_that_were_dropped_would_be_sent_twice(world):
    """The trap above must be able to catch."""
    dispatcher = Forgetful(world.write, world.parts, world.receivers)
    gate = world.receivers.behaviour["good.test"] = Gate()
    world.complete()
    dispatcher.start()
    assert gate.wait_for(1)
    world.broken = StoreUnavailable("the database restarts")
    gate.open.set()
    assert waits_for(lambda: dispatcher.dropped == 1)
    world.broken = None
    assert waits_for(dispatcher.healthy)
    world.clock.advance(30)
    dispatcher.wake()
    assert world.wait_for_events("callback_delivered", 1)
    assert 2 == len(world.receivers.requests)
    dispatcher.stop()


def test_a_commit_of_unknown_outcome_is_settled_once(world, dispatcher):
    gate = world.receivers.behaviour["good.test"] = Gate()
    world.complete()
    dispatcher.start()
    assert gate.wait_for(1)
    world.broken_after = StoreUnavailable("the connection broke during the commit")
    world.lost_commits = 1
    gate.open.set()
    assert world.wait_for_events("callback_attempted", 1)
    assert waits_for(dispatcher.healthy)
    dispatcher.stop()
    names = [event.name for event in world.events if event.name.startswith("callback")]
    assert ["callback_attempted", "callback_delivered"] == names


def test_pauses_grow_up_to_a_limit(world, dispatcher, monkeypatch):
    monkeypatch.setattr(dispatcher_module, "_PAUSE_S", 0.1)
    monkeypatch.setattr(dispatcher_module, "_LONGEST_PAUSE_S", 5.0)
    pauses = [dispatcher._pause_after(StoreUnavailable("away")) for _ in range(40)]
    assert ([0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0], 5.0) == (pauses[:7], pauses[-1])


# --- stopping ------------------------------------------------------------------------------------------


def test_a_dispatcher_that_never_started_stops(world):
    dispatcher = Dispatcher(world.write, world.parts, world.receivers)
    dispatcher.stop()
    assert (False, False) == (dispatcher.health().alive, dispatcher.healthy())


def test_stopping_settles_what_is_on_its_way_and_gives_back_what_waits(world):
    dispatcher = Dispatcher(world.write, world.parts, world.receivers)
    world.complete()
    dispatcher.deliver_due()
    gate = world.receivers.behaviour["good.test"] = Gate()
    for _ in range(20):
        world.complete()
    dispatcher.start()
    assert gate.wait_for(4)
    stopping = threading.Thread(target=dispatcher.stop)
    stopping.start()
    assert waits_for(lambda: sum(dispatcher._crew.room().held.values()) == 4)  # nothing waits any more
    gate.open.set()
    stopping.join(PATIENCE_S)
    assert ({"delivered": 5, "pending": 16}, 5) == (world.states(), len(world.receivers.requests))
    assert [(16,)] == world.rows(
        f"SELECT count(*) FROM wai_delivery WHERE lease IS NULL AND due_at = {to_us(world.clock.now())}"
        " AND state = 'pending'"
    )
    assert 16 == Dispatcher(world.write, world.parts, world.receivers).deliver_due()


def test_stopping_at_once_leaves_attempts_to_their_leases(world, caplog):
    dispatcher = Dispatcher(world.write, world.parts, world.receivers)
    gate = world.receivers.behaviour["good.test"] = Gate()
    task = world.complete()
    dispatcher.start()
    assert gate.wait_for(1)
    dispatcher.stop(drain=False)
    gate.open.set()
    assert "1 callback attempts did not end in time" in caplog.text
    assert (CallbackState.PENDING, 0) == (world.delivery(task).state, world.delivery(task).attempts_total)
    world.clock.advance(30)
    assert 1 == Dispatcher(world.write, world.parts, world.receivers).deliver_due()


def test_results_that_cannot_be_stored_at_the_end_are_reported(world, caplog):
    dispatcher = Dispatcher(world.write, world.parts, world.receivers)
    gate = world.receivers.behaviour["good.test"] = Gate()
    world.complete()
    dispatcher.start()
    assert gate.wait_for(1)
    world.broken = StoreUnavailable("the disk is full")
    gate.open.set()
    dispatcher.stop()
    world.broken = None
    assert "1 callback results could not be stored" in caplog.text
    world.clock.advance(30)
    assert 1 == Dispatcher(world.write, world.parts, world.receivers).deliver_due()


def test_an_outage_that_ends_while_stopping_loses_nothing(world):
    dispatcher = Dispatcher(world.write, world.parts, world.receivers)
    gate = world.receivers.behaviour["good.test"] = Gate()
    world.complete()
    dispatcher.start()
    assert gate.wait_for(1)
    world.broken = StoreUnavailable("away")
    gate.open.set()
    assert waits_for(lambda: len(dispatcher._unsettled) == 1)
    dispatcher._pause_after, paused = _mending(world, dispatcher._pause_after)
    dispatcher.stop()
    assert ({"delivered": 1}, True) == (world.states(), paused())


def _mending(world, pause_after):
    """Return a `_pause_after` that ends the outage, and a way to ask whether it was called."""
    calls = []

    def mend(error):
        calls.append(error)
        world.broken = None
        return pause_after(error)

    return mend, lambda: bool(calls)


# --- several processes -----------------------------------------------------------------------------------


def test_two_dispatchers_send_each_delivery_once(world):
    for n in range(120):
        world.complete(url=f"http://host{n % 6}.test/")
    both = [Dispatcher(world.write, world.parts, world.receivers, poll_s=0.01) for _ in range(2)]
    for dispatcher in both:
        dispatcher.start()
    assert world.wait_for_events("callback_delivered", 120)
    for dispatcher in both:
        dispatcher.stop()
    assert ({"delivered": 120}, 120) == (world.states(), len(world.receivers.requests))


def test_giving_back_after_the_lease_was_lost_changes_nothing(world):
    world.complete()
    [parcel] = claim(world)
    world.clock.advance(30)
    [other] = claim(world)
    stale = attrs.evolve(parcel.sending)
    world.write(lambda tx: outbox_rows.release(tx.session, [stale], tx.now_us))
    assert [(other.sending.lease, other.sending.lease_until_us)] == world.rows("SELECT lease, due_at FROM wai_delivery")
