"""Clients that are cut off, and databases that fail, between any two database calls of a creation.

Whatever the moment: the same request again gives one task, which is counted
once and called back once.
"""

from __future__ import annotations

import http.client
import json
import socket
import struct
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import attrs
import pytest

from support.engines import ANN, HOOK, OPTIONS
from support.gate import ANSWER, PATIENCE_S, GatedServer, Step, gated_server
from support.postgres import empty, postgresql_server, postgresql_url
from support.waiting import until
from workersai_core import Engine
from workersai_core.api import hookimpl
from workersai_core.store import event_rows
from workersai_core.store.opening import upgrade
from workersai_core.store.schema import CORE
from workersai_server import quota
from workersai_server.accounts import SERVER, NewAccount

__all__ = ["postgresql_server", "postgresql_url"]

CALLS_AT_LEAST = 8  # BEGIN, the key, the quota, the task, its event, the answer, COMMIT, and the answer's writing


@attrs.define
class Requester:
    """Creates tasks over HTTP, and knows what must come of it."""

    server: GatedServer
    account: NewAccount
    n: int = 0

    def request(self, kind: str) -> Creation:
        """Return a creation that was not asked for yet."""
        self.n += 1
        name = f"order-{self.n}"
        fields = {"task_type": "pick", "params": {"options": OPTIONS}, "callback_url": HOOK, "instruction": name}
        headers = {"Authorization": f"Bearer {self.account.live_key}", "Content-Type": "application/json"}
        if kind == "key":
            headers["Idempotency-Key"] = name
        else:
            fields["unique_id"] = name
        return Creation(self.server, kind, name, headers, json.dumps(fields))

    def creations(self) -> int:
        """Return how many creations were counted."""
        return self.server.accounts.get(self.account.email).creations


