from __future__ import annotations

import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text

from support.faults import Fault, Faults
from support.waiting import PATIENCE_S, until
from workersai_core.errors import StoreBusy, StoreUnavailable
from workersai_core.store import sqlite
from workersai_core.store.session import Statement
from workersai_core.store.sqlite import SqliteStore

INSERT = Statement(text("INSERT INTO note (id, word) VALUES (:id, :word)"))
ALL = Statement(text("SELECT id, word FROM note ORDER BY id"))


def note(number, word="x"):
    return lambda session: session.run(INSERT, {"id": number, "word": word})


def notes(session):
    return session.all(ALL)


def on_disk(path):
    """What another process sees."""
    with sqlite3.connect(path) as connection:
        rows = connection.execute("SELECT id, word FROM note ORDER BY id").fetchall()
    connection.close()
    return rows


@pytest.fixture
def path(tmp_path):
    path = str(tmp_path / "notes.db")
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE note (id INTEGER PRIMARY KEY, word TEXT NOT NULL)")
    connection.close()
    return path


@pytest.fixture(autouse=True)
def patient_groups(monkeypatch):
    """Let a group last as long as a test holds it."""
    monkeypatch.setattr(sqlite, "_GROUP_S", PATIENCE_S)


@pytest.fixture
def store(path):
    store = SqliteStore(path)
    yield store
    store.close()


@pytest.fixture
def faults():
    return Faults()


@pytest.fixture
def faulty(path, faults):
    store = SqliteStore(path, connect=faults.connect)
    yield store
    faults.disarm()
    faults.refuse_to_open = False
    store.close()


class Held:
    """An operation that keeps the writer busy until it is let go, so that others pile up behind it."""

    def __init__(self, store):
        self.store = store
        self.running = threading.Event()
        self.let_go = threading.Event()
        self.pool = ThreadPoolExecutor(64)

    def __call__(self, session):
        self.running.set()
        assert self.let_go.wait(PATIENCE_S)

    def __enter__(self):
        self.future = self.pool.submit(self.store.write, self)
        assert self.running.wait(PATIENCE_S)
        return self

    def pile_up(self, operations):
        """Enqueue operations in this order."""
        futures = []
        for operation in operations:
            waiting = self.store._jobs.qsize()
            futures.append(self.pool.submit(self.store.write, operation))
            until(lambda waiting=waiting: self.store._jobs.qsize() > waiting)
        return futures

    def __exit__(self, *_):
        self.let_go.set()
        self.pool.shutdown()


# --- one operation -------------------------------------------------------------------------------


def test_a_write_is_durable_and_visible_to_others_when_it_returns(store, path):
    assert 1 == store.write(note(1, "ö"))
    assert [(1, "ö")] == on_disk(path) == store.read(notes)


def test_the_writing_connection_is_durable_at_every_commit(store):
    synchronous = Statement(text("PRAGMA synchronous"))
    journal = Statement(text("PRAGMA journal_mode"))
    found = store.write(lambda session: (session.one(synchronous), session.one(journal)))
    assert ((2,), ("wal",)) == found, "synchronous FULL is 2"


def test_an_error_of_the_operation_comes_back_as_it_is_and_undoes_only_that_operation(store, path):
    class OwnError(Exception):
        pass

    def fails(session):
        note(1)(session)
        raise OwnError("no")

    with pytest.raises(OwnError, match="no"):
        store.write(fails)
    store.write(note(2))
    assert [(2, "x")] == on_disk(path)


def test_a_broken_constraint_is_the_operations_own_error(store):
    store.write(note(1))
    with pytest.raises(sqlite3.IntegrityError):
        store.write(note(1))
    store.write(note(2))
    assert [(1, "x"), (2, "x")] == store.read(notes)


def test_a_value_the_driver_cannot_store_is_the_operations_own_error(store):
    with pytest.raises((sqlite3.InterfaceError, sqlite3.ProgrammingError)):
        store.write(note(1, object()))
    store.write(note(2))
    assert [(2, "x")] == store.read(notes)


