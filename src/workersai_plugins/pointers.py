"""JSON Pointers for the issues of the bundled task types."""

from __future__ import annotations

__all__ = ["pointer"]


def pointer(*steps: str | int) -> str:
    """Return the JSON Pointer of these steps, escaped as RFC 6901 section 3 says."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in steps)
