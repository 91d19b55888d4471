"""The task type `comparison`."""

from __future__ import annotations

import random
import unicodedata

import pytest

from support.task_type_checks import Checked
from workersai_core.testing import conformance
from workersai_plugins.comparison import Comparison
from workersai_server.web import forms
from workersai_server.web.console.items import exhibits_of

conformance.add_tests(globals(), Comparison(), examples=30)

TYPE = Checked(Comparison())
A = {"type": "image", "url": "https://example.com/1.jpg"}
B = {"type": "text", "text": "안녕"}
PAIR = {"attachments": [A, B]}
WORDS = {**PAIR, "choices": ["첫째", "둘째", "같다"]}
NFD = unicodedata.normalize("NFD", "첫째")


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({}, [("/attachments", "required")]),
        ({"attachments": [A]}, [("/attachments", "too_few_items")]),
        ({"attachments": [A] * 7}, [("/attachments", "too_many_items")]),
        ({"attachments": [A, "b"]}, [("/attachments/1", "wrong_type")]),
        ({"attachments": [A, {"url": "https://example.com"}]}, [("/attachments/1/type", "required")]),
        ({"attachments": [A, {**A, "type": "photo"}]}, [("/attachments/1/type", "not_in_list")]),
        ({"attachments": [A, {"type": "text"}]}, [("/attachments/1/text", "required")]),
        ({"attachments": [A, {"type": "audio"}]}, [("/attachments/1/url", "required")]),
        ({"attachments": [A, {**A, "text": "a"}]}, [("/attachments/1/text", "not_allowed")]),
        (
            {"attachments": [{"type": "text", "url": "x"}, B]},
            [("/attachments/0/text", "required"), ("/attachments/0/url", "not_allowed")],
        ),
        ({"attachments": [A, {**A, "url": "2.jpg"}]}, [("/attachments/1/url", "invalid_url")]),
        ({"attachments": [A, {**B, "text": " "}]}, [("/attachments/1/text", "blank")]),
        ({**PAIR, "choices": ["a"]}, [("/choices", "too_few_items")]),
        ({**PAIR, "choices": ["a", "a"]}, [("/choices/1", "duplicate_item")]),
        ({**PAIR, "choices": ["첫째", NFD]}, [("/choices/1", "duplicate_item")]),
        ({**PAIR, "choices": ["a", ""]}, [("/choices/1", "too_short")]),
        ({**PAIR, "choices": ["a", " "]}, [("/choices/1", "blank")]),
        ({**PAIR, "choice": ["a", "b"]}, [("/choice", "unknown_field")]),
    ],
)
def test_each_wrong_field_of_the_params_is_named(params, expected):
    assert expected == sorted(TYPE.params(params))


@pytest.mark.parametrize("params", [PAIR, WORDS, {"attachments": [A] * 6}])
def test_good_params_are_accepted(params):
    assert [] == TYPE.params(params)


@pytest.mark.parametrize(
    ("params", "response", "expected"),
    [
        (PAIR, {}, [("", "required")]),
        (PAIR, {"choice": "C"}, [("/choice", "not_in_list")]),
        (PAIR, {"choice": "a"}, [("/choice", "not_in_list")]),
        (PAIR, {"choice": 1}, [("/choice", "not_in_list"), ("/choice", "wrong_type")]),
        (PAIR, {"choice": "A", "why": "x"}, [("/why", "unknown_field")]),
        (WORDS, {"choice": "A"}, [("/choice", "not_in_list")]),
        (WORDS, {"choice": NFD[:-1]}, [("/choice", "not_in_list")]),
        (PAIR, {"choice": "B"}, []),
        ({"attachments": [A, B, A]}, {"choice": "C"}, []),
        (WORDS, {"choice": "같다"}, []),
        (WORDS, {"choice": NFD}, []),
    ],
)
def test_each_wrong_field_of_a_response_is_named(params, response, expected):
    assert expected == sorted(TYPE.response(params, response))


def test_the_form_offers_the_choices_with_their_keys():
    (field,) = forms.build(TYPE.schema(WORDS), language="ko", ui=Comparison.ui).children
    assert "선택" == field.label
    assert [("첫째", "1"), ("둘째", "2"), ("같다", "3")] == [(each.value, each.hotkey) for each in field.choices]


def test_the_console_shows_the_attachments_by_their_letters():
    exhibits = list(exhibits_of(Comparison(), PAIR, "ko"))
    expected = [("image", A["url"], "A – 볼 것"), ("text", B["text"], "B – 글")]
    assert expected == [(each.kind, each.value, each.label) for each in exhibits]


def test_most_votes_win_and_their_share_is_the_confidence():
    verdict = TYPE.verdict(PAIR, {"choice": "B"}, {"choice": "A"}, {"choice": "B"})
    assert ({"choice": "B"}, 2 / 3) == (verdict.response, verdict.confidence)
    verdict = TYPE.verdict(PAIR, {"choice": "B"}, {"choice": "A"}, weights=[1, 3])
    assert ({"choice": "A"}, 0.75) == (verdict.response, verdict.confidence)
    assert {"choice": "A"} == TYPE.verdict(PAIR, {"choice": "B"}, {"choice": "A"}).response


def test_spellings_of_a_choice_are_one_vote_and_the_verdict_is_the_requesters():
    verdict = TYPE.verdict(WORDS, {"choice": NFD}, {"choice": "같다"}, {"choice": "첫째"})
    assert {"choice": "첫째"} == verdict.response
    assert 1.0 == Comparison().agreement(WORDS, {"choice": NFD}, {"choice": "첫째"})
    assert 0.0 == Comparison().agreement(WORDS, {"choice": "둘째"}, {"choice": "첫째"})


def test_the_mock_makes_every_choice():
    assert {"A", "B"} == {Comparison().mock_response(PAIR, random.Random(n))["choice"] for n in range(20)}
