"""The PostgreSQL store by itself, on a real server."""

from __future__ import annotations

import importlib.util
import threading
import time
from contextlib import ExitStack, contextmanager

import psycopg
import pytest
from sqlalchemy import bindparam, text
from sqlalchemy.engine import make_url

from support.postgres import connect, fresh_database, own_server, postgresql_server, postgresql_url
from support.waiting import until
from workersai_core.errors import InvalidInput, MigrationRequired, StoreBusy, StoreUnavailable
from workersai_core.store.opening import database_url, open_store, upgrade
from workersai_core.store.postgresql import PostgresqlStore
from workersai_core.store.schema import CORE
from workersai_core.store.session import Statement

__all__ = ["postgresql_server", "postgresql_url"]

ONE = Statement(text("SELECT 1"))
ADD = Statement(text("INSERT INTO note (k, t, n, x) VALUES (:k, :t, :n, :x)"))
CHANGE = Statement(text("UPDATE note SET n = n + 1 WHERE k = :k"))
EVERY = Statement(text("SELECT k, t, n, x FROM note ORDER BY k"))
COUNT = Statement(text("SELECT count(*) FROM note"))
SLEEP = Statement(text("SELECT pg_sleep(:s)"))
SHOW = Statement(text("SELECT current_setting(:name)"))
PATIENCE_S = 1.0
"""How long a caller may be kept waiting when the database is away."""


@pytest.fixture
def notes(postgresql_url):
    """A bystander's connection to a database with a table for these tests."""
    with connect(postgresql_url) as connection:
        until(lambda: not backends(connection))  # those of the test before
        connection.execute("CREATE TABLE note (k BIGINT PRIMARY KEY, t TEXT, n INTEGER, x DOUBLE PRECISION)")
        yield connection
        connection.execute("DROP TABLE note CASCADE")


@pytest.fixture
def opened():
    """Open stores; they are closed at the end."""
    with ExitStack() as stack:

        def open_one(url, **options):
            store = PostgresqlStore(database_url(url), **options)
            stack.callback(store.close)
            return store

        yield open_one


@pytest.fixture
def store(postgresql_url, notes, opened):
    return opened(postgresql_url)


def add(session, k=1, t=None, n=0, x=None):
    session.run(ADD, {"k": k, "t": t, "n": n, "x": x})


def count(store):
    return store.read(lambda session: session.one(COUNT)[0])


def backends(bystander):
    query = (
        "SELECT pid, state FROM pg_stat_activity WHERE application_name = 'workersai' AND datname = current_database()"
    )
    return dict(bystander.execute(query).fetchall())


def kill_backends(bystander):
    """End every connection of stores to this database, and return how many there were."""
    killed = [bystander.execute("SELECT pg_terminate_backend(%s, 5000)", [pid]) for pid in backends(bystander)]
    return len(killed)


@contextmanager
def in_thread(function):
    """Run a function beside the `with` block; what it returned or raised is in the list afterwards."""
    outcome = []

    def run():
        try:
            outcome.append(function())
        except Exception as error:
            outcome.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    yield outcome
    thread.join(20)
    assert not thread.is_alive()


@contextmanager
def within(seconds):
    """Fail when the block takes longer."""
    started = time.monotonic()
    yield
    assert time.monotonic() - started < seconds


# --- transactions ------------------------------------------------------------------------------


def test_a_write_is_seen_by_everybody_when_it_returns(store, notes):
    assert "done" == store.write(lambda session: (add(session), "done")[1])
    assert (1,) == notes.execute("SELECT count(*) FROM note").fetchone()


def test_an_operation_that_raises_leaves_nothing(store):
    def fail(session):
        add(session)
        raise LookupError("no")

    with pytest.raises(LookupError):
        store.write(fail)
    assert 0 == count(store)


def test_an_error_of_a_statement_is_the_callers_and_the_store_goes_on(store):
    with pytest.raises(psycopg.errors.UniqueViolation):
        store.write(lambda session: (add(session), add(session)))
    store.write(add)
    assert 1 == count(store)


def test_a_savepoint_undoes_only_what_is_inside(store):
    def run(session):
        add(session, 1)
        with pytest.raises(psycopg.errors.UniqueViolation), session.savepoint():
            session.many(ADD, [{"k": k, "t": None, "n": 0, "x": None} for k in (2, 1)])
        with session.savepoint():
            add(session, 3)

    store.write(run)
    assert [1, 3] == [row[0] for row in store.read(lambda session: session.all(EVERY))]


