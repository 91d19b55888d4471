from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from support.fake_service import answer, body_of, problem, scripted
from workersai_client import (
    APIConnectionError,
    APIError,
    BadRequest,
    Client,
    Conflict,
    Forbidden,
    NotFound,
    PaymentRequired,
    RateLimited,
    ServerError,
    Unauthenticated,
    ValidationFailed,
    WaitTimeout,
)

URL = "http://labels.test"
TASK = {"external_id": "t1", "status": "pending", "response": {}}


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    """How long the client would have slept."""
    slept: list[float] = []
    monkeypatch.setattr("workersai_client.connection.time.sleep", slept.append)
    return slept


def client_for(*answers: requests.Response | Exception, **options: Any) -> tuple[Client, Any]:
    session, sent = scripted(*answers)
    return Client(URL, "test_key", session=session, **options), sent


def test_create_sends_the_fields_the_key_and_a_fresh_idempotency_key() -> None:
    client, sent = client_for(answer(201, TASK), answer(201, TASK))
    params = {"attachment_type": "text", "attachment": "좋아요", "categories": ["a", "b"]}
    assert client.tasks.create(params=params, overlap=2) == TASK
    client.tasks.create()
    assert (sent[0].method, sent[0].url) == ("POST", f"{URL}/v1/tasks")
    assert body_of(sent[0]) == {"params": params, "overlap": 2}
    assert "좋아요".encode() in sent[0].body
    assert sent[0].headers["Authorization"] == "Bearer test_key"
    assert sent[0].headers["Content-Type"] == "application/json"
    assert sent[0].headers["Idempotency-Key"] != sent[1].headers["Idempotency-Key"]


def test_create_takes_a_given_idempotency_key_and_an_aware_deadline() -> None:
    client, sent = client_for(answer(201, TASK))
    client.tasks.create(idempotency_key="order-7", deadline_at=datetime(2030, 1, 2, tzinfo=UTC))
    assert sent[0].headers["Idempotency-Key"] == "order-7"
    assert body_of(sent[0]) == {"deadline_at": "2030-01-02T00:00:00+00:00"}


def test_a_time_without_a_zone_is_refused_before_anything_is_sent() -> None:
    client, sent = client_for()
    with pytest.raises(ValueError, match="no time zone"):
        client.tasks.create(deadline_at=datetime(2030, 1, 2))  # noqa: DTZ001
    assert sent == []


def test_a_base_url_may_have_a_path_and_a_slash() -> None:
    session, sent = scripted(answer(200, TASK))
    Client(f"{URL}/labels/", "k", session=session).tasks.get("a/b")
    assert sent[0].url == f"{URL}/labels/v1/tasks/a%2Fb"


