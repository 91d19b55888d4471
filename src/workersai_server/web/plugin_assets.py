"""The ES modules of plugins, each under an address that changes with its content.

A plugin's module is served as it is. Only what a task type's ``ui`` names is
there, by the exact address, so that no address leads to another file.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable, Mapping

import attrs
import falcon

from workersai_core.api import TaskType
from workersai_core.elements import element_of
from workersai_core.errors import PluginConfigurationError
from workersai_server.credentials import ApiRequest
from workersai_server.errors import RouteNotFound

__all__ = ["PluginAssets", "ServedElement"]

_HASH_DIGITS = 16
_FOR_EVER = "public, max-age=31536000, immutable"
_log = logging.getLogger("workersai.plugins")


@attrs.frozen(kw_only=True)
class ServedElement:
    """A custom element that a page may load.

    Attributes:
        name: Under which its module defines it.
        path: The module's address below the application's root.
    """

    name: str
    path: str


class PluginAssets:
    """The modules of the elements that task types bring, read into memory once.

    Args:
        types: Which there are. One whose element cannot be read has none, and
            the log says why: its form works without.
    """

    media_types: tuple[str, ...] = ()

    def __init__(self, types: Iterable[TaskType]) -> None:
        self._sources: dict[tuple[str, str], bytes] = {}
        self._elements: Mapping[str, ServedElement] = {
            task_type.name: element for task_type in types if (element := self._taken_in(task_type)) is not None
        }

    def element(self, task_type: str) -> ServedElement | None:
        """Return the element of a type; None when it brings none."""
        return self._elements.get(task_type)

    def on_get(self, req: ApiRequest, resp: falcon.Response, digest: str, name: str) -> None:
        """Send a module."""
        source = self._sources.get((digest, name))
        if source is None:
            raise RouteNotFound
        resp.content_type = "text/javascript; charset=utf-8"
        resp.set_header("Cache-Control", _FOR_EVER)
        resp.set_header("X-Content-Type-Options", "nosniff")
        resp.data = source

    def _taken_in(self, task_type: TaskType) -> ServedElement | None:
        try:
            element = element_of(task_type)
        except PluginConfigurationError as error:
            _log.error("the form of %s is shown without its element: %s", task_type.name, error.detail)
            return None
        if element is None:
            return None
        digest = hashlib.sha256(element.source).hexdigest()[:_HASH_DIGITS]
        self._sources[digest, element.module] = element.source
        return ServedElement(name=element.name, path=f"/static/plugins/{digest}/{element.module}")
