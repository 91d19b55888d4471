"""The addresses of the worker console."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import falcon

from workersai_core import Claim, InvalidInput, LeaseLost, TooManyAssignments, Worker
from workersai_core.errors import Issue
from workersai_server.credentials import ApiRequest
from workersai_server.errors import InvalidBody
from workersai_server.web import forms
from workersai_server.web.console.items import Item, inside_response, item_of
from workersai_server.web.visits import Page, Site, Visit

__all__ = ["add_routes"]

_MOST_SHOWN = 4
"""How many items a console may have: on the screen, behind it, and answered but not sent yet."""


def add_routes(app: falcon.App[ApiRequest, falcon.Response], site: Site) -> None:
    """Add the pages of this module."""
    app.add_route("/work", Console(site))
    app.add_route("/work/next", Next(site))
    app.add_route("/work/preferences", Preferences(site))
    one = OneItem(site)
    for verb in ("answer", "undo", "skip", "release", "renew", "draft"):
        app.add_route(f"/work/{{assignment_id}}/{verb}", one, suffix=verb)


class Console(Page):
    """``/work``: the item to do now."""

    def on_get(self, req: ApiRequest, resp: falcon.Response) -> None:
        """Show what the worker holds, or take the next."""
        visit = self.site.visit(req, resp)
        worker = visit.require("worker").as_worker
        claim = _held(self.site, worker) or self._claim(worker)
        _show(visit, None if claim is None else _with_draft(visit, worker, claim))

    def _claim(self, worker: Worker) -> Claim | None:
        try:
            return self.site.engine.claim(worker)
        except TooManyAssignments:
            # All that is held waits for the end of its undo window: make room.
            self.site.answers.flush(worker)
            return self.site.engine.claim(worker)


class Next(Page):
    """``/work/next``: an item ahead of time, for the script."""

    def on_post(self, req: ApiRequest, resp: falcon.Response) -> None:
        """Give one that the console does not show yet; 204 when there is none."""
        visit = self.site.visit(req, resp)
        worker = visit.require("worker").as_worker
        shown = visit.posted_json().get("shown", [])
        if not isinstance(shown, list):
            raise InvalidBody("shown is an array of assignment ids.")
        waiting = [each for each in _all_held(self.site, worker) if each.assignment.id not in shown]
        claim = waiting[0] if waiting else self._claim(worker, shown)
        if claim is None:
            resp.status = falcon.HTTP_204
        else:
            visit.json(_fragment(visit, _with_draft(visit, worker, claim)))

    def _claim(self, worker: Worker, shown: Sequence[Any]) -> Claim | None:
        if len(shown) >= _MOST_SHOWN:
            return None
        try:
            return self.site.engine.claim(worker)
        except TooManyAssignments:
            return None


class Preferences(Page):
    """``/work/preferences``: what a worker has chosen, for the script."""

    def on_post(self, req: ApiRequest, resp: falcon.Response) -> None:
        """Change what is named."""
        visit = self.site.visit(req, resp)
        worker = visit.worker()
        self.site.accounts.prefer(worker.id, visit.posted_json())
        resp.status = falcon.HTTP_204


class OneItem(Page):
    """``/work/ID/VERB``: what a worker does with an item."""

    def on_post_answer(self, req: ApiRequest, resp: falcon.Response, assignment_id: str) -> None:
        """Take the answer; it can be taken back for a while."""
        visit = self.site.visit(req, resp)
        worker = visit.require("worker").as_worker
        posted = visit.posted()
        claim = _find(self.site, worker, assignment_id)
        if claim is None:
            self._answer_again(visit, worker, assignment_id)
            return
        decoded = forms.decode(claim.response_schema, posted)
        issues: Sequence[Issue] = decoded.issues
        if not issues and not decoded.edited:
            try:
                held = self.site.answers.hold(worker, assignment_id, decoded.value)
            except InvalidInput as error:
                issues = inside_response(error.issues) or [Issue("", error.detail, error.code)]
            else:
                self._accepted(visit, assignment_id, undo=held is not None)
                return
        item = item_of(self.site, claim, visit.language, decoded.shown, issues)
        if visit.wants_json:
            visit.json(_fragment(visit, item), status=200 if decoded.edited else 422)
        else:
            _show(visit, item, status=200 if decoded.edited else 422)

    def on_post_undo(self, req: ApiRequest, resp: falcon.Response, assignment_id: str) -> None:
        """Take the last answer back."""
        visit = self.site.visit(req, resp)
        worker = visit.require("worker").as_worker
        visit.posted()
        draft = self.site.answers.undo(worker, assignment_id)
        claim = _find(self.site, worker, assignment_id)
        if claim is None:
            raise LeaseLost("This assignment has ended; go on with the next one.")
        item = item_of(self.site, claim, visit.language, draft.response)
        if visit.wants_json:
            visit.json(_fragment(visit, item))
        else:
            _show(visit, item)

    def on_post_skip(self, req: ApiRequest, resp: falcon.Response, assignment_id: str) -> None:
        """Decline the task for good."""
        visit = self.site.visit(req, resp)
        worker = visit.require("worker").as_worker
        fields = visit.posted()
        reason = " ".join(text for text in fields.get("reason", ()) if text) or None
        self.site.engine.skip(assignment_id, worker, reason=reason)
        self.site.answers.forget(assignment_id)
        self._done(visit)

    def on_post_release(self, req: ApiRequest, resp: falcon.Response, assignment_id: str) -> None:
        """Give the task back."""
        visit = self.site.visit(req, resp)
        worker = visit.require("worker").as_worker
        visit.posted()
        self.site.engine.release(assignment_id, worker)
        self.site.answers.forget(assignment_id)
        self._done(visit)

    def on_post_renew(self, req: ApiRequest, resp: falcon.Response, assignment_id: str) -> None:
        """Hold it for longer."""
        visit = self.site.visit(req, resp)
        worker = visit.require("worker").as_worker
        visit.posted()
        assignment = self.site.engine.renew(assignment_id, worker)
        if visit.wants_json:
            visit.json({"lease_expires_at": visit.time(assignment.lease_expires_at)})
        else:
            visit.go("/work")

    def on_post_draft(self, req: ApiRequest, resp: falcon.Response, assignment_id: str) -> None:
        """Keep what is written so far."""
        visit = self.site.visit(req, resp)
        worker = visit.require("worker").as_worker
        posted = visit.posted()
        claim = _find(self.site, worker, assignment_id)
        if claim is None:
            raise LeaseLost("This assignment has ended; go on with the next one.")
        self.site.answers.save(worker, assignment_id, forms.decode(claim.response_schema, posted).value)
        resp.status = falcon.HTTP_204

    def _answer_again(self, visit: Visit, worker: Worker, assignment_id: str) -> None:
        """Say what became of an answer whose assignment has ended: a repetition after a lost reply is fine."""
        assignment = self.site.engine.assignment(assignment_id, worker)
        if assignment.state.value != "submitted":
            raise LeaseLost("The time for this item has run out; somebody else may do it now.")
        self._accepted(visit, assignment_id, undo=False)

    def _accepted(self, visit: Visit, assignment_id: str, *, undo: bool) -> None:
        if visit.wants_json:
            visit.json({"assignment_id": assignment_id, "undo_s": self.site.answers.undo_s if undo else 0})
        else:
            visit.go("/work", undo=assignment_id if undo else None)

    def _done(self, visit: Visit) -> None:
        if visit.wants_json:
            visit.resp.status = falcon.HTTP_204
        else:
            visit.go("/work")


def _all_held(site: Site, worker: Worker) -> list[Claim]:
    """Return what a worker has to do still; not what is answered and may be taken back."""
    answered = {draft.assignment_id for draft in site.answers.held(worker)}
    return [claim for claim in site.engine.assignments(worker) if claim.assignment.id not in answered]


def _held(site: Site, worker: Worker) -> Claim | None:
    return next(iter(_all_held(site, worker)), None)


def _find(site: Site, worker: Worker, assignment_id: str) -> Claim | None:
    return next((each for each in site.engine.assignments(worker) if each.assignment.id == assignment_id), None)


def _with_draft(visit: Visit, worker: Worker, claim: Claim) -> Item:
    draft = visit.site.answers.draft(worker, claim.assignment.id)
    if draft is None:
        return item_of(visit.site, claim, visit.language)
    return item_of(visit.site, claim, visit.language, draft.response, inside_response(draft.refusal))


def _fragment(visit: Visit, item: Item) -> dict[str, Any]:
    return {"assignment_id": item.assignment_id, "html": visit.fragment("work/item.html", item=item)}


def _show(visit: Visit, item: Item | None, *, status: int = 200) -> None:
    worker = visit.worker()
    held = visit.site.answers.held(visit.require("worker").as_worker)
    visit.page(
        "work/console.html",
        status=status,
        media_hosts=True,
        worker=worker,
        item=item,
        undo_id=held[-1].assignment_id if held else None,
        undo_s=visit.site.answers.undo_s,
    )
