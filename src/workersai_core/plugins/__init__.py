"""Loading plugins: each one as a whole or not at all, and none at the expense of another.

    loaded = Plugins.load([MyPlugin()], files=["my_type.py"], entry_points="all", strict=False)

A plugin that cannot be loaded is listed as failed with the reason, and the
engine goes on without it; with `strict` that is an error.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal, Self

import attrs
import pluggy

from workersai_core.errors import Issue, PluginConfigurationError
from workersai_core.hooks import Hooks
from workersai_core.plugins import vetting
from workersai_core.plugins.discovery import Candidate, EntryPoints, found
from workersai_core.plugins.type_rules import registered
from workersai_core.registry import RegisteredType, TaskTypes

__all__ = ["EntryPoints", "PluginReport", "Plugins", "State"]

State = Literal["ok", "failed", "disabled", "paused"]
_log = logging.getLogger("workersai.plugins")


@attrs.frozen(kw_only=True)
class PluginReport:
    """What became of one plugin.

    Attributes:
        name: Its entry point's name, its file's, or its own.
        distribution: The installed package it came with; None for files and objects.
        version: That package's version.
        state: ``ok``; ``failed``, not loaded for the reason in `error`; ``disabled``,
            installed and not chosen; ``paused``, its observers failed too often.
        task_types: The names of the task types it brings.
        hooks: The names of the hooks it implements.
        error: Why it failed; None otherwise.
    """

    name: str
    distribution: str | None
    version: str | None
    state: State
    task_types: tuple[str, ...]
    hooks: tuple[str, ...]
    error: str | None


@attrs.define
class _Plugin:
    """One plugin on its way through the loader."""

    candidate: Candidate
    hooks: tuple[str, ...] = ()
    task_types: tuple[str, ...] = ()
    """Also of a plugin that failed, as far as it got."""
    types: list[RegisteredType] = attrs.field(factory=list)
    settings: Mapping[str, Any] = attrs.field(factory=dict)
    error: str | None = None

    @property
    def name(self) -> str:
        return self.candidate.name

    @property
    def is_ok(self) -> bool:
        return self.candidate.wanted and self.error is None

    def claims(self) -> list[tuple[str, str]]:
        """Return every name that only one plugin may have."""
        names = [("task type", name) for each in self.types for name in (each.task_type.name, *each.task_type.aliases)]
        return names + [("setting", name) for name in self.settings]


class Plugins:
    """The plugins of one engine. Made by `Plugins.load`.

    Attributes:
        types: The task types of those that were loaded.
        hooks: Their hooks.
        settings: The defaults of their settings.
    """

    def __init__(self, plugins: Iterable[_Plugin], hooks: pluggy.PluginManager) -> None:
        self._plugins = list(plugins)
        loaded = [plugin for plugin in self._plugins if plugin.is_ok]
        self.types = TaskTypes([each for plugin in loaded for each in plugin.types], _unavailable(self._plugins))
        self.hooks = Hooks(vetting.implementations_of(hooks), self.types)
        self.settings: Mapping[str, Any] = {
            name: default for plugin in loaded for name, default in plugin.settings.items()
        }

    @classmethod
    def load(
        cls,
        plugins: Iterable[object],
        *,
        files: Iterable[str | Path] = (),
        entry_points: EntryPoints = "all",
        strict: bool = False,
    ) -> Self:
        """Find, check and load plugins.

        Args:
            plugins: Plugin objects: instances or modules with hooks.
            files: Python files, each one a plugin.
            entry_points: Which installed plugins: ``"all"``, ``"none"`` or names.
            strict: Whether a plugin that cannot be loaded is an error.

        Raises:
            PluginConfigurationError: with `strict`, one cannot be loaded; every one has an issue.
        """
        hooks = vetting.manager()
        found_plugins = [_Plugin(candidate) for candidate in found(plugins, files, entry_points)]
        for plugin in found_plugins:
            if plugin.candidate.wanted:
                _load(plugin, hooks)
        _refuse_clashes(found_plugins)
        for plugin in found_plugins:
            if plugin.error is not None:
                _log.error("the plugin %s is not loaded: %s", plugin.name, plugin.error)
                if hooks.has_plugin(plugin.name):
                    hooks.unregister(name=plugin.name)
        if strict:
            _refuse_failures(found_plugins)
        return cls(found_plugins, hooks)

    def reports(self) -> list[PluginReport]:
        """Return what became of each plugin, as it is now."""
        return [self._report(plugin) for plugin in self._plugins]

    def _report(self, plugin: _Plugin) -> PluginReport:
        error = plugin.error or self.hooks.broken(plugin.name)
        return PluginReport(
            name=plugin.name,
            distribution=plugin.candidate.distribution,
            version=plugin.candidate.version,
            state=self._state(plugin, error),
            task_types=plugin.task_types,
            hooks=plugin.hooks,
            error=error,
        )

    def _state(self, plugin: _Plugin, error: str | None) -> State:
        if not plugin.candidate.wanted:
            return "disabled"
        if error is not None:
            return "failed"
        return "paused" if self.hooks.is_paused(plugin.name) else "ok"


def _load(plugin: _Plugin, hooks: pluggy.PluginManager) -> None:
    """Load one plugin; whatever goes wrong is noted on it."""
    try:
        loaded = plugin.candidate.load()
        plugin.hooks = vetting.register(hooks, loaded, plugin.name)
        if "register_task_types" in plugin.hooks:
            types = vetting.own_task_types(_call(hooks, plugin, "register_task_types"))
            plugin.task_types = tuple(str(getattr(each, "name", type(each).__name__)) for each in types)
            plugin.types = [registered(each, plugin.name) for each in types]
            _refuse_own_clashes(plugin)
        if "register_settings" in plugin.hooks:
            plugin.settings = vetting.own_settings(_call(hooks, plugin, "register_settings"))
    except PluginConfigurationError as error:
        plugin.error = str(error)
    except (Exception, SystemExit) as error:
        _log.debug("the plugin %s raised while it was loaded", plugin.name, exc_info=error)
        plugin.error = ": ".join(filter(None, (type(error).__name__, str(error))))


def _call(hooks: pluggy.PluginManager, plugin: _Plugin, hook: str) -> object:
    implementations = [
        each for each in vetting.implementations_of(hooks) if (each.hook, each.plugin) == (hook, plugin.name)
    ]
    return implementations[0]()


def _refuse_own_clashes(plugin: _Plugin) -> None:
    names = [name for _, name in plugin.claims()]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise PluginConfigurationError(f"It registers the name {twice[0]} twice.")


def _refuse_clashes(plugins: Iterable[_Plugin]) -> None:
    """Fail every plugin that has a name in common with another."""
    owners: dict[tuple[str, str], list[_Plugin]] = {}
    for plugin in plugins:
        for claim in plugin.claims() if plugin.is_ok else ():
            owners.setdefault(claim, []).append(plugin)
    for (what, name), claiming in owners.items():
        for plugin in claiming if len(claiming) > 1 else ():
            others = ", ".join(other.name for other in claiming if other is not plugin)
            error = f"The {what} {name} is also registered by {others}; load only one of them (setting plugins)."
            plugin.error = plugin.error or error


def _refuse_failures(plugins: Iterable[_Plugin]) -> None:
    issues = [Issue("", f"{plugin.name}: {plugin.error}", "plugin_invalid") for plugin in plugins if plugin.error]
    if issues:
        raise PluginConfigurationError("A plugin cannot be loaded, and strict plugins were asked for.", issues=issues)


def _unavailable(plugins: Iterable[_Plugin]) -> dict[str, str]:
    """Return why types cannot be used that belong to plugins which are not loaded.

    A plugin that never got as far as naming its types most likely names one as itself.
    """
    reasons = {}
    for plugin in plugins:
        if not plugin.is_ok:
            state = "is disabled" if plugin.error is None else "failed"
            for name in plugin.task_types or (plugin.name,):
                reasons[name] = f"its plugin {plugin.name} {state}."
    return reasons
