"""The same request again gets the first one's answer, and the work is done once."""

from __future__ import annotations

import json

import pytest

from support.api import NDJSON, problem, right

ONCE = {"Idempotency-Key": "order-7"}


def replayed(answer) -> bool:
    return answer.headers.get("idempotency-replayed") == "true"


def test_a_repetition_gets_the_same_status_and_body(api):
    first = api.post("/v1/tasks", right(), headers=ONCE)
    again = api.post("/v1/tasks", right(), headers=ONCE)

    assert (first.status_code, replayed(first)) == (201, False)
    assert (again.status_code, replayed(again), again.content) == (201, True, first.content)
    assert len(api.get("/v1/tasks").json) == 1


def test_the_answer_stays_that_of_the_first_moment(api):
    first = api.post("/v1/tasks", right(deadline_at="2026-01-02T03:05:00Z"), headers=ONCE)
    api.complete(first.json["external_id"])
    api.house.advance(3600)
    again = api.post("/v1/tasks", right(deadline_at="2026-01-02T03:05:00Z"), headers=ONCE)

    assert (again.status_code, again.content) == (201, first.content)


def test_what_is_the_same_but_for_its_writing_is_a_repetition(api):
    first = api.post("/v1/tasks", '{"task_type":"pick","params":{"options":["a"]},"priority":50}', headers=ONCE)
    again = api.post(
        "/v1/tasks", ' {"priority": 50, "params": {"options": ["\\u0061"]}, "task_type": "pick"}', headers=ONCE
    )

    assert again.content == first.content
    assert replayed(api.post("/v1/tasks", right(params={"options": ["a"]}, priority=50.0), headers=ONCE))


def test_the_key_in_the_body_does_not_make_another_request_of_it(api):
    api.post("/v1/tasks", right(), headers=ONCE)

    assert replayed(api.post("/v1/tasks", right(api_key=api.live), key=None, headers=ONCE))


def test_another_body_under_the_same_key_is_a_mistake(api):
    api.post("/v1/tasks", right(), headers=ONCE)

    problem(api.post("/v1/tasks", right(priority=7), headers=ONCE), 422, "idempotency_key_reused")
    assert len(api.get("/v1/tasks").json) == 1


def test_a_refused_request_is_not_remembered(api):
    problem(api.post("/v1/tasks", right(priority=101), headers=ONCE), 422, "validation_failed")
    answer = api.post("/v1/tasks", right(), headers=ONCE)

    assert (answer.status_code, replayed(answer)) == (201, False)


def test_a_creation_that_the_quota_refuses_is_not_remembered(api_with):
    api = api_with(unlimited=False, free_requests=0)
    assert api.post("/v1/tasks", right(), headers=ONCE).status_code == 402
    api.house.accounts.set_unlimited(api.account.email)

    assert api.post("/v1/tasks", right(), headers=ONCE).status_code == 201


def test_keys_count_for_one_account_mode_and_route(api):
    other = api.house.accounts.create("other@example.com", unlimited=True)
    answers = [
        api.post("/v1/tasks", right(), headers=ONCE, key=api.live),
        api.post("/v1/tasks", right(), headers=ONCE, key=api.test),
        api.post("/v1/tasks", right(), headers=ONCE, key=other.live_key),
        api.post("/v1/tasks:batch", [right()], headers=ONCE),
        api.post("/v1/work/claim", headers=ONCE, key=api.worker("Mina")),
        api.post("/v1/work/claim", headers=ONCE, key=api.worker("Yuna")),
    ]

    assert [answer.status_code for answer in answers] == [201, 201, 201, 200, 200, 200]
    assert not any(map(replayed, answers))


def test_the_free_requests_left_are_told_only_where_one_was_used(api_with):
    api = api_with(unlimited=False)

    assert api.post("/v1/tasks", right(), headers=ONCE).headers["x-free-requests-remaining"] == "4"
    assert "x-free-requests-remaining" not in api.post("/v1/tasks", right(), headers=ONCE).headers
    assert "x-free-requests-remaining" not in api.post("/v1/tasks", right(), headers=ONCE, key=api.test).headers


@pytest.mark.parametrize("value", ["", "x" * 256, "a b", "열쇠".encode().decode("latin-1"), "\x7f"])
@pytest.mark.parametrize("path", ["/v1/tasks", "/v1/tasks:batch", "/v1/work/claim"])
def test_a_key_is_visible_ascii_of_at_most_255_characters(shared_api, path, value):
    key = shared_api.worker() if "work" in path else ""
    body = None if "work" in path else [] if "batch" in path else right()

    problem(shared_api.post(path, body, headers={"Idempotency-Key": value}, key=key), 400, "invalid_idempotency_key")


def test_the_longest_key_works(shared_api):
    headers = {"Idempotency-Key": "~" * 255}

    assert not replayed(shared_api.post("/v1/tasks", right(), headers=headers))
    assert replayed(shared_api.post("/v1/tasks", right(), headers=headers))


def test_a_batch_is_repeated_as_a_whole(api):
    body = '{"task_type": "pick", "params": {"options": ["a"]}}\n{"task_type": "nothing"}\n'
    headers = {**ONCE, "Content-Type": NDJSON}
    first, again = (api.post("/v1/tasks:batch", body, headers=headers) for _ in range(2))

    assert [line["status"] for line in map(json.loads, first.text.splitlines())] == [201, 422]
    assert (again.status_code, replayed(again), again.content) == (200, True, first.content)
    assert again.headers["content-type"] == NDJSON
    assert len(api.get("/v1/tasks").json) == 1
    problem(api.post("/v1/tasks:batch", body + body, headers=headers), 422, "idempotency_key_reused")


def test_a_claim_is_repeated_and_an_empty_one_is_not_remembered(api):
    token = api.worker()
    assert api.post("/v1/work/claim", headers=ONCE, key=token).status_code == 204
    api.create()
    api.create()
    first, again = (api.post("/v1/work/claim", headers=ONCE, key=token) for _ in range(2))

    assert (first.status_code, replayed(first)) == (200, False)
    assert (again.status_code, replayed(again), again.content) == (200, True, first.content)
    assert len(api.get("/v1/work/assignments", key=token).json) == 1
    problem(api.post("/v1/work/claim", {"lease_s": 60}, headers=ONCE, key=token), 422, "idempotency_key_reused")


def test_keys_are_forgotten_after_two_days(api):
    api.post("/v1/tasks", right(), headers=ONCE)
    api.house.advance(86_400)
    api.house.engine.tick()
    assert replayed(api.post("/v1/tasks", right(), headers=ONCE))
    api.house.advance(86_401)
    api.house.engine.tick()

    assert not replayed(api.post("/v1/tasks", right(), headers=ONCE))
