"""A task type's schemas as components: each with its own names, references rewritten."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workersai_core.api import TaskType

__all__ = ["component", "components_of", "params_name", "reference", "response_name"]

Schema = dict[str, Any]
_DROPPED = frozenset({"$schema", "$id", "$defs"})


def params_name(task_type: TaskType) -> str:
    """Return the component's name of a type's params."""
    return f"{_camel(task_type.name)}Params"


def response_name(task_type: TaskType) -> str:
    """Return the component's name of a type's response."""
    return f"{_camel(task_type.name)}Response"


def reference(name: str) -> Schema:
    """Return a reference to a component."""
    return {"$ref": f"#/components/schemas/{name}"}


def components_of(task_type: TaskType) -> dict[str, Any]:
    """Return the components that a type brings: its params, its response and what these refer to."""
    return {
        **component(params_name(task_type), task_type.params_schema),
        **component(response_name(task_type), task_type.response_schema),
    }


def component(name: str, schema: Any) -> dict[str, Any]:
    """Return a schema as a component, and each of its ``$defs`` as one of its own."""
    parts = {name: _moved(schema, name)}
    for part, inner in (schema.get("$defs", {}) if isinstance(schema, Mapping) else {}).items():
        parts[f"{name}.{part}"] = _moved(inner, name)
    return parts


def _moved(node: Any, name: str) -> Any:
    """Return a part of a schema in which references lead to components."""
    if isinstance(node, list | tuple):
        return [_moved(each, name) for each in node]
    if not isinstance(node, Mapping):
        return node
    moved = {key: _moved(value, name) for key, value in node.items() if key not in _DROPPED}
    if isinstance(node.get("$ref"), str):
        moved["$ref"] = node["$ref"].replace("#/$defs/", f"#/components/schemas/{name}.", 1)
    return moved


def _camel(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))
