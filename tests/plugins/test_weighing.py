"""Sums of weighted answers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workersai_plugins import weighing

WEIGHTS = st.lists(st.floats(0.01, 100), min_size=1, max_size=6)
PAIRS = st.lists(st.tuples(st.floats(-10, 10) | st.integers(-10, 10), st.floats(0.01, 100)), min_size=1, max_size=6)


@pytest.mark.parametrize(
    ("pairs", "middle"),
    [
        ([(3, 1)], 3),
        ([(1, 1), (2, 1), (10, 1)], 2),
        ([(1, 1), (2, 1)], 1),
        ([(1, 1), (2, 1), (3, 5)], 3),
        ([(5, 0.1), (5, 0.2), (4, 0.3)], 4),
    ],
)
def test_the_median_is_the_lowest_value_with_half_of_the_weight_up_to_it(pairs, middle):
    assert middle == weighing.median(pairs)
    assert middle == weighing.median(pairs[::-1])


def test_there_is_no_median_of_nothing():
    with pytest.raises(ValueError, match="at least one"):
        weighing.median([])


@given(PAIRS, st.randoms())
def test_the_median_is_one_of_the_values_in_whatever_order_they_come(pairs, random):
    middle = weighing.median(pairs)
    assert middle in [value for value, _ in pairs]
    random.shuffle(pairs)
    assert middle == weighing.median(pairs)


@given(WEIGHTS, WEIGHTS)
def test_a_share_is_between_nothing_and_all(part, rest):
    assert 0 < weighing.share(part, [*part, *rest]) <= 1
    assert 1 == weighing.share(part, part)


def test_half_is_no_majority():
    assert not weighing.is_majority([0.5, 0.25], [0.5, 0.25, 0.75])
    assert weighing.is_majority([0.5, 0.25, 0.01], [0.5, 0.25, 0.01, 0.75])


def test_the_plurality_is_the_text_with_the_most_weight_and_of_several_the_smallest():
    assert ("b", 0.75) == weighing.plurality([("a", 1), ("b", 2), ("b", 1)])
    assert ("a", 0.5) == weighing.plurality([("b", 2), ("a", 2)])
    with pytest.raises(ValueError, match="at least one"):
        weighing.plurality([])


@given(PAIRS)
def test_the_average_of_ones_is_one_whatever_their_weights(pairs):
    assert pytest.approx(1) == weighing.average([(1.0, weight) for _, weight in pairs])
    assert weighing.average([(1.0, weight) for _, weight in pairs]) <= 1


def test_the_average_is_weighted():
    assert 0.25 == weighing.average([(0.0, 3), (1.0, 1)])
