"""Joins JSON Schemas: the schema of what both of two schemas accept.

Only plain keywords are joined; `strategies` resolves references and unfolds
alternatives first. What cannot be joined exactly is refused, never guessed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from workersai_core import plurality

__all__ = ["ANNOTATIONS", "CannotMerge", "is_annotation", "merge", "types_of"]

_ALL_TYPES = ("null", "boolean", "integer", "number", "string", "array", "object")
ANNOTATIONS = frozenset(
    {
        *("$schema", "$id", "$comment", "$defs", "title", "description", "default", "examples", "deprecated"),
        *("readOnly", "writeOnly", "contentEncoding", "contentMediaType", "contentSchema"),
    }
)
"""Keywords that accept or refuse no value."""


class CannotMerge(ValueError):
    """Two schemas use a keyword in ways that have no simple common form.

    Attributes:
        keyword: The keyword.
    """

    def __init__(self, keyword: str) -> None:
        super().__init__(keyword)
        self.keyword = keyword


def is_annotation(keyword: str) -> bool:
    """Return whether a keyword accepts or refuses no value, as those do that a type invents."""
    return keyword in ANNOTATIONS or keyword.startswith("x-")


def merge(a: Any, b: Any) -> Any:
    """Return the schema of what both `a` and `b` accept; False when that is nothing.

    Raises:
        CannotMerge: a keyword stands in both and has no simple common form.
    """
    if a is False or b is False or a is True:
        return False if a is False else b
    if b is True:
        return a
    joined = {**b, **a}
    if "prefixItems" in joined and a.keys() & b.keys() & {"items", "prefixItems"} == {"items"}:
        raise CannotMerge("prefixItems")
    for keyword in a.keys() & b.keys():
        if a[keyword] != b[keyword] and not is_annotation(keyword):
            joined[keyword] = _joined(keyword, a[keyword], b[keyword])
    if "properties" in joined:
        joined["properties"] = _properties(a, b)
    return joined


def types_of(schema: Mapping[str, Any]) -> list[str]:
    """Return the types that a schema allows, ``integer`` only where ``number`` is not among them."""
    named = schema.get("type", list(_ALL_TYPES))
    types = [named] if isinstance(named, str) else list(named)
    return [kind for kind in types if not (kind == "integer" and "number" in types)]


def _joined(keyword: str, a: Any, b: Any) -> Any:
    rule = _RULES.get(keyword)
    if rule is None:
        raise CannotMerge(keyword)
    return rule(a, b)


def _types(a: Any, b: Any) -> list[str]:
    first, second = types_of({"type": a}), types_of({"type": b})
    both = {kind for kind in first if kind in second}
    if "integer" in [*first, *second] and "number" in [*first, *second]:
        both.add("integer")
    return [kind for kind in _ALL_TYPES if kind in both]


def _properties(a: Mapping[str, Any], b: Mapping[str, Any]) -> dict[str, Any]:
    """Join the properties: one that a side does not list is held to that side's additional properties."""
    sides = [(schema.get("properties", {}), schema.get("additionalProperties", True)) for schema in (a, b)]
    names = dict.fromkeys(name for listed, _ in sides for name in listed)
    return {name: merge(*(listed.get(name, others) for listed, others in sides)) for name in names}


def _common(a: list[Any], b: list[Any]) -> list[Any]:
    keys = {plurality.key(value) for value in b}
    return [value for value in a if plurality.key(value) in keys]


def _common_multiple(a: Any, b: Any) -> int:
    if isinstance(a, int) and isinstance(b, int):
        return math.lcm(a, b)
    raise CannotMerge("multipleOf")


_LEAST = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties", "minContains")
_MOST = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties", "maxContains")
_RULES: Mapping[str, Callable[[Any, Any], Any]] = {
    "type": _types,
    "enum": _common,
    "required": lambda a, b: list(dict.fromkeys([*a, *b])),
    "properties": lambda a, b: {**b, **a},
    "multipleOf": _common_multiple,
    "uniqueItems": lambda a, b: a or b,
    "not": lambda a, b: {"anyOf": [a, b]},
    **dict.fromkeys(("additionalProperties", "items", "propertyNames"), merge),
    **dict.fromkeys(_LEAST, max),
    **dict.fromkeys(_MOST, min),
}
