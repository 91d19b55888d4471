"""Liveness, readiness and metrics: for operators."""

from __future__ import annotations

import attrs
import pytest

from support.api import problem
from workersai_core import StoreUnavailable
from workersai_server.service import Service
from workersai_server.settings import Settings

TOKEN = "a token that only the operator's Prometheus knows"


def test_liveness_asks_nobody(api):
    api.house.engine.close()
    answer = api.get("/healthz", key=None)

    assert (answer.status_code, answer.json) == (200, {"status": "ok"})


def test_readiness_tells_each_check(api):
    answer = api.get("/readyz", key=None)

    assert (answer.status_code, list(answer.json), answer.json["status"]) == (200, ["status", "checks"], "ok")
    checks = answer.json["checks"]
    plugins = checks.pop("plugins")
    assert checks == {"database": "ok", "migrations": "ok", "dispatcher": "ok", "outbox_lag_s": None}
    assert {"categorization", "quota", "TestTypes"} <= plugins.keys()
    assert set(plugins.values()) == {"ok"}


def test_readiness_tells_how_long_callbacks_wait(api):
    api.complete(api.create(callback_url="http://hooks.test/")["external_id"])
    api.house.clock.advance(7)

    assert api.get("/readyz").json["checks"]["outbox_lag_s"] == 7.0


def test_without_the_database_it_is_unavailable(api, monkeypatch):
    def fail(*_):
        raise StoreUnavailable

    monkeypatch.setattr(api.house.engine.store, "read", fail)
    answer = api.get("/readyz")

    assert (answer.status_code, answer.json["status"]) == (503, "unavailable")
    assert (answer.json["checks"]["database"], answer.json["checks"]["migrations"]) == ("failed", "failed")


@pytest.mark.parametrize("field", ["dispatcher", "database"])
def test_a_failed_check_makes_it_unavailable(api, monkeypatch, field):
    health = attrs.evolve(api.house.engine.health(), **{field: False})
    monkeypatch.setattr(api.house.engine, "health", lambda: health)

    assert (api.get("/readyz").status_code, api.get("/readyz").json["checks"][field]) == (503, "failed")


@pytest.mark.parametrize(("state", "status"), [("failed", "degraded"), ("paused", "degraded"), ("disabled", "ok")])
def test_a_plugin_only_degrades_it(api, monkeypatch, state, status):
    health = attrs.evolve(api.house.engine.health(), plugins={"mine": state})
    monkeypatch.setattr(api.house.engine, "health", lambda: health)

    assert (api.get("/readyz").status_code, api.get("/readyz").json["status"]) == (200, status)


def test_tables_of_another_version_make_it_unavailable(tmp_path):
    import sqlite3

    from falcon.testing import TestClient

    service = Service.open(Settings(db=f"sqlite:///{tmp_path}/labels.db"), start=False)
    client = TestClient(service.app)
    try:
        assert client.simulate_get("/readyz").json["checks"]["migrations"] == "ok"
        with sqlite3.connect(tmp_path / "labels.db") as connection:
            connection.execute("UPDATE wai_version_server SET version_num = '9999'")
        connection.close()
        answer = client.simulate_get("/readyz")
        assert (answer.status_code, answer.json["checks"]["migrations"]) == (503, "failed")
        with sqlite3.connect(tmp_path / "labels.db") as connection:
            connection.execute("DROP TABLE wai_version_core")
        connection.close()
        assert client.simulate_get("/readyz").json["checks"]["migrations"] == "failed"
    finally:
        service.close()


def test_metrics_count_requests_by_route_and_tell_the_engines_health(api):
    task = api.create()["external_id"]
    api.get(f"/v1/tasks/{task}")
    api.get("/v1/tasks/nothing")
    api.get("/nope")
    answer = api.get("/metrics", key=None, headers={"Accept": "text/plain;version=0.0.4"})

    assert answer.headers["content-type"].startswith("text/plain")
    lines = answer.text.splitlines()
    for line in [
        'workersai_http_requests_total{method="POST",route="/v1/tasks",status="201"} 1.0',
        'workersai_http_requests_total{method="GET",route="/v1/tasks/{external_id}",status="200"} 1.0',
        'workersai_http_requests_total{method="GET",route="/v1/tasks/{external_id}",status="404"} 1.0',
        'workersai_http_requests_total{method="GET",route="none",status="404"} 1.0',
        'workersai_http_request_duration_seconds_count{method="POST",route="/v1/tasks"} 1.0',
        "workersai_database_up 1.0",
        "workersai_dispatcher_up 1.0",
        "workersai_outbox_lag_seconds 0.0",
        'workersai_plugin_up{plugin="categorization",state="ok"} 1.0',
    ]:
        assert line in lines
    assert task not in answer.text


def test_metrics_are_for_this_machine_only(shared_api):
    assert shared_api.get("/metrics", key=None, remote_addr="::1").status_code == 200
    for more in (
        {"remote_addr": "203.0.113.7"},
        {"remote_addr": "10.0.0.1"},
        {"headers": {"X-Forwarded-For": "203.0.113.7"}},
        {"headers": {"Forwarded": "for=203.0.113.7"}},
        {"headers": {"Via": "1.1 proxy"}},
    ):
        document = problem(shared_api.get("/metrics", key=None, **more), 403, "forbidden")
        assert "WORKERSAI_METRICS_TOKEN" in document["detail"]


def test_with_a_token_they_are_for_whoever_has_it(api_with):
    api = api_with(metrics_token=TOKEN)

    assert api.get("/metrics", key=TOKEN, remote_addr="203.0.113.7").status_code == 200
    for key in (None, "wrong", TOKEN[:-1]):
        problem(api.get("/metrics", key=key), 401, "unauthenticated")
    problem(api.get("/metrics", key=api.live), 401, "unauthenticated")
    problem(api.get("/metrics", key=None, query=f"api_key={TOKEN.replace(' ', '+')}"), 401, "unauthenticated")
