"""Accounts on an engine in memory, with both of their clocks in a test's hand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs

from workersai_core import Engine, Policy
from workersai_core.testing import CapturingTransport, FakeClock, memory_engine
from workersai_server.accounts import SERVER, Accounts
from workersai_server.quota import Quota
from workersai_server.settings import Settings

PARAMS = {"attachment_type": "text", "attachment": "How big is it?", "categories": ["big", "small"]}


@attrs.define
class Ticks:
    """A monotonic clock that stands still."""

    now_s: float = 1000.0

    def __call__(self) -> float:
        return self.now_s


@attrs.define
class House:
    """An engine with the server's tables and quota, and its accounts."""

    engine: Engine
    accounts: Accounts
    quota: Quota
    clock: FakeClock
    ticks: Ticks
    transport: CapturingTransport

    def advance(self, seconds: float) -> None:
        """Move both clocks."""
        self.clock.advance(seconds)
        self.ticks.now_s += seconds

    def create(self, account_id: str, **fields: Any):
        """Create a task that is right in every respect."""
        return self.engine.create_task(account=account_id, **{"params": PARAMS, **fields})

    def remaining(self, account_id: str) -> int | None:
        """Return the free requests an account has left."""
        return self.engine.read(lambda tx: self.quota.free_requests_remaining(tx.session, account_id))

    def creations(self, email: str) -> int:
        """Return what the quota has counted."""
        return self.accounts.get(email).creations


def house(*, plugins: Sequence[object] = (), policy: Policy | None = None, **settings: Any) -> House:
    """Return a house under some settings, with further plugins; without a policy it may call back any address."""
    chosen, clock, ticks, transport = Settings(**settings), FakeClock(), Ticks(), CapturingTransport()
    quota = Quota(chosen)
    given = {} if policy is None else {"policy": policy}
    engine = memory_engine(clock=clock, transport=transport, schemas=[SERVER], plugins=[quota, *plugins], **given)
    return House(engine, Accounts(engine, chosen, monotonic=ticks), quota, clock, ticks, transport)
