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
from typing import Any

import pytest
from standardwebhooks import Webhook

from support.catcher import catching, parsed, refusing_first
from support.hostile import HOSTILE
from support.live_server import running_server
from support.ready_database import prepare
from support.receivers import OK, Call, Receiver, answers, says_nothing, self_signed, server_tls
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


DEADLINE_S = 3
BLACK_HOLES = 50 - len(HOSTILE)


def test_a_hostile_receiver_is_cut_short_and_delays_nobody_else(tmp_path: Path) -> None:
    ready = prepare(tmp_path)
    hostile = {name: Receiver(kind.behaviour) for name, kind in HOSTILE.items()}
    tls = Receiver(answers(OK), tls=server_tls(*self_signed(tmp_path)))
    black_holes = [Receiver(says_nothing) for _ in range(BLACK_HOLES)]
    late_s: list[float] = []

    def accept(call: Call) -> None:
        while request := call.request():
            completed_at = datetime.fromisoformat(json.loads(parsed(request)[1])["completed_at"])
            late_s.append(time.time() - completed_at.timestamp())
            call.send(OK)

    settings = {"callback_deadline_s": str(DEADLINE_S), "callback_schedule": "0,3600"}
    healthy = Receiver(accept)
    with (
        running_all([healthy, tls, *hostile.values(), *black_holes]),
        running_server(ready.database, allow_callback_networks=LOOPBACK, **settings) as server,
        Client(server.url, ready.test_key) as client,
    ):

        def create(url: str) -> str:
            task: dict[str, str] = client.tasks.create(params=PARAMS, callback_url=url)
            return task["external_id"]

        for receiver in black_holes:
            create(receiver.url())
        tasks = {
            name: (create(hostile[name].url().replace("http:", f"{kind.scheme}:")), kind.status)
            for name, kind in HOSTILE.items()
        }
        tasks["has a certificate of nobody"] = (create(tls.url("localhost")), None)
        for _ in range(60):
            create(healthy.url())
            time.sleep(0.02)
        until(lambda: len(late_s) == 60)
        for name, (task, status) in tasks.items():
            [delivery] = until(lambda task=task: tried(client, task), PATIENCE_S * 2)
            [attempt] = delivery["attempts"]
            assert (name, status) == (name, attempt["status"]), attempt
            assert attempt["latency_ms"] <= (DEADLINE_S + 1) * 1000, (name, attempt)
            assert len((attempt["answer"] or "").encode()) <= 64 * 1024, name
            assert (status == 200) == (delivery["state"] == "delivered"), (name, delivery)
            assert (status == 410) == (delivery["state"] == "exhausted"), (name, delivery)
    assert sorted(late_s)[56] < 1.0  # the 95th of a hundred


def tried(client: Client, task: str) -> list[dict[str, Any]]:
    """Return a task's callbacks once each was tried."""
    found: list[dict[str, Any]] = client.callbacks.list(task)
    return found if found and all(delivery["attempts"] for delivery in found) else []


@contextmanager
def running_all(receivers: list[Receiver]) -> Iterator[None]:
    with ExitStack() as stack:
        for receiver in receivers:
            stack.enter_context(receiver)
        yield