@attrs.define
class Creation:
    """One creation, which may be asked for again."""

    server: GatedServer
    kind: str
    name: str
    headers: dict[str, str]
    body: str

    def send(self) -> tuple[int, dict[str, str], Any]:
        """Ask for it, and return the status, the headers and the document of the answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=PATIENCE_S)
        try:
            connection.request("POST", "/v1/tasks", self.body, self.headers)
            answer = connection.getresponse()
            headers = {name.lower(): value for name, value in answer.getheaders()}
            return answer.status, headers, json.loads(answer.read())
        finally:
            connection.close()

    def send_and_hang_up(self) -> None:
        """Ask for it, and be gone when the chosen call is reached, or when the answer comes."""
        lines = [f"{name}: {value}" for name, value in self.headers.items()]
        head = ["POST /v1/tasks HTTP/1.1", "Host: labels.test", *lines, f"Content-Length: {len(self.body)}", "", ""]
        begun = self.server.begun
        with socket.create_connection(("127.0.0.1", self.server.port), PATIENCE_S) as client:
            client.sendall("\r\n".join(head).encode() + self.body.encode())
            until(lambda: self.server.gate.reached.is_set() or (self.server.begun > begun and self.server.idle()))
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # RST, as a crash
        self.server.gate.release()
        until(self.server.idle)


def settle(creation: Creation) -> str:
    """Ask again, and return the id of the one task that there is in the end."""
    status, _, document = creation.send()
    if status == 409:
        assert ("unique_id", "duplicate_task") == (creation.kind, document["code"])
        return str(document["external_id"])
    assert 201 == status, document
    return str(document["external_id"])


def require_one(requester: Requester, creation: Creation, task_id: str, counted_before: int) -> None:
    """Assert that there is one task, which is counted once and called back once."""
    engine = requester.server.engine
    tasks = engine.list_tasks(account=requester.account.account_id, limit=500).tasks
    assert [task_id] == [task.external_id for task in tasks if task.instruction == creation.name]
    assert counted_before + 1 == requester.creations()
    [claimed] = [engine.claim(ANN)]
    assert task_id == claimed.task.external_id
    engine.submit(claimed.assignment.id, ANN, {"choice": "a"})
    while engine.deliver():
        pass
    sent = [request for request in requester.server.transport.requests if request.json["external_id"] == task_id]
    assert [HOOK] == [request.url for request in sent]
    assert engine.claim(ANN) is None
    assert [] == [*engine.check(), *engine.read(lambda tx: quota.violations(tx.session))]


def sweep(requester: Requester, kind: str, step: Step, act: Callable[[Creation], None]) -> list[str]:
    """Stop or fail call number 1, 2, … of a creation until it needs no more; return its calls."""
    at = 0
    while True:
        at += 1
        creation, counted = requester.request(kind), requester.creations()
        requester.server.gate.arm(at, step)
        act(creation)
        calls = requester.server.gate.calls
        if not requester.server.gate.disarm():
            require_one(requester, creation, settle(creation), counted)
            return calls
        require_one(requester, creation, settle(creation), counted)


def fails_or_succeeds(creation: Creation) -> None:
    """Ask once; an error says that the service is not available at the moment, in the shape of all problems."""
    status, headers, document = creation.send()
    if status != 201:
        assert (503, "application/problem+json") == (status, headers["content-type"]), document
        assert "retry-after" in headers
        assert "unavailable" == document["code"]


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request, tmp_path) -> str:
    if request.param == "postgresql":
        url = str(request.getfixturevalue("postgresql_url"))
        empty(url)
        return url
    url = f"sqlite:///{tmp_path / 'labels.db'}"
    upgrade(url, [CORE, SERVER])
    return url


@pytest.fixture
def requester(database, monkeypatch) -> Iterator[Requester]:
    with gated_server(database, monkeypatch) as server:
        account = server.accounts.create(f"requester-{id(server)}@example.com")
        yield Requester(server, account)


@pytest.mark.parametrize("kind", ["key", "unique_id"])
def test_a_client_that_is_cut_off_at_any_call_may_ask_again(requester, kind):
    calls = sweep(requester, kind, Step.PAUSE, Creation.send_and_hang_up)
    assert len(calls) >= CALLS_AT_LEAST
    assert ["COMMIT", ANSWER] == calls[-2:]


@pytest.mark.parametrize("kind", ["key", "unique_id"])
@pytest.mark.parametrize("step", [Step.LOST, Step.LOST_ANSWER], ids=lambda step: step.name.lower())
def test_whichever_call_fails_the_request_may_be_sent_again(requester, kind, step):
    assert len(sweep(requester, kind, step, fails_or_succeeds)) >= CALLS_AT_LEAST


@pytest.mark.parametrize("kind", ["key", "unique_id"])
def test_a_client_may_ask_again_while_its_first_request_still_runs(requester, kind):
    at, reached = 0, True
    while reached:
        at += 1
        creation, counted = requester.request(kind), requester.creations()
        requester.server.gate.arm(at, Step.PAUSE)
        with ThreadPoolExecutor(2) as pool:
            asking = [pool.submit(creation.send)]
            until(lambda asking=asking: requester.server.gate.reached.is_set() or asking[0].done())
            begun = requester.server.begun
            asking.append(pool.submit(creation.send))
            until(lambda begun=begun: requester.server.begun > begun)
            reached = requester.server.gate.disarm()
            found = [each.result(PATIENCE_S) for each in asking]
        task_id = settle(creation)
        for status, headers, document in found:
            if status == 409 and document["code"] == "idempotency_in_progress":
                assert "retry-after" in headers
            else:
                assert status in ((201,) if kind == "key" else (201, 409)), document
                assert task_id == document["external_id"]
        require_one(requester, creation, task_id, counted)
    assert at > CALLS_AT_LEAST


def test_a_repetition_says_that_it_is_one(requester):
    creation = requester.request("key")
    requester.server.gate.arm(0, Step.PAUSE)
    creation.send_and_hang_up()
    requester.server.gate.disarm()
    status, headers, _ = creation.send()
    assert (201, "true") == (status, headers["idempotency-replayed"])


# --- planted bugs: a check that cannot fail proves nothing ----------------------------------------------


def key_in_a_later_transaction(monkeypatch):
    """The answer is remembered after the task was committed."""

    def once(self, key, operation):
        before = self.read(lambda tx: event_rows.recall(tx.session, key.scope, key.key))
        if before is not None:
            return before.body, True
        answer = self.run(operation)

        def remember(tx):
            event_rows.reserve(tx.session, key.scope, key.key, key.fingerprint, tx.now_us)
            event_rows.remember(tx.session, key.scope, key.key, answer)

        self.run(remember)
        return answer, False

    monkeypatch.setattr(Engine, "once", once)


def charge_in_a_later_transaction(monkeypatch):
    """A creation is counted after it was committed."""
    take, once, late = quota.Quota.before_task_create, Engine.once, []

    @hookimpl
    def before_task_create(self, ctx, draft):
        late.append((self, ctx, draft))

    def once_and_charge(self, key, operation):
        late.clear()
        found = once(self, key, operation)
        for plugin, ctx, draft in late:
            self.run(
                lambda tx, plugin=plugin, ctx=ctx, draft=draft: take(
                    plugin, attrs.evolve(ctx, session=tx.session), draft
                )
            )
        return found

    monkeypatch.setattr(quota.Quota, "before_task_create", before_task_create)
    monkeypatch.setattr(Engine, "once", once_and_charge)


@pytest.mark.parametrize("bug", [key_in_a_later_transaction, charge_in_a_later_transaction])
def test_what_is_not_in_the_tasks_own_transaction_is_caught(bug, tmp_path, monkeypatch):
    url = f"sqlite:///{tmp_path / 'labels.db'}"
    upgrade(url, [CORE, SERVER])
    bug(monkeypatch)
    with gated_server(url, monkeypatch) as server, pytest.raises(AssertionError):
        sweep(Requester(server, server.accounts.create("me@example.com")), "key", Step.LOST, fails_or_succeeds)
