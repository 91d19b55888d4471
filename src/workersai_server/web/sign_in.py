"""Signing up, in and out, and how the pages look to a visitor."""

from __future__ import annotations

from collections.abc import Mapping

import falcon

from workersai_core import Conflict, InvalidInput, WorkersAIError
from workersai_server.accounts.sessions import Role
from workersai_server.credentials import ApiRequest
from workersai_server.errors import Forbidden, RateLimited, Unauthenticated
from workersai_server.web.visits import Page, Site, Visit, last

__all__ = ["add_routes", "door_of", "local_path"]

_DOORS: Mapping[Role, str] = {"requester": "/sign-in", "worker": "/work/sign-in"}
_HOMES: Mapping[Role, str] = {"requester": "/dashboard", "worker": "/work"}


def add_routes(app: falcon.App[ApiRequest, falcon.Response], site: Site) -> None:
    """Add the pages of this module."""
    app.add_route("/", Start(site))
    app.add_route("/sign-in", SignIn(site))
    app.add_route("/sign-up", SignUp(site))
    app.add_route("/sign-out", SignOut(site))
    app.add_route("/work/sign-in", WorkerSignIn(site))
    app.add_route("/preferences", Preferences(site))


def door_of(error: Unauthenticated) -> str:
    """Return where to sign in after an error."""
    return _DOORS.get(error.extra.get("role", "requester"), "/sign-in")


def local_path(text: str | None, otherwise: str) -> str:
    """Return a path of this site that somebody passed along; `otherwise` when it leads elsewhere."""
    # SECURITY: "//host" and "/\host" lead to another site.
    if text is None or not text.startswith("/") or text[1:2] in ("/", "\\") or not text.isprintable():
        return otherwise
    return text


class Start(Page):
    """``/``: where to go."""

    def on_get(self, req: ApiRequest, resp: falcon.Response) -> None:
        """Show the ways in; whoever is signed in goes on."""
        visit = self.site.visit(req, resp)
        if visit.signed_in is not None:
            visit.go(_HOMES[visit.signed_in.role])
        else:
            visit.page("start.html", sign_up_open=self.site.settings.sign_up == "open")


class SignIn(Page):
    """``/sign-in``: a requester's email and password."""

    def on_get(self, req: ApiRequest, resp: falcon.Response) -> None:
        """Show the form."""
        _show_sign_in(self.site.visit(req, resp), next_path=req.get_param("next"))

    def on_post(self, req: ApiRequest, resp: falcon.Response) -> None:
        """Start a session."""
        visit = self.site.visit(req, resp)
        fields = visit.posted()
        email, next_path = last(fields, "email"), last(fields, "next")
        try:
            token = self.site.sessions.sign_in(email, last(fields, "password"), address=visit.address)
        except (Unauthenticated, RateLimited) as error:
            _show_sign_in(visit, error=error, email=email, next_path=next_path)
            return
        visit.remember(token)
        visit.go(local_path(next_path, _HOMES["requester"]))


def _show_sign_in(
    visit: Visit, *, error: WorkersAIError | None = None, email: str = "", next_path: str | None = None
) -> None:
    visit.page(
        "sign_in.html",
        status=200 if error is None else error.status_hint,
        error=None if error is None else visit.error_text(error),
        email=email,
        next_path=local_path(next_path, ""),
        sign_up_open=visit.site.settings.sign_up == "open",
    )


class SignUp(Page):
    """``/sign-up``: a new account, where the operator allows it."""

    def on_get(self, req: ApiRequest, resp: falcon.Response) -> None:
        """Show the form."""
        self._show(self.site.visit(req, resp))

    def on_post(self, req: ApiRequest, resp: falcon.Response) -> None:
        """Make the account, start a session, and show the keys this once."""
        visit = self.site.visit(req, resp)
        fields = visit.posted()
        email = last(fields, "email")
        try:
            made = self.site.accounts.sign_up(email, last(fields, "password"))
        except (InvalidInput, Conflict, Forbidden) as error:
            self._show(visit, error=error, email=email)
            return
        visit.remember(self.site.sessions.start("requester", made.account_id))
        visit.page("welcome.html", made=made)

    def _show(self, visit: Visit, *, error: WorkersAIError | None = None, email: str = "") -> None:
        is_open = self.site.settings.sign_up == "open"
        visit.page(
            "sign_up.html",
            status=error.status_hint if error is not None else 200 if is_open else 403,
            error=None if error is None else visit.error_text(error),
            email=email,
            sign_up_open=is_open,
        )


class WorkerSignIn(Page):
    """``/work/sign-in``: a worker's token."""

    def on_get(self, req: ApiRequest, resp: falcon.Response) -> None:
        """Show the form."""
        visit = self.site.visit(req, resp)
        visit.page("worker_sign_in.html", error=None, next_path=local_path(req.get_param("next"), ""))

    def on_post(self, req: ApiRequest, resp: falcon.Response) -> None:
        """Start a session."""
        visit = self.site.visit(req, resp)
        fields = visit.posted()
        next_path = last(fields, "next")
        try:
            token = self.site.sessions.sign_in_worker(last(fields, "token"), address=visit.address)
        except (Unauthenticated, RateLimited) as error:
            text = visit.error_text(error)
            visit.page("worker_sign_in.html", status=error.status_hint, error=text, next_path=local_path(next_path, ""))
            return
        visit.remember(token)
        visit.go(local_path(next_path, _HOMES["worker"]))


class SignOut(Page):
    """``/sign-out``: the end of a session."""

    def on_post(self, req: ApiRequest, resp: falcon.Response) -> None:
        """End the session."""
        visit = self.site.visit(req, resp)
        visit.posted()
        visit.forget()
        visit.go("/")


class Preferences(Page):
    """``/preferences``: language and theme, kept in the browser."""

    def on_post(self, req: ApiRequest, resp: falcon.Response) -> None:
        """Remember what was chosen and go back."""
        visit = self.site.visit(req, resp)
        fields = visit.posted()
        if "language" in fields:
            visit.choose_language(last(fields, "language"))
        if "theme" in fields:
            visit.choose_theme(last(fields, "theme"))
        visit.go(local_path(last(fields, "next"), "/"))
