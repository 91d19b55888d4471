"""The two engines behind a compiled schema, and how they are kept in agreement.

`jsonschema-rs` accepts: it needs less than a microsecond for small values.
`jsonschema` is the reference: it decides about what the other refused, and its
errors are what is explained.

Patterns, formats and `multipleOf` mean what the fast engine says, in both: its
regular expressions are those of ECMA-262 that JSON Schema asks for and take
time linear in the text, where Python's may never end. `uniqueItems` compares
canonical texts in the reference, because its own way is quadratic on objects.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import jsonschema_rs

from workersai_core import jsontext

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError
    from jsonschema.protocols import Validator

__all__ = ["DIALECT", "fast_engine", "reference", "reference_of_schemas"]

DIALECT = "https://json-schema.org/draft/2020-12/schema"
"""The only dialect that a schema may name in `$schema`."""

_KEPT = 256


def fast_engine(schema: Any) -> jsonschema_rs.Validator:
    """Return the fast engine for a schema or its JSON text.

    SECURITY: it fetches nothing, and its regular expressions never backtrack.

    Raises:
        jsonschema_rs.ValidationError: the schema is not valid.
        jsonschema_rs.ReferencingError: it refers to something outside of it.
    """
    return jsonschema_rs.Draft202012Validator(
        schema,
        validate_formats=True,
        ignore_unknown_formats=False,
        pattern_options=jsonschema_rs.RegexOptions(),
        offline=True,
    )


@lru_cache(maxsize=_KEPT)
def _one_keyword(text: str) -> jsonschema_rs.Validator:
    return fast_engine(jsontext.loads(text))


def _as_the_fast_engine(keyword: str) -> Callable[..., Iterator[ValidationError]]:
    """Return the keyword for the reference, decided by the fast engine."""
    from jsonschema.exceptions import ValidationError

    def check(_: Any, limit: Any, instance: Any, __: Any) -> Iterator[ValidationError]:
        if not _one_keyword(jsontext.dumps({keyword: limit})).is_valid(instance):
            yield ValidationError(f"{keyword} does not hold")

    return check


def _properties(validator: Any, schemas: Any, instance: Any, _: Any) -> Iterator[ValidationError]:
    """Check members as the library does, but point at one that is never allowed."""
    from jsonschema.exceptions import ValidationError

    for name, schema in schemas.items() if isinstance(instance, dict) else ():
        if name in instance and schema is False:
            yield ValidationError("properties does not hold", path=(name,))
        elif name in instance:
            yield from validator.descend(instance[name], schema, path=name, schema_path=name)


def _property_names(validator: Any, names: Any, instance: Any, _: Any) -> Iterator[ValidationError]:
    """Check names as the library does, but point at the member whose name is wrong."""
    from jsonschema.exceptions import ValidationError

    for name in instance if isinstance(instance, dict) else ():
        inner = list(validator.descend(name, names))
        if inner:
            yield ValidationError("propertyNames does not hold", path=(name,), context=inner)


def _unique_items(_: Any, wanted: bool, instance: Any, __: Any) -> Iterator[ValidationError]:
    """Compare items by their canonical texts, and point at the first that equals one before it."""
    from jsonschema.exceptions import ValidationError

    seen: set[str] = set()
    for position, item in enumerate(instance) if wanted and isinstance(instance, list | tuple) else ():
        text = jsontext.canonical(item)
        if text in seen:
            yield ValidationError("uniqueItems does not hold", path=(position,), instance=item)
            return
        seen.add(text)


@lru_cache(maxsize=1)
def _reference_class() -> type[Validator]:
    # PERF: only what is wrong needs an explanation, and importing this library takes longer than all of ours.
    from jsonschema import Draft202012Validator, validators

    # Values that a program passes in may hold tuples for arrays; see `jsontext.check`.
    types = Draft202012Validator.TYPE_CHECKER.redefine("array", lambda _, value: isinstance(value, list | tuple))
    own = {keyword: _as_the_fast_engine(keyword) for keyword in ("pattern", "format", "multipleOf")}
    members = {"properties": _properties, "propertyNames": _property_names, "uniqueItems": _unique_items}
    made: type[Validator] = validators.extend(  # type: ignore[no-untyped-call]  # so are its stubs
        Draft202012Validator, {**own, **members}, type_checker=types
    )
    return made


def reference(schema: Any) -> Validator:
    """Return the reference for a schema that the fast engine has compiled."""
    return _reference_class()(schema)


def reference_of_schemas() -> Validator:
    """Return the reference that checks schemas themselves."""
    kind = _reference_class()
    return kind(kind.META_SCHEMA)
