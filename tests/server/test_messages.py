"""Every error has a code, a status, and words in English and Korean."""

from __future__ import annotations

import re

import pytest

import workersai_core.errors
import workersai_server.errors
from support import sentences
from workersai_core.errors import Issue, WorkersAIError
from workersai_server import messages_ko
from workersai_server.errors import FreeRequestsExhausted, PayloadTooLarge, Unauthenticated
from workersai_server.messages import detail_of, issue_text, language_of, title_of
from workersai_server.problems import ServerFault
from workersai_server.sentences_ko import SENTENCES

HANGUL = re.compile("[가-힣]")
SLUG = re.compile("[a-z][a-z_]+")

# Parts that only stand inside sentences which are in the catalog, and what is said to operators alone.
NOT_SAID_ALONE = {
    "{} wrong; nothing was created.",
    "{} wrong; nothing was changed.",
    "{} wrong; the assignment is still yours.",
    "{} {}; this is {}.",
    "{}one is repeated.",
    "{}{} was there before.",
    "this takes {}.",
    "did you mean {}?",
    "{} is {}.",
    "Not a network in CIDR form, such as 10.1.0.0/16: {}.",
    "An allowed network is wrong.",
    "An account's creations are not the number of its live tasks.",
    "An account's credit is negative, or is not what was added less what was spent.",
}


def tree(root: type[WorkersAIError] = WorkersAIError) -> list[type[WorkersAIError]]:
    ours = [root, *(each for child in root.__subclasses__() for each in tree(child))]
    return [each for each in ours if each.__module__.startswith("workersai_")]


ERRORS = sorted(set(tree()), key=lambda each: each.__name__)


@pytest.mark.parametrize("kind", ERRORS, ids=lambda kind: kind.__name__)
def test_every_error_has_a_code_a_status_and_words(kind):
    assert SLUG.fullmatch(kind.code)
    assert 400 <= kind.status_hint <= 599
    assert kind.__doc__
    assert kind().detail == kind.__doc__.strip().splitlines()[0]
    assert title_of(kind.code, "en") != ""
    assert HANGUL.search(title_of(kind.code, "ko"))
    assert HANGUL.search(detail_of(kind(), "ko"))


@pytest.mark.parametrize("module", [workersai_core.errors, workersai_server.errors])
def test_every_error_is_drawn_in_the_tree_of_its_module(module):
    drawn = set(re.findall(r"[─ ](\w+)", module.__doc__))

    assert {kind.__name__ for kind in ERRORS if kind.__module__ == module.__name__} <= drawn | {"WorkersAIError"}


@pytest.mark.parametrize("source", sentences.SOURCES, ids=lambda source: f"{source.parent.name}/{source.name}")
def test_every_sentence_that_a_client_may_see_is_in_the_catalog(source):
    said = set(sentences.sentences(source)) - NOT_SAID_ALONE

    assert {sentence for sentence in said if not HANGUL.search(issue_text(Issue("", sentence, "?"), "ko"))} == set()


def test_the_catalog_puts_every_value_into_the_korean():
    for english, korean in SENTENCES:
        holes = english.count("{}")
        used = {int(number) for number in re.findall(r"\{(\d+)\}", korean)}
        assert used <= set(range(holes)), english
        assert HANGUL.search(korean) or english.endswith(": {}"), english


def test_no_sentence_of_the_catalog_is_hidden_by_one_before_it():
    for position, (english, korean) in enumerate(SENTENCES):
        values = [f"<{n}>" for n in range(english.count("{}"))]
        filled = english.replace("{{", "{").replace("}}", "}") if not values else english.format(*values)
        expected = korean.format(*values)
        assert issue_text(Issue("", filled), "ko") == expected, (position, english)


@pytest.mark.parametrize(
    ("english", "korean"),
    [
        (
            "One of big, small; this is bog. Did you mean big?",
            "다음 중 하나여야 합니다: big, small. 지금은 bog입니다. big인가요?",
        ),
        ("At most 5 characters; these are 7.", "최대 5자입니다. 지금은 7자입니다."),
        ("In a key: NUL characters are not allowed.", "키에서: NUL 문자는 쓸 수 없습니다."),
        ("overlap_s is a whole number.", "overlap_s 값은 정수여야 합니다."),
        ("This must be text; it is the number 7.", "텍스트여야 하는데 숫자 7입니다."),
        ("There is no field {a} here; did you mean b?", "여기에는 {a} 필드가 없습니다. b인가요?"),
    ],
)
def test_values_are_kept_in_the_korean(english, korean):
    assert korean == issue_text(Issue("", english), "ko")
    assert english == issue_text(Issue("", english), "en")


def test_a_plugins_own_sentence_is_kept_beside_what_its_code_says():
    known = Issue("/choice", "Rather pick a colour.", "not_in_list")
    unknown = Issue("/choice", "Rather pick a colour.", "colourless")

    assert issue_text(known, "ko") == f"{messages_ko.ISSUES['not_in_list']} (Rather pick a colour.)"
    assert issue_text(unknown, "ko") == "Rather pick a colour."


def test_the_values_of_an_error_stand_in_its_korean():
    assert "1048576" in detail_of(PayloadTooLarge("Own words", limit=1048576), "ko")
    refused = FreeRequestsExhausted("Own words", free_requests=5, price="0.10", credit="0.00")
    assert all(value in detail_of(refused, "ko") for value in ("5", "0.10", "0.00"))
    assert HANGUL.search(detail_of(Unauthenticated("Own words"), "ko"))
    assert detail_of(refused, "en") == "Own words"
    assert HANGUL.search(detail_of(ServerFault(), "ko"))


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "en"),
        ("*", "en"),
        ("en", "en"),
        ("ko", "ko"),
        ("KO-kr", "ko"),
        ("ko-KR,ko;q=0.9,en-US;q=0.8,en;q=0.7", "ko"),
        ("en-US,en;q=0.9,ko;q=0.8", "en"),
        ("ko;q=0.5, en;q=0.6", "en"),
        ("ko, en", "ko"),
        ("fr, ko;q=0.1", "ko"),
        ("fr", "en"),
        ("ko;q=0", "en"),
        ("ko;q=nonsense, en;q=0.1", "en"),
        ("kok", "en"),
        (";;,,q=1", "en"),
    ],
)
def test_the_language_is_the_one_the_client_likes_best(header, language):
    assert language == language_of(header)
