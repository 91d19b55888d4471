"""The format `csv`: a row for each task, a column for each field.

RFC 4180, UTF-8, a header. Params, response, metadata and tags are JSON; what
is null is empty. A spreadsheet takes a cell that begins with one of ``= + - @``,
a tab or a carriage return for a formula, so such a cell gets an apostrophe in
front (OWASP, "CSV Injection"), and so does one that would look like that. To
read it back, take one apostrophe from each cell that begins with apostrophes
and then one of these characters; the import does.

An import takes any of the columns in any order. Empty cells are left out.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, BinaryIO

from workersai_core.api import Issue, Rejected, hookimpl
from workersai_plugins.exporting import ExportedTask, Found, parse_json, text_time

__all__ = ["Csv", "register_exporters", "safe"]

_FORMULA = re.compile(r"'*[=+\-@\t\r]")
_ESCAPED = re.compile(r"'+[=+\-@\t\r]")
_ROWS_AT_ONCE = 100
_LONGEST_CELL = 2 * 1_048_576

_COLUMNS: Mapping[str, Callable[[ExportedTask], str]] = {
    "external_id": lambda task: task.external_id,
    "task_type": lambda task: task.task_type,
    "callback_url": lambda task: task.callback_url,
    "instruction": lambda task: task.instruction,
    "params": lambda task: task.params_json,
    "response": lambda task: task.response_json,
    "metadata": lambda task: task.metadata_json,
    "status": lambda task: str(task.status),
    "is_test": lambda task: "true" if task.is_test else "false",
    "overlap": lambda task: str(task.overlap),
    "priority": lambda task: str(task.priority),
    "deadline_at": lambda task: text_time(task.deadline_at),
    "unique_id": lambda task: task.unique_id or "",
    "tags": lambda task: json.dumps(list(task.tags), ensure_ascii=False),
    "created_at": lambda task: text_time(task.created_at),
    "completed_at": lambda task: text_time(task.completed_at),
    "answers_accepted": lambda task: str(task.answers_accepted),
    "confidence": lambda task: "" if task.confidence is None else repr(task.confidence),
    "error": lambda task: task.error or "",
}
_JSON_COLUMNS = frozenset({"params", "response", "metadata", "tags", "overlap", "priority"})
_CREATE = (
    "task_type",
    "instruction",
    "params",
    "callback_url",
    "metadata",
    "overlap",
    "priority",
    "deadline_at",
    "unique_id",
    "tags",
)
"""The columns that create a task."""


class Csv:
    """Writes and reads tasks as CSV."""

    media_type = "text/csv"
    file_extension = "csv"

    def write(self, tasks: Iterable[ExportedTask]) -> Iterator[bytes]:
        """Yield the header and the rows."""
        text = io.StringIO()
        writer = csv.writer(text)
        writer.writerow(_COLUMNS)
        for number, task in enumerate(tasks, start=1):
            writer.writerow([safe(cell(task)) for cell in _COLUMNS.values()])
            if number % _ROWS_AT_ONCE == 0:
                yield text.getvalue().encode()
                text.seek(0)
                text.truncate()
        yield text.getvalue().encode()

    def read(self, file: BinaryIO) -> Iterator[Found]:
        """Yield the tasks with the numbers of their lines.

        Raises:
            Rejected: the header is wrong.
        """
        csv.field_size_limit(_LONGEST_CELL)
        reader = csv.reader(_texts(file), strict=True)
        try:
            columns = _columns(next(reader, []))
        except (csv.Error, UnicodeDecodeError) as error:
            raise _wrong_header(f"The header cannot be read: {error}.") from None
        while True:
            line = reader.line_num + 1
            try:
                cells = next(reader, None)
            except (csv.Error, UnicodeDecodeError) as error:
                # What follows cannot be told apart from this row any more.
                yield line, Issue("", f"From here on the file is not CSV in UTF-8: {error}.", "invalid_row")
                return
            if cells is None:
                return
            if cells:
                yield line, _row(columns, cells)


@hookimpl
def register_exporters() -> Mapping[str, object]:
    """Return the format of this module."""
    return {"csv": Csv()}


def safe(cell: str) -> str:
    """Return a cell that no spreadsheet takes for a formula."""
    return f"'{cell}" if _FORMULA.match(cell) else cell


def _texts(file: BinaryIO) -> Iterator[str]:
    for number, line in enumerate(file):
        yield (line.removeprefix(b"\xef\xbb\xbf") if number == 0 else line).decode()


def _columns(names: list[str]) -> Sequence[str]:
    unknown = [name for name in names if name not in _CREATE and name not in _COLUMNS]
    if unknown or not names:
        what = f"There is no column {', '.join(map(repr, unknown))}" if names else "There is no header"
        raise _wrong_header(f"{what}; the columns are {', '.join(_CREATE)}.")
    if len(set(names)) < len(names):
        raise _wrong_header("A column is there twice.")
    return names


def _wrong_header(text: str) -> Rejected:
    return Rejected(f"{text} Correct the first line of the file.")


def _row(columns: Sequence[str], cells: Sequence[str]) -> Mapping[str, Any] | Issue:
    if len(cells) != len(columns):
        return Issue("", f"The header has {len(columns)} columns, this row {len(cells)}.", "invalid_row")
    task: dict[str, Any] = {}
    for name, cell in zip(columns, cells, strict=True):
        text = cell[1:] if _ESCAPED.match(cell) else cell
        try:
            if text:
                task[name] = parse_json(text) if name in _JSON_COLUMNS else text
        except ValueError as error:
            return Issue(f"/{name}", f"This is not JSON: {error}.", "invalid_json")
    return task
