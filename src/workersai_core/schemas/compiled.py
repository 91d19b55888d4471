"""A schema made ready for checking values, once."""

from __future__ import annotations

from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

from workersai_core import jsontext
from workersai_core.errors import Issue, SchemaError
from workersai_core.schemas.engines import fast_engine, reference
from workersai_core.schemas.explain import explain
from workersai_core.schemas.lint import problems

if TYPE_CHECKING:
    from jsonschema.protocols import Validator

__all__ = ["CompiledSchema", "compile_schema"]

_KEPT = 1024


class CompiledSchema:
    """A schema that passed the lint, ready for checking values.

    Attributes:
        schema: The schema itself; do not change it.
    """

    def __init__(self, schema: Any) -> None:
        self.schema = schema
        self.accepts = fast_engine(schema).is_valid
        """Whether a value is valid, by the fast engine alone."""

    @cached_property
    def _reference(self) -> Validator:
        return reference(self.schema)

    def issues(self, value: Any) -> list[Issue]:
        """Return what is wrong with a JSON value, at most 32 issues; none when it is valid."""
        if self.accepts(value):
            return []
        return explain(self._reference.iter_errors(value))


def compile_schema(schema: Any, what: str = "The schema") -> CompiledSchema:
    """Return a schema ready for use; equal schemas are linted and compiled once.

    Args:
        schema: A JSON Schema; it must not be changed afterwards.
        what: What the error calls it.

    Raises:
        SchemaError: it breaks a rule; pointers go into the schema.
    """
    try:
        text = jsontext.dumps(schema)
    except TypeError as error:
        raise SchemaError(f"{what} is no JSON: {error}.") from error
    found = _compiled(text)
    if isinstance(found, CompiledSchema):
        return found
    raise SchemaError(f"{what} breaks a rule.", issues=found)


@lru_cache(maxsize=_KEPT)
def _compiled(text: str) -> CompiledSchema | tuple[Issue, ...]:
    schema = jsontext.loads(text)
    issues = problems(schema)
    return tuple(issues) if issues else CompiledSchema(schema)
