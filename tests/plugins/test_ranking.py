"""The task type `ranking`."""

from __future__ import annotations

import random
import unicodedata
from itertools import pairwise, permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.task_type_checks import Checked
from workersai_core.testing import conformance
from workersai_plugins.ranking import Ranking
from workersai_server.web import forms

conformance.add_tests(globals(), Ranking(), examples=30)

TYPE = Checked(Ranking())
ABC = {"items": ["a", "b", "c"]}
KOREAN = {"items": ["서울", "부산", "제주"]}
NFD = unicodedata.normalize("NFD", "서울")


def ranked(text):
    return {"ranking": list(text)}


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({}, [("/items", "required")]),
        ({"items": "abc"}, [("/items", "wrong_type")]),
        ({"items": ["a"]}, [("/items", "too_few_items")]),
        ({"items": [str(n) for n in range(51)]}, [("/items", "too_many_items")]),
        ({"items": ["a", ""]}, [("/items/1", "too_short")]),
        ({"items": ["a", "b" * 2001]}, [("/items/1", "too_long")]),
        ({"items": ["a", " "]}, [("/items/1", "blank")]),
        ({"items": ["a", "b", "a"]}, [("/items/2", "duplicate_item")]),
        ({"items": ["서울", NFD]}, [("/items/1", "duplicate_item")]),
        ({**ABC, "attachment": "x"}, [("/attachment_type", "required")]),
        ({**ABC, "attachment_type": "pdf", "attachment": "x"}, [("/attachment", "invalid_url")]),
        ({**ABC, "item": 1}, [("/item", "unknown_field")]),
    ],
)
def test_each_wrong_field_of_the_params_is_named(params, expected):
    assert expected == TYPE.params(params)


@pytest.mark.parametrize("params", [ABC, KOREAN, {**ABC, "attachment_type": "text", "attachment": "알파벳"}])
def test_good_params_are_accepted(params):
    assert [] == TYPE.params(params)


@pytest.mark.parametrize(
    ("params", "response", "expected"),
    [
        (ABC, {}, [("", "required")]),
        (ABC, {"order": ["a", "b", "c"]}, [("/order", "unknown_field"), ("/ranking", "required")]),
        (ABC, {"ranking": "abc"}, [("/ranking", "wrong_type")]),
        (ABC, ranked("ab"), [("/ranking", "too_few_items")]),
        (ABC, ranked("abca"), [("/ranking", "too_many_items")]),
        (ABC, ranked("abx"), [("/ranking/2", "not_in_list")]),
        (ABC, ranked("aab"), [("/ranking/1", "duplicate_item")]),
        (KOREAN, {"ranking": ["서울", "부산", NFD]}, [("/ranking/2", "duplicate_item")]),
        (ABC, ranked("cab"), []),
        (KOREAN, {"ranking": ["부산", NFD, "제주"]}, []),
    ],
)
def test_each_wrong_field_of_a_response_is_named(params, response, expected):
    assert expected == sorted(TYPE.response(params, response))


def test_the_form_keeps_the_order():
    response = {"ranking": ["제주", "서울", "부산"]}
    (field,) = forms.build(TYPE.schema(KOREAN), response, language="ko", ui=Ranking.ui).children
    assert ("array", "순위", "ranking") == (field.kind, field.label, field.widget)
    selected = [choice.value for child in field.children for choice in child.choices if choice.selected]
    assert response["ranking"] == selected


@pytest.mark.parametrize(
    ("a", "b", "expected"), [("abc", "abc", 1), ("abc", "cba", 0), ("abc", "acb", 2 / 3), ("abc", "cab", 1 / 3)]
)
def test_agreement_is_the_share_of_pairs_in_the_same_order(a, b, expected):
    assert expected == Ranking().agreement(ABC, ranked(a), ranked(b))
    assert expected == Ranking().agreement(ABC, ranked(b), ranked(a))


@pytest.mark.parametrize(
    ("rankings", "weights", "expected", "confidence"),
    [
        (["cab"], None, "cab", 1),
        (["abc", "abc", "cba"], None, "abc", 2 / 3),
        (["abc", "cba"], [1, 2], "cba", 2 / 3),
        (["abc", "bca", "cab"], None, "abc", (1 + 1 / 3 + 1 / 3) / 3),
        (["abc", "cba"], None, "abc", 0.5),
        (["acb", "bac", "abc"], None, "abc", (2 / 3 + 2 / 3 + 1) / 3),
    ],
)
def test_the_verdict_contradicts_the_fewest_preferences(rankings, weights, expected, confidence):
    verdict = TYPE.verdict(ABC, *map(ranked, rankings), weights=weights)
    assert ranked(expected) == verdict.response
    assert pytest.approx(confidence) == verdict.confidence


@given(st.data())
def test_no_order_is_better_than_the_verdict(data):
    items = "abcde"[: data.draw(st.integers(2, 5))]
    rankings = data.draw(st.lists(st.permutations(items), min_size=1, max_size=5))
    weights = data.draw(st.lists(st.sampled_from([1, 0.5, 3]), min_size=len(rankings), max_size=len(rankings)))
    params = {"items": list(items)}
    verdict = TYPE.verdict(params, *map(ranked, rankings), weights=weights)

    def score(order):
        pairs = zip(rankings, weights, strict=True)
        return sum(weight * Ranking().agreement(params, ranked(order), ranked(each)) for each, weight in pairs)

    assert pytest.approx(max(map(score, permutations(items)))) == score(verdict.response["ranking"])


def test_a_long_ranking_keeps_what_a_majority_wants_of_neighbours():
    items = [f"항목 {n}" for n in range(20)]
    params = {"items": items}
    rng = random.Random(1)
    answers = []
    for _ in range(5):
        order = list(items)
        for _ in range(6):
            n = rng.randrange(19)
            order[n], order[n + 1] = order[n + 1], order[n]
        answers.append({"ranking": order})
    verdict = TYPE.verdict(params, *answers)
    found = verdict.response["ranking"]
    for above, below in pairwise(found):
        agreeing = sum(each["ranking"].index(above) < each["ranking"].index(below) for each in answers)
        assert agreeing >= 3
    assert verdict.confidence > 0.9


def test_the_verdict_spells_items_as_the_requester():
    assert KOREAN["items"] == TYPE.verdict(KOREAN, {"ranking": [NFD, "부산", "제주"]}).response["ranking"]


def test_the_mock_orders_by_chance():
    mocks = {"".join(Ranking().mock_response(ABC, random.Random(n))["ranking"]) for n in range(60)}
    assert 6 == len(mocks)
