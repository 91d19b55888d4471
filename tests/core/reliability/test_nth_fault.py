from __future__ import annotations

import contextlib
import sqlite3

import pytest

from support.faults import Fault
from support.nth_fault import TRIALS, Cancel, Careless, Create, CreateMany, Once, Submit, World, sweep
from workersai_core.callbacks import outbox
from workersai_core.store.sqlite import SqliteStore

CALLS_AT_LEAST = 5  # BEGIN, SAVEPOINT, one statement, RELEASE, COMMIT; a read has three for each of its looks


@pytest.fixture
def world(tmp_path):
    world = World.open(tmp_path)
    yield world
    world.close()


@pytest.mark.parametrize("fault", list(Fault), ids=lambda fault: fault.name.lower())
@pytest.mark.parametrize("trial", TRIALS, ids=lambda trial: trial.__name__.lower())
def test_whichever_call_fails_the_command_keeps_its_promises(world, trial, fault):
    assert sweep(world, trial(), fault) >= CALLS_AT_LEAST


@pytest.mark.parametrize("trial", [Create, CreateMany, Once])
def test_a_plugin_that_hides_a_failure_of_the_database_breaks_no_promise(tmp_path, trial):
    world = World.open(tmp_path, plugin=Careless)
    assert sweep(world, trial(), Fault.FULL) >= CALLS_AT_LEAST
    world.close()


# --- planted bugs: a check that cannot fail proves nothing ----------------------------------------------


class Hasty(SqliteStore):
    """Answers before it commits."""

    def _run_group(self, group):
        super()._run_group(group)
        for job in group:
            job.finish()

    def _commit_group(self, group):
        with contextlib.suppress(RuntimeError):  # "release unlocked lock": they were told already
            super()._commit_group(group)


class Forgetful(SqliteStore):
    """Does not undo what a failed commit had done."""

    def _recover(self, *, was_busy):
        if self._writing.in_transaction:
            self._writing._real.execute("COMMIT")


class _DeafConnection:
    def __init__(self, connection):
        self.connection = connection

    def __getattr__(self, name):
        return getattr(self.connection, name)

    def execute(self, sql, parameters=()):
        with contextlib.suppress(sqlite3.Error) if sql == "COMMIT" else contextlib.nullcontext():
            return self.connection.execute(sql, parameters)


class Deaf(SqliteStore):
    """Takes every failure of a commit for a success."""

    def __init__(self, path, *, connect):
        super().__init__(path, connect=lambda path: _DeafConnection(connect(path)))


@pytest.mark.parametrize("store", [Hasty, Forgetful, Deaf])
@pytest.mark.parametrize("trial", [Create, Cancel, Submit])
def test_a_store_that_breaks_a_promise_is_caught(tmp_path, store, trial):
    world = World.open(tmp_path, store)
    with pytest.raises(AssertionError):
        sweep(world, trial(), Fault.LOCKED)
    world.faults.disarm()
    world.close()


def test_a_callback_that_is_stored_after_the_commit_is_caught(world, monkeypatch):
    enqueue, submit, late = outbox.enqueue, world.engine.submit, []

    def enqueue_later(tx, task):
        late.append(task)
        return task

    def submit_and_enqueue(*given):
        late.clear()
        found = submit(*given)
        for task in late:
            world.engine.run(lambda tx, task=task: enqueue(tx, task))
        return found

    monkeypatch.setattr(outbox, "enqueue", enqueue_later)
    monkeypatch.setattr(world.engine, "submit", submit_and_enqueue)
    with pytest.raises(AssertionError):
        sweep(world, Submit(), Fault.BROKEN)
