"""Names and values as queries and HTML forms write them (application/x-www-form-urlencoded)."""

from __future__ import annotations

from urllib.parse import unquote_to_bytes

__all__ = ["decode", "pairs"]


def pairs(encoded: bytes) -> list[tuple[str, str]]:
    """Return the names and values of ``a=1&b=2`` in order, decoded; ``a`` alone has the value ``""``.

    Raises:
        ValueError: a name or value is not UTF-8.
    """
    parts = (part.partition(b"=") for part in encoded.split(b"&") if part)
    return [(decode(name), decode(value)) for name, _, value in parts]


def decode(part: bytes) -> str:
    """Return one name or value, decoded.

    Raises:
        ValueError: it is not UTF-8.
    """
    try:
        return unquote_to_bytes(part.replace(b"+", b" ")).decode()
    except UnicodeDecodeError:
        raise ValueError("Percent-encoded text must be UTF-8.") from None
