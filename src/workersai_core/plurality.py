"""The default aggregation: a weighted plurality vote over normalized answers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from workersai_core import jsontext

__all__ = ["key", "winner"]


def key(value: Any) -> str:
    """Return the canonical text by which two JSON values are the same vote."""
    return jsontext.canonical(value)


def winner(votes: Sequence[tuple[Any, Any, float]]) -> tuple[Any, float]:
    """Return the winning response and its share of the weight.

    Args:
        votes: Triples (normalized form, response as given, weight > 0).

    Returns:
        The response as given by the winning side, and that side's share, 0 to 1.
        The vote does not depend on the order of `votes`: weights are summed
        exactly, a tie goes to the smallest normalized text, and of several
        spellings of the winning form the smallest canonical text is returned.

    Raises:
        ValueError: `votes` is empty.
    """
    if not votes:
        raise ValueError("a plurality needs at least one vote")
    weights: dict[str, list[float]] = {}
    spellings: dict[str, dict[str, Any]] = {}
    for normalized, response, weight in votes:
        form = key(normalized)
        weights.setdefault(form, []).append(weight)
        spellings.setdefault(form, {}).setdefault(key(response), response)
    totals = {form: math.fsum(values) for form, values in weights.items()}
    best = min(totals, key=lambda form: (-totals[form], form))
    response = spellings[best][min(spellings[best])]
    share = totals[best] / math.fsum(weight for _, _, weight in votes)
    return response, min(share, 1.0)
