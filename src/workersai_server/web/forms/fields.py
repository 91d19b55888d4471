"""What a form is made of, and what a schema says about one place of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import attrs

from workersai_core import jsontext
from workersai_core.errors import Issue

__all__ = ["ABSENT", "Choice", "Field", "Kind", "Place", "control_name", "filled", "place_of"]

Kind = Literal["object", "array", "text", "number", "choice", "choices", "json"]
Schema = Mapping[str, Any]

ABSENT: Any = object()
"""The value of a member that is not there."""

_PREFIX = "response"
_SCALARS = frozenset({"string", "integer", "number", "boolean"})
_UNSUPPORTED = frozenset(
    {"allOf", "anyOf", "not", "if", "dependentSchemas", "patternProperties", "prefixItems", "contains"}
)
_MOST_REFERENCES = 20


@attrs.frozen
class Choice:
    """One value that may be chosen."""

    value: Any
    label: str
    selected: bool = False
    hotkey: str = ""
    """The key that chooses it."""

    @property
    def text(self) -> str:
        """What the control sends: the value as JSON, which says its type too."""
        return jsontext.dumps(self.value)


@attrs.frozen(kw_only=True)
class Field:
    """One place of a form.

    Attributes:
        kind: Which control, or group of controls, shows it.
        pointer: Where it stands in the value (RFC 6901).
        label: Its title; None for the root and for the items of an array.
        text: What a text control holds.
        present: Whether the member is there; an optional one may be added and removed.
        nullable: Whether null may be chosen instead of a value.
        is_null: Whether it is.
        multiline: Whether a text control has several lines.
        input_mode: Which keyboard a phone shows.
        widget: What the task type asks to show it with; ``hidden`` shows nothing.
        value: What a widget starts from; of fields without one it is not kept.
        may_grow: Whether an array takes one more item.
        may_shrink: Whether it does with one less.
    """

    kind: Kind
    pointer: str
    label: str | None = None
    description: str = ""
    required: bool = True
    present: bool = True
    nullable: bool = False
    is_null: bool = False
    text: str = ""
    multiline: bool = False
    input_mode: str = "text"
    longest: int | None = None
    widget: str = ""
    value: Any = ABSENT
    choices: Sequence[Choice] = ()
    children: Sequence[Field] = ()
    may_grow: bool = False
    may_shrink: bool = False
    issues: Sequence[Issue] = ()

    @property
    def name(self) -> str:
        """The name of its control."""
        return control_name(self.pointer)

    @property
    def id(self) -> str:
        """The id of its control, for labels and for links from the error summary."""
        return self.name.replace("~", "~~").replace(" ", "~s")

    @property
    def value_json(self) -> str:
        """The value as JSON; "" when there is none."""
        return "" if self.value is ABSENT else jsontext.dumps(self.value)

    @property
    def all_issues(self) -> Sequence[Issue]:
        """The issues of this field and of everything inside it."""
        return [*self.issues, *(issue for child in self.children for issue in child.all_issues)]


def filled(shown: Any) -> Any:
    """Return a value with null for what is not filled in yet."""
    if shown is ABSENT:
        return None
    if isinstance(shown, Mapping):
        return {name: filled(member) for name, member in shown.items()}
    return [filled(item) for item in shown] if isinstance(shown, list) else shown


def control_name(pointer: str) -> str:
    """Return the name of the control for a place."""
    return _PREFIX + pointer


@attrs.frozen(kw_only=True)
class Place:
    """What the schema says about one place, brought into one form."""

    kind: Kind
    nullable: bool = False
    schema: Schema = attrs.field(factory=dict)
    values: Sequence[tuple[Any, str]] = ()
    """What may be chosen: values and their labels."""

    def member(self, name: str) -> Any:
        """Return the schema of a member."""
        return self.schema["properties"][name]

    @property
    def names(self) -> Sequence[str]:
        """The members, in the order of the schema."""
        return list(self.schema.get("properties", {}))

    def requires(self, name: str) -> bool:
        """Return whether a member must be there."""
        return name in self.schema.get("required", ())

    @property
    def type(self) -> str:
        """The one type besides null."""
        return _types(self.schema)[0]

    @property
    def takes_empty_text(self) -> bool:
        """Whether ``""`` is a value here."""
        return self.kind == "text" and self.schema.get("minLength", 0) == 0


_JSON_BOX = Place(kind="json")


def place_of(schema: Any, root: Schema, language: str = "en", inside: tuple[str, ...] = ()) -> tuple[Place, Any]:
    """Return what a schema says, and the schema with its references followed.

    Args:
        schema: Of the place.
        root: The whole document, where references lead.
        language: Of labels.
        inside: The references that lead to this place; one that comes again ends in a JSON box.
    """
    resolved, _ = follow(schema, root, inside)
    if not isinstance(resolved, Mapping):
        return _JSON_BOX, resolved
    values = _values(resolved, language)
    if _UNSUPPORTED & resolved.keys() and not _is_open_list(resolved):
        return _JSON_BOX, resolved
    types = _types(resolved)
    nullable = "null" in _stated_types(resolved) or any(value is None for value, _ in values)
    if values:
        offered = [(value, label) for value, label in values if value is not None]
        return Place(kind="choice", nullable=nullable, schema=resolved, values=offered), resolved
    if "oneOf" in resolved or len(types) != 1:
        return _JSON_BOX, resolved
    return _typed(types[0], resolved, root, language, nullable, inside), resolved


def follow(schema: Any, root: Schema, inside: tuple[str, ...]) -> tuple[Any, tuple[str, ...]]:
    """Return the schema behind its references and which these were; None when they go in a circle."""
    trail = inside
    while isinstance(schema, Mapping) and "$ref" in schema:
        reference = str(schema["$ref"])
        if reference in trail or len(trail) > _MOST_REFERENCES:
            return None, trail
        trail = (*trail, reference)
        beside = {name: value for name, value in schema.items() if name != "$ref"}
        target = _target(reference, root)
        schema = {**target, **beside} if isinstance(target, Mapping) else None
    return _offering(schema), trail


def _offering(schema: Any) -> Any:
    """Return a schema that lists its choices under ``else`` as one that lists them always.

    The condition lets other spellings of the choices pass, which no form sends.
    """
    if not isinstance(schema, Mapping) or "then" in schema:
        return schema
    otherwise = schema.get("else")
    if "if" not in schema or not isinstance(otherwise, Mapping) or "enum" not in otherwise:
        return schema
    return {**{name: value for name, value in schema.items() if name not in ("if", "else")}, **otherwise}


def _target(reference: str, root: Any) -> Any:
    node = root
    for token in reference.removeprefix("#").split("/")[1:]:
        name = token.replace("~1", "/").replace("~0", "~")
        node = node.get(name) if isinstance(node, Mapping) else None
    return node


def _typed(kind: str, schema: Schema, root: Schema, language: str, nullable: bool, inside: tuple[str, ...]) -> Place:
    if kind == "object":
        closed = schema.get("additionalProperties") is False and schema.get("properties")
        return Place(kind="object", nullable=nullable, schema=schema) if closed else _JSON_BOX
    if kind == "array":
        return _array(schema, root, language, nullable, inside)
    if kind == "boolean":
        both = [(True, "예" if language == "ko" else "Yes"), (False, "아니요" if language == "ko" else "No")]
        return Place(kind="choice", nullable=nullable, schema=schema, values=both)
    if kind in ("integer", "number"):
        return Place(kind="number", nullable=nullable, schema=schema)
    return Place(kind="text", nullable=nullable, schema=schema) if kind == "string" else _JSON_BOX


def _array(schema: Schema, root: Schema, language: str, nullable: bool, inside: tuple[str, ...]) -> Place:
    items, _ = follow(schema.get("items"), root, inside)
    if not isinstance(items, Mapping):
        return _JSON_BOX
    values = _values(items, language)
    if schema.get("uniqueItems") and values:
        return Place(kind="choices", nullable=nullable, schema=schema, values=values)
    return Place(kind="array", nullable=nullable, schema=schema)


def _values(schema: Schema, language: str) -> list[tuple[Any, str]]:
    """Return the values a schema lists, each with its label; none when it does not list them."""
    if "const" in schema:
        return [(schema["const"], _label(schema, language) or _shown(schema["const"]))]
    if "enum" in schema:
        return [(value, _shown(value)) for value in schema["enum"]]
    if _is_open_list(schema):
        return [(value, _shown(value)) for value in schema["else"]["enum"]]
    branches = schema.get("oneOf", ())
    if branches and all(isinstance(branch, Mapping) and "const" in branch for branch in branches):
        return [(branch["const"], _label(branch, language) or _shown(branch["const"])) for branch in branches]
    return []


def _is_open_list(schema: Schema) -> bool:
    """Return whether a schema lists values and lets other spellings of them pass."""
    otherwise = schema.get("else")
    known = {"type", "if", "else", "title", "description"}
    named = {name for name in schema if not name.startswith("x-")}
    return named <= known and isinstance(otherwise, Mapping) and list(otherwise) == ["enum"]


def _label(schema: Schema, language: str) -> str:
    return str(schema.get(f"x-title-{language}") or schema.get("title") or "")


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else jsontext.dumps(value)


def _stated_types(schema: Schema) -> Sequence[str]:
    stated = schema.get("type", ())
    return (stated,) if isinstance(stated, str) else stated


def _types(schema: Schema) -> list[str]:
    return [name for name in _stated_types(schema) if name != "null"]
