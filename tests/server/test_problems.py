"""Every 4xx and 5xx on every route is a problem document."""

from __future__ import annotations

import logging

import orjson
import pytest
from falcon.testing import StartResponseMock, create_environ

from support.api import HOST, PROBLEM_KEYS, pointers, problem, right
from workersai_core import PluginFailed, StoreBusy, StoreUnavailable
from workersai_core.api import Rejected, hookimpl
from workersai_server.keys import new_key


@pytest.mark.parametrize(
    "path", ["/nope", "/v1", "/v1/nope", "/v2/tasks", "/v1/tasks/a/b/c", "/v1/work", "/.env", "//"]
)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_an_unknown_address_is_a_404(shared_api, method, path):
    document = problem(shared_api.ask(method, path, key=None), 404, "not_found")

    assert document["errors"] == []


@pytest.mark.parametrize(
    "path", ["/v1/tasks/", "/v1/tasks:batch/", "/healthz/", "/v1/work/claim/", "/v1/tasks/x/cancel/"]
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_trailing_slash_is_a_404(shared_api, method, path):
    problem(shared_api.ask(method, path), 404, "not_found")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/v1/tasks", "GET, HEAD, POST, OPTIONS"),
        ("DELETE", "/v1/tasks/x", "GET, HEAD, OPTIONS"),
        ("PATCH", "/v1/tasks/x", "GET, HEAD, OPTIONS"),
        ("GET", "/v1/tasks/x/cancel", "POST, OPTIONS"),
        ("GET", "/v1/tasks:batch", "POST, OPTIONS"),
        ("HEAD", "/v1/work/claim", "POST, OPTIONS"),
        ("POST", "/v1/task_types", "GET, HEAD, OPTIONS"),
        ("POST", "/healthz", "GET, HEAD, OPTIONS"),
    ],
)
def test_a_method_that_an_address_does_not_take_is_a_405_that_lists_those_it_takes(shared_api, method, path, allowed):
    answer = shared_api.ask(method, path)

    assert (answer.status_code, answer.headers["allow"]) == (405, allowed)
    if method != "HEAD":
        assert allowed in problem(answer, 405, "method_not_allowed")["detail"]


def test_options_lists_the_methods_without_a_key(shared_api):
    answer = shared_api.ask("OPTIONS", "/v1/tasks", key=None)

    assert (answer.status_code, answer.headers["allow"]) == (200, "GET, HEAD, POST")


def test_the_same_problem_in_korean(shared_api):
    answer = shared_api.post("/v1/tasks", right(overlap=99), headers={"Accept-Language": "ko-KR,en;q=0.5"})
    document = problem(answer, 422, "validation_failed")

    assert (answer.headers["content-language"], answer.headers["vary"]) == ("ko", "Accept-Language")
    assert (document["title"], document["detail"]) == ("검증 실패", "값 1개가 잘못되었습니다. 생성된 것은 없습니다.")
    assert document["errors"] == [
        {"pointer": "#/overlap", "code": "too_large", "detail": "20 이하여야 합니다. 지금은 99입니다."}
    ]
    english = shared_api.post("/v1/tasks", right(overlap=99))
    assert english.headers["content-language"] == "en"
    assert pointers(english.json) == pointers(document)


class Breaking:
    """A plugin that raises what it is told to."""

    name = "breaking"

    def __init__(self) -> None:
        self.error: Exception | None = None

    @hookimpl
    def before_task_create(self, ctx, draft):
        if self.error is not None:
            raise self.error


@pytest.fixture
def breaking() -> Breaking:
    return Breaking()


@pytest.fixture
def fragile(api_with, breaking):
    return api_with(plugins=[breaking])


def test_a_plugin_that_fails_is_named_and_its_words_are_not_told(fragile, breaking, caplog):
    breaking.error = RuntimeError("the password is swordfish")
    answer = fragile.post("/v1/tasks", right())
    document = problem(answer, 500, "plugin_failed")

    assert "breaking" in document["detail"]
    assert "swordfish" not in answer.text
    assert "swordfish" in caplog.text
    assert fragile.get("/v1/tasks").json == []


