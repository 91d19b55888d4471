"""The engine inside a Flask, a Django and a FastAPI service, each as a real process."""

from __future__ import annotations

import json
import subprocess
import sys
import time

import pytest
import requests

from support.documented import EXAMPLES
from support.live_server import PATIENCE_S, clean_environment, workersai
from support.waiting import until
from workersai_client import WorkerClient
from workersai_server.serving import free_address

SERVED = {
    "flask": ["granian", "--interface", "wsgi", "--factory", "shop:create_app"],
    "django": ["granian", "--interface", "wsgi", "shop.wsgi:application"],
    "fastapi": ["uvicorn", "--factory", "shop:create_app"],
}


class Shop:
    """One of the example services, running."""

    def __init__(self, kind, folder):
        self.database = folder / "shop.db"
        self.url = f"sqlite:///{self.database}"
        self.folder = folder
        host, port = free_address("127.0.0.1", 0)
        self.address = f"http://{host}:{port}"
        example = EXAMPLES / f"embed_{kind}"
        database = str(self.database) if kind == "django" else self.url
        environment = clean_environment() | {"SHOP_DATABASE": database}
        if kind == "django":
            migrate = [sys.executable, "manage.py", "migrate", "--run-syncdb", "--verbosity", "0"]
            subprocess.run(migrate, cwd=example, env=environment, check=True)
        self.process = subprocess.Popen(
            [sys.executable, "-m", *SERVED[kind], "--host", host, "--port", str(port)],
            cwd=example,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def answers(self):
        if self.process.poll() is not None:
            raise AssertionError(f"the service ended: {self.process.stdout.read()}")
        try:
            return requests.get(f"{self.address}/reviews", timeout=5).ok
        except requests.ConnectionError:
            time.sleep(0.05)
            return False

    def write(self, text):
        return requests.post(f"{self.address}/reviews", json={"text": text}, timeout=30)

    def reviews(self):
        return requests.get(f"{self.address}/reviews", timeout=30).json()

    def command(self, *arguments):
        done = workersai(*arguments, "--db", self.url, "--json", cwd=self.folder)
        assert 0 == done.returncode, done.stderr
        return json.loads(done.stdout)

    def stop(self):
        self.process.terminate()
        said, _ = self.process.communicate(timeout=PATIENCE_S)
        sys.stdout.write(said)  # pytest shows it beside a failure


@pytest.fixture(params=SERVED)
def shop(request, tmp_path):
    running = Shop(request.param, tmp_path)
    try:
        until(running.answers, PATIENCE_S)
        yield running
    finally:
        running.stop()


def test_a_service_stores_a_task_with_its_own_rows_and_hears_of_the_result(shop):
    written = shop.write("배송이 정말 빨라요!")
    assert 201 == written.status_code, written.text
    external_id = written.json()["task"]
    assert [{"id": 1, "text": "배송이 정말 빨라요!", "task": external_id, "kind": None}] == shop.reviews()

    refused = shop.write("something forbidden")
    assert 422 == refused.status_code
    assert 1 == len(shop.reviews())

    token = shop.command("workers", "create", "Kim Minji")["token"]
    with WorkerClient(f"{shop.address}/labeling", token) as worker:
        claim = worker.claim()
        assert external_id == claim["task"]["external_id"]
        assert "completed" == worker.submit(claim["assignment_id"], {"category": "praise"})["task_status"]
        assert worker.claim() is None, "the task of the refused review was stored"
    until(lambda: shop.reviews()[0]["kind"] == "praise")
    assert {"ok": True, "violations": []} == shop.command("check")


def test_the_mounted_api_answers_for_itself(shop):
    answer = requests.get(f"{shop.address}/labeling/v1/tasks", timeout=30)
    assert (401, "unauthenticated") == (answer.status_code, answer.json()["code"])
    made = shop.command("accounts", "create", "requester@example.com")
    listed = requests.get(f"{shop.address}/labeling/v1/tasks", auth=(made["test_key"], ""), timeout=30)
    assert [] == listed.json()
