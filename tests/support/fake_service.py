"""A service that answers from a script, for clients: no sockets."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import attrs
import pytest
import requests
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict


@attrs.define
class FakeAdapter(BaseAdapter):
    """Answers each request with the next entry of `answers` and keeps the request."""

    answers: list[requests.Response | Exception]
    requests: list[requests.PreparedRequest] = attrs.field(factory=list)

    def __attrs_pre_init__(self) -> None:
        super().__init__()

    def send(self, request: requests.PreparedRequest, **_: Any) -> requests.Response:
        self.requests.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        answer.request = request
        answer.url = request.url
        return answer

    def close(self) -> None:
        """Nothing is open."""


def answer(
    status: int = 200, body: Any = None, headers: Mapping[str, str] | None = None, *, text: str | None = None
) -> requests.Response:
    """Return an answer with a JSON body, or with `text` as it is."""
    response = requests.Response()
    response.status_code = status
    response.headers = CaseInsensitiveDict(headers or {})
    response._content = (json.dumps(body) if text is None else text).encode()
    return response


def problem(status: int, code: str, *, headers: Mapping[str, str] | None = None, **more: Any) -> requests.Response:
    """Return one of the service's problem documents."""
    return answer(status, {"status": status, "code": code, "detail": "It is so.", "request_id": "r1", **more}, headers)


def scripted(*answers: requests.Response | Exception) -> tuple[requests.Session, Sequence[requests.PreparedRequest]]:
    """Return a session that gets these answers in turn, and the list its requests are put in."""
    adapter = FakeAdapter(list(answers))
    session = requests.Session()
    session.mount("http://", adapter)
    return session, adapter.requests


def script_every_session(
    monkeypatch: pytest.MonkeyPatch, *answers: requests.Response | Exception
) -> Sequence[requests.PreparedRequest]:
    """Let every session of `requests` get these answers in turn, and return the list its requests are put in."""
    adapter = FakeAdapter(list(answers))
    monkeypatch.setattr(requests.Session, "get_adapter", lambda self, url: adapter)
    return adapter.requests


def body_of(request: requests.PreparedRequest, load: Callable[[bytes], Any] = json.loads) -> Any:
    """Return the parsed body of a request."""
    assert isinstance(request.body, bytes)
    return load(request.body)
