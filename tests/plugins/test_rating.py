"""The task type `rating`."""

from __future__ import annotations

import random

import pytest

from support.task_type_checks import Checked
from workersai_core.testing import conformance
from workersai_plugins.rating import Rating
from workersai_server.web import forms

conformance.add_tests(globals(), Rating(), examples=30)

TYPE = Checked(Rating())
STARS = {"attachment_type": "image", "attachment": "https://example.com/1.jpg"}
TENTHS = {**STARS, "min": 0, "max": 1, "step": 0.1}
PERCENT = {**STARS, "min": 0, "max": 100, "step": 0.5}


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({}, [("/attachment", "required"), ("/attachment_type", "required")]),
        ({**STARS, "attachment": "1.jpg"}, [("/attachment", "invalid_url")]),
        ({**STARS, "min": "1"}, [("/min", "wrong_type")]),
        ({**STARS, "min": 5}, [("/min", "too_large")]),
        ({**STARS, "max": 1}, [("/max", "too_small")]),
        ({**STARS, "min": 3, "max": 2}, [("/max", "too_small")]),
        ({**STARS, "max": 1_000_001}, [("/max", "too_large")]),
        ({**STARS, "max": 1002}, [("/max", "too_many_items")]),
        ({**STARS, "min": -2000}, [("/min", "too_many_items")]),
        ({**STARS, "step": 0}, [("/step", "too_small")]),
        ({**STARS, "step": 0.001}, [("/step", "too_many_items")]),
        ({**STARS, "step": 3}, [("/step", "not_a_multiple")]),
        ({**STARS, "max": 5.5}, [("/max", "not_a_multiple")]),
        ({**STARS, "min": 0.5}, [("/min", "not_a_multiple")]),
        ({**STARS, "labels": ["bad"]}, [("/labels", "wrong_type")]),
        ({**STARS, "labels": {}}, [("/labels", "too_few_properties")]),
        ({**STARS, "labels": {"1": 1}}, [("/labels/1", "wrong_type")]),
        ({**STARS, "labels": {"1": " "}}, [("/labels/1", "blank")]),
        ({**STARS, "labels": {"6": "a", "x/y": "b", "NaN": "c", "sNaN": "c", "１": "d", "1.5": "e"}}, None),
        ({**STARS, "labels": {"1": "a", "1.0": "b"}}, [("/labels/1.0", "duplicate_item")]),
        ({**STARS, "maximum": 5}, [("/maximum", "unknown_field")]),
    ],
)
def test_each_wrong_field_of_the_params_is_named(params, expected):
    if expected is None:
        expected = [(f"/labels/{name}", "not_in_list") for name in ("1.5", "6", "NaN", "sNaN", "x~1y", "１")]
    assert expected == sorted(TYPE.params(params))


@pytest.mark.parametrize("params", [STARS, TENTHS, PERCENT, {**STARS, "labels": {"1": "나쁨", "5.0": "좋음"}}])
def test_good_params_are_accepted(params):
    assert [] == TYPE.params(params)


@pytest.mark.parametrize(
    ("params", "rating", "expected"),
    [
        (STARS, 3, []),
        (STARS, 3.0, []),
        (STARS, 0, [("/rating", "not_in_list")]),
        (STARS, 6, [("/rating", "not_in_list")]),
        (STARS, 2.5, [("/rating", "not_in_list")]),
        (STARS, "3", [("/rating", "not_in_list"), ("/rating", "wrong_type")]),
        (TENTHS, 0.3, []),
        (TENTHS, 0.7, []),
        (TENTHS, 0.35, [("/rating", "not_in_list")]),
        (PERCENT, 99.5, []),
        (PERCENT, 99.25, [("/rating", "not_in_list")]),
        (PERCENT, 100.5, [("/rating", "too_large")]),
        (PERCENT, -0.5, [("/rating", "too_small")]),
    ],
)
def test_a_rating_is_a_value_of_the_scale(params, rating, expected):
    assert expected == sorted(TYPE.response(params, {"rating": rating}))


def test_other_wrong_fields_of_a_response_are_named():
    assert [("", "required")] == TYPE.response(STARS, {})
    assert [("/stars", "unknown_field"), ("/rating", "required")] == TYPE.response(STARS, {"stars": 3})


def test_the_form_offers_the_values_with_their_labels_and_keys():
    params = {**STARS, "min": 0, "max": 2, "labels": {"0": "나쁨", "2": "좋음"}}
    (field,) = forms.build(TYPE.schema(params), language="ko", ui=Rating.ui).children
    assert "평점" == field.label
    expected = [(0, "0 – 나쁨", "1"), (1, "1", "2"), (2, "2 – 좋음", "3")]
    assert expected == [(each.value, each.label, each.hotkey) for each in field.choices]


def test_a_long_scale_is_a_number_field():
    (field,) = forms.build(TYPE.schema(PERCENT)).children
    assert "number" == field.kind


@pytest.mark.parametrize(
    ("ratings", "weights", "rating", "confidence"),
    [
        ([4], None, 4, 1),
        ([1, 4, 5], None, 4, (0.25 + 1 + 0.75) / 3),
        ([2, 4], None, 2, 0.75),
        ([1, 4, 5], [5, 1, 1], 1, (5 + 0.25 + 0) / 7),
        ([3.0, 3, 3.0], None, 3, 1),
    ],
)
def test_the_verdict_is_the_weighted_median(ratings, weights, rating, confidence):
    verdict = TYPE.verdict(STARS, *({"rating": each} for each in ratings), weights=weights)
    assert {"rating": rating} == verdict.response
    assert pytest.approx(confidence) == verdict.confidence


@pytest.mark.parametrize(
    ("params", "a", "b", "expected"),
    [(STARS, 3, 3.0, 1), (STARS, 1, 5, 0), (STARS, 2, 3, 0.75), (TENTHS, 0.1, 0.4, 0.7), (PERCENT, 100, 99.5, 0.995)],
)
def test_agreement_is_nearness_on_the_scale(params, a, b, expected):
    assert expected == Rating().agreement(params, {"rating": a}, {"rating": b})
    assert expected == Rating().agreement(params, {"rating": b}, {"rating": a})


def test_the_mock_uses_the_whole_scale():
    ratings = {Rating().mock_response(STARS, random.Random(n))["rating"] for n in range(60)}
    assert {1, 2, 3, 4, 5} == ratings
