"""``/v1/export``: every task, streamed.

Newest first, from the moment of the request. An export that broke off goes on
with ``cursor`` set to the `external_id` of the last task that arrived whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

import attrs
import falcon

from workersai_core import Engine, InvalidInput, Task, TaskFilter
from workersai_core.jsontext import shorten
from workersai_server import documents, queries
from workersai_server.access import Access
from workersai_server.accounts import Requester
from workersai_server.credentials import ApiRequest
from workersai_server.errors import InvalidCursor, InvalidParameter
from workersai_server.media import NDJSON

__all__ = ["FORMATS", "Export", "Format"]

_PARAMETERS = frozenset({*queries.FILTERS, "format", "cursor"})
_PAGE = 500
_DEFAULT = "jsonl"
_CURSOR = "The cursor of an export is the external_id of the last task you have."


@attrs.frozen(kw_only=True)
class Format:
    """A way to write tasks down."""

    media_type: str
    write: Callable[[Iterable[Task]], Iterator[bytes]]


def _jsonl(tasks: Iterable[Task]) -> Iterator[bytes]:
    """Write each task as a line of JSON."""
    return (documents.task_json(task) + b"\n" for task in tasks)


FORMATS: Mapping[str, Format] = {_DEFAULT: Format(media_type=NDJSON, write=_jsonl)}
"""The formats that need no plugin."""


class Export:
    """The tasks of whoever asks, in the mode of their key.

    Args:
        engine: Where tasks are.
        access: Who asks.
        formats: By name.
    """

    def __init__(self, engine: Engine, access: Access, formats: Mapping[str, Format] = FORMATS) -> None:
        self._engine = engine
        self._access = access
        self._formats = formats
        self.media_types = tuple({each.media_type for each in formats.values()})

    def on_get(self, req: ApiRequest, resp: falcon.Response) -> None:
        """Stream them."""
        given = queries.parameters(req, _PARAMETERS, metadata=True)
        requester = self._access.requester(req, resp)
        name = given.get("format", _DEFAULT)
        chosen_format = self._formats.get(name)
        if chosen_format is None:
            known = ", ".join(sorted(self._formats))
            raise InvalidParameter(f"There is no format {shorten(name)}; choose from {known}.")
        pages = self._pages(requester, queries.task_filter(given, self._engine), given.get("cursor"))
        # The first page is read before the answer begins: what is wrong can still be said.
        first = next(pages)
        resp.content_type = chosen_format.media_type
        resp.set_header("Content-Disposition", f'attachment; filename="tasks.{name}"')
        resp.stream = chosen_format.write(_flat(first, pages))

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
