"""What a program asks for that has the engine inside, on both databases."""

from __future__ import annotations

import pytest
import sqlalchemy
from sqlalchemy import text

from support.engines import ACCOUNT, ANN, Watcher, answer, claim, create, fields, history
from workersai_core import AlreadySubmitted, DuplicateTask, InvalidInput, WrongState
from workersai_core.store import Statement

COUNT = Statement(text("SELECT count(*) FROM wai_task"))


@pytest.fixture
def host(database, engine):
    """The host program's own SQLAlchemy engine and table on the same database."""
    if database.startswith("postgresql:"):
        database = database.replace("postgresql:", "postgresql+psycopg:", 1)
    host = sqlalchemy.create_engine(database)
    with host.begin() as connection:
        connection.execute(text("CREATE TABLE host_order (name TEXT)"))
    yield host
    with host.begin() as connection:
        connection.execute(text("DROP TABLE host_order"))
    host.dispose()


def orders(host):
    with host.connect() as connection:
        return connection.execute(text("SELECT count(*) FROM host_order")).scalar()


def order(connection):
    connection.execute(text("INSERT INTO host_order VALUES ('x')"))


def test_a_run_is_all_or_nothing(engine):
    def two(tx):
        create(tx)
        create(tx, priority=7)
        raise WrongState("no")

    with pytest.raises(WrongState):
        engine.run(two)
    assert (0, []) == (engine.count_tasks(account=ACCOUNT), engine.events())


def test_a_command_that_is_refused_inside_a_run_undoes_only_itself(engine):
    def run(tx):
        create(tx, unique_id="u")
        with pytest.raises(DuplicateTask):
            create(tx, unique_id="u")
        create(tx)
        return len(tx.list_tasks(account=ACCOUNT).tasks)

    assert 2 == engine.run(run)
    assert (2, 2) == (engine.count_tasks(account=ACCOUNT), len(engine.events()))


def test_a_read_is_one_snapshot_that_cannot_be_changed(engine):
    def look(tx):
        before = tx.count_tasks(account=ACCOUNT)
        with pytest.raises(Exception, match=r"(?i)read.?only"):
            tx.session.script("DELETE FROM wai_task")
        return before

    create(engine)
    assert 1 == engine.read(look)
    assert 1 == engine.count_tasks(account=ACCOUNT)


def test_an_operation_inside_an_operation_is_refused(engine):
    with pytest.raises(RuntimeError, match="its own transaction"):
        engine.run(lambda tx: create(engine))
    with pytest.raises(RuntimeError, match="its own transaction"):
        engine.read(lambda tx: engine.count_tasks(account=ACCOUNT))


def test_a_task_belongs_to_the_hosts_transaction(engine, host):
    with host.begin() as connection:
        order(connection)
        with engine.transaction(connection) as tx:
            task = create(tx)
        assert 0 == engine.count_tasks(account=ACCOUNT)
    assert (1, task) == (orders(host), engine.get_task(task.external_id, account=ACCOUNT))


def test_the_hosts_rollback_takes_the_task_with_it(engine, host):
    with host.connect() as connection:
        order(connection)
        with engine.transaction(connection) as tx:
            create(tx)
        connection.rollback()
    assert (0, 0) == (orders(host), engine.count_tasks(account=ACCOUNT))


def create_two(engine, connection):
    with engine.transaction(connection) as tx:
        create(tx)
        create(tx, unique_id="u")


def test_a_refusal_does_not_poison_the_hosts_transaction(engine, host):
    create(engine, unique_id="u")
    with host.begin() as connection:
        order(connection)
        with pytest.raises(DuplicateTask):
            create_two(engine, connection)
        order(connection)
    assert (2, 1) == (orders(host), engine.count_tasks(account=ACCOUNT))


def test_every_command_works_in_the_hosts_transaction(engine, host, clock):
    with host.begin() as connection, engine.transaction(connection) as tx:
        first, second = create(tx, idempotency_key="k"), create(tx, idempotency_key="k")
        assert first == second
        held = claim(tx, ANN)
        tx.renew(held, ANN)
        assert "completed" == tx.submit(held, ANN, {"choice": "a"}).task.status.value
        with pytest.raises(AlreadySubmitted):
            tx.submit(held, ANN, {"choice": "b"})
        assert [1, 1] == [len(tx.create_tasks([tx.draft_task(**fields())])), len(tx.webhook_secrets(ACCOUNT))]
        assert 1 == len(tx.callbacks(first.external_id, account=ACCOUNT))
    assert ["task_created", "task_assigned", "response_submitted", "task_completed"] == history(engine, first)


def test_observers_hear_of_the_hosts_commit_and_not_of_its_rollback(open_engine, host):
    watcher = Watcher()
    engine = open_engine(watcher)
    with host.begin() as connection, engine.transaction(connection) as tx:
        create(tx)
        assert [] == watcher.seen
    with host.connect() as connection:
        with engine.transaction(connection) as tx:
            create(tx)
        connection.rollback()
    engine.tick()
    assert ["task_created"] == watcher.names


def test_a_connection_that_commits_by_itself_cannot_be_joined(engine, host):
    with (
        host.connect().execution_options(isolation_level="AUTOCOMMIT") as connection,
        pytest.raises(InvalidInput, match="AUTOCOMMIT"),
        engine.transaction(connection),
    ):
        raise AssertionError("it was joined")


def test_two_engines_share_a_database(open_engine):
    one, two = open_engine(), open_engine()
    task = create(one)
    answer(two, ANN)
    assert "completed" == one.get_task(task.external_id, account=ACCOUNT).status.value
    assert 1 == two.read(lambda tx: tx.session.all(COUNT))[0][0]


def test_a_healthy_engine_says_so(engine, clock):
    assert (True, None) == (engine.health().database, engine.health().outbox_lag_s)
    create(engine)
    answer(engine, ANN)
    clock.advance(3)
    assert 3.0 == engine.health().outbox_lag_s
    engine.deliver()
    assert engine.health().outbox_lag_s is None


@pytest.mark.parametrize(
    ("damage", "invariant"),
    [
        ("DELETE FROM wai_event WHERE name = 'task_created'", "I2"),
        ("UPDATE wai_assignment SET response = NULL", "I4"),
        ("UPDATE wai_assignment SET lease_expires_at = finished_at", "I5"),
        ("UPDATE wai_task SET open_slots = 1", "I6"),
        ("UPDATE wai_task SET answers_accepted = 0", "I7"),
        ("DELETE FROM wai_delivery", "I8"),
        ("UPDATE wai_delivery SET attempts_total = 1", "I9"),
        ("UPDATE wai_task SET mode = 'test'", "I10"),
        ("UPDATE wai_delivery SET account = 'zoo'", "I11"),
    ],
)
def test_broken_invariants_are_found(open_engine, damage, invariant):
    engine = open_engine()
    create(engine)
    answer(engine, ANN)
    assert [] == engine.check()
    engine.run(lambda tx: tx.session.script(damage))
    assert invariant in [violation.invariant for violation in engine.check()]
