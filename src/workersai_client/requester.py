"""The requester's side: tasks, task types and callbacks.

client = Client("http://127.0.0.1:8000", "live_…")
task = client.tasks.create(params={"attachment_type": "text", "attachment": "…", "categories": ["a", "b"]})
print(client.tasks.wait(task["external_id"])["response"])

Bodies go in and come out as plain dicts in the API's own vocabulary; see `bodies`.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from types import TracebackType
from typing import Any, Self, cast
from urllib.parse import parse_qsl, quote, urlsplit

import requests

from workersai_client.bodies import BatchResult, Delivery, Event, Task, TaskType
from workersai_client.connection import Connection, dump
from workersai_client.errors import WaitTimeout
from workersai_client.exporting import export_lines, export_pieces

__all__ = ["Callbacks", "Client", "Tasks"]

# Named here, because inside the classes `list` is a method.
BatchResults = list[BatchResult]
Deliveries = list[Delivery]
Events = list[Event]

_FINAL = frozenset({"completed", "canceled", "expired", "error"})
_BATCH_LINES = 1000
_BATCH_BYTES = 8 * 1024 * 1024
_POLL_FIRST_S = 0.1
_POLL_LONGEST_S = 2.0


class Client:
    """One account of one service, seen through one API key.

    Safe requests are repeated up to `retries` times when no answer comes or
    the service is busy; creations carry an ``Idempotency-Key`` and are safe.
    """

    def __init__(
        self,
        base_url: str,
        api_key: str,
        *,
        timeout_s: float = 30,
        retries: int = 2,
        session: requests.Session | None = None,
    ) -> None:
        self._connection = Connection(base_url, api_key, timeout_s=timeout_s, retries=retries, session=session)
        self.tasks = Tasks(self._connection)
        self.callbacks = Callbacks(self._connection)

    def task_types(self) -> list[TaskType]:
        """Return every task type of the service."""
        return cast("list[TaskType]", self._connection.get("/v1/task_types").json())

    def task_type(self, name: str) -> TaskType:
        """Return one task type by its name or an alias.

        Raises:
            NotFound: there is none of that name.
        """
        return cast(TaskType, self._connection.get(f"/v1/task_types/{quote(name, safe='')}").json())

    def close(self) -> None:
        """Close the connections that are kept open."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Tasks:
    """The tasks of one account and mode; made by `Client`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def create(self, *, idempotency_key: str | None = None, **fields: Any) -> Task:
        """Create one task.

        Args:
            idempotency_key: Makes a creation that was cut off safe to ask for
                again, also from another process; a fresh one by default.
            **fields: What the API takes: ``task_type``, ``instruction``, ``params``,
                ``callback_url``, ``metadata``, ``overlap``, ``priority``,
                ``deadline_at``, ``unique_id``, ``tags``. A time may be an aware datetime.

        Raises:
            ValidationFailed: `errors` names each wrong place.
            PaymentRequired: the free requests are used up.
            Conflict: a task with this ``unique_id`` exists.
        """
        key = idempotency_key or str(uuid.uuid4())
        return cast(Task, self._connection.post("/v1/tasks", _with_text_times(fields), idempotency_key=key).json())

    def create_batch(self, tasks: Iterable[Mapping[str, Any]]) -> BatchResults:
        """Create many tasks, in as few requests as the service's limits allow.

        One wrong task does not keep the others from being created.

        Args:
            tasks: The fields of `create`, one mapping for each task.

        Returns:
            What became of each, in order.
        """
        results: BatchResults = []
        for chunk in _chunks(_with_text_times(task) for task in tasks):
            before = len(results)
            answer = self._connection.post("/v1/tasks:batch", ndjson=chunk, idempotency_key=str(uuid.uuid4()))
            for line in _ndjson(answer):
                result = cast(BatchResult, line)
                result["line"] += before
                results.append(result)
        return results

    def get(self, external_id: str) -> Task:
        """Return one task.

        Raises:
            NotFound: this key sees no such task.
        """
        return cast(Task, self._connection.get(_task_path(external_id)).json())

    def list(
        self,
        *,
        task_type: str | None = None,
        status: str | None = None,
        metadata: Mapping[str, str] | None = None,
        created_after: datetime | str | None = None,
        created_before: datetime | str | None = None,
        page_size: int = 100,
    ) -> Iterator[Task]:
        """Iterate over all tasks that match, newest first; pages are fetched on the way."""
        query = [("limit", str(page_size)), *_filters(task_type, status, metadata, created_after, created_before)]
        while True:
            page = self._connection.get("/v1/tasks", query)
            yield from page.json()
            following = page.links.get("next")
            if following is None:
                return
            # Only its query: behind a proxy the address may be one that cannot be reached from here.
            query = parse_qsl(urlsplit(following["url"]).query, keep_blank_values=True)

    def export(
        self,
        *,
        task_type: str | None = None,
        status: str | None = None,
        metadata: Mapping[str, str] | None = None,
        created_after: datetime | str | None = None,
        created_before: datetime | str | None = None,
        after: str | None = None,
    ) -> Iterator[Task]:
        """Iterate over all tasks that match, newest first, in one streamed answer.

        A stream that breaks off is asked for again from the last task that came.

        Args:
            task_type: Only of this type.
            status: Only in this status.
            metadata: Only with these top-level values.
            created_after: Exclusive.
            created_before: Exclusive.
            after: Begin behind this ``external_id``, where an earlier export ended.
        """
        query = _filters(task_type, status, metadata, created_after, created_before)
        return (cast(Task, json.loads(line)) for line in export_lines(self._connection, query, after=after))

    def export_pieces(
        self,
        format: str = "jsonl",
        *,
        task_type: str | None = None,
        status: str | None = None,
        metadata: Mapping[str, str] | None = None,
        created_after: datetime | str | None = None,
        created_before: datetime | str | None = None,
        after: str | None = None,
    ) -> Iterator[bytes]:
        """Iterate over an export byte for byte, in any format of the service.

        A piece of ``jsonl`` is one whole line, and a stream that breaks off
        goes on; in another format that raises `APIConnectionError`.
        """
        query = _filters(task_type, status, metadata, created_after, created_before)
        if format == "jsonl":
            return export_lines(self._connection, query, after=after)
        return export_pieces(self._connection, [("format", format), *query], after=after)

    def cancel(self, external_id: str) -> Task:
        """Take a task back; also fine when it was canceled before.

        Raises:
            Conflict: it has its result already, or ended otherwise.
            NotFound: this key sees no such task.
        """
        return cast(Task, self._connection.post(f"{_task_path(external_id)}/cancel", repeatable=True).json())

    def events(self, external_id: str) -> Events:
        """Return what happened to a task, oldest first."""
        return cast(Events, self._connection.get(f"{_task_path(external_id)}/events").json())

    def wait(self, external_id: str, *, timeout_s: float = 60.0) -> Task:
        """Return the task as soon as it is completed, canceled, expired or in error.

        Raises:
            WaitTimeout: none of that came true within `timeout_s` seconds.
        """
        give_up = time.monotonic() + timeout_s
        pause_s = _POLL_FIRST_S
        while True:
            task = self.get(external_id)
            if task["status"] in _FINAL:
                return task
            left_s = give_up - time.monotonic()
            if left_s <= 0:
                raise WaitTimeout(f"Task {external_id} is still {task['status']} after {timeout_s:g} s.")
            time.sleep(min(pause_s, left_s))
            pause_s = min(pause_s * 1.5, _POLL_LONGEST_S)


class Callbacks:
    """The callbacks of one account and mode; made by `Client`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def list(self, external_id: str) -> Deliveries:
        """Return the deliveries of a task with every attempt.

        Raises:
            NotFound: this key sees no such task.
        """
        return cast(Deliveries, self._connection.get(f"{_task_path(external_id)}/callbacks").json())

    def replay(self, delivery_id: str) -> int:
        """Send one finished delivery again, under the same ``webhook-id``; return how many were queued.

        Raises:
            NotFound: this key sees no such delivery.
        """
        return _queued(self._connection.post(f"/v1/callbacks/{quote(delivery_id, safe='')}/replay"))

    def replay_since(self, since: datetime | str, *, state: str = "exhausted") -> int:
        """Send all deliveries of a state since a time again; return how many were queued."""
        body = {"since": _text_time(since), "state": state}
        return _queued(self._connection.post("/v1/callbacks/replay", body))


