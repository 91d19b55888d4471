"""Reading tasks over HTTP: what grows with the database, and what must not."""

from __future__ import annotations

import random
from urllib.parse import quote

import requests

from benchmarks import http1, servers
from benchmarks.bench import Bench, Cost, ratios
from benchmarks.datasets import Dataset
from benchmarks.posting import create_request
from benchmarks.servers import Process

__all__ = ["GOALS", "measure"]

GOALS = ("P8", "P9", "P10", "P11", "P12")
_FEW = 1000
_CLIENTS = 8
_PAGE = "/v1/tasks?limit=100"
# Nothing matches any of these; each goes another way through the database.
_NO_METADATA = f"{quote('metadata[project]')}=nothing"
_EMPTY = (
    "status=error",
    "task_type=audio_transcription",
    "task_type=categorization&status=error",
    _NO_METADATA,
    f"{_NO_METADATA}&status=pending",
    f"{_NO_METADATA}&{quote('metadata[other]')}=x",
    "created_before=2001-01-01T00:00:00Z",
)


def measure(bench: Bench) -> None:
    """Measure the same reads on a small and on a large database."""
    small, large = bench.database("small", tasks=_FEW), bench.large
    with (
        servers.python("benchmarks.echo") as echo,
        servers.serving(small.database, "--no-dispatch") as few,
        servers.serving(large.database, "--no-dispatch") as many,
    ):
        _measure_one(bench, (echo, few, many), small, large)
        newest = _compare(bench, "P10", (few, _newest(small)), (many, _newest(large)))
        _compare(bench, "P11", (few, _pages(few, small)), (many, _pages(many, large)))
        _measure_empty(bench, many, large, newest)


def _measure_one(bench: Bench, processes: tuple[Process, Process, Process], small: Dataset, large: Dataset) -> None:
    echo, few, many = processes
    post = create_request("x", "/echo")
    echoes, at_few, at_many = [], [], []
    for _ in range(bench.repeats):
        echoes.append(bench.cost(echo, [post]).cpu_us)
        at_few.append(bench.cost(few, _gets(small)).cpu_us)
        at_many.append(bench.cost(many, _gets(large)).cpu_us)
    told = f"{sorted(at_few)[len(at_few) // 2]:.0f} us with 1 k tasks, {sorted(at_many)[len(at_many) // 2]:.0f} us"
    bench.report.add("P8", ratios(at_few, echoes))
    bench.report.add("P9", ratios(at_many, at_few), note=f"{told} with {bench.many // 1000} k")


def _compare(
    bench: Bench, goal: str, few: tuple[Process, list[bytes]], many: tuple[Process, list[bytes]]
) -> list[Cost]:
    at_few, at_many = [], []
    for _ in range(bench.repeats):
        at_few.append(bench.cost(*few, clients=_CLIENTS))
        at_many.append(bench.cost(*many, clients=_CLIENTS))
    middle = sorted(cost.cpu_us for cost in at_many)[len(at_many) // 2]
    growth = ratios([cost.cpu_us for cost in at_many], [cost.cpu_us for cost in at_few])
    bench.report.add(goal, growth, note=f"{middle / 1000:.2f} ms at {bench.many // 1000} k tasks")
    return at_many


def _measure_empty(bench: Bench, many: Process, large: Dataset, newest: list[Cost]) -> None:
    """Compare the worst of the empty pages with the newest one."""
    worst, slowest = [], ""
    for page in newest:
        costs = {
            query: bench.cost(many, [_get(f"{_PAGE}&{query}", large)], clients=_CLIENTS, seconds=1) for query in _EMPTY
        }
        slowest = max(costs, key=lambda query: costs[query].cpu_us)
        worst.append(costs[slowest].cpu_us / page.cpu_us)
    bench.report.add("P12", worst, note=f"the worst of {len(_EMPTY)} filters: {slowest}")


def _get(path: str, data: Dataset) -> bytes:
    return http1.request("GET", path, key=data.live_key)


def _gets(data: Dataset) -> list[bytes]:
    ids = list(data.ids)
    random.Random(1).shuffle(ids)
    return [_get(f"/v1/tasks/{task_id}", data) for task_id in ids[:400]]


def _newest(data: Dataset) -> list[bytes]:
    return [_get(_PAGE, data)]


def _pages(process: Process, data: Dataset) -> list[bytes]:
    """Return requests for pages that start anywhere.

    A page starts after a task; the cursor of a place is had by asking for the
    one page that ends there.
    """
    chosen = random.Random(2).sample(data.ids[:-1], min(100, len(data.ids) - 1))
    times = [_created_at(process, data, task_id) for task_id in chosen]
    return [_get(f"{_PAGE}&created_before={quote(at)}", data) for at in times]


def _created_at(process: Process, data: Dataset, task_id: str) -> str:
    answer = requests.get(
        f"{process.url}/v1/tasks/{task_id}", headers={"Authorization": f"Bearer {data.live_key}"}, timeout=30
    )
    return str(answer.json()["created_at"])
