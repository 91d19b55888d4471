"""Hooks that decide or change: `pick_assignment`, `resolve_task`, `before_callback_enqueue`."""

from __future__ import annotations

import json

import attrs
import pytest

from support.engines import ANN, BOB, CID, answer, claim, create, history, stored
from support.plugins import plugin
from support.task_types import Pick
from workersai_core import PluginFailed, Rejected, StoreBusy, TaskStatus
from workersai_core.api import Verdict
from workersai_core.testing import CapturingTransport

BODY_KEYS = ["task_type", "external_id", "params", "response", "metadata", "status", "is_test", "completed_at"]


def raises(error):
    def hook():
        raise error

    return hook


# --- pick_assignment -----------------------------------------------------------------------------------


def test_the_first_plugin_that_picks_is_heard(open_engine):
    asked = []

    def last(ctx, worker, candidates):
        asked.append((ctx.actor, worker.id, [task.priority for task in candidates]))
        return candidates[-1]

    def first(candidates):
        asked.append("first")

    engine = open_engine(
        plugin("never", pick_assignment=raises(AssertionError())),
        plugin("last", pick_assignment=last),
        plugin("first", pick_assignment=first),
    )
    for priority in (10, 90, 50):
        create(engine, priority=priority)

    assert 10 == engine.claim(ANN).task.priority
    assert ["first", ("worker:ann", "ann", [90, 50, 10])] == asked
    assert {} == engine.hooks.failures()


def test_without_a_pick_the_most_urgent_task_is_given(open_engine):
    engine = open_engine(plugin(pick_assignment=lambda: None))
    create(engine, priority=10)
    create(engine, priority=90)

    assert 90 == engine.claim(ANN).task.priority


def test_a_plugin_is_not_asked_when_there_is_nothing(open_engine):
    engine = open_engine(plugin(pick_assignment=raises(AssertionError())))
    assert engine.claim(ANN) is None


@pytest.mark.parametrize("error", [RuntimeError("odd"), SystemExit("odd"), Rejected("odd")])
def test_a_plugin_that_fails_to_pick_leaves_it_to_the_next(open_engine, caplog, error):
    engine = open_engine(
        plugin("next", pick_assignment=lambda candidates: candidates[-1]),
        plugin("broken", pick_assignment=raises(error)),
    )
    create(engine, priority=10)
    create(engine, priority=90)

    assert 10 == engine.claim(ANN).task.priority
    assert {("broken", "pick_assignment"): 1} == engine.hooks.failures()
    assert "odd" in caplog.text


@pytest.mark.parametrize(
    "picked", ["a task", 7, attrs.make_class("Task", {"external_id": attrs.field(default="other")})()]
)
def test_a_pick_that_is_none_of_the_candidates_is_not_heard(open_engine, picked):
    engine = open_engine(plugin("odd", pick_assignment=lambda: picked))
    task = create(engine)

    assert task.external_id == engine.claim(ANN).task.external_id
    assert {("odd", "pick_assignment"): 1} == engine.hooks.failures()


# --- resolve_task --------------------------------------------------------------------------------------


def test_a_plugin_decides_instead_of_the_type(open_engine):
    seen = []

    def resolve_task(ctx, task, responses):
        seen.append((ctx.actor, task.external_id, [(each.worker_id, each.response) for each in responses]))
        return Verdict(response={"choice": "c"}, confidence=0.25)

    engine = open_engine(plugin(resolve_task=resolve_task))
    task = create(engine, overlap=2)
    answer(engine, ANN, "a")
    answer(engine, BOB, "b")

    assert ({"choice": "c"}, 0.25) == (stored(engine, task).response, stored(engine, task).confidence)
    assert [("worker:bob", task.external_id, [("ann", {"choice": "a"}), ("bob", {"choice": "b"})])] == seen


def test_without_a_decision_the_next_plugin_and_then_the_type_decides(open_engine):
    engine = open_engine(
        plugin("never", resolve_task=lambda task: Verdict(response={"choice": "c"}) if task.tags else None),
        plugin("first", resolve_task=lambda: None),
    )
    task, tagged = create(engine), create(engine, tags=["c"])
    answer(engine, ANN, "b")
    answer(engine, ANN, "b")

    assert ({"choice": "b"}, {"choice": "c"}) == (stored(engine, task).response, stored(engine, tagged).response)


