"""Reading and writing workers; only hashes of their tokens are here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import attrs
from sqlalchemy import bindparam, select, update

from workersai_core import Worker, jsontext
from workersai_core.clock import from_us
from workersai_core.store import Row, Session, Statement
from workersai_server.accounts.tables import workers
from workersai_server.accounts.values import Preferences, WorkerEntry

__all__ = ["every", "get", "insert", "note_used", "revoke", "set_preferences", "usable"]

_NOTHING_CHOSEN = "{}"
_COLUMNS = (
    workers.c.id,
    workers.c.name,
    workers.c.skills,
    workers.c.preferences,
    workers.c.last4,
    workers.c.created_at,
    workers.c.last_used_at,
    workers.c.revoked_at,
)
_INSERT = Statement(workers.insert())
_GET = Statement(select(*_COLUMNS).where(workers.c.id == bindparam("id")))
_EVERY = Statement(select(*_COLUMNS).order_by(workers.c.id))
_USABLE = Statement(
    select(workers.c.id, workers.c.skills).where(
        workers.c.token_hash == bindparam("hash"), workers.c.revoked_at.is_(None)
    )
)
_REVOKE = Statement(
    update(workers)
    .where(workers.c.id == bindparam("worker_id"), workers.c.revoked_at.is_(None))
    .values(revoked_at=bindparam("now"))
)
_PREFER = Statement(
    update(workers).where(workers.c.id == bindparam("worker_id")).values(preferences=bindparam("chosen"))
)
_NOTE_USED = Statement(
    update(workers).where(workers.c.id == bindparam("worker_id")).values(last_used_at=bindparam("used_at"))
)


def insert(
    session: Session, worker_id: str, *, name: str, skills: Iterable[str], hashed: str, last4: str, now_us: int
) -> None:
    """Store a new worker."""
    row = {
        "id": worker_id,
        "name": name,
        "skills": " ".join(sorted(skills)),
        "preferences": _NOTHING_CHOSEN,
        "token_hash": hashed,
        "last4": last4,
        "created_at": now_us,
        "last_used_at": None,
        "revoked_at": None,
    }
    session.run(_INSERT, row)


def get(session: Session, worker_id: str) -> WorkerEntry | None:
    """Return a worker, or None."""
    row = session.one(_GET, {"id": worker_id})
    return None if row is None else _entry(row)


def every(session: Session) -> list[WorkerEntry]:
    """Return all workers, oldest first, revoked ones too."""
    return [_entry(row) for row in session.all(_EVERY)]


def usable(session: Session, hashed: str) -> Worker | None:
    """Return whom a token stands for; None when it is unknown or revoked."""
    row = session.one(_USABLE, {"hash": hashed})
    return None if row is None else Worker(id=row[0], skills=frozenset(row[1].split()))


def revoke(session: Session, worker_id: str, now_us: int) -> None:
    """End a worker's token, unless it was ended before."""
    session.run(_REVOKE, {"worker_id": worker_id, "now": now_us})


def set_preferences(session: Session, worker_id: str, chosen: Preferences) -> None:
    """Store all preferences of a worker."""
    changed = attrs.asdict(chosen, filter=lambda field, value: value != field.default)
    session.run(_PREFER, {"worker_id": worker_id, "chosen": jsontext.dumps(changed)})


def note_used(session: Session, used_us: Mapping[str, int]) -> None:
    """Store when workers last used their tokens, by id."""
    session.many(_NOTE_USED, [{"worker_id": worker_id, "used_at": at} for worker_id, at in used_us.items()])


def _entry(row: Row) -> WorkerEntry:
    return WorkerEntry(
        id=row[0],
        name=row[1],
        skills=frozenset(row[2].split()),
        preferences=Preferences(**jsontext.loads(row[3])),
        last4=row[4],
        created_at=from_us(row[5]),
        last_used_at=None if row[6] is None else from_us(row[6]),
        revoked_at=None if row[7] is None else from_us(row[7]),
    )
