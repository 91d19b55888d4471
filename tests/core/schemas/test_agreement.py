"""The two engines agree: on every value either both accept it or both refuse it."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workersai_core import jsontext
from workersai_core.errors import InvalidInput
from workersai_core.schemas import FORMATS, compile_narrowed
from workersai_core.schemas.engines import fast_engine, reference

NUMBERS = st.one_of(
    st.integers(-5, 5),
    st.integers(-(2**63), 2**63 - 1),
    st.sampled_from([0, -0.0, 1.0, 2.0, 2.5, 1e300, -1e-300, 2**53, 2**53 + 1, float(2**53), 0.1, 0.3, True, False]),
    st.floats(allow_nan=False, allow_infinity=False),
)
TEXTS = st.one_of(
    st.sampled_from(["", "a", "b", "ab", "aab", "é", "가나", "😀", "a\n", "٣", "3", "2030-01-31", "http://a.kr/b c"]),
    st.text(max_size=4).filter(lambda text: "\x00" not in text),
)
NAMES = st.sampled_from(["a", "b", "c", "a/b"])
LEAVES = st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.lists(inner, max_size=3).map(tuple), st.dictionaries(NAMES, inner, max_size=3)
    ),
    max_leaves=8,
)
STEPS = st.sampled_from([1, 2, 0.5, 0.1, 0.01, 3, 1e-7, 2.5])
COUNTS = st.integers(0, 4)
TYPES = st.sampled_from(["string", "integer", "number", "boolean", "null", "array", "object"])
PATTERNS = st.sampled_from(["^a", "a$", r"^\d+$", r"^\w*$", r"\s", "^.$", "[^a]", r"^\p{L}+$", "a{2}", "^(a|b)*$"])


def keyword(name, values):
    return values.map(lambda value: {name: value})


def schemas(inner):
    return st.one_of(
        keyword("items", inner),
        st.fixed_dictionaries({"prefixItems": st.lists(inner, min_size=1, max_size=2), "items": st.just(False)}),
        keyword("contains", inner),
        st.fixed_dictionaries({"contains": inner, "minContains": COUNTS, "maxContains": COUNTS}),
        keyword("not", inner),
        *(keyword(name, st.lists(inner, min_size=1, max_size=3)) for name in ("allOf", "anyOf", "oneOf")),
        st.fixed_dictionaries({"if": inner, "then": inner, "else": inner}),
        keyword("properties", st.dictionaries(NAMES, inner, min_size=1, max_size=3)),
        keyword("additionalProperties", inner),
        keyword("propertyNames", inner),
        keyword("dependentSchemas", st.dictionaries(NAMES, inner, max_size=2)),
        st.fixed_dictionaries(
            {
                "properties": st.dictionaries(NAMES, inner, min_size=1, max_size=2),
                "additionalProperties": st.just(False),
            }
        ),
        st.fixed_dictionaries(
            {
                "allOf": st.lists(
                    keyword("properties", st.dictionaries(NAMES, inner, max_size=2)), min_size=1, max_size=2
                ),
                "unevaluatedProperties": st.just(False),
            }
        ),
        st.fixed_dictionaries(
            {"prefixItems": st.lists(inner, min_size=1, max_size=2), "unevaluatedItems": st.just(False)}
        ),
    )


SIMPLE = st.one_of(
    st.booleans(),
    keyword("type", st.one_of(TYPES, st.lists(TYPES, min_size=1, max_size=3, unique=True))),
    keyword("enum", st.lists(VALUES, min_size=1, max_size=3)),
    keyword("const", VALUES),
    *(
        keyword(name, NUMBERS.filter(lambda number: not isinstance(number, bool)))
        for name in ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")
    ),
    keyword("multipleOf", STEPS),
    *(
        keyword(name, COUNTS)
        for name in ("minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties")
    ),
    keyword("uniqueItems", st.booleans()),
    keyword("required", st.lists(NAMES, max_size=2, unique=True)),
    keyword("dependentRequired", st.dictionaries(NAMES, st.lists(NAMES, max_size=2, unique=True), max_size=2)),
    keyword("pattern", PATTERNS),
    keyword("format", st.sampled_from(sorted(FORMATS))),
)
SCHEMAS = st.recursive(SIMPLE, schemas, max_leaves=5)


def as_json(value):
    return jsontext.loads(jsontext.dumps(value))


@settings(max_examples=600, deadline=None, derandomize=True, database=None)
@given(SCHEMAS, st.lists(VALUES, min_size=1, max_size=5))
def test_both_engines_accept_the_same_values(schema, values):
    schema = as_json(schema)
    fast, slow = fast_engine(schema), reference(schema)
    for value in values:
        try:
            jsontext.check(value)
        except InvalidInput:
            continue
        errors = [error.message for error in slow.iter_errors(value)]
        assert fast.is_valid(value) == (errors == []), (schema, value, errors)


@settings(max_examples=300, deadline=None, derandomize=True, database=None)
@given(SCHEMAS, VALUES)
def test_what_is_refused_has_issues_within_the_value(schema, value):
    compiled = compile_narrowed(as_json(schema))
    issues = compiled.issues(value)

    assert compiled.accepts(value) == (issues == [])
    for issue in issues:
        assert issue.message.endswith((".", "?"))
        assert issue.pointer == "" or issue.pointer.startswith("/")


@pytest.mark.parametrize(
    ("schema", "valid", "invalid"),
    [
        ({"type": "integer"}, [1, 1.0, -0.0, 2**62], [1.5, True, "1", 1e-9]),
        ({"multipleOf": 0.01}, [0.07, 19.99, 1], [0.005]),
        ({"pattern": "^a$"}, ["a", 1], ["a\n", "b"]),
        ({"pattern": r"^\d$"}, ["3"], ["٣"]),
        ({"uniqueItems": True}, [[1, True], [[1], [True]], (1, 2)], [[1, 1.0], [{"a": 1}, {"a": 1.0}], (1, 1)]),
        ({"enum": [1, [1]]}, [1.0, [1.0], (1,)], [True, [True]]),
        ({"maxLength": 2}, ["😀😀"], ["abc"]),
        ({"format": "date"}, ["2032-02-29"], ["2031-02-29", "2032-2-29"]),
    ],
)
def test_both_engines_know_the_hard_cases(schema, valid, invalid):
    for value in valid:
        assert fast_engine(schema).is_valid(value)
        assert [] == list(reference(schema).iter_errors(value))
    for value in invalid:
        assert not fast_engine(schema).is_valid(value)
        assert [] != list(reference(schema).iter_errors(value))


# --- what must not take long -----------------------------------------------------------------------------


def took(operation):
    """Return how long an operation takes that was done before, so that everything is imported."""
    operation()
    started = time.perf_counter()
    operation()
    return time.perf_counter() - started


def test_redos_a_pattern_that_backtracks_elsewhere_is_linear_in_both_engines():
    compiled = compile_narrowed({"pattern": "^(a+)+$"})

    assert took(lambda: compiled.issues("a" * 5000 + "b")) < 1
    assert [] != compiled.issues("a" * 5000 + "b")


def test_unique_items_of_many_objects_are_compared_in_linear_time():
    compiled = compile_narrowed({"uniqueItems": True, "items": {"type": "object"}})
    many = [{"n": n, "m": {"k": [n]}} for n in range(4000)]

    assert took(lambda: compiled.issues([*many, "wrong"])) < 2
    assert [] == compiled.issues(many)
