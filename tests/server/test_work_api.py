"""The worker's side."""

from __future__ import annotations

import pytest

from support.api import FORM, pointers, problem
from workersai_core import Policy

NOBODYS = "019b7ca9-0000-7000-8000-000000000000"
CLAIM_KEYS = ["assignment_id", "task", "response_schema", "claimed_at", "lease_expires_at"]
TASK_KEYS = ["external_id", "task_type", "task_type_version", "instruction", "params"]


@pytest.fixture
def token(api) -> str:
    return api.worker()


def claim(api, token: str, body=None):
    answer = api.post("/v1/work/claim", body, key=token)
    assert answer.status_code == 200, answer.text
    return answer.json


def verb(api, token: str, assignment_id: str, name: str, body=None):
    return api.post(f"/v1/work/{assignment_id}/{name}", body, key=token)


def submit(api, token: str, assignment_id: str, choice: str):
    return verb(api, token, assignment_id, "submit", {"response": {"choice": choice}})


def test_a_claim_holds_all_a_worker_needs_and_nothing_of_the_requesters_own(api, token):
    task = api.create(instruction="Pick.", metadata={"internal": "secret"}, callback_url="http://hooks.test/")
    given = claim(api, token)

    assert list(given) == CLAIM_KEYS
    assert list(given["task"]) == TASK_KEYS
    assert given["task"] == {
        "external_id": task["external_id"],
        "task_type": "pick",
        "task_type_version": 1,
        "instruction": "Pick.",
        "params": {"options": ["a", "b"]},
    }
    assert given["response_schema"]["required"] == ["choice"]
    assert given["claimed_at"] == "2026-01-02T03:04:05.000000Z"
    assert given["lease_expires_at"] == "2026-01-02T03:19:05.000000Z"
    assert api.get(f"/v1/tasks/{task['external_id']}").json["status"] == "in_progress"


def test_nothing_to_do_is_a_204_without_a_body(api, token):
    answer = api.post("/v1/work/claim", key=token)

    assert (answer.status_code, answer.content) == (204, b"")
    assert "content-type" not in answer.headers


def test_test_tasks_are_never_shown_to_people(api, token):
    api.create(key=api.test)

    assert api.post("/v1/work/claim", key=token).status_code == 204


def test_priority_then_deadline_then_age_decide(api, token):
    created = [
        api.create(priority=priority, deadline_at=deadline)["external_id"]
        for priority, deadline in [
            (50, None),
            (50, None),
            (50, "2026-01-02T05:00:00Z"),
            (50, "2026-01-02T04:00:00Z"),
            (60, None),
        ]
    ]

    assert [claim(api, token)["task"]["external_id"] for _ in range(5)] == [created[n] for n in (4, 3, 2, 0, 1)]


def test_skills_and_the_wish_of_the_worker_narrow_what_is_given(api):
    pick, unanimous = api.create()["external_id"], api.create(task_type="unanimous", priority=90)["external_id"]
    skilled, anyone = api.worker("Mina", ("choose",)), api.worker("Yuna")

    assert claim(api, skilled)["task"]["external_id"] == pick
    assert api.post("/v1/work/claim", {"task_types": ["choose"]}, key=anyone).status_code == 204
    assert api.post("/v1/work/claim", {"task_types": []}, key=anyone).status_code == 204
    assert claim(api, anyone, {"task_types": ["unanimous"]})["task"]["external_id"] == unanimous


def test_the_lease_is_as_long_as_asked_for(api, token):
    api.create()

    assert claim(api, token, {"lease_s": 30})["lease_expires_at"] == "2026-01-02T03:04:35.000000Z"


