"""The task type `named_entity_recognition`."""

from __future__ import annotations

import random
import time
import unicodedata

import pytest

from support.task_type_checks import Checked
from workersai_core.testing import conformance
from workersai_plugins.named_entity_recognition import NamedEntityRecognition

conformance.add_tests(globals(), NamedEntityRecognition())

TYPE = Checked(NamedEntityRecognition())
ADA = {"text": "Ada met Bob in Rome.", "labels": ["person", "city", "café"]}
NESTED = {**ADA, "overlap": "nested"}
ANY = {**ADA, "overlap": "any"}


def spans(*marked, text=ADA["text"]):
    """Return a response with these (start, end, label), which quote what stands there."""
    return {
        "spans": [{"start": start, "end": end, "label": label, "text": text[start:end]} for start, end, label in marked]
    }


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        (ADA, []),
        (NESTED, []),
        ({}, [("/labels", "required"), ("/text", "required")]),
        ({**ADA, "text": ""}, [("/text", "too_short")]),
        ({**ADA, "text": " \n"}, [("/text", "blank")]),
        ({**ADA, "labels": []}, [("/labels", "too_few_items")]),
        ({**ADA, "labels": ["a", " "]}, [("/labels/1", "blank")]),
        ({**ADA, "labels": ["café", "cafe\u0301"]}, [("/labels/1", "duplicate_item")]),
        ({**ADA, "overlap": "all"}, [("/overlap", "not_in_list")]),
    ],
)
def test_each_wrong_field_of_the_params_is_named(params, expected):
    assert expected == sorted(TYPE.params(params))


@pytest.mark.parametrize(
    ("span", "expected"),
    [
        ({}, []),
        ({"start": 8.0, "end": 11.0}, []),
        ({"label": "dog"}, ["/label not_in_list"]),
        ({"end": 8}, ["/end too_small"]),
        ({"start": 11, "end": 8}, ["/end too_small"]),
        ({"end": 12}, ["/text differs"]),
        ({"text": "bob"}, ["/text differs"]),
        ({"start": 19, "end": 20, "text": "."}, []),
        ({"start": 20, "end": 21, "text": "."}, ["/end too_large", "/start too_large"]),
        ({"start": -1}, ["/start too_small"]),
        ({"start": 8.5}, ["/start wrong_type"]),
        ({"text": ""}, ["/text too_short"]),
    ],
)
def test_a_span_lies_in_the_text_and_quotes_it(span, expected):
    bob = {"start": 8, "end": 11, "label": "person", "text": "Bob"}
    found = TYPE.response(ADA, {"spans": [{**bob, **span}]})
    assert expected == sorted(f"{where.removeprefix('/spans/0')} {code}" for where, code in found)


def test_offsets_count_code_points():
    text = "👩‍🚀 met Bob"
    params = {**ADA, "text": text}
    assert [] == TYPE.response(params, spans((8, 11, "person"), text=text))
    as_browsers_count = {"start": 10, "end": 11, "label": "person", "text": "Bob"}
    assert [("/spans/0/text", "differs")] == TYPE.response(params, {"spans": [as_browsers_count]})


def test_the_quote_is_compared_character_by_character():
    text = unicodedata.normalize("NFD", "김민지")
    params = {**ADA, "text": text}
    assert [] == TYPE.response(params, spans((0, len(text), "person"), text=text))
    composed = {"start": 0, "end": len(text), "label": "person", "text": "김민지"}
    assert [("/spans/0/text", "differs")] == TYPE.response(params, {"spans": [composed]})


MET = (4, 7, "person")
AFTER = (8, 11, "person")
AROUND = (0, 11, "city")
ACROSS = (5, 9, "city")


@pytest.mark.parametrize(
    ("params", "marked", "expected"),
    [
        (ADA, [MET, AFTER], []),
        (ADA, [AROUND, MET], [("/spans/1", "overlap")]),
        (ADA, [MET, AROUND], [("/spans/0", "overlap")]),
        (ADA, [MET, (4, 7, "city")], [("/spans/0", "overlap")]),
        (NESTED, [MET, (4, 7, "city")], []),
        (NESTED, [AROUND, MET, AFTER], []),
        (NESTED, [MET, AFTER, ACROSS], [("/spans/1", "overlap"), ("/spans/2", "overlap")]),
        (ANY, [MET, AFTER, ACROSS, AROUND], []),
        (ANY, [MET, MET], [("/spans/1", "duplicate_item")]),
        (ANY, [(4, 7, "café"), (4, 7, "cafe\u0301")], [("/spans/1", "duplicate_item")]),
    ],
)
def test_spans_overlap_only_as_the_task_allows(params, marked, expected):
    assert expected == sorted(TYPE.response(params, spans(*marked)))


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ([], [], 1),
        ([MET], [], 0),
        ([MET, AFTER], [AFTER], 2 / 3),
        ([MET], [(4, 7, "city")], 0),
        ([MET, AFTER], [AFTER, MET], 1),
    ],
)
def test_agreement_is_the_f_measure(a, b, expected):
    assert expected == NamedEntityRecognition().agreement(ADA, spans(*a), spans(*b))


def test_the_verdict_has_the_spans_that_more_than_half_marked():
    verdict = TYPE.verdict(ADA, spans(MET, AFTER), spans(AFTER), spans((15, 19, "city"), AFTER))
    assert spans(AFTER) == verdict.response
    assert pytest.approx((1 + 2 / 3 + 2 / 3) / 3) == verdict.confidence


def test_labels_come_back_as_the_requester_spelled_them():
    verdict = TYPE.verdict(ADA, spans((4, 7, "cafe\u0301")), spans((4, 7, "cafe\u0301")))
    assert (spans((4, 7, "café")), 1) == (verdict.response, verdict.confidence)


def test_nobody_marking_anything_is_agreement():
    verdict = TYPE.verdict(ADA, spans(), spans())
    assert (spans(), 1) == (verdict.response, verdict.confidence)


def test_weights_count():
    assert spans(MET) == TYPE.verdict(ADA, spans(MET), spans(), spans(), weights=[3, 1, 1]).response
    assert spans() == TYPE.verdict(ADA, spans(MET), spans(), spans(), weights=[2, 1, 1]).response


def test_the_mock_marks_words_and_where_there_are_none_everything():
    for text in ("Ada met Bob in Rome.", "…!", "한 단어"):
        mock = NamedEntityRecognition().mock_response({**ADA, "text": text}, random.Random(3))
        assert [] == TYPE.response({**ADA, "text": text}, mock)
        assert mock["spans"]


def test_a_long_text_with_many_spans_is_checked_in_good_time():
    params = {**NESTED, "text": "ab " * 30_000}
    many = spans(*((3 * n, 3 * n + 2, "person") for n in range(2000)), text=params["text"])
    start = time.process_time()
    assert [] == TYPE.response(params, many)
    assert many == TYPE.verdict(params, many, many, many).response
    assert time.process_time() - start < 5


def test_a_verdict_has_no_more_spans_than_an_answer_may_have():
    params = {**ADA, "text": "a" * 3000}
    third = [[(3000 * n // 3 + k, 3000 * n // 3 + k + 1, "person") for k in range(1000)] for n in range(3)]
    answers = [spans(*third[n], *third[n - 1], text=params["text"]) for n in range(3)]
    assert 2000 == len(TYPE.verdict(params, *answers).response["spans"])
