"""The task type `categorization`."""

from __future__ import annotations

import random
import unicodedata

import pytest

from support.task_type_checks import Checked
from workersai_core import Worker
from workersai_core.testing import conformance, memory_engine
from workersai_plugins.categorization import Categorization
from workersai_server.web import forms

conformance.add_tests(globals(), Categorization(), examples=30)

TYPE = Checked(Categorization())
DOG = {"attachment_type": "image", "attachment": "https://example.com/1.jpg", "categories": ["big", "small", "none"]}
SEVERAL = {**DOG, "allow_multiple": True}
KOREAN = {**DOG, "categories": ["큰 개", "작은 개"]}
IDS = {**DOG, "category_ids": {"b": "big", "s": "small", "n": "none"}}
NFD = unicodedata.normalize("NFD", "큰 개")


def without(params, name):
    return {key: value for key, value in params.items() if key != name}


# --- params ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({}, [("/attachment", "required"), ("/attachment_type", "required"), ("/categories", "required")]),
        (without(DOG, "categories"), [("/categories", "required")]),
        ({**DOG, "labels": []}, [("/labels", "unknown_field")]),
        ({**DOG, "attachment_type": "picture"}, [("/attachment_type", "not_in_list")]),
        ({**DOG, "attachment": ""}, [("/attachment", "too_short")]),
        ({**DOG, "attachment": 7}, [("/attachment", "wrong_type")]),
        ({**DOG, "attachment": "1.jpg"}, [("/attachment", "invalid_url")]),
        ({**DOG, "attachment": "https://example.com/" + "a" * 2029}, [("/attachment", "too_long")]),
        ({**DOG, "attachment_type": "text", "attachment": "a" * 100_001}, [("/attachment", "too_long")]),
        ({**DOG, "attachment_type": "text", "attachment": " \n"}, [("/attachment", "blank")]),
        ({**DOG, "categories": "big"}, [("/categories", "wrong_type")]),
        ({**DOG, "categories": ["big"]}, [("/categories", "too_few_items")]),
        ({**DOG, "categories": [str(n) for n in range(501)]}, [("/categories", "too_many_items")]),
        ({**DOG, "categories": ["big", ""]}, [("/categories/1", "too_short")]),
        ({**DOG, "categories": ["big", "a" * 201]}, [("/categories/1", "too_long")]),
        ({**DOG, "categories": ["big", 1]}, [("/categories/1", "wrong_type")]),
        ({**DOG, "categories": ["big", "small", "big"]}, [("/categories/2", "duplicate_item")]),
        ({**DOG, "categories": ["큰 개", "x", NFD]}, [("/categories/2", "duplicate_item")]),
        ({**DOG, "categories": ["big", " "]}, [("/categories/1", "blank")]),
        ({**DOG, "allow_multiple": "yes"}, [("/allow_multiple", "wrong_type")]),
        ({**DOG, "category_ids": ["b"]}, [("/category_ids", "wrong_type")]),
        ({**DOG, "category_ids": {"b": "big"}}, [("/category_ids", "too_few_properties")]),
        ({**IDS, "category_ids": {**IDS["category_ids"], "": "none"}}, [("/category_ids/", "too_short")]),
        ({**IDS, "category_ids": {**IDS["category_ids"], "n": 3}}, [("/category_ids/n", "wrong_type")]),
        ({**IDS, "category_ids": {**IDS["category_ids"], "x/y~z": "huge"}}, [("/category_ids/x~1y~0z", "not_in_list")]),
        ({**IDS, "category_ids": {**IDS["category_ids"], "b2": "big"}}, [("/category_ids/b2", "duplicate_item")]),
        ({**IDS, "category_ids": {"b": "big", "s": "small"}}, [("/category_ids", "missing_item")]),
        ({**IDS, "category_ids": {"b": "big", "s": "small", " ": "none"}}, [("/category_ids/ ", "blank")]),
        (
            {**KOREAN, "category_ids": {"큰": "큰 개", unicodedata.normalize("NFD", "큰"): "작은 개"}},
            [(f"/category_ids/{unicodedata.normalize('NFD', '큰')}", "duplicate_item")],
        ),
    ],
)
def test_each_wrong_field_of_the_params_is_named(params, expected):
    assert expected == sorted(TYPE.params(params))


def test_every_problem_of_the_params_is_named_at_once():
    params = {**DOG, "attachment": "1.jpg", "categories": ["big", " "], "category_ids": {"b": "big", "x": "huge"}}
    expected = {
        ("/attachment", "invalid_url"),
        ("/categories/1", "blank"),
        ("/category_ids/x", "not_in_list"),
        ("/category_ids", "missing_item"),
    }
    assert expected == set(TYPE.params(params))


