"""The engine beside a plain model drawn from the lifecycle tables: every command at random, and both must agree."""

from __future__ import annotations

import json
from datetime import timedelta
from itertools import pairwise

import attrs
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, multiple, precondition, rule

from support.engines import ACCOUNT, HOOK, OPTIONS, open_engine, policy
from workersai_core import (
    AlreadySubmitted,
    DuplicateTask,
    IdempotencyKeyReused,
    InvalidInput,
    LeaseLost,
    TooManyAssignments,
    Worker,
    WrongState,
)
from workersai_core.lifecycle import (
    ASSIGNMENT_MOVES,
    CALLBACK_MOVES,
    TASK_MOVES,
    AssignmentState,
    CallbackState,
    TaskStatus,
    is_terminal,
)
from workersai_core.plurality import winner
from workersai_core.testing import CapturingTransport, FakeClock

WORKERS = [Worker(id=f"w{n}") for n in range(3)] + [Worker(id="w3", skills=frozenset({"unanimous"}))]
MAX_LIVE = 2
MAX_ANSWERS = 4
LATE = timedelta(days=10_000)
PLANS = [
    {},
    {"delay_s": 60},
    {"outcome": "never"},
    {"outcome": "error", "delay_s": 30},
    {"outcome": "cancel"},
    {"response": {"choice": "b"}, "callback": "fail_first_2"},
]
LIVE_HOLDS = (AssignmentState.CLAIMED, AssignmentState.SUBMITTED)


@st.composite
def wishes(draw):
    """What a requester may ask for; what is chosen often collides with what was chosen before."""
    mode = draw(st.sampled_from(["live", "live", "live", "test"]))
    return {
        "mode": mode,
        "task_type": draw(st.sampled_from(["pick", "choose", "unanimous"])),
        "overlap": draw(st.integers(1, 3)),
        "priority": draw(st.integers(49, 51)),
        "deadline_s": draw(st.sampled_from([None, None, None, 5, 100])),
        "unique_id": draw(st.sampled_from([None, None, None, "u0", "u1"])),
        "callback_url": draw(st.sampled_from([HOOK, HOOK, HOOK, None])),
        "callback_events": draw(st.sampled_from([("completed",), (), ("completed", "canceled", "expired", "error")])),
        "metadata": {"mock": draw(st.sampled_from(PLANS))},
    }


@attrs.define
class ModelTask:
    """A task as the model sees it."""

    id: str
    wish: dict
    wanted: int
    created_at: object
    deadline_at: object
    status: TaskStatus = TaskStatus.PENDING
    accepted: int = 0
    response: object = attrs.field(factory=dict)
    callback: CallbackState | None = None
    attempts: int = 0
    webhook_id: str | None = None

    @property
    def is_test(self):
        return self.wish["mode"] == "test"

    @property
    def kind(self):
        return {"choose": "pick"}.get(self.wish["task_type"], self.wish["task_type"])

    @property
    def plan(self):
        return self.wish["metadata"]["mock"] if self.is_test else {"outcome": "never"}

    @property
    def simulated(self):
        return 2 if self.is_test and "callback" in self.plan else 0

    def move(self, status):
        assert status in TASK_MOVES[self.status], f"the table has no move {self.status} → {status}"
        self.status = status
        if status in self.wish["callback_events"] and self.wish["callback_url"] is not None:
            self.callback = CallbackState.PENDING

    def move_callback(self, state):
        assert state in CALLBACK_MOVES[self.callback], f"the table has no move {self.callback} → {state}"
        self.callback = state