def test_an_operation_that_ends_the_transaction_by_itself_fails_and_the_store_goes_on(store):
    def ends_it(session):
        note(1)(session)
        session.script("ROLLBACK")

    with pytest.raises(StoreUnavailable):
        store.write(ends_it)
    store.write(note(2))
    assert [(2, "x")] == store.read(notes)


def test_an_operation_must_not_wait_for_another_one(store):
    with pytest.raises(RuntimeError, match="use its own transaction"):
        store.write(lambda session: store.write(note(1)))
    with pytest.raises(RuntimeError, match="use its own transaction"):
        store.write(lambda session: store.read(notes))
    with pytest.raises(RuntimeError, match="use its own transaction"):
        store.read(lambda session: store.read(notes))
    store.write(note(2))
    assert [(2, "x")] == store.read(notes)


def test_a_read_operation_may_ask_for_a_write_but_does_not_see_it(store):
    def looks_and_writes(session):
        before = notes(session)
        store.write(note(1))
        return before, notes(session)

    assert ([], []) == store.read(looks_and_writes)
    assert [(1, "x")] == store.read(notes)


# --- group commit --------------------------------------------------------------------------------


def commits_of(store):
    """Count the commits of a store from now on."""
    seen = []
    store._writing.set_trace_callback(lambda sql: seen.append(sql) if sql == "COMMIT" else None)
    return seen


def test_operations_that_wait_together_share_one_commit(store):
    commits = commits_of(store)
    with Held(store) as held:
        futures = held.pile_up(note(n) for n in range(50))
        held.let_go.set()
        assert [1] * 50 == [future.result(PATIENCE_S) for future in futures]
    assert ["COMMIT"] == commits
    assert 50 == len(store.read(notes))


def test_one_refused_operation_of_a_group_undoes_only_itself(store, path):
    def fails(session):
        note(100)(session)
        raise LookupError("mine")

    with Held(store) as held:
        futures = held.pile_up([note(1), fails, note(1), note(2)])
        held.let_go.set()
        outcomes = [future.exception(PATIENCE_S) for future in futures]
    assert [type(None), LookupError, sqlite3.IntegrityError, type(None)] == [type(each) for each in outcomes]
    assert [(1, "x"), (2, "x")] == on_disk(path)


def test_a_later_operation_of_a_group_sees_what_an_earlier_one_did(store):
    with Held(store) as held:
        futures = held.pile_up([note(1), lambda session: len(notes(session)), note(2), notes])
        held.let_go.set()
        assert [1, 1, 1, [(1, "x"), (2, "x")]] == [future.result(PATIENCE_S) for future in futures]


@pytest.mark.parametrize(("limit", "value"), [("_GROUP_LIMIT", 3), ("_GROUP_S", 0.0)])
def test_a_group_ends_so_that_its_first_operation_does_not_wait_forever(store, monkeypatch, limit, value):
    monkeypatch.setattr(sqlite, limit, value)
    commits = commits_of(store)
    with Held(store) as held:
        futures = held.pile_up(note(n) for n in range(5))
        held.let_go.set()
        for future in futures:
            future.result(PATIENCE_S)
    assert (2 if limit == "_GROUP_LIMIT" else 6) == len(commits)


def test_when_too_many_wait_the_next_is_told_to_retry_and_nothing_of_it_is_kept(store, monkeypatch):
    monkeypatch.setattr(sqlite, "_QUEUE_LIMIT", 3)
    with Held(store) as held:
        futures = held.pile_up(note(n) for n in range(3))
        with pytest.raises(StoreBusy, match="3 operations already wait"):
            store.write(note(99))
        held.let_go.set()
        for future in futures:
            future.result(PATIENCE_S)
    assert [0, 1, 2] == [number for number, _ in store.read(notes)]


def test_many_threads_write_everything_once_and_read_meanwhile(store, path):
    def work(number):
        store.write(note(number))
        return (number, "x") in store.read(notes)

    with ThreadPoolExecutor(16) as pool:
        assert all(pool.map(work, range(300)))
    assert list(range(300)) == [number for number, _ in on_disk(path)]


