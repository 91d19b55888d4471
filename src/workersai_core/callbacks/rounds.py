"""What one round of the dispatcher does in its transaction: settle what was sent, claim what is due."""

from __future__ import annotations

import logging
import random
from collections.abc import Sequence

import attrs

from workersai_core.callbacks.lanes import Room, Share
from workersai_core.callbacks.outbox import webhook_secrets
from workersai_core.callbacks.retry import RetryPolicy
from workersai_core.callbacks.sending import Parcel, Sent
from workersai_core.clock import from_us, rfc3339
from workersai_core.lifecycle import CallbackState
from workersai_core.policy import Policy
from workersai_core.store import endpoint_rows, outbox_rows
from workersai_core.store.endpoint_rows import Record
from workersai_core.store.outbox_rows import Sending
from workersai_core.transaction import Transaction

__all__ = ["Claimed", "Ruling", "bring_back", "claim", "ruling", "settle"]

_LEASE_SLACK_S = 15.0
"""How much longer than one attempt a lease lasts: to wait for a sender, and to be settled."""
_SIMULATED_STEP_S = 1.0
# The longest wait of a schedule is the answer to a receiver that wants to be left alone for years;
# chance makes a wait longer, but never twice as long.
_YEARS_S = 1e8
_CHANCE_FACTOR = 2.0
_US = 1_000_000
_log = logging.getLogger("workersai.callbacks")


@attrs.frozen
class Ruling:
    """What follows an attempt."""

    state: CallbackState
    delay_s: float = 0.0
    """How long until the next attempt, while the delivery is pending."""


def ruling(sent: Sent, policy: Policy) -> Ruling:
    """Return what follows an attempt."""
    if sent.delivered:
        return Ruling(CallbackState.DELIVERED)
    if sent.simulated:
        return Ruling(CallbackState.PENDING, _SIMULATED_STEP_S)
    # Chance that is the same whenever this attempt is settled: after a lost commit it may be settled again.
    rng = random.Random(f"{sent.sending.id} {sent.attempt.n}")  # noqa: S311 - spreads load, keeps no secret
    delay_s = policy.retry.delay_s(sent.sending.attempts + 1, rng, sent.retry_after_s)
    if sent.gone or delay_s is None:
        return Ruling(CallbackState.EXHAUSTED)
    return Ruling(CallbackState.PENDING, delay_s)


# --- settling ------------------------------------------------------------------------------------


def settle(tx: Transaction, batch: Sequence[Sent], given_back: Sequence[Sending]) -> None:
    """Store what came of attempts, and give back what was not sent.

    An attempt whose lease was lost meanwhile leaves no trace: the delivery
    belongs to whoever holds the lease now.
    """
    held = [sent for sent in batch if _settle_one(tx, sent)]
    if held:
        outbox_rows.add_attempts(tx.session, [(sent.sending.id, sent.attempt) for sent in held])
        _note_health(tx, [sent for sent in held if not sent.simulated])
    if given_back:
        outbox_rows.release(tx.session, given_back, tx.now_us)


def _settle_one(tx: Transaction, sent: Sent) -> bool:
    sending, attempt = sent.sending, sent.attempt
    then = ruling(sent, tx.parts.policy)
    held = outbox_rows.settle(
        tx.session,
        sending,
        state=then.state,
        attempts=sending.attempts if sent.simulated else sending.attempts + 1,
        attempts_total=attempt.n,
        next_due_us=tx.now_us + round(then.delay_s * _US),
        now_us=tx.now_us,
    )
    if held:
        _record(tx, sent, then.state)
    return held


def _record(tx: Transaction, sent: Sent, state: CallbackState) -> None:
    sending, attempt = sent.sending, sent.attempt
    who = (sending.task_id, sending.account, sending.mode, "system")
    what = {"delivery": sending.id, "event": sending.event, "n": attempt.n}
    outcome = {"status": attempt.status, "error": attempt.error, "state": state.value}
    tx.record_about("callback_attempted", *who, {**what, **outcome})
    if state is CallbackState.DELIVERED:
        tx.record_about("callback_delivered", *who, what)
    elif state is CallbackState.EXHAUSTED:
        tx.record_about("callback_exhausted", *who, what)


def _note_health(tx: Transaction, batch: Sequence[Sent]) -> None:
    by_endpoint: dict[str, list[Sent]] = {}
    for sent in batch:
        by_endpoint.setdefault(sent.sending.endpoint_id, []).append(sent)
    # In one order everywhere, so that no two dispatchers wait for each other.
    for endpoint_id, answers in sorted(by_endpoint.items(), key=lambda each: each[0]):
        _note_answers(tx, endpoint_id, answers)


