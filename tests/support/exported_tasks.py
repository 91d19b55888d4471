"""Completed tasks for the formats of exports, by the example of their type."""

from __future__ import annotations

import json
from typing import Any

import attrs

from support.accounts import house
from workersai_core import Task, TaskStatus

__all__ = ["completed", "open_task"]


def open_task() -> Task:
    """Return a task without a result."""
    home = house()
    task: Task = home.create(home.accounts.create("a@example.com").account_id)
    return task


def completed(task_type: str, params: Any, response: Any, **fields: Any) -> Task:
    """Return a task as it is stored when it has its result."""
    return attrs.evolve(
        open_task(),
        task_type=task_type,
        params_json=json.dumps(params),
        response_json=json.dumps(response),
        **{"status": TaskStatus.COMPLETED, **fields},
    )