@pytest.mark.parametrize("params", [DOG, SEVERAL, KOREAN, IDS, {**DOG, "categories": ["a" * 200, "가" * 200]}])
def test_good_params_are_accepted(params):
    assert [] == TYPE.params(params)


def test_five_hundred_categories_are_accepted():
    params = {**DOG, "categories": [f"종류 {n}" for n in range(500)]}
    assert [] == TYPE.params(params)
    assert [] == TYPE.response(params, {"category": "종류 499"})
    assert [("/category", "not_in_list")] == TYPE.response(params, {"category": "종류 500"})


# --- responses ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("params", "response", "expected"),
    [
        (DOG, {}, [("", "required")]),
        (DOG, [], [("", "wrong_type")]),
        (DOG, {"label": "big"}, [("/label", "unknown_field"), ("/category", "required")]),
        (DOG, {"category": "huge"}, [("/category", "not_in_list")]),
        (DOG, {"category": "Big"}, [("/category", "not_in_list")]),
        (DOG, {"category": ["big"]}, [("/category", "not_in_list"), ("/category", "wrong_type")]),
        (KOREAN, {"category": None}, [("/category", "wrong_type")]),
        (DOG, {"category": "big", "category_id": "b"}, [("/category_id", "unknown_field")]),
        (SEVERAL, {"category": "big"}, [("/category", "wrong_type")]),
        (SEVERAL, {"category": []}, [("/category", "too_few_items")]),
        (SEVERAL, {"category": ["big", "big"]}, [("/category/1", "duplicate_item")]),
        (SEVERAL, {"category": ["big", "huge"]}, [("/category/1", "not_in_list")]),
        ({**KOREAN, "allow_multiple": True}, {"category": ["큰 개", NFD]}, [("/category/1", "duplicate_item")]),
        (KOREAN, {"category": NFD[:-1]}, [("/category", "not_in_list")]),
        (IDS, {"category": "big", "category_id": "s"}, [("/category_id", "differs")]),
        (IDS, {"category": "big", "category_id": "x"}, [("/category_id", "not_in_list")]),
        (
            {**IDS, "allow_multiple": True},
            {"category": ["big", "none"], "category_id": ["b", "s"]},
            [("/category_id/1", "differs"), ("/category_id", "missing_item")],
        ),
        (
            {**IDS, "allow_multiple": True},
            {"category": ["big", "none"], "category_id": ["b"]},
            [("/category_id", "missing_item")],
        ),
    ],
)
def test_each_wrong_field_of_a_response_is_named(params, response, expected):
    assert sorted(expected) == sorted(TYPE.response(params, response))


@pytest.mark.parametrize(
    ("params", "response"),
    [
        (DOG, {"category": "big"}),
        (SEVERAL, {"category": ["small", "big"]}),
        (IDS, {"category": "none", "category_id": "n"}),
        ({**IDS, "allow_multiple": True}, {"category": ["big", "none"], "category_id": ["n", "b"]}),
        (KOREAN, {"category": "큰 개"}),
        (IDS, {"category": "big"}),
    ],
)
def test_good_responses_are_accepted(params, response):
    assert [] == TYPE.response(params, response)


# --- Unicode -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("given", ["NFC", "NFD"])
@pytest.mark.parametrize("answered", ["NFC", "NFD"])
@pytest.mark.parametrize("text", ["큰 개", "café", "Ångström", "ひらがな゙", "q\u0307\u0323", "שּׁ"])
def test_every_spelling_of_a_category_is_that_category(given, answered, text):
    params = {**DOG, "categories": [unicodedata.normalize(given, text), "other"]}
    response = {"category": unicodedata.normalize(answered, text)}
    assert [] == TYPE.params(params)
    assert [] == TYPE.response(params, response)
    verdict = TYPE.verdict(params, response, {"category": params["categories"][0]}, {"category": "other"})
    assert {"category": params["categories"][0]} == verdict.response
    assert 2 / 3 == verdict.confidence


def test_a_worker_may_answer_in_the_spelling_of_a_mac_and_the_requester_gets_its_own():
    engine = memory_engine()
    task = engine.create_task(account="acme", params=KOREAN)
    claim = engine.claim(Worker(id="mina"))
    engine.submit(claim.assignment.id, Worker(id="mina"), {"category": NFD})
    assert {"category": "큰 개"} == engine.get_task(task.external_id, account="acme").response


def test_a_partly_composed_spelling_is_accepted():
    params = {**DOG, "categories": ["각", "간"]}
    assert [] == TYPE.response(params, {"category": "가\u11a8"})


