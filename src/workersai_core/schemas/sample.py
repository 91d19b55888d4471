"""Values made up from a schema, for test mode.

    sample(schema, random.Random(1))

The subset: everything but patterns (unless the schema gives `examples`),
`not`, `if`, `contains`, `dependentSchemas` and `unevaluated…`, which are only checked afterwards: a
value that does not fit after some tries is a `SchemaError`, and the task type
then needs a `mock_response` of its own.
"""

from __future__ import annotations

import math
import random
import uuid
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from workersai_core.errors import SchemaError
from workersai_core.schemas.compiled import CompiledSchema, compile_narrowed

if TYPE_CHECKING:
    from workersai_core.task_type import Json, JsonObject, TaskType

__all__ = ["mock_response", "sample"]

_TRIES = 20
_DEEPEST = 12
_MORE = 2
"""How many items or characters beyond the least there may be."""
_GIVE_UP = "No value can be made up from this schema; give the type a mock_response."
_WORDS = ("amber", "birch", "cedar", "delta", "ember", "fjord", "grove", "heron")


def mock_response(task_type: TaskType, params: JsonObject, rng: random.Random) -> Json:
    """Return a response that is valid for `params`: an example's where one fits, else a made-up one.

    Raises:
        SchemaError: none fits and the schema is outside the subset, or it cannot be compiled.
    """
    schema = task_type.response_schema_for(params)
    compiled = compile_narrowed(schema)
    fitting = [response for _, response in task_type.examples if _fits(task_type, compiled, params, response)]
    if fitting:
        return rng.choice(fitting)
    for _ in range(_TRIES):
        response = sample(schema, rng)
        if not list(task_type.check_response(params, response)):
            return response
    raise SchemaError(f"No response of {task_type.name} can be made up; give the type a mock_response.")


def _fits(task_type: TaskType, compiled: CompiledSchema, params: JsonObject, response: Json) -> bool:
    return compiled.accepts(response) and not list(task_type.check_response(params, response))


def sample(schema: Json, rng: random.Random) -> Json:
    """Return a value that is valid under a schema, the same for the same state of `rng`.

    Raises:
        SchemaError: it is outside the subset, allows nothing, or cannot be compiled.
    """
    compiled = compile_narrowed(schema)
    maker = _Maker(schema, rng)
    for _ in range(_TRIES):
        value = maker.make(schema, 0)
        if compiled.accepts(value):
            return value
    raise SchemaError(_GIVE_UP)