@pytest.mark.parametrize(
    ("decide", "logged"),
    [
        (raises(RuntimeError("odd")), "RuntimeError: odd"),
        (raises(SystemExit("odd")), "SystemExit: odd"),
        (raises(Rejected("odd")), "Rejected: odd"),
        (lambda: "a", "instead of a Verdict"),
        (lambda: Verdict(response={"choice": "z"}), "/choice: Not one of the options."),
        (lambda: Verdict(response={"choice": "a"}, confidence=2), "its confidence is 2"),
    ],
)
def test_a_decision_that_fails_or_is_not_valid_rolls_everything_back(open_engine, caplog, decide, logged):
    broken = [True]
    engine = open_engine(plugin("broken", resolve_task=lambda: decide() if broken else None))
    task = create(engine)
    held = claim(engine, ANN)
    with pytest.raises(PluginFailed, match="The plugin broken failed in resolve_task; nothing was changed"):
        engine.submit(held, ANN, {"choice": "a"})

    assert TaskStatus.IN_PROGRESS is stored(engine, task).status
    assert [held] == [each.assignment.id for each in engine.assignments(ANN)]
    assert ["task_created", "task_assigned"] == history(engine, task)
    assert logged in caplog.text
    assert {("broken", "resolve_task"): 1} == engine.hooks.failures()
    assert [] == engine.check()
    broken.clear()
    assert TaskStatus.COMPLETED is engine.submit(held, ANN, {"choice": "a"}).task.status


def test_an_error_of_the_store_is_told_as_it_is(open_engine):
    engine = open_engine(plugin(resolve_task=raises(StoreBusy())))
    create(engine)
    with pytest.raises(StoreBusy):
        answer(engine, ANN)


# --- before_callback_enqueue -----------------------------------------------------------------------------


def sent(open_engine, *plugins, overlap=1):
    """Return the body that is sent for an answered task, and the engine."""
    transport = CapturingTransport()
    engine = open_engine(*plugins, transport=transport)
    create(engine, metadata={"mine": [1]}, overlap=overlap)
    for worker in (ANN, BOB, CID)[:overlap]:
        answer(engine, worker)
    engine.deliver()
    (request,) = transport.requests
    return json.loads(request.body), engine


def test_each_plugin_gets_what_the_one_before_made_of_it(open_engine):
    def add(ctx, task, payload):
        return {**payload, "sum": payload.get("sum", 0) + len(task.params["options"])}

    body, engine = sent(
        open_engine,
        plugin("two", before_callback_enqueue=add),
        plugin("silent", before_callback_enqueue=lambda: None),
        plugin("one", before_callback_enqueue=add),
    )
    assert ([*BODY_KEYS, "sum"], 6) == (list(body), body["sum"])
    assert {} == engine.hooks.failures()


def change_and_raise(payload):
    payload["metadata"]["mine"].append(2)
    payload.clear()
    raise RuntimeError("odd")


def change_and_return_nothing(payload):
    payload["metadata"]["mine"].append(2)


@pytest.mark.parametrize(
    ("change", "failures"),
    [
        (change_and_raise, 1),
        (raises(SystemExit()), 1),
        (raises(Rejected("No.")), 1),
        (lambda payload: [payload], 1),
        (lambda payload: "text", 1),
        (lambda payload: {**payload, "at": object()}, 1),
        (lambda payload: {1: payload}, 1),
        (change_and_return_nothing, 0),
    ],
)
def test_a_change_that_fails_leaves_the_body_of_the_plugin_before(open_engine, change, failures):
    body, engine = sent(
        open_engine,
        plugin("odd", before_callback_enqueue=change),
        plugin("adds", before_callback_enqueue=lambda payload: {**payload, "added": True}),
    )
    assert ([*BODY_KEYS, "added"], {"mine": [1]}) == (list(body), body["metadata"])
    assert failures == engine.hooks.failures().get(("odd", "before_callback_enqueue"), 0)


def test_every_attempt_sends_the_same_bytes(open_engine, clock):
    counted = []

    def count(payload):
        counted.append(1)
        return {**payload, "n": len(counted)}

    transport = CapturingTransport(lambda request: 500)
    engine = open_engine(plugin(before_callback_enqueue=count), transport=transport)
    create(engine)
    answer(engine, ANN)
    for _ in range(3):
        engine.deliver()
        clock.advance(10_000)

    assert 3 == len(transport.requests)
    assert 1 == len({request.body for request in transport.requests}) == len(counted)


# --- on the way to a decision, types may fail as well --------------------------------------------------------


def test_a_type_that_fails_to_aggregate_leaves_the_task_open(open_engine):
    class Broken(Pick):
        name = "broken"
        aliases = ()

        def aggregate(self, params, answers):
            raise RuntimeError("odd")

    engine = open_engine(plugin("brings", register_task_types=lambda: [Broken()]))
    task = create(engine, task_type="broken")
    held = claim(engine, ANN)
    with pytest.raises(PluginFailed, match="The plugin brings failed in aggregate of the task type broken"):
        engine.submit(held, ANN, {"choice": "a"})

    assert TaskStatus.IN_PROGRESS is stored(engine, task).status
    assert [held] == [each.assignment.id for each in engine.assignments(ANN)]
