"""What must be true of every database, whatever crashed: the checks behind ``workersai check``.

Each check is one query that returns the ids of the offenders. The numbers are
those of the explanation of the three promises in the documentation.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import attrs
from sqlalchemy import text

from workersai_core.lifecycle import TASK_MOVES, is_terminal
from workersai_core.store.session import Statement
from workersai_core.transaction import Transaction

__all__ = ["Violation", "violations"]


@attrs.frozen(kw_only=True)
class Violation:
    """One broken invariant.

    Attributes:
        invariant: ``I1`` to ``I14``.
        detail: What is wrong, as one sentence.
        ids: Some of the offenders, at most 100.
    """

    invariant: str
    detail: str
    ids: Sequence[str]


_MOST = 100
_FINAL = ", ".join(f"'{status.value}'" for status in TASK_MOVES if is_terminal(status))
_EVENT_OF_STATUS = (
    "CASE t.status WHEN 'completed' THEN 'task_completed' WHEN 'canceled' THEN 'task_canceled'"
    " WHEN 'expired' THEN 'task_expired' WHEN 'error' THEN 'task_failed' END"
)
# PERF: SQLite takes a partial index only for a query that repeats the condition of the index; without it,
# each of these would walk over all assignments for each task.
_OF_TASK = "FROM wai_assignment a WHERE a.task_id = t.id AND a.state IN ('claimed', 'submitted')"
_HELD = f"(SELECT count(*) {_OF_TASK} AND a.state = 'claimed')"
_ANSWERED = f"(SELECT count(*) {_OF_TASK} AND a.state = 'submitted')"

# Each query names the offenders in its first column.
_CHECKS: Sequence[tuple[str, str, str]] = (
    (
        "I2",
        "A task has no task_created event, or several.",
        "SELECT t.id FROM wai_task t"
        " WHERE (SELECT count(*) FROM wai_event e WHERE e.task_id = t.id AND e.name = 'task_created') <> 1",
    ),
    (
        "I3",
        "A slot of a task is held or answered more than once.",
        "SELECT task_id FROM wai_assignment WHERE state IN ('claimed', 'submitted')"
        " GROUP BY task_id, slot HAVING count(*) > 1",
    ),
    (
        "I3",
        "A worker answers or holds a task more than once.",
        "SELECT task_id FROM wai_assignment WHERE state IN ('claimed', 'submitted')"
        " GROUP BY task_id, worker_id HAVING count(*) > 1",
    ),
    (
        "I3",
        "A task has more answers and leases than it wants.",
        f"SELECT t.id FROM wai_task t WHERE {_HELD} + {_ANSWERED} > t.answers_wanted",
    ),
    (
        "I4",
        "A submitted assignment has no response, no event, or several events.",
        "SELECT a.id FROM wai_assignment a WHERE a.state = 'submitted' AND (a.response IS NULL OR"
        " (SELECT count(*) FROM wai_event e WHERE e.task_id = a.task_id AND e.name = 'response_submitted'"
        " AND e.data LIKE '%' || a.id || '%') <> 1)",
    ),
    (
        "I5",
        "An answer was accepted after its lease had ended.",
        "SELECT id FROM wai_assignment WHERE state = 'submitted' AND finished_at >= lease_expires_at",
    ),
    (
        "I6",
        "A task's events and its status disagree about how it ended.",
        f"SELECT t.id FROM wai_task t WHERE (SELECT count(*) FROM wai_event e WHERE e.task_id = t.id AND e.name IN"
        f" ('task_completed', 'task_canceled', 'task_expired', 'task_failed'))"
        f" <> (CASE WHEN t.status IN ({_FINAL}) THEN 1 ELSE 0 END)"
        f" OR (t.status IN ({_FINAL}) AND NOT EXISTS (SELECT 1 FROM wai_event e"
        f" WHERE e.task_id = t.id AND e.name = {_EVENT_OF_STATUS}))",
    ),
    (
        "I6",
        "A finished task still has a lease, an open slot, a wake-up, or no time of its end.",
        f"SELECT t.id FROM wai_task t WHERE t.status IN ({_FINAL}) AND"
        f" (t.open_slots <> 0 OR t.wake_at IS NOT NULL OR t.completed_at IS NULL OR {_HELD} > 0)",
    ),
    (
        "I7",
        "A task's counters disagree with its answers.",
        f"SELECT t.id FROM wai_task t WHERE t.answers_accepted <> {_ANSWERED}"
        f" OR (t.mode = 'live' AND t.status IN ('pending', 'in_progress')"
        f" AND t.open_slots <> t.answers_wanted - {_ANSWERED} - {_HELD})",
    ),
    (
        "I7",
        "A task is completed without enough answers, open with enough, or has a response without being completed.",
        "SELECT id FROM wai_task WHERE (status = 'completed') <> (response <> '{}')"
        " OR (mode = 'live' AND status = 'completed' AND answers_accepted < answers_wanted)"
        " OR (mode = 'live' AND status IN ('pending', 'in_progress') AND answers_accepted >= answers_wanted)",
    ),
    (
        "I8",
        "A finished task owes a callback that has no row, or has one that it does not owe.",
        f"SELECT t.id FROM wai_task t WHERE (SELECT count(*) FROM wai_delivery d WHERE d.task_id = t.id)"
        f" <> (CASE WHEN t.status IN ({_FINAL})"
        f" AND ' ' || t.callback_events || ' ' LIKE '% ' || t.status || ' %' THEN 1 ELSE 0 END)",
    ),
    (
        "I9",
        "A callback's state disagrees with its attempts.",
        "SELECT d.id FROM wai_delivery d"
        " WHERE d.attempts_total <> (SELECT count(*) FROM wai_attempt a WHERE a.delivery_id = d.id)"
        " OR (d.state = 'delivered' AND NOT EXISTS (SELECT 1 FROM wai_attempt a"
        " WHERE a.delivery_id = d.id AND a.status BETWEEN 200 AND 299))"
        " OR (d.state = 'exhausted' AND d.attempts_total = 0)"
        " OR (d.state = 'pending') <> (d.finished_at IS NULL)",
    ),
    (
        "I10",
        "A test task was given to a worker.",
        "SELECT t.id FROM wai_task t JOIN wai_assignment a ON a.task_id = t.id WHERE t.mode <> 'live'",
    ),
    (
        "I11",
        "A row about a task carries another account or mode than the task.",
        "SELECT t.id FROM wai_task t JOIN wai_delivery d ON d.task_id = t.id"
        " WHERE d.account <> t.account OR d.mode <> t.mode"
        " UNION SELECT t.id FROM wai_task t JOIN wai_event e ON e.task_id = t.id"
        " WHERE e.account <> t.account OR e.mode <> t.mode"
        " UNION SELECT d.id FROM wai_delivery d JOIN wai_endpoint p ON p.id = d.endpoint_id"
        " WHERE d.account <> p.account",
    ),
    (
        "I11",
        "A row refers to a task or delivery that is not there.",
        "SELECT a.id FROM wai_assignment a LEFT JOIN wai_task t ON t.id = a.task_id WHERE t.id IS NULL"
        " UNION SELECT d.id FROM wai_delivery d LEFT JOIN wai_task t ON t.id = d.task_id WHERE t.id IS NULL"
        " UNION SELECT a.delivery_id FROM wai_attempt a LEFT JOIN wai_delivery d ON d.id = a.delivery_id"
        " WHERE d.id IS NULL",
    ),
)
_STATEMENTS = [
    (invariant, detail, Statement(text(f"SELECT * FROM ({query}) AS offenders LIMIT {_MOST}")))
    for invariant, detail, query in _CHECKS
]
_INTEGRITY: Mapping[str, Statement] = {"sqlite": Statement(text("PRAGMA integrity_check"))}


def violations(tx: Transaction) -> list[Violation]:
    """Return every broken invariant, in the order of their numbers."""
    tx.session.take_time()
    found = []
    for invariant, detail, statement in _STATEMENTS:
        offenders = [str(row[0]) for row in tx.session.all(statement)]
        if offenders:
            found.append(Violation(invariant=invariant, detail=detail, ids=offenders))
    return found + _damage(tx)


def _damage(tx: Transaction) -> list[Violation]:
    """Return what the database's own check of its file says."""
    statement = _INTEGRITY.get(tx.session.dialect)
    if statement is None:
        return []
    complaints = [str(row[0]) for row in tx.session.all(statement) if row[0] != "ok"]
    if not complaints:
        return []
    return [Violation(invariant="I14", detail="The database file is damaged.", ids=complaints)]
