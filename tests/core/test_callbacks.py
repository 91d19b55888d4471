"""The commands about callbacks; how they are sent is tested in `callbacks/`."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from support.engines import ACCOUNT, ANN, HOOK, answer, create
from workersai_core import CallbackState, InvalidInput, NotFound, WrongState
from workersai_core.testing import CapturingTransport


class Answers:
    """What the receiver answers."""

    says = 200

    def __call__(self, request):
        return self.says


@pytest.fixture
def receiver():
    return Answers()


@pytest.fixture
def engine(open_engine, receiver):
    engine = open_engine(transport=CapturingTransport(receiver))
    yield engine
    assert [] == engine.check()


def done(engine, **given):
    """Return a completed task whose callback was tried once."""
    task = create(engine, **given)
    answer(engine, ANN)
    engine.deliver()
    return task


def the_delivery(engine, task):
    [found] = engine.callbacks(task.external_id, account=ACCOUNT)
    return found


def test_a_delivery_shows_where_it_stands_and_every_attempt(engine, receiver, clock):
    receiver.says = 503
    task = done(engine)
    delivery = the_delivery(engine, task)
    assert (task.external_id, ACCOUNT, "live", "completed", HOOK) == (
        delivery.task_id,
        delivery.account,
        delivery.mode,
        delivery.event,
        delivery.url,
    )
    assert (CallbackState.PENDING, 1) == (delivery.state, delivery.attempts_total)
    assert clock.now() < delivery.next_attempt_at
    assert [(1, clock.now(), 503)] == [(attempt.n, attempt.at, attempt.status) for attempt in delivery.attempts]
    assert [delivery.id] == [each.id for each in engine.list_callbacks(account=ACCOUNT, state="pending")]


def test_callbacks_are_their_accounts(engine):
    task = done(engine)
    with pytest.raises(NotFound):
        engine.callbacks(task.external_id, account="other")
    with pytest.raises(NotFound):
        engine.replay_callback(the_delivery(engine, task).id, account="other")
    assert [] == engine.list_callbacks(account="other", state="delivered")


@pytest.mark.parametrize(
    ("given", "pointer"),
    [({"state": "lost"}, "/state"), ({"limit": 0}, "/limit"), ({"limit": 501}, "/limit"), ({"limit": "9"}, "/limit")],
)
def test_a_wrong_list_of_callbacks_is_refused_with_its_place(engine, given, pointer):
    with pytest.raises(InvalidInput) as caught:
        engine.list_callbacks(account=ACCOUNT, **given)
    assert [pointer] == [issue.pointer for issue in caught.value.issues]


def test_a_callback_is_sent_again_under_the_same_id(engine):
    task = done(engine)
    delivery = the_delivery(engine, task)
    engine.replay_callback(delivery.id, account=ACCOUNT)
    with pytest.raises(WrongState, match="pending"):
        engine.replay_callback(delivery.id, account=ACCOUNT)
    engine.deliver()
    again = the_delivery(engine, task)
    assert (delivery.id, CallbackState.DELIVERED, 2) == (again.id, again.state, again.attempts_total)


def test_all_that_ended_in_a_state_since_a_time_is_sent_again(engine, clock):
    done(engine)
    clock.advance(60)
    since = clock.now()
    late = done(engine)
    assert 0 == engine.replay_callbacks(account=ACCOUNT, since=since)
    assert 1 == engine.replay_callbacks(account=ACCOUNT, since=since, state="delivered")
    assert CallbackState.PENDING is the_delivery(engine, late).state
    assert 1 == engine.replay_callbacks(account=ACCOUNT, since=since - timedelta(hours=1), state="delivered")


@pytest.mark.parametrize(
    ("given", "pointer"),
    [
        ({"state": "lost"}, "/state"),
        ({"state": "pending"}, "/state"),
        ({"since": datetime(2026, 1, 1)}, "/since"),  # noqa: DTZ001 - that is the mistake
    ],
)
def test_a_wrong_replay_is_refused_with_its_place(engine, clock, given, pointer):
    with pytest.raises(InvalidInput) as caught:
        engine.replay_callbacks(account=ACCOUNT, **{"since": clock.now(), **given})
    assert [pointer] == [issue.pointer for issue in caught.value.issues]


def test_an_endpoint_that_said_gone_is_disabled_until_it_is_enabled(engine, receiver):
    receiver.says = 410
    task = done(engine)
    [endpoint] = engine.endpoints(ACCOUNT)
    assert ("https://receiver.test:443", "The receiver answered 410 Gone.") == (endpoint.origin, endpoint.reason)
    assert endpoint.disabled_at is not None
    assert CallbackState.EXHAUSTED is the_delivery(engine, task).state

    receiver.says = 200
    held_back = done(engine)
    assert 1 == engine.endpoints(ACCOUNT)[0].pending
    with pytest.raises(NotFound):
        engine.enable_endpoint(endpoint.id, account="other")
    assert engine.enable_endpoint(endpoint.id, account=ACCOUNT).disabled_at is None
    assert 1 == engine.deliver()
    assert CallbackState.DELIVERED is the_delivery(engine, held_back).state


def test_the_newest_secret_signs_and_the_one_before_it_for_a_while(engine, clock):
    [first] = engine.webhook_secrets(ACCOUNT)
    assert [first] == engine.webhook_secrets(ACCOUNT)
    second = engine.roll_webhook_secret(ACCOUNT, overlap_s=60)
    assert [second.secret, first.secret] == [each.secret for each in engine.webhook_secrets(ACCOUNT)]
    clock.advance(60)
    assert [second] == engine.webhook_secrets(ACCOUNT)
    assert "whsec_" not in repr(second), "a secret is not shown by accident"
    with pytest.raises(InvalidInput, match="overlap_s"):
        engine.roll_webhook_secret(ACCOUNT, overlap_s=-1)
