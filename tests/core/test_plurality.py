from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workersai_core.plurality import key, winner

VOTES = st.lists(
    st.tuples(st.sampled_from(["a", "b", {"x": 1}]), st.sampled_from(["A", "a", 1]), st.sampled_from([0.1, 0.2, 1.0])),
    min_size=1,
)


def plain(*forms):
    return [(form, form, 1.0) for form in forms]


def test_the_most_frequent_form_wins_with_its_share():
    assert ("b", 0.5) == winner(plain("a", "b", "b", "c"))


def test_weights_count_instead_of_heads():
    assert ("a", 0.75) == winner([("a", "a", 3.0), ("b", "b", 0.5), ("b", "b", 0.5)])


def test_a_tie_goes_to_the_smallest_normalized_text():
    assert ("a", 0.5) == winner(plain("b", "a"))


def test_of_several_spellings_of_the_winner_the_smallest_is_returned():
    assert ("Cat", 1.0) == winner([("cat", "cat", 1.0), ("cat", "Cat", 1.0), ("cat", "cat", 1.0)])


def test_numbers_that_are_equal_are_one_vote():
    assert key({"n": 1.0}) == key({"n": 1})
    assert (2, 2 / 3) == winner(plain(2, 2.0, 3))


@given(VOTES, st.randoms(use_true_random=False))
def test_the_order_of_the_votes_changes_nothing(votes, rng):
    shuffled = random.Random(rng.random()).sample(votes, len(votes))
    response, share = winner(votes)
    assert (key(response), share) == (key(winner(shuffled)[0]), winner(shuffled)[1])
    assert 0.0 < share <= 1.0


def test_no_vote_has_no_winner():
    with pytest.raises(ValueError, match="at least one"):
        winner([])
