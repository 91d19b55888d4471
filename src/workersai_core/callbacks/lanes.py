"""Who is sent to next: fairness between endpoints, decided without clock, database or threads.

Each endpoint has a lane. A healthy one has up to four deliveries on their way
at once and some more waiting behind them, so that its speed does not depend on
how quickly the database answers. One that never answered yet, or whose last
answer failed or was slow, has a single delivery on its way and none waiting;
all of these together leave a part of the senders to the healthy ones. So a
dead endpoint costs the others nothing, however much is owed to it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence

import attrs

from workersai_core.callbacks.sending import Kind, Parcel
from workersai_core.store.endpoint_rows import Waiting

__all__ = ["Lanes", "Room", "Share"]

# More threads for a receiver that answers at once would only wait for each other, not for it.
_AT_ONCE = {Kind.BRISK: 2, Kind.HEALTHY: 4, Kind.NEW: 1, Kind.TROUBLED: 1}
_HELD = 32
_HELD_PER_SENDER = 4


def kind_of(endpoint: Waiting) -> Kind:
    """Return how an endpoint has behaved so far, by its row."""
    if endpoint.slow:
        return Kind.TROUBLED
    return Kind.HEALTHY if endpoint.known else Kind.NEW


@attrs.frozen
class Share:
    """How many deliveries of one endpoint may be claimed now."""

    endpoint_id: str
    kind: Kind
    limit: int


@attrs.frozen(kw_only=True)
class Room:
    """How much may be claimed at one moment."""

    free: int
    """Deliveries that fit into memory."""
    new: int
    """New endpoints that may start, troubled ones included."""
    troubled: int
    """Troubled endpoints that may start."""
    held: Mapping[str, int]
    """Deliveries claimed already, by endpoint."""
    served: Mapping[Kind, str]
    """The endpoint of each kind that was served last; its followers are next."""

    def at_most(self, limit: int) -> Room:
        """Return the same room, but for `limit` deliveries at most."""
        return attrs.evolve(self, free=min(self.free, limit))

    def shares(self, due: Sequence[Waiting]) -> list[Share]:
        """Return what to claim from each endpoint.

        Args:
            due: The endpoints with work, in the order of their ids.
        """
        by_kind = {kind: self._in_turn(kind, due) for kind in Kind}
        idle = {kind: [e for e in by_kind[kind] if not self.held.get(e.id)] for kind in (Kind.NEW, Kind.TROUBLED)}
        troubled = idle[Kind.TROUBLED][: max(0, min(self.troubled, self.new, self.free))]
        new = idle[Kind.NEW][: max(0, min(self.new, self.free) - len(troubled))]
        single = [Share(e.id, Kind.TROUBLED, 1) for e in troubled] + [Share(e.id, Kind.NEW, 1) for e in new]
        return single + self._healthy_shares(by_kind[Kind.HEALTHY], self.free - len(single))

    def _in_turn(self, kind: Kind, due: Sequence[Waiting]) -> list[Waiting]:
        last = self.served.get(kind, "")
        chosen = [endpoint for endpoint in due if kind_of(endpoint) is kind]
        return [e for e in chosen if e.id > last] + [e for e in chosen if e.id <= last]

    def _healthy_shares(self, endpoints: Sequence[Waiting], free: int) -> list[Share]:
        shares = []
        equal = max(1, free // max(1, len(endpoints)))
        for endpoint in endpoints:
            limit = min(equal, free, _HELD - self.held.get(endpoint.id, 0))
            if limit > 0:
                shares.append(Share(endpoint.id, Kind.HEALTHY, limit))
                free -= limit
        return shares


class _Lane:
    """One endpoint's deliveries in memory."""

    __slots__ = ("kind", "on_their_way", "waiting")

    def __init__(self, kind: Kind) -> None:
        self.kind = kind
        self.waiting: deque[Parcel] = deque()
        self.on_their_way = 0

    @property
    def held(self) -> int:
        return len(self.waiting) + self.on_their_way

    @property
    def ready(self) -> bool:
        return bool(self.waiting) and self.on_their_way < _AT_ONCE[self.kind]


class Lanes:
    """The deliveries in memory, by endpoint. Not safe to use from several threads without a lock.

    Args:
        senders: How many deliveries may be on their way at once.
    """

    def __init__(self, senders: int) -> None:
        self._capacity = senders * _HELD_PER_SENDER
        self._most_troubled = max(1, senders // 2)
        self._most_new = max(1, senders * 3 // 4)
        self._lanes: dict[str, _Lane] = {}
        self._turns: deque[str] = deque()
        self._served: dict[Kind, str] = {}

    @property
    def waiting(self) -> int:
        """How many deliveries wait for a sender."""
        return sum(len(lane.waiting) for lane in self._lanes.values())

    def room(self) -> Room:
        """Return how much may be claimed now."""
        held = {endpoint_id: lane.held for endpoint_id, lane in self._lanes.items()}
        troubled = sum(lane.held for lane in self._lanes.values() if lane.kind is Kind.TROUBLED)
        new = sum(lane.held for lane in self._lanes.values() if lane.kind is Kind.NEW)
        return Room(
            free=self._capacity - sum(held.values()),
            new=self._most_new - troubled - new,
            troubled=self._most_troubled - troubled,
            held=held,
            served=dict(self._served),
        )

    def add(self, share: Share, parcels: Sequence[Parcel]) -> None:
        """Put claimed deliveries into the lane of their endpoint.

        A lane that exists knows better than the share how its endpoint behaves:
        it may have learned something since the share was made.
        """
        self._served[share.kind] = share.endpoint_id
        if not parcels:
            return
        lane = self._lanes.get(share.endpoint_id)
        if lane is None:
            lane = self._lanes[share.endpoint_id] = _Lane(share.kind)
            self._turns.append(share.endpoint_id)
        lane.waiting.extend(parcels)

    def take(self) -> Parcel | None:
        """Return the delivery to send next, the endpoints in turn; None when none may start."""
        for _ in range(len(self._turns)):
            lane = self._lanes[self._turns[0]]
            self._turns.rotate(-1)
            if lane.ready:
                lane.on_their_way += 1
                return lane.waiting.popleft()
        return None

    def finish(self, endpoint_id: str, kind: Kind | None) -> list[Parcel]:
        """Note that a delivery is no longer on its way.

        Args:
            endpoint_id: Whose delivery.
            kind: How the endpoint behaved; None when it was not called.

        Returns:
            The deliveries to give back: those that waited in the lane of an
            endpoint that is in trouble now.
        """
        lane = self._lanes[endpoint_id]
        lane.on_their_way -= 1
        lane.kind = kind or lane.kind
        given_back = list(lane.waiting) if kind is Kind.TROUBLED else []
        if given_back:
            lane.waiting.clear()
        if not lane.held:
            del self._lanes[endpoint_id]
            self._turns.remove(endpoint_id)
        return given_back

    def clear(self) -> list[Parcel]:
        """Take out every delivery that waits for a sender, and return them."""
        given_back = [parcel for lane in self._lanes.values() for parcel in lane.waiting]
        for lane in self._lanes.values():
            lane.waiting.clear()
        for endpoint_id in [endpoint_id for endpoint_id, lane in self._lanes.items() if not lane.held]:
            del self._lanes[endpoint_id]
            self._turns.remove(endpoint_id)
        return given_back
