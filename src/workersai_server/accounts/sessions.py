"""Who is signed in to the pages.

A session is a row, so that it can be ended from anywhere; the browser holds a
random token in a cookie, the row only its hash. Pages ask the database for
each request, so the end of a session is felt at once in every process.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Literal

import attrs

from workersai_core import Engine, OpenTransaction, Worker
from workersai_core.clock import from_us, to_us
from workersai_server.accounts import account_rows, session_rows, worker_rows
from workersai_server.accounts.service import Accounts, fold_email
from workersai_server.accounts.values import Account, WorkerEntry
from workersai_server.errors import RateLimited, Unauthenticated
from workersai_server.keys import hash_key
from workersai_server.rate_limits import Windows
from workersai_server.settings import RateLimit

__all__ = ["SESSION_LENGTH", "Role", "Sessions", "SignedIn", "csrf_token", "is_csrf_token", "new_token"]

Role = Literal["requester", "worker"]

SESSION_LENGTH = timedelta(days=14)
_WINDOW_MINUTES = 15
_TRIES_PER_NAME = RateLimit(requests=10, period_s=_WINDOW_MINUTES * 60)
_TRIES_PER_ADDRESS = RateLimit(requests=100, period_s=_WINDOW_MINUTES * 60)
_TOO_MANY = f"Too many attempts to sign in; wait {_WINDOW_MINUTES} minutes and try again."
_CSRF_PURPOSE = b"workersai csrf"


@attrs.frozen(kw_only=True)
class SignedIn:
    """A session that is valid now."""

    role: Role
    expires_at: datetime
    account: Account | None = None
    """Whose it is, for a requester."""
    worker: WorkerEntry | None = None
    """Whose it is, for a worker."""

    @property
    def as_worker(self) -> Worker:
        """The worker as the engine knows it.

        Raises:
            Unauthenticated: it is a requester's session.
        """
        if self.worker is None:
            raise Unauthenticated("Sign in as a worker.")
        return Worker(id=self.worker.id, skills=self.worker.skills)


class Sessions:
    """Signing in and out. Safe to use from many threads, not inside a transaction of the engine.

    Args:
        engine: Opened with the `SERVER` schema.
        accounts: Who knows the passwords.
    """

    def __init__(self, engine: Engine, accounts: Accounts) -> None:
        self._engine = engine
        self._accounts = accounts
        self._by_name = Windows(_TRIES_PER_NAME)
        self._by_address = Windows(_TRIES_PER_ADDRESS)

    def sign_in(self, email: str, password: str, *, address: str) -> str:
        """Start a session of a requester and return its token.

        Args:
            email: The account's.
            password: As it was typed.
            address: Where the request comes from, for the limit of attempts.

        Raises:
            Unauthenticated: email and password do not belong together; also
                when there is no such account, after the same time.
            RateLimited: too many attempts for this email or from this address.
        """
        self._count(fold_email(email), address)
        return self.start("requester", self._accounts.sign_in(email, password).id)

    def sign_in_worker(self, token: str, *, address: str) -> str:
        """Start a session of a worker, who shows the token, and return the session's.

        Raises:
            Unauthenticated: it is no worker's token.
            RateLimited: too many attempts from this address.
        """
        self._count("", address)
        hashed = hash_key(token.strip())
        worker = self._engine.read(lambda tx: worker_rows.usable(tx.session, hashed))
        if worker is None:
            raise Unauthenticated("This worker token is not valid; ask the operator for a new one.")
        return self.start("worker", worker.id)

    def start(self, role: Role, subject_id: str) -> str:
        """Start a session and return its token; for who has just proved who they are."""
        token = new_token()

        def insert(tx: OpenTransaction) -> None:
            session_rows.delete_expired(tx.session, tx.now_us)
            ends = to_us(tx.now + SESSION_LENGTH)
            session_rows.insert(tx.session, _hash(token), role, subject_id, tx.now_us, ends)

        self._engine.run(insert)
        return token

    def find(self, token: str) -> SignedIn | None:
        """Return whose session a token is; None when it is unknown, ended, or its owner is blocked."""
        return self._engine.read(lambda tx: _signed_in(tx, _hash(token)))

    def end(self, token: str) -> None:
        """Sign out; again changes nothing."""
        self._engine.run(lambda tx: session_rows.delete_one(tx.session, _hash(token)))

    def end_all(self, subject_id: str) -> int:
        """End every session of an account or a worker; return how many there were."""
        return self._engine.run(lambda tx: session_rows.delete_of(tx.session, subject_id))

    def _count(self, name: str, address: str) -> None:
        tries = [(self._by_address, address)]
        if name:
            tries.append((self._by_name, name))
        if any(windows.take(key)[0] < 0 for windows, key in tries):
            raise RateLimited(_TOO_MANY, retry_after_s=_WINDOW_MINUTES * 60)


def _signed_in(tx: OpenTransaction, hashed: str) -> SignedIn | None:
    found = session_rows.find(tx.session, hashed, tx.now_us)
    if found is None:
        return None
    role, subject_id, expires_us = found
    return _OWNERS[role](tx, subject_id, from_us(expires_us))


def _requester(tx: OpenTransaction, account_id: str, expires_at: datetime) -> SignedIn | None:
    account = account_rows.get(tx.session, account_id)
    return None if account is None else SignedIn(role="requester", expires_at=expires_at, account=account)


def _worker(tx: OpenTransaction, worker_id: str, expires_at: datetime) -> SignedIn | None:
    worker = worker_rows.get(tx.session, worker_id)
    if worker is None or worker.revoked_at is not None:
        return None
    return SignedIn(role="worker", expires_at=expires_at, worker=worker)


_OWNERS: dict[str, Callable[[OpenTransaction, str, datetime], SignedIn | None]] = {
    "requester": _requester,
    "worker": _worker,
}


def new_token() -> str:
    """Return a fresh random token for a cookie."""
    return secrets.token_urlsafe(32)


def csrf_token(cookie: str) -> str:
    """Return what each form of a browser must send back; another site can neither read the cookie nor this."""
    return hmac.digest(cookie.encode(errors="surrogatepass"), _CSRF_PURPOSE, "sha256").hex()


def is_csrf_token(token: str, cookie: str) -> bool:
    """Return whether a form belongs to the browser that holds a cookie."""
    return hmac.compare_digest(token.encode(errors="surrogatepass"), csrf_token(cookie).encode())


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode(errors="surrogatepass")).hexdigest()
