"""The commands about accounts, keys and workers."""

from __future__ import annotations

import time
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from workersai_core import Conflict, Engine, InvalidInput, Mode, NotFound, OpenTransaction
from workersai_core.callbacks.addresses import check_callback_url
from workersai_core.drafting import CALLBACK_EVENTS
from workersai_core.errors import Issue
from workersai_server.accounts import account_rows, api_keys, passwords, preferences, session_rows, worker_rows
from workersai_server.accounts.authentication import Authentication
from workersai_server.accounts.cache import Monotonic
from workersai_server.accounts.values import (
    Account,
    ApiKey,
    NewAccount,
    NewKey,
    NewWorker,
    Preferences,
    Requester,
    WorkerEntry,
)
from workersai_server.amounts import from_micros, to_micros
from workersai_server.errors import Forbidden, Unauthenticated
from workersai_server.keys import hash_key, new_worker_token
from workersai_server.settings import Settings

__all__ = ["Accounts", "fold_email"]

_MAX_EMAIL = 254  # RFC 5321, section 4.5.3.1.3, less the angle brackets
_MAX_NAME = 200


class Accounts:
    """Who may use the server. Safe to use from many threads, not inside a transaction of the engine.

    Args:
        engine: Opened with the `SERVER` schema.
        settings: Whether anyone may sign up.
        monotonic: For tests: the clock by which keys are remembered.
    """

    def __init__(self, engine: Engine, settings: Settings, *, monotonic: Monotonic = time.monotonic) -> None:
        self._engine = engine
        self._settings = settings
        self._authentication = Authentication(engine, monotonic)
        self.authenticate = self._authentication.requester
        """From an API key to its `Requester`; see `Authentication.requester`."""
        self.authenticate_worker = self._authentication.worker
        """From a worker token to its `Worker`; see `Authentication.worker`."""

    def close(self) -> None:
        """Store when keys were last used; call it before the engine is closed."""
        self._authentication.flush()

    # --- accounts ------------------------------------------------------------------------------

    def create(
        self, email: str, *, password: str | None = None, unlimited: bool = False, operator: bool = False
    ) -> NewAccount:
        """Make an account with a live and a test key.

        Args:
            email: Its name, unique whatever the case of its letters.
            password: For signing in to the pages; None leaves the account without.
            unlimited: Whether it creates tasks without limit and charge.
            operator: Whether its owner may see the operator pages.

        Raises:
            InvalidInput: the email or the password is no such thing.
            Conflict: the email has an account.
        """
        folded = _folded(email)
        if password is not None:
            passwords.check_strength(password)
        hashed = None if password is None else passwords.hash_password(password)

        def make(tx: OpenTransaction) -> NewAccount:
            account_id = tx.new_id()
            if not account_rows.insert(
                tx.session,
                account_id,
                email=email.strip(),
                email_folded=folded,
                password_hash=hashed,
                unlimited=unlimited,
                operator=operator,
                now_us=tx.now_us,
            ):
                raise Conflict(f"There is an account for {email.strip()} already; use it, or another email.")
            return NewAccount(
                account_id=account_id,
                email=email.strip(),
                live_key=api_keys.create(tx, account_id, "live").key,
                test_key=api_keys.create(tx, account_id, "test").key,
                webhook_secret=tx.webhook_secrets(account_id)[0].secret,
            )

        return self._engine.run(make)

    def sign_up(self, email: str, password: str) -> NewAccount:
        """Make an account for anyone who asks, if the operator allows it.

        Raises:
            Forbidden: sign-up is closed.
            InvalidInput, Conflict: see `create`.
        """
        if self._settings.sign_up == "closed":
            raise Forbidden("Sign-up is closed here; ask the operator for an account.")
        return self.create(email, password=password)

    def sign_in(self, email: str, password: str) -> Account:
        """Return the account of an email and its password.

        Raises:
            Unauthenticated: they do not belong together; also when there is no
                such account, after the same time.
        """
        folded = fold_email(email)
        _, stored = self._engine.read(lambda tx: account_rows.password_of(tx.session, folded))
        if not passwords.verify(password, stored):
            raise Unauthenticated("This email and password do not belong together.")
        return self.get(email)

    def set_password(self, email: str, password: str) -> None:
        """Set the password of an account, and sign it out everywhere.

        Raises:
            NotFound: the email has no account.
            InvalidInput: the password is too short or too long.
        """
        passwords.check_strength(password)
        hashed = passwords.hash_password(password)

        def change(tx: OpenTransaction) -> None:
            account = _load(tx, email)
            account_rows.set_password(tx.session, account.id, hashed)
            session_rows.delete_of(tx.session, account.id)

        self._engine.run(change)

    def list(self) -> Sequence[Account]:
        """Return all accounts, oldest first."""
        return self._engine.read(lambda tx: account_rows.every(tx.session))

    def get(self, email: str) -> Account:
        """Return the account of an email.

        Raises:
            NotFound: it has none.
        """
        return self._engine.read(lambda tx: _load(tx, email))

    def credit(self, email: str, amount: str | int) -> Account:
        """Add to the credit of an account; a negative amount takes back.

        Args:
            email: The account's.
            amount: Decimal text with at most six decimals, for example ``"12.50"``.

        Raises:
            NotFound: the email has no account.
            InvalidInput: it is no amount, or the credit would fall below zero or grow beyond all measure.
        """
        try:
            micros = to_micros(amount)
        except ValueError as error:
            raise _invalid("/amount", f"This is no amount; {error}.") from None

        def add(tx: OpenTransaction) -> Account:
            account = _load(tx, email)
            if not account_rows.add_credit(tx.session, account.id, micros, tx.now_us):
                raise _invalid(
                    "/amount", f"The credit is {from_micros(account.credit_micros)}; this would leave its range."
                )
            return _load(tx, email)

        return self._engine.run(add)

    def set_unlimited(self, email: str, unlimited: bool = True) -> Account:
        """Let an account create tasks without limit and charge, or no longer.

        Raises:
            NotFound: the email has no account.
        """

        def change(tx: OpenTransaction) -> Account:
            account_rows.set_unlimited(tx.session, _load(tx, email).id, unlimited)
            return _load(tx, email)

        account = self._engine.run(change)
        self._authentication.forget()
        return account

    def set_operator(self, email: str, operator: bool = True) -> Account:
        """Let the owner of an account see the operator pages, or no longer.

        Raises:
            NotFound: the email has no account.
        """

        def change(tx: OpenTransaction) -> Account:
            account_rows.set_operator(tx.session, _load(tx, email).id, operator)
            return _load(tx, email)

        return self._engine.run(change)

    def set_callback_defaults(
        self, account_id: str, callback_url: str | None, callback_events: Iterable[str] = ("completed",)
    ) -> None:
        """Set where an account is called back by default, and for which final states.

        Args:
            account_id: Whose defaults.
            callback_url: None means the literal default, which is never called.
            callback_events: Of ``completed``, ``canceled``, ``expired``, ``error``.

        Raises:
            NotFound: there is no such account.
            UnsafeURL: the address must not be called.
            InvalidInput: there is no such event, or the address is no URL.
        """
        events = frozenset(callback_events)
        if not events <= CALLBACK_EVENTS:
            unknown, known = (", ".join(sorted(names)) for names in (events - CALLBACK_EVENTS, CALLBACK_EVENTS))
            raise _invalid("/callback_events", f"There is no event {unknown}; choose from {known}.")
        if callback_url is not None:
            check_callback_url(callback_url, self._engine.policy.addresses)
        if not self._engine.run(
            lambda tx: account_rows.set_callback_defaults(tx.session, account_id, callback_url, events)
        ):
            raise NotFound(f"There is no account {account_id}.")
        self._authentication.forget()

    # --- keys ----------------------------------------------------------------------------------

    def list_keys(self, account_id: str) -> Sequence[ApiKey]:
        """Return the keys of an account, oldest first, revoked and expired ones too."""
        self._authentication.flush()
        return self._engine.read(lambda tx: api_keys.of_account(tx, account_id))

    def create_key(self, account_id: str, mode: Mode) -> NewKey:
        """Make another key of an account.

        Raises:
            NotFound: there is no such account.
        """

        def create(tx: OpenTransaction) -> NewKey:
            _require(tx, account_id)
            return api_keys.create(tx, account_id, mode)

        return self._engine.run(create)

    def import_key(self, account_id: str, key: str) -> ApiKey:
        """Let a key that clients have from elsewhere work here too.

        Raises:
            NotFound: there is no such account.
            InvalidInput: it does not look like a key.
            Conflict: the key is here already.
        """

        def add(tx: OpenTransaction) -> ApiKey:
            _require(tx, account_id)
            return api_keys.add(tx, account_id, key)

        return self._engine.run(add)

    def roll_key(self, key_id: str, overlap_s: int = 0, *, by: Requester | None = None) -> NewKey:
        """Make a key in the place of another, which goes on working for a while.

        Args:
            key_id: The old key's.
            overlap_s: How long the old key goes on working, 0 to 604 800 (7 days).
            by: Who asks; None is the operator.

        Raises:
            NotFound: there is no such key, or it is another account's.
            Forbidden: a test key asks about a live one.
            WrongState: the key was rolled or revoked before.
            InvalidInput: a wrong `overlap_s`.
        """
        new = self._engine.run(lambda tx: api_keys.roll(tx, key_id, overlap_s, by))
        self._authentication.forget()
        return new

    def revoke_key(self, key_id: str, *, by: Requester | None = None) -> ApiKey:
        """End a key: at once here, within a second in every other process. Again changes nothing.

        Raises:
            NotFound: there is no such key, or it is another account's.
            Forbidden: a test key asks about a live one.
        """
        key = self._engine.run(lambda tx: api_keys.revoke(tx, key_id, by))
        self._authentication.forget()
        return key

    # --- workers -------------------------------------------------------------------------------

    def create_worker(self, name: str, skills: Iterable[str] = ()) -> NewWorker:
        """Make a worker.

        Args:
            name: For people to read.
            skills: Names or aliases of the task types the worker may do; none means all.

        Raises:
            InvalidInput: the name is empty or too long.
            UnknownTaskType, TaskTypeUnavailable: a skill is no type of this engine.
        """
        name = name.strip()
        if not 1 <= len(name) <= _MAX_NAME:
            raise _invalid("/name", f"A worker's name has 1 to {_MAX_NAME} characters; this has {len(name)}.")
        types = {self._engine.types.require(skill).name for skill in skills}
        token = new_worker_token()

        def create(tx: OpenTransaction) -> str:
            worker_id = tx.new_id()
            worker_rows.insert(
                tx.session,
                worker_id,
                name=name,
                skills=types,
                hashed=hash_key(token),
                last4=token[-4:],
                now_us=tx.now_us,
            )
            return worker_id

        return NewWorker(id=self._engine.run(create), name=name, token=token)

    def list_workers(self) -> Sequence[WorkerEntry]:
        """Return all workers, oldest first, revoked ones too."""
        self._authentication.flush()
        return self._engine.read(lambda tx: worker_rows.every(tx.session))

    def prefer(self, worker_id: str, changes: Mapping[str, Any]) -> Preferences:
        """Change some preferences of a worker, by name, and return all; see `preferences.prefer`."""
        return self._engine.run(lambda tx: preferences.prefer(tx, worker_id, changes))

    def revoke_worker(self, worker_id: str) -> WorkerEntry:
        """End a worker's token: at once here, within a second in every other process. Again changes nothing.

        What the worker holds goes back to the queue when its leases run out.

        Raises:
            NotFound: there is no such worker.
        """

        def revoke(tx: OpenTransaction) -> WorkerEntry:
            worker_rows.revoke(tx.session, worker_id, tx.now_us)
            worker = worker_rows.get(tx.session, worker_id)
            if worker is None:
                raise NotFound(f"There is no worker {worker_id}.")
            return worker

        worker = self._engine.run(revoke)
        self._authentication.forget()
        return worker


def _load(tx: OpenTransaction, email: str) -> Account:
    account = account_rows.by_email(tx.session, fold_email(email))
    if account is None:
        raise NotFound(f"There is no account for {email.strip()}.")
    return account


def _require(tx: OpenTransaction, account_id: str) -> None:
    if account_rows.get(tx.session, account_id) is None:
        raise NotFound(f"There is no account {account_id}.")


def _folded(email: str) -> str:
    """Return what must be unique about an email.

    Raises:
        InvalidInput: it is no email address.
    """
    folded = fold_email(email)
    local, at, domain = folded.rpartition("@")
    clean = folded.isprintable() and not any(character.isspace() for character in folded)
    if not (local and at and domain and clean and len(folded) <= _MAX_EMAIL):
        raise _invalid("/email", "This is no email address; write one such as name@company.com.")
    return folded


def fold_email(email: str) -> str:
    """Return an email as it is compared: however its letters are written."""
    return unicodedata.normalize("NFC", email.strip()).casefold()


def _invalid(pointer: str, message: str) -> InvalidInput:
    return InvalidInput(message, issues=[Issue(pointer, message)])
