"""Two processes that meet at one task, one key or one callback: only PostgreSQL has such moments.

Each test holds one transaction open until another one waits for it, or has
passed it by, and then lets both go on.
"""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from support import engines
from support.engines import ACCOUNT, ANN, BOB, answer, claim, create, history, policy, stored
from support.postgres import connect, empty
from support.waiting import until
from workersai_core import (
    DuplicateTask,
    Idempotency,
    IdempotencyKeyReused,
    LeaseLost,
    StoreBusy,
    StoreUnavailable,
    TooManyAssignments,
    Worker,
    WrongState,
)
from workersai_core.callbacks.transport import Outcome
from workersai_core.errors import IdempotencyInProgress
from workersai_core.testing import CapturingTransport

PATIENCE_S = 10
WAITING = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND application_name = 'workersai' AND wait_event_type = 'Lock'
"""


@pytest.fixture
def database(postgresql_url):
    empty(postgresql_url)
    return postgresql_url


@pytest.fixture
def bystander(database):
    with connect(database) as connection:
        yield connection


@pytest.fixture
def pool():
    with ThreadPoolExecutor(8) as pool:
        yield pool


@pytest.fixture
def other(open_engine):
    """Another process's engine on the same database."""
    return open_engine()


@pytest.fixture
def holding(engine, pool):
    """Do something in a transaction of `engine` that stays open for the length of a `with` block."""

    @contextmanager
    def hold(operation):
        done, go_on = threading.Event(), threading.Event()

        def run(tx):
            result = operation(tx)
            done.set()
            if not go_on.wait(PATIENCE_S):
                raise AssertionError("the transaction was never let go")
            return result

        future = pool.submit(engine.run, run)
        assert done.wait(PATIENCE_S)
        try:
            yield future
        finally:
            go_on.set()
            future.exception(PATIENCE_S)

    return hold


@pytest.fixture
def waiting(pool, bystander):
    """Start something that must wait for another transaction, and return its future once it does."""

    def start(operation, *arguments, **options):
        future = pool.submit(operation, *arguments, **options)
        until(lambda: future.done() or bystander.execute(WAITING).fetchone()[0] > 0)
        assert not future.done(), f"it did not wait: {future.exception() or future.result()}"
        return future

    return start


def outcome(future):
    """Return what a future returned, or the class of what it raised."""
    error = future.exception(PATIENCE_S)
    return future.result() if error is None else type(error)


# --- keys ----------------------------------------------------------------------------------------


def test_the_second_of_two_requests_with_one_key_gets_the_firsts_task(holding, waiting, other):
    with holding(lambda tx: create(tx, idempotency_key="k")) as first:
        second = waiting(create, other, idempotency_key="k")
    assert first.result() == second.result(PATIENCE_S)
    assert 1 == other.count_tasks(account=ACCOUNT)


def test_the_second_request_does_the_work_when_the_first_is_undone(holding, waiting, other, bystander):
    with holding(lambda tx: create(tx, idempotency_key="k", priority=1)) as first:
        second = waiting(create, other, idempotency_key="k", priority=2)
        bystander.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = 'workersai' AND state = 'idle in transaction'"
        )
        assert 2 == second.result(PATIENCE_S).priority
    # The first one learns that its connection was lost when it commits, and may ask again with its key.
    assert StoreUnavailable is outcome(first)
    with pytest.raises(IdempotencyKeyReused):
        create(other, idempotency_key="k", priority=1)


def test_a_request_does_not_wait_for_ever_for_the_first_one_with_its_key(holding, other):
    def run(tx):
        tx.session.script("SET LOCAL lock_timeout = 50")
        return tx.once(Idempotency(scope="s", key="k", fingerprint="f"), lambda tx: "second")

    with (
        holding(lambda tx: tx.once(Idempotency(scope="s", key="k", fingerprint="f"), lambda tx: "first")),
        pytest.raises(IdempotencyInProgress),
    ):
        other.run(run)
    assert ("first", True) == other.run(run)


def test_of_two_tasks_with_one_unique_id_the_second_is_a_duplicate(holding, waiting, other):
    with holding(lambda tx: create(tx, unique_id="u")) as first:
        second = waiting(create, other, unique_id="u")
    error = second.exception(PATIENCE_S)
    assert (DuplicateTask, first.result().external_id) == (type(error), error.extra["external_id"])
    assert 1 == other.count_tasks(account=ACCOUNT)


