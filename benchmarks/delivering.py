"""Callbacks: how fast, at what cost, and whether one bad receiver delays the others."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import datetime
from itertools import cycle, islice

import attrs
import requests

from benchmarks import servers
from benchmarks.bench import Bench
from benchmarks.datasets import PARAMS, Dataset
from benchmarks.http1 import Connection, address, request
from benchmarks.servers import Process
from workersai_core import OpenTransaction
from workersai_core.commands import finish
from workersai_core.task_type import Verdict
from workersai_server.service import Service
from workersai_server.settings import Settings

__all__ = ["GOALS", "measure"]

GOALS = ("P19 rate", "P19 cost", "P19b 8", "P19b 32", "P20")
_ENDPOINTS = 8
_HEALTHY = 2
_BACKLOG = 20
_PATIENCE_S = 120
_LOOPBACK = "127.0.0.0/8"
_ALLOWED = {"allow_callback_networks": _LOOPBACK}
_VERDICT = Verdict(response={"category": "big"})
_PAUSE_S = 0.05


def measure(bench: Bench) -> None:
    """Measure throughput, then latency on a quiet system and beside hanging receivers."""
    _measure_throughput(bench)
    alone = _measure_latency(bench)
    for hanging in (8, 32):
        _measure_isolation(bench, hanging, alone)


# --- throughput ----------------------------------------------------------------------------------


def _measure_throughput(bench: Bench) -> None:
    count = 1000 if bench.quick else 4000
    rates, costs, told = [], [], ""
    for n in range(bench.repeats):
        data = bench.database(f"callbacks-{n}")
        with (
            servers.python("benchmarks.receiver", str(_ENDPOINTS), "0") as receiver,
            servers.serving(data.database, **_ALLOWED) as service,
        ):
            urls = _urls(receiver)
            before = service.cpu_s()
            body = _owe(data, urls, count)
            outbox_s = _until_arrived(data, urls[0], count)
            outbox_cpu_s = service.cpu_s() - before
            bare_s, bare_cpu_s = _bare(urls[0], body, count)
        rates.append(bare_s / outbox_s)
        costs.append(outbox_cpu_s / bare_cpu_s)
        told = f"last: {count / outbox_s:.0f}/s at {1e6 * outbox_cpu_s / count:.0f} us,"
        told += f" bare {count / bare_s:.0f}/s at {1e6 * bare_cpu_s / count:.0f} us"
    bench.report.add("P19 rate", rates, note=told)
    bench.report.add("P19 cost", costs)


def _owe(data: Dataset, urls: Sequence[str], count: int) -> bytes:
    """Complete so many tasks with callbacks to these URLs in turn; return the body of one."""
    settings = Settings(db=data.database, secret_key=servers.SECRET, allow_callback_networks=(_LOOPBACK,))
    service = Service.open(settings, start=False)
    try:
        engine = service.engine
        drafts = [
            engine.draft_task(account=data.account_id, mode="test", params=PARAMS, callback_url=url)
            for url in islice(cycle(urls), count)
        ]

        def create_and_complete(tx: OpenTransaction) -> str:
            tasks = [finish.complete(tx, tx.create(draft), _VERDICT, "system") for draft in drafts]
            return tasks[0].external_id

        first = engine.run(create_and_complete)
        [delivery] = engine.callbacks(first, account=data.account_id, mode="test")
        [[body]] = data.rows("SELECT body FROM wai_delivery WHERE id = :id", id=delivery.id)
        return str(body).encode()
    finally:
        service.close()


def _until_arrived(data: Dataset, url: str, count: int) -> float:
    """Wait until all callbacks are delivered and settled; return the time from the first arrival to the last."""
    give_up = time.monotonic() + _PATIENCE_S
    while data.rows("SELECT count(*) FROM wai_delivery WHERE state = 'pending'") != [(0,)]:
        if time.monotonic() > give_up:
            raise RuntimeError("the callbacks do not come to an end")
        time.sleep(0.1)
    arrived = _arrivals(url)
    if len({arrival.task_id for arrival in arrived}) != count:
        raise RuntimeError(f"{len(arrived)} of {count} callbacks arrived")
    times = [arrival.at for arrival in arrived]
    return max(times) - min(times)


def _bare(url: str, body: bytes, count: int) -> tuple[float, float]:
    """Return time and processor time of a bare sender."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.bare_sender", url, str(count)],
        input=body,
        stdout=subprocess.PIPE,
        check=True,
        timeout=_PATIENCE_S,
    )
    seconds, cpu_s = json.loads(done.stdout)
    return seconds, cpu_s


