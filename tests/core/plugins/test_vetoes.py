"""Hooks that may refuse: `before_task_create`, `before_response_accept`, `before_assign`."""

from __future__ import annotations

import logging
import sqlite3
import time

import pytest
from sqlalchemy import text

from support.engines import ANN, BOB, answer, claim, create, fields, history, stored
from support.plugins import plugin
from workersai_core import (
    InvalidInput,
    LeaseLost,
    PluginFailed,
    Rejected,
    StoreBusy,
    StoreUnavailable,
    TaskStatus,
    hooks,
)
from workersai_core.api import Issue
from workersai_core.store import Statement

COUNT = Statement(text("SELECT count(*) FROM note"))
WRITE = Statement(text("INSERT INTO note VALUES (:what)"))


class OverQuota(Rejected):
    """The quota is used up."""

    code = "over_quota"
    status_hint = 402


def refuses(error, name="refuses", hook="before_task_create"):
    """Return a plugin whose hook raises."""

    def veto(ctx):
        raise error

    return plugin(name, **{hook: veto})


def notes(name, error=None, hook="before_task_create"):
    """Return a plugin whose hook writes into the transaction and then, if so, raises."""

    def veto(ctx):
        ctx.session.run(WRITE, {"what": name})
        if error is not None:
            raise error

    return plugin(name, **{hook: veto})


def with_notes(engine):
    """Give an engine the table that the plugins of these tests write to."""
    engine.run(lambda tx: tx.session.script("CREATE TABLE note (what TEXT)"))
    return engine


def noted(engine):
    return engine.read(lambda tx: tx.session.one(COUNT)[0])


# --- creating ------------------------------------------------------------------------------------------


def test_a_plugin_sees_the_draft_and_the_transaction(open_engine, clock):
    seen = []
    engine = open_engine(
        plugin(
            before_task_create=lambda draft, ctx: seen.append((draft, ctx)), register_settings=lambda: {"x": 1, "y": 1}
        ),
        plugin_settings={"y": 2},
    )
    task = create(engine, actor="requester", tags=["a"])
    draft, ctx = seen[0]

    assert ("acme", "pick", ("a",)) == (draft.account, draft.task_type, draft.tags)
    assert (clock.now(), "requester", "live", {"x": 1, "y": 2}) == (ctx.now, ctx.actor, ctx.mode, ctx.settings)
    assert 0 <= ctx.rng.random() < 1
    assert TaskStatus.PENDING is stored(engine, task).status


def test_a_refusal_stores_nothing_and_is_told_as_it_is(open_engine):
    issue = Issue("/tags", "Too few.", "too_few")
    engine = open_engine(refuses(Rejected("Not today.", issues=[issue])))
    with pytest.raises(Rejected) as caught:
        create(engine)

    assert ("Not today.", (issue,), 422) == (caught.value.detail, caught.value.issues, caught.value.status_hint)
    assert 0 == engine.count_tasks(account="acme")
    assert [] == engine.events()


def test_a_refusal_may_be_just_its_issues(open_engine):
    issues = [Issue("/tags", "Too few.", "too_few"), Issue("", "No.")]
    engine = open_engine(refuses(Rejected(issues)))
    with pytest.raises(Rejected) as caught:
        create(engine)

    assert tuple(issues) == caught.value.issues
    assert "A plugin refused this; its issues say why." == caught.value.detail


def test_every_plugin_is_asked_and_the_issues_are_joined(open_engine):
    asked = []
    engine = open_engine(
        plugin("fine", before_task_create=lambda ctx: asked.append("fine")),
        refuses(Rejected("One.", issues=[Issue("/a", "A."), Issue("/b", "B.")]), "one"),
        refuses(Rejected("Two."), "two"),
    )
    with pytest.raises(Rejected) as caught:
        create(engine)

    assert ["fine"] == asked
    assert {Issue("/a", "A."), Issue("/b", "B."), Issue("", "Two.", "validation_failed")} == set(caught.value.issues)


def test_the_first_refusal_that_is_more_than_plain_gives_class_and_detail(open_engine):
    class Other(OverQuota):
        """Something else."""

        code = "other"

    # Of the host's plugins, the last one is asked first.
    engine = open_engine(
        refuses(Other("Other."), "third"),
        refuses(OverQuota("Over.", issues=[Issue("", "Pay.", "over_quota")], free=5), "second"),
        refuses(Rejected("No."), "first"),
    )
    with pytest.raises(Rejected) as caught:
        create(engine)

    assert (OverQuota, "Over.", 402, {"free": 5}) == (
        type(caught.value),
        caught.value.detail,
        caught.value.status_hint,
        caught.value.extra,
    )
    assert ["validation_failed", "over_quota", "other"] == [issue.code for issue in caught.value.issues]


