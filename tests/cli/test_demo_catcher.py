from __future__ import annotations

import base64
import json
import threading
import time
from datetime import UTC, datetime
from typing import Any

import requests
from standardwebhooks import Webhook

from workersai_server.cli.demo.catcher import Catcher, Received

SECRET = "whsec_" + base64.b64encode(b"s" * 32).decode()
OTHER = "whsec_" + base64.b64encode(b"o" * 32).decode()


def send(url: str, external_id: str, *, secret: str = SECRET) -> int:
    payload = json.dumps({"external_id": external_id, "response": {"category": "좋음"}})
    at = int(time.time())
    headers = {
        "webhook-id": "evt_1",
        "webhook-timestamp": str(at),
        "webhook-signature": Webhook(secret).sign("evt_1", datetime.fromtimestamp(at, UTC), payload),
    }
    return requests.post(url, data=payload.encode(), headers=headers, timeout=10).status_code


def test_a_signed_callback_is_accepted_and_waited_for() -> None:
    heard: list[Received] = []
    with Catcher(SECRET, heard.append) as catcher:
        sender = threading.Thread(target=send, args=(catcher.url, "t1"))
        sender.start()
        received = catcher.wait_for("t1", timeout_s=10)
        sender.join(10)
    assert received == Received(
        external_id="t1",
        webhook_id="evt_1",
        verified=True,
        answered=200,
        body={"external_id": "t1", "response": {"category": "좋음"}},
    )
    assert heard == [received]


def test_the_first_callback_of_a_task_is_refused_when_asked_for() -> None:
    with Catcher(SECRET, lambda _: None) as catcher:
        catcher.refuse_once("t1")
        assert [send(catcher.url, each) for each in ("t2", "t1", "t1")] == [200, 500, 200]


def test_a_callback_signed_by_somebody_else_is_turned_away() -> None:
    heard: list[Any] = []
    with Catcher(SECRET, heard.append) as catcher:
        assert send(catcher.url, "t1", secret=OTHER) == 401
        assert requests.post(catcher.url, data=b"not json", timeout=10).status_code == 401
        assert catcher.wait_for("t1", timeout_s=0) is None
    assert [each.verified for each in heard] == [False, False]
