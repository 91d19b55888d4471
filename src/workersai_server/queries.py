"""Query parameters, read strictly: none unknown, none twice, all UTF-8."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Mapping
from datetime import datetime

from workersai_core import Engine, TaskFilter, TaskStatus
from workersai_core.commands.listing import MAX_PAGE
from workersai_core.jsontext import shorten
from workersai_server import urlencoded
from workersai_server.credentials import ApiRequest
from workersai_server.errors import InvalidParameter, UnknownParameter
from workersai_server.naming import task_type_named
from workersai_server.times import parse_time

__all__ = ["FILTERS", "limit_of", "no_parameters", "parameters", "scope_of", "task_filter"]

FILTERS = frozenset({"task_type", "status", "created_after", "created_before"})
"""The filters of task lists, besides ``metadata[KEY]``."""
DEFAULT_PAGE = 100
_METADATA = re.compile(r"metadata\[(.+)\]", re.DOTALL)
_DIGITS = re.compile(r"[0-9]{1,6}")


def parameters(req: ApiRequest, known: Collection[str], *, metadata: bool = False) -> dict[str, str]:
    """Return the query's parameters.

    Args:
        req: The request.
        known: The names that the route has.
        metadata: Whether ``metadata[KEY]`` is one of them, for any key.

    Raises:
        UnknownParameter: the route has no such parameter.
        InvalidParameter: one was given twice, or is not UTF-8.
    """
    if not req.query_string:
        return {}
    try:
        pairs = urlencoded.pairs(req.query_string.encode("latin-1"))
    except ValueError as error:
        raise InvalidParameter(f"The query cannot be read: {error}") from None
    found: dict[str, str] = {}
    for name, value in pairs:
        if name not in known and not (metadata and _METADATA.fullmatch(name)):
            raise UnknownParameter(_unknown(name, known, metadata))
        if name in found:
            raise InvalidParameter(f"The parameter {shorten(name)} was given twice; give it once.")
        if "\x00" in value or "\x00" in name:
            raise InvalidParameter(f"The parameter {shorten(name)} contains a NUL character.")
        found[name] = value
    return found


def no_parameters(req: ApiRequest) -> None:
    """Raise unless the query is empty.

    Raises:
        UnknownParameter: it has a parameter.
    """
    if req.query_string:
        parameters(req, ())


def _unknown(name: str, known: Collection[str], metadata: bool) -> str:
    shown = shorten(name)
    close = difflib.get_close_matches(name, known, n=1)
    if close:
        return f"There is no parameter {shown} here; did you mean {close[0]}?"
    names = [*sorted(known), *(["metadata[KEY]"] if metadata else [])]
    if not names:
        return f"There is no parameter {shown} here; this address takes none."
    return f"There is no parameter {shown} here; this address takes {', '.join(names)}."


def limit_of(given: Mapping[str, str]) -> int:
    """Return the size of a page.

    Raises:
        InvalidParameter: it is not ASCII digits, or not 1 to 500.
    """
    text = given.get("limit")
    if text is None:
        return DEFAULT_PAGE
    if not _DIGITS.fullmatch(text) or not 1 <= int(text) <= MAX_PAGE:
        raise InvalidParameter(f"limit is a whole number from 1 to {MAX_PAGE}, not {shorten(text)}.")
    return int(text)


def task_filter(given: Mapping[str, str], engine: Engine) -> TaskFilter:
    """Return which tasks the filters among some parameters choose.

    Args:
        given: The parameters.
        engine: Knows which task type an alias stands for; any other text is taken as it is.

    Raises:
        InvalidParameter: there is no such status, or a time is none.
    """
    return TaskFilter(
        task_type=_task_type(given, engine),
        status=_status(given),
        created_after=_time(given, "created_after"),
        created_before=_time(given, "created_before"),
        metadata={match[1]: value for name, value in given.items() if (match := _METADATA.fullmatch(name))},
    )


def scope_of(given: Mapping[str, str]) -> list[str]:
    """Return what of the parameters makes a list another list; for `Cursors`."""
    return [part for name in sorted(given) if _filters(name) for part in (name, given[name])]


def _filters(name: str) -> bool:
    return name in FILTERS or _METADATA.fullmatch(name) is not None


def _task_type(given: Mapping[str, str], engine: Engine) -> str | None:
    text = given.get("task_type")
    if text is None:
        return None
    known = task_type_named(engine, text)
    return text if known is None else known.name


def _status(given: Mapping[str, str]) -> TaskStatus | None:
    text = given.get("status")
    if text is None:
        return None
    try:
        return TaskStatus(text)
    except ValueError:
        raise InvalidParameter(f"There is no status {shorten(text)}; choose from {', '.join(TaskStatus)}.") from None


def _time(given: Mapping[str, str], name: str) -> datetime | None:
    if name not in given:
        return None
    try:
        return parse_time(given[name])
    except ValueError as error:
        raise InvalidParameter(f"{name}: {error}") from None
