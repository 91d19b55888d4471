"""The demo's server: a real `workersai serve` in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from workersai_server.cli.output import Failure

__all__ = ["DemoServer"]

_START_S = 30.0
_STOP_S = 40.0
_READY = "ready "


class DemoServer:
    """Starts the server on a database, and ends it when the `with` block or this process ends.

    Args:
        database: The SQLite file.
        port: 0 chooses a free one.
        settings: Further ``WORKERSAI_*`` variables.
    """

    def __init__(self, database: Path, *, port: int, settings: Mapping[str, str]) -> None:
        # A person's own settings must not change the demo, nor the demo reach their database.
        environment = {name: value for name, value in os.environ.items() if not name.startswith("WORKERSAI_")}
        command = ["serve", "--db", f"sqlite:///{database}", "--host", "127.0.0.1", "--port", str(port)]
        self._process = subprocess.Popen(  # noqa: S603 - our own command line
            [sys.executable, "-m", "workersai_server.cli", *command, "--until-stdin-closes"],
            cwd=database.parent,
            env=environment | dict(settings),
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._ready = threading.Event()
        self._said: list[str] = []
        self.url = ""
        assert self._process.stderr is not None  # noqa: S101 - Popen was asked for a pipe
        self._listener = threading.Thread(
            target=self._listen, args=(self._process.stderr,), name="demo-server", daemon=True
        )
        self._listener.start()

    def __enter__(self) -> Self:
        if not self._ready.wait(_START_S) or not self.url:
            self._end()
            said = "".join(self._said).strip() or "it said nothing"
            raise Failure(f"The demo's server did not start: {said}", remedy="Run `workersai doctor`.")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def _listen(self, stream: IO[str]) -> None:
        for line in stream:
            if line.startswith(_READY):
                self.url = line.removeprefix(_READY).strip()
                self._ready.set()
            else:
                self._said.append(line)
        self._ready.set()  # also when it ended without getting ready

    def _end(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._listener.join(_STOP_S)
        for stream in (self._process.stdin, self._process.stderr):
            if stream is not None:
                stream.close()
