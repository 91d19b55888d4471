from __future__ import annotations

import pytest

from workersai_core.errors import Issue
from workersai_core.schemas import compile_narrowed, compile_schema
from workersai_core.schemas.explain import MAX_ISSUES


def issues(schema, value):
    return compile_narrowed(schema).issues(value)


def only(schema, value):
    (issue,) = issues(schema, value)
    return issue


# --- one text per keyword --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("schema", "value", "code", "message"),
    [
        ({"type": "string"}, 1, "wrong_type", "This must be text; it is the number 1."),
        ({"type": "string"}, True, "wrong_type", "This must be text; it is true."),
        ({"type": "integer"}, 1.5, "wrong_type", "This must be a whole number; it is the number 1.5."),
        ({"type": ["object", "null"]}, "x", "wrong_type", "This must be an object or null; it is the text x."),
        ({"type": "boolean"}, "", "wrong_type", "This must be true or false; it is an empty text."),
        ({"type": "array"}, {}, "wrong_type", "This must be an array; it is an object."),
        ({"type": "number"}, [], "wrong_type", "This must be a number; it is an array."),
        ({"type": "number"}, None, "wrong_type", "This must be a number; it is null."),
        ({"type": "number"}, False, "wrong_type", "This must be a number; it is false."),
        ({"enum": ["big", "small"]}, "bgi", "not_in_list", "One of big, small; this is bgi. Did you mean big?"),
        ({"enum": ["big", 1, None]}, "", "not_in_list", 'One of big, 1, null; this is "".'),
        ({"enum": [1, 2]}, 3, "not_in_list", "One of 1, 2; this is 3."),
        ({"oneOf": [{"const": 1}, {"const": 2, "title": "two"}]}, 3, "not_in_list", "One of 1, 2; this is 3."),
        ({"const": "a"}, "b", "not_in_list", "This must be a; it is b."),
        ({"maxLength": 3}, "abcd", "too_long", "At most 3 characters; these are 4."),
        ({"minLength": 1}, "", "too_short", "At least 1 character; these are 0."),
        ({"minLength": 2}, "a", "too_short", "At least 2 characters; this is 1."),
        ({"pattern": "^a$"}, "b", "pattern", "This must look like ^a$; it is b."),
        ({"format": "uri"}, "x y", "format", "This is no uri: x y."),
        ({"format": "date"}, "", "format", 'This is no date: "".'),
        ({"minimum": 2}, 1, "too_small", "At least 2; this is 1."),
        ({"maximum": 2}, 3, "too_large", "At most 2; this is 3."),
        ({"exclusiveMinimum": 2}, 2, "too_small", "More than 2; this is 2."),
        ({"exclusiveMaximum": 2}, 2.0, "too_large", "Less than 2; this is 2.0."),
        ({"multipleOf": 0.5}, 0.7, "not_a_multiple", "A multiple of 0.5; this is 0.7."),
        ({"minItems": 2}, [1], "too_few_items", "At least 2 items; this is 1."),
        ({"maxItems": 1}, [1, 2], "too_many_items", "At most 1 item; these are 2."),
        ({"minProperties": 1}, {}, "too_few_properties", "At least 1 property; these are 0."),
        ({"maxProperties": 1}, {"a": 1, "b": 1}, "too_many_properties", "At most 1 property; these are 2."),
        ({"contains": {"const": 1}}, [], "missing_item", "None of the items is one that must be there."),
        (
            {"contains": {"const": 1}, "minContains": 2},
            [1],
            "missing_item",
            "At least 2 items of one kind must be here.",
        ),
        (
            {"contains": {"const": 1}, "maxContains": 1},
            [1, 1],
            "too_many_items",
            "At most 1 items of one kind may be here.",
        ),
        ({"prefixItems": [True], "items": False}, [1, 2], "too_many_items", "There are more items than may be here."),
        ({"unevaluatedItems": False}, [1], "too_many_items", "There are more items than may be here."),
        ({"not": {"const": "a"}}, "a", "not_allowed", "This is not allowed: a."),
    ],
)
def test_a_wrong_value_is_told_by_keyword_limit_and_value(schema, value, code, message):
    assert Issue("", message, code) == only(schema, value)


def test_long_values_are_shortened():
    issue = only({"enum": ["a"]}, "x" * 1000)
    assert f"One of a; this is {'x' * 63}…." == issue.message

    many = only({"enum": list(range(100))}, "x")
    assert "One of 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 and 88 more; this is x." == many.message


def test_the_librarys_own_sentences_are_never_used():
    big = {"type": "object", "additionalProperties": False, "properties": {}}
    issue = only(big, {"zz": "x" * 10_000})

    assert len(issue.message) < 100


# --- places ----------------------------------------------------------------------------------------------


def test_a_place_deep_inside_is_a_json_pointer():
    schema = {"properties": {"a/b~c": {"items": {"properties": {"d": {"type": "string"}}}}}}

    assert "/a~1b~0c/1/d" == only(schema, {"a/b~c": [{}, {"d": 1}]}).pointer


def test_required_points_at_each_property_that_is_missing():
    schema = {"properties": {"o": {"required": ["a", "b", "c/d"]}}}

    assert [
        Issue("/o/b", "b is missing.", "required"),
        Issue("/o/c~1d", "c/d is missing.", "required"),
    ] == issues(schema, {"o": {"a": 1}})


def test_a_property_that_another_calls_for_is_pointed_at():
    schema = {"dependentRequired": {"card": ["owner", "until"], "cash": ["coins"]}}

    assert [
        Issue("/until", "until is missing; it goes with card.", "required"),
    ] == issues(schema, {"card": 1, "owner": 2})


