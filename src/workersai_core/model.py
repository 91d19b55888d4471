"""The values the engine takes and returns.

All are frozen. Times are aware UTC datetimes; durations end in `_s` and are
seconds. An account, a worker and an actor are opaque ids: who they are is the
business of the service around the engine.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import attrs

from workersai_core import jsontext
from workersai_core.lifecycle import AssignmentState, CallbackState, TaskStatus
from workersai_core.task_type import Json, JsonObject

if TYPE_CHECKING:
    from workersai_core.store.session import Session

__all__ = [
    "Assignment",
    "Attempt",
    "Claim",
    "Context",
    "Delivery",
    "Endpoint",
    "Event",
    "Mode",
    "Task",
    "TaskDraft",
    "TaskFilter",
    "TaskPage",
    "WebhookSecret",
    "Worker",
]

Mode = Literal["live", "test"]


@attrs.frozen(kw_only=True)
class TaskDraft:
    """A checked task that is not stored yet; made by `Engine.draft_task`.

    JSON values are held as text as well, exactly as they will be stored.
    """

    account: str
    mode: Mode
    task_type: str
    task_type_version: int
    instruction: str
    params: JsonObject
    params_json: str = attrs.field(repr=False)
    callback_url: str
    callback_events: frozenset[str]
    metadata: JsonObject
    metadata_json: str = attrs.field(repr=False)
    overlap: int
    priority: int
    deadline_at: datetime | None
    unique_id: str | None
    tags: tuple[str, ...]
    actor: str


@attrs.frozen(kw_only=True)
class Task:
    """One task as stored.

    `params_json`, `metadata_json` and `response_json` are the stored texts,
    for passing on without parsing; `params`, `metadata` and `response` parse
    them on each access.
    """

    external_id: str
    account: str
    mode: Mode
    task_type: str
    task_type_version: int
    callback_url: str
    callback_events: frozenset[str]
    instruction: str
    params_json: str = attrs.field(repr=False)
    response_json: str = attrs.field(repr=False)
    """``{}`` until there is a result."""
    metadata_json: str = attrs.field(repr=False)
    status: TaskStatus
    overlap: int
    answers_wanted: int
    """`overlap`, or more when the type asked for another answer."""
    answers_accepted: int
    priority: int
    deadline_at: datetime | None
    unique_id: str | None
    tags: tuple[str, ...]
    confidence: float | None
    error: str | None
    callback_state: CallbackState | None
    """None while nothing is owed yet; `skipped` from the start for reserved hosts."""
    created_at: datetime
    completed_at: datetime | None
    """When it reached a final state; None until then."""

    @property
    def params(self) -> Any:
        """What to label, as given at creation."""
        return jsontext.loads(self.params_json)

    @property
    def metadata(self) -> Any:
        """The requester's own data, as given at creation."""
        return jsontext.loads(self.metadata_json)

    @property
    def response(self) -> Any:
        """The result; ``{}`` until there is one."""
        return jsontext.loads(self.response_json)

    @property
    def is_test(self) -> bool:
        """Whether a test key made it."""
        return self.mode == "test"


@attrs.frozen(kw_only=True)
class TaskFilter:
    """Which tasks a list holds; None means any."""

    task_type: str | None = None
    status: TaskStatus | None = None
    created_after: datetime | None = None
    """Exclusive."""
    created_before: datetime | None = None
    """Exclusive."""
    metadata: Mapping[str, str] = attrs.field(factory=dict)
    """Top-level metadata keys and the text (or the JSON text of a scalar) they must hold."""


@attrs.frozen(kw_only=True)
class TaskPage:
    """One page of tasks, newest first."""

    tasks: Sequence[Task]
    next: str | None
    """The `external_id` to pass as `after` for the following page; None at the end."""
    previous: str | None
    """The `external_id` to pass as `before` for the page before; None at the start."""


@attrs.frozen(kw_only=True)
class Worker:
    """Who labels. An empty `skills` may do every type."""

    id: str
    skills: frozenset[str] = frozenset()


@attrs.frozen(kw_only=True)
class Assignment:
    """One worker's turn at one task."""

    id: str
    task_id: str
    worker_id: str
    slot: int
    """Which of the wanted answers this is, from 1."""
    state: AssignmentState
    claimed_at: datetime
    lease_expires_at: datetime
    finished_at: datetime | None = None
    reason: str | None = None
    """Why it was skipped, in the worker's words."""
    response_json: str | None = attrs.field(default=None, repr=False)

    @property
    def response(self) -> Any:
        """The accepted answer; None unless submitted."""
        return None if self.response_json is None else jsontext.loads(self.response_json)


@attrs.frozen(kw_only=True)
class Claim:
    """An assignment together with all a worker needs to do it."""

    assignment: Assignment
    task: Task
    response_schema: Json


@attrs.frozen(kw_only=True)
class Event:
    """Something that happened, committed.

    Attributes:
        id: Position in the log; grows with time, never reused.
        name: Past tense, for example ``task_completed``.
        at: When, aware UTC.
        task_id: The task's `external_id`; None when no task is concerned.
        account_id: Whose it is.
        mode: ``live`` or ``test``.
        actor: Who did it: ``requester``, ``worker:ID``, ``system``.
        data: What else there is to know; a small JSON object.
    """

    id: int
    name: str
    at: datetime
    task_id: str | None
    account_id: str
    mode: Mode
    actor: str
    data: Mapping[str, Any]


@attrs.frozen(kw_only=True)
class Context:
    """What a veto or a choice may know of the transaction it runs in.

    Attributes:
        now: The engine's time, aware UTC.
        actor: Who asked.
        mode: ``live`` or ``test``.
        settings: The plugin settings of this engine.
        session: The open transaction. Read what you need; write only to your
            own tables: what you write commits or rolls back with the command.
    """

    now: datetime
    actor: str
    mode: Mode
    settings: Mapping[str, Any]
    session: Session
    seed: str
    """What `rng` is made from."""

    @cached_property
    def rng(self) -> random.Random:
        """The only source of randomness."""
        # PERF: made when it is asked for; few hooks need chance, and seeding costs as much as storing a task.
        return random.Random(self.seed)  # noqa: S311 - chance for plugins, not secrets


@attrs.frozen(kw_only=True)
class Attempt:
    """One try at delivering a callback."""

    n: int
    at: datetime
    status: int | None
    """The receiver's HTTP status; None when there was no answer."""
    latency_ms: int
    error: str | None
    answer: str | None
    """The start of the receiver's answer."""


@attrs.frozen(kw_only=True)
class Delivery:
    """The delivery of one event of one task to one address."""

    id: str
    """Also the ``webhook-id``."""
    task_id: str
    account: str
    mode: Mode
    event: str
    url: str
    state: CallbackState
    attempts_total: int
    next_attempt_at: datetime | None
    attempts: Sequence[Attempt] = ()


@attrs.frozen(kw_only=True)
class Endpoint:
    """One receiver (scheme, host and port) of one account, and its health."""

    id: str
    account: str
    origin: str
    failing_since: datetime | None
    disabled_at: datetime | None
    reason: str | None
    pending: int
    """Deliveries waiting for it."""


@attrs.frozen(kw_only=True)
class WebhookSecret:
    """A secret that signs an account's callbacks."""

    id: int
    secret: str = attrs.field(repr=False)
    """``whsec_`` and base64."""
    created_at: datetime
    expires_at: datetime | None
    """None for the newest; older ones stay valid until then."""
