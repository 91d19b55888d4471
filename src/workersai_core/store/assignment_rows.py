"""Reading and writing assignments."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ClauseElement, ColumnElement, bindparam, func, literal_column, select, text, update

from workersai_core.clock import from_us
from workersai_core.lifecycle import AssignmentState
from workersai_core.model import Assignment
from workersai_core.store.session import Row, Session, Statement
from workersai_core.store.tables import assignments, tasks

__all__ = [
    "answers",
    "any_expired",
    "end_all",
    "expire",
    "expired",
    "finish",
    "free_slot",
    "get",
    "insert",
    "live_count",
    "live_of_worker",
    "lock_worker",
    "renew",
]

_COLUMNS: tuple[ColumnElement[Any], ...] = (
    assignments.c.id,
    assignments.c.task_id,
    assignments.c.worker_id,
    assignments.c.slot,
    assignments.c.state,
    assignments.c.claimed_at,
    assignments.c.lease_expires_at,
    assignments.c.finished_at,
    assignments.c.reason,
    assignments.c.response,
)
_IS_LIVE = text("wai_assignment.state = 'claimed'")

_INSERT = Statement(assignments.insert())
_GET = Statement(select(*_COLUMNS).where(assignments.c.id == bindparam("id")))
_LIVE_COUNT = Statement(
    select(func.count())
    .select_from(assignments)
    .where(
        assignments.c.worker_id == bindparam("worker_id"),
        _IS_LIVE,
        assignments.c.lease_expires_at > bindparam("now"),
    )
)
_LIVE_OF_WORKER = Statement(
    select(*_COLUMNS)
    .where(
        assignments.c.worker_id == bindparam("worker_id"),
        _IS_LIVE,
        assignments.c.lease_expires_at > bindparam("now"),
    )
    .order_by(assignments.c.claimed_at, assignments.c.id)
)
_TAKEN_SLOTS = Statement(
    select(assignments.c.slot)
    .where(assignments.c.task_id == bindparam("task_id"), text("state IN ('claimed', 'submitted')"))
    .order_by(assignments.c.slot)
)
_ANSWERS = Statement(
    select(*_COLUMNS)
    .where(assignments.c.task_id == bindparam("task_id"), text("state = 'submitted'"))
    .order_by(assignments.c.finished_at, assignments.c.id)
)
_LIVE_OF_TASK = Statement(select(*_COLUMNS).where(assignments.c.task_id == bindparam("task_id"), _IS_LIVE))
# Two claims of one worker at once must not both be within its limit, nor get the same task.
_LOCK_WORKER = Statement(text("SELECT pg_advisory_xact_lock(hashtextextended(:worker_id, 0))"))
_IS_EXPIRED = (_IS_LIVE, assignments.c.lease_expires_at <= bindparam("now"))
_ANY_EXPIRED = Statement(select(assignments.c.id).where(*_IS_EXPIRED).limit(literal_column("1")))


def _expired(dialect: str) -> ClauseElement:
    found = select(*_COLUMNS).where(*_IS_EXPIRED).order_by(assignments.c.lease_expires_at).limit(bindparam("n"))
    if dialect == "sqlite":
        return found
    return found.join(tasks, tasks.c.id == assignments.c.task_id).with_for_update(of=tasks, skip_locked=True)


_EXPIRED = Statement(_expired)
_EXPIRE = Statement(
    update(assignments)
    .where(assignments.c.id == bindparam("assignment_id"), *_IS_EXPIRED)
    .values(state=text("'expired'"), finished_at=bindparam("now"))
)
_RENEW = Statement(
    update(assignments)
    .where(assignments.c.id == bindparam("assignment_id"), _IS_LIVE, assignments.c.lease_expires_at > bindparam("now"))
    .values(lease_expires_at=bindparam("until"))
)
_FINISH = Statement(
    update(assignments)
    .where(assignments.c.id == bindparam("assignment_id"), _IS_LIVE)
    .values(
        state=bindparam("new_state"),
        finished_at=bindparam("now"),
        reason=bindparam("new_reason"),
        response=bindparam("new_response"),
    )
)


def _assignment(row: Row) -> Assignment:
    return Assignment(
        id=row[0],
        task_id=row[1],
        worker_id=row[2],
        slot=row[3],
        state=AssignmentState(row[4]),
        claimed_at=from_us(row[5]),
        lease_expires_at=from_us(row[6]),
        finished_at=None if row[7] is None else from_us(row[7]),
        reason=row[8],
        response_json=row[9],
    )


def insert(
    session: Session, assignment_id: str, task_id: str, worker_id: str, slot: int, now_us: int, until_us: int
) -> Assignment:
    """Store a new claimed assignment and return it."""
    row: Row = (assignment_id, task_id, worker_id, slot, "claimed", now_us, until_us, None, None, None)
    session.run(_INSERT, dict(zip((column.name for column in assignments.columns), row, strict=True)))
    return _assignment(row)


def get(session: Session, assignment_id: str) -> Assignment | None:
    """Return an assignment, or None."""
    row = session.one(_GET, {"id": assignment_id})
    return None if row is None else _assignment(row)


def lock_worker(session: Session, worker_id: str) -> None:
    """Let a worker's claims follow one another until this transaction ends; on SQLite all transactions do."""
    if session.dialect == "postgresql":
        session.run(_LOCK_WORKER, {"worker_id": worker_id})


