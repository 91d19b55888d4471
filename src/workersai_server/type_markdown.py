"""The documentation of a task type as Markdown, made from its schemas, examples and hints."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from workersai_core.api import Json, TaskType

__all__ = ["type_markdown"]

_MAX_DEPTH = 6
_LIMITS = (
    ("minLength", "at least {} in length"),
    ("maxLength", "at most {} in length"),
    ("minItems", "at least {} items"),
    ("maxItems", "at most {} items"),
    ("minProperties", "at least {} members"),
    ("maxProperties", "at most {} members"),
    ("minimum", "≥ {}"),
    ("exclusiveMinimum", "> {}"),
    ("maximum", "≤ {}"),
    ("exclusiveMaximum", "< {}"),
    ("multipleOf", "a multiple of {}"),
    ("pattern", "matches `{}`"),
)


def type_markdown(task_type: TaskType) -> str:
    """Return the page of one task type: params, response, examples and hints."""
    also = f" Also called {', '.join(f'`{alias}`' for alias in task_type.aliases)}." if task_type.aliases else ""
    parts = [
        f"# {task_type.name}\n",
        f"{task_type.summary}{also} Version {task_type.version}.\n",
        "## Params\n",
        _table(task_type.params_schema),
        "## Response\n",
        "What all tasks of this type have in common; the params of a task may narrow it.\n",
        _table(task_type.response_schema),
        "## Examples\n",
        *(_example(params, response) for params, response in task_type.examples),
    ]
    if task_type.ui:
        parts += ["## Form\n", _code(task_type.ui)]
    return "\n".join(parts)


def _table(schema: Json) -> str:
    rows = [("Name", "Type", "Required", "Meaning"), ("---",) * 4, *_rows(schema, schema, "", 0)]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in rows) + "\n"


def _rows(schema: Json, root: Json, path: str, depth: int) -> Iterator[tuple[str, str, str, str]]:
    """Yield a row for each property in a schema, those within it after it."""
    schema = _resolved(schema, root)
    if depth > _MAX_DEPTH:
        return
    if path and isinstance(schema.get("items"), Mapping):
        yield from _rows(schema["items"], root, f"{path}[]", depth + 1)
    for part in _alternatives(schema):
        yield from _rows(part, root, path, depth + 1)
    required = schema.get("required", ())
    for name, inner in schema.get("properties", {}).items():
        resolved = _resolved(inner, root)
        where = f"{path}.{name}" if path else name
        if "type" in resolved or "description" in resolved:
            yield f"`{where}`", _kind(resolved, root), "yes" if name in required else "no", _meaning(resolved)
        yield from _rows(resolved, root, where, depth + 1)


def _alternatives(schema: Mapping[str, Any]) -> list[Any]:
    listed = [part for keyword in ("allOf", "anyOf", "oneOf") for part in schema.get(keyword, ())]
    return listed + [schema[keyword] for keyword in ("then", "else") if keyword in schema]


def _resolved(schema: Json, root: Json) -> Mapping[str, Any]:
    if not isinstance(schema, Mapping):
        return {}
    if "$ref" not in schema:
        return schema
    name = schema["$ref"].removeprefix("#/$defs/").replace("~1", "/").replace("~0", "~")
    return {**_resolved(root["$defs"][name], root), **{key: each for key, each in schema.items() if key != "$ref"}}


def _kind(schema: Mapping[str, Any], root: Json) -> str:
    if "const" in schema:
        return _value(schema["const"])
    if "enum" in schema:
        return "one of " + ", ".join(map(_value, schema["enum"]))
    kinds = schema.get("type") or [_kind(_resolved(part, root), root) for part in _alternatives(schema)] or "any"
    named = kinds if isinstance(kinds, str) else " or ".join(dict.fromkeys(kinds))
    if "format" in schema:
        named += f" ({schema['format']})"
    if "array" in _listed(kinds) and isinstance(schema.get("items"), Mapping):
        named += f" of {_kind(_resolved(schema['items'], root), root)}"
    return named


def _listed(kinds: str | Sequence[str]) -> Sequence[str]:
    return [kinds] if isinstance(kinds, str) else kinds


def _meaning(schema: Mapping[str, Any]) -> str:
    limits = [text.format(schema[keyword]) for keyword, text in _LIMITS if keyword in schema]
    if schema.get("uniqueItems"):
        limits.append("each once")
    if "default" in schema:
        limits.append(f"default {_value(schema['default'])}")
    described = str(schema.get("description", "")).strip()
    return f"{described} ({'; '.join(limits)})".strip() if limits else described


def _value(value: Json) -> str:
    return f"`{json.dumps(value, ensure_ascii=False)}`"


def _example(params: Json, response: Json) -> str:
    return _code({"params": params, "response": response})


def _code(value: Json) -> str:
    return f"```json\n{json.dumps(value, ensure_ascii=False, indent=2)}\n```\n"
