"""Passwords: argon2id (RFC 9106), at most two hashes at once.

One hash takes 64 MiB and some tens of milliseconds, so a rush of sign-ins
must queue rather than take the machine's memory.
"""

from __future__ import annotations

import threading
import unicodedata
from functools import lru_cache

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError

from workersai_core import InvalidInput
from workersai_core.errors import Issue

__all__ = ["MAX_LENGTH", "MIN_LENGTH", "check_strength", "hash_password", "verify"]

MIN_LENGTH = 8
"""In characters, as NIST SP 800-63B, section 5.1.1.2, asks at least."""
MAX_LENGTH = 1024

_AT_ONCE = threading.BoundedSemaphore(2)
_hasher = PasswordHasher()


def check_strength(password: str) -> None:
    """Check the length of a new password.

    Raises:
        InvalidInput: it is too short or too long.
    """
    if not MIN_LENGTH <= len(password) <= MAX_LENGTH:
        message = f"A password has {MIN_LENGTH} to {MAX_LENGTH} characters; this has {len(password)}."
        raise InvalidInput(message, issues=[Issue("/password", message, "length")])


def hash_password(password: str) -> str:
    """Return what is stored of a password: argon2id's text with its salt and costs."""
    with _AT_ONCE:
        return _hasher.hash(_bytes(password))


def verify(password: str, stored: str | None) -> bool:
    """Return whether a password is the stored one.

    Args:
        password: As it was typed.
        stored: What `hash_password` returned; with None the answer is False
            after the same time, so that nobody learns which accounts exist.
    """
    if len(password) > MAX_LENGTH:
        return False
    with _AT_ONCE:
        try:
            _hasher.verify(_nobodys() if stored is None else stored, _bytes(password))
        except VerificationError:
            return False
    return stored is not None


def _bytes(password: str) -> bytes:
    # Composed and decomposed letters look the same and are typed the same (RFC 8265, section 4.2.2).
    return unicodedata.normalize("NFC", password).encode(errors="surrogatepass")


@lru_cache(maxsize=1)
def _nobodys() -> str:
    return _hasher.hash("nobody's")
