"""Drafts, and answers that may be taken back for a while."""

from __future__ import annotations

import pytest

from support.accounts import house
from workersai_core import AlreadySubmitted, InvalidInput, LeaseLost, Rejected, TaskStatus, Worker
from workersai_core.api import Issue, hookimpl
from workersai_server.answers import UNDO_S, Answers

ANNA, BORA = Worker(id="anna"), Worker(id="bora")
BIG, SMALL = {"category": "big"}, {"category": "small"}


class Refuser:
    """Refuses every answer while it is told to."""

    def __init__(self):
        self.refuses = False

    @hookimpl
    def before_response_accept(self, ctx, task, response):
        if self.refuses:
            raise Rejected("No.", issues=[Issue("/category", "Not this one.", "vetoed")])


@pytest.fixture
def home():
    home = house()
    yield home
    home.engine.close()


@pytest.fixture
def answers(home):
    return Answers(home.engine)


def claim(home, worker=ANNA, **fields):
    home.create("acme", **fields)
    return home.engine.claim(worker).assignment.id


def status(home, claimed):
    task_id = claimed.task.external_id
    return home.engine.get_task(task_id, account="acme").status


def test_a_draft_is_kept_and_belongs_to_its_worker(home, answers):
    assignment = claim(home)
    answers.save(ANNA, assignment, {"category": "bi"})
    answers.save(ANNA, assignment, {"category": "big?"})
    assert {"category": "big?"} == answers.draft(ANNA, assignment).response
    assert answers.draft(BORA, assignment) is None
    with pytest.raises(LeaseLost):
        answers.save(BORA, assignment, SMALL)


def test_a_held_answer_is_submitted_when_the_window_has_passed(home, answers):
    home.create("acme")
    claimed = home.engine.claim(ANNA)
    held = answers.hold(ANNA, claimed.assignment.id, BIG)
    assert home.clock.now() == held.saved_at
    home.advance(UNDO_S - 0.001)
    assert 0 == answers.settle()
    assert TaskStatus.IN_PROGRESS == status(home, claimed)
    home.advance(0.001)
    assert 1 == answers.settle()
    assert TaskStatus.COMPLETED == status(home, claimed)
    assert answers.draft(ANNA, claimed.assignment.id) is None


def test_a_held_answer_is_submitted_when_the_next_one_is_finished(home, answers):
    home.create("acme")
    home.create("acme")
    first, second = home.engine.claim(ANNA), home.engine.claim(ANNA)
    answers.hold(ANNA, first.assignment.id, BIG)
    answers.hold(ANNA, second.assignment.id, SMALL)
    assert [TaskStatus.COMPLETED, TaskStatus.IN_PROGRESS] == [status(home, first), status(home, second)]
    assert [second.assignment.id] == [draft.assignment_id for draft in answers.held(ANNA)]


def test_an_answer_taken_back_can_be_changed(home, answers):
    home.create("acme")
    claimed = home.engine.claim(ANNA)
    answers.hold(ANNA, claimed.assignment.id, BIG)
    assert BIG == answers.undo(ANNA, claimed.assignment.id).response
    home.advance(UNDO_S)
    assert 0 == answers.settle()
    answers.hold(ANNA, claimed.assignment.id, SMALL)
    answers.flush(ANNA)
    task = home.engine.get_task(claimed.task.external_id, account="acme")
    assert SMALL == task.response


def test_an_answer_that_is_final_cannot_be_taken_back(home, answers):
    assignment = claim(home)
    answers.hold(ANNA, assignment, BIG)
    answers.flush(ANNA)
    for worker in (ANNA, BORA):
        with pytest.raises(AlreadySubmitted):
            answers.undo(worker, assignment)


def test_a_wrong_answer_is_not_held_and_the_draft_stays(home, answers):
    assignment = claim(home)
    answers.save(ANNA, assignment, SMALL)
    with pytest.raises(InvalidInput):
        answers.hold(ANNA, assignment, {"category": "huge"})
    assert SMALL == answers.draft(ANNA, assignment).response
    assert [] == answers.held(ANNA)


def test_holding_the_same_answer_again_is_a_success_also_when_it_is_final(home, answers):
    assignment = claim(home)
    answers.hold(ANNA, assignment, BIG)
    answers.hold(ANNA, assignment, BIG)
    answers.flush(ANNA)
    assert answers.hold(ANNA, assignment, BIG) is None
    with pytest.raises(AlreadySubmitted):
        answers.hold(ANNA, assignment, SMALL)


def test_the_lease_outlasts_the_undo_window(home, answers):
    home.create("acme")
    claimed = home.engine.claim(ANNA, lease_s=30)
    home.advance(29)
    answers.hold(ANNA, claimed.assignment.id, BIG)
    home.advance(UNDO_S)
    answers.settle()
    assert TaskStatus.COMPLETED == status(home, claimed)


def test_an_answer_for_a_canceled_task_is_forgotten(home, answers):
    home.create("acme")
    claimed = home.engine.claim(ANNA)
    answers.hold(ANNA, claimed.assignment.id, BIG)
    home.engine.cancel_task(claimed.task.external_id, account="acme")
    home.advance(UNDO_S)
    answers.settle()
    assert answers.draft(ANNA, claimed.assignment.id) is None
    assert TaskStatus.CANCELED == status(home, claimed)


def test_an_answer_that_a_plugin_refuses_becomes_a_draft_that_says_why(home):
    refuser = Refuser()
    home.engine.close()
    home = house(plugins=[refuser])
    answers = Answers(home.engine)
    assignment = claim(home)
    answers.hold(ANNA, assignment, BIG)
    refuser.refuses = True
    home.advance(UNDO_S)
    answers.settle()
    draft = answers.draft(ANNA, assignment)
    assert (None, ["vetoed"]) == (draft.submit_at, [issue.code for issue in draft.refusal])
    refuser.refuses = False
    answers.hold(ANNA, assignment, BIG)
    answers.flush(ANNA)
    assert answers.draft(ANNA, assignment) is None
    home.engine.close()


def test_without_an_undo_window_an_answer_is_final_at_once(home):
    home.create("acme")
    claimed = home.engine.claim(ANNA)
    assert Answers(home.engine, undo_s=0).hold(ANNA, claimed.assignment.id, BIG) is None
    assert TaskStatus.COMPLETED == status(home, claimed)
