"""Rows of a file as the bodies that create tasks.

A file is JSON Lines, or CSV as the format ``csv`` of exports writes it: a
column for each field, JSON in those that hold more than text. A row of an
export may be read again; what only the service says of a task is left out.

A row without a `unique_id` gets one made of what it holds, and of how many
equal rows stand before it. So the same import again creates nothing twice,
also after other rows of the file were corrected.
"""

from __future__ import annotations

import csv
import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import attrs

from workersai_core import WorkersAIError
from workersai_server import strict_json
from workersai_server.cli.output import USAGE, Failure
from workersai_server.task_bodies import FIELDS

__all__ = ["FORMATS", "Row", "format_of", "rows_of"]

_JSON_COLUMNS = frozenset({"params", "metadata", "tags", "overlap", "priority"})
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
_ESCAPED = re.compile(r"'+[=+\-@\t\r]")
_LONGEST_CELL = 2 * 1_048_576


@attrs.frozen(kw_only=True)
class Row:
    """One row: the body of a task, or why it is none."""

    line: int
    """Where it begins in the file, from 1."""
    task: Mapping[str, Any] | None = None
    error: Mapping[str, Any] | None = None


def format_of(path: Path) -> str:
    """Return the format that the name of a file tells; JSON Lines when it tells none."""
    return "csv" if path.suffix.lower() == ".csv" else "jsonl"


def rows_of(file: BinaryIO, format: str) -> Iterator[Row]:
    """Give the rows of a file, each creatable task with a `unique_id`.

    Raises:
        Failure: the header of a CSV file is wrong.
    """
    seen: Counter[bytes] = Counter()
    for row in FORMATS[format](file):
        yield row if row.task is None else attrs.evolve(row, task=_identified(row.task, seen))


def _identified(given: Mapping[str, Any], seen: Counter[bytes]) -> Mapping[str, Any]:
    """Return a body with a `unique_id`, without what the service says of an exported task."""
    exported = "external_id" in given
    task = {name: value for name, value in given.items() if not (exported and name in _OF_THE_SERVICE)}
    if task.get("unique_id") is None:
        digest = hashlib.sha256(json.dumps(task, sort_keys=True).encode()).digest()[:16]
        seen[digest] += 1
        task["unique_id"] = f"import-{digest.hex()}-{seen[digest]}"
    return task


# --- JSON Lines --------------------------------------------------------------------------------------


def _json_lines(file: BinaryIO) -> Iterator[Row]:
    for number, text in enumerate(file, start=1):
        if number == 1:
            text = text.removeprefix(b"\xef\xbb\xbf")
        if not text.strip():
            continue
        try:
            task = strict_json.parse(text.rstrip(b"\r\n"))
        except WorkersAIError as error:
            yield _wrong(number, error.detail, error.code)
            continue
        if isinstance(task, dict):
            yield Row(line=number, task=task)
        else:
            yield _wrong(number, "This is JSON, but not an object: {…}.")


# --- CSV ---------------------------------------------------------------------------------------------


def _csv(file: BinaryIO) -> Iterator[Row]:
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
            yield _wrong(line, f"From here on the file is not CSV in UTF-8: {error}.")
            return
        if cells is None:
            return
        if cells:
            yield _csv_row(line, columns, cells)


def _texts(file: BinaryIO) -> Iterator[str]:
    for number, line in enumerate(file):
        yield (line.removeprefix(b"\xef\xbb\xbf") if number == 0 else line).decode()


def _columns(names: list[str]) -> list[str]:
    known = [*FIELDS, *sorted(_OF_THE_SERVICE)]
    unknown = [name for name in names if name not in known]
    if unknown or not names:
        what = f"There is no column {', '.join(map(repr, unknown))}" if names else "There is no header"
        raise _wrong_header(f"{what}; the columns are {', '.join(FIELDS)}.")
    if len(set(names)) < len(names):
        raise _wrong_header("A column is there twice.")
    return names


def _wrong_header(text: str) -> Failure:
    return Failure(text, remedy="Correct the first line of the file.", exit_code=USAGE, code="invalid_header")


def _csv_row(line: int, columns: list[str], cells: list[str]) -> Row:
    if len(cells) != len(columns):
        return _wrong(line, f"The header has {len(columns)} columns, this row {len(cells)}.")
    task: dict[str, Any] = {}
    for name, cell in zip(columns, cells, strict=True):
        text = cell[1:] if _ESCAPED.match(cell) else cell
        if name not in _JSON_COLUMNS:
            if text:
                task[name] = text
            continue
        try:
            if text:
                task[name] = strict_json.parse(text.encode())
        except WorkersAIError as error:
            return _wrong(line, f"{name}: {error.detail}", error.code)
    return Row(line=line, task=task)


def _wrong(line: int, detail: str, code: str = "invalid_row") -> Row:
    return Row(line=line, error={"code": code, "detail": detail})


FORMATS: Mapping[str, Callable[[BinaryIO], Iterable[Row]]] = {"csv": _csv, "jsonl": _json_lines}
"""How to read each format."""
