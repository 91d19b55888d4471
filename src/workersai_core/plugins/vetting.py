"""What a plugin must be like; each error says what is wrong and what to do."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from types import ModuleType
from typing import Any

import pluggy

from workersai_core import hookspecs
from workersai_core.errors import PluginConfigurationError
from workersai_core.hooks import Implementation
from workersai_core.hookspecs import PROJECT
from workersai_core.schemas.explain import close_match
from workersai_core.task_type import TaskType

__all__ = ["implementations_of", "manager", "own_settings", "own_task_types", "register"]


def manager() -> pluggy.PluginManager:
    """Return a plugin manager that knows the hook catalogue."""
    made = pluggy.PluginManager(PROJECT)
    made.add_hookspecs(hookspecs)
    return made


def register(hooks: pluggy.PluginManager, plugin: object, name: str) -> tuple[str, ...]:
    """Register a plugin and return the hooks it implements, sorted.

    Raises:
        PluginConfigurationError: it is nothing that can be registered.
    """
    if inspect.isclass(plugin):
        raise PluginConfigurationError(f"{plugin.__name__} is a class; register an instance, {plugin.__name__}().")
    marked = _marked(hooks, plugin)
    if not marked:
        raise PluginConfigurationError(_nothing_in(plugin))
    known = _known(hooks)
    marked = [each for each in marked if each[0] in known or not each[2].get("optionalhook")]
    implemented = sorted(hook for hook, _, _ in marked)
    for hook, function, options in marked:
        _check_hook(hooks, hook, function, options)
        if implemented.count(hook) > 1:
            raise PluginConfigurationError(f"It implements the hook {hook} twice; do both in one function.")
    try:
        hooks.register(plugin, name)
    except ValueError as error:
        raise PluginConfigurationError("This plugin is registered already, under another name.") from error
    return tuple(implemented)


def implementations_of(hooks: pluggy.PluginManager) -> Iterator[Implementation]:
    """Yield the implementations of every hook in the order they are asked."""
    for name in _known(hooks):
        for each in reversed(getattr(hooks.hook, name).get_hookimpls()):
            yield Implementation(name, each.plugin_name, each.function, (*each.argnames, *each.kwargnames))


def _known(hooks: pluggy.PluginManager) -> list[str]:
    return [name for name in vars(hooks.hook) if getattr(hooks.hook, name).has_spec()]


def _marked(hooks: pluggy.PluginManager, plugin: object) -> list[tuple[str, Any, Mapping[str, Any]]]:
    found: list[tuple[str, Any, Mapping[str, Any]]] = []
    for attribute in dir(plugin):
        options = hooks.parse_hookimpl_opts(plugin, attribute)
        if options is not None:
            found.append((options.get("specname") or attribute, getattr(plugin, attribute), options))
    return found


def _check_hook(hooks: pluggy.PluginManager, hook: str, function: Any, options: Mapping[str, Any]) -> None:
    known = _known(hooks)
    if hook not in known:
        meant = close_match(hook, known)
        hint = f"did you mean {meant}?" if meant else f"hooks are {', '.join(known)}."
        raise PluginConfigurationError(f"There is no hook {hook}; {hint}")
    if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
        raise PluginConfigurationError(f"{hook} is async; hooks are plain functions, so write def instead.")
    if options.get("wrapper") or options.get("hookwrapper"):
        raise PluginConfigurationError(f"{hook} is a wrapper; hooks do not wrap each other, so leave that option out.")
    if inspect.isgeneratorfunction(function) and not hook.startswith("register_"):
        raise PluginConfigurationError(f"{hook} is a generator, which would never run; leave yield out.")
    _check_arguments(getattr(hooks.hook, hook).spec.argnames, hook, function)


def _check_arguments(known: tuple[str, ...], hook: str, function: Any) -> None:
    takes = f"{hook}({', '.join(known)})"
    for name, parameter in inspect.signature(function).parameters.items():
        if parameter.kind is parameter.KEYWORD_ONLY:
            raise PluginConfigurationError(f"{hook}: {name} is keyword-only and would never be given; write {takes}.")
        if parameter.kind is not parameter.POSITIONAL_OR_KEYWORD:
            raise PluginConfigurationError(f"{hook}: {parameter} would never be given; write {takes}.")
        if name not in known:
            raise PluginConfigurationError(f"{hook} has no argument {name}; it is {takes}.")


def _nothing_in(plugin: object) -> str:
    text = "It implements no hook; mark functions with @hookimpl."
    if isinstance(plugin, TaskType):
        return f"{type(plugin).__name__} is a task type; return it from a hook register_task_types."
    if isinstance(plugin, ModuleType):
        for value in vars(plugin).values():
            if inspect.isclass(value) and issubclass(value, TaskType) and value.__module__ == plugin.__name__:
                return (
                    f"It defines the task type {value.__name__}, but no hook; add"
                    f" @hookimpl def register_task_types(): return [{value.__name__}()]."
                )
    return text


# --- what it contributes -----------------------------------------------------------------------------


def own_task_types(plugin_types: object) -> list[TaskType]:
    """Return what `register_task_types` returned.

    Raises:
        PluginConfigurationError: it is no list of task types.
    """
    if isinstance(plugin_types, TaskType):
        raise PluginConfigurationError(f"register_task_types returns a list: [{type(plugin_types).__name__}()].")
    try:
        types: list[TaskType] = list(plugin_types)  # type: ignore[call-overload]  # each one is looked at below
    except TypeError:
        text = f"register_task_types returns a list of task types, not {type(plugin_types).__name__}."
        raise PluginConfigurationError(text) from None
    for each in types:
        if inspect.isclass(each):
            text = f"register_task_types returns the class {each.__name__}; return an instance, {each.__name__}()."
            raise PluginConfigurationError(text)
        if not isinstance(each, TaskType):
            text = f"register_task_types returns a {type(each).__name__}, which is no TaskType; subclass TaskType."
            raise PluginConfigurationError(text)
    return types


def own_settings(settings: object) -> Mapping[str, Any]:
    """Return what `register_settings` returned.

    Raises:
        PluginConfigurationError: it is no mapping with text keys.
    """
    if not isinstance(settings, Mapping) or not all(isinstance(name, str) for name in settings):
        raise PluginConfigurationError("register_settings returns a mapping from names to defaults.")
    return settings
