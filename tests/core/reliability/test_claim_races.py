"""Promise 3: no slot is held by two workers, no worker holds a task twice, no accepted answer is dropped."""

from __future__ import annotations

import random
import sqlite3
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest
from sqlalchemy import text

from support.engines import ACCOUNT, create, fields, open_engine, policy
from workersai_core import LeaseLost, TooManyAssignments, Worker, WrongState
from workersai_core.store import assignment_rows, queue_rows
from workersai_core.store.session import Statement

OVERLAP = 3


def engine_with(tmp_path, tasks, **options):
    engine = open_engine(
        database=f"sqlite:///{tmp_path / 'labels.db'}", policy=policy(max_live_assignments=tasks + 1), **options
    )
    drafts = [engine.draft_task(**fields(overlap=OVERLAP, priority=n % 3)) for n in range(tasks)]
    engine.create_tasks(drafts)
    return engine


def claimed_by_everybody(engine, threads, each=None):
    """Let many workers claim at once until nothing is left; return (task, worker, slot) of each claim."""
    start = threading.Barrier(threads)

    def work(number):
        worker, found = Worker(id=f"w{number}"), []
        start.wait()
        while (claim := engine.claim(worker)) is not None:
            found.append((claim.task.external_id, worker.id, claim.assignment.slot))
            if each is not None:
                each(claim, worker)
        return found

    with ThreadPoolExecutor(threads) as pool:
        return [triple for found in pool.map(work, range(threads)) for triple in found]


def assert_each_slot_once(claims, tasks):
    assert OVERLAP * tasks == len(claims)
    assert {1} == set(Counter((task, slot) for task, _, slot in claims).values()), "a slot was given twice"
    assert {1} == set(Counter((task, worker) for task, worker, _ in claims).values()), "a worker got a task twice"
    assert {1, 2, 3} == {slot for _, _, slot in claims}


def race(tmp_path, threads, tasks):
    with engine_with(tmp_path, tasks) as engine:
        assert_each_slot_once(claimed_by_everybody(engine, threads), tasks)
        assert [] == engine.check()


def test_64_workers_claim_2000_tasks_for_three_answers_each_without_a_double(tmp_path):
    race(tmp_path, threads=64, tasks=2000)


@pytest.mark.stress
def test_64_workers_claim_20000_tasks_for_three_answers_each_without_a_double(tmp_path):
    race(tmp_path, threads=64, tasks=20_000)


def test_many_workers_claim_answer_skip_release_and_cancel_at_once_and_nothing_is_lost(tmp_path):
    accepted, outcomes, lock = [], [], threading.Lock()

    def act(claim, worker):
        chance = random.Random(f"{claim.task.external_id} {worker.id}").random()
        try:
            if chance < 0.1:
                engine.skip(claim.assignment.id, worker)
            elif chance < 0.2:
                engine.release(claim.assignment.id, worker)
                engine.claim(worker)
            elif chance < 0.25:
                engine.cancel_task(claim.task.external_id, account=ACCOUNT)
            else:
                engine.submit(claim.assignment.id, worker, {"choice": "a"})
                with lock:
                    accepted.append(claim.assignment.id)
        except (LeaseLost, WrongState) as error:
            outcomes.append(type(error))  # somebody canceled or completed the task meanwhile

    with engine_with(tmp_path, 300) as engine:
        claimed_by_everybody(engine, 32, act)
        assert [] == engine.check()
    with closing(sqlite3.connect(tmp_path / "labels.db")) as connection:
        stored = connection.execute("SELECT id FROM wai_assignment WHERE state = 'submitted'").fetchall()
    assert sorted(accepted) == sorted(assignment for (assignment,) in stored)


def test_one_worker_with_many_windows_never_holds_more_than_allowed(tmp_path):
    with open_engine(database=f"sqlite:///{tmp_path / 'labels.db'}", policy=policy(max_live_assignments=3)) as engine:
        for _ in range(50):
            create(engine)
        worker, start = Worker(id="ann"), threading.Barrier(16)

        def claim(_):
            start.wait()
            try:
                return engine.claim(worker)
            except TooManyAssignments:
                return None

        with ThreadPoolExecutor(16) as pool:
            got = [found for found in pool.map(claim, range(16)) if found is not None]
        assert 3 == len(got) == len(engine.assignments(worker))


# --- planted bugs ------------------------------------------------------------------------------------


def test_a_claim_that_looks_and_takes_in_two_transactions_is_caught(tmp_path, monkeypatch):
    """The classic race: the task is chosen in one transaction and taken, unconditionally, in another."""
    blind = Statement(text("UPDATE wai_task SET open_slots = open_slots - 1 WHERE id = :task_id"))

    def take_slot(session, task_id):
        return session.run(blind, {"task_id": task_id}) == 1

    monkeypatch.setattr(queue_rows, "take_slot", take_slot)
    with engine_with(tmp_path, 1) as engine:
        best = engine.read(lambda tx: queue_rows.candidates(tx.session, ["pick"], "w0", tx.now_us, 1))[0]
        for _ in range(OVERLAP + 1):
            engine.run(lambda tx: queue_rows.take_slot(tx.session, best))
        assert {"I7"} == {violation.invariant for violation in engine.check()}


def test_an_engine_that_gives_a_slot_twice_is_caught(tmp_path, monkeypatch):
    with engine_with(tmp_path, 20) as engine:
        engine.run(lambda tx: tx.session.script("DROP INDEX uq_wai_assignment_slot"))
        monkeypatch.setattr(assignment_rows, "free_slot", lambda session, task_id: 1)
        with pytest.raises(AssertionError, match="a slot was given twice"):
            assert_each_slot_once(claimed_by_everybody(engine, 8), 20)
        assert "I3" in {violation.invariant for violation in engine.check()}
