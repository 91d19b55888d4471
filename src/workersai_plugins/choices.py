"""Choices that a requester names: compared in Unicode NFC, given back as the requester spelled them.

Two texts that look the same may be different characters: ``é`` or ``e`` with
an accent, ``가`` or its letters one by one, as file names from a Mac are.
JSON Schema compares characters, so `schema` lists the choices for everybody
who draws a form from it, and lets a decomposed spelling pass; whether it is
one of the choices is then for the type to check.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from workersai_core.api import Issue
from workersai_plugins.pointers import pointer

__all__ = ["chosen_issues", "issues", "nfc", "not_in_list", "schema", "shown", "spellings"]

_DECOMPOSED = r"[\u0300-\u036f\u0653-\u0655\u1160-\u11ff\u3099\u309a]"
"""Marks and letters that NFC joins with the one before: Latin, Greek, Cyrillic, Arabic, Hangul, kana."""
_LISTED = 12
_SHOWN = 64


def nfc(text: str) -> str:
    """Return the form in which texts are compared."""
    return unicodedata.normalize("NFC", text)


def spellings(choices: Iterable[str]) -> dict[str, str]:
    """Return the choices as the requester spelled them, by the form in which they are compared."""
    return {nfc(choice): choice for choice in choices}


def issues(choices: Sequence[str], *steps: str | int) -> Iterator[Issue]:
    """Yield which choices are blank, or the same as one before.

    Args:
        choices: As given in the params.
        steps: Where they stand in the params.
    """
    seen: dict[str, int] = {}
    for position, choice in enumerate(choices):
        first = seen.setdefault(nfc(choice), position)
        if not choice.strip():
            yield Issue(pointer(*steps, position), "This is only white space; nobody could choose it.", "blank")
        elif first != position:
            text = f"{shown(choice)} is the same as the one at {first}; each may be there once."
            yield Issue(pointer(*steps, position), text, "duplicate_item")


def chosen_issues(chosen: str | Sequence[str], offered: Sequence[str], *steps: str | int) -> Iterator[Issue]:
    """Yield which of the chosen values are none of those offered, or were chosen before.

    Args:
        chosen: One value, or several.
        offered: What the task offers.
        steps: Where `chosen` stands in the response.
    """
    allowed = spellings(offered)
    seen: set[str] = set()
    for position, value in enumerate([chosen] if isinstance(chosen, str) else chosen):
        where = pointer(*steps) if isinstance(chosen, str) else pointer(*steps, position)
        form = nfc(value)
        if form not in allowed:
            yield not_in_list(where, value, offered)
        elif form in seen:
            yield Issue(where, f"{shown(value)} is chosen twice.", "duplicate_item")
        seen.add(form)


def not_in_list(where: str, text: str, choices: Sequence[str]) -> Issue:
    """Return the issue of an answer that is none of the choices."""
    listed = ", ".join(shown(choice) for choice in choices[:_LISTED])
    more = f" and {len(choices) - _LISTED} more" if len(choices) > _LISTED else ""
    return Issue(where, f"One of {listed}{more}; this is {shown(text)}.", "not_in_list")


def schema(choices: Sequence[str]) -> Mapping[str, Any]:
    """Return the JSON Schema of one choice.

    The ``enum`` holds the choices in NFC. Where a choice has another spelling,
    the ``enum`` binds only what has no decomposed character.
    """
    composed = [nfc(choice) for choice in choices]
    # Characters that are decomposed in no way the pattern knows must be listed as they are.
    unknown = [choice for choice in choices if choice != nfc(choice) and not re.search(_DECOMPOSED, choice)]
    listed = {"enum": [*composed, *unknown]}
    if all(choice == nfc(choice) == unicodedata.normalize("NFD", choice) for choice in choices):
        return {"type": "string", **listed}
    return {"type": "string", "if": {"pattern": _DECOMPOSED}, "else": listed}


def shown(text: str) -> str:
    """Return a text for a message, at most 64 characters."""
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
