"""Counting over many rows, for pages that show how things go."""

from __future__ import annotations

from sqlalchemy import bindparam, func, select, text

from workersai_core.model import Mode
from workersai_core.store.session import Session, Statement
from workersai_core.store.tables import assignments, deliveries, tasks

__all__ = ["by_day", "by_status", "callbacks_by_state", "queues", "work_by_worker"]

_DAY_US = 86_400_000_000
_MINE = (tasks.c.account == bindparam("account"), tasks.c.mode == bindparam("mode"))
_DAY = (tasks.c.created_at // _DAY_US).label("day")
_BY_STATUS = Statement(
    select(tasks.c.status, func.count())
    .where(*_MINE, tasks.c.created_at >= bindparam("since"))
    .group_by(tasks.c.status)
)
_BY_DAY = Statement(
    select(
        _DAY,
        func.count(),
        func.count(tasks.c.response).filter(text("status = 'completed'")),
        func.avg(tasks.c.completed_at - tasks.c.created_at).filter(text("status = 'completed'")),
        func.avg(tasks.c.confidence).filter(text("status = 'completed'")),
    )
    .where(*_MINE, tasks.c.created_at >= bindparam("since"))
    .group_by(text("1"))
    .order_by(text("1"))
)
_CALLBACKS = Statement(
    select(deliveries.c.state, func.count())
    .where(
        deliveries.c.account == bindparam("account"),
        deliveries.c.mode == bindparam("mode"),
        deliveries.c.created_at >= bindparam("since"),
    )
    .group_by(deliveries.c.state)
)
_QUEUES = Statement(
    select(tasks.c.task_type, func.count(), func.sum(tasks.c.open_slots), func.min(tasks.c.created_at))
    .where(text("open_slots > 0"))
    .group_by(tasks.c.task_type)
    .order_by(tasks.c.task_type)
)
_WORK = Statement(
    select(
        assignments.c.worker_id,
        assignments.c.state,
        func.count(),
        func.avg(assignments.c.finished_at - assignments.c.claimed_at),
    )
    .where(assignments.c.claimed_at >= bindparam("since"))
    .group_by(assignments.c.worker_id, assignments.c.state)
)


def by_status(session: Session, account: str, mode: Mode, since_us: int) -> dict[str, int]:
    """Return how many tasks made since a time are in each status."""
    rows = session.all(_BY_STATUS, {"account": account, "mode": mode, "since": since_us})
    return {status: int(count) for status, count in rows}


def by_day(
    session: Session, account: str, mode: Mode, since_us: int
) -> list[tuple[int, int, int, float | None, float | None]]:
    """Return (start of the day, created, completed, mean turnaround in µs, mean confidence) of each day with tasks."""
    rows = session.all(_BY_DAY, {"account": account, "mode": mode, "since": since_us})
    return [
        (
            int(day) * _DAY_US,
            int(created),
            int(completed),
            None if mean is None else float(mean),
            None if confidence is None else float(confidence),
        )
        for day, created, completed, mean, confidence in rows
    ]


def callbacks_by_state(session: Session, account: str, mode: Mode, since_us: int) -> dict[str, int]:
    """Return how many callbacks owed since a time are in each state."""
    rows = session.all(_CALLBACKS, {"account": account, "mode": mode, "since": since_us})
    return {state: int(count) for state, count in rows}


def queues(session: Session) -> list[tuple[str, int, int, int]]:
    """Return (task type, tasks that wait, answers they want, when the oldest was made) of all accounts."""
    return [(name, int(count), int(slots), int(oldest)) for name, count, slots, oldest in session.all(_QUEUES)]


def work_by_worker(session: Session, since_us: int) -> list[tuple[str, str, int, float | None]]:
    """Return (worker, state, assignments, mean time in µs) of what was claimed since a time."""
    return [
        (worker, state, int(count), None if mean is None else float(mean))
        for worker, state, count, mean in session.all(_WORK, {"since": since_us})
    ]
