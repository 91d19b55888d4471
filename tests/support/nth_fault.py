"""Every command with every call to the database failing in turn, and what must hold afterwards.

A `Trial` is one command: how to prepare for it, how to give it, and what a
success of it leaves behind for ever. `sweep` gives it again and again; each
time one call further fails. Whatever happens:

* a success is durable: another connection to the file sees it at once,
* an error is `StoreBusy`, after which nothing is there, or `StoreUnavailable`,
* the same command again leads to what it would have led to, once,
* no invariant is broken.
"""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
from contextlib import closing
from datetime import timedelta

import attrs
from sqlalchemy import text

from support.engines import ACCOUNT, ANN, BOB, HOOK, OPTIONS, create, fields, open_engine, policy
from support.faults import Fault, Faults
from workersai_core import (
    DuplicateTask,
    Idempotency,
    LeaseLost,
    PluginFailed,
    StoreBusy,
    StoreUnavailable,
    TaskFilter,
    TaskStatus,
    WorkersAIError,
    WrongState,
)
from workersai_core.api import hookimpl
from workersai_core.store.opening import upgrade
from workersai_core.store.schema import CORE
from workersai_core.store.session import Statement
from workersai_core.store.sqlite import SqliteStore
from workersai_core.testing import CapturingTransport, FakeClock

A = {"choice": "a"}


class Quota:
    """A plugin that counts tasks in a table of its own, in the same transaction."""

    COUNT = Statement(text("UPDATE host_quota SET used = used + 1"))

    @hookimpl
    def before_task_create(self, ctx, draft):
        assert 1 == ctx.session.run(self.COUNT)


class Careless(Quota):
    """The same, but it hides every error of the database, and goes on."""

    @hookimpl
    def before_task_create(self, ctx, draft):
        with contextlib.suppress(sqlite3.Error):
            ctx.session.run(self.COUNT)


@attrs.define
class World:
    """An engine on a file whose connections fail on demand."""

    path: str
    faults: Faults
    engine: object
    clock: FakeClock
    transport: CapturingTransport
    n: int = 0

    @classmethod
    def open(cls, folder, store=SqliteStore, plugin=Quota):
        """Open a fresh database; `store` makes the store from its path and `connect`."""
        template = folder.parent / "template.db"
        if not template.exists():
            upgrade(f"sqlite:///{template}", [CORE])
            with closing(sqlite3.connect(template)) as connection, connection:
                connection.execute("CREATE TABLE host_quota (used INTEGER NOT NULL)")
                connection.execute("INSERT INTO host_quota VALUES (0)")
        path = str(folder / "labels.db")
        shutil.copy(template, path)
        faults, clock, transport = Faults(), FakeClock(), CapturingTransport()
        limits = policy(max_live_assignments=10_000)
        engine = open_engine(
            plugin(), database=store(path, connect=faults.connect), clock=clock, transport=transport, policy=limits
        )
        return cls(path, faults, engine, clock, transport)

    def fresh(self):
        """Return a name that was not used yet."""
        self.n += 1
        return f"n{self.n}"

    def end_everything(self):
        """Leave no task open, so that a claim gets the task of the trial."""
        for status in (TaskStatus.PENDING, TaskStatus.IN_PROGRESS):
            for task in self.engine.list_tasks(account=ACCOUNT, chosen=TaskFilter(status=status), limit=500).tasks:
                self.engine.cancel_task(task.external_id, account=ACCOUNT)

    def rows(self, sql, *parameters):
        """What another process sees in the file now."""
        with closing(sqlite3.connect(self.path)) as connection:
            return connection.execute(sql, parameters).fetchall()

    def task(self, task_id):
        return self._row("SELECT status, answers_accepted, response FROM wai_task WHERE id = ?", task_id)

    def assignment(self, assignment_id):
        return self._row("SELECT state, lease_expires_at, reason FROM wai_assignment WHERE id = ?", assignment_id)

    def _row(self, sql, *parameters):
        rows = self.rows(sql, *parameters)
        assert 1 == len(rows)
        return rows[0]

    def events(self, task_id, name):
        return self.rows("SELECT count(*) FROM wai_event WHERE task_id = ? AND name = ?", task_id, name)[0][0]

    def close(self):
        self.engine.close()


