"""The task type `data_collection`."""

from __future__ import annotations

import random
import unicodedata

import pytest

from support.task_type_checks import Checked
from workersai_core.testing import conformance
from workersai_plugins.data_collection import DataCollection
from workersai_server.web import forms

conformance.add_tests(globals(), DataCollection(), examples=30)

TYPE = Checked(DataCollection())
NFD = unicodedata.normalize("NFD", "카드")
EVERY = {
    "fields": [
        {"name": "memo", "type": "text", "required": True, "max_length": 20},
        {"name": "합계", "title": "합계 금액", "type": "number", "minimum": 0, "maximum": 1000.5},
        {"name": "count", "type": "integer", "minimum": -1},
        {"name": "open", "type": "boolean"},
        {"name": "day", "type": "date"},
        {"name": "mail", "type": "email"},
        {"name": "site", "type": "url"},
        {"name": "결제", "type": "choice", "choices": ["현금", "카드"], "description": "어떻게 냈나요?"},
    ]
}
FULL = {
    "memo": "커피 두 잔",
    "합계": 9.5,
    "count": 2,
    "open": False,
    "day": "2030-02-28",
    "mail": "A@example.com",
    "site": "https://example.com/카페",
    "결제": "카드",
}


def one(**field):
    """Return params with one field."""
    return {"fields": [{"name": "a", **field}]}


def kinds_of(field):
    """Return the (pointer below the field, code) of everything wrong with one field."""
    found = TYPE.params({"fields": [field]})
    assert all(where.startswith("/fields/0") for where, _ in found)
    return sorted((where.removeprefix("/fields/0"), code) for where, code in found)


def verdict(kind, *values, weights=None, **field):
    """Return the verdict about one field; None stands for a value left out."""
    responses = [{"fields": {} if value is None else {"a": value}} for value in values]
    found = TYPE.verdict(one(type=kind, **field), *responses, weights=weights)
    return found.response["fields"].get("a"), found.confidence


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({}, [("/fields", "required")]),
        ({"fields": {}}, [("/fields", "wrong_type")]),
        ({"fields": []}, [("/fields", "too_few_items")]),
        ({"fields": [{"name": str(n), "type": "text"} for n in range(51)]}, [("/fields", "too_many_items")]),
        (
            {"fields": [{"name": "카드", "type": "text"}, {"name": NFD, "type": "text"}]},
            [("/fields/1/name", "duplicate_item")],
        ),
        ({**one(type="text"), "attachment": "x"}, [("/attachment_type", "required")]),
        ({**one(type="text"), "attachment_type": "pdf", "attachment": "x"}, [("/attachment", "invalid_url")]),
        ({**one(type="text"), "field": 1}, [("/field", "unknown_field")]),
    ],
)
def test_each_wrong_part_of_the_params_is_named(params, expected):
    assert expected == TYPE.params(params)


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ({}, [("/name", "required"), ("/type", "required")]),
        ({"name": "", "type": "text"}, [("/name", "too_short")]),
        ({"name": "a" * 65, "type": "text"}, [("/name", "too_long")]),
        ({"name": " ", "type": "text"}, [("/name", "blank")]),
        ({"name": "a", "type": "string"}, [("/type", "not_in_list")]),
        ({"name": "a", "type": "text", "required": 1}, [("/required", "wrong_type")]),
        ({"name": "a", "type": "text", "size": 1}, [("/size", "unknown_field")]),
        ({"name": "a", "type": "text", "max_length": 0}, [("/max_length", "too_small")]),
        ({"name": "a", "type": "url", "max_length": 9}, [("/max_length", "not_allowed")]),
        ({"name": "a", "type": "text", "minimum": 1}, [("/minimum", "not_allowed")]),
        ({"name": "a", "type": "date", "maximum": 1}, [("/maximum", "not_allowed")]),
        ({"name": "a", "type": "text", "choices": ["a", "b"]}, [("/choices", "not_allowed")]),
        ({"name": "a", "type": "choice"}, [("/choices", "required")]),
        ({"name": "a", "type": "choice", "choices": ["a"]}, [("/choices", "too_few_items")]),
        ({"name": "a", "type": "choice", "choices": ["카드", NFD]}, [("/choices/1", "duplicate_item")]),
        ({"name": "a", "type": "number", "minimum": 2, "maximum": 1}, [("/maximum", "too_small")]),
        ({"name": "a", "type": "integer", "minimum": 1.2, "maximum": 1.8}, [("/maximum", "too_small")]),
        ({"name": "a", "type": "integer", "minimum": 1.2, "maximum": 2}, []),
        ({"name": "a", "type": "number", "minimum": 1.2, "maximum": 1.2}, []),
    ],
)
def test_each_wrong_part_of_a_field_is_named(field, expected):
    assert expected == kinds_of(field)


