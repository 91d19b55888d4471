"""Several processes that serve one port, and the process that looks after them.

The kernel shares the port's connections out among the processes that listen on
it (SO_REUSEPORT); this one only starts them, starts another in the place of
one that ends, and passes a request to end on to all. Each is a process of the
same command with a socket to this one: it says there that it answers, and ends
when the socket does, so that none outlives this process however that ends.
"""

from __future__ import annotations

import contextlib
import logging
import os
import selectors
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence

__all__ = ["COMMON_METRICS", "Supervisor", "say_ready"]

COMMON_METRICS = "PROMETHEUS_MULTIPROC_DIR"
"""The variable of the folder in which several processes count together, as `prometheus_client` names it."""

_READY = b"r"
_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_PAUSE_S = 1.0
_log = logging.getLogger("workersai.server")


def say_ready(descriptor: int) -> None:
    """Tell the process that looks after this one that it answers."""
    with contextlib.suppress(OSError):  # that process is gone; so will this one be
        os.write(descriptor, _READY)


class _Member:
    """One of the processes."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        self.connection, theirs = socket.socketpair()
        with theirs:
            self.process = subprocess.Popen(  # noqa: S603 - our own command
                [*command, "--member", str(theirs.fileno())],
                env={**os.environ, **environment},
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                start_new_session=True,  # a terminal's interrupt comes to us alone, and is passed on once
            )
        self.ready = False

    def heard(self) -> bool:
        """Take what it said; return False when it has ended."""
        try:
            said = self.connection.recv(16)
        except OSError:
            said = b""
        self.ready = self.ready or said == _READY
        return said != b""


class Supervisor:
    """Runs a command several times at once. To be used on the main thread, once.

    Args:
        command: What to run; ``--member DESCRIPTOR`` is appended.
        environment: Variables that all of them have in common, besides this process's own.
        members: How many of it.
        on_ready: Called once, when all of them have said that they are ready.
        drain_s: How long they may take to end after a signal.
    """

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        members: int,
        on_ready: Callable[[], None],
        drain_s: float,
    ) -> None:
        self._command = command
        self._environment = environment
        self._wanted = members
        self._on_ready = on_ready
        self._drain_s = drain_s
        self._members: list[_Member] = []
        self._selector = selectors.DefaultSelector()
        self._was_ready = False
        self._start_at = 0.0
        self._stop_by: float | None = None
        self._exit_code = 0

    def run(self) -> int:
        """Run until a signal to end, or until the first process could not start; return the exit code."""
        waking, woken = socket.socketpair()
        with waking, woken:
            waking.setblocking(False)
            self._selector.register(woken, selectors.EVENT_READ, None)
            before = signal.set_wakeup_fd(waking.fileno(), warn_on_full_buffer=False)
            handlers = {each: signal.signal(each, self._stop) for each in _SIGNALS}
            try:
                self._loop(woken)
            finally:
                signal.set_wakeup_fd(before)
                for each, handler in handlers.items():
                    signal.signal(each, handler)
                self._selector.close()
        return self._exit_code

    def _stop(self, *_: object) -> None:
        if self._stop_by is None:
            self._stop_by = time.monotonic() + self._drain_s
            self._send(signal.SIGTERM)

    def _send(self, number: int) -> None:
        for member in self._members:
            member.process.send_signal(number)

    def _loop(self, woken: socket.socket) -> None:
        while self._members or self._stop_by is None:
            self._start_missing()
            for key, _ in self._selector.select(self._wait_s()):
                if key.data is None:
                    woken.recv(1024)  # a signal; its handler has run
                elif not key.data.heard():
                    self._bury(key.data)
            if self._stop_by is not None and time.monotonic() >= self._stop_by:
                _log.warning("%d server processes did not end in time; they are killed", len(self._members))
                self._send(signal.SIGKILL)
            self._tell_when_ready()

    def _start_missing(self) -> None:
        """Start the first process alone: what keeps it from starting keeps all, and is told once."""
        while self._stop_by is None and len(self._members) < self._wanted and time.monotonic() >= self._start_at:
            if self._members and not self._members[0].ready:
                return
            member = _Member(self._command, self._environment)
            self._members.append(member)
            self._selector.register(member.connection, selectors.EVENT_READ, member)

    def _wait_s(self) -> float | None:
        """Return how long nothing needs to be done unless somebody says something."""
        if self._stop_by is not None:
            return max(0.0, self._stop_by - time.monotonic())
        return None if len(self._members) == self._wanted else max(0.0, self._start_at - time.monotonic()) or None

    def _bury(self, member: _Member) -> None:
        """Note that a process has ended, and plan another one in its place."""
        self._selector.unregister(member.connection)
        member.connection.close()
        code = member.process.wait()
        self._members.remove(member)
        if self._stop_by is not None:
            # One that had not started yet did not know the signal, and had nothing to finish.
            self._exit_code = self._exit_code or (0 if code == -signal.SIGTERM else abs(code))
        elif not self._was_ready and not self._members:
            self._exit_code = abs(code) or 1
            self._stop()
        else:
            _log.error("a server process ended by itself with %d; another one is started", code)
            # One that ended as soon as it had started would otherwise be started as fast as the machine allows.
            self._start_at = time.monotonic() + (0.0 if member.ready else _PAUSE_S)

    def _tell_when_ready(self) -> None:
        ready = [member for member in self._members if member.ready]
        if not self._was_ready and len(ready) == self._wanted:
            self._was_ready = True
            self._on_ready()
