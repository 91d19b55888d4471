"""From a key or token to whoever it stands for."""

from __future__ import annotations

import time

from workersai_core import Engine, Worker
from workersai_core.clock import to_us
from workersai_server.accounts import key_rows, worker_rows
from workersai_server.accounts.cache import Found, KeyCache, Monotonic
from workersai_server.accounts.values import Requester
from workersai_server.errors import Unauthenticated
from workersai_server.keys import hash_key, is_well_formed, is_worker_token

__all__ = ["Authentication"]

# SECURITY: one text each, so that nobody learns from it whether a key ever existed.
_NO_KEY = "This key is not valid; your account's dashboard shows which keys are."
_NO_TOKEN = "This worker token is not valid; ask the operator for a new one."


class Authentication:
    """Answers whom keys stand for, from memory where it was asked a moment ago.

    Do not call it inside a transaction: it reads in one of its own.

    Args:
        engine: Whose database holds the keys.
        monotonic: A clock that never goes back, in seconds.
    """

    def __init__(self, engine: Engine, monotonic: Monotonic = time.monotonic) -> None:
        self._engine = engine
        self._requesters: KeyCache[Requester] = KeyCache(
            self._find_requester,
            lambda used: engine.run(lambda tx: key_rows.note_used(tx.session, used)),
            lambda: to_us(engine.clock.now()),
            monotonic,
        )
        self._workers: KeyCache[Worker] = KeyCache(
            self._find_worker,
            lambda used: engine.run(lambda tx: worker_rows.note_used(tx.session, used)),
            lambda: to_us(engine.clock.now()),
            monotonic,
        )

    def requester(self, key: str) -> Requester:
        """Return whom an API key stands for.

        Raises:
            Unauthenticated: it is malformed, unknown, expired or revoked; always the same text.
        """
        hashed = hash_key(key)
        requester = self._requesters.get(hashed, key)
        if requester is None:
            raise Unauthenticated(_NO_KEY)
        return requester

    def worker(self, token: str) -> Worker:
        """Return whom a worker token stands for.

        Raises:
            Unauthenticated: it is malformed, unknown or revoked; always the same text.
        """
        worker = self._workers.get(hash_key(token), token)
        if worker is None:
            raise Unauthenticated(_NO_TOKEN)
        return worker

    def forget(self) -> None:
        """Ask the database again for every key; call it after a change of accounts, keys or workers."""
        self._requesters.clear()
        self._workers.clear()

    def flush(self) -> None:
        """Store when keys were last used."""
        self._requesters.flush()
        self._workers.flush()

    def _find_requester(self, hashed: str, key: str) -> Found[Requester] | None:
        if not is_well_formed(key):
            return None
        found = self._engine.read(lambda tx: key_rows.usable(tx.session, hashed, tx.now_us))
        return None if found is None else Found(found.requester, found.requester.key_id, found.expires_us)

    def _find_worker(self, hashed: str, token: str) -> Found[Worker] | None:
        if not is_worker_token(token):
            return None
        worker = self._engine.read(lambda tx: worker_rows.usable(tx.session, hashed))
        return None if worker is None else Found(worker, worker.id)
