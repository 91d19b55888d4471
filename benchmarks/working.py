"""The workers' side over HTTP: claim and submit."""

from __future__ import annotations

import json
from collections.abc import Callable

import requests

from benchmarks import http1, load, servers
from benchmarks.bench import Bench, Cost, ratios
from benchmarks.datasets import Dataset
from benchmarks.posting import create_request
from benchmarks.servers import Process

__all__ = ["GOALS", "measure"]

GOALS = ("P14 claim", "P14 submit", "P25 cost", "P25 p99", "P25 over")
_ROUND = 50
_WORKERS = 8
_OVERLAP = 2


def measure(bench: Bench) -> None:
    """Measure claims and submissions apart on a large database, and both together as workers do them."""
    _measure_apart(bench)
    _measure_labels(bench)


def _measure_apart(bench: Bench) -> None:
    large = bench.large
    posts, claims, submits = [], [], []
    with servers.serving(large.database, "--no-dispatch", max_live_assignments="1000") as service:
        bench.cost(service, [create_request(large.live_key)], seconds=1)  # warm
        for _ in range(bench.repeats):
            posts.append(bench.cost(service, [create_request(large.live_key)]).cpu_us)
            claims.append(_all_at_once(bench, service, large, _claims).cpu_us)
            submits.append(_all_at_once(bench, service, large, _submissions).cpu_us)
    told = f"at {bench.many // 1000} k tasks"
    bench.report.add("P14 claim", ratios(claims, posts), note=f"{sorted(claims)[len(claims) // 2]:.0f} us {told}")
    bench.report.add("P14 submit", ratios(submits, posts), note=f"{sorted(submits)[len(submits) // 2]:.0f} us {told}")


RequestsOf = Callable[[Process, str], list[bytes]]


def _all_at_once(bench: Bench, service: Process, data: Dataset, requests_of: RequestsOf) -> Cost:
    """Let every worker send its requests once, one after the other, all workers at the same time."""
    plan = {token: [each.decode() for each in requests_of(service, token)] for token in data.tokens[:32]}
    return bench.cost_of(
        service, lambda: load.run(service.url, "once", list(plan.values()), clients=len(plan), seconds=60)
    )


def _claims(service: Process, token: str) -> list[bytes]:
    return [http1.request("POST", "/v1/work/claim", b"{}", key=token)] * _ROUND


def _submissions(service: Process, token: str) -> list[bytes]:
    held = requests.get(
        f"{service.url}/v1/work/assignments", headers={"Authorization": f"Bearer {token}"}, timeout=60
    ).json()
    return [
        http1.request(
            "POST",
            f"/v1/work/{claim['assignment_id']}/submit",
            json.dumps({"response": {"category": claim["task"]["params"]["categories"][0]}}).encode(),
            key=token,
        )
        for claim in held
    ]


def _measure_labels(bench: Bench) -> None:
    costs, slowest, over = [], [], []
    tasks = 500 if bench.quick else 2000
    for n in range(bench.repeats):
        data = bench.database(f"labels-{n}", tasks=tasks, workers=_WORKERS, overlap=_OVERLAP)
        with servers.serving(data.database) as service:
            cost = _label_everything(bench, service, data)
        labels, handed_out_above = _labels(data)
        costs.append(1000 * cost.cpu_s / labels)
        slowest.append(cost.load.p99_ms)
        over.append(float(handed_out_above))
        if labels != tasks * _OVERLAP:
            raise RuntimeError(f"{labels} answers to {tasks} tasks that want {_OVERLAP} each")
    bench.report.add("P25 cost", costs)
    bench.report.add("P25 p99", slowest)
    bench.report.add("P25 over", over, note=f"{tasks} tasks, {_OVERLAP} answers each, {_WORKERS} workers")


def _label_everything(bench: Bench, service: Process, data: Dataset) -> Cost:
    return bench.cost_of(
        service, lambda: load.run(service.url, "label", list(data.tokens), clients=_WORKERS, seconds=120)
    )


def _labels(data: Dataset) -> tuple[int, int]:
    """Return how many answers there are, and how many tasks were handed out more often than wanted."""
    [[labels]] = data.rows("SELECT count(*) FROM wai_assignment WHERE state = 'submitted'")
    [[above]] = data.rows(
        "SELECT count(*) FROM (SELECT task_id FROM wai_assignment GROUP BY task_id HAVING count(*) > :wanted) AS t",
        wanted=_OVERLAP,
    )
    return int(labels), int(above)
