"""What the engine owes by the clock: mock answers, deadlines, leases, forgotten keys."""

from __future__ import annotations

import logging
from datetime import timedelta

from workersai_core.commands import finish, work
from workersai_core.commands.mocking import mock_answer
from workersai_core.errors import PluginFailed
from workersai_core.mocks import MockPlan
from workersai_core.model import Task
from workersai_core.store import assignment_rows, event_rows, queue_rows, task_rows
from workersai_core.task_type import Verdict
from workersai_core.transaction import Transaction

__all__ = ["anything_due", "run_due"]

_AT_ONCE = 100
_UNAVAILABLE_TYPE_RETRY_S = 60
_log = logging.getLogger("workersai.housekeeping")


def anything_due(tx: Transaction) -> bool:
    """Return whether `run_due` would find something to do."""
    return bool(
        queue_rows.any_due(tx.session, tx.now_us)
        or assignment_rows.any_expired(tx.session, tx.now_us)
        or event_rows.any_older(tx.session, _forget_before(tx))
    )


def run_due(tx: Transaction) -> int:
    """Do what is due, in portions; return how much was done, 0 when nothing is left that no other process does."""
    due = queue_rows.due(tx.session, tx.now_us, _AT_ONCE)
    for task_id in due:
        _wake(tx, task_rows.known(tx.session, task_id))
    return len(due) + work.expire_leases(tx) + event_rows.forget(tx.session, _forget_before(tx))


def _forget_before(tx: Transaction) -> int:
    return tx.now_us - round(tx.parts.policy.idempotency_kept_s * 1_000_000)


def _wake(tx: Transaction, task: Task) -> None:
    plan = MockPlan.of(task.metadata) if task.is_test else MockPlan(outcome="never")
    answers_at = None if plan.outcome == "never" else task.created_at + timedelta(seconds=plan.delay_s)
    if task.deadline_at is not None and (answers_at is None or task.deadline_at < answers_at):
        finish.expire(tx, task)
    elif tx.parts.types.get(task.task_type) is None:
        # The plugin may come back; until then the task waits, and its deadline with it.
        queue_rows.wake_later(tx.session, task.external_id, tx.now_us + _UNAVAILABLE_TYPE_RETRY_S * 1_000_000)
    else:
        _act_out(tx, task, plan)


def _act_out(tx: Transaction, task: Task, plan: MockPlan) -> None:
    """End a test task as its plan says."""
    if plan.outcome == "cancel":
        finish.cancel(tx, task.external_id, task.account, task.mode, "system")
    elif plan.outcome == "error":
        finish.fail(tx, task, "mock: metadata.mock asked for an error")
    else:
        _answer(tx, task)


def _answer(tx: Transaction, task: Task) -> None:
    try:
        response = mock_answer(tx, task)
    except PluginFailed as failure:
        _log.exception("the mock of %s failed for the task %s", task.task_type, task.external_id)
        finish.fail(tx, task, f"plugin_failed: {failure.detail}")
        return
    finish.complete(tx, task, Verdict(response=response, confidence=1.0), "system")
