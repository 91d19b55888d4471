"""The terms of `requests` in which callbacks are sent: an adapter, its pools, connections and answers.

The host name stays what TLS and the ``Host`` header see; where a connection
leads is the `Connector`'s decision, and when it ends the `Exchange`'s.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
from collections.abc import Mapping
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, cast

import requests
from requests.adapters import HTTPAdapter
from requests.structures import CaseInsensitiveDict
from urllib3 import HTTPConnectionPool, HTTPResponse, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.util.ssl_ import create_urllib3_context

from workersai_core.callbacks.addresses import Target
from workersai_core.callbacks.connect import Connector
from workersai_core.callbacks.watchdog import Exchange

__all__ = ["Adapter", "HeadTooLong", "IncompleteHead"]

_IDLE_ENDPOINTS = 64
_IDLE_PER_ENDPOINT = 64
_MAX_HEAD_BYTES = 64 * 1024


class IncompleteHead(http.client.HTTPException):
    """The connection ended within the answer's headers."""


class HeadTooLong(http.client.HTTPException):
    """The answer's status line and headers, interim answers included, have no end."""


class _Lines:
    """A response's stream that counts what it gives and remembers the last line."""

    __slots__ = ("_given", "close", "flush", "last", "stream")

    def __init__(self, stream: Any) -> None:
        self.stream = stream
        self.last: bytes | None = None
        self._given = 0
        self.close = stream.close
        self.flush = stream.flush

    def readline(self, limit: int) -> bytes:
        self.last = line = cast(bytes, self.stream.readline(limit))
        self._given += len(line)
        if self._given > _MAX_HEAD_BYTES:
            raise HeadTooLong
        return line


class _Response(http.client.HTTPResponse):
    """An answer that tells its exchange when its headers are complete."""

    def begin(self) -> None:
        """Read the status line and the headers.

        Raises:
            HeadTooLong: they are longer than any honest receiver's.
            IncompleteHead: the stream ended before the empty line, which
                `http.client` by itself takes for the end of the headers.
        """
        lines = _Lines(self.fp)
        self.fp = cast(Any, lines)
        super().begin()
        self.fp = lines.stream
        if lines.last not in (b"\r\n", b"\n"):
            raise IncompleteHead
        if self.status < http.HTTPStatus.OK:
            self.will_close = True  # the real answer would follow and be taken for that of the next request
        _local.exchange.answered(self.status, self.close)


class _Local(threading.local):
    """What the connections of this thread work for."""

    exchange: Exchange
    connector: Connector


_local = _Local()


class _HTTPConnection(HTTPConnection):
    response_class = _Response

    def _new_conn(self) -> socket.socket:
        sock = _local.connector.open(self.host, self.port, _local.exchange.deadline)
        _local.exchange.holds(sock)
        return sock

    def request(self, *args: Any, **kwargs: Any) -> None:
        _prepare(self)
        super().request(*args, **kwargs)


class _HTTPSConnection(HTTPSConnection):
    response_class = _Response

    def _new_conn(self) -> socket.socket:
        exchange = _local.exchange
        sock = _local.connector.open(self.host, self.port, exchange.deadline)
        # The handshake is one operation to Python, so a timeout is its deadline; the watchdog takes over after it.
        sock.settimeout(max(exchange.left_s, 0.001))
        return sock

    def connect(self) -> None:
        super().connect()
        _local.exchange.holds(cast(socket.socket, self.sock))

    def request(self, *args: Any, **kwargs: Any) -> None:
        _prepare(self)
        super().request(*args, **kwargs)


def _prepare(connection: HTTPConnection) -> None:
    """See to it that the exchange knows the socket, before a request goes out."""
    if connection.sock is None:
        return  # it connects by itself, by way of _new_conn
    _local.exchange.reused = True
    _local.exchange.holds(connection.sock)


class _HTTPPool(HTTPConnectionPool):
    ConnectionCls = _HTTPConnection


class _HTTPSPool(HTTPSConnectionPool):
    ConnectionCls = _HTTPSConnection


class _Post(requests.PreparedRequest):
    """A request that is prepared for a `Target`: nothing of it is parsed or encoded again."""

    def __init__(self, target: Target, headers: Mapping[str, str], body: bytes) -> None:
        super().__init__()
        self.method = "POST"
        self.url = target.url
        self.target = target
        self.headers = CaseInsensitiveDict(headers)
        self.headers["Content-Length"] = str(len(body))
        self.body = body


class Adapter(HTTPAdapter):
    """Sends each request over a connection of a `Connector`, and keeps idle connections for the next.

    It reads no environment, follows nothing and stores no cookies: those are
    deeds of `requests.Session`, which is not used.

    Args:
        connector: Opens the connections.
        ca_bundle: A file or folder with the certificate authorities to trust.
    """

    def __init__(self, connector: Connector, ca_bundle: str) -> None:
        super().__init__()
        self._connector = connector
        self._ca_bundle = ca_bundle
        self._pool = lru_cache(maxsize=_IDLE_ENDPOINTS)(self._new_pool)

    def post(self, target: Target, headers: Mapping[str, str], body: bytes, exchange: Exchange) -> HTTPResponse:
        """Send one POST and return the answer with its body unread.

        Raises:
            requests.RequestException: there is no answer.
        """
        _local.exchange = exchange
        _local.connector = self._connector
        response = self.send(_Post(target, headers, body), stream=True, timeout=max(exchange.left_s, 0.001))
        return cast(HTTPResponse, response.raw)

    def close(self) -> None:
        """Close all idle connections."""
        self._pool.cache_clear()
        super().close()

    def get_connection_with_tls_context(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> Any:
        """Return the pool of the request's origin."""
        target = cast(_Post, request).target
        return self._pool(target.scheme, target.host, target.port)

    def cert_verify(self, *_: Any, **__: Any) -> None:
        """Do nothing: the pool's TLS context verifies always, and is made once."""

    def request_url(self, request: requests.PreparedRequest, proxies: Any) -> str:
        """Return what the request line names."""
        return cast(_Post, request).target.resource

    def build_response(self, req: requests.PreparedRequest, resp: Any) -> requests.Response:
        """Return an answer without cookies."""
        response = requests.Response()
        response.status_code = resp.status
        response.headers = resp.headers
        response.raw = resp
        response.request = req
        return response

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        # Reading the authorities takes tens of milliseconds: once for all connections, not once for each.
        context = create_urllib3_context()
        if Path(self._ca_bundle).is_dir():
            context.load_verify_locations(capath=self._ca_bundle)
        else:
            context.load_verify_locations(cafile=self._ca_bundle)
        return context

    def _new_pool(self, scheme: str, host: str, port: int) -> HTTPConnectionPool:
        if scheme == "https":
            return _HTTPSPool(host, port, maxsize=_IDLE_PER_ENDPOINT, ssl_context=self._tls)
        return _HTTPPool(host, port, maxsize=_IDLE_PER_ENDPOINT)
