"""From what a browser sent to the JSON value it means."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from workersai_core import jsontext
from workersai_core.errors import InvalidInput, Issue, WorkersAIError
from workersai_core.jsontext import pointer_token
from workersai_server import strict_json
from workersai_server.web.forms.fields import ABSENT, Place, Schema, control_name, filled, follow, place_of

__all__ = ["MAX_ITEMS", "Decoded", "decode"]

MAX_ITEMS = 1000
"""An array in a form has at most this many items."""

Posted = Mapping[str, Sequence[str]]


@attrs.frozen(kw_only=True)
class Decoded:
    """What a form says.

    Attributes:
        shown: For `build`, to show the form again; where an item of an array is
            not filled in yet it holds `ABSENT`.
        issues: JSON boxes that hold no JSON.
        edited: Whether the person asked for an item more or less instead of sending the form.
    """

    shown: Any
    issues: Sequence[Issue] = ()
    edited: bool = False

    @property
    def value(self) -> Any:
        """The JSON value; items that are not filled in are null, and a number that is none is the text typed."""
        return filled({} if self.shown is ABSENT else self.shown)


def decode(schema: Schema, posted: Posted) -> Decoded:
    """Return the value that a posted form means.

    Buttons named ``add`` and ``remove``, whose value is the pointer of an
    array, an item or an optional member, change the form instead of sending it.

    Args:
        schema: The one that `build` was given.
        posted: The values by control name.
    """
    decoder = _Decoder(root=schema, posted=posted)
    value = decoder.value(schema, "", required=True)
    return Decoded(
        shown=value,
        issues=decoder.issues,
        edited="add" in posted or "remove" in posted,
    )


@attrs.define(kw_only=True)
class _Decoder:
    root: Schema
    posted: Posted
    issues: list[Issue] = attrs.field(factory=list)

    def value(self, schema: Any, pointer: str, *, required: bool, inside: tuple[str, ...] = ()) -> Any:
        name = control_name(pointer)
        if self._last("remove") == pointer != "":
            return ABSENT
        if f"{name}=" in self.posted:
            return self._json(self._last(f"{name}=") or "", pointer)
        place, _ = place_of(schema, self.root, inside=inside)
        if place.nullable and f"{name}~" in self.posted:
            return None
        _, trail = follow(schema, self.root, inside)
        if place.kind == "object":
            return self._object(place, pointer, required, trail)
        if place.kind == "array":
            return self._array(place, pointer, required, trail)
        return self._plain(place, name, required)

    def _plain(self, place: Place, name: str, required: bool) -> Any:
        if place.kind == "choices":
            return self._choices(place, name, required)
        text = self._last(name)
        if text is None:
            return ABSENT
        if place.kind == "choice":
            return next((value for value, _ in place.values if jsontext.dumps(value) == text), ABSENT)
        if place.kind == "number":
            return _number(text)
        text = text.replace("\r\n", "\n")
        return text if text or (required and place.takes_empty_text) else ABSENT

    def _choices(self, place: Place, name: str, required: bool) -> Any:
        if not required and f"{name}#" not in self.posted:
            return ABSENT
        texts = set(self.posted.get(name, ()))
        return [value for value, _ in place.values if jsontext.dumps(value) in texts]

    def _object(self, place: Place, pointer: str, required: bool, trail: tuple[str, ...]) -> Any:
        marker = f"{control_name(pointer)}#"
        if not required and marker not in self.posted and self._last("add") != pointer:
            return ABSENT
        members = {
            member: self.value(
                place.member(member),
                f"{pointer}/{pointer_token(member)}",
                required=place.requires(member),
                inside=trail,
            )
            for member in place.names
        }
        return {member: value for member, value in members.items() if value is not ABSENT}

    def _array(self, place: Place, pointer: str, required: bool, trail: tuple[str, ...]) -> Any:
        count = self._last(f"{control_name(pointer)}#")
        adding = self._last("add") == pointer
        if not required and count is None and not adding:
            return ABSENT
        length = min(int(count), MAX_ITEMS) if count and count.isascii() and count.isdigit() else 0
        item = place.schema["items"]
        items = [self.value(item, f"{pointer}/{n}", required=True, inside=trail) for n in range(length)]
        removed = self._last("remove") or ""
        kept = [value for n, value in enumerate(items) if removed != f"{pointer}/{n}"]
        return [*kept, ABSENT] if adding else kept

    def _json(self, text: str, pointer: str) -> Any:
        if not text.strip():
            return ABSENT
        try:
            value = strict_json.parse(text.encode("utf-8", "surrogatepass"))
            jsontext.check(value, pointer=pointer)
        except InvalidInput as error:
            self.issues.extend(error.issues)
        except WorkersAIError as error:
            self.issues.append(Issue(pointer, error.detail, "invalid_json"))
        else:
            return value
        return text

    def _last(self, name: str) -> str | None:
        values = self.posted.get(name, ())
        return values[-1] if values else None


def _number(text: str) -> Any:
    text = text.strip()
    if not text:
        return ABSENT
    try:
        number = strict_json.parse(text.encode())
    except (WorkersAIError, UnicodeEncodeError):
        return text
    return number if isinstance(number, int | float) and not isinstance(number, bool) else text
