"""Task types by the names that clients use."""

from __future__ import annotations

from workersai_core import Engine, InvalidInput
from workersai_core.api import TaskType

__all__ = ["task_type_named"]


def task_type_named(engine: Engine, name: object) -> TaskType | None:
    """Return the type of a name or an alias; None when there is none that can be used."""
    if not isinstance(name, str):
        return None
    try:
        return engine.types.require(name)
    except InvalidInput:
        return None
