"""From a schema and a value to a tree of fields."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import zip_longest
from types import MappingProxyType
from typing import Any

import attrs

from workersai_core import jsontext
from workersai_core.errors import Issue
from workersai_core.jsontext import pointer_token
from workersai_server.web.forms.fields import ABSENT, Choice, Field, Place, Schema, filled, follow, place_of

__all__ = ["build"]

_INPUT_MODES = {"email": "email", "uri": "url"}
_ONE_LINE = 120


def build(
    schema: Schema,
    value: Any = ABSENT,
    issues: Sequence[Issue] = (),
    *,
    language: str = "en",
    ui: Mapping[str, Any] = MappingProxyType({}),
) -> Field:
    """Return the form for a value.

    Args:
        schema: JSON Schema of the response.
        value: What was entered so far; wrong values are shown as they are.
        issues: What is wrong with it; each is put at its place, or at the
            nearest place around it that has a field.
        language: ``en`` or ``ko``, for labels.
        ui: The task type's hints: ``widgets`` and ``hotkeys`` by pointer.
    """
    builder = _Builder(root=schema, language=language, widgets=ui.get("widgets", {}), hotkeys=ui.get("hotkeys", {}))
    form = builder.field(schema, value, "", label=None, required=True)
    return _with_issues(form, issues)


@attrs.frozen(kw_only=True)
class _Builder:
    root: Schema
    language: str
    widgets: Mapping[str, str]
    hotkeys: Mapping[str, Sequence[str]]

    def field(
        self, schema: Any, value: Any, pointer: str, *, label: str | None, required: bool, inside: tuple[str, ...] = ()
    ) -> Field:
        place, resolved = place_of(schema, self.root, self.language, inside)
        _, trail = follow(schema, self.root, inside)
        texts = resolved if isinstance(resolved, Mapping) else {}
        widget = self.widgets.get(pointer, "")
        named = label if label is None else self._text(texts, "title") or label
        described = self._text(texts, "description")
        plain = Field(
            kind=place.kind,
            pointer=pointer,
            label=named,
            # What only repeats the label says nothing.
            description="" if described == named else described,
            required=required,
            nullable=place.nullable,
            is_null=value is None and place.nullable,
            widget=widget,
            value=filled(value) if widget and value is not ABSENT else ABSENT,
        )
        if value is None and place.nullable:
            value = ABSENT
        if not _shows(place, value, required):
            return attrs.evolve(plain, kind="json", text=_json_text(value), nullable=False, is_null=False)
        return self._filled(plain, place, value, trail)

    def _filled(self, plain: Field, place: Place, value: Any, trail: tuple[str, ...]) -> Field:
        if place.kind == "object":
            return self._object(plain, place, value, trail)
        if place.kind == "array":
            return self._array(plain, place, value, trail)
        if place.kind in ("choice", "choices"):
            chosen = value if place.kind == "choices" and value is not ABSENT else [value]
            picked = {jsontext.dumps(each) for each in chosen if each is not ABSENT}
            keys = self.hotkeys.get(plain.pointer, ())
            choices = [
                Choice(each, label, jsontext.dumps(each) in picked, key or "")
                for (each, label), key in zip_longest(place.values, keys[: len(place.values)])
            ]
            return attrs.evolve(plain, choices=choices, present=value is not ABSENT or plain.required)
        if place.kind == "json":
            return attrs.evolve(plain, text=_json_text(value))
        return _text_field(plain, place, value)

    def _object(self, plain: Field, place: Place, value: Any, trail: tuple[str, ...]) -> Field:
        present = value is not ABSENT or plain.required
        members = value if isinstance(value, Mapping) else {}
        children = [
            self.field(
                place.member(name),
                members.get(name, ABSENT),
                f"{plain.pointer}/{pointer_token(name)}",
                label=name,
                required=place.requires(name),
                inside=trail,
            )
            for name in place.names
        ]
        return attrs.evolve(plain, children=children if present else (), present=present)

    def _array(self, plain: Field, place: Place, value: Any, trail: tuple[str, ...]) -> Field:
        present = value is not ABSENT or plain.required
        items = [] if value is ABSENT else value
        children = [
            self.field(place.schema["items"], item, f"{plain.pointer}/{n}", label=None, required=True, inside=trail)
            for n, item in enumerate(items)
        ]
        return attrs.evolve(
            plain,
            children=children,
            present=present,
            may_grow=len(items) < place.schema.get("maxItems", len(items) + 1),
            may_shrink=len(items) > place.schema.get("minItems", 0),
        )

    def _text(self, schema: Mapping[str, Any], name: str) -> str:
        return str(schema.get(f"x-{name}-{self.language}") or schema.get(name) or "")


def _text_field(plain: Field, place: Place, value: Any) -> Field:
    text = "" if value is ABSENT else value if isinstance(value, str) else jsontext.dumps(value)
    longest = place.schema.get("maxLength")
    one_line = place.kind == "number" or "format" in place.schema or (longest is not None and longest <= _ONE_LINE)
    return attrs.evolve(
        plain,
        text=text,
        longest=longest,
        multiline=not one_line or "\n" in text,
        # Not the input's type: a browser empties a date or trims an address that it does not like.
        input_mode="decimal" if place.kind == "number" else _INPUT_MODES.get(place.schema.get("format", ""), "text"),
    )


def _shows(place: Place, value: Any, required: bool) -> bool:
    """Return whether the place's own control can show a value so that it comes back the same."""
    if value is ABSENT or place.kind == "json":
        return True
    return _CAN_SHOW[place.kind](place, value, required)


