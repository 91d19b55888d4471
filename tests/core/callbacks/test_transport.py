from __future__ import annotations

import gzip
import threading
import time
import zlib
from concurrent.futures import ThreadPoolExecutor

import pytest

from support.receivers import (
    DEADLINE_S,
    LOOPBACK,
    OK,
    PATIENCE_S,
    Receiver,
    answers,
    answers_once,
    drips_its_headers,
    late,
    says_nothing,
    timed,
    transports,
)
from workersai_core.callbacks.transport import Outcome, RequestsTransport
from workersai_core.callbacks.watchdog import Watchdog
from workersai_core.errors import InvalidInput
from workersai_core.testing.transport import CapturingTransport

KEPT = 64 * 1024


@pytest.fixture
def make():
    with transports() as make:
        yield make


@pytest.fixture
def transport(make):
    return make()


def outcome_of(transport, *behaviours, deadline_s=DEADLINE_S):
    with Receiver(*behaviours) as receiver:
        return timed(transport, receiver.url(), deadline_s)


# --- what is sent and what is kept -----------------------------------------------------------------


def test_a_callback_is_posted_as_it_is(make):
    with Receiver(answers(OK)) as receiver:
        outcome = timed(
            make(user_agent="Sender/1"), receiver.url(path="/콜백?q=1"), headers={"webhook-id": "1"}, body=b"{ }"
        )
    assert (True, 200, None, "ok", None) == (
        outcome.ok,
        outcome.status,
        outcome.error,
        outcome.answer,
        outcome.retry_after_s,
    )
    head, _, body = receiver.requests[0].partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    assert "POST /%EC%BD%9C%EB%B0%B1?q=1 HTTP/1.1" == first
    assert {
        f"Host: 127.0.0.1:{receiver.port}",
        "User-Agent: Sender/1",
        "Content-Type: application/json",
        "Accept-Encoding: identity",
        "Content-Length: 3",
        "webhook-id: 1",
    } == set(lines)
    assert b"{ }" == body


def test_the_user_agent_names_the_service(transport):
    with Receiver(answers(OK)) as receiver:
        timed(transport, receiver.url())
    assert b"User-Agent: WorkersAI/" in receiver.requests[0]


def test_a_header_given_replaces_ours(transport):
    with Receiver(answers(OK)) as receiver:
        timed(transport, receiver.url(), headers={"content-type": "text/plain"})
    assert b"content-type: text/plain" in receiver.requests[0]
    assert b"application/json" not in receiver.requests[0]


def test_a_connection_is_used_again(transport):
    with Receiver(answers(OK)) as receiver:
        assert all(timed(transport, receiver.url()).ok for _ in range(5))
        assert 1 == receiver.connections


def test_cookies_are_not_kept(transport):
    with Receiver(answers(b"HTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\nContent-Length: 0\r\n\r\n")) as receiver:
        assert all(timed(transport, receiver.url()).ok for _ in range(2))
    assert not any(b"cookie" in request.lower() for request in receiver.requests)


def test_the_environment_and_netrc_are_not_read(make, monkeypatch, tmp_path):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    with Receiver(answers_once(OK)) as proxy, Receiver(answers(OK)) as receiver:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url())
        assert timed(make(), receiver.url()).ok
    assert 0 == proxy.connections
    assert b"authorization" not in receiver.requests[0].lower()


def test_many_threads_send_at_once(transport):
    with Receiver(answers(OK)) as receiver, ThreadPoolExecutor(32) as pool:
        outcomes = list(pool.map(lambda _: timed(transport, receiver.url(), 10.0), range(320)))
    assert all(outcome.ok and "ok" == outcome.answer for outcome in outcomes)
    assert 320 == len(receiver.requests)


@pytest.mark.parametrize(
    ("status", "ok", "error"),
    [
        (200, True, None),
        (201, True, None),
        (299, True, None),
        (301, False, "redirects are not followed"),
        (307, False, "redirects are not followed"),
        (404, False, None),
        (410, False, None),
        (500, False, None),
        (999, False, None),
    ],
)
def test_only_a_2xx_is_a_delivery(transport, status, ok, error):
    outcome = outcome_of(transport, answers(b"HTTP/1.1 %d X\r\nContent-Length: 2\r\n\r\nno" % status))
    assert (status, ok, error, "no") == (outcome.status, outcome.ok, outcome.error, outcome.answer)


