"""The task type `bounding_box`."""

from __future__ import annotations

import random
import time

import pytest

from support.task_type_checks import Checked
from workersai_core.testing import conformance
from workersai_plugins.bounding_box import BoundingBox

conformance.add_tests(globals(), BoundingBox())

TYPE = Checked(BoundingBox())
CARS = {"attachment": "https://example.com/1.jpg", "objects_to_annotate": ["car", "café"]}
SIZED = {**CARS, "image_width": 100, "image_height": 50, "min_width": 4, "min_height": 2}
LABELED = {**CARS, "with_labels": True}


def box(left, top, width, height, label=None):
    named = {"left": left, "top": top, "width": width, "height": height}
    return named if label is None else {**named, "label": label}


def boxes(*all_of_them):
    return {"annotations": [box(*each) for each in all_of_them]}


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({}, [("/attachment", "required"), ("/objects_to_annotate", "required")]),
        ({**CARS, "attachment": "1.jpg"}, [("/attachment", "invalid_url")]),
        ({**CARS, "attachment_type": "pdf"}, [("/attachment_type", "not_in_list")]),
        ({**CARS, "objects_to_annotate": []}, [("/objects_to_annotate", "too_few_items")]),
        ({**CARS, "objects_to_annotate": ["café", "cafe\u0301"]}, [("/objects_to_annotate/1", "duplicate_item")]),
        ({**CARS, "image_width": 10}, [("/image_height", "required")]),
        ({**SIZED, "image_width": 0}, [("/image_width", "too_small")]),
        ({**SIZED, "min_width": 101}, [("/min_width", "too_large")]),
        ({**SIZED, "min_height": 50.5}, [("/min_height", "too_large")]),
        ({**SIZED, "max_width": 3}, [("/max_width", "unknown_field")]),
    ],
)
def test_each_wrong_field_of_the_params_is_named(params, expected):
    assert expected == sorted(TYPE.params(params))


@pytest.mark.parametrize("params", [CARS, SIZED, LABELED, {**SIZED, "min_width": 100, "min_height": 50.0}])
def test_good_params_are_accepted(params):
    assert [] == TYPE.params(params)


@pytest.mark.parametrize(
    ("params", "annotation", "expected"),
    [
        (SIZED, box(0, 0, 100, 50), []),
        (SIZED, box(0.5, 0.25, 99.5, 49.75), []),
        (SIZED, box(1, 0, 100, 50), [("/annotations/0/width", "outside_image")]),
        (SIZED, box(0, 49, 4, 2), [("/annotations/0/height", "outside_image")]),
        (SIZED, box(0, 0, 3.9, 2), [("/annotations/0/width", "too_small")]),
        (SIZED, box(0, 0, 4, 1), [("/annotations/0/height", "too_small")]),
        (CARS, box(0, 0, 0, 1), [("/annotations/0/width", "too_small")]),
        (CARS, box(-1, 0, 1, 1), [("/annotations/0/left", "too_small")]),
        (CARS, box(99_999, 0, 2, 1), [("/annotations/0/width", "outside_image")]),
        (CARS, {"left": 1, "top": 1, "width": 1}, [("/annotations/0/height", "required")]),
        (CARS, box(0, 0, 1, 1, "car"), [("/annotations/0/label", "unknown_field")]),
        (LABELED, box(0, 0, 1, 1, "car"), []),
        (LABELED, box(0, 0, 1, 1, "cafe\u0301"), []),
        (LABELED, box(0, 0, 1, 1), [("/annotations/0/label", "required")]),
        (LABELED, box(0, 0, 1, 1, "dog"), [("/annotations/0/label", "not_in_list")]),
    ],
)
def test_a_box_is_within_the_image_and_large_enough(params, annotation, expected):
    found = TYPE.response(params, {"annotations": [annotation]})
    assert expected == list(dict.fromkeys(found))


def test_there_may_be_no_object():
    assert [] == TYPE.response(CARS, {"annotations": []})
    assert [("/annotations", "required")] == TYPE.response(CARS, {"boxes": []})[1:]


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ([], [], 1),
        ([(0, 0, 10, 10)], [], 0),
        ([(0, 0, 10, 10)], [(0, 0, 10, 10)], 1),
        ([(0, 0, 10, 10)], [(5, 0, 10, 10)], 1 / 3),
        ([(0, 0, 10, 10)], [(10, 0, 10, 10)], 0),
        ([(0, 0, 10, 10), (50, 50, 5, 5)], [(0, 0, 10, 10)], 2 / 3),
        # The best pairs go first, whichever box is named first.
        ([(0, 0, 10, 10), (1, 0, 10, 10)], [(1, 0, 10, 10)], 2 / 3),
    ],
)
def test_agreement_counts_pairs_by_their_overlap(a, b, expected):
    assert pytest.approx(expected) == BoundingBox().agreement(CARS, boxes(*a), boxes(*b))
    assert pytest.approx(expected) == BoundingBox().agreement(CARS, boxes(*b), boxes(*a))


def test_boxes_of_different_labels_do_not_agree():
    assert 0 == BoundingBox().agreement(LABELED, boxes((0, 0, 9, 9, "car")), boxes((0, 0, 9, 9, "café")))
    assert 1 == BoundingBox().agreement(LABELED, boxes((0, 0, 9, 9, "cafe\u0301")), boxes((0, 0, 9, 9, "café")))


