"""One transaction of the engine: the session, the time, and what happened in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any

import attrs

from workersai_core.clock import Clock, to_us
from workersai_core.hooks import Hooks
from workersai_core.ids import IdSource
from workersai_core.model import Context, Event, Mode, Task
from workersai_core.policy import Policy
from workersai_core.registry import TaskTypes
from workersai_core.store import event_rows

if TYPE_CHECKING:
    from workersai_core.store.session import Session

__all__ = ["Parts", "Transaction"]


@attrs.frozen(kw_only=True)
class Parts:
    """What every transaction of an engine shares."""

    types: TaskTypes
    hooks: Hooks
    clock: Clock
    ids: IdSource
    policy: Policy
    plugin_settings: Mapping[str, Any] = attrs.field(factory=dict)


class Transaction:
    """An open transaction and everything a command needs in it.

    Attributes:
        session: Where statements run.
        parts: What the engine shares.
        now: The time of this transaction, aware UTC; it does not move.
        recorded: What was recorded so far; observers see it after the commit.
        work_due: Whether something was stored that the dispatcher should look at now.
    """

    def __init__(self, session: Session, parts: Parts) -> None:
        self.session = session
        self.parts = parts
        self.now: datetime = parts.clock.now()
        self.now_us: int = to_us(self.now)
        self.recorded: list[Event] = []
        self.work_due = False

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """Undo everything done inside when it raises, and forget what was recorded; keep it otherwise."""
        before = len(self.recorded)
        try:
            with self.session.savepoint():
                yield
        except BaseException:
            del self.recorded[before:]
            raise

    def new_id(self) -> str:
        """Return a fresh identifier."""
        return self.parts.ids.new(self.now_us)

    def context(self, actor: str, mode: Mode) -> Context:
        """Return what a hook may know of this transaction."""
        return Context(
            now=self.now,
            actor=actor,
            mode=mode,
            settings=self.parts.plugin_settings,
            session=self.session,
            seed=self.new_id(),
        )

    def record(self, name: str, task: Task, actor: str, data: Mapping[str, Any] | None = None) -> None:
        """Append an event about a task to the log."""
        self.record_about(name, task.external_id, task.account, task.mode, actor, data)

    def record_each(self, name: str, tasks: Sequence[tuple[Task, str]]) -> None:
        """Append the same event about each task and its actor to the log."""
        self.recorded += event_rows.append_each(self.session, name, self.now_us, tasks)

    def record_about(
        self,
        name: str,
        task_id: str | None,
        account: str,
        mode: Mode,
        actor: str,
        data: Mapping[str, Any] | None = None,
    ) -> None:
        """Append an event to the log where the task itself is not at hand, or none is concerned."""
        event = event_rows.append(
            self.session,
            name,
            self.now_us,
            task_id=task_id,
            account=account,
            mode=mode,
            actor=actor,
            data=data or {},
        )
        self.recorded.append(event)
