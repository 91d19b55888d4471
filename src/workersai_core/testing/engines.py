"""Engines for tests: in memory, on a clock that stands still, with callbacks that are caught."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any
from weakref import WeakSet

from workersai_core.callbacks.addresses import AddressPolicy
from workersai_core.commands.work import assign
from workersai_core.engine import Engine
from workersai_core.model import Task, Worker
from workersai_core.policy import Policy
from workersai_core.testing.clock import FakeClock
from workersai_core.testing.transport import CapturingTransport

__all__ = ["complete", "memory_engine", "open_engines"]

_LEASE = timedelta(hours=1)
_open: WeakSet[Engine] = WeakSet()


class _MemoryEngine(Engine):
    """An engine that is listed while it is open."""

    def close(self) -> None:
        """Close it once."""
        if self in _open:
            _open.discard(self)
            super().close()


def memory_engine(**overrides: Any) -> Engine:
    """Return an engine in memory.

    It has a `FakeClock`, a `CapturingTransport` and the installed task types,
    and may call back any address. No thread ticks or delivers: call `tick`
    and `deliver`.

    Args:
        **overrides: Arguments of `Engine.open` to use instead.
    """
    defaults: dict[str, Any] = {
        "clock": FakeClock(),
        "transport": CapturingTransport(),
        "policy": Policy(addresses=AddressPolicy.of(["0.0.0.0/0", "::/0"])),
    }
    engine = _MemoryEngine.open("sqlite://", **{**defaults, **overrides})
    _open.add(engine)
    return engine


def open_engines() -> Iterable[Engine]:
    """Return the engines of `memory_engine` that are not closed."""
    return list(_open)


def complete(engine: Engine, task: Task, response: Any, *more: Any) -> Task:
    """Answer a live task as workers do, and return it as it is then.

    Args:
        engine: Its engine.
        task: An open live task.
        response: The answer of a worker who has not seen the task.
        *more: The answers of further workers, for a task with an overlap.

    Raises:
        WrongState: the task wants no further answer.
        InvalidInput: an answer breaks the type's rules.
    """
    answered = engine.get_task(task.external_id, account=task.account, mode=task.mode).answers_accepted
    for n, answer in enumerate((response, *more), start=answered + 1):
        worker = Worker(id=f"tester-{n}")
        claim = engine.run(lambda tx, worker=worker: assign(tx, task, worker, _LEASE))  # type: ignore[misc]
        engine.submit(claim.assignment.id, worker, answer)
    return engine.get_task(task.external_id, account=task.account, mode=task.mode)