def live_count(session: Session, worker_id: str, now_us: int) -> int:
    """Return how many assignments a worker holds."""
    row = session.one(_LIVE_COUNT, {"worker_id": worker_id, "now": now_us})
    return 0 if row is None else int(row[0])


def live_of_worker(session: Session, worker_id: str, now_us: int) -> list[Assignment]:
    """Return the assignments a worker holds, oldest first."""
    return [_assignment(row) for row in session.all(_LIVE_OF_WORKER, {"worker_id": worker_id, "now": now_us})]


def free_slot(session: Session, task_id: str) -> int:
    """Return the smallest slot number of a task that nobody holds or has answered."""
    free = 1
    for (taken,) in session.all(_TAKEN_SLOTS, {"task_id": task_id}):
        if taken != free:
            break
        free += 1
    return free


def answers(session: Session, task_id: str) -> list[Assignment]:
    """Return the submitted assignments of a task in the order they were accepted."""
    return [_assignment(row) for row in session.all(_ANSWERS, {"task_id": task_id})]


def any_expired(session: Session, now_us: int) -> bool:
    """Return whether a lease has ended without an answer."""
    return session.one(_ANY_EXPIRED, {"now": now_us}) is not None


def expired(session: Session, now_us: int, limit: int) -> list[Assignment]:
    """Return assignments whose lease has ended without an answer, with their tasks locked.

    Those of tasks that others have locked are left out. One may have been
    renewed a moment ago; `expire` tells.
    """
    return [_assignment(row) for row in session.all(_EXPIRED, {"now": now_us, "n": limit})]


def expire(session: Session, assignment_id: str, now_us: int) -> bool:
    """End an assignment whose lease has ended; return False when it was renewed or has ended otherwise."""
    return session.run(_EXPIRE, {"assignment_id": assignment_id, "now": now_us}) == 1


def renew(session: Session, assignment_id: str, now_us: int, until_us: int) -> bool:
    """Move the end of a live lease; return False when it is not live any more."""
    return session.run(_RENEW, {"assignment_id": assignment_id, "now": now_us, "until": until_us}) == 1


def finish(
    session: Session,
    assignment_id: str,
    state: AssignmentState,
    now_us: int,
    *,
    reason: str | None = None,
    response_json: str | None = None,
) -> bool:
    """Move a claimed assignment to a final state; return False when it was not claimed."""
    touched = session.run(
        _FINISH,
        {
            "assignment_id": assignment_id,
            "new_state": state.value,
            "now": now_us,
            "new_reason": reason,
            "new_response": response_json,
        },
    )
    return touched == 1


def end_all(session: Session, task_id: str, now_us: int) -> list[Assignment]:
    """Release every live assignment of a task and return them as they were."""
    ended = [_assignment(row) for row in session.all(_LIVE_OF_TASK, {"task_id": task_id})]
    for assignment in ended:
        finish(session, assignment.id, AssignmentState.RELEASED, now_us)
    return ended
