"""One transcript from several."""

from __future__ import annotations

import pytest

from workersai_plugins.word_votes import Voice, vote
from workersai_plugins.words import join, split


def outcome(*texts, weights=None):
    voices = [Voice(split(text), weight) for text, weight in zip(texts, weights or [1.0] * len(texts), strict=True)]
    return vote(voices)


def text_of(*texts, weights=None):
    return join(outcome(*texts, weights=weights).words)


def test_one_voice_is_taken_as_it_is():
    assert "Hello there." == text_of("Hello there.")
    assert 1.0 == outcome("Hello there.").confidence


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (("the cat sat", "the cat sat", "the hat sat"), "the cat sat"),
        (("the cat sat", "the cat sat down", "the cat sat down"), "the cat sat down"),
        (("the cat sat", "the big old cat sat", "the big old cat sat"), "the big old cat sat"),
        (("the cat", "the cat sat here", "the cat"), "the cat"),
        (("a b c d", "a x c d", "a b y d", "a b c z"), "a b c d"),
        (("큰 개가 짖는다", "큰 개가 짓는다", "큰 개가 짖는다"), "큰 개가 짖는다"),
        (("私は学生", "私は学者", "私は学生です"), "私は学生"),
    ],
)
def test_each_place_goes_to_the_majority(texts, expected):
    assert expected == text_of(*texts)
    assert expected == text_of(*texts[::-1])


def test_words_keep_the_spelling_that_most_gave_them():
    assert "Hello, World!" == text_of("Hello, world!", "hello World!", "Hello, World!")


def test_what_only_a_careless_voice_says_does_not_count_although_it_is_not_alone():
    good = ["we met at the old mill near the river", "we met at the old mill near the river"]
    assert good[0] == text_of(*good, "we fed cats the blue pill by a lover", "we led hats the new bill for the cover")


def test_a_heavy_voice_can_outweigh_two():
    assert "the hat sat" == text_of("the cat sat", "the cat sat", "the hat sat", weights=[1, 1, 9])


def test_voices_with_nothing_in_common_still_give_one_of_them():
    assert text_of("a b", "c d", "e f") in {"a b", "c d", "e f"}


def test_when_each_word_has_a_majority_against_it_the_most_typical_voice_stands():
    texts = ("a b c d e f g h", "x", "y", "z")
    assert text_of(*texts) in texts
    assert text_of(*texts, weights=[9, 1, 1, 1]) == texts[0]


def test_the_confidence_is_the_mean_share_of_the_weight():
    assert pytest.approx((1 + 2 / 3 + 1) / 3) == outcome("the cat sat", "the cat sat", "the hat sat").confidence
    assert pytest.approx((1 + 3 / 4 + 1) / 3) == outcome("the cat sat", "the hat sat", weights=[3, 1]).confidence
    assert pytest.approx((1 + 1 + 2 / 3) / 3) == outcome("the cat", "the cat", "the cat sat").confidence
