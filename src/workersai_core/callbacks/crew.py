"""The threads that send, and what they share: the lanes they take from and the results they leave."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

import attrs

from workersai_core.callbacks.lanes import Lanes, Room, Share
from workersai_core.callbacks.sending import Parcel, Sent
from workersai_core.store.outbox_rows import Sending

__all__ = ["Crew", "Results"]


@attrs.define
class Results:
    """What is to be settled."""

    sent: list[Sent] = attrs.field(factory=list)
    given_back: list[Sending] = attrs.field(factory=list)

    def __len__(self) -> int:
        return len(self.sent) + len(self.given_back)

    def add(self, more: Results) -> None:
        """Append other results to these."""
        self.sent += more.sent
        self.given_back += more.given_back

    def note(self, parcel: Parcel, sent: Sent | None, left: Sequence[Parcel]) -> None:
        """Append what came of one delivery.

        Args:
            parcel: The delivery.
            sent: None when it was too late to start.
            left: What its lane gives back.
        """
        if sent is None:
            self.given_back.append(parcel.sending)
        else:
            self.sent.append(sent)
        self.given_back += [other.sending for other in left]


class Crew:
    """Sender threads, started as they are needed.

    Args:
        send: Makes one attempt; None means that it was too late to start.
        senders: How many threads there may be.
        finished: Called after each attempt with how many results wait.
    """

    def __init__(self, send: Callable[[Parcel], Sent | None], senders: int, finished: Callable[[int], None]) -> None:
        self._send = send
        self._senders = senders
        self._finished = finished
        self._work = threading.Condition()
        self._lanes = Lanes(senders)
        self._results = Results()
        self._threads: list[threading.Thread] = []
        self._idle = 0
        self._stopping = False

    def room(self) -> Room:
        """Return how much may be claimed now."""
        with self._work:
            return self._lanes.room()

    def add(self, shares: Sequence[tuple[Share, Sequence[Parcel]]]) -> None:
        """Hand over claimed deliveries."""
        with self._work:
            for share, parcels in shares:
                self._lanes.add(share, parcels)
            waiting = self._lanes.waiting
            self._work.notify(waiting)
            for _ in range(min(waiting - self._idle, self._senders - len(self._threads))):
                name = f"workersai-sender-{len(self._threads) + 1}"
                thread = threading.Thread(target=self._run, name=name, daemon=True)
                thread.start()
                self._threads.append(thread)

    def collect(self) -> Results:
        """Take the results that wait."""
        with self._work:
            results, self._results = self._results, Results()
            return results

    def stop(self, *, wait_s: float) -> int:
        """Start no further attempt, wait for those on their way, and return how many did not end in time."""
        with self._work:
            self._stopping = True
            self._results.given_back += [parcel.sending for parcel in self._lanes.clear()]
            self._work.notify_all()
        ends_at = time.monotonic() + wait_s
        for thread in self._threads:
            thread.join(max(0.0, ends_at - time.monotonic()))
        return sum(thread.is_alive() for thread in self._threads)

    def _run(self) -> None:
        while (parcel := self._take()) is not None:
            self._finish(parcel, self._send(parcel))

    def _take(self) -> Parcel | None:
        with self._work:
            self._idle += 1
            try:
                while not self._stopping:
                    parcel = self._lanes.take()
                    if parcel is not None:
                        return parcel
                    self._work.wait()
                return None
            finally:
                self._idle -= 1

    def _finish(self, parcel: Parcel, sent: Sent | None) -> None:
        with self._work:
            left = self._lanes.finish(parcel.sending.endpoint_id, None if sent is None else sent.kind)
            self._results.note(parcel, sent, left)
            waiting = len(self._results)
        self._finished(waiting)