class Trial:
    """One command.

    `prepare` makes what it needs and returns it, `act` gives the command,
    `kept` asserts what a success left behind, `undone` what is there when
    nothing was changed, and `again` gives the command once more after an error.
    """

    refusals = ()
    """What the command may say the second time, when the first took effect after all."""

    def prepare(self, world):
        return world.fresh()

    def act(self, world, given):
        raise NotImplementedError

    def kept(self, world, given, result):
        """Assert that a success is there for ever."""

    def undone(self, world, given):
        """Assert that nothing was changed."""

    def again(self, world, given):
        try:
            return self.act(world, given)
        except self.refusals:
            return None


class Create(Trial):
    def act(self, world, given):
        return create(world.engine, unique_id=given, idempotency_key=given, metadata={"name": given})

    def kept(self, world, given, result):
        assert [(result.external_id, result.metadata_json)] == world.rows(
            "SELECT id, metadata FROM wai_task WHERE unique_id = ?", given
        )
        assert [(result.external_id,)] == world.rows("SELECT body FROM wai_idempotency WHERE key = ?", given)
        assert 1 == world.events(result.external_id, "task_created")
        assert world.rows("SELECT count(*) FROM wai_task") == world.rows("SELECT used FROM host_quota")

    def undone(self, world, given):
        assert [] == world.rows("SELECT id FROM wai_task WHERE unique_id = ?", given)
        assert [] == world.rows("SELECT key FROM wai_idempotency WHERE key = ?", given)


class CreateMany(Trial):
    def act(self, world, given):
        names = [f"{given}-{n}" for n in range(3)]
        return world.engine.create_tasks([world.engine.draft_task(**fields(unique_id=name)) for name in names])

    def kept(self, world, given, result):
        for n, each in enumerate(result):
            found = world.rows("SELECT id FROM wai_task WHERE unique_id = ?", f"{given}-{n}")
            if isinstance(each, PluginFailed):  # the database failed the plugin, which failed one task of the batch
                assert [] == found
            else:
                assert [(each.extra["external_id"] if isinstance(each, DuplicateTask) else each.external_id,)] == found

    def undone(self, world, given):
        assert [] == world.rows("SELECT id FROM wai_task WHERE unique_id LIKE ?", f"{given}-%")


class Cancel(Trial):
    def prepare(self, world):
        world.end_everything()
        task = create(world.engine, callback_events=["canceled"])
        self.held = world.engine.claim(ANN).assignment.id
        return task.external_id

    def act(self, world, given):
        return world.engine.cancel_task(given, account=ACCOUNT)

    def kept(self, world, given, result):
        assert "canceled" == world.task(given)[0] == result.status
        assert "released" == world.assignment(self.held)[0]
        assert [("canceled",)] == world.rows("SELECT event FROM wai_delivery WHERE task_id = ?", given)
        assert 1 == world.events(given, "task_canceled")

    def undone(self, world, given):
        assert "in_progress" == world.task(given)[0]
        assert "claimed" == world.assignment(self.held)[0]


class Claim(Trial):
    def prepare(self, world):
        world.end_everything()
        return create(world.engine).external_id

    def act(self, world, given):
        return world.engine.claim(ANN)

    def kept(self, world, given, result):
        # Once more after a claim that took effect there is nothing left: the worker holds it and finds it so.
        [held] = world.engine.assignments(ANN) if result is None else [result]
        assert given == held.task.external_id
        assert "claimed" == world.assignment(held.assignment.id)[0]
        assert 1 == world.events(given, "task_assigned")

    def undone(self, world, given):
        assert "pending" == world.task(given)[0]
        assert [] == world.rows("SELECT id FROM wai_assignment WHERE task_id = ?", given)


class _Held(Trial):
    """A command about an assignment that Ann holds."""

    overlap = 1

    def prepare(self, world):
        world.end_everything()
        task = create(world.engine, overlap=self.overlap)
        if self.overlap > 1:
            assert task.external_id == world.engine.claim(BOB).task.external_id
        claimed = world.engine.claim(ANN, lease_s=60)
        assert task.external_id == claimed.task.external_id
        return claimed

    def undone(self, world, given):
        lease_us = int(given.assignment.lease_expires_at.timestamp() * 1_000_000)
        assert ("claimed", lease_us, None) == world.assignment(given.assignment.id)
        assert 0 == world.task(given.task.external_id)[1]


