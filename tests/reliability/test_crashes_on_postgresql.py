"""Processes and databases that die under load on PostgreSQL: the same promises as on SQLite."""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Callable, Iterator
from typing import Any

import psutil
import pytest
from sqlalchemy.engine import make_url

from reliability.test_crashes import OPEN_ENDS, PATIENCE_S, SETTINGS, crowd_of
from support.catcher import always, catching, flaky
from support.crowd import Crowd
from support.history import Assignment, History, Kept, broken_promises, summary
from support.live_server import LiveServer, start_dispatcher, start_server
from support.postgres import OwnServer, connect, own_server
from support.ready_database import Ready, checked, prepare
from support.waiting import until
from workersai_client import Client
from workersai_core.store.opening import upgrade
from workersai_core.store.schema import CORE
from workersai_server.accounts import SERVER

WORKERS = 4
SECRET = "0123456789abcdef" * 4
UNAVAILABLE = "(503 unavailable"


@pytest.fixture(scope="module")
def fragile_server() -> Iterator[OwnServer]:
    with own_server() as server:
        yield server


@pytest.fixture
def ready(fragile_server: OwnServer) -> Iterator[Ready]:
    name = f"crashes_{time.monotonic_ns()}"
    with connect(fragile_server.url) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    url = make_url(fragile_server.url).set(database=name).render_as_string(hide_password=False)
    upgrade(url, [CORE, SERVER])
    yield prepare(url, workers=WORKERS)
    with connect(fragile_server.url) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


class House:
    """Three processes that serve, one that only dispatches, and the crowd that uses them."""

    def __init__(self, ready: Ready, database_server: OwnServer, rng: random.Random, urls: list[str]) -> None:
        self.ready = ready
        self.database_server = database_server
        self.rng = rng
        self.history = History()
        self.crowd: Crowd = crowd_of(ready, urls, rng, self.history)
        self.expects_503 = False
        self.server = self._serve()
        self.dispatcher = self._dispatch()

    def _serve(self) -> LiveServer:
        return start_server(str(self.ready.database), "--workers", "3", secret_key=SECRET, **SETTINGS)

    def _dispatch(self) -> LiveServer:
        settings = {name: value for name, value in SETTINGS.items() if name != "rate_limit"}
        return start_dispatcher(str(self.ready.database), **settings)

    def members(self) -> list[psutil.Process]:
        return psutil.Process(self.server.process.pid).children()

    def under_load(self, accident: Callable[[House], None]) -> None:
        """Let the crowd work, have an accident at some moment, and stop the crowd."""
        self.crowd.start(self.server.url)
        time.sleep(self.rng.uniform(0.2, 0.8))
        accident(self)
        time.sleep(self.rng.uniform(0.0, 0.3))
        self.crowd.stop()
        if self.expects_503:
            surprises = self.history.surprises
            surprises[:] = [told for told in surprises if UNAVAILABLE not in told]

    def restart(self) -> None:
        self.server.kill()
        self.server = self._serve()

    def settle(self) -> Kept:
        """Let everything come to an end, and return what was kept."""
        self.crowd.finish(self.server.url)
        with connect(str(self.ready.database)) as connection:
            until(lambda: connection.execute(OPEN_ENDS).fetchone() == (0,), PATIENCE_S)
        return kept_in(self.ready, self.server.url)

    def close(self) -> None:
        self.server.kill()
        self.dispatcher.kill()


def kept_in(ready: Ready, url: str) -> Kept:
    """Return the tasks that a server lists, and the assignments of its database."""
    query = "SELECT id, task_id, worker_id, slot, state, response::json FROM wai_assignment"
    with connect(str(ready.database)) as connection:
        assignments = [Assignment(**dict(zip(_FIELDS, row, strict=True))) for row in connection.execute(query)]
    tasks: list[Any] = []
    for key in (ready.live_key, ready.test_key):
        with Client(url, key) as client:
            tasks += client.tasks.list(page_size=500)
    return Kept(tasks=tasks, assignments=assignments)


_FIELDS = ("id", "task_id", "worker_id", "slot", "state", "response")


# --- accidents -----------------------------------------------------------------------------------


def kill_one_process(house: House) -> None:
    house.rng.choice(house.members()).send_signal(signal.SIGKILL)


def kill_every_process(house: House) -> None:
    dead = house.members()
    house.server.kill()
    psutil.wait_procs(dead, timeout=PATIENCE_S)
    house.restart()


def kill_the_dispatcher(house: House) -> None:
    house.dispatcher.kill()
    house.dispatcher = house._dispatch()


def lose_every_connection(house: House) -> None:
    house.expects_503 = True  # for a commit whose outcome nobody knows
    with connect(str(house.ready.database)) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = 'workersai' AND datname = current_database()"
        )


def stop_the_database(house: House) -> None:
    house.expects_503 = True
    house.database_server.stop_now()
    time.sleep(house.rng.uniform(0.0, 0.5))
    house.database_server.start()


# --- the tests -----------------------------------------------------------------------------------


def survive(ready: Ready, server: OwnServer, seed: int, accidents: list[Callable[[House], None]]) -> None:
    rng = random.Random(seed)
    with catching(ready.webhook_secret, always, flaky(0.2, rng), flaky(0.5, rng)) as (arrivals, urls):
        house = House(ready, server, rng, urls)
        house.history.arrivals = arrivals
        try:
            for accident in accidents:
                house.under_load(accident)
            kept = house.settle()
        finally:
            house.close()
        broken = broken_promises(house.history, kept)
    print(summary(house.history, len(accidents)))
    assert [] == broken + [f"check: {violation}" for violation in checked(ready)]
    # Else the load was none, and the test could not have failed.
    assert min(len(house.history.creations), len(house.history.answers)) > 5 * len(accidents)


# Those first after which every request is answered or cut off, but not refused.
EACH_KIND = [kill_one_process, kill_the_dispatcher, kill_every_process, lose_every_connection, stop_the_database]


def test_nothing_acknowledged_is_lost_or_done_twice(ready: Ready, fragile_server: OwnServer) -> None:
    survive(ready, fragile_server, 1, EACH_KIND)


@pytest.mark.stress
def test_nothing_is_lost_in_two_hundred_accidents(ready: Ready, fragile_server: OwnServer) -> None:
    survive(ready, fragile_server, 2, random.Random(2).choices(EACH_KIND, k=200))
