"""The task type `polygon`."""

from __future__ import annotations

import random
import time

import pytest

from support.task_type_checks import Checked
from workersai_core.testing import conformance
from workersai_plugins.polygon import Polygon

conformance.add_tests(globals(), Polygon())

TYPE = Checked(Polygon())
ROOFS = {"attachment": "https://example.com/1.jpg", "objects_to_annotate": ["roof", "panel"]}
SIZED = {**ROOFS, "image_width": 100, "image_height": 50}
LABELED = {**ROOFS, "with_labels": True}
SQUARE = [(0, 0), (10, 0), (10, 10), (0, 10)]
WIDE = [(0, 0), (12, 0), (12, 10), (0, 10)]


def polygon(*corners, label=None):
    found = {"vertices": [{"x": x, "y": y} for x, y in corners]}
    return found if label is None else {**found, "label": label}


def polygons(*outlines, label=None):
    return {"annotations": [polygon(*each, label=label) for each in outlines]}


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({**ROOFS, "attachment": "1.jpg"}, [("/attachment", "invalid_url")]),
        ({**ROOFS, "min_vertices": 2}, [("/min_vertices", "too_small")]),
        ({**ROOFS, "max_vertices": 201}, [("/max_vertices", "too_large")]),
        ({**ROOFS, "min_vertices": 5, "max_vertices": 4}, [("/max_vertices", "too_small")]),
        ({**ROOFS, "min_width": 5}, [("/min_width", "unknown_field")]),
        ({**ROOFS, "min_vertices": 4.0, "max_vertices": 4}, []),
    ],
)
def test_each_wrong_field_of_the_params_is_named(params, expected):
    assert expected == TYPE.params(params)


@pytest.mark.parametrize(
    ("params", "annotation", "expected"),
    [
        (SIZED, polygon((0, 0), (100, 0), (100, 50)), []),
        (SIZED, polygon((0, 0), (101, 0), (100, 51)), ["/vertices/1/x outside_image", "/vertices/2/y outside_image"]),
        (SIZED, polygon((0, 0), (1, 1)), ["/vertices too_few_items"]),
        ({**SIZED, "min_vertices": 4}, polygon((0, 0), (1, 1), (0, 1)), ["/vertices too_few_items"]),
        ({**SIZED, "max_vertices": 3}, polygon(*SQUARE), ["/vertices too_many_items"]),
        (SIZED, polygon((0, 0), (9, 9), (9, 0), (0, 9)), ["/vertices/2 not_simple"]),
        (SIZED, polygon((0, 0), (9, 9), (9, 9), (0, 9)), ["/vertices/2 duplicate_item"]),
        (SIZED, polygon((0, 0), (9, 9), (0, 9), (0, 0)), ["/vertices/0 duplicate_item"]),
        (SIZED, polygon((0, 0), (5, 0), (9, 0)), ["/vertices/2 not_simple"]),
        (SIZED, polygon((0, 0), (0.001, 0), (0, 0.001)), ["/vertices too_small"]),
        (LABELED, polygon(*SQUARE), ["/label required"]),
        (LABELED, polygon(*SQUARE, label="door"), ["/label not_in_list"]),
        (LABELED, polygon(*SQUARE, label="panel"), []),
        (ROOFS, polygon(*SQUARE, label="panel"), ["/label unknown_field"]),
    ],
)
def test_a_polygon_is_simple_and_within_the_image(params, annotation, expected):
    found = TYPE.response(params, {"annotations": [annotation]})
    assert expected == [f"{where.removeprefix('/annotations/0')} {code}" for where, code in found]


def test_where_the_corners_begin_and_which_way_they_go_makes_no_difference():
    turned = [SQUARE[2:] + SQUARE[:2], SQUARE[::-1]]
    forms = {str(Polygon().normalize(ROOFS, polygons(each))) for each in (SQUARE, *turned)}
    assert 1 == len(forms)
    assert {1.0} == {Polygon().agreement(ROOFS, polygons(SQUARE), polygons(each)) for each in turned}


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [([], [], 1), ([SQUARE], [], 0), ([SQUARE], [WIDE], 100 / 120), ([SQUARE, WIDE], [WIDE], 2 / 3)],
)
def test_agreement_counts_pairs_by_their_overlap(a, b, expected):
    assert pytest.approx(expected) == Polygon().agreement(ROOFS, polygons(*a), polygons(*b))