@pytest.mark.parametrize(("value", "expected"), [(b"120", 120.0), (b"soon", None)])
def test_retry_after_is_read(transport, value, expected):
    answer = b"HTTP/1.1 503 X\r\nRetry-After: %b\r\nContent-Length: 0\r\n\r\n" % value
    assert expected == outcome_of(transport, answers(answer)).retry_after_s


def test_a_redirect_is_not_followed(transport):
    with Receiver(answers(OK)) as secret:
        redirect = b"HTTP/1.1 302 Found\r\nLocation: %b\r\nContent-Length: 0\r\n\r\n" % secret.url().encode()
        assert 302 == outcome_of(transport, answers(redirect)).status
        assert 0 == secret.connections


def test_a_204_with_a_body_is_a_delivery(transport):
    outcome = outcome_of(transport, answers(b"HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\nok"))
    assert (True, "") == (outcome.ok, outcome.answer)


def test_an_answer_without_a_length_is_read_to_its_end(transport):
    assert "all of it" == outcome_of(transport, answers_once(b"HTTP/1.1 200 OK\r\n\r\nall of it")).answer


def test_a_chunked_answer_is_read(transport):
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
    assert "abcde" == outcome_of(transport, answers(chunked)).answer


def test_an_answer_is_text_that_a_database_can_store(transport):
    body = b"\xff\x00" + "값".encode()
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
    assert "\ufffd\ufffd값" == outcome_of(transport, answers(answer)).answer


# --- hostile receivers -----------------------------------------------------------------------------


def closes(call):
    call.request()


def resets(call):
    call.request()
    call.reset()


def begins_and_stops(call):
    call.request()
    call.send(b"HTTP/1.1 200 OK\r\nContent-")
    call.wait()


def continues_for_ever(call):
    call.request()
    call.drip(b"HTTP/1.1 100 Continue\r\n\r\n" * 100)


@pytest.mark.parametrize("behaviour", [says_nothing, begins_and_stops, drips_its_headers, continues_for_ever])
def test_headers_that_are_not_complete_by_the_deadline_are_a_failure(transport, behaviour):
    assert late(outcome_of(transport, behaviour))


