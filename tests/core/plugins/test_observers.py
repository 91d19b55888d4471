"""Hooks that are told what was committed, and the engine's own."""

from __future__ import annotations

import attrs
import pytest

from support.engines import ANN, OBSERVED, Watcher, answer, claim, create, names
from support.plugins import plugin, reports
from workersai_core import InvalidInput
from workersai_core.breaker import Breaker
from workersai_core.hooks import Hooks, Implementation
from workersai_core.registry import TaskTypes
from workersai_core.testing import CapturingTransport


def raises(error):
    def hook():
        raise error

    return hook


# --- what they are told ----------------------------------------------------------------------------------


def test_observers_hear_what_the_log_says(open_engine, clock):
    watcher = Watcher()
    engine = open_engine(watcher, transport=CapturingTransport(lambda _: 410))
    create(engine)
    engine.skip(claim(engine, ANN), ANN, reason="odd")
    create(engine, deadline_at=clock.now().replace(year=2030))
    engine.release(claim(engine, ANN), ANN)
    claim(engine, ANN, lease_s=30)
    clock.advance(31)
    engine.tick()
    answer(engine, ANN)
    engine.deliver()
    create(engine, mode="test", metadata={"mock": {"outcome": "error"}})
    engine.tick()

    assert watcher.seen == engine.events()
    assert {
        "assignment_skipped",
        "assignment_released",
        "assignment_expired",
        "callback_exhausted",
        "task_failed",
    } <= set(watcher.names)
    assert set(watcher.names) <= set(OBSERVED)


def test_observers_hear_after_the_commit_and_never_of_what_was_not_stored(open_engine):
    seen = []
    engine = open_engine(
        plugin(task_created=lambda event: seen.append(engine.get_task(event.task_id, account="acme").external_id))
    )
    task = create(engine)
    with pytest.raises(InvalidInput):
        create(engine, params={})

    def create_and_fail(tx):
        create(tx)
        raise LookupError

    with pytest.raises(LookupError):
        engine.run(create_and_fail)
    assert [task.external_id] == seen


def test_an_event_cannot_be_changed(open_engine):
    tried = []

    def task_assigned(event):
        with pytest.raises(attrs.exceptions.FrozenInstanceError):
            event.name = "other"
        with pytest.raises(TypeError):
            event.data["slot"] = 9
        tried.append(dict(event.data))

    engine = open_engine(plugin(task_assigned=task_assigned))
    create(engine)
    assignment_id = claim(engine, ANN)

    assert [{"assignment_id": assignment_id, "slot": 1}] == tried
    assert {} == engine.hooks.failures()


def test_an_observer_may_use_the_engine(open_engine):
    def task_created(event):
        if event.actor != "observer":
            create(engine, actor="observer")

    engine = open_engine(plugin(task_created=task_created))
    create(engine)

    assert ["requester", "observer"] == [event.actor for event in engine.events()]


# --- what they raise ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("error", [RuntimeError("odd"), SystemExit("odd"), InvalidInput("odd")])
def test_what_an_observer_raises_is_isolated_and_counted(open_engine, caplog, error):
    watcher = Watcher()
    engine = open_engine(watcher, plugin("broken", task_created=raises(error)))
    task = create(engine)

    assert task.external_id == engine.get_task(task.external_id, account="acme").external_id
    assert ["task_created"] == watcher.names
    assert {("broken", "task_created"): 1} == engine.hooks.failures()
    assert "the plugin broken failed in task_created" in caplog.text
    assert "odd" in caplog.text


def test_ctrl_c_is_not_swallowed(open_engine):
    with pytest.raises(KeyboardInterrupt):
        create(open_engine(plugin(task_created=raises(KeyboardInterrupt()))))


def test_a_plugin_that_fails_five_times_in_a_row_is_paused(open_engine, caplog):
    calls, watcher = [], Watcher()

    def task_created():
        calls.append(1)
        raise RuntimeError

    engine = open_engine(watcher, plugin("broken", task_created=task_created))
    for _ in range(8):
        create(engine)

    assert (5, 8) == (len(calls), len(watcher.seen))
    assert ("paused", "ok") == (reports(engine.plugins)["broken"].state, reports(engine.plugins)["Watcher"].state)
    assert "paused" == engine.health().plugins["broken"]
    assert 1 == caplog.text.count("the observers of the plugin broken are paused")


def test_only_failures_in_a_row_pause_a_plugin(open_engine):
    calls = []

    def task_created():
        calls.append(1)
        if len(calls) % 5:
            raise RuntimeError

    engine = open_engine(plugin("flaky", task_created=task_created))
    for _ in range(12):
        create(engine)

    assert 12 == len(calls)
    assert "ok" == reports(engine.plugins)["flaky"].state


# --- the breaker -------------------------------------------------------------------------------------------


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


@attrs.define
class Event:
    name: str = "task_created"
    data: dict = attrs.field(factory=dict)