def test_the_key_wins_over_netrc(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine labels.test login someone password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    client, sent = client_for(answer(200, TASK))
    client.tasks.get("t1")
    assert sent[0].headers["Authorization"] == "Bearer test_key"


@pytest.mark.parametrize(
    "first", [requests.ConnectionError("cut"), requests.Timeout("late"), problem(503, "unavailable")]
)
def test_a_creation_is_repeated_with_the_same_idempotency_key(first: Any, pauses: list[float]) -> None:
    client, sent = client_for(first, answer(201, TASK))
    assert client.tasks.create() == TASK
    assert sent[0].headers["Idempotency-Key"] == sent[1].headers["Idempotency-Key"]
    assert sent[0].body == sent[1].body
    assert len(pauses) == 1


def test_retry_after_is_honoured(pauses: list[float]) -> None:
    client, _ = client_for(problem(429, "rate_limited", headers={"Retry-After": "3"}), answer(200, TASK))
    client.tasks.get("t1")
    assert 3.0 <= pauses[0] <= 3.75


def test_a_creation_in_flight_elsewhere_is_asked_for_again() -> None:
    client, sent = client_for(problem(409, "idempotency_in_progress", headers={"Retry-After": "1"}), answer(201, TASK))
    assert client.tasks.create() == TASK
    assert len(sent) == 2


def test_retries_end_and_pauses_grow(pauses: list[float]) -> None:
    client, sent = client_for(*[problem(503, "unavailable")] * 4, retries=3)
    with pytest.raises(ServerError):
        client.tasks.get("t1")
    assert len(sent) == 4
    assert pauses == sorted(pauses)


def test_a_replay_is_not_repeated() -> None:
    client, sent = client_for(requests.ConnectionError("cut"))
    with pytest.raises(APIConnectionError, match=r"labels\.test did not answer"):
        client.callbacks.replay("d1")
    assert len(sent) == 1


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (301, APIError),
        (400, BadRequest),
        (401, Unauthenticated),
        (402, PaymentRequired),
        (403, Forbidden),
        (404, NotFound),
        (409, Conflict),
        (413, BadRequest),
        (422, ValidationFailed),
        (429, RateLimited),
        (500, ServerError),
    ],
)
def test_each_status_has_its_error(status: int, kind: type[APIError]) -> None:
    places = [{"pointer": "#/params/categories", "code": "required", "detail": "This field is missing."}]
    client, _ = client_for(problem(status, "some_code", errors=places), retries=0)
    with pytest.raises(APIError) as caught:
        client.tasks.get("t1")
    error = caught.value
    assert type(error) is kind
    assert (error.status, error.code, error.detail, error.request_id) == (status, "some_code", "It is so.", "r1")
    assert list(error.errors) == places
    assert str(error) == f"It is so. ({status} some_code, request r1)\n  #/params/categories: This field is missing."


@pytest.mark.parametrize("text", ["<html>Bad gateway</html>", "[]", ""])
def test_an_answer_of_somebody_else_is_an_error_too(text: str) -> None:
    client, _ = client_for(answer(502, text=text), retries=0)
    with pytest.raises(ServerError) as caught:
        client.tasks.get("t1")
    assert (caught.value.code, caught.value.detail) == ("http_error", "The service answered 502.")


def test_list_follows_the_link_but_never_leaves_the_service() -> None:
    link = {"Link": '<https://elsewhere.test/v1/tasks?cursor=c%202&status=completed>; rel="next"'}
    client, sent = client_for(answer(200, [{"external_id": "a"}], link), answer(200, [{"external_id": "b"}]))
    found = list(
        client.tasks.list(status="completed", metadata={"batch": "7"}, created_after=datetime(2030, 1, 2, tzinfo=UTC))
    )
    assert [task["external_id"] for task in found] == ["a", "b"]
    assert parse_qs(urlsplit(sent[0].url).query) == {
        "status": ["completed"],
        "created_after": ["2030-01-02T00:00:00+00:00"],
        "limit": ["100"],
        "metadata[batch]": ["7"],
    }
    assert sent[1].url.startswith(f"{URL}/v1/tasks?")
    assert parse_qs(urlsplit(sent[1].url).query) == {"cursor": ["c 2"], "status": ["completed"]}


def test_wait_asks_until_the_task_is_final() -> None:
    done = {**TASK, "status": "completed", "response": {"category": "a"}}
    client, sent = client_for(answer(200, TASK), answer(200, TASK), answer(200, done))
    assert client.tasks.wait("t1") == done
    assert len(sent) == 3


def test_wait_gives_up_in_time() -> None:
    client, _ = client_for(answer(200, TASK))
    with pytest.raises(WaitTimeout, match="t1 is still pending after 0 s"):
        client.tasks.wait("t1", timeout_s=0)


