"""Reading and writing the outbox: deliveries and the attempts made at them.

A pending delivery is due at `due_at`. While it is being sent it carries a
lease token, and `due_at` is when that lease ends: a sender that dies needs no
cleaning up after, its delivery is simply due again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import attrs
from sqlalchemy import ColumnElement, Select, bindparam, null, select, text, update

from workersai_core.clock import from_us, to_us
from workersai_core.lifecycle import CallbackState
from workersai_core.model import Attempt, Delivery, Mode
from workersai_core.store.session import Row, Session, Statement
from workersai_core.store.tables import attempts, deliveries

__all__ = [
    "Sending",
    "add_attempts",
    "bring_back",
    "claim",
    "get",
    "insert",
    "of_state",
    "of_task",
    "release",
    "replay",
    "replay_since",
    "settle",
]


@attrs.frozen(kw_only=True)
class Sending:
    """A delivery that was claimed for sending, under a lease."""

    id: str
    task_id: str
    account: str
    mode: Mode
    event: str
    url: str
    endpoint_id: str
    body: str = attrs.field(repr=False)
    attempts: int
    """Attempts made in the present series; a replay starts a new one."""
    attempts_total: int
    simulated_failures: int
    lease: str
    lease_until_us: int


_DELIVERY: tuple[ColumnElement[Any], ...] = (
    deliveries.c.id,
    deliveries.c.task_id,
    deliveries.c.account,
    deliveries.c.mode,
    deliveries.c.event,
    deliveries.c.url,
    deliveries.c.state,
    deliveries.c.attempts_total,
    deliveries.c.due_at,
)
_IS_PENDING = text("state = 'pending'")
_IS_HELD = (deliveries.c.id == bindparam("delivery_id"), deliveries.c.lease == bindparam("held_lease"), _IS_PENDING)

_INSERT = Statement(deliveries.insert())
_SENDING: tuple[ColumnElement[Any], ...] = (
    deliveries.c.id,
    deliveries.c.task_id,
    deliveries.c.account,
    deliveries.c.mode,
    deliveries.c.event,
    deliveries.c.url,
    deliveries.c.body,
    deliveries.c.attempts,
    deliveries.c.attempts_total,
    deliveries.c.simulated_failures,
)


def _due(*columns: ColumnElement[Any]) -> Select[Any]:
    return (
        select(*columns)
        .where(
            _IS_PENDING,
            deliveries.c.endpoint_id == bindparam("endpoint_id"),
            deliveries.c.replay == bindparam("replay"),
            deliveries.c.due_at <= bindparam("due_by"),
        )
        .order_by(deliveries.c.due_at)
        .limit(bindparam("n"))
    )


def _lease_due() -> Statement:
    """Return the statement that leases what is due and nobody else holds; only for PostgreSQL.

    A plain subquery would not do: without statistics PostgreSQL may evaluate
    it anew for each row of the UPDATE, and lease far more than its LIMIT.
    """
    due = (
        _due(deliveries.c.id, deliveries.c.due_at)
        .with_for_update(skip_locked=True)
        .cte("due")
        .prefix_with("MATERIALIZED")
    )
    leased = update(deliveries).where(deliveries.c.id == due.c.id).values(**_LEASED)
    return Statement(leased.returning(*_SENDING, due.c.due_at))


_LEASED: dict[str, Any] = {"lease": bindparam("new_lease"), "due_at": bindparam("until")}
_DUE = Statement(_due(*_SENDING))
_LEASE = Statement(update(deliveries).where(deliveries.c.id == bindparam("delivery_id")).values(**_LEASED))
_LEASE_DUE = _lease_due()
_SETTLE = Statement(
    update(deliveries)
    .where(*_IS_HELD)
    .values(
        state=bindparam("new_state"),
        attempts=bindparam("new_attempts"),
        attempts_total=bindparam("new_attempts_total"),
        due_at=bindparam("next_due"),
        finished_at=bindparam("finished"),
        lease=null(),
    )
)
_RELEASE = Statement(update(deliveries).where(*_IS_HELD).values(due_at=bindparam("now"), lease=null()))
_BRING_BACK = Statement(
    update(deliveries)
    .where(_IS_PENDING, deliveries.c.due_at > bindparam("latest"))
    .values(due_at=bindparam("brought_to"))
)
_ADD_ATTEMPT = Statement(attempts.insert())
_ATTEMPTS = Statement(
    select(attempts.c.n, attempts.c.at, attempts.c.status, attempts.c.latency_ms, attempts.c.error, attempts.c.answer)
    .where(attempts.c.delivery_id == bindparam("delivery_id"))
    .order_by(attempts.c.n)
)
_GET = Statement(
    select(*_DELIVERY).where(
        deliveries.c.id == bindparam("id"),
        deliveries.c.account == bindparam("account"),
        deliveries.c.mode == bindparam("mode"),
    )
)
_OF_TASK = Statement(
    select(*_DELIVERY)
    .where(deliveries.c.task_id == bindparam("task_id"))
    .order_by(deliveries.c.created_at, deliveries.c.id)
)
_OF_STATE = Statement(
    select(*_DELIVERY)
    .where(
        deliveries.c.account == bindparam("account"),
        deliveries.c.mode == bindparam("mode"),
        deliveries.c.state == bindparam("state"),
    )
    .order_by(deliveries.c.finished_at.desc(), deliveries.c.id.desc())
    .limit(bindparam("n"))
)
_REPLAY_VALUES = {
    "state": text("'pending'"),
    "replay": text("1"),
    "attempts": text("0"),
    "due_at": bindparam("now"),
    "lease": null(),
    "finished_at": null(),
}
_REPLAY = Statement(
    update(deliveries)
    .where(deliveries.c.id == bindparam("delivery_id"), text("state IN ('delivered', 'exhausted')"))
    .values(**_REPLAY_VALUES)
)
_REPLAY_SINCE = Statement(
    update(deliveries)
    .where(
        deliveries.c.account == bindparam("whose"),
        deliveries.c.mode == bindparam("in_mode"),
        deliveries.c.state == bindparam("old_state"),
        deliveries.c.finished_at >= bindparam("since"),
    )
    .values(**_REPLAY_VALUES)
)


def _delivery(row: Row) -> Delivery:
    state = CallbackState(row[6])
    return Delivery(
        id=row[0],
        task_id=row[1],
        account=row[2],
        mode=row[3],
        event=row[4],
        url=row[5],
        state=state,
        attempts_total=row[7],
        next_attempt_at=from_us(row[8]) if state is CallbackState.PENDING else None,
    )


# --- what is owed --------------------------------------------------------------------------------


def insert(
    session: Session,
    delivery_id: str,
    *,
    task_id: str,
    account: str,
    mode: Mode,
    event: str,
    url: str,
    endpoint_id: str,
    body: str,
    state: CallbackState,
    simulated_failures: int,
    now_us: int,
) -> None:
    """Store what is owed for one event of one task."""
    session.run(
        _INSERT,
        {
            "id": delivery_id,
            "task_id": task_id,
            "account": account,
            "mode": mode,
            "event": event,
            "url": url,
            "endpoint_id": endpoint_id,
            "body": body,
            "state": state.value,
            "replay": 0,
            "attempts": 0,
            "attempts_total": 0,
            "simulated_failures": simulated_failures,
            "due_at": now_us,
            "lease": None,
            "created_at": now_us,
            "finished_at": None if state is CallbackState.PENDING else now_us,
        },
    )


def replay(session: Session, delivery_id: str, now_us: int) -> bool:
    """Put a finished delivery back into the queue; return False when it is not finished."""
    return session.run(_REPLAY, {"delivery_id": delivery_id, "now": now_us}) == 1


def replay_since(session: Session, account: str, mode: Mode, state: CallbackState, since_us: int, now_us: int) -> int:
    """Put every delivery that ended in `state` since a time back into the queue; return how many."""
    return session.run(
        _REPLAY_SINCE,
        {"whose": account, "in_mode": mode, "old_state": state.value, "since": since_us, "now": now_us},
    )


# --- sending -------------------------------------------------------------------------------------


def claim(session: Session, endpoint_id: str, limit: int, due_by_us: int, lease: str, until_us: int) -> list[Sending]:
    """Lease up to `limit` deliveries of an endpoint that were due by a time, new ones before replays."""
    leased = {"new_lease": lease, "until": until_us}
    rows: list[Row] = []
    for queue in (0, 1):
        if len(rows) < limit:
            wanted = {"endpoint_id": endpoint_id, "replay": queue, "due_by": due_by_us, "n": limit - len(rows)}
            rows += _lease(session, wanted, leased)
    return [
        Sending(
            id=row[0],
            task_id=row[1],
            account=row[2],
            mode=row[3],
            event=row[4],
            url=row[5],
            endpoint_id=endpoint_id,
            body=row[6],
            attempts=row[7],
            attempts_total=row[8],
            simulated_failures=row[9],
            lease=lease,
            lease_until_us=until_us,
        )
        for row in rows
    ]


def _lease(session: Session, wanted: dict[str, Any], leased: dict[str, Any]) -> list[Row]:
    """Lease deliveries and return them, the first that was due first."""
    if session.dialect == "postgresql":
        return sorted(session.all(_LEASE_DUE, {**wanted, **leased}), key=lambda row: int(row[-1]))
    rows = session.all(_DUE, wanted)
    session.many(_LEASE, [{"delivery_id": row[0], **leased} for row in rows])
    return rows


def settle(
    session: Session,
    sending: Sending,
    *,
    state: CallbackState,
    attempts: int,
    attempts_total: int,
    next_due_us: int,
    now_us: int,
) -> bool:
    """Store what an attempt led to and end its lease; return False when that was lost meanwhile."""
    touched = session.run(
        _SETTLE,
        {
            "delivery_id": sending.id,
            "held_lease": sending.lease,
            "new_state": state.value,
            "new_attempts": attempts,
            "new_attempts_total": attempts_total,
            "next_due": next_due_us,
            "finished": None if state is CallbackState.PENDING else now_us,
        },
    )
    return touched == 1


def add_attempts(session: Session, made: Iterable[tuple[str, Attempt]]) -> None:
    """Append attempts to the log, each with the id of its delivery."""
    session.many(
        _ADD_ATTEMPT,
        [
            {
                "delivery_id": delivery_id,
                "n": attempt.n,
                "at": to_us(attempt.at),
                "status": attempt.status,
                "latency_ms": attempt.latency_ms,
                "error": attempt.error,
                "answer": attempt.answer,
            }
            for delivery_id, attempt in made
        ],
    )


def release(session: Session, sendings: Iterable[Sending], now_us: int) -> None:
    """End the leases of deliveries that were not sent; each is due now, unless its lease was lost meanwhile."""
    session.many(
        _RELEASE,
        [{"delivery_id": sending.id, "held_lease": sending.lease, "now": now_us} for sending in sendings],
    )


def bring_back(session: Session, *, latest_us: int, due_us: int) -> int:
    """Move every delivery that is due after `latest_us` to `due_us`; return how many.

    Only a clock that was set back leaves a due time later than the schedule can make one.
    """
    return session.run(_BRING_BACK, {"latest": latest_us, "brought_to": due_us})


# --- looking -------------------------------------------------------------------------------------


def get(session: Session, delivery_id: str, account: str, mode: Mode) -> Delivery | None:
    """Return a delivery of an account, without its attempts, or None."""
    row = session.one(_GET, {"id": delivery_id, "account": account, "mode": mode})
    return None if row is None else _delivery(row)


def of_task(session: Session, task_id: str) -> list[Delivery]:
    """Return the deliveries of a task with their attempts, oldest first."""
    found = [_delivery(row) for row in session.all(_OF_TASK, {"task_id": task_id})]
    return [attrs.evolve(delivery, attempts=_attempts(session, delivery.id)) for delivery in found]


def _attempts(session: Session, delivery_id: str) -> Sequence[Attempt]:
    return [
        Attempt(n=n, at=from_us(at), status=status, latency_ms=latency_ms, error=error, answer=answer)
        for n, at, status, latency_ms, error, answer in session.all(_ATTEMPTS, {"delivery_id": delivery_id})
    ]


def of_state(session: Session, account: str, mode: Mode, state: CallbackState, limit: int) -> list[Delivery]:
    """Return the deliveries of an account in a state, the last to get there first, without their attempts."""
    rows = session.all(_OF_STATE, {"account": account, "mode": mode, "state": state.value, "n": limit})
    return [_delivery(row) for row in rows]