def _shows_object(place: Place, value: Any, required: bool) -> bool:
    return isinstance(value, Mapping) and set(value) <= set(place.names)


def _shows_text(place: Place, value: Any, required: bool) -> bool:
    # A browser sends each kind of line break as CRLF, and an empty optional text stands for none.
    if not isinstance(value, str) or "\r" in value:
        return False
    return value != "" or (required and place.takes_empty_text)


def _shows_number(place: Place, value: Any, required: bool) -> bool:
    if isinstance(value, str):  # what somebody typed that is no number; it is shown again
        return value.strip() == value != "" and "\n" not in value and "\r" not in value and not _is_number(value)
    return isinstance(value, int | float) and not isinstance(value, bool)


def _shows_choice(place: Place, value: Any, required: bool) -> bool:
    return jsontext.dumps(value) in {jsontext.dumps(each) for each, _ in place.values}


def _shows_choices(place: Place, value: Any, required: bool) -> bool:
    if not isinstance(value, list):
        return False
    offered = [jsontext.dumps(each) for each, _ in place.values]
    given = [jsontext.dumps(each) for each in value]
    # Checkboxes come back in the order of the form.
    return given == [text for text in offered if text in given]


def _shows_array(place: Place, value: Any, required: bool) -> bool:
    return isinstance(value, list)


_CAN_SHOW = {
    "object": _shows_object,
    "array": _shows_array,
    "text": _shows_text,
    "number": _shows_number,
    "choice": _shows_choice,
    "choices": _shows_choices,
}


def _is_number(text: str) -> bool:
    try:
        number = jsontext.loads(text)
    except ValueError:
        return False
    return isinstance(number, int | float) and not isinstance(number, bool)


def _json_text(value: Any) -> str:
    return "" if value is ABSENT else jsontext.dumps(value)


def _with_issues(form: Field, issues: Sequence[Issue]) -> Field:
    """Put each issue at its field, or at the nearest field around its place."""
    known = _pointers(form)
    placed: dict[str, list[Issue]] = {}
    for issue in issues:
        pointer = issue.pointer
        while pointer not in known:
            pointer = pointer.rpartition("/")[0]
        placed.setdefault(pointer, []).append(issue)
    return _placed(form, placed)


def _pointers(field: Field) -> set[str]:
    return {field.pointer}.union(*(_pointers(child) for child in field.children))


def _placed(field: Field, issues: Mapping[str, Sequence[Issue]]) -> Field:
    children = [_placed(child, issues) for child in field.children]
    return attrs.evolve(field, children=children, issues=issues.get(field.pointer, ()))