def test_at_most_32_joined_issues_are_told(open_engine):
    many = [Issue(f"/{n}", "No.") for n in range(30)]
    engine = open_engine(refuses(Rejected(many), "one"), refuses(Rejected(many), "two"))
    with pytest.raises(Rejected) as caught:
        create(engine)

    assert 32 == len(caught.value.issues)


def test_what_a_refusing_plugin_wrote_is_undone_and_so_is_the_rest(open_engine):
    engine = with_notes(open_engine(notes("counts"), notes("refuses", Rejected("No."))))
    with pytest.raises(Rejected):
        create(engine)
    assert 0 == noted(engine)


def test_what_a_plugin_writes_is_stored_with_the_task(open_engine):
    engine = with_notes(open_engine(notes("counts")))
    create(engine)

    assert 1 == noted(engine)
    with pytest.raises(InvalidInput):
        create(engine, params={})
    assert 1 == noted(engine)


@pytest.mark.parametrize("error", [Rejected([Issue("/instruction", "No.")]), RuntimeError("a secret")])
def test_what_is_written_for_a_refused_task_of_a_batch_is_undone_and_the_others_are_stored(open_engine, error):
    def veto(ctx, draft):
        ctx.session.run(WRITE, {"what": draft.instruction})
        if draft.instruction == "refuse":
            raise error

    engine = with_notes(open_engine(plugin("counts", before_task_create=veto)))
    drafts = [engine.draft_task(**fields(instruction=each)) for each in ("a", "refuse", "b")]
    wrong = InvalidInput("That line was no task.")
    one, refused, unread, other = engine.create_tasks([*drafts[:2], wrong, drafts[2]])

    assert isinstance(refused, Rejected | PluginFailed)
    assert wrong is unread
    assert [other, one] == list(engine.list_tasks(account="acme").tasks)
    assert 2 == noted(engine)
    assert ["task_created"] * 2 == [event.name for event in engine.events()]


@pytest.mark.parametrize("error", [RuntimeError("a secret"), SystemExit("a secret"), InvalidInput("a secret")])
def test_a_plugin_that_fails_stores_nothing_and_is_named(open_engine, caplog, error):
    engine = with_notes(open_engine(notes("counts"), notes("broken", error)))
    with pytest.raises(PluginFailed) as caught:
        create(engine)

    assert "The plugin broken failed in before_task_create; nothing was changed." == caught.value.detail
    assert ("plugin_failed", 500, "broken") == (
        caught.value.code,
        caught.value.status_hint,
        caught.value.extra["plugin"],
    )
    assert (0, 0) == (noted(engine), engine.count_tasks(account="acme"))
    assert "a secret" in caplog.text
    assert {("broken", "before_task_create"): 1} == engine.hooks.failures()
    assert [] == engine.check()


def test_after_a_failure_the_next_creation_is_fine(open_engine):
    errors = [RuntimeError()]

    def veto():
        if errors:
            raise errors.pop()

    engine = open_engine(plugin(before_task_create=veto))
    with pytest.raises(PluginFailed):
        create(engine)
    create(engine)

    assert 1 == engine.count_tasks(account="acme")


def test_a_broken_statement_of_a_plugin_is_the_plugins_failure(open_engine):
    engine = open_engine(plugin("broken", before_task_create=lambda ctx: ctx.session.script("SELECT * FROM nowhere")))
    with pytest.raises(PluginFailed, match="broken"):
        create(engine)
    assert 0 == engine.count_tasks(account="acme")


def test_a_database_that_fails_in_a_plugin_is_not_the_plugins_failure(open_engine, tmp_path):
    full = sqlite3.OperationalError("database or disk is full")
    full.sqlite_errorcode = sqlite3.SQLITE_FULL
    engine = open_engine(refuses(full), database=f"sqlite:///{tmp_path / 'labels.db'}")

    with pytest.raises(StoreUnavailable, match="full"):
        create(engine)
    assert 0 == engine.count_tasks(account="acme")


def test_an_error_of_the_store_is_told_as_it_is(open_engine):
    with pytest.raises(StoreBusy):
        create(open_engine(refuses(StoreBusy())))


