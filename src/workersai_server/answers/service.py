"""The commands about drafts and held answers."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

from workersai_core import Engine, InvalidInput, LeaseLost, NotFound, OpenTransaction, Worker, jsontext
from workersai_core.clock import to_us
from workersai_core.errors import AlreadySubmitted, Issue
from workersai_server.answers import draft_rows
from workersai_server.answers.values import Draft

__all__ = ["UNDO_S", "Answers"]

UNDO_S = 5.0
"""How long a finished answer may be taken back, in seconds."""

_AT_ONCE = 100
_log = logging.getLogger("workersai.answers")


class Answers:
    """Drafts and held answers of all workers. Safe to use from many threads, not inside a transaction of the engine.

    Args:
        engine: Opened with the `SERVER` schema.
        undo_s: The undo window; 0 submits at once.
    """

    def __init__(self, engine: Engine, undo_s: float = UNDO_S) -> None:
        self._engine = engine
        self.undo_s = undo_s
        self._undo = timedelta(seconds=undo_s)

    def save(self, worker: Worker, assignment_id: str, response: Any) -> None:
        """Store what a worker has written so far; anything within JSON's limits.

        Raises:
            InvalidInput: it is no JSON value within the limits.
            NotFound, LeaseLost: the worker does not hold this assignment.
        """
        jsontext.check(response, pointer="/response", depth=2)
        text = jsontext.dumps(response)

        def save(tx: OpenTransaction) -> None:
            _require_held(tx, worker, assignment_id)
            draft_rows.put(tx.session, assignment_id, worker.id, text, tx.now_us, None)

        self._engine.run(save)

    def draft(self, worker: Worker, assignment_id: str) -> Draft | None:
        """Return what a worker has written for an assignment; None when nothing."""
        draft = self._engine.read(lambda tx: draft_rows.get(tx.session, assignment_id))
        return draft if draft is not None and draft.worker_id == worker.id else None

    def held(self, worker: Worker) -> list[Draft]:
        """Return the answers of a worker that may still be taken back."""
        return self._engine.read(lambda tx: draft_rows.held_by(tx.session, worker.id))

    def hold(self, worker: Worker, assignment_id: str, response: Any) -> Draft | None:
        """Take a finished answer; it is submitted when the undo window has passed or the next one is finished.

        Only the last answer can be taken back, so that a fast worker does not
        hold more assignments than a slow one.

        Returns:
            The held answer; None when it was submitted at once.

        Raises:
            InvalidInput, NotFound, LeaseLost, AlreadySubmitted: see `Engine.submit`; nothing is stored.
        """
        self._engine.check_answer(assignment_id, worker, response)
        self.flush(worker, but=assignment_id)
        if not self._undo:
            self._submit(worker, assignment_id, response)
            return None
        text = jsontext.dumps(response)

        def hold(tx: OpenTransaction) -> Draft | None:
            submit_at = tx.now + self._undo
            if _require_held(tx, worker, assignment_id) <= to_us(submit_at):
                tx.renew(assignment_id, worker)
            draft_rows.put(tx.session, assignment_id, worker.id, text, tx.now_us, to_us(submit_at))
            return draft_rows.get(tx.session, assignment_id)

        try:
            return self._engine.run(hold)
        except LeaseLost:
            # The same answer again after it was submitted is a success again.
            self._submit(worker, assignment_id, response)
            return None

    def undo(self, worker: Worker, assignment_id: str) -> Draft:
        """Take a held answer back; it is a draft again.

        Raises:
            AlreadySubmitted: it is final, or it never was this worker's.
        """

        def take_back(tx: OpenTransaction) -> Draft:
            draft = draft_rows.get(tx.session, assignment_id, lock=True)
            if draft is None or draft.worker_id != worker.id:
                raise AlreadySubmitted("This answer is final; the time to take it back has passed.")
            draft_rows.take_back(tx.session, assignment_id)
            return draft

        return self._engine.run(take_back)

    def forget(self, assignment_id: str) -> None:
        """Forget the draft of an assignment that was skipped or released."""
        self._engine.run(lambda tx: draft_rows.delete_one(tx.session, assignment_id))

    def flush(self, worker: Worker, *, but: str | None = None) -> None:
        """Submit what a worker has finished, without waiting for the undo window."""
        for draft in self.held(worker):
            if draft.assignment_id != but:
                self._settle_one(draft)

    def settle(self) -> int:
        """Submit every answer whose undo window has passed; return how many there were."""
        due = self._engine.read(lambda tx: draft_rows.due(tx.session, tx.now_us, _AT_ONCE))
        for draft in due:
            self._settle_one(draft)
        return len(due)

    def _settle_one(self, draft: Draft) -> None:
        """Submit a held answer and forget the draft in one transaction, unless it was taken back meanwhile."""
        self._engine.run(lambda tx: _settle(tx, draft))

    def _submit(self, worker: Worker, assignment_id: str, response: Any) -> None:
        self._engine.submit(assignment_id, worker, response)
        self.forget(assignment_id)


def _settle(tx: OpenTransaction, draft: Draft) -> None:
    if draft_rows.get(tx.session, draft.assignment_id, lock=True) != draft:
        return
    try:
        tx.submit(draft.assignment_id, Worker(id=draft.worker_id), draft.response)
    except InvalidInput as error:
        issues = error.issues or [Issue("/response", error.detail, error.code)]
        draft_rows.refuse(tx.session, draft.assignment_id, issues)
        return
    except (NotFound, LeaseLost, AlreadySubmitted) as error:
        # The task was canceled or expired meanwhile: nobody waits for this answer any more.
        _log.info("a held answer for the assignment %s came too late: %s", draft.assignment_id, error)
    draft_rows.delete_one(tx.session, draft.assignment_id)


def _require_held(tx: OpenTransaction, worker: Worker, assignment_id: str) -> int:
    """Return when the lease of an assignment ends that a worker holds, in microseconds.

    Raises:
        LeaseLost: the worker does not hold it.
    """
    for claim in tx.assignments(worker):
        if claim.assignment.id == assignment_id:
            return to_us(claim.assignment.lease_expires_at)
    raise LeaseLost("This assignment has ended; claim again.")
