"""The worker's side: claim, renew, submit, skip, release."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Sequence
from datetime import timedelta

import attrs

from workersai_core import jsontext
from workersai_core.clock import to_us
from workersai_core.commands import finish
from workersai_core.errors import (
    AlreadySubmitted,
    InvalidInput,
    Issue,
    LeaseLost,
    NotFound,
    PluginFailed,
    Rejected,
    TaskTypeUnavailable,
    TooManyAssignments,
    WrongState,
)
from workersai_core.jsontext import shorten
from workersai_core.lifecycle import AssignmentState, TaskStatus
from workersai_core.model import Assignment, Claim, Task, Worker
from workersai_core.store import assignment_rows, queue_rows, task_rows
from workersai_core.task_type import Answer, Json
from workersai_core.transaction import Transaction

__all__ = [
    "Submission",
    "assign",
    "check_answer",
    "checked_lease",
    "claim",
    "expire_leases",
    "held",
    "live",
    "note_rejection",
    "of_worker",
    "release",
    "renew",
    "skip",
    "submit",
]

_CANDIDATES = 10
_NO_SUCH_ASSIGNMENT = "You have no assignment with this id."
_EXPIRED_AT_ONCE = 100
MAX_REASON = 1000


@attrs.frozen(kw_only=True)
class Submission:
    """What became of a submitted answer."""

    assignment: Assignment
    task: Task


def checked_lease(tx: Transaction, lease_s: int | None) -> timedelta:
    """Return the length of a lease.

    Raises:
        InvalidInput: it is not within the policy's limits.
    """
    policy = tx.parts.policy
    if lease_s is None:
        return timedelta(seconds=policy.lease_s)
    number = isinstance(lease_s, int | float) and not isinstance(lease_s, bool)
    if not number or not policy.lease_min_s <= lease_s <= policy.lease_max_s:
        text = f"A lease lasts {policy.lease_min_s} to {policy.lease_max_s} seconds; this is {shorten(lease_s)}."
        raise InvalidInput(text, issues=[Issue("/lease_s", text, "out_of_range")])
    return timedelta(seconds=lease_s)


def claim(
    tx: Transaction,
    worker: Worker,
    task_types: Iterable[str] | None,
    lease_s: int | None,
    passing_over: Sequence[str] = (),
) -> Claim | None:
    """Give a worker the most urgent task that it may do, or None when there is nothing.

    Args:
        tx: The open transaction.
        worker: Who claims.
        task_types: Which types; all when None.
        lease_s: How long, in seconds.
        passing_over: Ids of tasks that were found impossible to give.

    Raises:
        TooManyAssignments: it holds as many as allowed.
        UnknownTaskType: `task_types` names a type that does not exist.
        InvalidInput: a lease length outside the limits.
        PluginFailed: the task's type failed; `extra["external_id"]` names the task.
    """
    lease = checked_lease(tx, lease_s)
    names = _claimable(tx, worker, task_types)
    assignment_rows.lock_worker(tx.session, worker.id)
    expired = expire_leases(tx)
    limit = tx.parts.policy.max_live_assignments
    if assignment_rows.live_count(tx.session, worker.id, tx.now_us) >= limit:
        raise TooManyAssignments(f"You hold {limit} assignments already; submit, skip or release one first.")
    if passing_over or tx.parts.hooks.has("before_assign") or tx.parts.hooks.has("pick_assignment"):
        task = _take_chosen(tx, worker, names, passing_over)
    else:
        task = queue_rows.take_best(tx.session, names, worker.id, tx.now_us, may_wait=expired == 0)
    return None if task is None else _assigned(tx, task, worker, lease)


def assign(tx: Transaction, task: Task, worker: Worker, lease: timedelta) -> Claim:
    """Give a worker this very task, which has an open slot and which the worker has not seen."""
    if not queue_rows.take_slot(tx.session, task.external_id):
        raise WrongState(f"The task {task.external_id} wants no further answer.")
    return _assigned(tx, task, worker, lease)


def _assigned(tx: Transaction, task: Task, worker: Worker, lease: timedelta) -> Claim:
    """Store the assignment for a slot that was taken, which locked the task."""
    task = attrs.evolve(task, status=TaskStatus.IN_PROGRESS)
    slot = assignment_rows.free_slot(tx.session, task.external_id)
    assignment = assignment_rows.insert(
        tx.session, tx.new_id(), task.external_id, worker.id, slot, tx.now_us, to_us(tx.now + lease)
    )
    tx.record("task_assigned", task, f"worker:{worker.id}", {"assignment_id": assignment.id, "slot": slot})
    try:
        return _as_of_now(tx, assignment, task)
    except PluginFailed as failure:
        failure.extra["external_id"] = task.external_id
        raise


def _as_of_now(tx: Transaction, assignment: Assignment, task: Task) -> Claim:
    """Return an assignment with all that its worker needs, in the present version of the task's type."""
    task_type, params = tx.parts.types.of(task)
    schema = tx.parts.types.response_schema_for(task_type, params)
    if task.task_type_version < task_type.version:
        task = attrs.evolve(task, params_json=jsontext.dumps(params), task_type_version=task_type.version)
    return Claim(assignment=assignment, task=task, response_schema=schema)


