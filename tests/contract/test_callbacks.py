"""What is owed to requesters, on both databases."""

from __future__ import annotations

from datetime import timedelta

import pytest

from support.engines import ACCOUNT, ANN, answer, create, history, policy
from workersai_core import InvalidInput, NotFound, RetryPolicy, WrongState
from workersai_core.callbacks.transport import Outcome
from workersai_core.testing import CapturingTransport

DAY_S = 86_400


def done(engine, **given):
    task = create(engine, **given)
    answer(engine, ANN)
    return task


def the_one(engine, task):
    [delivery] = engine.callbacks(task.external_id, account=task.account, mode=task.mode)
    return delivery


@pytest.fixture
def failing(open_engine):
    """An engine whose receivers answer what `answers` says last, with its engine."""
    answers = [500]
    transport = CapturingTransport(lambda request: answers[-1])
    engine = open_engine(transport=transport, policy=policy(retry=RetryPolicy(schedule_s=(0.0, 5.0), jitter=0.0)))
    return engine, answers, transport


def test_a_result_is_sent_once_signed_and_logged(engine, transport):
    task = done(engine)
    assert (1, 0) == (engine.deliver(), engine.deliver())
    [request] = transport.requests
    assert (task.external_id, {"choice": "a"}) == (request.json["external_id"], request.json["response"])
    delivery = the_one(engine, task)
    assert (delivery.id, "delivered", 1) == (
        request.headers["webhook-id"],
        delivery.state.value,
        delivery.attempts_total,
    )
    assert [(1, 200, None)] == [(a.n, a.status, a.error) for a in delivery.attempts]
    assert ["callback_attempted", "callback_delivered"] == history(engine, task)[-2:]


def test_a_failure_is_tried_again_until_the_schedule_ends(failing, clock):
    engine, _, transport = failing
    task = done(engine)
    assert (1, 0) == (engine.deliver(), engine.deliver())
    assert "pending" == the_one(engine, task).state.value
    assert clock.now() < the_one(engine, task).next_attempt_at <= clock.now() + timedelta(seconds=5)
    clock.advance(5)
    assert 1 == engine.deliver()
    assert ("exhausted", 2) == (the_one(engine, task).state.value, the_one(engine, task).attempts_total)
    assert 1 == len({request.headers["webhook-id"] for request in transport.requests})
    assert "callback_exhausted" == history(engine, task)[-1]


def test_what_is_exhausted_is_listed_and_replayed(failing, clock):
    engine, answers, _ = failing
    task = done(engine)
    engine.deliver()
    clock.advance(5)
    engine.deliver()
    [listed] = engine.list_callbacks(account=ACCOUNT)
    assert (task.external_id, []) == (listed.task_id, list(listed.attempts))
    answers.append(204)
    engine.replay_callback(listed.id, account=ACCOUNT)
    with pytest.raises(WrongState):
        engine.replay_callback(listed.id, account=ACCOUNT)
    assert 1 == engine.deliver()
    assert ("delivered", 3) == (the_one(engine, task).state.value, the_one(engine, task).attempts_total)
    assert 1 == engine.replay_callbacks(account=ACCOUNT, since=clock.now(), state="delivered")
    assert 1 == engine.deliver()
    with pytest.raises(NotFound):
        engine.replay_callback(listed.id, account="zoo")
    with pytest.raises(InvalidInput):
        engine.replay_callbacks(account=ACCOUNT, since=clock.now(), state="pending")


def test_new_callbacks_go_before_replays(open_engine):
    transport = CapturingTransport()
    engine = open_engine(transport=transport)
    old = done(engine)
    engine.deliver()
    engine.replay_callback(the_one(engine, old).id, account=ACCOUNT)
    new = done(engine)
    engine.deliver()
    assert [old, new, old] == [
        next(task for task in (old, new) if task.external_id == request.json["external_id"])
        for request in transport.requests
    ]