# --- reading -------------------------------------------------------------------------------------


def test_a_read_sees_one_snapshot_whatever_is_written_meanwhile(store):
    store.write(note(1))

    def looks_twice(session):
        first = notes(session)
        with ThreadPoolExecutor(1) as pool:
            pool.submit(store.write, note(2)).result(PATIENCE_S)
        return first, notes(session)

    assert ([(1, "x")], [(1, "x")]) == store.read(looks_twice)
    assert [(1, "x"), (2, "x")] == store.read(notes)


@pytest.mark.parametrize("where", ["file", "memory"])
def test_a_read_cannot_change_anything(where, path):
    store = SqliteStore(path if where == "file" else ":memory:")
    if where == "memory":
        store.write(lambda session: session.script("CREATE TABLE note (id INTEGER PRIMARY KEY, word TEXT NOT NULL)"))
    with pytest.raises(StoreUnavailable, match="readonly"):
        store.read(note(1))
    assert [] == store.read(notes)
    assert 1 == store.write(note(1)), "writing goes on"
    store.close()


def test_an_error_in_a_read_comes_back_as_it_is_and_the_next_read_works(store):
    with pytest.raises(LookupError, match="mine"):
        store.read(lambda session: {}["mine"])
    with pytest.raises(sqlite3.OperationalError, match="no such table"):
        store.read(lambda session: session.script("SELECT * FROM missing"))
    assert [] == store.read(notes)


def test_threads_that_read_one_after_the_other_share_a_connection(path, faults):
    store = SqliteStore(path, connect=faults.connect)
    for _ in range(5):
        thread = threading.Thread(target=store.read, args=(notes,))
        thread.start()
        thread.join()
    assert 2 == faults.opened, "the writer and one reader"
    store.close()


def test_more_threads_than_connections_read_all_at_once(path, faults):
    store = SqliteStore(path, connect=faults.connect)
    store.write(note(1))
    together = threading.Barrier(100)

    def read(_):
        together.wait(PATIENCE_S)
        return [store.read(notes) for _ in range(5)]

    with ThreadPoolExecutor(100) as pool:
        assert [[[(1, "x")]] * 5] * 100 == list(pool.map(read, range(100)))
    assert 1 < faults.opened <= 17, "the writer and at most 16 readers"
    store.close()


def test_readers_do_not_wait_for_the_writer(store):
    with Held(store):
        assert [] == store.read(notes)


# --- closing -------------------------------------------------------------------------------------


def test_close_finishes_what_was_accepted(path):
    store = SqliteStore(path)
    with Held(store) as held:
        futures = held.pile_up(note(n) for n in range(5))
        closing = held.pool.submit(store.close)
        until(lambda: store._closed)
        with pytest.raises(StoreUnavailable, match="closed"):
            store.write(note(99))
        held.let_go.set()
        assert [1] * 5 == [future.result(PATIENCE_S) for future in futures]
        closing.result(PATIENCE_S)
    assert 5 == len(on_disk(path))


def test_a_closed_store_says_so_again_and_again_and_leaves_one_file(path, tmp_path):
    store = SqliteStore(path)
    store.write(note(1))
    store.read(notes)
    store.close()
    store.close()
    for _ in range(2):
        with pytest.raises(StoreUnavailable, match="closed"):
            store.read(notes)
        with pytest.raises(StoreUnavailable, match="closed"):
            store.write(note(2))
    with ThreadPoolExecutor(1) as pool, pytest.raises(StoreUnavailable, match="closed"):
        pool.submit(store.read, notes).result(PATIENCE_S)
    assert ["notes.db"] == [file.name for file in tmp_path.iterdir()], "the write-ahead log is merged"


def test_close_waits_for_a_running_read(path):
    store = SqliteStore(path)
    store.write(note(1))
    running, let_go = threading.Event(), threading.Event()

    def slow(session):
        running.set()
        assert let_go.wait(PATIENCE_S)
        return notes(session)

    with ThreadPoolExecutor(2) as pool:
        reading = pool.submit(store.read, slow)
        assert running.wait(PATIENCE_S)
        closing = pool.submit(store.close)
        until(lambda: store._closed)
        let_go.set()
        assert [(1, "x")] == reading.result(PATIENCE_S)
        closing.result(PATIENCE_S)


