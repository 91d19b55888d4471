"""A planted bug, as a plugin: the callback is stored in a transaction of its own, a moment after the answer.

It is what this service must never do, and what the crash tests must catch.
"""

from __future__ import annotations

import threading
import time

from workersai_core.api import hookimpl
from workersai_core.callbacks import outbox, rounds

_MOMENT_S = 0.05


@hookimpl
def engine_ready(engine):
    """Let callbacks be stored later."""
    # So that the test does not wait long for what was on its way when the service was killed.
    rounds._LEASE_SLACK_S = 1.0
    enqueue = outbox.enqueue
    tasks = []

    def store_later():
        while True:
            time.sleep(_MOMENT_S)
            for task in tasks[:]:
                engine.run(lambda tx, task=task: enqueue(tx, task))
                tasks.remove(task)

    def forget_for_now(tx, task):
        tasks.append(task)
        return task

    outbox.enqueue = forget_for_now
    threading.Thread(target=store_later, daemon=True).start()
