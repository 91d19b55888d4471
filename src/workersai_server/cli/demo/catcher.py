"""A receiver of callbacks, as a requester would run one."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

import attrs

from workersai_client import CallbackVerificationError, verify_callback
from workersai_server.cli.demo.media import MEDIA

__all__ = ["Catcher", "Received"]

_ACCEPTED = 200
_REFUSED = 500
_FORGED = 401
_UNKNOWN = 404


@attrs.frozen(kw_only=True)
class Received:
    """One callback request and what it was answered."""

    external_id: str
    webhook_id: str
    verified: bool
    answered: int
    body: dict[str, Any]


class Catcher:
    """Listens on this machine, verifies each callback and remembers it.

    Args:
        secret: The account's webhook secret.
        on_callback: Called for each request, on its own thread.
        port: Where to listen if it is free; else, and with 0, on any free port.
    """

    def __init__(self, secret: str, on_callback: Callable[[Received], None], port: int = 0) -> None:
        self._secret = secret
        self._on_callback = on_callback
        self._refuse_next: set[str] = set()
        self._received: list[Received] = []
        self._changed = threading.Condition()
        self._server = _listening(port, self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.05,), name="demo-catcher", daemon=True
        )

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        """Where to send callbacks."""
        return f"{self.origin}/callback"

    @property
    def origin(self) -> str:
        """Where the sample media lie, each under its path in `MEDIA`."""
        return f"http://127.0.0.1:{self.port}"

    def refuse_once(self, external_id: str) -> None:
        """Answer the next callback of this task with a 500."""
        with self._changed:
            self._refuse_next.add(external_id)

    def wait_for(self, external_id: str, *, timeout_s: float) -> Received | None:
        """Return the accepted callback of a task as soon as it is there; None when it is late."""
        give_up = time.monotonic() + timeout_s
        with self._changed:
            while True:
                for each in self._received:
                    if each.external_id == external_id and each.answered == _ACCEPTED:
                        return each
                if not self._changed.wait(give_up - time.monotonic()):
                    return None

    def take(self, payload: bytes, headers: dict[str, str]) -> int:
        """Judge one request and return the status to answer."""
        try:
            body = verify_callback(payload, headers, self._secret)
            verified = True
        except CallbackVerificationError:
            body, verified = _unverified(payload), False
        external_id = str(body.get("external_id", ""))
        with self._changed:
            answered = _ACCEPTED if verified else _FORGED
            if verified and external_id in self._refuse_next:
                self._refuse_next.remove(external_id)
                answered = _REFUSED
            received = Received(
                external_id=external_id,
                webhook_id=headers.get("webhook-id", ""),
                verified=verified,
                answered=answered,
                body=body,
            )
            self._received.append(received)
            self._changed.notify_all()
        self._on_callback(received)
        return answered

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        catcher = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                kind, content = MEDIA.get(self.path, ("text/plain", b""))
                self.send_response(_ACCEPTED if content else _UNKNOWN)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(content)))
                # The console draws the sound's waveform, for which its page must be allowed to read it.
                self.send_header("Access-Control-Allow-Origin", "*")
                self.end_headers()
                self.wfile.write(content)

            def do_POST(self) -> None:
                payload = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                status = catcher.take(payload, {name.lower(): value for name, value in self.headers.items()})
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                """Say nothing here; `on_callback` does."""

        return Handler


def _listening(port: int, handler: type[BaseHTTPRequestHandler]) -> ThreadingHTTPServer:
    try:
        return ThreadingHTTPServer(("127.0.0.1", port), handler)
    except OSError:
        return ThreadingHTTPServer(("127.0.0.1", 0), handler)


def _unverified(payload: bytes) -> dict[str, Any]:
    try:
        body = json.loads(payload)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