def test_an_unknown_property_is_pointed_at_with_what_was_meant():
    schema = {"properties": {"categories": True, "attachment": True}, "additionalProperties": False}

    assert [
        Issue("/catgories", "There is no catgories; did you mean categories?", "unknown_field"),
        Issue("/z", "There is no z; it takes attachment, categories.", "unknown_field"),
    ] == issues(schema, {"catgories": 1, "z": 2, "attachment": 3})
    assert "There is no z." == only({"additionalProperties": False}, {"z": 1}).message


def test_an_unknown_property_of_a_composed_object_is_pointed_at():
    schema = {
        "unevaluatedProperties": False,
        "properties": {"kind": True},
        "allOf": [{"properties": {"a": True}}, True],
        "if": {"properties": {"kind": {"const": 1}}},
        "then": {"properties": {"one": True}},
        "else": {"properties": {"other": True}},
        "dependentSchemas": {"a": {"properties": {"b": True}}},
    }
    assert [("/onne", "There is no onne; did you mean one?")] == [
        (issue.pointer, issue.message) for issue in issues(schema, {"kind": 1, "onne": 1, "a": 1, "b": 1})
    ]
    # `one` is known, but not together with this kind
    assert Issue("", "One of these properties does not go with the others.", "unknown_field") == only(
        schema, {"kind": 2, "one": 1}
    )


def test_a_composition_by_reference_is_told_as_a_whole():
    schema = {
        "$defs": {"base": {"properties": {"a": True}}},
        "unevaluatedProperties": False,
        "allOf": [{"$ref": "#/$defs/base"}],
    }
    assert Issue("", "One of these properties does not go with the others.", "unknown_field") == only(schema, {"z": 1})


def test_a_repeated_item_is_pointed_at():
    schema = {"uniqueItems": True}

    assert Issue("/2", "Each item may be there once; a was before.", "duplicate_item") == only(schema, ["a", "b", "a"])
    assert "/1" == only(schema, [{"x": 1}, {"x": 1.0}]).pointer


def test_a_wrong_name_is_pointed_at():
    schema = {"propertyNames": {"maxLength": 2, "pattern": "^[a-z]"}}

    assert [
        Issue("/123", "The name 123: At most 2 characters; these are 3.", "too_long"),
        Issue("/123", "The name 123: This must look like ^[a-z]; it is 123.", "pattern"),
    ] == sorted(issues(schema, {"ab": 1, "123": 2}), key=lambda issue: issue.code == "pattern")
    assert [] == issues(schema, 7)


def test_what_is_never_allowed_is_pointed_at():
    schema = {"properties": {"a": False, "b": True}}

    assert Issue("/a", "This is not allowed here.", "not_allowed") == only(schema, {"a": 1, "b": 1})


# --- alternatives ----------------------------------------------------------------------------------------

SHAPE = {
    "oneOf": [
        {
            "properties": {"kind": {"const": "circle"}, "radius": {"type": "number", "minimum": 0}},
            "required": ["kind", "radius"],
        },
        {
            "properties": {"kind": {"const": "square"}, "side": {"type": "number"}, "angle": {"type": "number"}},
            "required": ["kind", "side", "angle"],
        },
        {"type": "string"},
    ]
}


def test_of_alternatives_the_one_with_the_right_constant_is_explained():
    assert [("/side", "required"), ("/angle", "required")] == [
        (issue.pointer, issue.code) for issue in issues(SHAPE, {"kind": "square"})
    ]
    assert ("/radius", "too_small") == (
        (issue := only(SHAPE, {"kind": "circle", "radius": -1})).pointer,
        issue.code,
    )


def test_an_alternative_of_another_type_is_the_farthest():
    schema = {"anyOf": [{"type": "object", "required": ["a", "b", "c"]}, {"type": "array"}]}

    assert ["/a", "/b", "/c"] == [issue.pointer for issue in issues(schema, {})]


def test_an_alternative_that_allows_nothing_is_never_the_closest():
    assert "required" == only({"anyOf": [False, {"required": ["a"]}]}, {}).code
    assert Issue("", "This is not allowed here.", "not_allowed") == only({"anyOf": [False]}, {})


def test_alternatives_within_alternatives_are_explained():
    schema = {"properties": {"s": {"anyOf": [SHAPE, {"type": "null"}]}}}

    assert "/s/radius" == only(schema, {"s": {"kind": "circle", "radius": "x"}}).pointer


def test_what_fits_several_alternatives_is_told():
    schema = {"oneOf": [{"type": "string"}, {"maxLength": 3}]}

    assert Issue("", "This fits several of the alternatives; exactly one must fit.", "ambiguous") == only(schema, "ab")


# --- how many --------------------------------------------------------------------------------------------


def test_all_that_is_wrong_is_told_at_once_and_nothing_twice():
    schema = {
        "type": "object",
        "required": ["a", "b"],
        "allOf": [{"required": ["a"]}],
        "properties": {"n": {"type": "integer", "minimum": 3}},
    }
    assert {("/a", "required"), ("/b", "required"), ("/n", "too_small")} == {
        (issue.pointer, issue.code) for issue in issues(schema, {"n": 1})
    }
    assert 3 == len(issues(schema, {"n": 1}))


def test_at_most_32_issues_are_told():
    assert MAX_ISSUES == len(issues({"items": {"type": "string"}}, list(range(100))))


def test_a_valid_value_has_no_issue():
    assert [] == compile_schema({"type": "array", "items": {"type": "string"}}).issues(["a"])