def test_the_schema_lists_the_categories_for_whoever_makes_a_form():
    assert DOG["categories"] == TYPE.schema(DOG)["properties"]["category"]["enum"]
    assert KOREAN["categories"] == TYPE.schema(KOREAN)["properties"]["category"]["else"]["enum"]
    assert DOG["categories"] == TYPE.schema(SEVERAL)["properties"]["category"]["items"]["enum"]
    assert ["b", "s", "n"] == TYPE.schema(IDS)["properties"]["category_id"]["enum"]


@pytest.mark.parametrize(("params", "kind"), [(DOG, "choice"), (KOREAN, "choice"), (SEVERAL, "choices")])
def test_the_form_offers_the_categories(params, kind):
    form = forms.build(TYPE.schema(params), language="ko")
    (field,) = form.children
    assert (kind, "범주") == (field.kind, field.label)
    assert params["categories"] == [choice.value for choice in field.choices]


def test_a_mac_users_categories_are_offered_composed_and_come_back_as_given():
    params = {**DOG, "categories": [NFD, "x"]}
    (field,) = forms.build(TYPE.schema(params)).children
    assert ["큰 개", "x"] == [choice.value for choice in field.choices]
    assert {"category": NFD} == TYPE.verdict(params, {"category": "큰 개"}).response


# --- several answers ---------------------------------------------------------------------------------


def test_the_category_with_the_most_votes_wins():
    verdict = TYPE.verdict(DOG, {"category": "small"}, {"category": "big"}, {"category": "small"})
    assert {"category": "small"} == verdict.response
    assert 2 / 3 == verdict.confidence


def test_weights_count():
    verdict = TYPE.verdict(DOG, {"category": "small"}, {"category": "big"}, weights=[1, 3])
    assert {"category": "big"} == verdict.response
    assert 0.75 == verdict.confidence


def test_a_tie_goes_to_the_smallest_category():
    answers = [{"category": "small"}, {"category": "big"}]
    assert {"category": "big"} == TYPE.verdict(DOG, *answers).response
    assert {"category": "big"} == TYPE.verdict(DOG, *answers[::-1]).response


def test_of_several_categories_each_needs_a_majority():
    answers = [{"category": ["big", "none"]}, {"category": ["big"]}, {"category": ["none", "big"]}]
    verdict = TYPE.verdict(SEVERAL, *answers)
    assert {"category": ["big", "none"]} == verdict.response
    assert pytest.approx((1 + 2 / 3) / 2) == verdict.confidence


def test_without_any_majority_the_category_with_the_most_votes_stands_alone():
    answers = [{"category": [name]} for name in ("small", "none", "big", "none")]
    verdict = TYPE.verdict(SEVERAL, *answers)
    assert {"category": ["none"]} == verdict.response
    assert pytest.approx((0.5 + 0.75 + 0.75) / 3) == verdict.confidence


def test_the_verdict_lists_categories_in_the_requesters_order_with_their_ids():
    params = {**IDS, "allow_multiple": True}
    verdict = TYPE.verdict(params, {"category": ["none", "big"], "category_id": ["n", "b"]})
    assert {"category": ["big", "none"], "category_id": ["b", "n"]} == verdict.response
    assert 1.0 == verdict.confidence


@pytest.mark.parametrize(
    ("params", "a", "b", "expected"),
    [
        (DOG, "big", "big", 1.0),
        (DOG, "big", "small", 0.0),
        (KOREAN, "큰 개", NFD, 1.0),
        (SEVERAL, ["big", "small"], ["small", "big"], 1.0),
        (SEVERAL, ["big", "small"], ["small"], 0.5),
        (SEVERAL, ["big", "small"], ["small", "none"], 1 / 3),
    ],
)
def test_agreement_is_the_share_of_common_categories(params, a, b, expected):
    assert expected == Categorization().agreement(params, {"category": a}, {"category": b})


def test_the_order_of_several_categories_does_not_matter():
    one, other = ({"category": names} for names in (["big", "small"], ["small", "big"]))
    assert Categorization().normalize(SEVERAL, one) == Categorization().normalize(SEVERAL, other)


def test_a_verdict_has_the_id_that_an_answer_left_out():
    assert {"category": "big", "category_id": "b"} == TYPE.verdict(IDS, {"category": "big"}).response


def test_the_mock_uses_every_category_and_carries_ids():
    mocks = [Categorization().mock_response(IDS, random.Random(seed)) for seed in range(50)]
    assert {("big", "b"), ("small", "s"), ("none", "n")} == {(m["category"], m["category_id"]) for m in mocks}
    counts = {len(Categorization().mock_response(SEVERAL, random.Random(seed))["category"]) for seed in range(50)}
    assert {1, 2, 3} == counts