def test_the_verdict_has_the_median_edges_of_each_object():
    verdict = TYPE.verdict(
        SIZED,
        boxes((10, 10, 20, 20), (60, 10, 20, 20)),
        boxes((61, 11, 20, 20), (11, 10, 20, 20)),
        boxes((12, 12, 20, 20), (64, 9, 20, 20)),
    )
    assert boxes((11, 10, 20, 20), (61, 10, 20, 20)) == verdict.response
    assert 0.8 < verdict.confidence < 1


def test_an_edge_that_one_drew_badly_does_not_count():
    verdict = TYPE.verdict(SIZED, boxes((10, 10, 20, 20)), boxes((10, 10, 20, 20)), boxes((4, 10, 26, 30)))
    assert boxes((10, 10, 20, 20)) == verdict.response


@pytest.mark.parametrize(
    ("drawn_by", "weights", "expected"),
    [(1, None, 0), (2, None, 1), (1, [5, 1, 1], 1), (2, [1, 1, 2], 0), (2, [1, 1, 1.9], 1)],
)
def test_an_object_needs_more_than_half_of_the_weight(drawn_by, weights, expected):
    answers = [boxes((1, 1, 9, 9))] * drawn_by + [boxes()] * (3 - drawn_by)
    assert expected == len(TYPE.verdict(SIZED, *answers, weights=weights).response["annotations"])


def test_the_label_is_the_one_most_gave_as_the_requester_spells_it():
    verdict = TYPE.verdict(
        LABELED,
        boxes((0, 0, 9, 9, "cafe\u0301")),
        boxes((0, 0, 9, 9, "car")),
        boxes((0, 0, 9, 9.5, "café")),
    )
    assert boxes((0, 0, 9, 9, "café")) == verdict.response


def test_two_objects_in_the_same_place_stay_two():
    both = boxes((0, 0, 9, 9, "café"), (0, 0, 9, 9, "car"))
    verdict = TYPE.verdict(LABELED, both, {"annotations": both["annotations"][::-1]}, both)
    assert (both, 1) == (verdict.response, verdict.confidence)


def test_the_same_box_is_there_once():
    twice = boxes((0, 0, 9, 9), (1, 0, 9, 9), (0, 0, 9, 9.0))
    assert [("/annotations/2", "duplicate_item")] == TYPE.response(CARS, twice)
    labeled = boxes((0, 0, 9, 9, "café"), (0, 0, 9, 9, "car"), (0, 0, 9, 9, "cafe\u0301"))
    assert [("/annotations/2", "duplicate_item")] == TYPE.response(LABELED, labeled)


def test_two_objects_whose_medians_are_the_same_become_one():
    answers = [boxes((0, 0, 9, 9), (1, 0, 9, 9)), boxes((0, 0, 9, 9), (2, 0, 9, 9)), boxes((1, 0, 9, 9), (2, 0, 9, 9))]
    found = TYPE.verdict(CARS, *answers).response["annotations"]
    assert len(found) == len({str(each) for each in found})


def test_a_pile_of_boxes_agrees_with_itself():
    pile = boxes(*((n / 10, 0, 50, 50) for n in range(40)))
    assert 1 == BoundingBox().agreement(CARS, pile, {"annotations": pile["annotations"][::-1]})
    assert pile == TYPE.verdict(CARS, pile, pile).response


def test_numbers_come_back_as_they_were_drawn():
    """Adding and taking away the width would give 0.19999999999999998."""
    drawn = boxes((0.1, 0.7, 0.2, 0.1))
    assert drawn == TYPE.verdict(CARS, drawn, drawn).response


def test_a_verdict_made_of_several_boxes_stays_within_the_image():
    rng = random.Random(7)
    for _ in range(300):
        answers = []
        for _ in range(3):
            left, top = 96 - 0.1 * rng.random(), 48 - 0.1 * rng.random()
            answers.append(boxes((left, top, 100 - left, 50 - top)))
        assert 1 == len(TYPE.verdict(SIZED, *answers).response["annotations"])


def test_the_mock_has_the_least_size_and_the_labels_of_the_task():
    params = {**SIZED, "with_labels": True, "min_width": 100}
    labels = set()
    for n in range(50):
        mock = BoundingBox().mock_response(params, random.Random(n))
        assert [] == TYPE.response(params, mock)
        labels |= {each["label"] for each in mock["annotations"]}
    assert {"car", "café"} == labels


@pytest.mark.parametrize("spread", [5000, 20])
def test_many_boxes_are_gathered_in_good_time(spread):
    rng = random.Random(1)
    crowd = boxes(*((rng.random() * spread, rng.random() * spread, 40, 80) for _ in range(300)))
    start = time.process_time()
    verdict = TYPE.verdict(CARS, crowd, crowd, crowd)
    assert (300, 1) == (len(verdict.response["annotations"]), verdict.confidence)
    assert time.process_time() - start < 10


def test_a_verdict_has_no_more_boxes_than_an_answer_may_have():
    third = [[(10 * k, 100 * n, 5, 5) for k in range(150)] for n in range(3)]
    answers = [boxes(*third[n], *third[n - 1]) for n in range(3)]
    assert 300 == len(TYPE.verdict(CARS, *answers).response["annotations"])
