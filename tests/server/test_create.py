"""The body that creates a task: every field, right and wrong."""

from __future__ import annotations

import pytest

from support.api import api as make
from support.api import pointers, problem, right
from workersai_core import Policy


def test_every_field_is_stored_and_shown(api):
    fields = {
        "instruction": "Pick **one**.",
        "params": {"options": ["a", "b"]},
        "callback_url": "https://hooks.test/done?x=1",
        "metadata": {"a": {"b": [1, None, 1.5]}},
        "overlap": 3,
        "priority": 0,
        "deadline_at": "2026-01-02T13:04:05+09:00",
        "unique_id": "order-7",
        "tags": ["x", "y"],
    }
    task = api.create(**fields)

    assert {name: task[name] for name in fields} == {**fields, "deadline_at": "2026-01-02T04:04:05.000000Z"}
    assert (task["answers_wanted"], task["answers_accepted"], task["callback_state"]) == (3, 0, None)
    assert api.get(f"/v1/tasks/{task['external_id']}").json == task


def test_an_alias_is_taken_and_the_name_is_shown(api):
    assert api.create(task_type="choose")["task_type"] == "pick"


@pytest.mark.parametrize("value", [None, "absent"])
def test_without_a_callback_url_the_accounts_default_counts(api, value):
    fields = {} if value == "absent" else {"callback_url": None}
    assert api.create(**fields)["callback_url"] == "http://example.com/callback"
    api.house.accounts.set_callback_defaults(
        api.account.account_id, "https://hooks.test/mine", ["completed", "canceled"]
    )

    task = api.create(**fields)
    assert task["callback_url"] == "https://hooks.test/mine"
    api.post(f"/v1/tasks/{task['external_id']}/cancel")
    assert [each["event"] for each in api.get(f"/v1/tasks/{task['external_id']}/callbacks").json] == ["canceled"]


@pytest.mark.parametrize("name", ["deadline_at", "unique_id", "callback_url"])
def test_null_stands_for_nothing_where_nothing_is_possible(api, name):
    assert api.create(**{name: None})["status"] == "pending"


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"task_type": 1}, ["#/task_type"]),
        ({"task_type": None}, ["#/task_type"]),
        ({"task_type": ["pick"]}, ["#/task_type"]),
        ({"instruction": None}, ["#/instruction"]),
        ({"instruction": "x" * 20_001}, ["#/instruction"]),
        ({"params": None}, ["#/params"]),
        ({"params": []}, ["#/params"]),
        ({"params": {}}, ["#/params/options"]),
        ({"params": {"options": ["a", ""]}}, ["#/params/options/1"]),
        ({"params": {"options": "a"}}, ["#/params/options"]),
        ({"params": {"options": ["a"], "a/b": 1}}, ["#/params/a~1b"]),
        ({"params": {"options": ["a"], "값": 1}}, ["#/params/%EA%B0%92"]),
        ({"metadata": None}, ["#/metadata"]),
        ({"metadata": "x"}, ["#/metadata"]),
        ({"metadata": {"a": "x" * 10_240}}, ["#/metadata"]),
        ({"callback_url": ""}, ["#/callback_url"]),
        ({"callback_url": 7}, ["#/callback_url"]),
        ({"callback_url": "https://hooks.test/" + "x" * 2030}, ["#/callback_url"]),
        ({"overlap": 0}, ["#/overlap"]),
        ({"overlap": 21}, ["#/overlap"]),
        ({"overlap": "1"}, ["#/overlap"]),
        ({"overlap": True}, ["#/overlap"]),
        ({"overlap": 1.5}, ["#/overlap"]),
        ({"priority": -1}, ["#/priority"]),
        ({"priority": 101}, ["#/priority"]),
        ({"deadline_at": "tomorrow"}, ["#/deadline_at"]),
        ({"deadline_at": 1}, ["#/deadline_at"]),
        ({"deadline_at": "2026-01-02T03:04:05Z"}, ["#/deadline_at"]),
        ({"deadline_at": "2026-02-30T00:00:00Z"}, ["#/deadline_at"]),
        ({"unique_id": ""}, ["#/unique_id"]),
        ({"unique_id": "x" * 256}, ["#/unique_id"]),
        ({"unique_id": 7}, ["#/unique_id"]),
        ({"tags": "x"}, ["#/tags"]),
        ({"tags": ["x"] * 21}, ["#/tags"]),
        ({"tags": ["x", 1, ""]}, ["#/tags/1", "#/tags/2"]),
        ({"overlap": 0, "priority": 101, "params": {}}, ["#/overlap", "#/priority", "#/params/options"]),
    ],
)
def test_a_wrong_field_is_named_and_nothing_is_created(shared_api, fields, wrong):
    document = problem(shared_api.post("/v1/tasks", right(**fields)), 422, "validation_failed")

    assert pointers(document) == wrong
    assert shared_api.get("/v1/tasks").json == []


