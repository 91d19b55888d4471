"""The strategies: every value validates, and what a schema allows is really drawn."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, assume, find, given, settings
from hypothesis import strategies as st
from hypothesis.errors import NoSuchExample
from jsonschema import Draft202012Validator

from workersai_core import jsontext
from workersai_core.schemas import FORMATS
from workersai_core.schemas.engines import fast_engine
from workersai_core.testing import formats
from workersai_core.testing.strategies import UnsupportedSchema, from_schema, junk

NODE = {
    "type": "object",
    "additionalProperties": False,
    "required": ["name"],
    "properties": {
        "name": {"type": "string", "maxLength": 5},
        "children": {"type": "array", "items": {"$ref": "#/$defs/node"}},
    },
}
SUM = {
    "oneOf": [
        {"type": "integer", "minimum": 0, "maximum": 9},
        {
            "type": "array",
            "prefixItems": [{"$ref": "#/$defs/sum"}, {"const": "+"}, {"$ref": "#/$defs/sum"}],
            "minItems": 3,
            "items": False,
        },
    ]
}
CIRCLE_OR_SQUARE = {
    "type": "object",
    "required": ["kind"],
    "properties": {"kind": {"enum": ["circle", "square"]}},
    "oneOf": [
        {"properties": {"kind": {"const": "circle"}, "radius": {"type": "integer"}}, "required": ["radius"]},
        {"properties": {"kind": {"const": "square"}}},
    ],
    "unevaluatedProperties": False,
}
SCHEMAS = {
    "anything": True,
    "no type": {"minLength": 3, "minimum": 2},
    "bounded integer": {"type": "integer", "minimum": 3, "exclusiveMaximum": 6},
    "even integer": {"type": "integer", "multipleOf": 2},
    "fractional step": {"type": "integer", "multipleOf": 1.5},
    "open number": {"type": "number", "exclusiveMinimum": 0, "maximum": 1},
    "number by quarters": {"type": "number", "multipleOf": 0.25, "minimum": 0, "maximum": 5},
    "one number": {"type": "number", "minimum": 0.5, "maximum": 0.5},
    "number near the limit": {"type": "number", "minimum": 2**63 - 600, "maximum": 2**63 - 1},
    "bounded text": {"type": "string", "minLength": 2, "maxLength": 4},
    "anchored pattern": {"type": "string", "pattern": "^[a-z]{2}(-[A-Z]{2})?$"},
    "pattern that ends in a dollar": {"type": "string", "pattern": r"^[0-9]+\$"},
    "loose pattern": {"type": "string", "pattern": "ab+", "maxLength": 20},
    "short address": {"type": "string", "format": "uri", "maxLength": 30},
    "digits": {"type": "string", "pattern": r"\d\w"},
    "end": {"type": "string", "pattern": "a$"},
    "nullable": {"type": ["string", "null"]},
    "constant": {"const": {"a": [1, 2]}},
    "enum narrowed by type": {"enum": ["a", 1, None], "type": ["string", "null"]},
    "unique items": {"type": "array", "items": {"enum": [0, 1, 2, True, False, "0"]}, "uniqueItems": True},
    "prefix": {"type": "array", "prefixItems": [{"const": 1}, {"type": "string"}], "items": {"type": "null"}},
    "unique prefix": {"type": "array", "prefixItems": [True, True], "items": False, "uniqueItems": True, "minItems": 2},
    "contains": {
        "type": "array",
        "items": {"type": "string"},
        "contains": {"const": "x"},
        "minContains": 2,
        "minItems": 3,
        "maxItems": 4,
    },
    "closed object": {
        "type": "object",
        "additionalProperties": False,
        "required": ["a"],
        "properties": {"a": {"type": "integer"}, "b": {"type": "string"}, "c": False},
    },
    "open object": {"type": "object", "properties": {"a": {"type": "integer"}}},
    "map": {
        "type": "object",
        "propertyNames": {"pattern": "^[a-z]+$"},
        "additionalProperties": {"type": "integer"},
        "minProperties": 1,
        "maxProperties": 3,
    },
    "dependent": {
        "type": "object",
        "properties": {"card": {"type": "boolean"}, "address": {"type": "string"}},
        "additionalProperties": False,
        "dependentRequired": {"card": ["address"]},
    },
    "tree": {"$ref": "#/$defs/node", "$defs": {"node": NODE}},
    "sum": {"$ref": "#/$defs/sum", "$defs": {"sum": SUM}},
    "tagged union": CIRCLE_OR_SQUARE,
    "any of": {"type": "integer", "anyOf": [{"minimum": 100}, {"maximum": -100}]},
    "all of": {
        "allOf": [
            {"type": "object", "required": ["a"], "properties": {"a": {"type": "number", "minimum": 3}}},
            {
                "additionalProperties": False,
                "properties": {"a": {"type": "integer", "maximum": 5}, "b": {"type": "boolean"}},
            },
        ]
    },
    "multiples of both": {"type": "integer", "allOf": [{"multipleOf": 4}, {"multipleOf": 6}]},
    "loop beside a choice": {
        "$ref": "#/$defs/n",
        "$defs": {"n": {"anyOf": [{"type": "integer"}, {"$ref": "#/$defs/n"}]}},
    },
    "reference with limits": {
        "$ref": "#/$defs/size",
        "maximum": 20,
        "$defs": {"size": {"type": "integer", "minimum": 10, "maximum": 99}},
    },
    "condition": {
        "type": "object",
        "additionalProperties": False,
        "required": ["paid"],
        "properties": {"paid": {"type": "boolean"}, "price": {"type": "integer"}},
        "if": {"properties": {"paid": {"const": True}}},
        "then": {"required": ["price"]},
    },
    "negation": {"type": ["integer", "boolean"], "not": {"const": 0}},
    **{
        kind: {"type": "string", "format": kind}
        for kind in (
            *("date", "date-time", "duration", "email", "hostname", "ipv4", "ipv6"),
            *("json-pointer", "regex", "time", "uri", "uri-reference", "uuid"),
        )
    },
}


def problems(schema):
    """Return what tells why a value is not valid, by JSON Schema's reference and by the engine's fast validator."""
    Draft202012Validator.check_schema(schema)
    reference = Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)
    fast = fast_engine(schema)

    def of(value):
        found = [error.message for error in reference.iter_errors(value)]
        return found if fast.is_valid(value) else [*found, "the fast engine refuses it"]

    return of


def draws(schema, condition):
    """Return whether one of many drawn values meets a condition."""
    quick = settings(max_examples=250, database=None, derandomize=True, deadline=None)
    try:
        find(from_schema(schema), condition, settings=quick)
    except NoSuchExample:
        return False
    return True


@pytest.mark.parametrize("schema", SCHEMAS.values(), ids=SCHEMAS.keys())
def test_every_value_validates(schema):
    problems_of = problems(schema)

    @settings(max_examples=100, derandomize=True, database=None, deadline=None)
    @given(from_schema(schema))
    def check(value):
        assert [] == problems_of(value)
        jsontext.check(value)
        assert value == json.loads(jsontext.dumps(value))

    check()


@settings(derandomize=True, database=None)
@given(from_schema({"type": "number", "multipleOf": 0.1, "minimum": 0, "maximum": 5}))
def test_decimal_steps_are_those_of_the_service(value):
    """Plain jsonschema says that 3.3 is no multiple of 0.1; the service goes by the decimal digits."""
    assert fast_engine({"multipleOf": 0.1}).is_valid(value)


def plain_schemas():
    """Schemas of the subset, at random; some accept nothing."""
    small = st.integers(0, 4)
    leaves = st.one_of(
        st.booleans(),
        st.fixed_dictionaries({"enum": st.lists(junk(), min_size=1, max_size=3)}),
        st.fixed_dictionaries({"type": st.sampled_from(["integer", "number"])}, optional={
            "minimum": st.integers(-9, 9), "maximum": st.integers(-9, 9), "exclusiveMinimum": st.floats(-9, 9),
            "exclusiveMaximum": st.floats(-9, 9), "multipleOf": st.sampled_from([1, 2, 0.5, 1.5]),
        }),
        st.fixed_dictionaries({"type": st.just("string")}, optional={
            "minLength": small, "maxLength": small, "format": st.sampled_from(["uri", "date"]),
        }),
    )  # fmt: skip

    def larger(inner):
        names = st.sampled_from("abc")
        lists = st.lists(inner, min_size=1, max_size=2)
        return st.one_of(
            st.fixed_dictionaries({"type": st.just("array")}, optional={
                "items": inner, "prefixItems": lists, "minItems": small, "maxItems": small,
                "uniqueItems": st.booleans(), "contains": inner,
            }),
            st.fixed_dictionaries({"type": st.just("object")}, optional={
                "properties": st.dictionaries(names, inner, max_size=3), "additionalProperties": inner,
                "required": st.lists(names, unique=True, max_size=2), "minProperties": small, "maxProperties": small,
                "if": inner, "then": inner, "else": inner,
            }),
            *(st.fixed_dictionaries({keyword: lists}) for keyword in ("allOf", "anyOf", "oneOf")),
            st.fixed_dictionaries({"not": inner}),
        )  # fmt: skip

    return st.recursive(leaves, larger, max_leaves=6)


@settings(
    max_examples=120,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(plain_schemas(), st.data())
def test_values_of_any_schema_of_the_subset_validate(schema, data):
    problems_of = problems(schema)
    try:
        strategy = from_schema(schema)
    except UnsupportedSchema:
        assume(False)
    assert [] == problems_of(data.draw(strategy))


@pytest.mark.parametrize(
    ("schema", "condition"),
    [
        (SCHEMAS["closed object"], lambda value: "b" in value),
        (SCHEMAS["closed object"], lambda value: "b" not in value),
        (SCHEMAS["open object"], lambda value: value.keys() - {"a"}),
        (SCHEMAS["bounded integer"], lambda value: value == 3),
        (SCHEMAS["bounded integer"], lambda value: value == 5),
        ({"type": "integer"}, lambda value: isinstance(value, float)),
        ({"type": "integer"}, lambda value: value > 2**60),
        ({"type": "number"}, lambda value: value != int(value)),
        (SCHEMAS["number by quarters"], lambda value: value != int(value)),
        (SCHEMAS["bounded text"], lambda value: len(value) == 4),
        (SCHEMAS["bounded text"], lambda value: not value.isascii()),
        (SCHEMAS["nullable"], lambda value: value is None),
        (SCHEMAS["nullable"], lambda value: value == ""),
        (SCHEMAS["unique items"], lambda value: value.count(1) == 2),
        (SCHEMAS["prefix"], lambda value: len(value) < 2),
        (SCHEMAS["prefix"], lambda value: len(value) > 2),
        (SCHEMAS["contains"], lambda value: value[0] != "x"),
        (SCHEMAS["tree"], lambda value: any("children" in child for child in value.get("children", ()))),
        (SCHEMAS["sum"], lambda value: isinstance(value, list) and isinstance(value[2], list)),
        (SCHEMAS["tagged union"], lambda value: value["kind"] == "circle"),
        (SCHEMAS["tagged union"], lambda value: value["kind"] == "square"),
        (SCHEMAS["any of"], lambda value: value > 0),
        (SCHEMAS["any of"], lambda value: value < 0),
        (SCHEMAS["all of"], lambda value: value == {"a": 5, "b": True}),
        (SCHEMAS["condition"], lambda value: value["paid"]),
        (SCHEMAS["condition"], lambda value: value == {"paid": False}),
    ],
)
def test_what_a_schema_allows_is_drawn(schema, condition):
    assert draws(schema, condition)


@pytest.mark.parametrize("schema", [SCHEMAS["tree"], SCHEMAS["sum"]])
def test_recursion_ends(schema):
    assert not draws(schema, lambda value: jsontext.dumps(value).count("[") > 60)


@pytest.mark.parametrize(
    ("schema", "pointer", "keyword"),
    [
        ({"type": "object", "properties": {"a/b": {"patternProperties": {}}}}, "/properties/a~1b", "patternProperties"),
        ({"items": {"$ref": "https://example.com/s"}}, "/items", "$ref"),
        ({"items": {"$ref": "#/properties/a"}}, "/items", "$ref"),
        ({"items": {"$ref": "#/$defs/gone"}}, "/items", "$ref"),
        ({"type": "string", "format": "iri"}, "", "format"),
        ({"prefixItems": [{"type": "string", "pattern": r"\p{L}"}]}, "/prefixItems/0", "pattern"),
        ({"allOf": [{"pattern": "a"}, {"pattern": "b"}]}, "", "pattern"),
        ({"allOf": [{"multipleOf": 0.5}, {"multipleOf": 3}]}, "", "multipleOf"),
        ({"allOf": [{"items": True, "prefixItems": [True]}, {"items": {"type": "null"}}]}, "", "prefixItems"),
        ({"type": "integer", "minimum": 3, "maximum": 2}, "", "schema"),
        ({"type": "string", "minLength": 3, "maxLength": 2}, "", "schema"),
        ({"$ref": "#/$defs/loop", "$defs": {"loop": {"$ref": "#/$defs/loop"}}}, "", "schema"),
        (False, "", "schema"),
    ],
)
def test_a_schema_outside_the_subset_is_refused_by_place_and_keyword(schema, pointer, keyword):
    with pytest.raises(UnsupportedSchema) as refused:
        from_schema(schema)
    assert (pointer, keyword) == (refused.value.pointer, refused.value.keyword)
    assert "params_strategy()" in str(refused.value)


@settings(derandomize=True, database=None)
@given(junk())
def test_junk_is_any_json_within_the_limits(value):
    jsontext.check(value)
    assert value == json.loads(jsontext.dumps(value))


@pytest.mark.parametrize("kind", [type(None), bool, int, float, str, list, dict])
def test_junk_has_every_type(kind):
    assert type(find(junk(), lambda value: type(value) is kind)) is kind


def test_values_of_an_enum_are_copies():
    """A type that changes what it was given must not change the schema."""
    schema = {"enum": [{"a": []}]}
    assert not draws(schema, lambda value: value["a"].append(1))
    assert {"enum": [{"a": []}]} == schema


def test_every_format_of_the_service_can_be_drawn():
    assert set(FORMATS) == set(formats.FORMATS)


def test_keywords_that_a_type_invents_change_nothing():
    plain = {"type": "string", "enum": ["a"]}
    schema = {"x-title-ko": "가", **plain, "allOf": [{**plain, "x-title-ko": "나"}]}
    assert "a" == find(from_schema(schema), lambda _: True)
    referred = {"$ref": "#/$defs/a", "x-title-ko": "다", "$defs": {"a": plain}}
    assert "a" == find(from_schema(referred), lambda _: True)
