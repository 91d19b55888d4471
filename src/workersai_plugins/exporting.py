"""What the export formats have in common: the task as they see it, and how they write times."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Protocol

__all__ = ["ExportedTask", "is_completed", "text_time"]


class ExportedTask(Protocol):
    """What `register_exporters` gets to read of a task; JSON values are parsed on each access."""

    @property
    def external_id(self) -> str:
        """Its id."""

    @property
    def task_type(self) -> str:
        """The name of its type."""

    @property
    def task_type_version(self) -> int:
        """The version of its type when it was created."""

    @property
    def callback_url(self) -> str:
        """Where the result is sent."""

    @property
    def instruction(self) -> str:
        """What the worker is asked to do."""

    @property
    def params(self) -> Any:
        """What to label."""

    @property
    def params_json(self) -> str:
        """The same as JSON text."""

    @property
    def response(self) -> Any:
        """The result; ``{}`` until there is one."""

    @property
    def response_json(self) -> str:
        """The same as JSON text."""

    @property
    def metadata_json(self) -> str:
        """The requester's own data as JSON text."""

    @property
    def status(self) -> str:
        """Where it stands."""

    @property
    def is_test(self) -> bool:
        """Whether a test key made it."""

    @property
    def overlap(self) -> int:
        """How many answers were asked for."""

    @property
    def priority(self) -> int:
        """How urgent it is."""

    @property
    def deadline_at(self) -> datetime | None:
        """When it expires."""

    @property
    def unique_id(self) -> str | None:
        """The requester's own id."""

    @property
    def tags(self) -> Sequence[str]:
        """Its tags."""

    @property
    def answers_accepted(self) -> int:
        """How many answers it has."""

    @property
    def confidence(self) -> float | None:
        """How sure the result is."""

    @property
    def error(self) -> str | None:
        """Why it has no result."""

    @property
    def created_at(self) -> datetime:
        """When it was created."""

    @property
    def completed_at(self) -> datetime | None:
        """When it reached its final state."""


def is_completed(task: ExportedTask, *types: str) -> bool:
    """Return whether a task has its result and is of one of these types."""
    return task.task_type in types and str(task.status) == "completed"


def text_time(at: datetime | None) -> str:
    """Return a time as the API writes it, or nothing."""
    return "" if at is None else at.isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"
