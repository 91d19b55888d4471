"""The lifecycle, in one place: which states there are and which moves.

The engine asks these tables before each move, the documentation draws its
diagrams from them and the stateful tests walk them. A state without moves is
terminal and never changes again.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from workersai_core.errors import WrongState

__all__ = [
    "ASSIGNMENT_MOVES",
    "CALLBACK_MOVES",
    "TASK_MOVES",
    "AssignmentState",
    "CallbackState",
    "TaskStatus",
    "is_terminal",
    "require_move",
]


class TaskStatus(StrEnum):
    """Where a task stands."""

    PENDING = "pending"
    """Nobody has worked on it yet."""
    IN_PROGRESS = "in_progress"
    """At least one worker has claimed it."""
    COMPLETED = "completed"
    """It has its response."""
    CANCELED = "canceled"
    """The requester took it back."""
    EXPIRED = "expired"
    """Its deadline passed before enough answers came."""
    ERROR = "error"
    """It cannot be answered; `error` on the task says why."""


class AssignmentState(StrEnum):
    """Where one worker's turn at one task stands."""

    CLAIMED = "claimed"
    """Held under a lease."""
    SUBMITTED = "submitted"
    """Answered, and the answer accepted."""
    RELEASED = "released"
    """Given back, or ended because the task ended."""
    SKIPPED = "skipped"
    """Declined; the worker never sees the task again."""
    EXPIRED = "expired"
    """The lease ran out without an answer."""


class CallbackState(StrEnum):
    """Where the delivery of one event to one address stands."""

    PENDING = "pending"
    """Owed: to be sent, or to be sent again."""
    DELIVERED = "delivered"
    """The receiver answered 2XX."""
    EXHAUSTED = "exhausted"
    """The schedule ended, or the receiver answered 410."""
    SKIPPED = "skipped"
    """A reserved example address, never called."""


TASK_MOVES: Mapping[TaskStatus, frozenset[TaskStatus]] = {
    TaskStatus.PENDING: frozenset(
        {
            TaskStatus.IN_PROGRESS,
            TaskStatus.COMPLETED,  # a test task answers itself, without a worker
            TaskStatus.CANCELED,
            TaskStatus.EXPIRED,
            TaskStatus.ERROR,
        }
    ),
    TaskStatus.IN_PROGRESS: frozenset(
        {TaskStatus.COMPLETED, TaskStatus.CANCELED, TaskStatus.EXPIRED, TaskStatus.ERROR}
    ),
    TaskStatus.COMPLETED: frozenset(),
    TaskStatus.CANCELED: frozenset(),
    TaskStatus.EXPIRED: frozenset(),
    TaskStatus.ERROR: frozenset(),
}

ASSIGNMENT_MOVES: Mapping[AssignmentState, frozenset[AssignmentState]] = {
    AssignmentState.CLAIMED: frozenset(
        {
            AssignmentState.SUBMITTED,
            AssignmentState.RELEASED,
            AssignmentState.SKIPPED,
            AssignmentState.EXPIRED,
        }
    ),
    AssignmentState.SUBMITTED: frozenset(),
    AssignmentState.RELEASED: frozenset(),
    AssignmentState.SKIPPED: frozenset(),
    AssignmentState.EXPIRED: frozenset(),
}

CALLBACK_MOVES: Mapping[CallbackState, frozenset[CallbackState]] = {
    CallbackState.PENDING: frozenset({CallbackState.DELIVERED, CallbackState.EXHAUSTED}),
    # A replay puts a finished delivery back into the queue under the same webhook-id.
    CallbackState.DELIVERED: frozenset({CallbackState.PENDING}),
    CallbackState.EXHAUSTED: frozenset({CallbackState.PENDING}),
    CallbackState.SKIPPED: frozenset(),
}

State = TaskStatus | AssignmentState | CallbackState


def _moves(state: State) -> frozenset[State]:
    if isinstance(state, TaskStatus):
        return frozenset(TASK_MOVES[state])
    if isinstance(state, AssignmentState):
        return frozenset(ASSIGNMENT_MOVES[state])
    return frozenset(CALLBACK_MOVES[state])


def is_terminal(state: State) -> bool:
    """Return whether nothing can follow `state`."""
    return not _moves(state)


def require_move(now: State, then: State) -> None:
    """Raise unless the lifecycle has a move from `now` to `then`.

    Raises:
        WrongState: it has none; the detail names both states.
    """
    if then not in _moves(now):
        raise WrongState(f"It is {now.value}; it cannot become {then.value}.")
