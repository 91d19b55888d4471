"""How the value of a setting is read, whether it comes as text or as TOML.

A reader takes what was written and returns what the program uses. It raises
ValueError with the remedy, "write …", which `settings` puts after the place.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

import attrs

from workersai_core.callbacks.addresses import AddressPolicy
from workersai_core.callbacks.retry import RetryPolicy
from workersai_core.errors import InvalidInput
from workersai_server.amounts import from_micros, to_micros

__all__ = [
    "RateLimit",
    "Reader",
    "count_or_unlimited",
    "networks",
    "one_of",
    "origins",
    "paths",
    "plugins",
    "price",
    "prices",
    "rate_limit",
    "schedule",
    "seconds",
    "secret",
    "table",
    "text",
    "whole",
    "yes_or_no",
]

Reader = Callable[[Any, Any], Any]
"""From what was written, and the setting's type, which no reader needs, to its value."""

_UNLIMITED: Literal["unlimited"] = "unlimited"
_SECRET_CHARACTERS = 32
_LONGEST_STEP_S = 30 * 86_400
_PERIODS_S = {"second": 1, "minute": 60, "hour": 3600}
_RATE = re.compile(r"([1-9][0-9]{0,8})/(second|minute|hour)", re.ASCII)
_WORDS = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}
_ORIGIN = re.compile(r"https?://[a-z0-9.-]+(?::[0-9]{1,5})?|https?://\[[0-9a-f:]+\](?::[0-9]{1,5})?", re.ASCII)
_INTEGER = re.compile(r"[+-]?[0-9]{1,18}", re.ASCII)


@attrs.frozen(kw_only=True)
class RateLimit:
    """How many requests one key may make in a period."""

    requests: int
    period_s: int


def text(value: Any, _: Any = None) -> str:
    """Read text that is not empty."""
    if not isinstance(value, str) or not value.strip():
        raise ValueError("write a text that is not empty")
    return value.strip()


def secret(value: Any, _: Any = None) -> str:
    """Read a secret that is long enough not to be guessed."""
    if not isinstance(value, str) or len(value) < _SECRET_CHARACTERS:
        raise ValueError(f"write at least {_SECRET_CHARACTERS} random characters")
    return value


def yes_or_no(value: Any, _: Any = None) -> bool:
    """Read a truth value."""
    if isinstance(value, bool):
        return value
    found = _WORDS.get(value.strip().lower()) if isinstance(value, str) else None
    if found is None:
        raise ValueError("write true or false")
    return found


def whole(least: int, most: int) -> Reader:
    """Return a reader of whole numbers within limits."""

    def read(value: Any, _: Any = None) -> int:
        number = _integer(value)
        if number is None or not least <= number <= most:
            raise ValueError(f"write a whole number from {least} to {most}")
        return number

    return read


def count_or_unlimited(least: int, most: int) -> Reader:
    """Return a reader of whole numbers within limits, or ``unlimited``."""
    count = whole(least, most)

    def read(value: Any, _: Any = None) -> int | Literal["unlimited"]:
        if _is_unlimited(value):
            return _UNLIMITED
        try:
            number: int = count(value, None)
        except ValueError as error:
            raise ValueError(f"{error}, or unlimited") from None
        return number

    return read


def seconds(least: float, most: float) -> Reader:
    """Return a reader of seconds within limits."""

    def read(value: Any, _: Any = None) -> float:
        number = _number(value)
        if number is None or not least <= number <= most:
            raise ValueError(f"write seconds from {least:g} to {most:g}")
        return number

    return read


def one_of(*words: str) -> Reader:
    """Return a reader of one of some words."""

    def read(value: Any, _: Any = None) -> str:
        word = value.strip().lower() if isinstance(value, str) else ""
        if word not in words:
            raise ValueError(f"write {' or '.join(words)}")
        return word

    return read


def schedule(value: Any, _: Any = None) -> tuple[float, ...]:
    """Read the waits of the retry schedule, each at most 30 days."""
    steps = [_number(step) for step in _listed(value)]
    known = [step for step in steps if step is not None and 0 <= step <= _LONGEST_STEP_S]
    if not steps or len(known) < len(steps):
        raise ValueError("write seconds of at most 30 days separated by commas, for example 0,5,300")
    return RetryPolicy(schedule_s=tuple(known)).schedule_s


