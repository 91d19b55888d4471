"""From the caller's values to a checked `TaskDraft`, without touching the database."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import attrs

from workersai_core import jsontext
from workersai_core.callbacks.addresses import check_callback_url
from workersai_core.clock import rfc3339
from workersai_core.errors import InvalidInput, Issue, UnsafeURL
from workersai_core.jsontext import shorten
from workersai_core.mocks import plan_issues
from workersai_core.model import Mode, TaskDraft
from workersai_core.policy import Policy
from workersai_core.registry import TaskTypes

__all__ = ["CALLBACK_EVENTS", "DEFAULT_CALLBACK_URL", "DEFAULT_TASK_TYPE", "TaskFields", "content_of", "draft_task"]

DEFAULT_TASK_TYPE = "categorization"
DEFAULT_CALLBACK_URL = "http://example.com/callback"
"""A reserved example host (RFC 2606): echoed, never called."""
CALLBACK_EVENTS = frozenset({"completed", "canceled", "expired", "error"})
"""The final states a requester may be called back for."""

MAX_OVERLAP = 20
MAX_PRIORITY = 100
MAX_INSTRUCTION = 20_000
MAX_METADATA_BYTES = 10_240
MAX_UNIQUE_ID = 255
MAX_TAGS = 20
MAX_TAG = 100
MAX_NAME = 255


def _listed(values: Any) -> Any:
    """Return what can be gone over again; what is no list at all stays as it is and is refused later."""
    return tuple(values) if isinstance(values, Iterable) and not isinstance(values, str) else values


@attrs.frozen(kw_only=True)
class TaskFields:
    """What a requester may say about a task; every field has the default of the API."""

    account: str
    mode: Mode = "live"
    task_type: str = DEFAULT_TASK_TYPE
    instruction: str = ""
    params: Mapping[str, Any] = attrs.field(factory=dict)
    callback_url: str | None = None
    """None means the literal default, which is never called."""
    callback_events: Iterable[str] = attrs.field(default=("completed",), converter=_listed)
    metadata: Mapping[str, Any] = attrs.field(factory=dict)
    overlap: int = 1
    """How many different workers answer, 1 to 20."""
    priority: int = 50
    """0 to 100; higher is more urgent."""
    deadline_at: datetime | None = None
    unique_id: str | None = None
    """The requester's own id; a second task with it is refused for ever."""
    tags: Sequence[str] = ()
    actor: str = "requester"


def draft_task(fields: TaskFields, types: TaskTypes, policy: Policy, now: datetime) -> TaskDraft:
    """Check everything about a new task and return it ready to store.

    Args:
        fields: What the requester said.
        types: The task types of the engine.
        policy: Its limits.
        now: The present time, for the deadline.

    Returns:
        The draft; its params and metadata also as the text to store.

    Raises:
        UnknownTaskType, TaskTypeUnavailable: no such type, or not now.
        UnsafeURL: the callback address must not be called, and nothing else is wrong.
        InvalidInput: anything else; `issues` holds every problem with a pointer
            into the create body, for example ``/params/categories/1``.
    """
    task_type = types.require(fields.task_type)
    issues = [*_json_issues(fields), *_field_issues(fields, now)]
    callback_url = fields.callback_url if fields.callback_url is not None else DEFAULT_CALLBACK_URL
    issues += _callback_issues(callback_url, policy)
    if not any(issue.pointer.startswith(("/params", "/metadata")) for issue in issues):
        found = [issue.under("/params") for issue in types.check_params(task_type, fields.params)]
        issues += found
        if fields.mode == "test" and not found:
            issues += plan_issues(
                fields.metadata, lambda response: types.check_response(task_type, fields.params, response)
            )
    if issues:
        _refuse(issues)
    return TaskDraft(
        account=fields.account,
        mode=fields.mode,
        task_type=task_type.name,
        task_type_version=task_type.version,
        instruction=fields.instruction,
        params=fields.params,
        params_json=jsontext.dumps(fields.params),
        callback_url=callback_url,
        callback_events=frozenset(fields.callback_events),
        metadata=fields.metadata,
        metadata_json=jsontext.dumps(fields.metadata),
        overlap=fields.overlap,
        priority=fields.priority,
        deadline_at=fields.deadline_at,
        unique_id=fields.unique_id,
        tags=tuple(fields.tags),
        actor=fields.actor,
    )


def content_of(draft: TaskDraft) -> str:
    """Return a text that is equal for two drafts exactly when they ask for the same task."""
    return jsontext.canonical(
        [
            draft.task_type,
            draft.instruction,
            draft.params,
            draft.callback_url,
            sorted(draft.callback_events),
            draft.metadata,
            draft.overlap,
            draft.priority,
            None if draft.deadline_at is None else rfc3339(draft.deadline_at),
            draft.unique_id,
            draft.tags,
        ]
    )


