"""From the reference's errors to issues in our own words.

Each text is made of the keyword, its limit and the shortened value; the
library's own sentences, which repeat whole documents, are never used.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from workersai_core.errors import Issue
from workersai_core.jsontext import pointer_token, shorten

__all__ = ["MAX_ISSUES", "close_match", "explain"]

Failure = Any
"""A ``jsonschema.ValidationError`` from a validator, whose attributes are all set, which its type does not promise."""

MAX_ISSUES = 32
_MAX_LISTED = 12
_TYPES = {
    "array": "an array",
    "boolean": "true or false",
    "integer": "a whole number",
    "null": "null",
    "number": "a number",
    "object": "an object",
    "string": "text",
}


def explain(errors: Iterable[Failure]) -> list[Issue]:
    """Return the issues of a value from the reference's errors, without repetitions, at most 32."""
    found: dict[Issue, None] = {}
    for error in errors:
        for issue in _issues_of(error):
            found[issue] = None
            if len(found) == MAX_ISSUES:
                return list(found)
    return list(found)


def close_match(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that was most likely meant, or None."""
    return next(iter(difflib.get_close_matches(name[:100], list(known), n=1)), None)


def _issues_of(error: Failure) -> Iterator[Issue]:
    where = "".join(f"/{pointer_token(step)}" for step in error.absolute_path)
    keyword = error.validator
    if keyword in _AT_MEMBERS:
        yield from _AT_MEMBERS[keyword](where, error)
    elif keyword in ("anyOf", "oneOf"):
        yield from _of_branches(where, error)
    elif keyword in _TEXTS:
        code, text = _TEXTS[keyword](error.validator_value, error.instance)
        yield Issue(where, text, code)
    else:  # the schema `false`, which allows nothing
        yield Issue(where, "This is not allowed here.", "not_allowed")


# --- keywords that point at a member -----------------------------------------------------------------


def _required(where: str, error: Failure) -> Iterator[Issue]:
    for name in error.validator_value:
        if name not in error.instance:
            yield Issue(f"{where}/{pointer_token(name)}", f"{shorten(name)} is missing.", "required")


def _dependent_required(where: str, error: Failure) -> Iterator[Issue]:
    for given, names in error.validator_value.items():
        for name in names if given in error.instance else ():
            if name not in error.instance:
                text = f"{shorten(name)} is missing; it goes with {shorten(given)}."
                yield Issue(f"{where}/{pointer_token(name)}", text, "required")


def _unevaluated(where: str, error: Failure) -> Iterator[Issue]:
    known = _declared(error.schema)
    if known is None or all(name in known for name in error.instance):
        yield Issue(where, "One of these properties does not go with the others.", "unknown_field")
        return
    yield from _not_among(known, where, error)


def _declared(schema: Any) -> set[str] | None:
    """Return every property that a schema speaks of; None when a reference hides some."""
    if not isinstance(schema, dict):
        return set()
    if "$ref" in schema:
        return None
    known = set(schema.get("properties", {}))
    parts = [schema.get(keyword) for keyword in ("if", "then", "else")]
    for keyword in ("allOf", "anyOf", "oneOf"):
        parts += schema.get(keyword, ())
    parts += schema.get("dependentSchemas", {}).values()
    for part in parts:
        inner = _declared(part)
        if inner is None:
            return None
        known |= inner
    return known


def _additional(where: str, error: Failure) -> Iterator[Issue]:
    yield from _not_among(error.schema.get("properties", {}), where, error)


def _not_among(known: Iterable[str], where: str, error: Failure) -> Iterator[Issue]:
    for name in error.instance:
        if name not in known:
            yield Issue(f"{where}/{pointer_token(name)}", _unknown(name, known), "unknown_field")


def _unknown(name: str, known: Iterable[str]) -> str:
    meant = close_match(name, known)
    if meant is not None:
        return f"There is no {shorten(name)}; did you mean {shorten(meant)}?"
    listed = _listed(sorted(known))
    return f"There is no {shorten(name)}; it takes {listed}." if listed else f"There is no {shorten(name)}."


def _names(where: str, error: Failure) -> Iterator[Issue]:
    for inner in error.context:
        for issue in _issues_of(inner):
            yield Issue(where, f"The name {shorten(error.path[-1])}: {issue.message}", issue.code)


_AT_MEMBERS: Mapping[str, Callable[[str, Failure], Iterator[Issue]]] = {
    "additionalProperties": _additional,
    "dependentRequired": _dependent_required,
    "propertyNames": _names,
    "required": _required,
    "unevaluatedProperties": _unevaluated,
}


# --- alternatives --------------------------------------------------------------------------------------


def _of_branches(where: str, error: Failure) -> Iterator[Issue]:
    """Explain the alternative that comes closest."""
    constants = [branch["const"] for branch in error.validator_value if isinstance(branch, dict) and "const" in branch]
    if len(constants) == len(error.validator_value):
        code, text = _enum(constants, error.instance)
        yield Issue(where, text, code)
        return
    branches: dict[Any, list[Failure]] = {}
    for inner in error.context or ():
        # The alternative `false` leaves no path.
        branches.setdefault(inner.schema_path[0] if inner.schema_path else None, []).append(inner)
    if not branches:
        yield Issue(where, "This fits several of the alternatives; exactly one must fit.", "ambiguous")
        return
    best = min(branches.values(), key=lambda errors: _distance(errors))
    for inner in best:
        yield from _issues_of(inner)


def _distance(errors: list[Failure]) -> tuple[bool, bool, int]:
    """Return how far a value is from an alternative; smaller is closer.

    An alternative for another type of value, or for none, is farthest; then
    come those whose constant members, which usually tell the alternatives
    apart, differ.
    """
    other_type = any(error.validator in ("type", None) and not error.path for error in errors)
    other_constant = any(error.validator in ("const", "enum") and len(error.path) <= 1 for error in errors)
    return other_type, other_constant, len(errors)


# --- keywords about the value itself -------------------------------------------------------------------


def _listed(values: Iterable[Any]) -> str:
    texts = [shorten(value) for value in values]
    more = f" and {len(texts) - _MAX_LISTED} more" if len(texts) > _MAX_LISTED else ""
    return ", ".join(texts[:_MAX_LISTED]) + more


def _type(limit: Any, value: Any) -> tuple[str, str]:
    wanted = [limit] if isinstance(limit, str) else limit
    return "wrong_type", f"This must be {' or '.join(_TYPES[name] for name in wanted)}; it is {_kind(value)}."


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f"the text {shorten(value)}" if value else "an empty text"
    if isinstance(value, dict):
        return "an object"
    return "an array" if isinstance(value, list | tuple) else f"the number {shorten(value)}"


def _enum(limit: Any, value: Any) -> tuple[str, str]:
    meant = None
    if isinstance(value, str):
        meant = close_match(value, [choice for choice in limit if isinstance(choice, str)])
    hint = f" Did you mean {shorten(meant)}?" if meant is not None else ""
    return "not_in_list", f"One of {_listed(limit)}; this is {_shown(value)}.{hint}"


def _shown(value: Any) -> str:
    return '""' if value == "" else shorten(value)


def _counted(unit: str, least: bool, code: str) -> Callable[[Any, Any], tuple[str, str]]:
    def text(limit: Any, value: Any) -> tuple[str, str]:
        bound = "At least" if least else "At most"
        name = unit if limit == 1 else _PLURALS[unit]
        many = len(value)
        return code, f"{bound} {limit} {name}; {'this is' if many == 1 else 'these are'} {many}."

    return text


_PLURALS = {"character": "characters", "item": "items", "property": "properties"}


def _bound(words: str, code: str) -> Callable[[Any, Any], tuple[str, str]]:
    return lambda limit, value: (code, f"{words} {limit}; this is {shorten(value)}.")


def _fixed(code: str, text: str) -> Callable[[Any, Any], tuple[str, str]]:
    return lambda _, __: (code, text)


_TEXTS: Mapping[str, Callable[[Any, Any], tuple[str, str]]] = {
    "const": lambda limit, value: ("not_in_list", f"This must be {_shown(limit)}; it is {_shown(value)}."),
    "contains": _fixed("missing_item", "None of the items is one that must be there."),
    "enum": _enum,
    "exclusiveMaximum": _bound("Less than", "too_large"),
    "exclusiveMinimum": _bound("More than", "too_small"),
    "format": lambda limit, value: ("format", f"This is no {limit}: {_shown(value)}."),
    "items": _fixed("too_many_items", "There are more items than may be here."),
    "maxContains": lambda limit, _: ("too_many_items", f"At most {limit} items of one kind may be here."),
    "maxItems": _counted("item", least=False, code="too_many_items"),
    "maxLength": _counted("character", least=False, code="too_long"),
    "maxProperties": _counted("property", least=False, code="too_many_properties"),
    "maximum": _bound("At most", "too_large"),
    "minContains": lambda limit, _: ("missing_item", f"At least {limit} items of one kind must be here."),
    "minItems": _counted("item", least=True, code="too_few_items"),
    "minLength": _counted("character", least=True, code="too_short"),
    "minProperties": _counted("property", least=True, code="too_few_properties"),
    "minimum": _bound("At least", "too_small"),
    "multipleOf": _bound("A multiple of", "not_a_multiple"),
    "not": lambda _, value: ("not_allowed", f"This is not allowed: {_shown(value)}."),
    "pattern": lambda limit, value: ("pattern", f"This must look like {shorten(limit)}; it is {_shown(value)}."),
    "type": _type,
    "uniqueItems": lambda _, value: ("duplicate_item", f"Each item may be there once; {_shown(value)} was before."),
    "unevaluatedItems": _fixed("too_many_items", "There are more items than may be here."),
}
