"""The custom element that a task type brings for its form: one ES module beside its Python module.

A type names it in its hints, as in ``ui = {"element": {"name": "dog-breed", "module": "dog_breed.js"}}``.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs

from workersai_core.errors import PluginConfigurationError
from workersai_core.jsontext import shorten
from workersai_core.task_type import TaskType

__all__ = ["Element", "element_of"]

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)+")
# SECURITY: a plain file name, so that it leads nowhere but beside the Python module.
_MODULE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*\.m?js")
_MOST_BYTES = 1_000_000


@attrs.frozen(kw_only=True)
class Element:
    """A custom element.

    Attributes:
        name: Under which it is defined in the browser.
        module: The name of its file.
        source: What stands there.
    """

    name: str
    module: str
    source: bytes


def element_of(task_type: TaskType) -> Element | None:
    """Return the element that a type's ``ui`` names, read from its package; None when it names none.

    Raises:
        PluginConfigurationError: the hint is malformed, or there is no such file.
    """
    hint = task_type.ui.get("element")
    if hint is None:
        return None
    if not isinstance(hint, Mapping) or set(hint) != {"name", "module"}:
        raise PluginConfigurationError('ui/element is like {"name": "my-element", "module": "element.js"}.')
    name, module = hint["name"], hint["module"]
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise PluginConfigurationError(
            f"ui/element: {shorten(repr(name))} is no name of a custom element; one is like my-element, with a hyphen."
        )
    if not isinstance(module, str) or not _MODULE.fullmatch(module):
        raise PluginConfigurationError(
            f"ui/element: the module is a file beside the Python module, like element.js, not {shorten(repr(module))}."
        )
    return Element(name=name, module=module, source=_source(task_type, module))


def _source(task_type: TaskType, name: str) -> bytes:
    """Return a file that lies beside the module of a type."""
    module: Any = sys.modules.get(type(task_type).__module__)
    file = getattr(module, "__file__", None)
    # The loader reads from wheels that are not unpacked, too.
    read = getattr(getattr(module, "__loader__", None), "get_data", None)
    if file is None or read is None:
        name_of_type = type(task_type).__name__
        raise PluginConfigurationError(f"ui/element: the module of {name_of_type} is no file, so none is beside it.")
    path = Path(file).with_name(name)
    try:
        source: bytes = read(str(path))
    except OSError as error:
        raise PluginConfigurationError(f"ui/element: {path} cannot be read; ship it with the package.") from error
    if len(source) > _MOST_BYTES:
        raise PluginConfigurationError(f"ui/element: {path} has {len(source)} bytes; at most {_MOST_BYTES} are served.")
    return source
