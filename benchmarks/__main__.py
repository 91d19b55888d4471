"""Measure the performance goals: ``python -m benchmarks [NAME…] [--store STORE] [--quick] [--json]``."""

from __future__ import annotations

import argparse
import importlib
import platform
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import psutil

from benchmarks import postgresql
from benchmarks.bench import Bench, sqlite_database
from benchmarks.goals import GOALS
from benchmarks.report import Report

# In this order: what needs a quiet machine most comes first.
_SUBJECTS = ("inprocess", "posting", "reading", "working", "console", "delivering", "starting", "postgresql")
_ON_POSTGRESQL = ("posting", "reading", "working", "delivering")
"""What depends on the store, and does not compare the two by itself."""


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"{', '.join(_SUBJECTS)}, or goals such as P2")
    parser.add_argument(
        "--store",
        choices=["sqlite", "postgresql"],
        default="sqlite",
        help="where the tasks are; without a NAME, postgresql measures only what depends on it",
    )
    parser.add_argument("--quick", action="store_true", help="rough figures in a few minutes, on smaller databases")
    parser.add_argument("--json", action="store_true", help="one JSON document on standard output")
    parser.add_argument("--folder", type=Path, help="where databases are made; a new temporary folder by default")
    return parser.parse_args()


def _chosen(names: list[str], store: str) -> list[str]:
    """Return the subjects that are named or measure a goal that is."""
    subjects = {subject: importlib.import_module(f"benchmarks.{subject}") for subject in _SUBJECTS}
    if not names:
        return list(subjects if store == "sqlite" else _ON_POSTGRESQL)
    known = {*subjects, *(goal.split()[0] for goal in GOALS)}
    if unknown := sorted(set(names) - known):
        sys.exit(f"There is no benchmark {', '.join(unknown)}; choose from {', '.join(sorted(known))}.")
    wanted = set(names)
    return [
        subject
        for subject, module in subjects.items()
        if subject in wanted or wanted & {goal.split()[0] for goal in module.GOALS}
    ]


@contextmanager
def _databases(store: str, folder: Path) -> Iterator[Callable[[str], str]]:
    """Give what makes an empty database of a name and returns its address."""
    if store == "sqlite":
        yield partial(sqlite_database, folder)
    else:
        with postgresql.server(folder / "server") as server:
            yield server.new_database


def main() -> None:
    """Measure what was asked for and report it."""
    arguments = _arguments()
    chosen = _chosen(arguments.names, arguments.store)
    report = Report()
    report.say(
        f"{arguments.store}, {psutil.cpu_count()} cores, Python {platform.python_version()}, {platform.system()}"
    )
    with (
        tempfile.TemporaryDirectory(prefix="workersai-bench-", dir=arguments.folder) as folder,
        _databases(arguments.store, Path(folder)) as new_database,
    ):
        bench = Bench(report=report, folder=Path(folder), new_database=new_database, quick=arguments.quick)
        for subject in chosen:
            importlib.import_module(f"benchmarks.{subject}").measure(bench)
    report.finish(as_json=arguments.json)


if __name__ == "__main__":
    main()
