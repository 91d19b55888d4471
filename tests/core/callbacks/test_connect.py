from __future__ import annotations

import errno
import itertools
import os
import socket
import threading

import pytest

from support.receivers import (
    OK,
    PATIENCE_S,
    Receiver,
    answers,
    drips_its_headers,
    late,
    lookup,
    says_nothing,
    self_signed,
    server_tls,
    timed,
    transports,
)
from workersai_core.callbacks import connect
from workersai_core.callbacks.addresses import AddressPolicy


@pytest.fixture
def make():
    with transports() as make:
        yield make


@pytest.fixture
def transport(make):
    return make()


# --- addresses -------------------------------------------------------------------------------------


def refused(outcome):
    return outcome.status is None and outcome.error.endswith("callbacks go to public addresses only")


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "localhost"])
def test_loopback_is_not_called_unless_allowed(make, host):
    with Receiver(answers(OK)) as receiver:
        assert refused(timed(make(AddressPolicy()), receiver.url(host)))
        assert 0 == receiver.connections


def test_a_refusal_does_not_tell_the_address(make):
    outcome = timed(make(AddressPolicy(), resolver=lookup("10.1.2.3")), "http://inside.test/")
    assert "inside.test is not at a public address; callbacks go to public addresses only" == outcome.error


def test_of_several_addresses_only_permitted_ones_are_called(make):
    with Receiver(answers(OK)) as allowed, Receiver(answers(OK), host="127.0.0.2") as other:
        transport = make(AddressPolicy.of(["127.0.0.1/32"]), resolver=lookup("127.0.0.2", "::1", "127.0.0.1"))
        assert timed(transport, allowed.url("receiver.test")).ok
        assert refused(timed(make(AddressPolicy(), resolver=lookup("127.0.0.2")), other.url("receiver.test")))
        assert (1, 0) == (allowed.connections, other.connections)
    assert f"Host: receiver.test:{allowed.port}".encode() in allowed.requests[0]


def test_the_next_address_is_tried_when_one_refuses(make):
    with Receiver(answers(OK)) as receiver:
        transport = make(resolver=lookup("127.0.0.2", "127.0.0.1"))
        assert timed(transport, receiver.url("receiver.test")).ok


def test_an_ipv6_receiver_is_called(make):
    try:
        receiver = Receiver(answers(OK), host="::1")
    except OSError:
        pytest.skip("this machine has no IPv6")
    with receiver:
        assert timed(make(), receiver.url("[::1]")).ok
    assert f"Host: [::1]:{receiver.port}".encode() in receiver.requests[0]


def test_a_name_is_resolved_once_for_each_connection(make):
    """A name that has another address at each look (DNS rebinding) is called where it was checked."""
    looks = itertools.count()

    def rebinds(host, port, **options):
        return lookup("127.0.0.1" if next(looks) == 0 else "127.0.0.2")(host, port, **options)

    with Receiver(answers(OK)) as receiver:
        transport = make(AddressPolicy.of(["127.0.0.1/32"]), resolver=rebinds)
        assert timed(transport, receiver.url("receiver.test")).ok
        assert timed(transport, receiver.url("receiver.test")).ok
        assert 1 == next(looks)
        transport.close()
        assert refused(timed(transport, receiver.url("receiver.test")))


def test_a_name_without_an_address_is_a_failure(make):
    def unknown(host, port, **_):
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    assert "the host name cannot be resolved" == timed(make(resolver=unknown), "http://nowhere.test/").error


def test_a_resolver_that_hangs_does_not_hang_the_sender(make):
    done = threading.Event()
    looks = []

    def hangs(host, port, **_):
        looks.append(host)
        done.wait(PATIENCE_S)
        return lookup("127.0.0.1")(host, port)

    transport = make(resolver=hangs, connect_timeout_s=0.1)
    errors = [timed(transport, "http://slow.test/").error for _ in range(2)]
    done.set()
    assert ["no connection within 0.1 s"] * 2 == errors
    assert ["slow.test"] == looks


