"""The formats in which tasks are exported and imported.

JSON Lines is ours; every other one comes from a plugin, by the hook
`register_exporters`.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, BinaryIO, Protocol

import attrs

from workersai_core import Task, WorkersAIError
from workersai_core.errors import Issue, PluginFailed
from workersai_core.hooks import Hooks
from workersai_core.jsontext import shorten
from workersai_server import documents, strict_json
from workersai_server.errors import InvalidParameter
from workersai_server.media import NDJSON

__all__ = ["JSON_LINES", "Format", "Place", "Row", "format_named", "formats_of", "readable", "rows_of"]

JSON_LINES = "jsonl"
"""The name of the format that is always there."""

Place = int | str
"""Where a row stands in its file: the number of a line, or the name of an entry."""

_log = logging.getLogger("workersai.plugins")

_OF_THE_SERVICE = frozenset(
    {
        "external_id",
        "response",
        "status",
        "is_test",
        "created_at",
        "completed_at",
        "task_type_version",
        "answers_wanted",
        "answers_accepted",
        "confidence",
        "error",
        "callback_state",
    }
)


class Format(Protocol):
    """A way to write tasks down; plugins bring theirs with the hook `register_exporters`.

    A text `file_extension` names the file where it is not the name of the
    format. One that can be imported too has a method `read`; see `readable`.
    """

    media_type: str

    def write(self, tasks: Iterable[Task]) -> Iterator[bytes]:
        """Yield the export in pieces; `tasks` are fetched while they are written."""
        ...


@attrs.frozen(kw_only=True)
class Row:
    """One row of a file: the body that creates its task, or why there is none."""

    place: Place
    task: Mapping[str, Any] | None = None
    error: Mapping[str, Any] | None = None


class _JsonLines:
    """Each task as a line of JSON, the same document as everywhere."""

    media_type = NDJSON

    def write(self, tasks: Iterable[Task]) -> Iterator[bytes]:
        """Yield the lines."""
        return (documents.task_json(task) + b"\n" for task in tasks)

    def read(self, file: BinaryIO) -> Iterator[tuple[Place, Mapping[str, Any] | Issue]]:
        """Yield the tasks with the numbers of their lines."""
        for number, text in enumerate(file, start=1):
            if number == 1:
                text = text.removeprefix(b"\xef\xbb\xbf")
            if not text.strip():
                continue
            try:
                task = strict_json.parse(text.rstrip(b"\r\n"))
            except WorkersAIError as error:
                yield number, Issue("", error.detail, error.code)
                continue
            if isinstance(task, dict):
                yield number, task
            else:
                yield number, Issue("", "This is JSON, but not an object: {…}.", "invalid_row")


def formats_of(hooks: Hooks) -> Mapping[str, Format]:
    """Return every format by name; a plugin cannot take the place of one that is there already."""
    formats: dict[str, Format] = {JSON_LINES: _JsonLines()}
    for contribution in hooks.register_exporters():
        if not isinstance(contribution.value, Mapping):
            _log.error("register_exporters of the plugin %s returns no mapping", contribution.plugin)
            continue
        for name, given in contribution.value.items():
            if not (isinstance(name, str) and hasattr(given, "media_type") and hasattr(given, "write")):
                _log.error("the exporter %r of the plugin %s has no media_type or write", name, contribution.plugin)
            elif name in formats:
                _log.error("the plugin %s brings the format %s, which is there already", contribution.plugin, name)
            else:
                formats[name] = given
    return formats


def format_named(formats: Mapping[str, Format], name: str) -> Format:
    """Return a format by its name.

    Raises:
        InvalidParameter: there is none.
    """
    if name not in formats:
        raise InvalidParameter(f"There is no format {shorten(name)}; choose from {', '.join(sorted(formats))}.")
    return formats[name]


def readable(formats: Mapping[str, Format]) -> Mapping[str, Format]:
    """Return those that can be imported."""
    return {name: each for name, each in formats.items() if callable(getattr(each, "read", None))}


def rows_of(name: str, format: Any, file: BinaryIO) -> Iterator[Row]:
    """Give the rows of a file without what only the service says of a task.

    Args:
        name: The format's, for errors.
        format: One that is `readable`.
        file: Opened for reading bytes, seekable.

    Raises:
        WorkersAIError: the file is not of this format, or something the format needs is missing.
        PluginFailed: the format raised something else.
    """
    try:
        for place, found in format.read(file):
            yield _refused(place, found) if isinstance(found, Issue) else Row(place=place, task=_body(name, found))
    except WorkersAIError:
        raise
    except Exception as error:
        raise PluginFailed(
            f"Reading the format {name} failed: {type(error).__name__}: {shorten(str(error))}"
        ) from error


def _body(name: str, given: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what creates a task.

    A line of JSON that is no export may say nothing of the service's: whoever
    writes a response into it should learn that it is not taken.
    """
    if name == JSON_LINES and "external_id" not in given:
        return given
    return {key: value for key, value in given.items() if key not in _OF_THE_SERVICE}


def _refused(place: Place, issue: Issue) -> Row:
    pointer = {"pointer": issue.pointer} if issue.pointer else {}
    return Row(place=place, error={"code": issue.code, **pointer, "detail": issue.message})
