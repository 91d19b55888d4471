"""The task type `text_response`."""

from __future__ import annotations

import random
import unicodedata

import pytest

from support.task_type_checks import Checked
from workersai_core.testing import conformance
from workersai_plugins.text_response import TextResponse

conformance.add_tests(globals(), TextResponse(), examples=30)

TYPE = Checked(TextResponse())
IMAGE = {"attachment_type": "image", "attachment": "https://example.com/1.jpg"}
SHORT = {**IMAGE, "min_length": 5, "max_length": 30}


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"attachment": "x"}, [("/attachment_type", "required")]),
        ({"attachment_type": "text"}, [("/attachment", "required")]),
        ({**IMAGE, "attachment": "1.jpg"}, [("/attachment", "invalid_url")]),
        ({**IMAGE, "attachment_type": "text", "attachment": " "}, [("/attachment", "blank")]),
        ({"language": "한국어"}, [("/language", "invalid_language")]),
        ({"min_length": 0}, [("/min_length", "too_small")]),
        ({"max_length": 20_001}, [("/max_length", "too_large")]),
        ({"max_length": "9"}, [("/max_length", "wrong_type")]),
        ({"min_length": 9, "max_length": 8}, [("/max_length", "too_small")]),
        ({"words": 9}, [("/words", "unknown_field")]),
    ],
)
def test_each_wrong_field_of_the_params_is_named(params, expected):
    assert expected == TYPE.params(params)


@pytest.mark.parametrize("params", [{}, IMAGE, SHORT, {"min_length": 8, "max_length": 8, "language": "ko"}])
def test_good_params_are_accepted(params):
    assert [] == TYPE.params(params)


@pytest.mark.parametrize(
    ("response", "expected"),
    [
        ({}, [("", "required")]),
        ({"txt": "Hello there."}, [("/text", "required"), ("/txt", "unknown_field")]),
        ({"text": ["Hello"]}, [("/text", "wrong_type")]),
        ({"text": "four"}, [("/text", "too_short")]),
        ({"text": "a" * 31}, [("/text", "too_long")]),
        ({"text": " " * 9}, [("/text", "blank")]),
        ({"text": "다섯 글자"}, []),
        ({"text": "😀😀😀😀😀"}, []),
    ],
)
def test_each_wrong_field_of_a_response_is_named(response, expected):
    assert expected == sorted(TYPE.response(SHORT, response))


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ("A dog sleeps.", "a DOG sleeps", 1.0),
        ("a dog sleeps", "a small dog sleeps", 6 / 7),
        ("a dog sleeps", "two cats play", 0.0),
        ("개가 잔다", unicodedata.normalize("NFD", "개가 잔다!"), 1.0),
        ("강아지가 소파에서 잔다", "강아지가 소파에서 놀다", 2 / 3),
        ("😀", "😀 ", 1.0),
        ("😀", "🙁", 0.0),
        ("!", "?", 0.0),
    ],
)
def test_agreement_is_the_share_of_common_words_in_order(a, b, expected):
    assert pytest.approx(expected) == TextResponse().agreement({}, {"text": a}, {"text": b})
    assert pytest.approx(expected) == TextResponse().agreement({}, {"text": b}, {"text": a})


def test_the_verdict_is_the_text_that_agrees_best_with_the_others():
    texts = ("A cat plays.", "A dog sleeps on the sofa.", "A small dog sleeps on a sofa.", "A dog sleeps.")
    verdict = TYPE.verdict({}, *({"text": text} for text in texts))
    assert {"text": "A dog sleeps on the sofa."} == verdict.response
    agreements = [TextResponse().agreement({}, verdict.response, {"text": text}) for text in texts]
    assert pytest.approx(sum(agreements) / 4) == verdict.confidence


def test_one_text_stands_as_it_is_and_of_two_the_heavier():
    verdict = TYPE.verdict({}, {"text": "  So it is. "})
    assert ({"text": "  So it is. "}, 1.0) == (verdict.response, verdict.confidence)
    assert {"text": "b"} == TYPE.verdict({}, {"text": "a"}, {"text": "b"}, weights=[1, 2]).response


@pytest.mark.parametrize(
    "params", [{}, SHORT, {"min_length": 1, "max_length": 1}, {"min_length": 333, "language": "ko"}, {"max_length": 25}]
)
def test_the_mock_has_the_length_it_must_have(params):
    for seed in range(20):
        assert [] == TYPE.response(params, TextResponse().mock_response(params, random.Random(seed)))


def test_the_mock_is_korean_where_the_task_is():
    assert "예시" in TextResponse().mock_response({"language": "ko-KR"}, random.Random(1))["text"]
