"""Making keys unreadable in whatever is shown or logged."""

from __future__ import annotations

import re

__all__ = ["masked"]

# Whatever starts like a key of ours and is long enough to be one, in any case of its letters.
_KEY = re.compile(
    r"(?i)\b(live|test|wkr)_[0-9a-z]{12,}([0-9a-z]{4})(?![0-9a-z])|\b(whsec)_[0-9a-z+/=]{16,}([0-9a-z+/=]{4})"
)


def masked(text: str) -> str:
    """Return a text with every key in it reduced to its prefix and last four characters."""
    return _KEY.sub(lambda match: f"{match[1] or match[3]}_…{match[2] or match[4]}", text)