class _Maker:
    """Makes values that keep what a schema says directly; the rest is for the caller to check."""

    def __init__(self, root: Any, rng: random.Random) -> None:
        self._root = root
        self._rng = rng

    def make(self, schema: Any, depth: int) -> Any:
        if not isinstance(schema, Mapping):
            return None
        schema = self._unfolded(schema)
        for keyword in ("const", "default"):
            if keyword in schema:
                return schema[keyword]
        for keyword in ("enum", "examples"):
            if schema.get(keyword):
                return self._rng.choice(schema[keyword])
        return self._of_type(schema, depth)

    def _unfolded(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return a schema with its references and alternatives put in."""
        for _ in range(_DEEPEST):
            parts = list(self._parts(schema))
            rest = {keyword: value for keyword, value in schema.items() if keyword not in _FOLDED}
            if not parts:
                return rest
            for part in parts:
                rest = _merged(rest, part)
            schema = rest
        raise SchemaError(_GIVE_UP)

    def _parts(self, schema: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        if "$ref" in schema:
            yield self._target(schema["$ref"])
        yield from (part for part in schema.get("allOf", ()) if isinstance(part, Mapping))
        for keyword in ("anyOf", "oneOf"):
            branches = [branch for branch in schema.get(keyword, ()) if isinstance(branch, Mapping)]
            if branches:
                yield self._rng.choice(branches)

    def _target(self, reference: str) -> Mapping[str, Any]:
        name = reference.removeprefix("#/$defs/").replace("~1", "/").replace("~0", "~")
        target = self._root["$defs"][name]
        return target if isinstance(target, Mapping) else {}

    def _of_type(self, schema: Mapping[str, Any], depth: int) -> Any:
        named = schema.get("type", "object" if "properties" in schema else "string")
        kind = named if isinstance(named, str) else self._rng.choice(named)
        return _MAKERS[kind](self, schema, depth)

    def object(self, schema: Mapping[str, Any], depth: int) -> Any:
        required = set(schema.get("required", ()))
        members = {}
        for name, inner in schema.get("properties", {}).items():
            if name in required or (depth < _DEEPEST // 2 and inner is not False and self._rng.random() < 0.5):
                if depth > _DEEPEST:
                    raise SchemaError(_GIVE_UP)
                members[name] = self.make(inner, depth + 1)
        return members

    def array(self, schema: Mapping[str, Any], depth: int) -> Any:
        first = schema.get("prefixItems", ())
        items = schema.get("items", {})
        least = max(int(schema.get("minItems", 0)), 1 if depth < _DEEPEST // 2 else 0)
        most = int(schema.get("maxItems", least + _MORE))
        if items is False:
            most = min(most, len(first))
        count = self._rng.randint(min(least, most), max(min(least, most), min(most, least + _MORE)))
        found: list[Any] = []
        for position in range(count):
            inner = first[position] if position < len(first) else items
            value = self.make(inner, depth + 1)
            for _ in range(_TRIES):
                if not schema.get("uniqueItems") or value not in found:
                    break
                value = self.make(inner, depth + 1)
            found.append(value)
        return found

    def string(self, schema: Mapping[str, Any], depth: int) -> Any:
        if "pattern" in schema:
            raise SchemaError(
                f"No text can be made up for the pattern {schema['pattern']}; give the property `examples`."
            )
        if "format" in schema:
            return _formatted(schema["format"], self._rng)
        least, most = int(schema.get("minLength", 0)), int(schema.get("maxLength", 10_000))
        text = " ".join(self._rng.choice(_WORDS) for _ in range(2))
        while len(text) < least:
            text = f"{text} {self._rng.choice(_WORDS)}"
        return text[: max(least, min(most, len(text)))]

    def number(self, schema: Mapping[str, Any], depth: int) -> Any:
        low, high = self._bounds(schema)
        step = schema.get("multipleOf")
        if step:
            return self._rng.randint(math.ceil(low / step), math.floor(high / step)) * step
        return round(self._rng.uniform(low, high), 3)

    def integer(self, schema: Mapping[str, Any], depth: int) -> Any:
        low, high = self._bounds(schema)
        step = int(schema.get("multipleOf", 1)) or 1
        first, last = math.ceil(low / step), math.floor(high / step)
        return self._rng.randint(first, max(first, last)) * step

    def _bounds(self, schema: Mapping[str, Any]) -> tuple[float, float]:
        low = schema.get("minimum", schema.get("exclusiveMinimum"))
        high = schema.get("maximum", schema.get("exclusiveMaximum"))
        if low is None:
            low = 0 if high is None or high > 0 else high - 100
        if high is None:
            high = low + 100
        if "exclusiveMinimum" in schema and low == schema["exclusiveMinimum"]:
            low += min(1, (high - low) / 4)
        if "exclusiveMaximum" in schema and high == schema["exclusiveMaximum"]:
            high -= min(1, (high - low) / 4)
        return low, high

    def boolean(self, schema: Mapping[str, Any], depth: int) -> Any:
        return self._rng.random() < 0.5

    def null(self, schema: Mapping[str, Any], depth: int) -> Any:
        return None


_FOLDED = frozenset({"$ref", "allOf", "anyOf", "oneOf"})
_MAKERS: Mapping[str, Callable[[_Maker, Mapping[str, Any], int], Any]] = {
    kind: getattr(_Maker, kind) for kind in ("array", "boolean", "integer", "null", "number", "object", "string")
}


def _merged(schema: Mapping[str, Any], part: Mapping[str, Any]) -> dict[str, Any]:
    """Return two schemas about the same value as one, where that is plain."""
    merged = {**part, **schema}
    if "properties" in schema and "properties" in part:
        merged["properties"] = {**part["properties"], **schema["properties"]}
    if "required" in schema and "required" in part:
        merged["required"] = [*schema["required"], *part["required"]]
    return merged


def _formatted(name: str, rng: random.Random) -> str:
    number = rng.randint(1, 28)
    texts = {
        "date": f"2030-01-{number:02}",
        "date-time": f"2030-01-{number:02}T09:00:00Z",
        "duration": f"PT{number}M",
        "email": f"worker{number}@example.com",
        "hostname": f"host{number}.example.com",
        "ipv4": f"192.0.2.{number}",
        "ipv6": f"2001:db8::{number}",
        "json-pointer": f"/items/{number}",
        "regex": f"^a{{{number}}}$",
        "time": f"09:00:{number:02}Z",
        "uri": f"https://example.com/{number}",
        "uri-reference": f"/items/{number}",
        "uuid": str(uuid.UUID(int=rng.getrandbits(128), version=4)),
    }
    return texts[name]
