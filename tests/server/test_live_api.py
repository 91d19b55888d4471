"""The API as clients meet it: a real server, real sockets."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import attrs
import pytest
import requests

from support.live_server import LiveServer, running_server
from workersai_server.accounts import NewAccount
from workersai_server.service import Service
from workersai_server.settings import Settings

PATIENCE_S = 30
BODY = {"params": {"attachment_type": "text", "attachment": "좋아요", "categories": ["good", "bad"]}}


@attrs.define
class Live:
    server: LiveServer
    account: NewAccount
    session: requests.Session

    def ask(self, method: str, path: str, *, key: str = "", **more) -> requests.Response:
        headers = {"Authorization": f"Bearer {key or self.account.live_key}", **more.pop("headers", {})}
        return self.session.request(method, self.server.url + path, headers=headers, timeout=PATIENCE_S, **more)


@contextmanager
def serving(folder: Path) -> Iterator[Live]:
    service = Service.open(Settings(db=f"sqlite:///{folder}/labels.db"), start=False)
    account = service.accounts.create("me@example.com")
    service.close()
    with running_server(folder / "labels.db", access_log="true") as server, requests.Session() as session:
        yield Live(server, account, session)


@pytest.fixture(scope="module")
def live(tmp_path_factory) -> Iterator[Live]:
    with serving(tmp_path_factory.mktemp("live")) as made:
        yield made


def test_fifty_creations_at_once_with_five_free_are_exactly_five(live):
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: live.ask("POST", "/v1/tasks", json=BODY), range(50)))

    assert sorted(answer.status_code for answer in answers) == [201] * 5 + [402] * 45
    left = [answer.headers["X-Free-Requests-Remaining"] for answer in answers if answer.status_code == 201]
    assert sorted(left) == ["0", "1", "2", "3", "4"]
    assert len(live.ask("GET", "/v1/tasks").json()) == 5


def test_the_same_idempotency_key_at_once_makes_one_task(live):
    def create(_: int) -> requests.Response:
        return live.ask(
            "POST", "/v1/tasks", json=BODY, key=live.account.test_key, headers={"Idempotency-Key": "at-once"}
        )

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(create, range(32)))

    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert sum("Idempotency-Replayed" not in answer.headers for answer in answers) == 1


def test_a_chunked_body_is_read_and_limited(live):
    def pieces(text: bytes) -> Iterator[bytes]:
        for start in range(0, len(text), 1000):
            yield text[start : start + 1000]

    body = json.dumps(BODY).encode()
    created = live.ask("POST", "/v1/tasks", data=pieces(body), key=live.account.test_key)
    assert created.status_code == 201
    too_large = live.ask("POST", "/v1/tasks", data=pieces(body + b" " * 1_048_576), key=live.account.test_key)
    assert (too_large.status_code, too_large.json()["code"]) == (413, "payload_too_large")


def test_head_and_304_have_no_body_on_the_wire(live):
    task = live.ask("POST", "/v1/tasks", json=BODY, key=live.account.test_key).json()["external_id"]
    path = f"/v1/tasks/{task}?api_key={live.account.test_key}"
    with socket.create_connection(("127.0.0.1", int(live.server.url.rpartition(":")[2])), PATIENCE_S) as connection:
        connection.sendall(f"HEAD {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        received = b""
        while part := connection.recv(65_536):
            received += part
    head, _, body = received.partition(b"\r\n\r\n")

    assert head.startswith(b"HTTP/1.1 200")
    assert b"content-length" in head.lower()
    assert body == b""


def test_an_export_is_streamed_whole(live):
    batch = "\n".join(json.dumps({**BODY, "tags": [str(n)]}) for n in range(1200))
    headers = {"Content-Type": "application/x-ndjson"}
    answer = live.ask("POST", "/v1/tasks:batch", data=batch, headers=headers, key=live.account.test_key)
    assert len(answer.text.splitlines()) == 1200
    exported = live.ask("GET", "/v1/export", key=live.account.test_key)

    tags = [tag for line in exported.text.splitlines() for tag in json.loads(line)["tags"]]
    assert tags == [str(n) for n in reversed(range(1200))]


@pytest.mark.parametrize(
    "head",
    [
        b"GET /v1/tasks HTTP/1.1\r\nHost: x\r\nHost: y\r\n",
        b"GET /v1/tasks?api_key=%ff HTTP/1.1\r\nHost: x\r\n",
        b"GET /%ff%fe HTTP/1.1\r\nHost: x\r\n",
        b"GET /v1/tasks HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \xff\r\n",
        b"GET /v1/tasks HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer a\r\nAuthorization: Bearer b\r\n",
        b"POST /v1/tasks HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        b"BREW /v1/tasks HTTP/1.1\r\nHost: x\r\n",
    ],
)
def test_strange_requests_are_the_clients_mistakes(live, head):
    with socket.create_connection(("127.0.0.1", int(live.server.url.rpartition(":")[2])), PATIENCE_S) as connection:
        connection.sendall(head + b"Connection: close\r\n\r\n" + (b"0\r\n\r\n" if b"chunked" in head else b""))
        received = b""
        while part := connection.recv(65_536):
            received += part

    assert received.startswith(b"HTTP/1.1 4"), received


def test_the_log_is_json_and_holds_no_key(tmp_path):
    with serving(tmp_path) as live:
        for key in (live.account.live_key, live.account.test_key):
            live.ask("GET", f"/v1/tasks/{key}", key=key)
            live.session.get(f"{live.server.url}/v1/tasks?api_key={key}", timeout=PATIENCE_S)
        named = live.ask("GET", "/v1/keys", headers={"X-Request-Id": "the-last-request"})
        assert named.headers["X-Request-Id"] == "the-last-request"
        assert live.server.stop() == 0
        entries = [json.loads(line) for line in live.server.said]

    assert entries[-1]["request_id"] == "the-last-request"
    assert {"timestamp", "level", "logger", "event", "method", "route", "status", "duration_ms"} <= entries[-1].keys()
    assert any("over plain http" in entry["event"] for entry in entries)
    for secret in (live.account.live_key, live.account.test_key, live.account.webhook_secret):
        assert secret not in "".join(live.server.said)