def test_batches_that_want_the_same_ids_in_another_order_both_end(engine, other, pool):
    def batch(engine, order):
        drafts = [engine.draft_task(**engines.fields(unique_id=str(n))) for n in order]
        return engine.create_tasks(drafts)

    forward, backward = pool.submit(batch, engine, range(40)), pool.submit(batch, other, range(39, -1, -1))
    assert [40, 40] == [len(future.result(30)) for future in (forward, backward)]
    assert 40 == other.count_tasks(account=ACCOUNT)


def test_many_first_secrets_at_once_are_one(open_engine, pool):
    opened = [open_engine() for _ in range(4)]
    made = list(pool.map(lambda engine: engine.webhook_secrets("new")[0].secret, opened * 4))
    assert 1 == len(set(made))


# --- claims --------------------------------------------------------------------------------------


def test_a_claim_passes_by_what_another_one_is_taking(holding, engine, other):
    first, second = (create(engine, priority=priority) for priority in (60, 50))
    with holding(lambda tx: tx.claim(ANN)) as claimed:
        assert second.external_id == other.claim(BOB).task.external_id
    assert first.external_id == claimed.result().task.external_id


def test_a_claim_waits_when_everything_is_locked_rather_than_say_there_is_nothing(holding, waiting, engine, other):
    create(engine, overlap=2)
    with holding(lambda tx: tx.claim(ANN)) as first:
        second = waiting(other.claim, BOB)
    assert [1, 2] == [future.result(PATIENCE_S).assignment.slot for future in (first, second)]


def test_a_claim_that_waited_for_nothing_says_so(holding, waiting, engine, other):
    create(engine)
    with holding(lambda tx: tx.claim(ANN)):
        second = waiting(other.claim, BOB)
    assert second.result(PATIENCE_S) is None


def test_one_worker_at_two_doors_gets_a_task_once(holding, waiting, engine, other):
    create(engine, overlap=3)
    with holding(lambda tx: tx.claim(ANN)):
        second = waiting(other.claim, ANN)
    assert second.result(PATIENCE_S) is None


def test_one_worker_at_two_doors_stays_within_the_limit(open_engine, pool):
    opened = [open_engine(policy=policy(max_live_assignments=3)) for _ in range(3)]
    for _ in range(9):
        create(opened[0])
    futures = [pool.submit(engine.claim, ANN) for engine in opened * 3]
    outcomes = [outcome(future) for future in futures]
    assert (3, 6) == (len(opened[0].assignments(ANN)), outcomes.count(TooManyAssignments))


def test_every_slot_is_given_out_once(open_engine, pool):
    opened = [open_engine(policy=policy(max_live_assignments=100)) for _ in range(3)]
    for overlap in (1, 2, 3) * 6:
        create(opened[0], overlap=overlap)
    workers = [Worker(id=f"w{n}") for n in range(8)]

    def work(n):
        worker, engine, done = workers[n], opened[n % 3], 0
        while (claimed := engine.claim(worker)) is not None:
            engine.submit(claimed.assignment.id, worker, {"choice": "a"})
            done += 1
        return done

    assert 6 * (1 + 2 + 3) == sum(pool.map(work, range(8)))
    assert 18 == opened[0].count_tasks(account=ACCOUNT)
    assert [] == opened[0].check()


# --- answers -------------------------------------------------------------------------------------


def test_of_two_last_answers_at_once_exactly_one_completes_the_task(holding, waiting, engine, other):
    task = create(engine, overlap=2)
    ann, bob = claim(engine, ANN), claim(engine, BOB)
    with holding(lambda tx: tx.submit(ann, ANN, {"choice": "a"})) as first:
        second = waiting(other.submit, bob, BOB, {"choice": "a"})
    states = [future.result(PATIENCE_S).task.status.value for future in (first, second)]
    assert ["in_progress", "completed"] == states
    assert (2, 1) == (stored(other, task).answers_accepted, history(other, task).count("task_completed"))


def test_the_same_answer_at_two_doors_is_accepted_once(holding, waiting, engine, other):
    task = create(engine)
    held = claim(engine, ANN)
    with holding(lambda tx: tx.submit(held, ANN, {"choice": "a"})) as first:
        second = waiting(other.submit, held, ANN, {"choice": "a"})
    assert first.result().assignment == second.result(PATIENCE_S).assignment
    assert 1 == history(other, task).count("response_submitted")


