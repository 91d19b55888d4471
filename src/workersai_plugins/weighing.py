"""Sums of weighted answers, the same whatever order the answers came in."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

__all__ = ["average", "is_majority", "mean", "median", "plurality", "share", "typical"]

T = TypeVar("T")


def share(part: Iterable[float], whole: Iterable[float]) -> float:
    """Return how much of the `whole` weight the `part` is, 0 to 1."""
    return min(1.0, math.fsum(part) / math.fsum(whole))


def is_majority(part: Iterable[float], whole: Iterable[float]) -> bool:
    """Return whether the `part` is more than half of the `whole`."""
    return 2 * math.fsum(part) > math.fsum(whole)


def mean(values: Sequence[float]) -> float:
    """Return the mean of values from 0 to 1."""
    return min(1.0, math.fsum(values) / len(values))


def average(weighted: Iterable[tuple[float, float]]) -> float:
    """Return the weighted mean of (value, weight) pairs whose values are from 0 to 1."""
    pairs = list(weighted)
    return min(1.0, math.fsum(value * weight for value, weight in pairs) / math.fsum(weight for _, weight in pairs))


def median(weighted: Iterable[tuple[float, float]]) -> float:
    """Return the lower weighted median of (value, weight) pairs: one of the values, never a mean.

    Raises:
        ValueError: there are no pairs.
    """
    pairs = sorted(weighted)
    if not pairs:
        raise ValueError("a median needs at least one value")
    half = math.fsum(weight for _, weight in pairs) / 2
    below = 0.0
    for value, weight in pairs:
        below += weight
        if below >= half:
            return value
    return pairs[-1][0]


def plurality(votes: Iterable[tuple[str, float]]) -> tuple[str, float]:
    """Return the text with the most weight of (text, weight) votes, and its share; a tie goes to the smallest text.

    Raises:
        ValueError: there are no votes.
    """
    weights: dict[str, list[float]] = {}
    for text, weight in votes:
        weights.setdefault(text, []).append(weight)
    if not weights:
        raise ValueError("a plurality needs at least one vote")
    best = min(weights, key=lambda text: (-math.fsum(weights[text]), text))
    return best, share(weights[best], [weight for each in weights.values() for weight in each])


def typical(weighted: Sequence[tuple[T, float]], likeness: Callable[[T, T], float]) -> tuple[int, float]:
    """Return the position of the value that is most like all of them, and how much, 0 to 1; a tie goes to the first.

    Args:
        weighted: At least one (value, weight) pair, in an order that does not depend on who answered first.
        likeness: How much two values are alike, 0 to 1.
    """
    scores = [average((likeness(one, other), weight) for other, weight in weighted) for one, _ in weighted]
    best = max(range(len(scores)), key=lambda n: (scores[n], -n))
    return best, scores[best]
