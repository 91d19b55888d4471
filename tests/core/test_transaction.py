from __future__ import annotations

import pytest
from sqlalchemy import create_engine, event, text

from support.engines import ACCOUNT, ANN, OPTIONS, Watcher, create, fields, names, stored
from workersai_core import DuplicateTask, Idempotency, InvalidInput, NotFound, StoreUnavailable, TaskStatus
from workersai_core.api import Rejected, hookimpl


@pytest.fixture
def watcher():
    return Watcher()


@pytest.fixture
def engine(open_engine, watcher, tmp_path):
    engine = open_engine(watcher, database=f"sqlite:///{tmp_path / 'labels.db'}")
    yield engine
    assert [] == engine.check()


def sqlalchemy_engine(tmp_path, **options):
    made = create_engine(f"sqlite:///{tmp_path / 'labels.db'}", **options)
    with made.begin() as connection:
        connection.execute(text("CREATE TABLE IF NOT EXISTS host_order (id INTEGER PRIMARY KEY, task TEXT)"))
    return made


@pytest.fixture
def host(engine, tmp_path):
    """A host program's own engine on the same database."""
    made = sqlalchemy_engine(tmp_path)
    yield made
    made.dispose()


def order(connection, task):
    connection.execute(text("INSERT INTO host_order (task) VALUES (:task)"), {"task": task.external_id})


def orders(host):
    with host.connect() as connection:
        return connection.execute(text("SELECT task FROM host_order")).scalars().all()


def count(engine):
    return engine.count_tasks(account=ACCOUNT)


# --- commit and rollback -------------------------------------------------------------------------------


def test_a_task_and_the_hosts_own_row_commit_together(engine, host):
    with host.begin() as connection, engine.transaction(connection) as tx:
        task = create(tx)
        order(connection, task)
        assert task == tx.get_task(task.external_id, account=ACCOUNT), "it is there within the transaction"
    assert task == stored(engine, task)
    assert [task.external_id] == orders(host)


def test_nothing_is_visible_to_others_before_the_hosts_commit(engine, host):
    with host.connect() as connection:
        with engine.transaction(connection) as tx:
            task = create(tx)
        with pytest.raises(NotFound):
            stored(engine, task)
        connection.commit()
    assert task == stored(engine, task)


def test_the_hosts_rollback_undoes_everything(engine, host):
    with host.connect() as connection:
        with engine.transaction(connection) as tx:
            order(connection, create(tx))
        connection.rollback()
    assert (0, []) == (count(engine), orders(host))


def test_an_error_inside_undoes_what_was_done_inside_and_spares_the_hosts_own(engine, host):
    with host.begin() as connection:
        connection.execute(text("INSERT INTO host_order (task) VALUES ('before')"))
        with pytest.raises(TypeError), engine.transaction(connection) as tx:
            order(connection, create(tx), "more than it takes")
        connection.execute(text("INSERT INTO host_order (task) VALUES ('after')"))
    assert (0, ["before", "after"]) == (count(engine), orders(host))


def test_a_refused_command_undoes_only_itself(engine, host):
    with host.begin() as connection, engine.transaction(connection) as tx:
        first = create(tx, unique_id="u")
        with pytest.raises(DuplicateTask):
            create(tx, unique_id="u")
        with pytest.raises(InvalidInput):
            create(tx, overlap=0)
        last = create(tx)
    assert {first.external_id, last.external_id} == {
        task.external_id for task in engine.list_tasks(account=ACCOUNT).tasks
    }
    assert ["task_created", "task_created"] == names(engine.events())


def test_every_command_works_inside(engine, host):
    with host.begin() as connection, engine.transaction(connection) as tx:
        task = create(tx, overlap=2, idempotency_key="k")
        assert task.external_id == create(tx, overlap=2, idempotency_key="k").external_id
        held = tx.claim(ANN).assignment.id
        tx.renew(held, ANN)
        with pytest.raises(InvalidInput):
            tx.submit(held, ANN, {"choice": "z"})
        tx.submit(held, ANN, {"choice": "a"})
        [other] = tx.create_tasks([tx.draft_task(**fields())])
        tx.cancel_task(other.external_id, account=ACCOUNT)
    assert 1 == stored(engine, task).answers_accepted
    assert TaskStatus.CANCELED is stored(engine, other).status


def test_several_transactions_may_be_joined_one_after_the_other(engine, host):
    with host.begin() as connection:
        for _ in range(3):
            with engine.transaction(connection) as tx:
                create(tx)
    assert 3 == count(engine)


def test_a_joined_transaction_may_be_a_savepoint_of_the_host(engine, host):
    with host.begin() as connection:
        outer = connection.begin_nested()
        with engine.transaction(connection) as tx:
            create(tx)
        outer.rollback()
        with engine.transaction(connection) as tx:
            kept = create(tx)
    assert [kept] == list(engine.list_tasks(account=ACCOUNT).tasks)


# --- hosts with other habits -----------------------------------------------------------------------------


def test_a_connection_that_has_not_begun_yet_is_joined_and_waits_for_its_commit(engine, host):
    with host.connect() as connection:
        with engine.transaction(connection) as tx:
            create(tx)
        assert 0 == count(engine)
        connection.commit()
    assert 1 == count(engine)
    with host.connect() as connection, engine.transaction(connection) as tx:
        create(tx)
    assert 1 == count(engine), "without a commit nothing is kept"


