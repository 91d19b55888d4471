"""The tutorial's task type: short, lawful, and usable by the engine and the server."""

from __future__ import annotations

import subprocess
import sys

from support.documented import EXAMPLES
from workersai_client import Client, WorkerClient
from workersai_core import Worker
from workersai_core.testing import memory_engine

FOLDER = EXAMPLES / "first_task_type"
FILE = FOLDER / "price_tag.py"
PARAMS = {"photo": "https://shop.example.com/tags/17.jpg", "currency": "KRW"}


def test_it_is_short():
    assert 45 >= len(FILE.read_text(encoding="utf-8").splitlines())


def test_its_own_tests_pass():
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:randomly", str(FOLDER)],
        cwd=FOLDER,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "test_the_price_crossed_out_is_the_higher_one" not in ran.stdout
    assert " passed" in ran.stdout


def test_the_engine_takes_it():
    with memory_engine(plugin_files=[FILE], entry_points="none") as engine:
        task = engine.create_task(account="acme", task_type="price_tag", params=PARAMS)
        ann = Worker(id="ann")
        claim = engine.claim(ann)
        engine.submit(claim.assignment.id, ann, {"price": 4900})
        done = engine.get_task(task.external_id, account="acme")
    assert ("completed", {"price": 4900}) == (done.status, done.response)


def test_the_server_takes_it(service):
    with (
        Client(service.url, service.ready.live_key) as client,
        WorkerClient(service.url, service.ready.tokens[0]) as worker,
    ):
        task = client.tasks.create(task_type="price_tag", params=PARAMS)
        claim = worker.claim(task_types=["price_tag"])
        assert {"integer"} == {rule["type"] for rule in claim["response_schema"]["properties"].values()}
        worker.submit(claim["assignment_id"], {"price": 4900, "before": 9900})
        done = client.tasks.wait(task["external_id"])
    assert {"price": 4900, "before": 9900} == done["response"]
