"""The worker's side: take a task, answer it.

worker = WorkerClient("http://127.0.0.1:8000", "wkr_…")
while claim := worker.claim():
    worker.submit(claim["assignment_id"], label(claim["task"]))

A worker needs no API key, only its token.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Self, cast
from urllib.parse import quote

import requests

from workersai_client.bodies import Assignment, Claim, Submission
from workersai_client.connection import Connection

__all__ = ["WorkerClient"]

_NOTHING_TO_DO = 204


class WorkerClient:
    """One worker of one service."""

    def __init__(
        self,
        base_url: str,
        token: str,
        *,
        timeout_s: float = 30,
        retries: int = 2,
        session: requests.Session | None = None,
    ) -> None:
        self._connection = Connection(base_url, token, timeout_s=timeout_s, retries=retries, session=session)

    def claim(self, *, task_types: Sequence[str] | None = None, lease_s: int | None = None) -> Claim | None:
        """Take the most urgent task that this worker may do; None when there is nothing to do.

        Args:
            task_types: Only these; any the worker is skilled for by default.
            lease_s: How many seconds to hold it, 30–3600; the service's default otherwise.

        Raises:
            Conflict: the worker holds as many assignments as allowed.
        """
        body = _present(task_types=None if task_types is None else list(task_types), lease_s=lease_s)
        answer = self._connection.post("/v1/work/claim", body, idempotency_key=str(uuid.uuid4()))
        return None if answer.status_code == _NOTHING_TO_DO else cast(Claim, answer.json())

    def assignments(self) -> list[Claim]:
        """Return what this worker holds, for going on after a crash."""
        return cast("list[Claim]", self._connection.get("/v1/work/assignments").json())

    def renew(self, assignment_id: str, *, lease_s: int | None = None) -> Assignment:
        """Hold an assignment for longer.

        Raises:
            Conflict: the lease has ended.
        """
        answer = self._post(assignment_id, "renew", _present(lease_s=lease_s), repeatable=True)
        return cast(Assignment, answer)

    def submit(self, assignment_id: str, response: Mapping[str, Any]) -> Submission:
        """Answer; the same answer again is fine.

        Raises:
            ValidationFailed: the answer does not fit the task; the assignment stays.
            Conflict: the lease has ended, or another answer was accepted before.
        """
        answer = self._post(assignment_id, "submit", {"response": dict(response)}, repeatable=True)
        return cast(Submission, answer)

    def skip(self, assignment_id: str, *, reason: str | None = None) -> Assignment:
        """Decline; this worker never sees the task again.

        Raises:
            Conflict: the lease has ended.
        """
        return cast(Assignment, self._post(assignment_id, "skip", _present(reason=reason)))

    def release(self, assignment_id: str) -> Assignment:
        """Give back; this worker may see the task again.

        Raises:
            Conflict: the lease has ended.
        """
        return cast(Assignment, self._post(assignment_id, "release", {}))

    def close(self) -> None:
        """Close the connections that are kept open."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _post(self, assignment_id: str, verb: str, body: Mapping[str, Any], *, repeatable: bool = False) -> Any:
        path = f"/v1/work/{quote(assignment_id, safe='')}/{verb}"
        return self._connection.post(path, body, repeatable=repeatable).json()


def _present(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}
