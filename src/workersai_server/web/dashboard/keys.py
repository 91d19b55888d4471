"""``/dashboard/keys``: API keys and webhook secrets; a new one is shown once."""

from __future__ import annotations

import falcon

from workersai_core import NotFound, WorkersAIError
from workersai_server.credentials import ApiRequest
from workersai_server.web.dashboard.view import DashboardPage, View
from workersai_server.web.visits import Site, last

__all__ = ["add_routes"]

_OVERLAPS_S = (0, 3600, 86_400, 604_800)


def add_routes(app: falcon.App[ApiRequest, falcon.Response], site: Site) -> None:
    """Add the pages of this module."""
    keys = Keys(site)
    app.add_route("/dashboard/keys", keys)
    for verb in ("create", "roll", "revoke", "secret"):
        app.add_route(f"/dashboard/keys/{verb}", keys, suffix=verb)


class Keys(DashboardPage):
    """The keys of an account."""

    def on_get(self, req: ApiRequest, resp: falcon.Response) -> None:
        """List them."""
        self._show(self.view(req, resp))

    def on_post_create(self, req: ApiRequest, resp: falcon.Response) -> None:
        """Make another key of the mode that is shown."""
        view = self.view(req, resp)
        view.visit.posted()
        made = self.site.accounts.create_key(view.account.id, view.mode)
        self._show(view, new_key=made.key)

    def on_post_roll(self, req: ApiRequest, resp: falcon.Response) -> None:
        """Make a key in the place of another."""
        view = self.view(req, resp)
        fields = view.visit.posted()
        key_id = self._own(view, last(fields, "key"))
        try:
            made = self.site.accounts.roll_key(key_id, _overlap(last(fields, "overlap_s")))
        except WorkersAIError as error:
            self._show(view, error=error)
            return
        self._show(view, new_key=made.key)

    def on_post_revoke(self, req: ApiRequest, resp: falcon.Response) -> None:
        """End a key."""
        view = self.view(req, resp)
        fields = view.visit.posted()
        self.site.accounts.revoke_key(self._own(view, last(fields, "key")))
        view.visit.go("/dashboard/keys")

    def on_post_secret(self, req: ApiRequest, resp: falcon.Response) -> None:
        """Make a new webhook secret."""
        view = self.view(req, resp)
        overlap_s = _overlap(last(view.visit.posted(), "overlap_s"))
        made = self.site.engine.roll_webhook_secret(view.account.id, overlap_s=overlap_s)
        self._show(view, new_secret=made.secret)

    def _own(self, view: View, key_id: str) -> str:
        """Return the id of a key that is the account's.

        Raises:
            NotFound: it is not.
        """
        if all(key.id != key_id for key in self.site.accounts.list_keys(view.account.id)):
            raise NotFound("There is no key with this id.")
        return key_id

    def _show(
        self,
        view: View,
        *,
        new_key: str | None = None,
        new_secret: str | None = None,
        error: WorkersAIError | None = None,
    ) -> None:
        view.page(
            "dashboard/keys.html",
            status=200 if error is None else error.status_hint,
            error=None if error is None else view.visit.error_text(error),
            keys=[key for key in self.site.accounts.list_keys(view.account.id) if key.mode == view.mode],
            secrets=self.site.engine.webhook_secrets(view.account.id),
            new_key=new_key,
            new_secret=new_secret,
            overlaps_s=_OVERLAPS_S,
            now=self.site.engine.clock.now(),
        )


def _overlap(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and int(text) in _OVERLAPS_S else 0
