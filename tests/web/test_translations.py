"""English and Korean say the same things."""

from __future__ import annotations

import re

import pytest

from support.catalogs import FOLDER, used
from workersai_server.web.translations import gettext, ngettext

PLACES = re.compile(r"%\(\w+\)s|\{\w+\}")


def catalog():
    from babel.messages.pofile import read_po

    with (FOLDER / "translations/ko/workersai.po").open("rb") as file:
        return {message.id: message.string for message in read_po(file) if message.id}


def test_every_message_has_a_korean_one_and_no_korean_one_is_left_over():
    assert used() == set(catalog())


def test_translations_have_the_same_places_to_fill_in():
    for english, korean in catalog().items():
        assert korean
        assert sorted(PLACES.findall(english)) == sorted(PLACES.findall(korean))


@pytest.mark.parametrize(("language", "text"), [("en", "Sign in"), ("ko", "로그인")])
def test_a_message_is_shown_in_the_language_of_the_visit(language, text):
    assert text == gettext(language, "Sign in")
    assert "Not in the catalog" == gettext(language, "Not in the catalog")


def test_numbers_choose_the_form_in_english_and_one_form_in_korean():
    assert ["1 cat", "2 cats"] == [ngettext("en", "1 cat", "2 cats", n) for n in (1, 2)]
    assert ["1 cat", "2 cats"] == [ngettext("ko", "1 cat", "2 cats", n) for n in (1, 2)]
