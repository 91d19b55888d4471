"""Ending a test task by hand, in the place of the mock that would do it later or never."""

from __future__ import annotations

from workersai_core import jsontext
from workersai_core.commands import finish
from workersai_core.errors import InvalidInput, NotFound, WrongState
from workersai_core.lifecycle import is_terminal
from workersai_core.mocks import MockPlan, seeded
from workersai_core.model import Task
from workersai_core.store import task_rows
from workersai_core.task_type import Json, Verdict
from workersai_core.transaction import Transaction

__all__ = ["complete_test_task", "mock_answer"]


def mock_answer(tx: Transaction, task: Task) -> Json:
    """Return what the mock answers to a test task: always the same.

    Raises:
        TaskTypeUnavailable: the type's plugin is gone.
        PluginFailed: the type failed, or what it made is not valid.
    """
    planned = MockPlan.of(task.metadata).response
    if planned is not None:
        return planned
    task_type, params = tx.parts.types.of(task)
    return tx.parts.types.mock_response(task_type, params, seeded(task.external_id))


def complete_test_task(tx: Transaction, external_id: str, account: str, response: Json) -> Task:
    """Give an open test task its result; with None as the response, that of the mock.

    Raises:
        NotFound: there is no such test task.
        WrongState: it has ended.
        InvalidInput: the response is wrong; pointers start with ``/response``.
        TaskTypeUnavailable: the type's plugin is gone.
        PluginFailed: the type failed.
    """
    task = task_rows.lock(tx.session, external_id.lower(), account=account, mode="test")
    if task is None:
        raise NotFound("There is no task with this id.")
    if is_terminal(task.status):
        raise WrongState(f"The task is {task.status.value}; only an open task can be completed.")
    if response is None:
        response = mock_answer(tx, task)
    else:
        _check(tx, task, response)
    return finish.complete(tx, task, Verdict(response=response, confidence=1.0), "requester")


def _check(tx: Transaction, task: Task, response: Json) -> None:
    jsontext.check(response, pointer="/response", depth=2)
    task_type, params = tx.parts.types.of(task)
    issues = tx.parts.types.check_response(task_type, params, response)
    if issues:
        count = "One value is" if len(issues) == 1 else f"{len(issues)} values are"
        text = f"{count} wrong; nothing was changed."
        raise InvalidInput(text, issues=[issue.under("/response") for issue in issues])