def test_an_error_that_an_operation_hides_is_told(store):
    def hide(session):
        add(session, 1)
        with pytest.raises(psycopg.errors.UniqueViolation):
            add(session, 1)

    with pytest.raises(RuntimeError, match="undid all of it; catch it around a savepoint"):
        store.write(hide)
    assert 0 == count(store)


def test_values_come_back_as_they_went_in(store):
    rows = [
        {"k": 2**63 - 1, "t": "100 % %s %(x)s ' \" \\ 😀\n\x01", "n": -(2**31), "x": 5e-324},
        {"k": -(2**63), "t": None, "n": None, "x": None},
        {"k": 0, "t": "", "n": 0, "x": 0.1},
    ]
    store.write(lambda session: session.many(ADD, rows))
    store.write(lambda session: session.many(ADD, []))
    expected = sorted((tuple(row.values()) for row in rows), key=lambda row: row[0])
    assert expected == store.read(lambda session: session.all(EVERY))


def test_many_rows_are_on_their_way_at_once_and_what_comes_back_is_in_their_order(store):
    def double(session):
        added = Statement(text("INSERT INTO note (k, n) VALUES (:k, :n) RETURNING n * 2"))
        return session.each(added, [{"k": k, "n": -k} for k in range(500)]), session.changes

    assert ([(-2 * k,) for k in range(500)], 500) == store.write(double)


def test_the_first_of_many_rows_that_is_wrong_is_told_and_the_store_goes_on(store):
    def add_twice(session):
        with session.savepoint():
            session.many(ADD, [{"k": k, "t": None, "n": 0, "x": None} for k in (1, 2, 1, 3)])

    with pytest.raises(psycopg.errors.UniqueViolation):
        store.write(add_twice)
    store.write(add)
    assert 1 == count(store)


def test_a_connection_that_is_lost_under_many_rows_is_told_once_and_run_again(store, notes):
    attempts = []

    def add_many(session):
        attempts.append(session)
        if len(attempts) == 1:
            kill_backends(notes)
        session.many(ADD, [{"k": k, "t": None, "n": 0, "x": None} for k in (1, 2)])

    store.write(add_many)
    assert (2, 2) == (len(attempts), count(store))


def test_percent_signs_of_a_statement_are_plain_text(store):
    like = Statement(text("SELECT k FROM note WHERE t LIKE '%' || :part || '%' AND '%%s' <> '%(k)s'"))
    store.write(lambda session: add(session, t="one two three"))
    assert [(1,)] == store.read(lambda session: session.all(like, {"part": "two"}))


def test_a_statement_tells_how_many_rows_it_touched(store):
    store.write(add)
    assert [1, 0] == [store.write(lambda session, k=k: session.run(CHANGE, {"k": k})) for k in (1, 2)]


def test_a_read_is_one_snapshot(store):
    def look(session):
        before = session.one(COUNT)
        with in_thread(lambda: store.write(add)):
            pass
        return before, session.one(COUNT)

    assert ((0,), (0,)) == store.read(look)
    assert 1 == count(store)


def test_a_read_cannot_change_anything(store):
    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        store.read(add)
    assert 0 == count(store)


def test_each_statement_of_a_write_sees_what_was_committed_before_it(store):
    def run(session):
        with in_thread(lambda: store.write(add)):
            pass
        return session.one(COUNT)

    assert (1,) == store.write(run)


def test_an_operation_inside_an_operation_is_refused(store):
    for outer in (store.write, store.read):
        for inner in (store.write, store.read):
            with pytest.raises(RuntimeError, match="its own transaction"):
                outer(lambda _, inner=inner: inner(add))
    assert 0 == count(store)


def test_connections_are_used_again(store, notes):
    for k in range(20):
        store.write(lambda session, k=k: add(session, k))
    assert len(backends(notes)) <= 2


def test_statements_are_prepared_once_whatever_the_size_of_numbers(postgresql_url, notes, opened):
    store = opened(postgresql_url, most_connections=1)
    prepared = Statement(text("SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE 'INSERT INTO note%'"))
    for k in (1, 40_000, 3_000_000_000, 2, 50_000, 4_000_000_000, 3, 60_000, 5_000_000_000):
        store.write(lambda session, k=k: add(session, k))
    assert [(1,)] == store.write(lambda session: session.all(prepared))
    store.close()


# --- settings ----------------------------------------------------------------------------------


