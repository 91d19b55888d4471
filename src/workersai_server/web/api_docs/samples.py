"""Code samples of each operation: curl, Ruby with HTTParty, Python. A test runs every one.

Names in capitals stand for what the reader has: ``API_KEY``, ``WORKER_TOKEN``,
``TASK_ID``, ``DELIVERY_ID``, ``ENDPOINT_ID``, ``KEY_ID``, ``ASSIGNMENT_ID``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import attrs

from workersai_server.openapi import Operation

__all__ = ["Samples", "samples_of"]

_PLACES = {
    "external_id": "TASK_ID",
    "delivery_id": "DELIVERY_ID",
    "endpoint_id": "ENDPOINT_ID",
    "key_id": "KEY_ID",
    "assignment_id": "ASSIGNMENT_ID",
    "name": "categorization",
}
_TASK: Mapping[str, Any] = {
    "task_type": "categorization",
    "instruction": "Is this dog big or small?",
    "params": {
        "attachment_type": "image",
        "attachment": "https://example.com/dog1.jpg",
        "categories": ["big", "small"],
    },
    "callback_url": "https://example.com/callback",
}
_BODIES: Mapping[str, Any] = {
    "createTask": _TASK,
    "createTasks": [_TASK, {**_TASK, "unique_id": "dog-2"}],
    "replayCallbacks": {"since": "2026-01-01T00:00:00Z"},
    "rollKey": {"overlap_s": 86_400},
    "rollWebhookSecret": {"overlap_s": 86_400},
    "claim": {"task_types": ["categorization"]},
    "submit": {"response": {"category": "big"}},
    "renew": {"lease_s": 900},
    "skip": {"reason": "The picture is black."},
}
_QUERIES: Mapping[str, Mapping[str, str]] = {
    "listTasks": {"status": "completed", "limit": "50"},
    "exportTasks": {"format": "jsonl"},
}
_PYTHON: Mapping[str, str] = {
    "createTask": "task = client.tasks.create(**{body})\nprint(task['external_id'])",
    "listTasks": "for task in client.tasks.list(status='completed'):\n    print(task['external_id'], task['response'])",
    "getTask": "print(client.tasks.get('TASK_ID')['response'])",
    "cancelTask": "client.tasks.cancel('TASK_ID')",
    "createTasks": "for result in client.tasks.create_batch({body}):\n    print(result['line'], result['status'])",
    "listTaskEvents": "print(client.tasks.events('TASK_ID'))",
    "listTaskTypes": "print([each['name'] for each in client.task_types()])",
    "getTaskType": "print(client.task_type('categorization')['params_schema'])",
    "listTaskCallbacks": "print(client.callbacks.list('TASK_ID'))",
    "replayCallback": "print(client.callbacks.replay('DELIVERY_ID'))",
    "replayCallbacks": "print(client.callbacks.replay_since('2026-01-01T00:00:00Z'))",
    "claim": "claim = worker.claim(task_types=['categorization'])\nprint(claim and claim['task']['params'])",
    "listAssignments": "print(worker.assignments())",
    "submit": "worker.submit('ASSIGNMENT_ID', {response})",
    "renew": "worker.renew('ASSIGNMENT_ID', lease_s=900)",
    "skip": "worker.skip('ASSIGNMENT_ID', reason='The picture is black.')",
    "release": "worker.release('ASSIGNMENT_ID')",
}


@attrs.frozen(kw_only=True)
class Samples:
    """One operation in three languages."""

    curl: str
    ruby: str
    python: str


def samples_of(operation: Operation, url: str) -> Samples:
    """Return the samples of an operation.

    Args:
        operation: Which.
        url: Where the API is.
    """
    return Samples(curl=_curl(operation, url), ruby=_ruby(operation, url), python=_python(operation, url))


def _address(operation: Operation, url: str) -> str:
    path = operation.path
    for name, value in _PLACES.items():
        path = path.replace(f"{{{name}}}", value)
    query = "&".join(f"{name}={quote(value)}" for name, value in _QUERIES.get(operation.id, {}).items())
    return f"{url}{path}" + (f"?{query}" if query else "")


def _secret(operation: Operation) -> str | None:
    if operation.who == "public":
        return None
    return "WORKER_TOKEN" if operation.who == "worker" else "API_KEY"


def _curl(operation: Operation, url: str) -> str:
    lines = [f"curl {'-X POST ' if operation.method == 'post' else ''}'{_address(operation, url)}'"]
    secret = _secret(operation)
    if secret:
        lines.append(f"-H 'Authorization: Bearer {secret}'")
    if operation.id in _BODIES:
        body = json.dumps(_BODIES[operation.id], ensure_ascii=False)
        lines += ["-H 'Content-Type: application/json'", f"-d '{body}'"]
    return " \\\n  ".join(lines)


def _ruby(operation: Operation, url: str) -> str:
    options = []
    secret = _secret(operation)
    headers = [f"'Authorization' => 'Bearer {secret}'"] if secret else []
    if operation.id in _BODIES:
        headers.append("'Content-Type' => 'application/json'")
        options.append(f"body: {_ruby_value(_BODIES[operation.id])}.to_json")
    if headers:
        options.insert(0, f"headers: {{ {', '.join(headers)} }}")
    call = ",\n  ".join([f"HTTParty.{operation.method}('{_address(operation, url)}'", *options])
    return f"require 'httparty'\nrequire 'json'\n\nanswer = {call})\nputs answer.body"


def _ruby_value(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{name}: {_ruby_value(member)}" for name, member in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(_ruby_value, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def _python(operation: Operation, url: str) -> str:
    call = _PYTHON.get(operation.id)
    if call is None:
        return _python_requests(operation, url)
    body = _BODIES.get(operation.id)
    call = call.replace("{body}", repr(body))
    if operation.id == "submit":
        call = call.replace("{response}", repr(_BODIES["submit"]["response"]))
    if operation.who == "worker":
        opened = f"from workersai_client import WorkerClient\n\nworker = WorkerClient('{url}', 'WORKER_TOKEN')"
    else:
        opened = f"from workersai_client import Client\n\nclient = Client('{url}', 'API_KEY')"
    return f"{opened}\n{call}"


def _python_requests(operation: Operation, url: str) -> str:
    arguments = [f"'{_address(operation, url)}'"]
    secret = _secret(operation)
    if secret:
        arguments.append(f"headers={{'Authorization': 'Bearer {secret}'}}")
    if operation.id in _BODIES:
        arguments.append(f"json={_BODIES[operation.id]!r}")
    call = ",\n    ".join(arguments)
    return (
        f"import requests\n\nanswer = requests.{operation.method}(\n    {call},\n    timeout=30,\n)\nprint(answer.text)"
    )
