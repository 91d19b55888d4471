from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from support.engines import ACCOUNT, OPTIONS, Watcher, create, fields, history, stored
from workersai_core import (
    DuplicateTask,
    Idempotency,
    IdempotencyKeyReused,
    InvalidInput,
    NotFound,
    PluginFailed,
    Rejected,
    StoreUnavailable,
    UnknownTaskType,
)
from workersai_core.api import Issue, hookimpl
from workersai_core.lifecycle import TaskStatus
from workersai_core.store import task_rows


class Refusing:
    """A plugin that refuses, or fails at, tasks with certain instructions."""

    def __init__(self):
        self.asked = 0

    @hookimpl
    def before_task_create(self, ctx, draft):
        self.asked += 1
        if draft.instruction == "refuse":
            raise Rejected("Not today.", issues=[Issue("/instruction", "Not today.")])
        if draft.instruction == "fail":
            raise ValueError("a bug")


# --- one task ------------------------------------------------------------------------------------


def test_a_new_task_is_pending_and_comes_back_as_it_was_given(engine, clock):
    later = clock.now() + timedelta(hours=1)
    given = {
        "instruction": "Pick **one**",
        "metadata": {"b": 1.0, "a": ["ö", None, True]},
        "callback_events": ("completed", "expired"),
        "overlap": 3,
        "priority": 70,
        "deadline_at": later,
        "unique_id": "u-1",
        "tags": ("x", "y"),
    }
    task = create(engine, **given)
    assert task == stored(engine, task)
    assert (ACCOUNT, "live", "pick", 1) == (task.account, task.mode, task.task_type, task.task_type_version)
    assert (TaskStatus.PENDING, {}, None, None) == (task.status, task.response, task.confidence, task.error)
    assert ({"options": OPTIONS}, given["metadata"]) == (task.params, task.metadata)
    assert (clock.now(), None, later) == (task.created_at, task.completed_at, task.deadline_at)
    assert (3, 3, 0, 70) == (task.overlap, task.answers_wanted, task.answers_accepted, task.priority)
    assert ("u-1", ("x", "y"), None) == (task.unique_id, task.tags, task.callback_state)
    assert not task.is_test
    assert '{"b":1.0,"a":["ö",null,true]}' == task.metadata_json, "the text is as it was given"


def test_params_and_metadata_keep_the_order_of_their_keys(engine):
    task = create(engine, metadata={"z": {"y": 1, "a": 2}, "b": 3})
    assert '{"z":{"y":1,"a":2},"b":3}' == stored(engine, task).metadata_json


def test_an_id_is_found_in_any_case_but_only_by_its_account_and_mode(engine):
    task = create(engine)
    assert task == engine.get_task(task.external_id.upper(), account=ACCOUNT)
    for wrong in ({"account": "other"}, {"account": ACCOUNT, "mode": "test"}):
        with pytest.raises(NotFound):
            engine.get_task(task.external_id, **wrong)
    with pytest.raises(NotFound):
        engine.get_task("no-such-id", account=ACCOUNT)


def test_a_task_for_a_reserved_example_host_is_known_never_to_be_called(engine):
    assert "skipped" == create(engine, callback_url="https://example.org/x").callback_state
    assert "skipped" == stored(engine, create(engine, callback_url=None)).callback_state


def test_creating_is_an_event_of_the_task(open_engine):
    engine = open_engine(watcher := Watcher())
    task = create(engine, actor="someone")
    assert ["task_created"] == history(engine, task)
    [event] = watcher.seen
    assert ("task_created", task.external_id, ACCOUNT, "live", "someone", {}) == (
        event.name,
        event.task_id,
        event.account_id,
        event.mode,
        event.actor,
        dict(event.data),
    )


def test_a_draft_can_be_stored_later_and_more_than_once(engine):
    draft = engine.draft_task(**fields())
    assert engine.create(draft).external_id != engine.create(draft).external_id


