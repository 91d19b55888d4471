"""Keys in every position, and what is answered to keys that are none."""

from __future__ import annotations

import base64
import logging
from urllib.parse import quote

import pytest

from support.api import FORM, HOST, api, problem, right
from workersai_server.keys import check_digits, new_key, new_worker_token

REQUESTER_ROUTES = [
    ("GET", "/v1/tasks"),
    ("POST", "/v1/tasks"),
    ("POST", "/v1/tasks:batch"),
    ("GET", "/v1/tasks/{id}"),
    ("POST", "/v1/tasks/{id}/cancel"),
    ("GET", "/v1/tasks/{id}/events"),
    ("GET", "/v1/tasks/{id}/callbacks"),
    ("POST", "/v1/callbacks/{id}/replay"),
    ("POST", "/v1/callbacks/replay"),
    ("GET", "/v1/keys"),
    ("POST", "/v1/keys/{id}/roll"),
    ("POST", "/v1/keys/{id}/revoke"),
    ("GET", "/v1/endpoints"),
    ("POST", "/v1/endpoints/{id}/enable"),
    ("GET", "/v1/webhook_secrets"),
    ("POST", "/v1/webhook_secrets/roll"),
    ("GET", "/v1/export"),
]
TYPE_ROUTES = [("GET", "/v1/task_types"), ("GET", "/v1/task_types/{id}")]
WORKER_ROUTES = [
    ("POST", "/v1/work/claim"),
    ("GET", "/v1/work/assignments"),
    ("POST", "/v1/work/{id}/submit"),
    ("POST", "/v1/work/{id}/renew"),
    ("POST", "/v1/work/{id}/skip"),
    ("POST", "/v1/work/{id}/release"),
]
NOBODYS = "019b7ca9-0000-7000-8000-000000000000"


def basic(user: str, password: str = "") -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def send(client, method: str, path: str, *, headers=None, query: str = "", body: str | None = None):
    return client.simulate_request(
        method, path.replace("{id}", NOBODYS), headers=headers or {}, query_string=query, body=body, host=HOST
    )


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": "Bearer {key}"},
        {"Authorization": "bearer  {key} "},
        {"Authorization": "{basic}"},
        {"X-API-Key": "{key}"},
        {"X-API-Key": " {key} "},
    ],
)
def test_a_key_is_taken_from_a_header(shared_api, headers):
    filled = {
        name: value.replace("{key}", shared_api.live).replace("{basic}", basic(shared_api.live))
        for name, value in headers.items()
    }

    assert send(shared_api.client, "GET", "/v1/tasks", headers=filled).status_code == 200


@pytest.mark.parametrize("query", ["api_key={key}", "limit=1&api_key={key}", "%61pi%5Fkey={key}", "api_key={quoted}"])
def test_a_key_is_taken_from_the_query_on_every_method(shared_api, query):
    filled = query.replace("{key}", shared_api.live).replace("{quoted}", quote(shared_api.live).replace("_", "%5F"))
    assert send(shared_api.client, "GET", "/v1/tasks", query=filled).status_code == 200
    if "limit" not in query:
        assert send(shared_api.client, "POST", "/v1/tasks", query=filled).status_code == 422


@pytest.mark.parametrize("path", ["/v1/tasks", "/v1/tasks/{id}/cancel", "/v1/callbacks/replay", "/v1/keys/{id}/roll"])
def test_a_key_is_taken_from_the_body_of_a_post(shared_api, path):
    as_json = f'{{"api_key": "{shared_api.live}"}}'
    assert send(shared_api.client, "POST", path, body=as_json).status_code in (404, 422)
    form = send(shared_api.client, "POST", path, headers={"Content-Type": FORM}, body=f"api_key={shared_api.live}")
    assert form.status_code in (404, 422)


def test_the_key_in_the_body_is_no_field_of_the_task(shared_api):
    answer = shared_api.post("/v1/tasks", right(api_key=shared_api.test), key=None)

    assert answer.status_code == 201
    assert answer.json["is_test"] is True
    assert shared_api.test not in answer.text


