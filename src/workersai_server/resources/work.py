"""``/v1/work``: the worker's side, with a worker token."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs
import falcon

from workersai_core import Engine, Idempotency, InvalidInput, OpenTransaction, Worker
from workersai_core.jsontext import canonical
from workersai_server import documents, queries
from workersai_server.access import Access
from workersai_server.bodies import fields
from workersai_server.credentials import ApiRequest
from workersai_server.idempotency import idempotency_of, mark_replayed
from workersai_server.media import JSON, content_type, read_object

__all__ = ["Work"]

_CLAIM = {
    "properties": {
        "task_types": {"type": "array", "items": {"type": "string"}},
        "lease_s": {"type": "integer"},
    }
}
_RENEW = {"properties": {"lease_s": {"type": "integer"}}}
_SKIP = {"properties": {"reason": {"type": "string"}}}
_SUBMIT = {"properties": {"response": {"type": "any"}}, "required": ["response"]}
_RELEASE: dict[str, Any] = {"properties": {}}


class Work:
    """What a worker takes, holds and answers.

    Args:
        engine: Where tasks are.
        access: Who asks.
    """

    def __init__(self, engine: Engine, access: Access) -> None:
        self._engine = engine
        self._access = access

    def on_post_claim(self, req: ApiRequest, resp: falcon.Response) -> None:
        """Give the worker the most urgent task it may do; 204 when there is nothing."""
        worker = self._worker(req, resp)
        wanted = fields(req, read_object(req), _CLAIM)
        self._require_types(wanted.get("task_types", ()))
        key = idempotency_of(req, f"worker:{worker.id}/POST /v1/work/claim", canonical(wanted))
        if key is None:
            claim = self._engine.claim(worker, **wanted)
            answer = None if claim is None else documents.to_json(documents.claim(claim))
        else:
            answer, replayed = self._claim_once(worker, wanted, key)
            if replayed:
                mark_replayed(resp)
        if answer is None:
            resp.status = falcon.HTTP_204
        else:
            resp.data = answer

    def on_get_assignments(self, req: ApiRequest, resp: falcon.Response) -> None:
        """List what the worker holds, oldest first, to go on after a crash."""
        worker = self._worker(req, resp)
        resp.data = documents.to_json([documents.claim(each) for each in self._engine.assignments(worker)])

    def on_post_submit(self, req: ApiRequest, resp: falcon.Response, assignment_id: str) -> None:
        """Accept an answer."""
        worker = self._worker(req, resp)
        content_type(req, (JSON,))  # a form has no types, and which ones the answer needs depends on the task
        given = fields(req, read_object(req), _SUBMIT)
        submission = self._engine.submit(assignment_id, worker, given["response"])
        resp.data = documents.to_json(documents.submission(submission))

    def on_post_renew(self, req: ApiRequest, resp: falcon.Response, assignment_id: str) -> None:
        """Extend the lease from now on."""
        worker = self._worker(req, resp)
        given = fields(req, read_object(req), _RENEW)
        resp.data = documents.to_json(documents.assignment(self._engine.renew(assignment_id, worker, **given)))

    def on_post_skip(self, req: ApiRequest, resp: falcon.Response, assignment_id: str) -> None:
        """Decline the task for good."""
        worker = self._worker(req, resp)
        given = fields(req, read_object(req), _SKIP)
        resp.data = documents.to_json(documents.assignment(self._engine.skip(assignment_id, worker, **given)))

    def on_post_release(self, req: ApiRequest, resp: falcon.Response, assignment_id: str) -> None:
        """Give the task back."""
        worker = self._worker(req, resp)
        fields(req, read_object(req), _RELEASE)
        resp.data = documents.to_json(documents.assignment(self._engine.release(assignment_id, worker)))

    def _worker(self, req: ApiRequest, resp: falcon.Response) -> Worker:
        queries.no_parameters(req)
        return self._access.worker(req, resp)

    def _require_types(self, names: Sequence[str]) -> None:
        """Raise unless every name is a type that can be used; the error says which is not."""
        for position, name in enumerate(names):
            try:
                self._engine.types.require(name)
            except InvalidInput as error:
                issues = [attrs.evolve(issue, pointer=f"/task_types/{position}") for issue in error.issues]
                raise type(error)(error.detail, issues=issues) from None

    def _claim_once(self, worker: Worker, wanted: dict[str, Any], key: Idempotency) -> tuple[bytes | None, bool]:
        def operation(tx: OpenTransaction) -> str:
            claim = tx.claim(worker, **wanted)
            if claim is None:
                raise _NothingToDoError
            return documents.to_json(documents.claim(claim)).decode()

        try:
            answer, replayed = self._engine.once(key, operation)
        except _NothingToDoError:
            return None, False
        return answer.encode(), replayed


class _NothingToDoError(Exception):
    """There is nothing to claim.

    It is not remembered: a worker that polls would fill the database, and to
    find a task when asking again harms nobody.
    """
