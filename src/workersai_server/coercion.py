"""Texts into the types a JSON Schema wants, for inputs that can only say text.

A form says ``"true"`` where JSON says ``true``. A text is converted only where
the schema names a type for that place and text is not among the types; what
cannot be converted stays text, so that validation explains it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

__all__ = ["coerce"]

_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]{0,18})")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_COMBINING = ("allOf", "anyOf", "oneOf")

Schema = Mapping[str, Any]


def coerce(value: Any, schema: Any) -> Any:
    """Return `value` with its texts converted as `schema` wants.

    Args:
        value: A JSON value whose leaves are texts; it is not changed.
        schema: JSON Schema 2020-12; ``$ref`` only within it. Keywords that
            combine schemas are read as "one of these".
    """
    return _coerce(value, list(_alternatives([schema], schema)), schema)


def _coerce(value: Any, schemas: list[Schema], root: Any) -> Any:
    if isinstance(value, str):
        return _coerce_text(value, schemas)
    if isinstance(value, dict):
        return {
            name: _coerce(member, list(_alternatives(_of_member(schemas, name), root)), root)
            for name, member in value.items()
        }
    if isinstance(value, list):
        return _coerce_array(value, schemas, root)
    return value


def _coerce_array(value: list[Any], schemas: list[Schema], root: Any) -> list[Any]:
    elements = [list(_alternatives(_of_element(schemas, index), root)) for index in range(len(value))]
    if value == [""] and elements[0] and not any(_allows_empty_text(schema) for schema in elements[0]):
        return []  # HTTParty writes an empty array as one empty element
    return [_coerce(element, allowed, root) for element, allowed in zip(value, elements, strict=True)]


def _coerce_text(text: str, schemas: list[Schema]) -> Any:
    types = {name for schema in schemas for name in _types(schema)}
    if "string" in types:
        return text
    if "boolean" in types and text in ("true", "false"):
        return text == "true"
    if types & {"integer", "number"} and _INTEGER.fullmatch(text) and -(2**63) <= int(text) < 2**63:
        return int(text)
    if "number" in types and _NUMBER.fullmatch(text) and math.isfinite(float(text)):
        return float(text)
    return None if "null" in types and text == "" else text


def _types(schema: Schema) -> Iterator[str]:
    stated = schema.get("type", ())
    yield from (stated,) if isinstance(stated, str) else stated
    if not stated:
        values = schema.get("enum", [schema["const"]] if "const" in schema else [])
        yield from (_TYPE_NAMES[type(value)] for value in values)


_TYPE_NAMES = {
    str: "string",
    bool: "boolean",
    int: "integer",
    float: "number",
    type(None): "null",
    dict: "object",
    list: "array",
}


def _allows_empty_text(schema: Schema) -> bool:
    if "enum" in schema:
        return "" in schema["enum"]
    return "string" in _types(schema) and schema.get("minLength", 0) == 0


def _of_member(schemas: Iterable[Schema], name: str) -> Iterator[Any]:
    for schema in schemas:
        if name in schema.get("properties", {}):
            yield schema["properties"][name]
        elif "additionalProperties" in schema:
            yield schema["additionalProperties"]


def _of_element(schemas: Iterable[Schema], index: int) -> Iterator[Any]:
    for schema in schemas:
        first = schema.get("prefixItems", [])
        if index < len(first):
            yield first[index]
        elif "items" in schema:
            yield schema["items"]


def _alternatives(schemas: Iterable[Any], root: Any) -> Iterator[Schema]:
    """Yield the schemas and all that they combine or refer to, each once."""
    pending, seen = list(schemas), set()
    while pending:
        schema = pending.pop()
        if not isinstance(schema, Mapping) or id(schema) in seen:
            continue
        seen.add(id(schema))
        yield schema
        if "$ref" in schema:
            pending.append(_resolve(schema["$ref"], root))
        for keyword in _COMBINING:
            pending.extend(schema.get(keyword, ()))


def _resolve(reference: str, root: Any) -> Any:
    """Return what a local ``$ref`` points at; None for any other, which registration refuses."""
    node = root
    for token in reference.removeprefix("#").split("/")[1:]:
        name = token.replace("~1", "/").replace("~0", "~")
        if not isinstance(node, Mapping) or name not in node:
            return None
        node = node[name]
    return node
