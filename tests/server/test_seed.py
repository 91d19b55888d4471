"""What the first page of documentation promised, word for word."""

from __future__ import annotations

import pytest

from support.api import SIX, problem

PARAMS = {
    "attachment_type": "image",
    "attachment": "http://www.dogsarebig.com/dog1.jpg",
    "categories": ["big", "small"],
}
QUESTION = "Is this dog big or small?"


def documented(api, key: str = "", **fields):
    answer = api.post("/v1/tasks", {"instruction": QUESTION, "params": PARAMS, **fields}, key=key)
    assert answer.status_code == 201, answer.text
    return answer.json


def test_the_list_is_a_bare_array_whose_tasks_begin_with_the_six_keys_in_order(api):
    created = documented(api, key=api.test)
    answer = api.ask("GET", "/v1/tasks", key=None, query=f"api_key={api.test}")

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert [list(task)[:6] for task in answer.json] == [SIX]
    assert {name: answer.json[0][name] for name in SIX} == {
        "external_id": created["external_id"],
        "task_type": "categorization",
        "callback_url": "http://example.com/callback",
        "instruction": QUESTION,
        "params": PARAMS,
        "response": {},
    }


def test_one_task_has_the_same_shape(api):
    created = documented(api)
    answer = api.ask("GET", f"/v1/tasks/{created['external_id']}", key=None, query=f"api_key={api.live}")

    assert (answer.status_code, answer.json) == (200, created)
    assert list(answer.json)[:6] == SIX


def test_further_keys_come_after_the_six(api):
    assert list(documented(api))[6:] == [
        "metadata",
        "status",
        "is_test",
        "overlap",
        "priority",
        "deadline_at",
        "unique_id",
        "tags",
        "created_at",
        "completed_at",
        "task_type_version",
        "answers_wanted",
        "answers_accepted",
        "confidence",
        "error",
        "callback_state",
    ]


def test_the_defaults_are_those_of_the_table(api):
    task = api.post("/v1/tasks", {"params": PARAMS}).json

    assert {name: task[name] for name in ("task_type", "instruction", "callback_url", "metadata")} == {
        "task_type": "categorization",
        "instruction": "",
        "callback_url": "http://example.com/callback",
        "metadata": {},
    }


def test_a_creation_with_nothing_but_defaults_names_the_params_that_are_missing(api):
    document = problem(api.post("/v1/tasks", {}), 422, "validation_failed")

    assert [(place["pointer"], place["code"]) for place in document["errors"]] == [
        ("#/params/attachment_type", "required"),
        ("#/params/attachment", "required"),
        ("#/params/categories", "required"),
    ]
    assert problem(api.post("/v1/tasks"), 422, "validation_failed")["errors"] == document["errors"]


def test_the_response_is_an_empty_object_until_there_is_a_result(api):
    created = documented(api, key=api.test)
    assert (created["response"], created["status"], created["completed_at"]) == ({}, "pending", None)

    api.house.engine.tick()
    done = api.get(f"/v1/tasks/{created['external_id']}", key=api.test).json

    assert done["status"] == "completed"
    assert done["response"]["category"] in PARAMS["categories"]
    assert done["completed_at"] == "2026-01-02T03:04:05.000000Z"


def test_the_callback_begins_with_the_four_keys_in_order(api):
    task = documented(api, key=api.test, callback_url="http://hooks.test/done", metadata={"internal_task_id": 7})
    api.house.engine.tick()
    assert api.house.engine.deliver() == 1

    (request,) = api.house.transport.requests
    sent = request.json
    assert request.url == "http://hooks.test/done"
    assert list(sent) == [
        "task_type",
        "external_id",
        "params",
        "response",
        "metadata",
        "status",
        "is_test",
        "completed_at",
    ]
    done = api.get(f"/v1/tasks/{task['external_id']}", key=api.test).json
    assert sent == {name: done[name] for name in sent}


def test_the_default_callback_url_is_echoed_and_never_called(api):
    task = documented(api, key=api.test)
    api.house.engine.tick()

    assert api.house.engine.deliver() == 0
    assert api.get(f"/v1/tasks/{task['external_id']}", key=api.test).json["callback_state"] == "skipped"
    assert [each["state"] for each in api.get(f"/v1/tasks/{task['external_id']}/callbacks", key=api.test).json] == [
        "skipped"
    ]


def test_five_live_requests_are_free_and_the_sixth_says_how_to_go_on(api_with):
    api = api_with(unlimited=False)
    body = {"params": PARAMS}
    left = [api.post("/v1/tasks", body).headers["x-free-requests-remaining"] for _ in range(5)]

    assert left == ["4", "3", "2", "1", "0"]
    refused = problem(api.post("/v1/tasks", body), 402, "free_requests_exhausted")
    assert "add credit" in refused["detail"]
    assert len(api.get("/v1/tasks").json) == 5


def test_reads_test_keys_wrong_requests_and_repetitions_are_not_counted(api_with):
    api = api_with(unlimited=False)
    body = {"params": PARAMS}
    for _ in range(7):
        assert api.get("/v1/tasks").status_code == 200
        assert api.post("/v1/tasks", {}).status_code == 422
        assert "x-free-requests-remaining" not in api.post("/v1/tasks", body, key=api.test).headers
    for _ in range(3):
        assert api.post("/v1/tasks", body, headers={"Idempotency-Key": "once"}).status_code == 201

    assert api.post("/v1/tasks", body).headers["x-free-requests-remaining"] == "3"


def test_credit_goes_on_where_the_free_requests_end(api_with):
    api = api_with(unlimited=False, free_requests=0)
    assert api.post("/v1/tasks", {"params": PARAMS}).status_code == 402
    api.house.accounts.credit(api.account.email, "0.10")

    assert api.post("/v1/tasks", {"params": PARAMS}).headers["x-free-requests-remaining"] == "0"
    assert api.post("/v1/tasks", {"params": PARAMS}).status_code == 402


def test_without_a_limit_nothing_is_counted_down(api, api_with):
    assert "x-free-requests-remaining" not in api.post("/v1/tasks", {"params": PARAMS}).headers
    unlimited = api_with(unlimited=False, free_requests="unlimited")
    assert "x-free-requests-remaining" not in unlimited.post("/v1/tasks", {"params": PARAMS}).headers


@pytest.mark.parametrize("path", ["", "/cancel", "/events", "/callbacks"])
def test_the_keys_of_one_mode_do_not_see_the_tasks_of_the_other(api, path):
    method = "POST" if path == "/cancel" else "GET"
    live, test = documented(api)["external_id"], documented(api, key=api.test)["external_id"]

    problem(api.ask(method, f"/v1/tasks/{test}{path}", key=api.live), 404, "not_found")
    problem(api.ask(method, f"/v1/tasks/{live}{path}", key=api.test), 404, "not_found")
    assert [task["external_id"] for task in api.get("/v1/tasks", key=api.live).json] == [live]
    assert [task["external_id"] for task in api.get("/v1/tasks", key=api.test).json] == [test]
    assert [documented(api)["is_test"], documented(api, key=api.test)["is_test"]] == [False, True]


def test_korean_text_comes_back_byte_for_byte(api):
    params = {**PARAMS, "categories": ["큰 개", "작은 개"]}
    task = documented(api, instruction="이 개는 큰가요?", params=params, metadata={"번호": "하나"})
    answer = api.get(f"/v1/tasks/{task['external_id']}")

    assert '"instruction":"이 개는 큰가요?"'.encode() in answer.content
    assert '"categories":["큰 개","작은 개"]'.encode() in answer.content
    assert '"metadata":{"번호":"하나"}'.encode() in answer.content
