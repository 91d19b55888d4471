"""One task: reading, canceling, its events and its callbacks."""

from __future__ import annotations

import pytest

from support.api import problem

NOBODYS = "019b7ca9-0000-7000-8000-000000000000"


def test_an_id_in_capitals_is_the_same_id(api):
    task = api.create()

    for path in ("", "/events", "/callbacks"):
        assert api.get(f"/v1/tasks/{task['external_id'].upper()}{path}").status_code == 200
    assert api.post(f"/v1/tasks/{task['external_id'].upper()}/cancel").json["status"] == "canceled"


@pytest.mark.parametrize("wrong", [NOBODYS, "x", "0", "%EA%B0%92", "a%2Fb", "..", "a b", "%00", "'"])
@pytest.mark.parametrize(
    ("method", "path"), [("GET", ""), ("POST", "/cancel"), ("GET", "/events"), ("GET", "/callbacks")]
)
def test_a_task_that_is_not_there_is_a_404(shared_api, method, path, wrong):
    problem(shared_api.ask(method, f"/v1/tasks/{wrong}{path}"), 404, "not_found")


def test_a_client_that_has_the_task_as_it_is_gets_no_body(api):
    path = f"/v1/tasks/{api.create()['external_id']}"
    tag = api.get(path).headers["etag"]

    for header in (tag, f"W/{tag}", f'"x", {tag}', "*"):
        answer = api.get(path, headers={"If-None-Match": header})
        assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", tag)
    for header in ('"x"', "x", "", '"x", "y"'):
        assert api.get(path, headers={"If-None-Match": header}).status_code == 200

    api.post(f"{path}/cancel")
    changed = api.get(path, headers={"If-None-Match": tag})
    assert changed.status_code == 200
    assert changed.headers["etag"] != tag


def test_head_answers_like_get_without_the_body(api):
    task = api.create()["external_id"]
    for path in (f"/v1/tasks/{task}", f"/v1/tasks/{task}/events", "/v1/tasks", "/v1/task_types", "/v1/keys"):
        got, headed = api.get(path), api.ask("HEAD", path)
        kept = {"content-type", "content-length", "etag", "link", "cache-control"}
        assert headed.status_code == 200
        assert headed.content == b""
        assert {name: headed.headers.get(name) for name in kept} == {name: got.headers.get(name) for name in kept}
    assert api.ask("HEAD", f"/v1/tasks/{NOBODYS}").status_code == 404


def test_canceling_again_is_fine_and_canceling_what_is_done_is_not(api):
    open_task, done = api.create()["external_id"], api.create()["external_id"]
    api.complete(done)

    first, again = (api.post(f"/v1/tasks/{open_task}/cancel") for _ in range(2))
    assert (first.status_code, first.json["status"]) == (200, "canceled")
    assert first.json == again.json
    assert "completed" in problem(api.post(f"/v1/tasks/{done}/cancel"), 409, "wrong_state")["detail"]
    assert api.get(f"/v1/tasks/{done}").json["response"] == {"choice": "a"}


def test_canceling_takes_no_fields(api):
    task = api.create()["external_id"]

    problem(api.post(f"/v1/tasks/{task}/cancel", {"reason": "x"}), 422, "validation_failed")
    problem(api.post(f"/v1/tasks/{task}/cancel", "["), 400, "invalid_json")
    assert api.get(f"/v1/tasks/{task}").json["status"] == "pending"
    assert api.post(f"/v1/tasks/{task}/cancel", {}).status_code == 200


def test_the_events_tell_what_happened_in_order(api):
    task = api.create()["external_id"]
    api.house.clock.advance(1)
    api.complete(task)
    events = api.get(f"/v1/tasks/{task}/events").json

    assert [list(event) for event in events] == [["id", "name", "at", "actor", "data"]] * len(events)
    assert [event["name"] for event in events] == [
        "task_created",
        "task_assigned",
        "response_submitted",
        "task_completed",
    ]
    assert [event["actor"] for event in events[:2]] == ["requester", "worker:tester-1"]
    assert [event["at"] for event in events[:2]] == ["2026-01-02T03:04:05.000000Z", "2026-01-02T03:04:06.000000Z"]


def test_the_callbacks_tell_every_attempt(api):
    task = api.create(callback_url="http://hooks.test/done")["external_id"]
    assert api.get(f"/v1/tasks/{task}/callbacks").json == []
    api.complete(task)
    (waiting,) = api.get(f"/v1/tasks/{task}/callbacks").json
    api.house.engine.deliver()
    (delivered,) = api.get(f"/v1/tasks/{task}/callbacks").json

    assert list(waiting) == ["id", "event", "url", "state", "next_attempt_at", "attempts"]
    assert waiting == {
        "id": waiting["id"],
        "event": "completed",
        "url": "http://hooks.test/done",
        "state": "pending",
        "next_attempt_at": "2026-01-02T03:04:05.000000Z",
        "attempts": [],
    }
    assert delivered == {
        **waiting,
        "state": "delivered",
        "next_attempt_at": None,
        "attempts": [
            {
                "n": 1,
                "at": "2026-01-02T03:04:05.000000Z",
                "status": 200,
                "latency_ms": 0,
                "error": None,
                "answer": delivered["attempts"][0]["answer"],
            }
        ],
    }
