"""A transport that sends nothing and remembers everything."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import attrs

from workersai_core.callbacks.transport import Outcome

__all__ = ["CapturingTransport", "Request"]


@attrs.frozen(kw_only=True)
class Request:
    """One callback as its receiver would have seen it."""

    url: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The parsed body."""
        return json.loads(self.body)


class CapturingTransport:
    """Catches callbacks instead of sending them.

    Attributes:
        requests: Every request so far, the oldest first.

    Args:
        responder: Decides what each request is answered: a status, or a whole
            `Outcome`. Without one, each is answered 200.
    """

    def __init__(self, responder: Callable[[Request], Outcome | int] | None = None) -> None:
        self.requests: list[Request] = []
        self._responder = responder

    def send(self, url: str, headers: Mapping[str, str], body: bytes, deadline_s: float) -> Outcome:
        """Remember the request and return what the responder says."""
        request = Request(url=url, headers=dict(headers), body=body)
        self.requests.append(request)
        said = 200 if self._responder is None else self._responder(request)
        return said if isinstance(said, Outcome) else Outcome(status=said, latency_ms=0)

    def close(self) -> None:
        """Do nothing; `requests` stays readable."""
