"""Counts over many tasks."""

from __future__ import annotations

from datetime import timedelta

import pytest

from support.task_types import TestTypes
from workersai_core import Worker
from workersai_core.testing import FakeClock, memory_engine

PARAMS = {"options": ["a", "b"]}


@pytest.fixture
def engine():
    with memory_engine(clock=FakeClock(), entry_points="none", plugins=[TestTypes()]) as engine:
        yield engine


def create(engine, **fields):
    return engine.create_task(
        **{"account": "acme", "task_type": "pick", "params": PARAMS, "callback_url": "https://r.test/", **fields}
    )


def label(engine, worker="anna", after_s=0):
    claim = engine.claim(Worker(id=worker))
    engine.clock.advance(after_s)
    engine.submit(claim.assignment.id, Worker(id=worker), {"choice": "a"})


def test_each_day_of_the_period_is_there_with_what_became_of_its_tasks(engine):
    create(engine)
    create(engine)
    label(engine, after_s=60)
    engine.clock.advance(86_400)
    create(engine, mode="test")
    create(engine, account="other")
    create(engine)
    found = engine.statistics(account="acme", days=3)
    assert [0, 2, 1] == [day.created for day in found.days]
    assert [0, 1, 0] == [day.completed for day in found.days]
    assert [None, 60.0, None] == [day.turnaround_s for day in found.days]
    assert [None, 1.0, None] == [day.confidence for day in found.days]
    assert {"completed": 1, "pending": 2} == found.by_status
    assert {"pending": 1} == found.callbacks
    assert engine.clock.now().date() == found.days[-1].at.date()


def test_what_is_older_than_the_period_does_not_count(engine):
    create(engine)
    engine.clock.advance(2 * 86_400)
    found = engine.statistics(account="acme", days=1)
    assert ({}, [0]) == (found.by_status, [day.created for day in found.days])


def test_queues_tell_how_much_waits_and_how_long(engine):
    assert [] == engine.queues()
    oldest = create(engine, overlap=3)
    engine.clock.advance(10)
    create(engine)
    engine.claim(Worker(id="anna"))
    [queue] = engine.queues()
    assert ("pick", 2, 3, oldest.created_at) == (queue.task_type, queue.tasks, queue.answers_wanted, queue.oldest_at)


def test_workers_are_known_by_what_they_did(engine):
    for _ in range(5):
        create(engine)
    label(engine, after_s=4)
    label(engine, after_s=2)
    engine.skip(engine.claim(Worker(id="anna")).assignment.id, Worker(id="anna"))
    engine.claim(Worker(id="bora"), lease_s=30)
    engine.clock.advance(31)
    engine.tick()
    engine.claim(Worker(id="bora"))
    records = engine.worker_records(since=engine.clock.now() - timedelta(days=1))
    anna, bora = records["anna"], records["bora"]
    assert (2, 1, 0, 0, 3.0) == (anna.submitted, anna.skipped, anna.expired, anna.held, anna.seconds_per_answer)
    assert (0, 0, 1, 1, None) == (bora.submitted, bora.skipped, bora.expired, bora.held, bora.seconds_per_answer)
    assert {} == engine.worker_records(since=engine.clock.now() + timedelta(seconds=1))
