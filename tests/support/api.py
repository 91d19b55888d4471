"""The HTTP API on an engine in memory: who uses it, and how they ask."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import attrs
from falcon.testing import Result, TestClient

from support.accounts import House, house
from support.task_types import TestTypes
from workersai_core import Policy
from workersai_core.testing import complete
from workersai_server.accounts import NewAccount
from workersai_server.app import create_app
from workersai_server.settings import Settings

SECRET_KEY = "a secret key that only the tests know"
FORM = "application/x-www-form-urlencoded"
NDJSON = "application/x-ndjson"
HOST = "labels.test"
SIX = ["external_id", "task_type", "callback_url", "instruction", "params", "response"]
PROBLEM_KEYS = ["type", "title", "status", "detail", "code", "request_id", "errors"]


@attrs.define
class Api:
    """A client of the application; without a key given it asks with the account's live key."""

    house: House
    client: TestClient
    account: NewAccount

    @property
    def live(self) -> str:
        return self.account.live_key

    @property
    def test(self) -> str:
        return self.account.test_key

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        key: str | None = "",
        headers: Mapping[str, str] | None = None,
        query: str = "",
        **more: Any,
    ) -> Result:
        """Send a request.

        Args:
            method: Its method.
            path: Its path.
            body: A JSON value; text or bytes are sent as they are.
            key: ``""`` for the live key, None for none.
            headers: Further ones.
            query: Its query, encoded.
            **more: Arguments of `simulate_request`.
        """
        sent = {} if key is None else {"Authorization": f"Bearer {key or self.live}"}
        if body is not None and not isinstance(body, str | bytes):
            body = json.dumps(body, ensure_ascii=False)
            sent["Content-Type"] = "application/json"
        return self.client.simulate_request(
            method, path, body=body, headers={**sent, **(headers or {})}, query_string=query, host=HOST, **more
        )

    def get(self, path: str, **more: Any) -> Result:
        return self.ask("GET", path, **more)

    def post(self, path: str, body: Any = None, **more: Any) -> Result:
        return self.ask("POST", path, body, **more)

    def create(self, *, key: str = "", **fields: Any) -> dict[str, Any]:
        """Create a task that is right in every respect, and return it."""
        answer = self.post("/v1/tasks", right(**fields), key=key)
        assert answer.status_code == 201, answer.text
        task: dict[str, Any] = answer.json
        return task

    def complete(self, external_id: str, choice: str = "a") -> None:
        """Let a worker answer a live task."""
        task = self.house.engine.get_task(external_id, account=self.account.account_id)
        complete(self.house.engine, task, {"choice": choice})

    def worker(self, name: str = "Mina", skills: tuple[str, ...] = ()) -> str:
        """Make a worker and return its token."""
        return self.house.accounts.create_worker(name, skills).token


def right(**fields: Any) -> dict[str, Any]:
    """Return a create body that is right in every respect."""
    return {"task_type": "pick", "params": {"options": ["a", "b"]}, **fields}


def api(
    *, unlimited: bool = True, policy: Policy | None = None, plugins: Sequence[object] = (), **settings: Any
) -> Api:
    """Return the API under some settings, and an account.

    Args:
        unlimited: Whether the account may create any number of tasks.
        policy: The engine's; by default callbacks may go anywhere.
        plugins: Further ones.
        **settings: See `Settings`.
    """
    given = {"db": "sqlite://", "secret_key": SECRET_KEY, **settings}
    home = house(plugins=[TestTypes(), *plugins], policy=policy, **given)
    account = home.accounts.create("me@example.com", unlimited=unlimited)
    return Api(home, TestClient(create_app(home.engine, Settings(**given), home.accounts)), account)


def problem(answer: Result, status: int, code: str) -> dict[str, Any]:
    """Return the problem document of an answer, after checking its shape."""
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json"), answer.text
    document: dict[str, Any] = answer.json
    assert list(document)[: len(PROBLEM_KEYS)] == PROBLEM_KEYS
    assert (document["status"], document["code"]) == (status, code), document
    assert document["type"] == f"http://{HOST}/docs#error-{code}"
    assert document["request_id"] == answer.headers["x-request-id"]
    assert document["title"]
    assert document["detail"]
    for place in document["errors"]:
        assert list(place) == ["pointer", "code", "detail"]
        assert place["pointer"].startswith("#")
        assert place["detail"]
    return document


def pointers(document: Mapping[str, Any]) -> list[str]:
    """Return where a problem document says that something is wrong."""
    return [place["pointer"] for place in document["errors"]]
