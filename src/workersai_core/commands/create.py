"""Storing a new task."""

from __future__ import annotations

from collections.abc import Sequence

from workersai_core.clock import to_us
from workersai_core.errors import DuplicateTask, Issue, StoreError, WorkersAIError
from workersai_core.mocks import MockPlan
from workersai_core.model import Task, TaskDraft
from workersai_core.store import task_rows
from workersai_core.transaction import Transaction

__all__ = ["create", "create_many"]

Outcome = Task | WorkersAIError


def create(tx: Transaction, draft: TaskDraft) -> Task:
    """Store a checked draft.

    Raises:
        DuplicateTask: the account has a task with this `unique_id`; `extra["external_id"]` names it.
        Rejected: a plugin's veto; or the plugin's own error.
    """
    task = _store(tx, draft)
    tx.record("task_created", task, draft.actor)
    return task


def create_many(tx: Transaction, drafts: Sequence[TaskDraft | WorkersAIError]) -> list[Outcome]:
    """Store many drafts; one that is refused does not fail the rest, and an error in the place of one stays there."""
    # PERF: a savepoint for each draft costs much, and hardly any is needed: whoever is refused has seldom written
    # anything. So they are made only when one is. On SQLite each copies every page that is changed in it.
    try:
        with tx.savepoint():
            outcomes = [_store_plainly(tx, draft) for draft in drafts]
            tx.record_each(
                "task_created",
                [
                    (task, draft.actor)
                    for draft, task in zip(drafts, outcomes, strict=True)
                    if isinstance(draft, TaskDraft) and isinstance(task, Task)
                ],
            )
            return outcomes
    except _NeedsUndoingError:
        return [_create_apart(tx, draft) for draft in drafts]


class _NeedsUndoingError(Exception):
    """A draft was refused after something had been written for it."""


def _store_plainly(tx: Transaction, draft: TaskDraft | WorkersAIError) -> Outcome:
    if isinstance(draft, WorkersAIError):
        return draft
    before = tx.session.changes
    try:
        return _store(tx, draft)
    except StoreError:
        raise
    except WorkersAIError as error:
        if tx.session.changes != before:
            raise _NeedsUndoingError from error
        return error


def _create_apart(tx: Transaction, draft: TaskDraft | WorkersAIError) -> Outcome:
    if isinstance(draft, WorkersAIError):
        return draft
    try:
        with tx.savepoint():
            return create(tx, draft)
    except StoreError:
        raise  # that is no fault of this draft
    except WorkersAIError as error:
        return error


def _store(tx: Transaction, draft: TaskDraft) -> Task:
    _refuse_duplicate(tx, draft)
    if tx.parts.hooks.has("before_task_create"):
        tx.parts.hooks.before_task_create(tx.context(draft.actor, draft.mode), draft)
    wake_us = _first_wake(draft, tx.now_us)
    task = task_rows.insert(tx.session, draft, tx.new_id(), tx.now_us, wake_us)
    if task is None:  # another process stored one with this unique_id after we looked
        _refuse_duplicate(tx, draft)
        raise DuplicateTask("Another task has this unique_id already.")
    tx.work_due |= wake_us is not None and wake_us <= tx.now_us
    return task


def _refuse_duplicate(tx: Transaction, draft: TaskDraft) -> None:
    if draft.unique_id is None:
        return
    existing = task_rows.find_unique_id(tx.session, draft.account, draft.mode, draft.unique_id)
    if existing is not None:
        raise DuplicateTask(
            f"The task {existing} has this unique_id already.",
            issues=[Issue("/unique_id", f"Used by the task {existing}.", "duplicate_task")],
            external_id=existing,
        )


def _first_wake(draft: TaskDraft, now_us: int) -> int | None:
    """Return when the engine must act on the task by itself: its mock answer or its deadline."""
    times = []
    if draft.deadline_at is not None:
        times.append(to_us(draft.deadline_at))
    if draft.mode == "test":
        plan = MockPlan.of(draft.metadata)
        if plan.outcome != "never":
            times.append(now_us + round(plan.delay_s * 1_000_000))
    return min(times, default=None)
