"""A schema made ready for checking values, once."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import jsonschema_rs

from workersai_core import jsontext
from workersai_core.errors import Issue, SchemaError
from workersai_core.jsontext import shorten
from workersai_core.schemas.engines import fast_engine, reference
from workersai_core.schemas.explain import explain
from workersai_core.schemas.lint import problems

__all__ = ["CompiledSchema", "compile_narrowed", "compile_schema"]

_KEPT = 256
_KEPT_CHARACTERS = 16_384
"""A longer schema is compiled each time: it takes microseconds, and many would take much memory."""


class CompiledSchema:
    """A schema ready for checking values. Made by `compile_schema` or `compile_narrowed`.

    Attributes:
        text: The schema as JSON text.
        accepts: Whether a value is valid, by the fast engine alone.
    """

    __slots__ = ("accepts", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self.accepts = fast_engine(text).is_valid

    @property
    def schema(self) -> Any:
        """The schema, a new copy each time."""
        return jsontext.loads(self.text)

    def issues(self, value: Any) -> list[Issue]:
        """Return what is wrong with a JSON value, at most 32 issues; none when it is valid."""
        if self.accepts(value):
            return []
        return explain(reference(self.schema).iter_errors(value))


def compile_schema(schema: Any, what: str = "The schema") -> CompiledSchema:
    """Return a schema ready for use, after the lint; equal schemas are linted and compiled once.

    Args:
        schema: A JSON Schema.
        what: What the error calls it.

    Raises:
        SchemaError: it breaks a rule; pointers go into the schema.
    """
    text = _text(schema, what)
    issues = _linted(text)
    if issues:
        raise SchemaError(f"{what} breaks a rule.", issues=issues)
    return _compiled(text, what)


def compile_narrowed(schema: Any, what: str = "The narrowed schema") -> CompiledSchema:
    """Return a schema that a type narrowed to one task, ready for use.

    PERF: each task may have its own, so this takes microseconds: the engine
    checks that it is a schema and refers to nothing outside, and the lint is
    left to the conformance laws.

    Args:
        schema: A JSON Schema.
        what: What the error calls it.

    Raises:
        SchemaError: it cannot be compiled.
    """
    return _compiled(_text(schema, what), what)


def _text(schema: Any, what: str) -> str:
    try:
        return jsontext.dumps(schema)
    except TypeError as error:
        raise SchemaError(f"{what} is no JSON: {error}.") from error


def _compiled(text: str, what: str) -> CompiledSchema:
    try:
        return _remembered(text) if len(text) <= _KEPT_CHARACTERS else CompiledSchema(text)
    except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError) as error:
        raise SchemaError(f"{what} cannot be compiled: {shorten(error.message, 200)}") from error


_remembered = lru_cache(maxsize=_KEPT)(CompiledSchema)


@lru_cache(maxsize=_KEPT)
def _linted(text: str) -> tuple[Issue, ...]:
    return tuple(problems(jsontext.loads(text)))
