"""Reading and writing the secrets that sign an account's callbacks."""

from __future__ import annotations

from sqlalchemy import bindparam, select, text, update

from workersai_core.clock import from_us
from workersai_core.model import WebhookSecret
from workersai_core.store.session import Session, Statement
from workersai_core.store.tables import secrets

__all__ = ["add", "retire", "valid"]

_VALID = Statement(
    select(secrets.c.id, secrets.c.secret, secrets.c.created_at, secrets.c.expires_at)
    .where(
        secrets.c.account == bindparam("account"),
        (secrets.c.expires_at.is_(None)) | (secrets.c.expires_at > bindparam("now")),
    )
    .order_by(secrets.c.id.desc())
)
_RETIRE = Statement(
    update(secrets)
    .where(secrets.c.account == bindparam("whose"), text("expires_at IS NULL"))
    .values(expires_at=bindparam("until"))
)
_ADD = Statement(
    text("INSERT INTO wai_secret (account, secret, created_at) VALUES (:account, :secret, :now) ON CONFLICT DO NOTHING")
)


def valid(session: Session, account: str, now_us: int) -> list[WebhookSecret]:
    """Return the secrets that sign an account's callbacks now, the newest first."""
    return [
        WebhookSecret(
            id=secret_id,
            secret=secret,
            created_at=from_us(created_at),
            expires_at=None if expires_at is None else from_us(expires_at),
        )
        for secret_id, secret, created_at, expires_at in session.all(_VALID, {"account": account, "now": now_us})
    ]


def add(session: Session, account: str, secret: str, now_us: int) -> None:
    """Make `secret` the newest of an account, unless it has a newest one."""
    session.run(_ADD, {"account": account, "secret": secret, "now": now_us})


def retire(session: Session, account: str, until_us: int) -> None:
    """Let the newest secret of an account end at a time."""
    session.run(_RETIRE, {"whose": account, "until": until_us})
