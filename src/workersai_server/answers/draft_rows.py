"""Reading and writing drafts."""

from __future__ import annotations

from collections.abc import Sequence

import attrs
from sqlalchemy import bindparam, delete, null, select, text, update

from workersai_core import jsontext
from workersai_core.clock import from_us
from workersai_core.errors import Issue
from workersai_core.store import Row, Session, Statement
from workersai_server.accounts.tables import drafts
from workersai_server.answers.values import Draft

__all__ = ["any_due", "delete_one", "due", "get", "held_by", "put", "refuse", "take_back"]

_COLUMNS = (
    drafts.c.assignment_id,
    drafts.c.worker_id,
    drafts.c.response,
    drafts.c.saved_at,
    drafts.c.submit_at,
    drafts.c.refusal,
)
_PUT = Statement(
    text(
        "INSERT INTO wai_draft (assignment_id, worker_id, response, saved_at, submit_at, refusal)"
        " VALUES (:assignment_id, :worker_id, :response, :saved_at, :submit_at, NULL)"
        " ON CONFLICT (assignment_id) DO UPDATE SET response = excluded.response, saved_at = excluded.saved_at,"
        " submit_at = excluded.submit_at, refusal = NULL"
    )
)
_GET = Statement(select(*_COLUMNS).where(drafts.c.assignment_id == bindparam("assignment_id")))
_LOCK = Statement(select(*_COLUMNS).where(drafts.c.assignment_id == bindparam("assignment_id")).with_for_update())
_HELD_BY = Statement(
    select(*_COLUMNS)
    .where(drafts.c.worker_id == bindparam("worker_id"), text("submit_at IS NOT NULL"))
    .order_by(drafts.c.submit_at)
)
_DUE = Statement(
    select(*_COLUMNS)
    .where(text("submit_at IS NOT NULL"), drafts.c.submit_at <= bindparam("now"))
    .order_by(drafts.c.submit_at)
    .limit(bindparam("n"))
)
_TAKE_BACK = Statement(
    update(drafts)
    .where(drafts.c.assignment_id == bindparam("which"), text("submit_at IS NOT NULL"))
    .values(submit_at=null())
)
_REFUSE = Statement(
    update(drafts)
    .where(drafts.c.assignment_id == bindparam("which"))
    .values(submit_at=null(), refusal=bindparam("why"))
)
_DELETE = Statement(delete(drafts).where(drafts.c.assignment_id == bindparam("which")))


def put(
    session: Session, assignment_id: str, worker_id: str, response_json: str, now_us: int, submit_us: int | None
) -> None:
    """Store what was written, in the place of what was there."""
    row = {
        "assignment_id": assignment_id,
        "worker_id": worker_id,
        "response": response_json,
        "saved_at": now_us,
        "submit_at": submit_us,
    }
    session.run(_PUT, row)


def get(session: Session, assignment_id: str, *, lock: bool = False) -> Draft | None:
    """Return the draft of an assignment, or None; with `lock` nobody else changes it until the transaction ends."""
    row = session.one(_LOCK if lock else _GET, {"assignment_id": assignment_id})
    return None if row is None else _draft(row)


def held_by(session: Session, worker_id: str) -> list[Draft]:
    """Return the finished answers of a worker that are not submitted yet, the first due first."""
    return [_draft(row) for row in session.all(_HELD_BY, {"worker_id": worker_id})]


def due(session: Session, now_us: int, limit: int) -> list[Draft]:
    """Return the finished answers whose time has come."""
    return [_draft(row) for row in session.all(_DUE, {"now": now_us, "n": limit})]


def any_due(session: Session, now_us: int) -> bool:
    """Return whether there is one."""
    return bool(due(session, now_us, 1))


def take_back(session: Session, assignment_id: str) -> bool:
    """Make a finished answer a draft again; return False when there is none."""
    return session.run(_TAKE_BACK, {"which": assignment_id}) == 1


def refuse(session: Session, assignment_id: str, issues: Sequence[Issue]) -> None:
    """Make a finished answer a draft again and say why it was refused."""
    why = jsontext.dumps([attrs.astuple(issue) for issue in issues])
    session.run(_REFUSE, {"which": assignment_id, "why": why})


def delete_one(session: Session, assignment_id: str) -> None:
    """Forget the draft of an assignment."""
    session.run(_DELETE, {"which": assignment_id})


def _draft(row: Row) -> Draft:
    return Draft(
        assignment_id=row[0],
        worker_id=row[1],
        response_json=row[2],
        saved_at=from_us(row[3]),
        submit_at=None if row[4] is None else from_us(row[4]),
        refusal=() if row[5] is None else [Issue(*each) for each in jsontext.loads(row[5])],
    )
