"""Routes that plugins bring, under ``/x/PLUGIN``."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

from workersai_core import Engine

__all__ = ["add_plugin_routes"]

_log = logging.getLogger("workersai.plugins")


def add_plugin_routes(engine: Engine, add: Callable[[str, object], None]) -> None:
    """Add the routes of every plugin; what is wrong with them is logged.

    Args:
        engine: Whose plugins.
        add: Adds one resource at a path to the application.
    """
    for contribution in engine.hooks.register_routes(engine):
        problem = _problem_of(contribution.value)
        if problem is not None:
            _log.error("the routes of the plugin %s are not served: %s", contribution.plugin, problem)
            continue
        for path, resource in contribution.value.items():
            try:
                add(f"/x/{contribution.plugin}{path}", resource)
            except Exception:  # the framework says in many ways that it does not like a path
                _log.exception("the route %s of the plugin %s is not served", path, contribution.plugin)


def _problem_of(routes: Any) -> str | None:
    if not isinstance(routes, Mapping):
        return f"register_routes returns a mapping, not {type(routes).__name__}"
    for path, resource in routes.items():
        if not isinstance(path, str) or not path.startswith("/") or path.endswith("/") or " " in path:
            return f"the path {path!r} does not begin with a slash, or ends in one"
        if not any(name.startswith("on_") for name in dir(resource)):
            return f"the resource at {path} has no responder, such as on_get"
    return None
