from __future__ import annotations

import threading
from datetime import UTC, datetime

import pytest
import sqlalchemy

from support.engines import ACCOUNT, ANN, Watcher, answer, create, fields, policy, stored
from support.engines import open_engine as open_plain
from support.faults import Faults
from support.task_types import TestTypes
from support.waiting import until
from workersai_core import (
    AddressPolicy,
    Engine,
    InvalidInput,
    MigrationRequired,
    NotFound,
    PluginConfigurationError,
    Policy,
    StoreUnavailable,
    SystemClock,
    TaskStatus,
)
from workersai_core.api import hookimpl
from workersai_core.store.opening import upgrade
from workersai_core.store.schema import CORE
from workersai_core.store.sqlite import SqliteStore
from workersai_core.testing import CapturingTransport, FakeClock


@pytest.fixture
def address(tmp_path):
    return f"sqlite:///{tmp_path / 'labels.db'}"


class Lifetime:
    """A plugin that notes when its engine opens and closes, and what it can do then."""

    def __init__(self):
        self.seen = []

    @hookimpl
    def engine_ready(self, engine):
        self.seen.append(("ready", engine.count_tasks(account=ACCOUNT)))

    @hookimpl
    def engine_closing(self, engine):
        self.seen.append(("closing", engine.count_tasks(account=ACCOUNT)))


# --- opening and closing -----------------------------------------------------------------------------


def test_what_was_stored_is_there_when_the_database_is_opened_again(address):
    with open_plain(database=address) as engine:
        task = create(engine, metadata={"a": 1.0})
    with open_plain(database=address) as engine:
        assert task == stored(engine, task)


def test_a_database_is_named_by_an_address_an_engine_or_a_store(address, tmp_path):
    with open_plain(database=address) as engine:
        task = create(engine)
    host = sqlalchemy.create_engine(address)
    with open_plain(database=host) as engine:
        assert task == stored(engine, task)
    host.dispose()
    with open_plain(database=SqliteStore(str(tmp_path / "labels.db"))) as engine:
        assert task == stored(engine, task)


def test_the_defaults_are_the_machines_clock_and_the_usual_limits():
    with Engine.open("sqlite://", entry_points="none") as engine:
        assert isinstance(engine.clock, SystemClock)
        assert Policy() == engine.policy
        assert [] == engine.types.names()
        assert AddressPolicy() == engine.policy.addresses


def test_a_database_that_may_not_be_changed_must_be_current(address):
    with pytest.raises(MigrationRequired):
        open_plain(database=address, migrate=False)
    upgrade(address, [CORE])
    open_plain(database=address, migrate=False).close()


def test_what_is_no_database_is_refused():
    with pytest.raises(InvalidInput):
        open_plain(database="labels.db")


def test_a_plugin_that_cannot_be_loaded_is_listed_or_when_strict_refused():
    class Broken:
        @hookimpl
        def no_such_hook(self):
            """Be unknown."""

    with open_plain(Broken()) as engine:
        assert "failed" in engine.health().plugins.values()
        create(engine)
    with pytest.raises(PluginConfigurationError):
        open_plain(Broken(), strict_plugins=True)


def test_plugins_hear_of_the_opening_and_the_closing_while_the_database_is_open(open_engine):
    engine = open_engine(plugin := Lifetime())
    create(engine)
    engine.close()
    assert [("ready", 0), ("closing", 1)] == plugin.seen


def test_two_engines_in_one_process_know_nothing_of_each_other():
    with open_plain() as one, open_plain() as other:
        task = create(one)
        with pytest.raises(NotFound):
            stored(other, task)


def test_a_closed_engine_says_so():
    engine = open_plain()
    engine.close()
    with pytest.raises(StoreUnavailable, match="closed"):
        create(engine)
    with pytest.raises(StoreUnavailable, match="closed"):
        engine.events()


def test_closing_closes_the_transport_and_ends_every_thread(address):
    class Transport(CapturingTransport):
        closed = 0

        def close(self):
            self.closed += 1

    before = set(threading.enumerate())
    transport = Transport()
    engine = open_plain(database=address, transport=transport)
    engine.start()
    create(engine)
    engine.close()
    assert 1 == transport.closed
    assert set() == set(threading.enumerate()) - before


# --- threads -----------------------------------------------------------------------------------------


def test_once_started_everything_happens_by_itself(open_engine):
    transport = CapturingTransport()
    engine = open_engine(watcher := Watcher(), transport=transport)
    engine.start()
    engine.start()
    task = create(engine, mode="test")
    until(lambda: "delivered" == stored(engine, task).callback_state)
    assert TaskStatus.COMPLETED is stored(engine, task).status
    assert 1 == len(transport.requests)
    until(lambda: "callback_delivered" in watcher.names)


def test_a_stopped_engine_may_be_started_again(open_engine):
    engine = open_engine()
    for _ in range(2):
        engine.start()
        task = create(engine, mode="test")
        until(lambda task=task: "delivered" == stored(engine, task).callback_state)
        engine.stop()
    task = create(engine, mode="test")
    assert TaskStatus.PENDING is stored(engine, task).status, "nothing happens by itself any more"


