"""Callbacks from the real server, checked by programs that share no code with it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path

import pytest
from standardwebhooks import Webhook

from support.catcher import catching, parsed, refusing_first
from support.live_server import running_server
from support.ready_database import prepare
from support.receivers import OK, Call, Receiver, answers, drips_its_headers, says_nothing
from support.waiting import until
from workersai_client import Client

PARAMS = {"attachment_type": "text", "attachment": '얼마나 큰가요? \u2028 "', "categories": ["크다", "작다"]}
LOOPBACK = "127.0.0.0/8"
PATIENCE_S = 20
IN_NODE = """
const crypto = require("crypto");
const {secret, headers, body} = JSON.parse(require("fs").readFileSync(0, "utf8"));
const key = Buffer.from(secret.replace(/^whsec_/, ""), "base64");
const signed = [headers["webhook-id"], headers["webhook-timestamp"], body].join(".");
console.log("v1," + crypto.createHmac("sha256", key).update(signed).digest("base64"));
"""


def signature_in_node(secret: str, headers: dict[str, str], body: bytes) -> str:
    """Return the signature as a receiver written in JavaScript makes it, from the specification alone."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("Node.js, the second opinion of this test, is not installed")
    told = json.dumps({"secret": secret, "headers": headers, "body": body.decode()})
    done = subprocess.run([node, "-e", IN_NODE], input=told, capture_output=True, text=True, timeout=60, check=True)
    return done.stdout.strip()


def test_a_refused_callback_comes_again_signed_under_one_id(tmp_path: Path) -> None:
    ready = prepare(tmp_path)
    with (
        catching(ready.webhook_secret, refusing_first(1)) as (arrivals, [url]),
        running_server(ready.database, allow_callback_networks=LOOPBACK, callback_schedule="0,0.5,1") as server,
        Client(server.url, ready.test_key) as client,
    ):
        metadata = {"order": 7, "이름": "값"}
        task = client.tasks.create(params=PARAMS, callback_url=url, metadata=metadata)
        until(lambda: len(arrivals) == 2)
        until(lambda: client.callbacks.list(task["external_id"])[0]["state"] == "delivered")
        [delivery] = client.callbacks.list(task["external_id"])
        completed = client.tasks.get(task["external_id"])
    assert [(500, True), (200, True)] == [(arrival.answered, arrival.verified) for arrival in arrivals]
    assert [delivery["id"]] * 2 == [arrival.webhook_id for arrival in arrivals]
    assert [(1, 500), (2, 200)] == [(attempt["n"], attempt["status"]) for attempt in delivery["attempts"]]
    assert arrivals[0].body == arrivals[1].body
    assert ["task_type", "external_id", "params", "response"] == list(arrivals[0].body)[:4]
    assert arrivals[0].body == {name: completed[name] for name in arrivals[0].body}
    assert (metadata, True) == (arrivals[0].body["metadata"], arrivals[0].body["is_test"])


def test_anyone_who_reads_the_specification_can_verify_a_callback(tmp_path: Path) -> None:
    ready = prepare(tmp_path)
    with (
        Receiver(answers(OK)) as receiver,
        running_server(ready.database, allow_callback_networks=LOOPBACK) as server,
        Client(server.url, ready.test_key) as client,
    ):
        client.tasks.create(params=PARAMS, callback_url=receiver.url())
        [request] = until(lambda: receiver.requests)
    headers, body = parsed(request)
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    key = base64.b64decode(ready.webhook_secret.removeprefix("whsec_"))
    expected = "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
    assert expected == headers["webhook-signature"]
    assert json.loads(body) == Webhook(ready.webhook_secret).verify(body, headers)
    assert expected == signature_in_node(ready.webhook_secret, headers, body)


def refuses(call: Call) -> None:
    while call.request():
        call.send(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n")


def resets(call: Call) -> None:
    call.request()
    call.reset()


def test_hostile_receivers_delay_nobody_else(tmp_path: Path) -> None:
    ready = prepare(tmp_path)
    hostile = [Receiver(behaviour) for behaviour in (says_nothing, drips_its_headers, refuses, resets) * 10]
    late_s: list[float] = []

    def accept(call: Call) -> None:
        while request := call.request():
            completed_at = datetime.fromisoformat(json.loads(parsed(request)[1])["completed_at"])
            late_s.append(time.time() - completed_at.timestamp())
            call.send(OK)

    healthy = Receiver(accept)
    with (
        running_all([healthy, *hostile]),
        running_server(ready.database, allow_callback_networks=LOOPBACK, callback_deadline_s="3") as server,
        Client(server.url, ready.test_key) as client,
    ):
        for receiver in hostile * 2:
            client.tasks.create(params=PARAMS, callback_url=receiver.url())
        for _ in range(60):
            client.tasks.create(params=PARAMS, callback_url=healthy.url())
            time.sleep(0.02)
        until(lambda: len(late_s) == 60)
        until(lambda: all(receiver.connections for receiver in hostile))
    assert sorted(late_s)[56] < 1.0  # the 95th of a hundred


@contextmanager
def running_all(receivers: list[Receiver]) -> Iterator[None]:
    with ExitStack() as stack:
        for receiver in receivers:
            stack.enter_context(receiver)
        yield
