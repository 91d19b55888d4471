"""What all pages of the dashboard share: whose it is, and live or test."""

from __future__ import annotations

from typing import Any

import attrs
import falcon

from workersai_core import Mode
from workersai_server.accounts import Account
from workersai_server.credentials import ApiRequest
from workersai_server.web.visits import Page, Visit

__all__ = ["DashboardPage", "View"]

_MODE_COOKIE = "wai_mode"


@attrs.frozen
class View:
    """One visit of the dashboard."""

    visit: Visit
    account: Account
    mode: Mode

    def page(self, template: str, *, status: int = 200, **context: Any) -> None:
        """Answer with a page of the dashboard."""
        self.visit.page(template, status=status, media_hosts=True, account=self.account, mode=self.mode, **context)


class DashboardPage(Page):
    """A page for the owner of an account."""

    def view(self, req: ApiRequest, resp: falcon.Response) -> View:
        """Return the visit, whose account and mode.

        Raises:
            Unauthenticated: nobody is signed in.
        """
        visit = self.site.visit(req, resp)
        account = visit.account()
        asked = req.get_param("mode")
        if asked in ("live", "test"):
            visit.choose(_MODE_COOKIE, asked)
        chosen = asked or req.cookies.get(_MODE_COOKIE)
        return View(visit, account, "test" if chosen == "test" else "live")