def test_an_error_of_the_resolver_itself_is_raised(make):
    with pytest.raises(ZeroDivisionError):
        make(resolver=lambda *_, **__: 1 // 0).send("http://receiver.test/", {}, b"", 1.0)


def test_a_closed_port_is_a_failure(transport):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert "connection refused" == timed(transport, f"http://127.0.0.1:{port}/").error


def test_an_address_that_does_not_take_connections_is_a_failure(make, monkeypatch):
    def times_out(address, port, timeout_s):
        waits.append(timeout_s)
        raise TimeoutError

    waits = []
    monkeypatch.setattr(connect, "_connected", times_out)
    transport = make(resolver=lookup("127.0.0.1", "127.0.0.2"), connect_timeout_s=2.0)
    assert "no connection within 2 s" == timed(transport, "http://receiver.test/", 3.0).error
    # The first address gets its share of the time only.
    assert [1.0, 2.0] == [pytest.approx(wait, abs=0.2) for wait in waits]


def test_addresses_are_tried_until_the_time_is_up(make, monkeypatch):
    def takes_all_the_time(address, port, timeout_s):
        tried.append(address)
        threading.Event().wait(timeout_s * 2)
        raise TimeoutError

    tried = []
    monkeypatch.setattr(connect, "_connected", takes_all_the_time)
    transport = make(resolver=lookup("127.0.0.1", "127.0.0.2"), connect_timeout_s=0.1)
    assert "no connection within 0.1 s" == timed(transport, "http://receiver.test/").error
    assert ["127.0.0.1"] == tried


@pytest.mark.parametrize(
    ("number", "error"),
    [
        (errno.EHOSTUNREACH, os.strerror(errno.EHOSTUNREACH).lower()),
        (errno.ECONNRESET, "connection reset by the receiver"),
        (errno.EPIPE, "connection closed while sending"),
    ],
)
def test_trouble_while_connecting_is_told_in_words(make, monkeypatch, number, error):
    def fails(address, port, timeout_s):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(connect, "_connected", fails)
    assert error == timed(make(), "http://127.0.0.1/").error


# --- TLS -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    return self_signed(tmp_path_factory.mktemp("tls"))


def test_a_certificate_that_nobody_vouches_for_is_refused(make, pair):
    with Receiver(answers(OK), tls=server_tls(*pair)) as receiver:
        outcome = timed(make(resolver=lookup("127.0.0.1")), receiver.url("localhost"), 5.0)
    assert outcome.error.startswith("TLS certificate refused: self")
    assert [] == receiver.requests


def test_a_certificate_for_another_name_is_refused(make, pair):
    with Receiver(answers(OK), tls=server_tls(*pair)) as receiver:
        outcome = timed(make(resolver=lookup("127.0.0.1"), verify=str(pair[0])), receiver.url("other.test"), 5.0)
    assert outcome.error.startswith("TLS certificate refused: Hostname mismatch")


def test_a_certificate_of_a_trusted_authority_is_accepted(make, pair):
    with Receiver(answers(OK), tls=server_tls(*pair)) as receiver:
        transport = make(resolver=lookup("127.0.0.1"), verify=str(pair[0]))
        outcomes = [timed(transport, receiver.url("localhost"), 5.0) for _ in range(3)]
        assert 1 == receiver.connections
    assert all(outcome.ok and "ok" == outcome.answer for outcome in outcomes)


def test_authorities_may_be_a_folder(make, pair, tmp_path):
    with Receiver(answers(OK), tls=server_tls(*pair)) as receiver:
        transport = make(resolver=lookup("127.0.0.1"), verify=str(tmp_path))
        assert timed(transport, receiver.url("localhost"), 5.0).error.startswith("TLS certificate refused")


@pytest.mark.parametrize("behaviour", [says_nothing, lambda call: call.drip(b"\x16\x03\x03\x40\x00" + b"\0" * 1000)])
def test_a_handshake_that_does_not_end_is_cut(transport, behaviour):
    with Receiver(behaviour) as receiver:
        assert late(timed(transport, receiver.url().replace("http:", "https:")))


def test_a_receiver_without_tls_is_a_failure(transport):
    with Receiver(lambda call: call.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as receiver:
        outcome = timed(transport, receiver.url().replace("http:", "https:"), 5.0)
    assert outcome.error.startswith(("TLS failed: ", "connection reset"))


def test_headers_that_drip_over_tls_are_cut(make, pair):
    with Receiver(drips_its_headers, tls=server_tls(*pair)) as receiver:
        assert late(timed(make(verify=str(pair[0])), receiver.url("localhost")))
