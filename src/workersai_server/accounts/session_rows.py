"""Reading and writing sessions; only hashes of their tokens are here."""

from __future__ import annotations

from sqlalchemy import bindparam, delete, select

from workersai_core.store import Session, Statement
from workersai_server.accounts.tables import sessions

__all__ = ["delete_expired", "delete_of", "delete_one", "find", "insert"]

_INSERT = Statement(sessions.insert())
_FIND = Statement(
    select(sessions.c.role, sessions.c.subject_id, sessions.c.expires_at).where(
        sessions.c.hash == bindparam("hash"), sessions.c.expires_at > bindparam("now")
    )
)
_DELETE_ONE = Statement(delete(sessions).where(sessions.c.hash == bindparam("session_hash")))
_DELETE_OF = Statement(delete(sessions).where(sessions.c.subject_id == bindparam("whose")))
_DELETE_EXPIRED = Statement(delete(sessions).where(sessions.c.expires_at <= bindparam("now")))


def insert(session: Session, hashed: str, role: str, subject_id: str, now_us: int, expires_us: int) -> None:
    """Store a new session."""
    row = {"hash": hashed, "role": role, "subject_id": subject_id, "created_at": now_us, "expires_at": expires_us}
    session.run(_INSERT, row)


def find(session: Session, hashed: str, now_us: int) -> tuple[str, str, int] | None:
    """Return role, subject and end of a session that has not ended, or None."""
    row = session.one(_FIND, {"hash": hashed, "now": now_us})
    return None if row is None else (row[0], row[1], int(row[2]))


def delete_one(session: Session, hashed: str) -> None:
    """End a session."""
    session.run(_DELETE_ONE, {"session_hash": hashed})


def delete_of(session: Session, subject_id: str) -> int:
    """End every session of an account or worker; return how many there were."""
    return session.run(_DELETE_OF, {"whose": subject_id})


def delete_expired(session: Session, now_us: int) -> None:
    """Forget the sessions that have ended by themselves."""
    session.run(_DELETE_EXPIRED, {"now": now_us})
