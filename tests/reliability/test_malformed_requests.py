"""Bytes that are no HTTP request, or more than one at a time: refused, and nobody else is harmed."""

from __future__ import annotations

import contextlib
import re
import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
import requests

from support.live_server import LiveServer, running_server
from support.ready_database import prepare

PATIENCE_S = 10
GET = b"GET /healthz HTTP/1.1\r\nHost: a\r\n"
POST = b"POST /v1/tasks HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
SMUGGLED = b"GET /healthz HTTP/1.1\r\nHost: smuggled\r\n\r\n"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    with running_server(prepare(tmp_path_factory.mktemp("malformed")).database) as running:
        yield running


def connected(server: LiveServer) -> socket.socket:
    parts = urlsplit(server.url)
    return socket.create_connection((parts.hostname, parts.port), timeout=PATIENCE_S)


def answers(server: LiveServer, data: bytes) -> list[int]:
    """Send bytes and return the status of every answer until the server closes the connection."""
    received = b""
    with connected(server) as sock, contextlib.suppress(ConnectionError):  # it need not read to the end
        sock.sendall(data)
        while more := sock.recv(65536):
            received += more
    return [int(status) for status in re.findall(rb"HTTP/1\.[01] (\d{3}) ", received)]


@pytest.mark.parametrize(
    ("data", "statuses"),
    [
        pytest.param(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\r\n\r\n", [[400]], id="TLS"),
        pytest.param(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", [[]], id="HTTP/2"),
        pytest.param(b"GET /healthz\r\n\r\n", [[400]], id="HTTP/0.9"),
        pytest.param(b"GET /health\0z HTTP/1.1\r\nHost: a\r\n\r\n", [[400]], id="NUL in the address"),
        pytest.param(b"GET /\xff HTTP/1.1\r\nHost: a\r\n\r\n", [[400], [404]], id="raw byte in the address"),
        pytest.param(GET + b"Bad Header: x\r\n\r\n", [[400]], id="space in a name"),
        pytest.param(GET + b"X: a\r\n b\r\n\r\n", [[400]], id="folded header"),
        pytest.param(GET + b"X: " + b"a" * 2**20 + b"\r\n\r\n", [[431]], id="long header"),
        pytest.param(GET + b"X: a\r\n" * 2000 + b"\r\n", [[431]], id="many headers"),
        pytest.param(POST + b"Content-Length: -1\r\n\r\n", [[400]], id="negative length"),
        pytest.param(POST + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}", [[400]], id="two lengths"),
        pytest.param(POST + b"Content-Length: 99999999999999999999\r\n\r\n", [[400]], id="length beyond all measure"),
        pytest.param(POST + b"Transfer-Encoding: identity\r\n\r\n", [[400]], id="unknown transfer coding"),
        pytest.param(POST + b"Transfer-Encoding: chunked\r\n\r\nZZ\r\n", [[400], [401]], id="bad chunk size"),
    ],
)
def test_what_is_no_request_is_refused(server: LiveServer, data: bytes, statuses: list[list[int]]) -> None:
    assert answers(server, data) in statuses
    assert requests.get(f"{server.url}/healthz", timeout=PATIENCE_S).status_code == 200


@pytest.mark.parametrize(
    "data",
    [
        # RFC 9112, section 6.3: with both, the chunks count, and the connection is closed after the answer.
        pytest.param(
            POST + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n" + SMUGGLED,
            id="length and chunks",
        ),
        pytest.param(
            POST + b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n2\r\n{}\r\n0\r\n\r\n" + SMUGGLED,
            id="chunks and length",
        ),
    ],
)
def test_no_second_request_is_smuggled_past_a_proxy(server: LiveServer, data: bytes) -> None:
    assert [401] == answers(server, data)
    assert requests.get(f"{server.url}/healthz", timeout=PATIENCE_S).status_code == 200


def test_two_hosts_are_refused(server: LiveServer) -> None:
    """RFC 9112, section 3.2: a request with several hosts is answered with 400."""
    twice = b"GET /v1/task_types HTTP/1.1\r\nHost: a\r\nHost: b\r\nConnection: close\r\n\r\n"
    assert [400] == answers(server, twice)


@pytest.mark.parametrize(
    "begun", [b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}", b"Content-Length: 99\r\n\r\n{}", b"Content-Le"]
)
def test_a_client_that_goes_away_in_the_middle_harms_nobody(server: LiveServer, begun: bytes) -> None:
    for _ in range(50):
        with connected(server) as sock:
            sock.sendall(POST + begun)
    assert requests.get(f"{server.url}/healthz", timeout=PATIENCE_S).status_code == 200
    assert server.process.poll() is None
