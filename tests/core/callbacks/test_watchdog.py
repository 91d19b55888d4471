from __future__ import annotations

import math
import socket
import threading
import time

import pytest

from workersai_core.callbacks.watchdog import Watchdog

PATIENCE_S = 10.0


@pytest.fixture
def watchdog():
    watchdog = Watchdog()
    yield watchdog
    watchdog.close()


@pytest.fixture
def pair():
    ours, theirs = socket.socketpair()
    ours.settimeout(PATIENCE_S)
    with ours, theirs:
        yield ours, theirs


def begin(watchdog, seconds):
    return watchdog.begin(time.monotonic() + seconds)


def is_cut(sock):
    try:
        return b"" == sock.recv(1)
    except BlockingIOError:
        return False


def test_a_wait_ends_at_the_deadline(watchdog, pair):
    begin(watchdog, 0.05).holds(pair[0])
    assert is_cut(pair[0])


def test_an_earlier_deadline_is_not_missed_for_a_later_one(watchdog, pair):
    begin(watchdog, 60.0)
    begin(watchdog, 0.05).holds(pair[0])
    assert is_cut(pair[0])


def test_a_socket_that_comes_after_the_deadline_is_cut_at_once(watchdog, pair):
    exchange = begin(watchdog, 60.0)
    exchange.deadline = 0.0
    exchange.holds(pair[0])
    assert is_cut(pair[0])


def test_a_socket_that_comes_after_the_end_of_the_watchdog_is_cut_at_once(watchdog, pair):
    exchange = begin(watchdog, 60.0)
    watchdog.close()
    exchange.holds(pair[0])
    assert exchange.stopped
    assert is_cut(pair[0])


def test_an_exchange_that_ended_is_not_cut(watchdog, pair):
    ended = begin(watchdog, 0.02)
    ended.holds(pair[0])
    ended.end()
    later, other = socket.socketpair()
    with later, other:
        later.settimeout(PATIENCE_S)
        begin(watchdog, 0.04).holds(later)
        assert is_cut(later)  # so the time of the one that ended has passed as well
    ended.cut()
    pair[0].setblocking(False)
    assert not is_cut(pair[0])


def test_a_socket_that_is_closed_already_is_left_alone(watchdog):
    ours, theirs = socket.socketpair()
    ours.close()
    theirs.close()
    exchange = begin(watchdog, 60.0)
    exchange.holds(ours)
    exchange.cut()


def test_the_headers_count_from_when_they_are_complete(watchdog):
    exchange = begin(watchdog, 60.0)
    assert (None, math.inf) == (exchange.status, exchange.answered_at)
    before = time.monotonic()
    exchange.answered(200, lambda: None)
    assert before <= exchange.answered_at <= time.monotonic()


def test_closing_ends_the_thread_and_it_starts_again_when_needed(watchdog, pair):
    watchdog.close()
    begin(watchdog, 60.0)
    names = [thread.name for thread in threading.enumerate()]
    assert 1 == names.count("callback-watchdog")
    watchdog.close()
    assert "callback-watchdog" not in [thread.name for thread in threading.enumerate()]
    begin(watchdog, 0.05).holds(pair[0])
    assert is_cut(pair[0])
