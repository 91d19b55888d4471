"""The engine against a plain model drawn from the lifecycle tables."""

from __future__ import annotations

from datetime import timedelta

import attrs
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, multiple, rule

from support.task_types import TestTypes
from workersai_core import (
    AlreadySubmitted,
    InvalidInput,
    LeaseLost,
    Policy,
    TooManyAssignments,
    Worker,
    WrongState,
)
from workersai_core.lifecycle import ASSIGNMENT_MOVES, TASK_MOVES, AssignmentState, TaskStatus, is_terminal
from workersai_core.plurality import winner
from workersai_core.testing import FakeClock, memory_engine

OPTIONS = ["a", "b", "c"]
WORKERS = [Worker(id=f"w{n}") for n in range(4)]
MAX_LIVE = 2


@attrs.define
class ModelTask:
    id: str
    overlap: int
    priority: int
    deadline_at: object
    is_test: bool
    status: TaskStatus = TaskStatus.PENDING
    response: object = attrs.field(factory=dict)

    def move(self, status):
        assert status in TASK_MOVES[self.status], f"the table has no move {self.status} → {status}"
        self.status = status


@attrs.define
class ModelAssignment:
    id: str
    task: ModelTask
    worker: str
    expires_at: object
    state: AssignmentState = AssignmentState.CLAIMED
    answer: object = None

    def move(self, state):
        assert state in ASSIGNMENT_MOVES[self.state], f"the table has no move {self.state} → {state}"
        self.state = state


