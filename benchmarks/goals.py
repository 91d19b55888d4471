"""The performance goals: what is measured, and the bar it must meet."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

__all__ = ["GOALS", "Goal"]


@attrs.frozen(kw_only=True)
class Goal:
    """One figure that is promised.

    Attributes:
        id: ``P1`` to ``P26``; a word follows where a goal has several figures.
        what: What is measured.
        bar: What the median must meet.
        unit: Of the figure; ``x`` is a ratio.
        at_least: Whether more is better.
        stretch: What would be better still, if anything was named.
    """

    id: str
    what: str
    bar: float
    unit: str = "x"
    at_least: bool = False
    stretch: float | None = None

    def met(self, figure: float, bar: float | None = None) -> bool:
        """Return whether a figure meets the bar."""
        wanted = self.bar if bar is None else bar
        return figure >= wanted if self.at_least else figure <= wanted


def _at_least(id: str, what: str, bar: float, stretch: float | None = None, unit: str = "x") -> Goal:
    return Goal(id=id, what=what, bar=bar, unit=unit, at_least=True, stretch=stretch)


def _at_most(id: str, what: str, bar: float, stretch: float | None = None, unit: str = "x") -> Goal:
    return Goal(id=id, what=what, bar=bar, unit=unit, stretch=stretch)


_ALL = (
    _at_least("P1", "POST without a database vs Falcon echo, requests/s", 0.70, 0.85),
    _at_least("P2", "durable POST, 32 clients, vs echo, requests/s", 0.30, 0.60),
    _at_most("P3", "durable POST vs echo, processor time", 4, 2.5),
    _at_least("P4", "group commit: 32 clients vs 1, requests/s (10 x where a sync takes 1 ms or more)", 5),
    _at_most("P6", "durable POST, 32 clients, p99 vs p50", 5, 3),
    _at_most("P7", "a lone client's POST p50, beyond one sync", 0.5, unit="ms"),
    _at_most("P8", "GET by id vs echo POST, processor time", 1.5, 1.1),
    _at_most("P9", "GET by id, 1 M vs 1 k tasks, processor time", 1.4, 1.0),
    _at_most("P10", "newest page of 100, 1 M vs 1 k", 1.2),
    _at_most("P11", "random page of 100, 1 M vs 1 k", 2, 1.4),
    _at_most("P12", "a filtered page without a match at 1 M vs the newest page", 1),
    _at_most("P13", "batch of 1000, per task, vs a durable POST, processor time", 1 / 6, 1 / 12),
    _at_most("P14 claim", "claim at 1 M tasks vs durable POST, processor time", 1.3),
    _at_most("P14 submit", "submit at 1 M tasks vs durable POST, processor time", 1.3),
    _at_most("P15 share", "schema validation, part of a POST's processor time", 5, unit="%"),
    _at_most("P15 transcript", "validation of a transcript of 60 segments", 50, unit="us"),
    _at_most("P16", "PostgreSQL durable POST vs SQLite, processor time of the service", 2, 1.5),
    _at_most("P17", "in-process POST up to the INSERT vs Falcon echo in-process", 3, 2),
    _at_most("P18", "that POST with 5 observer plugins vs none", 1.3),
    _at_least("P19 rate", "callbacks delivered/s vs a bare requests.Session loop", 0.40, 0.80),
    _at_most("P19 cost", "processor time per callback vs the bare loop", 3, 1.6),
    _at_most("P19b 8", "healthy endpoints' p99 beside 8 hanging ones", 250, 100, unit="ms"),
    _at_most("P19b 32", "healthy endpoints' p99 beside 32 hanging ones", 250, 100, unit="ms"),
    _at_most("P20", "completion to first delivery attempt, idle, p99", 100, 20, unit="ms"),
    _at_least("P21", "PostgreSQL, 2 API processes vs 1, POST requests/s", 1.5),
    _at_most("P22", "workersai --version", 300, 150, unit="ms"),
    _at_most("P23 start", "cold start of serve to the first 2xx", 2, unit="s"),
    _at_most("P23 idle", "resident memory, idle", 120, unit="MB"),
    _at_most("P23 growth", "further memory after 100 k tasks", 20, unit="MB"),
    _at_most("P24 size", "a plain install: size on disk", 90, 60, unit="MB"),
    _at_most("P24 count", "a plain install: packages", 45, 35, unit=""),
    _at_most("P25 cost", "claim + submit, 8 workers, processor time per label", 0.6, 0.4, unit="ms"),
    _at_most("P25 p99", "claim + submit, 8 workers, p99 of a request", 30, unit="ms"),
    _at_most("P25 over", "tasks handed out above their overlap", 0, unit=""),
    _at_most("P26 key", "worker console, key to the next item painted, p95", 100, unit="ms"),
    _at_most("P26 ready", "worker console, navigation until keys work", 1000, unit="ms"),
    _at_most("P26 size", "worker console, the whole page", 60, unit="KB"),
    _at_most("P26 requests", "worker console, requests of the page", 12, unit=""),
)

GOALS: Mapping[str, Goal] = {goal.id: goal for goal in _ALL}
