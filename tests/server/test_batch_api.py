"""Many tasks in one request; a bad line fails alone."""

from __future__ import annotations

import json

import pytest

from support.api import NDJSON, pointers, problem, right

LINES = {"Content-Type": NDJSON}


def batch(api, tasks, **more):
    """Send tasks as NDJSON and return what became of each."""
    body = "\n".join(each if isinstance(each, str) else json.dumps(each, ensure_ascii=False) for each in tasks)
    answer = api.post("/v1/tasks:batch", body, headers=LINES, **more)
    assert (answer.status_code, answer.headers["content-type"]) == (200, NDJSON), answer.text
    return [json.loads(line) for line in answer.text.splitlines()]


def test_the_results_come_in_the_order_and_form_of_the_request(api):
    tasks = [right(unique_id=f"n{n}") for n in range(5)]
    for results in (batch(api, tasks[:3]), api.post("/v1/tasks:batch", tasks[3:]).json):
        assert [list(result) for result in results] == [["line", "status", "external_id"]] * len(results)
        assert [result["line"] for result in results] == list(range(1, len(results) + 1))
        assert {result["status"] for result in results} == {201}
    stored = {task["external_id"]: task["unique_id"] for task in api.get("/v1/tasks").json}
    assert [stored[result["external_id"]] for result in batch(api, [])] == []
    assert sorted(stored.values()) == ["n0", "n1", "n2", "n3", "n4"]


def test_the_form_of_the_request_is_that_of_the_answer(api):
    as_array = api.post("/v1/tasks:batch", [right()])
    assert as_array.headers["content-type"] == "application/json"
    assert [result["status"] for result in as_array.json] == [201]
    for accept in ("application/json", NDJSON, "*/*"):
        assert api.post("/v1/tasks:batch", "", headers={**LINES, "Accept": accept}).status_code == 200
    problem(api.post("/v1/tasks:batch", [], headers={"Accept": "text/html"}), 406, "not_acceptable")


def test_one_bad_line_does_not_fail_the_rest(api):
    results = batch(
        api,
        [
            right(),
            "{nonsense",
            "[]",
            right(priority=101, colour="red"),
            right(task_type="picc"),
            '{"task_type": "pick", "task_type": "pick"}',
            right(deadline_at="2030-01-01T00:00:00"),
            right(api_key=api.live),
            right(callback_url=""),
            right(),
        ],
    )

    assert [(result["line"], result["status"]) for result in results] == [
        (1, 201),
        (2, 400),
        (3, 400),
        (4, 422),
        (5, 422),
        (6, 400),
        (7, 400),
        (8, 422),
        (9, 422),
        (10, 201),
    ]
    errors = [result["error"] for result in results[1:9]]
    assert [list(error)[:7] for error in errors] == [
        ["type", "title", "status", "detail", "code", "request_id", "errors"]
    ] * 8
    assert [error["code"] for error in errors] == [
        "invalid_json",
        "invalid_body",
        "validation_failed",
        "unknown_task_type",
        "invalid_json",
        "invalid_body",
        "validation_failed",
        "validation_failed",
    ]
    assert pointers(errors[2]) == ["#/colour", "#/priority"]
    assert len(api.get("/v1/tasks").json) == 2


def test_the_elements_of_an_array_fail_alone_too(api):
    body = (
        f'[ {json.dumps(right())} ,\n {{"a": 1, "a": 2}}, {{"metadata": NaN}}, 7,'
        f" {json.dumps(right(instruction='큰 개 ] , [ }'))}]"
    )
    results = api.post("/v1/tasks:batch", body).json

    assert [result["status"] for result in results] == [201, 400, 400, 400, 201]
    assert api.get("/v1/tasks").json[0]["instruction"] == "큰 개 ] , [ }"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("{}", "invalid_body"),
        ("7", "invalid_body"),
        ("", "invalid_body"),
        ("[", "invalid_json"),
        ("[{}", "invalid_json"),
        ("[{},]", "invalid_json"),
        ("[{} {}]", "invalid_json"),
        ("[] []", "invalid_json"),
        ("[{]", "invalid_json"),
        ("[" * 50_000, "invalid_json"),
        (b"\xef\xbb\xbf[]", "invalid_json"),
        (b"[\xff]", "invalid_json"),
    ],
)
def test_an_array_that_cannot_be_read_fails_as_a_whole(shared_api, body, code):
    problem(shared_api.post("/v1/tasks:batch", body), 400, code)


def test_blank_lines_count_for_the_numbers_and_nothing_else(api):
    body = f"\n{json.dumps(right())}\r\n\n  \n{json.dumps(right())}\n\n"
    answer = api.post("/v1/tasks:batch", body, headers=LINES)

    assert [json.loads(line)["line"] for line in answer.text.splitlines()] == [2, 5]


def test_separators_inside_texts_do_not_end_a_line(api):
    assert [result["status"] for result in batch(api, [right(instruction="a\u2028b\u0085c")])] == [201]
    assert api.get("/v1/tasks").json[0]["instruction"] == "a\u2028b\u0085c"