def test_an_answer_loses_against_a_cancellation_that_came_first(holding, waiting, engine, other):
    task = create(engine)
    held = claim(engine, ANN)
    with holding(lambda tx: tx.cancel_task(task.external_id, account=ACCOUNT)):
        second = waiting(other.submit, held, ANN, {"choice": "a"})
    assert LeaseLost is outcome(second)
    assert "canceled" == stored(other, task).status.value


def test_a_cancellation_loses_against_an_answer_that_came_first(holding, waiting, engine, other):
    task = create(engine)
    held = claim(engine, ANN)
    with holding(lambda tx: tx.submit(held, ANN, {"choice": "a"})):
        second = waiting(other.cancel_task, task.external_id, account=ACCOUNT)
    assert WrongState is outcome(second)
    assert "completed" == stored(other, task).status.value


def test_a_slot_that_is_given_back_meets_a_claim(holding, waiting, engine, other):
    create(engine)
    held = claim(engine, ANN)
    with holding(lambda tx: tx.release(held, ANN)):
        assert other.claim(BOB) is None  # it is not given back yet
    assert 1 == other.claim(BOB).assignment.slot


# --- leases --------------------------------------------------------------------------------------


def test_a_lease_that_was_renewed_in_time_is_not_swept(holding, engine, other, clock):
    task = create(engine)
    held = claim(engine, ANN)
    clock.advance(899)
    with holding(lambda tx: tx.renew(held, ANN)):
        clock.advance(2)
        sweeping = threading.Thread(target=other.tick)
        sweeping.start()
    sweeping.join(PATIENCE_S)
    assert [held] == [each.assignment.id for each in other.assignments(ANN)]
    assert "assignment_expired" not in history(other, task)


def test_a_lease_that_was_swept_cannot_be_renewed(holding, waiting, engine, other, clock):
    create(engine)
    held = claim(engine, ANN)
    clock.advance(900)

    def sweep_and_let_time_go_back(tx):
        claimed = tx.claim(BOB)
        clock.advance(-1)
        return claimed

    with holding(sweep_and_let_time_go_back):
        renewed = waiting(other.renew, held, ANN)
    assert LeaseLost is outcome(renewed)


def test_each_lease_is_swept_once(open_engine, pool, clock):
    opened = [open_engine() for _ in range(4)]
    tasks = [create(opened[0]) for _ in range(12)]
    for n in range(12):
        claim(opened[0], Worker(id=f"w{n}"))
    clock.advance(900)
    assert 12 == sum(pool.map(lambda engine: engine.tick(), opened))
    assert [1] * 12 == [history(opened[0], task).count("assignment_expired") for task in tasks]


def test_each_mock_answer_is_given_once_and_nobody_waits_for_it(holding, engine, other, clock):
    tasks = [create(engine, mode="test") for _ in range(3)]
    with holding(lambda tx: tx.session.script(f"UPDATE wai_task SET tags = '[]' WHERE id = '{tasks[0].external_id}'")):
        assert 2 == other.tick()
        assert ["pending", "completed", "completed"] == [stored(other, task).status.value for task in tasks]
    assert 1 == other.tick()


# --- callbacks -----------------------------------------------------------------------------------


def test_two_dispatchers_send_each_callback_once(open_engine, pool):
    transport = CapturingTransport()
    opened = [open_engine(transport=transport) for _ in range(4)]
    for n in range(60):
        create(opened[0], callback_url=f"https://r{n % 5}.test/hook")
        answer(opened[0], ANN)
    assert 60 == sum(pool.map(lambda engine: engine.deliver(), opened))
    assert 60 == len({request.headers["webhook-id"] for request in transport.requests}) == len(transport.requests)
    assert [] == opened[0].check()