class EngineMachine(RuleBasedStateMachine):
    """Every command at random; after each, the engine and the model agree."""

    assignments = Bundle("assignments")
    tasks = Bundle("tasks")

    @initialize()
    def open(self):
        self.clock = FakeClock()
        base = memory_engine(clock=self.clock).policy
        policy = attrs.evolve(base, max_live_assignments=MAX_LIVE)
        assert isinstance(policy, Policy)
        self.engine = memory_engine(clock=self.clock, entry_points="none", plugins=[TestTypes()], policy=policy)
        self.model_tasks = {}
        self.model_assignments = {}

    def teardown(self):
        if hasattr(self, "engine"):
            self.engine.close()

    # --- helpers of the model

    def of_task(self, task, *states):
        return [a for a in self.model_assignments.values() if a.task is task and a.state in states]

    def expire_leases(self):
        for assignment in self.model_assignments.values():
            if assignment.state is AssignmentState.CLAIMED and assignment.expires_at <= self.clock.now():
                assignment.move(AssignmentState.EXPIRED)

    def end(self, task, status):
        task.move(status)
        for assignment in self.of_task(task, AssignmentState.CLAIMED):
            assignment.move(AssignmentState.RELEASED)

    def is_live(self, assignment):
        return assignment.state is AssignmentState.CLAIMED and assignment.expires_at > self.clock.now()

    def claimable(self, worker):
        def open_slots(task):
            return task.overlap - len(self.of_task(task, AssignmentState.CLAIMED, AssignmentState.SUBMITTED))

        def knows(task):
            mine = self.of_task(task, AssignmentState.CLAIMED, AssignmentState.SUBMITTED, AssignmentState.SKIPPED)
            return any(a.worker == worker.id for a in mine)

        found = [
            task
            for task in self.model_tasks.values()
            if not task.is_test
            and not is_terminal(task.status)
            and open_slots(task) > 0
            and not knows(task)
            and (task.deadline_at is None or task.deadline_at > self.clock.now())
        ]
        never = self.clock.now() + timedelta(days=10_000)
        return sorted(found, key=lambda task: (-task.priority, task.deadline_at or never, task.id))

    # --- the requester

    @rule(
        target=tasks,
        overlap=st.integers(1, 3),
        priority=st.integers(49, 51),
        deadline_s=st.none() | st.integers(1, 200),
        is_test=st.sampled_from([False, False, False, True]),
    )
    def create(self, overlap, priority, deadline_s, is_test):
        deadline_at = None if deadline_s is None else self.clock.now() + timedelta(seconds=deadline_s)
        task = self.engine.create_task(
            account="acme",
            mode="test" if is_test else "live",
            task_type="pick",
            params={"options": OPTIONS},
            callback_url="https://receiver.test/hook",
            overlap=overlap,
            priority=priority,
            deadline_at=deadline_at,
        )
        assert task.external_id not in self.model_tasks
        self.model_tasks[task.external_id] = ModelTask(
            id=task.external_id, overlap=overlap, priority=priority, deadline_at=deadline_at, is_test=is_test
        )
        return task.external_id

    @rule(task_id=tasks)
    def cancel(self, task_id):
        task = self.model_tasks[task_id]
        mode = "test" if task.is_test else "live"
        try:
            canceled = self.engine.cancel_task(task_id, account="acme", mode=mode)
        except WrongState:
            assert is_terminal(task.status)
            assert task.status is not TaskStatus.CANCELED
        else:
            if task.status is not TaskStatus.CANCELED:
                self.end(task, TaskStatus.CANCELED)
            assert canceled.status is TaskStatus.CANCELED

    # --- the workers

    @rule(target=assignments, worker=st.sampled_from(WORKERS), lease_s=st.sampled_from([30, 100]))
    def claim(self, worker, lease_s):
        self.expire_leases()
        held = [a for a in self.model_assignments.values() if a.worker == worker.id and self.is_live(a)]
        expected = self.claimable(worker)
        try:
            claim = self.engine.claim(worker, lease_s=lease_s)
        except TooManyAssignments:
            assert len(held) == MAX_LIVE
            return multiple()
        assert len(held) < MAX_LIVE
        if claim is None:
            assert expected == []
            return multiple()
        task = expected[0]
        assert claim.task.external_id == task.id
        if task.status is TaskStatus.PENDING:
            task.move(TaskStatus.IN_PROGRESS)
        self.model_assignments[claim.assignment.id] = ModelAssignment(
            id=claim.assignment.id,
            task=task,
            worker=worker.id,
            expires_at=self.clock.now() + timedelta(seconds=lease_s),
        )
        return claim.assignment.id

    @rule(assignment_id=assignments, choice=st.sampled_from([*OPTIONS, "wrong"]))
    def submit(self, assignment_id, choice):
        assignment = self.model_assignments[assignment_id]
        answer = {"choice": choice}
        try:
            submission = self.engine.submit(assignment_id, Worker(id=assignment.worker), answer)
        except AlreadySubmitted:
            assert assignment.state is AssignmentState.SUBMITTED
            assert assignment.answer != answer
        except LeaseLost:
            assert assignment.state is not AssignmentState.SUBMITTED
            assert not self.is_live(assignment)
        except InvalidInput:
            assert choice == "wrong"
            assert self.is_live(assignment)
        else:
            if assignment.state is AssignmentState.SUBMITTED:
                assert assignment.answer == answer
            else:
                self.accept(assignment, answer)
            assert submission.task.status is assignment.task.status

    def accept(self, assignment, answer):
        assert self.is_live(assignment)
        assert answer["choice"] in OPTIONS
        assignment.move(AssignmentState.SUBMITTED)
        assignment.answer = answer
        answers = [a.answer for a in self.of_task(assignment.task, AssignmentState.SUBMITTED)]
        if len(answers) == assignment.task.overlap:
            self.end(assignment.task, TaskStatus.COMPLETED)
            assignment.task.response = winner([(given, given, 1.0) for given in answers])[0]

    @rule(assignment_id=assignments, how=st.sampled_from(["skip", "release", "renew"]))
    def give_up_or_renew(self, assignment_id, how):
        assignment = self.model_assignments[assignment_id]
        try:
            getattr(self.engine, how)(assignment_id, Worker(id=assignment.worker))
        except LeaseLost:
            assert not self.is_live(assignment)
            return
        assert self.is_live(assignment)
        if how == "renew":
            assignment.expires_at = self.clock.now() + timedelta(seconds=self.engine.policy.lease_s)
        else:
            assignment.move(AssignmentState.SKIPPED if how == "skip" else AssignmentState.RELEASED)

    # --- time

    @rule(seconds=st.integers(1, 120))
    def wait(self, seconds):
        self.clock.advance(seconds)

    @rule()
    def tick(self):
        self.engine.tick()
        now = self.clock.now()
        for task in self.model_tasks.values():
            if is_terminal(task.status):
                continue
            if task.is_test:
                task.move(TaskStatus.COMPLETED)  # its mock answers at once, before any deadline
                stored = self.engine.get_task(task.id, account="acme", mode="test")
                task.response = stored.response
                assert task.response["choice"] in OPTIONS
            elif task.deadline_at is not None and task.deadline_at <= now:
                self.end(task, TaskStatus.EXPIRED)
        self.expire_leases()

    @rule()
    def deliver(self):
        self.engine.deliver()

    # --- what always holds

    @invariant()
    def tasks_agree(self):
        for task in getattr(self, "model_tasks", {}).values():
            stored = self.engine.get_task(task.id, account="acme", mode="test" if task.is_test else "live")
            assert (stored.status, stored.response) == (task.status, task.response)

    @invariant()
    def the_database_is_sound(self):
        if hasattr(self, "engine"):
            assert self.engine.check() == []


EngineMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestEngineMachine = EngineMachine.TestCase
