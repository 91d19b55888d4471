"""What one client does, as a generator of requests that is sent each answer."""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Callable, Generator, Sequence
from typing import Any

from benchmarks.http1 import request

__all__ = ["SCRIPTS", "Script", "cycle", "label", "once"]

Script = Generator[bytes, tuple[int, bytes], None]


def cycle(requests: Sequence[str], client: int) -> Script:
    """Send the same requests over and over, each client from another place."""
    encoded = [text.encode("latin-1") for text in requests]
    start = random.Random(client).randrange(len(encoded))
    yield from itertools.cycle(encoded[start:] + encoded[:start])


def once(requests: Sequence[Sequence[str]], client: int) -> Script:
    """Send requests of one's own, each once."""
    for text in requests[client]:
        yield text.encode("latin-1")


def label(tokens: Sequence[str], client: int) -> Script:
    """Claim and answer categorization tasks until there are none left."""
    token = tokens[client]
    claim = request("POST", "/v1/work/claim", b"{}", key=token)
    while True:
        status, body = yield claim
        if status == 204:
            return
        claimed = json.loads(body)
        answer = json.dumps({"response": {"category": claimed["task"]["params"]["categories"][0]}}).encode()
        yield request("POST", f"/v1/work/{claimed['assignment_id']}/submit", answer, key=token)


SCRIPTS: dict[str, Callable[[Any, int], Script]] = {"cycle": cycle, "label": label, "once": once}
