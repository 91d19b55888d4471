from __future__ import annotations

import pytest

from workersai_core.schemas.patterns import pattern_problem


@pytest.mark.parametrize(
    "pattern",
    [
        "(a+)+",
        "(a*)*$",
        "^(a{2,})+$",
        "(a{1,20})*",
        "(a+){10}",
        "(a+){2,}",
        "((ab)+c)*",
        "(?:a?)*",
        r"(\w+\s?)*",
        "(.+,)+",
        r"(\p{L}+\p{P})+",
        "((a|bc)d)*",
        "([a]+b)+|(c+)+",
    ],
)
def test_a_repetition_within_a_repetition_is_refused(pattern):
    assert "repeats a repetition" in pattern_problem(pattern)


@pytest.mark.parametrize("pattern", ["(a|a)*", "(a|aa)+", "(a|)*", r"(\w|\d)+", "(x|[a-z])*", "((a|a)c)*"])
def test_repeated_alternatives_that_look_alike_are_refused(pattern):
    assert "look alike" in pattern_problem(pattern)


@pytest.mark.parametrize(
    "pattern",
    [
        "^[a-z]+$",
        "^#([0-9a-f]{3}){1,2}$",
        r"^(\d{1,3}\.){3}\d{1,3}$",
        r"^\d{1,3}(,\d{3})*$",
        r"^([a-z]+\.)+com$",
        r"^\w+(-\w+)*$",
        "(?:x+y)+",
        "(cat|car)+",
        "([a-z]|[0-9])+",
        "((a|b)c)*",
        "(a*)?",
        "(a+){1,3}",
        r"\(a+\)+",
        "[(a+)+]",
        "[]a]+",
        "a{2,}?b",
        "",
    ],
)
def test_what_ends_everywhere_is_allowed(pattern):
    assert pattern_problem(pattern) is None


@pytest.mark.parametrize("pattern", ["*a", ")+(", "(a+", "a)"])
def test_what_is_no_expression_is_left_to_the_engine(pattern):
    assert pattern_problem(pattern) is None
