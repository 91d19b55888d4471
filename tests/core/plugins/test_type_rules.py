"""What a task type must be like: each rule, broken by a type like `Pick`."""

from __future__ import annotations

import pytest

from support.plugins import Registers, error_of, load, pick_named, report_of
from support.task_types import Pick
from workersai_core.api import Issue, TaskType

PARAMS = Pick.params_schema
RESPONSE = Pick.response_schema


def error_with(**members):
    """Return why a type like `Pick` with these members is refused."""
    return error_of(Registers(pick_named("mine", **members)))


# --- attributes ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["Pick", "p", "1pick", "my-type", "my type", "", "x" * 42, 7, None])
def test_a_name_is_a_slug(name):
    error = error_of(Registers(pick_named(name)))

    assert error.startswith(f"Other.name is {name!r}"[:50])
    assert "a name is like my_type" in error


def test_a_type_without_a_name_is_refused():
    class Nameless(TaskType):
        pass

    assert "Nameless.name is None" in error_of(Registers(Nameless()))


@pytest.mark.parametrize(
    ("members", "told"),
    [
        ({"params_schema": True}, "params_schema is a JSON Schema, a dict."),
        ({"response_schema": None}, "response_schema is a JSON Schema, a dict."),
        ({"aliases": "other"}, "aliases is a tuple of names like my_type."),
        ({"aliases": ("Other",)}, "aliases is a tuple of names like my_type."),
        ({"aliases": (1,)}, "aliases is a tuple of names like my_type."),
        ({"version": 0}, "version is a whole number from 1."),
        ({"version": "1"}, "version is a whole number from 1."),
        ({"version": True}, "version is a whole number from 1."),
        ({"summary": " "}, "summary is one sentence for documentation and menus."),
        ({"summary": None}, "summary is one sentence for documentation and menus."),
        ({"ui": ["/choice"]}, "ui is a dict of hints for the form."),
        ({"examples": ()}, "examples holds at least one pair (params, response)."),
        ({"examples": ({"options": ["a"]},)}, "example 0 is no pair (params, response)."),
        ({"examples": (({}, {}, {}),)}, "example 0 is no pair (params, response)."),
    ],
)
def test_an_attribute_that_breaks_its_rule_is_named(members, told):
    assert f"The task type mine: {told}" == error_with(**members)


def test_a_type_that_lacks_its_schemas_is_refused():
    class Bare(TaskType):
        name = "bare"

    assert "The task type bare: params_schema is a JSON Schema, a dict." == error_of(Registers(Bare()))


@pytest.mark.parametrize("method", ["check_params", "aggregate", "response_schema_for", "mock_response"])
def test_an_async_method_is_refused(method):
    async def awaited(self, *_):
        return None

    assert f"The task type mine: {method} is async; task types are pure functions, so write def instead." == error_with(
        **{method: awaited}
    )


# --- schemas -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("schema", "place"),
    [
        ({**PARAMS, "additionalProperties": True}, "(whole document): Objects are closed"),
        ({**PARAMS, "required": "options"}, "/required: This must be an array"),
        ({**PARAMS, "properties": {"options": {"type": "array"}}}, "/properties/options: The property options has no"),
        ({**PARAMS, "requird": []}, "/requird: There is no keyword requird; did you mean required?"),
    ],
)
def test_a_bad_params_schema_is_refused_with_the_place(schema, place):
    error = error_with(params_schema=schema)

    assert error.startswith("params_schema breaks a rule.")
    assert place in error


def test_params_are_an_object():
    assert 'params_schema has "type": "object" at its root.' in error_with(params_schema={"type": "array"})


@pytest.mark.parametrize("reference", ["https://example.com/schema.json", "file:///etc/passwd"])
def test_a_remote_reference_is_refused_and_not_fetched(reference):
    schema = {**RESPONSE, "properties": {"choice": {"$ref": reference, "description": "It."}}}

    assert f"/properties/choice/$ref: A reference goes to #/$defs/NAME of the same schema, not to {reference}." in (
        error_with(response_schema=schema)
    )


def test_a_catastrophic_pattern_is_refused():
    schema = {**RESPONSE, "properties": {"choice": {"type": "string", "pattern": "^(a+)+$", "description": "It."}}}

    assert "The pattern ^(a+)+$ is refused: (a+)+ repeats a repetition" in error_with(response_schema=schema)


def test_a_response_schema_that_accepts_nothing_answered_is_refused():
    schema = {key: value for key, value in RESPONSE.items() if key != "required"}

    assert "The task type mine: response_schema accepts {}; require a property." == error_with(response_schema=schema)


# --- examples ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("example", "place"),
    [
        (({}, {"choice": "a"}), "/params/options: options is missing."),
        (({"options": ["a"]}, {}), "/response/choice: choice is missing."),
        (({"options": ["a"]}, {"choice": "b"}), "/response/choice: Not one of the options."),
        (({"options": {1, 2}}, {"choice": "a"}), "/params/options: Not a JSON value: set."),
        (({"options": ["a"]}, {"choice": object}), "/response/choice: Not a JSON value: type."),
    ],
)
def test_an_example_that_does_not_validate_is_refused_with_the_place(example, place):
    error = error_with(examples=(Pick.examples[0], example))

    assert error.startswith("The task type mine: example 1 does not validate.")
    assert place in error


def test_an_example_that_the_type_itself_refuses_is_refused():
    def check_params(self, params):
        yield Issue("/options", "Too few.", "too_few")

    assert "/params/options: Too few." in error_with(check_params=check_params)


def test_an_example_is_held_to_the_schema_for_its_params():
    def response_schema_for(self, params):
        return {**RESPONSE, "properties": {"choice": {"enum": ["z"], "description": "It."}}}

    assert "/response/choice: One of z; this is a." in error_with(response_schema_for=response_schema_for)


def test_a_schema_that_was_narrowed_against_the_rules_is_refused():
    def response_schema_for(self, params):
        return {"type": "object", "required": ["choice"]}

    error = error_with(response_schema_for=response_schema_for)
    assert "response_schema_for breaks a rule. [(whole document): Objects are closed" in error


def test_a_type_that_raises_on_its_example_is_listed_with_what_it_raised():
    def check_response(self, params, response):
        return [1 / 0]

    assert "ZeroDivisionError: division by zero" == error_with(check_response=check_response)


def test_a_type_that_yields_no_issues_is_listed():
    def check_params(self, params):
        yield "wrong"

    assert "TypeError: check_params yields Issues, not 'wrong'" == error_with(check_params=check_params)


# --- what is fine --------------------------------------------------------------------------------------


def test_examples_may_be_lists_of_lists():
    assert "ok" == report_of(Registers(pick_named("mine", examples=[list(Pick.examples[0])]))).state


def test_an_alias_finds_the_type():
    types = load(Registers(Pick())).types

    assert "pick" == types.require("choose").name
    assert types.get("choose") is None