def test_good_params_and_responses_are_accepted():
    assert [] == TYPE.params(EVERY)
    assert [] == TYPE.response(EVERY, {"fields": FULL})
    assert [] == TYPE.response(EVERY, {"fields": {"memo": "x", "결제": NFD, "count": 3.0}})
    assert [] == TYPE.response(one(type="text"), {"fields": {}})


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        ({"memo": ""}, [("/fields/memo", "too_short")]),
        ({"memo": "  "}, [("/fields/memo", "blank")]),
        ({"memo": "a" * 21}, [("/fields/memo", "too_long")]),
        ({"memo": 7}, [("/fields/memo", "wrong_type")]),
        ({"합계": "9"}, [("/fields/합계", "wrong_type")]),
        ({"합계": 1001}, [("/fields/합계", "too_large")]),
        ({"count": 1.5}, [("/fields/count", "wrong_type")]),
        ({"count": -2}, [("/fields/count", "too_small")]),
        ({"open": "yes"}, [("/fields/open", "wrong_type")]),
        ({"day": "2030-02-29"}, [("/fields/day", "format")]),
        ({"day": "31.1.2030"}, [("/fields/day", "format")]),
        ({"mail": "nobody"}, [("/fields/mail", "format")]),
        ({"site": "example.com"}, [("/fields/site", "invalid_url")]),
        ({"결제": "외상"}, [("/fields/결제", "not_in_list")]),
        ({"결제": NFD[:-1]}, [("/fields/결제", "not_in_list")]),
        ({"memos": "x"}, [("/fields/memos", "unknown_field")]),
        ({"memo": None}, [("/fields/memo", "wrong_type")]),
    ],
)
def test_each_wrong_value_is_named(wrong, expected):
    assert expected == TYPE.response(EVERY, {"fields": {**FULL, **wrong}})


def test_what_is_missing_is_named():
    assert [("", "required")] == TYPE.response(EVERY, {})
    assert [("/fields/memo", "required")] == TYPE.response(EVERY, {"fields": {}})


def test_the_form_has_a_control_of_its_kind_for_each_field():
    (group,) = forms.build(TYPE.schema(EVERY), language="ko").children
    assert "항목" == group.label
    expected = ["text", "number", "number", "choice", "text", "text", "text", "choice"]
    assert expected == [field.kind for field in group.children]
    assert "합계 금액" == group.children[1].label
    assert "어떻게 냈나요?" == group.children[7].description
    assert [True] + [False] * 7 == [field.required for field in group.children]


# --- several answers ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "values", "expected", "confidence"),
    [
        ("text", ["Seoul Cafe", "seoul  cafe", "Busan Inn"], "Seoul Cafe", None),
        ("text", ["12 Main Street", "12 Main Str.", "12 Main St"], "12 Main Str.", None),
        ("number", [3, 9.5, 3], 3, 2 / 3),
        ("number", [1, 2, 30], 2, 1 / 3),
        ("integer", [2, 2.0], 2, 1),
        ("boolean", [True, False, True], True, 2 / 3),
        ("date", ["2030-01-31", "2030-01-30", "2030-01-31"], "2030-01-31", 2 / 3),
        ("email", ["A@example.com", "a@example.com", "b@example.com"], "A@example.com", 2 / 3),
        ("url", ["HTTPS://Example.com", "https://example.com/", "https://example.com/A"], "HTTPS://Example.com", 2 / 3),
        ("text", ["a", None, None], None, 2 / 3),
        ("text", ["a", None], "a", 0.5),
        ("text", [None, None], None, 1),
    ],
)
def test_several_values_become_one(kind, values, expected, confidence):
    found, sure = verdict(kind, *values)
    assert expected == found
    assert confidence is None or pytest.approx(confidence) == sure


def test_a_choice_comes_back_as_the_requester_spelled_it():
    assert ("카드", 2 / 3) == verdict("choice", NFD, "현금", NFD, choices=["현금", "카드"])


def test_weights_count():
    assert (True, 0.75) == verdict("boolean", True, False, weights=[3, 1])
    assert (None, 0.75) == verdict("text", "a", None, weights=[1, 3])


def test_agreement_is_the_mean_over_all_fields():
    a, b = {"fields": FULL}, {"fields": {**FULL, "memo": "커피 두 잔!", "open": True, "결제": NFD}}
    del b["fields"]["day"]
    alike = 2 * 6 / (6 + 7)  # six characters of six and of seven
    expected = (alike + 1 + 1 + 0 + 0 + 1 + 1 + 1) / 8
    assert pytest.approx(expected) == DataCollection().agreement(EVERY, a, b)
    assert pytest.approx(expected) == DataCollection().agreement(EVERY, b, a)


def test_case_and_white_space_of_a_text_do_not_count():
    responses = [{"fields": {"a": text}} for text in ("Main  Street", "main street ")]
    one_form, other = (DataCollection().normalize(one(type="text"), response) for response in responses)
    assert one_form == other


# --- the mock ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "params",
    [
        EVERY,
        one(type="integer", required=True, minimum=0.5, maximum=1.5),
        one(type="number", required=True, maximum=-3),
        one(type="number", required=True, minimum=0.001, maximum=0.002),
        one(type="text", required=True, max_length=1),
    ],
)
def test_the_mock_keeps_every_limit(params):
    for seed in range(40):
        assert [] == TYPE.response(params, DataCollection().mock_response(params, random.Random(seed)))


def test_the_mock_leaves_optional_fields_out_now_and_then():
    mocks = [DataCollection().mock_response(EVERY, random.Random(seed))["fields"] for seed in range(40)]
    assert all("memo" in mock for mock in mocks)
    assert {True, False} == {"open" in mock for mock in mocks}
