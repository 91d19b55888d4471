"""`workersai listen`: a receiver of callbacks on the developer's own machine."""

from __future__ import annotations

import json
import signal
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import attrs
import click

from workersai_server.cli.options import json_option
from workersai_server.cli.output import USAGE, Failure, Output, pass_output

__all__ = ["listen"]

_ACCEPTED = 200
_UNREADABLE = 400
_FORGED = 401
_TOO_LARGE = 413
_BAD_GATEWAY = 502
_MAX_BYTES = 16 * 1_048_576
_PASSED_ON = ("content-type", "user-agent", "webhook-id", "webhook-timestamp", "webhook-signature")
_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_LOOPBACK = "127.0.0.1"


@attrs.frozen
class _Judge:
    """Verifies deliveries, passes the good ones on, and says what came."""

    output: Output
    secret: str
    forward: str | None
    _speaking: threading.Lock = attrs.field(factory=threading.Lock)

    def take(self, payload: bytes, headers: Mapping[str, str]) -> int:
        """Return the status to answer a delivery with."""
        from workersai_client import CallbackVerificationError, verify_callback

        error, body = None, None
        try:
            body = verify_callback(payload, headers, self.secret)
            status = _ACCEPTED
        except CallbackVerificationError as refused:
            status, error = _FORGED, str(refused)
        except ValueError:
            status, error = _UNREADABLE, "The body is signed, but it is no JSON."
        if status == _ACCEPTED and self.forward is not None:
            status, error = _forwarded(self.forward, payload, headers)
        self._say(headers.get("webhook-id"), body, status, error)
        return status

    def _say(self, webhook_id: str | None, body: Any, status: int, error: str | None) -> None:
        said = {
            "webhook_id": webhook_id,
            "verified": body is not None,
            "answered": status,
            "error": error,
            "body": body,
        }
        shown = json.dumps(body, ensure_ascii=False, indent=2) if error is None else error
        with self._speaking:  # deliveries come at once, lines must not mix
            self.output.step(said, f"{webhook_id or '(no webhook-id)'}  {status}\n{shown}")


def _forwarded(url: str, payload: bytes, headers: Mapping[str, str]) -> tuple[int, str | None]:
    """Send a delivery on as it came, and return the status of the answer, and what went wrong."""
    from workersai_client import APIConnectionError, forward_callback

    passed_on = {name: headers[name] for name in _PASSED_ON if name in headers}
    try:
        status = forward_callback(url, payload, passed_on)
    except APIConnectionError as error:
        return _BAD_GATEWAY, str(error)
    return status, None if 200 <= status < 300 else f"{url} answered {status}."


def _handler(judge: _Judge) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = 30

        def do_POST(self) -> None:
            length = self.headers.get("Content-Length", "")
            if not (length.isascii() and length.isdigit()):
                self._answer(_UNREADABLE)
            elif int(length) > _MAX_BYTES:
                self._answer(_TOO_LARGE)
            else:
                payload = self.rfile.read(int(length))
                self._answer(judge.take(payload, {name.lower(): value for name, value in self.headers.items()}))

        def _answer(self, status: int) -> None:
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing here; the judge does."""

    return Handler


@click.command()
@click.option("--port", type=click.IntRange(0, 65535), default=8001, show_default=True, help="0 chooses a free one.")
@click.option(
    "--secret", envvar="WORKERSAI_WEBHOOK_SECRET", help="The account's whsec_…; better given as the variable."
)
@click.option("--forward", metavar="URL", help="Send good deliveries on, and answer what is answered there.")
@json_option
@pass_output
def listen(output: Output, *, port: int, secret: str | None, forward: str | None) -> None:
    """Receive callbacks on this machine: verify each, print it, and answer 200.

    A delivery with a bad signature is answered 401. With --json each delivery
    is one line. Prints `ready http://H:P` on standard error and runs until it
    is interrupted.
    """
    from workersai_client import check_webhook_secret

    try:
        check_webhook_secret(secret or "")
    except ValueError as error:
        remedy = "Pass --secret or set WORKERSAI_WEBHOOK_SECRET; `workersai accounts create` shows it."
        raise Failure(str(error), remedy=remedy, exit_code=USAGE, code="invalid_secret") from None
    try:
        server = ThreadingHTTPServer((_LOOPBACK, port), _handler(_Judge(output, secret or "", forward)))
    except OSError as error:
        raise Failure(f"Port {port} cannot be used: {error.strerror}.", remedy="Choose another --port.") from error
    server.daemon_threads = True
    before = {number: signal.signal(number, lambda *_: _stop(server)) for number in _SIGNALS}
    try:
        output.note(f"ready http://{_LOOPBACK}:{server.server_address[1]}")
        server.serve_forever(0.05)
    finally:
        server.server_close()
        for number, handler in before.items():
            signal.signal(number, handler)


def _stop(server: ThreadingHTTPServer) -> None:
    # The signal comes on the thread that serves, and `shutdown` waits for that to end.
    threading.Thread(target=server.shutdown).start()
