"""Language tags."""

from __future__ import annotations

import pytest

from workersai_plugins.languages import is_well_formed, primary

GOOD = [
    *("en", "ko", "ko-KR", "EN-us", "es-419", "yue", "abcd", "abcdefgh"),
    *("zh-Hant", "zh-Hant-TW", "zh-yue-HK", "de-1996", "sl-rozaj-biske-1994", "art-lojban"),
    *("de-DE-u-co-phonebk", "en-a-bbb-x-a-ccc", "x-own", "i-klingon", "sgn-BE-FR"),
]
BAD = [
    *("", "e", "en_US", "en-", "-en", "en--US", "en US", "english language", "한국어", "en-ｘ"),
    *("123", "en-a", "x", "x-", "abcdefghi", "en-abcdefghi", "en-US\n"),
]


@pytest.mark.parametrize("tag", GOOD)
def test_the_grammar_of_rfc_5646_is_accepted(tag):
    assert is_well_formed(tag)


@pytest.mark.parametrize("tag", BAD)
def test_anything_else_is_refused(tag):
    assert not is_well_formed(tag)


def test_the_language_of_a_tag_is_its_first_part():
    assert "ko" == primary("KO-Kore-KR")
