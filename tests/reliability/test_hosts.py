"""Hosts whose cable is pulled under load: the others go on, and what was promised is kept."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import attrs
import pytest
from sqlalchemy.engine import make_url

from reliability.test_crashes import OPEN_ENDS, PATIENCE_S, SETTINGS, crowd_of
from reliability.test_crashes_on_postgresql import SECRET, UNAVAILABLE, kept_in
from support.catcher import always, catching, flaky
from support.history import History, broken_promises, summary
from support.hosts import NETWORK, OUTSIDE, Host, hosts
from support.live_server import LiveServer, start_command
from support.postgres import connect, own_server
from support.ready_database import Ready, checked, prepare
from support.waiting import until
from workersai_core.store.opening import upgrade
from workersai_core.store.schema import CORE
from workersai_server.accounts import SERVER

pytestmark = pytest.mark.stress

CUTS = 12
OURS = {**SETTINGS, "allow_callback_networks": NETWORK.replace(".1/", ".0/")}


@pytest.fixture
def network() -> Iterator[list[Host]]:
    with hosts(4) as made:
        yield made


@pytest.fixture
def ready(network: list[Host]) -> Iterator[Ready]:
    """A database that the hosts reach by its address."""
    with own_server(NETWORK) as server:
        url = make_url(server.url).set(host=OUTSIDE, port=5432, query={}).render_as_string(hide_password=False)
        upgrade(url, [CORE, SERVER])
        yield prepare(url, workers=4)


def serve(host: Host, ready: Ready) -> LiveServer:
    command = ("serve", "--db", ready.url, "--host", host.address, "--port", "8000", "--no-dispatch")
    return start_command(*command, cwd=Path("/"), ready="ready http", inside=host.inside, secret_key=SECRET, **OURS)


def dispatch(host: Host, ready: Ready) -> LiveServer:
    settings = {name: value for name, value in OURS.items() if name != "rate_limit"}
    command = ("dispatch", "--db", ready.url)
    return start_command(*command, cwd=Path("/"), ready="ready dispatch", inside=host.inside, **settings)


def test_the_others_go_on_when_a_host_is_cut_off(network: list[Host], ready: Ready) -> None:
    rng, history = random.Random(7), History()
    *serving, first_sender, second_sender = network
    with ExitStack() as stack:
        for sender in (first_sender, second_sender):
            stack.callback(dispatch(sender, ready).kill)
        servers = [serve(host, ready) for host in serving]
        for server in servers:
            stack.callback(server.kill)
        answers = (always, flaky(0.2, rng), flaky(0.5, rng))
        history.arrivals, urls = stack.enter_context(catching(ready.webhook_secret, *answers, host=OUTSIDE))
        crowd = crowd_of(ready, urls, rng, history)
        for n in range(CUTS):
            # Clients go to one host, as a proxy sends them; it, the other one or a sender is cut off meanwhile.
            cut = rng.choice(network)
            before = len(history.creations)
            crowd.start(servers[n % 2].url)
            time.sleep(rng.uniform(0.2, 0.6))
            cut.unplug()
            time.sleep(rng.uniform(0.5, 3.0))
            if cut != serving[n % 2]:
                assert len(history.creations) > before
            cut.plug_in()
            crowd.stop()
        # What a host that was cut off could not tell its clients.
        history.surprises[:] = [told for told in history.surprises if UNAVAILABLE not in told]
        crowd.finish(servers[0].url)
        with connect(ready.url) as connection:
            until(lambda: connection.execute(OPEN_ENDS).fetchone() == (0,), PATIENCE_S)
        kept = kept_in(ready, servers[0].url)
    print(summary(history, CUTS))
    assert [] == broken_promises(history, kept)
    assert [] == checked(ready)
    assert broken_promises(history, attrs.evolve(kept, assignments=[]))  # else this could not fail
