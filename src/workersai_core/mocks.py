"""Test mode: what a requester may ask of the mock in ``metadata.mock``.

    {"delay_s": 2}                     answer after two seconds (0 to 86 400)
    {"response": {…}}                  answer exactly this; it must be valid
    {"outcome": "never"}               stay pending; also "error" and "cancel"
    {"callback": "fail_first_2"}       record two simulated failures before the real attempt

Under a live key ``metadata.mock`` is the requester's own data like any other.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal

import attrs

from workersai_core.errors import Issue
from workersai_core.jsontext import pointer_token, shorten

__all__ = ["MockPlan", "plan_issues", "seeded"]

Outcome = Literal["complete", "never", "error", "cancel"]

_MAX_DELAY_S = 86_400
_CALLBACKS = {"fail_first_2": 2}


@attrs.frozen(kw_only=True)
class MockPlan:
    """What the mock does with one test task."""

    delay_s: float = 0.0
    response: Any = None
    outcome: Outcome = "complete"
    simulated_failures: int = 0

    @classmethod
    def of(cls, metadata: Mapping[str, Any]) -> MockPlan:
        """Return the plan in a task's metadata, which `plan_issues` has passed."""
        controls = metadata.get("mock") or {}
        return cls(
            delay_s=float(controls.get("delay_s", 0)),
            response=controls.get("response"),
            outcome=controls.get("outcome", "complete"),
            simulated_failures=_CALLBACKS.get(controls.get("callback", ""), 0),
        )


def seeded(task_id: str) -> random.Random:
    """Return the mock's source of chance: the same for the same task, always."""
    return random.Random(task_id)  # noqa: S311 - a mock must be repeatable, not secret


def plan_issues(metadata: Mapping[str, Any], response_issues: Callable[[Any], list[Issue]]) -> Iterator[Issue]:
    """Yield what is wrong with ``metadata.mock``; pointers start with ``/metadata/mock``.

    Args:
        metadata: The metadata of a test task.
        response_issues: Checks a response against the task's type and params.
    """
    if "mock" not in metadata:
        return
    controls = metadata["mock"]
    if not isinstance(controls, dict):
        yield Issue("/metadata/mock", 'mock is an object, for example {"delay_s": 2}.', "wrong_type")
        return
    for name, value in controls.items():
        where = f"/metadata/mock/{pointer_token(name)}"
        if name == "response":
            yield from (issue.under(where) for issue in response_issues(value))
        elif name not in _CHECKS:
            yield Issue(where, f"mock has no {shorten(name)}; it takes {', '.join(_KNOWN)}.", "unknown_field")
        elif problem := _CHECKS[name](value):
            yield Issue(where, problem)


def _delay_problem(value: Any) -> str | None:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return None if number and 0 <= value <= _MAX_DELAY_S else f"delay_s is a number from 0 to {_MAX_DELAY_S}."


def _outcome_problem(value: Any) -> str | None:
    return None if value in ("never", "error", "cancel") else 'outcome is "never", "error" or "cancel".'


def _callback_problem(value: Any) -> str | None:
    return None if isinstance(value, str) and value in _CALLBACKS else 'callback is "fail_first_2".'


_CHECKS: Mapping[str, Callable[[Any], str | None]] = {
    "delay_s": _delay_problem,
    "outcome": _outcome_problem,
    "callback": _callback_problem,
}
_KNOWN = (*_CHECKS, "response")