def setting(store, name):
    return store.write(lambda session: session.one(SHOW, {"name": name})[0])


def test_a_commit_is_durable_whatever_the_databases_default(store, notes, postgresql_url, opened):
    name = make_url(postgresql_url).database
    notes.execute(f"ALTER DATABASE {name} SET synchronous_commit = off")
    try:
        careful = opened(postgresql_url)
        assert "on" == setting(careful, "synchronous_commit")
    finally:
        notes.execute(f"ALTER DATABASE {name} RESET synchronous_commit")


def test_nothing_may_take_forever(store):
    limits = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")
    assert ["10s", "2s", "10s"] == [setting(store, name) for name in limits]


def test_a_long_look_may_take_its_time(store):
    def look(session):
        session.take_time()
        return session.one(SHOW, {"name": "statement_timeout"})[0]

    assert "0" == store.read(look)
    assert "10s" == setting(store, "statement_timeout")


def test_the_address_may_say_otherwise(postgresql_url, notes, opened):
    url = make_url(postgresql_url).update_query_dict({"options": "-c lock_timeout=77", "application_name": "mine"})
    store = opened(url.render_as_string(hide_password=False))
    assert ["77ms", "mine", "10s"] == [
        setting(store, n) for n in ("lock_timeout", "application_name", "statement_timeout")
    ]
    store.close()


def test_the_clock_is_the_servers(store):
    clock = Statement(text("SELECT clock_timestamp()"))
    before, server, after = (
        store.clock.now(),
        store.read(lambda session: session.one(clock)[0]),
        store.clock.now(),
    )
    assert before <= server
    assert (after - server).total_seconds() < 1
    assert (server - before).total_seconds() < 1


# --- others at the same time ---------------------------------------------------------------------


def test_the_victim_of_a_deadlock_is_run_again(store):
    store.write(lambda session: (add(session, 1), add(session, 2)))
    first_locked = threading.Barrier(2, timeout=10)
    tries = []

    def change(k, other):
        def run(session):
            tries.append(k)
            session.run(CHANGE, {"k": k})
            if len(tries) <= 2:
                first_locked.wait()
            session.run(CHANGE, {"k": other})

        return lambda: store.write(run)

    with in_thread(change(1, 2)) as one, in_thread(change(2, 1)) as two:
        pass
    assert ([None], [None], 3) == (one, two, len(tries))
    assert [2, 2] == [row[2] for row in store.read(lambda session: session.all(EVERY))]


def test_what_is_undone_again_and_again_is_busy_at_last(store):
    conflict = Statement(text("DO $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '40001'; END $$"))
    tries = []

    def run(session):
        tries.append(1)
        session.run(conflict)

    with pytest.raises(StoreBusy, match="Others change the same rows"):
        store.write(run)
    assert 1 < len(tries) < 20


def test_a_deadlock_behind_a_plugins_error_is_run_again(store):
    conflict = Statement(text("DO $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '40P01'; END $$"))
    tries = []

    def run(session):
        tries.append(1)
        if len(tries) == 1:
            try:
                session.run(conflict)
            except psycopg.Error as error:
                raise LookupError("a plugin failed") from error
        add(session)

    store.write(run)
    assert (2, 1) == (len(tries), count(store))


@pytest.mark.parametrize(
    ("limit", "statement", "told"),
    [
        ("lock_timeout", lambda session: session.run(CHANGE, {"k": 1}), "Somebody else holds"),
        ("statement_timeout", lambda session: session.run(SLEEP, {"s": 30}), "took too long"),
    ],
)
def test_what_takes_too_long_is_busy_and_changes_nothing(store, notes, limit, statement, told):
    store.write(lambda session: (add(session, 1), add(session, 2)))

    def run(session):
        session.run(CHANGE, {"k": 2})
        session.script(f"SET LOCAL {limit} = 50")
        statement(session)

    with notes.transaction():
        notes.execute("UPDATE note SET n = 9 WHERE k = 1")
        with pytest.raises(StoreBusy, match=told):
            store.write(run)
    assert [9, 0] == [row[2] for row in store.read(lambda session: session.all(EVERY))]


def test_a_connection_is_waited_for_and_not_for_long(postgresql_url, notes, opened):
    store = opened(postgresql_url, most_connections=1)
    holding, done = threading.Event(), threading.Event()

    def hold(session):
        holding.set()
        done.wait(10)
        add(session)

    with in_thread(lambda: store.write(hold)):
        holding.wait(10)
        with within(PATIENCE_S + 0.5), pytest.raises(StoreBusy, match="Every connection"):
            store.read(lambda session: session.one(ONE))
        done.set()
    assert 1 == count(store)
    store.close()


