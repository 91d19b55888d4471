"""What may be wrong with a type's ``ui`` hints.

    ui = {
        "show": ["/text"],
        "widgets": {"/sentiment": "buttons"},
        "hotkeys": {"/sentiment": ["p", "n", "u"]},
        "element": {"name": "my-element", "module": "element.js"},
    }

Hotkeys stand for the choices of a field in their order; there may be fewer keys
than choices, or more where the choices come with the task.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from workersai_core.jsontext import shorten
from workersai_core.task_type import Json, TaskType

__all__ = ["hotkey_problems", "pointer_problems"]

_HINTS = ("show", "widgets", "hotkeys", "element")
_SAME_VALUE = ("allOf", "anyOf", "oneOf")
_ITEM = re.compile(r"\*|0|[1-9][0-9]*")
_KEY = re.compile(r"[0-9a-z]")


def pointer_problems(task_type: TaskType) -> Iterator[str]:
    """Yield what is wrong with the names and the pointers of the hints."""
    ui = task_type.ui
    for hint in ui:
        if hint not in _HINTS:
            yield f"ui has no hint {shorten(hint)}; it takes {', '.join(_HINTS)}"
    show = ui.get("show", ())
    if not isinstance(show, list | tuple):
        yield "ui/show is a list of pointers into the params"
        show = ()
    yield from _missing("show", show, "params_schema", task_type.params_schema)
    for hint in ("widgets", "hotkeys"):
        pointers = ui.get(hint, {})
        if isinstance(pointers, Mapping):
            yield from _missing(hint, pointers, "response_schema", task_type.response_schema)
        else:
            yield f"ui/{hint} is a dict by pointers into the response"
    for pointer, widget in _members(ui.get("widgets")):
        if not isinstance(widget, str) or not widget:
            yield f"ui/widgets: the widget of {shorten(pointer)} is a name, not {shorten(repr(widget))}"


def hotkey_problems(task_type: TaskType) -> Iterator[str]:
    """Yield what is wrong with the keys."""
    taken: dict[str, str] = {}
    for pointer, keys in _members(task_type.ui.get("hotkeys")):
        if not isinstance(keys, list | tuple | str):
            yield f"ui/hotkeys: the keys of {pointer} are a list, in the order of its choices"
            continue
        for n, key in enumerate(keys, start=1):
            what = f"choice {n} of {pointer}"
            if not isinstance(key, str) or not _KEY.fullmatch(key):
                yield f"ui/hotkeys: the key of {what} is one digit or lower-case letter, not {shorten(repr(key))}"
            elif key in taken:
                yield f"ui/hotkeys: {key} stands for {taken[key]} and for {what}"
            else:
                taken[key] = what


def _members(hint: Any) -> list[tuple[str, Any]]:
    return list(hint.items()) if isinstance(hint, Mapping) else []


def _missing(hint: str, pointers: Any, what: str, schema: Json) -> Iterator[str]:
    for pointer in pointers:
        if not isinstance(pointer, str) or not _at(schema, pointer):
            yield f"ui/{hint}: {shorten(repr(pointer))} leads to nothing in {what}"


def _at(root: Json, pointer: str) -> list[Mapping[str, Any]]:
    """Return the schemas of the value that a pointer leads to; none when there can be no such value."""
    if pointer and not pointer.startswith("/"):
        return []
    places = _unfolded(root, root)
    for token in pointer.split("/")[1:]:
        name = token.replace("~1", "/").replace("~0", "~")
        places = [part for place in places for inner in _children(place, name) for part in _unfolded(inner, root)]
    return places


def _children(place: Mapping[str, Any], name: str) -> Iterator[Any]:
    if name in place.get("properties", {}):
        yield place["properties"][name]
    if _ITEM.fullmatch(name):
        first = place.get("prefixItems", ())
        position = int(name) if name != "*" else len(first)
        if position < len(first):
            yield first[position]
        elif "items" in place:
            yield place["items"]


def _unfolded(schema: Json, root: Json) -> list[Mapping[str, Any]]:
    """Return a schema and those that are about the same value."""
    if isinstance(schema, bool):
        return [{}] if schema else []
    parts = [part for keyword in _SAME_VALUE for part in schema.get(keyword, ())]
    parts += [schema[keyword] for keyword in ("then", "else") if keyword in schema]
    if "$ref" in schema:
        name = schema["$ref"].removeprefix("#/$defs/").replace("~1", "/").replace("~0", "~")
        parts.append(root["$defs"][name])
    return [schema, *(inner for part in parts for inner in _unfolded(part, root))]