def _claimable(tx: Transaction, worker: Worker, task_types: Iterable[str] | None) -> list[str]:
    """Return the names of the types to look for: loaded, within the skills, and asked for."""
    names = set(tx.parts.types.names())
    if worker.skills:
        names &= worker.skills
    if task_types is not None:
        names &= {tx.parts.types.require(name).name for name in task_types}
    return sorted(names)


def _take_chosen(tx: Transaction, worker: Worker, names: Sequence[str], passing_over: Sequence[str]) -> Task | None:
    """Take a slot of the task that plugins choose; None when they want none of the most urgent ones."""
    hooks, context = tx.parts.hooks, tx.context(f"worker:{worker.id}", "live")
    while True:
        found = queue_rows.candidates(tx.session, names, worker.id, tx.now_us, _CANDIDATES + len(passing_over))
        wanted = [task_id for task_id in found if task_id not in passing_over]
        tasks = [task for task_id in wanted if (task := task_rows.get(tx.session, task_id)) is not None]
        allowed = [task for task in tasks if hooks.before_assign(context, task, worker)]
        left = list(allowed)
        while left:
            chosen = hooks.pick_assignment(context, worker, left) or left[0]
            if queue_rows.take_slot(tx.session, chosen.external_id):
                return chosen
            left = [task for task in left if task.external_id != chosen.external_id]
        if not allowed:
            return None
        # On PostgreSQL others took the last slots of all of these since they were looked for: look again.


def expire_leases(tx: Transaction) -> int:
    """End leases that ran out and open their slots again; return how many (at most 100)."""
    ended = 0
    for assignment in assignment_rows.expired(tx.session, tx.now_us, _EXPIRED_AT_ONCE):
        if assignment_rows.expire(tx.session, assignment.id, tx.now_us):
            _reopen(tx, assignment, _task_of(tx, assignment), "assignment_expired", "system")
            ended += 1
    return ended


def live(tx: Transaction, worker: Worker) -> list[Claim]:
    """Return what a worker holds, oldest first, to go on after a crash."""
    claims = []
    for assignment in assignment_rows.live_of_worker(tx.session, worker.id, tx.now_us):
        # What a missing or failing plugin keeps from being shown must not hide the rest.
        with contextlib.suppress(TaskTypeUnavailable, PluginFailed):
            claims.append(_as_of_now(tx, assignment, _task_of(tx, assignment)))
    return claims


def held(tx: Transaction, assignment_id: str, worker: Worker) -> Assignment:
    """Return an assignment of a worker whose lease is alive.

    Raises:
        NotFound: there is no such assignment, or it is another worker's.
        LeaseLost: it has ended.
    """
    return _live(tx, of_worker(tx, assignment_id, worker))


