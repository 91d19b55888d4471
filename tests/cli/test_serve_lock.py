from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from workersai_core import StoreLocked
from workersai_server import serve_lock
from workersai_server.serve_lock import serving_alone

HOLDER = """
import sys
from pathlib import Path
from workersai_server.serve_lock import serving_alone
with serving_alone(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def holder(database: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(database)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_a_second_process_is_refused_and_told_who_has_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serve_lock, "_PATIENCE_S", 0.0)
    database = tmp_path / "labels.db"
    process = holder(database)
    try:
        with pytest.raises(StoreLocked, match=rf"pid {process.pid}\) serves .*labels\.db"), serving_alone(database):
            pass
    finally:
        process.communicate()
    with serving_alone(database):
        assert (tmp_path / "labels.db.serve.lock").read_text() == str(os.getpid())


def test_a_killed_process_leaves_no_lock_behind(tmp_path: Path) -> None:
    database = tmp_path / "labels.db"
    process = holder(database)
    process.send_signal(signal.SIGKILL)
    with serving_alone(database):
        assert (tmp_path / "labels.db.serve.lock").read_text() == str(os.getpid())
    process.communicate()


def test_a_database_that_is_no_file_needs_no_lock(tmp_path: Path) -> None:
    with serving_alone(None):
        assert list(tmp_path.iterdir()) == []


def test_the_lock_is_free_again_after_the_block(tmp_path: Path) -> None:
    for _ in range(2):
        with serving_alone(tmp_path / "labels.db"):
            assert (tmp_path / "labels.db.serve.lock").exists()
