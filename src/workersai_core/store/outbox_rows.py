"""Reading and writing the outbox: deliveries, their attempts, endpoints and secrets."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import attrs
from sqlalchemy import ColumnElement, bindparam, func, null, select, text, update

from workersai_core.clock import from_us, to_us
from workersai_core.lifecycle import CallbackState
from workersai_core.model import Attempt, Delivery, Endpoint, Mode, WebhookSecret
from workersai_core.store.session import Row, Session, Statement
from workersai_core.store.tables import attempts, deliveries, endpoints, secrets

__all__ = ["DueEndpoint", "Sending"]


@attrs.frozen(kw_only=True)
class DueEndpoint:
    """An endpoint that has a delivery due."""

    id: str
    slow: bool
    known: bool
    """Whether it ever answered 2XX."""


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
_INSERT = Statement(deliveries.insert())
_ADD_ENDPOINT = Statement(
    text(
        "INSERT INTO wai_endpoint (id, account, origin, created_at, slow)"
        " VALUES (:id, :account, :origin, :now, 0) ON CONFLICT (id) DO NOTHING"
    )
)
# A loose index scan: one probe for each endpoint that has work, however much work it has.
_DUE_ENDPOINTS = Statement(
    text(
        "WITH RECURSIVE waiting(id) AS ("
        " SELECT min(endpoint_id) FROM wai_delivery WHERE state = 'pending'"
        " UNION ALL"
        " SELECT (SELECT min(endpoint_id) FROM wai_delivery WHERE state = 'pending' AND endpoint_id > waiting.id)"
        " FROM waiting WHERE waiting.id IS NOT NULL)"
        " SELECT e.id, e.slow, e.succeeded_at FROM waiting JOIN wai_endpoint e ON e.id = waiting.id"
        " WHERE e.disabled_at IS NULL AND EXISTS ("
        " SELECT 1 FROM wai_delivery d WHERE d.state = 'pending' AND d.endpoint_id = e.id"
        " AND d.replay IN (0, 1) AND d.due_at <= :now)"
    )
)
_DUE = Statement(
    select(
        deliveries.c.id,
        deliveries.c.task_id,
        deliveries.c.account,
        deliveries.c.mode,
        deliveries.c.event,
        deliveries.c.url,
        deliveries.c.endpoint_id,
        deliveries.c.body,
        deliveries.c.attempts,
        deliveries.c.attempts_total,
        deliveries.c.simulated_failures,
    )
    .where(
        _IS_PENDING,
        deliveries.c.endpoint_id == bindparam("endpoint_id"),
        deliveries.c.replay == bindparam("replay"),
        deliveries.c.due_at <= bindparam("now"),
    )
    .order_by(deliveries.c.due_at)
    .limit(bindparam("n"))
    .with_for_update(skip_locked=True)
)
_LEASE = Statement(
    update(deliveries)
    .where(deliveries.c.id == bindparam("delivery_id"))
    .values(lease=bindparam("new_lease"), due_at=bindparam("until"))
)
_SETTLE = Statement(
    update(deliveries)
    .where(deliveries.c.id == bindparam("delivery_id"), deliveries.c.lease == bindparam("held_lease"), _IS_PENDING)
    .values(
        state=bindparam("new_state"),
        attempts=bindparam("new_attempts"),
        attempts_total=bindparam("new_attempts_total"),
        due_at=bindparam("next_due"),
        finished_at=bindparam("finished"),
        lease=null(),
    )
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
    select(*_DELIVERY).where(deliveries.c.task_id == bindparam("task_id")).order_by(deliveries.c.created_at)
)
_OF_STATE = Statement(
    select(*_DELIVERY)
    .where(
        deliveries.c.account == bindparam("account"),
        deliveries.c.mode == bindparam("mode"),
        deliveries.c.state == bindparam("state"),
    )
    .order_by(deliveries.c.created_at.desc(), deliveries.c.id.desc())
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
_ENDPOINT_HEALTH = Statement(
    select(endpoints.c.succeeded_at, endpoints.c.failing_since, endpoints.c.slow).where(
        endpoints.c.id == bindparam("id")
    )
)
_SET_HEALTH = Statement(
    update(endpoints)
    .where(endpoints.c.id == bindparam("endpoint_id"))
    .values(succeeded_at=bindparam("succeeded"), failing_since=bindparam("failing"), slow=bindparam("is_slow"))
)
_DISABLE = Statement(
    update(endpoints)
    .where(endpoints.c.id == bindparam("endpoint_id"), text("disabled_at IS NULL"))
    .values(disabled_at=bindparam("now"), reason=bindparam("why"))
)
_ENABLE = Statement(
    update(endpoints)
    .where(endpoints.c.id == bindparam("endpoint_id"), endpoints.c.account == bindparam("whose"))
    .values(disabled_at=null(), reason=null(), failing_since=null(), slow=text("0"))
)
_ENDPOINTS = Statement(
    select(
        endpoints.c.id,
        endpoints.c.account,
        endpoints.c.origin,
        endpoints.c.failing_since,
        endpoints.c.disabled_at,
        endpoints.c.reason,
        select(func.count())
        .select_from(deliveries)
        .where(deliveries.c.endpoint_id == endpoints.c.id, text("wai_delivery.state = 'pending'"))
        .scalar_subquery(),
    )
    .where(endpoints.c.account == bindparam("account"))
    .order_by(endpoints.c.origin)
)
_OLDEST_DUE = Statement(select(func.min(deliveries.c.due_at)).where(_IS_PENDING))
_SECRETS = Statement(
    select(secrets.c.id, secrets.c.secret, secrets.c.created_at, secrets.c.expires_at)
    .where(
        secrets.c.account == bindparam("account"),
        (secrets.c.expires_at.is_(None)) | (secrets.c.expires_at > bindparam("now")),
    )
    .order_by(secrets.c.id.desc())
)
_RETIRE_SECRET = Statement(
    update(secrets)
    .where(secrets.c.account == bindparam("whose"), text("expires_at IS NULL"))
    .values(expires_at=bindparam("until"))
)
_ADD_SECRET = Statement(
    text("INSERT INTO wai_secret (account, secret, created_at) VALUES (:account, :secret, :now) ON CONFLICT DO NOTHING")
)


def _time(microseconds: int | None) -> datetime | None:
    return None if microseconds is None else from_us(microseconds)


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


def add_endpoint(session: Session, endpoint_id: str, account: str, origin: str, now_us: int) -> None:
    """Make sure the endpoint is known."""
    session.run(_ADD_ENDPOINT, {"id": endpoint_id, "account": account, "origin": origin, "now": now_us})


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


def due_endpoints(session: Session, now_us: int) -> list[DueEndpoint]:
    """Return the enabled endpoints that have a delivery due, in the order of their ids."""
    return [
        DueEndpoint(id=endpoint_id, slow=bool(slow), known=succeeded_at is not None)
        for endpoint_id, slow, succeeded_at in session.all(_DUE_ENDPOINTS, {"now": now_us})
    ]


def claim(session: Session, endpoint_id: str, limit: int, now_us: int, lease: str, until_us: int) -> list[Sending]:
    """Lease up to `limit` due deliveries of an endpoint, new ones before replays."""
    rows: list[Row] = []
    for replay in (0, 1):
        if len(rows) < limit:
            rows += session.all(
                _DUE, {"endpoint_id": endpoint_id, "replay": replay, "now": now_us, "n": limit - len(rows)}
            )
    session.many(_LEASE, [{"delivery_id": row[0], "new_lease": lease, "until": until_us} for row in rows])
    return [
        Sending(
            id=row[0],
            task_id=row[1],
            account=row[2],
            mode=row[3],
            event=row[4],
            url=row[5],
            endpoint_id=row[6],
            body=row[7],
            attempts=row[8],
            attempts_total=row[9],
            simulated_failures=row[10],
            lease=lease,
            lease_until_us=until_us,
        )
        for row in rows
    ]


def settle(
    session: Session,
    sending: Sending,
    attempt: Attempt,
    state: CallbackState,
    next_due_us: int,
    now_us: int,
) -> bool:
    """Record an attempt and what follows; return False when the lease was lost meanwhile."""
    touched = session.run(
        _SETTLE,
        {
            "delivery_id": sending.id,
            "held_lease": sending.lease,
            "new_state": state.value,
            "new_attempts": sending.attempts + 1,
            "new_attempts_total": attempt.n,
            "next_due": next_due_us,
            "finished": None if state is CallbackState.PENDING else now_us,
        },
    )
    if touched != 1:
        return False
    session.run(
        _ADD_ATTEMPT,
        {
            "delivery_id": sending.id,
            "n": attempt.n,
            "at": to_us(attempt.at),
            "status": attempt.status,
            "latency_ms": attempt.latency_ms,
            "error": attempt.error,
            "answer": attempt.answer,
        },
    )
    return True


def with_attempts(session: Session, delivery: Delivery) -> Delivery:
    """Return the delivery with its attempts, oldest first."""
    made = [
        Attempt(n=n, at=from_us(at), status=status, latency_ms=latency_ms, error=error, answer=answer)
        for n, at, status, latency_ms, error, answer in session.all(_ATTEMPTS, {"delivery_id": delivery.id})
    ]
    return attrs.evolve(delivery, attempts=made)


def get(session: Session, delivery_id: str, account: str, mode: Mode) -> Delivery | None:
    """Return a delivery of an account, or None."""
    row = session.one(_GET, {"id": delivery_id, "account": account, "mode": mode})
    return None if row is None else _delivery(row)


def of_task(session: Session, task_id: str) -> list[Delivery]:
    """Return the deliveries of a task with their attempts, oldest first."""
    return [with_attempts(session, _delivery(row)) for row in session.all(_OF_TASK, {"task_id": task_id})]


def of_state(session: Session, account: str, mode: Mode, state: CallbackState, limit: int) -> list[Delivery]:
    """Return the newest deliveries of an account in a state, without their attempts."""
    rows = session.all(_OF_STATE, {"account": account, "mode": mode, "state": state.value, "n": limit})
    return [_delivery(row) for row in rows]


def replay(session: Session, delivery_id: str, now_us: int) -> bool:
    """Put a finished delivery back into the queue; return False when it is not finished."""
    return session.run(_REPLAY, {"delivery_id": delivery_id, "now": now_us}) == 1


def replay_since(session: Session, account: str, mode: Mode, state: CallbackState, since_us: int, now_us: int) -> int:
    """Put every delivery that ended in `state` since a time back into the queue; return how many."""
    return session.run(
        _REPLAY_SINCE,
        {"whose": account, "in_mode": mode, "old_state": state.value, "since": since_us, "now": now_us},
    )


def note_health(session: Session, endpoint_id: str, *, ok: bool, slow: bool, now_us: int) -> datetime | None:
    """Record whether an endpoint works; return since when it only fails, or None.

    A healthy endpoint that stays healthy costs a read and no write.
    """
    row = session.one(_ENDPOINT_HEALTH, {"id": endpoint_id})
    if row is None:
        return None
    succeeded_at, failing_since, was_slow = row
    if ok:
        changed = succeeded_at is None or failing_since is not None or bool(was_slow) != slow
        succeeded_at, failing_since = now_us, None
    else:
        changed = failing_since is None or bool(was_slow) != slow
        failing_since = now_us if failing_since is None else failing_since
    if changed:
        session.run(
            _SET_HEALTH,
            {"endpoint_id": endpoint_id, "succeeded": succeeded_at, "failing": failing_since, "is_slow": int(slow)},
        )
    return _time(failing_since)


def disable(session: Session, endpoint_id: str, why: str, now_us: int) -> bool:
    """Stop calling an endpoint; return whether it was enabled before."""
    return session.run(_DISABLE, {"endpoint_id": endpoint_id, "why": why, "now": now_us}) == 1


def enable(session: Session, endpoint_id: str, account: str) -> bool:
    """Call an endpoint again; return False when the account has no such endpoint."""
    return session.run(_ENABLE, {"endpoint_id": endpoint_id, "whose": account}) == 1


def endpoints_of(session: Session, account: str) -> list[Endpoint]:
    """Return the endpoints of an account and how much waits for each."""
    return [
        Endpoint(
            id=row[0],
            account=row[1],
            origin=row[2],
            failing_since=_time(row[3]),
            disabled_at=_time(row[4]),
            reason=row[5],
            pending=row[6],
        )
        for row in session.all(_ENDPOINTS, {"account": account})
    ]


def oldest_due(session: Session) -> datetime | None:
    """Return when the delivery that is due first is due; None when nothing waits."""
    row = session.one(_OLDEST_DUE)
    return None if row is None else _time(row[0])


def valid_secrets(session: Session, account: str, now_us: int) -> Sequence[WebhookSecret]:
    """Return the secrets that sign an account's callbacks now, the newest first."""
    return [
        WebhookSecret(id=row[0], secret=row[1], created_at=from_us(row[2]), expires_at=_time(row[3]))
        for row in session.all(_SECRETS, {"account": account, "now": now_us})
    ]


def add_secret(session: Session, account: str, secret: str, now_us: int) -> None:
    """Make `secret` the newest of an account, unless it has a newest one."""
    session.run(_ADD_SECRET, {"account": account, "secret": secret, "now": now_us})


def retire_secret(session: Session, account: str, until_us: int) -> None:
    """Let the newest secret of an account end at a time."""
    session.run(_RETIRE_SECRET, {"whose": account, "until": until_us})
