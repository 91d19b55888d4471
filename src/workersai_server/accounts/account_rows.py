"""Reading and writing accounts and their credit."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, bindparam, cast, func, select, text, update

from workersai_core.clock import from_us
from workersai_core.store import Row, Session, Statement
from workersai_server.accounts.tables import accounts, tallies
from workersai_server.accounts.values import Account
from workersai_server.amounts import MAX_MICROS

__all__ = [
    "add_credit",
    "by_email",
    "every",
    "get",
    "insert",
    "password_of",
    "set_callback_defaults",
    "set_operator",
    "set_password",
    "set_unlimited",
]

_tallied = (
    select(func.coalesce(func.sum(tallies.c.n), 0)).where(tallies.c.account_id == accounts.c.id).scalar_subquery()
)
_COLUMNS = (
    accounts.c.id,
    accounts.c.email,
    accounts.c.unlimited,
    accounts.c.operator,
    accounts.c.callback_url,
    accounts.c.callback_events,
    accounts.c.creations + cast(_tallied, BigInteger),
    accounts.c.credit_micros,
    accounts.c.spent_micros,
    accounts.c.created_at,
)
_INSERT = Statement(
    text(
        "INSERT INTO wai_account (id, email, email_folded, password_hash, unlimited, operator, callback_events,"
        " creations, credit_micros, spent_micros, created_at)"
        " VALUES (:id, :email, :email_folded, :password_hash, :unlimited, :operator, 'completed', 0, 0, 0, :created_at)"
        " ON CONFLICT DO NOTHING"
    )
)
_GET = Statement(select(*_COLUMNS).where(accounts.c.id == bindparam("id")))
_BY_EMAIL = Statement(select(*_COLUMNS).where(accounts.c.email_folded == bindparam("email_folded")))
_EVERY = Statement(select(*_COLUMNS).order_by(accounts.c.created_at, accounts.c.id))
_PASSWORD = Statement(
    select(accounts.c.id, accounts.c.password_hash).where(accounts.c.email_folded == bindparam("email_folded"))
)


def _set(**values: Any) -> Statement:
    return Statement(update(accounts).where(_is_account()).values(**values))


def _is_account() -> ColumnElement[bool]:
    return accounts.c.id == bindparam("account_id")


_SET_UNLIMITED = _set(unlimited=bindparam("new_unlimited"))
_SET_OPERATOR = _set(operator=bindparam("new_operator"))
_SET_PASSWORD = _set(password_hash=bindparam("new_hash"))
_SET_CALLBACK = _set(callback_url=bindparam("new_url"), callback_events=bindparam("new_events"))
_ADD_CREDIT = Statement(
    text(
        "UPDATE wai_account SET credit_micros = credit_micros + :amount"
        " WHERE id = :account_id AND credit_micros + :amount BETWEEN 0 AND :most"
    )
)
_RECORD_CREDIT = Statement(
    text("INSERT INTO wai_credit (account_id, amount_micros, created_at) VALUES (:account_id, :amount, :now)")
)


def insert(
    session: Session,
    account_id: str,
    *,
    email: str,
    email_folded: str,
    password_hash: str | None,
    unlimited: bool,
    operator: bool,
    now_us: int,
) -> bool:
    """Store a new account; return False when its email is taken."""
    row = {
        "id": account_id,
        "email": email,
        "email_folded": email_folded,
        "password_hash": password_hash,
        "unlimited": int(unlimited),
        "operator": int(operator),
        "created_at": now_us,
    }
    return session.run(_INSERT, row) == 1


def get(session: Session, account_id: str) -> Account | None:
    """Return an account, or None."""
    return _maybe(session.one(_GET, {"id": account_id}))


def by_email(session: Session, email_folded: str) -> Account | None:
    """Return the account of an email, or None."""
    return _maybe(session.one(_BY_EMAIL, {"email_folded": email_folded}))


def every(session: Session) -> list[Account]:
    """Return all accounts, oldest first."""
    return [_account(row) for row in session.all(_EVERY)]


def password_of(session: Session, email_folded: str) -> tuple[str | None, str | None]:
    """Return the id and the password hash of an email's account; None where there is none."""
    row = session.one(_PASSWORD, {"email_folded": email_folded})
    return (None, None) if row is None else (row[0], row[1])


def set_password(session: Session, account_id: str, password_hash: str) -> bool:
    """Set the password; return False when there is no such account."""
    return session.run(_SET_PASSWORD, {"account_id": account_id, "new_hash": password_hash}) == 1


def set_unlimited(session: Session, account_id: str, unlimited: bool) -> bool:
    """Lift or restore the limit; return False when there is no such account."""
    return session.run(_SET_UNLIMITED, {"account_id": account_id, "new_unlimited": int(unlimited)}) == 1


def set_operator(session: Session, account_id: str, operator: bool) -> bool:
    """Open or close the operator pages to an account; return False when there is no such account."""
    return session.run(_SET_OPERATOR, {"account_id": account_id, "new_operator": int(operator)}) == 1


def set_callback_defaults(session: Session, account_id: str, url: str | None, events: Iterable[str]) -> bool:
    """Set where and for what the account is called back; return False when there is no such account."""
    row = {"account_id": account_id, "new_url": url, "new_events": " ".join(sorted(events))}
    return session.run(_SET_CALLBACK, row) == 1


def add_credit(session: Session, account_id: str, amount_micros: int, now_us: int) -> bool:
    """Add to, or take from, the credit of an account; return False when it would leave its range."""
    if session.run(_ADD_CREDIT, {"account_id": account_id, "amount": amount_micros, "most": MAX_MICROS}) != 1:
        return False
    session.run(_RECORD_CREDIT, {"account_id": account_id, "amount": amount_micros, "now": now_us})
    return True


def _maybe(row: Row | None) -> Account | None:
    return None if row is None else _account(row)


def _account(row: Row) -> Account:
    return Account(
        id=row[0],
        email=row[1],
        unlimited=bool(row[2]),
        operator=bool(row[3]),
        callback_url=row[4],
        callback_events=frozenset(row[5].split()),
        creations=row[6],
        credit_micros=row[7],
        spent_micros=row[8],
        created_at=from_us(row[9]),
    )