# --- vetoes --------------------------------------------------------------------------------------


def test_a_plugins_veto_keeps_a_task_from_being_stored(open_engine):
    engine = open_engine(Refusing(), watcher := Watcher())
    with pytest.raises(Rejected, match="Not today"):
        create(engine, instruction="refuse")
    with pytest.raises(PluginFailed):
        create(engine, instruction="fail")
    assert 0 == engine.count_tasks(account=ACCOUNT)
    assert [] == watcher.seen == engine.events()


def test_a_duplicate_is_refused_before_any_plugin_is_asked(open_engine):
    engine = open_engine(plugin := Refusing())
    create(engine, unique_id="u")
    with pytest.raises(DuplicateTask):
        create(engine, unique_id="u")
    assert 1 == plugin.asked


# --- unique_id -----------------------------------------------------------------------------------


def test_a_unique_id_is_refused_a_second_time_and_names_the_first_task(engine):
    first = create(engine, unique_id="u")
    with pytest.raises(DuplicateTask, match=first.external_id) as caught:
        create(engine, unique_id="u", priority=1)
    assert first.external_id == caught.value.extra["external_id"]
    assert ["/unique_id"] == [issue.pointer for issue in caught.value.issues]


def test_a_unique_id_stays_taken_when_its_task_has_ended(engine):
    engine.cancel_task(create(engine, unique_id="u").external_id, account=ACCOUNT)
    with pytest.raises(DuplicateTask):
        create(engine, unique_id="u")


def test_a_unique_id_counts_for_one_account_and_mode(engine):
    made = [
        create(engine, unique_id="u"),
        create(engine, unique_id="u", account="other"),
        create(engine, unique_id="u", mode="test"),
        create(engine),
        create(engine),
    ]
    assert 5 == len({task.external_id for task in made})


# --- many tasks ----------------------------------------------------------------------------------


def test_a_batch_stores_what_is_right_and_says_in_each_place_what_is_wrong(open_engine):
    engine = open_engine(Refusing(), watcher := Watcher())
    bad = InvalidInput("wrong")
    drafts = [
        engine.draft_task(**fields(unique_id="u")),
        bad,
        engine.draft_task(**fields(unique_id="u")),
        engine.draft_task(**fields(instruction="refuse")),
        engine.draft_task(**fields(unique_id="v")),
    ]
    one, two, three, four, five = engine.create_tasks(drafts)
    assert two is bad
    assert isinstance(three, DuplicateTask)
    assert one.external_id == three.extra["external_id"]
    assert isinstance(four, Rejected)
    assert (one, five) == (stored(engine, one), stored(engine, five))
    assert [one.external_id, five.external_id] == [event.task_id for event in watcher.seen]
    assert ["task_created"] * 2 == [event.name for event in engine.events()]


def test_a_batch_of_nothing_is_nothing(engine):
    assert [] == engine.create_tasks([])


# --- idempotency ---------------------------------------------------------------------------------


def test_the_same_key_with_the_same_content_is_the_same_task(engine):
    first = create(engine, idempotency_key="k", metadata={"a": 1, "b": 2})
    again = create(engine, idempotency_key="k", metadata={"b": 2.0, "a": 1})
    assert first == again
    assert 1 == engine.count_tasks(account=ACCOUNT)


def test_a_repetition_returns_the_task_as_it_is_by_now(engine):
    first = create(engine, idempotency_key="k")
    engine.cancel_task(first.external_id, account=ACCOUNT)
    assert TaskStatus.CANCELED is create(engine, idempotency_key="k").status


def test_the_same_key_with_other_content_is_a_mistake(engine):
    create(engine, idempotency_key="k")
    with pytest.raises(IdempotencyKeyReused):
        create(engine, idempotency_key="k", priority=51)
    assert 1 == engine.count_tasks(account=ACCOUNT)


