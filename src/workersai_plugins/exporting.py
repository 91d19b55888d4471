"""What the formats have in common: the task as they see it, what they read, and how they write times and JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NoReturn, Protocol

from workersai_core.api import Issue, JsonObject

__all__ = [
    "OURS",
    "ExportedTask",
    "Found",
    "compact",
    "is_completed",
    "original",
    "parse_json",
    "restored",
    "text_time",
]

OURS = "workersai"
"""The member in which formats of JSON keep what of a task has no place elsewhere; other tools pass over it."""

Found = tuple[int | str, JsonObject | Issue]
"""What `read` yields: where it stands in the file, and a task as the API shows it, or why there is none."""


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


def compact(value: Any) -> bytes:
    """Return JSON in UTF-8 as short as it can be."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def parse_json(text: str | bytes) -> Any:
    """Return the value of JSON text.

    Raises:
        ValueError: it is none, has a key twice, or has a number that JSON has not.
    """
    try:
        return json.loads(text, parse_constant=_no_number, object_pairs_hook=_object)
    except RecursionError:
        raise ValueError("it is nested too deep") from None


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no number of JSON")


def _object(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key is there twice")
    return found


def original(task: ExportedTask) -> JsonObject:
    """Return what creates the same task again, for the member `OURS`."""
    given = {
        "external_id": task.external_id,
        "task_type": task.task_type,
        "callback_url": task.callback_url,
        "instruction": task.instruction,
        "params": task.params,
        "metadata": json.loads(task.metadata_json),
        "overlap": task.overlap,
        "priority": task.priority,
        "deadline_at": text_time(task.deadline_at),
        "unique_id": task.unique_id,
        "tags": list(task.tags),
    }
    return {name: value for name, value in given.items() if value not in (None, "", {}, [])}


def restored(entry: JsonObject, *types: str) -> JsonObject | None:
    """Return what `original` wrote into an entry; None when there is nothing of one of these types."""
    found = entry.get(OURS)
    if isinstance(found, dict) and found.get("task_type") in types and isinstance(found.get("params"), dict):
        return found
    return None
