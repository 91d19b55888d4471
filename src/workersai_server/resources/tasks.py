"""``/v1/tasks``: creating, listing, reading and canceling."""

from __future__ import annotations

import hashlib
from typing import Any
from urllib.parse import quote, urlencode

import falcon

from workersai_core import Engine, InvalidInput, OpenTransaction, Task, TaskDraft, TaskPage, WorkersAIError
from workersai_core.jsontext import canonical
from workersai_server import documents, queries
from workersai_server.access import Access
from workersai_server.accounts import Requester
from workersai_server.bodies import fields
from workersai_server.credentials import ApiRequest
from workersai_server.cursors import Cursor, Cursors
from workersai_server.errors import InvalidCursor, InvalidParameter
from workersai_server.idempotency import idempotency_of, mark_replayed
from workersai_server.media import is_form, read_object
from workersai_server.quota import Quota
from workersai_server.task_bodies import draft, typed_form

__all__ = ["FREE_REQUESTS", "PATH", "OneTask", "Tasks"]

FREE_REQUESTS = "X-Free-Requests-Remaining"
PATH = "/v1/tasks"
_LIST_PARAMETERS = frozenset({*queries.FILTERS, "limit", "cursor", "count"})
_NO_FIELDS: dict[str, Any] = {"properties": {}}


class Tasks:
    """The tasks of whoever asks, in the mode of their key.

    Args:
        engine: Where tasks are.
        access: Who asks.
        quota: What is left of the free requests.
        cursors: Signs where pages start.
    """

    def __init__(self, engine: Engine, access: Access, quota: Quota, cursors: Cursors) -> None:
        self._engine = engine
        self._access = access
        self._quota = quota
        self._cursors = cursors

    def on_post(self, req: ApiRequest, resp: falcon.Response) -> None:
        """Create a task."""
        queries.no_parameters(req)
        body = read_object(req)
        requester = self._access.requester(req, resp, body)
        resp.status = falcon.HTTP_201
        if "HTTP_IDEMPOTENCY_KEY" in req.env:
            self._create_once(req, resp, body, requester)
            return
        checked = self._draft(req, body, requester)
        if self._is_counted(requester):
            task, remaining = self._engine.run(lambda tx: self._create_counted(tx, checked))
            _show_remaining(resp, remaining)
        else:
            task = self._engine.create(checked)
        resp.data = documents.task_json(task)

    def on_get(self, req: ApiRequest, resp: falcon.Response) -> None:
        """List tasks, newest first, as a bare array."""
        given = queries.parameters(req, _LIST_PARAMETERS, metadata=True)
        requester = self._access.requester(req, resp)
        chosen = queries.task_filter(given, self._engine)
        scope = [requester.account_id, requester.mode, *queries.scope_of(given)]
        page = self._page(requester, chosen, queries.limit_of(given), self._cursor(given, scope))
        if _wants_count(given):
            count = self._engine.count_tasks(account=requester.account_id, mode=requester.mode, chosen=chosen)
            resp.set_header("X-Total-Count", str(count))
        resp.set_header("Link", self._links(req, given, scope, page))
        resp.data = documents.tasks_json(page.tasks)

    def _draft(self, req: ApiRequest, body: dict[str, Any], requester: Requester) -> TaskDraft:
        document = typed_form(self._engine, body, test_mode=requester.mode == "test") if is_form(req) else body
        return draft(self._engine, requester, document)

    def _is_counted(self, requester: Requester) -> bool:
        """Return whether the free requests are counted for this requester."""
        return requester.mode == "live" and not requester.unlimited and self._quota.limited

    def _create_counted(self, tx: OpenTransaction, checked: TaskDraft) -> tuple[Task, int | None]:
        task = tx.create(checked)
        return task, self._quota.free_requests_remaining(tx.session, checked.account)

    def _create_once(self, req: ApiRequest, resp: falcon.Response, body: dict[str, Any], requester: Requester) -> None:
        key = idempotency_of(req, f"{requester.account_id}/{requester.mode}/POST {PATH}", canonical(body))
        assert key is not None  # noqa: S101 - the caller has seen the header
        refused: WorkersAIError | None = None
        try:
            checked = self._draft(req, body, requester)
        except WorkersAIError as error:
            refused = error  # a repetition gets the first answer, also when the same would be refused by now
        remaining: int | None = None

        def operation(tx: OpenTransaction) -> str:
            nonlocal remaining
            if refused is not None:
                raise refused
            task, remaining = self._create_counted(tx, checked)
            return documents.task_json(task).decode()

        answer, replayed = self._engine.once(key, operation)
        if replayed:
            mark_replayed(resp)
        elif self._is_counted(requester):
            _show_remaining(resp, remaining)
        resp.data = answer.encode()

    def _cursor(self, given: dict[str, str], scope: list[str]) -> Cursor | None:
        return self._cursors.read(given["cursor"], scope) if "cursor" in given else None

    def _page(self, requester: Requester, chosen: Any, limit: int, cursor: Cursor | None) -> TaskPage:
        try:
            return self._engine.list_tasks(
                account=requester.account_id,
                mode=requester.mode,
                chosen=chosen,
                limit=limit,
                after=cursor.external_id if cursor and cursor.direction == "after" else None,
                before=cursor.external_id if cursor and cursor.direction == "before" else None,
            )
        except InvalidInput as error:
            raise InvalidCursor from error  # the only thing left that can be wrong: its task is gone

    def _links(self, req: ApiRequest, given: dict[str, str], scope: list[str], page: TaskPage) -> str:
        """Return the Link header (RFC 8288): the pages beside this one, and the first."""
        kept = {name: value for name, value in given.items() if name not in ("cursor", "count")}
        address = req.prefix + PATH
        links = []
        if page.next is not None:
            links.append(
                _link(address, {**kept, "cursor": self._cursors.write(Cursor("after", page.next), scope)}, "next")
            )
        if page.previous is not None:
            cursor = self._cursors.write(Cursor("before", page.previous), scope)
            links.append(_link(address, {**kept, "cursor": cursor}, "prev"))
        links.append(_link(address, kept, "first"))
        return ", ".join(links)


