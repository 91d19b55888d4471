"""Reading and writing the event log and the idempotency keys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs
from sqlalchemy import bindparam, delete, func, select

from workersai_core import jsontext
from workersai_core.clock import from_us
from workersai_core.model import Event, Mode
from workersai_core.store.session import Row, Session, Statement
from workersai_core.store.tables import events, idempotency

__all__ = ["Remembered", "after", "any_older", "append", "committed", "forget", "of_task", "recall", "remember"]

_APPEND = Statement(
    events.insert()
    .values({column.key: bindparam(column.key) for column in events.c if column.key != "id"})
    .returning(events.c.id)
)
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
_AFTER = Statement(
    select(*_COLUMNS).where(events.c.id > bindparam("after")).order_by(events.c.id).limit(bindparam("n"))
)
_OF_TASK = Statement(select(*_COLUMNS).where(events.c.task_id == bindparam("task_id")).order_by(events.c.id))
_BY_ID = Statement(select(*_COLUMNS).where(events.c.id == bindparam("id")))
_REMEMBER = Statement(idempotency.insert())
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


def after(session: Session, cursor: int, limit: int) -> list[Event]:
    """Return up to `limit` events that follow the one numbered `cursor`."""
    return [_event(row) for row in session.all(_AFTER, {"after": cursor, "n": limit})]


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


def remember(session: Session, scope: str, key: str, fingerprint: str, body: str, now_us: int) -> None:
    """Remember the answer to the first request with a key."""
    session.run(
        _REMEMBER,
        {"scope": scope, "key": key, "fingerprint": fingerprint, "body": body, "created_at": now_us},
    )


def any_older(session: Session, than_us: int) -> bool:
    """Return whether a key was first used before a time."""
    row = session.one(_OLDEST)
    return row is not None and row[0] is not None and row[0] < than_us


def forget(session: Session, older_than_us: int) -> int:
    """Forget the keys first used before a time; return how many."""
    return session.run(_FORGET, {"older_than": older_than_us})
