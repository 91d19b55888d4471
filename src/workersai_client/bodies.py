"""The JSON documents of the API, as a type checker sees them; at run time they are plain dicts."""

from __future__ import annotations

from typing import Any, NotRequired, TypedDict

__all__ = [
    "Assignment",
    "Attempt",
    "BatchResult",
    "Claim",
    "ClaimedTask",
    "Delivery",
    "Event",
    "Submission",
    "Task",
    "TaskType",
]


class Task(TypedDict):
    """One task. `response` is ``{}`` until there is a result."""

    external_id: str
    task_type: str
    callback_url: str
    instruction: str
    params: dict[str, Any]
    response: dict[str, Any]
    metadata: dict[str, Any]
    status: str
    is_test: bool
    created_at: str
    completed_at: str | None


class BatchResult(TypedDict):
    """What became of one line of a batch; `line` counts from 1 over all that was given."""

    line: int
    status: int
    external_id: NotRequired[str]
    error: NotRequired[dict[str, Any]]


class Event(TypedDict):
    """Something that happened to a task."""

    id: int
    name: str
    at: str
    actor: str
    data: dict[str, Any]


class Attempt(TypedDict):
    """One try at delivering a callback."""

    n: int
    at: str
    status: int | None
    latency_ms: int
    error: str | None
    answer: str | None


class Delivery(TypedDict):
    """The delivery of one event of a task; `id` is also the ``webhook-id``."""

    id: str
    event: str
    url: str
    state: str
    next_attempt_at: str | None
    attempts: list[Attempt]


class TaskType(TypedDict):
    """A task type: what it takes and what it answers."""

    name: str
    aliases: list[str]
    version: int
    summary: str
    params_schema: dict[str, Any]
    response_schema: dict[str, Any]
    examples: list[Any]
    ui: dict[str, Any]
    price: Any


class ClaimedTask(TypedDict):
    """What a worker sees of a task."""

    external_id: str
    task_type: str
    task_type_version: int
    instruction: str
    params: dict[str, Any]


class Claim(TypedDict):
    """One assignment and all that is needed to do it."""

    assignment_id: str
    task: ClaimedTask
    response_schema: dict[str, Any]
    claimed_at: str
    lease_expires_at: str


class Assignment(TypedDict):
    """Where an assignment stands."""

    assignment_id: str
    status: str
    lease_expires_at: NotRequired[str]


class Submission(TypedDict):
    """An accepted answer."""

    assignment_id: str
    status: str
    task_status: str