@pytest.mark.parametrize(
    ("headers", "query", "body"),
    [
        ({"Authorization": "Bearer {live}"}, "api_key={live}", None),
        ({"Authorization": "Bearer {live}"}, "api_key={test}", None),
        ({"Authorization": "Bearer {live}", "X-API-Key": "{live}"}, "", None),
        ({"Authorization": "Bearer {live}, Bearer {live}"}, "", None),
        ({"Authorization": "Bearer {live},{basic}"}, "", None),
        ({"X-API-Key": "{live},{live}"}, "", None),
        ({}, "api_key={live}&api_key={live}", None),
        ({}, "api_key={live}&%61pi_key={live}", None),
        ({}, "api_key={live}&api_key=", None),
        ({"X-API-Key": "{live}"}, "", '{"api_key": "{live}"}'),
        ({}, "api_key={live}", '{"api_key": "{test}"}'),
    ],
)
def test_a_key_in_two_places_is_ambiguous_even_when_they_agree(shared_api, headers, query, body):
    def filled(text: str) -> str:
        for name, value in {"live": shared_api.live, "test": shared_api.test, "basic": basic(shared_api.live)}.items():
            text = text.replace("{" + name + "}", value)
        return text

    answer = send(
        shared_api.client,
        "POST",
        "/v1/tasks",
        headers={name: filled(value) for name, value in headers.items()},
        query=filled(query),
        body=None if body is None else filled(body),
    )

    document = problem(answer, 400, "ambiguous_credentials")
    assert shared_api.live not in answer.text
    assert "2 times" in document["detail"]


@pytest.mark.parametrize("value", [7, None, [], {"a": 1}, True])
def test_a_key_in_the_body_is_text(shared_api, value):
    problem(shared_api.post("/v1/tasks", right(api_key=value), key=None), 400, "invalid_body")


def wrong_keys() -> dict[str, str]:
    unknown = new_key("live")
    body = "live_" + "0" * 32
    return {
        "unknown": unknown,
        "unknown test": new_key("test"),
        "imported form": "test_tV4NttbVsN3crLCFonEj",
        "wrong check digits": unknown[:-1] + ("a" if unknown[-1] != "a" else "b"),
        "worker token": new_worker_token(),
        "other prefix": "prod_" + "0" * 32 + check_digits(body),
        "empty": "",
        "long": "x" * 4000,
        "korean": "열쇠",
        "right but for the case": new_key("live").lower(),
        "sql": "' OR 1=1 --",
    }


@pytest.mark.parametrize("kind", list(wrong_keys()))
def test_the_answer_to_every_wrong_key_is_the_same(shared_api, kind):
    key = wrong_keys()[kind]
    answer = send(shared_api.client, "GET", "/v1/tasks", query=f"api_key={quote(key)}")
    document = problem(answer, 401, "unauthenticated")
    expected = problem(send(shared_api.client, "GET", "/v1/tasks", query="api_key=nonsense"), 401, "unauthenticated")

    assert answer.headers["www-authenticate"] == "Bearer"
    assert {**document, "request_id": ""} == {**expected, "request_id": ""}


def test_a_revoked_and_an_expired_key_are_answered_like_an_unknown_one(api):
    keys = api.get("/v1/keys").json
    api.post(f"/v1/keys/{keys[1]['id']}/revoke")
    expected = problem(api.get("/v1/tasks", key=new_key("live")), 401, "unauthenticated")
    revoked = problem(api.get("/v1/tasks", key=api.test), 401, "unauthenticated")
    api.post(f"/v1/keys/{keys[0]['id']}/roll", {"overlap_s": 60})
    assert api.get("/v1/tasks").status_code == 200
    api.house.advance(60)
    expired = problem(api.get("/v1/tasks"), 401, "unauthenticated")

    assert {each["detail"] for each in (revoked, expired)} == {expected["detail"]}


def test_no_key_says_where_to_put_it(shared_api):
    document = problem(send(shared_api.client, "GET", "/v1/tasks"), 401, "unauthenticated")

    assert "Authorization: Bearer KEY" in document["detail"]


@pytest.mark.parametrize("header", ["Bearer", "Digest x", "Basic !!!", "Basic", "live_key"])
def test_an_unreadable_authorization_header_is_no_key(shared_api, header):
    problem(send(shared_api.client, "GET", "/v1/tasks", headers={"Authorization": header}), 401, "unauthenticated")


def test_basic_credentials_with_a_password_are_no_key(shared_api):
    headers = {"Authorization": basic(shared_api.live, "secret")}

    problem(send(shared_api.client, "GET", "/v1/tasks", headers=headers), 401, "unauthenticated")


