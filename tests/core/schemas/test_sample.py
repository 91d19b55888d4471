from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workersai_core.api import Issue, TaskType
from workersai_core.errors import SchemaError
from workersai_core.schemas import FORMATS, compile_narrowed, sample

SUBSET = [
    True,
    {},
    {"const": {"a": 1}},
    {"default": "x"},
    {"enum": ["a", "b"]},
    {"examples": ["Seoul"], "pattern": "^[A-Z]"},
    {"type": "null"},
    {"type": "boolean"},
    {"type": "string"},
    {"type": "string", "minLength": 40, "maxLength": 41},
    {"type": "string", "maxLength": 2},
    {"type": "string", "maxLength": 0},
    {"type": "integer"},
    {"type": "integer", "minimum": 3, "maximum": 3},
    {"type": "integer", "exclusiveMinimum": 3, "exclusiveMaximum": 5},
    {"type": "integer", "minimum": -7, "multipleOf": 5},
    {"type": "integer", "maximum": -1000},
    {"type": "number", "minimum": 0, "maximum": 1},
    {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 0.01},
    {"type": "number", "multipleOf": 0.25},
    {"type": ["string", "null"]},
    {"type": "array", "items": {"type": "integer"}},
    {"type": "array", "minItems": 3, "maxItems": 3, "items": {"enum": [1, 2, 3]}, "uniqueItems": True},
    {"type": "array", "maxItems": 0},
    {"type": "array", "prefixItems": [{"type": "string"}, {"type": "null"}], "items": False, "minItems": 2},
    {
        "type": "object",
        "additionalProperties": False,
        "required": ["a", "never mind"],
        "properties": {"a": {"type": "string"}, "b": {"type": "integer"}, "c": False, "never mind": True},
    },
    {"properties": {"a": {"const": 1}}, "required": ["a"]},
    {"type": "object", "additionalProperties": {"type": "string"}},
    {"anyOf": [{"type": "string"}, {"type": "integer", "minimum": 1}]},
    {"oneOf": [{"type": "string"}, {"type": "object", "properties": {"a": {"type": "null"}}, "required": ["a"]}]},
    {"type": "integer", "allOf": [{"minimum": 5}, {"maximum": 9}, True]},
    {
        "$defs": {"shape": {"type": "object", "required": ["n"], "properties": {"n": {"type": "integer"}}}},
        "allOf": [{"$ref": "#/$defs/shape"}],
        "required": ["m"],
        "properties": {"m": {"type": "boolean"}},
    },
    {
        "$defs": {
            "a/b": {
                "type": "object",
                "properties": {"child": {"$ref": "#/$defs/a~1b"}, "name": {"type": "string"}},
                "required": ["name"],
            }
        },
        "$ref": "#/$defs/a~1b",
    },
    {"$defs": {"any": True}, "$ref": "#/$defs/any"},
    {"type": "object", "properties": {"a": {"type": "integer"}}, "minProperties": 1},
    *({"type": "string", "format": name} for name in sorted(FORMATS)),
]


@settings(max_examples=20, deadline=None, derandomize=True, database=None)
@given(seed=st.integers(0, 2**32))
@pytest.mark.parametrize("schema", SUBSET, ids=str)
def test_a_made_up_value_is_valid_and_the_same_for_the_same_seed(schema, seed):
    value = sample(schema, random.Random(seed))

    assert [] == compile_narrowed(schema).issues(value)
    assert value == sample(schema, random.Random(seed))


@pytest.mark.parametrize(
    "schema",
    [
        False,
        {"type": "string", "pattern": "^[0-9]{4}$"},
        {"type": "string", "minLength": 3, "maxLength": 2},
        {"not": {}},
        {"type": "array", "items": {"const": 1}, "minItems": 2, "uniqueItems": True},
        {
            "$defs": {"n": {"type": "object", "required": ["n"], "properties": {"n": {"$ref": "#/$defs/n"}}}},
            "$ref": "#/$defs/n",
        },
        {"$defs": {"n": {"allOf": [{"$ref": "#/$defs/n"}]}}, "$ref": "#/$defs/n"},
        {"type": "integer", "minimum": 1, "maximum": 4, "multipleOf": 5},
    ],
    ids=str,
)
def test_a_schema_outside_the_subset_is_said_to_be(schema):
    with pytest.raises(SchemaError, match=r"mock_response|examples"):
        sample(schema, random.Random(1))


# --- the default mock of a task type ---------------------------------------------------------------------


class Tagged(TaskType):
    name = "tagged"
    summary = "Choose a tag."
    params_schema = {
        "type": "object",
        "additionalProperties": False,
        "properties": {"tags": {"type": "array", "description": "The tags.", "items": {"type": "string"}}},
    }
    response_schema = {
        "type": "object",
        "additionalProperties": False,
        "required": ["tag"],
        "properties": {"tag": {"type": "string", "description": "The tag."}},
    }
    examples = (
        ({"tags": ["red", "blue"]}, {"tag": "red"}),
        ({"tags": ["red", "blue"]}, {"tag": "blue"}),
        ({"tags": ["round"]}, {"tag": "round"}),
    )

    def response_schema_for(self, params):
        tag = {**self.response_schema["properties"]["tag"], "enum": params["tags"]}
        return {**self.response_schema, "properties": {"tag": tag}}


def mocks(task_type, params):
    return {task_type.mock_response(params, random.Random(seed))["tag"] for seed in range(40)}


def test_a_mock_is_an_example_that_fits_the_task():
    assert {"red", "blue"} == mocks(Tagged(), {"tags": ["red", "blue", "green"]})
    assert {"round"} == mocks(Tagged(), {"tags": ["round", "square"]})


def test_a_mock_is_made_up_where_no_example_fits():
    assert {"wet", "dry"} == mocks(Tagged(), {"tags": ["wet", "dry"]})


def test_a_mock_also_passes_the_types_own_check():
    class Picky(Tagged):
        def check_response(self, params, response):
            if response["tag"] != params["tags"][-1]:
                yield Issue("/tag", "Only the last one.")

    assert {"dry"} == mocks(Picky(), {"tags": ["wet", "dry"]})
    assert {"blue"} == mocks(Picky(), {"tags": ["red", "blue"]})


def test_a_type_whose_check_refuses_all_that_can_be_made_up_is_told_to_mock():
    class Never(Tagged):
        def check_response(self, params, response):
            yield Issue("/tag", "No.")

    with pytest.raises(SchemaError, match="give the type a mock_response"):
        Never().mock_response({"tags": ["wet"]}, random.Random(1))
