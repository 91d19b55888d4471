"""When a failed delivery is tried again."""

from __future__ import annotations

import math
import random
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import attrs

__all__ = ["RetryPolicy", "parse_retry_after"]

_SECONDS = re.compile(r"[0-9]{1,10}", re.ASCII)


def _floats(values: Iterable[float]) -> tuple[float, ...]:
    return tuple(float(value) for value in values)


@attrs.frozen(kw_only=True)
class RetryPolicy:
    """The published schedule of attempts; its default is that of Standard Webhooks, about two days.

    Attributes:
        schedule_s: Seconds to wait before each attempt, the first included;
            as many attempts are made as there are entries.
        jitter: The part of a step by which it is lengthened or shortened at
            random, so that what failed together does not return together.

    Raises:
        ValueError: the schedule is empty or has a negative or infinite step,
            or the jitter is not from 0 to below 1.
    """

    schedule_s: tuple[float, ...] = attrs.field(
        default=(0, 5, 300, 1800, 7200, 18000, 36000, 36000, 86400), converter=_floats
    )
    jitter: float = attrs.field(default=0.2)

    @schedule_s.validator
    def _check_schedule(self, _: attrs.Attribute[Any], steps: tuple[float, ...]) -> None:
        if not steps:
            raise ValueError("A retry schedule has at least one attempt: schedule_s must not be empty.")
        if not all(math.isfinite(step) and step >= 0 for step in steps):
            raise ValueError(f"Each step of schedule_s is a number of seconds, 0 or more: {steps}.")

    @jitter.validator
    def _check_jitter(self, _: attrs.Attribute[Any], jitter: float) -> None:
        if not 0 <= jitter < 1:
            raise ValueError(f"jitter is a part of a step, from 0 to below 1, not {jitter}.")

    def delay_s(self, attempts_made: int, rng: random.Random, retry_after_s: float | None = None) -> float | None:
        """Return the seconds until the next attempt, or None when the schedule has ended.

        Args:
            attempts_made: How many attempts were made, all of them failures.
            rng: Where the jitter comes from.
            retry_after_s: What the receiver asked for in ``Retry-After``. It
                counts within 1 to 2 times the step, so that a receiver can
                slow its deliveries down but not put them off for ever.

        Raises:
            ValueError: `attempts_made` is negative.
        """
        if attempts_made < 0:
            raise ValueError(f"attempts_made is 0 or more, not {attempts_made}.")
        if attempts_made >= len(self.schedule_s):
            return None
        step = self.schedule_s[attempts_made]
        if retry_after_s is None:
            return step * (1 + self.jitter * (2 * rng.random() - 1))
        asked = min(max(retry_after_s, step), 2 * step)
        # Never before the receiver asked, so the jitter only lengthens.
        return min(asked * (1 + self.jitter * rng.random()), 2 * step)


def parse_retry_after(text: str | None, now: datetime) -> float | None:
    """Return the seconds that a ``Retry-After`` header asks for (RFC 9110, section 10.2.3).

    Args:
        text: The header's value, a number of seconds or an HTTP date; None
            when there was none.
        now: The present time, aware; dates are taken relative to it.

    Returns:
        0 or more seconds; None when the header is absent or cannot be read.
    """
    if text is None:
        return None
    text = text.strip()
    if _SECONDS.fullmatch(text):
        return float(text)
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, OverflowError):  # the latter for a zone that is out of this world
        return None
    if date.tzinfo is None:
        date = date.replace(tzinfo=UTC)
    return max((date - now).total_seconds(), 0.0)
