"""``/dashboard/callbacks``: what is owed, what failed, and sending again."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

import falcon

from workersai_core import CallbackState, WorkersAIError, jsontext
from workersai_core.api import JsonObject, TaskType
from workersai_server.credentials import ApiRequest
from workersai_server.web.dashboard.view import DashboardPage, View
from workersai_server.web.visits import Site, last

__all__ = ["add_routes"]

_MOST = 100
_STATES = (CallbackState.EXHAUSTED, CallbackState.PENDING, CallbackState.DELIVERED)


def add_routes(app: falcon.App[ApiRequest, falcon.Response], site: Site) -> None:
    """Add the pages of this module."""
    app.add_route("/dashboard/callbacks", Callbacks(site))
    app.add_route("/dashboard/callbacks/replay", Replay(site))
    app.add_route("/dashboard/callbacks/defaults", Defaults(site))
    app.add_route("/dashboard/callbacks/test", TestEvent(site))
    app.add_route("/dashboard/endpoints/{endpoint_id}/enable", Enable(site))


class Callbacks(DashboardPage):
    """Deliveries by state, and the endpoints."""

    def on_get(self, req: ApiRequest, resp: falcon.Response) -> None:
        """Show them."""
        _show(self, self.view(req, resp), state=req.get_param("state"))


def _show(page: DashboardPage, view: View, *, state: str | None = None, error: WorkersAIError | None = None) -> None:
    chosen = state if state in [each.value for each in _STATES] else CallbackState.EXHAUSTED.value
    engine = page.site.engine
    view.page(
        "dashboard/callbacks.html",
        status=200 if error is None else error.status_hint,
        error=None if error is None else view.visit.error_text(error),
        state=chosen,
        states=[each.value for each in _STATES],
        deliveries=engine.list_callbacks(account=view.account.id, mode=view.mode, state=chosen, limit=_MOST),
        endpoints=engine.endpoints(view.account.id),
        default_url=view.account.callback_url or "",
    )


class Replay(DashboardPage):
    """Sending again: one delivery, or all that failed in the last days."""

    def on_post(self, req: ApiRequest, resp: falcon.Response) -> None:
        """Queue them and go back."""
        view = self.view(req, resp)
        fields = view.visit.posted()
        engine, account = self.site.engine, view.account
        delivery = last(fields, "delivery")
        if delivery:
            engine.replay_callback(delivery, account=account.id, mode=view.mode)
        else:
            days = int(last(fields, "days") or 1) if last(fields, "days").isdigit() else 1
            since = engine.clock.now() - timedelta(days=min(days, 365))
            engine.replay_callbacks(account=account.id, mode=view.mode, since=since)
        task = last(fields, "task")
        view.visit.go(f"/dashboard/tasks/{task}" if task else "/dashboard/callbacks", state=None if task else "pending")


class Defaults(DashboardPage):
    """The account's own callback address."""

    def on_post(self, req: ApiRequest, resp: falcon.Response) -> None:
        """Set it."""
        view = self.view(req, resp)
        url = last(view.visit.posted(), "callback_url").strip() or None
        try:
            self.site.accounts.set_callback_defaults(view.account.id, url, view.account.callback_events)
        except WorkersAIError as error:
            _show(self, view, error=error)
            return
        view.visit.go("/dashboard/callbacks")


class TestEvent(DashboardPage):
    """A test task, whose callback arrives at an address of the account's choice."""

    def on_post(self, req: ApiRequest, resp: falcon.Response) -> None:
        """Create it and show its page."""
        view = self.view(req, resp)
        url = last(view.visit.posted(), "callback_url").strip() or view.account.callback_url
        task_type, params = _example(self.site.engine.types)
        try:
            task = self.site.engine.create_task(
                account=view.account.id, mode="test", task_type=task_type.name, params=params, callback_url=url
            )
        except WorkersAIError as error:
            _show(self, view, error=error)
            return
        view.visit.go(f"/dashboard/tasks/{task.external_id}", mode="test")


def _example(types: Iterable[TaskType]) -> tuple[TaskType, JsonObject]:
    """Return a task type and an example of its params, if possible one whose page shows nothing from elsewhere."""
    examples = [(task_type, params) for task_type in types for params, _ in task_type.examples]
    return next((each for each in examples if "://" not in jsontext.dumps(each[1])), examples[0])


class Enable(DashboardPage):
    """Calling a disabled endpoint again."""

    def on_post(self, req: ApiRequest, resp: falcon.Response, endpoint_id: str) -> None:
        """Enable it."""
        view = self.view(req, resp)
        view.visit.posted()
        self.site.engine.enable_endpoint(endpoint_id, account=view.account.id)
        view.visit.go("/dashboard/callbacks")
