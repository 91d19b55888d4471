"""``/v1/export``: every task, streamed.

Newest first, from the moment of the request. An export that broke off goes on
with ``cursor`` set to the `external_id` of the last task that arrived whole.
"""

from __future__ import annotations

from collections.abc import Iterator

import falcon

from workersai_core import Engine, InvalidInput, Task, TaskFilter
from workersai_server import queries
from workersai_server.access import Access
from workersai_server.accounts import Requester
from workersai_server.credentials import ApiRequest
from workersai_server.errors import InvalidCursor
from workersai_server.formats import JSON_LINES, format_named, formats_of
from workersai_server.media import require_acceptable

__all__ = ["Export"]

_PARAMETERS = frozenset({*queries.FILTERS, "format", "cursor"})
_PAGE = 500
_CURSOR = "The cursor of an export is the external_id of the last task you have."


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
        name = given.get("format", JSON_LINES)
        exporter = format_named(formats_of(self._engine.hooks), name)
        require_acceptable(req, (exporter.media_type,))
        pages = self._pages(requester, queries.task_filter(given, self._engine), given.get("cursor"))
        # The first page is read before the answer begins: what is wrong can still be said.
        first = next(pages)
        stream = exporter.write(_flat(first, pages))
        resp.content_type = exporter.media_type
        extension = getattr(exporter, "file_extension", name)
        resp.set_header("Content-Disposition", f'attachment; filename="tasks.{extension}"')
        resp.stream = stream

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


def _flat(first: list[Task], pages: Iterator[list[Task]]) -> Iterator[Task]:
    yield from first
    for page in pages:
        yield from page
