"""How one callback is sent: to permitted addresses only, within a total deadline, whatever the receiver does."""

from __future__ import annotations

import http.client
import math
import os
import socket
import ssl
import time
import zlib
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Protocol

import attrs
import requests
import requests.utils
import urllib3

from workersai_core.callbacks.adapter import Adapter, HeadTooLong, IncompleteHead
from workersai_core.callbacks.addresses import AddressPolicy, Target, target_of
from workersai_core.callbacks.connect import AddressRefused, Connector, ConnectTimedOut, Resolve
from workersai_core.callbacks.retry import parse_retry_after
from workersai_core.callbacks.watchdog import Exchange, Watchdog

__all__ = ["Outcome", "RequestsTransport", "Transport"]

_KEPT_BYTES = 64 * 1024
_GRACE_S = 1.0
"""How long a body is waited for once the headers are complete: it is read for the log only."""
_ZLIB_OR_GZIP = 32 + zlib.MAX_WBITS
_NETWORK_TROUBLE = (requests.RequestException, urllib3.exceptions.HTTPError, http.client.HTTPException, OSError)


@attrs.frozen(kw_only=True)
class Outcome:
    """What came of one attempt."""

    status: int | None
    """The answer's HTTP status; None when no complete headers came in time."""
    latency_ms: int
    """From the start to the complete headers, or to the failure."""
    error: str | None = None
    """One short sentence for the requester; None for an answer that came as it should."""
    answer: str | None = None
    """The beginning of the answer's body, at most 64 KB of it."""
    retry_after_s: float | None = None
    """What the receiver asked for in ``Retry-After``."""

    @property
    def ok(self) -> bool:
        """Whether the callback is delivered."""
        return self.error is None and self.status is not None and 200 <= self.status < 300


class Transport(Protocol):
    """Something that sends callbacks; many threads call it at once."""

    def send(self, url: str, headers: Mapping[str, str], body: bytes, deadline_s: float) -> Outcome:
        """POST `body` and return what came of it, at latest `deadline_s` seconds later.

        Trouble with the network or the receiver is an outcome, not an error.
        """
        ...

    def close(self) -> None:
        """Let go of connections and threads."""
        ...


class RequestsTransport:
    """Sends callbacks with `requests`.

    No redirects, no proxies, no ``.netrc``, no cookies; connections only to
    permitted addresses; a total deadline for each attempt. Idle connections
    are kept and shared by all threads.

    Args:
        policy: Which addresses may be called.
        connect_timeout_s: For resolving a name and connecting together.
        resolver: How names become addresses.
        verify: True for the public certificate authorities, else the path of
            a file or folder with those to trust. Certificates are always checked.
        user_agent: What the receiver sees; WorkersAI and its version by default.

    Raises:
        ValueError: `verify` is False, or `connect_timeout_s` is not positive.
    """

    def __init__(
        self,
        policy: AddressPolicy,
        *,
        connect_timeout_s: float = 5.0,
        resolver: Resolve = socket.getaddrinfo,
        verify: bool | str = True,
        user_agent: str | None = None,
    ) -> None:
        if verify is False:
            raise ValueError("Certificates are always checked; to trust your own, give the path of a CA bundle.")
        if connect_timeout_s <= 0:
            raise ValueError(f"connect_timeout_s is more than 0, not {connect_timeout_s}.")
        self._headers = {
            "User-Agent": user_agent or f"WorkersAI/{version('workersai')}",
            "Content-Type": "application/json",
            "Accept-Encoding": "identity",
        }
        self._connect_timeout_s = connect_timeout_s
        ca_bundle = requests.utils.DEFAULT_CA_BUNDLE_PATH if verify is True else verify
        self._adapter = Adapter(Connector(policy, connect_timeout_s, resolver), ca_bundle)
        self._watchdog = Watchdog()

    def send(self, url: str, headers: Mapping[str, str], body: bytes, deadline_s: float) -> Outcome:
        """POST `body` and return what came of it, at latest `deadline_s` seconds later.

        Args:
            url: A callback URL that was checked at creation.
            headers: Sent besides the transport's own.
            body: Sent as it is.
            deadline_s: Seconds for all of it: name, connection, TLS, request and headers of the answer.

        Raises:
            InvalidInput: `url` is no callback URL.
        """
        target = target_of(url)
        started = time.monotonic()
        exchange = self._watchdog.begin(started + deadline_s)
        try:
            return self._exchange(exchange, target, {**self._headers, **headers}, body, started)
        finally:
            exchange.end()

    def close(self) -> None:
        """Close idle connections and stop the watchdog; attempts under way are cut."""
        self._watchdog.close()
        self._adapter.close()

    def _exchange(
        self, exchange: Exchange, target: Target, headers: Mapping[str, str], body: bytes, started: float
    ) -> Outcome:
        answer: urllib3.HTTPResponse | None = None
        trouble: str | None = None
        try:
            answer = self._post(exchange, target, headers, body)
        except _NETWORK_TROUBLE as error:
            trouble = "the service stopped before an answer came" if exchange.stopped else self._told(error)
            if exchange.drop_body is not None:  # the headers are complete, but urllib3 does not like them
                exchange.drop_body()
        ended = time.monotonic() if math.isinf(exchange.answered_at) else exchange.answered_at
        latency_ms = round((ended - started) * 1000)
        # The clock beats the status: what a late or cut answer says does not count.
        if ended > exchange.deadline:
            if answer is not None:
                answer.close()
            told = f"no complete answer within {exchange.deadline - started:g} s"
            return Outcome(status=None, latency_ms=latency_ms, error=told)
        if exchange.status is None:
            return Outcome(status=None, latency_ms=latency_ms, error=trouble)
        return Outcome(
            status=exchange.status,
            latency_ms=latency_ms,
            error="redirects are not followed" if 300 <= exchange.status < 400 else None,
            answer=None if answer is None else _read(answer, exchange),
            retry_after_s=None if answer is None else _retry_after_s(answer),
        )

    def _post(
        self, exchange: Exchange, target: Target, headers: Mapping[str, str], body: bytes
    ) -> urllib3.HTTPResponse:
        try:
            return self._adapter.post(target, headers, body, exchange)
        except _NETWORK_TROUBLE as error:
            if not _was_stale(exchange, error):
                raise
        # The receiver closed the idle connection just when it was used. It may have seen the
        # request all the same; that is what webhook-id is for. The pool now opens a new one.
        return self._adapter.post(target, headers, body, exchange)

    def _told(self, failure: BaseException) -> str:
        """Return a failure in words for the requester, who must not learn addresses of our network from it."""
        cause = _cause(failure)
        if isinstance(cause, ConnectTimedOut):
            return f"no connection within {self._connect_timeout_s:g} s"
        for kind, told in _TOLD.items():
            if isinstance(cause, kind):
                return told or str(cause)
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"TLS certificate refused: {cause.verify_message}"
        if isinstance(cause, ssl.SSLError):
            return f"TLS failed: {cause.reason or 'connection closed in the handshake'}"
        if isinstance(cause, OSError) and cause.errno:
            return os.strerror(cause.errno).lower()
        return "the answer is not HTTP"


