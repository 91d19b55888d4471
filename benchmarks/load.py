"""The load generator: many clients in a process of their own.

wrk makes the load where it is installed and every client sends fixed requests,
because it takes the least from the server under test. Otherwise this module
does, run as ``python -m benchmarks.load`` with a plan on standard input.
"""

from __future__ import annotations

import json
import re
import selectors
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import attrs

from benchmarks.http1 import Connection, address
from benchmarks.scripts import SCRIPTS, Script

__all__ = ["Load", "cycle", "run"]

_SLACK_S = 60
_WRK_SCRIPT = """
local requests = {%(requests)s}
local i = 0
function request()
  i = i %% #requests + 1
  return requests[i]
end
function done(summary, latency)
  io.write(string.format(
    '\\nRESULT {"requests": %%d, "seconds": %%.6f, "failed": %%d, "p50_ms": %%.4f, "p99_ms": %%.4f}\\n',
    summary.requests, summary.duration / 1e6,
    summary.errors.status + summary.errors.connect + summary.errors.read + summary.errors.timeout,
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3))
end
"""


@attrs.frozen(kw_only=True)
class Load:
    """What a load was answered.

    Attributes:
        requests: How many were answered.
        seconds: How long that took.
        failed: How many of the answers were 4XX or 5XX.
        p50_ms: Half of the answers came within this.
        p99_ms: All but one in a hundred did.
    """

    requests: int
    seconds: float
    failed: int
    p50_ms: float
    p99_ms: float

    @property
    def rate(self) -> float:
        """Answers per second."""
        return self.requests / self.seconds

    def all_fine(self) -> Load:
        """Return this load.

        Raises:
            RuntimeError: some of the answers were failures, so the figures mean nothing.
        """
        if self.failed or not self.requests:
            raise RuntimeError(f"{self.failed} of {self.requests} requests failed; the benchmark is wrong")
        return self


def cycle(url: str, requests: Sequence[bytes], *, clients: int, seconds: float) -> Load:
    """Let every client send the same requests over and over, for a time."""
    if shutil.which("wrk"):
        return _wrk(url, requests, clients, seconds)
    return run(url, "cycle", [each.decode("latin-1") for each in requests], clients=clients, seconds=seconds)


def run(url: str, script: str, argument: Any, *, clients: int, seconds: float) -> Load:
    """Let every client follow a script of `scripts.SCRIPTS`, for a time or until all have ended."""
    plan = {"url": url, "script": script, "argument": argument, "clients": clients, "seconds": seconds}
    answer = _output([sys.executable, "-m", "benchmarks.load"], json.dumps(plan), seconds)
    return Load(**json.loads(answer)).all_fine()


def _output(command: Sequence[str], text: str, seconds: float) -> str:
    return subprocess.run(
        command, input=text, stdout=subprocess.PIPE, text=True, check=True, timeout=seconds + _SLACK_S
    ).stdout


def _wrk(url: str, requests: Sequence[bytes], clients: int, seconds: float) -> Load:
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "load.lua"
        script.write_text(_WRK_SCRIPT % {"requests": ",".join(map(_lua, requests))})
        # wrk only knows whole seconds.
        options = ["-t1", f"-c{clients}", f"-d{max(1, round(seconds))}s", "--timeout", "30s", "-s", str(script)]
        told = _output(["wrk", *options, url], "", seconds)
    found = re.search(r"^RESULT (.*)$", told, re.MULTILINE)
    if found is None:
        raise RuntimeError(f"wrk told nothing: {told}")
    return Load(**json.loads(found[1])).all_fine()


def _lua(data: bytes) -> str:
    return '"' + "".join(f"\\{byte:03d}" for byte in data) + '"'


class _Client:
    """One client on one connection."""

    def __init__(self, where: tuple[str, int], script: Script) -> None:
        self.connection = Connection(where)
        self.script = script
        self.sent_at = 0.0

    def start(self) -> None:
        self._send(next(self.script))

    def go_on(self, answer: tuple[int, bytes]) -> bool:
        """Send what follows an answer; return whether anything does."""
        try:
            self._send(self.script.send(answer))
        except StopIteration:
            return False
        return True

    def _send(self, data: bytes) -> None:
        self.sent_at = time.perf_counter()
        self.connection.send(data)


def _drive(clients: Sequence[_Client], seconds: float) -> tuple[Counter[int], list[float]]:
    """Let the clients talk; return how often each status came and how long each answer took."""
    statuses: Counter[int] = Counter()
    latencies: list[float] = []
    with selectors.DefaultSelector() as ready:
        for client in clients:
            ready.register(client.connection.socket, selectors.EVENT_READ, client)
            client.start()
        stop_at = time.perf_counter() + seconds
        while ready.get_map():
            for key, _ in ready.select():
                client = key.data
                answer = client.connection.receive()
                if answer is None:
                    continue
                now = time.perf_counter()
                latencies.append(now - client.sent_at)
                statuses[answer[0]] += 1
                if now >= stop_at or not client.go_on(answer):
                    ready.unregister(client.connection.socket)
                    client.connection.close()
    return statuses, latencies


def _main() -> None:
    plan = json.load(sys.stdin)
    make, where = SCRIPTS[plan["script"]], address(plan["url"])
    clients = [_Client(where, make(plan["argument"], i)) for i in range(plan["clients"])]
    began = time.perf_counter()
    statuses, latencies = _drive(clients, plan["seconds"])
    took = time.perf_counter() - began
    latencies.sort()
    load = Load(
        requests=len(latencies),
        seconds=took,
        failed=sum(count for status, count in statuses.items() if status >= 400),
        p50_ms=1000 * latencies[len(latencies) // 2],
        p99_ms=1000 * latencies[len(latencies) * 99 // 100],
    )
    json.dump(attrs.asdict(load), sys.stdout)


if __name__ == "__main__":
    _main()
