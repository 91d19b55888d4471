"""Bars as SVG, drawn on the server; each chart has the same figures as a table beside it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import attrs

__all__ = ["Bar", "Chart", "chart"]

_WIDTH = 600.0
_HEIGHT = 120.0
_GAP = 0.2


@attrs.frozen(kw_only=True)
class Bar:
    """One bar, with where it is drawn."""

    day: str
    value: str
    x: float
    y: float
    width: float
    height: float


@attrs.frozen(kw_only=True)
class Chart:
    """One chart."""

    title: str
    bars: Sequence[Bar]
    most: str
    width: float = _WIDTH
    height: float = _HEIGHT


def chart(title: str, days: Sequence[datetime], values: Sequence[float | None], *, digits: int = 0) -> Chart:
    """Return the chart of a figure by day.

    Args:
        title: What the figure is.
        days: When.
        values: How much; None where there is none.
        digits: How many decimals are shown.
    """
    most = max((value for value in values if value is not None), default=0.0)
    step = _WIDTH / max(1, len(values))
    bars = []
    for position, (day, value) in enumerate(zip(days, values, strict=True)):
        height = 0.0 if not value or not most else value / most * _HEIGHT
        bars.append(
            Bar(
                day=day.strftime("%Y-%m-%d"),
                value="–" if value is None else f"{value:.{digits}f}",
                x=round(position * step + step * _GAP / 2, 2),
                y=round(_HEIGHT - height, 2),
                width=round(step * (1 - _GAP), 2),
                height=round(height, 2),
            )
        )
    return Chart(title=title, bars=bars, most=f"{most:.{digits}f}")
