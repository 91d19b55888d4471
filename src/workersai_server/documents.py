"""What the API shows, as JSON.

Stored JSON is passed on as it is (`orjson.Fragment`), neither parsed nor
written again, so it comes back byte for byte and costs nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import orjson
from orjson import Fragment

from workersai_core import Assignment, Claim, Delivery, Endpoint, Event, Submission, Task, WebhookSecret
from workersai_server.times import rfc3339

__all__ = [
    "assignment",
    "claim",
    "delivery",
    "endpoint",
    "event",
    "submission",
    "task",
    "task_json",
    "tasks_json",
    "to_json",
    "webhook_secret",
]


def to_json(document: Any) -> bytes:
    """Return a document as compact JSON."""
    return orjson.dumps(document)


def task_json(each: Task) -> bytes:
    """Return a task as JSON."""
    return orjson.dumps(task(each))


def tasks_json(tasks: Iterable[Task]) -> bytes:
    """Return tasks as a bare JSON array."""
    return orjson.dumps([task(each) for each in tasks])


def task(each: Task) -> dict[str, Any]:
    """Return a task; the six keys of the first API come first, in their order."""
    return {
        "external_id": each.external_id,
        "task_type": each.task_type,
        "callback_url": each.callback_url,
        "instruction": each.instruction,
        "params": Fragment(each.params_json),
        "response": Fragment(each.response_json),
        "metadata": Fragment(each.metadata_json),
        "status": each.status.value,
        "is_test": each.mode == "test",
        "overlap": each.overlap,
        "priority": each.priority,
        "deadline_at": _time(each.deadline_at),
        "unique_id": each.unique_id,
        "tags": each.tags,
        "created_at": rfc3339(each.created_at),
        "completed_at": _time(each.completed_at),
        "task_type_version": each.task_type_version,
        "answers_wanted": each.answers_wanted,
        "answers_accepted": each.answers_accepted,
        "confidence": each.confidence,
        "error": each.error,
        "callback_state": None if each.callback_state is None else each.callback_state.value,
    }


def event(each: Event) -> dict[str, Any]:
    """Return something that happened to a task."""
    return {"id": each.id, "name": each.name, "at": rfc3339(each.at), "actor": each.actor, "data": each.data}


def delivery(each: Delivery) -> dict[str, Any]:
    """Return the delivery of one event with every attempt."""
    return {
        "id": each.id,
        "event": each.event,
        "url": each.url,
        "state": each.state.value,
        "next_attempt_at": _time(each.next_attempt_at),
        "attempts": [
            {
                "n": attempt.n,
                "at": rfc3339(attempt.at),
                "status": attempt.status,
                "latency_ms": attempt.latency_ms,
                "error": attempt.error,
                "answer": attempt.answer,
            }
            for attempt in each.attempts
        ],
    }


def endpoint(each: Endpoint) -> dict[str, Any]:
    """Return a callback endpoint and its health."""
    return {
        "id": each.id,
        "origin": each.origin,
        "failing_since": _time(each.failing_since),
        "disabled_at": _time(each.disabled_at),
        "reason": each.reason,
        "pending": each.pending,
    }


def webhook_secret(each: WebhookSecret) -> dict[str, Any]:
    """Return what may be shown of a webhook secret at any time."""
    return {
        "id": each.id,
        "prefix": "whsec_",
        "last4": each.secret[-4:],
        "created_at": rfc3339(each.created_at),
        "expires_at": _time(each.expires_at),
    }


def claim(each: Claim) -> dict[str, Any]:
    """Return an assignment with all that a worker needs; nothing of the requester's own data."""
    return {
        "assignment_id": each.assignment.id,
        "task": {
            "external_id": each.task.external_id,
            "task_type": each.task.task_type,
            "task_type_version": each.task.task_type_version,
            "instruction": each.task.instruction,
            "params": Fragment(each.task.params_json),
        },
        "response_schema": each.response_schema,
        "claimed_at": rfc3339(each.assignment.claimed_at),
        "lease_expires_at": rfc3339(each.assignment.lease_expires_at),
    }


def assignment(each: Assignment) -> dict[str, Any]:
    """Return where an assignment stands."""
    return {
        "assignment_id": each.id,
        "status": each.state.value,
        "lease_expires_at": rfc3339(each.lease_expires_at),
    }


def submission(each: Submission) -> dict[str, Any]:
    """Return what became of an answer."""
    return {
        "assignment_id": each.assignment.id,
        "status": each.assignment.state.value,
        "task_status": each.task.status.value,
    }


def _time(at: datetime | None) -> str | None:
    return None if at is None else rfc3339(at)
