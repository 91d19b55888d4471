"""What a task type must be like before it is registered."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Mapping
from typing import Any

from workersai_core import jsontext
from workersai_core.errors import InvalidInput, Issue, PluginConfigurationError
from workersai_core.jsontext import shorten
from workersai_core.registry import RegisteredType, checked_issues
from workersai_core.schemas import compile_schema
from workersai_core.task_type import TaskType

__all__ = ["registered"]

_NAME = re.compile(r"[a-z][a-z0-9_]{1,40}")
_METHODS = (
    "response_schema_for",
    "check_params",
    "check_response",
    "mock_response",
    "normalize",
    "agreement",
    "aggregate",
    "upgrade_params",
)


def registered(task_type: TaskType, plugin: str) -> RegisteredType:
    """Check everything about a task type and return it ready for use.

    Raises:
        PluginConfigurationError: it breaks a rule; the detail names the type, issues the places.
    """
    name = getattr(task_type, "name", None)
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise PluginConfigurationError(
            f"{type(task_type).__name__}.name is {shorten(repr(name))}; a name is like my_type: lower-case letters,"
            " digits and _, 2 to 41 of them, a letter first."
        )
    problem = next(_attribute_problems(task_type), None)
    if problem is not None:
        raise PluginConfigurationError(f"The task type {name}: {problem}")
    found = RegisteredType.of(task_type, plugin)
    if task_type.params_schema.get("type") != "object":
        raise PluginConfigurationError(f'The task type {name}: params_schema has "type": "object" at its root.')
    if found.response.accepts({}):
        raise PluginConfigurationError(f"The task type {name}: response_schema accepts {{}}; require a property.")
    for position, example in enumerate(task_type.examples):
        _check_example(found, position, example)
    return found


def _attribute_problems(task_type: TaskType) -> Iterator[str]:
    for attribute in ("params_schema", "response_schema"):
        if not isinstance(getattr(task_type, attribute, None), dict):
            yield f"{attribute} is a JSON Schema, a dict."
    if isinstance(task_type.aliases, str) or not all(
        isinstance(alias, str) and _NAME.fullmatch(alias) for alias in task_type.aliases
    ):
        yield "aliases is a tuple of names like my_type."
    if isinstance(task_type.version, bool) or not isinstance(task_type.version, int) or task_type.version < 1:
        yield "version is a whole number from 1."
    if not isinstance(task_type.summary, str) or not task_type.summary.strip():
        yield "summary is one sentence for documentation and menus."
    if not isinstance(task_type.ui, Mapping):
        yield "ui is a dict of hints for the form."
    if not task_type.examples:
        yield "examples holds at least one pair (params, response)."
    for method in _METHODS:
        if inspect.iscoroutinefunction(getattr(task_type, method)):
            yield f"{method} is async; task types are pure functions, so write def instead."


def _check_example(found: RegisteredType, position: int, example: Any) -> None:
    name = found.task_type.name
    if not isinstance(example, tuple | list) or len(example) != 2:
        raise PluginConfigurationError(f"The task type {name}: example {position} is no pair (params, response).")
    params, response = example
    issues = list(_example_issues(found, params, response))
    if issues:
        raise PluginConfigurationError(f"The task type {name}: example {position} does not validate.", issues=issues)


def _example_issues(found: RegisteredType, params: Any, response: Any) -> Iterator[Issue]:
    """Yield what is wrong with an example; pointers start with ``/params`` or ``/response``."""
    task_type = found.task_type
    for what, value in (("/params", params), ("/response", response)):
        try:
            jsontext.check(value, pointer=what)
        except InvalidInput as error:
            yield from error.issues
            return
    issues = found.params.issues(params) or checked_issues(task_type.check_params, params)
    if issues:
        yield from (issue.under("/params") for issue in issues)
        return
    narrowed = compile_schema(task_type.response_schema_for(params), "response_schema_for")
    issues = narrowed.issues(response) or checked_issues(task_type.check_response, params, response)
    yield from (issue.under("/response") for issue in issues)