def test_a_key_counts_for_one_account_and_mode(engine):
    made = [
        create(engine, idempotency_key="k"),
        create(engine, idempotency_key="k", account="other"),
        create(engine, idempotency_key="k", mode="test"),
    ]
    assert 3 == len({task.external_id for task in made})


def test_a_refused_request_does_not_use_up_its_key(engine):
    first = create(engine, unique_id="u")
    with pytest.raises(DuplicateTask):
        create(engine, unique_id="u", idempotency_key="k")
    assert first.external_id != create(engine, unique_id="v", idempotency_key="k").external_id


def test_a_key_can_be_used_for_something_else_once_it_is_forgotten(engine, clock):
    first = create(engine, idempotency_key="k")
    clock.advance(engine.policy.idempotency_kept_s)
    assert 0 == engine.tick(), "at the very end of its time it is still remembered"
    assert first == create(engine, idempotency_key="k")
    clock.advance(1)
    assert 1 == engine.tick()
    assert first.external_id != create(engine, idempotency_key="k", priority=1).external_id


@pytest.mark.parametrize("key", ["", "k" * 256])
def test_a_key_has_1_to_255_characters(engine, key):
    with pytest.raises(InvalidInput) as caught:
        create(engine, idempotency_key=key)
    assert ["/idempotency_key"] == [issue.pointer for issue in caught.value.issues]
    assert 0 == engine.count_tasks(account=ACCOUNT)
    create(engine, idempotency_key="k" * 255)


def test_of_many_that_use_a_key_at_once_one_creates_the_task(file_engine):
    with ThreadPoolExecutor(16) as pool:
        tasks = list(pool.map(lambda _: create(file_engine, idempotency_key="k"), range(64)))
    assert 1 == len({task.external_id for task in tasks})
    assert 1 == file_engine.count_tasks(account=ACCOUNT)


def test_a_service_can_remember_answers_of_its_own(engine):
    key = Idempotency(scope="acme/live/other", key="k", fingerprint="f")
    asked = []

    def work(tx):
        asked.append(create(tx).external_id)
        return "the answer"

    assert ("the answer", False) == engine.once(key, work)
    assert ("the answer", True) == engine.once(key, work)
    assert 1 == len(asked) == engine.count_tasks(account=ACCOUNT)


def test_work_that_failed_is_not_remembered(engine):
    key = Idempotency(scope="s", key="k", fingerprint="f")

    def work(tx):
        create(tx)
        raise StoreUnavailable

    with pytest.raises(StoreUnavailable):
        engine.once(key, work)
    assert ("done", False) == engine.once(key, lambda tx: "done")
    assert 0 == engine.count_tasks(account=ACCOUNT)


def test_a_type_that_is_not_there_is_refused(engine):
    with pytest.raises(UnknownTaskType):
        create(engine, task_type="nothing")


# --- what another process does meanwhile, and what fails in a batch ---------------------------------------


def test_a_unique_id_that_another_process_takes_at_the_last_moment_is_refused(engine, monkeypatch):
    monkeypatch.setattr(task_rows, "insert", lambda *_: None)
    with pytest.raises(DuplicateTask, match="Another task has this unique_id"):
        create(engine, unique_id="u")


@pytest.mark.parametrize("writes", [False, True])
def test_a_failure_of_the_database_in_a_batch_fails_all_of_it(open_engine, writes):
    class Failing:
        @hookimpl
        def before_task_create(self, ctx, draft):
            if draft.instruction == "refuse" and writes:
                ctx.session.script("DELETE FROM wai_idempotency")
                raise Rejected("no")
            if draft.instruction == "fail":
                raise StoreUnavailable

    engine = open_engine(Failing())
    create(engine, idempotency_key="k")
    drafts = [engine.draft_task(**fields(instruction=each)) for each in ("", "refuse", "fail")]
    with pytest.raises(StoreUnavailable):
        engine.create_tasks(drafts)
    assert 1 == engine.count_tasks(account=ACCOUNT)
