"""Reading and writing tasks."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    ClauseElement,
    ColumnElement,
    and_,
    bindparam,
    literal_column,
    null,
    select,
    text,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from workersai_core import jsontext
from workersai_core.callbacks.addresses import is_reserved_example
from workersai_core.clock import FOREVER, from_us, to_us
from workersai_core.errors import NotFound
from workersai_core.lifecycle import CallbackState, TaskStatus
from workersai_core.model import Mode, Task, TaskDraft
from workersai_core.store.session import Row, Session, Statement
from workersai_core.store.tables import assignments, deliveries, task_metadata, tasks

__all__ = [
    "COLUMNS",
    "find_unique_id",
    "finish",
    "from_row",
    "get",
    "insert",
    "known",
    "lock",
    "lock_of_assignment",
    "metadata_text",
    "note_answer",
]

_INDEXED_METADATA = 50
_INDEXED_CHARACTERS = 255

_callback_state = (
    select(deliveries.c.state).where(deliveries.c.task_id == tasks.c.id).limit(literal_column("1")).scalar_subquery()
)
COLUMNS: tuple[ColumnElement[Any], ...] = (
    tasks.c.id,
    tasks.c.account,
    tasks.c.mode,
    tasks.c.task_type,
    tasks.c.task_type_version,
    tasks.c.callback_url,
    tasks.c.callback_events,
    tasks.c.instruction,
    tasks.c.params,
    tasks.c.response,
    tasks.c.metadata,
    tasks.c.status,
    tasks.c.overlap,
    tasks.c.answers_wanted,
    tasks.c.answers_accepted,
    tasks.c.priority,
    tasks.c.deadline_at,
    tasks.c.unique_id,
    tasks.c.tags,
    tasks.c.confidence,
    tasks.c.error,
    tasks.c.created_at,
    tasks.c.completed_at,
    _callback_state,
)
_MINE = and_(tasks.c.account == bindparam("account"), tasks.c.mode == bindparam("mode"))


def _insert(dialect: str) -> ClauseElement:
    insert_into = sqlite.insert if dialect == "sqlite" else postgresql.insert
    return insert_into(tasks).on_conflict_do_nothing(
        index_elements=[tasks.c.account, tasks.c.mode, tasks.c.unique_id], index_where=text("unique_id IS NOT NULL")
    )


_INSERT = Statement(_insert)
_INSERT_METADATA = Statement(task_metadata.insert())
_GET = Statement(select(*COLUMNS).where(tasks.c.id == bindparam("id")))
_GET_MINE = Statement(select(*COLUMNS).where(tasks.c.id == bindparam("id"), _MINE))
_LOCK_MINE = Statement(select(*COLUMNS).where(tasks.c.id == bindparam("id"), _MINE).with_for_update(of=tasks))
_OF_ASSIGNMENT = select(assignments.c.task_id).where(assignments.c.id == bindparam("assignment_id")).scalar_subquery()
_LOCK_OF_ASSIGNMENT = Statement(select(*COLUMNS).where(tasks.c.id == _OF_ASSIGNMENT).with_for_update(of=tasks))
_BY_UNIQUE_ID = Statement(select(tasks.c.id).where(_MINE, tasks.c.unique_id == bindparam("unique_id")))
_FINISH = Statement(
    update(tasks)
    .where(tasks.c.id == bindparam("task_id"))
    .values(
        status=bindparam("new_status"),
        response=bindparam("new_response"),
        confidence=bindparam("new_confidence"),
        error=bindparam("new_error"),
        completed_at=bindparam("now"),
        open_slots=text("0"),
        wake_at=null(),
    )
)
_NOTE_ANSWER = Statement(
    update(tasks).where(tasks.c.id == bindparam("task_id")).values(answers_accepted=text("answers_accepted + 1"))
)


def insert(session: Session, draft: TaskDraft, task_id: str, now_us: int, wake_us: int | None) -> Task | None:
    """Store a new pending task and return it; None when another one has its `unique_id`."""
    stored = session.run(
        _INSERT,
        {
            "id": task_id,
            "account": draft.account,
            "mode": draft.mode,
            "task_type": draft.task_type,
            "task_type_version": draft.task_type_version,
            "status": "pending",
            "callback_url": draft.callback_url,
            "callback_events": " ".join(sorted(draft.callback_events)),
            "instruction": draft.instruction,
            "params": draft.params_json,
            "metadata": draft.metadata_json,
            "response": "{}",
            "overlap": draft.overlap,
            "answers_wanted": draft.overlap,
            "answers_accepted": 0,
            "open_slots": draft.overlap if draft.mode == "live" else 0,
            "priority": draft.priority,
            "deadline_at": FOREVER if draft.deadline_at is None else to_us(draft.deadline_at),
            "wake_at": wake_us,
            "unique_id": draft.unique_id,
            "tags": jsontext.dumps(draft.tags),
            "confidence": None,
            "error": None,
            "created_at": now_us,
            "completed_at": None,
        },
    )
    if stored == 0:
        return None
    _insert_metadata(session, draft, task_id, now_us)
    return _drafted(draft, task_id, now_us)


def _insert_metadata(session: Session, draft: TaskDraft, task_id: str, now_us: int) -> None:
    rows = [
        {
            "account": draft.account,
            "mode": draft.mode,
            "key": name,
            "value": words,
            "created_at": now_us,
            "task_id": task_id,
        }
        for name, value in list(draft.metadata.items())[:_INDEXED_METADATA]
        if len(name) <= _INDEXED_CHARACTERS
        and (words := metadata_text(value)) is not None
        and len(words) <= _INDEXED_CHARACTERS
    ]
    if rows:
        session.many(_INSERT_METADATA, rows)


def metadata_text(value: Any) -> str | None:
    """Return the text by which a metadata value is found; None for arrays and objects."""
    if isinstance(value, str):
        return value
    return None if isinstance(value, list | dict) else jsontext.dumps(value)


def _drafted(draft: TaskDraft, task_id: str, now_us: int) -> Task:
    return Task(
        external_id=task_id,
        account=draft.account,
        mode=draft.mode,
        task_type=draft.task_type,
        task_type_version=draft.task_type_version,
        callback_url=draft.callback_url,
        callback_events=draft.callback_events,
        instruction=draft.instruction,
        params_json=draft.params_json,
        response_json="{}",
        metadata_json=draft.metadata_json,
        status=TaskStatus.PENDING,
        overlap=draft.overlap,
        answers_wanted=draft.overlap,
        answers_accepted=0,
        priority=draft.priority,
        deadline_at=draft.deadline_at,
        unique_id=draft.unique_id,
        tags=draft.tags,
        confidence=None,
        error=None,
        callback_state=CallbackState.SKIPPED if is_reserved_example(draft.callback_url) else None,
        created_at=from_us(now_us),
        completed_at=None,
    )


def from_row(row: Row) -> Task:
    """Return the task of a row of `COLUMNS`."""
    callback_state = row[23]
    if callback_state is None and is_reserved_example(row[5]):
        callback_state = "skipped"
    return Task(
        external_id=row[0],
        account=row[1],
        mode=row[2],
        task_type=row[3],
        task_type_version=row[4],
        callback_url=row[5],
        callback_events=frozenset(row[6].split()),
        instruction=row[7],
        params_json=row[8],
        response_json=row[9],
        metadata_json=row[10],
        status=TaskStatus(row[11]),
        overlap=row[12],
        answers_wanted=row[13],
        answers_accepted=row[14],
        priority=row[15],
        deadline_at=None if row[16] == FOREVER else from_us(row[16]),
        unique_id=row[17],
        tags=() if row[18] == "[]" else tuple(jsontext.loads(row[18])),
        confidence=row[19],
        error=row[20],
        created_at=from_us(row[21]),
        completed_at=None if row[22] is None else from_us(row[22]),
        callback_state=None if callback_state is None else CallbackState(callback_state),
    )


def get(session: Session, task_id: str, *, account: str | None = None, mode: Mode | None = None) -> Task | None:
    """Return a task by id, or None; with an account and a mode only if it is theirs."""
    if account is None:
        row = session.one(_GET, {"id": task_id})
    else:
        row = session.one(_GET_MINE, {"id": task_id, "account": account, "mode": mode})
    return None if row is None else from_row(row)


def lock(session: Session, task_id: str, *, account: str, mode: Mode) -> Task | None:
    """Return a task as it is now, if it is theirs, and let nobody else change it or its assignments until the end.

    Every command locks the task before it changes an assignment, so that two of them cannot wait for each other.
    """
    row = session.one(_LOCK_MINE, {"id": task_id, "account": account, "mode": mode})
    return None if row is None else from_row(row)


def lock_of_assignment(session: Session, assignment_id: str) -> Task | None:
    """Return the task of an assignment, or None, as `lock` does."""
    row = session.one(_LOCK_OF_ASSIGNMENT, {"assignment_id": assignment_id})
    return None if row is None else from_row(row)


def known(session: Session, task_id: str) -> Task:
    """Return a task that another row speaks of.

    Raises:
        NotFound: it is gone, which no command does.
    """
    task = get(session, task_id)
    if task is None:
        raise NotFound(f"The task {task_id} is gone.")
    return task


def find_unique_id(session: Session, account: str, mode: Mode, unique_id: str) -> str | None:
    """Return the id of the task that has this `unique_id`, or None."""
    row = session.one(_BY_UNIQUE_ID, {"account": account, "mode": mode, "unique_id": unique_id})
    return None if row is None else row[0]


def finish(
    session: Session,
    task_id: str,
    status: TaskStatus,
    now_us: int,
    *,
    response_json: str = "{}",
    confidence: float | None = None,
    error: str | None = None,
) -> None:
    """Move a task to a final state; it is neither claimable nor due any more."""
    session.run(
        _FINISH,
        {
            "task_id": task_id,
            "new_status": status.value,
            "new_response": response_json,
            "new_confidence": confidence,
            "new_error": error,
            "now": now_us,
        },
    )


def note_answer(session: Session, task_id: str) -> None:
    """Count one accepted answer."""
    session.run(_NOTE_ANSWER, {"task_id": task_id})
