"""What was measured, and how it compares with the goals."""

from __future__ import annotations

import json
import statistics
import sys
from collections.abc import Sequence
from typing import Any

import attrs

from benchmarks.goals import GOALS, Goal

__all__ = ["Report", "Row"]


@attrs.frozen(kw_only=True)
class Row:
    """One goal and what became of it."""

    goal: Goal
    samples: Sequence[float] = ()
    bar: float | None = None
    """Instead of the goal's, where that depends on the machine."""
    note: str = ""
    """How it was measured; or why it was not, when there are no samples."""

    @property
    def verdict(self) -> str:
        """``holds``, ``falls short`` or ``not measured here``."""
        if not self.samples:
            return "not measured here"
        return "holds" if self.goal.met(statistics.median(self.samples), self.bar) else "falls short"

    def as_json(self) -> dict[str, Any]:
        """Return the row as the report's JSON holds it."""
        measured = None
        if self.samples:
            measured = {
                "median": statistics.median(self.samples),
                "min": min(self.samples),
                "max": max(self.samples),
                "repeats": len(self.samples),
            }
        goal = self.goal
        return {
            "id": goal.id,
            "what": goal.what,
            "unit": goal.unit,
            "bar": goal.bar if self.bar is None else self.bar,
            "better": "more" if goal.at_least else "less",
            "stretch": goal.stretch,
            "measured": measured,
            "verdict": self.verdict,
            "note": self.note,
        }

    def as_text(self) -> str:
        """Return the row as one or two lines."""
        goal = self.goal
        bar = goal.bar if self.bar is None else self.bar
        sign = "≥" if goal.at_least else "≤"
        figures = "-"
        if self.samples:
            figures = f"{_short(statistics.median(self.samples))} {goal.unit}".rstrip()
            if len(self.samples) > 1:
                figures += f" ({_short(min(self.samples))}–{_short(max(self.samples))})"
        line = f"{goal.id:<15} {self.verdict:<17} {sign} {_short(bar) + ' ' + goal.unit:<9} {figures:<24} {goal.what}"
        return f"{line}\n{'':<15} {self.note}" if self.note else line


class Report:
    """Collects the rows, and says each as soon as it is known."""

    def __init__(self) -> None:
        self.rows: list[Row] = []

    def add(self, goal_id: str, samples: Sequence[float], *, bar: float | None = None, note: str = "") -> None:
        """Note what was measured: one figure for each repetition."""
        self._add(Row(goal=GOALS[goal_id], samples=samples, bar=bar, note=note))

    def skip(self, goal_id: str, why: str) -> None:
        """Note why something was not measured."""
        self._add(Row(goal=GOALS[goal_id], note=why))

    def say(self, text: str) -> None:
        """Tell something that is no goal but helps to read the figures."""
        print(text, file=sys.stderr, flush=True)

    def finish(self, *, as_json: bool) -> None:
        """Print everything in the order of the goals."""
        order = list(GOALS)
        rows = sorted(self.rows, key=lambda row: order.index(row.goal.id))
        if as_json:
            print(json.dumps([row.as_json() for row in rows], ensure_ascii=False, indent=2))
        else:
            print("\n".join(["", *(row.as_text() for row in rows)]))

    def _add(self, row: Row) -> None:
        self.rows.append(row)
        self.say(row.as_text())


def _short(figure: float) -> str:
    return f"{figure:.3g}" if abs(figure) < 1000 else f"{figure:.0f}"
