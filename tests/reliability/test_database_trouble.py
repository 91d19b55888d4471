"""A database that cannot be written for a while: a clear answer soon, reads that go on, and no restart needed."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
import requests

from support.live_server import LiveServer, running_server, workersai
from support.ready_database import Ready, checked, prepare
from support.waiting import until

PARAMS = {"attachment_type": "text", "attachment": "x" * 2000, "categories": ["a", "b"]}
PATIENCE_S = 20


def create(server: LiveServer, ready: Ready) -> requests.Response:
    return requests.post(
        f"{server.url}/v1/tasks", params={"api_key": ready.live_key}, json={"params": PARAMS}, timeout=PATIENCE_S
    )


def read(server: LiveServer, ready: Ready) -> requests.Response:
    return requests.get(f"{server.url}/v1/tasks", params={"api_key": ready.live_key}, timeout=PATIENCE_S)


def assert_unavailable(answer: requests.Response) -> None:
    assert (503, "unavailable") == (answer.status_code, answer.json()["code"]), answer.text
    assert int(answer.headers["Retry-After"]) >= 1


def test_a_foreign_write_lock_is_a_503_within_a_second_or_two_and_nothing_afterwards(tmp_path: Path) -> None:
    ready = prepare(tmp_path)
    with running_server(ready.database) as server:
        assert create(server, ready).status_code == 201
        with closing(sqlite3.connect(ready.database, isolation_level=None)) as foreign:
            foreign.execute("BEGIN IMMEDIATE")
            began = time.monotonic()
            assert_unavailable(create(server, ready))
            assert time.monotonic() - began < 3  # a second for the lock, and another for a group before
            assert [1] == [len(read(server, ready).json())]
            foreign.execute("ROLLBACK")
        assert create(server, ready).status_code == 201
        assert [2] == [len(read(server, ready).json())]
        ready_now = until(lambda: requests.get(f"{server.url}/readyz", timeout=PATIENCE_S))
        assert (200, "ok") == (ready_now.status_code, ready_now.json()["status"])
    assert [] == checked(ready)


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[Path]:
    """Mount a file system in memory of this size."""
    mount = shutil.which("mount")
    if os.geteuid() != 0 or mount is None:
        pytest.skip("mounting a small disk needs root on Linux")
    folder.mkdir()
    mounted = subprocess.run([mount, "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder], check=False)
    if mounted.returncode != 0:
        pytest.skip("this machine does not let root mount a small disk, as in most containers")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def fill(path: Path) -> None:
    """Write until the disk is full."""
    with path.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(b"x" * 4096)


def test_a_full_disk_is_a_503_until_there_is_room_again(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "4m") as disk:
        ready = prepare(disk)
        with running_server(ready.database) as server:
            acknowledged = [create(server, ready).json()["external_id"]]
            fill(disk / "ballast")
            # The log that SQLite writes ahead may still have room for a few.
            refused = create(server, ready)
            while refused.status_code == 201:
                acknowledged.append(refused.json()["external_id"])
                refused = create(server, ready)
            assert_unavailable(refused)
            assert {task["external_id"] for task in read(server, ready).json()} == set(acknowledged)
            (disk / "ballast").unlink()
            again = until(lambda: (answer := create(server, ready)).status_code == 201 and answer)
            acknowledged.append(again.json()["external_id"])
            assert {task["external_id"] for task in read(server, ready).json()} == set(acknowledged)
            assert server.stop() == 0
        assert [] == checked(ready)


def test_a_database_that_may_only_be_read_is_refused_by_name(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "8m") as disk:
        ready = prepare(disk)
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        done = workersai("serve", "--db", ready.url, "--port", "0", cwd=tmp_path)
    assert done.returncode == 1
    assert "read" in done.stderr.lower()
    assert "Next: " in done.stderr
