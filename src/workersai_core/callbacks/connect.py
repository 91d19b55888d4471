"""Sockets that lead only to permitted addresses.

A name is resolved once, each address is checked, and the connection goes to a
checked address itself: nothing resolves the name again in between, so a name
that changes its address (DNS rebinding) gains nothing.
"""

from __future__ import annotations

import ipaddress
import socket
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any

from workersai_core.callbacks.addresses import AddressPolicy

__all__ = ["AddressRefused", "ConnectFailed", "ConnectTimedOut", "Connector", "Resolve"]

Resolve = Callable[..., Sequence[tuple[Any, ...]]]
"""Has the arguments and the answer of `socket.getaddrinfo`."""


class AddressRefused(OSError):
    """The host has no address that may be called."""


class ConnectTimedOut(OSError):
    """No address of the host accepted a connection in time."""


class ConnectFailed(OSError):
    """No address of the host accepted a connection; holds the last one's error.

    It has no error number of its own: urllib3 takes a bare ECONNRESET for
    trouble with a request that was half sent, and goes on to read an answer.
    """


class Connector:
    """Opens sockets to permitted addresses.

    Args:
        policy: Which addresses are permitted.
        timeout_s: For resolving the name and connecting together.
        resolve: How names become addresses.
    """

    def __init__(self, policy: AddressPolicy, timeout_s: float, resolve: Resolve) -> None:
        self._policy = policy
        self._timeout_s = timeout_s
        self._resolve = resolve
        self._lock = threading.Lock()
        self._lookups: dict[str, Future[list[str]]] = {}

    def open(self, host: str, port: int, until: float) -> socket.socket:
        """Return a connected socket.

        Args:
            host: A name or an address.
            port: Its TCP port.
            until: When to give up at the latest, in seconds of `time.monotonic`.

        Raises:
            AddressRefused: none of the host's addresses is permitted.
            ConnectTimedOut: the time was up.
            ConnectFailed: no address took the connection.
            OSError: the name has no address.
        """
        until = min(until, time.monotonic() + self._timeout_s)
        permitted = [text for text in self._addresses(host, until) if self._permits(text)]
        if not permitted:
            raise AddressRefused(f"{host} is not at a public address; callbacks go to public addresses only")
        failure: OSError = ConnectTimedOut()
        for index, address in enumerate(permitted):
            left_s = until - time.monotonic()
            if left_s <= 0:
                raise ConnectTimedOut
            try:
                return _connected(address, port, left_s / (len(permitted) - index))
            except TimeoutError:
                failure = ConnectTimedOut()
            except OSError as error:
                failure = ConnectFailed(error)
        raise failure

    def _permits(self, address: str) -> bool:
        return self._policy.permits(ipaddress.ip_address(address))

    def _addresses(self, host: str, until: float) -> list[str]:
        try:
            return [str(ipaddress.ip_address(host))]
        except ValueError:
            lookup = self._lookup(host)
        try:
            return lookup.result(timeout=max(until - time.monotonic(), 0.0))
        except TimeoutError as error:
            raise ConnectTimedOut from error

    def _lookup(self, host: str) -> Future[list[str]]:
        """Return the lookup of a name, which runs in a thread of its own.

        A resolver has no timeout that we could set. One lookup per name at a
        time keeps the number of threads that wait for a dead resolver small.
        """
        with self._lock:
            lookup = self._lookups.get(host)
            if lookup is None:
                lookup = self._lookups[host] = Future()
                threading.Thread(target=self._look_up, args=(host, lookup), name="callback-dns", daemon=True).start()
            return lookup

    def _look_up(self, host: str, lookup: Future[list[str]]) -> None:
        try:
            found = self._resolve(host, None, type=socket.SOCK_STREAM)
            # A dict keeps the resolver's order.
            addresses, error = list(dict.fromkeys(str(sockaddr[0]) for *_, sockaddr in found)), None
        except Exception as raised:
            addresses, error = [], raised
        with self._lock:
            del self._lookups[host]
        if error is None:
            lookup.set_result(addresses)
        else:
            lookup.set_exception(error)


def _connected(address: str, port: int, timeout_s: float) -> socket.socket:
    sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.settimeout(timeout_s)
        sock.connect((address, port))
    except BaseException:
        sock.close()
        raise
    return sock
