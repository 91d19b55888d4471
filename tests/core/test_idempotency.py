"""What only several processes on one database can run into, played out in one."""

from __future__ import annotations

import pytest

from support.engines import ACCOUNT, create
from workersai_core.commands import housekeeping
from workersai_core.store import event_rows


def test_a_key_that_was_forgotten_between_two_looks_is_free(engine, monkeypatch):
    reserve, refused = event_rows.reserve, []

    def refuse_once(*given):
        if refused:
            return reserve(*given)
        refused.append(given)
        return False

    monkeypatch.setattr(event_rows, "reserve", refuse_once)
    task = create(engine, idempotency_key="k")
    assert task == create(engine, idempotency_key="k")
    assert 1 == engine.count_tasks(account=ACCOUNT)


def test_an_error_while_a_key_is_reserved_that_is_no_lock_comes_back_as_it_is(engine, monkeypatch):
    def fail(*_):
        raise ZeroDivisionError("planted")

    monkeypatch.setattr(event_rows, "reserve", fail)
    with pytest.raises(ZeroDivisionError, match="planted"):
        create(engine, idempotency_key="k")


def test_a_tick_ends_when_another_process_does_what_is_due(engine, monkeypatch):
    create(engine, mode="test")
    monkeypatch.setattr(housekeeping, "run_due", lambda tx: 0)
    assert 0 == engine.tick()
    monkeypatch.undo()
    assert 1 == engine.tick()
