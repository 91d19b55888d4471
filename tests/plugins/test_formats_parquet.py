"""The format `parquet`, read back by itself and by pyarrow."""

from __future__ import annotations

import io
import json
import sys
from datetime import UTC, datetime

import attrs
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.drawn_tasks import carried, completed_tasks, read_back, reading, written
from support.exported_tasks import open_task
from workersai_core.api import Issue, Rejected
from workersai_plugins.categorization import Categorization
from workersai_plugins.named_entity_recognition import NamedEntityRecognition
from workersai_plugins.parquet_format import Parquet

TYPES = (Categorization(), NamedEntityRecognition())


def full(task):
    """Return what was read without what is empty, as `carried` does."""
    return {name: value for name, value in task.items() if value not in ("", {}, [])}


@given(st.lists(st.one_of([completed_tasks(each) for each in TYPES]), max_size=3))
def test_a_task_comes_back_as_it_was(tasks):
    found = [full(task) for task in read_back(Parquet(), *tasks)]
    for task, back in zip(tasks, found, strict=True):
        assert carried(task) == {name: back[name] for name in carried(task)}
        assert task.confidence == back.get("confidence")


def test_pyarrow_reads_columns_of_their_types():
    task = attrs.evolve(open_task(), deadline_at=datetime(2099, 1, 1, tzinfo=UTC), tags=("a", "큰"))
    content = written(Parquet(), *[task] * 2500)
    table = pq.read_table(io.BytesIO(content))
    assert (2500, 3) == (table.num_rows, pq.ParquetFile(io.BytesIO(content)).num_row_groups)
    first = table.slice(0, 1).to_pylist()[0]
    assert (task.created_at, task.deadline_at, ["a", "큰"], False, None) == tuple(
        first[name] for name in ("created_at", "deadline_at", "tags", "is_test", "confidence")
    )
    assert task.params == json.loads(first["params"])
    assert "2099-01-01T00:00:00.000000Z" == read_back(Parquet(), task)[0]["deadline_at"]


def test_no_task_leaves_a_table_without_rows():
    assert [] == read_back(Parquet())


def table_of(**columns):
    buffer = io.BytesIO()
    pq.write_table(pa.table(columns), buffer, compression="zstd")
    return buffer.getvalue()


def test_params_may_be_a_struct_and_what_is_no_json_fails_alone():
    rows = reading(Parquet(), table_of(params=[{"a": 1}], other=[2]))
    assert [(1, {"params": {"a": 1}})] == rows
    good, bad = reading(Parquet(), table_of(params=['{"a": 1}', "{"]))
    assert (1, {"params": {"a": 1}}) == good
    assert isinstance(bad[1], Issue)
    [(_, issue)] = reading(Parquet(), table_of(params=[{"a": b"bytes"}]))
    assert "bytes" in issue.message


@pytest.mark.parametrize("content", [b"", b"PAR1", b"no parquet at all", table_of(a=[1])])
def test_another_file_is_refused(content):
    with pytest.raises(Rejected):
        reading(Parquet(), content)


def test_a_file_that_unpacks_to_too_much_is_refused():
    with pytest.raises(Rejected, match="50 times its size"):
        reading(Parquet(), table_of(params=["x" * 20_000_000]))


def test_without_pyarrow_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    for attempt in (lambda: Parquet().write([]), lambda: reading(Parquet(), b"")):
        with pytest.raises(Rejected, match=r"pip install 'workersai\[parquet\]'"):
            attempt()
