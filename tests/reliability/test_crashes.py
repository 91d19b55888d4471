"""kill -9 at random moments under load: nothing that was acknowledged may be lost or done twice."""

from __future__ import annotations

import random
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest

from support.catcher import always, catching, flaky
from support.crowd import Crowd, Requester, Worker
from support.history import History, Kept, assignments_in, broken_promises, summary
from support.live_server import LiveServer, start_server
from support.ready_database import Ready, checked, prepare
from workersai_client import Client

LATE_OUTBOX = Path(__file__).parent.parent / "support" / "planted" / "late_outbox.py"
WORKERS = 4
PATIENCE_S = 90
SETTINGS = {
    "allow_callback_networks": "127.0.0.0/8",
    # Short steps, and more of them than a receiver can refuse by chance.
    "callback_schedule": ",".join(["0", "0.05", "0.1", "0.2", *["0.5"] * 100]),
    "callback_deadline_s": "2",
    "rate_limit": "unlimited",
}
OPEN_ENDS = """
    SELECT (SELECT count(*) FROM wai_delivery WHERE state = 'pending')
         + (SELECT count(*) FROM wai_task WHERE mode = 'test' AND status = 'pending')
"""


def crowd_of(ready: Ready, urls: list[str], rng: random.Random, history: History) -> Crowd:
    def chance() -> random.Random:
        return random.Random(rng.random())

    requesters = [
        Requester(
            name=f"live-{n}",
            key=ready.live_key,
            history=history,
            rng=chance(),
            fields={"callback_url": url},
            overlaps=(1, 1, 2, 3),
            cancels=0.1,
        )
        for n, url in enumerate(urls)
    ]
    tester = Requester(name="test", key=ready.test_key, history=history, rng=chance(), fields={"callback_url": urls[0]})
    workers = [Worker(token=token, history=history, rng=chance()) for token in ready.tokens]
    return Crowd([*requesters, tester], workers, history)


def crash(ready: Ready, crowd: Crowd, rng: random.Random, *options: str) -> None:
    """Run the service under load and kill it at a moment of its own."""
    server = start_server(ready.database, *options, **SETTINGS)
    crowd.start(server.url)
    time.sleep(rng.uniform(0.05, 0.8))
    server.kill()
    crowd.stop()
    note_errors(server, crowd.history)


def note_errors(server: LiveServer, history: History) -> None:
    """What the service itself calls an error is as surprising as one that a client meets."""
    history.surprises += [line for line in server.said if '"level":"error"' in line]


def settle(ready: Ready, crowd: Crowd, *options: str) -> Kept:
    """Run the service until nothing is owed any more, and return what it has kept."""
    server = start_server(ready.database, *options, **SETTINGS)
    try:
        crowd.finish(server.url)
        wait_until_quiet(ready.database)
        tasks = []
        for key in (ready.live_key, ready.test_key):
            with Client(server.url, key) as client:
                tasks += client.tasks.list(page_size=500)
        return Kept(tasks=tasks, assignments=assignments_in(ready.database))
    finally:
        server.kill()
        note_errors(server, crowd.history)


def wait_until_quiet(database: Path) -> None:
    """Wait until every callback is delivered and every test task has its answer."""
    give_up = time.monotonic() + PATIENCE_S
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        while left := connection.execute(OPEN_ENDS).fetchone()[0]:
            assert time.monotonic() < give_up, f"{left} callbacks or test tasks do not come to an end"
            time.sleep(0.1)


def survive(ready: Ready, crashes: int, rng: random.Random, *options: str) -> tuple[History, list[str]]:
    """Crash so many times and settle; return the history and every promise that was broken."""
    history = History()
    answers = (always, flaky(0.2, rng), flaky(0.5, rng))
    with catching(ready.webhook_secret, *answers) as (arrivals, urls):
        history.arrivals = arrivals
        crowd = crowd_of(ready, urls, rng, history)
        for _ in range(crashes):
            crash(ready, crowd, rng, *options)
        kept = settle(ready, crowd, *options)
        broken = broken_promises(history, kept)
    return history, broken + [f"check: {violation}" for violation in checked(ready)]


def assert_no_promise_is_broken(folder: Path, crashes: int, seed: int) -> None:
    history, broken = survive(prepare(folder, workers=WORKERS), crashes, random.Random(seed))
    print(summary(history, crashes))
    assert [] == broken
    # Else the load was none, and the test could not have failed.
    assert min(len(history.creations), len(history.answers), len(history.arrivals)) > 10 * crashes
    assert history.cancels


def test_nothing_acknowledged_is_lost_or_done_twice(tmp_path: Path) -> None:
    assert_no_promise_is_broken(tmp_path, crashes=10, seed=1)


@pytest.mark.stress
def test_nothing_is_lost_in_two_hundred_crashes(tmp_path: Path) -> None:
    assert_no_promise_is_broken(tmp_path, crashes=200, seed=2)


def test_a_callback_that_is_stored_after_the_answer_is_caught(tmp_path: Path) -> None:
    _, broken = survive(prepare(tmp_path, workers=WORKERS), 3, random.Random(3), "--plugin", str(LATE_OUTBOX))
    assert any(told.startswith("I9: the callback of task") for told in broken)
    assert any(told.startswith("check: {'invariant': 'I8'") for told in broken)