_TOLD: dict[type[BaseException], str] = {
    AddressRefused: "",  # says it itself
    socket.gaierror: "the host name cannot be resolved",
    ConnectionRefusedError: "connection refused",
    http.client.RemoteDisconnected: "connection closed without an answer",
    ConnectionResetError: "connection reset by the receiver",
    BrokenPipeError: "connection closed while sending",
    IncompleteHead: "connection closed within the headers of the answer",
    HeadTooLong: "the headers of the answer are too long",
}


def _was_stale(exchange: Exchange, error: BaseException) -> bool:
    """Return whether an idle connection turned out to be closed, with no answer and time for another try."""
    return (
        exchange.reused
        and not exchange.stopped
        and exchange.status is None
        and exchange.left_s > 0
        and isinstance(_cause(error), (ConnectionResetError, BrokenPipeError))
    )


def _cause(error: BaseException) -> BaseException:
    """Return the innermost of the errors that requests and urllib3 wrap around each other."""
    inner = (getattr(error, "reason", None), *error.args)
    return next((_cause(each) for each in inner if isinstance(each, BaseException)), error)


def _read(answer: urllib3.HTTPResponse, exchange: Exchange) -> str:
    """Read the beginning of a body, for the log; the connection is kept only if that was all of it."""
    kept = bytearray()
    until = min(exchange.deadline, time.monotonic() + _GRACE_S)
    try:
        # An answer that is read to its end has given its connection back: do not touch the socket then.
        while not answer.isclosed() and len(kept) < _KEPT_BYTES and (left_s := until - time.monotonic()) > 0:
            exchange.limit(left_s)
            kept += answer.read1(_KEPT_BYTES - len(kept), decode_content=False)
    except _NETWORK_TROUBLE:
        # Status and headers came in time: what becomes of the body changes nothing.
        return _text(kept, answer)
    finally:
        if not answer.isclosed():
            answer.close()
    return _text(kept, answer)


def _text(body: bytearray, answer: urllib3.HTTPResponse) -> str:
    plain = bytes(body)
    if body and answer.headers.get("content-encoding", "identity").lower() != "identity":
        try:
            plain = zlib.decompressobj(_ZLIB_OR_GZIP).decompress(body, _KEPT_BYTES)
        except zlib.error:
            return "(a compressed body that cannot be read)"
    # PostgreSQL stores no NUL.
    return plain.decode("utf-8", "replace").replace("\0", "\ufffd")


def _retry_after_s(answer: urllib3.HTTPResponse) -> float | None:
    asked = answer.headers.get("retry-after")
    return None if asked is None else parse_retry_after(asked, datetime.now(UTC))
