from __future__ import annotations

import pytest

from support.outbox import answered
from workersai_core.callbacks import outbox
from workersai_core.errors import InvalidInput, NotFound

# --- disabled endpoints ----------------------------------------------------------------------------


def test_an_enabled_endpoint_gets_what_was_held_back(world, deliver):
    world.receivers.behaviour["good.test"] = lambda request: answered(410)
    for _ in range(3):
        world.complete()
    deliver()
    assert 0 == deliver()
    world.receivers.behaviour["good.test"] = lambda request: answered()
    [endpoint] = world.write(lambda tx: outbox.endpoints(tx, "acme"))
    assert (2, "The receiver answered 410 Gone.") == (endpoint.pending, endpoint.reason)
    enabled = world.write(lambda tx: (outbox.enable_endpoint(tx, endpoint.id.upper(), "acme"), tx.work_due))
    assert (None, None, None, True) == (
        enabled[0].disabled_at,
        enabled[0].reason,
        enabled[0].failing_since,
        enabled[1],
    )
    assert (2, {"exhausted": 1, "delivered": 2}) == (deliver(), world.states())


def test_enabling_an_enabled_endpoint_changes_nothing(world, deliver):
    world.complete()
    deliver()
    before = world.rows("SELECT * FROM wai_endpoint")
    endpoint_id = world.rows("SELECT id FROM wai_endpoint")[0][0]
    world.write(lambda tx: outbox.enable_endpoint(tx, endpoint_id, "acme"))
    assert before == world.rows("SELECT * FROM wai_endpoint")


def test_nobody_elses_endpoint_can_be_enabled(world):
    world.complete()
    endpoint_id = world.rows("SELECT id FROM wai_endpoint")[0][0]
    with pytest.raises(NotFound):
        world.write(lambda tx: outbox.enable_endpoint(tx, endpoint_id, "zoo"))


# --- secrets ---------------------------------------------------------------------------------------


def secrets(world, account="acme"):
    return [secret.secret for secret in world.write(lambda tx: outbox.webhook_secrets(tx, account))]


def roll(world, overlap_s=86_400):
    return world.write(lambda tx: outbox.roll_webhook_secret(tx, "acme", overlap_s)).secret


def test_the_first_secret_is_made_when_asked_for_and_stays(world):
    [secret] = secrets(world)
    assert (True, [secret]) == (secret.startswith("whsec_"), secrets(world))
    assert [secret] != secrets(world, "zoo")


def test_during_a_roll_two_secrets_are_valid_the_newest_first(world):
    [old] = secrets(world)
    new = roll(world, 60)
    assert [new, old] == secrets(world)
    world.clock.advance(60)
    assert [new] == secrets(world)


def test_a_roll_without_overlap_ends_the_old_secret_at_once(world):
    secrets(world)
    new = roll(world, 0)
    assert [new] == secrets(world)


def test_a_roll_may_come_before_the_first_use(world):
    assert [roll(world)] == secrets(world)


@pytest.mark.parametrize("overlap_s", [-1, 604_801, True, 1.5, "60"])
def test_an_overlap_is_up_to_seven_days(world, overlap_s):
    with pytest.raises(InvalidInput) as caught:
        roll(world, overlap_s)
    assert ["/overlap_s"] == [issue.pointer for issue in caught.value.issues]


def test_every_valid_secret_signs(world, deliver):
    secrets(world)
    signatures = []
    for _ in range(2):
        world.complete()
        deliver()
        signatures.append(world.receivers.requests[-1].headers["webhook-signature"].split())
        roll(world)
    assert [1, 2] == [len(found) for found in signatures]
