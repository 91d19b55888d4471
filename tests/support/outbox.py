"""A small world around the outbox: a database, a clock that stands still, receivers that do as told."""

from __future__ import annotations

import threading
from collections import defaultdict
from urllib.parse import urlsplit

import sqlalchemy

from workersai_core.callbacks import outbox
from workersai_core.callbacks.transport import Outcome
from workersai_core.commands import finish
from workersai_core.ids import TimeOrderedIds
from workersai_core.model import TaskDraft
from workersai_core.policy import Policy
from workersai_core.store import event_rows, outbox_rows, task_rows
from workersai_core.store.session import Statement
from workersai_core.store.sqlite import SqliteStore
from workersai_core.store.tables import metadata
from workersai_core.task_type import Verdict
from workersai_core.testing.clock import FakeClock
from workersai_core.transaction import Parts, Transaction

PATIENCE_S = 10.0
YEAR_S = 365 * 86_400


def answered(status=200, **more):
    values = {"latency_ms": 3, "error": None, "answer": "ok", "retry_after_s": None, **more}
    return Outcome(status=status, **values)


def refused():
    return answered(None, error="connection refused", answer=None)


class Steps:
    """A retry policy without chance: these waits, then no more."""

    def __init__(self, *steps):
        self.steps = steps
        self.asked = []

    def delay_s(self, attempts_made, rng, retry_after_s):
        if retry_after_s is None or retry_after_s < YEAR_S:  # else it is asked for its longest wait
            self.asked.append((attempts_made, retry_after_s))
        return self.steps[attempts_made - 1] if attempts_made <= len(self.steps) else None


class NoHooks:
    """The hooks of an engine without plugins."""

    def has(self, name):
        return False


class Request:
    """One request as a receiver saw it."""

    def __init__(self, url, headers, body, deadline_s):
        self.url = url
        self.headers = {name.lower(): value for name, value in headers.items()}
        self.body = body
        self.deadline_s = deadline_s
        self.host = urlsplit(url).hostname


class Receivers:
    """A transport with receivers by host; each is a function from a request to an outcome."""

    def __init__(self):
        self.requests = []
        self.behaviour = defaultdict(lambda: lambda request: answered())
        self._changed = threading.Condition()

    def send(self, url, headers, body, deadline_s):
        request = Request(url, headers, body, deadline_s)
        with self._changed:
            self.requests.append(request)
            self._changed.notify_all()
        return self.behaviour[request.host](request)

    def close(self):
        pass

    def to(self, host):
        with self._changed:
            return [request for request in self.requests if request.host == host]

    def wait_for(self, count, host=None):
        """Wait until so many requests arrived, and return whether they did."""

        def enough():
            return len([r for r in self.requests if host is None or r.host == host]) >= count

        with self._changed:
            return self._changed.wait_for(enough, PATIENCE_S)


class Gate:
    """A receiver that answers only when it is opened; it counts who waits."""

    def __init__(self, outcome=None):
        self.outcome = outcome or answered()
        self.open = threading.Event()
        self.at_once = 0
        self.most_at_once = 0
        self._changed = threading.Condition()

    def __call__(self, request):
        with self._changed:
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
            self._changed.notify_all()
        if not self.open.wait(PATIENCE_S):
            raise AssertionError("the gate was never opened")
        with self._changed:
            self.at_once -= 1
        return self.outcome

    def wait_for(self, count):
        with self._changed:
            return self._changed.wait_for(lambda: self.at_once >= count, PATIENCE_S)


class World:
    """One database with an outbox."""

    def __init__(self, directory, *, retry=None, hooks=None, **policy):
        path = str(directory / "outbox.db")
        engine = sqlalchemy.create_engine(f"sqlite:///{path}")
        metadata.create_all(engine)
        engine.dispose()
        self.store = SqliteStore(path)
        self.clock = FakeClock()
        self.retry = retry or Steps(5.0, 300.0, 1800.0)
        self.receivers = Receivers()
        self.parts = Parts(
            types=None,
            hooks=hooks or NoHooks(),
            clock=self.clock,
            ids=TimeOrderedIds(),
            policy=Policy(retry=self.retry, **policy),
        )
        self.broken = None
        """What `write` raises instead of writing, while it is set."""
        self.lost_commits = 0
        """How many of the next writes commit and then raise `broken_after`."""
        self.broken_after = None
        self.events = []
        self._committed = threading.Condition()

    def write(self, operation):
        """Run an operation in one transaction, as the engine does."""
        if self.broken is not None:
            raise self.broken

        def run(session):
            tx = Transaction(session, self.parts)
            return operation(tx), tx

        result, tx = self.store.write(run)
        with self._committed:
            self.events += tx.recorded
            self._committed.notify_all()
        if self.lost_commits:
            self.lost_commits -= 1
            raise self.broken_after
        return result

    def task(self, *, account="acme", url="http://good.test/hook", mode="live", metadata="{}", events=("completed",)):
        """Store an open task."""
        draft = TaskDraft(
            account=account,
            mode=mode,
            task_type="pick",
            task_type_version=1,
            instruction="",
            params={},
            params_json='{"options": ["a", "ö"],"z":1.0}',
            callback_url=url,
            callback_events=frozenset(events),
            metadata={},
            metadata_json=metadata,
            overlap=1,
            priority=50,
            deadline_at=None,
            unique_id=None,
            tags=(),
            actor="requester",
        )
        return self.write(lambda tx: task_rows.insert(tx.session, draft, tx.new_id(), tx.now_us, None))

    def complete(self, **task):
        """Store a task and complete it; return it as it is then."""
        stored = self.task(**task)
        return self.write(lambda tx: finish.complete(tx, stored, Verdict(response={"choice": "a"}), "system"))

    def delivery(self, task):
        """Return the one delivery of a task."""
        [delivery] = self.write(lambda tx: outbox_rows.of_task(tx.session, task.external_id))
        return delivery

    def replay(self, task):
        """Ask for the delivery of a task to be sent again, as its owner."""
        delivery_id = self.delivery(task).id
        self.write(lambda tx: outbox.replay(tx, delivery_id, task.account, task.mode))

    def states(self):
        """Return how many deliveries are in each state."""
        return dict(self.rows("SELECT state, count(*) FROM wai_delivery GROUP BY state"))

    def rows(self, sql):
        return self.write(lambda tx: tx.session.all(Statement(sqlalchemy.text(sql))))

    def task_events(self, task):
        return self.write(lambda tx: event_rows.of_task(tx.session, task.external_id))

    def wait_for_events(self, name, count):
        """Wait until so many events of a name were committed, and return whether they were."""

        def enough():
            return sum(event.name == name for event in self.events) >= count

        with self._committed:
            return self._committed.wait_for(enough, PATIENCE_S)

    def close(self):
        self.store.close()
