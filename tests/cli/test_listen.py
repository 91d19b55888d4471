"""`workersai listen` as a process, with signed deliveries over HTTP."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime

import pytest
import requests
from click.testing import CliRunner

from support.live_server import clean_environment
from support.receivers import OK, Receiver, answers
from workersai_core.callbacks.signing import new_secret, sign
from workersai_server.cli import cli

SECRET = new_secret()
BODY = json.dumps({"external_id": "t1", "response": {"category": "좋음"}}).encode()
PATIENCE_S = 20


class Listening:
    """A running `workersai listen`."""

    def __init__(self, *options):
        self.process = subprocess.Popen(
            [sys.executable, "-m", "workersai_server.cli", "listen", "--port", "0", *options],
            env=clean_environment(webhook_secret=SECRET) | {"PYTHONUNBUFFERED": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        word, self.url = self.process.stderr.readline().split()
        assert "ready" == word

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate(timeout=PATIENCE_S)

    def deliver(self, body=BODY, signed=BODY, secret=SECRET):
        headers = sign([secret], "m1", datetime.now(UTC), signed)
        return requests.post(self.url, data=body, headers=headers, timeout=PATIENCE_S).status_code

    def end(self):
        """Interrupt it, and return its exit code and what it printed."""
        self.process.terminate()
        printed, said = self.process.communicate(timeout=PATIENCE_S)
        assert "" == said
        return self.process.returncode, printed


def test_good_deliveries_are_printed_and_answered_200_and_bad_ones_401():
    with Listening("--json") as listening:
        assert 200 == listening.deliver()
        assert 401 == listening.deliver(body=BODY + b" ")
        assert 401 == listening.deliver(secret=new_secret())
        assert 401 == requests.post(listening.url, data=BODY, timeout=PATIENCE_S).status_code
        assert 400 == listening.deliver(body=b"x", signed=b"x")
        code, printed = listening.end()
    assert 0 == code
    lines = [json.loads(line) for line in printed.splitlines()]
    assert {
        "webhook_id": "m1",
        "verified": True,
        "answered": 200,
        "error": None,
        "body": json.loads(BODY),
    } == lines[0]
    assert [("m1", False, 401), ("m1", False, 401), (None, False, 401), ("m1", False, 400)] == [
        (line["webhook_id"], line["verified"], line["answered"]) for line in lines[1:]
    ]


def test_people_see_the_body():
    with Listening() as listening:
        listening.deliver()
        assert f"m1  200\n{json.dumps(json.loads(BODY), ensure_ascii=False, indent=2)}\n" == listening.end()[1]


def test_good_deliveries_are_sent_on_and_their_answer_is_given_back():
    refusal = b"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n"
    with Receiver(answers(OK), answers(refusal)) as receiver, Listening("--forward", receiver.url()) as listening:
        assert 200 == listening.deliver()
        assert 503 == listening.deliver()
        assert 401 == listening.deliver(secret=new_secret())
        assert 2 == len(receiver.requests)
        head, _, body = receiver.requests[0].partition(b"\r\n\r\n")
        assert BODY == body
        assert b"webhook-signature: v1," in head.lower()


def test_a_service_that_does_not_answer_is_a_bad_gateway():
    with Receiver(answers(OK)) as receiver:
        gone = receiver.url()
    with Listening("--forward", gone) as listening:
        assert 502 == listening.deliver()


@pytest.mark.parametrize("secret", [None, "", "whsec_", "x"])
def test_without_a_secret_it_does_not_start(secret):
    result = CliRunner().invoke(cli, ["listen", "--port", "0"], env={"WORKERSAI_WEBHOOK_SECRET": secret})
    assert 2 == result.exit_code
    assert "WORKERSAI_WEBHOOK_SECRET" in result.stderr.splitlines()[-1]