def test_cancel_events_types_and_replays_use_their_routes() -> None:
    client, sent = client_for(
        answer(200, TASK),
        answer(200, []),
        answer(200, []),
        answer(200, {}),
        answer(200, []),
        answer(202, {"queued": 4}),
    )
    client.tasks.cancel("t1")
    client.tasks.events("t1")
    client.task_types()
    client.task_type("audio_transcription")
    client.callbacks.list("t1")
    assert client.callbacks.replay_since(datetime(2030, 1, 2, tzinfo=UTC)) == 4
    assert [(request.method, urlsplit(request.url).path) for request in sent] == [
        ("POST", "/v1/tasks/t1/cancel"),
        ("GET", "/v1/tasks/t1/events"),
        ("GET", "/v1/task_types"),
        ("GET", "/v1/task_types/audio_transcription"),
        ("GET", "/v1/tasks/t1/callbacks"),
        ("POST", "/v1/callbacks/replay"),
    ]
    assert body_of(sent[-1]) == {"since": "2030-01-02T00:00:00+00:00", "state": "exhausted"}


def lines(content: bytes) -> list[Any]:
    return [json.loads(line) for line in content.decode().split("\n")]


def created(request_lines: list[Any]) -> str:
    return "\n".join(
        json.dumps({"line": n, "status": 201, "external_id": str(line["unique_id"])})
        for n, line in enumerate(request_lines, start=1)
    )


class Echo(requests.adapters.BaseAdapter):
    """Creates every task of every batch."""

    def __init__(self) -> None:
        super().__init__()
        self.batches: list[list[Any]] = []

    def send(self, request: requests.PreparedRequest, **_: Any) -> requests.Response:
        self.batches.append(body_of(request, lines))
        response = answer(200, text=created(self.batches[-1]))
        response.request, response.url = request, request.url
        return response

    def close(self) -> None:
        """Nothing is open."""


@given(st.integers(min_value=0, max_value=2500))
def test_a_batch_of_any_size_is_answered_line_by_line_in_order(count: int) -> None:
    echo = Echo()
    session = requests.Session()
    session.mount("http://", echo)
    results = Client(URL, "k", session=session).tasks.create_batch({"unique_id": n} for n in range(count))
    assert [result["line"] for result in results] == list(range(1, count + 1))
    assert [result["external_id"] for result in results] == [str(n) for n in range(count)]
    assert all(0 < len(batch) <= 1000 for batch in echo.batches)


def test_a_batch_stays_below_the_size_limit() -> None:
    echo = Echo()
    session = requests.Session()
    session.mount("http://", echo)
    tasks = [{"unique_id": n, "instruction": "가" * 100_000} for n in range(60)]
    Client(URL, "k", session=session).tasks.create_batch(tasks)
    assert sum(map(len, echo.batches)) == 60
    assert all(len(json.dumps(batch, ensure_ascii=False).encode()) < 10_000_000 for batch in echo.batches)
    assert len(echo.batches) == 3


def test_a_line_separator_inside_a_batch_answer_is_content() -> None:
    text = '{"line": 1, "status": 422, "error": {"detail": "no\u2028good"}}\n'
    client, _ = client_for(answer(200, text=text))
    assert client.tasks.create_batch([{}])[0]["error"] == {"detail": "no\u2028good"}


def test_a_client_is_a_context_that_closes() -> None:
    session, _ = scripted()
    closed: list[bool] = []
    session.close = lambda: closed.append(True)  # type: ignore[method-assign]
    with Client(URL, "k", session=session):
        assert closed == []
    assert closed == [True]


def test_waiting_longer_between_questions_never_passes_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    at = [0.0]
    slept: list[float] = []

    def sleep(pause_s: float) -> None:
        slept.append(pause_s)
        at[0] += pause_s

    monkeypatch.setattr("workersai_client.requester.time.sleep", sleep)
    monkeypatch.setattr("workersai_client.requester.time.monotonic", lambda: at[0])
    client, _ = client_for(*[answer(200, TASK) for _ in range(40)])
    with pytest.raises(WaitTimeout):
        client.tasks.wait("t1", timeout_s=timedelta(seconds=20).total_seconds())
    assert sum(slept) == pytest.approx(20)
    assert max(slept) == 2.0
