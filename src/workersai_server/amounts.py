"""Amounts of credit: decimal text outside, whole millionths inside, never a float."""

from __future__ import annotations

import re
from decimal import Decimal

__all__ = ["MAX_MICROS", "from_micros", "to_micros"]

_MICROS = 1_000_000
MAX_MICROS = 10**12 * _MICROS
"""The most an account may hold; sums of two fit into a 64-bit column."""

_AMOUNT = re.compile(r"(-?)([0-9]{1,13})(?:\.([0-9]{1,6}))?", re.ASCII)
_RULE = "write a number with at most six decimals, for example 12.50"


def to_micros(amount: str | int | Decimal) -> int:
    """Return an amount in millionths.

    Args:
        amount: Decimal text such as ``"12.50"``, or a number that is exact.

    Raises:
        ValueError: it is no amount, or beyond ±`MAX_MICROS`; the text says how to write one.
    """
    if isinstance(amount, bool) or not isinstance(amount, str | int | Decimal):
        raise ValueError(_RULE)  # noqa: TRY004 - one error type for whatever was written
    match = _AMOUNT.fullmatch(format(amount, "f") if isinstance(amount, Decimal) else str(amount))
    if match is None:
        raise ValueError(_RULE)
    sign, whole, decimals = match.groups()
    micros = int(whole) * _MICROS + int((decimals or "").ljust(6, "0"))
    if micros > MAX_MICROS:
        raise ValueError(f"write at most {from_micros(MAX_MICROS)}")
    return -micros if sign else micros


def from_micros(micros: int) -> str:
    """Return an amount as decimal text with at least two decimals, for example ``"12.50"``."""
    whole, rest = divmod(abs(micros), _MICROS)
    decimals = f"{rest:06d}".rstrip("0").ljust(2, "0")
    return f"{'-' if micros < 0 else ''}{whole}.{decimals}"
