"""Spans of requests and of callback deliveries."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import attrs
import falcon
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from support.accounts import PARAMS
from support.catcher import parsed
from support.live_server import clean_environment, running_server
from support.ready_database import prepare
from support.receivers import OK, Receiver, answers
from support.task_types import TestTypes
from support.waiting import until
from workersai_client import Client
from workersai_core.callbacks.transport import Outcome
from workersai_core.testing import CapturingTransport, FakeClock, complete, memory_engine
from workersai_server.accounts import SERVER, Accounts, NewAccount
from workersai_server.app import create_app
from workersai_server.errors import InvalidSetting
from workersai_server.keys import new_key
from workersai_server.service import Service
from workersai_server.settings import Settings
from workersai_server.tracing import Tracing

SECRET_KEY = "a secret key that only the tests know"
TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
HOOK = "https://receiver.test/hook?api_key=hidden"


@attrs.define
class Traced:
    """A traced API on an engine in memory, and the spans that it made."""

    engine: object
    account: NewAccount
    client: falcon.testing.TestClient
    transport: CapturingTransport
    answering: list[Outcome | int]
    exporter: InMemorySpanExporter
    tracing: Tracing

    def ask(self, method, path, *, key=None, **more):
        headers = {"Authorization": f"Bearer {key or self.account.live_key}", **more.pop("headers", {})}
        return self.client.simulate_request(method, path, headers=headers, **more)

    def spans(self):
        return self.exporter.get_finished_spans()

    def span(self):
        [span] = self.spans()
        return span


@pytest.fixture
def traced() -> Iterator[Traced]:
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracing = Tracing(provider)
    answering = [204]
    transport = CapturingTransport(lambda request: answering[0] if len(answering) == 1 else answering.pop(0))
    wrapped = tracing.transport(transport)
    with memory_engine(
        clock=FakeClock(), transport=wrapped, schemas=[SERVER], plugins=[TestTypes(), wrapped]
    ) as engine:
        settings = Settings(db="sqlite://", secret_key=SECRET_KEY)
        accounts = Accounts(engine, settings)
        account = accounts.create("me@example.com", unlimited=True)
        app = create_app(engine, settings, accounts, around=[tracing.requests()])
        yield Traced(engine, account, falcon.testing.TestClient(app), transport, answering, exporter, tracing)
    tracing.close()


def test_a_request_has_a_span_with_its_route_and_what_came_of_it(traced):
    answer = traced.ask("GET", "/v1/tasks/no-such-task")
    span = traced.span()
    assert ("GET /v1/tasks/{external_id}", SpanKind.SERVER, None) == (span.name, span.kind, span.parent)
    assert {
        "http.request.method": "GET",
        "http.route": "/v1/tasks/{external_id}",
        "http.response.status_code": 404,
        "workersai.request_id": answer.headers["x-request-id"],
    } == dict(span.attributes)
    assert StatusCode.UNSET is span.status.status_code


@pytest.mark.parametrize(("path", "status"), [("/nowhere", 404), ("/v1/tasks/", 404), ("/v1/tasks?limit=x", 400)])
def test_a_request_that_is_refused_has_a_span_too(traced, path, status):
    path, _, query = path.partition("?")
    assert status == traced.ask("GET", path, query_string=query).status_code
    assert status == traced.span().attributes["http.response.status_code"]


STRANGE_METHODS = "ignore:Unknown REQUEST_METHOD"  # the WSGI validator of the test client


@pytest.mark.filterwarnings(STRANGE_METHODS)
def test_a_method_that_is_none_is_not_repeated(traced):
    traced.ask("LIVE_KEY", "/v1/tasks")
    assert ("_OTHER", "_OTHER") == (traced.span().name, traced.span().attributes["http.request.method"])


def test_a_failure_of_the_server_is_an_error(traced, monkeypatch):
    def fails(*_, **__):
        raise RuntimeError("a bug")

    monkeypatch.setattr(traced.engine, "list_tasks", fails)
    assert 500 == traced.ask("GET", "/v1/tasks").status_code
    assert (500, StatusCode.ERROR) == (
        traced.span().attributes["http.response.status_code"],
        traced.span().status.status_code,
    )
    assert () == traced.span().events


def test_the_callers_trace_goes_on(traced):
    traced.ask("GET", "/v1/tasks", headers={"traceparent": f"00-{TRACE}-{PARENT}-01", "tracestate": "vendor=1"})
    span = traced.span()
    assert (int(TRACE, 16), int(PARENT, 16)) == (span.context.trace_id, span.parent.span_id)
    assert "vendor=1" == span.context.trace_state.to_header()


def test_what_the_caller_does_not_sample_is_not_sent(traced):
    traced.ask("GET", "/v1/tasks", headers={"traceparent": f"00-{TRACE}-{PARENT}-00"})
    assert () == traced.spans()


@pytest.mark.parametrize("given", ["", "nonsense", f"00-{'0' * 32}-{PARENT}-01"])
def test_a_traceparent_that_is_none_begins_a_new_trace(traced, given):
    assert 200 == traced.ask("GET", "/v1/tasks", headers={"traceparent": given}).status_code
    assert traced.span().parent is None


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
def test_what_programs_ask_all_the_time_is_not_traced(traced, path):
    assert 200 == traced.client.simulate_get(path).status_code
    assert () == traced.spans()


def called_back(traced):
    task = traced.engine.create_task(
        account=traced.account.account_id, task_type="pick", params={"options": ["a", "b"]}, callback_url=HOOK
    )
    complete(traced.engine, task, {"choice": "a"})
    traced.engine.deliver()
    return traced.engine.callbacks(task.external_id, account=traced.account.account_id)[0]


def test_each_attempt_to_deliver_has_a_span(traced):
    traced.answering[:0] = [503, Outcome(status=None, latency_ms=1, error="no answer")]
    delivery = called_back(traced)
    for _ in range(2):
        traced.engine.clock.advance(3600)
        traced.engine.deliver()
    spans = traced.spans()
    assert [(1, 503, "pending"), (2, None, "pending"), (3, 204, "delivered")] == [
        (
            span.attributes["workersai.attempt"],
            span.attributes.get("http.response.status_code"),
            span.attributes["workersai.callback_state"],
        )
        for span in spans
    ]
    assert [StatusCode.ERROR, StatusCode.ERROR, StatusCode.UNSET] == [span.status.status_code for span in spans]
    assert [None, "no answer", None] == [span.status.description for span in spans]
    for span in spans:
        assert ("callback", SpanKind.CLIENT, None) == (span.name, span.kind, span.parent)
        assert ("POST", "receiver.test", delivery.id) == (
            span.attributes["http.request.method"],
            span.attributes["server.address"],
            span.attributes["workersai.callback_id"],
        )


def test_an_attempt_whose_result_was_not_stored_has_a_span_all_the_same(traced):
    wrapped = traced.tracing.transport(traced.transport)
    for _ in range(2):  # the same callback again, since nothing is known of the first time
        wrapped.send(HOOK, {"webhook-id": "1"}, b"{}", 1.0)
    assert 1 == len(traced.spans())
    traced.tracing.close()
    assert ["1", "1"] == [span.attributes["workersai.callback_id"] for span in traced.spans()]


def test_a_crowd_of_attempts_that_nobody_tells_of_is_not_kept(traced, monkeypatch):
    monkeypatch.setattr("workersai_server.tracing._MOST_UNTOLD", 2)
    wrapped = traced.tracing.transport(traced.transport)
    for n in range(5):
        wrapped.send(HOOK, {"webhook-id": str(n)}, b"{}", 1.0)
    assert ["0", "1", "2"] == [span.attributes["workersai.callback_id"] for span in traced.spans()]


def test_an_attempt_that_fails_in_an_unforeseen_way_has_a_span_too(traced):
    def fails(request):
        raise RuntimeError("secret")

    with pytest.raises(RuntimeError):
        traced.tracing.transport(CapturingTransport(fails)).send(HOOK, {"webhook-id": "1"}, b"{}", 1.0)
    assert (StatusCode.ERROR, "RuntimeError", ()) == (
        traced.span().status.status_code,
        traced.span().status.description,
        traced.span().events,
    )


@pytest.mark.filterwarnings(STRANGE_METHODS)
def test_no_key_reaches_a_span(traced):
    key = traced.account.live_key
    for canary in (key, new_key("live"), traced.account.webhook_secret):
        header = {"traceparent": f"00-{TRACE}-{PARENT}-01", "tracestate": f"v={canary}", "baggage": f"v={canary}"}
        header |= {"X-Request-Id": canary, "User-Agent": canary, "X-API-Key": canary}
        for path in ("/v1/tasks", f"/v1/tasks/{canary}", f"/{canary}"):
            traced.ask("GET", path, key=canary, headers=header, query_string=f"api_key={canary}&tag={canary}")
            traced.ask("POST", path, key=canary, json={"api_key": canary, "instruction": canary}, headers=header)
        traced.ask(canary.upper(), "/v1/tasks", key=canary)
    called_back(traced)
    spans = traced.spans()
    assert len(spans) == 3 * 7 + 1
    told = "".join(span.to_json() + str(span.context.trace_state) for span in spans).lower()
    for canary in (key, key[-36:], traced.account.webhook_secret, "hidden", "api_key"):
        assert canary.lower() not in told


# --- a real server ---------------------------------------------------------------------------------------


def test_a_server_sends_its_spans_where_the_environment_says(tmp_path, monkeypatch):
    ready = prepare(tmp_path)
    with Receiver(answers(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")) as collector, Receiver(answers(OK)) as hook:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url(path=""))
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "none")
        monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment=test")
        with running_server(ready.database, tracing="true", allow_callback_networks="127.0.0.0/8") as server:
            with Client(server.url, ready.test_key) as client:
                client.tasks.create(params=PARAMS, callback_url=hook.url())
                until(lambda: hook.requests)
            assert 0 == server.stop()
        assert all(request.startswith(b"POST /v1/traces ") for request in collector.requests)
        exported = [ExportTraceServiceRequest.FromString(parsed(request)[1]) for request in collector.requests]
    groups = [group for each in exported for group in each.resource_spans]
    resource = {each.key: each.value.string_value for each in groups[0].resource.attributes}
    assert ("workersai", "test") == (resource["service.name"], resource["deployment.environment"])
    names = {span.name for group in groups for scope in group.scope_spans for span in scope.spans}
    assert {"POST /v1/tasks", "callback"} <= names


def test_the_environment_may_name_the_service(monkeypatch):
    monkeypatch.setenv("OTEL_SERVICE_NAME", "labels")
    tracing = Tracing.start()
    assert "labels" == tracing._provider.resource.attributes["service.name"]
    tracing.close()


# --- off, and not installed ------------------------------------------------------------------------------

WITHOUT = """
import sys
from workersai_server.service import Service
from workersai_server.settings import Settings

service = Service.open(Settings(db="sqlite://", secret_key="a secret key that only the tests know"), start=False)
assert service.app
assert service.engine.create_task
service.close()
print([name for name in sys.modules if name.startswith("opentelemetry") or name == "workersai_server.tracing"])
"""


def test_nothing_of_it_is_imported_unless_it_is_asked_for():
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT], capture_output=True, text=True, env=clean_environment(), check=False
    )
    assert ("[]\n", 0) == (done.stdout, done.returncode), done.stderr


def test_who_asks_for_it_without_the_extra_is_told_so(monkeypatch):
    monkeypatch.delitem(sys.modules, "workersai_server.tracing")
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    with pytest.raises(InvalidSetting, match=r"opentelemetry is not installed: run `pip install 'workersai\[otel\]'`"):
        Service.open(Settings(db="sqlite://", tracing=True), start=False)