class Renew(_Held):
    def act(self, world, given):
        return world.engine.renew(given.assignment.id, ANN, lease_s=3600)

    def kept(self, world, given, result):
        expected = given.assignment.claimed_at + timedelta(seconds=3600)
        assert expected == result.lease_expires_at
        assert int(expected.timestamp() * 1_000_000) == world.assignment(given.assignment.id)[1]


class Submit(_Held):
    def act(self, world, given):
        return world.engine.submit(given.assignment.id, ANN, A)

    def kept(self, world, given, result):
        task_id = given.task.external_id
        assert "submitted" == world.assignment(given.assignment.id)[0] == result.assignment.state
        assert 1 == world.events(task_id, "response_submitted")
        assert ("completed", 1, '{"choice":"a"}') == world.task(task_id)
        assert 1 == world.events(task_id, "task_completed")
        assert [("completed", HOOK)] == world.rows("SELECT event, url FROM wai_delivery WHERE task_id = ?", task_id)


class SubmitFirstOfTwo(_Held):
    overlap = 2

    def act(self, world, given):
        return world.engine.submit(given.assignment.id, ANN, A)

    def kept(self, world, given, result):
        assert "submitted" == world.assignment(given.assignment.id)[0]
        assert ("in_progress", 1, "{}") == world.task(given.task.external_id)


class Skip(_Held):
    refusals = (LeaseLost,)

    def act(self, world, given):
        return world.engine.skip(given.assignment.id, ANN, reason="dark")

    def kept(self, world, given, result):
        state, _, reason = world.assignment(given.assignment.id)
        assert ("skipped", "dark") == (state, reason)
        assert 1 == world.events(given.task.external_id, "assignment_skipped")


class Release(_Held):
    refusals = (LeaseLost,)

    def act(self, world, given):
        return world.engine.release(given.assignment.id, ANN)

    def kept(self, world, given, result):
        assert "released" == world.assignment(given.assignment.id)[0]
        assert 1 == world.events(given.task.external_id, "assignment_released")


class Tick(Trial):
    """Mock answers, deadlines, leases that ran out and forgotten keys, all at once."""

    def prepare(self, world):
        engine, soon = world.engine, world.clock.now() + timedelta(seconds=10)
        world.end_everything()
        leased = create(engine, idempotency_key=world.fresh())
        assert leased.external_id == engine.claim(ANN, lease_s=30).task.external_id
        expiring = create(engine, deadline_at=soon, callback_events=["expired"])
        world.clock.advance(engine.policy.idempotency_kept_s + 1)
        return leased.external_id, expiring.external_id, create(engine, mode="test").external_id

    def act(self, world, given):
        return world.engine.tick()

    def kept(self, world, given, result):
        leased, expiring, mocked = given
        assert [("expired",)] == world.rows("SELECT state FROM wai_assignment WHERE task_id = ?", leased)
        assert ("expired", "completed") == (world.task(expiring)[0], world.task(mocked)[0])
        assert [(1,), (1,)] == world.rows(
            "SELECT count(*) FROM wai_delivery WHERE task_id IN (?, ?) GROUP BY task_id", expiring, mocked
        )
        assert [] == world.rows("SELECT key FROM wai_idempotency")

    def undone(self, world, given):
        leased, expiring, mocked = given
        assert [("claimed",)] == world.rows("SELECT state FROM wai_assignment WHERE task_id = ?", leased)
        assert ("pending", "pending") == (world.task(expiring)[0], world.task(mocked)[0])


class Deliver(Trial):
    def prepare(self, world):
        world.transport.requests.clear()
        task = create(world.engine, mode="test")
        world.engine.tick()
        return task.external_id

    def act(self, world, given):
        return world.engine.deliver()

    def again(self, world, given):
        world.clock.advance(60)  # what was being sent when the database failed is sent again after its lease
        return self.act(world, given)

    def kept(self, world, given, result):
        [(delivery, state, attempts)] = world.rows(
            "SELECT id, state, attempts_total FROM wai_delivery WHERE task_id = ?", given
        )
        assert ("delivered", 1) == (state, attempts)
        seen = [request.headers["webhook-id"] for request in world.transport.requests]
        assert {delivery} == set(seen), "at least once, and always under the same id"