def _refuse(issues: list[Issue]) -> None:
    if all(issue.code == UnsafeURL.code for issue in issues):
        raise UnsafeURL(issues[0].message, issues=issues)
    count = "One value is" if len(issues) == 1 else f"{len(issues)} values are"
    raise InvalidInput(f"{count} wrong; nothing was created.", issues=issues)


def _json_issues(fields: TaskFields) -> Iterator[Issue]:
    for name, value in (("params", fields.params), ("metadata", fields.metadata)):
        if type(value) is not dict:
            yield Issue(f"/{name}", f"{name} is an object.", "wrong_type")
            continue
        try:
            jsontext.check(value, pointer=f"/{name}", depth=2)
        except InvalidInput as error:
            yield from error.issues
            continue
        if name == "metadata" and len(jsontext.dumps(value).encode()) > MAX_METADATA_BYTES:
            yield Issue("/metadata", f"metadata is at most {MAX_METADATA_BYTES} bytes of JSON.", "too_long")


def _callback_issues(url: Any, policy: Policy) -> Iterator[Issue]:
    if not isinstance(url, str):
        yield Issue("/callback_url", "callback_url is text.", "wrong_type")
        return
    try:
        check_callback_url(url, policy.addresses)
    except InvalidInput as error:
        yield from error.issues


def _field_issues(fields: TaskFields, now: datetime) -> Iterator[Issue]:
    yield from _text_issues("/account", fields.account, 1, MAX_NAME)
    yield from _text_issues("/actor", fields.actor, 1, MAX_NAME)
    if fields.mode not in ("live", "test"):
        yield Issue("/mode", 'mode is "live" or "test".', "not_in_list")
    yield from _text_issues("/instruction", fields.instruction, 0, MAX_INSTRUCTION)
    if fields.unique_id is not None:
        yield from _text_issues("/unique_id", fields.unique_id, 1, MAX_UNIQUE_ID)
    yield from _number_issues("/overlap", fields.overlap, 1, MAX_OVERLAP)
    yield from _number_issues("/priority", fields.priority, 0, MAX_PRIORITY)
    yield from _tag_issues(fields.tags)
    yield from _deadline_issues(fields.deadline_at, now)
    yield from _event_issues(fields.callback_events)


def _event_issues(events: Any) -> Iterator[Issue]:
    if not isinstance(events, tuple):
        yield Issue("/callback_events", "callback_events is an array of texts.", "wrong_type")
        return
    for name in events:
        if not isinstance(name, str) or name not in CALLBACK_EVENTS:
            yield Issue("/callback_events", f"No event {shorten(name)}; known are {_KNOWN_EVENTS}.", "not_in_list")


def _text_issues(pointer: str, value: Any, shortest: int, longest: int) -> Iterator[Issue]:
    name = pointer.split("/")[1]
    if not isinstance(value, str):
        yield Issue(pointer, f"{name} is text.", "wrong_type")
    elif len(value) > longest:
        yield Issue(pointer, f"At most {longest} characters; these are {len(value)}.", "too_long")
    elif len(value) < shortest:
        yield Issue(pointer, f"{name} must not be empty.", "too_short")
    else:
        try:
            jsontext.check(value, pointer=pointer)
        except InvalidInput as error:
            yield from error.issues


def _number_issues(pointer: str, value: Any, smallest: int, largest: int) -> Iterator[Issue]:
    if not isinstance(value, int) or isinstance(value, bool):
        yield Issue(pointer, f"A whole number from {smallest} to {largest}.", "wrong_type")
    elif value < smallest:
        yield Issue(pointer, f"At least {smallest}; this is {shorten(value)}.", "too_small")
    elif value > largest:
        yield Issue(pointer, f"At most {largest}; this is {shorten(value)}.", "too_large")


def _tag_issues(tags: Any) -> Iterator[Issue]:
    if not isinstance(tags, list | tuple):
        yield Issue("/tags", "tags is an array of texts.", "wrong_type")
        return
    if len(tags) > MAX_TAGS:
        yield Issue("/tags", f"At most {MAX_TAGS} tags; these are {len(tags)}.", "too_many_items")
        return
    for i, tag in enumerate(tags):
        yield from _text_issues(f"/tags/{i}", tag, 1, MAX_TAG)


def _deadline_issues(deadline_at: Any, now: datetime) -> Iterator[Issue]:
    if deadline_at is None:
        return
    if not isinstance(deadline_at, datetime) or deadline_at.utcoffset() is None:
        yield Issue("/deadline_at", "A time with its zone, for example 2030-01-31T09:00:00Z.", "wrong_type")
    elif deadline_at <= now:
        yield Issue("/deadline_at", "This time has passed; a deadline lies in the future.", "too_small")


_KNOWN_EVENTS = ", ".join(sorted(CALLBACK_EVENTS))