@pytest.mark.parametrize(
    ("body", "status", "wrong"),
    [
        ({"lease_s": 29}, 422, ["#/lease_s"]),
        ({"lease_s": 3601}, 422, ["#/lease_s"]),
        ({"lease_s": "60"}, 422, ["#/lease_s"]),
        ({"lease_s": True}, 422, ["#/lease_s"]),
        ({"lease_s": 60.0}, 422, ["#/lease_s"]),
        ({"lease_s": None}, 422, ["#/lease_s"]),
        ({"task_types": "pick"}, 422, ["#/task_types"]),
        ({"task_types": [1]}, 422, ["#/task_types"]),
        ({"task_types": ["pick", "picc"]}, 422, ["#/task_types/1"]),
        ({"task_type": "pick", "lease_s": 1.5}, 422, ["#/task_type", "#/lease_s"]),
        ([], 400, []),
        ("{", 400, []),
    ],
)
def test_a_wrong_claim_is_refused(shared_api, body, status, wrong):
    answer = shared_api.post("/v1/work/claim", body, key=shared_api.worker())

    assert answer.status_code == status
    assert pointers(problem(answer, status, answer.json["code"])) == wrong


def test_a_worker_holds_five_at_once(api, token):
    for _ in range(6):
        api.create()
    held = [claim(api, token)["assignment_id"] for _ in range(5)]

    problem(api.post("/v1/work/claim", key=token), 409, "too_many_assignments")
    assert verb(api, token, held[0], "release").status_code == 200
    assert claim(api, token)["assignment_id"] not in held


def test_the_operator_chooses_how_many(api_with):
    api = api_with(policy=Policy(max_live_assignments=1))
    token = api.worker()
    api.create()
    api.create()
    claim(api, token)

    problem(api.post("/v1/work/claim", key=token), 409, "too_many_assignments")


def test_what_a_worker_holds_is_listed_to_go_on_after_a_crash(api, token):
    for _ in range(2):
        api.create()
    first, second = claim(api, token), claim(api, token)
    other = api.worker("Yuna")

    assert api.get("/v1/work/assignments", key=token).json == [first, second]
    assert api.get("/v1/work/assignments", key=other).json == []
    submit(api, token, first["assignment_id"], "a")
    assert api.get("/v1/work/assignments", key=token).json == [second]


def test_an_answer_completes_the_task(api, token):
    task = api.create()["external_id"]
    given = claim(api, token)
    answer = submit(api, token, given["assignment_id"].upper(), "b")

    assert (answer.status_code, answer.json) == (
        200,
        {"assignment_id": given["assignment_id"], "status": "submitted", "task_status": "completed"},
    )
    done = api.get(f"/v1/tasks/{task}").json
    assert (done["response"], done["confidence"], done["answers_accepted"]) == ({"choice": "b"}, 1.0, 1)


def test_with_an_overlap_the_task_waits_for_the_others(api):
    task = api.create(overlap=2)["external_id"]
    first, second = api.worker("Mina"), api.worker("Yuna")

    assert submit(api, first, claim(api, first)["assignment_id"], "b").json["task_status"] == "in_progress"
    assert api.post("/v1/work/claim", key=first).status_code == 204
    assert submit(api, second, claim(api, second)["assignment_id"], "b").json["task_status"] == "completed"
    assert api.get(f"/v1/tasks/{task}").json["answers_accepted"] == 2


def test_the_same_answer_again_is_a_success_and_another_is_a_conflict(api, token):
    task = api.create()["external_id"]
    held = claim(api, token)["assignment_id"]
    first = submit(api, token, held, "a")
    api.house.advance(10_000)

    again = submit(api, token, held, "a")
    assert (again.status_code, again.json) == (200, first.json)
    problem(submit(api, token, held, "b"), 409, "already_submitted")
    assert api.get(f"/v1/tasks/{task}").json["response"] == {"choice": "a"}


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ({"response": {"choice": "z"}}, ["#/response/choice"]),
        ({"response": {"choice": 1}}, ["#/response/choice"]),
        ({"response": {"chioce": "a"}}, ["#/response/choice", "#/response/chioce"]),
        ({"response": {}}, ["#/response"]),
        ({"response": None}, ["#/response"]),
        ({"response": []}, ["#/response"]),
        ({}, ["#/response"]),
        ({"choice": "a"}, ["#/choice", "#/response"]),
    ],
)
def test_a_wrong_answer_is_explained_and_the_assignment_stays(api, token, body, wrong):
    api.create()
    held = claim(api, token)["assignment_id"]
    document = problem(verb(api, token, held, "submit", body), 422, "validation_failed")

    assert sorted(pointers(document)) == sorted(wrong)
    assert [each["assignment_id"] for each in api.get("/v1/work/assignments", key=token).json] == [held]
    assert submit(api, token, held, "a").status_code == 200


