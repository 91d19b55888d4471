"""granian as the bundled server, in this very process.

granian's own way is a main process that spawns workers. Here the engine's
writer, its threads and the answers belong together, SQLite wants one process
anyway, and a process that is alone leaves nothing behind when it is killed.
So its thread server is used, whose single worker runs the same Rust loop.
"""

from __future__ import annotations

import http.client
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable
from typing import Any
from wsgiref.types import WSGIApplication

from granian.constants import HTTPModes, Interfaces
from granian.log import LogLevels
from granian.server import MTServer

from workersai_core import InvalidInput
from workersai_server.waiting import PatientEvent

__all__ = ["CONNECTIONS", "end_when_closed", "free_address", "serve"]

CONNECTIONS = 1024
"""How many clients may be connected at once; further ones wait in the kernel's queue of the same length.

SECURITY: it is also how many threads there may be, because a client that sends
its body slowly, or never, holds one. They are started when all others are
busy and end when they were idle for a while.
"""

_DRAIN_S = 30.0
_POLL_S = 0.01
_OK = 200
_EVERY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - where to ask, not where to listen
_TO_STDERR = {"class": "logging.StreamHandler", "formatter": "generic", "stream": "ext://sys.stderr"}


def free_address(host: str, port: int) -> tuple[str, int]:
    """Return the numeric address and port to listen on.

    Args:
        host: A name or an address of this machine.
        port: 0 chooses a free one.

    Raises:
        InvalidInput: somebody listens there already, or it is not of this machine.
    """
    # granian shares a port with whoever listens there already (SO_REUSEPORT); this asks without sharing.
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            probe.listen(1)
            found = probe.getsockname()
            return str(found[0]), int(found[1])
    except OSError as error:
        raise InvalidInput(
            f"Cannot listen on {host} port {port}: {error.strerror}. Choose another --host or --port."
        ) from error


def serve(
    app: WSGIApplication, *, host: str, port: int, on_ready: Callable[[], None], drain_s: float = _DRAIN_S
) -> None:
    """Serve `app` until SIGTERM, SIGINT or SIGHUP, and return when the running requests have finished.

    Must be called on the main thread.

    Args:
        app: The WSGI application.
        host: A numeric address; see `free_address`.
        port: Not 0.
        on_ready: Called once, on another thread, when ``/healthz`` first answers 200.
        drain_s: How long running requests may take after the signal; then the process ends at once.
    """
    server = _OneProcess(
        target="application",  # only a name for the logs: the loader below hands over the object
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        http=HTTPModes.http1,
        websockets=False,
        blocking_threads=CONNECTIONS,
        backlog=CONNECTIONS,
        backpressure=CONNECTIONS,
        log_level=LogLevels.error,
        # granian would write to standard output, which belongs to the command's own result.
        log_dictconfig={"handlers": {"console": _TO_STDERR, "access": _TO_STDERR}},
    )
    server.drain_s = drain_s
    server.main_loop_interrupt = PatientEvent()
    stopped = threading.Event()
    asking = threading.Thread(
        target=_when_ready, args=(host, port, stopped, on_ready), name="workersai-ready", daemon=True
    )
    asking.start()
    try:
        server.serve(target_loader=lambda: app, wrap_loader=False)
    finally:
        stopped.set()


class _OneProcess(MTServer):
    """granian's thread server with one worker, which does not mind the global interpreter lock."""

    drain_s: float = _DRAIN_S

    def _check_gil(self) -> None:
        """Accept the interpreter lock: it only keeps *several* workers from being of use."""

    def signal_handler_reload(self, *args: Any, **kwargs: Any) -> None:
        """End as on SIGTERM when the terminal goes away; there is nothing to reload."""
        self.signal_handler_interrupt(*args, **kwargs)  # type: ignore[no-untyped-call]  # granian leaves it untyped

    def shutdown(self, exit_code: int = 0) -> None:
        """Stop accepting, and wait for the running requests as long as `drain_s`."""
        late = threading.Timer(self.drain_s, _give_up, (self.drain_s,))
        late.daemon = True
        late.start()
        super().shutdown(exit_code)  # type: ignore[no-untyped-call]  # granian leaves it untyped
        late.cancel()


def _give_up(drain_s: float) -> None:
    print(f"Requests still run after {drain_s:g} s of draining; ending without them.", file=sys.stderr, flush=True)  # noqa: T201
    os._exit(1)  # as safe as a crash: whatever was acknowledged is on disk


def _when_ready(host: str, port: int, stopped: threading.Event, on_ready: Callable[[], None]) -> None:
    while not stopped.is_set():
        if _answers(_EVERY_ADDRESS.get(host, host), port):
            on_ready()
            return
        stopped.wait(_POLL_S)


def _answers(host: str, port: int) -> bool:
    connection = http.client.HTTPConnection(host, port, timeout=5)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == _OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def end_when_closed(stream: int) -> None:
    """Send this process SIGTERM when the other end of a pipe is gone, however it went.

    Args:
        stream: The reading end's file descriptor, for example 0.
    """

    def watch() -> None:
        while os.read(stream, 1024):
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="workersai-parent", daemon=True).start()