def _note_answers(tx: Transaction, endpoint_id: str, answers: Sequence[Sent]) -> None:
    """Keep an endpoint's record; one that stays healthy costs a read and no write."""
    before = endpoint_rows.record_of(tx.session, endpoint_id)
    record = _after(before, answers, tx.now_us)
    if record != before:  # another dispatcher may have changed it since it was read
        record = _after(endpoint_rows.record_of(tx.session, endpoint_id, lock=True), answers, tx.now_us)
        endpoint_rows.set_record(tx.session, endpoint_id, record)
    why = _why_disable(tx, answers, record.failing_since_us)
    if why is not None and endpoint_rows.disable(tx.session, endpoint_id, why, tx.now_us):
        _log.warning("callback endpoint %s is disabled: %s", endpoint_id, why)


def _after(record: Record, answers: Sequence[Sent], now_us: int) -> Record:
    for sent in answers:
        record = record.after(ok=sent.delivered, slow=sent.slow, now_us=now_us)
    return record


def _why_disable(tx: Transaction, answers: Sequence[Sent], failing_since_us: int | None) -> str | None:
    if any(sent.gone for sent in answers):
        return "The receiver answered 410 Gone."
    if failing_since_us is None or tx.now_us - failing_since_us < tx.parts.policy.disable_endpoint_after_s * _US:
        return None
    last = answers[-1].attempt
    told = last.error or f"it answered {last.status}"
    return f"Every attempt since {rfc3339(from_us(failing_since_us))} failed; the last one: {told}."


# --- claiming ------------------------------------------------------------------------------------


@attrs.frozen
class Claimed:
    """What a round took on, and when the next is needed."""

    shares: Sequence[tuple[Share, Sequence[Parcel]]] = ()
    next_due_us: int | None = None
    """When the first delivery after this round is due, as far as was looked."""

    @property
    def parcels(self) -> Sequence[Parcel]:
        """Everything that was claimed."""
        return [parcel for _, parcels in self.shares for parcel in parcels]


def claim(tx: Transaction, room: Room, *, due_by_us: int, look_until_us: int) -> Claimed:
    """Lease deliveries for as much room as there is.

    Args:
        tx: The round's transaction.
        room: How much may be claimed.
        due_by_us: Only what was due by then; usually now.
        look_until_us: How far ahead to look for the next delivery.
    """
    waiting = endpoint_rows.waiting(tx.session, look_until_us)
    due = [endpoint for endpoint in waiting if endpoint.due_us <= due_by_us]
    lease = tx.new_id()
    until_us = tx.now_us + round((tx.parts.policy.callback_deadline_s + _LEASE_SLACK_S) * _US)
    secrets: dict[str, tuple[str, ...]] = {}
    shares = []
    for share in room.shares(due):
        sendings = outbox_rows.claim(tx.session, share.endpoint_id, share.limit, due_by_us, lease, until_us)
        shares.append((share, [Parcel(sending, _secrets(tx, sending.account, secrets)) for sending in sendings]))
    later = [endpoint.due_us for endpoint in waiting if endpoint.due_us > due_by_us]
    return Claimed(shares, min(later, default=None))


def _secrets(tx: Transaction, account: str, known: dict[str, tuple[str, ...]]) -> tuple[str, ...]:
    if account not in known:
        known[account] = tuple(secret.secret for secret in webhook_secrets(tx, account))
    return known[account]


def bring_back(tx: Transaction) -> int:
    """Make due what is due later than the schedule allows, and return how much that was.

    That happens when the machine's clock ran ahead and was set back. What is
    on its way meanwhile keeps the time of a lease to finish.
    """
    policy = tx.parts.policy
    lease_us = round((policy.callback_deadline_s + _LEASE_SLACK_S) * _US)
    longest_us = max(round(_longest_wait_s(policy.retry) * _CHANCE_FACTOR * _US), lease_us)
    return outbox_rows.bring_back(tx.session, latest_us=tx.now_us + longest_us, due_us=tx.now_us + lease_us)


def _longest_wait_s(retry: RetryPolicy) -> float:
    """Return the longest wait that a schedule makes for a receiver that wants to be left alone, give or take chance."""
    rng = random.Random(0)  # noqa: S311 - any chance will do
    longest_s, attempts = 0.0, 1
    while (wait_s := retry.delay_s(attempts, rng, _YEARS_S)) is not None:
        longest_s = max(longest_s, wait_s)
        attempts += 1
    return longest_s
