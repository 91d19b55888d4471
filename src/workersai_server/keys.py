"""API keys and worker tokens: how they look and how they are kept.

A key is ``live_`` or ``test_``, 32 random base62 digits and 6 check digits, so
that a secret scanner can tell a leaked key from noise without asking anyone.
A worker token is the same after ``wkr_``. Only their SHA-256 is stored; random
digits need no slow hash.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import zlib

from workersai_core.model import Mode

__all__ = [
    "check_digits",
    "hash_key",
    "is_well_formed",
    "is_worker_token",
    "mask",
    "mode_of",
    "new_key",
    "new_worker_token",
]

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_RANDOM_DIGITS = 32
_CHECK_DIGITS = 6
_OURS = re.compile(r"(?:live_|test_|wkr_)[0-9A-Za-z]{38}")
_IMPORTED = re.compile(r"(?:live_|test_)[0-9A-Za-z]{20}")
"""Keys of the service's first form; they carry no check digits."""
_MODES: dict[str, Mode] = {"live_": "live", "test_": "test"}


def new_key(mode: Mode) -> str:
    """Return a fresh key for `mode`."""
    return _new(f"{mode}_")


def new_worker_token() -> str:
    """Return a fresh worker token."""
    return _new("wkr_")


def _new(prefix: str) -> str:
    body = prefix + "".join(secrets.choice(_ALPHABET) for _ in range(_RANDOM_DIGITS))
    return body + check_digits(body)


def check_digits(body: str) -> str:
    """Return the six base62 digits of the CRC-32 of `body`'s ASCII bytes, padded with zeros."""
    number = zlib.crc32(body.encode("ascii"))
    digits = ""
    for _ in range(_CHECK_DIGITS):
        number, digit = divmod(number, len(_ALPHABET))
        digits = _ALPHABET[digit] + digits
    return digits


def is_well_formed(key: str) -> bool:
    """Return whether `key` can be an API key at all, ours or an imported one."""
    if _IMPORTED.fullmatch(key):
        return True
    return key.startswith(tuple(_MODES)) and _has_check_digits(key)


def is_worker_token(token: str) -> bool:
    """Return whether `token` can be a worker token at all."""
    return token.startswith("wkr_") and _has_check_digits(token)


def _has_check_digits(key: str) -> bool:
    return _OURS.fullmatch(key) is not None and check_digits(key[:-_CHECK_DIGITS]) == key[-_CHECK_DIGITS:]


def mode_of(key: str) -> Mode:
    """Return the mode a well-formed key stands for.

    Raises:
        ValueError: it starts with neither ``live_`` nor ``test_``.
    """
    mode = _MODES.get(key[:5])
    if mode is None:
        raise ValueError("not an API key")
    return mode


def hash_key(key: str) -> str:
    """Return what is stored of a key or token: the hexadecimal SHA-256."""
    return hashlib.sha256(key.encode(errors="surrogatepass")).hexdigest()


def mask(key: str) -> str:
    """Return what may be shown of a key or token: the prefix and the last four characters."""
    prefix, separator, rest = key.partition("_")
    if not separator or len(rest) < 8:
        return "…"
    return f"{prefix}_…{rest[-4:]}"
