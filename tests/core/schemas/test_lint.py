from __future__ import annotations

import pytest

from workersai_core.errors import SchemaError
from workersai_core.schemas import FORMATS, compile_schema, problems
from workersai_core.schemas.engines import DIALECT

A = {"type": "string", "description": "A text."}


def closed(properties=None, **keywords):
    """Return a schema that keeps every rule, with some keywords more."""
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": {"a": A} if properties is None else properties,
        **keywords,
    }


def of(schema):
    """Return the places and codes of what is wrong with a schema."""
    return [(issue.pointer, issue.code) for issue in problems(schema)]


def within(schema):
    """Return what is wrong with a property that has a schema; places are those within it."""
    found = problems(closed({"a": {"description": "It.", **schema}}))
    return [(issue.pointer.removeprefix("/properties/a"), issue.code) for issue in found]


@pytest.mark.parametrize(
    "schema",
    [
        closed(),
        closed(required=["a"]),
        closed(**{"$schema": DIALECT, "$id": "https://example.com/a", "title": "T", "x-own": {"anything": 1}}),
        closed({"a": True, "b": {**A, "pattern": "^[a-z]+$", "format": "uri"}}),
        {
            "$defs": {"a": {"$ref": "#/$defs/b", "allOf": [{"$ref": "#/$defs/b"}]}, "b": True},
            **closed({"a": {"$ref": "#/$defs/a", "description": "Twice the same."}}),
        },
        {"type": "object", "unevaluatedProperties": False, "properties": {"a": A}},
        {"type": "object", "additionalProperties": {"type": "string"}, "propertyNames": {"maxLength": 9}},
        {"$defs": {"text": {"type": "string", "description": "A text."}}, **closed({"a": {"$ref": "#/$defs/text"}})},
        {"$defs": {"a/b~c": A}, **closed({"a": {"$ref": "#/$defs/a~1b~0c"}})},
        closed(**{"if": {"properties": {"a": {"const": "x"}}}, "then": {"required": ["a"]}}),
        closed({"a": A, "b": A}, anyOf=[{"required": ["a"]}, {"properties": {"b": {"const": "x"}}}]),
        {"type": "array", "items": closed()},
        {"type": "array", "prefixItems": [{"type": "string"}], "items": False, "unevaluatedItems": False},
        {"type": "array", "contains": {"properties": {"a": {"const": 1}}}},
        {"oneOf": [{"type": "string"}, closed()]},
    ],
)
def test_a_good_schema_has_no_problem(schema):
    assert [] == problems(schema)


# --- what a schema is --------------------------------------------------------------------------------


@pytest.mark.parametrize("schema", [True, [], "object", None])
def test_the_root_is_an_object(schema):
    assert [("", "wrong_type")] == of(schema)


@pytest.mark.parametrize("dialect", ["http://json-schema.org/draft-07/schema#", "http://127.0.0.1:1/mine", 7])
def test_another_dialect_is_refused_and_not_fetched(dialect):
    assert [("/$schema", "not_in_list")] == of({"$schema": dialect, "type": "foo"})


def test_what_the_meta_schema_refuses_is_explained_at_its_place():
    (issue,) = problems(closed({"a": {"type": "strng", "description": "It."}}))

    assert "/properties/a/type" == issue.pointer
    assert issue.message.endswith("this is strng. Did you mean string?")
    assert [("/properties/a/minLength", "too_small")] == of(closed({"a": {**A, "minLength": -1}}))


def test_at_most_32_problems_are_told():
    assert 32 == len(problems(closed({f"p{n}": {"type": "string"} for n in range(40)})))


# --- objects and properties ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("schema", "pointer"),
    [
        ({"type": "object"}, ""),
        ({"type": ["object", "null"]}, ""),
        ({"properties": {"a": A}}, ""),
        ({"type": "object", "additionalProperties": True}, ""),
        ({"type": "object", "additionalProperties": {}}, ""),
        (closed({"a": {"type": "object", "description": "It."}}), "/properties/a"),
        ({"type": "array", "items": {"type": "object"}}, "/items"),
        ({"oneOf": [{"type": "string"}, {"type": "object"}]}, "/oneOf/1"),
        ({"$defs": {"o": {"type": "object"}}, **closed()}, "/$defs/o"),
        (closed({"a": {"description": "It.", "anyOf": [{"type": "object"}]}}), "/properties/a/anyOf/0"),
    ],
)
def test_an_open_object_is_refused(schema, pointer):
    assert [(pointer, "open_object")] == of(schema)


def test_a_property_without_a_description_is_refused():
    assert [("/properties/a", "required")] == of(closed({"a": {"type": "string"}}))
    assert [("/properties/a~1b", "required")] == of(closed({"a/b": {"type": "string", "description": ""}}))
    assert [("/properties/a", "required")] == of({"$defs": {"t": {}}, **closed({"a": {"$ref": "#/$defs/t"}})})
    assert [("/properties/a", "required")] == of({"$defs": {"t": True}, **closed({"a": {"$ref": "#/$defs/t"}})})


