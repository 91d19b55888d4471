"""Engines for the tests of the core, and the steps they take again and again."""

from __future__ import annotations

from support.task_types import TestTypes
from workersai_core import AddressPolicy, Engine, Policy, Worker
from workersai_core.api import hookimpl
from workersai_core.testing import CapturingTransport, FakeClock

ACCOUNT = "acme"
OPTIONS = ["a", "b", "c"]
HOOK = "https://receiver.test/hook"
ANN, BOB, CID = (Worker(id=name) for name in ("ann", "bob", "cid"))


def policy(**given):
    """Return a policy that allows calling any address."""
    return Policy(**{"addresses": AddressPolicy.of(["0.0.0.0/0", "::/0"]), **given})


def open_engine(*plugins, database="sqlite://", **options):
    """Return an engine with the task types of the tests, in memory unless a database is given."""
    defaults = {"clock": FakeClock(), "transport": CapturingTransport(), "policy": policy(), "entry_points": "none"}
    return Engine.open(database, plugins=[TestTypes(), *plugins], **{**defaults, **options})


def fields(**given):
    """Return the fields of a task of the type `pick`, some of them given."""
    return {
        "account": ACCOUNT,
        "task_type": "pick",
        "params": {"options": OPTIONS},
        "callback_url": HOOK,
        **given,
    }


def create(commands, **given):
    """Create a task of the type `pick`."""
    return commands.create_task(**fields(**given))


def stored(engine, task):
    """Return a task as it is now."""
    return engine.get_task(task.external_id, account=task.account, mode=task.mode)


def claim(engine, worker, **options):
    """Claim, and return the assignment's id."""
    claimed = engine.claim(worker, **options)
    return None if claimed is None else claimed.assignment.id


def answer(engine, worker, choice="a"):
    """Claim and answer, and return what became of it."""
    return engine.submit(claim(engine, worker), worker, {"choice": choice})


def names(events):
    """Return the names of events, in their order."""
    return [event.name for event in events]


def history(engine, task):
    """Return the names of what happened to a task, in order."""
    return names(engine.task_events(task.external_id, account=task.account, mode=task.mode))


OBSERVED = (
    "task_created",
    "task_assigned",
    "assignment_expired",
    "assignment_skipped",
    "assignment_released",
    "response_submitted",
    "response_rejected",
    "task_completed",
    "task_canceled",
    "task_expired",
    "task_failed",
    "callback_attempted",
    "callback_delivered",
    "callback_exhausted",
)


class Watcher:
    """A plugin that remembers every event it is told."""

    def __init__(self):
        self.seen = []

    @property
    def names(self):
        return names(self.seen)


def _observer(name):
    def observe(self, event):
        assert name == event.name
        self.seen.append(event)

    return hookimpl(observe)


for _name in OBSERVED:
    setattr(Watcher, _name, _observer(_name))
