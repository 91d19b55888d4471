"""Reading and writing API keys; only their hashes are here."""

from __future__ import annotations

from collections.abc import Mapping

import attrs
from sqlalchemy import ColumnElement, and_, bindparam, or_, select, text, update

from workersai_core import Mode
from workersai_core.clock import from_us
from workersai_core.store import Row, Session, Statement
from workersai_server.accounts.tables import accounts, api_keys
from workersai_server.accounts.values import ApiKey, Requester

__all__ = ["Usable", "expire", "get", "insert", "note_used", "of_account", "revoke", "usable"]

_COLUMNS = (
    api_keys.c.id,
    api_keys.c.account_id,
    api_keys.c.mode,
    api_keys.c.last4,
    api_keys.c.scopes,
    api_keys.c.created_at,
    api_keys.c.last_used_at,
    api_keys.c.expires_at,
    api_keys.c.revoked_at,
)
_INSERT = Statement(
    text(
        "INSERT INTO wai_api_key (id, account_id, mode, hash, last4, scopes, created_at)"
        " VALUES (:id, :account_id, :mode, :hash, :last4, :scopes, :created_at) ON CONFLICT DO NOTHING"
    )
)
_GET = Statement(select(*_COLUMNS).where(api_keys.c.id == bindparam("id")))
_OF_ACCOUNT = Statement(
    select(*_COLUMNS).where(api_keys.c.account_id == bindparam("account_id")).order_by(api_keys.c.id)
)
_IS_USABLE: ColumnElement[bool] = and_(
    api_keys.c.revoked_at.is_(None), or_(api_keys.c.expires_at.is_(None), api_keys.c.expires_at > bindparam("now"))
)
_USABLE = Statement(
    select(
        api_keys.c.account_id,
        api_keys.c.mode,
        api_keys.c.id,
        api_keys.c.scopes,
        api_keys.c.expires_at,
        accounts.c.callback_url,
        accounts.c.callback_events,
        accounts.c.unlimited,
    )
    .join_from(api_keys, accounts, api_keys.c.account_id == accounts.c.id)
    .where(api_keys.c.hash == bindparam("hash"), _IS_USABLE)
)
_REVOKE = Statement(
    update(api_keys)
    .where(api_keys.c.id == bindparam("key_id"), api_keys.c.revoked_at.is_(None))
    .values(revoked_at=bindparam("now"))
)
_EXPIRE = Statement(
    update(api_keys)
    .where(api_keys.c.id == bindparam("key_id"), api_keys.c.revoked_at.is_(None), api_keys.c.expires_at.is_(None))
    .values(expires_at=bindparam("until"))
)
_NOTE_USED = Statement(
    update(api_keys).where(api_keys.c.id == bindparam("key_id")).values(last_used_at=bindparam("used_at"))
)


@attrs.frozen(kw_only=True)
class Usable:
    """Whom a valid key stands for, and until when."""

    requester: Requester
    expires_us: int | None


def insert(
    session: Session, key_id: str, account_id: str, mode: Mode, *, hashed: str, last4: str, scopes: str, now_us: int
) -> bool:
    """Store a key; return False when the same key is there already."""
    row = {
        "id": key_id,
        "account_id": account_id,
        "mode": mode,
        "hash": hashed,
        "last4": last4,
        "scopes": scopes,
        "created_at": now_us,
    }
    return session.run(_INSERT, row) == 1


def get(session: Session, key_id: str) -> ApiKey | None:
    """Return a key, or None."""
    row = session.one(_GET, {"id": key_id})
    return None if row is None else _key(row)


def of_account(session: Session, account_id: str) -> list[ApiKey]:
    """Return the keys of an account, oldest first, revoked and expired ones too."""
    return [_key(row) for row in session.all(_OF_ACCOUNT, {"account_id": account_id})]


def usable(session: Session, hashed: str, now_us: int) -> Usable | None:
    """Return whom a key stands for; None when it is unknown, revoked or expired."""
    row = session.one(_USABLE, {"hash": hashed, "now": now_us})
    if row is None:
        return None
    requester = Requester(
        account_id=row[0],
        mode=row[1],
        key_id=row[2],
        scopes=frozenset(row[3].split()),
        callback_url=row[5],
        callback_events=frozenset(row[6].split()),
        unlimited=bool(row[7]),
    )
    return Usable(requester=requester, expires_us=row[4])


def revoke(session: Session, key_id: str, now_us: int) -> None:
    """End a key, unless it was revoked before."""
    session.run(_REVOKE, {"key_id": key_id, "now": now_us})


def expire(session: Session, key_id: str, until_us: int) -> bool:
    """Let a key end at a time; return False when it was revoked or has an end already."""
    return session.run(_EXPIRE, {"key_id": key_id, "until": until_us}) == 1


def note_used(session: Session, used_us: Mapping[str, int]) -> None:
    """Store when keys were last used, by id."""
    session.many(_NOTE_USED, [{"key_id": key_id, "used_at": at} for key_id, at in used_us.items()])


def _key(row: Row) -> ApiKey:
    return ApiKey(
        id=row[0],
        account_id=row[1],
        mode=row[2],
        last4=row[3],
        scopes=frozenset(row[4].split()),
        created_at=from_us(row[5]),
        last_used_at=None if row[6] is None else from_us(row[6]),
        expires_at=None if row[7] is None else from_us(row[7]),
        revoked_at=None if row[8] is None else from_us(row[8]),
    )
