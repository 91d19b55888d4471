"""Reading an export to its end, also over a connection that breaks off."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

import requests

from workersai_client.connection import Connection
from workersai_client.errors import APIConnectionError

__all__ = ["export_lines", "export_pieces"]

_PATH = "/v1/export"
_PIECE_BYTES = 65_536
_TRIES = 3
"""How often in a row a stream may break off without having brought a task."""

Query = Sequence[tuple[str, str]]


def export_pieces(connection: Connection, query: Query, *, after: str | None = None) -> Iterator[bytes]:
    """Give the export as it comes.

    Raises:
        APIConnectionError: no answer came, or it broke off.
        APIError: the service answered with an error.
    """
    cursor = [] if after is None else [("cursor", after)]
    with connection.stream(_PATH, [*query, *cursor]) as response:
        try:
            yield from response.iter_content(_PIECE_BYTES)
        except requests.RequestException as error:
            raise APIConnectionError(f"The export broke off: {error}") from error


def export_lines(connection: Connection, query: Query, *, after: str | None = None) -> Iterator[bytes]:
    """Give the export as JSON Lines, one whole line each; after a break it goes on behind the last.

    Raises:
        APIConnectionError: it breaks off again and again.
        APIError: the service answered with an error.
    """
    tries_left = _TRIES
    while True:
        try:
            for line in _lines(export_pieces(connection, query, after=after)):
                yield line
                after = json.loads(line)["external_id"]
                tries_left = _TRIES
        except APIConnectionError:
            tries_left -= 1
            if tries_left == 0:
                raise
        else:
            return


def _lines(pieces: Iterator[bytes]) -> Iterator[bytes]:
    rest = b""
    for piece in pieces:
        *whole, rest = (rest + piece).split(b"\n")
        yield from (line + b"\n" for line in whole)
    if rest:
        raise APIConnectionError("The export ended in the middle of a line.")