@attrs.define
class ModelAssignment:
    """An assignment as the model sees it."""

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

    database = "sqlite://"
    assignments = Bundle("assignments")
    tasks = Bundle("tasks")

    def __init__(self):
        super().__init__()
        self.clock = FakeClock()
        self.transport = CapturingTransport(lambda request: self.says)
        self.says = 200
        self.disabled = False
        self.model_tasks = {}
        self.model_assignments = {}
        self.unique_ids = {}
        self.keys = {}
        self.engine = self.opened(self.fresh_database())

    @initialize(target=tasks, many=st.lists(wishes(), min_size=1, max_size=3))
    def begin_with_some_tasks(self, many):
        return self.create_all(many)

    def fresh_database(self):
        """Return the address of a database without rows."""
        return self.database

    def opened(self, address):
        return open_engine(
            database=address,
            clock=self.clock,
            transport=self.transport,
            policy=policy(max_live_assignments=MAX_LIVE, max_answers=MAX_ANSWERS),
        )

    def teardown(self):
        self.engine.close()

    # --- helpers of the model

    def of_task(self, task, *states):
        return [a for a in self.model_assignments.values() if a.task is task and a.state in states]

    def expire_leases(self):
        for assignment in self.model_assignments.values():
            if assignment.state is AssignmentState.CLAIMED and assignment.expires_at <= self.clock.now():
                assignment.move(AssignmentState.EXPIRED)

    def end(self, task, status, response=None):
        task.move(status)
        task.response = response or {}
        for assignment in self.of_task(task, AssignmentState.CLAIMED):
            assignment.move(AssignmentState.RELEASED)

    def is_live(self, assignment):
        return assignment.state is AssignmentState.CLAIMED and assignment.expires_at > self.clock.now()

    def claimable(self, worker):
        def knows(task):
            mine = self.of_task(task, *LIVE_HOLDS, AssignmentState.SKIPPED)
            return any(a.worker == worker.id for a in mine)

        found = [
            task
            for task in self.model_tasks.values()
            if not task.is_test
            and not is_terminal(task.status)
            and task.wanted > len(self.of_task(task, *LIVE_HOLDS))
            and not knows(task)
            and (not worker.skills or task.kind in worker.skills)
            and (task.deadline_at is None or task.deadline_at > self.clock.now())
        ]
        never = self.clock.now() + LATE
        return sorted(found, key=lambda task: (-task.wish["priority"], task.deadline_at or never, task.id))

    def stored(self, task):
        return self.engine.get_task(task.id, account=ACCOUNT, mode=task.wish["mode"])

    def delivery(self, task):
        [found] = self.engine.callbacks(task.id, account=ACCOUNT, mode=task.wish["mode"])
        return found

    # --- the requester

    def given(self, wish):
        deadline_s = wish["deadline_s"]
        return {
            "account": ACCOUNT,
            "params": {"options": OPTIONS},
            "deadline_at": None if deadline_s is None else self.clock.now() + timedelta(seconds=deadline_s),
            **{name: value for name, value in wish.items() if name != "deadline_s"},
        }

    def added(self, task, wish):
        assert task.external_id not in self.model_tasks
        self.model_tasks[task.external_id] = ModelTask(
            id=task.external_id,
            wish=wish,
            wanted=wish["overlap"],
            created_at=self.clock.now(),
            deadline_at=task.deadline_at,
            callback=None if wish["callback_url"] else CallbackState.SKIPPED,
        )
        if wish["unique_id"] is not None:
            self.unique_ids[wish["mode"], wish["unique_id"]] = task.external_id
        return task.external_id

    def refused(self, duplicate, wish):
        assert self.taken(wish) == duplicate.extra["external_id"]

    def taken(self, wish):
        return self.unique_ids.get((wish["mode"], wish["unique_id"]))

    @rule(target=tasks, wish=wishes(), key=st.sampled_from([None, None, "k0", "k1"]))
    def create(self, wish, key):
        given = self.given(wish)
        known = None if key is None else self.keys.get((wish["mode"], key))
        # An alias is the type's name; all else of a wish is content.
        content = {**given, "task_type": {"choose": "pick"}.get(wish["task_type"], wish["task_type"])}
        try:
            task = self.engine.create_task(**given, idempotency_key=key)
        except IdempotencyKeyReused:
            assert known is not None
            assert known[0] != content
            return multiple()
        except DuplicateTask as duplicate:
            self.refused(duplicate, wish)
            assert known is None
            return multiple()
        if known is not None:
            assert (content, task.external_id) == known
            return multiple()
        assert self.taken(wish) is None
        if key is not None:
            self.keys[wish["mode"], key] = (content, task.external_id)
        return self.added(task, wish)

    @rule(target=tasks, many=st.lists(wishes(), min_size=1, max_size=3))
    def create_many(self, many):
        return self.create_all(many)

    def create_all(self, many):
        drafts = [self.engine.draft_task(**self.given(wish)) for wish in many]
        made = []
        for wish, task in zip(many, self.engine.create_tasks(drafts), strict=True):
            if isinstance(task, DuplicateTask):
                self.refused(task, wish)
            else:
                assert self.taken(wish) is None
                made.append(self.added(task, wish))
        return multiple(*made)

    @rule(task_id=tasks)
    def cancel(self, task_id):
        task = self.model_tasks[task_id]
        try:
            canceled = self.engine.cancel_task(task_id, account=ACCOUNT, mode=task.wish["mode"])
        except WrongState:
            assert is_terminal(task.status)
            assert task.status is not TaskStatus.CANCELED
        else:
            if task.status is not TaskStatus.CANCELED:
                self.end(task, TaskStatus.CANCELED)
            assert canceled.status is TaskStatus.CANCELED

    # --- the workers

    @rule(target=assignments, worker=st.sampled_from(WORKERS), lease_s=st.sampled_from([30, 60, 300]))
    def claim(self, worker, lease_s):
        claimed = self.claimed(worker, lease_s)
        return multiple() if claimed is None else claimed

    @rule(target=assignments, worker=st.sampled_from(WORKERS), choice=st.sampled_from(OPTIONS[:2]))
    def claim_and_submit(self, worker, choice):
        claimed = self.claimed(worker, 300)
        if claimed is None:
            return multiple()
        self.submitted(claimed, choice)
        return claimed

    @rule(target=assignments, worker=st.sampled_from(WORKERS), how=st.sampled_from(["skip", "release"]))
    def give_up_and_claim_again(self, worker, how):
        first = self.claimed(worker, 300)
        if first is None:
            return multiple()
        self.given_up_or_renewed(first, how)
        second = self.claimed(worker, 300)
        return multiple(first) if second is None else multiple(first, second)

    def claimed(self, worker, lease_s):
        self.expire_leases()
        held = [a for a in self.model_assignments.values() if a.worker == worker.id and self.is_live(a)]
        expected = self.claimable(worker)
        try:
            claim = self.engine.claim(worker, lease_s=lease_s)
        except TooManyAssignments:
            assert len(held) == MAX_LIVE
            return None
        assert len(held) < MAX_LIVE
        if claim is None:
            assert expected == []
            return None
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
        self.submitted(assignment_id, choice)

    def submitted(self, assignment_id, choice):
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
        task = assignment.task
        task.accepted += 1
        answers = [a.answer for a in self.of_task(task, AssignmentState.SUBMITTED)]
        if len(answers) == task.wanted:
            self.resolve(task, answers)

    def resolve(self, task, answers):
        if task.kind == "pick":
            response = winner([(given, given, 1.0) for given in answers])[0]
        else:
            agreed = [a for a, b in pairwise(sorted(given["choice"] for given in answers)) if a == b]
            response = {"choice": agreed[0]} if agreed else None
        if response is not None:
            self.end(task, TaskStatus.COMPLETED, response)
        elif task.wanted == MAX_ANSWERS:
            self.end(task, TaskStatus.ERROR)
        else:
            task.wanted += 1

    @rule(assignment_id=assignments, how=st.sampled_from(["skip", "release", "renew"]))
    def give_up_or_renew(self, assignment_id, how):
        self.given_up_or_renewed(assignment_id, how)

    def given_up_or_renewed(self, assignment_id, how):
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

    @rule(seconds=st.sampled_from([1, 29, 60]))
    def wait(self, seconds):
        self.clock.advance(seconds)

    @rule()
    def tick(self):
        self.engine.tick()
        for task in self.model_tasks.values():
            if not is_terminal(task.status):
                self.wake(task)
        self.expire_leases()

    def wake(self, task):
        now, plan = self.clock.now(), task.plan
        answers_at = task.created_at + timedelta(seconds=plan.get("delay_s", 0))
        if plan.get("outcome") == "never":
            answers_at = now + LATE
        deadline_at = task.deadline_at or now + LATE
        if min(answers_at, deadline_at) > now:
            return
        if deadline_at < answers_at:
            self.end(task, TaskStatus.EXPIRED)
        elif plan.get("outcome") in ("error", "cancel"):
            self.end(task, TaskStatus.ERROR if plan["outcome"] == "error" else TaskStatus.CANCELED)
        else:
            response = self.stored(task).response
            assert response == plan.get("response", response)
            assert response["choice"] in OPTIONS
            self.end(task, TaskStatus.COMPLETED, response)

    # --- callbacks

    @rule(says=st.sampled_from([200, 200, 204, 500, 410]))
    def deliver(self, says):
        self.says = says
        self.transport.requests.clear()
        due_for_sure = [
            task
            for task in self.model_tasks.values()
            if task.callback is CallbackState.PENDING and not task.attempts and not task.simulated and not self.disabled
        ]
        self.engine.deliver()
        for request in self.transport.requests:
            self.note_attempt(self.model_tasks[json.loads(request.body)["external_id"]], request, says)
        if says < 300:
            assert all(task.callback is CallbackState.DELIVERED for task in due_for_sure)

    def note_attempt(self, task, request, says):
        assert not self.disabled or says == 410
        assert task.callback is CallbackState.PENDING
        body = json.loads(request.body)
        assert (task.status, task.response) == (body["status"], body["response"])
        assert task.webhook_id in (None, request.headers["webhook-id"])
        task.webhook_id = request.headers["webhook-id"]
        task.attempts += 1
        if says < 300:
            task.move_callback(CallbackState.DELIVERED)
        elif says == 410:
            task.move_callback(CallbackState.EXHAUSTED)
            self.disabled = True
        elif self.delivery(task).state is CallbackState.EXHAUSTED:  # the schedule ended
            task.move_callback(CallbackState.EXHAUSTED)

    @rule(task_id=tasks)
    def replay(self, task_id):
        task = self.model_tasks[task_id]
        if not self.engine.callbacks(task_id, account=ACCOUNT, mode=task.wish["mode"]):
            return
        try:
            self.engine.replay_callback(self.delivery(task).id, account=ACCOUNT, mode=task.wish["mode"])
        except WrongState:
            assert task.callback in (CallbackState.PENDING, CallbackState.SKIPPED)
        else:
            task.move_callback(CallbackState.PENDING)

    @rule()
    def enable_endpoints(self):
        for endpoint in self.engine.endpoints(ACCOUNT):
            assert self.disabled == (endpoint.disabled_at is not None)
            self.engine.enable_endpoint(endpoint.id, account=ACCOUNT)
        self.disabled = False

    # --- the process

    @precondition(lambda self: self.database != "sqlite://")
    @rule()
    def restart(self):
        self.engine.close()
        self.engine = self.opened(self.database)

    # --- what always holds

    @invariant()
    def tasks_agree(self):
        for task in self.model_tasks.values():
            found = self.stored(task)
            assert (task.status, task.response, task.callback, task.accepted, task.wanted) == (
                found.status,
                found.response,
                found.callback_state,
                found.answers_accepted,
                found.answers_wanted,
            )
            assert (found.error is not None) == (task.status is TaskStatus.ERROR)

    @invariant()
    def workers_agree(self):
        for worker in WORKERS:
            held = {a.id for a in self.model_assignments.values() if a.worker == worker.id and self.is_live(a)}
            assert held == {claim.assignment.id for claim in self.engine.assignments(worker)}

    @invariant()
    def the_database_is_sound(self):
        assert self.engine.check() == []
