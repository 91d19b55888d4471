from __future__ import annotations

import pytest

from support.api import pointers

FIELDS = ["id", "mode", "prefix", "last4", "scopes", "created_at", "last_used_at", "expires_at", "revoked_at"]


@pytest.fixture
def home(api):
    return api.house


@pytest.fixture
def account(api):
    return api.account


@pytest.fixture
def client(api):
    return api.client


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def id_of(client, key: str, mode: str) -> str:
    return next(
        each["id"] for each in client.simulate_get("/v1/keys", headers=bearer(key)).json if each["mode"] == mode
    )


def test_the_keys_of_the_account_are_listed_without_what_is_secret(client, home, account):
    home.accounts.create("other@example.com")
    answer = client.simulate_get("/v1/keys", headers=bearer(account.test_key))

    assert answer.status_code == 200
    assert [list(each) for each in answer.json] == [FIELDS, FIELDS]
    assert [(each["prefix"], each["last4"]) for each in answer.json] == [
        ("live_", account.live_key[-4:]),
        ("test_", account.test_key[-4:]),
    ]
    assert [each["last_used_at"] for each in answer.json] == [None, "2026-01-02T03:04:05.000000Z"]
    assert account.live_key not in answer.text
    assert account.test_key not in answer.text


@pytest.mark.parametrize(
    "sent",
    [
        {"json": {"overlap_s": 60}},
        {"body": "overlap_s=60", "headers": {"Content-Type": "application/x-www-form-urlencoded"}},
    ],
)
def test_rolling_shows_the_new_key_once_and_the_old_one_works_for_the_overlap(client, home, account, sent):
    key_id = id_of(client, account.live_key, "live")
    sent["headers"] = {**sent.get("headers", {}), **bearer(account.live_key)}
    answer = client.simulate_post(f"/v1/keys/{key_id.upper()}/roll", **sent)

    assert answer.status_code == 200
    assert list(answer.json) == [*FIELDS, "key"]
    assert answer.headers["cache-control"] == "no-store"
    new = answer.json["key"]
    listed = client.simulate_get("/v1/keys", headers=bearer(account.live_key))
    assert new not in listed.text
    assert [(each["last4"], each["expires_at"]) for each in listed.json] == [
        (account.live_key[-4:], "2026-01-02T03:05:05.000000Z"),
        (account.test_key[-4:], None),
        (new[-4:], None),
    ]
    home.advance(60)
    assert client.simulate_get("/v1/keys", headers=bearer(account.live_key)).status_code == 401
    assert client.simulate_get("/v1/keys", headers=bearer(new)).status_code == 200


def test_without_a_body_the_old_key_ends_at_once(client, account):
    key_id = id_of(client, account.live_key, "test")

    assert client.simulate_post(f"/v1/keys/{key_id}/roll", headers=bearer(account.test_key)).status_code == 200
    assert client.simulate_get("/v1/keys", headers=bearer(account.test_key)).status_code == 401


def test_a_key_may_revoke_itself_and_then_is_nobodys(client, account):
    key_id = id_of(client, account.live_key, "live")
    answer = client.simulate_post(f"/v1/keys/{key_id}/revoke", headers=bearer(account.live_key))

    assert (answer.status_code, answer.json["revoked_at"]) == (200, "2026-01-02T03:04:05.000000Z")
    assert client.simulate_get("/v1/keys", headers=bearer(account.live_key)).status_code == 401


def test_the_key_may_stand_in_the_body(client, account):
    key_id = id_of(client, account.live_key, "test")
    answer = client.simulate_post(f"/v1/keys/{key_id}/revoke", json={"api_key": account.live_key})

    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("route", "body", "status", "wrong"),
    [
        ("roll", {"overlap_s": 604_801}, 422, ["#/overlap_s"]),
        ("roll", {"overlap_s": "60"}, 422, ["#/overlap_s"]),
        ("roll", {"overlap": 60}, 422, ["#/overlap"]),
        ("revoke", {"overlap_s": 60}, 422, ["#/overlap_s"]),
        ("roll", [], 400, []),
    ],
)
def test_a_wrong_body_changes_nothing(client, account, route, body, status, wrong):
    key_id = id_of(client, account.live_key, "live")
    answer = client.simulate_post(f"/v1/keys/{key_id}/{route}", json=body, headers=bearer(account.live_key))

    assert (answer.status_code, pointers(answer.json)) == (status, wrong)
    assert len(client.simulate_get("/v1/keys", headers=bearer(account.live_key)).json) == 2


@pytest.mark.parametrize("route", ["roll", "revoke"])
def test_keys_of_others_are_not_there_and_a_test_key_cannot_change_a_live_one(client, home, account, route):
    other = home.accounts.create("other@example.com")
    theirs = id_of(client, other.live_key, "live")
    live = id_of(client, account.live_key, "live")

    def post(key_id: str, key: str) -> int:
        return client.simulate_post(f"/v1/keys/{key_id}/{route}", headers=bearer(key)).status_code

    assert post(theirs, account.live_key) == 404
    assert post("nothing", account.live_key) == 404
    assert post(live, account.test_key) == 403
    assert client.simulate_post(f"/v1/keys/{live}/{route}").status_code == 401
    assert client.simulate_get("/v1/keys", headers=bearer(other.live_key)).status_code == 200
