"""``/operate``: queues, workers, plugins, dead callbacks, the log of what happened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import attrs
import falcon

from workersai_core import WorkersAIError
from workersai_server.accounts import WorkerEntry
from workersai_server.credentials import ApiRequest
from workersai_server.web.visits import Page, Site, Visit, last

__all__ = ["add_routes"]

_DAYS = 7
_EVENTS = 200


def add_routes(app: falcon.App[ApiRequest, falcon.Response], site: Site) -> None:
    """Add the pages of this module."""
    app.add_route("/operate", Overview(site))
    workers = Workers(site)
    app.add_route("/operate/workers", workers)
    app.add_route("/operate/workers/block", workers, suffix="block")
    accounts = AccountList(site)
    app.add_route("/operate/accounts", accounts)
    app.add_route("/operate/accounts/credit", accounts, suffix="credit")
    app.add_route("/operate/accounts/unlimited", accounts, suffix="unlimited")
    app.add_route("/operate/plugins", PluginList(site))
    app.add_route("/operate/log", Log(site))


class _OperatorPage(Page):
    """A page for operators only."""

    def visit(self, req: ApiRequest, resp: falcon.Response) -> Visit:
        """Return the visit of an operator.

        Raises:
            Unauthenticated, Forbidden: see `Visit.operator`.
        """
        visit = self.site.visit(req, resp)
        visit.operator()
        return visit


class Overview(_OperatorPage):
    """Health, queues and what could not be delivered."""

    def on_get(self, req: ApiRequest, resp: falcon.Response) -> None:
        """Show it."""
        visit = self.visit(req, resp)
        engine = self.site.engine
        now = engine.clock.now()
        dead = [
            (account, endpoint)
            for account in self.site.accounts.list()
            for endpoint in engine.endpoints(account.id)
            if endpoint.disabled_at or endpoint.failing_since
        ]
        visit.page(
            "operate/overview.html",
            health=engine.health(),
            queues=[(queue, int((now - queue.oldest_at).total_seconds() // 60)) for queue in engine.queues()],
            dead=dead,
        )


@attrs.frozen(kw_only=True)
class _Row:
    """A worker and what they did."""

    worker: WorkerEntry
    submitted: int
    skipped: int
    expired: int
    seconds: float | None


class Workers(_OperatorPage):
    """Who labels, how much and how fast; making and blocking workers."""

    def on_get(self, req: ApiRequest, resp: falcon.Response) -> None:
        """List them."""
        self._show(self.visit(req, resp))

    def on_post(self, req: ApiRequest, resp: falcon.Response) -> None:
        """Make a worker; the token is shown once."""
        visit = self.visit(req, resp)
        fields = visit.posted()
        try:
            made = self.site.accounts.create_worker(last(fields, "name"), [s for s in fields.get("skill", ()) if s])
        except WorkersAIError as error:
            self._show(visit, error=error)
            return
        self._show(visit, token=made.token)

    def on_post_block(self, req: ApiRequest, resp: falcon.Response) -> None:
        """End a worker's token."""
        visit = self.visit(req, resp)
        self.site.accounts.revoke_worker(last(visit.posted(), "worker"))
        visit.go("/operate/workers")

    def _show(self, visit: Visit, *, token: str | None = None, error: WorkersAIError | None = None) -> None:
        engine = self.site.engine
        records = engine.worker_records(since=engine.clock.now() - timedelta(days=_DAYS))
        visit.page(
            "operate/workers.html",
            status=200 if error is None else error.status_hint,
            error=None if error is None else visit.error_text(error),
            rows=[_row(worker, records) for worker in self.site.accounts.list_workers()],
            days=_DAYS,
            token=token,
            types=engine.types.names(),
        )


def _row(worker: WorkerEntry, records: Mapping[str, Any]) -> _Row:
    record = records.get(worker.id)
    if record is None:
        return _Row(worker=worker, submitted=0, skipped=0, expired=0, seconds=None)
    return _Row(
        worker=worker,
        submitted=record.submitted,
        skipped=record.skipped,
        expired=record.expired,
        seconds=record.seconds_per_answer,
    )


class AccountList(_OperatorPage):
    """Who asks, what they have left; credit and limits."""

    def on_get(self, req: ApiRequest, resp: falcon.Response) -> None:
        """List them."""
        self._show(self.visit(req, resp))

    def on_post_credit(self, req: ApiRequest, resp: falcon.Response) -> None:
        """Give an account credit."""
        visit = self.visit(req, resp)
        fields = visit.posted()
        try:
            self.site.accounts.credit(last(fields, "email"), last(fields, "amount").strip())
        except WorkersAIError as error:
            self._show(visit, error=error)
            return
        visit.go("/operate/accounts")

    def on_post_unlimited(self, req: ApiRequest, resp: falcon.Response) -> None:
        """Lift or restore an account's limit."""
        visit = self.visit(req, resp)
        fields = visit.posted()
        self.site.accounts.set_unlimited(last(fields, "email"), last(fields, "unlimited") == "yes")
        visit.go("/operate/accounts")

    def _show(self, visit: Visit, *, error: WorkersAIError | None = None) -> None:
        visit.page(
            "operate/accounts.html",
            status=200 if error is None else error.status_hint,
            error=None if error is None else visit.error_text(error),
            accounts=self.site.accounts.list(),
        )


class PluginList(_OperatorPage):
    """What is loaded, what failed and why."""

    def on_get(self, req: ApiRequest, resp: falcon.Response) -> None:
        """List them."""
        visit = self.visit(req, resp)
        visit.page("operate/plugins.html", plugins=_sorted(self.site.engine.plugins.reports()))


def _sorted(reports: Sequence[Any]) -> Sequence[Any]:
    """Return the reports, those that need a look first."""
    return sorted(reports, key=lambda report: (report.state == "ok", report.name))


class Log(_OperatorPage):
    """What happened, the newest last; the engine's own event log."""

    def on_get(self, req: ApiRequest, resp: falcon.Response) -> None:
        """Show a page of it."""
        visit = self.visit(req, resp)
        text = req.get_param("after") or "0"
        after = int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0
        events = self.site.engine.events(after=after, limit=_EVENTS)
        visit.page("operate/log.html", events=events, next_after=events[-1].id if len(events) == _EVENTS else None)
