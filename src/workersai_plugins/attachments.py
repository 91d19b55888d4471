"""What a task shows: text within the params, or a URL that the worker's browser opens.

The server never fetches an attachment, so its address may be anywhere the
workers can reach, also inside the operator's own network. It is only checked
to be a URL that a browser would load.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from workersai_core.api import Issue

__all__ = ["KINDS", "MAX_TEXT", "MAX_URL", "attachment_issues", "properties", "url_issues"]

KINDS = ("text", "image", "audio", "video", "website", "pdf")
"""What an attachment may be; text is inline, the others are URLs."""
MAX_TEXT = 100_000
"""The length of inline text, in characters."""
MAX_URL = 2048
"""The length of a URL, in characters."""

_SCHEME = re.compile(r"https?://", re.IGNORECASE)
_NEVER = re.compile(r"[\s\\\x00-\x1f\x7f-\x9f]")
_HOST = re.compile(r"[\w-]+(?:\.[\w-]+)*\.?")


def properties(what_for: str, what_for_ko: str) -> dict[str, Any]:
    """Return the params ``attachment_type`` and ``attachment`` for a schema.

    Args:
        what_for: The beginning of the attachment's description, such as "What is to be rated".
        what_for_ko: The same in Korean.
    """
    return {
        "attachment_type": {
            "type": "string",
            "description": "What the attachment is; text is given inline, everything else by URL.",
            "x-description-ko": "첨부의 종류. text는 글 자체를, 나머지는 URL을 적습니다.",
            "enum": list(KINDS),
        },
        "attachment": {
            "title": "Attachment",
            "x-title-ko": "볼 것",
            "type": "string",
            "description": (
                f"{what_for}: the text itself, at most {MAX_TEXT} characters, "
                f"or an http or https URL, at most {MAX_URL}."
            ),
            "x-description-ko": f"{what_for_ko}: 글 자체(최대 {MAX_TEXT}자) 또는 http나 https URL(최대 {MAX_URL}자)",
            "minLength": 1,
            "maxLength": MAX_TEXT,
        },
    }


def attachment_issues(kind: str, attachment: str, pointer: str = "/attachment") -> Iterator[Issue]:
    """Yield what is wrong with an attachment of one of the `KINDS`, beyond its type and length."""
    if kind != "text":
        yield from url_issues(attachment, pointer)
    elif not attachment.strip():
        yield Issue(pointer, "The text to show is only white space.", "blank")


def url_issues(url: str, pointer: str = "/attachment") -> Iterator[Issue]:
    """Yield why a browser would not load a URL, or why it is too long."""
    if len(url) > MAX_URL:
        yield Issue(pointer, f"A URL has at most {MAX_URL} characters; these are {len(url)}.", "too_long")
    elif problem := _problem(url):
        yield Issue(pointer, problem, "invalid_url")


def _problem(url: str) -> str | None:
    if _SCHEME.match(url) is None:
        return "A URL begins with https:// or http://."
    if _NEVER.search(url):
        return "A URL has no white space, no control characters and no backslash; write a space as %20."
    try:
        parts = urlsplit(url)
        # Reading the port checks it.
        zero_port = parts.port == 0
    except ValueError:
        return "This is not a URL: its host or port cannot be read."
    if "@" in parts.netloc:
        return "A URL has no user name and no password; browsers do not load it."
    if zero_port:
        return "A port is a number from 1 to 65535."
    host = parts.hostname or ""
    return None if ":" in host or _HOST.fullmatch(host) else "The host of this URL is missing or not a valid name."
