"""The example receiver: real callbacks of a real server, verified and each kept once."""

from __future__ import annotations

import subprocess
import sys
import time

import requests

from support.documented import EXAMPLES
from support.live_server import PATIENCE_S, clean_environment, running_server
from support.ready_database import prepare
from support.waiting import until
from workersai_client import Client
from workersai_server.serving import free_address


def reached(url):
    try:
        return requests.get(url, timeout=5).ok
    except requests.ConnectionError:
        time.sleep(0.05)
        return False


def test_the_receiver_keeps_each_genuine_callback_once(tmp_path):
    folder = tmp_path / "service"
    folder.mkdir()
    ready = prepare(folder)
    host, port = free_address("127.0.0.1", 0)
    address = f"http://{host}:{port}/labels"
    app = str(EXAMPLES / "receive_callbacks" / "receiver.py")
    receiver = subprocess.Popen(
        [sys.executable, "-m", "flask", "--app", app, "run", "--host", host, "--port", str(port)],
        cwd=tmp_path,
        env=clean_environment() | {"WEBHOOK_SECRET": ready.webhook_secret},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        until(lambda: reached(address), PATIENCE_S)
        with (
            running_server(ready.database, allow_callback_networks="127.0.0.0/8") as server,
            Client(server.url, ready.test_key) as client,
        ):
            task = client.tasks.create(
                params={"attachment_type": "text", "attachment": "Nice", "categories": ["praise", "complaint"]},
                metadata={"mock": {"response": {"category": "praise"}}},
                callback_url=address,
            )
            [delivery] = until(lambda: delivered(client, task["external_id"]))
            client.callbacks.replay(delivery["id"])
            until(lambda: len(client.callbacks.list(task["external_id"])[0]["attempts"]) == 2)
        expected = [[delivery["id"], task["external_id"], "{'category': 'praise'}"]]
        assert expected == requests.get(address, timeout=PATIENCE_S).json()
        forged = requests.post(address, json={"external_id": "x", "response": {}}, timeout=PATIENCE_S)
        assert 401 == forged.status_code
        assert expected == requests.get(address, timeout=PATIENCE_S).json()
    finally:
        receiver.terminate()
        receiver.wait(PATIENCE_S)


def delivered(client, external_id):
    return [each for each in client.callbacks.list(external_id) if each["state"] == "delivered"]