def test_a_host_that_begins_by_itself_as_sqlalchemy_recommends_is_joined(engine, tmp_path):
    host = sqlalchemy_engine(tmp_path)

    @event.listens_for(host, "connect")
    def leave_it_to_us(connection, _):
        connection.isolation_level = None

    @event.listens_for(host, "begin")
    def begin(connection):
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    host.dispose()
    with host.connect() as connection:
        with engine.transaction(connection) as tx:
            create(tx)
        connection.commit()
    with host.begin() as connection, engine.transaction(connection) as tx:
        create(tx)
    assert 2 == count(engine)
    host.dispose()


@pytest.mark.parametrize("where", ["connection", "engine"])
def test_a_connection_that_commits_each_statement_is_refused(engine, tmp_path, where):
    options = {"isolation_level": "AUTOCOMMIT"} if where == "engine" else {}
    host = sqlalchemy_engine(tmp_path, **options)
    with host.connect() as connection:
        if where == "connection":
            connection = connection.execution_options(isolation_level="AUTOCOMMIT")
        with pytest.raises(InvalidInput, match="AUTOCOMMIT"), engine.transaction(connection):
            raise AssertionError("it was joined")
    host.dispose()


def test_a_connection_of_another_kind_of_database_is_refused(engine):
    class Foreign:
        name = "mysql"
        driver = "pymysql"

    class Connection:
        dialect = Foreign()

        def get_execution_options(self):
            return {}

    with pytest.raises(InvalidInput, match=r"mysql\+pymysql cannot be joined"), engine.transaction(Connection()):
        raise AssertionError("it was joined")


# --- observers and callbacks -------------------------------------------------------------------------------


def test_observers_hear_of_it_at_the_first_tick_after_the_hosts_commit(engine, host, watcher):
    with host.connect() as connection:
        with engine.transaction(connection) as tx:
            task = create(tx)
        engine.tick()
        assert [] == watcher.seen
        connection.commit()
    assert [] == watcher.seen
    engine.tick()
    engine.tick()
    assert [("task_created", task.external_id)] == [(seen.name, seen.task_id) for seen in watcher.seen]


def test_observers_never_hear_of_what_the_host_undid(engine, host, watcher, clock):
    with host.connect() as connection:
        with engine.transaction(connection) as tx:
            create(tx)
        connection.rollback()
    other = create(engine)  # it gets the number of the event that was undone
    engine.tick()
    assert [other.external_id] == [seen.task_id for seen in watcher.seen]
    clock.advance(300)
    engine.tick()
    assert [] == engine._uncommitted.waiting(), "after five minutes it is forgotten"


def test_observers_never_hear_of_what_a_refused_command_had_recorded(engine, host, watcher):
    with host.begin() as connection, engine.transaction(connection) as tx:

        def half(inner):
            create(inner)
            raise LookupError

        with pytest.raises(LookupError):
            tx.once(Idempotency(scope="s", key="k", fingerprint="f"), half)
    engine.tick()
    assert [] == watcher.seen
    assert 0 == count(engine)


def test_the_callback_of_a_task_that_ended_inside_is_owed_with_the_hosts_commit(engine, host):
    with host.connect() as connection:
        with engine.transaction(connection) as tx:
            task = create(tx, callback_events=["canceled"])
            tx.cancel_task(task.external_id, account=ACCOUNT)
        connection.commit()
    assert 1 == engine.deliver()
    assert "delivered" == stored(engine, task).callback_state


def test_a_plugins_veto_counts_inside_too(open_engine, tmp_path):
    class Refusing:
        @hookimpl
        def before_task_create(self, ctx, draft):
            raise Rejected("no")

    engine = open_engine(Refusing(), database=f"sqlite:///{tmp_path / 'refusing.db'}")
    host = create_engine(f"sqlite:///{tmp_path / 'refusing.db'}")
    with host.begin() as connection, engine.transaction(connection) as tx, pytest.raises(Rejected):
        create(tx)
    host.dispose()


# --- the engine's own transactions -----------------------------------------------------------------------


def test_run_puts_several_commands_into_one_transaction(engine, watcher):
    def two(tx):
        one = create(tx)
        return one, tx.cancel_task(one.external_id, account=ACCOUNT)

    created, canceled = engine.run(two)
    assert created.external_id == canceled.external_id
    assert ["task_created", "task_canceled"] == watcher.names


def test_run_undoes_everything_when_it_raises(engine, watcher):
    def fails(tx):
        create(tx)
        raise LookupError("mine")

    with pytest.raises(LookupError, match="mine"):
        engine.run(fails)
    assert (0, []) == (count(engine), watcher.seen)


def test_a_command_that_is_refused_within_run_undoes_only_itself(engine, watcher):
    def some(tx):
        create(tx, unique_id="u")
        with pytest.raises(DuplicateTask):
            create(tx, unique_id="u")
        create(tx, params={"options": OPTIONS[:1]})

    engine.run(some)
    assert (2, ["task_created"] * 2) == (count(engine), watcher.names)


def test_read_shows_one_snapshot_and_cannot_change_it(engine):
    create(engine)
    assert (1, 1) == engine.read(lambda tx: (count(tx), len(tx.events())))
    with pytest.raises(StoreUnavailable):
        engine.read(create)
    assert 1 == count(engine)
