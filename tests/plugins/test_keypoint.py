"""The task type `keypoint`."""

from __future__ import annotations

import math
import random

import pytest

from support.task_type_checks import Checked
from workersai_core.testing import conformance
from workersai_plugins.keypoint import Keypoint

conformance.add_tests(globals(), Keypoint())

TYPE = Checked(Keypoint())
HANDS = {
    "attachment": "https://example.com/1.jpg",
    "objects_to_annotate": ["person"],
    "keypoints": ["left", "right"],
    "image_width": 200,
    "image_height": 100,
}
LABELED = {**HANDS, "objects_to_annotate": ["person", "robot"], "with_labels": True}
ABSENT = {"visibility": 0}


def at(x, y, visibility=2):
    return {"x": x, "y": y, "visibility": visibility}


def marked(*objects, **label):
    """Return a response with objects of these (left, right)."""
    return {"annotations": [{"keypoints": {"left": left, "right": right}, **label} for left, right in objects]}


PERSON = (at(10, 10), at(50, 50))


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        (HANDS, []),
        ({**HANDS, "skeleton": [["left", "right"]]}, []),
        ({**HANDS, "keypoints": []}, [("/keypoints", "too_few_items")]),
        ({**HANDS, "keypoints": ["a", " "]}, [("/keypoints/1", "blank")]),
        ({**HANDS, "keypoints": ["é", "e\u0301"]}, [("/keypoints/1", "duplicate_item")]),
        ({**HANDS, "skeleton": [["left", "nose"]]}, [("/skeleton/0/1", "not_in_list")]),
        ({**HANDS, "skeleton": [["left", "left"]]}, [("/skeleton/0/1", "duplicate_item")]),
        ({**HANDS, "skeleton": [["left"]]}, [("/skeleton/0", "too_few_items")]),
        ({name: HANDS[name] for name in ("attachment", "objects_to_annotate")}, [("/keypoints", "required")]),
    ],
)
def test_each_wrong_field_of_the_params_is_named(params, expected):
    assert expected == TYPE.params(params)


@pytest.mark.parametrize(
    ("points", "expected"),
    [
        (PERSON, []),
        ((at(0, 100), at(200, 0, 1)), []),
        ((at(0, 100), ABSENT), []),
        ((at(201, 0), at(0, 101)), ["/left/x outside_image", "/right/y outside_image"]),
        ((at(1, 1, 0), at(1, 1)), ["/left/x not_allowed"]),
        (({"visibility": 1}, at(1, 1)), ["/left/x required"]),
        (({"visibility": 2, "x": 1}, at(1, 1)), ["/left/y required"]),
        ((at(1, 1, 3), at(1, 1)), ["/left/visibility not_in_list"]),
        ((ABSENT, ABSENT), [" blank"]),
    ],
)
def test_each_point_has_a_place_where_it_is_visible(points, expected):
    found = TYPE.response(HANDS, marked(points))
    assert expected == [f"{where.removeprefix('/annotations/0/keypoints')} {code}" for where, code in found]


def test_every_point_of_the_task_is_answered_and_no_other():
    response = {"annotations": [{"keypoints": {"left": at(1, 1), "nose": at(1, 1)}}]}
    expected = [("/annotations/0/keypoints/nose", "unknown_field"), ("/annotations/0/keypoints/right", "required")]
    assert expected == TYPE.response(HANDS, response)


def test_labels_are_those_of_the_task():
    assert [] == TYPE.response(LABELED, marked(PERSON, label="robot"))
    assert [("/annotations/0/label", "not_in_list")] == TYPE.response(LABELED, marked(PERSON, label="dog"))
    assert [("/annotations/0/label", "required")] == TYPE.response(LABELED, marked(PERSON))


def test_the_same_object_is_there_once():
    assert [("/annotations/1", "duplicate_item")] == TYPE.response(HANDS, marked(PERSON, PERSON))


def similar(a, b):
    found = Keypoint().agreement(HANDS, marked(a), marked(b))
    assert found == Keypoint().agreement(HANDS, marked(b), marked(a))
    return found


def test_similarity_falls_with_the_distance_by_the_size_of_the_object():
    # The points of both take up 44 by 40 pixels.
    expected = (math.exp(-(4**2) / (2 * 44 * 40 * 0.2**2)) + 1) / 2
    assert pytest.approx(expected) == similar((at(10, 10), at(54, 50)), (at(14, 10), at(54, 50)))
    far = similar((at(10, 10), at(50, 50)), (at(60, 60), at(100, 100)))
    assert far < similar((at(10, 10), at(50, 50)), (at(12, 12), at(52, 52))) < 1


def test_a_point_that_only_one_side_has_is_missed_and_hidden_ones_count_as_seen():
    assert 0.5 == similar((at(10, 10), at(50, 50)), (at(10, 10), ABSENT))
    assert 1 == similar((at(10, 10), ABSENT), (at(10, 10), ABSENT))
    assert 1 == similar((at(10, 10, 1), at(50, 50)), (at(10, 10), at(50, 50, 1)))
    assert 0 == similar((at(10, 10), ABSENT), (ABSENT, at(10, 10)))


def test_objects_are_paired_and_missing_ones_lower_the_agreement():
    other = (at(110, 10), at(150, 50))
    assert pytest.approx(1) == Keypoint().agreement(HANDS, marked(PERSON, other), marked(other, PERSON))
    assert pytest.approx(2 / 3) == Keypoint().agreement(HANDS, marked(PERSON, other), marked(other))
    assert 1 == Keypoint().agreement(HANDS, marked(), marked())


def test_the_verdict_has_the_median_of_each_point():
    verdict = TYPE.verdict(
        HANDS,
        marked((at(10, 10), at(50, 50))),
        marked((at(12, 11), at(51, 52, 1))),
        marked((at(11, 30), at(52, 51, 1))),
    )
    assert marked((at(11, 11), at(51, 51, 1))) == verdict.response
    assert 0 < verdict.confidence < 1


def test_a_point_that_most_did_not_find_is_absent():
    verdict = TYPE.verdict(HANDS, marked((at(10, 10), at(50, 50))), *[marked((at(10, 10), ABSENT))] * 2)
    assert marked((at(10, 10), ABSENT)) == verdict.response


def test_an_object_that_only_one_of_three_marked_is_left_out():
    other = (at(150, 10), at(190, 50))
    verdict = TYPE.verdict(HANDS, marked(PERSON, other), marked(PERSON), marked(PERSON))
    assert marked(PERSON) == verdict.response


def test_the_label_is_the_one_most_gave():
    given = [marked(PERSON, label=label) for label in ("robot", "person", "robot")]
    assert marked(PERSON, label="robot") == TYPE.verdict(LABELED, *given).response


def test_the_mock_shows_every_visibility():
    seen = set()
    for n in range(40):
        mock = Keypoint().mock_response(LABELED, random.Random(n))
        assert [] == TYPE.response(LABELED, mock)
        seen |= {point["visibility"] for each in mock["annotations"] for point in each["keypoints"].values()}
    assert {0, 1, 2} == seen


def test_a_verdict_has_no_more_objects_than_an_answer_may_have():
    wide = {name: value for name, value in HANDS.items() if not name.startswith("image_")}
    third = [[(at(1000 * k, 1000 * n), at(1000 * k + 9, 1000 * n + 9)) for k in range(25)] for n in range(3)]
    answers = [marked(*third[n], *third[n - 1]) for n in range(3)]
    assert 50 == len(TYPE.verdict(wide, *answers).response["annotations"])
