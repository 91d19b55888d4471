"""What every benchmark needs: where to work, how long, and where the figures go."""

from __future__ import annotations

import os
import shutil
import statistics
import time
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path

import attrs

from benchmarks import load
from benchmarks.datasets import Dataset, new_dataset
from benchmarks.load import Load
from benchmarks.report import Report
from benchmarks.servers import Process

__all__ = ["Bench", "Cost", "ratios", "sqlite_database"]

_SYNCS = 100


@attrs.frozen(kw_only=True)
class Cost:
    """A load, and what it cost the process that served it."""

    load: Load
    cpu_s: float

    @property
    def rate(self) -> float:
        """Answers per second."""
        return self.load.rate

    @property
    def cpu_us(self) -> float:
        """Processor time per request, in microseconds."""
        return 1e6 * self.cpu_s / self.load.requests


@attrs.define(kw_only=True, slots=False)
class Bench:
    """One run of benchmarks.

    Attributes:
        folder: For files; it should be on the disk that matters.
        new_database: Makes an empty database of a name, and returns its address.
        quick: Whether a rough figure soon is better than a good one later.
    """

    report: Report
    folder: Path
    new_database: Callable[[str], str]
    quick: bool

    @property
    def repeats(self) -> int:
        """How often to measure."""
        return 2 if self.quick else 5

    @property
    def seconds(self) -> float:
        """How long one measurement takes."""
        return 1.0 if self.quick else 3.0

    @property
    def many(self) -> int:
        """How many tasks a large database has."""
        return 100_000 if self.quick else 1_000_000

    def database(self, name: str, *, tasks: int = 0, workers: int = 0, overlap: int = 1) -> Dataset:
        """Make a new database with so many tasks, which that many workers shall answer each."""
        return new_dataset(self.new_database(name), tasks=tasks, workers=workers, overlap=overlap)

    def sqlite(self, name: str) -> Dataset:
        """Make a new database without tasks on SQLite, whatever the others are on."""
        return new_dataset(sqlite_database(self.folder, name), tasks=0, workers=0, overlap=1)

    @cached_property
    def large(self) -> Dataset:
        """A database of very many open tasks."""
        began = time.perf_counter()
        made = self.database("large", tasks=self.many, workers=64)
        self.report.say(f"{'':<15} made {self.many} tasks through tasks:batch in {time.perf_counter() - began:.0f} s")
        return made

    def cost(
        self, process: Process, requests: Sequence[bytes], *, clients: int = 32, seconds: float | None = None
    ) -> Cost:
        """Send requests over and over and return what they cost."""
        return self.cost_of(
            process,
            lambda: load.cycle(process.url, requests, clients=clients, seconds=seconds or self.seconds),
        )

    def cost_of(self, process: Process, make: Callable[[], Load]) -> Cost:
        """Make a load and return what it cost a process."""
        before = process.cpu_s()
        made = make()
        return Cost(load=made, cpu_s=process.cpu_s() - before)

    def sync_ms(self) -> float:
        """Return how long the disk takes to keep a few kilobytes for good; the median of many times."""
        took = []
        path = self.folder / "sync"
        with path.open("wb", buffering=0) as file:
            for _ in range(_SYNCS):
                file.write(b"x" * 4096)
                began = time.perf_counter()
                os.fdatasync(file.fileno()) if hasattr(os, "fdatasync") else os.fsync(file.fileno())
                took.append(time.perf_counter() - began)
        path.unlink()
        return 1000 * statistics.median(took)


def sqlite_database(folder: Path, name: str) -> str:
    """Make a place for a SQLite database, and return its address."""
    place = folder / name
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    return f"sqlite:///{place / 'labels.db'}"


def ratios(above: Sequence[float], below: Sequence[float]) -> list[float]:
    """Return the ratio of each pair that was measured one right after the other."""
    return [a / b for a, b in zip(above, below, strict=True)]
