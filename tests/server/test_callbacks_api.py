"""Sending callbacks again, their endpoints, and the secrets that sign them."""

from __future__ import annotations

import pytest

from support.api import pointers, problem
from workersai_client import CallbackVerificationError, verify_callback

NOBODYS = "019b7ca9-0000-7000-8000-000000000000"
URL = "http://hooks.test/done"


@pytest.fixture
def delivered(api) -> str:
    """A callback that arrived."""
    task = api.create(callback_url=URL)["external_id"]
    api.complete(task)
    api.house.engine.deliver()
    return api.get(f"/v1/tasks/{task}/callbacks").json[0]["id"]


def test_a_finished_delivery_is_sent_again_under_the_same_id(api, delivered):
    answer = api.post(f"/v1/callbacks/{delivered.upper()}/replay")
    assert (answer.status_code, answer.json) == (202, {"queued": 1})
    api.house.engine.deliver()

    assert [request.headers["webhook-id"] for request in api.house.transport.requests] == [delivered, delivered]


def test_what_is_pending_or_never_called_cannot_be_replayed(api, delivered):
    skipped = api.create()["external_id"]
    api.complete(skipped)
    never = api.get(f"/v1/tasks/{skipped}/callbacks").json[0]["id"]

    assert api.post(f"/v1/callbacks/{delivered}/replay").status_code == 202
    problem(api.post(f"/v1/callbacks/{delivered}/replay"), 409, "wrong_state")
    problem(api.post(f"/v1/callbacks/{never}/replay"), 409, "wrong_state")
    problem(api.post(f"/v1/callbacks/{NOBODYS}/replay"), 404, "not_found")
    problem(api.post(f"/v1/callbacks/{delivered}/replay", key=api.test), 404, "not_found")
    problem(api.post(f"/v1/callbacks/{delivered}/replay", {"x": 1}), 422, "validation_failed")


def test_all_of_a_state_since_a_time_are_sent_again(api, delivered):
    since = "2026-01-02T03:04:05Z"
    assert api.post("/v1/callbacks/replay", {"since": since}).json == {"queued": 0}
    assert api.post("/v1/callbacks/replay", {"since": "2026-01-02T03:04:06Z", "state": "delivered"}).json["queued"] == 0
    assert api.post("/v1/callbacks/replay", {"since": since, "state": "delivered"}, key=api.test).json["queued"] == 0

    answer = api.post("/v1/callbacks/replay", {"since": since, "state": "delivered"})
    assert (answer.status_code, answer.json) == (202, {"queued": 1})
    assert api.house.engine.deliver() == 1


@pytest.mark.parametrize(
    ("body", "status", "wrong"),
    [
        ({}, 422, ["#/since"]),
        ({"since": "yesterday"}, 422, ["#/since"]),
        ({"since": 7}, 422, ["#/since"]),
        ({"since": "2026-01-02T03:04:05"}, 400, ["#/since"]),
        ({"since": "2026-01-02T03:04:05Z", "state": "pending"}, 422, ["#/state"]),
        ({"since": "2026-01-02T03:04:05Z", "state": "skipped"}, 422, ["#/state"]),
        ({"since": "2026-01-02T03:04:05Z", "state": "nothing"}, 422, ["#/state"]),
        ({"since": "2026-01-02T03:04:05Z", "state": None}, 422, ["#/state"]),
        ({"since": "2026-01-02T03:04:05Z", "until": "x"}, 422, ["#/until"]),
    ],
)
def test_a_wrong_wish_sends_nothing_again(shared_api, body, status, wrong):
    answer = shared_api.post("/v1/callbacks/replay", body)

    assert pointers(problem(answer, status, answer.json["code"])) == wrong


def test_endpoints_show_their_health(api, delivered):
    (endpoint,) = api.get("/v1/endpoints").json

    assert endpoint == {
        "id": endpoint["id"],
        "origin": "http://hooks.test:80",
        "failing_since": None,
        "disabled_at": None,
        "reason": None,
        "pending": 0,
    }
    assert api.get("/v1/endpoints", key=api.test).json == [endpoint]


