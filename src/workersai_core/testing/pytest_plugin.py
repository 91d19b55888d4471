"""Fixtures for pytest; installed with the package, so a test only names them.

    def test_a_task_is_answered(workersai_engine, workersai_complete):
        task = workersai_engine.create_task(account="acme", task_type="my_type", params={…})
        assert workersai_complete(task, {…}).status == "completed"

All names begin with ``workersai_``, so that they shadow no fixture of yours.
Override `workersai_plugins` to test a plugin that is not installed. Engines
that a test made with `memory_engine` and left open are closed when it ends.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from workersai_core.engine import Engine
    from workersai_core.model import Task
    from workersai_core.testing import CapturingTransport, FakeClock

__all__ = ["workersai_clock", "workersai_complete", "workersai_engine", "workersai_plugins", "workersai_transport"]


@pytest.fixture
def workersai_plugins() -> Sequence[object]:
    """Plugin objects to load besides the installed ones: none; override it with your own."""
    return ()


@pytest.fixture
def workersai_clock() -> FakeClock:
    """The engine's clock, which stands still until `FakeClock.advance`."""
    from workersai_core.testing import FakeClock

    return FakeClock()


@pytest.fixture
def workersai_transport() -> CapturingTransport:
    """What catches the engine's callbacks; look at its ``requests``."""
    from workersai_core.testing import CapturingTransport

    return CapturingTransport()


@pytest.fixture
def workersai_engine(
    workersai_plugins: Sequence[object], workersai_clock: FakeClock, workersai_transport: CapturingTransport
) -> Iterator[Engine]:
    """An engine in memory with the installed plugins and those of `workersai_plugins`; none of them may fail."""
    from workersai_core.testing import memory_engine

    with memory_engine(
        plugins=workersai_plugins, clock=workersai_clock, transport=workersai_transport, strict_plugins=True
    ) as engine:
        yield engine


@pytest.fixture
def workersai_complete(workersai_engine: Engine) -> Callable[..., Task]:
    """Answers a task as workers do: ``workersai_complete(task, response, *more)``; see `complete`."""
    from workersai_core.testing import complete

    def answer(task: Task, response: Any, *more: Any) -> Task:
        return complete(workersai_engine, task, response, *more)

    return answer


_BEFORE = pytest.StashKey["set[Engine]"]()
"""The engines that were open when a test began: those of its fixtures and of the module's."""


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_call(item: pytest.Item) -> None:
    """Remember whose engines are open."""
    item.stash[_BEFORE] = _open_engines()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Iterator[None]:
    """Close the engines that the test left open, after its fixtures, which may still look into them."""
    try:
        return (yield)
    finally:
        before = item.stash.get(_BEFORE, None)
        if before is not None:
            del item.stash[_BEFORE]  # it would keep engines in memory as long as the session
            for engine in _open_engines() - before:
                engine.close()


def _open_engines() -> set[Engine]:
    # PERF: who has not imported the engines has none open.
    engines = sys.modules.get("workersai_core.testing.engines")
    return set() if engines is None else set(engines.open_engines())
