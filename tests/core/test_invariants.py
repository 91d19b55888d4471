"""Each check of `workersai check` finds the damage it is for, and finds nothing in a healthy database."""

from __future__ import annotations

import sqlite3
from datetime import timedelta

import pytest

from support.engines import ACCOUNT, ANN, BOB, CID, answer, claim, create
from workersai_core.commands import invariants
from workersai_core.testing import CapturingTransport


@pytest.fixture
def path(tmp_path):
    return tmp_path / "labels.db"


@pytest.fixture
def engine(open_engine, path, clock):
    """A database with something of everything."""
    engine = open_engine(database=f"sqlite:///{path}", transport=CapturingTransport(lambda request: 200))
    done = create(engine, unique_id="done", priority=99)
    answer(engine, ANN)
    half = create(engine, unique_id="half", overlap=3, priority=98)
    answer(engine, ANN)
    claim(engine, BOB)
    canceled = create(engine, unique_id="canceled", callback_events=["canceled"])
    engine.cancel_task(canceled.external_id, account=ACCOUNT)
    create(engine, unique_id="open", overlap=2, deadline_at=clock.now() + timedelta(hours=1))
    create(engine, unique_id="mocked", mode="test")
    create(engine, unique_id="never", mode="test", metadata={"mock": {"outcome": "never"}})
    create(engine, unique_id="skipped", callback_url=None)
    engine.tick()
    engine.deliver()
    gone = create(engine, unique_id="gone", priority=100, callback_url="https://gone.test/hook")
    answer(engine, CID)
    assert {"done", "half", "gone"} == {task.unique_id for task in (done, half, gone)}
    assert [] == engine.check()
    return engine


TASK = "(SELECT id FROM wai_task WHERE unique_id = '{}')"
DONE, HALF, CANCELED, OPEN, MOCKED, NEVER, GONE = (
    TASK.format(name) for name in ("done", "half", "canceled", "open", "mocked", "never", "gone")
)
ANNS = f"task_id = {HALF} AND worker_id = 'ann'"
BOBS = f"task_id = {HALF} AND worker_id = 'bob'"
COLUMNS = "id, name, at, task_id, account, mode, actor, data"
COPY_EVENT = (
    "INSERT INTO wai_event (name, at, task_id, account, mode, actor, data)"
    " SELECT name, at, task_id, account, mode, actor, data FROM wai_event WHERE task_id = {} AND name = '{}'"
)
COPY_ASSIGNMENT = (
    "INSERT INTO wai_assignment SELECT 'copy', task_id, {}, {}, state, claimed_at, lease_expires_at, finished_at,"
    " reason, response FROM wai_assignment WHERE {}"
)
COPY_DELIVERY = (
    "INSERT INTO wai_delivery SELECT 'copy', task_id, account, mode, 'other', url, endpoint_id, body, state, replay,"
    " attempts, attempts_total, simulated_failures, due_at, lease, created_at, finished_at"
    f" FROM wai_delivery WHERE task_id = {GONE}"
)

