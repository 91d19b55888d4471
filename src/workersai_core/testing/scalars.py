"""Strategies for numbers and texts of a JSON Schema, and for any JSON value."""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

from workersai_core.testing.extra import st
from workersai_core.testing.formats import FORMATS

__all__ = ["UnsupportedSchema", "floats", "integers", "junk", "strings", "texts"]

Strategy = st.SearchStrategy[Any]
Holds = Callable[[Any], bool]

_INT_MIN, _INT_MAX = -(2**63), 2**63 - 1
_EXACT = 2**53
_SMALLEST = sys.float_info.min


class UnsupportedSchema(ValueError):
    """The builder does not know how to draw values of a schema.

    Attributes:
        pointer: JSON Pointer to the part of the schema.
        keyword: The keyword it does not know, or knows but cannot combine.
    """

    def __init__(self, pointer: str, keyword: str, why: str = "is outside the builder's subset") -> None:
        self.pointer = pointer
        self.keyword = keyword
        super().__init__(
            f"{pointer or '(whole schema)'}: {keyword} {why}; "
            "give the task type a params_strategy() or response_strategy(params)."
        )


_ALPHABET = st.characters(codec="utf-8", exclude_characters="\x00")


def texts(min_size: int = 0, max_size: int | None = None) -> st.SearchStrategy[str]:
    """Return texts as the service accepts them: any Unicode but NUL and lone surrogates."""
    return st.text(_ALPHABET, min_size=min_size, max_size=max_size)


_JUNK: Strategy = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(_INT_MIN, _INT_MAX)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts(), inner, max_size=4),
    max_leaves=12,
)


def junk() -> Strategy:
    """Return any JSON value that the service accepts."""
    return _JUNK


def integers(schema: Mapping[str, Any]) -> Strategy:
    """Return the integers of a schema, now and then written as 2.0: JSON Schema counts that as an integer."""
    step = Fraction(str(schema.get("multipleOf", 1))).numerator  # the integers among the multiples of p/q
    low = max(_INT_MIN, math.ceil(schema.get("minimum", _INT_MIN)))
    low = max(low, math.floor(schema.get("exclusiveMinimum", _INT_MIN - 1)) + 1)
    high = min(_INT_MAX, math.floor(schema.get("maximum", _INT_MAX)))
    high = min(high, math.ceil(schema.get("exclusiveMaximum", _INT_MAX + 1)) - 1)
    first, last = -(-low // step), high // step
    if first > last:
        return st.nothing()
    exact_first, exact_last = max(first, -(_EXACT // step)), min(last, _EXACT // step)
    whole = st.integers(first, last).map(lambda n: n * step)
    if exact_first > exact_last:
        return whole
    return st.one_of(whole, st.integers(exact_first, exact_last).map(lambda n: float(n * step)))


def floats(schema: Mapping[str, Any], holds: Holds) -> Strategy:
    """Return the floats of a schema; those so small that arithmetic loses their digits are left out."""
    low = max(_inside(schema, "minimum", math.inf), _inside(schema, "exclusiveMinimum", math.inf))
    high = min(_inside(schema, "maximum", -math.inf), _inside(schema, "exclusiveMaximum", -math.inf))
    if "multipleOf" in schema:
        step = Fraction(str(schema["multipleOf"]))
        first, last = math.ceil(max(low, -_EXACT) / step), math.floor(min(high, _EXACT) / step)
        return st.integers(first, last).map(lambda n: float(n * step)).filter(holds) if first <= last else st.nothing()
    if low > high:
        return st.nothing()
    return st.floats(
        min_value=low if math.isfinite(low) else None,
        max_value=high if math.isfinite(high) else None,
        allow_nan=False,
        allow_infinity=False,
        allow_subnormal=False,
    )


def _inside(schema: Mapping[str, Any], keyword: str, inwards: float) -> float:
    """Return the outermost float that a bound allows; infinite when the schema has no such bound."""
    if keyword not in schema:
        return -inwards
    bound, value = schema[keyword], float(schema[keyword])
    outside = value < bound if inwards > 0 else value > bound
    excluded = keyword.startswith("exclusive") and value == bound
    value = math.nextafter(value, inwards) if outside or excluded else value
    if abs(value) >= _SMALLEST:
        return value
    return math.copysign(_SMALLEST, inwards) if value * inwards > 0 else 0.0


def strings(schema: Mapping[str, Any], where: str, holds: Holds) -> Strategy:
    """Return the texts of a schema.

    Raises:
        UnsupportedSchema: an unknown format, or a pattern that Python cannot read.
    """
    low, high = schema.get("minLength", 0), schema.get("maxLength")
    if high is not None and low > high:
        return st.nothing()
    if "format" in schema:
        if schema["format"] not in FORMATS:
            raise UnsupportedSchema(where, "format", f"{schema['format']} is outside the builder's subset")
        drawn = FORMATS[schema["format"]]
    elif "pattern" in schema:
        drawn = _matching(schema["pattern"], where)
    else:
        return texts(low, high)
    return drawn.filter(holds) if schema.keys() & {"minLength", "maxLength", "pattern"} else drawn


def _matching(pattern: str, where: str) -> st.SearchStrategy[str]:
    anchored = pattern.startswith("^") and re.search(r"(?<!\\)(\\\\)*\$$", pattern) is not None
    try:
        # In the service's patterns, as in ECMA-262, \d and \w are ASCII.
        compiled = re.compile(pattern[1:-1] if anchored else pattern, re.ASCII)
    except re.error as error:
        raise UnsupportedSchema(where, "pattern", f"cannot be read by Python's re ({error})") from None
    return st.from_regex(compiled, fullmatch=anchored, alphabet=_ALPHABET)
