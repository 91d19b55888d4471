"""What it takes to start, to stay and to be installed."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Mapping
from importlib.metadata import Distribution, distribution
from pathlib import Path

import requests
from packaging.requirements import Requirement

from benchmarks import http1, load, servers
from benchmarks.bench import Bench
from benchmarks.datasets import PARAMS

__all__ = ["GOALS", "measure"]

GOALS = ("P22", "P23 start", "P23 idle", "P23 growth", "P24 size", "P24 count")
_BATCHES, _BATCH = 100, 1000
_NAME = "workersai"
_SOURCES = Path(__file__).parent.parent / "src"


def measure(bench: Bench) -> None:
    """Measure the command, the server and the installation."""
    bench.report.add("P22", [_version_ms() for _ in range(2 * bench.repeats)])
    _measure_server(bench)
    _measure_installation(bench)


def _version_ms() -> float:
    began = time.perf_counter()
    subprocess.run(
        [Path(sys.executable).with_name("workersai"), "--version"],
        stdout=subprocess.DEVNULL,
        check=True,
    )
    return 1000 * (time.perf_counter() - began)


def _measure_server(bench: Bench) -> None:
    starts, idles, growths = [], [], []
    for n in range(bench.repeats):
        data = bench.database(f"starting-{n}")
        with servers.serving(data.database) as service:
            answer = requests.get(f"{service.url}/healthz", timeout=30)
            starts.append(time.perf_counter() - service.started_at)
            answer.raise_for_status()
            time.sleep(0.5)
            idles.append(service.memory_mb())
            load.run(
                service.url, "once", [[_batch(data.live_key).decode("latin-1")] * _BATCHES], clients=1, seconds=300
            )
            time.sleep(0.5)
            growths.append(service.memory_mb() - idles[-1])
    bench.report.add("P23 start", starts)
    bench.report.add("P23 idle", idles)
    bench.report.add("P23 growth", growths, note=f"{_BATCHES} batches of {_BATCH} tasks")


def _batch(key: str) -> bytes:
    line = json.dumps({"params": PARAMS}, ensure_ascii=False).encode()
    return http1.request(
        "POST", "/v1/tasks:batch", b"\n".join([line] * _BATCH), key=key, content_type="application/x-ndjson"
    )


# --- installation --------------------------------------------------------------------------------


def _measure_installation(bench: Bench) -> None:
    """Add up the files of the package and of everything it needs, as they are installed here."""
    needed = _with_requirements(_NAME)
    size = sum(_size(each) for name, each in needed.items() if name != _NAME)
    size += sum(_tree_size(folder) for folder in _SOURCES.glob("workersai_*"))
    bench.report.add("P24 size", [size / 1e6], note="as installed here, compiled files included")
    bench.report.add("P24 count", [float(len(needed))])


def _with_requirements(name: str) -> Mapping[str, Distribution]:
    """Return a distribution and all that a plain install of it brings, by name."""
    found: dict[str, Distribution] = {}
    todo = [Requirement(name)]
    seen: set[tuple[str, str]] = set()
    while todo:
        wanted = todo.pop()
        own_name = wanted.name.lower().replace("_", "-")
        found[own_name] = distribution(wanted.name)
        for extra in {"", *wanted.extras}:
            if (own_name, extra) in seen:
                continue
            seen.add((own_name, extra))
            for text in found[own_name].requires or ():
                further = Requirement(text)
                if further.marker is None or further.marker.evaluate({"extra": extra}):
                    todo.append(further)
    return found


def _size(installed: Distribution) -> int:
    paths = [Path(str(file.locate())) for file in installed.files or ()]
    return sum(path.stat().st_size for path in paths if path.is_file())


def _tree_size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
