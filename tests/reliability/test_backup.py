"""A backup that is made while everybody works: a database of one moment, sound, and ready to serve."""

from __future__ import annotations

import random
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import attrs
import pytest

from reliability.test_crashes import SETTINGS, crowd_of
from support.catcher import always, catching
from support.history import History
from support.live_server import running_server, workersai
from support.ready_database import Ready, checked, prepare
from workersai_client import Client

Copy = Callable[[Ready, Path], None]


def back_up(ready: Ready, copy: Path) -> None:
    done = workersai("db", "backup", str(copy), "--db", ready.url, cwd=copy.parent)
    assert done.returncode == 0, done.stderr


def copy_the_file(ready: Ready, copy: Path) -> None:
    """Do what many do, and must not: the newest commits are in another file yet."""
    shutil.copy(str(ready.database), copy)


def copies_under_load(ready: Ready, folder: Path, copy: Copy, times: int) -> list[tuple[Path, set[str]]]:
    """Copy the database while everybody works; return each copy with the tasks that were acknowledged before it."""
    history, rng, copies = History(), random.Random(4), []
    with (
        catching(ready.webhook_secret, always, always, always) as (_, urls),
        running_server(ready.database, **SETTINGS) as server,
    ):
        crowd = crowd_of(ready, urls, rng, history)
        crowd.start(server.url)
        for n in range(times):
            time.sleep(0.7)
            acknowledged = {creation.task["external_id"] for creation in list(history.creations)}
            path = folder / f"copy-{n}.db"
            copy(ready, path)
            copies.append((path, acknowledged))
        crowd.stop()
    assert history.surprises == []
    return copies


def lost_in(copy: Path, ready: Ready, acknowledged: set[str]) -> set[str]:
    """Serve a copy, and return the acknowledged tasks that are not in it."""
    with running_server(copy, **SETTINGS) as server:
        kept = set()
        for key in (ready.live_key, ready.test_key):
            with Client(server.url, key) as client:
                kept |= {task["external_id"] for task in client.tasks.list(page_size=500)}
                client.tasks.create(params={"attachment_type": "text", "attachment": "x", "categories": ["a", "b"]})
    return acknowledged - kept


@pytest.fixture
def ready(tmp_path: Path) -> Ready:
    return prepare(tmp_path, workers=2)


def test_every_backup_has_all_that_was_acknowledged_before_it_and_serves(ready: Ready, tmp_path: Path) -> None:
    copies = copies_under_load(ready, tmp_path, back_up, times=2)
    assert all(acknowledged for _, acknowledged in copies)
    for path, acknowledged in copies:
        restored = attrs.evolve(ready, database=path)
        assert checked(restored) == []
        assert lost_in(path, ready, acknowledged) == set()


def test_a_plain_copy_of_the_file_is_caught(ready: Ready, tmp_path: Path) -> None:
    copies = copies_under_load(ready, tmp_path, copy_the_file, times=2)
    assert any(lost_in(path, ready, acknowledged) for path, acknowledged in copies)
