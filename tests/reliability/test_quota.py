from __future__ import annotations

import threading
from collections import Counter
from pathlib import Path

import requests

from support.live_server import running_server
from support.ready_database import checked, prepare

PARAMS = {"attachment_type": "text", "attachment": "x", "categories": ["a", "b"]}
CLIENTS = 50
PATIENCE_S = 30


def test_fifty_creations_at_once_with_five_left_give_exactly_five(tmp_path: Path) -> None:
    ready = prepare(tmp_path, unlimited=False)
    answers: list[requests.Response] = []
    together = threading.Barrier(CLIENTS)

    def create(url: str) -> None:
        together.wait(PATIENCE_S)
        answers.append(
            requests.post(
                f"{url}/v1/tasks", params={"api_key": ready.live_key}, json={"params": PARAMS}, timeout=PATIENCE_S
            )
        )

    with running_server(ready.database) as server:
        clients = [threading.Thread(target=create, args=(server.url,)) for _ in range(CLIENTS)]
        for client in clients:
            client.start()
        for client in clients:
            client.join(PATIENCE_S)
        listed = requests.get(f"{server.url}/v1/tasks", params={"api_key": ready.live_key}, timeout=PATIENCE_S).json()
    assert Counter({201: 5, 402: 45}) == Counter(answer.status_code for answer in answers)
    created = [answer for answer in answers if answer.status_code == 201]
    assert ["0", "1", "2", "3", "4"] == sorted(answer.headers["X-Free-Requests-Remaining"] for answer in created)
    assert {task["external_id"] for task in listed} == {answer.json()["external_id"] for answer in created}
    refused = [answer.json()["code"] for answer in answers if answer.status_code == 402]
    assert ["free_requests_exhausted"] * 45 == refused
    assert [] == checked(ready)
