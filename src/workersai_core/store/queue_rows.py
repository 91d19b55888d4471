"""The tasks that wait: for workers, and for the engine itself.

On PostgreSQL several processes take from one queue. Whoever looks for work
skips the rows that others hold, so that nobody waits for nothing. What is
taken is chosen in a MATERIALIZED query: a plain subquery with a LIMIT may be
evaluated anew for each row of the UPDATE around it, and take far too many.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    ClauseElement,
    ColumnElement,
    Select,
    bindparam,
    exists,
    literal_column,
    select,
    text,
    update,
)

from workersai_core.model import Task
from workersai_core.store.session import Session, Statement
from workersai_core.store.tables import assignments, tasks
from workersai_core.store.task_rows import COLUMNS, from_row, get

__all__ = [
    "any_due",
    "candidates",
    "due",
    "reopen_slot",
    "take_best",
    "take_slot",
    "wake_later",
    "want_another_answer",
]

_IS_OPEN = text("open_slots > 0")
_SLOT_TAKEN = {"open_slots": text("open_slots - 1"), "status": text("'in_progress'")}
_ORDER = (tasks.c.priority.desc(), tasks.c.deadline_at, tasks.c.id)


def _open_to_worker(dialect: str, task_type: ColumnElement[str]) -> Select[Any]:
    """Return the query for the tasks of a type that a worker may claim, most urgent first."""
    known = select(assignments.c.id).where(
        assignments.c.task_id == tasks.c.id,
        assignments.c.worker_id == bindparam("worker_id"),
        text("wai_assignment.state IN ('claimed', 'submitted', 'skipped')"),
    )
    if dialect == "postgresql":
        # PERF: as an anti-join it would be made by reading all assignments of the worker first, or simply all of them.
        # OFFSET keeps it a question that is asked for one task after the other, until one is found.
        known = known.offset(literal_column("0"))
    return (
        select(tasks.c.id, tasks.c.priority, tasks.c.deadline_at)
        .where(
            tasks.c.task_type == task_type,
            _IS_OPEN,
            tasks.c.deadline_at > bindparam("now"),
            ~exists(known),
        )
        .order_by(*_ORDER)
    )


def _take_first(*, skipping: bool) -> Statement:
    """Return the statement that takes a slot of the most urgent task of a type; only for PostgreSQL."""
    best = (
        _open_to_worker("postgresql", bindparam("task_type"))
        .limit(literal_column("1"))
        .with_for_update(of=tasks, skip_locked=skipping)
        .cte("best")
        .prefix_with("MATERIALIZED")
    )
    taken = update(tasks).where(tasks.c.id == best.c.id).values(**_SLOT_TAKEN)
    return Statement(taken.returning(*COLUMNS))


def _types_by_urgency() -> ClauseElement:
    kinds = text("unnest(CAST(:task_types AS text[])) AS kind")
    best = _open_to_worker("postgresql", literal_column("kind")).limit(literal_column("1")).subquery("best").lateral()
    return (
        select(literal_column("kind"))
        .select_from(kinds)
        .join(best, literal_column("true"))
        .order_by(best.c.priority.desc(), best.c.deadline_at, best.c.id)
    )


# A loose index scan: one probe for each type that has work, however much work it has.
_TYPES_WITH_WORK = Statement(
    text(
        "WITH RECURSIVE waiting(kind) AS ("
        " SELECT min(task_type) FROM wai_task WHERE open_slots > 0"
        " UNION ALL"
        " SELECT (SELECT min(task_type) FROM wai_task WHERE open_slots > 0 AND task_type > waiting.kind)"
        " FROM waiting WHERE waiting.kind IS NOT NULL)"
        " SELECT kind FROM waiting WHERE kind IS NOT NULL"
    )
)
_CANDIDATES = Statement(lambda dialect: _open_to_worker(dialect, bindparam("task_type")).limit(bindparam("n")))
_TYPES_BY_URGENCY = Statement(_types_by_urgency())
_TAKE_FIRST_FREE = _take_first(skipping=True)
_TAKE_FIRST = _take_first(skipping=False)
_TAKE_SLOT = Statement(update(tasks).where(tasks.c.id == bindparam("task_id"), _IS_OPEN).values(**_SLOT_TAKEN))
_REOPEN_SLOT = Statement(
    update(tasks)
    .where(tasks.c.id == bindparam("task_id"), text("status = 'in_progress'"))
    .values(open_slots=text("open_slots + 1"))
)
_WANT_ANOTHER = Statement(
    update(tasks)
    .where(tasks.c.id == bindparam("task_id"))
    .values(answers_wanted=text("answers_wanted + 1"), open_slots=text("open_slots + 1"))
)
_WAKE_LATER = Statement(
    update(tasks)
    .where(tasks.c.id == bindparam("task_id"), text("wake_at IS NOT NULL"))
    .values(wake_at=bindparam("later"))
)
_IS_DUE = (text("wake_at IS NOT NULL"), tasks.c.wake_at <= bindparam("now"))
_ANY_DUE = Statement(select(tasks.c.id).where(*_IS_DUE).limit(literal_column("1")))
_DUE = Statement(
    select(tasks.c.id).where(*_IS_DUE).order_by(tasks.c.wake_at).limit(bindparam("n")).with_for_update(skip_locked=True)
)


# --- workers -------------------------------------------------------------------------------------


def candidates(session: Session, task_types: Sequence[str], worker_id: str, now_us: int, limit: int) -> list[str]:
    """Return ids of tasks this worker may claim, most urgent first; `take_slot` tells whether one still is there.

    Order: priority (higher first), then deadline, then age.
    """
    found: list[tuple[int, int, str]] = []
    with_work = {kind for (kind,) in session.all(_TYPES_WITH_WORK)}
    for task_type in sorted(with_work & set(task_types)):
        rows = session.all(_CANDIDATES, {"task_type": task_type, "worker_id": worker_id, "now": now_us, "n": limit})
        found.extend((-priority, deadline, task_id) for task_id, priority, deadline in rows)
    return [task_id for _, _, task_id in sorted(found)[:limit]]


def take_best(
    session: Session, task_types: Sequence[str], worker_id: str, now_us: int, *, may_wait: bool
) -> Task | None:
    """Take one open slot of the most urgent task this worker may claim, and return the task; None without one.

    Args:
        session: The open transaction.
        task_types: Where to look.
        worker_id: Who claims.
        now_us: The time.
        may_wait: Whether to wait for tasks that others have locked, when all are; not if this transaction has
            locked some itself, since two may then wait for each other.
    """
    if session.dialect == "sqlite":
        for task_id in candidates(session, task_types, worker_id, now_us, 1):
            take_slot(session, task_id)  # nobody else writes meanwhile
            return get(session, task_id)
        return None
    parameters = {"worker_id": worker_id, "now": now_us}
    urgent = [kind for (kind,) in session.all(_TYPES_BY_URGENCY, {**parameters, "task_types": list(task_types)})]
    # At first what nobody has locked. When there is no such task, it takes a moment of waiting to know whether one
    # of the locked tasks stays open: somebody may just be answering it for another slot, or give it back.
    for statement in (_TAKE_FIRST_FREE, _TAKE_FIRST) if may_wait else (_TAKE_FIRST_FREE,):
        for kind in urgent:
            row = session.one(statement, {**parameters, "task_type": kind})
            if row is not None:
                return from_row(row)
    return None


def take_slot(session: Session, task_id: str) -> bool:
    """Take one open slot of a task; return False when there is none."""
    return session.run(_TAKE_SLOT, {"task_id": task_id}) == 1


def reopen_slot(session: Session, task_id: str) -> None:
    """Give a slot back, if the task still wants it."""
    session.run(_REOPEN_SLOT, {"task_id": task_id})


def want_another_answer(session: Session, task_id: str) -> None:
    """Raise the number of wanted answers by one and open a slot for it."""
    session.run(_WANT_ANOTHER, {"task_id": task_id})


# --- the engine ----------------------------------------------------------------------------------


def any_due(session: Session, now_us: int) -> bool:
    """Return whether there is a task on which the engine must act by itself now."""
    return session.one(_ANY_DUE, {"now": now_us}) is not None


def due(session: Session, now_us: int, limit: int) -> list[str]:
    """Return ids of tasks on which the engine must act by itself now, locked; not those that others have locked."""
    return [row[0] for row in session.all(_DUE, {"now": now_us, "n": limit})]


def wake_later(session: Session, task_id: str, at_us: int) -> None:
    """Look at a due task again at a later time."""
    session.run(_WAKE_LATER, {"task_id": task_id, "later": at_us})
