"""What happens to API keys, inside an open transaction."""

from __future__ import annotations

from workersai_core import Conflict, InvalidInput, Mode, NotFound, OpenTransaction, WrongState
from workersai_core.errors import Issue
from workersai_server.accounts import key_rows
from workersai_server.accounts.values import ApiKey, NewKey, Requester
from workersai_server.errors import Forbidden
from workersai_server.keys import hash_key, is_well_formed, mode_of, new_key

__all__ = ["MAX_OVERLAP_S", "add", "create", "of_account", "revoke", "roll"]

MAX_OVERLAP_S = 7 * 86_400


def create(tx: OpenTransaction, account_id: str, mode: Mode, scopes: frozenset[str] = frozenset()) -> NewKey:
    """Make a key for an account."""
    key = new_key(mode)
    return NewKey(key=key, entry=_store(tx, account_id, key, scopes))


def add(tx: OpenTransaction, account_id: str, key: str) -> ApiKey:
    """Store a key that was made elsewhere.

    Raises:
        InvalidInput: it does not look like a key.
        Conflict: it is stored already.
    """
    if not is_well_formed(key):
        message = "This is no API key; it is live_ or test_ and 20 letters or digits, or one that this service made."
        raise InvalidInput(message, issues=[Issue("/key", message)])
    return _store(tx, account_id, key, frozenset())


def of_account(tx: OpenTransaction, account_id: str) -> list[ApiKey]:
    """Return the keys of an account, oldest first."""
    return key_rows.of_account(tx.session, account_id)


def roll(tx: OpenTransaction, key_id: str, overlap_s: int, by: Requester | None) -> NewKey:
    """Make a key in the place of another; see `Accounts.roll_key`."""
    if isinstance(overlap_s, bool) or not isinstance(overlap_s, int) or not 0 <= overlap_s <= MAX_OVERLAP_S:
        message = f"overlap_s is a whole number of seconds from 0 to {MAX_OVERLAP_S}."
        raise InvalidInput(message, issues=[Issue("/overlap_s", message)])
    old = _load(tx, key_id, by)
    if not key_rows.expire(tx.session, key_id, tx.now_us + overlap_s * 1_000_000):
        raise WrongState(f"The key {key_id} was rolled or revoked before; use the account's newest one.")
    return create(tx, old.account_id, old.mode, old.scopes)


def revoke(tx: OpenTransaction, key_id: str, by: Requester | None) -> ApiKey:
    """End a key; see `Accounts.revoke_key`."""
    _load(tx, key_id, by)
    key_rows.revoke(tx.session, key_id, tx.now_us)
    return _load(tx, key_id, None)


def _load(tx: OpenTransaction, key_id: str, by: Requester | None) -> ApiKey:
    key = key_rows.get(tx.session, key_id)
    if key is None or (by is not None and by.account_id != key.account_id):
        raise NotFound(f"There is no key {key_id}.")
    # SECURITY: test keys lie about in scripts and build logs; one must not become a live key.
    if by is not None and by.mode == "test" and key.mode == "live":
        raise Forbidden("A test key cannot change a live key; use a live one.")
    return key


def _store(tx: OpenTransaction, account_id: str, key: str, scopes: frozenset[str]) -> ApiKey:
    key_id = tx.new_id()
    if not key_rows.insert(
        tx.session,
        key_id,
        account_id,
        mode_of(key),
        hashed=hash_key(key),
        last4=key[-4:],
        scopes=" ".join(sorted(scopes)),
        now_us=tx.now_us,
    ):
        raise Conflict("This key is here already; revoke it first, or use another.")
    return _load(tx, key_id, None)
