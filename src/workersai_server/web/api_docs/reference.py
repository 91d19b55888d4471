"""What the page shows of operations, task types and errors."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import attrs

from workersai_core import Engine, WorkersAIError, jsontext
from workersai_core.api import TaskType
from workersai_server import messages
from workersai_server.amounts import from_micros
from workersai_server.openapi import OPERATIONS, Operation
from workersai_server.openapi.document import error_kinds
from workersai_server.settings import Settings
from workersai_server.web.api_docs.samples import Samples, samples_of
from workersai_server.web.translations import Language, gettext

__all__ = ["Code", "Entry", "Member", "TypeEntry", "codes", "entries", "prose", "types"]

_MOST_LISTED = 12


@attrs.frozen(kw_only=True)
class Member:
    """One member of a JSON object."""

    name: str
    kind: str
    required: bool
    description: str


@attrs.frozen(kw_only=True)
class Entry:
    """One operation."""

    operation: Operation
    title: str
    members: Sequence[Member]
    samples: Samples

    @property
    def anchor(self) -> str:
        """Where it stands on the page."""
        return self.operation.id


@attrs.frozen(kw_only=True)
class TypeEntry:
    """One task type."""

    task_type: TaskType
    params: Sequence[Member]
    response: Sequence[Member]
    examples: Sequence[tuple[str, str]]
    price: str

    @property
    def anchor(self) -> str:
        """Where it stands on the page."""
        return f"type-{self.task_type.name}"


@attrs.frozen(kw_only=True)
class Code:
    """One error code."""

    code: str
    status: int
    title: str
    text: str

    @property
    def anchor(self) -> str:
        """Where it stands on the page; problem documents link to it."""
        return f"error-{self.code}"


def entries(url: str, language: Language) -> Mapping[str, Sequence[Entry]]:
    """Return the operations by tag, in order."""
    found: dict[str, list[Entry]] = {}
    for operation in OPERATIONS:
        entry = Entry(
            operation=operation,
            title=operation.summary_ko if language == "ko" else operation.summary,
            members=[
                attrs.evolve(each, description=gettext(language, each.description))
                for each in _members(operation.body or {}, language)
            ],
            samples=samples_of(operation, url),
        )
        found.setdefault(operation.tag, []).append(entry)
    return found


def prose() -> Iterator[str]:
    """Yield what is said about the operations in English, to be translated by the page."""
    for operation in OPERATIONS:
        yield operation.description
        yield from (parameter.description for parameter in operation.parameters)
        yield from (member.description for member in _members(operation.body or {}, "en"))


def types(engine: Engine, settings: Settings, language: Language) -> Sequence[TypeEntry]:
    """Return the registered task types."""
    return [
        TypeEntry(
            task_type=each,
            params=list(_members(each.params_schema, language)),
            response=list(_members(each.response_schema, language)),
            examples=[(_pretty(params), _pretty(response)) for params, response in each.examples],
            price=from_micros(settings.price_of(each.name)),
        )
        for each in engine.types
    ]


def codes(language: Language) -> Sequence[Code]:
    """Return every error code an answer may carry, in order."""
    kinds = {kind.code: kind for kind in error_kinds()}
    return [
        Code(
            code=code,
            status=kind.status_hint,
            title=messages.title_of(code, language),
            text=messages.detail_of(kind(), language) if language == "ko" else _sentence(kind),
        )
        for code, kind in sorted(kinds.items())
        if code not in _START_UP
    ]


_START_UP = frozenset({"plugin_invalid", "schema_invalid", "setting_invalid"})
"""The codes of errors that no answer carries: they end the start."""


def _sentence(kind: type[WorkersAIError]) -> str:
    return inspect.cleandoc(kind.__doc__ or "").split("\n\n")[0].replace("\n", " ")


def _members(schema: Mapping[str, Any], language: Language, prefix: str = "") -> Iterator[Member]:
    required = schema.get("required", ())
    for name, member in schema.get("properties", {}).items():
        if not isinstance(member, Mapping):
            continue
        yield Member(
            name=prefix + name,
            kind=_kind(member),
            required=name in required,
            description=str(member.get(f"x-description-{language}") or member.get("description", "")),
        )
        yield from _members(member, language, f"{prefix}{name}.")
        items = member.get("items")
        if isinstance(items, Mapping):
            yield from _members(items, language, f"{prefix}{name}[].")


def _kind(schema: Mapping[str, Any]) -> str:
    if "const" in schema:
        return jsontext.dumps(schema["const"])
    if "enum" in schema:
        shown = [jsontext.dumps(each) for each in schema["enum"][:_MOST_LISTED]]
        return " | ".join(shown) + (" | …" if len(schema["enum"]) > _MOST_LISTED else "")
    stated = schema.get("type", "any")
    return stated if isinstance(stated, str) else " | ".join(stated)


def _pretty(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)
