"""Looking: one task, pages of tasks, and what happened to them."""

from __future__ import annotations

from workersai_core.commands.finish import load
from workersai_core.errors import InvalidInput, Issue
from workersai_core.jsontext import shorten
from workersai_core.model import Event, Mode, TaskFilter, TaskPage
from workersai_core.store import event_rows, task_pages
from workersai_core.transaction import Transaction

__all__ = ["MAX_PAGE", "check_limit", "count", "events", "page", "task_events"]

MAX_PAGE = 500
MAX_EVENTS = 10_000


def page(
    tx: Transaction,
    account: str,
    mode: Mode,
    chosen: TaskFilter,
    limit: int,
    *,
    after: str | None,
    before: str | None,
) -> TaskPage:
    """Return one page of tasks, newest first.

    Raises:
        InvalidInput: `limit` is not 1 to 500, both `after` and `before` are
            given, or the one given names no task of this account and mode.
    """
    check_limit(limit, MAX_PAGE)
    if after is not None and before is not None:
        raise _invalid("/before", "Give after or before, not both.")
    found = task_pages.newest_page(tx.session, account, mode, chosen, limit + 1, after=after, before=before)
    if found is None:
        raise _invalid("/before" if before else "/after", "It names no task of this list; start again without it.")
    more = len(found) > limit
    if before is None:
        tasks = found[:limit]
        older, newer = more, after is not None
    else:
        tasks = found[-limit:]
        older, newer = True, more
    return TaskPage(
        tasks=tasks,
        next=tasks[-1].external_id if older and tasks else None,
        previous=tasks[0].external_id if newer and tasks else None,
    )


def count(tx: Transaction, account: str, mode: Mode, chosen: TaskFilter) -> int:
    """Return how many tasks there are; it walks over all of them."""
    return task_pages.count(tx.session, account, mode, chosen)


def events(tx: Transaction, after: int, limit: int) -> list[Event]:
    """Return up to `limit` events of the whole engine that follow the one numbered `after`."""
    check_limit(limit, MAX_EVENTS)
    return event_rows.after(tx.session, after, limit)


def task_events(tx: Transaction, external_id: str, account: str, mode: Mode) -> list[Event]:
    """Return what happened to one task, oldest first.

    Raises:
        NotFound: no such task.
    """
    return event_rows.of_task(tx.session, load(tx, external_id, account, mode).external_id)


def check_limit(limit: int, most: int) -> None:
    """Raise unless a caller's limit is a whole number from 1 to `most`."""
    if not isinstance(limit, int) or isinstance(limit, bool) or not 1 <= limit <= most:
        raise _invalid("/limit", f"limit is a whole number from 1 to {most}; this is {shorten(limit)}.")


def _invalid(pointer: str, text: str) -> InvalidInput:
    return InvalidInput(text, issues=[Issue(pointer, text)])
