from __future__ import annotations

from typing import Any

import pytest
import requests

from support.fake_service import answer, body_of, problem, scripted
from workersai_client import APIConnectionError, Conflict, WorkerClient

URL = "http://labels.test"
CLAIM = {"assignment_id": "a1", "task": {"external_id": "t1", "task_type": "categorization", "params": {}}}


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workersai_client.connection.time.sleep", lambda _: None)


def worker_for(*answers: requests.Response | Exception) -> tuple[WorkerClient, Any]:
    session, sent = scripted(*answers)
    return WorkerClient(URL, "wkr_token", session=session), sent


def test_claim_asks_for_types_and_a_lease() -> None:
    worker, sent = worker_for(answer(200, CLAIM))
    assert worker.claim(task_types=("categorization",), lease_s=60) == CLAIM
    assert sent[0].url == f"{URL}/v1/work/claim"
    assert body_of(sent[0]) == {"task_types": ["categorization"], "lease_s": 60}
    assert sent[0].headers["Authorization"] == "Bearer wkr_token"


def test_nothing_to_do_is_none() -> None:
    worker, _ = worker_for(answer(204, text=""))
    assert worker.claim() is None


def test_a_claim_that_was_cut_off_is_repeated_with_its_key() -> None:
    worker, sent = worker_for(requests.ConnectionError("cut"), answer(200, CLAIM))
    assert worker.claim() == CLAIM
    assert sent[0].headers["Idempotency-Key"] == sent[1].headers["Idempotency-Key"]


def test_an_answer_that_was_cut_off_is_repeated() -> None:
    accepted = {"assignment_id": "a1", "status": "submitted", "task_status": "completed"}
    worker, sent = worker_for(requests.ConnectionError("cut"), answer(200, accepted))
    assert worker.submit("a1", {"category": "a"}) == accepted
    assert [body_of(request) for request in sent] == [{"response": {"category": "a"}}] * 2


@pytest.mark.parametrize("verb", ["skip", "release"])
def test_giving_back_is_not_repeated(verb: str) -> None:
    worker, sent = worker_for(requests.ConnectionError("cut"))
    with pytest.raises(APIConnectionError):
        getattr(worker, verb)("a1")
    assert len(sent) == 1


def test_renew_skip_release_and_assignments_use_their_routes() -> None:
    worker, sent = worker_for(*[answer(200, {}) for _ in range(3)], answer(200, [CLAIM]))
    worker.renew("a1", lease_s=60)
    worker.skip("a1", reason="too dark")
    worker.release("a1")
    assert worker.assignments() == [CLAIM]
    assert [request.url.removeprefix(URL) for request in sent] == [
        "/v1/work/a1/renew",
        "/v1/work/a1/skip",
        "/v1/work/a1/release",
        "/v1/work/assignments",
    ]
    assert [body_of(request) for request in sent[:3]] == [{"lease_s": 60}, {"reason": "too dark"}, {}]


def test_a_lost_lease_is_a_conflict() -> None:
    with worker_for(problem(409, "lease_lost"))[0] as worker, pytest.raises(Conflict) as caught:
        worker.renew("a1")
    assert caught.value.code == "lease_lost"