# --- answering -----------------------------------------------------------------------------------------


def test_an_answer_that_is_refused_is_not_stored_and_the_worker_keeps_the_assignment(open_engine):
    refusals = [Rejected("Look again.", issues=[Issue("/choice", "Not that.", "wrong")])]
    seen = []

    def veto(ctx, task, response):
        seen.append((ctx.actor, task.external_id, response))
        if refusals:
            raise refusals.pop()

    engine = with_notes(
        open_engine(plugin(before_response_accept=veto), notes("counts", hook="before_response_accept"))
    )
    task = create(engine)
    held = claim(engine, ANN)
    with pytest.raises(Rejected, match="Look again"):
        engine.submit(held, ANN, {"choice": "a"})

    assert [held] == [each.assignment.id for each in engine.assignments(ANN)]
    assert 0 == noted(engine)
    assert ("worker:ann", task.external_id, {"choice": "a"}) == seen[0]
    engine.submit(held, ANN, {"choice": "a"})
    assert (TaskStatus.COMPLETED, 1) == (stored(engine, task).status, noted(engine))
    assert ["task_created", "task_assigned", "response_rejected", "response_submitted", "task_completed"] == history(
        engine, task
    )


def test_a_plugin_that_fails_at_an_answer_leaves_it_with_the_worker(open_engine):
    engine = open_engine(refuses(RuntimeError(), "broken", "before_response_accept"))
    create(engine)
    held = claim(engine, ANN)
    with pytest.raises(PluginFailed, match="The plugin broken failed in before_response_accept"):
        engine.submit(held, ANN, {"choice": "a"})

    assert [held] == [each.assignment.id for each in engine.assignments(ANN)]
    assert [] == engine.check()


def test_an_answer_that_is_not_the_workers_is_not_shown_to_plugins(open_engine):
    seen = []
    engine = open_engine(plugin(before_response_accept=lambda task: seen.append(task)))
    create(engine)
    held = claim(engine, ANN)
    engine.release(held, ANN)
    with pytest.raises(LeaseLost):
        engine.submit(held, ANN, {"choice": "a"})

    assert [] == seen


# --- assigning -----------------------------------------------------------------------------------------


def test_a_task_that_a_plugin_keeps_back_is_passed_over_for_this_worker(open_engine):
    def veto(task, worker):
        if worker.id == "ann" and "secret" in task.tags:
            raise Rejected("Not for you.")

    engine = open_engine(plugin(before_assign=veto))
    secret, other = create(engine, tags=["secret"], priority=90), create(engine)

    assert other.external_id == engine.claim(ANN).task.external_id
    assert engine.claim(ANN) is None
    assert secret.external_id == engine.claim(BOB).task.external_id
    assert {} == engine.hooks.failures()


def test_a_plugin_that_fails_keeps_the_task_back_and_is_counted(open_engine, caplog):
    def veto(ctx, task):
        ctx.session.run(WRITE, {"what": "x"})
        if "odd" in task.tags:
            raise SystemExit("odd")

    engine = with_notes(open_engine(plugin("broken", before_assign=veto)))
    create(engine, tags=["odd"], priority=90)
    fine = create(engine)

    assert fine.external_id == engine.claim(ANN).task.external_id
    assert {("broken", "before_assign"): 1} == engine.hooks.failures()
    assert 1 == noted(engine)
    assert "the plugin broken failed in before_assign" in caplog.text
    assert [] == engine.check()


# --- slow ----------------------------------------------------------------------------------------------


def test_a_slow_hook_inside_a_transaction_is_warned_about(open_engine, caplog):
    def veto(ctx):
        time.sleep(0.06)  # longer than the 50 ms that are allowed

    engine = open_engine(plugin("slow", before_task_create=veto))
    create(engine)

    (warning,) = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert ("slow", "before_task_create") == (warning.plugin, warning.hook)
    assert "ms in before_task_create, inside a transaction; others wait meanwhile" in warning.getMessage()


def test_a_quick_hook_is_not_warned_about(open_engine, caplog, monkeypatch):
    monkeypatch.setattr(hooks, "_SLOW_S", 60)  # whatever else this machine does
    engine = open_engine(plugin("quick", before_task_create=lambda ctx: None))
    create(engine)
    answer(engine, ANN)

    assert [] == [record for record in caplog.records if "inside a transaction" in record.getMessage()]
