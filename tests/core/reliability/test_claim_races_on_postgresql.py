"""Promise 3 across processes: many of them claim and answer from one PostgreSQL database at once."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter

import pytest

from support.engines import ACCOUNT, fields, open_engine
from support.postgres import empty, postgresql_server, postgresql_url

__all__ = ["postgresql_server", "postgresql_url"]

OVERLAP = 3
PATIENCE_S = 1200
PROCESS = """
import json, sys, threading, time
sys.path.insert(0, sys.argv[1])
from support.engines import open_engine, policy
from workersai_core import StoreBusy, Worker

url, process, threads = sys.argv[2], sys.argv[3], int(sys.argv[4])
engine = open_engine(database=url, clock=None, policy=policy(max_live_assignments=2))
done, lock = [], threading.Lock()

def patiently(act, *given):
    while True:
        try:
            return act(*given)
        except StoreBusy:  # so many wait on a machine that has other things to do
            time.sleep(0.1)

def work(worker):
    while (claim := patiently(engine.claim, worker)) is not None:
        patiently(engine.submit, claim.assignment.id, worker, {"choice": "a"})
        with lock:
            done.append((claim.task.external_id, worker.id, claim.assignment.slot))

workers = [threading.Thread(target=work, args=[Worker(id=f"w{process}-{n}")]) for n in range(threads)]
print("ready", flush=True)
sys.stdin.readline()
for each in workers:
    each.start()
for each in workers:
    each.join()
engine.close()
print(json.dumps(done), flush=True)
"""


def answered_by_processes(url, processes, threads):
    """Let so many processes work at once until nothing is left; return (task, worker, slot) of each answer."""
    tests = next(path for path in sys.path if path.endswith("tests"))
    running = [
        subprocess.Popen(
            [sys.executable, "-c", PROCESS, tests, url, str(n), str(threads)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for n in range(processes)
    ]
    for each in running:
        assert "ready\n" == each.stdout.readline()
    for each in running:
        each.stdin.write("\n")
        each.stdin.flush()
    return [tuple(one) for each in running for one in json.loads(each.communicate(timeout=PATIENCE_S)[0])]


def race(url, processes, threads, tasks):
    empty(url)
    with open_engine(database=url, clock=None) as engine:
        for first in range(0, tasks, 1000):
            drafts = [engine.draft_task(**fields(overlap=OVERLAP, priority=n % 3)) for n in range(1000)]
            engine.create_tasks(drafts[: tasks - first])
        answers = answered_by_processes(url, processes, threads)
        assert OVERLAP * tasks == len(answers)
        assert {1} == set(Counter((task, slot) for task, _, slot in answers).values()), "a slot was given twice"
        assert {1} == set(Counter((task, worker) for task, worker, _ in answers).values()), "a worker answered twice"
        assert {1, 2, 3} == {slot for _, _, slot in answers}
        # Else one process did it all, and there was no race.
        assert processes == len({worker.partition("-")[0] for _, worker, _ in answers})
        assert tasks == engine.count_tasks(account=ACCOUNT)
        assert [] == engine.check()


def test_no_slot_is_given_twice_and_no_task_left_over(postgresql_url):
    race(postgresql_url, processes=2, threads=16, tasks=150)


@pytest.mark.stress
def test_no_slot_of_ten_thousand_tasks_is_given_twice(postgresql_url):
    race(postgresql_url, processes=4, threads=64, tasks=10_000)
