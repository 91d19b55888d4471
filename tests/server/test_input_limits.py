"""What is refused before any plugin sees it."""

from __future__ import annotations

import json

import pytest
from falcon.testing import StartResponseMock, create_environ

from support.api import FORM, HOST, pointers, problem, right

JSON = {"Content-Type": "application/json"}


def deep(levels: int) -> str:
    """Return a create body whose metadata makes it so many levels deep."""
    return json.dumps(right())[:-1] + ', "metadata": {"a":' + "[" * (levels - 2) + "]" * (levels - 2) + "}}"


def wide(values: int) -> str:
    return json.dumps(right(metadata={"a": 0}))[:-2] + ', "b": [' + ",".join("1" * values) + "]}}"


def post(api, body, headers=None):
    return api.post("/v1/tasks", body, headers={**JSON, **(headers or {})})


@pytest.mark.parametrize(
    "body",
    [
        "{",
        "",
        " ",
        "nonsense",
        "{'task_type': 'pick'}",
        '{"task_type": "pick",}',
        '{"a": 1} {"b": 2}',
        '{"metadata": {"a": 1, "a": 2}}',
        '{"task_type": "pick", "task_type": "pick"}',
        '{"metadata": {"a": NaN}}',
        '{"metadata": {"a": Infinity}}',
        '{"metadata": {"a": -Infinity}}',
        '{"metadata": {"a": 1e400}}',
        '{"metadata": {"a": -1e400}}',
        '{"metadata": {"a": 9223372036854775808}}',
        '{"metadata": {"a": -9223372036854775809}}',
        '{"metadata": {"a": ' + "9" * 5000 + "}}",
        '{"metadata": {"a": 01}}',
        '{"metadata": {"a": "\\ud800"}}',
        '{"metadata": {"a": "\\udc00\\ud800"}}',
        '{"metadata": {"\\ud800": 1}}',
        '{"metadata": {"a": "\\u0000"}}',
        '{"metadata": {"a\\u0000": 1}}',
        '{"metadata": {"a": "\t"}}',
        deep(33),
        "[" * 100_000,
        '{"metadata": ' * 5000,
        wide(20_000),
        b"\xef\xbb\xbf{}",
        b'{"instruction": "\xff"}',
        b'{"instruction": "\xed\xa0\x80"}',
        '{"instruction": "x"}'.encode("utf-16"),
    ],
)
def test_what_is_not_strict_json_is_a_400(shared_api, body):
    problem(post(shared_api, body), 400, "invalid_json")


@pytest.mark.parametrize("body", ["[]", '"text"', "7", "null", "true", "[{}]"])
def test_a_body_that_is_no_object_is_a_400(shared_api, body):
    problem(post(shared_api, body), 400, "invalid_body")


@pytest.mark.parametrize("body", [deep(32), wide(19_000)])
def test_what_is_just_within_the_limits_is_read(shared_api, body):
    answer = post(shared_api, body)

    assert answer.status_code in (201, 422)
    assert answer.status_code == 201 or pointers(answer.json) == ["#/metadata"]


@pytest.mark.parametrize(
    "value", [2**63 - 1, -(2**63), 1e308, 5e-324, 0.1, 1e22, "\U0001f600", "e\u0301", "\x7f", "\u2028", ""]
)
def test_extreme_values_come_back_as_they_were(shared_api, value):
    assert shared_api.create(metadata={"a": value})["metadata"] == {"a": value}


def test_the_place_of_an_offence_is_told(shared_api):
    document = problem(post(shared_api, '{"metadata": {"a": [1, {"b": NaN}]}}'), 400, "invalid_json")

    assert pointers(document) == ["#/metadata/a/1/b"]
    assert "line 1, column 2" in problem(post(shared_api, "{nonsense"), 400, "invalid_json")["detail"]


def test_a_body_may_have_a_mebibyte(shared_api):
    body = json.dumps(right()) + " " * (1_048_576 - len(json.dumps(right())))

    assert post(shared_api, body).status_code == 201
    document = problem(post(shared_api, body + " "), 413, "payload_too_large")
    assert "1048576" in document["detail"]


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("application/json", 201),
        ("APPLICATION/JSON", 201),
        ("application/json; charset=utf-8", 201),
        ('application/json;Charset="UTF-8"', 201),
        ("application/json; charset=utf8", 201),
        ("application/json; profile=x", 201),
        ("application/json; charset=latin-1", 415),
        ("application/json; charset=utf-16", 415),
        ("application/x-ndjson", 415),
        ("application/merge-patch+json", 415),
        ("text/plain", 415),
        ("text/json", 415),
        ("multipart/form-data; boundary=x", 415),
        ("nonsense", 415),
    ],
)
def test_only_json_and_forms_in_utf_8_are_read(shared_api, content_type, status):
    answer = shared_api.post("/v1/tasks", json.dumps(right()), headers={"Content-Type": content_type})

    assert answer.status_code == status
    if status == 415:
        problem(answer, 415, "unsupported_media_type")


