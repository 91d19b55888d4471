"""``/v1/export``: every task, streamed.

Newest first, from the moment of the request. An export that broke off goes on
with ``cursor`` set to the `external_id` of the last task that arrived whole.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from typing import Protocol

import falcon

from workersai_core import Engine, InvalidInput, Task, TaskFilter
from workersai_core.jsontext import shorten
from workersai_server import documents, queries
from workersai_server.access import Access
from workersai_server.accounts import Requester
from workersai_server.credentials import ApiRequest
from workersai_server.errors import InvalidCursor, InvalidParameter
from workersai_server.media import NDJSON, require_acceptable

__all__ = ["Export", "Exporter"]

_PARAMETERS = frozenset({*queries.FILTERS, "format", "cursor"})
_PAGE = 500
_DEFAULT = "jsonl"
_CURSOR = "The cursor of an export is the external_id of the last task you have."


_log = logging.getLogger("workersai.plugins")


class Exporter(Protocol):
    """A way to write tasks down; plugins bring theirs with the hook `register_exporters`.

    A text `file_extension` names the file where it is not the name of the format.
    """

    media_type: str

    def write(self, tasks: Iterable[Task]) -> Iterator[bytes]:
        """Yield the export in pieces; `tasks` are fetched while they are written."""
        ...


class _JsonLines:
    """Each task as a line of JSON, the same document as everywhere."""

    media_type = NDJSON

    def write(self, tasks: Iterable[Task]) -> Iterator[bytes]:
        """Yield the lines."""
        return (documents.task_json(task) + b"\n" for task in tasks)


class Export:
    """The tasks of whoever asks, in the mode of their key.

    Args:
        engine: Where tasks are.
        access: Who asks.
    """

    media_types: tuple[str, ...] = ()
    """Any; the format decides."""

    def __init__(self, engine: Engine, access: Access) -> None:
        self._engine = engine
        self._access = access

    def on_get(self, req: ApiRequest, resp: falcon.Response) -> None:
        """Stream them."""
        given = queries.parameters(req, _PARAMETERS, metadata=True)
        requester = self._access.requester(req, resp)
        name = given.get("format", _DEFAULT)
        exporter = self._exporter(name)
        require_acceptable(req, (exporter.media_type,))
        pages = self._pages(requester, queries.task_filter(given, self._engine), given.get("cursor"))
        # The first page is read before the answer begins: what is wrong can still be said.
        first = next(pages)
        resp.content_type = exporter.media_type
        extension = getattr(exporter, "file_extension", name)
        resp.set_header("Content-Disposition", f'attachment; filename="tasks.{extension}"')
        resp.stream = exporter.write(_flat(first, pages))

    def _exporter(self, name: str) -> Exporter:
        formats = _formats(self._engine)
        if name not in formats:
            raise InvalidParameter(f"There is no format {shorten(name)}; choose from {', '.join(sorted(formats))}.")
        return formats[name]

    def _pages(self, requester: Requester, chosen: TaskFilter, after: str | None) -> Iterator[list[Task]]:
        """Yield the tasks in pages, at least one."""
        if after == "":
            raise InvalidCursor(_CURSOR)
        following = None if after is None else after.lower()
        while True:
            try:
                page = self._engine.list_tasks(
                    account=requester.account_id, mode=requester.mode, chosen=chosen, limit=_PAGE, after=following
                )
            except InvalidInput as error:
                raise InvalidCursor(_CURSOR) from error
            yield list(page.tasks)
            following = page.next
            if following is None:
                return


def _formats(engine: Engine) -> Mapping[str, Exporter]:
    """Return every format by name; a plugin cannot take the place of one that is there already."""
    formats: dict[str, Exporter] = {_DEFAULT: _JsonLines()}
    for contribution in engine.hooks.register_exporters():
        if not isinstance(contribution.value, Mapping):
            _log.error("register_exporters of the plugin %s returns no mapping", contribution.plugin)
            continue
        for name, exporter in contribution.value.items():
            if not (isinstance(name, str) and hasattr(exporter, "media_type") and hasattr(exporter, "write")):
                _log.error("the exporter %r of the plugin %s has no media_type or write", name, contribution.plugin)
            elif name in formats:
                _log.error("the plugin %s brings the format %s, which is there already", contribution.plugin, name)
            else:
                formats[name] = exporter
    return formats


def _flat(first: list[Task], pages: Iterator[list[Task]]) -> Iterator[Task]:
    yield from first
    for page in pages:
        yield from page