def test_a_time_without_its_zone_cannot_be_read(api):
    document = problem(api.post("/v1/tasks", right(deadline_at="2030-01-01T00:00:00")), 400, "invalid_body")

    assert pointers(document) == ["#/deadline_at"]


def test_an_unknown_field_is_named_with_what_was_meant(api):
    document = problem(api.post("/v1/tasks", right(calback_url="x", colour="red", overlap=0)), 422, "validation_failed")

    assert pointers(document) == ["#/calback_url", "#/colour", "#/overlap"]
    assert [place["code"] for place in document["errors"][:2]] == ["unknown_field", "unknown_field"]
    assert document["errors"][0]["detail"] == "There is no field calback_url here; did you mean callback_url?"
    assert "this takes task_type, instruction" in document["errors"][1]["detail"]


@pytest.mark.parametrize("name", ["external_id", "response", "status", "account", "mode", "actor", "callback_events"])
def test_what_the_service_decides_cannot_be_given(shared_api, name):
    document = problem(shared_api.post("/v1/tasks", right(**{name: "x"})), 422, "validation_failed")

    assert pointers(document) == [f"#/{name}"]


def test_an_unknown_task_type_names_the_close_one(api):
    document = problem(api.post("/v1/tasks", right(task_type="picc")), 422, "unknown_task_type")

    assert pointers(document) == ["#/task_type"]
    assert document["detail"].endswith("Did you mean pick?")


def test_at_most_32_errors_are_told(api):
    document = problem(api.post("/v1/tasks", right(**{f"field{n}": n for n in range(40)})), 422, "validation_failed")

    assert len(document["errors"]) == 32


def test_a_long_value_is_shortened_in_the_error(api):
    document = problem(api.post("/v1/tasks", right(task_type="x" * 500)), 422, "unknown_task_type")

    assert "x" * 63 + "…" in document["detail"]
    assert "x" * 64 not in document["detail"]


def test_a_unique_id_is_used_once_for_each_mode(api):
    task = api.create(unique_id="order-7")
    document = problem(api.post("/v1/tasks", right(unique_id="order-7")), 409, "duplicate_task")

    assert document["external_id"] == task["external_id"]
    assert pointers(document) == ["#/unique_id"]
    assert api.create(unique_id="order-7", key=api.test)["is_test"] is True


UNSAFE = [
    "ftp://hooks.test/",
    "http://127.0.0.1/",
    "http://10.0.0.1/",
    "http://169.254.169.254/latest",
    "http://[::1]/",
    "http://[::ffff:10.0.0.1]/",
    "http://[64:ff9b::a00:1]/",
    "http://2130706433/",
    "http://0x7f000001/",
    "http://user:secret@hooks.test/",
    "http://hooks.test\\@evil.test/",
]


@pytest.fixture(scope="module")
def careful_api():
    made = make(policy=Policy())
    yield made
    made.house.engine.close()


@pytest.mark.parametrize("url", UNSAFE)
def test_an_address_that_must_not_be_called_is_refused_at_creation(careful_api, url):
    document = problem(careful_api.post("/v1/tasks", right(callback_url=url)), 422, "unsafe_url")

    assert pointers(document) == ["#/callback_url"]


def test_a_name_is_judged_when_it_is_called(careful_api):
    assert careful_api.create(callback_url="http://localhost/")["callback_url"] == "http://localhost/"
