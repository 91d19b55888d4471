"""The service under steady load for twenty minutes: what it holds must not grow."""

from __future__ import annotations

import random
import time
from pathlib import Path

import psutil
import pytest

from support.catcher import always, catching, flaky
from support.crowd import Crowd, Requester, Worker
from support.history import History, summary
from support.live_server import running_server
from support.ready_database import checked, prepare

WARM_S, SOAK_S = 60, 1140
LOOKS = 19
GROWTH_MB = 20
# The crew that delivers grows to 64 when receivers are slow, each with a connection; a leak goes far beyond.
MORE_THREADS, MORE_FILES = 64, 64


def _held(process: psutil.Process) -> tuple[float, int, int]:
    """Return the MB of memory, the threads and the open files of a process."""
    return process.memory_info().rss / 1e6, process.num_threads(), process.num_fds()


@pytest.mark.stress
def test_memory_threads_and_files_do_not_grow(tmp_path: Path) -> None:
    ready, history = prepare(tmp_path, workers=3), History()
    rng = random.Random(5)
    with (
        catching(ready.webhook_secret, always, flaky(0.3, rng)) as (history.arrivals, urls),
        running_server(
            ready.database, allow_callback_networks="127.0.0.0/8", callback_schedule="0,0.2,0.5,1,1,1,1,1,1"
        ) as server,
    ):
        crowd = Crowd(
            [
                Requester(
                    name=f"live-{n}",
                    key=ready.live_key,
                    history=history,
                    rng=random.Random(n),
                    fields={"callback_url": url},
                    cancels=0.1,
                )
                for n, url in enumerate(urls)
            ],
            [Worker(token=token, history=history, rng=random.Random(n)) for n, token in enumerate(ready.tokens)],
            history,
        )
        crowd.start(server.url)
        process = psutil.Process(server.process.pid)
        time.sleep(WARM_S)
        before = after = _held(process)
        for _ in range(LOOKS):
            time.sleep(SOAK_S / LOOKS)
            after = _held(process)
            print("{:.0f} MB, {} threads, {} files".format(*after))
        crowd.stop()
    print(summary(history, 0))
    assert [] == history.surprises
    assert after[0] - before[0] < GROWTH_MB, (before, after)
    assert after[1] - before[1] <= MORE_THREADS, (before, after)
    assert after[2] - before[2] <= MORE_FILES, (before, after)
    assert [] == checked(ready)
