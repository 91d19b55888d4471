"""What the formats have in common: the task as they see it, what they read, and how they write times and JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any, BinaryIO, NoReturn, Protocol

from workersai_core.api import Issue, JsonObject, Rejected

__all__ = [
    "OURS",
    "ExportedTask",
    "Found",
    "compact",
    "document_of",
    "guarded",
    "is_completed",
    "lines_of",
    "objects_of",
    "original",
    "parse_json",
    "restored",
    "text_time",
]

OURS = "workersai"
"""The member in which formats of JSON keep what of a task has no place elsewhere; other tools pass over it."""

_LONGEST_REASON = 300

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


def guarded(make: Callable[..., JsonObject], *arguments: Any) -> JsonObject | Issue:
    """Return what is made of an entry of a file, or why nothing can be made of it."""
    try:
        return make(*arguments)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        what = f"{type(error).__name__}: {error}"[:_LONGEST_REASON]
        return Issue("", f"This entry is not as the format wants it: {what}.", "invalid_row")


def document_of(file: BinaryIO, kind: type[Any]) -> Any:
    """Return the JSON document of a file.

    Args:
        file: The file.
        kind: What it must be: dict or list.

    Raises:
        Rejected: it is no such document.
    """
    try:
        document = parse_json(file.read())
    except ValueError as error:
        raise Rejected(f"The file is not JSON: {error}.") from None
    if not isinstance(document, kind):
        raise Rejected(f"The file is JSON, but not {'an object' if kind is dict else 'an array'}.")
    return document


def lines_of(file: BinaryIO) -> Iterator[tuple[int, str]]:
    """Yield the lines of a text file in UTF-8 with their numbers, without their ends.

    Raises:
        Rejected: it is not UTF-8.
    """
    for number, line in enumerate(file, start=1):
        try:
            yield number, line.decode("utf-8-sig" if number == 1 else "utf-8").rstrip("\r\n")
        except UnicodeDecodeError as error:
            raise Rejected(f"Line {number} is not UTF-8 at byte {error.start + 1}.") from None


def objects_of(file: BinaryIO) -> Iterator[tuple[int, JsonObject | Issue]]:
    """Yield the objects of a file in JSON Lines with the numbers of their lines.

    Raises:
        Rejected: it is not UTF-8.
    """
    for number, line in lines_of(file):
        if line.strip():
            try:
                found = parse_json(line)
            except ValueError as error:
                yield number, Issue("", f"This is not JSON: {error}.", "invalid_json")
                continue
            yield number, found if isinstance(found, dict) else Issue("", "This is no object: {…}.", "invalid_row")


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
    return {name: value for name, value in given.items() if name == "params" or value not in (None, "", {}, [])}


def restored(entry: JsonObject, *types: str) -> JsonObject | None:
    """Return what `original` wrote into an entry; None when there is nothing of one of these types."""
    found = entry.get(OURS)
    if isinstance(found, dict) and found.get("task_type") in types and isinstance(found.get("params"), dict):
        return found
    return None
