"""What a hostile receiver of callbacks may do, by name, and what an attempt to call it must come to."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Mapping

import attrs

from support.receivers import OK, Call, answers, answers_once, drips_its_headers, says_nothing

__all__ = ["HOSTILE", "Hostile"]

KEPT = 64 * 1024
HEAD = b"HTTP/1.1 200 OK\r\n"
LONG = HEAD + b"Content-Length: 1000\r\n\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
PATIENT_DRIP_S = 0.05


@attrs.frozen
class Hostile:
    """One kind of receiver.

    Attributes:
        behaviour: What it does with a connection.
        status: The status that is recorded, or None where there was no answer.
        scheme: ``https`` where it is called so.
    """

    behaviour: Callable[[Call], None]
    status: int | None = None
    scheme: str = "http"


def _closes(call: Call) -> None:
    call.request()


def _resets(call: Call) -> None:
    call.request()
    call.reset()


def _begins_and_stops(call: Call) -> None:
    call.request()
    call.send(HEAD + b"Content-")
    call.wait()


def _drips(head: bytes, body: bytes) -> Callable[[Call], None]:
    def behave(call: Call) -> None:
        call.request()
        call.send(head)
        call.drip(body, PATIENT_DRIP_S)

    return behave


def _sends_and_waits(data: bytes) -> Callable[[Call], None]:
    def behave(call: Call) -> None:
        call.request()
        call.send(data)
        call.wait()

    return behave


def _pours(head: bytes, piece: bytes, times: int) -> Callable[[Call], None]:
    def behave(call: Call) -> None:
        call.request()
        call.send(head)
        for _ in range(times):
            call.send(piece)

    return behave


def _resets_in_its_body(call: Call) -> None:
    call.request()
    call.send(LONG + b"beginning")
    call.reset()


def _answers(status: str, *headers: str, body: bytes = b"no") -> Callable[[Call], None]:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
    return answers("\r\n".join(lines).encode() + body)


_MEGABYTE = b"a" * 1_000_000
_BOMB = gzip.compress(b"a" * 30_000_000)

HOSTILE: Mapping[str, Hostile] = {
    "accepts and says nothing": Hostile(says_nothing),
    "begins its headers and stops": Hostile(_begins_and_stops),
    "drips its headers": Hostile(drips_its_headers),
    "continues for ever": Hostile(_drips(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 100)),
    "closes without an answer": Hostile(_closes),
    "resets after the request": Hostile(_resets),
    "resets before the request": Hostile(lambda call: call.reset()),
    "closes within its headers": Hostile(answers_once(HEAD + b"A: b\r\n")),
    "speaks no HTTP": Hostile(answers_once(b"hello, this is HTTP/0.9\n")),
    "speaks TLS where it is not asked to": Hostile(answers_once(b"\x16\x03\x01\x00\xff" * 9)),
    "has a status that is no number": Hostile(answers_once(b"HTTP/1.1 abc OK\r\n\r\n")),
    "has too many headers": Hostile(answers_once(HEAD + b"A: b\r\n" * 200 + b"\r\n")),
    "has a header without end": Hostile(answers_once(HEAD + b"A: " + b"a" * KEPT)),
    "drips its body": Hostile(_drips(LONG, b"a" * 1000), 200),
    "drips the size of a chunk": Hostile(_drips(CHUNKED, b"0" * 1000), 200),
    "never sends its body": Hostile(_sends_and_waits(LONG + b"beginning"), 200),
    "resets in its body": Hostile(_resets_in_its_body, 200),
    "sends 100 MB": Hostile(_pours(HEAD + b"Content-Length: 100000000\r\n\r\n", _MEGABYTE, 100), 200),
    "sends chunks without end": Hostile(_pours(CHUNKED, b"f4240\r\n" + b"a" * 1_000_000 + b"\r\n", 1000), 200),
    "sends a bomb in gzip": Hostile(_answers("200 OK", "Content-Encoding: gzip", body=_BOMB), 200),
    "sends what is no text": Hostile(_answers("200 OK", body=b"\xff\xfe\x00\xed\xa0\x80" * 100), 200),
    "redirects into the network": Hostile(_answers("307 Elsewhere", "Location: http://169.254.169.254/latest"), 307),
    "is not found": Hostile(_answers("404 Not Found", body=b"x" * 2 * KEPT), 404),
    "is gone": Hostile(_answers("410 Gone"), 410),
    "fails": Hostile(_answers("500 No", body=_BOMB), 500),
    "asks for a year's patience": Hostile(_answers("503 Busy", "Retry-After: 31536000"), 503),
    "speaks no TLS where it is asked to": Hostile(answers_once(OK), scheme="https"),
    "drips its handshake": Hostile(_drips(b"\x16\x03\x03\x40\x00", b"\0" * 1000), scheme="https"),
}
"""Those that wait or drip do so for longer than any deadline of a test."""