# What is planted, and the numbers and beginnings of the findings that must come of it.
PLANTED = [
    ("no created event", f"DELETE FROM wai_event WHERE task_id = {OPEN}", {"I2"}, "A task has no task_created"),
    ("two created events", COPY_EVENT.format(OPEN, "task_created"), {"I2"}, "A task has no task_created"),
    ("slot held twice", COPY_ASSIGNMENT.format("'eve'", "slot", BOBS), {"I3", "I7"}, "A slot of a task"),
    ("worker twice", COPY_ASSIGNMENT.format("worker_id", "3", ANNS), {"I3", "I4", "I7"}, "A worker answers or holds"),
    ("more than wanted", f"UPDATE wai_task SET answers_wanted = 1 WHERE id = {HALF}", {"I3", "I7"}, "A task has more"),
    ("no response", f"UPDATE wai_assignment SET response = NULL WHERE {ANNS}", {"I4"}, "A submitted assignment has no"),
    (
        "no submitted event",
        f"DELETE FROM wai_event WHERE task_id = {HALF} AND name = 'response_submitted'",
        {"I4"},
        "A submitted assignment has no",
    ),
    ("two submitted events", COPY_EVENT.format(HALF, "response_submitted"), {"I4"}, "A submitted assignment has no"),
    ("late answer", f"UPDATE wai_assignment SET finished_at = lease_expires_at WHERE {ANNS}", {"I5"}, "An answer was"),
    (
        "ended without an event",
        f"DELETE FROM wai_event WHERE task_id = {DONE} AND name = 'task_completed'",
        {"I6"},
        "A task's events and its status",
    ),
    ("ended twice", COPY_EVENT.format(DONE, "task_completed"), {"I6"}, "A task's events and its status"),
    (
        "ended as something else",
        f"UPDATE wai_event SET name = 'task_expired' WHERE task_id = {CANCELED} AND name = 'task_canceled'",
        {"I6"},
        "A task's events and its status",
    ),
    (
        "open again after its end",
        f"UPDATE wai_task SET status = 'in_progress' WHERE id = {CANCELED}",
        {"I6", "I7", "I8"},
        "A task's events and its status",
    ),
    (
        "open slot after the end",
        f"UPDATE wai_task SET open_slots = 1 WHERE id = {DONE}",
        {"I6"},
        "A finished task st",
    ),
    ("wakes after the end", f"UPDATE wai_task SET wake_at = 1 WHERE id = {DONE}", {"I6"}, "A finished task st"),
    (
        "no time of the end",
        f"UPDATE wai_task SET completed_at = NULL WHERE id = {DONE}",
        {"I6"},
        "A finished task st",
    ),
    (
        "lease after the end",
        f"UPDATE wai_assignment SET task_id = {CANCELED} WHERE {BOBS}",
        {"I6", "I7"},
        "A finished task st",
    ),
    ("lost answer", f"DELETE FROM wai_assignment WHERE {ANNS}", {"I7"}, "A task's counters disagree"),
    ("lost slot", f"UPDATE wai_task SET open_slots = 1 WHERE id = {OPEN}", {"I7"}, "A task's counters disagree"),
    (
        "lost response",
        f"UPDATE wai_task SET response = '{{}}' WHERE id = {DONE}",
        {"I7"},
        "A task is completed",
    ),
    (
        "response too early",
        f'UPDATE wai_task SET response = \'{{"choice":"a"}}\' WHERE id = {OPEN}',
        {"I7"},
        "A task is completed",
    ),
    (
        "completed with too few",
        f"UPDATE wai_task SET answers_wanted = 2 WHERE id = {DONE}",
        {"I7"},
        "A task is completed",
    ),
    (
        "open with enough",
        f"UPDATE wai_task SET answers_wanted = 1, open_slots = -1 WHERE id = {HALF}",
        {"I3", "I7"},
        "A task is completed",
    ),
    (
        "no callback",
        f"DELETE FROM wai_attempt WHERE delivery_id = (SELECT id FROM wai_delivery WHERE task_id = {DONE});"
        f"DELETE FROM wai_delivery WHERE task_id = {DONE}",
        {"I8"},
        "A finished task owes",
    ),
    ("two callbacks", COPY_DELIVERY, {"I8"}, "A finished task owes"),
    (
        "a callback that is not owed",
        f"UPDATE wai_task SET callback_events = '' WHERE id = {GONE}",
        {"I8"},
        "A finished task owes",
    ),
    (
        "lost attempt",
        f"DELETE FROM wai_attempt WHERE delivery_id = (SELECT id FROM wai_delivery WHERE task_id = {CANCELED})",
        {"I9"},
        "A callback's state disagrees",
    ),
    (
        "delivered without a success",
        f"UPDATE wai_attempt SET status = 500 WHERE delivery_id = (SELECT id FROM wai_delivery WHERE task_id = {DONE})",
        {"I9"},
        "A callback's state disagrees",
    ),
    (
        "exhausted without an attempt",
        f"UPDATE wai_delivery SET state = 'exhausted', finished_at = 1 WHERE task_id = {GONE}",
        {"I9"},
        "A callback's state disagrees",
    ),
    (
        "pending although finished",
        f"UPDATE wai_delivery SET finished_at = 1 WHERE task_id = {GONE}",
        {"I9"},
        "A callback's state disagrees",
    ),
    (
        "finished without a time",
        f"UPDATE wai_delivery SET finished_at = NULL WHERE task_id = {DONE}",
        {"I9"},
        "A callback's state disagrees",
    ),
    (
        "test task given to a worker",
        "INSERT INTO wai_assignment (id, task_id, worker_id, slot, state, claimed_at, lease_expires_at)"
        f" VALUES ('x', {NEVER}, 'ann', 1, 'released', 1, 2)",
        {"I10"},
        "A test task was given",
    ),
    (
        "callback of another account",
        f"UPDATE wai_delivery SET account = 'other' WHERE task_id = {DONE}",
        {"I11"},
        "A row about a task carries",
    ),
    (
        "callback of another mode",
        f"UPDATE wai_delivery SET mode = 'live' WHERE task_id = {MOCKED}",
        {"I11"},
        "A row about a task carries",
    ),
    (
        "event of another account",
        f"UPDATE wai_event SET account = 'other' WHERE task_id = {OPEN}",
        {"I11"},
        "A row about a task carries",
    ),
    ("event of another mode", f"UPDATE wai_event SET mode = 'test' WHERE task_id = {OPEN}", {"I11"}, "A row about a"),
    (
        "endpoint of another account",
        f"UPDATE wai_endpoint SET account = 'other' WHERE id = (SELECT endpoint_id FROM wai_delivery"
        f" WHERE task_id = {GONE})",
        {"I11"},
        "A row about a task carries",
    ),
    (
        "assignment of no task",
        "INSERT INTO wai_assignment (id, task_id, worker_id, slot, state, claimed_at, lease_expires_at)"
        " VALUES ('x', 'nothing', 'ann', 1, 'released', 1, 2)",
        {"I11"},
        "A row refers to a task",
    ),
    ("callback of no task", COPY_DELIVERY.replace("task_id,", "'nothing',", 1), {"I11"}, "A row refers to a task"),
    (
        "attempt of no callback",
        "INSERT INTO wai_attempt (delivery_id, n, at, latency_ms) VALUES ('nothing', 1, 1, 1)",
        {"I11"},
        "A row refers to a task",
    ),
]


