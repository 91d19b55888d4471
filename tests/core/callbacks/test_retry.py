from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workersai_core.callbacks.retry import RetryPolicy, parse_retry_after

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
PUBLISHED_S = (0, 5, 300, 1800, 7200, 18000, 36000, 36000, 86400)
EXACT = RetryPolicy(jitter=0)


def test_the_default_is_the_published_schedule():
    assert PUBLISHED_S == RetryPolicy().schedule_s
    assert [*PUBLISHED_S, None] == [EXACT.delay_s(n, random.Random()) for n in range(10)]


@given(st.integers(0, 8), st.floats(0, 0.99), st.integers())
def test_jitter_keeps_a_wait_near_its_step(attempts, jitter, seed):
    step = PUBLISHED_S[attempts]
    delay = RetryPolicy(jitter=jitter).delay_s(attempts, random.Random(seed))
    assert step * (1 - jitter) - 1e-6 <= delay <= step * (1 + jitter) + 1e-6


def test_jitter_lengthens_and_shortens():
    rng = random.Random(1)
    delays = [RetryPolicy().delay_s(2, rng) for _ in range(200)]
    assert min(delays) < 250
    assert max(delays) > 350


@given(st.integers(0, 8), st.floats(0, 1e12), st.integers())
def test_retry_after_counts_within_one_and_two_steps(attempts, asked, seed):
    step = PUBLISHED_S[attempts]
    delay = RetryPolicy().delay_s(attempts, random.Random(seed), asked)
    assert max(step, min(asked, 2 * step)) <= delay <= 2 * step


@pytest.mark.parametrize(("asked", "expected"), [(0, 300), (400, 400), (600, 600), (10**9, 600)])
def test_retry_after_without_jitter_is_what_was_asked(asked, expected):
    assert expected == EXACT.delay_s(2, random.Random(), asked)


def test_retry_after_does_not_prolong_an_ended_schedule():
    assert RetryPolicy().delay_s(9, random.Random(), 60) is None


def test_a_negative_number_of_attempts_is_refused():
    with pytest.raises(ValueError, match="attempts_made"):
        RetryPolicy().delay_s(-1, random.Random())


@pytest.mark.parametrize("schedule_s", [(), (-1,), (0, float("inf")), (float("nan"),)])
def test_a_schedule_that_is_none_is_refused(schedule_s):
    with pytest.raises(ValueError, match="schedule"):
        RetryPolicy(schedule_s=schedule_s)


@pytest.mark.parametrize("jitter", [-0.1, 1, float("nan")])
def test_a_jitter_that_is_none_is_refused(jitter):
    with pytest.raises(ValueError, match="jitter"):
        RetryPolicy(jitter=jitter)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (None, None),
        ("120", 120),
        (" 0 ", 0),
        ("Thu, 01 Jan 2026 12:01:00 GMT", 60),
        ("Thu, 01 Jan 2026 12:01:00 -0000", 60),
        ("Thu, 01 Jan 2026 21:01:00 +0900", 60),
        ("Thu, 01 Jan 2026 11:00:00 GMT", 0),
        ("soon", None),
        ("", None),
        ("-5", None),
        ("1.5", None),
        ("٣", None),
        ("9" * 5000, None),
        ("Thu, 01 Jan 2026 12:01:00 +99999999999999", None),
        ("Thu, 99 Jan 2026 12:01:00 GMT", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(text, expected):
    assert expected == parse_retry_after(text, NOW)


def test_retry_after_is_relative_to_now_in_any_zone():
    seoul = NOW.astimezone(timezone(timedelta(hours=9)))
    assert 60 == parse_retry_after("Thu, 01 Jan 2026 12:01:00 GMT", seoul)


@given(st.text(max_size=60))
def test_no_text_makes_reading_retry_after_fail(text):
    seconds = parse_retry_after(text, NOW)
    assert seconds is None or seconds >= 0