def renew(tx: Transaction, assignment_id: str, worker: Worker, lease_s: int | None) -> Assignment:
    """Extend a live lease from now on."""
    lease = checked_lease(tx, lease_s)
    assignment = held(tx, assignment_id, worker)
    until = tx.now + lease
    if not assignment_rows.renew(tx.session, assignment.id, tx.now_us, to_us(until)):
        raise LeaseLost(_why_lost(assignment))
    return attrs.evolve(assignment, lease_expires_at=until)


def skip(tx: Transaction, assignment_id: str, worker: Worker, reason: str | None) -> Assignment:
    """Decline a task; the worker never sees it again."""
    if reason is not None and (not isinstance(reason, str) or len(reason) > MAX_REASON):
        text = f"reason is text of at most {MAX_REASON} characters."
        raise InvalidInput(text, issues=[Issue("/reason", text)])
    jsontext.check(reason, pointer="/reason")
    return _give_up(tx, assignment_id, worker, AssignmentState.SKIPPED, "assignment_skipped", reason)


def release(tx: Transaction, assignment_id: str, worker: Worker) -> Assignment:
    """Give a task back; the worker may see it again."""
    return _give_up(tx, assignment_id, worker, AssignmentState.RELEASED, "assignment_released", None)


def check_answer(tx: Transaction, assignment_id: str, worker: Worker, response: Json) -> None:
    """Raise unless an answer may be submitted, or is the one that was submitted before.

    Raises:
        NotFound: there is no such assignment, or it is another worker's.
        AlreadySubmitted: another answer was accepted.
        LeaseLost: the assignment ended without an answer.
        TaskTypeUnavailable: the type's plugin is gone.
        InvalidInput: the answer is wrong; pointers start with ``/response``.
    """
    jsontext.check(response, pointer="/response", depth=2)
    assignment = of_worker(tx, assignment_id, worker)
    if _repeated(tx, assignment, response) is not None:
        return
    task = _task_of(tx, _live(tx, assignment))
    task_type, params = tx.parts.types.of(task)
    issues = tx.parts.types.check_response(task_type, params, response)
    if issues:
        count = "One value is" if len(issues) == 1 else f"{len(issues)} values are"
        raise InvalidInput(
            f"{count} wrong; the assignment is still yours.", issues=[issue.under("/response") for issue in issues]
        )


def submit(tx: Transaction, assignment_id: str, worker: Worker, response: Json) -> Submission:
    """Accept a checked answer; with the last one wanted, the task gets its result.

    The same answer again is a success again, whatever happened meanwhile.

    Raises:
        NotFound: there is no such assignment, or it is another worker's.
        AlreadySubmitted: another answer was accepted.
        LeaseLost: the assignment ended without an answer.
        Rejected: a plugin's veto; the assignment stays live.
    """
    task, assignment = _locked(tx, assignment_id, worker)
    before = _repeated(tx, assignment, response)
    if before is not None:
        return before
    _live(tx, assignment)
    actor = f"worker:{worker.id}"
    if tx.parts.hooks.has("before_response_accept"):
        tx.parts.hooks.before_response_accept(tx.context(actor, task.mode), task, response)
    text = jsontext.dumps(response)
    assignment_rows.finish(tx.session, assignment.id, AssignmentState.SUBMITTED, tx.now_us, response_json=text)
    task_rows.note_answer(tx.session, task.external_id)
    task = attrs.evolve(task, answers_accepted=task.answers_accepted + 1)
    tx.record("response_submitted", task, actor, {"assignment_id": assignment.id, "slot": assignment.slot})
    if task.answers_accepted >= task.answers_wanted:
        task = _resolve(tx, task, actor)
    submitted = attrs.evolve(assignment, state=AssignmentState.SUBMITTED, finished_at=tx.now, response_json=text)
    return Submission(assignment=submitted, task=task)


def _repeated(tx: Transaction, assignment: Assignment, response: Json) -> Submission | None:
    """Return what became of the same answer when it was submitted before; None when none was.

    Raises:
        AlreadySubmitted: another answer was accepted.
    """
    if assignment.state is not AssignmentState.SUBMITTED:
        return None
    if jsontext.canonical(assignment.response) != jsontext.canonical(response):
        raise AlreadySubmitted("Another answer was accepted for this assignment; it cannot be changed.")
    return Submission(assignment=assignment, task=_task_of(tx, assignment))