def test_a_round_leases_as_many_as_it_has_room_for_although_the_database_has_no_statistics(engine, bystander):
    # Known: UPDATE … WHERE id IN (SELECT … LIMIT 4 FOR UPDATE SKIP LOCKED) leased 60 rows here.
    from workersai_core.store import endpoint_rows, outbox_rows

    for _ in range(60):
        create(engine)
        answer(engine, ANN)
    for setting in ("enable_hashjoin", "enable_mergejoin", "enable_material"):
        bystander.execute(f"ALTER DATABASE {bystander.info.dbname} SET {setting} = off")
    bystander.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'workersai'")

    def lease(tx):
        [endpoint] = endpoint_rows.waiting(tx.session, tx.now_us)
        return outbox_rows.claim(tx.session, endpoint.id, 4, tx.now_us, "lease", tx.now_us + 60_000_000)

    leased = engine.run(lease)
    assert 4 == len({sending.id for sending in leased}) == len(leased)
    assert (4,) == bystander.execute("SELECT count(*) FROM wai_delivery WHERE lease IS NOT NULL").fetchone()
    for setting in ("enable_hashjoin", "enable_mergejoin", "enable_material"):
        bystander.execute(f"ALTER DATABASE {bystander.info.dbname} RESET {setting}")


def test_a_recovery_that_one_dispatcher_saw_is_not_forgotten_by_another(open_engine, bystander, pool):
    ready = [threading.Event(), threading.Event()]

    def answering(number, status):
        def respond(request):
            ready[number].set()
            assert ready[1 - number].wait(PATIENCE_S)
            return Outcome(status=status, latency_ms=1)

        return CapturingTransport(respond)

    opened = [open_engine(transport=answering(n, status)) for n, status in enumerate((200, 500))]
    for _ in range(2):
        create(opened[0])
        answer(opened[0], ANN)
    # An endpoint that was known to fail long ago, with two deliveries that two dispatchers make at the same time.
    bystander.execute("UPDATE wai_endpoint SET failing_since = 1, slow = 0, succeeded_at = 1")
    for future in [pool.submit(engine._dispatcher.deliver_due, 1) for engine in opened]:
        future.result(PATIENCE_S)
    [endpoint] = opened[0].endpoints(ACCOUNT)
    assert endpoint.failing_since is None or endpoint.failing_since.year > 1970


# --- events --------------------------------------------------------------------------------------


def test_no_event_is_missed_that_is_committed_late(holding, engine, other):
    with holding(create) as late:
        early = create(other)
        seen = other.events()
        # The event of the early task has the higher number; it is kept back until the late one is there.
        assert [] == [event.task_id for event in seen]
    seen = other.events()
    assert {late.result().external_id, early.external_id} == {event.task_id for event in seen}
    assert [] == other.events(after=seen[-1].id)


def test_a_reader_that_follows_the_log_sees_every_event_once(open_engine, pool):
    opened = [open_engine() for _ in range(4)]
    stop, seen = threading.Event(), []

    def follow():
        cursor = 0
        while True:
            last_look = stop.is_set()
            page = opened[3].events(after=cursor, limit=7)
            seen.extend(page)
            cursor = page[-1].id if page else cursor
            if last_look and not page:
                return

    def write(engine):
        for n in range(40):
            engine.run(lambda tx, n=n: [create(tx) for _ in range(1 + n % 4)])

    following = pool.submit(follow)
    for future in [pool.submit(write, engine) for engine in opened[:3]]:
        future.result(60)
    until(lambda: len(opened[0].events(limit=10_000)) == 3 * 100)
    stop.set()
    following.result(30)
    assert (300, 300) == (len(seen), len({event.id for event in seen}))


def test_a_log_that_was_restored_from_another_server_goes_on(open_engine, bystander):
    engine = open_engine()
    create(engine)
    create(engine)
    bystander.execute("UPDATE wai_event SET xact = xact + 1000000000000")
    assert [] == engine.events()
    again = open_engine()
    late = create(again)
    assert [1, 2, 3] == [event.id for event in again.events()]
    assert late.external_id == again.events(after=2)[0].task_id


# --- waiting too long ----------------------------------------------------------------------------


def test_who_waits_too_long_is_told_to_come_again(holding, engine, other):
    task = create(engine)

    def cancel(tx):
        tx.session.script("SET LOCAL lock_timeout = 50")
        return tx.cancel_task(task.external_id, account=ACCOUNT)

    with holding(lambda tx: tx.cancel_task(task.external_id, account=ACCOUNT)), pytest.raises(StoreBusy):
        other.run(cancel)
    assert "canceled" == other.cancel_task(task.external_id, account=ACCOUNT).status.value
