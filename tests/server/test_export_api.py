"""Exporting every task, streamed and restartable."""

from __future__ import annotations

import json

import pytest

from support.api import NDJSON, problem


def exported(api, query: str = "", **more):
    answer = api.get("/v1/export", query=query, **more)
    assert answer.status_code == 200, answer.text
    return [json.loads(line) for line in answer.text.splitlines()]


def test_every_task_is_a_line_of_the_same_document_newest_first(api):
    tasks = [api.create(instruction=f"큰 {n}") for n in range(3)]
    answer = api.get("/v1/export")

    assert answer.headers["content-type"] == NDJSON
    assert answer.headers["content-disposition"] == 'attachment; filename="tasks.jsonl"'
    assert exported(api) == tasks[::-1]
    assert exported(api, "format=jsonl") == tasks[::-1]
    assert exported(api, key=api.test) == []


def test_more_than_a_page_is_exported(api):
    account = api.account.account_id
    drafts = [
        api.house.engine.draft_task(account=account, task_type="pick", params={"options": ["a"]}) for _ in range(1201)
    ]
    created = [task.external_id for task in api.house.engine.create_tasks(drafts)]

    assert [task["external_id"] for task in exported(api)] == sorted(created, reverse=True)


def test_an_export_that_broke_off_goes_on_after_the_last_task(api):
    tasks = [api.create() for _ in range(4)][::-1]

    assert exported(api, f"cursor={tasks[1]['external_id'].upper()}") == tasks[2:]
    assert exported(api, f"cursor={tasks[3]['external_id']}") == []


def test_the_filters_of_lists_choose(api):
    api.create()
    chosen = api.create(metadata={"order": "7"})

    assert exported(api, "metadata[order]=7&task_type=choose&status=pending") == [chosen]
    assert exported(api, "status=completed") == []


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("cursor=", "invalid_cursor"),
        ("cursor=x", "invalid_cursor"),
        ("cursor=019b7ca9-0000-7000-8000-000000000000", "invalid_cursor"),
        ("format=xml", "invalid_parameter"),
        ("format=", "invalid_parameter"),
        ("limit=7", "unknown_parameter"),
        ("format=jsonl&format=jsonl", "invalid_parameter"),
        ("status=nothing", "invalid_parameter"),
    ],
)
def test_a_wrong_parameter_is_a_400(shared_api, query, code):
    problem(shared_api.get("/v1/export", query=query), 400, code)


def test_the_cursor_of_another_account_is_none(api):
    task = api.create()["external_id"]
    other = api.house.accounts.create("other@example.com")

    problem(api.get("/v1/export", query=f"cursor={task}", key=other.live_key), 400, "invalid_cursor")
    problem(api.get("/v1/export", query=f"cursor={task}", key=api.test), 400, "invalid_cursor")
