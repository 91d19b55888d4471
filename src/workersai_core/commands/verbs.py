"""The engine's commands, one verb each, the same on the engine and inside an open transaction."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

from workersai_core.callbacks import outbox
from workersai_core.commands import create, finish, listing, mocking, statistics, work
from workersai_core.commands.statistics import Queue, Statistics, WorkerRecord
from workersai_core.commands.work import Submission
from workersai_core.drafting import DEFAULT_TASK_TYPE, TaskFields, content_of, draft_task
from workersai_core.errors import PluginFailed, Rejected, WorkersAIError
from workersai_core.idempotency import Idempotency, fingerprint, once
from workersai_core.model import (
    Assignment,
    Claim,
    Delivery,
    Endpoint,
    Event,
    Mode,
    Task,
    TaskDraft,
    TaskFilter,
    TaskPage,
    WebhookSecret,
    Worker,
)
from workersai_core.task_type import Json
from workersai_core.transaction import Parts, Transaction

__all__ = ["Commands", "OpenTransaction"]

Result = TypeVar("Result")

_MOST_PASSED_OVER = 10


class Commands(ABC):
    """Every command, each in one transaction of its own or, inside an open one, in a savepoint of it."""

    parts: Parts

    @abstractmethod
    def _write(self, operation: Callable[[OpenTransaction], Result]) -> Result:
        """Run an operation that may change something, all or nothing."""

    @abstractmethod
    def _read(self, operation: Callable[[OpenTransaction], Result]) -> Result:
        """Run an operation that only looks."""

    # --- the requester's side ---------------------------------------------------------------

    def draft_task(self, **fields: Any) -> TaskDraft:
        """Check everything about a new task without touching the database; see `create_task`."""
        return draft_task(TaskFields(**fields), self.parts.types, self.parts.policy, self.parts.clock.now())

    def create(self, draft: TaskDraft) -> Task:
        """Store a draft.

        Raises:
            DuplicateTask: its `unique_id` is used; `extra["external_id"]` names the task.
            Rejected: a plugin's veto.
            PluginFailed: a plugin failed; nothing was stored.
        """
        return self._write(lambda tx: create.create(tx, draft))

    def create_task(
        self,
        *,
        account: str,
        mode: Mode = "live",
        task_type: str = DEFAULT_TASK_TYPE,
        instruction: str = "",
        params: Mapping[str, Any] | None = None,
        callback_url: str | None = None,
        callback_events: Iterable[str] = ("completed",),
        metadata: Mapping[str, Any] | None = None,
        overlap: int = 1,
        priority: int = 50,
        deadline_at: datetime | None = None,
        unique_id: str | None = None,
        tags: Sequence[str] = (),
        actor: str = "requester",
        idempotency_key: str | None = None,
    ) -> Task:
        """Check and store a task.

        Args:
            account: Whose it is; an opaque id.
            mode: ``live``, or ``test``: never shown to a worker, answered by the type's mock.
            task_type: Name or alias of a registered type.
            instruction: What the worker reads; Markdown, at most 20 000 characters.
            params: What to label, as the type's schema says.
            callback_url: Where the result goes; None means the literal default, never called.
            callback_events: The final states to call back for.
            metadata: The requester's own data, at most 10 KB.
            overlap: How many different workers answer, 1 to 20.
            priority: 0 to 100; higher is more urgent.
            deadline_at: When it expires unanswered; aware, in the future.
            unique_id: The requester's own id, refused a second time.
            tags: At most 20 texts.
            actor: Who asks, for the event log.
            idempotency_key: A repetition with the same key and the same content
                returns the task of the first.

        Raises:
            InvalidInput: `issues` names every wrong value.
            DuplicateTask, IdempotencyKeyReused, Rejected, PluginFailed: see there.
        """
        fields: dict[str, Any] = {
            "account": account,
            "mode": mode,
            "task_type": task_type,
            "instruction": instruction,
            "params": {} if params is None else params,
            "callback_url": callback_url,
            "callback_events": callback_events,
            "metadata": {} if metadata is None else metadata,
            "overlap": overlap,
            "priority": priority,
            "deadline_at": deadline_at,
            "unique_id": unique_id,
            "tags": tags,
            "actor": actor,
        }
        draft = self.draft_task(**fields)
        if idempotency_key is None:
            return self.create(draft)
        key = Idempotency(
            scope=f"{account}/{mode}/create_task", key=idempotency_key, fingerprint=fingerprint(content_of(draft))
        )

        def create_once(tx: OpenTransaction) -> Task:
            external_id, _ = once(tx, key, lambda: tx.create(draft).external_id)
            return finish.load(tx, external_id, account, mode)

        return self._write(create_once)

    def create_tasks(self, drafts: Sequence[TaskDraft | WorkersAIError]) -> list[Task | WorkersAIError]:
        """Store many drafts in one transaction; one that is refused does not fail the rest.

        Args:
            drafts: Drafts; an error in the place of one comes back in that place.

        Returns:
            The tasks and the errors, in the order of `drafts`.
        """
        return self._write(lambda tx: create.create_many(tx, drafts))

    def once(self, key: Idempotency, operation: Callable[[OpenTransaction], str]) -> tuple[str, bool]:
        """Run an operation the first time a key is used, and return its first answer ever after.

        Returns:
            The answer, and whether it is a repetition.

        Raises:
            IdempotencyKeyReused: the key was used with another fingerprint.
            IdempotencyInProgress: the first use still runs elsewhere.
        """
        return self._write(lambda tx: once(tx, key, lambda: operation(tx)))

    def get_task(self, external_id: str, *, account: str, mode: Mode = "live") -> Task:
        """Return a task.

        Raises:
            NotFound: there is none, or it is another account's or mode's.
        """
        return self._read(lambda tx: finish.load(tx, external_id, account, mode))

    def list_tasks(
        self,
        *,
        account: str,
        mode: Mode = "live",
        chosen: TaskFilter | None = None,
        limit: int = 100,
        after: str | None = None,
        before: str | None = None,
    ) -> TaskPage:
        """Return a page of tasks, newest first.

        Args:
            account: Whose.
            mode: ``live`` or ``test``.
            chosen: Which of them; all when None.
            limit: 1 to 500.
            after: The `external_id` that the page follows (older tasks).
            before: The `external_id` that the page precedes (newer tasks).

        Raises:
            InvalidInput: `limit`, `after` or `before` is wrong.
        """
        wanted = chosen or TaskFilter()
        return self._read(lambda tx: listing.page(tx, account, mode, wanted, limit, after=after, before=before))

    def count_tasks(self, *, account: str, mode: Mode = "live", chosen: TaskFilter | None = None) -> int:
        """Return how many tasks there are; it walks over all of them."""
        return self._read(lambda tx: listing.count(tx, account, mode, chosen or TaskFilter()))

    def cancel_task(self, external_id: str, *, account: str, mode: Mode = "live", actor: str = "requester") -> Task:
        """Take a task back; canceling a canceled task changes nothing.

        Raises:
            NotFound: no such task.
            WrongState: it is completed, expired or failed.
        """
        return self._write(lambda tx: finish.cancel(tx, external_id, account, mode, actor))

    def complete_test_task(self, external_id: str, *, account: str, response: Json = None) -> Task:
        """Give an open test task its result now; what follows is as if the mock had done it.

        Args:
            external_id: Its id.
            account: Whose it is.
            response: The result; that of the mock when None.

        Raises:
            NotFound: the account has no test task with this id.
            WrongState: it has ended.
            InvalidInput: the response is wrong; pointers start with ``/response``.
            TaskTypeUnavailable: the plugin of its type is gone.
            PluginFailed: its type failed.
        """
        return self._write(lambda tx: mocking.complete_test_task(tx, external_id, account, response))

    # --- the worker's side -------------------------------------------------------------------

    def claim(
        self, worker: Worker, *, task_types: Iterable[str] | None = None, lease_s: int | None = None
    ) -> Claim | None:
        """Give a worker the most urgent task that it may do; None when there is nothing.

        Raises:
            TooManyAssignments: the worker holds as many as allowed.
            UnknownTaskType: `task_types` names a type that does not exist.
            InvalidInput: a lease outside the limits.
            PluginFailed: the types of many tasks in a row failed.
        """
        names = None if task_types is None else tuple(task_types)
        passing_over: list[str] = []
        while True:
            try:
                return self._write(lambda tx: work.claim(tx, worker, names, lease_s, passing_over))
            except PluginFailed as failure:
                # A task that its type cannot show must not keep workers from all the others.
                if "external_id" not in failure.extra or len(passing_over) == _MOST_PASSED_OVER:
                    raise
                passing_over.append(failure.extra["external_id"])

    def assignments(self, worker: Worker) -> list[Claim]:
        """Return what a worker holds, oldest first."""
        return self._read(lambda tx: work.live(tx, worker))

    def assignment(self, assignment_id: str, worker: Worker) -> Assignment:
        """Return an assignment of a worker, whatever became of it.

        Raises:
            NotFound: there is none of that id, or it is another worker's.
        """
        return self._read(lambda tx: work.of_worker(tx, assignment_id, worker))

    def renew(self, assignment_id: str, worker: Worker, *, lease_s: int | None = None) -> Assignment:
        """Extend a live lease from now on.

        Raises:
            NotFound, LeaseLost: it is not this worker's, or has ended.
            InvalidInput: a lease outside the limits.
        """
        return self._write(lambda tx: work.renew(tx, assignment_id, worker, lease_s))

    def submit(self, assignment_id: str, worker: Worker, response: Json) -> Submission:
        """Accept an answer; with the last one wanted the task gets its result.

        The same answer again is the same success again, whatever happened meanwhile.

        Raises:
            InvalidInput: the answer breaks the type's rules; pointers start with
                ``/response``. The assignment stays live.
            Rejected: a plugin's veto. The assignment stays live.
            NotFound, LeaseLost, AlreadySubmitted: see there.
        """
        self.check_answer(assignment_id, worker, response)
        try:
            return self._write(lambda tx: work.submit(tx, assignment_id, worker, response))
        except Rejected as rejection:
            refused = rejection
        self._write(lambda tx: work.note_rejection(tx, assignment_id, worker, refused))
        raise refused

    def check_answer(self, assignment_id: str, worker: Worker, response: Json) -> None:
        """Raise unless `submit` would take this answer now, as far as the task type is concerned.

        Raises:
            InvalidInput, NotFound, LeaseLost, AlreadySubmitted: see `submit`.
        """
        self._read(lambda tx: work.check_answer(tx, assignment_id, worker, response))

    def skip(self, assignment_id: str, worker: Worker, *, reason: str | None = None) -> Assignment:
        """Decline a task; this worker never sees it again.

        Raises:
            NotFound, LeaseLost: it is not this worker's, or has ended.
            InvalidInput: the reason is too long.
        """
        return self._write(lambda tx: work.skip(tx, assignment_id, worker, reason))

    def release(self, assignment_id: str, worker: Worker) -> Assignment:
        """Give a task back; the worker may see it again.

        Raises:
            NotFound, LeaseLost: it is not this worker's, or has ended.
        """
        return self._write(lambda tx: work.release(tx, assignment_id, worker))

    # --- what happened -----------------------------------------------------------------------

    def events(self, *, after: int = 0, limit: int = 1000) -> list[Event]:
        """Return the events of all accounts that follow the one numbered `after`, oldest first."""
        return self._read(lambda tx: listing.events(tx, after, limit))

    def task_events(self, external_id: str, *, account: str, mode: Mode = "live") -> list[Event]:
        """Return what happened to one task, oldest first."""
        return self._read(lambda tx: listing.task_events(tx, external_id, account, mode))

    # --- how things go -----------------------------------------------------------------------

    def statistics(self, *, account: str, mode: Mode = "live", days: int = 30) -> Statistics:
        """Return how the tasks that an account made in the last `days` days went; it walks over all of them."""
        return self._read(lambda tx: statistics.statistics(tx, account, mode, days))

    def queues(self) -> Sequence[Queue]:
        """Return what waits for workers, by task type, of all accounts."""
        return self._read(statistics.queues)

    def worker_records(self, *, since: datetime) -> Mapping[str, WorkerRecord]:
        """Return, by worker, what became of what was claimed since a time."""
        return self._read(lambda tx: statistics.worker_records(tx, since))

    # --- callbacks ---------------------------------------------------------------------------

    def callbacks(self, external_id: str, *, account: str, mode: Mode = "live") -> list[Delivery]:
        """Return the deliveries of one task with every attempt."""
        return self._read(lambda tx: outbox.of_task(tx, finish.load(tx, external_id, account, mode)))

    def list_callbacks(
        self, *, account: str, mode: Mode = "live", state: str = "exhausted", limit: int = 100
    ) -> list[Delivery]:
        """Return the newest deliveries in a state, without their attempts.

        Raises:
            InvalidInput: there is no such state, or `limit` is not 1 to 500.
        """
        wanted = outbox.state_named(state)
        listing.check_limit(limit, listing.MAX_PAGE)
        return self._read(lambda tx: outbox.of_state(tx, account, mode, wanted, limit))

    def replay_callback(self, delivery_id: str, *, account: str, mode: Mode = "live") -> None:
        """Send a delivered or exhausted callback again, under the same ``webhook-id``.

        Raises:
            NotFound: no such delivery.
            WrongState: it is pending already, or its address is never called.
        """
        self._write(lambda tx: outbox.replay(tx, delivery_id, account, mode))

    def replay_callbacks(self, *, account: str, mode: Mode = "live", since: datetime, state: str = "exhausted") -> int:
        """Send again every callback that ended in a state since a time; return how many.

        Raises:
            InvalidInput: callbacks in this state cannot be sent again, or `since` has no zone.
        """
        wanted = outbox.state_named(state)
        return self._write(lambda tx: outbox.replay_since(tx, account, mode, since, wanted))

    def endpoints(self, account: str) -> list[Endpoint]:
        """Return the callback endpoints of an account and their health."""
        return self._read(lambda tx: outbox.endpoints(tx, account))

    def enable_endpoint(self, endpoint_id: str, *, account: str) -> Endpoint:
        """Call a disabled endpoint again.

        Raises:
            NotFound: the account has no such endpoint.
        """
        return self._write(lambda tx: outbox.enable_endpoint(tx, endpoint_id, account))

    def webhook_secrets(self, account: str) -> list[WebhookSecret]:
        """Return the valid signing secrets of an account, newest first; the first is made when asked for."""
        return self._write(lambda tx: outbox.webhook_secrets(tx, account))

    def roll_webhook_secret(self, account: str, *, overlap_s: int = 86_400) -> WebhookSecret:
        """Make a new signing secret; the one before stays valid for `overlap_s` more seconds.

        Raises:
            InvalidInput: `overlap_s` is not 0 to 604 800.
        """
        return self._write(lambda tx: outbox.roll_webhook_secret(tx, account, overlap_s))


class OpenTransaction(Transaction, Commands):
    """An open transaction with every command; each runs in a savepoint, so a refused one undoes only itself."""

    def _write(self, operation: Callable[[OpenTransaction], Result]) -> Result:
        with self.savepoint():
            return operation(self)

    def _read(self, operation: Callable[[OpenTransaction], Result]) -> Result:
        return operation(self)
