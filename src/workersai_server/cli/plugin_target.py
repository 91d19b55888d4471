"""Which task types a command is about: those of a file, of an installed plugin, or one by its name."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from workersai_server.cli.output import NOT_FOUND, Failure

if TYPE_CHECKING:
    from workersai_core.api import TaskType

__all__ = ["task_types_named"]


def task_types_named(target: str) -> list[TaskType]:
    """Return the task types of a Python file, of an installed plugin, or the one of a name or alias.

    They are as the plugin made them, unchecked.

    Raises:
        Failure: there is nothing of this name.
        PluginConfigurationError: the plugin cannot be loaded or registers no task type.
    """
    # PERF: loading plugins imports the schema libraries.
    from workersai_core.plugins.unchecked import task_types_of

    if target.endswith(".py"):
        if not Path(target).is_file():
            raise Failure(
                f"There is no file {target}.",
                remedy="Name a Python file that is a plugin, or an installed plugin.",
                exit_code=NOT_FOUND,
                code="not_found",
            )
        return task_types_of(Path(target))
    if target in {point.name for point in metadata.entry_points(group="workersai")}:
        return task_types_of(target)
    return [_installed_type(target)]


def _installed_type(name: str) -> TaskType:
    from workersai_core.plugins import Plugins

    for task_type in Plugins.load((), files=(), entry_points="all", strict=False).types:
        if name in (task_type.name, *task_type.aliases):
            return task_type
    raise Failure(
        f"There is no installed plugin and no task type {name}.",
        remedy="Run `workersai plugin list` to see what is installed, or name a Python file.",
        exit_code=NOT_FOUND,
        code="not_found",
    )
