"""The values of accounts, keys and workers.

Times are aware UTC; amounts are whole millionths (`amounts`). A full key is
in a value whose name starts with `New`, once, and hidden from its repr.
"""

from __future__ import annotations

from datetime import datetime

import attrs

from workersai_core import Mode

__all__ = ["Account", "ApiKey", "NewAccount", "NewKey", "NewWorker", "Preferences", "Requester", "WorkerEntry"]


@attrs.frozen(kw_only=True)
class Requester:
    """Who makes a request: an account, by one of its keys."""

    account_id: str
    mode: Mode
    key_id: str
    scopes: frozenset[str]
    """What the key may do; empty means everything."""
    callback_url: str | None
    """The account's default; None means the literal default."""
    callback_events: frozenset[str]
    """The final states the account is called back for."""
    unlimited: bool
    """Whether the account creates tasks without limit and charge."""


@attrs.frozen(kw_only=True)
class Account:
    """A requester's account."""

    id: str
    email: str
    unlimited: bool
    operator: bool
    """Whether its owner may see the operator pages."""
    callback_url: str | None
    callback_events: frozenset[str]
    creations: int
    """Accepted live creations, free and charged."""
    credit_micros: int
    spent_micros: int
    created_at: datetime


@attrs.frozen(kw_only=True)
class NewAccount:
    """A fresh account; its keys are shown this once."""

    account_id: str
    email: str
    live_key: str = attrs.field(repr=False)
    test_key: str = attrs.field(repr=False)
    webhook_secret: str = attrs.field(repr=False)


@attrs.frozen(kw_only=True)
class ApiKey:
    """What is kept of an API key."""

    id: str
    account_id: str
    mode: Mode
    last4: str
    scopes: frozenset[str]
    created_at: datetime
    last_used_at: datetime | None
    """To about a minute."""
    expires_at: datetime | None
    revoked_at: datetime | None

    @property
    def prefix(self) -> str:
        """``live_`` or ``test_``."""
        return f"{self.mode}_"


@attrs.frozen(kw_only=True)
class NewKey:
    """A fresh API key; the full text is shown this once."""

    key: str = attrs.field(repr=False)
    entry: ApiKey


@attrs.frozen(kw_only=True)
class Preferences:
    """What a worker has chosen about the pages."""

    language: str | None = None
    """``en`` or ``ko``; None for what the browser asks for."""
    theme: str | None = None
    """``light`` or ``dark``; None for what the browser prefers."""
    single_keys: bool = True
    """Whether a bare key answers."""
    speed: float = 1.0
    """At which recordings are played, 0.25 to 3."""
    snippets: str = ""
    """Shortcuts for longer texts, one a line: ``ty = Thank you``."""


@attrs.frozen(kw_only=True)
class WorkerEntry:
    """A worker as the server keeps it."""

    id: str
    name: str
    skills: frozenset[str]
    """Names of the task types it may do; empty means all."""
    preferences: Preferences
    last4: str
    created_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None


@attrs.frozen(kw_only=True)
class NewWorker:
    """A fresh worker; its token is shown this once."""

    id: str
    name: str
    token: str = attrs.field(repr=False)
