"""Hypothesis strategies from JSON Schema 2020-12, for a documented subset.

    from workersai_core.testing import strategies

    strategies.from_schema({"type": "integer", "minimum": 1})
    strategies.junk()

Every value drawn validates. What the builder does not know it refuses with
`UnsupportedSchema`, which names the place: then the task type gives
``params_strategy()`` or ``response_strategy(params)`` of its own.

The subset: ``type`` (also several), ``enum``, ``const``, all keywords of
numbers, strings, arrays and objects except ``patternProperties``,
``dependentSchemas`` and ``unevaluatedItems``; ``$ref`` to ``#/$defs/…``
(recursion is cut after some levels), ``anyOf``, ``oneOf``, ``if``, ``not``, and
``allOf`` where the parts have a simple common form. Of the formats, those of
`formats.FORMATS`, which are all that the service knows.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from workersai_core import plurality
from workersai_core.jsontext import pointer_token
from workersai_core.schemas.engines import reference
from workersai_core.testing.extra import st
from workersai_core.testing.scalars import UnsupportedSchema, floats, integers, junk, strings, texts
from workersai_core.testing.schema_merge import ANNOTATIONS, CannotMerge, is_annotation, merge, types_of

__all__ = ["UnsupportedSchema", "from_schema", "junk", "texts"]

Strategy = st.SearchStrategy[Any]

_MAX_LEVEL = 4
"""How many recursive references deep a value may be."""
_MORE = 3
"""How many members beyond the least are drawn where the schema sets no limit."""
_PARTS = ("additionalProperties", "unevaluatedProperties", "propertyNames", "items", "contains", "not")
_CONDITIONS = ("if", "then", "else")
_LISTS = ("allOf", "anyOf", "oneOf", "prefixItems")
_MAPS = ("properties", "$defs")
_UNFOLDED = frozenset({"$ref", "allOf", "anyOf", "oneOf", *_CONDITIONS})
_RECHECKED = _UNFOLDED | {"not", "contains", "dependentRequired", "propertyNames", "minProperties", "maxProperties"}
_KNOWN = frozenset(
    {
        *("$ref", "type", "enum", "const", "required", "minProperties", "maxProperties", "dependentRequired"),
        *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
        *("minLength", "maxLength", "pattern", "format"),
        *("minItems", "maxItems", "uniqueItems", "minContains", "maxContains"),
    }
).union(ANNOTATIONS, _PARTS, _CONDITIONS, _LISTS, _MAPS)


def from_schema(schema: Any) -> Strategy:
    """Return a strategy whose every value validates under `schema`.

    Args:
        schema: A JSON Schema 2020-12, an object or a boolean.

    Raises:
        UnsupportedSchema: a part of it is outside the subset, or nothing could be drawn.
    """
    _refuse_unknown(schema, "")
    strategy = _Builder(schema).build(schema, "", 0)
    if strategy.is_empty:
        raise UnsupportedSchema("", "schema", "accepts no value that the builder can find")
    return strategy


def _parts(schema: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    yield from ((f"/{keyword}", schema[keyword]) for keyword in (*_PARTS, *_CONDITIONS) if keyword in schema)
    for keyword in _LISTS:
        yield from ((f"/{keyword}/{n}", part) for n, part in enumerate(schema.get(keyword, ())))
    for keyword in _MAPS:
        members = schema.get(keyword, {}).items()
        yield from ((f"/{keyword}/{pointer_token(name)}", part) for name, part in members)


def _refuse_unknown(schema: Any, where: str) -> None:
    if isinstance(schema, bool):
        return
    for keyword in schema:
        if keyword not in _KNOWN and not is_annotation(keyword):
            raise UnsupportedSchema(where, keyword)
    if not schema.get("$ref", "#/$defs/").startswith("#/$defs/"):
        raise UnsupportedSchema(where, "$ref", "does not start with #/$defs/")
    for suffix, part in _parts(schema):
        _refuse_unknown(part, where + suffix)


def _refs(schema: Any) -> set[str]:
    """Return the references that stand in a schema, its definitions left out."""
    if isinstance(schema, bool):
        return set()
    own = {schema["$ref"]} if "$ref" in schema else set()
    return own.union(*(_refs(part) for suffix, part in _parts(schema) if not suffix.startswith("/$defs/")))


class _Builder:
    """Builds the strategies of one schema document."""

    def __init__(self, root: Any) -> None:
        self._defs: Mapping[str, Any] = {} if isinstance(root, bool) else root.get("$defs", {})
        self._recursive: dict[str, bool] = {}
        self._built: dict[tuple[str, int], Strategy] = {}

    def build(self, schema: Any, where: str, level: int) -> Strategy:
        """Return the strategy of one part; `level` counts the recursive references on the way to it."""
        if isinstance(schema, bool):
            return junk() if schema else st.nothing()
        if "$ref" in schema and all(keyword == "$ref" or is_annotation(keyword) for keyword in schema):
            return self._referenced(schema["$ref"], where, level)
        try:
            plain = list(self._unfold(schema, where, level))
        except CannotMerge as error:
            raise UnsupportedSchema(where, error.keyword, "stands in several parts that must all hold") from None
        strategy = st.one_of([self._plain(part, where, deeper) for part, deeper in plain])
        return strategy.filter(self._holds(schema)) if schema.keys() & _RECHECKED else strategy

    # --- references and alternatives -----------------------------------------------------------

    def _target(self, ref: str, where: str) -> Any:
        value: Any = {"$defs": self._defs}
        for token in ref.removeprefix("#/").split("/"):
            name = token.replace("~1", "/").replace("~0", "~")
            try:
                value = value[int(name)] if isinstance(value, list) else value[name]
            except (LookupError, ValueError, TypeError):
                raise UnsupportedSchema(where, "$ref", f"points at nothing: {ref}") from None
        return value

    def _deeper(self, ref: str, where: str, level: int) -> int:
        """Return the level behind a reference: one more when it can lead back to itself."""
        if ref not in self._recursive:
            seen: set[str] = set()
            ahead = [ref]
            while ahead:
                found = _refs(self._target(ahead.pop(), where)) - seen
                ahead.extend(found)
                seen |= found
            self._recursive[ref] = ref in seen
        return level + self._recursive[ref]

    def _referenced(self, ref: str, where: str, level: int) -> Strategy:
        deeper = self._deeper(ref, where, level)
        if deeper > _MAX_LEVEL:
            return st.nothing()
        if (ref, deeper) not in self._built:
            self._built[ref, deeper] = self.build(self._target(ref, where), ref.removeprefix("#"), deeper)
        return self._built[ref, deeper]

    def _unfold(self, schema: Any, where: str, level: int) -> Iterator[tuple[Any, int]]:
        """Yield schemas without references and alternatives that together accept all that `schema` accepts."""
        if level > _MAX_LEVEL:
            return
        if isinstance(schema, bool) or not schema.keys() & _UNFOLDED:
            yield schema, level
            return
        found = [({keyword: value for keyword, value in schema.items() if keyword not in _UNFOLDED}, level)]
        for choices in self._choices(schema, where, level):
            unfolded = [plain for choice, deeper in choices for plain in self._unfold(choice, where, deeper)]
            found = [(merge(part, plain), max(here, there)) for part, here in found for plain, there in unfolded]
        yield from found

    def _choices(self, schema: Mapping[str, Any], where: str, level: int) -> Iterator[list[tuple[Any, int]]]:
        """Yield lists of schemas: of each list, one at least holds."""
        if "$ref" in schema:
            yield [(self._target(schema["$ref"], where), self._deeper(schema["$ref"], where, level))]
        yield from ([(part, level)] for part in schema.get("allOf", ()))
        yield from ([(part, level) for part in schema[keyword]] for keyword in ("anyOf", "oneOf") if keyword in schema)
        if "if" in schema:
            then = {"allOf": [schema["if"], schema.get("then", True)]}
            yield [(then, level), (schema.get("else", True), level)]

    def _holds(self, schema: Any) -> Callable[[Any], bool]:
        document = schema if isinstance(schema, bool) else {**schema, "$defs": self._defs}
        return reference(document).is_valid

    # --- plain schemas -------------------------------------------------------------------------

    def _plain(self, schema: Any, where: str, level: int) -> Strategy:
        if isinstance(schema, bool):
            return junk() if schema else st.nothing()
        holds = self._holds(schema)
        if "const" in schema or "enum" in schema:
            values = schema["enum"] if "enum" in schema else [schema["const"]]
            fitting = [value for value in values if holds(value)]
            return st.sampled_from(fitting).map(copy.deepcopy) if fitting else st.nothing()
        makers: Mapping[str, Callable[[], Strategy]] = {
            "null": st.none,
            "boolean": st.booleans,
            "integer": lambda: integers(schema),
            "number": lambda: st.one_of(integers(schema), floats(schema, holds)),
            "string": lambda: strings(schema, where, holds),
            "array": lambda: self._array(schema, where, level),
            "object": lambda: self._object(schema, where, level),
        }
        return st.one_of([makers[kind]() for kind in types_of(schema)])

    def _array(self, schema: Mapping[str, Any], where: str, level: int) -> Strategy:
        first = [
            self.build(part, f"{where}/prefixItems/{n}", level) for n, part in enumerate(schema.get("prefixItems", ()))
        ]
        rest = self.build(schema.get("items", True), f"{where}/items", level)
        low = schema.get("minItems", 0)
        high = schema.get("maxItems", max(low, len(first)) + _MORE)
        needed: list[Strategy] = []
        if "contains" in schema:
            wanted = {"allOf": [schema.get("items", True), schema["contains"]]}
            needed = [self.build(wanted, f"{where}/contains", level)] * schema.get("minContains", 1)
        lists = _lists(first, rest, max(0, low - len(needed)), high - len(needed), bool(schema.get("uniqueItems")))
        if not needed:
            return lists
        return st.tuples(lists, st.tuples(*needed)).flatmap(lambda parts: _inserted(parts[0], parts[1], len(first)))

    def _object(self, schema: Mapping[str, Any], where: str, level: int) -> Strategy:
        known = {
            name: self.build(part, f"{where}/properties/{pointer_token(name)}", level)
            for name, part in schema.get("properties", {}).items()
        }
        keyword = next((word for word in ("additionalProperties", "unevaluatedProperties") if word in schema), "")
        other = self.build(schema.get(keyword, True), f"{where}/{keyword}", level)
        needed = {name: known.get(name, other) for name in schema.get("required", ())}
        optional = {name: part for name, part in known.items() if name not in needed and not part.is_empty}
        drawn = st.fixed_dictionaries(needed, optional=optional)
        least = max(0, schema.get("minProperties", 0) - len(known))
        most = schema.get("maxProperties", least + _MORE) - len(needed)
        if other.is_empty or most < least:
            return drawn
        naming = schema.get("propertyNames", True)
        names = self.build({"allOf": [{"type": "string"}, naming]}, f"{where}/propertyNames", level)
        more = st.dictionaries(names.filter(lambda name: name not in known), other, min_size=least, max_size=most)
        return st.builds(lambda some, rest: {**rest, **some}, drawn, more)


def _lists(first: list[Strategy], rest: Strategy, low: int, high: int, unique: bool) -> Strategy:
    """Return lists of `low` to `high` members, of which the first have strategies of their own."""
    high = min(high, len(first)) if rest.is_empty else high
    if low > high:
        return st.nothing()
    if not first:
        return st.lists(rest, min_size=low, max_size=high, unique_by=plurality.key if unique else None)
    counts = st.integers(low, min(high, max(low, len(first)) + _MORE))
    lists = counts.flatmap(lambda n: st.tuples(*first[:n], *[rest] * (n - len(first)))).map(list)
    return lists.filter(lambda drawn: len({plurality.key(value) for value in drawn}) == len(drawn)) if unique else lists


def _inserted(members: list[Any], needed: tuple[Any, ...], fixed: int) -> Strategy:
    """Return `members` with `needed` put in anywhere behind the first `fixed`."""
    head, tail = members[:fixed], members[fixed:]
    return st.permutations([*tail, *needed]).map(lambda mixed: [*head, *mixed])
