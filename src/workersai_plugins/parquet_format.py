"""The format `parquet`: a row for each task, with the columns of `csv` in the types that Parquet has.

Params, response and metadata are JSON text, because each type has others.
It needs pyarrow, which ``pip install 'workersai[parquet]'`` installs.
"""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, BinaryIO

from workersai_core.api import Issue, JsonObject, Rejected, hookimpl
from workersai_plugins.archives import Pieces
from workersai_plugins.exporting import ExportedTask, Found, guarded, parse_json, text_time

__all__ = ["Parquet", "register_exporters"]

_ROWS_AT_ONCE = 1000
_ROWS_READ_AT_ONCE = 16
"""Few, because one value that stands in all rows is written once, and read as many times."""
_MOST_RATIO = 50
_ALWAYS_BYTES = 1_048_576
_JSON_COLUMNS = frozenset({"params", "response", "metadata"})

_COLUMNS: Mapping[str, tuple[str, Callable[[ExportedTask], Any]]] = {
    "external_id": ("string", lambda task: task.external_id),
    "task_type": ("string", lambda task: task.task_type),
    "callback_url": ("string", lambda task: task.callback_url),
    "instruction": ("string", lambda task: task.instruction),
    "params": ("string", lambda task: task.params_json),
    "response": ("string", lambda task: task.response_json),
    "metadata": ("string", lambda task: task.metadata_json),
    "status": ("string", lambda task: str(task.status)),
    "is_test": ("bool", lambda task: task.is_test),
    "overlap": ("int32", lambda task: task.overlap),
    "priority": ("int32", lambda task: task.priority),
    "deadline_at": ("time", lambda task: task.deadline_at),
    "unique_id": ("string", lambda task: task.unique_id),
    "tags": ("tags", lambda task: list(task.tags)),
    "created_at": ("time", lambda task: task.created_at),
    "completed_at": ("time", lambda task: task.completed_at),
    "answers_accepted": ("int32", lambda task: task.answers_accepted),
    "confidence": ("float64", lambda task: task.confidence),
    "error": ("string", lambda task: task.error),
}


class Parquet:
    """Writes and reads tasks as Parquet."""

    media_type = "application/vnd.apache.parquet"
    file_extension = "parquet"

    def write(self, tasks: Iterable[ExportedTask]) -> Iterator[bytes]:
        """Return the file in pieces, a row group for each thousand tasks.

        Raises:
            Rejected: pyarrow is not installed.
        """
        # Asked before the first byte is sent, when it can still be said.
        return _written(_pyarrow(), iter(tasks))

    def read(self, file: BinaryIO) -> Iterator[Found]:
        """Yield the tasks with the numbers of their rows.

        Raises:
            Rejected: pyarrow is not installed, or the file is no Parquet of tasks.
        """
        pa = _pyarrow()
        try:
            opened = pa.parquet.ParquetFile(file)
            wanted = [name for name in opened.schema_arrow.names if name in _COLUMNS]
            if "params" not in wanted:
                raise Rejected(f"There is no column params; the columns are {', '.join(_COLUMNS)}.")
            _require_modest(opened.metadata, file)
            batches = opened.iter_batches(_ROWS_READ_AT_ONCE, columns=wanted)
            rows = itertools.chain.from_iterable(batch.to_pylist() for batch in batches)
            for number, row in enumerate(rows, start=1):
                yield number, guarded(_task, row)
        except (pa.ArrowException, OSError) as error:
            raise Rejected(f"The file cannot be read as Parquet: {error}.") from None


@hookimpl
def register_exporters() -> Mapping[str, object]:
    """Return the format of this module."""
    return {"parquet": Parquet()}


def _pyarrow() -> Any:
    try:
        import pyarrow as pa  # type: ignore[import-untyped]  # it has no types
        import pyarrow.parquet  # type: ignore[import-untyped]
    except ModuleNotFoundError:
        text = "The format parquet needs pyarrow. Install it with: pip install 'workersai[parquet]'"
        raise Rejected(text, issues=[Issue("", text, "missing_extra")]) from None
    return pa


def _require_modest(metadata: Any, file: BinaryIO) -> None:
    """Refuse a small file that was made to fill memory."""
    size = file.seek(0, os.SEEK_END)
    unpacked = sum(metadata.row_group(n).total_byte_size for n in range(metadata.num_row_groups))
    if unpacked > _ALWAYS_BYTES + _MOST_RATIO * size:
        raise Rejected(f"The file unpacks to more than {_MOST_RATIO} times its size.")


def _written(pa: Any, tasks: Iterator[ExportedTask]) -> Iterator[bytes]:
    types = {
        "string": pa.string(),
        "bool": pa.bool_(),
        "int32": pa.int32(),
        "float64": pa.float64(),
        "time": pa.timestamp("us", tz="UTC"),
        "tags": pa.list_(pa.string()),
    }
    schema = pa.schema([(name, types[kind]) for name, (kind, _) in _COLUMNS.items()])
    pieces = Pieces()
    with pa.parquet.ParquetWriter(pieces, schema, compression="zstd") as writer:
        while group := list(itertools.islice(tasks, _ROWS_AT_ONCE)):
            rows = [{name: value(task) for name, (_, value) in _COLUMNS.items()} for task in group]
            writer.write_table(pa.Table.from_pylist(rows, schema))
            yield pieces.take()
    yield pieces.take()


def _task(row: Mapping[str, Any]) -> JsonObject:
    task = {}
    for name, value in row.items():
        if value is None:
            continue
        if name in _JSON_COLUMNS and isinstance(value, str):
            task[name] = parse_json(value)
        else:
            task[name] = text_time(value) if _COLUMNS[name][0] == "time" and not isinstance(value, str) else value
    # What other programs write into a column may be no JSON: bytes, decimals, dates.
    json.dumps(task, allow_nan=False)
    return task
