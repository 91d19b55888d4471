"""What a worker has chosen about the pages; it follows them from browser to browser."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import attrs

from workersai_core import InvalidInput, NotFound, OpenTransaction, jsontext
from workersai_core.errors import Issue
from workersai_core.jsontext import pointer_token, shorten
from workersai_server.accounts import worker_rows
from workersai_server.accounts.values import Preferences

__all__ = ["prefer"]

_MOST_SNIPPETS = 10_000
_SLOWEST, _FASTEST = 0.25, 3


def prefer(tx: OpenTransaction, worker_id: str, changes: Mapping[str, Any]) -> Preferences:
    """Change some preferences of a worker and return all.

    Args:
        tx: An open transaction.
        worker_id: Whose.
        changes: By name; what is not named stays.

    Raises:
        InvalidInput: a name or a value is wrong; nothing was changed.
        NotFound: there is no such worker.
    """
    jsontext.check(dict(changes))
    issues = [issue for name, value in changes.items() if (issue := _wrong(name, value)) is not None]
    if issues:
        raise InvalidInput(issues[0].message, issues=issues)
    worker = worker_rows.get(tx.session, worker_id)
    if worker is None:
        raise NotFound(f"There is no worker {worker_id}.")
    chosen = attrs.evolve(worker.preferences, **changes)
    worker_rows.set_preferences(tx.session, worker_id, chosen)
    return chosen


def _is_speed(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and _SLOWEST <= value <= _FASTEST


def _is_snippets(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= _MOST_SNIPPETS


_RULES: Mapping[str, tuple[Callable[[Any], bool], str]] = MappingProxyType(
    {
        "language": (lambda value: value in ("en", "ko"), 'language is "en" or "ko".'),
        "theme": (lambda value: value in ("light", "dark"), 'theme is "light" or "dark".'),
        "single_keys": (lambda value: isinstance(value, bool), "single_keys is true or false."),
        "speed": (_is_speed, f"speed is a number from {_SLOWEST} to {_FASTEST}."),
        "snippets": (_is_snippets, f"snippets is text of at most {_MOST_SNIPPETS} characters."),
    }
)


def _wrong(name: str, value: Any) -> Issue | None:
    place = f"/{pointer_token(name)}"
    if name not in _RULES:
        return Issue(place, f"There is no preference {shorten(name)}; known are {', '.join(_RULES)}.", "unknown_field")
    is_right, rule = _RULES[name]
    return None if is_right(value) else Issue(place, rule)