def test_a_disabled_endpoint_is_enabled_and_gets_what_was_held_back(api_with):
    from workersai_core.testing import CapturingTransport

    api = api_with()
    api.house.transport.__init__(responder=lambda _: 410)  # type: ignore[misc]
    assert isinstance(api.house.transport, CapturingTransport)
    for _ in range(2):
        api.complete(api.create(callback_url=URL)["external_id"])
        api.house.engine.deliver()
    (disabled,) = api.get("/v1/endpoints").json
    assert disabled["disabled_at"] == "2026-01-02T03:04:05.000000Z"
    assert disabled["reason"]
    assert disabled["pending"] == 1

    answer = api.post(f"/v1/endpoints/{disabled['id'].upper()}/enable")
    assert (answer.status_code, answer.json["disabled_at"], answer.json["reason"]) == (200, None, None)
    api.house.transport.__init__(responder=lambda _: 200)  # type: ignore[misc]
    assert api.house.engine.deliver() == 1


def test_an_endpoint_that_is_not_there_is_a_404(shared_api):
    problem(shared_api.post(f"/v1/endpoints/{NOBODYS}/enable"), 404, "not_found")


def test_secrets_are_listed_without_what_is_secret(api):
    answer = api.get("/v1/webhook_secrets")

    (shown,) = answer.json
    assert list(shown) == ["id", "prefix", "last4", "created_at", "expires_at"]
    assert (shown["prefix"], shown["last4"]) == ("whsec_", api.account.webhook_secret[-4:])
    assert api.account.webhook_secret not in answer.text


def test_a_rolled_secret_is_shown_once_and_the_old_one_signs_beside_it_for_the_overlap(api):
    answer = api.post("/v1/webhook_secrets/roll", {"overlap_s": 60})
    new = answer.json["secret"]
    listed = api.get("/v1/webhook_secrets")

    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    assert new not in listed.text
    assert [(each["last4"], each["expires_at"]) for each in listed.json] == [
        (new[-4:], None),
        (api.account.webhook_secret[-4:], "2026-01-02T03:05:05.000000Z"),
    ]
    signed = [signatures(api), signatures(api)]
    assert [len(each.split()) for each in signed] == [2, 2]
    api.house.advance(61)
    assert len(signatures(api).split()) == 1
    assert len(api.get("/v1/webhook_secrets").json) == 1


def signatures(api) -> str:
    """Let a callback be sent and return its signatures."""
    api.complete(api.create(callback_url=URL)["external_id"])
    api.house.engine.deliver()
    signed: str = api.house.transport.requests[-1].headers["webhook-signature"]
    return signed


def test_receivers_verify_with_the_secret_they_were_shown(api):
    signatures(api)
    request = api.house.transport.requests[-1]

    for secret in (api.account.webhook_secret, api.post("/v1/webhook_secrets/roll").json["secret"]):
        sent = dict(request.headers)
        valid = secret == api.account.webhook_secret
        try:
            verify_callback(request.body, sent, secret, tolerance_s=1e12)
            verified = True
        except CallbackVerificationError:
            verified = False
        assert verified is valid


@pytest.mark.parametrize("body", [{"overlap_s": -1}, {"overlap_s": 604_801}, {"overlap_s": "1"}, {"overlap": 1}])
def test_a_wrong_overlap_rolls_nothing(api, body):
    problem(api.post("/v1/webhook_secrets/roll", body), 422, "validation_failed")
    assert len(api.get("/v1/webhook_secrets").json) == 1


def test_a_test_key_does_not_roll_what_signs_live_callbacks(api):
    problem(api.post("/v1/webhook_secrets/roll", key=api.test), 403, "forbidden")
    assert len(api.get("/v1/webhook_secrets", key=api.test).json) == 1
