from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import requests

from support.live_server import clean_environment, workersai

PATIENCE_S = 30


def test_the_script_does_the_whole_job_and_says_each_step(tmp_path: Path) -> None:
    done = workersai("demo", "--script", "--json", cwd=tmp_path)
    assert (done.stderr, done.returncode) == ("", 0)
    steps = [json.loads(line) for line in done.stdout.splitlines()]
    assert steps[-1]["ok"] is True
    assert steps[-1]["tasks"] == 4
    assert [step["step"] for step in steps[:-1]].count("created") == 4
    assert [(step["mode"], step["task_type"]) for step in steps if step.get("step") == "created"] == [
        ("live", "categorization"),
        ("live", "audio_transcription"),
        ("test", "categorization"),
        ("test", "audio_transcription"),
    ]
    callbacks = [step for step in steps if step.get("step") == "callback"]
    assert all(callback["verified"] for callback in callbacks)
    assert sorted(callback["answered"] for callback in callbacks) == [200, 200, 200, 200, 500]
    (retried,) = [step for step in steps if step.get("step") == "retried"]
    assert retried["attempts"] == [500, 200]
    assert {step["external_id"] for step in steps if step.get("step") == "completed"} == {
        step["external_id"] for step in steps if step.get("step") == "created"
    }


def test_the_script_tells_people_the_same(tmp_path: Path) -> None:
    done = workersai("demo", "--script", cwd=tmp_path, db="sqlite:///elsewhere.db", callback_schedule="0")
    assert done.returncode == 0
    assert done.stdout.splitlines()[-1].startswith("All four tasks were labeled")
    assert sorted(path.name for path in tmp_path.iterdir()) == [".workersai-demo"]


def test_a_port_in_use_is_said_with_the_remedy(tmp_path: Path) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = workersai("demo", "--script", "--json", "--port", str(taken.getsockname()[1]), cwd=tmp_path)
    assert done.returncode == 1
    assert json.loads(done.stdout.splitlines()[0])["ok"] is False
    assert "Cannot listen" in done.stderr


def test_without_the_script_it_runs_until_interrupted_with_keys_that_work(tmp_path: Path) -> None:
    keys = []
    for _ in range(2):
        process = subprocess.Popen(
            [sys.executable, "-m", "workersai_server.cli", "demo", "--port", "0", "--json"],
            cwd=tmp_path,
            env=clean_environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            assert process.stdout is not None
            text = ""
            while not text.endswith("\n}\n"):
                line = process.stdout.readline()
                assert line, process.communicate()
                text += line
            facts = json.loads(text)
            answer = requests.get(
                f"{facts['url']}/v1/tasks", headers={"X-API-Key": facts["live_key"]}, timeout=PATIENCE_S
            )
            types = requests.get(
                f"{facts['url']}/v1/task_types", headers={"X-API-Key": facts["live_key"]}, timeout=PATIENCE_S
            )
            assert {each["name"] for each in types.json()} == {task["task_type"] for task in answer.json()}
            shown = {task["params"].get("attachment", "") for task in answer.json()}
            media = [requests.get(each, timeout=PATIENCE_S) for each in shown if each.startswith("http://127.0.0.1")]
            assert {"audio/wav", "image/svg+xml"} == {each.headers["Content-Type"] for each in media if each.ok}
            assert requests.get(facts["console"], timeout=PATIENCE_S).ok
            keys.append(facts["test_key"])
            process.send_signal(signal.SIGINT)
            assert process.wait(PATIENCE_S) == 0
        finally:
            process.kill()
            process.communicate()
    assert keys[0] == keys[1]
