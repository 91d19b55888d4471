"""A clock that is set forward and back while everything happens: what was promised is kept, on both databases."""

from __future__ import annotations

import random

import pytest

from support.engines import ACCOUNT, ANN, BOB, CID, create, policy, stored
from workersai_core import LeaseLost, RetryPolicy
from workersai_core.callbacks import rounds
from workersai_core.testing import CapturingTransport

HOUR_S, DAY_S = 3600, 86_400
STEPS = (1, 30, HOUR_S, DAY_S, 400 * DAY_S)
WORKERS = (ANN, BOB, CID)


class Life:
    """Requesters, workers and receivers, each move of theirs by chance.

    Attributes:
        answered: The response that was acknowledged, by task.
    """

    def __init__(self, open_engine, clock, rng):
        self.clock = clock
        self.rng = rng
        self.transport = CapturingTransport(lambda request: rng.choice([200, 200, 500]))
        retry = RetryPolicy(schedule_s=(0.0, *[5.0] * 60), jitter=0.0)
        # An endpoint that failed once and again after the clock was set forward would seem to fail for years.
        own = policy(retry=retry, disable_endpoint_after_s=10_000 * DAY_S)
        self.engine = open_engine(transport=self.transport, policy=own)
        self.tasks = []
        self.held = []
        self.answered = {}

    def live(self, moves):
        """Make so many moves, and set the clock between them now and then."""
        for _ in range(moves):
            self.rng.choice([self._create, self._claim, self._submit, self.engine.tick, self.engine.deliver])()
            if self.rng.random() < 0.2:
                self.clock.advance(self.rng.choice(STEPS) * self.rng.choice([1, -1]))

    def settle(self):
        """Let the clock go on as clocks do, until nothing more is sent."""
        for _ in range(300):
            self.clock.advance(60)
            self.engine.tick()
            self.engine.deliver()

    def _create(self):
        self.tasks.append(create(self.engine))

    def _claim(self):
        worker = self.rng.choice(WORKERS)
        claimed = self.engine.claim(worker)
        if claimed is not None:
            self.held.append((claimed.assignment.id, claimed.task.external_id, worker))

    def _submit(self):
        if not self.held:
            return
        assignment_id, task_id, worker = self.held.pop(self.rng.randrange(len(self.held)))
        response = {"choice": self.rng.choice("abc")}
        try:
            self.engine.submit(assignment_id, worker, response)
        except LeaseLost:
            return
        assert task_id not in self.answered  # one answer was wanted, and one was accepted before
        self.answered[task_id] = response

    def undelivered(self):
        """Return the tasks whose acknowledged answer did not arrive at their receiver, as it was given."""
        arrived = {request.json["external_id"]: request.json["response"] for request in self.transport.requests}
        states = {
            task.external_id: self.engine.callbacks(task.external_id, account=ACCOUNT, mode="live")[0].state.value
            for task in self.tasks
            if task.external_id in self.answered
        }
        return [
            task_id
            for task_id, response in self.answered.items()
            if arrived.get(task_id) != response or states[task_id] != "delivered"
        ]


@pytest.mark.parametrize("seed", range(3))
def test_every_answer_is_kept_once_and_called_back_whatever_the_clock_says(open_engine, clock, seed):
    life = Life(open_engine, clock, random.Random(seed))
    life.live(250)
    life.settle()
    assert len(life.answered) > 10
    assert [] == life.undelivered()
    completed = {task.external_id for task in life.tasks if stored(life.engine, task).status == "completed"}
    assert life.answered.keys() == completed
    assert [] == life.engine.check()


def test_a_dispatcher_that_believes_every_due_time_is_caught(open_engine, clock, monkeypatch):
    monkeypatch.setattr(rounds, "bring_back", lambda tx: 0)
    life = Life(open_engine, clock, random.Random(0))
    life.live(250)
    life.settle()
    assert [] != life.undelivered()