def networks(value: Any, _: Any = None) -> tuple[str, ...]:
    """Read networks in CIDR form."""
    found = _texts(value, "write networks in CIDR form separated by commas, for example 127.0.0.0/8")
    try:
        AddressPolicy.of(found)
    except InvalidInput as error:
        raise ValueError(f"{error.detail.rstrip('.')}; write networks such as 127.0.0.0/8") from None
    return found


def origins(value: Any, _: Any = None) -> tuple[str, ...]:
    """Read web origins (RFC 6454): scheme and host, and a port where it is not the usual one."""
    remedy = "write origins such as https://app.example.com, separated by commas"
    found = _texts(value, remedy)
    if not all(_ORIGIN.fullmatch(origin) for origin in found):
        raise ValueError(remedy)
    return found


def plugins(value: Any, _: Any = None) -> Literal["all", "none"] | tuple[str, ...]:
    """Read ``all``, ``none`` or the names of plugins."""
    names = _texts(value, "write all, none, or names of plugins separated by commas")
    if names == ("all",):
        return "all"
    return "none" if names in (("none",), ()) else names


def paths(value: Any, _: Any = None) -> tuple[Path, ...]:
    """Read paths of files; text holds them separated by commas."""
    items = [value] if isinstance(value, Path) else _listed(value)
    if not all(isinstance(item, str | Path) and str(item) for item in items):
        raise ValueError("write paths of files")
    return tuple(Path(item) for item in items)


def rate_limit(value: Any, _: Any = None) -> RateLimit | None:
    """Read a number of requests per period, or ``unlimited``."""
    if _is_unlimited(value):
        return None
    match = _RATE.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        raise ValueError(f"write a rate such as 1000/second ({', '.join(_PERIODS_S)}), or unlimited")
    return RateLimit(requests=int(match[1]), period_s=_PERIODS_S[match[2]])


def price(value: Any, _: Any = None) -> int:
    """Read an amount that is not negative, into millionths."""
    micros = to_micros(value)
    if micros < 0:
        raise ValueError(f"write {from_micros(0)} or more")
    return micros


def prices(value: Any, _: Any = None) -> Mapping[str, int]:
    """Read the price of each of some task types: a table, or text such as ``categorization=0.05,other=1``."""
    pairs = value.items() if isinstance(value, Mapping) else [_pair(item) for item in _listed(value)]
    found = {}
    for name, amount in pairs:
        try:
            found[name] = price(amount)
        except ValueError as error:
            raise ValueError(f"for {name}, {error}") from None
    return found


def table(value: Any, _: Any = None) -> Mapping[str, Any]:
    """Read a table; only the file has those."""
    if not isinstance(value, Mapping):
        raise ValueError("write a table in the settings file")  # noqa: TRY004 - one error type for whatever was written
    return dict(value)


def _pair(item: Any) -> tuple[str, str]:
    name, equals, amount = str(item).partition("=")
    if not equals or not name.strip():
        raise ValueError("write TYPE=PRICE separated by commas, for example categorization=0.05")
    return name.strip(), amount.strip()


def _listed(value: Any) -> Sequence[Any]:
    """Return the items of a list, of comma-separated text, or the one value."""
    if isinstance(value, str):
        return [item.strip() for item in value.split(",") if item.strip()]
    return list(value) if isinstance(value, Iterable) and not isinstance(value, Mapping) else [value]


def _texts(value: Any, remedy: str) -> tuple[str, ...]:
    items = _listed(value)
    if not all(isinstance(item, str) and item.strip() for item in items):
        raise ValueError(remedy)
    return tuple(item.strip() for item in items)


def _is_unlimited(value: Any) -> bool:
    return isinstance(value, str) and value.strip().lower() == _UNLIMITED


def _integer(value: Any) -> int | None:
    if isinstance(value, str) and _INTEGER.fullmatch(value.strip()):
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
        return None
    try:
        number = float(value)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
