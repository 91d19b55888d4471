"""What clients were told, held against what the service has kept: an independent judge of its promises.

It knows nothing of the service's own code. It reads the notes of the clients
and of the receiver, the tasks as the API lists them and the rows of
assignments, and says every promise that was broken.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import attrs

__all__ = [
    "Answer",
    "Arrival",
    "Assignment",
    "Creation",
    "History",
    "Kept",
    "assignments_in",
    "broken_promises",
    "summary",
]


@attrs.frozen(kw_only=True)
class Creation:
    """A creation that was acknowledged."""

    key: str
    content: Mapping[str, Any]
    task: Mapping[str, Any]


@attrs.frozen(kw_only=True)
class Answer:
    """An answer of a worker that was sent."""

    assignment_id: str
    task_id: str
    response: Any
    task_status: str | None = None
    """What the acknowledgement said of the task; None when none came."""


@attrs.frozen(kw_only=True)
class Arrival:
    """A callback as it arrived."""

    webhook_id: str
    body: Mapping[str, Any]
    verified: bool
    answered: int
    """The status that the receiver gave; 0 when it gave none."""


@attrs.define
class History:
    """The notes of all clients and of the receiver. Appending is safe from many threads."""

    asked: dict[str, Mapping[str, Any]] = attrs.field(factory=dict)
    """The content of every creation that was sent, by its key."""
    creations: list[Creation] = attrs.field(factory=list)
    cancels: list[str] = attrs.field(factory=list)
    """Tasks whose cancellation was acknowledged."""
    answers: list[Answer] = attrs.field(factory=list)
    """Every answer that was sent; once more for each acknowledgement."""
    arrivals: list[Arrival] = attrs.field(factory=list)
    surprises: list[str] = attrs.field(factory=list)
    """Answers of the service that should not occur."""


@attrs.frozen(kw_only=True)
class Assignment:
    """A row of the database."""

    id: str
    task_id: str
    worker_id: str
    slot: int
    state: str
    response: Any


@attrs.frozen(kw_only=True)
class Kept:
    """What the service has kept when everything is quiet."""

    tasks: Sequence[Mapping[str, Any]]
    """As the API lists them."""
    assignments: Sequence[Assignment]


def assignments_in(database: Path) -> list[Assignment]:
    """Read the assignments of a SQLite database."""
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        rows = connection.execute("SELECT id, task_id, worker_id, slot, state, response FROM wai_assignment").fetchall()
    return [
        Assignment(
            id=row[0],
            task_id=row[1],
            worker_id=row[2],
            slot=row[3],
            state=row[4],
            response=None if row[5] is None else json.loads(row[5]),
        )
        for row in rows
    ]


def broken_promises(history: History, kept: Kept) -> list[str]:
    """Return every broken promise, each as ``Invariant: what happened``."""
    tasks = {task["external_id"]: task for task in kept.tasks}
    return [
        *(f"surprise: {told}" for told in history.surprises),
        *_lost_creations(history, tasks),
        *_repeated_creations(history, kept),
        *_shared_slots(kept),
        *_lost_answers(history, kept),
        *_changed_ends(history, tasks),
        *_wrong_completions(kept),
        *_lost_callbacks(history, tasks),
    ]


def summary(history: History, accidents: int) -> str:
    """Return how much was promised, for whoever reads the report of a long run."""
    acknowledged = [answer for answer in history.answers if answer.task_status is not None]
    taken = Counter(arrival.webhook_id for arrival in history.arrivals if 200 <= arrival.answered < 300)
    return (
        f"{accidents} accidents; acknowledged: {len(history.creations)} creations, {len(acknowledged)} answers,"
        f" {len(history.cancels)} cancellations; {len(taken)} callbacks taken,"
        f" of them {sum(1 for times in taken.values() if times > 1)} more than once"
    )


def _lost_creations(history: History, tasks: Mapping[str, Any]) -> Iterator[str]:
    for creation in history.creations:
        task_id = creation.task["external_id"]
        task = tasks.get(task_id)
        if task is None:
            yield f"I1: the acknowledged task {task_id} is gone"
            continue
        for name, value in creation.content.items():
            if task[name] != value:
                yield f"I1: {name} of task {task_id} is {task[name]!r} and was created as {value!r}"


def _repeated_creations(history: History, kept: Kept) -> Iterator[str]:
    told: dict[str, set[str]] = defaultdict(set)
    for creation in history.creations:
        told[creation.key].add(creation.task["external_id"])
    made = Counter(task["metadata"]["key"] for task in kept.tasks)
    for key, ids in told.items():
        if len(ids) > 1:
            yield f"I2: the key {key} was answered with the tasks {sorted(ids)}"
    for key, count in made.items():
        if key not in history.asked:
            yield f"I2: nobody asked for the task of key {key}"
        elif count > 1:
            yield f"I2: {count} tasks were made for the key {key}"


def _shared_slots(kept: Kept) -> Iterator[str]:
    holding = [each for each in kept.assignments if each.state in ("claimed", "submitted")]
    for (task_id, slot), count in Counter((each.task_id, each.slot) for each in holding).items():
        if count > 1:
            yield f"I3: slot {slot} of task {task_id} is held {count} times"
    for (task_id, worker_id), count in Counter((each.task_id, each.worker_id) for each in holding).items():
        if count > 1:
            yield f"I3: worker {worker_id} answers task {task_id} {count} times"


def _lost_answers(history: History, kept: Kept) -> Iterator[str]:
    stored = {each.id: each for each in kept.assignments if each.state == "submitted"}
    sent = defaultdict(list)
    for answer in history.answers:
        sent[answer.assignment_id].append(answer.response)
        if answer.task_status is None:
            continue
        row = stored.get(answer.assignment_id)
        if row is None:
            yield f"I4: the acknowledged answer to assignment {answer.assignment_id} is gone"
        elif (row.response, row.task_id) != (answer.response, answer.task_id):
            yield f"I4: assignment {answer.assignment_id} keeps {row.response!r}, acknowledged was {answer.response!r}"
    for assignment_id, row in stored.items():
        if row.response not in sent[assignment_id]:
            yield f"I4: nobody sent the answer {row.response!r} of assignment {assignment_id}"


def _changed_ends(history: History, tasks: Mapping[str, Any]) -> Iterator[str]:
    for task_id in history.cancels:
        if tasks[task_id]["status"] != "canceled":
            yield f"I6: task {task_id} was canceled and is {tasks[task_id]['status']}"
    for answer in history.answers:
        if answer.task_status == "completed" and tasks[answer.task_id]["status"] != "completed":
            yield f"I6: task {answer.task_id} was completed and is {tasks[answer.task_id]['status']}"


def _wrong_completions(kept: Kept) -> Iterator[str]:
    answers = Counter(each.task_id for each in kept.assignments if each.state == "submitted")
    for task in kept.tasks:
        task_id, enough = task["external_id"], answers[task["external_id"]] >= task["overlap"]
        if task["is_test"] and task["status"] != "completed":
            yield f"I7: the test task {task_id} is {task['status']}"
        if not task["is_test"] and (task["status"] == "completed") != enough and task["status"] != "canceled":
            yield f"I7: task {task_id} is {task['status']} with {answers[task_id]} of {task['overlap']} answers"
        if answers[task_id] > task["overlap"]:
            yield f"I7: task {task_id} has {answers[task_id]} answers and wanted {task['overlap']}"


def _lost_callbacks(history: History, tasks: Mapping[str, Any]) -> Iterator[str]:
    arrived: dict[str, list[Arrival]] = defaultdict(list)
    for arrival in history.arrivals:
        arrived[arrival.body["external_id"]].append(arrival)
        if not arrival.verified:
            yield f"signature: a callback of task {arrival.body['external_id']} does not verify"
    for task_id, task in tasks.items():
        calls = arrived.pop(task_id, [])
        if task["status"] != "completed":
            if calls:
                yield f"I8: a callback came for task {task_id}, which is {task['status']}"
            continue
        if not any(200 <= call.answered < 300 for call in calls):
            yield f"I9: the callback of task {task_id} never arrived"
        if len({call.webhook_id for call in calls}) > 1:
            yield f"I8: the callback of task {task_id} came under several webhook-ids"
        yield from _wrong_bodies(task, calls)
    for task_id in arrived:
        yield f"I8: a callback came for task {task_id}, which is not there"


def _wrong_bodies(task: Mapping[str, Any], calls: Sequence[Arrival]) -> Iterator[str]:
    for call in calls:
        wrong = [name for name, value in call.body.items() if task[name] != value]
        if wrong:
            yield f"I8: a callback of task {task['external_id']} has another {', '.join(wrong)} than the task"
            return
