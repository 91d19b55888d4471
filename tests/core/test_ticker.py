from __future__ import annotations

import threading

import pytest

from support.waiting import PATIENCE_S, until
from workersai_core import StoreUnavailable
from workersai_core.ticker import Ticker

NEVER_S = 3600.0


class Ticks:
    """What a ticker calls: it notes each call, and raises what it is told to."""

    def __init__(self):
        self.error = None
        self._calls = 0
        self._changed = threading.Condition()

    def __call__(self):
        with self._changed:
            self._calls += 1
            self._changed.notify_all()
        if self.error is not None:
            raise self.error
        return 0

    def wait_for(self, count):
        with self._changed:
            assert self._changed.wait_for(lambda: self._calls >= count, PATIENCE_S)

    @property
    def calls(self):
        with self._changed:
            return self._calls


@pytest.fixture
def ticks():
    return Ticks()


@pytest.fixture
def started(ticks):
    """Start a ticker; it is stopped at the end of the test."""
    made = []

    def start(poll_s):
        made.append(Ticker(ticks, poll_s))
        made[-1].start()
        return made[-1]

    yield start
    for ticker in made:
        ticker.stop()


def test_it_looks_again_and_again_by_itself(ticks, started):
    started(0.001)
    ticks.wait_for(5)


def test_it_looks_at_once_when_woken(ticks, started):
    ticker = started(NEVER_S)
    ticker.wake()
    ticks.wait_for(1)
    ticker.wake()
    ticks.wait_for(2)


@pytest.mark.parametrize("error", [StoreUnavailable("The disk is gone."), ZeroDivisionError("a bug")])
def test_it_survives_every_error_and_complains_once(ticks, started, caplog, error):
    ticks.error = error
    ticker = started(0.001)
    ticks.wait_for(5)
    assert str(error) == ticker.last_error
    assert 1 == caplog.text.count("could not do what is due")
    ticks.error = None
    until(lambda: ticker.last_error is None)
    ticks.wait_for(ticks.calls + 1)


def test_a_bug_is_logged_with_its_traceback_and_an_absent_database_without(ticks, started, caplog):
    ticks.error = StoreUnavailable("The disk is gone.")
    started(0.001)
    ticks.wait_for(2)
    assert "Traceback" not in caplog.text
    ticks.error = ZeroDivisionError("a bug")
    until(lambda: "Traceback" in caplog.text)


def test_stopping_ends_the_thread_after_the_present_look(ticks):
    before = threading.active_count()
    ticker = Ticker(ticks, NEVER_S)
    ticker.start()
    ticker.stop()
    assert before == threading.active_count()
    assert ticks.calls <= 1


def test_stopping_what_was_never_started_does_nothing(ticks):
    Ticker(ticks).stop()
    assert 0 == ticks.calls
