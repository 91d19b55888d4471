from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from click.testing import CliRunner, Result

from support.fake_service import answer, body_of, problem, script_every_session
from workersai_server.cli import cli

TASK = {
    "external_id": "t1",
    "task_type": "categorization",
    "response": {},
    "status": "pending",
    "created_at": "2030-01-02T00:00:00Z",
    "completed_at": None,
}
DONE = {**TASK, "status": "completed", "response": {"category": "좋음"}}
DELIVERY = {
    "id": "d1",
    "event": "completed",
    "url": "http://hooks.test/",
    "state": "pending",
    "next_attempt_at": "2030-01-02T00:00:05Z",
    "attempts": [{"n": 1, "at": "2030-01-02T00:00:00Z", "status": 500, "latency_ms": 3, "error": None, "answer": ""}],
}


def run(*arguments: str, key: str | None = "live_key", stdin: str | None = None) -> Result:
    return CliRunner().invoke(cli, arguments, env={"WORKERSAI_API_KEY": key}, input=stdin)


def answers(monkeypatch: pytest.MonkeyPatch, *given: requests.Response | Exception) -> Any:
    return script_every_session(monkeypatch, *given)


def test_create_sends_what_was_given_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    sent = answers(monkeypatch, answer(201, TASK))
    params = '{"attachment_type": "text", "attachment": "x", "categories": ["a", "b"]}'
    result = run("tasks", "create", "--params", params, "--overlap", "3", "--tag", "a", "--tag", "b", "--json")
    assert (result.exit_code, json.loads(result.stdout)) == (0, TASK)
    assert body_of(sent[0]) == {"params": json.loads(params), "overlap": 3, "tags": ["a", "b"]}
    assert sent[0].headers["Authorization"] == "Bearer live_key"


@pytest.mark.parametrize("given", ["-", "@params.json"])
def test_params_come_from_a_file_or_standard_input(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, given: str) -> None:
    monkeypatch.chdir(tmp_path)
    Path("params.json").write_text('{"attachment": "좋아요"}', encoding="utf-8")
    sent = answers(monkeypatch, answer(201, TASK))
    result = run("tasks", "create", "--params", given, stdin='{"attachment": "좋아요"}')
    assert result.exit_code == 0
    assert body_of(sent[0]) == {"params": {"attachment": "좋아요"}}


@pytest.mark.parametrize("given", ["{", "[]", "@nowhere.json"])
def test_params_that_are_no_object_are_a_usage_error(given: str) -> None:
    result = run("tasks", "create", "--params", given)
    assert result.exit_code == 2
    assert "--params" in result.stderr


def test_create_waits_for_the_result(monkeypatch: pytest.MonkeyPatch) -> None:
    answers(monkeypatch, answer(201, TASK), answer(200, DONE))
    result = run("tasks", "create", "--wait", "5")
    assert result.exit_code == 0
    assert result.stdout == 't1  categorization  completed\n{\n  "category": "좋음"\n}\n'
    assert "waiting" in result.stderr


def test_list_prints_columns_and_passes_the_filters(monkeypatch: pytest.MonkeyPatch) -> None:
    sent = answers(monkeypatch, answer(200, [TASK, DONE, DONE]))
    result = run("tasks", "list", "--status", "completed", "--metadata", "batch=7", "--limit", "2")
    assert result.exit_code == 0
    assert [line.split() for line in result.stdout.splitlines()] == [
        ["external_id", "task_type", "status", "created_at", "completed_at"],
        ["t1", "categorization", "pending", "2030-01-02T00:00:00Z", "-"],
        ["t1", "categorization", "completed", "2030-01-02T00:00:00Z", "-"],
    ]
    query = parse_qs(urlsplit(sent[0].url).query)
    assert query == {"status": ["completed"], "metadata[batch]": ["7"], "limit": ["2"]}


def test_an_empty_list_is_said_to_people_and_given_to_scripts(monkeypatch: pytest.MonkeyPatch) -> None:
    answers(monkeypatch, answer(200, []), answer(200, []))
    assert run("tasks", "list").stdout == "There is no such task.\n"
    assert run("tasks", "list", "--json").stdout == "[]\n"


def test_metadata_without_a_value_is_a_usage_error() -> None:
    assert run("tasks", "list", "--metadata", "batch").exit_code == 2


@pytest.mark.parametrize(
    ("status", "code", "exit_code"),
    [
        (400, "invalid_parameter", 2),
        (401, "unauthenticated", 1),
        (402, "free_requests_exhausted", 1),
        (404, "not_found", 3),
        (409, "wrong_state", 4),
        (422, "validation_failed", 2),
        (500, "internal_error", 1),
    ],
)
def test_each_kind_of_error_has_its_exit_code_and_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, status: int, code: str, exit_code: int
) -> None:
    answers(monkeypatch, problem(status, code))
    result = run("tasks", "cancel", "t1", "--json")
    assert result.exit_code == exit_code
    error = json.loads(result.stdout)["error"]
    assert error["code"] == code
    assert error["remedy"]
    assert result.stderr.splitlines() == [f"Error: {error['detail']}", f"Next: {error['remedy']}"]


def test_without_json_an_error_leaves_standard_output_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    answers(monkeypatch, problem(404, "not_found"))
    assert run("tasks", "get", "t1").stdout == ""


def test_no_service_says_how_to_start_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    answers(monkeypatch, *[requests.ConnectionError("refused")] * 3)
    result = run("tasks", "get", "t1")
    assert result.exit_code == 1
    assert "workersai serve" in result.stderr.splitlines()[-1]


def test_no_key_says_how_to_get_one() -> None:
    result = run("tasks", "get", "t1", key=None)
    assert result.exit_code == 2
    assert "accounts create" in result.stderr.splitlines()[-1]


def test_callbacks_are_listed_with_their_last_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    fresh = {**DELIVERY, "id": "d2", "attempts": []}
    failed = {**DELIVERY, "id": "d3", "attempts": [{**DELIVERY["attempts"][0], "status": None, "error": "timeout"}]}
    answers(monkeypatch, answer(200, [DELIVERY, fresh, failed]), answer(200, [DELIVERY]))
    rows = [line.split()[:5] for line in run("callbacks", "list", "t1").stdout.splitlines()]
    assert rows == [
        ["id", "event", "state", "tries", "last_answer"],
        ["d1", "completed", "pending", "1", "500"],
        ["d2", "completed", "pending", "0", "-"],
        ["d3", "completed", "pending", "1", "timeout"],
    ]
    assert json.loads(run("callbacks", "list", "t1", "--json").stdout) == [DELIVERY]


def test_one_callback_or_all_since_a_time_are_replayed(monkeypatch: pytest.MonkeyPatch) -> None:
    sent = answers(monkeypatch, answer(202, {"queued": 1}), answer(202, {"queued": 7}))
    assert json.loads(run("callbacks", "replay", "d1", "--json").stdout) == {"queued": 1}
    assert run("callbacks", "replay", "--since", "2030-01-02T00:00:00Z").stdout == "7 deliveries are queued again.\n"
    assert [urlsplit(request.url).path for request in sent] == ["/v1/callbacks/d1/replay", "/v1/callbacks/replay"]


@pytest.mark.parametrize("arguments", [(), ("d1", "--since", "2030-01-02T00:00:00Z")])
def test_a_replay_names_either_one_or_a_time(arguments: tuple[str, ...]) -> None:
    assert run("callbacks", "replay", *arguments).exit_code == 2
