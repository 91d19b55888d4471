"""A full disk is `StoreUnavailable`; reads go on, nothing acknowledged is lost, and no restart is needed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from support.engines import ACCOUNT, open_engine

TESTS = Path(__file__).parents[2]


def run(database, store):
    """Fill a disk in a process of its own, because the limit on the size of files holds for a whole process."""
    arguments = [sys.executable, "-W", "error", "-m", "support.fill_disk", str(database), store]
    return subprocess.run(arguments, capture_output=True, text=True, timeout=60, cwd=TESTS)


def test_a_file_that_may_grow_no_further_goes_on_being_read_and_recovers(tmp_path):
    done = run(tmp_path / "labels.db", "SqliteStore")
    assert 0 == done.returncode, done.stderr
    with open_engine(database=f"sqlite:///{tmp_path / 'labels.db'}") as engine:
        kept = engine.list_tasks(account=ACCOUNT, limit=500).tasks
        assert json.loads(done.stdout) == [task.external_id for task in reversed(kept)]


@pytest.mark.parametrize(
    ("store", "says"),
    [("Resigned", "StoreUnavailable"), ("Pretending", "the limit does not hold"), ("Blind", "reads do not go on")],
)
def test_a_store_that_breaks_a_promise_is_caught(tmp_path, store, says):
    done = run(tmp_path / "labels.db", store)
    assert 1 == done.returncode
    assert says in done.stderr
