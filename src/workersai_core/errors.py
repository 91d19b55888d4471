"""Every error the engine raises, as one tree.

    WorkersAIError
    ├── InvalidInput (also ValueError)      the caller's values are wrong
    │   ├── Rejected                        a plugin's veto said no
    │   ├── UnknownTaskType                 no such type; names the closest match
    │   ├── TaskTypeUnavailable             the type's plugin is gone or failed
    │   ├── UnsafeURL                       a callback address that must not be called
    │   └── IdempotencyKeyReused            same key, other content
    ├── NotFound (also LookupError)         nothing of that id for this account and mode
    ├── Conflict                            right request, wrong moment
    │   ├── DuplicateTask                   `unique_id` was used; names the task
    │   ├── IdempotencyInProgress           the first request with this key still runs
    │   ├── WrongState                      the lifecycle table has no such move
    │   ├── LeaseLost                       the assignment is no longer this worker's
    │   ├── AlreadySubmitted                another answer was accepted before
    │   └── TooManyAssignments              the worker holds as many as allowed
    ├── PluginFailed                        a plugin raised where it must not
    ├── PluginConfigurationError            a plugin cannot be registered (start-up)
    │   └── SchemaError                     a task type's JSON Schema breaks a rule
    └── StoreError                          the database
        ├── StoreBusy                       queue full or database locked; retry
        ├── StoreUnavailable                database lost, full or read-only; outcome unknown
        ├── StoreLocked                     another process owns this SQLite file
        └── MigrationRequired               the schema is older or newer than this code

Errors are data: `code` is a stable slug, `detail` one sentence for a person,
`issues` the places, and `status_hint` the HTTP status that fits, although the
core knows nothing of HTTP.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

import attrs

__all__ = [
    "AlreadySubmitted",
    "Conflict",
    "DuplicateTask",
    "IdempotencyInProgress",
    "IdempotencyKeyReused",
    "InvalidInput",
    "Issue",
    "LeaseLost",
    "MigrationRequired",
    "NotFound",
    "PluginConfigurationError",
    "PluginFailed",
    "Rejected",
    "SchemaError",
    "StoreBusy",
    "StoreError",
    "StoreLocked",
    "StoreUnavailable",
    "TaskTypeUnavailable",
    "TooManyAssignments",
    "UnknownTaskType",
    "UnsafeURL",
    "WorkersAIError",
    "WrongState",
]


@attrs.frozen
class Issue:
    """One thing wrong at one place.

    Attributes:
        pointer: JSON Pointer (RFC 6901) into the document that was checked,
            for example ``/categories/1``; ``""`` is the whole document.
        message: One sentence that names the limit and, shortened, the value.
        code: A stable slug, for example ``required`` or ``too_long``.
    """

    pointer: str
    message: str
    code: str = "invalid"

    def under(self, prefix: str) -> Issue:
        """Return the same issue with `prefix` put before its pointer."""
        return attrs.evolve(self, pointer=prefix + self.pointer)


class WorkersAIError(Exception):
    """Something went wrong in WorkersAI."""

    code: ClassVar[str] = "internal_error"
    status_hint: ClassVar[int] = 500

    def __init__(self, detail: str | None = None, *, issues: Iterable[Issue] = (), **extra: Any) -> None:
        self.detail: str = detail or (type(self).__doc__ or "").strip().splitlines()[0]
        self.issues: tuple[Issue, ...] = tuple(issues)
        self.extra: dict[str, Any] = extra
        super().__init__(self.detail)

    def __str__(self) -> str:
        if not self.issues:
            return self.detail
        places = "; ".join(f"{issue.pointer or '(whole document)'}: {issue.message}" for issue in self.issues)
        return f"{self.detail} [{places}]"


class InvalidInput(WorkersAIError, ValueError):
    """The request is readable, but some values are wrong."""

    code = "validation_failed"
    status_hint = 422


class Rejected(InvalidInput):
    """A plugin refused this; its issues say why.

    Raised by plugins with a sentence, or with just the issues:
    ``Rejected([Issue("/instruction", "Too short.")])``.
    """

    def __init__(
        self, detail: str | Iterable[Issue] | None = None, *, issues: Iterable[Issue] = (), **extra: Any
    ) -> None:
        if detail is None or isinstance(detail, str):
            super().__init__(detail, issues=issues, **extra)
        else:
            super().__init__(issues=detail, **extra)


class UnknownTaskType(InvalidInput):
    """There is no such task type."""

    code = "unknown_task_type"


class TaskTypeUnavailable(InvalidInput):
    """The plugin of this task type is not loaded."""

    code = "task_type_unavailable"


class UnsafeURL(InvalidInput):
    """This address must not be called."""

    code = "unsafe_url"


class IdempotencyKeyReused(InvalidInput):
    """This idempotency key was used for a different request."""

    code = "idempotency_key_reused"


class NotFound(WorkersAIError, LookupError):
    """There is nothing here with that id."""

    code = "not_found"
    status_hint = 404


class Conflict(WorkersAIError):
    """This cannot be done in the present state."""

    code = "conflict"
    status_hint = 409


class DuplicateTask(Conflict):
    """A task with this unique_id exists."""

    code = "duplicate_task"


class IdempotencyInProgress(Conflict):
    """The first request with this idempotency key is still running; retry in a second."""

    code = "idempotency_in_progress"


class WrongState(Conflict):
    """The task is in a state that does not allow this."""

    code = "wrong_state"


class LeaseLost(Conflict):
    """This assignment has ended; claim again."""

    code = "lease_lost"


class AlreadySubmitted(Conflict):
    """Another answer was already accepted for this assignment."""

    code = "already_submitted"


class TooManyAssignments(Conflict):
    """The worker holds as many assignments as allowed; submit or release one first."""

    code = "too_many_assignments"


class PluginFailed(WorkersAIError):
    """A plugin failed; nothing was changed."""

    code = "plugin_failed"


class PluginConfigurationError(WorkersAIError):
    """A plugin cannot be registered as it is."""

    code = "plugin_invalid"


class SchemaError(PluginConfigurationError):
    """A JSON Schema of a task type breaks a rule."""

    code = "schema_invalid"


class StoreError(WorkersAIError):
    """The database did not do what was asked."""

    code = "unavailable"
    status_hint = 503


class StoreBusy(StoreError):
    """The database is busy; nothing was changed, retry in a second."""


class StoreUnavailable(StoreError):
    """The database cannot be used at the moment; retry with the same idempotency key."""


class StoreLocked(StoreError):
    """Another process owns this database file."""


class MigrationRequired(StoreError):
    """The database schema does not fit this version; run `workersai db upgrade`."""