def test_a_read_that_waits_while_the_store_is_closed_is_told_so(path):
    store = SqliteStore(path)
    let_go = threading.Event()
    running = threading.Semaphore(0)

    def slow(session):
        running.release()
        assert let_go.wait(PATIENCE_S)

    with ThreadPoolExecutor(20) as pool:
        reading = [pool.submit(store.read, slow) for _ in range(16)]
        assert all(running.acquire(timeout=PATIENCE_S) for _ in reading)
        waiting = pool.submit(store.read, notes)
        closing = pool.submit(store.close)
        until(lambda: store._readers._closed)
        let_go.set()
        closing.result(PATIENCE_S)
        with pytest.raises(StoreUnavailable, match="closed"):
            waiting.result(PATIENCE_S)


def test_a_memory_store_keeps_everything_in_itself():
    one, other = SqliteStore(":memory:"), SqliteStore(":memory:")
    one.write(lambda session: session.script("CREATE TABLE note (id INTEGER, word TEXT)"))
    one.write(note(1))
    assert [(1, "x")] == one.read(notes)
    with pytest.raises(sqlite3.OperationalError, match="no such table"):
        other.read(notes)
    one.close()
    other.close()
    with pytest.raises(StoreUnavailable, match="closed"):
        one.read(notes)


# --- when the database fails -----------------------------------------------------------------------


def test_a_file_that_cannot_be_opened_is_unavailable(tmp_path):
    with pytest.raises(StoreUnavailable, match="unable to open"):
        SqliteStore(str(tmp_path / "nowhere" / "notes.db"))
    (tmp_path / "text.db").write_text("this is no database, and long enough to look like one" * 100)
    with pytest.raises(StoreUnavailable, match="not a database"):
        SqliteStore(str(tmp_path / "text.db"))


def test_a_lock_of_another_process_makes_writes_busy_and_reads_go_on(path, faults, monkeypatch):
    monkeypatch.setattr(sqlite, "_BUSY_TIMEOUT_S", 0.0)
    store = SqliteStore(path, connect=faults.connect)
    store.write(note(1))
    foreign = sqlite3.connect(path, isolation_level=None)
    foreign.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreBusy, match="retry"):
        store.write(note(2))
    assert [(1, "x")] == store.read(notes)
    foreign.execute("ROLLBACK")
    store.write(note(3))
    assert [(1, "x"), (3, "x")] == store.read(notes)
    assert 2 == faults.opened, "nothing was wrong with the writer's connection"
    foreign.close()
    store.close()


@pytest.mark.parametrize("fault", list(Fault))
@pytest.mark.parametrize("call", range(1, 13))
def test_whichever_call_of_a_group_fails_nobody_is_told_a_success_that_is_not_there(path, faulty, faults, fault, call):
    def fails(session):
        note(3)(session)
        raise LookupError("mine")

    faulty.write(note(0))
    with Held(faulty) as held:
        futures = held.pile_up([note(1), fails, note(2)])
        faults.arm(call, fault)
        held.let_go.set()
        held.future.exception(PATIENCE_S)
        outcomes = [future.exception(PATIENCE_S) for future in futures]
    assert faults.disarm(), "the call was made"
    stored = {number for number, _ in on_disk(path)}
    assert 3 not in stored
    for number, outcome in ((1, outcomes[0]), (2, outcomes[2])):
        if not isinstance(outcome, StoreUnavailable):  # whose outcome is unknown
            assert (outcome is None) == (number in stored)
    assert {type(None), StoreBusy, StoreUnavailable, LookupError} >= {type(outcome) for outcome in outcomes}
    faulty.write(note(50))
    assert (50, "x") in on_disk(path), "the store recovered by itself"


