from __future__ import annotations

from datetime import UTC, datetime

import pytest

from workersai_core.store.database_clock import DatabaseClock

START_US = 1_800_000_000_000_000
SECOND_US = 1_000_000


class World:
    """Our monotonic clock and the server's, both in a test's hand."""

    def __init__(self):
        self.ours_ns = 5_000_000_000
        self.server_us = START_US
        self.clock = DatabaseClock(lambda: self.ours_ns)

    def pass_time(self, us):
        self.ours_ns += us * 1000
        self.server_us += us

    def ask(self, *, there_us=0, back_us=0):
        def answer():
            self.pass_time(there_us)
            told = self.server_us
            self.pass_time(back_us)
            return told

        self.clock.ask(answer)

    @property
    def behind_us(self):
        """How far what we take for the server's time is behind it."""
        known = self.clock.now() - datetime(1970, 1, 1, tzinfo=UTC)
        return self.server_us - known // (known.resolution)


@pytest.fixture
def world():
    return World()


def test_the_time_is_unknown_until_it_was_told(world):
    with pytest.raises(RuntimeError, match="has not told"):
        world.clock.now()


def test_it_moves_on_by_itself(world):
    world.ask()
    world.pass_time(90 * SECOND_US)
    assert (0, UTC) == (world.behind_us, world.clock.now().tzinfo)


def test_it_is_never_ahead_of_the_server(world):
    world.ask(there_us=300, back_us=700)
    assert 700 == world.behind_us


def test_a_better_answer_improves_it_and_a_worse_one_does_not_harm(world):
    world.ask(there_us=300, back_us=700)
    world.ask(there_us=100, back_us=100)
    assert 100 == world.behind_us
    world.ask(there_us=10, back_us=9 * SECOND_US)
    assert 100 == world.behind_us


@pytest.mark.parametrize("by_us", [-3600 * SECOND_US, 3600 * SECOND_US])
def test_a_server_whose_clock_was_set_is_followed_at_once(world, by_us):
    world.ask(there_us=10, back_us=10)
    world.server_us += by_us
    world.ask(there_us=10, back_us=10)
    assert -10 <= world.behind_us <= 10


def test_a_clock_of_ours_that_runs_too_fast_is_held_back(world):
    world.ask(there_us=10, back_us=10)
    for _ in range(100):
        world.pass_time(SECOND_US)
        world.ours_ns += 50_000  # fifty millionths too fast
        world.ask(there_us=10, back_us=10)
    assert -10 <= world.behind_us <= 10
