"""Creating tasks over HTTP: the path that must be both fast and durable."""

from __future__ import annotations

import json

from benchmarks import http1, servers
from benchmarks.bench import Bench, Cost, ratios
from benchmarks.datasets import PARAMS

__all__ = ["GOALS", "create_request", "measure"]

GOALS = ("P1", "P2", "P3", "P4", "P6", "P7", "P13")
_BATCH = 1000
_SLOW_SYNC_MS = 1.0


def create_request(key: str, path: str = "/v1/tasks") -> bytes:
    """Return a creation as a client sends it."""
    return http1.request("POST", path, json.dumps({"params": PARAMS}, ensure_ascii=False).encode(), key=key)


def measure(bench: Bench) -> None:
    """Measure everything about creation, each round one after the other."""
    data, bare = bench.database("posting"), bench.sqlite("bare")
    post, batch = create_request(data.live_key), _batch_request(data.live_key)
    echoes: list[Cost] = []
    dropped: list[Cost] = []
    durable: list[Cost] = []
    lone: list[Cost] = []
    batches: list[Cost] = []
    syncs: list[float] = []
    with (
        servers.python("benchmarks.echo") as echo,
        servers.serving(data.database) as service,
        servers.serving(bare.database, program="benchmarks.discarding") as discarding,
    ):
        echo_post, bare_post = create_request("x", "/echo"), create_request(bare.live_key)
        for process, request in ((echo, echo_post), (service, post), (discarding, bare_post)):
            bench.cost(process, [request], seconds=1)  # warm
        for _ in range(bench.repeats):
            echoes.append(bench.cost(echo, [echo_post]))
            dropped.append(bench.cost(discarding, [bare_post]))
            durable.append(bench.cost(service, [post]))
            lone.append(bench.cost(service, [post], clients=1))
            batches.append(bench.cost(service, [batch], clients=1))
            syncs.append(bench.sync_ms())
    _report(bench, echoes, dropped, durable, lone, batches, syncs)


def _batch_request(key: str) -> bytes:
    line = json.dumps({"params": PARAMS}, ensure_ascii=False).encode()
    return http1.request(
        "POST", "/v1/tasks:batch", b"\n".join([line] * _BATCH), key=key, content_type="application/x-ndjson"
    )


def _report(
    bench: Bench,
    echoes: list[Cost],
    dropped: list[Cost],
    durable: list[Cost],
    lone: list[Cost],
    batches: list[Cost],
    syncs: list[float],
) -> None:
    add = bench.report.add
    add("P1", ratios(_rates(dropped), _rates(echoes)), note=_told("discarding store", dropped, "echo", echoes))
    add("P2", ratios(_rates(durable), _rates(echoes)), note=_told("durable", durable, "echo", echoes))
    add("P3", ratios(_cpu(durable), _cpu(echoes)))
    sync_ms = sorted(syncs)[len(syncs) // 2]
    bar = 10.0 if sync_ms >= _SLOW_SYNC_MS else 5.0
    add("P4", ratios(_rates(durable), _rates(lone)), bar=bar, note=f"a sync takes {sync_ms:.2f} ms here")
    add("P6", [cost.load.p99_ms / cost.load.p50_ms for cost in durable])
    add("P7", [cost.load.p50_ms - sync for cost, sync in zip(lone, syncs, strict=True)])
    per_task = [cost.cpu_us / _BATCH for cost in batches]
    add("P13", ratios(per_task, _cpu(durable)), note=f"{sorted(per_task)[len(per_task) // 2]:.0f} us per task")


def _rates(costs: list[Cost]) -> list[float]:
    return [cost.rate for cost in costs]


def _cpu(costs: list[Cost]) -> list[float]:
    return [cost.cpu_us for cost in costs]


def _told(name: str, costs: list[Cost], other_name: str, others: list[Cost]) -> str:
    return ", ".join(
        f"{who} {sorted(_rates(each))[len(each) // 2]:.0f}/s at {sorted(_cpu(each))[len(each) // 2]:.0f} us"
        for who, each in ((name, costs), (other_name, others))
    )
