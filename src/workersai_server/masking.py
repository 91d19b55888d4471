"""Making keys unreadable in whatever is shown or logged."""

from __future__ import annotations

import re

__all__ = ["masked", "masked_bytes"]

# Whatever starts like a key of ours and is long enough to be one, in any case of its letters.
_KEY = r"(?i)\b(live|test|wkr)_[0-9a-z]{12,}([0-9a-z]{4})(?![0-9a-z])|\b(whsec)_[0-9a-z+/=]{16,}([0-9a-z+/=]{4})"
_TEXT = re.compile(_KEY)
_BYTES = re.compile(_KEY.encode())


def masked(text: str) -> str:
    """Return a text with every key in it reduced to its prefix and last four characters."""
    return _TEXT.sub(lambda match: f"{match[1] or match[3]}_…{match[2] or match[4]}", text)


def masked_bytes(text: bytes) -> bytes:
    """Return UTF-8 text with every key in it reduced to its prefix and last four characters."""
    return _BYTES.sub(lambda match: b"%b_\xe2\x80\xa6%b" % (match[1] or match[3], match[2] or match[4]), text)
