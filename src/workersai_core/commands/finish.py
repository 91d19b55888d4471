"""Ending a task: its final state, the end of its leases, and the callback that is owed."""

from __future__ import annotations

from typing import Any

import attrs

from workersai_core import jsontext
from workersai_core.callbacks import outbox
from workersai_core.errors import NotFound, WrongState
from workersai_core.lifecycle import TaskStatus, require_move
from workersai_core.model import Mode, Task
from workersai_core.store import assignment_rows, task_rows
from workersai_core.task_type import Verdict
from workersai_core.transaction import Transaction

__all__ = ["cancel", "complete", "expire", "fail", "load"]

_NO_SUCH_TASK = "There is no task with this id."


def load(tx: Transaction, external_id: str, account: str, mode: Mode) -> Task:
    """Return a task of an account.

    Raises:
        NotFound: it is not there, or it is another account's or mode's.
    """
    task = task_rows.get(tx.session, external_id.lower(), account=account, mode=mode)
    if task is None:
        raise NotFound(_NO_SUCH_TASK)
    return task


def complete(tx: Transaction, task: Task, verdict: Verdict, actor: str) -> Task:
    """Give a task its result."""
    data: dict[str, Any] = {} if verdict.confidence is None else {"confidence": verdict.confidence}
    return _end(
        tx,
        task,
        TaskStatus.COMPLETED,
        actor,
        data,
        response_json=jsontext.dumps(verdict.response),
        confidence=verdict.confidence,
    )


def cancel(tx: Transaction, external_id: str, account: str, mode: Mode, actor: str) -> Task:
    """Take a task back; a canceled task stays canceled.

    Raises:
        NotFound: no such task.
        WrongState: it is completed, expired or failed.
    """
    task = task_rows.lock(tx.session, external_id.lower(), account=account, mode=mode)
    if task is None:
        raise NotFound(_NO_SUCH_TASK)
    if task.status is TaskStatus.CANCELED:
        return task
    if not _may_become(task, TaskStatus.CANCELED):
        raise WrongState(f"The task is {task.status.value}; only an open task can be canceled.")
    return _end(tx, task, TaskStatus.CANCELED, actor, {})


def expire(tx: Transaction, task: Task) -> Task:
    """End a task whose deadline has passed."""
    return _end(tx, task, TaskStatus.EXPIRED, "system", {})


def fail(tx: Transaction, task: Task, error: str, actor: str = "system") -> Task:
    """End a task that cannot be answered; `error` says why."""
    return _end(tx, task, TaskStatus.ERROR, actor, {"error": error}, error=error)


def _may_become(task: Task, status: TaskStatus) -> bool:
    try:
        require_move(task.status, status)
    except WrongState:
        return False
    return True


_EVENT_OF = {
    TaskStatus.COMPLETED: "task_completed",
    TaskStatus.CANCELED: "task_canceled",
    TaskStatus.EXPIRED: "task_expired",
    TaskStatus.ERROR: "task_failed",
}


def _end(
    tx: Transaction,
    task: Task,
    status: TaskStatus,
    actor: str,
    data: dict[str, Any],
    *,
    response_json: str = "{}",
    confidence: float | None = None,
    error: str | None = None,
) -> Task:
    """End a task that the caller has locked."""
    require_move(task.status, status)
    assignment_rows.end_all(tx.session, task.external_id, tx.now_us)
    task_rows.finish(
        tx.session,
        task.external_id,
        status,
        tx.now_us,
        response_json=response_json,
        confidence=confidence,
        error=error,
    )
    tx.record(_EVENT_OF[status], task, actor, data)
    ended = attrs.evolve(
        task, status=status, response_json=response_json, confidence=confidence, error=error, completed_at=tx.now
    )
    return outbox.enqueue(tx, ended)
