"""The engine beside its model, on each kind of database; and engines with planted bugs, which must be found."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from support.engine_machine import EngineMachine
from support.postgres import empty, postgresql_server, postgresql_url
from workersai_core.commands import finish, work
from workersai_core.lifecycle import AssignmentState
from workersai_core.store import assignment_rows, event_rows, queue_rows, task_rows

__all__ = ["postgresql_server", "postgresql_url"]

STEPS = {"stateful_step_count": 40}


def run(machine, examples, **more):
    run_state_machine_as_test(machine, settings=settings(max_examples=examples, **STEPS, **more))


def on_a_file(folder):
    class FileMachine(EngineMachine):
        count = 0

        def fresh_database(self):
            FileMachine.count += 1
            self.database = f"sqlite:///{folder / f'{FileMachine.count}.db'}"
            return self.database

    return FileMachine


def on_postgresql(url):
    class PostgresqlMachine(EngineMachine):
        database = url

        def fresh_database(self):
            empty(url)
            return url

    return PostgresqlMachine


def test_the_engine_does_what_its_model_does_in_memory():
    run(EngineMachine, 50)


def test_the_engine_does_what_its_model_does_on_a_file_that_is_opened_again_and_again(tmp_path):
    run(on_a_file(tmp_path), 8)


def test_the_engine_does_what_its_model_does_on_postgresql(postgresql_url):
    run(on_postgresql(postgresql_url), 8)


@pytest.mark.stress
@pytest.mark.parametrize("where", ["memory", "file", "postgresql"])
def test_the_engine_does_what_its_model_does_for_long(where, tmp_path, request):
    machines = {
        "memory": lambda: EngineMachine,
        "file": lambda: on_a_file(tmp_path),
        "postgresql": lambda: on_postgresql(request.getfixturevalue("postgresql_url")),
    }
    run(machines[where](), 1000 if where == "memory" else 150, suppress_health_check=list(HealthCheck))


# --- planted bugs ----------------------------------------------------------------------------------------


def forget_the_lease(monkeypatch):
    """An answer counts although its lease ran out."""
    monkeypatch.setattr(work, "_live", lambda tx, assignment: assignment)


def lose_the_slot(monkeypatch):
    """A slot that is given back is not opened again."""
    monkeypatch.setattr(queue_rows, "reopen_slot", lambda session, task_id: None)


def keep_the_leases(monkeypatch):
    """The leases on a task outlive it."""
    monkeypatch.setattr(assignment_rows, "end_all", lambda session, task_id, now_us: [])


def end_as_something_else(monkeypatch):
    """A skipped task comes back to the worker."""
    real = assignment_rows.finish

    def finish_released(session, assignment_id, state, now_us, **more):
        changed = AssignmentState.RELEASED if state is AssignmentState.SKIPPED else state
        return real(session, assignment_id, changed, now_us, **more)

    monkeypatch.setattr(assignment_rows, "finish", finish_released)


def owe_nothing(monkeypatch):
    """A task ends and nobody is called back."""
    monkeypatch.setattr(finish.outbox, "enqueue", lambda tx, task: task)


def find_no_duplicate(monkeypatch):
    """The idempotency key does not hold."""
    monkeypatch.setattr(event_rows, "reserve", lambda *given: True)


def miscount(monkeypatch):
    """An accepted answer is not counted."""
    monkeypatch.setattr(task_rows, "note_answer", lambda session, task_id: None)


@pytest.mark.parametrize(
    "plant",
    [
        forget_the_lease,
        lose_the_slot,
        keep_the_leases,
        end_as_something_else,
        owe_nothing,
        find_no_duplicate,
        miscount,
    ],
    ids=lambda plant: plant.__name__,
)
def test_a_planted_bug_is_found(monkeypatch, plant):
    plant(monkeypatch)
    # How small the example can be made, and whether there are others, is not the question.
    once = {"phases": [Phase.generate], "report_multiple_bugs": False, "derandomize": True, "database": None}
    with pytest.raises(Exception):  # noqa: B017 - which, depends on what the bug is met by
        run(EngineMachine, 300, **once)
