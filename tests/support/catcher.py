"""Receivers of callbacks that keep what arrives, check its signature and answer as they are told."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError

from support.history import Arrival
from support.receivers import OK, Call, Receiver

__all__ = ["Catch", "always", "catching", "flaky", "parsed", "refusing_first"]

_REFUSED = b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 2\r\n\r\nno"
_CUT = b""

Answer = Callable[[Arrival], bytes]
"""What to answer to an arrival; nothing closes the connection."""


def always(_: Arrival) -> bytes:
    """Accept everything."""
    return OK


def flaky(failures: float, rng: random.Random) -> Answer:
    """Refuse some by chance, with a 500 or with no answer at all."""

    def answer(_: Arrival) -> bytes:
        if rng.random() >= failures:
            return OK
        return rng.choice([_REFUSED, _CUT])

    return answer


def refusing_first(count: int) -> Answer:
    """Refuse the first calls with a 500, and accept all after them."""
    left = [count]

    def answer(_: Arrival) -> bytes:
        left[0] -= 1
        return _REFUSED if left[0] >= 0 else OK

    return answer


def parsed(request: bytes) -> tuple[dict[str, str], bytes]:
    """Return the headers of a raw request, their names in lower case, and its body."""
    head, _, body = request.partition(b"\r\n\r\n")
    lines = [line.decode("latin-1").split(": ", 1) for line in head.split(b"\r\n")[1:]]
    return {name.lower(): value for name, value in lines}, body


class Catch:
    """What a receiver does with each call: verify, answer, note.

    Args:
        secret: The account's webhook secret.
        arrivals: Where to note; the note is made before the answer is sent,
            because the sender may be killed as soon as it has it.
        answer: What to answer.
    """

    def __init__(self, secret: str, arrivals: list[Arrival], answer: Answer = always) -> None:
        self._webhook = Webhook(secret)
        self._arrivals = arrivals
        self._answer = answer

    def __call__(self, call: Call) -> None:
        while request := call.request():
            headers, body = parsed(request)
            arrival = self._arrival(headers, body, answered=0)
            answer = self._answer(arrival)
            status = int(answer[9:12]) if answer else 0
            self._arrivals.append(self._arrival(headers, body, answered=status))
            if not answer:
                return
            call.send(answer)

    def _arrival(self, headers: dict[str, str], body: bytes, answered: int) -> Arrival:
        try:
            verified = True
            self._webhook.verify(body, headers)
        except WebhookVerificationError:
            verified = False
        return Arrival(webhook_id=headers["webhook-id"], body=json.loads(body), verified=verified, answered=answered)


@contextmanager
def catching(secret: str, *answers: Answer, host: str = "127.0.0.1") -> Iterator[tuple[list[Arrival], list[str]]]:
    """Run a receiver at an address for each answer; give what arrives at any of them, and their URLs."""
    arrivals: list[Arrival] = []
    with ExitStack() as stack:
        receivers = [stack.enter_context(Receiver(Catch(secret, arrivals, answer), host=host)) for answer in answers]
        yield arrivals, [receiver.url(host) for receiver in receivers]