# --- connections that are lost -------------------------------------------------------------------


def test_connections_that_were_lost_while_idle_are_not_noticed(store, notes):
    store.write(lambda session: add(session, 1))
    assert kill_backends(notes) > 0
    store.write(lambda session: add(session, 2))
    kill_backends(notes)
    assert 2 == count(store)


def test_a_connection_that_is_lost_before_the_commit_changes_nothing_and_is_run_again(store, notes):
    tries = []

    def run(session):
        tries.append(1)
        add(session)
        if len(tries) == 1:
            kill_backends(notes)
        return session.one(COUNT)

    assert (1,) == store.write(run)
    assert (2, 1) == (len(tries), count(store))


def test_a_read_whose_connection_is_lost_is_run_again(store, notes):
    tries = []

    def run(session):
        tries.append(1)
        if len(tries) == 1:
            kill_backends(notes)
        return session.one(ONE)

    assert (1,) == store.read(run)


def test_a_read_that_has_its_rows_needs_its_connection_no_more(store, notes):
    tries = []

    def run(session):
        tries.append(session.one(ONE))
        kill_backends(notes)
        return tries[-1]

    assert (1,) == store.read(run)
    assert [(1,)] == tries


def test_a_connection_that_is_lost_again_and_again_is_told(store, notes):
    def run(session):
        kill_backends(notes)
        add(session)

    with pytest.raises(StoreUnavailable, match="was lost"):
        store.write(run)
    assert 0 == count(store)


def test_a_commit_whose_connection_is_lost_has_an_unknown_outcome_and_is_not_run_again(store, notes):
    # A check that is put off to the commit makes that slow enough to be interrupted.
    notes.execute(
        "CREATE FUNCTION slowly() RETURNS trigger AS 'BEGIN PERFORM pg_sleep(30); RETURN NULL; END' LANGUAGE plpgsql"
    )
    notes.execute(
        "CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON note DEFERRABLE INITIALLY DEFERRED"
        " FOR EACH ROW EXECUTE FUNCTION slowly()"
    )
    tries = []

    def run(session):
        tries.append(1)
        add(session)

    def committing():
        query = "SELECT count(*) FROM pg_stat_activity WHERE query = 'COMMIT' AND wait_event = 'PgSleep'"
        return notes.execute(query).fetchone() == (1,)

    with in_thread(lambda: store.write(run)) as outcome:
        until(committing)
        kill_backends(notes)
    assert [StoreUnavailable] == [type(each) for each in outcome]
    assert "the outcome is unknown" in str(outcome[0])
    assert (1, 0) == (len(tries), count(store))
    notes.execute("DROP FUNCTION slowly CASCADE")


@pytest.fixture(scope="module")
def fragile_server():
    """A server of this module's own; who stops it starts it again."""
    with own_server() as server:
        upgrade(server.url, [CORE])
        yield server


def test_a_server_that_stops_is_told_within_a_second_and_found_again_without_a_restart(fragile_server, opened):
    store = opened(fragile_server.url)
    fragile_server.stop_now()
    for run in (store.write, store.read):
        with within(PATIENCE_S), pytest.raises(StoreUnavailable):
            run(lambda session: session.one(ONE))
    outcomes = []
    threads = [threading.Thread(target=lambda: outcomes.append(fails(store))) for _ in range(24)]
    with within(PATIENCE_S):
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert [True] * 24 == outcomes
    fragile_server.start()
    with within(PATIENCE_S):
        assert (1,) == store.write(lambda session: session.one(ONE))


def fails(store):
    try:
        store.read(lambda session: session.one(ONE))
    except StoreUnavailable:
        return True
    return False


@pytest.mark.parametrize("code", ["53100", "53200", "58030", "XX001"])
def test_a_server_in_trouble_is_not_available(store, code):
    trouble = Statement(text(f"DO $$ BEGIN RAISE EXCEPTION 'disk full' USING ERRCODE = '{code}'; END $$"))
    with pytest.raises(StoreUnavailable, match="disk full"):
        store.write(lambda session: (add(session), session.run(trouble)))
    assert 0 == count(store)


