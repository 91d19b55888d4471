"""Clients that are slow, idle or silent, on purpose or not, and a healthy one beside them."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest
import requests

from support.live_server import LiveServer, running_server
from support.ready_database import Ready, prepare

PARAMS = {"attachment_type": "text", "attachment": "x", "categories": ["a", "b"]}
REQUESTS = 20
LIMIT_S = 0.5
PATIENCE_S = 30
HEADERS_SLOWLY = b"POST /v1/tasks HTTP/1.1\r\nHost: a\r\nX-Slow: "
BODY_SLOWLY = b"POST /v1/tasks HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 400\r\n"


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Ready:
    return prepare(tmp_path_factory.mktemp("slow"))


@pytest.fixture(scope="module")
def server(ready: Ready) -> Iterator[LiveServer]:
    with running_server(ready.database, rate_limit="unlimited") as running:
        yield running


@contextmanager
def connections(server: LiveServer, count: int, first: bytes) -> Iterator[list[socket.socket]]:
    """Hold so many connections on which only this was sent."""
    parts = urlsplit(server.url)
    opened = []
    try:
        for _ in range(count):
            opened.append(socket.create_connection((parts.hostname, parts.port), timeout=PATIENCE_S))
            opened[-1].sendall(first)
        yield opened
    finally:
        for sock in opened:
            sock.close()


def slowest_s(server: LiveServer, ready: Ready) -> float:
    """Return the longest that a healthy client waits, for creations and for reads."""
    took = []
    headers = {"Authorization": f"Bearer {ready.live_key}"}
    for _ in range(REQUESTS):
        began = time.monotonic()
        created = requests.post(
            f"{server.url}/v1/tasks", json={"params": PARAMS}, headers=headers, timeout=PATIENCE_S
        ).json()
        took.append(time.monotonic() - began)
        began = time.monotonic()
        one = f"{server.url}/v1/tasks/{created['external_id']}"
        assert requests.get(one, headers=headers, timeout=PATIENCE_S).status_code == 200
        took.append(time.monotonic() - began)
    return max(took)


@pytest.mark.parametrize(
    ("count", "first"),
    [
        pytest.param(300, b"", id="idle"),
        pytest.param(300, HEADERS_SLOWLY, id="headers that do not end"),
        pytest.param(100, BODY_SLOWLY + b"\r\n{", id="bodies that do not end"),
        pytest.param(100, BODY_SLOWLY + b"Expect: 100-continue\r\n\r\n", id="bodies that do not begin"),
    ],
)
def test_a_healthy_client_does_not_notice(server: LiveServer, ready: Ready, count: int, first: bytes) -> None:
    with connections(server, count, first) as slow:
        began = time.monotonic()
        while time.monotonic() - began < 0.5:  # a byte now and then, so that nobody is merely silent
            for sock in slow[:50] if first else []:
                sock.sendall(b"x")
            time.sleep(0.1)
        assert slowest_s(server, ready) < LIMIT_S


def test_clients_that_do_not_read_their_answers_hold_up_nobody(server: LiveServer, ready: Ready) -> None:
    ask = f"GET /v1/tasks?limit=500 HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {ready.live_key}\r\n\r\n".encode()
    with connections(server, 20, ask * 10):
        assert slowest_s(server, ready) < LIMIT_S