def _queued(answer: requests.Response) -> int:
    return int(answer.json()["queued"])


def _task_path(external_id: str) -> str:
    return f"/v1/tasks/{quote(external_id, safe='')}"


def _text_time(at: datetime | str | None) -> str | None:
    if not isinstance(at, datetime):
        return at
    if at.tzinfo is None:
        raise ValueError(f"{at.isoformat()} has no time zone; use an aware datetime.")
    return at.isoformat()


def _filters(
    task_type: str | None,
    status: str | None,
    metadata: Mapping[str, str] | None,
    created_after: datetime | str | None,
    created_before: datetime | str | None,
) -> list[tuple[str, str]]:
    chosen = {
        "task_type": task_type,
        "status": status,
        "created_after": _text_time(created_after),
        "created_before": _text_time(created_before),
    }
    query = [(name, value) for name, value in chosen.items() if value is not None]
    return query + [(f"metadata[{name}]", value) for name, value in (metadata or {}).items()]


def _with_text_times(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _text_time(value) if isinstance(value, datetime) else value for name, value in fields.items()}


def _chunks(tasks: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    chunk: list[dict[str, Any]] = []
    size = 0
    for task in tasks:
        length = len(dump(task).encode()) + 1
        if chunk and (len(chunk) == _BATCH_LINES or size + length > _BATCH_BYTES):
            yield chunk
            chunk, size = [], 0
        chunk.append(task)
        size += length
    if chunk:
        yield chunk


def _ndjson(answer: requests.Response) -> Iterator[Any]:
    # Not splitlines: U+2028 and its like may stand inside JSON text.
    return (json.loads(line) for line in answer.content.decode().split("\n") if line)