def _resolve(tx: Transaction, task: Task, actor: str) -> Task:
    """Complete the task from its answers, or ask one more worker."""
    answers = [
        Answer(response=given.response, worker_id=given.worker_id, submitted_at=given.finished_at)
        for given in assignment_rows.answers(tx.session, task.external_id)
    ]
    verdict = None
    if tx.parts.hooks.has("resolve_task"):
        verdict = tx.parts.hooks.resolve_task(tx.context(actor, task.mode), task, answers)
    if verdict is None:
        task_type, params = tx.parts.types.of(task)
        verdict = tx.parts.types.aggregate(task_type, params, answers)
    if verdict is not None:
        return finish.complete(tx, task, verdict, actor)
    if task.answers_wanted >= tx.parts.policy.max_answers:
        return finish.fail(tx, task, f"no_agreement: {task.answers_accepted} answers did not agree", actor)
    queue_rows.want_another_answer(tx.session, task.external_id)
    return attrs.evolve(task, answers_wanted=task.answers_wanted + 1)


def _give_up(
    tx: Transaction, assignment_id: str, worker: Worker, state: AssignmentState, event: str, reason: str | None
) -> Assignment:
    task, assignment = _locked(tx, assignment_id, worker)
    _live(tx, assignment)
    assignment_rows.finish(tx.session, assignment.id, state, tx.now_us, reason=reason)
    _reopen(tx, assignment, task, event, f"worker:{worker.id}", reason)
    return attrs.evolve(assignment, state=state, finished_at=tx.now, reason=reason)


def _reopen(
    tx: Transaction, assignment: Assignment, task: Task, event: str, actor: str, reason: str | None = None
) -> None:
    """Open the slot of an assignment that ended without an answer."""
    queue_rows.reopen_slot(tx.session, task.external_id)
    data = {"assignment_id": assignment.id, "worker_id": assignment.worker_id}
    if reason:
        data["reason"] = reason
    tx.record(event, task, actor, data)


def of_worker(tx: Transaction, assignment_id: str, worker: Worker) -> Assignment:
    """Return an assignment of a worker, whatever became of it.

    Raises:
        NotFound: there is no such assignment, or it is another worker's.
    """
    assignment = assignment_rows.get(tx.session, assignment_id.lower())
    if assignment is None or assignment.worker_id != worker.id:
        raise NotFound(_NO_SUCH_ASSIGNMENT)
    return assignment


def _locked(tx: Transaction, assignment_id: str, worker: Worker) -> tuple[Task, Assignment]:
    """Return an assignment and its task as they are now; until the transaction ends, nobody else changes them."""
    task = task_rows.lock_of_assignment(tx.session, assignment_id.lower())
    if task is None:
        raise NotFound(_NO_SUCH_ASSIGNMENT)
    return task, of_worker(tx, assignment_id, worker)


def _live(tx: Transaction, assignment: Assignment) -> Assignment:
    if assignment.state is not AssignmentState.CLAIMED or assignment.lease_expires_at <= tx.now:
        raise LeaseLost(_why_lost(assignment))
    return assignment


def _why_lost(assignment: Assignment) -> str:
    if assignment.state in (AssignmentState.CLAIMED, AssignmentState.EXPIRED):
        return "The lease of this assignment has run out; claim again."
    return f"This assignment is {assignment.state.value}; claim again."


def _task_of(tx: Transaction, assignment: Assignment) -> Task:
    return task_rows.known(tx.session, assignment.task_id)


def note_rejection(tx: Transaction, assignment_id: str, worker: Worker, rejection: Rejected) -> None:
    """Record that a plugin refused an answer; the assignment stays as it is."""
    assignment = of_worker(tx, assignment_id, worker)
    data = {"assignment_id": assignment.id, "codes": sorted({issue.code for issue in rejection.issues})}
    tx.record("response_rejected", _task_of(tx, assignment), f"worker:{worker.id}", data)
