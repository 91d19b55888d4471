"""The task types of a plugin, however broken they are; for tools that say what is wrong with them."""

from __future__ import annotations

from pathlib import Path

from workersai_core.errors import PluginConfigurationError
from workersai_core.plugins import vetting
from workersai_core.plugins.discovery import Candidate, found
from workersai_core.task_type import TaskType

__all__ = ["task_types_of"]


def task_types_of(plugin: str | Path | object) -> list[TaskType]:
    """Return the task types that a plugin registers, unchecked.

    Args:
        plugin: A Python file (a path, or text that ends in ``.py``), the name of
            an installed plugin, or a plugin object.

    Raises:
        PluginConfigurationError: it is no plugin, cannot be imported, or registers no task type.
    """
    candidate = _candidate(plugin)
    hooks = vetting.manager()
    try:
        implemented = vetting.register(hooks, candidate.load(), candidate.name)
        types = [
            task_type
            for each in vetting.implementations_of(hooks)
            if each.hook == "register_task_types"
            for task_type in vetting.own_task_types(each())
        ]
    except PluginConfigurationError:
        raise
    except (Exception, SystemExit) as error:
        text = f"The plugin {candidate.name} cannot be loaded: {type(error).__name__}: {error}."
        raise PluginConfigurationError(text) from error
    if not types:
        text = f"The plugin {candidate.name} registers no task type; its hooks are {', '.join(implemented)}."
        raise PluginConfigurationError(text)
    return types


def _candidate(plugin: str | Path | object) -> Candidate:
    if isinstance(plugin, Path) or (isinstance(plugin, str) and plugin.endswith(".py")):
        candidates = found([], [plugin], "none")
    elif isinstance(plugin, str):
        candidates = found([], [], [plugin])
    else:
        candidates = found([plugin], [], "none")
    return next(each for each in candidates if each.wanted)
