"""A task type under test: its compiled schemas and what is drawn for it."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Iterator
from functools import cached_property, lru_cache
from pathlib import PurePath
from traceback import extract_tb
from typing import Any

from workersai_core import jsontext
from workersai_core.errors import Issue, SchemaError
from workersai_core.schemas import CompiledSchema, compile_schema
from workersai_core.task_type import Json, JsonObject, TaskType
from workersai_core.testing.conformance.law import Broken
from workersai_core.testing.extra import st
from workersai_core.testing.strategies import UnsupportedSchema, from_schema

__all__ = ["Subject", "call", "own_strategy"]

Strategy = st.SearchStrategy[Any]

_KEPT = 500


class Subject:
    """A task type whose schemas compile.

    Args:
        task_type: The type.

    Raises:
        SchemaError: a schema breaks a rule.
    """

    def __init__(self, task_type: TaskType) -> None:
        self.task_type = task_type
        self.params = compile_schema(task_type.params_schema, "params_schema")
        self.response = compile_schema(task_type.response_schema, "response_schema")
        self._drawn_from = lru_cache(_KEPT)(lambda text: _from_schema_or_none(jsontext.loads(text)))

    @cached_property
    def wide_responses(self) -> Strategy | None:
        """What the response schema accepts before it is narrowed; None where it cannot be drawn from."""
        return _from_schema_or_none(self.task_type.response_schema)

    @cached_property
    def params_strategy(self) -> Strategy:
        """What the params schema accepts; the examples' params where it cannot be drawn from."""
        own = own_strategy(self.task_type, "params_strategy")
        built = _from_schema_or_none(self.task_type.params_schema) if own is None else own
        return self.example_params if built is None else built

    @property
    def example_params(self) -> Strategy:
        """The params of the examples."""
        return st.sampled_from([params for params, _ in self.task_type.examples]).map(copy.deepcopy)

    def responses(self, params: JsonObject) -> Strategy | None:
        """Return what the schema narrowed to `params` accepts; None where it cannot be drawn from.

        Raises:
            Broken: the type fails, or its narrowed schema breaks a rule.
        """
        own = own_strategy(self.task_type, "response_strategy", params)
        if own is not None:
            return own
        return self._drawn_from(self.narrowed(params).text)

    def narrowed(self, params: JsonObject) -> CompiledSchema:
        """Return the compiled response schema for `params`.

        Raises:
            Broken: the type fails, or the schema breaks a rule.
        """
        schema = call(self.task_type.response_schema_for, params)
        try:
            return compile_schema(schema, "The schema that response_schema_for returned")
        except SchemaError as error:
            raise Broken(str(error)) from error

    def params_issues(self, params: Json) -> list[Issue]:
        """Return what is wrong with `params`, as the engine finds it."""
        return self.params.issues(params) or self._checked(self.task_type.check_params, params)

    def response_issues(self, params: JsonObject, response: Json) -> list[Issue]:
        """Return what is wrong with a response, as the engine finds it."""
        if response == {}:
            return [Issue("", "The response is empty.", "required")]
        issues = self.narrowed(params).issues(response)
        return issues or self._checked(self.task_type.check_response, params, response)

    def _checked(self, check: Callable[..., Any], *arguments: Any) -> list[Issue]:
        found = call(check, *arguments)
        for issue in found:
            if not isinstance(issue, Issue):
                raise Broken(f"{check.__name__} yielded {issue!r} instead of an Issue")
        return list(found)

    def mock(self, params: JsonObject, seed: int) -> Json:
        """Return the type's mock for a seed."""
        rng = random.Random(seed)  # noqa: S311 - a mock is repeatable, not secret
        return call(self.task_type.mock_response, params, rng)


def own_strategy(task_type: TaskType, name: str, *arguments: Any) -> Strategy | None:
    """Return the strategy that a type gives itself; None when it leaves that to the builder.

    Raises:
        Broken: it gives something else.
    """
    method = getattr(task_type, name, None)
    strategy = None if method is None else call(method, *arguments)
    if strategy is not None and not isinstance(strategy, st.SearchStrategy):
        raise Broken(f"{name} returned {type(strategy).__name__} instead of a Hypothesis strategy or None")
    return strategy


def _from_schema_or_none(schema: Json) -> Strategy | None:
    try:
        return from_schema(schema)
    except UnsupportedSchema:
        return None


def call(method: Callable[..., Any], *arguments: Any) -> Any:
    """Call a method of the type; what it yields comes as a list.

    Raises:
        Broken: it raised; the text says what and where.
    """
    try:
        result = method(*arguments)
        return list(result) if isinstance(result, Iterator) else result
    except (Exception, SystemExit) as error:
        last = extract_tb(error.__traceback__)[-1]
        place = f"{PurePath(last.filename).name}, line {last.lineno}: {last.line}"
        raise Broken(f"{method.__name__} raised {type(error).__name__}: {error} ({place})") from error
