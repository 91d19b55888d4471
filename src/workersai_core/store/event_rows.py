"""Reading and writing the event log and the idempotency keys.

Whoever reads the log asks for what follows an event it has seen, so an event
must never appear before one that was handed out. On SQLite transactions follow
one another and numbers do as they should. On PostgreSQL a transaction that took
its numbers early may commit late. There each event also carries the number of
its transaction, which PostgreSQL gives out in one sequence; the log is in the
order of (transaction, event), and it ends before the oldest transaction that
still runs. Whatever commits later has a higher transaction, thus a later place.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs
from sqlalchemy import ClauseElement, bindparam, delete, func, select, text, tuple_, update

from workersai_core import jsontext
from workersai_core.clock import from_us
from workersai_core.model import Event, Mode, Task
from workersai_core.store.session import Row, Session, Statement
from workersai_core.store.tables import events, idempotency

__all__ = [
    "Remembered",
    "adopt",
    "after",
    "any_older",
    "append",
    "append_each",
    "committed",
    "forget",
    "is_foreign",
    "of_task",
    "recall",
    "remember",
    "reserve",
]

_OWN_XACT = text("pg_current_xact_id()::text::bigint")
_OLDEST_RUNNING_XACT = text("pg_snapshot_xmin(pg_current_snapshot())::text::bigint")


def _append(dialect: str) -> ClauseElement:
    values: dict[str, Any] = {
        column.key: bindparam(column.key) for column in events.c if column.key not in ("id", "xact")
    }
    if dialect == "postgresql":
        values["xact"] = _OWN_XACT
    return events.insert().values(values).returning(events.c.id)


_COLUMNS = (
    events.c.id,
    events.c.name,
    events.c.at,
    events.c.task_id,
    events.c.account,
    events.c.mode,
    events.c.actor,
    events.c.data,
)


def _after(dialect: str) -> ClauseElement:
    found = select(*_COLUMNS).limit(bindparam("n"))
    if dialect == "sqlite":
        return found.where(events.c.id > bindparam("after")).order_by(events.c.id)
    anchor = events.alias("anchor")
    # Nothing is known of the transaction before the first event; nor of an event that is not there.
    known = select(anchor.c.xact).where(anchor.c.id == bindparam("after")).scalar_subquery()
    return found.where(
        tuple_(events.c.xact, events.c.id) > tuple_(func.coalesce(known, text("0")), bindparam("after")),
        events.c.xact < _OLDEST_RUNNING_XACT,
    ).order_by(events.c.xact, events.c.id)


_APPEND = Statement(_append)
_NEXT_XACT = "pg_snapshot_xmax(pg_current_snapshot())::text::bigint"
_IS_FOREIGN = Statement(text(f"SELECT EXISTS (SELECT 1 FROM wai_event WHERE xact >= {_NEXT_XACT})"))  # noqa: S608
_ADOPT = Statement(text("UPDATE wai_event SET xact = 0 WHERE xact <> 0"))
_AFTER = Statement(_after)
_OF_TASK = Statement(select(*_COLUMNS).where(events.c.task_id == bindparam("task_id")).order_by(events.c.id))
_BY_ID = Statement(select(*_COLUMNS).where(events.c.id == bindparam("id")))
_RESERVE = Statement(
    text(
        "INSERT INTO wai_idempotency (scope, key, fingerprint, body, created_at)"
        " VALUES (:scope, :key, :fingerprint, '', :created_at) ON CONFLICT (scope, key) DO NOTHING"
    )
)
_REMEMBER = Statement(
    update(idempotency)
    .where(idempotency.c.scope == bindparam("in_scope"), idempotency.c.key == bindparam("under_key"))
    .values(body=bindparam("new_body"))
)
_RECALL = Statement(
    select(idempotency.c.fingerprint, idempotency.c.body).where(
        idempotency.c.scope == bindparam("scope"), idempotency.c.key == bindparam("key")
    )
)
_OLDEST = Statement(select(func.min(idempotency.c.created_at)))
_FORGET = Statement(delete(idempotency).where(idempotency.c.created_at < bindparam("older_than")))


def _event(row: Row) -> Event:
    return Event(
        id=row[0],
        name=row[1],
        at=from_us(row[2]),
        task_id=row[3],
        account_id=row[4],
        mode=row[5],
        actor=row[6],
        data=jsontext.loads(row[7]),
    )


def append(
    session: Session,
    name: str,
    now_us: int,
    *,
    task_id: str | None,
    account: str,
    mode: Mode,
    actor: str,
    data: Mapping[str, Any],
) -> Event:
    """Append one event to the log and return it."""
    values = {
        "name": name,
        "at": now_us,
        "task_id": task_id,
        "account": account,
        "mode": mode,
        "actor": actor,
        "data": jsontext.dumps(data) if data else "{}",
    }
    row = session.all(_APPEND, values)[0]
    return Event(
        id=row[0],
        name=name,
        at=from_us(now_us),
        task_id=task_id,
        account_id=account,
        mode=mode,
        actor=actor,
        data=data,
    )


def append_each(session: Session, name: str, now_us: int, tasks: Sequence[tuple[Task, str]]) -> list[Event]:
    """Append an event without data about each task and its actor, and return them."""
    values = [
        {
            "name": name,
            "at": now_us,
            "task_id": task.external_id,
            "account": task.account,
            "mode": task.mode,
            "actor": actor,
            "data": "{}",
        }
        for task, actor in tasks
    ]
    at = from_us(now_us)
    return [
        Event(
            id=row[0],
            name=name,
            at=at,
            task_id=task.external_id,
            account_id=task.account,
            mode=task.mode,
            actor=actor,
            data={},
        )
        for (task, actor), row in zip(tasks, session.each(_APPEND, values), strict=True)
    ]


def after(session: Session, cursor: int, limit: int) -> list[Event]:
    """Return up to `limit` events that follow the one numbered `cursor`."""
    return [_event(row) for row in session.all(_AFTER, {"after": cursor, "n": limit})]


def is_foreign(session: Session) -> bool:
    """Return whether the log was written by another PostgreSQL server and restored here from a dump."""
    [(found,)] = session.all(_IS_FOREIGN)
    return bool(found)


def adopt(session: Session) -> None:
    """Forget the transactions of another server, which mean nothing here; the numbers of the events stay in order."""
    session.take_time()
    session.run(_ADOPT)


def of_task(session: Session, task_id: str) -> list[Event]:
    """Return the events of one task, oldest first."""
    return [_event(row) for row in session.all(_OF_TASK, {"task_id": task_id})]


def committed(session: Session, recorded: Sequence[Event]) -> list[Event]:
    """Return which of these events are in the log.

    The number alone does not tell: after a rollback the next event may get it.
    """
    found = ((event, session.one(_BY_ID, {"id": event.id})) for event in recorded)
    return [event for event, row in found if row is not None and _event(row) == event]


@attrs.frozen
class Remembered:
    """What was answered to the first request with an idempotency key."""

    fingerprint: str
    body: str


def recall(session: Session, scope: str, key: str) -> Remembered | None:
    """Return what is remembered under a key, or None."""
    row = session.one(_RECALL, {"scope": scope, "key": key})
    return None if row is None else Remembered(*row)


def reserve(session: Session, scope: str, key: str, fingerprint: str, now_us: int) -> bool:
    """Note the first request with a key; return False when there was one.

    On PostgreSQL it waits for the end of another transaction that reserved the
    key, and is the first if that one is undone.
    """
    row = {"scope": scope, "key": key, "fingerprint": fingerprint, "created_at": now_us}
    return session.run(_RESERVE, row) == 1


def remember(session: Session, scope: str, key: str, body: str) -> None:
    """Store the answer to the request that reserved a key."""
    session.run(_REMEMBER, {"in_scope": scope, "under_key": key, "new_body": body})


def any_older(session: Session, than_us: int) -> bool:
    """Return whether a key was first used before a time."""
    row = session.one(_OLDEST)
    return row is not None and row[0] is not None and row[0] < than_us


def forget(session: Session, older_than_us: int) -> int:
    """Forget the keys first used before a time; return how many."""
    return session.run(_FORGET, {"older_than": older_than_us})