def test_a_read_only_database_is_read(postgresql_url, notes, opened):
    url = make_url(postgresql_url).update_query_dict({"options": "-c transaction_read_only=on"})
    store = opened(url.render_as_string(hide_password=False))
    with pytest.raises(StoreUnavailable, match="read-only"):
        store.write(lambda session: (session.script("SET TRANSACTION READ ONLY"), add(session)))
    assert 0 == count(store)
    store.close()


def test_a_closed_store_says_so(postgresql_url, notes, opened):
    store = opened(postgresql_url)
    store.close()
    store.close()
    for run in (store.write, store.read):
        with pytest.raises(StoreUnavailable, match="closed"):
            run(lambda session: session.one(ONE))
    until(lambda: not backends(notes))


# --- announcements -------------------------------------------------------------------------------


def test_what_is_announced_is_heard_in_every_other_store(store, postgresql_url, opened):
    heard = [threading.Event(), threading.Event()]
    others = [opened(postgresql_url) for _ in heard]
    for other, event in zip(others, heard, strict=True):
        other.listen(event.set)
        assert event.wait(5)  # once, when it began to listen
        event.clear()
    store.announce()
    for event in heard:
        assert event.wait(5)


def test_a_listener_survives_the_loss_of_its_connection(store, notes, postgresql_url, opened):
    heard = threading.Event()
    other = opened(postgresql_url)
    other.listen(heard.set)
    assert heard.wait(5)
    heard.clear()
    kill_backends(notes)
    assert heard.wait(5)  # since it listens again, and may have missed something
    heard.clear()
    store.announce()  # although its idle connections were lost too
    assert heard.wait(5)


def test_an_announcement_that_nobody_can_hear_is_no_error(fragile_server, opened):
    store = opened(fragile_server.url)
    store.announce()
    fragile_server.stop_now()
    with within(PATIENCE_S):
        store.announce()
    fragile_server.start()


# --- opening -------------------------------------------------------------------------------------


def test_tables_are_not_made_unless_asked_for(postgresql_server):
    with fresh_database(postgresql_server) as url:
        for migrate in (None, False):
            with pytest.raises(MigrationRequired, match="workersai db upgrade"):
                open_store(url, [CORE], migrate=migrate)
        open_store(url, [CORE], migrate=True).close()
        open_store(url, [CORE], migrate=False).close()


def test_many_may_migrate_at_once(postgresql_server):
    with fresh_database(postgresql_server) as url:
        outcomes = []

        def run():
            try:
                outcomes.append(upgrade(url, [CORE]))
            except Exception as error:
                outcomes.append(error)

        threads = [threading.Thread(target=run) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [None] * 6 == outcomes
        open_store(url, [CORE], migrate=False).close()


def test_without_its_driver_the_remedy_is_named(monkeypatch, postgresql_url):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    for use in (lambda: open_store(postgresql_url, [CORE], migrate=None), lambda: upgrade(postgresql_url, [CORE])):
        with pytest.raises(InvalidInput, match=r"pip install 'workersai\[postgresql\]'"):
            use()


def test_a_server_that_is_not_there_is_told_without_the_password(opened):
    with pytest.raises(StoreUnavailable) as refused:
        open_store("postgresql://me:hush@127.0.0.1:1/labels", [CORE], migrate=None)
    assert "hush" not in str(refused.value)
    with within(PATIENCE_S + 1), pytest.raises(StoreUnavailable) as refused:
        opened("postgresql://me:hush@127.0.0.1:1/labels")
    assert "hush" not in str(refused.value)


def test_a_database_that_cannot_hold_every_text_is_refused(postgresql_server, opened):
    with connect(postgresql_server) as connection:
        connection.execute("CREATE DATABASE wai_latin ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0")
        try:
            with pytest.raises(InvalidInput, match=r"LATIN1.*ENCODING 'UTF8'"):
                opened(make_url(postgresql_server).set(database="wai_latin").render_as_string())
        finally:
            connection.execute("DROP DATABASE wai_latin WITH (FORCE)")


def test_an_address_may_name_several_hosts():
    url = make_url("postgresql://u@/d?host=one:5433&host=two:5434")
    from workersai_core.store.postgresql import _conninfo

    conninfo = _conninfo(database_url(url.render_as_string()))
    assert "host=one,two" in conninfo
    assert "port=5433,5434" in conninfo


def test_fixed_parameters_are_compiled_in():
    fixed = Statement(bindparam("x", 7, unique=False))
    assert {"x": 7} == fixed.compiled("postgresql").fixed
