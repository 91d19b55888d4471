"""Strict JSON: what a client may send.

RFC 8259 without its loopholes: UTF-8 only, no BOM, no key twice in an object,
no NaN or Infinity, no number that overflows, and the limits of
`workersai_core.jsontext` (depth, values, 64-bit integers, no NUL, no lone
surrogate).

PERF: the walk over the value that enforces the limits is skipped when the
text alone proves them, as it does for nearly every body.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from typing import Any

from workersai_core import jsontext
from workersai_core.errors import InvalidInput, Issue
from workersai_server.errors import InvalidJson

__all__ = ["parse"]

_SAFE_DIGITS = 18
"""An integer of so many digits fits into 64 bits."""
_SUSPECT_ESCAPE = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")


class _NeedsCareError(Exception):
    """The quick decoder met something that the careful one must judge."""


class _Doubled(dict[str, Any]):
    """An object in which a key occurs twice; `key` is the first such key."""

    key: str


def parse(body: bytes) -> Any:
    """Return the value of strict JSON text.

    Args:
        body: UTF-8; its size must have been limited before.

    Raises:
        InvalidJson: anything outside strict JSON; the detail or the issue
            names the line and column or the JSON Pointer.
    """
    text = _decode(body)
    try:
        value = _QUICK.decode(text)
    except _NeedsCareError:
        return _parse_with_care(text)
    except json.JSONDecodeError as error:
        raise _unreadable(error) from None
    except RecursionError:
        raise _too_deep() from None
    if _limits_uncertain(text):
        _check(value)
    return value


def _decode(body: bytes) -> str:
    if body.startswith(b"\xef\xbb\xbf"):
        raise InvalidJson("The body starts with a byte order mark; send UTF-8 without one.")
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        raise InvalidJson(f"The body is not UTF-8 at byte {error.start}.") from None


def _limits_uncertain(text: str) -> bool:
    """Return whether the text alone does not prove that the value is within the limits."""
    return (
        len(text) > jsontext.MAX_NODES  # each value takes a character at least
        or text.count("[") + text.count("{") > jsontext.MAX_DEPTH
        or ("\\u" in text and _SUSPECT_ESCAPE.search(text) is not None)
    )


def _parse_with_care(text: str) -> Any:
    """Decode again in a form in which each offence can be found and named by its place."""
    try:
        value = _CAREFUL.decode(text)
    except json.JSONDecodeError as error:
        raise _unreadable(error) from None
    except RecursionError:
        raise _too_deep() from None
    _refuse_doubled_keys(value)
    _check(value)
    return value


def _check(value: Any) -> None:
    try:
        jsontext.check(value)
    except InvalidInput as error:
        raise InvalidJson("The body is JSON, but outside the limits.", issues=error.issues) from None


def _refuse_doubled_keys(root: Any) -> None:
    stack = [("", root)]
    while stack:
        where, value = stack.pop()
        if isinstance(value, _Doubled):
            message = f'The key "{jsontext.shorten(value.key)}" occurs twice in one object.'
            raise InvalidJson(message, issues=[Issue(where, message, "duplicate_key")])
        if isinstance(value, dict):
            stack.extend((f"{where}/{jsontext.pointer_token(name)}", member) for name, member in value.items())
        elif isinstance(value, list):
            stack.extend((f"{where}/{index}", member) for index, member in enumerate(value))


def _unreadable(error: json.JSONDecodeError) -> InvalidJson:
    place = f"line {error.lineno}, column {error.colno}"
    if error.pos >= len(error.doc):
        return InvalidJson(f"The JSON ends too early, at {place}.")
    return InvalidJson(f"The body is not JSON at {place}.")


def _too_deep() -> InvalidJson:
    message = f"Nested deeper than {jsontext.MAX_DEPTH} levels."
    return InvalidJson("The body is JSON, but outside the limits.", issues=[Issue("", message, "too_deep")])


def _object(members: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(members)
    if len(value) != len(members):
        raise _NeedsCareError
    return value


def _integer(digits: str) -> int:
    if len(digits) > _SAFE_DIGITS:
        raise _NeedsCareError
    return int(digits)


def _float(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise _NeedsCareError
    return value


def _careful_object(members: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(members)
    if len(value) == len(members):
        return value
    doubled = _Doubled(value)
    doubled.key = next(name for name, times in Counter(name for name, _ in members).items() if times > 1)
    return doubled


def _careful_integer(digits: str) -> int:
    # Thousands of digits cost quadratic time to convert; any such number is out of range.
    return int(digits) if len(digits) <= 20 else 2**64


def _constant(name: str) -> float:
    # Kept as it is: the check of the limits refuses it and names its place.
    return float(name)


def _needs_care(_: str) -> float:
    raise _NeedsCareError


_QUICK = json.JSONDecoder(object_pairs_hook=_object, parse_int=_integer, parse_float=_float, parse_constant=_needs_care)
_CAREFUL = json.JSONDecoder(
    object_pairs_hook=_careful_object, parse_int=_careful_integer, parse_float=float, parse_constant=_constant
)
