"""The export format `csv`, read back by what imports it."""

from __future__ import annotations

import csv
import io
import json

import attrs
from hypothesis import given
from hypothesis import strategies as st

from support.accounts import house
from workersai_plugins.csv_format import Csv, safe
from workersai_server.formats import rows_of

HARMLESS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
RISKY = st.text("'=+-@\t\r\n\",a", max_size=6)
TEXTS = HARMLESS | RISKY
FORMULAS = tuple("=+-@\t\r")


def task_with(**fields):
    home = house()
    account = home.accounts.create("a@example.com").account_id
    return attrs.evolve(home.create(account), **fields)


TASK = task_with()


def written(*tasks) -> bytes:
    return b"".join(Csv().write(tasks))


@given(
    instruction=TEXTS,
    unique_id=TEXTS.filter(bool),
    tags=st.lists(TEXTS, max_size=3),
    params=st.dictionaries(TEXTS, TEXTS | st.integers(-(2**63), 2**63 - 1) | st.none(), max_size=3),
    overlap=st.integers(1, 20),
    priority=st.integers(0, 100),
)
def test_an_export_is_imported_as_it_was(instruction, unique_id, tags, params, overlap, priority):
    task = attrs.evolve(
        TASK,
        instruction=instruction,
        unique_id=unique_id,
        tags=tuple(tags),
        params_json=json.dumps(params),
        overlap=overlap,
        priority=priority,
    )
    [row] = rows_of("csv", Csv(), io.BytesIO(written(task)))
    assert row.error is None
    expected = {
        "task_type": "categorization",
        "callback_url": TASK.callback_url,
        "params": params,
        "metadata": {},
        "tags": tags,
        "overlap": overlap,
        "priority": priority,
        "unique_id": unique_id,
        **({"instruction": instruction} if instruction else {}),
    }
    assert expected == row.task


@given(TEXTS)
def test_no_cell_is_a_formula_and_every_cell_can_be_told_back(text):
    cell = safe(text)
    assert not cell.startswith(FORMULAS)
    assert cell == text or cell == f"'{text}"


@given(RISKY, RISKY)
def test_different_texts_have_different_cells(a, b):
    assert (a == b) == (safe(a) == safe(b))


def test_a_spreadsheet_sees_a_column_for_each_field_and_a_row_for_each_task():
    rows = list(csv.DictReader(io.StringIO(written(*[TASK] * 250, task_with(instruction="=1+1")).decode(), newline="")))
    assert 251 == len(rows)
    assert "'=1+1" == rows[-1]["instruction"]
    assert (TASK.external_id, "pending", "false", "") == tuple(
        rows[0][name] for name in ("external_id", "status", "is_test", "confidence")
    )
    assert TASK.params == json.loads(rows[0]["params"])
    assert rows[0]["created_at"].endswith("Z")


def test_no_task_leaves_the_header():
    assert 1 == len(written().splitlines())
