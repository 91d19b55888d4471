"""Everything a plugin author imports.

    from workersai_core.api import Issue, TaskType, hookimpl

`PLUGIN_API` is the version of this contract. Within one version arguments are
only ever added to hooks, and a plugin need not take arguments it does not use.
"""

from __future__ import annotations

from workersai_core.errors import Issue, Rejected
from workersai_core.hookspecs import PLUGIN_API, hookimpl
from workersai_core.task_type import Answer, Json, JsonObject, TaskType, Verdict

__all__ = [
    "PLUGIN_API",
    "Answer",
    "Issue",
    "Json",
    "JsonObject",
    "Rejected",
    "TaskType",
    "Verdict",
    "hookimpl",
]
