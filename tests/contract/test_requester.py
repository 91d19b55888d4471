"""What requesters ask for, on both databases."""

from __future__ import annotations

from datetime import timedelta

import pytest

from support.engines import ACCOUNT, ANN, answer, claim, create, fields, history, names, stored
from workersai_core import (
    DuplicateTask,
    Idempotency,
    IdempotencyKeyReused,
    InvalidInput,
    NotFound,
    Rejected,
    TaskFilter,
    UnknownTaskType,
    WrongState,
)
from workersai_core.api import hookimpl

EVERY_CHARACTER = "".join(map(chr, [*range(1, 0xD800, 97), *range(0xE000, 0x110000, 9973)])) + "'\"\\%%s:x$1?"


# --- create, get -------------------------------------------------------------------------------


def test_a_task_is_kept_as_it_was_created(engine, clock):
    created = create(
        engine,
        instruction=EVERY_CHARACTER,
        params={"options": [EVERY_CHARACTER, "100 % %s %(x)s :name"]},
        metadata={"a %s": [1, 2.5, -0.0, 1e300, None, True], "text": EVERY_CHARACTER},
        tags=["x", "ü%"],
        overlap=3,
        priority=100,
        deadline_at=clock.now() + timedelta(days=36_500),
        unique_id="%(unique)s",
        callback_events=["completed", "expired"],
    )
    assert created == stored(engine, created)
    assert ["task_created"] == history(engine, created)


def test_numbers_come_back_as_they_were_given(engine):
    numbers = [2**63 - 1, -(2**63), 0.1, 1e22, 5e-324, -0.0]
    assert numbers == stored(engine, create(engine, metadata={"n": numbers})).metadata["n"]


def test_others_do_not_see_a_task(engine):
    task = create(engine)
    for account, mode in (("zoo", "live"), (ACCOUNT, "test")):
        with pytest.raises(NotFound):
            engine.get_task(task.external_id, account=account, mode=mode)


def test_an_id_is_found_whatever_the_case_of_its_letters(engine):
    task = create(engine)
    assert task == engine.get_task(task.external_id.upper(), account=ACCOUNT)


def test_a_task_that_is_wrong_is_not_stored(engine):
    with pytest.raises(InvalidInput):
        create(engine, params={"options": []})
    with pytest.raises(UnknownTaskType):
        create(engine, task_type="picc")
    assert 0 == engine.count_tasks(account=ACCOUNT)


def test_a_unique_id_is_used_once_for_each_account_and_mode(engine):
    first = create(engine, unique_id="u")
    with pytest.raises(DuplicateTask) as refused:
        create(engine, unique_id="u")
    assert first.external_id == refused.value.extra["external_id"]
    create(engine, unique_id="u", account="zoo")
    create(engine, unique_id="u", mode="test")
    assert [1, 1, 1] == [
        engine.count_tasks(account=ACCOUNT),
        engine.count_tasks(account="zoo"),
        engine.count_tasks(account=ACCOUNT, mode="test"),
    ]


def test_tasks_without_a_unique_id_are_as_many_as_wanted(engine):
    assert 2 == len({create(engine).external_id for _ in range(2)})


def test_a_unique_id_may_be_long_and_hold_anything(engine):
    unique_id = EVERY_CHARACTER[:255]
    create(engine, unique_id=unique_id)
    with pytest.raises(DuplicateTask):
        create(engine, unique_id=unique_id)


class Veto:
    """A plugin that refuses some tasks after it has written something."""

    @hookimpl
    def before_task_create(self, ctx, draft):
        ctx.session.script("UPDATE wai_task SET priority = 1")
        if draft.metadata.get("bad"):
            raise Rejected("no")


def test_a_veto_undoes_what_its_plugin_wrote(open_engine):
    engine = open_engine()
    task = create(engine)
    vetoed = open_engine(Veto())
    with pytest.raises(Rejected):
        create(vetoed, metadata={"bad": True})
    assert 50 == stored(engine, task).priority
    create(vetoed)
    assert 1 == stored(engine, task).priority


def test_of_many_drafts_each_is_stored_or_refused_by_itself(engine):
    create(engine, unique_id="taken")
    good = [engine.draft_task(**fields(unique_id=unique_id)) for unique_id in ("a", "taken", "b", "a")]
    wrong = InvalidInput("no task at all")
    results = engine.create_tasks([good[0], wrong, *good[1:]])
    assert ["Task", "InvalidInput", "DuplicateTask", "Task", "DuplicateTask"] == [type(r).__name__ for r in results]
    assert 3 == engine.count_tasks(account=ACCOUNT)
    assert 3 == len(engine.events())


# --- idempotency -------------------------------------------------------------------------------


def test_the_same_key_and_content_is_the_same_task(engine):
    first, again = (create(engine, idempotency_key="k") for _ in range(2))
    assert first == again
    assert (1, 1) == (engine.count_tasks(account=ACCOUNT), len(engine.events()))


def test_the_same_key_for_something_else_is_refused(engine):
    create(engine, idempotency_key="k")
    with pytest.raises(IdempotencyKeyReused):
        create(engine, idempotency_key="k", priority=1)
    create(engine, idempotency_key="k", account="zoo")


def test_a_key_whose_first_request_failed_is_free(engine):
    key = Idempotency(scope="s", key="k", fingerprint="f")

    def fail(tx):
        create(tx)
        raise WrongState("no")

    with pytest.raises(WrongState):
        engine.once(key, fail)
    assert ("done", False) == engine.once(key, lambda tx: "done")
    assert ("done", True) == engine.once(key, fail)
    assert 0 == engine.count_tasks(account=ACCOUNT)