def test_a_description_is_looked_for_where_the_property_is_new():
    new = closed(unevaluatedProperties=False, allOf=[{"properties": {"b": {"type": "string"}}}])

    assert [("/allOf/0/properties/b", "required")] == of(new)
    assert [] == of(closed(allOf=[{"properties": {"a": {"minLength": 1}}}]))


def test_a_required_name_that_is_no_property_is_refused():
    assert [("/required", "required")] == of(closed(required=["b"]))


# --- keywords ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("keyword", "meant"), [("maxlength", "maxLength"), ("requird", "required"), ("propertes", "properties")]
)
def test_a_misspelt_keyword_is_refused_with_what_was_meant(keyword, meant):
    (issue,) = problems(closed(**{keyword: []}))

    assert (f"/{keyword}", "unknown_field") == (issue.pointer, issue.code)
    assert f"did you mean {meant}?" in issue.message


def test_a_keyword_that_nothing_knows_is_refused():
    (issue,) = problems(closed(zzz=1))
    assert "own keywords start with x-" in issue.message


@pytest.mark.parametrize(
    ("keyword", "value"),
    [
        ("patternProperties", {"^a": {}}),
        ("$anchor", "here"),
        ("$dynamicAnchor", "here"),
        ("$dynamicRef", "#here"),
        ("definitions", {}),
        ("dependencies", {}),
        ("additionalItems", False),
        ("contentSchema", {}),
        ("$vocabulary", {}),
        ("unevaluatedItems", {"type": "string"}),
        ("unevaluatedProperties", {"type": "string"}),
        ("unevaluatedProperties", True),
    ],
)
def test_a_keyword_outside_the_subset_is_refused(keyword, value):
    assert (f"/{keyword}", "not_allowed") in of(closed(**{keyword: value}))


@pytest.mark.parametrize(("keyword", "value"), [("$id", "https://example.com/b"), ("$schema", DIALECT)])
def test_the_root_alone_says_what_the_schema_is(keyword, value):
    assert [(f"/{keyword}", "not_allowed")] == within({keyword: value})


# --- references ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "reference",
    ["https://example.com/schema", "http://127.0.0.1:1/s", "file:///etc/passwd", "#", "#/properties/a", "other", "#a"],
)
def test_a_reference_out_of_the_definitions_is_refused(reference):
    assert ("/$ref", "not_allowed") in within({"$ref": reference})


def test_a_reference_to_nothing_is_refused_with_what_was_meant():
    (issue,) = problems({"$defs": {"text": A}, **closed({"a": {"$ref": "#/$defs/txt", "description": "It."}})})

    assert ("/properties/a/$ref", "not_in_list") == (issue.pointer, issue.code)
    assert "did you mean #/$defs/text?" in issue.message
    (issue,) = problems(closed({"a": {"$ref": "#/$defs/q", "description": "It."}}))
    assert "define it in $defs" in issue.message


def test_a_definition_may_refer_to_itself_only_deeper_in_the_value():
    tree = closed({"name": A, "children": {"type": "array", "description": "It.", "items": {"$ref": "#/$defs/tree"}}})
    assert [] == problems({"$defs": {"tree": tree}, **closed({"a": {"$ref": "#/$defs/tree", "description": "It."}})})

    loop = {
        "a": {"allOf": [{"$ref": "#/$defs/b"}]},
        "b": {"anyOf": [{"$ref": "#/$defs/c"}, True]},
        "c": {"$ref": "#/$defs/a"},
    }
    found = of({"$defs": loop, **closed({"a": {"$ref": "#/$defs/a", "description": "It."}})})
    assert {("/properties/a/$ref", "invalid"), ("/$defs/c/$ref", "invalid")} <= set(found)


# --- formats and patterns ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_every_known_format_is_checked(name):
    compiled = compile_schema(closed({"a": {**A, "format": name}}))

    assert not compiled.accepts({"a": "(\x01"})


def test_an_unknown_format_is_refused_with_what_was_meant():
    (issue,) = problems(closed({"a": {**A, "format": "datetime"}}))

    assert ("/properties/a/format", "not_in_list") == (issue.pointer, issue.code)
    assert "did you mean date-time?" in issue.message
    (issue,) = problems(closed({"a": {**A, "format": "zzz"}}))
    assert "known are date, date-time" in issue.message


@pytest.mark.parametrize("pattern", ["(", "(?=a)b", r"(a)\1", "a{1000}{1000}", "[z-a]"])
def test_a_pattern_that_no_linear_engine_takes_is_refused(pattern):
    assert [("/pattern", "pattern")] == within({"pattern": pattern})


def test_a_catastrophic_pattern_is_refused():
    assert [("/pattern", "pattern")] == within({"pattern": "^(a+)+$"})


def test_what_only_the_engine_notices_is_told_as_well():
    (issue,) = problems({"$id": ":// no address", **closed()})
    assert ("", "invalid") == (issue.pointer, issue.code)


def test_compiling_tells_every_problem():
    with pytest.raises(SchemaError) as caught:
        compile_schema(closed({"a": {}}, zzz=1), "params_schema")

    assert "params_schema breaks a rule." == caught.value.detail
    assert {"/properties/a", "/zzz"} == {issue.pointer for issue in caught.value.issues}