def test_a_plugins_veto_is_a_422_with_its_issues(fragile, breaking):
    from workersai_core.api import Issue

    breaking.error = Rejected("Not today.", issues=[Issue("/params/options/0", "Not this one.", "taboo")])
    document = problem(fragile.post("/v1/tasks", right()), 422, "validation_failed")

    assert document["detail"] == "Not today."
    assert document["errors"] == [{"pointer": "#/params/options/0", "code": "taboo", "detail": "Not this one."}]


@pytest.mark.parametrize("error", [StoreBusy("the queue is full"), StoreUnavailable("/var/db: disk full")])
def test_trouble_with_the_database_is_a_503_that_says_when_to_retry(api, monkeypatch, error, caplog):
    def fail(*_):
        raise error

    monkeypatch.setattr(api.house.engine.store, "write", fail)
    answer = api.post("/v1/tasks", right())
    problem(answer, 503, "unavailable")

    assert answer.headers["retry-after"] == "1"
    assert "disk" not in answer.text
    assert error.detail in caplog.text


def test_a_mistake_of_ours_tells_its_request_id_and_nothing_else(api, monkeypatch, caplog):
    def fail(*_, **__):
        raise ZeroDivisionError("secret circumstances")

    monkeypatch.setattr(api.house.engine, "list_tasks", fail)
    with caplog.at_level(logging.ERROR, "workersai.http"):
        answer = api.get("/v1/tasks")
    document = problem(answer, 500, "internal_error")

    assert list(document) == PROBLEM_KEYS
    assert "secret circumstances" not in answer.text
    assert "ZeroDivisionError" not in answer.text
    (record,) = [each for each in caplog.records if each.name == "workersai.http" and each.levelno == logging.ERROR]
    assert record.request_id == document["request_id"]
    assert "ZeroDivisionError: secret circumstances" in caplog.text


def test_an_error_of_the_engine_that_is_no_clients_fault_is_a_500(api, monkeypatch):
    def fail(*_, **__):
        raise PluginFailed("The plugin x failed.")

    monkeypatch.setattr(api.house.engine, "list_tasks", fail)
    assert problem(api.get("/v1/tasks"), 500, "plugin_failed")["detail"] == "The plugin x failed."


def test_the_key_is_masked_wherever_a_problem_repeats_what_was_sent(shared_api):
    key = new_key("live")
    answers = [
        shared_api.post("/v1/tasks", right(**{key: 1})),
        shared_api.post("/v1/tasks", right(task_type=key)),
        shared_api.post(f"/v1/keys/{key}/revoke"),
        shared_api.post(f"/v1/keys/{key.upper()}/revoke"),
        shared_api.get("/v1/tasks", query=f"{key}=1"),
        shared_api.get("/v1/tasks", query=f"status={key}"),
        shared_api.post("/v1/tasks:batch", [right(**{key: 1})]),
        shared_api.get(f"/v1/task_types/{key}"),
    ]

    for answer in answers:
        assert key.lower() not in answer.text.lower()
        assert key.lower() not in str(answer.headers).lower()


def test_a_task_type_whose_plugin_failed_is_unavailable(api_with):
    class Bad:
        name = "bad"

        @hookimpl
        def register_task_types(self):
            from workersai_core.api import TaskType

            class Broken(TaskType):
                """It has no schemas."""

                name = "broken"
                params_schema = {"type": "object"}
                response_schema = {"type": "object"}

            return [Broken()]

    api = api_with(plugins=[Bad()])
    document = problem(api.post("/v1/tasks", right(task_type="broken")), 422, "task_type_unavailable")

    assert pointers(document) == ["#/task_type"]
    assert (api.get("/readyz").status_code, api.get("/readyz").json["status"]) == (200, "degraded")
    assert api.get("/readyz").json["checks"]["plugins"]["bad"] == "failed"


@pytest.mark.parametrize("method", ["BREW", "get", "WEBSOCKET"])
@pytest.mark.parametrize("path", ["/v1/tasks", "/nope"])
def test_a_method_that_nobody_knows_is_a_problem_too(shared_api, method, path):
    # The test client would not send this, so the application is called directly.
    environ = create_environ(path, method="GET", host=HOST)
    environ["REQUEST_METHOD"] = method
    said = StartResponseMock()
    document = orjson.loads(b"".join(shared_api.client.app(environ, said)))

    assert said.status == ("400 Bad Request" if method == "WEBSOCKET" else "405 Method Not Allowed")
    assert said.headers_dict["content-type"] == "application/problem+json"
    assert list(document) == PROBLEM_KEYS
