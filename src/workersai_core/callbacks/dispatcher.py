"""The dispatcher: sends what the outbox owes, round after round, until it is told to stop.

One thread runs the rounds. A round is one transaction that settles what the
senders finished and claims what is due; see `rounds`. It starts when somebody
calls `wake`, when results wait, when the next delivery is due, and every half
second in any case, because another process may have written to the database.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from datetime import datetime
from typing import Protocol, TypeVar

import attrs

from workersai_core.callbacks import rounds
from workersai_core.callbacks.crew import Crew, Results
from workersai_core.callbacks.lanes import Lanes, Room
from workersai_core.callbacks.rounds import Claimed
from workersai_core.callbacks.sending import Parcel, Sent, send
from workersai_core.callbacks.transport import Transport
from workersai_core.clock import Clock, to_us
from workersai_core.transaction import Parts, Transaction

__all__ = ["Dispatcher", "DispatcherHealth"]

Result = TypeVar("Result")

_GATHER_S = 0.01
_GATHER_MOST = 24
_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 5.0
_COUNTED_FAILURES = 16
_LAST_TRIES = 3
_ALONE = 4  # in the caller's thread: as many lanes and deliveries as a crew of this size
_LOOK_BACK_EVERY_S = 60.0
_GRACE_S = 2.0
_US = 1_000_000
_log = logging.getLogger("workersai.callbacks")


class Write(Protocol):
    """Runs an operation in one durable transaction."""

    def __call__(self, operation: Callable[[Transaction], Result], /) -> Result:
        """Return what the operation returned, after the commit."""
        ...


@attrs.frozen(kw_only=True)
class DispatcherHealth:
    """Whether callbacks are being sent."""

    alive: bool
    """Whether its thread runs."""
    last_error: str | None
    """Why the last round failed; None when it did not."""
    last_round_at: datetime | None
    """When a round last succeeded."""


class Dispatcher:
    """Sends callbacks, by threads of its own (`start`) or in the caller's (`deliver_due`).

    Args:
        write: Runs an operation in one durable transaction.
        parts: What the engine shares.
        transport: What makes the HTTP requests.
        senders: How many requests may be on their way at once.
        poll_s: How often to look into the database when nothing else asks for it.
    """

    def __init__(
        self, write: Write, parts: Parts, transport: Transport, *, senders: int = 64, poll_s: float = 0.5
    ) -> None:
        self._write = write
        self._parts = parts
        self._transport = transport
        self._poll_s = poll_s
        self._crew = Crew(self._send, senders, self._results_wait)
        self._unsettled = Results()
        self._called = threading.Event()  # there is something to do ...
        self._urgent = threading.Event()  # ... that should not wait for more of its kind
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._look_back_at = 0.0
        self._next_due_us: int | None = None
        self._failures = 0
        self._last_error: str | None = None
        self._last_round_at: datetime | None = None

    # --- by threads --------------------------------------------------------------------------

    def start(self) -> None:
        """Start to send; once."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="workersai-dispatcher", daemon=True)
            self._thread.start()

    def wake(self) -> None:
        """Say that something is due now."""
        self._urgent.set()
        self._called.set()

    def stop(self, drain: bool = True) -> None:
        """Stop for good: give back what waits, and settle what was sent.

        Args:
            drain: Whether to wait for the attempts on their way. Without it
                they are made again after their leases end.
        """
        if self._thread is None:
            return
        self._stopping.set()
        self.wake()
        self._thread.join()
        late = self._crew.stop(wait_s=self._parts.policy.callback_deadline_s + _GRACE_S if drain else 0.0)
        if late:
            _log.warning("%d callback attempts did not end in time; they will be made again", late)
        self._settle_last()

    def health(self) -> DispatcherHealth:
        """Return whether callbacks are being sent."""
        return DispatcherHealth(
            alive=self._thread is not None and self._thread.is_alive(),
            last_error=self._last_error,
            last_round_at=self._last_round_at,
        )

    def healthy(self) -> bool:
        """Return whether the thread runs and the last round succeeded."""
        health = self.health()
        return health.alive and health.last_error is None

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._round()
            except Exception as error:
                self._stopping.wait(self._pause_after(error))
            else:
                self._wait()

    def _round(self) -> None:
        self._called.clear()
        self._urgent.clear()
        self._unsettled.add(self._crew.collect())
        started = time.monotonic()
        claimed = self._transact(self._unsettled, self._crew.room(), look_back=started >= self._look_back_at)
        self._unsettled = Results()
        self._crew.add(claimed.shares)
        if started >= self._look_back_at:
            self._look_back_at = started + _LOOK_BACK_EVERY_S
        self._next_due_us = claimed.next_due_us
        self._failures = 0
        self._last_error = None
        self._last_round_at = self._parts.clock.now()

    def _wait(self) -> None:
        """Wait until there is something to do."""
        wait_s = self._poll_s
        if self._next_due_us is not None:
            wait_s = min(wait_s, (self._next_due_us - to_us(self._parts.clock.now())) / _US)
        if self._called.wait(max(0.0, wait_s)):
            self._urgent.wait(_GATHER_S)

    def _pause_after(self, error: Exception) -> float:
        """Note that a round failed; what is not settled is kept. Return how long to wait: each time a little longer."""
        pause_s = min(_PAUSE_S * 2.0**self._failures, _LONGEST_PAUSE_S)
        self._failures = min(self._failures + 1, _COUNTED_FAILURES)
        self._last_error = f"{type(error).__name__}: {error}"
        told = "a round of the callback dispatcher failed; %d results wait, next try in %.1f s"
        _log.warning(told, len(self._unsettled), pause_s, exc_info=error)
        return pause_s

    def _settle_last(self) -> None:
        self._unsettled.add(self._crew.collect())
        self._failures = 0
        while len(self._unsettled) and self._failures < _LAST_TRIES:
            try:
                self._write(lambda tx: rounds.settle(tx, self._unsettled.sent, self._unsettled.given_back))
                self._unsettled = Results()
            except Exception as error:
                time.sleep(self._pause_after(error))
        if len(self._unsettled):
            _log.error("%d callback results could not be stored; these are sent again", len(self._unsettled))

    def _results_wait(self, how_many: int) -> None:
        if how_many >= _GATHER_MOST:
            self._urgent.set()
        self._called.set()

    # --- in the caller's thread ----------------------------------------------------------------

    def deliver_due(self, limit: int | None = None) -> int:
        """Send what is due now, one after the other, and return how many attempts were made.

        Args:
            limit: Make at most so many attempts.

        Raises:
            StoreError: the database failed; attempts that were made but not
                stored will be made again.
        """
        due_by_us = to_us(self._parts.clock.now())
        lanes, results, made = Lanes(_ALONE), Results(), 0
        while True:
            room = lanes.room() if limit is None else lanes.room().at_most(limit - made)
            claimed = self._transact(results, room, look_back=made == 0, due_by_us=due_by_us)
            for share, parcels in claimed.shares:
                lanes.add(share, parcels)
            results = self._send_all(lanes)
            if not len(results):
                return made
            made += len(results.sent)

    def _send_all(self, lanes: Lanes) -> Results:
        results = Results()
        while (parcel := lanes.take()) is not None:
            sent = self._send(parcel)
            left = lanes.finish(parcel.sending.endpoint_id, None if sent is None else sent.kind)
            results.note(parcel, sent, left)
        return results

    # --- both ----------------------------------------------------------------------------------

    def _transact(self, results: Results, room: Room, *, look_back: bool, due_by_us: int | None = None) -> Claimed:
        def run(tx: Transaction) -> Claimed:
            rounds.settle(tx, results.sent, results.given_back)
            if look_back:
                rounds.bring_back(tx)
            look_until_us = tx.now_us + round(self._poll_s * _US)
            return rounds.claim(
                tx, room, due_by_us=tx.now_us if due_by_us is None else due_by_us, look_until_us=look_until_us
            )

        return self._write(run)

    def _send(self, parcel: Parcel) -> Sent | None:
        """Make one attempt; None when it is too late for it."""
        deadline_s, clock = self._parts.policy.callback_deadline_s, self._parts.clock
        if _is_too_late(parcel, deadline_s, clock):
            return None
        return send(parcel, self._transport, deadline_s, clock)


def _is_too_late(parcel: Parcel, deadline_s: float, clock: Clock) -> bool:
    """Return whether an attempt could outlast its lease: somebody else may send it by then."""
    return to_us(clock.now()) + round(deadline_s * _US) > parcel.sending.lease_until_us