class Replay(Trial):
    refusals = (WrongState,)

    def prepare(self, world):
        task = create(world.engine, mode="test")
        world.engine.tick()
        world.engine.deliver()
        [delivery] = world.engine.callbacks(task.external_id, account=ACCOUNT, mode="test")
        assert "delivered" == delivery.state
        return delivery.id

    def act(self, world, given):
        return world.engine.replay_callback(given, account=ACCOUNT, mode="test")

    def kept(self, world, given, result):
        assert [("pending", 1)] == world.rows("SELECT state, replay FROM wai_delivery WHERE id = ?", given)

    def undone(self, world, given):
        assert [("delivered", 0)] == world.rows("SELECT state, replay FROM wai_delivery WHERE id = ?", given)


class RollSecret(Trial):
    def prepare(self, world):
        account = world.fresh()
        return account, world.engine.webhook_secrets(account)[0]

    def act(self, world, given):
        return world.engine.roll_webhook_secret(given[0], overlap_s=60)

    def kept(self, world, given, result):
        newest = world.rows("SELECT secret FROM wai_secret WHERE account = ? AND expires_at IS NULL", given[0])
        assert [(result.secret,)] == newest
        assert result.secret != given[1].secret

    def undone(self, world, given):
        assert [(given[1].secret, None)] == world.rows(
            "SELECT secret, expires_at FROM wai_secret WHERE account = ?", given[0]
        )


class Once(Trial):
    """A service's own transaction with a key: two tasks, or none."""

    def act(self, world, given):
        def both(tx):
            return f"{create(tx, unique_id=f'{given}-1').external_id} {create(tx, unique_id=f'{given}-2').external_id}"

        return world.engine.once(Idempotency(scope="s", key=given, fingerprint="f"), both)[0]

    def kept(self, world, given, result):
        assert [(each,) for each in result.split()] == world.rows(
            "SELECT id FROM wai_task WHERE unique_id LIKE ? ORDER BY unique_id", f"{given}-%"
        )

    def undone(self, world, given):
        assert [] == world.rows("SELECT id FROM wai_task WHERE unique_id LIKE ?", f"{given}-%")


class Look(Trial):
    """Everything that only reads."""

    def prepare(self, world):
        return create(world.engine, params={"options": OPTIONS})

    def act(self, world, given):
        engine = world.engine
        return (
            engine.get_task(given.external_id, account=ACCOUNT),
            engine.list_tasks(account=ACCOUNT, limit=1).tasks[0],
            engine.count_tasks(account=ACCOUNT) > 0,
            len(engine.task_events(given.external_id, account=ACCOUNT)),
            engine.callbacks(given.external_id, account=ACCOUNT),
        )

    def kept(self, world, given, result):
        assert (given, given, True, 1, []) == result


TRIALS = (
    Create,
    CreateMany,
    Cancel,
    Claim,
    Renew,
    Submit,
    SubmitFirstOfTwo,
    Skip,
    Release,
    Tick,
    Deliver,
    Replay,
    RollSecret,
    Once,
    Look,
)


def sweep(world, trial, fault):
    """Let call number 1, 2, … of a command fail until the command needs no more; return how many that were."""
    call = 0
    while True:
        call += 1
        given = trial.prepare(world)
        world.faults.arm(call, fault)
        try:
            result, error = trial.act(world, given), None
        except WorkersAIError as raised:
            result, error = None, raised
        happened = world.faults.disarm()
        if error is None:
            trial.kept(world, given, result)
        else:
            assert type(error) in (StoreBusy, StoreUnavailable), repr(error)
            if isinstance(error, StoreBusy) or fault is not Fault.LOST_ANSWER:
                _unless_several_steps(trial, world, given)
            trial.kept(world, given, trial.again(world, given))
        assert [] == world.engine.check()
        if not happened:
            assert error is None
            return call - 1


def _unless_several_steps(trial, world, given):
    """Assert that nothing was changed; `deliver` and `tick` are several transactions, some of which may be done."""
    if not isinstance(trial, Deliver | Tick):
        trial.undone(world, given)
