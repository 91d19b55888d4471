"""What a word is."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workersai_plugins.words import forms, join, split

TEXTS = st.text(
    st.sampled_from("aB'’3., -\n私가\u0301\u0e31ไ\u1161x_\"\u02bc") | st.characters(codec="utf-8"), max_size=12
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        (" … — !", []),
        ("Hello, World!", ["hello", "world"]),
        ("don't DON’T don´t", ["don't"] * 3),
        ("'tis the dogs' own", ["tis", "the", "dogs", "own"]),
        ("air-tight well—known and/or", ["air", "tight", "well", "known", "and", "or"]),
        ("3.5 1,000 1.", ["3.5", "1,000", "1"]),
        ("$5 & 100%", ["5", "100"]),
        ("snake_case", ["snake", "case"]),
        ("STRASSE straße", ["strasse", "strasse"]),
        ("큰 개가, 짖는다.", ["큰", "개가", "짖는다"]),
        (unicodedata.normalize("NFD", "큰 개"), ["큰", "개"]),
        ("私は学生です。", list("私は学生です")),
        ("他说OK了", ["他", "说", "ok", "了"]),
        ("ไม่ดี", ["ไ", "ม่", "ดี"]),
        ("हिन्दी भाषा", ["हिन्दी", "भाषा"]),
        ("مَرْحَبًا", ["مَرْحَبًا"]),
    ],
)
def test_the_words_of_a_text(text, expected):
    assert [unicodedata.normalize("NFC", word) for word in expected] == forms(text)


@pytest.mark.parametrize(
    "text",
    ["Hello, world! -- it's “so” (nice) …", "私は「学生」です。", "air-tight", "한 줄\n둘", "U.S.A.", "a/b  c"],
)
def test_a_text_put_together_again_is_the_same(text):
    assert text == join(split(text))


@given(st.lists(TEXTS, max_size=4))
def test_words_of_different_texts_put_together_stay_the_same_words(texts):
    words = [word for text in texts for word in split(text)]
    assert [word.form for word in words] == forms(join(words))


@given(TEXTS)
def test_splitting_finds_the_same_words(text):
    assert forms(text) == [word.form for word in split(text)]


@given(TEXTS)
def test_the_form_of_a_form_is_itself(text):
    assert forms(text) == forms(" ".join(forms(text)))


def test_two_words_do_not_become_one():
    air, tight = split("air-tight")
    apart = split("air tight")
    assert "air tight" == join([apart[0], tight])
    assert "air- tight" == join([air, apart[1]])
