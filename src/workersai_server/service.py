"""The whole service in one object: settings in; engine, accounts and application out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Self

import attrs

from workersai_core import Engine, Violation
from workersai_core.callbacks.transport import RequestsTransport
from workersai_core.store import Schema
from workersai_core.store.opening import database_url, upgrade
from workersai_core.store.schema import CORE
from workersai_core.ticker import Ticker
from workersai_server import quota
from workersai_server.accounts import SERVER, Accounts
from workersai_server.answers import Answers
from workersai_server.errors import InvalidSetting
from workersai_server.settings import Settings
from workersai_server.turnstile import Turnstile

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

    from workersai_server.tracing import Tracing

__all__ = ["Service", "migrate", "sqlite_file"]

_SCHEMAS: Sequence[Schema] = (SERVER,)


@attrs.frozen(kw_only=True)
class Service:
    """One service on one database; made by `Service.open`."""

    settings: Settings
    engine: Engine
    accounts: Accounts
    answers: Answers
    _keeper: Ticker
    """Submits the answers that can no longer be taken back."""
    _turnstile: Turnstile
    _tracing: Tracing | None = None

    @cached_property
    def app(self) -> WSGIApplication:
        """The WSGI application, API and pages, made on first use."""
        # PERF: the commands that only look after the database need no web framework.
        from workersai_server.app import create_app
        from workersai_server.metrics import Metrics
        from workersai_server.web.app import create_site, with_pages
        from workersai_server.web.visits import Site

        metrics = Metrics(self.engine)
        site = Site(self.engine, self.accounts, self.answers, self.settings)
        around = [] if self._tracing is None else [self._tracing.requests()]
        api = create_app(self.engine, self.settings, self.accounts, metrics=metrics, around=around)
        return self._turnstile.around(with_pages(api, create_site(site, metrics, around)))

    @classmethod
    def open(
        cls, settings: Settings, *, start: bool = True, dispatch: bool = True, migrate: bool | None = None
    ) -> Self:
        """Open the database, load the plugins and put the service together.

        Args:
            settings: How it behaves.
            start: Whether to start the threads that do what is due by the clock.
            dispatch: Whether those deliver callbacks too; else another process must.
            migrate: See `Engine.open`.

        Raises:
            InvalidInput, MigrationRequired, PluginConfigurationError, StoreUnavailable: see `Engine.open`.
            InvalidSetting: it is to be traced, and what that needs is not installed.
        """
        tracing = _tracing_of(settings)
        transport = None if tracing is None else tracing.transport(RequestsTransport(settings.policy().addresses))
        engine = Engine.open(
            settings.db,
            plugins=[quota.Quota(settings), *([] if transport is None else [transport])],
            transport=transport,
            plugin_files=settings.plugin_files,
            entry_points=settings.plugins,
            strict_plugins=settings.strict_plugins,
            plugin_settings=settings.plugin_settings,
            policy=settings.policy(),
            schemas=_SCHEMAS,
            migrate=migrate,
        )
        turnstile = Turnstile()
        engine.store = turnstile.beside(engine.store)
        answers = Answers(engine, settings.undo_s)
        keeper = Ticker(answers.settle)
        if start:
            keeper.start()
            if dispatch:
                engine.start()
            else:
                engine.start_ticking()
        return cls(
            settings=settings,
            engine=engine,
            accounts=Accounts(engine, settings),
            answers=answers,
            keeper=keeper,
            turnstile=turnstile,
            tracing=tracing,
        )

    def check(self) -> list[Violation]:
        """Return every broken invariant of the engine and of the accounts."""
        return [*self.engine.check(), *self.engine.read(lambda tx: quota.violations(tx.session))]

    def close(self) -> None:
        """Let running deliveries finish, write down what is owed and let go of the database."""
        self._keeper.stop()
        self.engine.stop()
        self.accounts.close()
        self.engine.close()
        if self._tracing is not None:
            self._tracing.close()


def _tracing_of(settings: Settings) -> Tracing | None:
    if not settings.tracing:
        return None
    try:
        from workersai_server.tracing import Tracing
    except ModuleNotFoundError as error:
        raise InvalidSetting(
            f"Tracing needs OpenTelemetry, and {error.name} is not installed:"
            " run `pip install 'workersai[otel]'`, or leave out the setting tracing."
        ) from error
    return Tracing.start()


def migrate(settings: Settings) -> Mapping[str, str]:
    """Bring every table of the service to its newest revision, and return the revisions by schema.

    Raises:
        InvalidInput, MigrationRequired, StoreUnavailable: see `workersai_core.store.opening.upgrade`.
    """
    schemas = (CORE, *_SCHEMAS)
    upgrade(settings.db, schemas)
    return {schema.name: schema.head for schema in schemas}


def sqlite_file(database: str) -> Path | None:
    """Return the file of a SQLite database; None when it is in memory or not SQLite.

    Raises:
        InvalidInput: it is no database address.
    """
    url = database_url(database)
    if url.get_backend_name() != "sqlite" or url.database in (None, "", ":memory:"):
        return None
    return Path(str(url.database)).absolute()
