"""The numbers an operator or an embedder may choose."""

from __future__ import annotations

import attrs

from workersai_core.callbacks.addresses import AddressPolicy
from workersai_core.callbacks.retry import RetryPolicy

__all__ = ["Policy"]


@attrs.frozen(kw_only=True)
class Policy:
    """How one engine behaves."""

    lease_s: int = 900
    """How long a worker holds an assignment without renewing it, unless the claim says otherwise."""
    lease_min_s: int = 30
    lease_max_s: int = 3600
    max_live_assignments: int = 5
    """How many assignments one worker may hold at once."""
    max_answers: int = 20
    """The most answers one task may ask for, also when its type keeps asking for another."""
    retry: RetryPolicy = attrs.field(factory=RetryPolicy)
    callback_deadline_s: float = 15.0
    """How long one delivery attempt may take in all."""
    addresses: AddressPolicy = attrs.field(factory=AddressPolicy)
    """Which networks callbacks may reach."""
    disable_endpoint_after_s: float = 5 * 86400.0
    """An endpoint that only failed for this long is disabled until its account enables it."""
    idempotency_kept_s: float = 2 * 86400.0
    """How long the answer to an idempotency key is remembered."""
