"""How far a long command is, on standard error and only for a person at a terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

__all__ = ["bytes_done"]


@contextmanager
def bytes_done(what: str, total: int | None) -> Iterator[Callable[[int], None]]:
    """Give a function that takes how many bytes are done so far.

    Args:
        what: What is being done.
        total: How many there are; None when nobody knows.
    """
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    # PERF: only for people at a terminal.
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task(what, total=total)
        yield lambda done: progress.update(bar, completed=done)
