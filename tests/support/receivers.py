"""Receivers of callbacks on loopback sockets, each as bad as it is told, and what sends to them.

A behaviour is a function from a connected socket to nothing. `Receiver` runs
it in a thread for each connection that it accepts, and ends all of them when
the `with` block ends.
"""

from __future__ import annotations

import contextlib
import shutil
import socket
import ssl
import struct
import subprocess
import threading
import time

import pytest

from workersai_core.callbacks.addresses import AddressPolicy
from workersai_core.callbacks.transport import RequestsTransport

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
PATIENCE_S = 10.0
DEADLINE_S = 0.5
LOOPBACK = AddressPolicy.of(["127.0.0.0/8", "::1/128"])


class Call:
    """One accepted connection, as its behaviour sees it."""

    def __init__(self, receiver, sock):
        self.receiver = receiver
        self.sock = sock
        self._rest = b""

    def request(self):
        """Read one whole request and return it; b"" when the sender closed."""
        while b"\r\n\r\n" not in self._rest:
            if not (more := self.sock.recv(65536)):
                return b""
            self._rest += more
        head, _, rest = self._rest.partition(b"\r\n\r\n")
        [length] = [int(line[16:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length: ")]
        while len(rest) < length:
            if not (more := self.sock.recv(65536)):
                return b""
            rest += more
        self._rest = rest[length:]
        request = head + b"\r\n\r\n" + rest[:length]
        self.receiver.requests.append(request)
        return request

    def send(self, data):
        self.sock.sendall(data)

    def drip(self, data, pause_s=0.02):
        """Send byte by byte until all is sent or the sender closed."""
        for n in range(len(data)):
            self.sock.sendall(data[n : n + 1])
            if self.receiver.stopped.wait(pause_s):
                return

    def wait(self):
        """Do nothing until the test is over."""
        self.receiver.stopped.wait(PATIENCE_S)

    def wait_for_close(self):
        """Wait until the sender closes; return whether it did."""
        self.sock.settimeout(PATIENCE_S)
        with contextlib.suppress(ConnectionError):
            while self.sock.recv(65536):
                pass
        return True

    def reset(self):
        """Close with RST instead of FIN."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()


def answers(data):
    """Answer each request on a connection with these bytes."""

    def behave(call):
        while call.request():
            call.send(data)

    return behave


def answers_once(data):
    """Answer one request with these bytes and close."""

    def behave(call):
        call.request()
        call.send(data)

    return behave


def says_nothing(call):
    call.wait()


def drips_its_headers(call):
    call.request()
    call.drip(b"HTTP/1.1 200 OK\r\n" + b"X-Drip: drop\r\n" * 100 + b"\r\n")


class Receiver:
    """A listening socket and what it does with each connection.

    Attributes:
        requests: Each request read so far, as bytes.
        connections: How many were accepted.
        stopped: Set when the receiver is to end.
    """

    def __init__(self, *behaviours, tls=None, host="127.0.0.1"):
        self.requests = []
        self.connections = 0
        self.stopped = threading.Event()
        self._behaviours = behaviours
        self._tls = tls
        self._scheme = "http" if tls is None else "https"
        self._open = []
        self._threads = []
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._listener = socket.create_server((host, 0), family=family, backlog=128)
        self.port = self._listener.getsockname()[1]

    def url(self, host="127.0.0.1", path="/hook"):
        return f"{self._scheme}://{host}:{self.port}{path}"

    def __enter__(self):
        self._start(self._accept)
        return self

    def __exit__(self, *_):
        self.stopped.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for sock in self._open:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(PATIENCE_S)
            assert not thread.is_alive()
        for sock in self._open:
            sock.close()

    def _start(self, target, *args):
        thread = threading.Thread(target=target, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self):
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            behaviour = self._behaviours[min(self.connections, len(self._behaviours) - 1)]
            self.connections += 1
            self._open.append(sock)
            self._start(self._serve, sock, behaviour)

    def _serve(self, sock, behaviour):
        # What the sender does to the connection is its right, and looked at from its side.
        with contextlib.suppress(OSError):
            if self._tls is not None:
                sock = self._tls.wrap_socket(sock, server_side=True)
                self._open.append(sock)
            with sock:
                behaviour(Call(self, sock))


def self_signed(folder, name="localhost"):
    """Return the paths of a new certificate for a name and of its key."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl makes the certificate of this test and is not installed")
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    kind = ["-x509", "-nodes", "-days", "2", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
    subject = ["-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}"]
    command = ["openssl", "req", *kind, *subject, "-keyout", key, "-out", certificate]
    subprocess.run(command, check=True, capture_output=True)
    return certificate, key


def server_tls(certificate, key):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context


def lookup(*addresses):
    """Return a resolver that knows these addresses for every name."""

    def resolve(host, port, **_):
        return [
            (socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 0))
            for address in addresses
        ]

    return resolve


@contextlib.contextmanager
def transports():
    """Give a function that makes transports, and close them in the end."""
    made = []

    def make(policy=LOOPBACK, **options):
        made.append(RequestsTransport(policy, **options))
        return made[-1]

    yield make
    for each in made:
        each.close()


def timed(transport, url, deadline_s=DEADLINE_S, headers=None, body=b"{}"):
    """Send and return the outcome; it must be there within a second of the deadline."""
    began = time.monotonic()
    outcome = transport.send(url, headers or {}, body, deadline_s)
    assert time.monotonic() - began < deadline_s + 1
    return outcome


def late(outcome):
    """Return whether this is the outcome of an attempt that `timed` cut at its usual deadline."""
    return (None, None) == (outcome.status, outcome.answer) and "no complete answer within 0.5 s" == outcome.error