def test_a_body_without_a_content_type_is_json(shared_api):
    assert shared_api.post("/v1/tasks", json.dumps(right())).status_code == 201


def test_a_compressed_body_is_not_read(shared_api):
    problem(post(shared_api, "{}", {"Content-Encoding": "gzip"}), 415, "unsupported_media_type")


def test_json_that_was_sent_as_a_form_is_told_apart(shared_api):
    answer = shared_api.post("/v1/tasks", json.dumps(right()), headers={"Content-Type": FORM})

    assert "application/json" in problem(answer, 400, "invalid_body")["detail"]


@pytest.mark.parametrize("accept", ["text/html", "application/xml, text/*;q=0.5", "application/json;q=0", "nonsense"])
def test_an_answer_that_is_not_wanted_is_not_made(shared_api, accept):
    before = len(shared_api.get("/v1/tasks").json)
    problem(post(shared_api, json.dumps(right()), {"Accept": accept}), 406, "not_acceptable")

    assert len(shared_api.get("/v1/tasks").json) == before


@pytest.mark.parametrize("accept", ["*/*", "application/*", "text/html, */*;q=0.1", "APPLICATION/JSON", ""])
def test_json_is_what_most_accept(shared_api, accept):
    assert shared_api.get("/v1/tasks", headers={"Accept": accept}).status_code == 200


def test_an_address_may_have_8_kilobytes(shared_api):
    path, query = "/v1/tasks", "task_type="
    room = 8192 - len(path) - len(query)

    assert shared_api.get(path, query=query + "x" * room).status_code == 200
    problem(shared_api.get(path, query=query + "x" * (room + 1)), 414, "uri_too_long")
    problem(shared_api.get("/v1/tasks/" + "x" * 8192), 414, "uri_too_long")
    problem(shared_api.get("/" + "x" * 9000), 414, "uri_too_long")


def test_the_length_of_the_key_counts_for_the_address(shared_api):
    problem(shared_api.get("/v1/tasks", key=None, query="api_key=" + "x" * 9000), 414, "uri_too_long")


def test_a_body_that_breaks_off_is_a_400(shared_api):
    problem(post(shared_api, "{}", {"Content-Length": "10"}), 400, "invalid_body")


@pytest.mark.parametrize("length", ["x", "-1", "1e3"])
def test_a_nonsensical_length_is_a_400(shared_api, length):
    # The test client would not send this, so the application is called directly.
    environ = create_environ("/v1/tasks", method="POST", headers=JSON, body="{}", host=HOST)
    environ["CONTENT_LENGTH"] = length
    said = StartResponseMock()
    content = b"".join(shared_api.client.app(environ, said))

    assert said.status == "400 Bad Request"
    assert json.loads(content)["code"] == "invalid_parameter"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v1/tasks"),
        ("POST", "/v1/tasks:batch"),
        ("GET", "/v1/tasks/x"),
        ("POST", "/v1/tasks/x/cancel"),
        ("GET", "/v1/tasks/x/events"),
        ("GET", "/v1/tasks/x/callbacks"),
        ("POST", "/v1/callbacks/x/replay"),
        ("POST", "/v1/callbacks/replay"),
        ("GET", "/v1/task_types"),
        ("GET", "/v1/task_types/pick"),
        ("GET", "/v1/keys"),
        ("POST", "/v1/keys/x/roll"),
        ("POST", "/v1/keys/x/revoke"),
        ("GET", "/v1/endpoints"),
        ("POST", "/v1/endpoints/x/enable"),
        ("GET", "/v1/webhook_secrets"),
        ("POST", "/v1/webhook_secrets/roll"),
        ("GET", "/v1/export"),
        ("POST", "/v1/work/claim"),
        ("GET", "/v1/work/assignments"),
        ("POST", "/v1/work/x/submit"),
        ("POST", "/v1/work/x/renew"),
        ("POST", "/v1/work/x/skip"),
        ("POST", "/v1/work/x/release"),
        ("GET", "/healthz"),
        ("GET", "/readyz"),
        ("GET", "/metrics"),
    ],
)
def test_no_route_takes_a_parameter_it_does_not_know(shared_api, method, path):
    problem(shared_api.ask(method, path, query="nope=1"), 400, "unknown_parameter")
