"""Cursors: where a page of a list starts, signed so that they fit that list only.

The signature covers the list as well (whose, which mode, which filters), so a
cursor used with other filters is refused instead of skipping or repeating
tasks.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from typing import Literal

import attrs
import orjson
from itsdangerous import Signer

from workersai_server.errors import InvalidCursor

__all__ = ["Cursor", "Cursors"]

Direction = Literal["after", "before"]

_SALT = b"workersai.cursor"
_LETTERS: dict[str, Direction] = {"n": "after", "p": "before"}
_LETTER_OF = {direction: letter for letter, direction in _LETTERS.items()}


@attrs.frozen
class Cursor:
    """A place in a list: the page after (older than) or before (newer than) one task."""

    direction: Direction
    external_id: str


class Cursors:
    """Writes and reads cursors.

    Args:
        secret_key: The service's; the same on every host.
    """

    def __init__(self, secret_key: str) -> None:
        self._signer = Signer(secret_key, salt=_SALT, key_derivation="hmac", digest_method=hashlib.sha256)

    def write(self, cursor: Cursor, scope: Iterable[str]) -> str:
        """Return the text of a cursor.

        Args:
            cursor: The place.
            scope: What makes the list what it is.
        """
        place = _LETTER_OF[cursor.direction] + cursor.external_id
        return f"{place}.{self._signer.get_signature(_signed(place, scope)).decode()}"

    def read(self, text: str, scope: Iterable[str]) -> Cursor:
        """Return the cursor of a text that `write` made for the same list.

        Raises:
            InvalidCursor: it was not, or was changed.
        """
        place, dot, signature = text.rpartition(".")
        # Compared as text: the last character of base64 has bits that mean nothing, and may not be changed either.
        due = self._signer.get_signature(_signed(place, scope))
        if not dot or not hmac.compare_digest(due, signature.encode(errors="replace")):
            raise InvalidCursor
        return Cursor(_LETTERS[place[0]], place[1:])


def _signed(place: str, scope: Iterable[str]) -> bytes:
    return orjson.dumps([place, *scope])