def test_gone_disables_the_endpoint_and_keeps_what_is_owed(failing):
    engine, answers, _ = failing
    answers.append(410)
    first, second = done(engine), done(engine)
    assert 1 == engine.deliver()
    assert ["exhausted", "pending"] == [the_one(engine, task).state.value for task in (first, second)]
    [endpoint] = engine.endpoints(ACCOUNT)
    assert ("The receiver answered 410 Gone.", 1) == (endpoint.reason, endpoint.pending)
    answers.append(200)
    assert 0 == engine.deliver()
    enabled = engine.enable_endpoint(endpoint.id, account=ACCOUNT)
    assert (None, None) == (enabled.disabled_at, enabled.reason)
    assert 1 == engine.deliver()
    with pytest.raises(NotFound):
        engine.enable_endpoint(endpoint.id, account="zoo")


def test_an_endpoint_that_only_failed_for_days_is_disabled(failing, clock):
    engine, _, _ = failing
    done(engine)
    engine.deliver()
    failing_since = clock.now()
    clock.advance(6 * DAY_S)
    done(engine)
    engine.deliver()
    [endpoint] = engine.endpoints(ACCOUNT)
    assert (failing_since, clock.now()) == (endpoint.failing_since, endpoint.disabled_at)


def test_an_answer_may_hold_anything_but_is_text(open_engine):
    said = "".join(map(chr, range(1, 300))) + "😀 100 %s"
    transport = CapturingTransport(lambda request: Outcome(status=200, latency_ms=3, answer=said))
    engine = open_engine(transport=transport)
    task = done(engine)
    engine.deliver()
    assert said == the_one(engine, task).attempts[0].answer


def test_each_endpoint_gets_its_turn(engine, transport):
    for _ in range(3):
        for host in ("one", "two"):
            done(engine, callback_url=f"https://{host}.test/hook")
    assert 6 == engine.deliver()
    assert 2 == len({request.url for request in transport.requests[:2]})
    assert 2 == len(engine.endpoints(ACCOUNT))


def test_reserved_addresses_are_never_called(engine, transport):
    task = done(engine, callback_url=None)
    assert ("skipped", 0, []) == (the_one(engine, task).state.value, engine.deliver(), transport.requests)
    with pytest.raises(WrongState):
        engine.replay_callback(the_one(engine, task).id, account=ACCOUNT)


def test_the_mock_may_ask_for_failures(engine, transport, clock):
    task = create(engine, mode="test", metadata={"mock": {"callback": "fail_first_2"}})
    engine.tick()
    for _ in range(3):
        engine.deliver()
        clock.advance(1)
    assert [None, None, 200] == [attempt.status for attempt in the_one(engine, task).attempts]
    assert 1 == len(transport.requests)


def test_a_due_time_that_a_wrong_clock_left_is_brought_back(failing, clock):
    engine, _, transport = failing
    clock.advance(400 * DAY_S)
    done(engine)
    engine.deliver()
    clock.advance(-400 * DAY_S)
    assert 0 == engine.deliver()
    clock.advance(60)
    assert 1 == engine.deliver()
    assert 2 == len(transport.requests)


# --- secrets -----------------------------------------------------------------------------------


def test_the_first_secret_is_made_when_asked_for(engine):
    [secret] = engine.webhook_secrets(ACCOUNT)
    assert [secret] == engine.webhook_secrets(ACCOUNT)
    assert secret != engine.webhook_secrets("zoo")[0]


def test_a_rolled_secret_signs_beside_the_new_one_for_a_while(engine, transport, clock):
    [old] = engine.webhook_secrets(ACCOUNT)
    new = engine.roll_webhook_secret(ACCOUNT, overlap_s=60)
    assert [new.secret, old.secret] == [secret.secret for secret in engine.webhook_secrets(ACCOUNT)]
    done(engine)
    engine.deliver()
    assert 2 == len(transport.requests[0].headers["webhook-signature"].split())
    clock.advance(60)
    assert [new] == engine.webhook_secrets(ACCOUNT)