@pytest.mark.parametrize(("method", "path"), REQUESTER_ROUTES + TYPE_ROUTES + WORKER_ROUTES)
def test_every_route_wants_a_key(shared_api, method, path):
    problem(send(shared_api.client, method, path), 401, "unauthenticated")


@pytest.mark.parametrize(("method", "path"), REQUESTER_ROUTES)
def test_a_worker_token_opens_nothing_of_the_requesters(shared_api, method, path):
    headers = {"Authorization": f"Bearer {shared_api.worker()}"}

    problem(send(shared_api.client, method, path, headers=headers), 401, "unauthenticated")


@pytest.mark.parametrize(("method", "path"), WORKER_ROUTES)
def test_an_api_key_opens_nothing_of_the_workers(shared_api, method, path):
    headers = {"Authorization": f"Bearer {shared_api.live}"}

    problem(send(shared_api.client, method, path, headers=headers), 401, "unauthenticated")


@pytest.mark.parametrize(("method", "path"), TYPE_ROUTES)
def test_task_types_are_shown_to_requesters_and_workers(shared_api, method, path):
    for key in (shared_api.live, shared_api.test, shared_api.worker()):
        answer = send(shared_api.client, method, path.replace("{id}", "pick"), headers={"X-API-Key": key})
        assert answer.status_code == 200


def test_a_worker_token_is_never_taken_from_the_query(shared_api):
    token = shared_api.worker()
    for method, path in WORKER_ROUTES + TYPE_ROUTES:
        problem(send(shared_api.client, method, path, query=f"api_key={token}"), 401, "unauthenticated")
    assert send(shared_api.client, "POST", "/v1/work/claim", headers={"X-API-Key": token}).status_code == 204


@pytest.mark.parametrize(("method", "path"), [(m, p) for m, p in REQUESTER_ROUTES if "{id}" in p])
def test_the_things_of_another_account_are_not_there(api, method, path):
    task = api.create(callback_url="http://hooks.test/")["external_id"]
    api.complete(task)
    other = api.house.accounts.create("other@example.com")
    api.get("/v1/webhook_secrets", key=other.live_key)
    own = {
        "/v1/tasks": task,
        "/v1/callbacks": api.get(f"/v1/tasks/{task}/callbacks").json[0]["id"],
        "/v1/endpoints": api.get("/v1/endpoints").json[0]["id"],
        "/v1/keys": api.get("/v1/keys").json[0]["id"],
    }["/".join(path.split("/")[:3])]
    before = api.get(f"/v1/tasks/{task}").json, api.get("/v1/keys").json, api.get(f"/v1/tasks/{task}/callbacks").json

    answer = api.ask(method, path.replace("{id}", own), key=other.live_key)

    problem(answer, 404, "not_found")
    after = api.get(f"/v1/tasks/{task}").json, api.get("/v1/keys").json, api.get(f"/v1/tasks/{task}/callbacks").json
    assert before == after


def test_a_live_key_over_plain_http_is_warned_about_once(api, caplog):
    with caplog.at_level(logging.WARNING, "workersai.http"):
        for _ in range(3):
            assert api.get("/v1/tasks").status_code == 200
            assert api.get("/v1/tasks", key=api.test).status_code == 200
            assert api.get("/v1/tasks", protocol="https").status_code == 200

    assert [record.getMessage().split(" is used ")[1] for record in caplog.records] == ["over plain http; use https"]
    assert api.live not in caplog.text


def test_live_keys_over_plain_http_are_refused_where_https_is_required(api_with):
    api = api_with(require_https=True)

    problem(api.get("/v1/tasks"), 403, "forbidden")
    assert api.get("/v1/tasks", key=api.test).status_code == 200
    assert api.get("/v1/tasks", protocol="https").status_code == 200
    assert api.get("/v1/tasks", headers={"X-Forwarded-Proto": "https"}).status_code == 200
    assert api.get("/v1/tasks", headers={"Forwarded": "for=1.2.3.4;proto=https"}).status_code == 200


def test_an_imported_key_of_the_first_form_works():
    made = api()
    try:
        key = "test_tV4NttbVsN3crLCFonEj"
        made.house.accounts.import_key(made.account.account_id, key)
        answer = send(made.client, "GET", "/v1/tasks", query=f"api_key={key}")
        assert (answer.status_code, answer.json) == (200, [])
    finally:
        made.house.engine.close()
