"""The export format `csv`: a row for each task, a column for each field.

RFC 4180, UTF-8, a header. Params, response, metadata and tags are JSON; what
is null is empty. A spreadsheet takes a cell that begins with one of ``= + - @``,
a tab or a carriage return for a formula, so such a cell gets an apostrophe in
front (OWASP, "CSV Injection"), and so does one that would look like that. To
read it back, take one apostrophe from each cell that begins with apostrophes
and then one of these characters; `workersai tasks import` does.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping

from workersai_core.api import hookimpl
from workersai_plugins.exporting import ExportedTask, text_time

__all__ = ["Csv", "register_exporters", "safe"]

_FORMULA = re.compile(r"'*[=+\-@\t\r]")
_ROWS_AT_ONCE = 100

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


class Csv:
    """Writes tasks as CSV."""

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


@hookimpl
def register_exporters() -> Mapping[str, object]:
    """Return the format of this module."""
    return {"csv": Csv()}


def safe(cell: str) -> str:
    """Return a cell that no spreadsheet takes for a formula."""
    return f"'{cell}" if _FORMULA.match(cell) else cell