def test_everybody_in_a_failed_group_gets_an_error_of_their_own(faulty, faults):
    with Held(faulty) as held:
        futures = held.pile_up([note(1), note(2)])
        faults.arm(8, Fault.BROKEN)  # the COMMIT of all
        held.let_go.set()
        errors = [future.exception(PATIENCE_S) for future in futures]
    assert errors[0] is not errors[1]
    assert [StoreUnavailable] * 2 == [type(error) for error in errors]
    assert "disk I/O error" in errors[0].detail
    assert isinstance(errors[0].__cause__, sqlite3.OperationalError)


def test_what_failed_first_is_told_and_not_what_failed_in_undoing_it(faulty, faults):
    def inner(session):
        with session.savepoint():
            note(1)(session)

    faults.arm(4, Fault.FULL)  # BEGIN, SAVEPOINT job, SAVEPOINT wai_1, INSERT
    with pytest.raises(StoreUnavailable, match="full"):
        faulty.write(inner)
    assert faults.disarm()


def test_a_connection_that_broke_is_replaced(faulty, faults):
    faults.arm(1, Fault.BROKEN)
    with pytest.raises(StoreUnavailable):
        faulty.write(note(1))
    assert 2 == faults.opened
    faulty.write(note(2))
    assert [(2, "x")] == faulty.read(notes)


def test_while_no_connection_can_be_opened_each_write_says_so_and_then_it_recovers(faulty, faults, caplog):
    faults.refuse_to_open = True
    faults.arm(1, Fault.BROKEN)
    for number in range(3):
        with pytest.raises(StoreUnavailable, match="disk I/O error"):
            faulty.write(note(number))
    assert 3 == caplog.text.count("cannot be reopened yet")
    faults.refuse_to_open = False
    with pytest.raises(StoreUnavailable):
        faulty.write(note(8))
    faulty.write(note(9))
    assert [(9, "x")] == faulty.read(notes)


def test_a_connection_that_cannot_be_set_up_is_not_kept(faulty, faults):
    real, closed = faults.connect, []

    class Spoiled:
        def __init__(self, path):
            self.connection = real(path)

        def execute(self, sql):
            raise sqlite3.OperationalError("disk I/O error")

        def close(self):
            self.connection.close()
            closed.append(self)

    faulty._connect = Spoiled
    with pytest.raises(StoreUnavailable):
        faulty.read(notes)
    assert 1 == len(closed)
    faulty._connect = real
    assert [] == faulty.read(notes)


@pytest.mark.parametrize("fault", list(Fault))
@pytest.mark.parametrize("call", [1, 2, 3])
def test_a_reading_connection_that_failed_is_replaced(faulty, faults, fault, call):
    faulty.write(note(1))
    assert [(1, "x")] == faulty.read(notes)
    faults.arm(call, fault)
    with pytest.raises(StoreBusy if fault is Fault.LOCKED else StoreUnavailable):
        faulty.read(notes)
    assert faults.disarm()
    assert [(1, "x")] == faulty.read(notes)


def test_a_memory_store_outlives_a_failure_with_everything_in_it(faults):
    store = SqliteStore(":memory:", connect=faults.connect)
    store.write(lambda session: session.script("CREATE TABLE note (id INTEGER, word TEXT)"))
    store.write(note(1))
    faults.arm(3, Fault.FULL)
    with pytest.raises(StoreUnavailable):
        store.write(note(2))
    assert faults.disarm()
    store.write(note(3))
    assert [(1, "x"), (3, "x")] == store.read(notes)
    store.close()


def test_a_full_disk_makes_writes_unavailable_and_reads_go_on_until_there_is_space_again(store, path):
    def limit(pages):
        return lambda session: session.script(f"PRAGMA max_page_count = {pages}")

    store.write(note(1))
    size = store.read(lambda session: session.one(Statement(text("PRAGMA page_count"))))[0]
    store.write(limit(size))
    with pytest.raises(StoreUnavailable, match="full"):
        store.write(lambda session: [note(n, "x" * 1000)(session) for n in range(2, 50)])
    assert [(1, "x")] == store.read(notes)
    store.write(limit(1_000_000))
    store.write(note(2))
    assert [(1, "x"), (2, "x")] == on_disk(path)