def test_a_paused_plugin_is_tried_once_a_minute_until_it_works():
    clock, calls, works = Clock(), [], []

    def task_created():
        calls.append(clock.now)
        if not works:
            raise RuntimeError

    hooks = Hooks([Implementation("task_created", "flaky", task_created, ())], TaskTypes([], {}), clock)
    hooks.notify([Event()] * 7)
    assert (5, True) == (len(calls), hooks.is_paused("flaky"))

    for now in (159.9, 160.0, 160.1, 219.9, 220.0):
        clock.now = now
        hooks.notify([Event()])
    assert [160.0, 220.0] == calls[5:]
    assert hooks.is_paused("flaky")

    works.append(True)
    clock.now = 280.0
    hooks.notify([Event()] * 3)
    assert ([280.0] * 3, False) == (calls[7:], hooks.is_paused("flaky"))


def test_of_many_threads_one_tries():
    breaker = Breaker(Clock())
    for _ in range(5):
        breaker.note_failure()
    breaker._monotonic.now = 1000.0

    assert [True, False, False] == [breaker.allows() for _ in range(3)]


def test_the_fifth_failure_opens_it_and_the_sixth_does_not_again():
    breaker = Breaker(Clock())

    assert [False] * 4 + [True, False] == [breaker.note_failure() for _ in range(6)]
    breaker.note_success()
    assert not breaker.paused
    breaker.note_success()
    assert breaker.allows()


# --- the engine --------------------------------------------------------------------------------------------


def test_plugins_hear_when_the_engine_is_ready_and_when_it_closes(open_engine):
    heard = []
    engine = open_engine(
        plugin(
            engine_ready=lambda engine: heard.append(("ready", engine.types.names())),
            engine_closing=lambda engine: heard.append(("closing", engine.count_tasks(account="acme"))),
        )
    )
    create(engine)
    engine.close()

    assert [("ready", ["pick", "unanimous"]), ("closing", 1)] == heard


@pytest.mark.parametrize("error", [RuntimeError("odd"), SystemExit("odd")])
def test_what_they_raise_then_is_isolated(open_engine, error):
    engine = open_engine(plugin("broken", engine_ready=raises(error), engine_closing=raises(error)))
    create(engine)
    engine.close()

    assert {("broken", "engine_ready"): 1, ("broken", "engine_closing"): 1} == engine.hooks.failures()


def test_two_engines_in_one_process_are_independent(open_engine, tmp_path):
    watcher, broken = Watcher(), plugin("broken", task_created=raises(RuntimeError()))
    one = open_engine(watcher, broken)
    other = open_engine(watcher)
    third = open_engine(broken)
    for _ in range(6):
        create(one)
    create(other)
    create(third)

    assert 7 == len(watcher.seen)
    assert (6, 1, 1) == tuple(engine.count_tasks(account="acme") for engine in (one, other, third))
    assert "paused" == reports(one.plugins)["broken"].state
    assert "broken" not in reports(other.plugins)
    assert "ok" == reports(third.plugins)["broken"].state
    assert {("broken", "task_created"): 1} == third.hooks.failures()
    assert {} == other.hooks.failures()
    assert not other.hooks.has("engine_ready")
    assert other.hooks.has("task_created")


# --- contributions -----------------------------------------------------------------------------------------


def test_what_plugins_contribute_is_collected_by_plugin(open_engine):
    added = []
    engine = open_engine(
        plugin("one", register_routes=lambda engine: {"/a": engine}, register_exporters=lambda: {"tsv": "x"}),
        plugin("two", register_routes=lambda engine: {"/b": 1}, register_commands=lambda cli: added.append(cli)),
    )
    engine.hooks.register_commands("the command line")

    assert [("two", {"/b": 1}), ("one", {"/a": engine})] == [
        (each.plugin, each.value) for each in engine.hooks.register_routes(engine)
    ]
    assert [("one", {"tsv": "x"})] == [(each.plugin, each.value) for each in engine.hooks.register_exporters()]
    assert ["the command line"] == added


@pytest.mark.parametrize("error", [RuntimeError("odd"), SystemExit("odd")])
def test_a_plugin_that_fails_to_contribute_is_listed_as_failed(open_engine, error):
    engine = open_engine(
        plugin("broken", register_exporters=raises(error)), plugin("fine", register_exporters=lambda: {"tsv": 1})
    )
    assert ["fine"] == [each.plugin for each in engine.hooks.register_exporters()]
    report = reports(engine.plugins)["broken"]
    assert ("failed", f"register_exporters: {type(error).__name__}: odd") == (report.state, report.error)
    assert {("broken", "register_exporters"): 1} == engine.hooks.failures()


def test_names_of_events_are_those_of_hooks(open_engine):
    engine = open_engine(Watcher())
    assert all(engine.hooks.has(name) for name in OBSERVED)
    assert not engine.hooks.has("task_forgotten")
    assert names([]) == []
