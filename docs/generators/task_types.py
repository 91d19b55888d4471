"""The task types that come along: what they take and what they answer."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from importlib import metadata
from typing import Any

from generators.markdown import NOTICE, table
from workersai_core.api import TaskType
from workersai_core.hookspecs import PROJECT
from workersai_core.plugins import Plugins

__all__ = ["page", "types"]


def page() -> str:
    """Return the page."""
    parts = [
        NOTICE,
        "# Task types\n",
        "The types that come with WorkersAI. A server lists its own, with the complete JSON Schemas,",
        "at `GET /v1/task_types`; [Your first task type](../tutorial/first-task-type.md) adds one.\n",
    ]
    for each in types():
        aliases = f" Also called {', '.join(f'`{alias}`' for alias in each.aliases)}." if each.aliases else ""
        params, response = each.examples[0]
        parts += [
            f"## {each.name}\n",
            f"{each.summary}{aliases} Version {each.version}.\n",
            "### Params\n",
            _properties(each.params_schema),
            "### Response\n",
            _properties(each.response_schema),
            "### Example\n",
            f"```json\n{_json({'params': params, 'response': response})}\n```\n",
        ]
    return "\n".join(parts)


def types() -> list[TaskType]:
    """Return the bundled types, found as any plugin is."""
    first = ["categorization", "audio_transcription"]
    points = [point for point in metadata.entry_points(group=PROJECT) if point.value.startswith("workersai_plugins.")]
    names = [*first, *sorted({point.name for point in points}.difference(first))]
    loaded = Plugins.load((), files=(), entry_points=names, strict=True)
    # A plugin may bring something else, such as a format of exports.
    found = {report.name: report.task_types for report in loaded.reports()}
    return [loaded.types.require(each) for name in names for each in found[name]]


def _properties(schema: Mapping[str, Any]) -> str:
    required = schema.get("required", ())
    rows = [
        (f"`{name}`", _kind(rule), "yes" if name in required else "no", rule["description"])
        for name, rule in schema["properties"].items()
    ]
    return table(("Name", "Type", "Required", "Meaning"), rows)


def _kind(rule: Mapping[str, Any]) -> str:
    return " ".join(_words(rule))


def _words(rule: Mapping[str, Any]) -> Iterator[str]:
    if "enum" in rule:
        yield "one of " + ", ".join(f"`{value}`" for value in rule["enum"])
        return
    named = rule.get("type", [_kind(each) for each in rule.get("oneOf", rule.get("anyOf", ()))])
    yield named if isinstance(named, str) else " or ".join(named)
    if rule.get("type") == "array" and isinstance(rule.get("items"), dict):
        yield f"of {_kind(rule['items'])}"
    if "format" in rule:
        yield f"({rule['format']})"
    if "default" in rule:
        yield f"(default `{json.dumps(rule['default'])}`)"


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)
