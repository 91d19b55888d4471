"""One visit of a page: who looks, in which language, and what the answer needs of it."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cached_property
from typing import Any
from urllib.parse import quote

import falcon
from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from workersai_core import Engine, WorkersAIError
from workersai_core.clock import rfc3339
from workersai_core.errors import Issue
from workersai_server import media, urlencoded
from workersai_server.accounts import Account, Accounts
from workersai_server.accounts.sessions import Role, Sessions, SignedIn, csrf_token, is_csrf_token, new_token
from workersai_server.accounts.values import Preferences, WorkerEntry
from workersai_server.amounts import from_micros
from workersai_server.answers import Answers
from workersai_server.credentials import ApiRequest
from workersai_server.errors import CsrfFailed, Forbidden, InvalidBody, Unauthenticated
from workersai_server.messages import detail_of, issue_text, language_of
from workersai_server.settings import Settings
from workersai_server.web.assets import Assets
from workersai_server.web.plugin_assets import PluginAssets
from workersai_server.web.translations import LANGUAGES, Language, gettext, ngettext

__all__ = ["Page", "Site", "Visit", "last"]

SESSION_COOKIE = "wai_session"
_GUEST_COOKIE = "wai_guest"
_LANGUAGE_COOKIE = "wai_language"
_THEME_COOKIE = "wai_theme"
_YEAR_S = 365 * 86_400
_THEMES = ("light", "dark")
_CSRF_FIELD = "csrf"
_CSRF_HEADER = "X-CSRF-TOKEN"


class Site:
    """What all pages share.

    Args:
        engine: The engine behind them.
        accounts: Who may sign in.
        answers: What workers have written.
        settings: How the server behaves.
    """

    def __init__(self, engine: Engine, accounts: Accounts, answers: Answers, settings: Settings) -> None:
        self.engine = engine
        self.accounts = accounts
        self.answers = answers
        self.settings = settings
        self.sessions = Sessions(engine, accounts)
        self.assets = Assets()
        self.plugin_assets = PluginAssets(engine.types)
        self._templates = {language: self._environment(language) for language in LANGUAGES}

    def template(self, name: str, language: Language) -> Template:
        """Return a template that speaks a language."""
        return self._templates[language].get_template(name)

    def _environment(self, language: Language) -> Environment:
        environment = Environment(
            loader=PackageLoader("workersai_server.web"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            extensions=["jinja2.ext.i18n"],
        )
        environment.install_gettext_callables(  # type: ignore[attr-defined]  # added by jinja2.ext.i18n
            lambda message: gettext(language, message),
            lambda one, many, n: ngettext(language, one, many, n),
            newstyle=True,
        )
        environment.globals["asset_exists"] = self.assets.has
        return environment

    def visit(self, req: ApiRequest, resp: falcon.Response) -> Visit:
        """Return the visit that a request is."""
        return Visit(self, req, resp)


def last(fields: Mapping[str, Sequence[str]], name: str) -> str:
    """Return what a form says of a field; the last of several, ``""`` of none."""
    return (fields.get(name) or [""])[-1]


class Page:
    """What is at one address; subclasses have the responders.

    Args:
        site: What all pages share.
    """

    media_types: tuple[str, ...] = ()
    """Pages look at the Accept header themselves; see `Perimeter.process_resource`."""

    def __init__(self, site: Site) -> None:
        self.site = site


class Visit:
    """One request of a browser and the answer to it."""

    def __init__(self, site: Site, req: ApiRequest, resp: falcon.Response) -> None:
        self.site = site
        self.req = req
        self.resp = resp
        self.nonce = secrets.token_urlsafe(16)
        self._token: str | None = req.cookies.get(SESSION_COOKIE)

    # --- who ----------------------------------------------------------------------------------

    @cached_property
    def signed_in(self) -> SignedIn | None:
        """Whose session this is; None when nobody is signed in."""
        return None if self._token is None else self.site.sessions.find(self._token)

    def require(self, role: Role) -> SignedIn:
        """Return whose session this is.

        Raises:
            Unauthenticated: nobody is signed in, or somebody of another role;
                `extra["role"]` says which is needed.
        """
        found = self.signed_in
        if found is None or found.role != role:
            raise Unauthenticated("Please sign in.", role=role)
        return found

    def account(self) -> Account:
        """Return the account that is signed in.

        Raises:
            Unauthenticated: none is.
        """
        account = self.require("requester").account
        assert account is not None  # noqa: S101 - a requester's session has an account
        return account

    def operator(self) -> Account:
        """Return the operator who is signed in.

        Raises:
            Unauthenticated: nobody is.
            Forbidden: the account is no operator's.
        """
        account = self.account()
        if not account.operator:
            raise Forbidden("These pages are for operators; ask one to open them to your account.")
        return account

    def worker(self) -> WorkerEntry:
        """Return the worker who is signed in.

        Raises:
            Unauthenticated: none is.
        """
        worker = self.require("worker").worker
        assert worker is not None  # noqa: S101 - a worker's session has a worker
        return worker

    def remember(self, token: str) -> None:
        """Let the browser hold a session."""
        self._token = token
        self._set_cookie(SESSION_COOKIE, token)

    def forget(self) -> None:
        """Let go of the session."""
        if self._token is not None:
            self.site.sessions.end(self._token)
        self._token = None
        self.resp.unset_cookie(SESSION_COOKIE, path=self._cookie_path, samesite="Lax")

    @property
    def here(self) -> str:
        """The path of this page, to come back to; the start's for what a form answered."""
        if self.req.method != "GET":
            return "/"
        return self.req.path + (f"?{self.req.query_string}" if self.req.query_string else "")

    @property
    def address(self) -> str:
        """Where the request comes from."""
        return str(self.req.remote_addr)

    # --- forms --------------------------------------------------------------------------------

    @cached_property
    def csrf(self) -> str:
        """What every form must send back."""
        return csrf_token(self._browser)

    @cached_property
    def _browser(self) -> str:
        """The secret that this browser and nobody else holds: its session or, before that, a cookie of its own."""
        if self._token is not None:
            return self._token
        guest = self.req.cookies.get(_GUEST_COOKIE)
        if guest is None:
            guest = new_token()
            self._set_cookie(_GUEST_COOKIE, guest)
        return guest

    def posted(self) -> Mapping[str, Sequence[str]]:
        """Return the fields of a form, after the check that it is ours.

        Raises:
            CsrfFailed: its token is missing or another browser's.
            UnsupportedMediaType, PayloadTooLarge, InvalidBody: it cannot be read.
        """
        media.content_type(self.req, (media.FORM,))
        try:
            pairs = urlencoded.pairs(media.read_body(self.req))
        except ValueError as error:
            raise InvalidBody(str(error)) from None
        fields: dict[str, list[str]] = {}
        for name, value in pairs:
            fields.setdefault(name, []).append(value)
        self._check_csrf((fields.get(_CSRF_FIELD) or [""])[-1])
        return fields

    def posted_json(self) -> dict[str, Any]:
        """Return the object that a script of ours sent.

        Raises:
            CsrfFailed: the header X-CSRF-Token is missing or another browser's.
            UnsupportedMediaType, PayloadTooLarge, InvalidJson, InvalidBody: it cannot be read.
        """
        self._check_csrf(self.req.get_header(_CSRF_HEADER) or "")
        media.content_type(self.req, (media.JSON,))
        return media.read_object(self.req)

    def _check_csrf(self, token: str) -> None:
        if not is_csrf_token(token, self._browser):
            raise CsrfFailed

    # --- how it looks -------------------------------------------------------------------------

    @cached_property
    def language(self) -> Language:
        """The language chosen, or the one that the browser asks for."""
        chosen = self._preferences.language or self.req.cookies.get(_LANGUAGE_COOKIE)
        for language in LANGUAGES:
            if chosen == language:
                return language
        return language_of(self.req.env.get("HTTP_ACCEPT_LANGUAGE", ""))

    def choose_language(self, language: str) -> None:
        """Remember a language."""
        if language in LANGUAGES:
            self._set_cookie(_LANGUAGE_COOKIE, language, max_age=_YEAR_S)
            self._prefer(language=language)

    @property
    def theme(self) -> str:
        """``light``, ``dark``, or ``auto`` for what the browser prefers."""
        chosen = self._preferences.theme or self.req.cookies.get(_THEME_COOKIE, "")
        return chosen if chosen in _THEMES else "auto"

    def choose_theme(self, theme: str) -> None:
        """Remember a theme."""
        if theme in _THEMES:
            self._set_cookie(_THEME_COOKIE, theme, max_age=_YEAR_S)
            self._prefer(theme=theme)

    @property
    def _preferences(self) -> Preferences:
        """What the worker who is signed in has chosen, be it in another browser."""
        worker = None if self.signed_in is None else self.signed_in.worker
        return Preferences() if worker is None else worker.preferences

    def _prefer(self, **changes: str) -> None:
        """Let a choice follow the worker who is signed in; others keep it in the browser alone."""
        if self.signed_in is not None and self.signed_in.worker is not None:
            self.site.accounts.prefer(self.signed_in.worker.id, changes)

    def choose(self, cookie: str, value: str) -> None:
        """Remember another choice of the visitor's."""
        self._set_cookie(cookie, value, max_age=_YEAR_S)

    def text(self, message: str, **values: Any) -> str:
        """Return a message in the visit's language."""
        translated = gettext(self.language, message)
        return translated % values if values else translated

    def error_text(self, error: WorkersAIError) -> str:
        """Return what went wrong, in the visit's language."""
        return detail_of(error, self.language)

    def issue_text(self, issue: Issue) -> str:
        """Return what is wrong at one place, in the visit's language."""
        return issue_text(issue, self.language)

    @staticmethod
    def time(at: datetime) -> str:
        """Return a time as the API writes it."""
        return rfc3339(at)

    @staticmethod
    def amount(micros: int) -> str:
        """Return an amount of credit as decimal text."""
        return from_micros(micros)

    # --- answers ------------------------------------------------------------------------------

    @property
    def wants_json(self) -> bool:
        """Whether a script of ours asks, not a person."""
        return "application/json" in (self.req.get_header("Accept") or "")

    def url(self, path: str, **query: str | None) -> str:
        """Return an address of this application, wherever it is mounted."""
        pairs = [f"{quote(name)}={quote(value, safe='')}" for name, value in query.items() if value is not None]
        return self.req.root_path + path + ("?" + "&".join(pairs) if pairs else "")

    def page(self, template: str, *, status: int = 200, media_hosts: bool = False, **context: Any) -> None:
        """Answer with a page.

        Args:
            template: Its name.
            status: The HTTP status.
            media_hosts: Whether the page shows attachments, which lie anywhere.
            **context: What the template shows.
        """
        self.resp.text = self.fragment(template, **context)
        self.resp.status = falcon.code_to_http_status(status)
        self.resp.content_type = "text/html; charset=utf-8"
        for name, value in self._headers(media_hosts).items():
            self.resp.set_header(name, value)

    def fragment(self, template: str, **context: Any) -> str:
        """Return a template as text."""
        return self.site.template(template, self.language).render(
            visit=self,
            url=self.url,
            asset=lambda name: self.url(self.site.assets.path(name)),
            issue_text=self.issue_text,
            time_text=rfc3339,
            **context,
        )

    def go(self, path: str, **query: str | None) -> None:
        """Answer with a redirect that is fetched with GET."""
        self.resp.status = falcon.HTTP_303
        self.resp.set_header("Location", self.url(path, **query))
        self.resp.set_header("Cache-Control", "no-store")

    def json(self, value: Any, *, status: int = 200) -> None:
        """Answer a script of ours."""
        self.resp.status = falcon.code_to_http_status(status)
        self.resp.media = value
        self.resp.set_header("Cache-Control", "no-store")

    def _headers(self, media_hosts: bool) -> Mapping[str, str]:
        anywhere = " http: https: data: blob:" if media_hosts else ""
        policy = (
            "default-src 'none'; script-src 'self'; font-src 'self'; form-action 'self';"
            # The waveform reads the recording that the page plays.
            f" connect-src 'self'{anywhere};"
            f" style-src 'self' 'nonce-{self.nonce}'; img-src 'self'{anywhere}; media-src 'self'{anywhere};"
            f" frame-src {'http: https:' if media_hosts else chr(39) + 'none' + chr(39)};"
            " base-uri 'none'; frame-ancestors 'none'"
        )
        return {
            "Content-Security-Policy": policy,
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "same-origin",
            "Cache-Control": "no-store",
            "Content-Language": self.language,
            "Vary": "Cookie, Accept-Language",
        }

    def _set_cookie(self, name: str, value: str, *, max_age: int | None = None) -> None:
        self.resp.set_cookie(
            name,
            value,
            max_age=max_age,
            path=self._cookie_path,
            secure=self.req.forwarded_scheme == "https",
            http_only=True,
            same_site="Lax",
        )

    @property
    def _cookie_path(self) -> str:
        return self.req.root_path or "/"
