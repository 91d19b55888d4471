from __future__ import annotations

import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import requests

from workersai_core import InvalidInput
from workersai_server.serving import free_address

SERVER = """
import os, sys, threading
from workersai_server.serving import end_when_closed, free_address, serve

def app(environ, start_response):
    if environ["PATH_INFO"] == "/slow":
        print("entered", flush=True)
        sys.stdin.readline()
    body = environ["wsgi.input"].read() or environ["PATH_INFO"].encode()
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]

host, port = free_address(sys.argv[1], 0)
if "watch" in sys.argv:
    end_when_closed(0)
drain_s = 0.2 if "impatient" in sys.argv else 30.0
serve(app, host=host, port=port, on_ready=lambda: print(port, flush=True), drain_s=drain_s)
print("drained", flush=True)
"""
WAIT_S = 20


@contextmanager
def running(*arguments: str, host: str = "127.0.0.1") -> Iterator[tuple[subprocess.Popen[str], str]]:
    process = subprocess.Popen(
        [sys.executable, "-c", SERVER, host, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        port = process.stdout.readline().strip()
        yield process, f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.communicate()


@contextmanager
def slow_request(process: subprocess.Popen[str], url: str) -> Iterator[list[str]]:
    """A request that has entered the application and waits for a line on the server's standard input."""
    answers: list[str] = []

    def ask() -> None:
        try:
            answers.append(requests.get(f"{url}/slow", timeout=WAIT_S).text)
        except requests.ConnectionError:
            answers.append("cut off")

    thread = threading.Thread(target=ask)
    thread.start()
    assert process.stdout is not None
    assert process.stdout.readline() == "entered\n"
    yield answers
    thread.join(WAIT_S)


def ask_forever(url: str) -> None:
    while True:
        requests.get(f"{url}/x", timeout=WAIT_S)


def test_it_answers_when_it_says_it_is_ready() -> None:
    with running() as (_, url):
        assert requests.post(url, data=b"hello", timeout=WAIT_S).text == "hello"


def test_it_can_listen_on_every_address() -> None:
    with running(host="0.0.0.0") as (_, url):
        assert requests.get(f"{url}/x", timeout=WAIT_S).text == "/x"


def test_sigterm_lets_the_running_request_finish_and_accepts_no_other() -> None:
    with running() as (process, url):
        with slow_request(process, url) as answers:
            process.terminate()
            with pytest.raises(requests.ConnectionError):
                ask_forever(url)
            assert process.stdin is not None
            process.stdin.write("\n")
            process.stdin.flush()
        assert answers == ["/slow"]
        assert process.wait(WAIT_S) == 0
        assert process.stdout is not None
        assert process.stdout.read() == "drained\n"


def test_a_request_that_does_not_end_is_cut_off_after_the_drain_time() -> None:
    with running("impatient") as (process, url), slow_request(process, url) as answers:
        process.terminate()
        assert process.wait(WAIT_S) == 1
        assert process.stderr is not None
        assert "Requests still run after 0.2 s" in process.stderr.read()
    assert answers == ["cut off"]


def test_an_idle_connection_does_not_hold_up_the_end() -> None:
    with running() as (process, url), requests.Session() as session:
        session.get(url, timeout=WAIT_S)
        process.terminate()
        assert process.wait(WAIT_S) == 0


def test_it_ends_when_its_parent_is_gone() -> None:
    with running("watch") as (process, _):
        assert process.stdin is not None
        process.stdin.close()
        process.stdin = None
        assert process.wait(WAIT_S) == 0


def test_more_clients_than_threads_are_all_answered() -> None:
    with running() as (_, url):
        statuses: list[int] = []
        clients = [
            threading.Thread(target=lambda: statuses.append(requests.get(url, timeout=WAIT_S).status_code))
            for _ in range(64)
        ]
        for client in clients:
            client.start()
        for client in clients:
            client.join(WAIT_S)
        assert statuses == [200] * 64


def test_a_port_in_use_is_refused_by_name() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(InvalidInput, match=rf"Cannot listen on 127\.0\.0\.1 port {port}: .*--port"):
            free_address("127.0.0.1", port)


def test_a_port_that_would_be_shared_is_refused_too() -> None:
    with running() as (_, url), pytest.raises(InvalidInput, match="Cannot listen"):
        free_address("127.0.0.1", int(url.rsplit(":", 1)[1]))


def test_an_address_of_another_machine_is_refused() -> None:
    with pytest.raises(InvalidInput, match=r"Cannot listen on 192\.0\.2\.1 port 0"):
        free_address("192.0.2.1", 0)


def test_port_zero_becomes_a_free_port() -> None:
    host, port = free_address("localhost", 0)
    assert host in {"127.0.0.1", "::1"}
    assert port > 0
