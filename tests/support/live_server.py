"""A real `workersai serve` in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import attrs

PATIENCE_S = 30


@attrs.define
class LiveServer:
    """A running server; `said` is what it wrote to standard error besides its readiness."""

    process: subprocess.Popen[str]
    url: str
    said: list[str]
    reader: threading.Thread

    def kill(self) -> None:
        """End it at once, as a crash would."""
        self.process.kill()
        self._wait()

    def stop(self) -> int:
        """End it as an operator would, and return its exit code."""
        self.process.terminate()
        return self._wait()

    def _wait(self) -> int:
        code = self.process.wait(PATIENCE_S)
        self.reader.join(PATIENCE_S)
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            if stream is not None and not stream.closed:
                stream.close()
        return code


def clean_environment(**settings: str) -> dict[str, str]:
    """Return this process's environment without its own ``WORKERSAI_*``, and with `settings` as such.

    What the processes do is not measured for coverage: it makes them twice as
    slow, and each branch has its test in this process.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("WORKERSAI_", "COVERAGE_"))}
    return kept | {f"WORKERSAI_{name.upper()}": value for name, value in settings.items()}


def workersai(*arguments: str, cwd: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run one command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "workersai_server.cli", *arguments],
        cwd=cwd,
        env=clean_environment(**settings),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def start_server(database: Path | str, *options: str, **settings: str) -> LiveServer:
    """Start a server on a SQLite file, or on the database of an address, and wait until it answers."""
    serve = ("serve", "--db", _address(database), "--port", "0")
    return start_command(*serve, *options, cwd=_folder(database), ready="ready http", **settings)


def start_dispatcher(database: str, *options: str, **settings: str) -> LiveServer:
    """Start a dispatcher and wait until it works."""
    dispatch = ("dispatch", "--db", database)
    return start_command(*dispatch, *options, cwd=_folder(database), ready="ready dispatch", **settings)


def start_command(*arguments: str, cwd: Path, ready: str, inside: Sequence[str] = (), **settings: str) -> LiveServer:
    """Start a command and wait until it says a line that begins with `ready`, whose second word is its `url`.

    Args:
        arguments: Of `workersai`.
        cwd: Its folder.
        ready: How the line begins.
        inside: A command that runs another one, and which this one is given to.
        settings: Of the service.
    """
    process = subprocess.Popen(
        [*inside, sys.executable, "-m", "workersai_server.cli", *arguments],
        cwd=cwd,
        env=clean_environment(**settings),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    said: list[str] = []
    url: list[str] = []
    settled = threading.Event()

    def listen() -> None:
        assert process.stderr is not None
        for line in process.stderr:
            if line.startswith(ready):
                url.append(line.split()[1])
                settled.set()
            else:
                said.append(line)
        settled.set()

    reader = threading.Thread(target=listen, daemon=True)
    reader.start()
    server = LiveServer(process, "", said, reader)
    if not settled.wait(PATIENCE_S) or not url:
        server.kill()
        raise AssertionError("the server did not start: " + "".join(said))
    server.url = url[0]
    return server


def _address(database: Path | str) -> str:
    return f"sqlite:///{database}" if isinstance(database, Path) else database


def _folder(database: Path | str) -> Path:
    return database.parent if isinstance(database, Path) else Path("/")


@contextmanager
def running_server(database: Path | str, *options: str, **settings: str) -> Iterator[LiveServer]:
    """Run a server for the length of a `with` block."""
    server = start_server(database, *options, **settings)
    try:
        yield server
    finally:
        server.kill()
