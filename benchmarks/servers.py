"""Processes under test: started, watched for the processor time and memory they take, and ended."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import psutil

__all__ = ["SECRET", "Process", "python", "serving"]

_PATIENCE_S = 60
SECRET = "only-for-benchmarks-" + "x" * 32


class Process:
    """A process that says ``ready …`` on standard error when it is."""

    def __init__(self, command: Sequence[str], **settings: str) -> None:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("WORKERSAI_")}
        self.started_at = time.perf_counter()
        self._process = subprocess.Popen(
            command,
            env=kept | {f"WORKERSAI_{name.upper()}": value for name, value in settings.items()},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._said: list[str] = []
        self._ready = threading.Event()
        self._reader = threading.Thread(target=self._listen, daemon=True)
        self._reader.start()
        if not self._ready.wait(_PATIENCE_S) or not self.url:
            self.kill()
            raise RuntimeError(f"{command} did not become ready: {''.join(self._said)}")
        self.ready_after_s = time.perf_counter() - self.started_at
        self._watched = psutil.Process(self._process.pid)

    url = ""

    def cpu_s(self) -> float:
        """Return the processor time it took so far, its children's included."""
        processes = [self._watched, *self._watched.children(recursive=True)]
        return sum(times.user + times.system for times in (process.cpu_times() for process in processes))

    def memory_mb(self) -> float:
        """Return the memory that is resident now, in MB of a million bytes."""
        return float(self._watched.memory_info().rss) / 1e6

    def kill(self) -> None:
        """End it at once."""
        self._process.kill()
        self._process.wait()
        self._reader.join()
        if self._process.stderr is not None:
            self._process.stderr.close()

    def _listen(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            if line.startswith("ready "):
                self.url = line.split()[1]
                self._ready.set()
            else:
                self._said.append(line)
        self._ready.set()


@contextmanager
def python(module: str, *arguments: str, **settings: str) -> Iterator[Process]:
    """Run a module of Python for the length of a `with` block."""
    process = Process([sys.executable, "-m", module, *arguments], **settings)
    try:
        yield process
    finally:
        process.kill()


@contextmanager
def serving(database: str, *options: str, program: str = "workersai_server.cli", **settings: str) -> Iterator[Process]:
    """Run the service on the database of an address, with a rate limit that is checked and never reached."""
    chosen = {"rate_limit": "1000000/second", "secret_key": SECRET, **settings}
    with python(program, "serve", "--db", database, "--port", "0", *options, **chosen) as process:
        yield process
