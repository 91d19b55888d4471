"""The documented Ruby client: real Ruby, real HTTParty, a real server and a real key.

What runs is what the page prints: the Ruby of docs/how-to/create-tasks.md.
"""

from __future__ import annotations

import json
import subprocess

import pytest

from support.live_server import running_server
from support.ready_database import prepare
from support.snippets import ROOT, blocks, program
from workersai_client import Client

PAGE = ROOT / "docs" / "how-to" / "create-tasks.md"
FIRST_KEYS = ["external_id", "task_type", "callback_url", "instruction", "params", "response"]
PARAMS = {"attachment_type": "image", "attachment": "https://dogs.example.com/dog1.jpg", "categories": ["big", "small"]}


def httparty_is_there() -> bool:
    """Return whether Ruby and HTTParty are installed."""
    if program("ruby") is None:
        return False
    return subprocess.run(["ruby", "-e", "require 'httparty'"], capture_output=True, check=False).returncode == 0


pytestmark = pytest.mark.skipif(
    not httparty_is_there(), reason="Ruby or HTTParty is missing; run: apt-get install ruby ruby-httparty"
)


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    ready = prepare(tmp_path_factory.mktemp("ruby"))
    with running_server(ready.database) as server:
        yield ready, server.url


@pytest.fixture(params=["live", "test"])
def key(request, service):
    ready, _ = service
    return ready.live_key if request.param == "live" else ready.test_key


@pytest.fixture
def client(service, key):
    with Client(service[1], key) as client:
        yield client


def snippet(marker: str) -> str:
    """Return the Ruby of the page that contains a text."""
    [found] = [
        each.code for each in blocks(PAGE.read_text(encoding="utf-8")) if each.kind == "ruby" and marker in each.code
    ]
    return found


def run(code: str, url: str, key: str, *, external_id: str = "", then: str = "") -> str:
    """Run Ruby with this service's address and key in the place of the page's, and return what it prints."""
    for placeholder, value in (
        ("http://127.0.0.1:8000", url),
        ("YOUR_TEST_KEY", key),
        ("EXTERNAL_ID", external_id),
    ):
        code = code.replace(placeholder, value)
    ran = subprocess.run(
        ["ruby", "-w", "-e", f"{code}\n{then}"], capture_output=True, text=True, timeout=60, check=False
    )
    assert 0 == ran.returncode, ran.stderr
    return ran.stdout


def test_ruby_lists_tasks(service, key, client):
    made = client.tasks.create(instruction="Is this dog big or small?", params=PARAMS)
    listed = json.loads(run(snippet("/v1/tasks?api_key="), service[1], key))
    assert made["external_id"] == listed[0]["external_id"]
    assert FIRST_KEYS == list(listed[0])[:6]
    assert PARAMS == listed[0]["params"]


def test_ruby_gets_a_task(service, key, client):
    made = client.tasks.create(params=PARAMS, instruction="이 강아지는 큰가요?")
    said = run(
        snippet("/v1/tasks/EXTERNAL_ID"),
        service[1],
        key,
        external_id=made["external_id"],
        then="puts task.parsed_response.to_json",
    )
    got = json.loads(said.splitlines()[-1])
    assert (made["external_id"], "이 강아지는 큰가요?", PARAMS) == (
        got["external_id"],
        got["instruction"],
        got["params"],
    )


def test_ruby_creates_a_task_with_a_form_body(service, key, client):
    said = run(snippet("HTTParty.post"), service[1], key, then="puts response.body")
    status, body = said.splitlines()
    made = json.loads(body)
    assert "201" == status
    assert FIRST_KEYS == list(made)[:6]
    stored = client.tasks.get(made["external_id"])
    assert {
        "attachment_type": "image",
        "attachment": "https://food.example.com/hotdog.jpg",
        "categories": ["hotdog", "not hotdog"],
        "allow_multiple": False,
    } == stored["params"]
    assert {"internal_task_id": "42"} == stored["metadata"]
    assert "Is this hotdog or not hotdog?" == stored["instruction"]


def test_ruby_is_told_what_is_wrong(service, key):
    code = snippet("HTTParty.post").replace("'image'", "'painting'")
    status, body = run(code, service[1], key, then="puts response.body").splitlines()
    assert "422" == status
    assert ["#/params/attachment_type"] == [error["pointer"] for error in json.loads(body)["errors"]]


def test_every_snippet_loads_what_it_needs():
    snippets = [each.code for each in blocks(PAGE.read_text(encoding="utf-8")) if each.kind == "ruby"]
    assert ["require 'httparty'"] * 3 == [code.splitlines()[0] for code in snippets]
