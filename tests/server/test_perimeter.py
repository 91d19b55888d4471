"""What holds for every request: its id, headers, limits per key, other origins, the access log."""

from __future__ import annotations

import logging

import pytest

from support.api import problem
from workersai_server.errors import RateLimited
from workersai_server.rate_limits import RateLimits
from workersai_server.settings import RateLimit

ORIGIN = "https://app.example.com"


def test_every_answer_names_its_request(shared_api):
    answers = [shared_api.get(path) for path in ("/v1/tasks", "/v1/tasks", "/nope", "/healthz", "/v1/tasks?nope=1")]
    names = [answer.headers["x-request-id"] for answer in answers]

    assert len(set(names)) == 5
    assert all(names)


def test_the_id_a_proxy_gave_is_kept_if_it_is_harmless(shared_api):
    def answered(given: str) -> str:
        return str(shared_api.get("/healthz", headers={"X-Request-Id": given}).headers["x-request-id"])

    assert answered("0b6f5ea8-5d9c-4f7e-8f37-3d9c1d4f0a11") == "0b6f5ea8-5d9c-4f7e-8f37-3d9c1d4f0a11"
    for harmful in ("short", "x" * 65, "a b c d e f", 'quote"quote', "live_0123456789", "<script>alert"):
        assert answered(harmful) != harmful


def test_answers_are_neither_guessed_at_nor_kept_by_others(shared_api):
    answer = shared_api.get("/v1/tasks")

    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "private, no-cache"


class Clock:
    now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


class Headers(dict):
    def set_header(self, name: str, value: str) -> None:
        self[name] = value


def test_a_window_begins_with_the_first_request_and_ends_after_its_period():
    clock = Clock()
    limits = RateLimits(RateLimit(requests=2, period_s=60), clock)

    def count(caller: str) -> tuple[str, int | None]:
        headers = Headers()
        try:
            limits.count(caller, headers)
        except RateLimited as refused:
            return headers["RateLimit"], refused.extra["retry_after_s"]
        return headers["RateLimit"], None

    assert count("a") == ('"default";r=1;t=60', None)
    clock.now_s += 20.5
    assert count("a") == ('"default";r=0;t=40', None)
    assert count("a") == ('"default";r=0;t=40', 40)
    assert count("b") == ('"default";r=1;t=60', None)
    clock.now_s += 39.5
    assert count("a") == ('"default";r=1;t=60', None)


def test_windows_that_have_ended_are_forgotten(monkeypatch):
    monkeypatch.setattr("workersai_server.rate_limits._MOST", 3)
    clock = Clock()
    limits = RateLimits(RateLimit(requests=2, period_s=10), clock)
    for caller in "abc":
        limits.count(caller, Headers())
    clock.now_s += 11
    limits.count("d", Headers())

    assert len(limits) == 1


def test_each_key_has_its_own_limit_and_is_told_of_it(api_with):
    api = api_with(rate_limit=RateLimit(requests=2, period_s=3600))
    first, second, third = (api.get("/v1/tasks") for _ in range(3))

    assert [answer.headers["ratelimit-policy"] for answer in (first, second, third)] == ['"default";q=2;w=3600'] * 3
    assert [answer.headers["ratelimit"].split(";")[1] for answer in (first, second, third)] == ["r=1", "r=0", "r=0"]
    problem(third, 429, "rate_limited")
    assert 3590 <= int(third.headers["retry-after"]) <= 3600
    assert api.get("/v1/tasks", key=api.test).status_code == 200
    assert api.get("/v1/work/assignments", key=api.worker()).status_code == 200
    assert api.get("/healthz").status_code == 200


def test_without_a_limit_there_are_no_headers_of_it(api_with):
    assert "ratelimit" not in api_with(rate_limit=None).get("/v1/tasks").headers


def test_what_is_refused_for_the_limit_changes_nothing(api_with):
    api = api_with(rate_limit=RateLimit(requests=1, period_s=3600))
    api.create()

    problem(api.post("/v1/tasks", {"task_type": "pick", "params": {"options": ["a"]}}), 429, "rate_limited")
    assert len(api.house.engine.list_tasks(account=api.account.account_id).tasks) == 1


def test_other_origins_may_not_read_answers_unless_they_are_allowed(shared_api, api_with):
    closed = shared_api.get("/v1/tasks", headers={"Origin": ORIGIN})
    assert not any(name.startswith("access-control") for name in closed.headers)

    api = api_with(cors_origins=(ORIGIN,))
    allowed = api.get("/v1/tasks", headers={"Origin": ORIGIN})
    assert allowed.headers["access-control-allow-origin"] == ORIGIN
    assert "Link" in allowed.headers["access-control-expose-headers"]
    refused = api.get("/v1/tasks", headers={"Origin": ORIGIN}, key="nonsense")
    assert (refused.status_code, refused.headers["access-control-allow-origin"]) == (401, ORIGIN)
    other = api.get("/v1/tasks", headers={"Origin": "https://evil.example.com"})
    assert "access-control-allow-origin" not in other.headers


def test_a_preflight_is_answered_without_a_key(api_with):
    api = api_with(cors_origins=(ORIGIN,))
    headers = {
        "Origin": ORIGIN,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,idempotency-key",
    }
    answer = api.ask("OPTIONS", "/v1/tasks", key=None, headers=headers)

    assert answer.status_code == 200
    assert answer.headers["access-control-allow-methods"] == "GET, HEAD, POST"
    assert answer.headers["access-control-allow-headers"] == "authorization,idempotency-key"


@pytest.mark.parametrize("wanted", [True, False])
def test_requests_are_logged_when_that_is_wanted(api_with, caplog, wanted):
    api = api_with(access_log=wanted)
    with caplog.at_level(logging.INFO, "workersai.access"):
        answer = api.get("/v1/tasks/x", query="")
    records = [record for record in caplog.records if record.name == "workersai.access"]

    assert len(records) == int(wanted)
    for record in records:
        assert record.getMessage() == "GET /v1/tasks/x 404"
        assert record.request_id == answer.headers["x-request-id"]
        assert (record.method, record.route, record.status) == ("GET", "/v1/tasks/{external_id}", 404)
        assert record.caller == api.get("/v1/keys").json[0]["id"]
        assert record.duration_ms >= 0
