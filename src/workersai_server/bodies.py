"""The fields of small bodies, and of the body that creates a task."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from workersai_core.errors import InvalidInput, Issue
from workersai_core.jsontext import pointer_token, shorten
from workersai_server.coercion import coerce
from workersai_server.credentials import ApiRequest
from workersai_server.errors import InvalidBody
from workersai_server.media import is_form
from workersai_server.times import parse_time

__all__ = ["fields", "refuse_unknown", "time_field", "unknown_fields"]

Schema = Mapping[str, Any]

_TYPES: Mapping[str, tuple[type | tuple[type, ...], str]] = {
    "integer": (int, "a whole number"),
    "string": (str, "text"),
    "array": (list, "an array of texts"),
}


def fields(req: ApiRequest, body: dict[str, Any], schema: Schema) -> dict[str, Any]:
    """Return the fields of a small body, converted when it was a form.

    Args:
        req: The request it came in.
        body: The document, without its `api_key`.
        schema: ``properties`` by name, each with a ``type``: integer, string,
            array (of strings) or any; and which are ``required``.

    Raises:
        InvalidInput: a field is unknown, missing or of another type; all are named.
    """
    known = schema["properties"]
    given: dict[str, Any] = coerce(body, schema) if body and is_form(req) else body
    issues = unknown_fields(given, known)
    issues += [
        Issue(f"/{name}", f"{name} is required.", "required")
        for name in schema.get("required", ())
        if name not in given
    ]
    issues += [
        Issue(f"/{name}", f"{name} is {_TYPES[known[name]['type']][1]}.", "wrong_type")
        for name, value in given.items()
        if name in known and not _fits(value, known[name]["type"])
    ]
    if issues:
        raise InvalidInput(_count(len(issues)), issues=issues)
    return given


def _fits(value: Any, wanted: str) -> bool:
    if wanted == "array":
        return isinstance(value, list) and all(isinstance(item, str) for item in value)
    return wanted == "any" or (isinstance(value, _TYPES[wanted][0]) and not isinstance(value, bool))


def unknown_fields(given: Collection[str], known: Collection[str]) -> list[Issue]:
    """Return an issue for every field that there is not, with the name that may have been meant."""
    return [
        Issue(
            f"/{pointer_token(name)}",
            f"There is no field {shorten(name)} here; {_remedy(name, known)}",
            "unknown_field",
        )
        for name in given
        if name not in known
    ]


def refuse_unknown(given: Collection[str], known: Collection[str]) -> None:
    """Raise unless every field is known.

    Raises:
        InvalidInput: one is not; all of those are named.
    """
    issues = unknown_fields(given, known)
    if issues:
        raise InvalidInput(_count(len(issues)), issues=issues)


def _remedy(name: str, known: Collection[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    if close:
        return f"did you mean {close[0]}?"
    return f"this takes {', '.join(known) or 'no fields'}."


def _count(issues: int) -> str:
    return (
        "One value is wrong; nothing was changed."
        if issues == 1
        else f"{issues} values are wrong; nothing was changed."
    )


def time_field(name: str, text: Any) -> datetime:
    """Return the time in a field.

    Raises:
        InvalidBody: it is a time without its zone, which cannot be read as one.
        InvalidInput: it is no time.
    """
    try:
        return parse_time(text if isinstance(text, str) else "")
    except ValueError as error:
        issue = Issue(f"/{name}", str(error), "invalid_time")
        if isinstance(text, str) and _lacks_zone(text):
            raise InvalidBody(f"{name} has no time zone; add Z for UTC.", issues=[issue]) from None
        raise InvalidInput(_count(1), issues=[issue]) from None


def _lacks_zone(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is None
    except ValueError:
        return False
