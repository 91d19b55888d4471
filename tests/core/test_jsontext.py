from __future__ import annotations

import json
from collections import OrderedDict
from datetime import UTC, datetime
from enum import StrEnum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workersai_core import jsontext
from workersai_core.errors import InvalidInput

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))
LEAVES = st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | TEXT
FINITE = LEAVES.filter(lambda leaf: leaf not in (float("inf"), float("-inf")))
JSON = st.recursive(FINITE, lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner), max_leaves=20)


def nested(depth):
    value = []
    for _ in range(depth - 1):
        value = [value]
    return value


def the_issue(value, **where):
    with pytest.raises(InvalidInput) as caught:
        jsontext.check(value, **where)
    [issue] = caught.value.issues
    return issue.pointer, issue.code


# --- text and back -----------------------------------------------------------------------------


@given(JSON)
def test_every_value_comes_back_as_it_was_with_its_keys_in_order(value):
    jsontext.check(value)
    text = jsontext.dumps(value)
    assert value == jsontext.loads(text)
    assert json.dumps(value) == json.dumps(jsontext.loads(text))


def test_text_is_compact_and_keeps_the_order_of_keys():
    assert '{"b":1,"a":[true,null,"ö"]}' == jsontext.dumps({"b": 1, "a": [True, None, "ö"]})


@pytest.mark.parametrize("value", [datetime(2026, 1, 1, tzinfo=UTC), {1, 2}, object()])
def test_what_is_not_json_is_not_written(value):
    with pytest.raises(TypeError):
        jsontext.dumps({"a": value})


# --- comparing -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
        (1.0, 1),
        (-0.0, 0),
        ([1, {"x": 2.0}], [1.0, {"x": 2}]),
        ((1, 2), [1, 2]),
    ],
)
def test_equal_values_have_one_canonical_text(one, other):
    assert jsontext.canonical(one) == jsontext.canonical(other)


@pytest.mark.parametrize(
    ("one", "other"), [(1, True), (0, False), ("1", 1), (None, False), ([1, 2], [2, 1]), ({}, []), (1.5, 1)]
)
def test_different_values_have_different_canonical_texts(one, other):
    assert jsontext.canonical(one) != jsontext.canonical(other)


def test_a_whole_float_beyond_64_bits_stays_a_float():
    assert isinstance(json.loads(jsontext.canonical(1e300)), float)
    assert isinstance(json.loads(jsontext.canonical(float(2**63))), float)
    assert isinstance(json.loads(jsontext.canonical(float(-(2**63)))), int)


@given(JSON)
def test_canonical_text_does_not_depend_on_the_order_of_keys(value):
    def reversed_keys(value):
        if isinstance(value, dict):
            return {name: reversed_keys(value[name]) for name in reversed(value)}
        return [reversed_keys(member) for member in value] if isinstance(value, list) else value

    assert jsontext.canonical(value) == jsontext.canonical(reversed_keys(value))


# --- limits --------------------------------------------------------------------------------------


def test_values_at_the_limits_pass():
    jsontext.check([2**63 - 1, -(2**63), 1e308, "", "ö\t", True, None])
    jsontext.check(nested(jsontext.MAX_DEPTH))
    jsontext.check([0] * (jsontext.MAX_NODES - 1))


@pytest.mark.parametrize(
    ("value", "pointer", "code"),
    [
        ({"a": [0, 2**63]}, "/a/1", "integer_range"),
        (-(2**63) - 1, "", "integer_range"),
        ([float("nan")], "/0", "not_finite"),
        (float("-inf"), "", "not_finite"),
        ({"a/b~c": "x\x00"}, "/a~1b~0c", "invalid_text"),
        ("ö\x00", "", "invalid_text"),
        (["ö\ud800"], "/0", "invalid_text"),
        ({"x\x00": 1}, "", "invalid_text"),
        ({"a": {"\udfff": 1}}, "/a", "invalid_text"),
        ({"a": {5: 1}}, "/a", "invalid_key"),
        ({"a": {1, 2}}, "/a", "not_json"),
        (b"bytes", "", "not_json"),
        (OrderedDict(a=1), "", "not_json"),
        (StrEnum("Word", ["ONE"]).ONE, "", "not_json"),
        (nested(jsontext.MAX_DEPTH + 1), "/0" * jsontext.MAX_DEPTH, "too_deep"),
        ([0] * jsontext.MAX_NODES, "", "too_many_values"),
    ],
)
def test_what_is_beyond_the_limits_is_refused_with_its_place(value, pointer, code):
    assert (pointer, code) == the_issue(value)


def test_the_pointer_and_the_depth_start_where_the_value_stands():
    assert ("/params/a", "not_json") == the_issue({"a": object()}, pointer="/params", depth=2)
    assert ("/params" + "/0" * 31, "too_deep") == the_issue(nested(32), pointer="/params", depth=2)
    assert ("/params", "too_many_values") == the_issue([0] * jsontext.MAX_NODES, pointer="/params", depth=2)


def test_what_the_issue_says_names_the_type():
    with pytest.raises(InvalidInput, match=r"/a: Not a JSON value: set\."):
        jsontext.check({"a": set()})


# --- small things --------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "token"), [("a/b", "a~1b"), ("~1", "~01"), (0, "0"), ("", "")])
def test_reference_tokens_are_escaped_as_rfc_6901_says(name, token):
    assert token == jsontext.pointer_token(name)


def test_long_values_are_shortened_to_the_limit():
    assert "short" == jsontext.shorten("short")
    assert '{"a":1}' == jsontext.shorten({"a": 1})
    assert "a" * 63 + "…" == jsontext.shorten("a" * 65)
    assert "a" * 64 == jsontext.shorten("a" * 64)
    assert "[1,…" == jsontext.shorten([1, 2, 3], limit=4)


def test_what_is_no_json_can_be_shortened_too():
    assert "a value that is not JSON" == jsontext.shorten({1, 2}) == jsontext.shorten(10**5000)


# --- both walks agree ----------------------------------------------------------------------------------


ANYTHING = st.recursive(
    LEAVES | st.sampled_from([float("nan"), 2**63, "\x00", "\ud800", b"", {1}]),
    lambda inner: st.lists(inner) | st.dictionaries(TEXT | st.sampled_from(["\x00", 5]), inner),
    max_leaves=10,
)


@given(ANYTHING)
def test_what_is_refused_has_one_issue_whose_pointer_leads_into_the_value(value):
    try:
        jsontext.check(value)
    except InvalidInput as error:
        [issue] = error.issues
        found = value
        for token in issue.pointer.split("/")[1:]:
            name = token.replace("~1", "/").replace("~0", "~")
            found = found[int(name)] if isinstance(found, list) else found[name]
        with pytest.raises(InvalidInput):
            jsontext.check(found)
    else:
        json.dumps(value, allow_nan=False).encode()