class OneTask:
    """One task.

    Args:
        engine: Where tasks are.
        access: Who asks.
    """

    def __init__(self, engine: Engine, access: Access) -> None:
        self._engine = engine
        self._access = access

    def on_get(self, req: ApiRequest, resp: falcon.Response, external_id: str) -> None:
        """Show the task; 304 when the client has it as it is."""
        queries.no_parameters(req)
        requester = self._access.requester(req, resp)
        task = self._engine.get_task(external_id, account=requester.account_id, mode=requester.mode)
        body = documents.task_json(task)
        tag = hashlib.sha256(body).hexdigest()[:32]
        resp.set_header("ETag", f'"{tag}"')
        if "HTTP_IF_NONE_MATCH" in req.env and _known(req, tag):
            resp.status = falcon.HTTP_304
        else:
            resp.data = body

    def on_post_cancel(self, req: ApiRequest, resp: falcon.Response, external_id: str) -> None:
        """Take the task back."""
        queries.no_parameters(req)
        body = read_object(req)
        requester = self._access.requester(req, resp, body)
        fields(req, body, _NO_FIELDS)
        task = self._engine.cancel_task(external_id, account=requester.account_id, mode=requester.mode)
        resp.data = documents.task_json(task)

    def on_get_events(self, req: ApiRequest, resp: falcon.Response, external_id: str) -> None:
        """List what happened to the task, oldest first."""
        queries.no_parameters(req)
        requester = self._access.requester(req, resp)
        events = self._engine.task_events(external_id, account=requester.account_id, mode=requester.mode)
        resp.data = documents.to_json([documents.event(each) for each in events])

    def on_get_callbacks(self, req: ApiRequest, resp: falcon.Response, external_id: str) -> None:
        """List the deliveries of the task with every attempt."""
        queries.no_parameters(req)
        requester = self._access.requester(req, resp)
        deliveries = self._engine.callbacks(external_id, account=requester.account_id, mode=requester.mode)
        resp.data = documents.to_json([documents.delivery(each) for each in deliveries])


def _show_remaining(resp: falcon.Response, remaining: int | None) -> None:
    if remaining is not None:
        resp.set_header(FREE_REQUESTS, str(remaining))


def _known(req: ApiRequest, tag: str) -> bool:
    """Return whether If-None-Match (RFC 9110, section 13.1.2) names this version of the document."""
    return any(each in ("*", tag) for each in req.if_none_match or ())


def _wants_count(given: dict[str, str]) -> bool:
    if "count" not in given:
        return False
    if given["count"] != "exact":
        raise InvalidParameter("count is exact; leave it out for no count.")
    return True


def _link(address: str, parameters: dict[str, str], relation: str) -> str:
    query = urlencode(parameters, quote_via=quote)
    return f'<{address}{"?" if query else ""}{query}>; rel="{relation}"'