def test_an_engine_may_only_tick_while_another_process_delivers(open_engine):
    transport = CapturingTransport()
    engine = open_engine(transport=transport)
    engine.start_ticking()
    engine.start_ticking()
    task = create(engine, mode="test")
    until(lambda: TaskStatus.COMPLETED is stored(engine, task).status)
    engine.stop()
    assert [] == transport.requests
    assert 1 == engine.deliver()


def test_stopping_what_never_started_does_nothing(engine):
    engine.stop()
    create(engine)


def test_the_ticking_thread_survives_a_database_that_is_away(open_engine, tmp_path, address, caplog):
    upgrade(address, [CORE])
    faults = Faults()
    store = SqliteStore(str(tmp_path / "labels.db"), connect=faults.connect)
    engine = open_engine(database=store)
    engine.start()
    faults.fail_always = True
    until(lambda: "could not do what is due" in caplog.text)
    faults.fail_always = False
    task = until(lambda: _created(engine))
    until(lambda: "delivered" == stored(engine, task).callback_state)
    engine.stop()


def _created(engine):
    try:
        return create(engine, mode="test")
    except StoreUnavailable:
        return None


def test_two_ticks_at_once_do_the_work_once(open_engine, clock):
    engine = open_engine(watcher := Watcher())
    for _ in range(50):
        create(engine, mode="test")
    threads = [threading.Thread(target=engine.tick) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 50 == watcher.names.count("task_completed")


def test_without_anything_due_a_tick_only_looks(open_engine, tmp_path, address):
    upgrade(address, [CORE])
    faults = Faults()
    engine = open_engine(database=SqliteStore(str(tmp_path / "labels.db"), connect=faults.connect))
    create(engine)
    faults.watch()
    assert 0 == engine.tick()
    assert not [sql for sql in faults.statements if sql.startswith(("COMMIT", "UPDATE", "INSERT", "DELETE"))]


# --- health --------------------------------------------------------------------------------------------


def test_a_new_engine_is_well(engine):
    health = engine.health()
    assert (True, True, None) == (health.database, health.dispatcher, health.outbox_lag_s)
    assert {"TestTypes": "ok"} == {name: state for name, state in health.plugins.items() if state != "disabled"}


def test_the_outbox_lags_by_how_long_the_oldest_due_callback_has_waited(open_engine, clock):
    engine = open_engine(transport=CapturingTransport(lambda request: 500))
    create(engine)
    answer(engine, ANN)
    assert 0.0 == engine.health().outbox_lag_s
    clock.advance(12.5)
    assert 12.5 == engine.health().outbox_lag_s
    engine.deliver()
    assert engine.health().outbox_lag_s is None, "the next attempt is not due yet"


def test_the_dispatcher_is_well_while_it_runs(open_engine):
    engine = open_engine()
    engine.start()
    until(lambda: engine.health().dispatcher)
    engine.stop()
    assert engine.health().dispatcher, "none was started"


def test_an_engine_whose_database_is_away_is_not_well_but_says_so(open_engine, tmp_path, address):
    upgrade(address, [CORE])
    faults = Faults()
    engine = open_engine(database=SqliteStore(str(tmp_path / "labels.db"), connect=faults.connect))
    engine.start()
    until(lambda: engine.health().dispatcher)
    faults.fail_always = True
    until(lambda: not engine.health().dispatcher)
    assert (False, None) == (engine.health().database, engine.health().outbox_lag_s)
    faults.fail_always = False
    until(lambda: engine.health().dispatcher and engine.health().database)
    engine.stop()


def test_a_closed_engine_is_not_well():
    engine = open_plain()
    engine.close()
    assert not engine.health().database


# --- injected parts --------------------------------------------------------------------------------------


def test_identifiers_and_time_come_from_where_the_host_says():
    class Counting:
        def __init__(self):
            self.n = 0

        def new(self, at_us):
            self.n += 1
            return f"id-{self.n}"

    clock = FakeClock(datetime(2040, 1, 1, tzinfo=UTC))
    with open_plain(ids=Counting(), clock=clock, policy=policy(lease_s=60)) as engine:
        task = create(engine)
        assert ("id-1", clock.now()) == (task.external_id, task.created_at)
        claimed = engine.claim(ANN)
        assert 60 == (claimed.assignment.lease_expires_at - clock.now()).total_seconds()


def test_plugins_see_their_settings_the_time_and_who_asks(open_engine, clock):
    class Curious:
        @hookimpl
        def before_task_create(self, ctx, draft):
            self.ctx = ctx

    engine = open_engine(plugin := Curious(), plugin_settings={"colour": "red"})
    engine.create(engine.draft_task(**fields(actor="someone", mode="test")))
    ctx = plugin.ctx
    assert ("red", clock.now(), "someone", "test") == (ctx.settings["colour"], ctx.now, ctx.actor, ctx.mode)
    assert 0 <= ctx.rng.random() < 1


def test_the_task_types_are_those_of_the_plugins(engine):
    assert ["pick", "unanimous"] == engine.types.names() == [kind.name for kind in engine.types]
    assert isinstance(TestTypes().register_task_types()[0], type(engine.types.get("pick")))
