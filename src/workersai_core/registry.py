"""The task types of one engine, and everything that is asked of them.

A task type is a plugin's code. What it raises, and results that break its own
schema, become `PluginFailed` naming the plugin and the type; what it returns
is trusted only after it was checked.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, NoReturn

import attrs

from workersai_core import jsontext
from workersai_core.errors import InvalidInput, Issue, PluginFailed, SchemaError, TaskTypeUnavailable, UnknownTaskType
from workersai_core.jsontext import shorten
from workersai_core.schemas import CompiledSchema, compile_narrowed, compile_schema
from workersai_core.schemas.explain import MAX_ISSUES, close_match
from workersai_core.task_type import Answer, Json, JsonObject, TaskType, Verdict

if TYPE_CHECKING:
    from workersai_core.model import Task

__all__ = ["RegisteredType", "TaskTypes", "checked_issues", "failure_of"]

_log = logging.getLogger("workersai.plugins")


@attrs.frozen
class RegisteredType:
    """A task type whose schemas and examples passed.

    Attributes:
        task_type: The plugin's instance.
        plugin: Which plugin brought it.
        params: Its compiled params schema.
        response: Its compiled response schema, not narrowed to a task.
    """

    task_type: TaskType
    plugin: str
    params: CompiledSchema
    response: CompiledSchema

    @classmethod
    def of(cls, task_type: TaskType, plugin: str) -> RegisteredType:
        """Compile the schemas of a type.

        Raises:
            SchemaError: one breaks a rule.
        """
        params = compile_schema(task_type.params_schema, "params_schema")
        response = compile_schema(task_type.response_schema, "response_schema")
        return cls(task_type, plugin, params, response)


class TaskTypes:
    """The task types of one engine, by name.

    Args:
        types: What was registered.
        unavailable: Why a type that is known cannot be used, by its name.
    """

    def __init__(self, types: Sequence[RegisteredType], unavailable: Mapping[str, str]) -> None:
        self._types = {each.task_type.name: each for each in sorted(types, key=lambda each: each.task_type.name)}
        self._names = {name: name for name in self._types}
        for name, each in self._types.items():
            self._names.update(dict.fromkeys(each.task_type.aliases, name))
        self._unavailable = dict(unavailable)

    # --- which there are -------------------------------------------------------------------------

    def names(self) -> list[str]:
        """Return the names of all types, sorted."""
        return list(self._types)

    def __iter__(self) -> Iterator[TaskType]:
        return iter([each.task_type for each in self._types.values()])

    def __len__(self) -> int:
        return len(self._types)

    def get(self, name: str) -> TaskType | None:
        """Return the type of a name, which is no alias; None when it is not loaded."""
        found = self._types.get(name)
        return None if found is None else found.task_type

    def require(self, name: str) -> TaskType:
        """Return the type of a name or an alias.

        Raises:
            UnknownTaskType: there is none.
            TaskTypeUnavailable: its plugin failed, or is not loaded.
        """
        if not isinstance(name, str):
            raise _refusal(UnknownTaskType, f"task_type is the name of a task type; {self._listed()}.")
        known = self._names.get(name)
        if known is not None:
            return self._types[known].task_type
        if name in self._unavailable:
            raise _refusal(TaskTypeUnavailable, f"The task type {name} cannot be used: {self._unavailable[name]}")
        meant = close_match(name, self._names)
        hint = f" Did you mean {meant}?" if meant else ""
        raise _refusal(UnknownTaskType, f"There is no task type {shorten(name)}; {self._listed()}.{hint}")

    def _listed(self) -> str:
        return f"known are {', '.join(self._types)}" if self._types else "none is loaded"

    def of(self, task: Task) -> tuple[TaskType, Json]:
        """Return the type of a stored task, and the task's params in the type's present version.

        The params of a version that is newer than the type, whose package
        went back, are taken as they are.

        Raises:
            TaskTypeUnavailable: the type's plugin is gone or failed; it may come back.
            PluginFailed: the params cannot be brought to the present version.
        """
        task_type = self.get(task.task_type)
        if task_type is None:
            why = self._unavailable.get(task.task_type, "its plugin is not loaded.")
            raise _refusal(TaskTypeUnavailable, f"The task type {task.task_type} cannot be used: {why}")
        params = task.params
        if task.task_type_version < task_type.version:
            params = self._ask(task_type, "upgrade_params", params, task.task_type_version)
            self._demand(task_type, "upgrade_params", params, lambda value: self.check_params(task_type, value))
        return task_type, params

    # --- params and responses ----------------------------------------------------------------------

    def check_params(self, task_type: TaskType, params: Json) -> list[Issue]:
        """Return what is wrong with the params of a new task; first what the schema says, then the type.

        Raises:
            PluginFailed: the type failed.
        """
        found = self._types[task_type.name].params.issues(params)
        return found or self._own_issues(task_type, "check_params", params)

    def check_response(self, task_type: TaskType, params: JsonObject, response: Json) -> list[Issue]:
        """Return what is wrong with a response to a task; first what the schema says, then the type.

        Raises:
            PluginFailed: the type failed.
        """
        if response == {}:
            return [Issue("", "The response is empty.", "required")]
        _, compiled = self._narrowed(task_type, params)
        found: list[Issue] = self._guarded(task_type, "response_schema_for", lambda: compiled.issues(response))
        return found or self._own_issues(task_type, "check_response", params, response)

    def response_schema_for(self, task_type: TaskType, params: JsonObject) -> Json:
        """Return the response schema narrowed to one task.

        Raises:
            PluginFailed: the type failed, or what it returned is no schema.
        """
        schema, _ = self._narrowed(task_type, params)
        return schema

    def mock_response(self, task_type: TaskType, params: JsonObject, rng: random.Random) -> Json:
        """Return a valid response for test mode.

        Raises:
            PluginFailed: the type failed, or what it returned is not valid.
        """
        response = self._ask(task_type, "mock_response", params, rng)
        self._demand(task_type, "mock_response", response, lambda value: self.check_response(task_type, params, value))
        return response

    # --- quality ---------------------------------------------------------------------------------------

    def normalize(self, task_type: TaskType, params: JsonObject, response: Json) -> Json:
        """Return the form of a response that is compared.

        Raises:
            PluginFailed: the type failed, or the form is no JSON value.
        """
        form = self._ask(task_type, "normalize", params, response)
        self._demand(task_type, "normalize", form, lambda _: [])
        return form

    def agreement(self, task_type: TaskType, params: JsonObject, a: Json, b: Json) -> float:
        """Return how far two responses agree, 0 to 1.

        Raises:
            PluginFailed: the type failed, or returned something else.
        """
        found = self._ask(task_type, "agreement", params, a, b)
        if not _is_share(found):
            self._fail(task_type, "agreement", f"it returned {_shown(found)} instead of a number from 0 to 1")
        return float(found)

    def aggregate(self, task_type: TaskType, params: JsonObject, answers: Sequence[Answer]) -> Verdict | None:
        """Return the verdict of all answers; None asks one more worker.

        Raises:
            PluginFailed: the type failed, or its verdict is not valid.
        """
        verdict: Verdict | None = self._ask(task_type, "aggregate", params, answers)
        if verdict is not None:
            problem = self.verdict_problem(task_type, params, verdict)
            if problem is not None:
                self._fail(task_type, "aggregate", problem)
        return verdict

    def verdict_problem(self, task_type: TaskType, params: JsonObject, verdict: object) -> str | None:
        """Return why something is no valid verdict for a task, or None."""
        if not isinstance(verdict, Verdict):
            return f"it returned {_shown(verdict)} instead of a Verdict"
        if verdict.confidence is not None and not _is_share(verdict.confidence):
            return f"its confidence is {_shown(verdict.confidence)} instead of a number from 0 to 1"
        return _problem_of(verdict.response, lambda value: self.check_response(task_type, params, value))

    # --- asking a type ---------------------------------------------------------------------------------

    def _narrowed(self, task_type: TaskType, params: JsonObject) -> tuple[Json, CompiledSchema]:
        schema = self._ask(task_type, "response_schema_for", params)
        if schema is task_type.response_schema:
            return schema, self._types[task_type.name].response
        try:
            return schema, compile_narrowed(schema, "what it returned")
        except SchemaError as error:
            self._fail(task_type, "response_schema_for", error.detail)

    def _demand(self, task_type: TaskType, method: str, value: Json, issues_of: Callable[[Any], list[Issue]]) -> None:
        problem = _problem_of(value, issues_of)
        if problem is not None:
            self._fail(task_type, method, problem)

    def _own_issues(self, task_type: TaskType, method: str, *arguments: Any) -> list[Issue]:
        found: list[Issue] = self._guarded(
            task_type, method, lambda: checked_issues(getattr(task_type, method), *arguments)
        )
        return found

    def _ask(self, task_type: TaskType, method: str, *arguments: Any) -> Any:
        return self._guarded(task_type, method, lambda: getattr(task_type, method)(*arguments))

    def _guarded(self, task_type: TaskType, method: str, call: Callable[[], Any]) -> Any:
        try:
            return call()
        except (Exception, SystemExit) as error:
            raise self._failure(task_type, method, error) from error

    def _failure(self, task_type: TaskType, method: str, error: BaseException) -> PluginFailed:
        return failure_of(self._plugin_of(task_type), f"{method} of the task type {task_type.name}", error)

    def _fail(self, task_type: TaskType, method: str, problem: str) -> NoReturn:
        raise self._failure(task_type, method, ValueError(problem))

    def _plugin_of(self, task_type: TaskType) -> str:
        return self._types[task_type.name].plugin


def checked_issues(method: Callable[..., Any], *arguments: Any) -> list[Issue]:
    """Return what a checking method yields, at most 32.

    Raises:
        TypeError: it yields something that is no `Issue`.
    """
    issues = list(islice(method(*arguments), MAX_ISSUES))
    for issue in issues:
        if not isinstance(issue, Issue):
            raise TypeError(f"{method.__name__} yields Issues, not {_shown(issue)}")
    return issues


def failure_of(plugin: str, where: str, error: BaseException) -> PluginFailed:
    """Log what a plugin raised, and return the error for the caller, which does not repeat it."""
    _log.error("the plugin %s failed in %s", plugin, where, exc_info=error, extra={"plugin": plugin})
    return PluginFailed(f"The plugin {plugin} failed in {where}; nothing was changed.", plugin=plugin)


def _problem_of(value: Json, issues_of: Callable[[Any], list[Issue]]) -> str | None:
    """Return why a value that a plugin made is no JSON value or breaks a rule, or None."""
    try:
        jsontext.check(value)
    except InvalidInput as error:
        return str(error)
    issues = issues_of(value)
    return "; ".join(f"{issue.pointer or 'the whole'}: {issue.message}" for issue in issues) or None


def _refusal(kind: type[InvalidInput], text: str) -> InvalidInput:
    return kind(text, issues=[Issue("/task_type", text, kind.code)])


def _is_share(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1


def _shown(value: object) -> str:
    return shorten(repr(value))