def test_a_line_that_is_no_utf_8_fails_alone(api):
    body = json.dumps(right()).encode() + b'\n{"instruction": "\xff"}\n' + json.dumps(right()).encode()
    answer = api.post("/v1/tasks:batch", body, headers=LINES)

    assert [json.loads(line)["status"] for line in answer.text.splitlines()] == [201, 400, 201]


def test_a_batch_has_at_most_10_000_lines(shared_api):
    results = batch(shared_api, ["7"] * 10_000)
    assert (len(results), results[-1]["line"]) == (10_000, 10_000)

    for headers, body in ((LINES, "7\n" * 10_001), ({}, "[" + "7," * 10_000 + "7]")):
        document = problem(shared_api.post("/v1/tasks:batch", body, headers=headers), 413, "payload_too_large")
        assert "10001" in document["detail"]


def test_a_line_has_at_most_256_kilobytes(api):
    room = 256 * 1024 - len(json.dumps(right()))
    fits, too_long = (json.dumps(right()) + " " * (room + more) for more in (0, 1))
    results = batch(api, [fits, too_long, right()])
    long_element = right(metadata={"a": "x" * 256 * 1024})

    assert [result["status"] for result in results] == [201, 413, 201]
    assert results[1]["error"]["code"] == "payload_too_large"
    answer = api.post("/v1/tasks:batch", [long_element, right()])
    assert [result["status"] for result in answer.json] == [413, 201]


def test_a_batch_has_at_most_10_mebibytes(shared_api):
    body = " " * (10 * 1_048_576)

    assert shared_api.post("/v1/tasks:batch", body, headers=LINES).status_code == 200
    problem(shared_api.post("/v1/tasks:batch", body + " ", headers=LINES), 413, "payload_too_large")


def test_forms_are_no_batches(shared_api):
    answer = shared_api.post("/v1/tasks:batch", "a=1", headers={"Content-Type": "application/x-www-form-urlencoded"})

    problem(answer, 415, "unsupported_media_type")


def test_the_free_requests_are_counted_line_by_line(api_with):
    api = api_with(unlimited=False)
    answer = api.post("/v1/tasks:batch", [right(), right(priority=101), right(), right()])
    assert answer.headers["x-free-requests-remaining"] == "2"

    results = api.post("/v1/tasks:batch", [right()] * 4)
    assert [result["status"] for result in results.json] == [201, 201, 402, 402]
    assert results.json[2]["error"]["code"] == "free_requests_exhausted"
    assert results.headers["x-free-requests-remaining"] == "0"
    assert len(api.get("/v1/tasks").json) == 5


def test_lines_may_carry_a_unique_id_which_is_refused_the_second_time(api):
    results = batch(api, [right(unique_id="a"), right(unique_id="a"), right(unique_id="b")])

    assert [result["status"] for result in results] == [201, 409, 201]
    assert results[1]["error"]["code"] == "duplicate_task"
    assert results[1]["error"]["external_id"] == results[0]["external_id"]
    assert [result["status"] for result in batch(api, [right(unique_id="a"), right(unique_id="c")])] == [409, 201]


def test_a_batch_under_a_test_key_makes_test_tasks(api):
    batch(api, [right()], key=api.test)

    assert [task["is_test"] for task in api.get("/v1/tasks", key=api.test).json] == [True]
    assert api.get("/v1/tasks").json == []


def test_the_errors_of_lines_speak_the_clients_language(api):
    answer = api.post("/v1/tasks:batch", [right(priority=101)], headers={"Accept-Language": "ko"})

    assert answer.json[0]["error"]["errors"][0]["detail"] == "100 이하여야 합니다. 지금은 101입니다."


def test_a_file_in_a_format_is_a_batch_too(api):
    lines = "\n".join([json.dumps(right(unique_id="one")), "[]", ""])
    created, wrong = api.post("/v1/tasks:batch", lines, query="format=jsonl").json
    assert (1, 201) == (created["line"], created["status"])
    assert (2, 422, "invalid_row") == (wrong["line"], wrong["status"], wrong["error"]["errors"][0]["code"])
    problem(api.post("/v1/tasks:batch", lines, query="format=nothing"), 400, "invalid_parameter")
    problem(api.post("/v1/tasks:batch", lines, query="formats=jsonl"), 400, "unknown_parameter")


def test_the_same_bytes_in_another_format_are_another_request(api):
    headers = {"Idempotency-Key": "k"}
    body = json.dumps(right())
    assert 201 == api.post("/v1/tasks:batch", body, query="format=jsonl", headers=headers).json[0]["status"]
    assert (
        "true"
        == api.post("/v1/tasks:batch", body, query="format=jsonl", headers=headers).headers["idempotency-replayed"]
    )
    problem(api.post("/v1/tasks:batch", f"[{body}]", headers=headers), 422, "idempotency_key_reused")
