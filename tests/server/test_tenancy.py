"""Nobody reaches what belongs to another account, another mode or another kind of key: every route, generated."""

from __future__ import annotations

import json

import pytest
from falcon.testing import TestClient
from sqlalchemy import select

from support.accounts import PARAMS, house
from workersai_core import Worker
from workersai_core.store import Statement
from workersai_core.store.schema import CORE
from workersai_server.accounts import SERVER
from workersai_server.app import create_app
from workersai_server.openapi import OPERATIONS
from workersai_server.settings import Settings

NOT_DATA = {"last_used_at"}
BODIES = {
    "createTask": {"params": PARAMS},
    "createTasks": [{"params": PARAMS}],
    "replayCallbacks": {"since": "2020-01-01T00:00:00Z"},
    "submit": {"response": {"category": "big"}},
}
IDS = {
    "external_id": "task",
    "delivery_id": "delivery",
    "endpoint_id": "endpoint",
    "key_id": "key",
    "assignment_id": "assignment",
    "name": "type",
}


class Victim:
    """An account with one of everything, and the keys of others."""

    def __init__(self):
        self.home = home = house(free_requests="unlimited")
        engine, accounts = home.engine, home.accounts
        owner, stranger = accounts.create("owner@example.com"), accounts.create("stranger@example.com")
        worker, other = accounts.create_worker("Bora"), accounts.create_worker("Choi")
        hook = {"callback_url": "https://receiver.test/hook"}
        self.ids = {"type": "categorization"}
        for _ in range(2):
            task = home.create(owner.account_id, **hook)
            claim = engine.claim(Worker(id=worker.id))
            if "delivery" not in self.ids:
                engine.submit(claim.assignment.id, Worker(id=worker.id), {"category": "big"})
                engine.deliver()
                self.ids["delivery"] = engine.callbacks(task.external_id, account=owner.account_id)[0].id
            else:
                self.ids |= {"task": task.external_id, "assignment": claim.assignment.id}
        self.ids["endpoint"] = engine.endpoints(owner.account_id)[0].id
        self.ids["key"] = next(key.id for key in accounts.list_keys(owner.account_id) if key.mode == "live")
        self.keys = {
            "nobody": None,
            "unknown": "live_" + "0" * 38,
            "stranger": stranger.live_key,
            "other mode": owner.test_key,
            "worker": other.token,
        }
        self.client = TestClient(create_app(engine, Settings(db="sqlite://", rate_limit=None), accounts))
        self.tables = [table for schema in (CORE, SERVER) for table in schema.metadata.sorted_tables]

    def data(self):
        """Return every row, but for when a key was last used."""
        self.home.accounts.close()
        dump = {}
        for table in self.tables:
            columns = [column for column in table.columns if column.name not in NOT_DATA]
            rows = self.home.engine.read(lambda tx, chosen=columns: tx.session.all(Statement(select(*chosen))))
            dump[table.name] = sorted(rows, key=repr)
        return dump

    def ask(self, operation, who):
        path = operation.path
        for name, kind in IDS.items():
            path = path.replace(f"{{{name}}}", self.ids[kind])
        headers = {} if self.keys[who] is None else {"Authorization": f"Bearer {self.keys[who]}"}
        body = BODIES.get(operation.id)
        if body is not None:
            headers["Content-Type"] = "application/json"
        content = None if body is None else json.dumps(body)
        return self.client.simulate_request(operation.method.upper(), path, headers=headers, body=content)


@pytest.fixture(scope="module")
def victim():
    victim = Victim()
    yield victim
    victim.home.engine.close()


PRIVATE = [operation for operation in OPERATIONS if operation.who != "public"]
SINGLE = [operation for operation in PRIVATE if "{" in operation.path and operation.who == "requester"]
SHARED_BY_MODES = {"enableEndpoint"}
"""Both modes of an account share their endpoints."""


@pytest.mark.parametrize("operation", PRIVATE, ids=lambda each: each.id)
@pytest.mark.parametrize("who", ["nobody", "unknown"])
def test_without_a_valid_key_nothing_is_told_or_done(victim, operation, who):
    before = victim.data()
    answer = victim.ask(operation, who)
    assert (401, "unauthenticated") == (answer.status_code, answer.json["code"])
    assert "Bearer" == answer.headers["www-authenticate"]
    assert before == victim.data()


@pytest.mark.parametrize("operation", SINGLE, ids=lambda each: each.id)
@pytest.mark.parametrize("who", ["stranger", "other mode"])
def test_ids_of_another_account_or_mode_are_not_there(victim, operation, who):
    if who == "other mode" and operation.id in SHARED_BY_MODES:
        return
    before = victim.data()
    answer = victim.ask(operation, who)
    allowed = {403, 404} if operation.path.startswith("/v1/keys") else {404}
    assert answer.status_code in allowed
    assert before == victim.data()


@pytest.mark.parametrize("operation", [each for each in PRIVATE if each.who == "requester"], ids=lambda each: each.id)
def test_a_worker_token_is_no_api_key(victim, operation):
    before = victim.data()
    assert 401 == victim.ask(operation, "worker").status_code
    assert before == victim.data()


@pytest.mark.parametrize("operation", [each for each in PRIVATE if each.who == "worker"], ids=lambda each: each.id)
@pytest.mark.parametrize("who", ["stranger", "other mode", "worker"])
def test_an_api_key_is_no_worker_and_workers_do_not_reach_each_others_work(victim, operation, who):
    if who == "worker" and "{" not in operation.path:
        return
    before = victim.data()
    answer = victim.ask(operation, who)
    assert (404 if who == "worker" else 401) == answer.status_code
    assert before == victim.data()


@pytest.mark.parametrize("operation", PRIVATE, ids=lambda each: each.id)
def test_lists_of_a_stranger_hold_nothing_of_the_owners(victim, operation):
    if operation.method != "get" or operation.who == "worker":
        return
    answer = victim.ask(operation, "stranger")
    hidden = {victim.ids[kind] for kind in ("task", "delivery", "endpoint", "key", "assignment")}
    told = answer.text if "{" not in operation.path else ""
    assert not [each for each in hidden if each in told]