def test_keys_are_forgotten_after_their_time(engine, clock):
    create(engine, idempotency_key="k")
    clock.advance(engine.policy.idempotency_kept_s + 1)
    assert 1 == engine.tick()
    create(engine, idempotency_key="k", priority=7)
    assert 2 == engine.count_tasks(account=ACCOUNT)


# --- lists -------------------------------------------------------------------------------------


@pytest.fixture
def five(engine, clock):
    """Five tasks, the oldest first; two of them in the same instant."""
    made = []
    for n in range(5):
        made.append(create(engine, metadata={"n": n, "even": n % 2 == 0, "name": f"%{n}"}))
        if n != 1:
            clock.advance(1)
    return made


def ids(tasks):
    return [task.external_id for task in tasks]


def test_pages_go_from_the_newest_to_the_oldest_and_back(engine, five):
    newest_first = ids(reversed(five))
    first = engine.list_tasks(account=ACCOUNT, limit=2)
    second = engine.list_tasks(account=ACCOUNT, limit=2, after=first.next)
    third = engine.list_tasks(account=ACCOUNT, limit=2, after=second.next)
    assert newest_first == ids([*first.tasks, *second.tasks, *third.tasks])
    assert (None, None) == (first.previous, third.next)
    back = engine.list_tasks(account=ACCOUNT, limit=2, before=third.previous)
    assert ids(second.tasks) == ids(back.tasks)


def test_a_page_that_starts_at_no_task_is_refused(engine, five):
    with pytest.raises(InvalidInput):
        engine.list_tasks(account=ACCOUNT, after="nothing")
    with pytest.raises(InvalidInput):
        engine.list_tasks(account="zoo", before=five[0].external_id)


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        ({"metadata": {"even": "true"}}, [4, 2, 0]),
        ({"metadata": {"even": "true", "n": "2"}}, [2]),
        ({"metadata": {"name": "%3"}}, [3]),
        ({"metadata": {"n": "9"}}, []),
        ({"task_type": "pick"}, [4, 3, 2, 1, 0]),
        ({"task_type": "unanimous"}, []),
    ],
)
def test_lists_are_filtered(engine, five, chosen, expected):
    wanted = TaskFilter(**chosen)
    assert ids(five[n] for n in expected) == ids(engine.list_tasks(account=ACCOUNT, chosen=wanted).tasks)
    assert len(expected) == engine.count_tasks(account=ACCOUNT, chosen=wanted)


def test_lists_are_filtered_by_status_and_time(engine, five, clock):
    engine.cancel_task(five[2].external_id, account=ACCOUNT)
    by_status = TaskFilter(status=stored(engine, five[2]).status)
    assert ids([five[2]]) == ids(engine.list_tasks(account=ACCOUNT, chosen=by_status).tasks)
    between = TaskFilter(created_after=five[0].created_at, created_before=five[4].created_at)
    assert ids([five[3], stored(engine, five[2]), five[1]]) == ids(
        engine.list_tasks(account=ACCOUNT, chosen=between).tasks
    )


# --- cancel ------------------------------------------------------------------------------------


def test_canceling_ends_the_leases_and_is_told(engine, transport):
    task = create(engine, overlap=2, callback_events=["canceled"])
    claim(engine, ANN)
    canceled = engine.cancel_task(task.external_id, account=ACCOUNT)
    assert "canceled" == canceled.status.value
    assert canceled == engine.cancel_task(task.external_id, account=ACCOUNT)
    assert [] == engine.assignments(ANN)
    assert 1 == engine.deliver()
    assert "canceled" == transport.requests[0].json["status"]
    assert ["task_created", "task_assigned", "task_canceled"] == history(engine, task)[:3]


def test_what_is_done_cannot_be_canceled(engine):
    task = create(engine)
    answer(engine, ANN)
    with pytest.raises(WrongState):
        engine.cancel_task(task.external_id, account=ACCOUNT)
    with pytest.raises(NotFound):
        engine.cancel_task(task.external_id, account="zoo")


# --- what happened -----------------------------------------------------------------------------


def test_events_follow_one_another(engine):
    task = create(engine)
    answer(engine, ANN)
    every = engine.events()
    assert ["task_created", "task_assigned", "response_submitted", "task_completed"] == names(every)
    assert every == engine.task_events(task.external_id, account=ACCOUNT)
    seen, cursor = [], 0
    while page := engine.events(after=cursor, limit=1):
        seen += page
        cursor = page[-1].id
    assert every == seen


# --- the clock ---------------------------------------------------------------------------------


def test_a_deadline_expires_a_task(engine, clock):
    task = create(engine, deadline_at=clock.now() + timedelta(seconds=5))
    assert 0 == engine.tick()
    clock.advance(5)
    assert 1 == engine.tick()
    assert "expired" == stored(engine, task).status.value


@pytest.mark.parametrize(
    ("mock", "status"),
    [(None, "completed"), ({"outcome": "error"}, "error"), ({"outcome": "cancel"}, "canceled")],
)
def test_test_tasks_are_answered_by_the_mock(engine, mock, status):
    task = create(engine, mode="test", metadata={} if mock is None else {"mock": mock})
    engine.tick()
    assert status == stored(engine, task).status.value
    assert engine.claim(ANN) is None