def test_answers_are_json(api, token):
    api.create()
    held = claim(api, token)["assignment_id"]
    answer = api.post(f"/v1/work/{held}/submit", "response[choice]=a", headers={"Content-Type": FORM}, key=token)

    problem(answer, 415, "unsupported_media_type")


def test_after_the_lease_the_assignment_is_lost(api, token):
    api.create()
    held = claim(api, token)["assignment_id"]
    api.house.advance(901)

    for name, body in [("submit", {"response": {"choice": "a"}}), ("renew", None), ("skip", None), ("release", None)]:
        problem(verb(api, token, held, name, body), 409, "lease_lost")
    assert claim(api, api.worker("Yuna"))["assignment_id"] != held


def test_a_renewed_lease_lasts_from_now_on(api, token):
    api.create()
    held = claim(api, token)["assignment_id"]
    api.house.advance(800)
    answer = verb(api, token, held, "renew", {"lease_s": 60})

    assert (answer.status_code, answer.json) == (
        200,
        {"assignment_id": held, "status": "claimed", "lease_expires_at": "2026-01-02T03:18:25.000000Z"},
    )
    api.house.advance(59)
    assert verb(api, token, held, "renew").json["lease_expires_at"] == "2026-01-02T03:33:24.000000Z"
    problem(verb(api, token, held, "renew", {"lease_s": 5}), 422, "validation_failed")


def test_a_skipped_task_is_never_seen_again_and_a_released_one_may_be(api, token):
    api.create()
    released = claim(api, token)
    answer = verb(api, token, released["assignment_id"], "release")
    assert (answer.status_code, answer.json["status"]) == (200, "released")

    skipped = claim(api, token)
    assert skipped["task"] == released["task"]
    answer = verb(api, token, skipped["assignment_id"], "skip", {"reason": "너무 어두워요"})
    assert (answer.status_code, answer.json["status"]) == (200, "skipped")
    assert api.post("/v1/work/claim", key=token).status_code == 204
    assert claim(api, api.worker("Yuna"))["task"] == released["task"]


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("skip", {"reason": 7}),
        ("skip", {"reason": "x" * 1001}),
        ("skip", {"why": "x"}),
        ("release", {"reason": "x"}),
        ("renew", {"lease": 60}),
    ],
)
def test_a_wrong_body_changes_nothing(api, token, name, body):
    api.create()
    held = claim(api, token)["assignment_id"]

    problem(verb(api, token, held, name, body), 422, "validation_failed")
    assert [each["assignment_id"] for each in api.get("/v1/work/assignments", key=token).json] == [held]


@pytest.mark.parametrize("name", ["submit", "renew", "skip", "release"])
def test_the_assignment_of_another_worker_is_not_there(api, token, name):
    api.create()
    held = claim(api, token)["assignment_id"]
    body = {"response": {"choice": "a"}} if name == "submit" else None

    for wrong, key in ((held, api.worker("Yuna")), (NOBODYS, token), ("x", token)):
        problem(verb(api, key, wrong, name, body), 404, "not_found")
    assert [each["assignment_id"] for each in api.get("/v1/work/assignments", key=token).json] == [held]


def test_canceling_ends_the_lease(api, token):
    task = api.create()["external_id"]
    held = claim(api, token)["assignment_id"]
    api.post(f"/v1/tasks/{task}/cancel")

    problem(submit(api, token, held, "a"), 409, "lease_lost")
    assert api.get("/v1/work/assignments", key=token).json == []


def test_a_revoked_worker_is_nobody(api, token):
    worker = api.house.accounts.list_workers()[0]
    assert api.get("/v1/work/assignments", key=token).status_code == 200
    api.house.accounts.revoke_worker(worker.id)

    problem(api.get("/v1/work/assignments", key=token), 401, "unauthenticated")