def test_the_verdict_is_the_polygon_most_like_all_others():
    middle = [(0, 0), (11, 0), (11, 10), (0, 10)]
    verdict = TYPE.verdict(ROOFS, polygons(WIDE), polygons(middle), polygons(SQUARE))
    assert polygons(middle) == verdict.response
    assert pytest.approx((11 / 12 + 1 + 10 / 11) / 3) == verdict.confidence


def test_an_object_that_only_one_of_three_marked_is_left_out():
    far = [(50, 30), (60, 30), (55, 40)]
    verdict = TYPE.verdict(ROOFS, polygons(SQUARE, far), polygons(SQUARE), polygons(SQUARE))
    assert polygons(SQUARE) == verdict.response
    assert polygons(SQUARE, far) == TYPE.verdict(ROOFS, polygons(SQUARE, far), polygons(far, SQUARE)).response


def test_the_label_is_the_one_most_gave():
    given = [polygons(SQUARE, label=label) for label in ("roof", "panel", "roof")]
    assert polygons(SQUARE, label="roof") == TYPE.verdict(LABELED, *given).response


def test_the_mock_keeps_the_numbers_of_corners():
    for least, most in ((3, 3), (3, 200), (200, 200), (7, 9)):
        params = {**SIZED, "min_vertices": least, "max_vertices": most, "with_labels": True}
        assert [] == TYPE.response(params, Polygon().mock_response(params, random.Random(least)))


def test_large_polygons_are_compared_in_good_time():
    params = {**ROOFS, "min_vertices": 200}
    large = Polygon().mock_response(params, random.Random(1))
    other = polygons([(each["x"] + 3, each["y"]) for each in large["annotations"][0]["vertices"]])
    start = time.process_time()
    assert [] == TYPE.response(params, large)
    assert 0.9 < Polygon().agreement(params, {"annotations": large["annotations"][:1]}, other) < 1
    assert time.process_time() - start < 5


def test_a_pile_of_polygons_is_gathered_in_good_time():
    """One worker's answer must not hold up the service."""
    rng = random.Random(1)

    def pile():
        centres = [(500 + 5 * rng.random(), 500 + 5 * rng.random()) for _ in range(100)]
        return polygons(*([(x, y), (x + 90, y + 9), (x + 80, y + 70), (x + 3, y + 60)] for x, y in centres))

    piled = [pile(), pile(), pile()]
    start = time.process_time()
    assert TYPE.verdict(ROOFS, *piled).response["annotations"]
    assert time.process_time() - start < 10


def test_an_answer_has_at_most_so_many_corners():
    params = {**ROOFS, "min_vertices": 200}
    outline = Polygon().mock_response(params, random.Random(1))["annotations"][0]
    copies = [
        {"vertices": [{"x": corner["x"] + n, "y": corner["y"]} for corner in outline["vertices"]]} for n in range(21)
    ]
    assert [] == TYPE.response(params, {"annotations": copies[:20]})
    assert [("/annotations", "too_many_items")] == TYPE.response(params, {"annotations": copies})


def test_the_same_polygon_is_there_once_wherever_it_begins():
    assert [("/annotations/1", "duplicate_item")] == TYPE.response(ROOFS, polygons(SQUARE, SQUARE[:0:-1] + SQUARE[:1]))


def test_many_polygons_within_the_same_bounds_agree_with_themselves():
    pile = polygons(*([(0, 0), (50, n), (50, 100), (0, 100)] for n in range(1, 30)))
    assert 1 == Polygon().agreement(ROOFS, pile, {"annotations": pile["annotations"][::-1]})
