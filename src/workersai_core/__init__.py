"""WorkersAI's engine: human labeling tasks, from creation to a delivered callback.

    from workersai_core import Engine, Worker

    with Engine.open("sqlite:///labels.db") as engine:
        task = engine.create_task(account="acme", params={…})

A task type needs only `workersai_core.api`; tests find their kit in
`workersai_core.testing`.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from workersai_core.clock import Clock, SystemClock
from workersai_core.errors import (
    AlreadySubmitted,
    Conflict,
    DuplicateTask,
    IdempotencyInProgress,
    IdempotencyKeyReused,
    InvalidInput,
    Issue,
    LeaseLost,
    MigrationRequired,
    NotFound,
    PluginConfigurationError,
    PluginFailed,
    Rejected,
    SchemaError,
    StoreBusy,
    StoreError,
    StoreLocked,
    StoreUnavailable,
    TaskTypeUnavailable,
    TooManyAssignments,
    UnknownTaskType,
    UnsafeURL,
    WorkersAIError,
    WrongState,
)
from workersai_core.ids import IdSource, TimeOrderedIds
from workersai_core.lifecycle import AssignmentState, CallbackState, TaskStatus

if TYPE_CHECKING:
    from workersai_core.callbacks.addresses import AddressPolicy
    from workersai_core.callbacks.retry import RetryPolicy
    from workersai_core.callbacks.transport import Outcome, Transport
    from workersai_core.commands.invariants import Violation
    from workersai_core.commands.verbs import Commands, OpenTransaction
    from workersai_core.commands.work import Submission
    from workersai_core.engine import Engine, Health
    from workersai_core.idempotency import Idempotency
    from workersai_core.model import (
        Assignment,
        Attempt,
        Claim,
        Context,
        Delivery,
        Endpoint,
        Event,
        Mode,
        Task,
        TaskDraft,
        TaskFilter,
        TaskPage,
        WebhookSecret,
        Worker,
    )
    from workersai_core.plugins import PluginReport
    from workersai_core.policy import Policy

__all__ = [
    "AddressPolicy",
    "AlreadySubmitted",
    "Assignment",
    "AssignmentState",
    "Attempt",
    "CallbackState",
    "Claim",
    "Clock",
    "Commands",
    "Conflict",
    "Context",
    "Delivery",
    "DuplicateTask",
    "Endpoint",
    "Engine",
    "Event",
    "Health",
    "IdSource",
    "Idempotency",
    "IdempotencyInProgress",
    "IdempotencyKeyReused",
    "InvalidInput",
    "Issue",
    "LeaseLost",
    "MigrationRequired",
    "Mode",
    "NotFound",
    "OpenTransaction",
    "Outcome",
    "PluginConfigurationError",
    "PluginFailed",
    "PluginReport",
    "Policy",
    "Rejected",
    "RetryPolicy",
    "SchemaError",
    "StoreBusy",
    "StoreError",
    "StoreLocked",
    "StoreUnavailable",
    "Submission",
    "SystemClock",
    "Task",
    "TaskDraft",
    "TaskFilter",
    "TaskPage",
    "TaskStatus",
    "TaskTypeUnavailable",
    "TimeOrderedIds",
    "TooManyAssignments",
    "Transport",
    "UnknownTaskType",
    "UnsafeURL",
    "Violation",
    "WebhookSecret",
    "Worker",
    "WorkersAIError",
    "WrongState",
]

# PERF: a plugin imports `workersai_core.api`, which must not cost it the database and the callback stack.
_LATE = {
    "AddressPolicy": "callbacks.addresses",
    "RetryPolicy": "callbacks.retry",
    "Outcome": "callbacks.transport",
    "Transport": "callbacks.transport",
    "Violation": "commands.invariants",
    "Commands": "commands.verbs",
    "OpenTransaction": "commands.verbs",
    "Submission": "commands.work",
    "Engine": "engine",
    "Health": "engine",
    "Idempotency": "idempotency",
    "Assignment": "model",
    "Attempt": "model",
    "Claim": "model",
    "Context": "model",
    "Delivery": "model",
    "Endpoint": "model",
    "Event": "model",
    "Mode": "model",
    "Task": "model",
    "TaskDraft": "model",
    "TaskFilter": "model",
    "TaskPage": "model",
    "WebhookSecret": "model",
    "Worker": "model",
    "PluginReport": "plugins",
    "Policy": "policy",
}


def __getattr__(name: str) -> Any:
    if name not in _LATE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(importlib.import_module(f"{__name__}.{_LATE[name]}"), name)
    return value
