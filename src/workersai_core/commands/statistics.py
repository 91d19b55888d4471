"""How things go: counts over many tasks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import attrs

from workersai_core.clock import from_us, to_us
from workersai_core.model import Mode
from workersai_core.store import statistics_rows
from workersai_core.transaction import Transaction

__all__ = ["Day", "Queue", "Statistics", "WorkerRecord", "queues", "statistics", "worker_records"]


@attrs.frozen(kw_only=True)
class Day:
    """One day (UTC) of an account."""

    at: datetime
    created: int
    completed: int
    """How many of the day's tasks are completed by now."""
    turnaround_s: float | None
    """From creation to result, on average; None when none is completed."""
    confidence: float | None


@attrs.frozen(kw_only=True)
class Statistics:
    """How an account's tasks of the last days went."""

    by_status: Mapping[str, int]
    days: Sequence[Day]
    """Every day of the period, the oldest first, also those without tasks."""
    callbacks: Mapping[str, int]
    """How many are in each state."""


@attrs.frozen(kw_only=True)
class Queue:
    """What waits for workers, of one task type."""

    task_type: str
    tasks: int
    answers_wanted: int
    oldest_at: datetime


@attrs.frozen(kw_only=True)
class WorkerRecord:
    """What a worker did since a time."""

    worker_id: str
    submitted: int
    skipped: int
    expired: int
    held: int
    seconds_per_answer: float | None


def statistics(tx: Transaction, account: str, mode: Mode, days: int) -> Statistics:
    """Return how the tasks that an account made in the last `days` days went, today included."""
    today = tx.now.replace(hour=0, minute=0, second=0, microsecond=0)
    since = today - timedelta(days=days - 1)
    found = {row[0]: row for row in statistics_rows.by_day(tx.session, account, mode, to_us(since))}
    return Statistics(
        by_status=statistics_rows.by_status(tx.session, account, mode, to_us(since)),
        days=[_day(since + timedelta(days=n), found) for n in range(days)],
        callbacks=statistics_rows.callbacks_by_state(tx.session, account, mode, to_us(since)),
    )


def _day(at: datetime, found: Mapping[int, tuple[int, int, int, float | None, float | None]]) -> Day:
    _, created, completed, mean_us, confidence = found.get(to_us(at), (0, 0, 0, None, None))
    turnaround = None if mean_us is None else mean_us / 1_000_000
    return Day(at=at, created=created, completed=completed, turnaround_s=turnaround, confidence=confidence)


def queues(tx: Transaction) -> Sequence[Queue]:
    """Return what waits for workers, by task type, of all accounts."""
    return [
        Queue(task_type=name, tasks=count, answers_wanted=slots, oldest_at=from_us(oldest))
        for name, count, slots, oldest in statistics_rows.queues(tx.session)
    ]


def worker_records(tx: Transaction, since: datetime) -> Mapping[str, WorkerRecord]:
    """Return what each worker did with what they claimed since a time."""
    counts: dict[str, dict[str, tuple[int, float | None]]] = {}
    for worker, state, count, mean_us in statistics_rows.work_by_worker(tx.session, to_us(since)):
        counts.setdefault(worker, {})[state] = (count, mean_us)
    return {worker: _record(worker, states) for worker, states in counts.items()}


def _record(worker: str, states: Mapping[str, tuple[int, float | None]]) -> WorkerRecord:
    mean_us = states.get("submitted", (0, None))[1]
    return WorkerRecord(
        worker_id=worker,
        submitted=states.get("submitted", (0, None))[0],
        skipped=states.get("skipped", (0, None))[0],
        expired=states.get("expired", (0, None))[0],
        held=states.get("claimed", (0, None))[0],
        seconds_per_answer=None if mean_us is None else mean_us / 1_000_000,
    )
