"""SIGTERM under load: what was begun is answered, what was answered is kept."""

from __future__ import annotations

import random
import sqlite3
import threading
import time
from contextlib import closing
from pathlib import Path

from support.catcher import always, catching
from support.crowd import categorization
from support.live_server import running_server
from support.ready_database import Ready, checked, prepare
from workersai_client import APIConnectionError, Client

CLIENTS = 8


class Creator:
    """Creates tasks until the service is gone, and never asks for one twice."""

    def __init__(self, ready: Ready, url: str, callback_url: str, number: int) -> None:
        self.acknowledged: list[str] = []
        self.asked: list[str] = []
        self.rng = random.Random(number)
        self.thread = threading.Thread(target=self._run, args=(ready, url, callback_url, number))

    def _run(self, ready: Ready, url: str, callback_url: str, number: int) -> None:
        with Client(url, ready.test_key, retries=0) as client:
            while True:
                key = f"{number}-{len(self.asked)}"
                self.asked.append(key)
                fields = {"params": categorization(self.rng), "metadata": {"key": key}, "callback_url": callback_url}
                try:
                    client.tasks.create(**fields)
                except APIConnectionError:
                    return
                self.acknowledged.append(key)


def test_every_request_that_was_begun_is_answered_and_kept(tmp_path: Path) -> None:
    ready = prepare(tmp_path)
    with (
        catching(ready.webhook_secret, always, always) as (_, urls),
        running_server(ready.database, allow_callback_networks="127.0.0.0/8") as server,
    ):
        creators = [Creator(ready, server.url, urls[n % 2], n) for n in range(CLIENTS)]
        for creator in creators:
            creator.thread.start()
        time.sleep(1.5)
        assert server.stop() == 0
        for creator in creators:
            creator.thread.join()
        assert server.said == []
    with closing(sqlite3.connect(f"file:{ready.database}?mode=ro", uri=True)) as connection:
        kept = [row[0] for row in connection.execute("SELECT metadata ->> 'key' FROM wai_task")]
        [held] = connection.execute("SELECT count(*) FROM wai_delivery WHERE lease IS NOT NULL").fetchone()
        [delivered] = connection.execute("SELECT count(*) FROM wai_delivery WHERE state = 'delivered'").fetchone()
    acknowledged = [key for creator in creators for key in creator.acknowledged]
    # Nothing acknowledged is lost; and nothing was done whose answer was cut off.
    assert sorted(acknowledged) == sorted(kept)
    assert len(acknowledged) > 10 * CLIENTS
    assert all(len(creator.asked) == len(creator.acknowledged) + 1 for creator in creators)
    # Deliveries that ran were settled, and the waiting ones wait for nobody's lease.
    assert held == 0
    assert delivered > 0
    assert [] == checked(ready)
