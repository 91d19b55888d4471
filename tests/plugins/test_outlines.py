"""Polygons: simple or not, their area, their overlap."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workersai_plugins.outlines import area, crossing, overlap

SQUARE = ((0, 0), (10, 0), (10, 10), (0, 10))
U = ((0, 0), (9, 0), (9, 9), (6, 9), (6, 3), (3, 3), (3, 9), (0, 9))
"""A U, which is not convex: 81 less 3 by 6."""
BOW = ((0, 0), (10, 10), (10, 0), (0, 10))


def moved(outline, dx, dy):
    return tuple((x + dx, y + dy) for x, y in outline)


def star(reaches, centre=(0.0, 0.0)):
    count = len(reaches)
    turns = [math.tau * n / count for n in range(count)]
    return tuple(
        (centre[0] + r * math.cos(turn), centre[1] + r * math.sin(turn)) for r, turn in zip(reaches, turns, strict=True)
    )


stars = st.builds(
    star,
    st.lists(st.floats(1, 10), min_size=3, max_size=12),
    st.tuples(st.floats(-8, 8), st.floats(-8, 8)),
)


@pytest.mark.parametrize(
    ("outline", "expected"), [(SQUARE, 100), (U, 63), (SQUARE[::-1], -100), (moved(U, 1e5, 1e5), 63)]
)
def test_the_area_has_the_sign_of_the_turn(outline, expected):
    assert expected == area(outline)


@pytest.mark.parametrize("outline", [SQUARE, U, U[::-1], SQUARE[:3], star([5, 1] * 20)])
def test_a_simple_polygon_has_no_crossing(outline):
    assert crossing(outline) is None


@pytest.mark.parametrize(
    ("outline", "edge"),
    [
        (BOW, 2),
        (((0, 0), (10, 0), (5, 0), (5, 5)), 1),  # doubles back on itself
        (((0, 0), (5, 5), (0, 0.0), (9, 1)), 1),  # and exactly
        (((0, 0), (10, 0), (10, 10), (5, 0), (0, 10)), 2),  # a corner touches an edge
        (((0, 0), (4, 0), (4, 4), (8, 0), (8, 8), (0, 4)), None),
        (((5, 5), (0, 0), (10, 0), (5, 5), (5, 9)), 2),  # two corners in one place
    ],
)
def test_edges_that_cross_or_touch_are_found(outline, edge):
    assert edge == crossing(outline)


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        (SQUARE, SQUARE, 1),
        (SQUARE, moved(SQUARE, 5, 0), 50 / 150),
        (SQUARE, moved(SQUARE, 5, 5), 25 / 175),
        (SQUARE, moved(SQUARE, 10, 0), 0),
        (SQUARE, moved(SQUARE, 0, 30), 0),
        (SQUARE, ((0, 0), (10, 0), (0, 10)), 0.5),
        (SQUARE, ((2, 2), (4, 2), (4, 4), (2, 4)), 0.04),
        (U, ((3, 3), (6, 3), (6, 9), (3, 9)), 0),  # within its opening
        (U, ((0, 4), (9, 4), (9, 6), (0, 6)), 12 / (63 + 18 - 12)),  # across its arms
        (SQUARE, ((5, -5), (15, 5), (5, 15), (-5, 5)), 100 * 1 / 200),
        (((0, 0), (8, 0), (4, 8)), ((0, 5), (8, 5), (4, -3)), None),
    ],
)
def test_the_overlap_is_exact(a, b, expected):
    if expected is None:
        expected = sampled_overlap(a, b)
        assert pytest.approx(expected, abs=0.01) == overlap(a, b)
    else:
        assert pytest.approx(expected, abs=1e-12) == overlap(a, b)


def sampled_overlap(a, b, steps=400):
    """Return the overlap by counting points of a grid."""
    xs, ys = [x for x, _ in (*a, *b)], [y for _, y in (*a, *b)]
    both = either = 0
    for i in range(steps):
        for j in range(steps):
            x = min(xs) + (max(xs) - min(xs)) * (i + 0.5) / steps
            y = min(ys) + (max(ys) - min(ys)) * (j + 0.5) / steps
            in_a, in_b = inside(a, x, y), inside(b, x, y)
            both += in_a and in_b
            either += in_a or in_b
    return both / either


def inside(outline, x, y):
    crossings = 0
    for (ax, ay), (bx, by) in zip(outline, [*outline[1:], outline[0]], strict=True):
        if (ay > y) != (by > y) and x < ax + (bx - ax) * (y - ay) / (by - ay):
            crossings += 1
    return crossings % 2 == 1


@given(stars, stars)
def test_the_overlap_is_symmetric_and_a_share(a, b):
    found = overlap(a, b)
    assert 0 <= found <= 1
    assert found == overlap(b, a)
    assert 1 == overlap(a, a)


@given(st.lists(st.floats(1, 10), min_size=3, max_size=12), st.floats(0.3, 0.9))
def test_a_smaller_copy_within_overlaps_by_its_area(reaches, factor):
    assert pytest.approx(factor**2) == overlap(star(reaches), star([r * factor for r in reaches]))


@given(stars, stars)
def test_the_overlap_is_that_of_counted_points(a, b):
    assert pytest.approx(sampled_overlap(a, b, steps=40), abs=0.12) == overlap(a, b)
