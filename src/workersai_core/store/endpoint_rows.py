"""Reading and writing the endpoints: who is called back, how that goes, and who has work due."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import attrs
from sqlalchemy import Select, bindparam, func, null, select, text, update

from workersai_core.clock import from_us
from workersai_core.model import Endpoint
from workersai_core.store.session import Row, Session, Statement
from workersai_core.store.tables import deliveries, endpoints

__all__ = ["Record", "Waiting", "add", "disable", "enable", "get", "of_account", "oldest_due", "record_of", "waiting"]


@attrs.frozen(kw_only=True)
class Waiting:
    """An enabled endpoint that has deliveries waiting."""

    id: str
    due_us: int
    """When the first of them is due."""
    slow: bool
    """Whether its last answer was a failure or slow."""
    known: bool
    """Whether it ever answered 2XX."""


@attrs.frozen
class Record:
    """How an endpoint has answered so far; times in microseconds since 1970."""

    succeeded_us: int | None
    """When it last was seen to answer 2XX after it had not."""
    failing_since_us: int | None
    slow: bool

    def after(self, *, ok: bool, slow: bool, now_us: int) -> Record:
        """Return the record after one more attempt."""
        if ok:
            recovered = self.succeeded_us is None or self.failing_since_us is not None
            return Record(now_us if recovered else self.succeeded_us, None, slow)
        return Record(self.succeeded_us, now_us if self.failing_since_us is None else self.failing_since_us, True)


_ADD = Statement(
    text(
        "INSERT INTO wai_endpoint (id, account, origin, created_at, slow)"
        " VALUES (:id, :account, :origin, :now, 0) ON CONFLICT (id) DO NOTHING"
    )
)
# A loose index scan: a few probes for each endpoint that has work, however much work it has.
_WAITING = Statement(
    text(
        "WITH RECURSIVE waiting(id) AS ("
        " SELECT min(endpoint_id) FROM wai_delivery WHERE state = 'pending'"
        " UNION ALL"
        " SELECT (SELECT min(endpoint_id) FROM wai_delivery WHERE state = 'pending' AND endpoint_id > waiting.id)"
        " FROM waiting WHERE waiting.id IS NOT NULL),"
        " enabled AS MATERIALIZED ("
        " SELECT e.id, e.slow, e.succeeded_at,"
        " (SELECT min(due_at) FROM wai_delivery d"
        " WHERE d.state = 'pending' AND d.endpoint_id = e.id AND d.replay = 0) AS first_new,"
        " (SELECT min(due_at) FROM wai_delivery d"
        " WHERE d.state = 'pending' AND d.endpoint_id = e.id AND d.replay = 1) AS first_replay"
        " FROM waiting JOIN wai_endpoint e ON e.id = waiting.id WHERE e.disabled_at IS NULL)"
        " SELECT id, slow, succeeded_at, first_new, first_replay FROM enabled"
        " WHERE first_new <= :due_by OR first_replay <= :due_by ORDER BY id"
    )
)
_select_record = select(endpoints.c.succeeded_at, endpoints.c.failing_since, endpoints.c.slow).where(
    endpoints.c.id == bindparam("id")
)
_RECORD = Statement(_select_record)
_LOCK_RECORD = Statement(_select_record.with_for_update())
_SET_RECORD = Statement(
    update(endpoints)
    .where(endpoints.c.id == bindparam("endpoint_id"))
    .values(succeeded_at=bindparam("succeeded"), failing_since=bindparam("failing"), slow=bindparam("is_slow"))
)
_DISABLE = Statement(
    update(endpoints)
    .where(endpoints.c.id == bindparam("endpoint_id"), text("disabled_at IS NULL"))
    .values(disabled_at=bindparam("now"), reason=bindparam("why"))
)
# It stays slow until it answers: one delivery at a time finds out whether it recovered.
_ENABLE = Statement(
    update(endpoints)
    .where(
        endpoints.c.id == bindparam("endpoint_id"),
        endpoints.c.account == bindparam("whose"),
        text("disabled_at IS NOT NULL"),
    )
    .values(disabled_at=null(), reason=null(), failing_since=null(), slow=text("1"))
)


def _select_endpoints() -> Select[Any]:
    return (
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


_OF_ACCOUNT = Statement(_select_endpoints())
_GET = Statement(_select_endpoints().where(endpoints.c.id == bindparam("id")))


def _time(microseconds: int | None) -> datetime | None:
    return None if microseconds is None else from_us(microseconds)


def _endpoint(row: Row) -> Endpoint:
    return Endpoint(
        id=row[0],
        account=row[1],
        origin=row[2],
        failing_since=_time(row[3]),
        disabled_at=_time(row[4]),
        reason=row[5],
        pending=row[6],
    )


def add(session: Session, endpoint_id: str, account: str, origin: str, now_us: int) -> None:
    """Make sure the endpoint is known."""
    session.run(_ADD, {"id": endpoint_id, "account": account, "origin": origin, "now": now_us})


def waiting(session: Session, due_by_us: int) -> list[Waiting]:
    """Return the enabled endpoints that have a delivery due by a time, in the order of their ids."""
    return [
        Waiting(
            id=endpoint_id,
            due_us=min(due for due in (first_new, first_replay) if due is not None),
            slow=bool(slow),
            known=succeeded_at is not None,
        )
        for endpoint_id, slow, succeeded_at, first_new, first_replay in session.all(_WAITING, {"due_by": due_by_us})
    ]


def oldest_due(session: Session, now_us: int) -> datetime | None:
    """Return when the delivery was due that waits longest; None when nothing is due.

    Neither what is being sent nor what a disabled endpoint holds back counts.
    """
    return _time(min((endpoint.due_us for endpoint in waiting(session, now_us)), default=None))


def record_of(session: Session, endpoint_id: str, *, lock: bool = False) -> Record:
    """Return how an endpoint has answered so far.

    Args:
        session: The open transaction.
        endpoint_id: The endpoint.
        lock: Whether to let nobody else change it until this transaction ends.
    """
    [(succeeded_at, failing_since, slow)] = session.all(_LOCK_RECORD if lock else _RECORD, {"id": endpoint_id})
    return Record(succeeded_at, failing_since, bool(slow))


def set_record(session: Session, endpoint_id: str, record: Record) -> None:
    """Store how an endpoint has answered so far."""
    session.run(
        _SET_RECORD,
        {
            "endpoint_id": endpoint_id,
            "succeeded": record.succeeded_us,
            "failing": record.failing_since_us,
            "is_slow": int(record.slow),
        },
    )


def disable(session: Session, endpoint_id: str, why: str, now_us: int) -> bool:
    """Stop calling an endpoint; return whether it was enabled before."""
    return session.run(_DISABLE, {"endpoint_id": endpoint_id, "why": why, "now": now_us}) == 1


def enable(session: Session, endpoint_id: str, account: str) -> bool:
    """Call an endpoint again; return whether it was disabled before."""
    return session.run(_ENABLE, {"endpoint_id": endpoint_id, "whose": account}) == 1


def get(session: Session, endpoint_id: str, account: str) -> Endpoint | None:
    """Return an endpoint of an account and how much waits for it, or None."""
    row = session.one(_GET, {"id": endpoint_id, "account": account})
    return None if row is None else _endpoint(row)


def of_account(session: Session, account: str) -> list[Endpoint]:
    """Return the endpoints of an account and how much waits for each, in the order of their origins."""
    return [_endpoint(row) for row in session.all(_OF_ACCOUNT, {"account": account})]
