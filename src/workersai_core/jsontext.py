"""JSON text: what is stored, what is compared, and what is refused.

Bodies are stored as compact UTF-8 text in the order they were given, so that
they come back as they came. Comparison uses a canonical text (sorted keys).
The limits hold before any plugin code sees a value.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import attrs
import orjson

from workersai_core.errors import InvalidInput, Issue

__all__ = ["MAX_DEPTH", "MAX_NODES", "canonical", "check", "dumps", "loads", "pointer_token", "shorten"]

MAX_DEPTH = 32
MAX_NODES = 20_000
_INT_MIN, _INT_MAX = -(2**63), 2**63 - 1
_STRICT = orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_SUBCLASS


def dumps(value: Any) -> str:
    """Return compact JSON text, keys in the order given; the value must have passed `check`."""
    return orjson.dumps(value, option=_STRICT).decode()


def loads(text: str | bytes) -> Any:
    """Return the value of JSON text that this module wrote."""
    return orjson.loads(text)


def canonical(value: Any) -> str:
    """Return the text by which equal values are equal: sorted keys, whole floats as integers."""
    return orjson.dumps(_plain_numbers(value), option=_STRICT | orjson.OPT_SORT_KEYS).decode()


def _plain_numbers(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer() and _INT_MIN <= value <= _INT_MAX:
        return int(value)
    if isinstance(value, dict):
        return {name: _plain_numbers(member) for name, member in value.items()}
    if isinstance(value, list | tuple):
        return [_plain_numbers(member) for member in value]
    return value


def check(value: Any, *, pointer: str = "", depth: int = 1) -> None:
    """Raise unless `value` is a JSON value within the limits.

    Args:
        value: Anything; only None, bool, int, float, str, list, tuple and dict pass.
        pointer: Where the value stands in the document, for the error.
        depth: The nesting depth of the value itself; the document's root is 1.

    Raises:
        InvalidInput: depth over 32, more than 20 000 nodes, an integer outside
            64 bits, a number that is not finite, a text with NUL or a lone
            surrogate, or something that is not JSON. The issue names the place.
    """
    # PERF: nearly every value passes, and finding that out without places takes a fifth of the time.
    if not _passes(value, depth):
        issues = [_first_problem(value, pointer, depth)]
        raise InvalidInput("This is not a JSON value within the limits.", issues=issues)


def _passes(root: Any, depth: int) -> bool:
    """Return whether a value passes `check`; level by level."""
    level: list[Any] = [root]
    nodes = 1
    while level:
        below: list[Any] = []
        for value in level:
            kind = type(value)
            if kind is str:
                if _text_problem(value) is not None:
                    return False
            elif kind is dict or kind is list or kind is tuple:
                if depth > MAX_DEPTH or not _add_members(value, kind, below):
                    return False
            elif _leaf_problem(value, kind) is not None:
                return False
        nodes += len(below)
        if nodes > MAX_NODES:
            return False
        level = below
        depth += 1
    return True


def _add_members(value: Any, kind: type, members: list[Any]) -> bool:
    """Append the members of an array or an object; return whether all keys are good texts."""
    if kind is not dict:
        members.extend(value)
        return True
    for name in value:
        if type(name) is not str or _text_problem(name) is not None:
            return False
    members.extend(value.values())
    return True


def _first_problem(root: Any, pointer: str, depth: int) -> Issue:
    """Return what is wrong with a value that does not pass, and where."""
    nodes = 0
    stack: list[tuple[Any, str, int]] = [(root, pointer, depth)]
    while True:
        value, where, level = stack.pop()
        nodes += 1
        if nodes > MAX_NODES:
            return Issue(pointer, f"More than {MAX_NODES} values in one document.", "too_many_values")
        kind = type(value)
        if kind is dict or kind is list or kind is tuple:
            if level > MAX_DEPTH:
                return Issue(where, f"Nested deeper than {MAX_DEPTH} levels.", "too_deep")
            if kind is dict and (problem := _key_problem(value, where)):
                return problem
            stack.extend((member, f"{where}/{pointer_token(name)}", level + 1) for name, member in _members(value))
        elif problem := _leaf_problem(value, kind):
            return attrs.evolve(problem, pointer=where)


def _members(value: Any) -> Iterable[tuple[str | int, Any]]:
    return value.items() if type(value) is dict else enumerate(value)


def _key_problem(value: dict[Any, Any], where: str) -> Issue | None:
    for name in value:
        if type(name) is not str:
            return Issue(where, f"Object keys are text, not {type(name).__name__}.", "invalid_key")
        if problem := _text_problem(name):
            return Issue(where, f"In a key: {problem}", "invalid_text")
    return None


def _leaf_problem(value: Any, kind: type) -> Issue | None:
    if kind is str:
        problem = _text_problem(value)
        return None if problem is None else Issue("", problem, "invalid_text")
    if kind is int and not _INT_MIN <= value <= _INT_MAX:
        return Issue("", "Integers must fit into 64 bits.", "integer_range")
    if kind is float and not math.isfinite(value):
        return Issue("", "Numbers must be finite.", "not_finite")
    if value is None or kind in _LEAVES:
        return None
    return Issue("", f"Not a JSON value: {kind.__name__}.", "not_json")


_LEAVES = frozenset({str, int, float, bool})


def _text_problem(text: str) -> str | None:
    if text.isascii():
        return "NUL characters are not allowed." if "\x00" in text else None
    if "\x00" in text:
        return "NUL characters are not allowed."
    try:
        text.encode()
    except UnicodeEncodeError:
        return "Lone surrogates are not allowed."
    return None


def pointer_token(name: str | int) -> str:
    """Return one reference token of a JSON Pointer, escaped as RFC 6901 section 3 says."""
    return str(name).replace("~", "~0").replace("/", "~1")


def shorten(value: Any, limit: int = 64) -> str:
    """Return `value` as JSON text of at most `limit` characters, for error messages; text stays as it is."""
    try:
        text = value if isinstance(value, str) else dumps(value)
    except TypeError:
        text = "a value that is not JSON"
    return text if len(text) <= limit else text[: limit - 1] + "…"