def plant(path, sql):
    """Change rows behind the engine's back, constraints or not."""
    connection = sqlite3.connect(path)
    with connection:
        for index in ("uq_wai_assignment_slot", "uq_wai_assignment_worker"):
            connection.execute(f"DROP INDEX {index}")
        for statement in sql.split(";"):
            assert connection.execute(statement).rowcount > 0, statement
    connection.close()


@pytest.mark.parametrize(
    ("sql", "numbers", "detail"), [case[1:] for case in PLANTED], ids=[name for name, *_ in PLANTED]
)
def test_planted_damage_is_found(engine, path, sql, numbers, detail):
    plant(path, sql)
    found = engine.check()
    assert numbers == {violation.invariant for violation in found}
    assert any(violation.detail.startswith(detail) and violation.ids for violation in found)


def test_every_check_has_its_planted_damage():
    planted = [detail for *_, detail in PLANTED]
    checks = [detail for _, detail, _ in invariants._CHECKS]
    missing = [check for check in checks if not any(check.startswith(detail) for detail in planted)]
    assert [] == missing


def test_at_most_a_hundred_offenders_are_named(engine, path):
    for _ in range(120):
        create(engine)
    plant(path, "UPDATE wai_event SET account = 'other'")
    [found] = engine.check()
    assert 100 == len(found.ids)


def test_a_damaged_file_is_found(engine, open_engine, path):
    engine.close()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA writable_schema = ON")
    with connection:
        connection.execute(
            "UPDATE sqlite_master SET sql = replace(sql, 'created_at', 'priority') WHERE name = 'ix_wai_task_newest'"
        )
    connection.close()
    [found] = open_engine(database=f"sqlite:///{path}").check()
    assert ("I14", "The database file is damaged.") == (found.invariant, found.detail)
    assert any("ix_wai_task_newest" in complaint for complaint in found.ids)


# --- large databases ---------------------------------------------------------------------------------


def repeated_walks(path, query):
    """Return what a query walks over again and again: once for each row of something else."""
    connection = sqlite3.connect(path)
    plan = connection.execute(f"EXPLAIN QUERY PLAN {query}").fetchall()
    connection.close()
    correlated = {node for node, _, _, told in plan if told.startswith("CORRELATED")}
    return [told for _, parent, _, told in plan if parent in correlated and told.startswith("SCAN")]


@pytest.mark.parametrize("query", [query for *_, query in invariants._CHECKS])
def test_no_check_walks_over_a_table_for_each_row_of_another(engine, path, query):
    assert [] == repeated_walks(path, query)


def test_a_check_that_does_is_caught(engine, path):
    walk = (
        "SELECT (SELECT count(*) FROM wai_assignment a WHERE a.task_id = t.id AND a.state = 'claimed') FROM wai_task t"
    )
    assert 1 == len(repeated_walks(path, walk))