def test_a_status_after_the_deadline_does_not_count(transport, monkeypatch):
    """The answer lies in the receive buffer when the time is up, and the watchdog comes too late to matter."""
    monkeypatch.setattr(Watchdog, "_run", lambda self: None)

    def behaviour(call):
        call.request()
        call.drip(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", pause_s=0.02)
        call.send(b"ok")

    assert late(outcome_of(transport, behaviour))


@pytest.mark.parametrize(
    ("behaviour", "error"),
    [
        (closes, "connection closed without an answer"),
        (resets, "connection reset by the receiver"),
        (answers_once(b"HTTP/1.1 200 OK\r\nContent-Len"), "connection closed within the headers of the answer"),
        (answers_once(b"HTTP/1.1 200 OK\r\nA: b\r\n"), "connection closed within the headers of the answer"),
        (answers_once(b"hello, this is HTTP/0.9\n"), "the answer is not HTTP"),
        (answers_once(b"HTTP/1.1 abc OK\r\n\r\n"), "the answer is not HTTP"),
        (answers_once(b"HTTP/1.1 20 OK\r\n\r\n"), "the answer is not HTTP"),
        (answers_once(b"HTTP/3 200 OK\r\n\r\n"), "the answer is not HTTP"),
        (answers_once(b"\x16\x03\x01\x00\xff" * 9), "the answer is not HTTP"),
        (answers_once(b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 200 + b"\r\n"), "the answer is not HTTP"),
        (answers_once(b"HTTP/1.1 200 OK\r\nA: " + b"a" * KEPT), "the headers of the answer are too long"),
        (answers_once(b"HTTP/1.1 100 Continue\r\n\r\n" * 4000), "the headers of the answer are too long"),
    ],
)
def test_what_is_no_answer_is_a_failure_in_words(transport, behaviour, error):
    outcome = outcome_of(transport, behaviour)
    assert (None, error) == (outcome.status, outcome.error)


def test_a_receiver_that_resets_before_it_reads_is_a_failure(transport):
    outcome = outcome_of(transport, lambda call: call.reset())
    # What the sender notices first depends on how far it got.
    assert outcome.error in {"connection reset by the receiver", "connection closed without an answer"}


def drips_its_body(call):
    call.request()
    call.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    call.drip(b"a" * 1000)


def drips_a_chunk_size(call):
    call.request()
    call.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    call.drip(b"0" * 1000)


def never_sends_its_body(call):
    call.request()
    call.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nbeginning")
    call.wait()


def resets_in_its_body(call):
    call.request()
    call.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nbeginning")
    call.reset()


@pytest.mark.parametrize(
    "behaviour",
    [
        drips_its_body,
        drips_a_chunk_size,
        never_sends_its_body,
        resets_in_its_body,
        answers_once(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nshort"),
        answers_once(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc"),
        answers_once(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\nabc"),
        answers_once(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
        answers_once(b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nabc"),
        answers_once(b"HTTP/1.1 200 OK\r\nContent-Length: 1, 2\r\n\r\nabc"),
        answers_once(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\nabc"),
    ],
)
def test_a_2xx_with_complete_headers_is_a_delivery_whatever_the_body_does(transport, behaviour):
    outcome = outcome_of(transport, behaviour)
    assert (True, 200) == (outcome.ok, outcome.status)


def test_a_body_is_waited_for_only_briefly(make, monkeypatch):
    monkeypatch.setattr("workersai_core.callbacks.transport._GRACE_S", 0.05)
    with Receiver(drips_its_body) as receiver:
        began = time.monotonic()
        assert make().send(receiver.url(), {}, b"{}", 60.0).ok
        assert time.monotonic() - began < PATIENCE_S


def test_of_a_large_body_only_the_beginning_is_read(transport):
    sent = []

    def behaviour(call):
        call.request()
        call.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n")
        for _ in range(100):
            call.send(b"a" * 1_000_000)
            sent.append(1)

    with Receiver(behaviour) as receiver:
        outcome = timed(transport, receiver.url(), 5.0)
    assert (True, "a" * KEPT) == (outcome.ok, outcome.answer)
    assert len(sent) < 100


def compressed(body, encoding):
    return answers(
        b"HTTP/1.1 200 OK\r\nContent-Encoding: %b\r\nContent-Length: %d\r\n\r\n%b" % (encoding, len(body), body)
    )


def test_a_compressed_body_is_not_expanded_beyond_the_limit(transport):
    bomb = gzip.compress(bytes(b"a" * 30_000_000))
    assert "a" * KEPT == outcome_of(transport, compressed(bomb, b"gzip")).answer


@pytest.mark.parametrize(
    ("body", "encoding", "expected"),
    [
        (zlib.compress(b"fine"), b"deflate", "fine"),
        (b"plain", b"Identity", "plain"),
        (b"no gzip", b"gzip", "(a compressed body that cannot be read)"),
        (b"", b"gzip", ""),
    ],
)
def test_a_compressed_body_is_read_where_possible(transport, body, encoding, expected):
    assert expected == outcome_of(transport, compressed(body, encoding)).answer


def test_100_continue_is_passed_over(transport):
    assert outcome_of(transport, answers(b"HTTP/1.1 100 Continue\r\n\r\n" + OK)).ok


def test_an_answer_after_an_interim_one_is_not_taken_for_the_next(transport):
    with Receiver(answers(b"HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n" + OK)) as receiver:
        outcomes = [timed(transport, receiver.url()) for _ in range(2)]
        assert 2 == receiver.connections
    assert [(103, False), (103, False)] == [(outcome.status, outcome.ok) for outcome in outcomes]


def test_a_receiver_that_never_reads_a_large_request_is_cut(transport):
    with Receiver(says_nothing) as receiver:
        assert late(timed(transport, receiver.url(), body=b" " * 50_000_000))


# --- idle connections ------------------------------------------------------------------------------


class ClosesWhenUsedAgain:
    """Answers once per connection; then reads another request and closes in the way given."""

    def __init__(self, end):
        self._end = end

    def __call__(self, call):
        call.request()
        call.send(OK)
        call.request()
        self._end(call)


@pytest.mark.parametrize("end", [lambda call: call.reset(), lambda call: None])
def test_an_idle_connection_that_turns_out_closed_is_replaced_once(transport, end):
    with Receiver(ClosesWhenUsedAgain(end)) as receiver:
        assert [True, True] == [timed(transport, receiver.url()).ok for _ in range(2)]
        assert 2 == receiver.connections
        assert 3 == len(receiver.requests)


def test_the_second_try_goes_out_on_a_new_connection_even_with_other_idle_ones(transport):
    together = threading.Barrier(3, timeout=PATIENCE_S)

    def behaviour(call):
        call.request()
        together.wait()
        call.send(OK)
        call.request()
        call.reset()

    with Receiver(behaviour, behaviour, behaviour, answers(OK)) as receiver:
        with ThreadPoolExecutor(3) as pool:
            assert all(pool.map(lambda _: timed(transport, receiver.url(), PATIENCE_S).ok, range(3)))
        assert timed(transport, receiver.url()).ok
        assert 4 == receiver.connections


def test_a_new_connection_that_is_reset_is_not_tried_again(transport):
    with Receiver(resets) as receiver:
        assert not timed(transport, receiver.url()).ok
        assert 1 == receiver.connections


def test_a_second_reset_is_a_failure(transport):
    with Receiver(ClosesWhenUsedAgain(lambda call: call.reset()), resets) as receiver:
        assert [True, False] == [timed(transport, receiver.url()).ok for _ in range(2)]
        assert 2 == receiver.connections


def test_closing_drops_idle_connections(make):
    transport = make()
    closed = threading.Event()

    def behaviour(call):
        call.request()
        call.send(OK)
        if call.wait_for_close():
            closed.set()

    with Receiver(behaviour) as receiver:
        assert timed(transport, receiver.url()).ok
        transport.close()
        assert closed.wait(PATIENCE_S)


def test_closing_cuts_what_is_under_way(make):
    transport = make()
    called = threading.Event()

    def behaviour(call):
        called.set()
        call.wait()

    with Receiver(behaviour) as receiver, ThreadPoolExecutor(1) as pool:
        sending = pool.submit(transport.send, receiver.url(), {}, b"{}", 60.0)
        assert called.wait(PATIENCE_S)
        transport.close()
        assert "the service stopped before an answer came" == sending.result(PATIENCE_S).error


def test_a_closed_transport_may_send_again(transport):
    transport.close()
    assert late(outcome_of(transport, drips_its_headers))


# --- the rest --------------------------------------------------------------------------------------


def test_trouble_of_the_caller_is_raised(transport):
    with pytest.raises(InvalidInput):
        transport.send("nowhere", {}, b"", 1.0)
    with Receiver(answers(OK)) as receiver, pytest.raises(ValueError, match="header"):
        transport.send(receiver.url(), {"a": "b\r\nc: d"}, b"", 1.0)


@pytest.mark.parametrize("options", [{"verify": False}, {"connect_timeout_s": 0}])
def test_options_that_cannot_be_are_refused(options):
    with pytest.raises(ValueError, match=r"always checked|more than 0"):
        RequestsTransport(LOOPBACK, **options)


@pytest.mark.parametrize(
    ("outcome", "ok"),
    [
        (Outcome(status=200, latency_ms=1), True),
        (Outcome(status=200, latency_ms=1, error="late"), False),
        (Outcome(status=None, latency_ms=1), False),
        (Outcome(status=199, latency_ms=1), False),
        (Outcome(status=300, latency_ms=1), False),
    ],
)
def test_an_outcome_knows_whether_it_is_a_delivery(outcome, ok):
    assert ok is outcome.ok


def test_a_capturing_transport_remembers_and_answers():
    transport = CapturingTransport()
    assert Outcome(status=200, latency_ms=0) == transport.send("http://a.test/", {"a": "b"}, b'{"c": 1}', 15.0)
    transport.close()
    [request] = transport.requests
    assert ("http://a.test/", {"a": "b"}, {"c": 1}) == (request.url, request.headers, request.json)


def test_a_capturing_transport_answers_as_told():
    told = iter([500, Outcome(status=None, latency_ms=7, error="gone")])
    transport = CapturingTransport(lambda request: next(told))
    assert 500 == transport.send("http://a.test/", {}, b"", 15.0).status
    assert "gone" == transport.send("http://a.test/", {}, b"", 15.0).error
