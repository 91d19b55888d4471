"""``/dashboard``: how things go."""

from __future__ import annotations

import falcon

from workersai_server.amounts import from_micros
from workersai_server.credentials import ApiRequest
from workersai_server.quota import Quota
from workersai_server.web.dashboard.charts import chart
from workersai_server.web.dashboard.view import DashboardPage
from workersai_server.web.visits import Site

__all__ = ["add_routes"]

_DAYS = 30


def add_routes(app: falcon.App[ApiRequest, falcon.Response], site: Site) -> None:
    """Add the pages of this module."""
    app.add_route("/dashboard", Overview(site))


class Overview(DashboardPage):
    """The first page: usage, credit, charts of the last 30 days."""

    def on_get(self, req: ApiRequest, resp: falcon.Response) -> None:
        """Show it."""
        view = self.view(req, resp)
        engine, account = self.site.engine, view.account
        found = engine.statistics(account=account.id, mode=view.mode, days=_DAYS)
        quota = Quota(self.site.settings)
        remaining = engine.read(lambda tx: quota.free_requests_remaining(tx.session, account.id))
        days = [day.at for day in found.days]
        text = view.visit.text
        owed = sum(found.callbacks.values()) - found.callbacks.get("skipped", 0)
        view.page(
            "dashboard/overview.html",
            statuses=found.by_status,
            callbacks=found.callbacks,
            delivered_share=None if not owed else found.callbacks.get("delivered", 0) / owed,
            remaining=remaining,
            credit=from_micros(account.credit_micros),
            spent=from_micros(account.spent_micros),
            days=_DAYS,
            charts=[
                chart(text("Tasks created"), days, [day.created for day in found.days]),
                chart(text("Tasks completed"), days, [day.completed for day in found.days]),
                chart(
                    text("Minutes from creation to result"),
                    days,
                    [None if day.turnaround_s is None else day.turnaround_s / 60 for day in found.days],
                    digits=1,
                ),
                chart(text("Agreement of answers"), days, [day.confidence for day in found.days], digits=2),
            ],
        )
