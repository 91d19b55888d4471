from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workersai_core.clock import FOREVER, SystemClock, from_us, rfc3339, to_us
from workersai_core.testing.clock import FakeClock


@given(st.datetimes(timezones=st.just(UTC)))
def test_times_come_back_from_the_database_as_they_were(at):
    assert at == from_us(to_us(at))
    assert to_us(at) < FOREVER


def test_a_time_in_another_zone_is_the_same_moment():
    at = datetime(2026, 1, 2, 5, 4, 5, 6, tzinfo=timezone(timedelta(hours=2)))
    assert at == from_us(to_us(at))
    assert "2026-01-02T03:04:05.000006Z" == rfc3339(at)


def test_the_system_clock_tells_the_present_time_in_utc():
    before = datetime.now(UTC)
    now = SystemClock().now()
    assert UTC is now.tzinfo
    assert before <= now <= datetime.now(UTC)


def test_the_fake_clock_moves_only_when_told():
    clock = FakeClock(datetime(2030, 1, 1, tzinfo=UTC))
    assert clock.now() == clock.now()
    assert datetime(2030, 1, 1, 0, 1, 30, 500_000, tzinfo=UTC) == clock.advance(90.5) == clock.now()


def test_a_time_without_a_zone_is_refused():
    with pytest.raises(TypeError):
        to_us(datetime(2026, 1, 1))  # noqa: DTZ001 - that is the mistake
