"""The rules for the schemas of task types, checked once where the type is registered.

A schema is JSON Schema 2020-12 with closed objects whose every property is
described, references into its own ``$defs`` only, formats that are checked,
patterns that end, and no keyword that would silently do nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import attrs
import jsonschema_rs

from workersai_core.errors import Issue
from workersai_core.jsontext import pointer_token, shorten
from workersai_core.schemas.engines import DIALECT, fast_engine, reference_of_schemas
from workersai_core.schemas.explain import MAX_ISSUES, close_match, explain
from workersai_core.schemas.patterns import pattern_problem

__all__ = ["FORMATS", "Place", "places", "problems"]

FORMATS = frozenset(
    {
        "date",
        "date-time",
        "duration",
        "email",
        "hostname",
        "ipv4",
        "ipv6",
        "json-pointer",
        "regex",
        "time",
        "uri",
        "uri-reference",
        "uuid",
    }
)
"""The formats that are checked; another is refused."""

_ONE = ("additionalProperties", "contains", "else", "if", "items", "not", "propertyNames", "then")
_LATE = ("unevaluatedItems", "unevaluatedProperties")
"""Allowed as `false` only."""
_MANY = ("allOf", "anyOf", "oneOf", "prefixItems")
_NAMED = ("$defs", "dependentSchemas", "properties")
_SAME_VALUE = frozenset({"allOf", "anyOf", "dependentSchemas", "else", "if", "not", "oneOf", "then"})
"""The keywords whose schemas are about the same value as the schema that holds them."""
_CONDITIONS = frozenset({"contains", "if", "not"})
"""The keywords whose schemas ask, and do not say what a value looks like."""
_PLAIN = frozenset(
    {
        *("$comment", "$id", "$ref", "$schema", "title", "description", "default", "examples", "deprecated"),
        *("readOnly", "writeOnly", "contentEncoding", "contentMediaType"),
        *("type", "enum", "const", "format", "minLength", "maxLength", "pattern"),
        *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
        *("minItems", "maxItems", "minContains", "maxContains", "uniqueItems"),
        *("required", "dependentRequired", "minProperties", "maxProperties"),
    }
)
_KNOWN = _PLAIN.union(_ONE, _LATE, _MANY, _NAMED)
_REFUSED: Mapping[str, str] = {
    "$anchor": "name the schema in $defs",
    "$dynamicAnchor": "name the schema in $defs",
    "$dynamicRef": "use $ref to #/$defs/NAME",
    "$vocabulary": "leave it out",
    "additionalItems": "use items beside prefixItems",
    "contentSchema": "leave it out",
    "definitions": "use $defs",
    "dependencies": "use dependentRequired or dependentSchemas",
    "patternProperties": "list the properties by name, or use additionalProperties with propertyNames",
}


@attrs.frozen
class Place:
    """One schema within a schema.

    Attributes:
        pointer: Where it stands.
        schema: The schema there, an object.
        closed: Whether a schema around it closes the objects it speaks of.
        described: Properties that a schema around it describes.
        asks: Whether it is a condition, or within one.
    """

    pointer: str
    schema: Mapping[str, Any]
    closed: bool = False
    described: frozenset[str] = frozenset()
    asks: bool = False


def problems(schema: Any) -> list[Issue]:
    """Return every rule that a schema breaks, at most 32; pointers go into the schema."""
    if not isinstance(schema, dict):
        return [Issue("", "A schema is an object.", "wrong_type")]
    named = schema.get("$schema", DIALECT)
    if named != DIALECT:
        # SECURITY: checked first; for a dialect it does not know the engine would go and fetch it.
        return [Issue("/$schema", f"Schemas are of {DIALECT}, not {shorten(str(named))}.", "not_in_list")]
    if not jsonschema_rs.meta.is_valid(schema) and (issues := explain(reference_of_schemas().iter_errors(schema))):
        return issues
    found = [issue for place in places(schema) for issue in _problems_at(place, schema)]
    return (found or list(_engine_problems(schema)))[:MAX_ISSUES]


def places(schema: Any) -> Iterator[Place]:
    """Yield every schema within a valid schema, itself first."""
    waiting = [Place("", schema)]
    while waiting:
        place = waiting.pop()
        yield place
        waiting.extend(_within(place))


def _within(place: Place) -> Iterator[Place]:
    for keyword, tail, inner in _parts(place.schema):
        if not isinstance(inner, dict):
            continue
        pointer = f"{place.pointer}/{keyword}{tail}"
        asks = keyword in _CONDITIONS or (place.asks and keyword != "$defs")
        if keyword in _SAME_VALUE:
            closed = place.closed or _closes(place.schema)
            described = place.described.union(place.schema.get("properties", {}))
            yield Place(pointer, inner, closed, described, asks)
        else:
            yield Place(pointer, inner, asks=asks)


def _parts(schema: Mapping[str, Any]) -> Iterator[tuple[str, str, Any]]:
    for keyword in _ONE:
        if keyword in schema:
            yield keyword, "", schema[keyword]
    for keyword in _MANY:
        for n, inner in enumerate(schema.get(keyword, ())):
            yield keyword, f"/{n}", inner
    for keyword in _NAMED:
        for name, inner in schema.get(keyword, {}).items():
            yield keyword, f"/{pointer_token(name)}", inner


def _closes(schema: Mapping[str, Any]) -> bool:
    others = schema.get("additionalProperties")
    # A map from names to values is closed too: each value is held to one schema.
    is_map = isinstance(others, dict) and bool(others)
    return others is False or is_map or schema.get("unevaluatedProperties") is False


# --- the rules ---------------------------------------------------------------------------------------


def _problems_at(place: Place, root: Mapping[str, Any]) -> Iterator[Issue]:
    yield from _keyword_problems(place)
    yield from _reference_problems(place, root)
    yield from _text_problems(place)
    if not place.asks:
        yield from _object_problems(place)
        yield from _description_problems(place, root)


def _keyword_problems(place: Place) -> Iterator[Issue]:
    for keyword in place.schema:
        where = f"{place.pointer}/{pointer_token(keyword)}"
        if keyword in _REFUSED:
            yield Issue(where, f"{keyword} is not supported; {_REFUSED[keyword]}.", "not_allowed")
        elif keyword in ("$id", "$schema") and place.pointer:
            yield Issue(where, f"{keyword} may only stand at the root of the schema.", "not_allowed")
        elif keyword in _LATE and place.schema[keyword] is not False:
            yield Issue(where, f"{keyword} may only be false.", "not_allowed")
        elif keyword not in _KNOWN and not keyword.startswith("x-"):
            meant = close_match(keyword, _KNOWN)
            hint = f"did you mean {meant}?" if meant else "it would do nothing; own keywords start with x-."
            yield Issue(where, f"There is no keyword {shorten(keyword)}; {hint}", "unknown_field")


def _reference_problems(place: Place, root: Mapping[str, Any]) -> Iterator[Issue]:
    target = place.schema.get("$ref")
    if target is None:
        return
    where = f"{place.pointer}/$ref"
    if not target.startswith("#/$defs/"):
        text = f"A reference goes to #/$defs/NAME of the same schema, not to {shorten(target)}."
        yield Issue(where, text, "not_allowed")
    elif _target(target, root) is None:
        known = close_match(target, (f"#/$defs/{pointer_token(name)}" for name in root.get("$defs", {})))
        hint = f"; did you mean {known}?" if known else "; define it in $defs."
        yield Issue(where, f"There is no {shorten(target)}{hint}", "not_in_list")
    elif _comes_back(target, root):
        yield Issue(where, f"{shorten(target)} refers to itself without going into the value.", "invalid")


def _target(reference: str, root: Mapping[str, Any]) -> Any:
    """Return the schema that a local reference names, or None."""
    name = reference.removeprefix("#/$defs/")
    by_token = {pointer_token(known): schema for known, schema in root.get("$defs", {}).items()}
    return by_token.get(name)


def _comes_back(reference: str, root: Mapping[str, Any]) -> bool:
    """Return whether checking a reference would lead to itself, for ever, at the same value."""
    waiting, seen = [reference], set()
    while waiting:
        current = waiting.pop()
        for followed in _references_about_the_same_value(_target(current, root)):
            if followed == reference:
                return True
            if followed not in seen:
                seen.add(followed)
                waiting.append(followed)
    return False


def _references_about_the_same_value(schema: Any) -> Iterator[str]:
    waiting = [schema]
    while waiting:
        current = waiting.pop()
        if isinstance(current, dict):
            if "$ref" in current:
                yield current["$ref"]
            waiting.extend(inner for keyword, _, inner in _parts(current) if keyword in _SAME_VALUE)


def _text_problems(place: Place) -> Iterator[Issue]:
    name = place.schema.get("format")
    if name is not None and name not in FORMATS:
        meant = close_match(name, FORMATS)
        hint = f"did you mean {meant}?" if meant else f"known are {', '.join(sorted(FORMATS))}."
        yield Issue(f"{place.pointer}/format", f"There is no format {shorten(name)}; {hint}", "not_in_list")
    pattern = place.schema.get("pattern")
    if pattern is None:
        return
    problem = _syntax_problem(pattern) or pattern_problem(pattern)
    if problem is not None:
        yield Issue(f"{place.pointer}/pattern", f"The pattern {shorten(pattern)} is refused: {problem}.", "pattern")


def _syntax_problem(pattern: str) -> str | None:
    if _compiles({"pattern": pattern}):
        return None
    return "it is no regular expression, or uses look-around or back-references, which take too long"


def _compiles(schema: Mapping[str, Any]) -> bool:
    return not list(_engine_problems(schema))


def _object_problems(place: Place) -> Iterator[Issue]:
    schema = place.schema
    if not (schema.get("type") == "object" or "properties" in schema or "object" in _types(schema)):
        return
    if not (place.closed or _closes(schema)):
        text = 'Objects are closed: add "additionalProperties": false and list every property.'
        yield Issue(place.pointer, text, "open_object")
    if schema.get("additionalProperties") is False:
        known = schema.get("properties", {})
        for name in schema.get("required", ()):
            if name not in known:
                yield Issue(f"{place.pointer}/required", f"{shorten(name)} is required, but no property.", "required")


def _types(schema: Mapping[str, Any]) -> tuple[str, ...]:
    named = schema.get("type", ())
    return (named,) if isinstance(named, str) else tuple(named)


def _description_problems(place: Place, root: Mapping[str, Any]) -> Iterator[Issue]:
    for name, schema in place.schema.get("properties", {}).items():
        if name in place.described or not isinstance(schema, dict):
            continue
        target = _target(str(schema.get("$ref")), root) if "$ref" in schema else None
        described = schema.get("description") or (isinstance(target, dict) and target.get("description"))
        if not described:
            where = f"{place.pointer}/properties/{pointer_token(name)}"
            yield Issue(
                where, f"The property {shorten(name)} has no description; workers and authors read it.", "required"
            )


def _engine_problems(schema: Mapping[str, Any]) -> Iterator[Issue]:
    """Yield why the fast engine does not take a schema that keeps every other rule."""
    try:
        fast_engine(dict(schema))
    except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError) as error:
        text = getattr(error, "message", None) or str(error)
        yield Issue("", f"This cannot be compiled: {shorten(text, 200)}", "invalid")
