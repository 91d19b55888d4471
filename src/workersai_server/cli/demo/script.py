"""The demo without a person: the main job over real HTTP, each step checked and told."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import attrs

from workersai_client import Client, NotFound, WorkerClient
from workersai_server.cli.demo.catcher import Catcher
from workersai_server.cli.demo.samples import CATEGORIZATION, SAMPLES, Sample
from workersai_server.cli.output import Failure

__all__ = ["Script"]

_CALLBACK_S = 12.0
_CALLBACK_KEYS = ["task_type", "external_id", "params", "response"]


@attrs.define
class Script:
    """One run of the main job.

    Attributes:
        live: The requester with the live key.
        test: The same requester with the test key.
        worker: Somebody who labels.
        catcher: The requester's receiver.
        say: Told each step: its facts and its sentence.
    """

    live: Client
    test: Client
    worker: WorkerClient
    catcher: Catcher
    say: Callable[[Mapping[str, Any], str], None]

    def run(self) -> None:
        """Do the whole job.

        Raises:
            Failure: something is not as it must be.
            ClientError: a request failed.
        """
        started = time.monotonic()
        labeled = {self._create(self.live, "live", sample): sample for sample in SAMPLES}
        mocked = [self._create(self.test, "test", sample) for sample in SAMPLES]
        self._modes_are_apart(next(iter(labeled)), mocked[0])
        refused = next(task for task, sample in labeled.items() if sample is CATEGORIZATION)
        self.catcher.refuse_once(refused)
        self._answer_all(labeled)
        for external_id, sample in labeled.items():
            self._finish(self.live, external_id, expected=sample.answer)
        for external_id in mocked:
            self._finish(self.test, external_id, expected=None)
        self._retry_is_on_record(refused)
        self.say(
            {"ok": True, "tasks": len(labeled) + len(mocked), "seconds": round(time.monotonic() - started, 2)},
            "All four tasks were labeled, and their signed callbacks arrived and were verified.",
        )

    def _create(self, client: Client, mode: str, sample: Sample) -> str:
        task = client.tasks.create(
            task_type=sample.task_type,
            instruction=sample.instruction,
            params=sample.params,
            callback_url=self.catcher.url,
            metadata={"demo": mode},
        )
        _require(task["response"] == {}, f"Task {task['external_id']} has a response before anybody answered.")
        self.say(
            {"step": "created", "mode": mode, "task_type": sample.task_type, "external_id": task["external_id"]},
            f"created    {sample.task_type} with the {mode} key: {task['external_id']}",
        )
        return task["external_id"]

    def _modes_are_apart(self, live_id: str, test_id: str) -> None:
        for client, external_id in ((self.live, test_id), (self.test, live_id)):
            try:
                client.tasks.get(external_id)
            except NotFound:
                continue
            raise Failure(f"Task {external_id} is visible to a key of the other mode.")

    def _answer_all(self, labeled: Mapping[str, Sample]) -> None:
        for _ in labeled:
            claim = self.worker.claim()
            if claim is None:
                raise Failure("There is no task to claim, although not all are answered.")
            external_id = claim["task"]["external_id"]
            _require(external_id in labeled, f"Task {external_id} is not of this run, or it is a test task.")
            answer = labeled[external_id].answer
            accepted = self.worker.submit(claim["assignment_id"], answer)
            _require(accepted["task_status"] == "completed", f"Task {external_id} is {accepted['task_status']}.")
            self.say(
                {"step": "answered", "external_id": external_id, "response": answer},
                f"answered   {claim['task']['task_type']} as a worker: {answer}",
            )

    def _finish(self, client: Client, external_id: str, *, expected: dict[str, Any] | None) -> None:
        received = self.catcher.wait_for(external_id, timeout_s=_CALLBACK_S)
        if received is None:
            raise Failure(f"The callback of task {external_id} did not arrive within {_CALLBACK_S:g} s.")
        task = client.tasks.get(external_id)
        _require(task["status"] == "completed", f"Task {external_id} is {task['status']}, not completed.")
        _require(list(received.body)[:4] == _CALLBACK_KEYS, f"The callback of {external_id} has other first keys.")
        _require(received.body["response"] == task["response"], f"The callback of {external_id} differs from the task.")
        wanted = expected if expected is not None else task["response"]
        _require(task["response"] == wanted != {}, f"Task {external_id} has the response {task['response']}.")
        self.say(
            {"step": "completed", "external_id": external_id, "response": task["response"]},
            f"completed  {task['task_type']}: {task['response']}",
        )

    def _retry_is_on_record(self, external_id: str) -> None:
        attempts = [attempt["status"] for attempt in self._delivered(external_id)["attempts"]]
        _require(attempts == [500, 200], f"The attempts of {external_id} were {attempts}, not 500 and then 200.")
        self.say(
            {"step": "retried", "external_id": external_id, "attempts": attempts},
            f"retried    the refused callback: {attempts}",
        )

    def _delivered(self, external_id: str) -> Any:
        # The receiver knows of its answer before the sender has written it down.
        give_up = time.monotonic() + _CALLBACK_S
        while time.monotonic() < give_up:
            delivery = self.live.callbacks.list(external_id)[0]
            if delivery["state"] == "delivered":
                return delivery
            time.sleep(0.05)
        raise Failure(f"The delivery of {external_id} is not recorded as delivered.")


def _require(holds: bool, otherwise: str) -> None:
    if not holds:
        raise Failure(otherwise, remedy="Run it again with --reset, and report it if it stays.")
