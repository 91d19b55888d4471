"""Times as text: RFC 3339 in and out."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from workersai_core.clock import rfc3339

__all__ = ["parse_time", "rfc3339"]

# RFC 3339 section 5.6; [0-9] because \d would take full-width digits too.
_DATE_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]+)?(?:[Zz]|[+-][0-9]{2}:[0-9]{2})"
)


def parse_time(text: str) -> datetime:
    """Return the aware UTC datetime of RFC 3339 text; a zone is required.

    Digits beyond microseconds are cut off.

    Raises:
        ValueError: not RFC 3339, no zone, or no such day or hour; says which.
    """
    if not _DATE_TIME.fullmatch(text):
        raise ValueError("Give a time with its zone, such as 2026-01-02T03:04:05Z.")
    try:
        return datetime.fromisoformat(text.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError("There is no such date or time of day.") from None
