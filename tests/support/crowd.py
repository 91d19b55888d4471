"""Requesters and workers that use a service all at once, survive its crashes and note what they were told.

An actor whose request got no answer asks the same again when the service is
back, before it does anything else, as the documentation tells clients to.
"""

from __future__ import annotations

import random
import threading
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import attrs

from support.history import Answer, Creation, History
from workersai_client import APIConnectionError, APIError, Client, Conflict, WorkerClient

__all__ = ["Actor", "Crowd", "Requester", "Worker", "categorization"]

_TIMEOUT_S = 20
_PAUSE_S = 0.02


def categorization(rng: random.Random) -> dict[str, Any]:
    """Return params by chance, in several scripts."""
    categories = rng.sample(["크다", "작다", "중간", "big", "small", "ß", "🐜", "a\tb"], rng.randint(2, 5))
    text = "".join(rng.choices('가나다라 abc\n"\\é漢😀', k=rng.randint(0, 60)))
    return {"attachment_type": "text", "attachment": f"얼마나 큰가요? {text}", "categories": categories}


class Actor(Protocol):
    """Somebody who does one thing after the other.

    Attributes:
        closing: Whether it only ends what it has begun.
    """

    closing: bool

    def connect(self, url: str) -> None:
        """Use the service at this address from now on."""

    def step(self) -> bool:
        """Do one thing; return whether there was anything to do."""

    def disconnect(self) -> None:
        """Let go of connections."""


@attrs.define
class Requester:
    """Creates tasks, now and then takes one back, and now and then asks twice.

    Attributes:
        name: Makes its keys unlike those of others.
        fields: Of every creation besides what is left to chance.
        cancels: How often it takes one of its newest tasks back, 0 to 1.
    """

    name: str
    key: str
    history: History
    rng: random.Random
    fields: Mapping[str, Any]
    overlaps: Sequence[int] = (1,)
    cancels: float = 0.0
    closing: bool = False
    _client: Client | None = None
    _pending: tuple[str, str] | None = None
    _made: int = 0
    _newest: deque[Creation] = attrs.field(factory=lambda: deque(maxlen=50))

    def connect(self, url: str) -> None:
        self._client = Client(url, self.key, timeout_s=_TIMEOUT_S, retries=0)

    def disconnect(self) -> None:
        if self._client is not None:
            self._client.close()

    def step(self) -> bool:
        if self._pending is None:
            if self.closing:
                return False
            self._pending = self._next()
        verb, subject = self._pending
        if verb == "create":
            self._create(subject)
        else:
            self._cancel(subject)
        self._pending = None
        return True

    def _next(self) -> tuple[str, str]:
        chance = self.rng.random()
        if self._newest and chance < self.cancels:
            return "cancel", self.rng.choice(self._newest).task["external_id"]
        if self._newest and chance < self.cancels + 0.05:
            return "create", self.rng.choice(self._newest).key
        self._made += 1
        key = f"{self.name}-{self._made}"
        self.history.asked[key] = {
            "params": categorization(self.rng),
            "metadata": {"key": key},
            "overlap": self.rng.choice(self.overlaps),
            "priority": self.rng.randint(0, 100),
            **self.fields,
        }
        return "create", key

    def _create(self, key: str) -> None:
        content = self.history.asked[key]
        task = self._client.tasks.create(idempotency_key=key, **content)
        creation = Creation(key=key, content=content, task=task)
        self.history.creations.append(creation)
        self._newest.append(creation)

    def _cancel(self, task_id: str) -> None:
        try:
            self._client.tasks.cancel(task_id)
        except Conflict as refusal:
            if refusal.code != "wrong_state":
                raise
        else:
            self.history.cancels.append(task_id)


@attrs.define
class Worker:
    """Claims and answers, and now and then gives back or answers twice."""

    token: str
    history: History
    rng: random.Random
    closing: bool = False
    _client: WorkerClient | None = None
    _resumed: bool = False
    _held: list[Mapping[str, Any]] = attrs.field(factory=list)
    _pending: tuple[Mapping[str, Any], Any] | None = None

    def connect(self, url: str) -> None:
        self._client = WorkerClient(url, self.token, timeout_s=_TIMEOUT_S, retries=0)
        self._held = []
        self._resumed = False

    def disconnect(self) -> None:
        if self._client is not None:
            self._client.close()

    def step(self) -> bool:
        if self._pending is not None:
            self._submit(*self._pending)
        elif not self._resumed:
            # A claim whose answer was lost is found here.
            self._held = self._client.assignments()
            self._resumed = True
        elif self._held:
            self._work_on(self._held.pop())
        else:
            claim = self._client.claim()
            if claim is None:
                return False
            self._held.append(claim)
        return True

    def _work_on(self, claim: Mapping[str, Any]) -> None:
        try:
            if self.rng.random() < 0.05:
                self._client.release(claim["assignment_id"])
                return
        except Conflict as refusal:
            self._lost(refusal)
            return
        choice = {"category": self.rng.choice(claim["task"]["params"]["categories"])}
        self._pending = (claim, choice)
        self._submit(claim, choice)

    def _submit(self, claim: Mapping[str, Any], response: Any) -> None:
        answer = Answer(assignment_id=claim["assignment_id"], task_id=claim["task"]["external_id"], response=response)
        self.history.answers.append(answer)
        try:
            for _ in range(2 if self.rng.random() < 0.05 else 1):
                told = self._client.submit(answer.assignment_id, response)
                self.history.answers.append(attrs.evolve(answer, task_status=told["task_status"]))
        except Conflict as refusal:
            self._lost(refusal)
        self._pending = None

    def _lost(self, refusal: Conflict) -> None:
        """Accept that a task was taken back meanwhile, and nothing else."""
        if refusal.code != "lease_lost":
            raise refusal


@attrs.define
class Crowd:
    """Actors, each in a thread while the service runs."""

    requesters: Sequence[Actor]
    workers: Sequence[Actor]
    history: History
    _stopping: threading.Event = attrs.field(factory=threading.Event)
    _threads: list[threading.Thread] = attrs.field(factory=list)

    def start(self, url: str) -> None:
        """Let everybody work; one whose request gets no answer stops, and begins with it the next time."""
        self._stopping.clear()
        self._threads = [
            threading.Thread(target=self._run, args=(actor, url)) for actor in [*self.requesters, *self.workers]
        ]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Wait until everybody has finished the request that it waits for."""
        self._stopping.set()
        for thread in self._threads:
            thread.join()

    def finish(self, url: str) -> None:
        """Let everybody end what was begun: first whoever creates tasks, then whoever answers them."""
        self._stopping.clear()
        for group in (self.requesters, self.workers):
            threads = [threading.Thread(target=self._run, args=(actor, url)) for actor in group]
            for actor, thread in zip(group, threads, strict=True):
                actor.closing = True
                thread.start()
            for thread in threads:
                thread.join()

    def _run(self, actor: Actor, url: str) -> None:
        actor.connect(url)
        try:
            while not self._stopping.is_set():
                if not actor.step():
                    if actor.closing:
                        return
                    self._stopping.wait(_PAUSE_S)
        except APIConnectionError:
            return
        except APIError as error:
            self.history.surprises.append(f"{type(actor).__name__} met {error!r}")
        finally:
            actor.disconnect()