# --- latency -------------------------------------------------------------------------------------


def _measure_latency(bench: Bench) -> float:
    """Measure an idle system; return its p99 in milliseconds."""
    figures = [_latency_ms(bench, "quiet", hanging=0) for _ in range(bench.repeats)]
    bench.report.add("P20", figures)
    return statistics.median(figures)


def _measure_isolation(bench: Bench, hanging: int, alone_ms: float) -> None:
    figures = [_latency_ms(bench, f"hanging-{hanging}", hanging=hanging) for _ in range(bench.repeats)]
    bar = max(3 * alone_ms, 250.0)
    bench.report.add(f"P19b {hanging}", figures, bar=bar, note=f"alone {alone_ms:.1f} ms")


def _latency_ms(bench: Bench, name: str, *, hanging: int) -> float:
    """Return the p99 from completion to arrival at healthy endpoints, beside hanging ones with a backlog each."""
    data = bench.database(name)
    calls = 100 if bench.quick else 300
    with (
        servers.python("benchmarks.receiver", str(_HEALTHY), str(hanging)) as receiver,
        servers.serving(data.database, **_ALLOWED) as service,
    ):
        urls = _urls(receiver)
        healthy, bad = urls[:_HEALTHY], urls[_HEALTHY:]
        connection = Connection(address(service.url))
        for url in [*bad * _BACKLOG, *healthy * 2]:
            _create(connection, data, url)
        time.sleep(1.0)
        _arrivals(healthy[0])
        for url in islice(cycle(healthy), calls):
            _create(connection, data, url)
            time.sleep(_PAUSE_S / 2 if hanging else _PAUSE_S)
        time.sleep(0.5)
        connection.close()
        late = sorted(arrival.after_ms for arrival in _arrivals(healthy[0]))
    if len(late) < calls:
        raise RuntimeError(f"{len(late)} of {calls} callbacks arrived in time")
    return late[len(late) * 99 // 100]


def _create(connection: Connection, data: Dataset, url: str) -> None:
    body = json.dumps({"params": PARAMS, "callback_url": url}, ensure_ascii=False).encode()
    status, answer = connection.ask(request("POST", "/v1/tasks", body, key=data.test_key))
    if status != 201:
        raise RuntimeError(f"a creation was answered {status}: {answer!r}")


# --- the receiver's notes ------------------------------------------------------------------------


@attrs.frozen
class _Arrival:
    at: float
    task_id: str
    after_ms: float
    """How long after the task's completion."""


def _urls(receiver: Process) -> list[str]:
    return [f"http://127.0.0.1:{port}/hook" for port in receiver.url.rsplit(":", 1)[1].split(",")]


def _arrivals(url: str) -> list[_Arrival]:
    """Take what arrived since the last time, at any endpoint."""
    notes = requests.get(url, timeout=_PATIENCE_S).text
    found = []
    for line in notes.split("\n") if notes else ():
        at, body = json.loads(line)
        task = json.loads(body)
        if "completed_at" in task:
            completed_at = datetime.fromisoformat(task["completed_at"]).timestamp()
            found.append(_Arrival(at, task["external_id"], 1000 * (at - completed_at)))
    return found
